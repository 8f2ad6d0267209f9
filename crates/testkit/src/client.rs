//! A client of the socket protocol.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use model::SdkAppId;
use ports::Clock as _;
use serde_json::{Map, Value, json};
use simulated::SimulatedClock;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::answer::{Answer, Push};
use crate::trace::Trace;

/// How long a client waits for an answer, as the SDK does.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// How long a client waits for a push that must come.
const PUSH_TIME: Duration = Duration::from_secs(5);

/// How long nothing must come for a client to believe that nothing does.
const QUIET_TIME: Duration = Duration::from_millis(20);

/// A client with one connection.
pub struct Client {
    /// Whose.
    pub user: String,
    /// The app that its frames name.
    pub app: SdkAppId,
    /// The signature it logs in with; stands in the head before the login.
    pub signature: String,
    /// The key of its login (`a2`).
    pub token: Option<String>,
    /// Its account's number, as text.
    pub number: String,
    /// Its login's number.
    pub instance: u64,
    /// How many of the frames that it heard were compressed.
    pub inflated: usize,
    pub(crate) label: String,
    pub(crate) is_text: bool,
    pub(crate) inflates: bool,
    pub(crate) stream: WebSocketStream<DuplexStream>,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) trace: Trace,
    pub(crate) seq: u64,
    pub(crate) pushes: VecDeque<Push>,
}

/// What came next on a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A frame.
    Frame(Value),
    /// The end, with the server's close code if it gave one.
    End(Option<u16>),
    /// Nothing, for as long as it was waited.
    Nothing,
}

impl Client {
    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: Vec<u8>) {
        let message = if self.is_text {
            let text = String::from_utf8(bytes).expect("a text frame is text");
            Message::text(text)
        } else {
            Message::binary(bytes)
        };
        // A connection that has ended says so when it is read.
        drop(self.stream.send(message).await);
    }

    fn head(&self, servcmd: &str) -> Map<String, Value> {
        let mut head = Map::new();
        let mut put = |name: &str, value: Value| drop(head.insert(name.to_owned(), value));
        put("ver", json!("v4"));
        put("platform", json!(7));
        put("sdkappid", json!(self.app));
        match &self.token {
            Some(token) => {
                put("a2", json!(token));
                put("tinyid", json!(self.number));
            }
            None => {
                put("identifier", json!(self.user));
                put("usersig", json!(self.signature));
            }
        }
        put("status_instid", json!(self.instance));
        put("contenttype", json!("json"));
        put("servcmd", json!(servcmd));
        put("seq", json!(self.seq));
        head
    }

    /// Sends a request and does not wait; returns the number that its answer carries.
    pub async fn send(&mut self, servcmd: &str, body: Value) -> u64 {
        self.seq += 1;
        let head = self.head(servcmd);
        let frame = json!({ "head": head, "body": body }).to_string();
        self.trace.note(format!("{} {} > {frame}", self.clock.elapsed_micros(), self.label));
        self.send_raw(frame.into_bytes()).await;
        self.seq
    }

    /// The next thing that comes within this time.
    pub async fn hear(&mut self, patience: Duration) -> Heard {
        let message = tokio::select! {
            biased;
            message = self.stream.next() => message,
            () = self.clock.sleep(patience) => return Heard::Nothing,
        };
        let bytes = match message {
            Some(Ok(Message::Binary(bytes))) if !self.is_text => bytes.to_vec(),
            Some(Ok(Message::Text(text))) if self.is_text => text.as_bytes().to_vec(),
            Some(Ok(Message::Close(frame))) => return Heard::End(frame.map(|frame| frame.code.into())),
            Some(Ok(other)) => panic!("{} heard a message of the wrong kind: {other}", self.label),
            Some(Err(_)) | None => return Heard::End(None),
        };
        let bytes = match bytes.strip_prefix(b"COMP") {
            Some(packed) => {
                assert!(self.inflates, "{} did not ask for compressed frames", self.label);
                self.inflated += 1;
                inflated(packed)
            }
            None => bytes,
        };
        let text = String::from_utf8(bytes).expect("frames are UTF-8");
        self.trace.note(format!("{} {} < {text}", self.clock.elapsed_micros(), self.label));
        Heard::Frame(serde_json::from_str(&text).expect("frames are JSON"))
    }

    /// Waits for the answer to a request; what comes before it are pushes. `None` if the connection ends.
    pub async fn answer_or_end(&mut self, servcmd: &str, seq: u64) -> Option<Answer> {
        loop {
            match self.hear(ANSWER_TIME).await {
                Heard::Frame(frame) => {
                    let head = &frame["head"];
                    if head["servcmd"] == servcmd && head["seq"] == seq {
                        return Some(Answer(frame["body"].clone()));
                    }
                    self.keep(&frame);
                }
                Heard::End(_) => return None,
                Heard::Nothing => panic!("{} got no answer to {servcmd}", self.label),
            }
        }
    }

    fn keep(&mut self, frame: &Value) {
        let servcmd = frame["head"]["servcmd"].as_str().expect("a frame has a name");
        self.pushes.push_back(Push {
            servcmd: servcmd.to_owned(),
            seq: frame["head"]["seq"].as_u64().unwrap_or_default(),
            body: frame["body"].clone(),
        });
    }

    /// Sends a request and waits for its answer.
    pub async fn call(&mut self, servcmd: &str, body: Value) -> Answer {
        let seq = self.send(servcmd, body).await;
        let answer = self.answer_or_end(servcmd, seq).await;
        answer.unwrap_or_else(|| panic!("{} was cut off during {servcmd}", self.label))
    }

    /// Logs in: by the key if there is one, otherwise by the signature.
    pub async fn log_in(&mut self) -> Answer {
        let body = json!({"State": "Online", "is_web_uniapp": 0, "InstType": 0, "CustomInfo": ""});
        let answer = self.call("im_open_status.wslogin", body).await;
        if answer.code() == 0 {
            self.token = Some(answer.text("A2Key"));
            self.number = answer.text("TinyId");
            self.instance = answer["InstId"].as_u64().expect("InstId is a number");
        }
        answer
    }

    /// The next push; it must come.
    pub async fn pushed(&mut self) -> Push {
        if let Some(push) = self.pushes.pop_front() {
            return push;
        }
        match self.hear(PUSH_TIME).await {
            Heard::Frame(frame) => self.keep(&frame),
            other => panic!("{} should have got a push, but: {other:?}", self.label),
        }
        self.pushes.pop_front().expect("one was just kept")
    }

    /// The pushes that have come so far, in order.
    pub fn waiting(&mut self) -> Vec<Push> {
        self.pushes.drain(..).collect()
    }

    /// Waits until nothing more comes and returns what came.
    pub async fn rest(&mut self) -> Vec<Push> {
        self.rest_within(QUIET_TIME).await
    }

    /// As [`Self::rest`], where nothing coming for this long is nothing more.
    pub async fn rest_within(&mut self, patience: Duration) -> Vec<Push> {
        while let Heard::Frame(frame) = self.hear(patience).await {
            self.keep(&frame);
        }
        self.waiting()
    }

    /// Nothing was pushed and nothing comes.
    pub async fn hears_nothing(&mut self) {
        let pushes = self.rest().await;
        assert!(pushes.is_empty(), "{} should hear nothing: {pushes:?}", self.label);
    }

    /// Forgets what comes now: the next push is one that is caused later.
    pub async fn forget(&mut self) {
        drop(self.rest().await);
    }
}

fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes);
    read.expect("a compressed frame is a gzip stream");
    bytes
}
