//! Pages of lists and batches of profiles, as long as real ones and always the same.

use std::fmt::Write as _;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::wire::number;
use crate::wire::scan::{self, Name};

static START: Name = LazyLock::new(|| Finder::new(b"\"StartIndex\":"));

/// Accounts of a page and of a batch.
const PAGE: u64 = 100;

/// Written once; only where the next page begins depends on the request.
#[derive(Debug)]
pub(super) struct Lists {
    friends: String,
    conversations: String,
    listed: String,
    profiles: String,
    batch: String,
}

impl Lists {
    /// Writes all pages.
    pub(super) fn new() -> Self {
        let fields = |name: u64| {
            format!(
                r#"[{{"Tag":"Tag_Profile_IM_Image","Value":"https://example.com/faces/u{name}.png"}},{{"Tag":"Tag_Profile_IM_Nick","Value":"Nickname of u{name}"}}]"#
            )
        };
        Self {
            friends: items("UserDataItem", |name| {
                format!(
                    r#"{{"To_Account":"u{name}","ValueItem":[{{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Bench"}},{{"Tag":"Tag_SNS_IM_Remark","Value":"Remark on u{name}"}},{{"Tag":"Tag_SNS_IM_AddTime","Value":1795298242}}]}}"#
                )
            }),
            conversations: items("SessionItem", |name| {
                format!(
                    r#"{{"Type":1,"To_Account":"u{name}","MsgTimeStamp":1795298243,"MsgSeq":2157230001,"MsgRandom":13094310,"LastC2CMsgFrom_Account":"u{name}","LastMsgFlags":0,"LastMsg":{{"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"See you at the station at half past seven, I will bring the tickets"}}}}],"CloudCustomData":""}},"C2cPeerReadTime":0,"UnreadMsgCount":1,"TopFlags":0,"TopTimeStamp":0,"C2cNick":"Nickname of u{name}","C2cImage":"https://example.com/faces/u{name}.png","C2cRemark":"","MsgRecvOption":0,"StandardMark":"{:064}","CustomMark":"","ContactGroupId":[]}}"#,
                    0
                )
            }),
            listed: items("SessionItem", |name| {
                format!(
                    r#"{{"Type":1,"To_Account":"u{name}","MsgTime":1795298243,"TopFlag":0,"StandardMark":"{:064}","CustomMark":"","ContactGroupId":[]}}"#,
                    0
                )
            }),
            profiles: items("UserProfileItem", |name| {
                format!(r#"{{"To_Account":"u{name}","ProfileItem":{}}}"#, fields(name))
            }),
            batch: items("UserProfileItem", |name| {
                format!(
                    r#"{{"To_Account":"u{name}","ProfileItem":{},"ResultCode":0,"ResultInfo":""}}"#,
                    fields(name)
                )
            }),
        }
    }

    /// Appends the fields that answer `command`, each behind a comma; whether it is a command for a list. As nothing is kept
    /// here, a list never ends.
    pub(super) fn append(&self, out: &mut Vec<u8>, command: &[u8], request: &[u8]) -> bool {
        let separator = command.iter().position(|byte| matches!(byte, b'.' | b'/'));
        let name = separator.and_then(|at| command.get(at + 1..)).unwrap_or_default();
        let (items, next) = match name {
            b"friend_get" => {
                (&self.friends, Some(&b",\"FriendNum\":3000,\"CompleteFlag\":0,\"NextStartIndex\":"[..]))
            }
            b"page_get" => (&self.conversations, Some(PLACE)),
            b"get_list" => (&self.listed, Some(PLACE)),
            b"portrait_get_all" => (&self.profiles, None),
            b"portrait_get" => (&self.batch, None),
            _ => return false,
        };
        out.extend_from_slice(items.as_bytes());
        if let Some(next) = next {
            let start = scan::number_after(request, &START).and_then(|start| u64::try_from(start).ok());
            out.extend_from_slice(next);
            number::append(out, start.unwrap_or(0) + PAGE);
        }
        true
    }
}

const PLACE: &[u8] =
    br#","CompleteFlag":0,"TimeStamp":1795298243,"TopTimeStamp":0,"TopStartIndex":0,"StartIndex":"#;

fn items(name: &str, item: impl Fn(u64) -> String) -> String {
    let mut text = format!(r#","{name}":["#);
    for at in 0..PAGE {
        let _ = write!(text, "{},", item(1_000 + 37 * at));
    }
    text.pop();
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_json_and_say_where_the_next_one_begins() {
        let lists = Lists::new();
        for (command, list, next) in [
            ("sns.friend_get", "UserDataItem", Some("NextStartIndex")),
            ("recentcontact.page_get", "SessionItem", Some("StartIndex")),
            ("recentcontact/get_list", "SessionItem", Some("StartIndex")),
            ("profile.portrait_get_all", "UserProfileItem", None),
            ("profile/portrait_get", "UserProfileItem", None),
        ] {
            let mut out = b"{\"ErrorCode\":0".to_vec();
            assert!(lists.append(&mut out, command.as_bytes(), br#"{"StartIndex":200}"#));
            out.push(b'}');
            let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(value[list].as_array().map(Vec::len), Some(100), "{command}");
            assert_eq!(next.and_then(|next| value[next].as_u64()), next.map(|_| 300), "{command}");
        }
        assert!(!lists.append(&mut Vec::new(), b"openim.sendmsg", b"{}"));
    }
}
