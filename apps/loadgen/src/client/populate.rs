//! Filling a store with accounts, lists of friends and conversations, through documented REST commands alone.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use serde::Serialize;

use super::member::{Target, user};
use super::rest::{self, Question};
use crate::wire::request::unix_seconds;

/// Accounts of one `multiaccount_import` and of one profile batch: the documented most.
pub(crate) const BATCH: usize = 100;

/// Friends of one `friend_import`: the documented most.
const FRIENDS_AT_ONCE: usize = 1000;

/// Friends of an account of the working set that is no owner.
const FRIENDS_FEW: usize = 20;

/// Calls at the same time. The store commits together what came meanwhile, and each call waits for its commits.
const CALLS_AT_ONCE: usize = 256;

/// Conversations were last active within so long: less than the 7 days for which an app keeps messages by default.
const DAYS_SECONDS: u64 = 6 * 86_400;

/// How large the store and its lists are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Population {
    /// Accounts in all, each with a nickname and an avatar.
    pub(crate) accounts: usize,
    /// Those that are in use: the first ones. All lists are theirs, and everybody on a list is one of them.
    pub(crate) working_set: usize,
    /// Those with long lists: the first ones of the working set.
    pub(crate) owners: usize,
    /// Friends of an owner. The others of the working set have 20.
    pub(crate) friends: usize,
    /// Conversations of an owner, each with a message from either side.
    pub(crate) conversations: usize,
}

/// What filling took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Populated {
    /// Making the accounts.
    pub(crate) accounts_seconds: f64,
    /// Friends put on lists.
    pub(crate) friends: usize,
    /// Putting them there.
    pub(crate) friends_seconds: f64,
    /// Messages imported.
    pub(crate) messages: usize,
    /// Importing them.
    pub(crate) messages_seconds: f64,
}

impl Population {
    /// Whether all of it fits together.
    fn check(&self) -> io::Result<()> {
        let most = self.friends.max(self.conversations).max(FRIENDS_FEW);
        let fits = self.owners >= 1
            && self.owners <= self.working_set
            && self.working_set <= self.accounts
            && most < self.working_set;
        if fits {
            return Ok(());
        }
        Err(io::Error::other(
            "owners are a part of the working set, that of the accounts, and lists are shorter than the working set",
        ))
    }

    /// The place `at` on a list of `count` accounts that belongs to `owner`: spread evenly over the working set, `owner` left
    /// out. Lists of the same length overlap, those of friends and of conversations in part.
    fn listed(&self, owner: usize, at: usize, count: usize) -> usize {
        let step = ((self.working_set - 1) / count.max(1)).max(1);
        (owner + 1 + at * step) % self.working_set
    }

    fn friends_of(&self, owner: usize) -> usize {
        if owner < self.owners { self.friends } else { FRIENDS_FEW }
    }

