//! What must hold after a run.

use std::collections::{BTreeMap, BTreeSet};

use model::{HistoryKey, UserId};
use ports::timeline::{Direction, HistoryQuery, PAGE_MAX};
use serde_json::{Value, json};

use crate::actor::{Actor, Sent};
use crate::{Run, USERS};

/// A message as a history shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    key: String,
    from: String,
    number: u64,
    is_recalled: bool,
}

/// Checks everything.
pub(crate) async fn check(run: &mut Run) {
    let mut histories: BTreeMap<(&str, &str), Vec<Shown>> = BTreeMap::new();
    for actor in &mut run.actors {
        let user = actor.user;
        for peer in USERS.into_iter().filter(|peer| *peer != user) {
            let history = history(actor, peer).await;
            histories.insert((user, peer), history);
        }
    }
    for ((user, peer), history) in &histories {
        assert_eq!(
            Some(history),
            histories.get(&(*peer, *user)),
            "{user} and {peer} see different histories"
        );
        let sent: Vec<&Sent> = run.sent.iter().filter(|sent| is_between(sent, user, peer)).collect();
        contains_each_once(history, &sent);
        is_in_order(history, &sent);
    }
    for actor in &run.actors {
        heard_of_everything(actor, &histories);
        for peer in USERS.into_iter().filter(|peer| *peer != actor.user) {
            unread_is_right(run, actor, peer, &histories[&(actor.user, peer)]).await;
        }
    }
}

fn is_between(sent: &Sent, one: &str, other: &str) -> bool {
    (sent.from, sent.to) == (one, other) || (sent.from, sent.to) == (other, one)
}

/// The whole history, page by page, oldest first.
async fn history(actor: &mut Actor, peer: &str) -> Vec<Shown> {
    let (mut found, mut key, mut time) = (Vec::new(), json!(""), json!(0));
    loop {
        let body = json!({"Peer_Account": peer, "MaxCnt": 15, "LastMsgTime": time, "MsgKey": key,
            "WithRecalledMsg": 1, "GetDirection": 0});
        let answer = actor.client.call("openim.getroammsg", body).await.ok();
        let page: Vec<Shown> = answer.list("MsgList").iter().map(shown).collect();
        found.splice(0..0, page);
        (key, time) = (answer["MsgKey"].clone(), answer["LastMsgTime"].clone());
        if answer["Complete"] == 1 {
            return found;
        }
    }
}

fn shown(message: &Value) -> Shown {
    Shown {
        key: message["MsgKey"].as_str().unwrap().to_owned(),
        from: message["From_Account"].as_str().unwrap().to_owned(),
        number: message["MsgSeq"].as_u64().unwrap(),
        is_recalled: message["MsgFlagBits"] == 8,
    }
}

/// Every acknowledged message is there once, under the key that its sender was told, and nothing that nobody sent.
fn contains_each_once(history: &[Shown], sent: &[&Sent]) {
    let numbers: BTreeSet<u64> = history.iter().map(|message| message.number).collect();
    assert_eq!(numbers.len(), history.len(), "a message is there twice");
    for message in history {
        let known = sent.iter().find(|sent| u64::from(sent.number) == message.number);
        let known = known.unwrap_or_else(|| panic!("nobody sent {message:?}"));
        assert_eq!(known.from, message.from);
    }
    for sent in sent {
        let found = history.iter().find(|message| message.number == u64::from(sent.number));
        let Some((_, answer)) = &sent.answered else {
            panic!("{} was never answered, though its sender came back", sent.number);
        };
        let found = found.unwrap_or_else(|| panic!("{} was acknowledged and is lost", sent.number));
        assert_eq!(found.key, answer.text("MsgKey"));
        assert_eq!(found.is_recalled, sent.is_recalled, "{}", sent.number);
    }
}

/// What was sent after another message had been acknowledged stands after it.
fn is_in_order(history: &[Shown], sent: &[&Sent]) {
    let by_number: BTreeMap<u64, &Sent> = sent.iter().map(|sent| (u64::from(sent.number), *sent)).collect();
    let order: Vec<&Sent> = history.iter().map(|message| by_number[&message.number]).collect();
    for (place, earlier) in order.iter().enumerate() {
        for later in &order[place + 1..] {
            let acknowledged = later.answered.as_ref().map_or(usize::MAX, |(step, _)| *step);
            assert!(
                acknowledged >= earlier.sent_at,
                "{} stands after {}, but was acknowledged before that was sent",
                later.number,
                earlier.number
            );
        }
    }
}

/// Pushes and syncs together have brought every message of the others.
fn heard_of_everything(actor: &Actor, histories: &BTreeMap<(&str, &str), Vec<Shown>>) {
    for ((_, peer), history) in histories.iter().filter(|((user, _), _)| *user == actor.user) {
        for message in history.iter().filter(|message| message.from != actor.user && !message.is_recalled) {
            assert!(
                actor.received.contains(&message.key),
                "{} never heard of {message:?} of {peer}",
                actor.user
            );
        }
    }
}

/// The count is that of the messages after the cursor; and what was read before the last report is not in it, what
/// came after it is.
async fn unread_is_right(run: &Run, actor: &Actor, peer: &str, history: &[Shown]) {
    let (engine, app) = (run.world.engine(), run.world.app.id);
    let find =
        async |user: &str| engine.accounts.find(app, &UserId::new(user).unwrap()).await.unwrap().unwrap();
    let (own, other) = (find(actor.user).await.number, find(peer).await.number);
    let count = engine.unread(app, own, other).await.unwrap() as usize;
    let view = engine.conversation(app, own, other).await.unwrap();
    let read_to = view.map_or(HistoryKey::START, |view| view.read_to);
    let query = HistoryQuery {
        viewer: own,
        after: HistoryKey::START,
        before: HistoryKey::END,
        direction: Direction::Forwards,
        limit: PAGE_MAX,
    };
    let page = engine.history(app, own, other, query).await.unwrap();
    assert!(page.complete && page.messages.len() == history.len());
    let unread = page
        .messages
        .iter()
        .filter(|found| found.at > read_to && found.message.author == other && found.revoker.is_none());
    assert_eq!(unread.count(), count, "{} has unread messages of {peer}", actor.user);
    let live = |sent: &&Sent| sent.from == peer && sent.to == actor.user && !sent.is_recalled;
    let report = actor.reports.iter().find(|report| report.peer == peer);
    let (mut least, mut most) = (0, 0);
    for sent in run.sent.iter().filter(live) {
        let (step, answer) = sent.answered.as_ref().unwrap();
        let is_read = report.is_some_and(|report| {
            *step < report.step && answer["MsgTime"].as_u64().unwrap() <= u64::from(report.up_to.0)
        });
        let is_new = report.is_none_or(|report| sent.sent_at > report.step);
        least += usize::from(is_new);
        most += usize::from(!is_read);
    }
    assert!((least..=most).contains(&count), "{count} unread, {least} to {most} expected");
}
