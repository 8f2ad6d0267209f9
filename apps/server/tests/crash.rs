//! The real program, killed again and again under load on one folder: what it acknowledged is there.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, kill it and end by panicking"
)]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use support::socket::Identity;
use support::{Client, Dice, Options, Server, World, text_message, text_of};
use tokio::sync::watch;

/// How often the server is killed.
const KILLS: u64 = 32;

/// Messages of one sender that wait for their answer at the same time.
const IN_FLIGHT: usize = 6;

/// Who writes to whom.
const CONVERSATIONS: &[(&str, &[&str])] = &[
    ("alice", &["bob", "carol"]),
    ("bob", &["alice", "dave"]),
    ("carol", &["alice", "dave", "bob"]),
    ("dave", &["bob"]),
];

/// A message that was sent at least once.
struct Sent {
    to: &'static str,
    sequence: u32,
    text: String,
    /// When it was first sent, in steps that all senders share.
    sent_at: u64,
    /// When its answer came, and the key that stood in it.
    answered: Option<(u64, String)>,
}

/// One account and everything it sent.
struct Sender {
    user: &'static str,
    peers: &'static [&'static str],
    identity: Identity,
    /// Where its sequence numbers begin.
    first: u32,
    sent: Vec<Sent>,
}

/// What the senders share.
#[derive(Clone)]
struct Shared {
    steps: Arc<AtomicU64>,
    answers: watch::Sender<u64>,
}

impl Shared {
    fn step(&self) -> u64 {
        self.steps.fetch_add(1, Ordering::SeqCst)
    }
}

impl Sender {
    fn frame(&self, at: usize) -> Value {
        let sent = &self.sent[at];
        text_message(self.user, sent.to, sent.sequence, &sent.text)
    }

    fn note(&mut self, at: usize, answer: &Value, shared: &Shared) {
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
        let key = answer["MsgKey"].as_str().expect("MsgKey").to_owned();
        self.sent[at].answered = Some((shared.step(), key));
    }

    /// Sends again what was not answered, with the same numbers, in the same order.
    async fn send_again(&mut self, client: &mut Client, shared: &Shared) {
        let unanswered: Vec<usize> =
            (0..self.sent.len()).filter(|at| self.sent[*at].answered.is_none()).collect();
        for at in unanswered {
            let answer = client.request("openim.sendmsg", &self.frame(at)).await;
            self.note(at, &answer, shared);
        }
    }

    /// Sends until the connection breaks.
    async fn send_on(mut self, mut client: Client, shared: Shared) -> Self {
        let mut waiting = HashMap::new();
        loop {
            while waiting.len() < IN_FLIGHT {
                let count = self.sent.len();
                self.sent.push(Sent {
                    to: self.peers[count % self.peers.len()],
                    sequence: self.first + u32::try_from(count).expect("few messages"),
                    text: format!("{} says {count}", self.user),
                    sent_at: shared.step(),
                    answered: None,
                });
                match client.send("openim.sendmsg", &self.frame(count)).await {
                    Some(seq) => waiting.insert(seq, count),
                    None => return self,
                };
            }
            let Some((seq, answer)) = client.any_answer().await else {
                return self;
            };
            let at = waiting.remove(&seq).expect("an answer to a request");
            self.note(at, &answer, &shared);
            shared.answers.send_modify(|count| *count += 1);
        }
    }
}

/// What stands in a history, as far as it identifies a message.
fn line_of(message: &Value) -> (String, u64, String, String) {
    let word = |name: &str| message[name].as_str().expect(name).to_owned();
    (
        word("From_Account"),
        message["MsgSeq"].as_u64().expect("MsgSeq"),
        word("MsgKey"),
        text_of(message).to_owned(),
    )
}

