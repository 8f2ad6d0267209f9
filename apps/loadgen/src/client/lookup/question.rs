//! What is looked up, and how it is asked for: as the SDK does over its socket, and as an app's server does over REST.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::member::user;
use super::super::populate::{BATCH, PROFILE_TAGS, Population};
use crate::wire::scan;

/// Accounts of one page of any list.
pub(super) const PAGE: usize = 100;

/// What is looked up, and over which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub(crate) enum Case {
    /// An owner's list of friends, with `sns.friend_get`.
    FriendsSocket,
    /// The same with `sns/friend_get`.
    FriendsRest,
    /// An owner's list of conversations, with `recentcontact.page_get`.
    ConversationsSocket,
    /// The same with `recentcontact/get_list`.
    ConversationsRest,
    /// 100 profiles of the working set, with `profile.portrait_get_all`.
    ProfilesSocket,
    /// The same with `profile/portrait_get`.
    ProfilesRest,
}

/// Where the next page begins: the two numbers that the last answer gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    start: u64,
    time: u64,
}

impl Case {
    /// All of them, in the order of the report.
    pub(crate) const ALL: [Self; 6] = [
        Self::FriendsSocket,
        Self::FriendsRest,
        Self::ConversationsSocket,
        Self::ConversationsRest,
        Self::ProfilesSocket,
        Self::ProfilesRest,
    ];

    /// Whether it is asked over REST.
    pub(crate) const fn is_rest(self) -> bool {
        matches!(self, Self::FriendsRest | Self::ConversationsRest | Self::ProfilesRest)
    }

    /// The command, as its way spells it.
    pub(crate) const fn command(self) -> &'static str {
        match self {
            Self::FriendsSocket => "sns.friend_get",
            Self::FriendsRest => "sns/friend_get",
            Self::ConversationsSocket => "recentcontact.page_get",
            Self::ConversationsRest => "recentcontact/get_list",
            Self::ProfilesSocket => "profile.portrait_get_all",
            Self::ProfilesRest => "profile/portrait_get",
        }
    }

    /// Accounts of a whole list.
    pub(crate) const fn length(self, population: &Population) -> usize {
        match self {
            Self::FriendsSocket | Self::FriendsRest => population.friends,
            Self::ConversationsSocket | Self::ConversationsRest => population.conversations,
            Self::ProfilesSocket | Self::ProfilesRest => BATCH,
        }
    }

    /// Requests for a whole list.
    pub(crate) const fn pages(self, population: &Population) -> usize {
        self.length(population).div_ceil(PAGE)
    }

    /// The request for the page of `owner` that begins at `place`. Of profiles: for any 100 accounts, as `random` says.
    pub(super) fn body(
        self,
        owner: usize,
        place: Place,
        working_set: usize,
        random: impl FnMut() -> usize,
    ) -> String {
        let name = user(owner);
        let Place { start, time } = place;
        match self {
            Self::FriendsSocket | Self::FriendsRest => format!(
                r#"{{"From_Account":"{name}","StartIndex":{start},"StandardSequence":0,"CustomSequence":0}}"#
            ),
            Self::ConversationsSocket => format!(
                r#"{{"From_Account":"{name}","TimeStamp":{time},"StartIndex":{start},"TopTimeStamp":0,"TopStartIndex":0,"OrderType":1,"MsgAssistFlags":15,"AssistFlags":31}}"#
            ),
            Self::ConversationsRest => format!(
                r#"{{"From_Account":"{name}","TimeStamp":{time},"StartIndex":{start},"TopTimeStamp":0,"TopStartIndex":0,"AssistFlags":63}}"#
            ),
            Self::ProfilesSocket => profiles(
                format!(r#"{{"From_Account":"{name}","UserItem":["#),
                r#"{"To_Account":""#,
                r#"","StandardSequence":0,"CustomSequence":0},"#,
                "]}",
                working_set,
                random,
            ),
            Self::ProfilesRest => {
                let end = format!(r#"],"TagList":["{}"]}}"#, PROFILE_TAGS.join(r#"",""#));
                profiles(r#"{"To_Account":["#.to_owned(), "\"", "\",", &end, working_set, random)
            }
        }
    }

    /// Where the page behind this answer begins; `None` after the last one, and of profiles always.
    pub(super) fn next(self, answer: &[u8]) -> Option<Place> {
        let number = |name: &[u8]| u64::try_from(scan::last_number(answer, name)?).ok();
        if matches!(self, Self::ProfilesSocket | Self::ProfilesRest)
            || number(b"\"CompleteFlag\":") != Some(0)
        {
            return None;
        }
        Some(match self {
            Self::FriendsSocket | Self::FriendsRest => {
                Place { start: number(b"\"NextStartIndex\":")?, time: 0 }
            }
            _ => Place { start: number(b"\"StartIndex\":")?, time: number(b"\"TimeStamp\":")? },
        })
    }
}

/// A request for [`BATCH`] accounts of the working set, chosen at random.
fn profiles(
    mut body: String,
    before: &str,
    after: &str,
    end: &str,
    working_set: usize,
    mut random: impl FnMut() -> usize,
) -> String {
    for _ in 0..BATCH {
        let _ = write!(body, "{before}{}{after}", user(random() % working_set.max(1)));
    }
    body.pop();
    body + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_json() {
        for case in Case::ALL {
            let mut turn = 0;
            let body = case.body(7, Place { start: 5, time: 9 }, 50, || {
                turn += 1;
                turn
            });
            let value: serde_json::Value = serde_json::from_str(&body).unwrap();
            let list = value["UserItem"].as_array().or(value["To_Account"].as_array());
            assert_eq!(list.map_or(PAGE, Vec::len), PAGE, "{case:?}");
            assert_eq!(case.command().contains('/'), case.is_rest());
        }
    }

    #[test]
    fn the_next_page_begins_where_the_answer_says() {
        let friends = br#"{"UserDataItem":[],"FriendNum":300,"CompleteFlag":0,"NextStartIndex":100}"#;
        assert_eq!(Case::FriendsRest.next(friends), Some(Place { start: 100, time: 0 }));
        let list = br#"{"SessionItem":[{"MsgTimeStamp":3,"TopTimeStamp":2}],"CompleteFlag":0,"TimeStamp":7,"StartIndex":8,"TopTimeStamp":1,"TopStartIndex":0}"#;
        assert_eq!(Case::ConversationsSocket.next(list), Some(Place { start: 8, time: 7 }));
        assert_eq!(
            Case::ConversationsSocket.next(br#"{"CompleteFlag":1,"TimeStamp":7,"StartIndex":0}"#),
            None
        );
        assert_eq!(Case::ProfilesRest.next(b"{}"), None);
    }
}
