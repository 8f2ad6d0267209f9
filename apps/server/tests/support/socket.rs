//! A client of the socket: speaks frames, keeps what it did not ask for.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{App, soon};

/// How a client names itself from frame to frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) app: u32,
    pub(crate) user: String,
    pub(crate) signature: String,
    pub(crate) token: String,
    pub(crate) number: String,
    pub(crate) instance: u64,
    pub(crate) client: String,
}

/// A connected client.
pub(crate) struct Client {
    pub(crate) identity: Identity,
    stream: WebSocketStream<TcpStream>,
    next_seq: u64,
    answers: Vec<(u64, Value)>,
    pushes: VecDeque<Value>,
    /// What the server said when it closed.
    pub(crate) closed: Option<Option<CloseCode>>,
}

impl Client {
    /// Opens a socket, without logging in.
    pub(crate) async fn connect(address: SocketAddr, identity: Identity) -> Self {
        let stream = soon("connecting", TcpStream::connect(address)).await;
        Self::over(stream.expect("a connection"), address, identity).await
    }

    /// Opens a socket over a connection, without logging in.
    pub(crate) async fn over(stream: TcpStream, address: SocketAddr, identity: Identity) -> Self {
        let target = format!(
            "/binfo?sdkappid={}&instanceid={}&random=0.5&platform=7&host=unknown&version=-1&sdkversion=3.6.6",
            identity.app, identity.client
        );
        let stream = open(address, &target, stream).await.expect("a WebSocket");
        Self {
            identity,
            stream,
            next_seq: 90_000_000,
            answers: Vec::new(),
            pushes: VecDeque::new(),
            closed: None,
        }
    }

    /// Opens a socket and logs an account in.
    pub(crate) async fn log_in(address: SocketAddr, app: &App, user: &str) -> Self {
        Self::log_in_as(address, app, user, &format!("{user:0>32}")).await
    }

    /// Opens a socket under a name of its own and logs an account in.
    pub(crate) async fn log_in_as(address: SocketAddr, app: &App, user: &str, client: &str) -> Self {
        Self::log_in_with(address, app, user, &app.sign(user), client).await
    }

    /// The same, with a signature that was made before.
    pub(crate) async fn log_in_with(
        address: SocketAddr,
        app: &App,
        user: &str,
        signature: &str,
        client: &str,
    ) -> Self {
        let identity = Identity {
            app: app.id,
            user: user.to_owned(),
            signature: signature.to_owned(),
            client: client.to_owned(),
            ..Identity::default()
        };
        let mut client = Self::connect(address, identity).await;
        let answer = client.enter().await;
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
        client
    }

    /// Comes back over a new socket with the key of an earlier login.
    pub(crate) async fn come_back(address: SocketAddr, identity: Identity) -> Self {
        let mut client = Self::connect(address, identity).await;
        let answer = client.enter().await;
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
        client
    }

    /// Sends the login and takes over what it answers.
    pub(crate) async fn enter(&mut self) -> Value {
        let answer = self.request("im_open_status.wslogin", &json!({"State": "Online"})).await;
        if answer["ErrorCode"] == 0 {
            let identity = &mut self.identity;
            answer["A2Key"].as_str().unwrap_or_default().clone_into(&mut identity.token);
            answer["TinyId"].as_str().unwrap_or_default().clone_into(&mut identity.number);
            identity.instance = answer["InstId"].as_u64().unwrap_or_default();
        }
        answer
    }

    /// The head of the next frame.
    pub(crate) fn head(&mut self, servcmd: &str) -> Value {
        self.next_seq += 1;
        let identity = &self.identity;
        let mut head = json!({
            "ver": "v4", "platform": 7, "websdkappid": 537_048_168, "websdkversion": "1.7.3",
            "status_instid": identity.instance, "sdkappid": identity.app, "contenttype": "json",
            "reqtime": super::now().0, "sdkability": 75_689_843, "sdkability_ext": "", "cappid": 0, "cs": 0,
            "servcmd": servcmd, "seq": self.next_seq,
        });
        if identity.token.is_empty() {
            head["identifier"] = identity.user.as_str().into();
            head["usersig"] = identity.signature.as_str().into();
        } else {
            head["a2"] = identity.token.as_str().into();
            head["tinyid"] = identity.number.as_str().into();
        }
        head
    }

    /// Sends a request without waiting; returns its number, or `None` if the connection is gone.
    pub(crate) async fn send(&mut self, servcmd: &str, body: &Value) -> Option<u64> {
        let head = self.head(servcmd);
        let frame = json!({"head": head, "body": body}).to_string();
        let sent = self.send_raw(Message::binary(frame.into_bytes())).await;
        sent.then_some(self.next_seq)
    }

    /// Sends anything; says whether the connection took it.
    pub(crate) async fn send_raw(&mut self, message: Message) -> bool {
        soon("sending", self.stream.send(message)).await.is_ok()
    }

