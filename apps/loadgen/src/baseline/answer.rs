//! The answers of the bare server, in the sizes and shapes of a real one.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::lists::Lists;
use crate::wire::frame::{self, opcode};
use crate::wire::number;
use crate::wire::scan::{self, Name};

static FROM: Name = LazyLock::new(|| Finder::new(b"\"From_Account\":"));
static TO: Name = LazyLock::new(|| Finder::new(b"\"To_Account\":"));
static NUMBER: Name = LazyLock::new(|| Finder::new(b"\"MsgSeq\":"));
static RANDOM: Name = LazyLock::new(|| Finder::new(b"\"MsgRandom\":"));
static ELEMENTS: Name = LazyLock::new(|| Finder::new(b"\"MsgBody\":"));
static ELEMENTS_END: Name = LazyLock::new(|| Finder::new(b"}}]"));
static CLIENT_TIME: Name = LazyLock::new(|| Finder::new(b"\"MsgClientTime\":"));

/// What the bare server reads of a message: just enough to answer it and to pass it on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) seq: u64,
    pub(super) from: &'a [u8],
    pub(super) to: &'a [u8],
    pub(super) number: u64,
    pub(super) random: u64,
    pub(super) elements: &'a [u8],
    pub(super) client_time: u64,
    pub(super) now_seconds: u64,
}

impl<'a> Sent<'a> {
    /// Reads a message frame whose fields come in the order in which the SDK sends them.
    pub(super) fn read(frame: &'a [u8], seq: u64, now_seconds: u64) -> Option<Self> {
        let rest = scan::after(frame, &FROM)?;
        let from = scan::quoted(rest)?;
        let rest = scan::after(rest, &TO)?;
        let to = scan::quoted(rest)?;
        let rest = scan::after(rest, &NUMBER)?;
        let number = unsigned(rest)?;
        let rest = scan::after(rest, &RANDOM)?;
        let random = unsigned(rest)?;
        let rest = scan::after(rest, &ELEMENTS)?;
        let elements = rest.get(..ELEMENTS_END.find(rest)? + 3)?;
        let client_time = unsigned(scan::after(rest, &CLIENT_TIME)?)?;
        Some(Self { seq, from, to, number, random, elements, client_time, now_seconds })
    }
}

fn unsigned(text: &[u8]) -> Option<u64> {
    u64::try_from(number::read(text)?).ok()
}