    fn accounts_call(&self, call: usize) -> Question {
        let mut body = String::from(r#"{"AccountList":["#);
        for index in call * BATCH..self.accounts.min((call + 1) * BATCH) {
            let name = user(index);
            let _ = write!(
                body,
                r#"{{"UserID":"{name}","Nick":"Nickname of {name}","FaceUrl":"https://example.com/faces/{name}.png"}},"#
            );
        }
        ("im_open_login_svc/multiaccount_import", closed(body))
    }

    /// The friends `from` to `until` of `owner`.
    fn friends_call(&self, owner: usize, from: usize, until: usize) -> Question {
        let mut body = format!(r#"{{"From_Account":"{}","AddFriendItem":["#, user(owner));
        let count = self.friends_of(owner);
        for at in from..until.min(count) {
            let friend = user(self.listed(owner, at, count));
            let _ = write!(
                body,
                r#"{{"To_Account":"{friend}","AddSource":"AddSource_Type_Bench","Remark":"Remark on {friend}"}},"#
            );
        }
        ("sns/friend_import", closed(body))
    }

    /// The message number `at` of all: of each conversation of each owner two, the newer one from the peer.
    fn message_call(&self, at: usize, now: u64) -> Question {
        let (conversation, is_answer) = (at / 2, at % 2 == 1);
        let (owner, place) = (conversation / self.conversations, conversation % self.conversations);
        let peer = self.listed(owner, place, self.conversations);
        let (from, to) = if is_answer { (peer, owner) } else { (owner, peer) };
        let age = DAYS_SECONDS * place as u64 / self.conversations as u64 + 60;
        let time = now - age + u64::from(is_answer);
        let body = format!(
            r#"{{"SyncFromOldSystem":5,"From_Account":"{}","To_Account":"{}","MsgSeq":{at},"MsgRandom":{at},"MsgTimeStamp":{time},"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"See you at the station at half past seven, I will bring the tickets"}}}}]}}"#,
            user(from),
            user(to),
        );
        ("openim/importmsg", body)
    }
}

fn closed(mut body: String) -> String {
    if body.ends_with(',') {
        body.pop();
    }
    body + "]}"
}

/// Fills an empty store. The app must allow more REST calls per second than is documented.
pub(crate) fn run(target: &Target, population: &Population) -> io::Result<Populated> {
    population.check()?;
    let calls = population.accounts.div_ceil(BATCH);
    let accounts = rest::pour(target, CALLS_AT_ONCE, calls, |call| population.accounts_call(call))?;
    let mut friends_time = Duration::ZERO;
    let owners = population.owners;
    for from in (0..population.friends).step_by(FRIENDS_AT_ONCE) {
        // Never two calls for one list at once: they would get into each other's way.
        let call = |owner| population.friends_call(owner, from, from + FRIENDS_AT_ONCE);
        friends_time += rest::pour(target, CALLS_AT_ONCE, owners, call)?;
    }
    let others = population.working_set - owners;
    let call = |other| population.friends_call(owners + other, 0, FRIENDS_FEW);
    friends_time += rest::pour(target, CALLS_AT_ONCE, others, call)?;
    let messages = 2 * owners * population.conversations;
    let now = unix_seconds();
    // First all that owners wrote, then all answers: two at once might be taken in either order.
    let conversations = messages / 2;
    let written = |number| population.message_call(2 * number, now);
    let answered = |number| population.message_call(2 * number + 1, now);
    let mut messages_time = rest::pour(target, CALLS_AT_ONCE, conversations, written)?;
    messages_time += rest::pour(target, CALLS_AT_ONCE, conversations, answered)?;
    Ok(Populated {
        accounts_seconds: accounts.as_secs_f64(),
        friends: owners * population.friends + others * FRIENDS_FEW,
        friends_seconds: friends_time.as_secs_f64(),
        messages,
        messages_seconds: messages_time.as_secs_f64(),
    })
}

/// Reads the profile, the first friends and the first conversations of each account of the working set once.
pub(crate) fn warm(target: &Target, population: &Population) -> io::Result<Duration> {
    let working_set = population.working_set;
    let profiles = |call: usize| {
        let names: Vec<String> = (call * BATCH..working_set.min((call + 1) * BATCH)).map(user).collect();
        let body = serde_json::json!({ "To_Account": names, "TagList": PROFILE_TAGS });
        ("profile/portrait_get", body.to_string())
    };
    let friends =
        |owner| ("sns/friend_get", format!(r#"{{"From_Account":"{}","StartIndex":0}}"#, user(owner)));
    let conversations = |owner| {
        let owner = user(owner);
        let body = format!(r#"{{"From_Account":"{owner}","TimeStamp":0,"StartIndex":0,"AssistFlags":15}}"#);
        ("recentcontact/get_list", body)
    };
    let mut taken = rest::pour(target, 16, working_set.div_ceil(BATCH), profiles)?;
    taken += rest::pour(target, 16, working_set, friends)?;
    taken += rest::pour(target, 16, working_set, conversations)?;
    Ok(taken)
}

/// The fields that a profile batch asks for: those that a list shows.
pub(crate) const PROFILE_TAGS: [&str; 2] = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Image"];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SMALL: Population =
        Population { accounts: 250, working_set: 120, owners: 3, friends: 100, conversations: 30 };

    #[test]
    fn a_list_names_nobody_twice_and_not_its_owner() {
        SMALL.check().unwrap();
        for owner in [0, 2, 119] {
            for count in [SMALL.friends, SMALL.conversations] {
                let listed: HashSet<usize> = (0..count).map(|at| SMALL.listed(owner, at, count)).collect();
                assert!(listed.len() == count && !listed.contains(&owner), "owner {owner}, {count}");
            }
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(Population { friends: 120, ..SMALL }.check().is_err());
        assert!(Population { accounts: 100, ..SMALL }.check().is_err());
        assert!(Population { owners: 0, ..SMALL }.check().is_err());
    }

    #[test]
    fn the_calls_are_json_and_cover_everything_once() {
        let json = |(_, body): Question| serde_json::from_str::<serde_json::Value>(&body).unwrap();
        let accounts: usize =
            (0..3).map(|call| json(SMALL.accounts_call(call))["AccountList"].as_array().unwrap().len()).sum();
        assert_eq!(accounts, 250);
        let friends = json(SMALL.friends_call(1, 60, 160));
        assert_eq!(friends["AddFriendItem"].as_array().unwrap().len(), 40);
        let (sent, answer) =
            (json(SMALL.message_call(60, 1_795_298_242)), json(SMALL.message_call(61, 1_795_298_242)));
        assert_eq!((&sent["From_Account"], &answer["To_Account"]), (&"u1".into(), &"u1".into()));
        assert_eq!(sent["To_Account"], answer["From_Account"]);
        assert!(answer["MsgTimeStamp"].as_u64() > sent["MsgTimeStamp"].as_u64());
    }
}