/// Compares both histories of a pair with what was sent. Returns how many messages there are.
fn verify_pair(senders: &[Sender], pair: (&str, &str), histories: [&[Value]; 2]) -> usize {
    let lines: Vec<_> = histories[0].iter().map(line_of).collect();
    let other: Vec<_> = histories[1].iter().map(line_of).collect();
    let differs = lines.iter().zip(&other).position(|(one, other)| one != other);
    assert_eq!(differs, None, "{pair:?}: both sides have the same history");
    assert_eq!(lines.len(), other.len(), "{pair:?}: both sides have the same history");
    let mut known = HashMap::new();
    for (from, to) in [(pair.0, pair.1), (pair.1, pair.0)] {
        let sender = senders.iter().find(|sender| sender.user == from).expect("a sender");
        let sent: Vec<&Sent> = sender.sent.iter().filter(|sent| sent.to == to).collect();
        let found: Vec<u64> = lines.iter().filter(|line| line.0 == from).map(|line| line.1).collect();
        assert!(
            found.windows(2).all(|two| two[0] < two[1]),
            "{from} to {to}: each message once and in order: {found:?}"
        );
        for sent in &sent {
            let is_there = found.binary_search(&u64::from(sent.sequence)).is_ok();
            assert!(
                is_there || sent.answered.is_none(),
                "{from} to {to}: {} was acknowledged and is lost",
                sent.sequence
            );
            known.insert((from, u64::from(sent.sequence)), *sent);
        }
    }
    let mut answered_first = u64::MAX;
    for (from, sequence, key, text) in lines.iter().rev() {
        let sent =
            known.get(&(from.as_str(), *sequence)).unwrap_or_else(|| panic!("{from} never sent {sequence}"));
        assert_eq!(*text, sent.text);
        assert!(
            sent.sent_at < answered_first,
            "{pair:?}: {text} stands before what was answered before it was sent"
        );
        if let Some((at, answered_key)) = &sent.answered {
            assert_eq!(key, answered_key);
            answered_first = answered_first.min(*at);
        }
    }
    lines.len()
}

/// Reads every history from both sides and compares them with what was sent.
async fn verify(senders: &[Sender], clients: &mut [Client]) -> usize {
    let mut pairs = BTreeMap::new();
    for (at, sender) in senders.iter().enumerate() {
        for peer in sender.peers {
            let other = senders.iter().position(|other| other.user == *peer).expect("a peer");
            pairs.insert((at.min(other), at.max(other)), ());
        }
    }
    let mut messages = 0;
    for (one, other) in pairs.into_keys() {
        let names = (senders[one].user, senders[other].user);
        let first = clients[one].history(names.1).await;
        let second = clients[other].history(names.0).await;
        messages += verify_pair(senders, names, [&first, &second]);
    }
    messages
}

async fn come_back(address: SocketAddr, senders: &[Sender]) -> Vec<Client> {
    let mut clients = Vec::new();
    for sender in senders {
        clients.push(Client::come_back(address, sender.identity.clone()).await);
    }
    clients
}

/// Lets everybody send, and kills the server somewhere in the middle.
async fn kill_under_load(
    server: Server,
    senders: Vec<Sender>,
    clients: Vec<Client>,
    dice: &mut Dice,
    shared: &Shared,
) -> Vec<Sender> {
    let mut answers = shared.answers.subscribe();
    let enough = *answers.borrow_and_update() + dice.below(120);
    let tasks: Vec<_> = senders
        .into_iter()
        .zip(clients)
        .map(|(sender, client)| tokio::spawn(sender.send_on(client, shared.clone())))
        .collect();
    support::soon("answers", answers.wait_for(|count| *count >= enough)).await.expect("senders");
    // The answers come right after a sync: the rest of the way to the next one is left to the dice.
    let rest = Duration::from_micros(dice.below(12_000));
    drop(tokio::time::timeout(rest, std::future::pending::<()>()).await);
    server.kill().await;
    let mut senders = Vec::new();
    for task in tasks {
        senders.push(support::soon("a sender ends", task).await.expect("no panic"));
    }
    senders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill() {
    let World { server, app } = World::start().await;
    let shared = Shared { steps: Arc::default(), answers: watch::Sender::new(0) };
    let mut senders = Vec::new();
    for (first, (user, peers)) in (1..).step_by(1_000_000).zip(CONVERSATIONS) {
        let client = Client::log_in(server.address(), &app, user).await;
        senders.push(Sender { user, peers, identity: client.identity.clone(), first, sent: Vec::new() });
    }
    let folder = server.folder();
    let mut running = Some(server);
    let mut dice = Dice::seeded(20_261_122);
    for _ in 0..KILLS {
        let server = running.take().expect("a running server");
        let mut clients = come_back(server.address(), &senders).await;
        verify(&senders, &mut clients).await;
        for (sender, client) in senders.iter_mut().zip(&mut clients) {
            sender.send_again(client, &shared).await;
        }
        senders = kill_under_load(server, senders, clients, &mut dice, &shared).await;
        support::check(&folder.path().join("data"));
        running = Some(Server::start_in(Arc::clone(&folder), Options::default()).await);
    }
    let server = running.take().expect("a running server");
    let mut clients = come_back(server.address(), &senders).await;
    for (sender, client) in senders.iter_mut().zip(&mut clients) {
        sender.send_again(client, &shared).await;
    }
    let messages = verify(&senders, &mut clients).await;
    let sent: usize = senders.iter().map(|sender| sender.sent.len()).sum();
    assert_eq!(messages, sent, "everything was sent until it was answered");
    let answered_under_load = *shared.answers.borrow();
    assert!(answered_under_load > 500, "{answered_under_load}: that was no load");
}