fn append_key(out: &mut Vec<u8>, sent: &Sent<'_>) {
    out.extend_from_slice(br#""MsgKey":""#);
    number::append(out, sent.number);
    out.push(b'_');
    number::append(out, sent.random);
    out.push(b'_');
    number::append(out, sent.now_seconds);
    out.push(b'"');
}

fn append_head(out: &mut Vec<u8>, command: &[u8], seq: u64, sdkappid: u64) {
    out.extend_from_slice(br#"{"head":{"servcmd":""#);
    out.extend_from_slice(command);
    out.extend_from_slice(br#"","seq":"#);
    number::append(out, seq);
    out.extend_from_slice(br#","sdkappid":"#);
    number::append(out, sdkappid);
    out.extend_from_slice(br#","ver":"v4","platform":7,"contenttype":"json"},"body":{"#);
}

/// Appends the frame that answers `sent`.
pub(super) fn append_sent(out: &mut Vec<u8>, payload: &mut Vec<u8>, sdkappid: u64, sent: &Sent<'_>) {
    payload.clear();
    append_head(payload, b"openim.sendmsg", sent.seq, sdkappid);
    payload.extend_from_slice(br#""ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":"#);
    number::append(payload, sent.now_seconds);
    payload.push(b',');
    append_key(payload, sent);
    payload.extend_from_slice(b"}}");
    frame::append_plain(out, opcode::BINARY, payload);
}

/// Appends the frame that brings `sent` to its receiver.
pub(super) fn append_push(
    out: &mut Vec<u8>,
    payload: &mut Vec<u8>,
    sdkappid: u64,
    tiny: u64,
    sent: &Sent<'_>,
) {
    payload.clear();
    append_head(payload, b"im_open_push.msg_push", sent.number & 0xffff, sdkappid);
    payload.extend_from_slice(br#""EventArray":[{"NotifySeq":"#);
    number::append(payload, sent.number & 0xffff);
    payload.extend_from_slice(br#","Event":9,"C2cMsgArray":[{"From_Account":""#);
    payload.extend_from_slice(sent.from);
    payload.extend_from_slice(br#"","To_Account":""#);
    payload.extend_from_slice(sent.to);
    for (name, value) in [
        (&br#"","MsgSeq":"#[..], sent.number),
        (br#","MsgRandom":"#, sent.random),
        (br#","MsgTimeStamp":"#, sent.now_seconds),
        (br#","MsgClientTime":"#, sent.client_time),
        (br#","ClientSeq":"#, sent.number),
        (br#","TinyId":""#, tiny),
    ] {
        payload.extend_from_slice(name);
        number::append(payload, value);
    }
    payload.extend_from_slice(br#"","From_AccountNick":"","From_AccountHeadurl":"","MsgBody":"#);
    payload.extend_from_slice(sent.elements);
    payload.extend_from_slice(
        br#","CloudCustomData":"","MsgFlagBits":0,"IsNeedReadReceipt":1,"SupportMessageExtension":0,"#,
    );
    append_key(payload, sent);
    payload.extend_from_slice(b"}]}]}}");
    frame::append_plain(out, opcode::BINARY, payload);
}

/// Appends the page or batch that answers a command for one; whether it is such a command.
pub(super) fn append_list(
    out: &mut Vec<u8>,
    payload: &mut Vec<u8>,
    glance: scan::Glance<'_>,
    sdkappid: u64,
    request: &[u8],
    lists: &Lists,
) -> bool {
    payload.clear();
    append_head(payload, glance.command, glance.seq, sdkappid);
    payload.extend_from_slice(br#""ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#);
    if !lists.append(payload, glance.command, request) {
        return false;
    }
    payload.extend_from_slice(b"}}");
    frame::append_plain(out, opcode::BINARY, payload);
    true
}

/// Appends the answer to any command but a message.
pub(super) fn append_other(
    out: &mut Vec<u8>,
    glance: scan::Glance<'_>,
    sdkappid: u64,
    tiny: u64,
    now_seconds: u64,
) {
    let mut payload = Vec::with_capacity(512);
    append_head(&mut payload, glance.command, glance.seq, sdkappid);
    payload.extend_from_slice(br#""ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#);
    match glance.command {
        b"im_open_status.wslogin" => payload.extend_from_slice(
            format!(
                r#","A2Key":"{:0>120}","TinyId":"{tiny}","InstId":{},"HelloInterval":120,"TimeStamp":{now_seconds},"CustomStatus":"","RichMsgAuthKey":"","PurchaseBits":"{:1>64}""#,
                tiny, 1000 + tiny % 1000, 1
            )
            .as_bytes(),
        ),
        b"openim.getroammsg" => payload
            .extend_from_slice(br#","MsgList":[],"MsgCnt":0,"Complete":1,"LastMsgTime":0,"MsgKey":"""#),
        _ => {}
    }
    payload.extend_from_slice(b"}}");
    frame::append_plain(out, opcode::BINARY, &payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = br#"{"head":{"servcmd":"openim.sendmsg","seq":5},"body":{"From_Account":"bob","To_Account":"alice","MsgSeq":2157230001,"MsgRandom":13094310,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello alice"}}],"CloudCustomData":"","MsgClientTime":1795298242}}"#;

    fn payload_of(mut bytes: Vec<u8>) -> serde_json::Value {
        let found = frame::locate(&mut bytes).unwrap().unwrap();
        serde_json::from_slice(&bytes[found.payload]).unwrap()
    }

    #[test]
    fn answer_and_push_are_json_with_the_identity_of_the_message() {
        let sent = Sent::read(FRAME, 5, 1_795_298_243).unwrap();
        let (mut answer, mut push, mut payload) = (Vec::new(), Vec::new(), Vec::new());
        append_sent(&mut answer, &mut payload, 1_400_000_001, &sent);
        append_push(&mut push, &mut payload, 1_400_000_001, 7, &sent);
        let answer = payload_of(answer);
        assert_eq!(answer["head"]["seq"], 5);
        assert_eq!(answer["body"]["MsgKey"], "2157230001_13094310_1795298243");
        let message = payload_of(push)["body"]["EventArray"][0]["C2cMsgArray"][0].clone();
        assert_eq!(message["To_Account"], "alice");
        assert_eq!(message["MsgBody"][0]["MsgContent"]["Text"], "hello alice");
        assert_eq!(message["MsgClientTime"], 1_795_298_242);
    }

    #[test]
    fn a_login_gets_a_session() {
        let mut out = Vec::new();
        let glance = scan::Glance { command: b"im_open_status.wslogin", seq: 3, error: 0 };
        append_other(&mut out, glance, 1_400_000_001, 144_115_000_000_000_001, 1_795_298_243);
        let answer = payload_of(out);
        assert_eq!(answer["body"]["TinyId"], "144115000000000001");
        assert_eq!(answer["body"]["A2Key"].as_str().map(str::len), Some(120));
    }
}