    /// Sends a request and waits for its answer's body.
    pub(crate) async fn request(&mut self, servcmd: &str, body: &Value) -> Value {
        let seq = self.send(servcmd, body).await.expect("an open connection");
        self.answer(seq).await.unwrap_or_else(|| panic!("{servcmd}: the connection ended"))
    }

    /// Waits for the answer to a request; `None` if the connection ends first.
    pub(crate) async fn answer(&mut self, seq: u64) -> Option<Value> {
        loop {
            if let Some(at) = self.answers.iter().position(|(other, _)| *other == seq) {
                return Some(self.answers.swap_remove(at).1);
            }
            self.take_frame().await?;
        }
    }

    /// Waits for the answer to any request; `None` if the connection ends first.
    pub(crate) async fn any_answer(&mut self) -> Option<(u64, Value)> {
        loop {
            if !self.answers.is_empty() {
                return Some(self.answers.remove(0));
            }
            self.take_frame().await?;
        }
    }

    /// Waits for the next frame that nobody asked for.
    pub(crate) async fn push(&mut self) -> Option<Value> {
        loop {
            if let Some(push) = self.pushes.pop_front() {
                return Some(push);
            }
            self.take_frame().await?;
        }
    }

    /// Waits for the next pushed message.
    pub(crate) async fn message(&mut self) -> Value {
        loop {
            let push = self.push().await.expect("an open connection");
            let message = &push["body"]["EventArray"][0]["C2cMsgArray"][0];
            if !message.is_null() {
                return message.clone();
            }
        }
    }

    /// Waits until the server closes the connection; returns its code, if it gave one.
    pub(crate) async fn end(&mut self) -> Option<CloseCode> {
        while self.take_frame().await.is_some() {}
        self.closed.flatten()
    }

    /// Reads one frame and puts it where it belongs. `None` at the end of the connection.
    async fn take_frame(&mut self) -> Option<()> {
        let message = loop {
            match soon("a frame", self.stream.next()).await? {
                Ok(Message::Binary(bytes)) => break bytes,
                Ok(Message::Close(frame)) => self.closed = Some(frame.map(|frame| frame.code)),
                Ok(Message::Text(text)) => panic!("a text frame on /binfo: {text}"),
                Ok(_) => {}
                Err(_) => return None,
            }
        };
        let frame: Value = serde_json::from_slice(&message).expect("a frame of JSON");
        let seq = frame["head"]["seq"].as_u64().expect("a number");
        let is_push = frame["body"].get("EventArray").is_some() && frame["body"].get("ErrorCode").is_none();
        if is_push {
            self.pushes.push_back(frame);
        } else {
            self.answers.push((seq, frame["body"].clone()));
        }
        Some(())
    }

    /// The whole history with a peer, oldest first.
    pub(crate) async fn history(&mut self, peer: &str) -> Vec<Value> {
        let (mut key, mut time) = (String::new(), json!(0));
        let mut all = Vec::new();
        loop {
            let request = json!({
                "Peer_Account": peer, "MaxCnt": 100, "LastMsgTime": time, "MsgKey": key,
                "WithRecalledMsg": 1, "GetDirection": 1,
            });
            let page = self.request("openim.getroammsg", &request).await;
            assert_eq!(page["ErrorCode"], 0, "{page}");
            let messages = page["MsgList"].as_array().expect("MsgList");
            assert!(messages.len() <= 100);
            all.extend(messages.iter().cloned());
            if page["Complete"] == 1 {
                return all;
            }
            assert!(!messages.is_empty(), "an incomplete page is not empty");
            page["MsgKey"].as_str().expect("MsgKey").clone_into(&mut key);
            time = page["LastMsgTime"].clone();
        }
    }

    /// Synchronises from a cookie to the end: the messages, and the last cookie.
    pub(crate) async fn synchronise(&mut self, mut cookie: String) -> (Vec<Value>, String) {
        let mut all = Vec::new();
        loop {
            let request = json!({"Cookie": cookie, "SyncFlag": 0, "NeedAbstract": 1, "IsOnlineSync": 0});
            let answer = self.request("openim.getmsg", &request).await;
            assert_eq!(answer["ErrorCode"], 0, "{answer}");
            all.extend(answer["MsgList"].as_array().expect("MsgList").iter().cloned());
            answer["Cookie"].as_str().expect("Cookie").clone_into(&mut cookie);
            if answer["SyncFlag"] == 2 {
                return (all, cookie);
            }
        }
    }
}

/// Turns a connection into a WebSocket.
pub(crate) async fn open(
    address: SocketAddr,
    target: &str,
    stream: TcpStream,
) -> Result<WebSocketStream<TcpStream>, tokio_tungstenite::tungstenite::Error> {
    let request = format!("ws://{address}{target}");
    let opened = soon("the handshake", tokio_tungstenite::client_async(request, stream)).await?;
    Ok(opened.0)
}
