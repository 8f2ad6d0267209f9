//! A client of the runs: sends without waiting, keeps what it hears, and resends what was not answered.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Seconds;
use serde_json::{Value, json};
use testkit::{Answer, Client, Device, World, text};

const SEND: &str = "openim.sendmsg";

/// How long nothing comes when nothing is on its way.
const MOMENT: Duration = Duration::from_millis(1);

/// A message as its sender knows it.
pub(crate) struct Sent {
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// Its MsgSeq, MsgRandom and content: no other message has it.
    pub(crate) number: u32,
    /// In which step it was first sent.
    pub(crate) sent_at: usize,
    /// In which step it was first answered, and with what.
    pub(crate) answered: Option<(usize, Answer)>,
    pub(crate) is_recalled: bool,
}

impl Sent {
    pub(crate) fn new(from: &'static str, to: &'static str, number: u32, sent_at: usize) -> Self {
        Self { from, to, number, sent_at, answered: None, is_recalled: false }
    }

    fn request(&self) -> Value {
        json!({"From_Account": self.from, "To_Account": self.to, "MsgSeq": self.number, "MsgRandom": self.number,
            "MsgBody": text(&self.number.to_string())})
    }

    pub(crate) fn may_be_recalled(&self) -> bool {
        self.answered.is_some() && !self.is_recalled
    }
}

/// The last report that a client has made about a conversation.
pub(crate) struct Report {
    pub(crate) peer: &'static str,
    pub(crate) up_to: Seconds,
    pub(crate) step: usize,
}

/// A user with one client.
pub(crate) struct Actor {
    pub(crate) user: &'static str,
    pub(crate) client: Client,
    /// Requests without an answer, by their numbers: which message each sends.
    waiting: Vec<(u64, usize)>,
    /// Keys of the messages that came by push or sync.
    pub(crate) received: BTreeSet<String>,
    pub(crate) reports: Vec<Report>,
    cookie: String,
}

impl Actor {
    fn device(user: &str) -> Device {
        Device::WEB.named(&format!("device of {user}").replace(' ', "-"))
    }

    pub(crate) async fn log_in(world: &World, user: &'static str) -> Self {
        let client = world.login_on(user, Self::device(user)).await;
        let mut actor = Self {
            user,
            client,
            waiting: Vec::new(),
            received: BTreeSet::new(),
            reports: Vec::new(),
            cookie: String::new(),
        };
        actor.synchronise().await;
        actor
    }

    pub(crate) async fn send(&mut self, sent: &[Sent], place: usize) {
        let seq = self.client.send(SEND, sent[place].request()).await;
        self.waiting.push((seq, place));
    }

    /// Takes what has come.
    pub(crate) async fn listen(&mut self, sent: &mut [Sent], step: usize) {
        for frame in self.client.rest_within(MOMENT).await {
            let asked = self.waiting.iter().position(|(seq, _)| *seq == frame.seq);
            match asked.filter(|_| frame.servcmd == SEND) {
                Some(asked) => {
                    let (_, place) = self.waiting.swap_remove(asked);
                    answered(&mut sent[place], Answer(frame.body).ok(), step);
                }
                None => self.pushed(&frame.body),
            }
        }
    }

    fn pushed(&mut self, body: &Value) {
        for item in body["EventArray"].as_array().into_iter().flatten() {
            self.take(item["C2cMsgArray"].as_array().map_or(&[], Vec::as_slice));
        }
    }

    fn take(&mut self, messages: &[Value]) {
        let keys = messages.iter().filter_map(|message| message["MsgKey"].as_str());
        self.received.extend(keys.map(str::to_owned));
    }

    /// A request that is waited for. Answers to messages that come meanwhile are kept for later.
    async fn call(&mut self, servcmd: &str, body: Value) -> Answer {
        let seq = self.client.send(servcmd, body).await;
        self.client.answer_or_end(servcmd, seq).await.unwrap().ok()
    }

    /// Drops the connection, carries the login on over another one, fetches what was missed and resends what was
    /// not answered, as the SDK does.
    pub(crate) async fn reconnect(&mut self, world: &World, sent: &mut [Sent], step: usize) {
        self.listen(sent, step).await;
        let mut client = world.reconnect(&self.client, Self::device(self.user)).await;
        client.log_in().await.ok();
        self.client = client;
        self.synchronise().await;
        let mut places: Vec<usize> = self.waiting.drain(..).map(|(_, place)| place).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            self.send(sent, place).await;
        }
    }

    /// Fetches what was missed since the last time.
    pub(crate) async fn synchronise(&mut self) {
        loop {
            let body = json!({"Cookie": self.cookie, "SyncFlag": 0});
            let answer = self.call("openim.getmsg", body).await;
            self.take(answer.list("MsgList"));
            self.cookie = answer.text("Cookie");
            if answer["SyncFlag"] == 2 {
                return;
            }
        }
    }

    pub(crate) async fn read(&mut self, peer: &'static str, up_to: Seconds, step: usize) {
        let item = json!({"To_Account": peer, "LastedMsgTime": up_to, "Receipt": 1});
        let body = json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [item]}});
        self.call("openim.msgreaded", body).await;
        self.reports.retain(|report| report.peer != peer);
        self.reports.push(Report { peer, up_to, step });
    }

    pub(crate) async fn recall(&mut self, message: &mut Sent) {
        let time = message.answered.as_ref().map(|(_, answer)| answer["MsgTime"].clone());
        let info = json!({"From_Account": message.from, "To_Account": message.to, "MsgSeq": message.number,
            "MsgRandom": message.number, "MsgTimeStamp": time});
        self.call("openim.msgwithdraw", json!({ "MsgInfo": info })).await;
        message.is_recalled = true;
    }
}

/// Notes an answer; a resend must be answered as the first sending was.
fn answered(message: &mut Sent, answer: Answer, step: usize) {
    match &message.answered {
        Some((_, first)) => assert_eq!(*first, answer, "a resend of {} got another answer", message.number),
        None => message.answered = Some((step, answer)),
    }
}
