//! One request of a socket: from the bytes of a frame to the frames that answer it.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use command::pipeline::{Answer, Running, noted};
use command::{Call, Caller, Credentials, envelope};
use engine::{Connection, Session};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use model::{Error, ErrorCode, InstanceId, Result, SdkAppId, Seconds, UserId};

use crate::Gateway;
use crate::frame::{Frame, answer};
use crate::packing::unpack;

/// A request that is not answered yet.
pub(crate) enum Request {
    /// Its command runs, and the frame is not needed any more.
    Running {
        running: Running,
        seq: u64,
        /// How the frame named the command, if not as usual.
        servcmd: Option<Box<str>>,
    },
    /// Who sent it is not known yet.
    Entering(BoxFuture<'static, Vec<Bytes>>),
}

impl Gateway {
    /// Begins a request at once: requests of one client take effect in the order in which they came.
    ///
    /// # Errors
    /// The frames that answer it, if it is over already.
    pub(crate) fn begin(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        bytes: &[u8],
    ) -> std::result::Result<Request, Vec<Bytes>> {
        match unpack(bytes, self.limits.frame_bytes_max) {
            None => self.begin_plain(connection, bytes),
            Some(Ok(bytes)) => self.begin_plain(connection, &bytes),
            Some(Err(error)) => Err(unreadable(&error)),
        }
    }

    fn begin_plain(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        bytes: &[u8],
    ) -> std::result::Result<Request, Vec<Bytes>> {
        let frame = Frame::read(bytes).map_err(|error| unreadable(&error))?;
        self.begin_frame(connection, &frame, bytes)
    }

    fn begin_frame(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        frame: &Frame<'_>,
        bytes: &[u8],
    ) -> std::result::Result<Request, Vec<Bytes>> {
        let (servcmd, seq) = (frame.head.servcmd.as_ref(), frame.head.seq);
        let begun = match self.admit(connection, frame).now_or_never() {
            Some(Ok((index, call))) => self.pipeline.begin(index, call, frame.body.as_bytes()),
            Some(Err(error)) => return Err(frames(servcmd, seq, self.refused(connection, servcmd, &error))),
            None => {
                let (gateway, connection, bytes) = (Arc::clone(self), Arc::clone(connection), bytes.to_vec());
                let entering = async move { gateway.look_up_and_run(&connection, &bytes).await };
                return Ok(Request::Entering(Box::pin(entering)));
            }
        };
        match begun {
            Ok(running) => {
                let is_usual = servcmd == self.pipeline.table.dotted(running.command());
                let servcmd = (!is_usual).then(|| servcmd.into());
                Ok(Request::Running { running, seq, servcmd })
            }
            Err(_) if frame.is_wrong_guess() => {
                let frame = Frame::read_whole(bytes).map_err(|error| unreadable(&error))?;
                self.begin_frame(connection, &frame, bytes)
            }
            Err(refused) => Err(frames(servcmd, seq, self.pipeline.refuse(refused))),
        }
    }

    /// Goes on with a request, to the frames that answer it.
    pub(crate) fn poll_request(&self, request: &mut Request, cx: &mut Context<'_>) -> Poll<Vec<Bytes>> {
        match request {
            Request::Running { running, seq, servcmd } => {
                let answer = ready!(self.pipeline.poll(running, cx));
                let usual = self.pipeline.table.dotted(running.command());
                Poll::Ready(frames(servcmd.as_deref().unwrap_or(usual), *seq, answer))
            }
            Request::Entering(entering) => entering.as_mut().poll(cx),
        }
    }

    /// Runs a request of which it has to be looked up who sent it.
    async fn look_up_and_run(&self, connection: &Arc<Connection>, bytes: &[u8]) -> Vec<Bytes> {
        let frame = match Frame::read_whole(bytes) {
            Ok(frame) => frame,
            Err(error) => return unreadable(&error),
        };
        let servcmd = frame.head.servcmd.as_ref();
        let over = match self.admit(connection, &frame).await {
            Ok((_, call)) => self.pipeline.run(servcmd, call, frame.body.as_bytes()).await,
            Err(error) => self.refused(connection, servcmd, &error),
        };
        frames(servcmd, frame.head.seq, over)
    }

    /// Notes a request that did not come to its command, and makes its answer.
    fn refused(&self, connection: &Connection, servcmd: &str, error: &Error) -> Answer {
        self.note_refusal(connection.app, connection.address, servcmd, error);
        Answer { before: Vec::new(), body: envelope::failure(error, false) }
    }

    /// Notes a request of an app that did not come to its command.
    pub(crate) fn note_refusal(&self, app: SdkAppId, address: IpAddr, command: &str, error: &Error) {
        // What a stranger names is no app and no command.
        if self.engine().apps.knows(app) {
            let command = self.pipeline.table.find(command).map_or("unknown", |(_, found)| found.spec().name);
            self.engine().requests.note(noted(app, address, command, Some(error), 0));
        }
    }

    /// Which command a frame calls, and the call. Only reads, so it may be given up and begun again.
    async fn admit(&self, connection: &Arc<Connection>, frame: &Frame<'_>) -> Result<(usize, Call)> {
        let engine = self.engine();
        let Some((index, command)) = self.pipeline.table.find(&frame.head.servcmd) else {
            return Err(ErrorCode::CommandUnknown.into());
        };
        if frame.head.sdkappid.is_some_and(|app| app != u64::from(connection.app.0)) {
            return Err(ErrorCode::AppUnknown.because("head.sdkappid: not the one of the connection"));
        }
        let Some(app) = engine.apps.find(connection.app).await? else {
            return Err(ErrorCode::NoSuchApp.into());
        };
        if app.status() != model::settings::Status::Active {
            return Err(ErrorCode::AppDisabled.into());
        }
        let callers = command.spec().callers;
        let (caller, credentials) = if callers.nobody {
            (self.anybody(connection), credentials(frame))
        } else {
            (self.caller(&app, connection, frame).await?, Credentials::default())
        };
        let (engine, address) = (Arc::clone(engine), connection.address);
        let call = Call::new(engine, app, caller, Some(Arc::clone(connection)), address, credentials);
        Ok((index, call))
    }

    fn anybody(&self, connection: &Connection) -> Caller {
        connection.session().map_or(Caller::Nobody, Caller::Account)
    }

    /// Who sent a frame: by the key of a login, or before the login by a signature.
    async fn caller(
        &self,
        app: &model::settings::App,
        connection: &Connection,
        frame: &Frame<'_>,
    ) -> Result<Caller> {
        let head = &frame.head;
        if let Some(token) = head.a2.as_deref().filter(|token| !token.is_empty()) {
            return self.engine().authenticate(connection, token).await.map(Caller::Account);
        }
        let (Some(identifier), Some(signature)) = (&head.identifier, &head.usersig) else {
            return Err(ErrorCode::NotLoggedIn.into());
        };
        if identifier.is_empty() || signature.is_empty() {
            return Err(ErrorCode::NotLoggedIn.into());
        }
        let user = UserId::new(identifier)
            .map_err(|error| ErrorCode::BadIdentifier.in_field("head.identifier", error))?;
        let verified = self.engine().verify_signature(app, &user, signature).await?;
        let Some(account) = self.engine().accounts.find(app.id, &user).await? else {
            return Err(ErrorCode::NotLoggedIn.into());
        };
        Ok(Caller::Account(Arc::new(Session {
            account,
            instance: InstanceId(0),
            token: Box::default(),
            signed_at: verified.made_at,
            valid_until: Seconds(verified.valid_until.0),
        })))
    }
}

/// There is nothing to match an answer to; a client that looks sees why.
fn unreadable(error: &Error) -> Vec<Bytes> {
    vec![answer("", 0, &envelope::failure(error, false))]
}

fn frames(servcmd: &str, seq: u64, over: Answer) -> Vec<Bytes> {
    let Answer { mut before, body } = over;
    before.push(answer(servcmd, seq, &body));
    before
}

fn credentials(frame: &Frame<'_>) -> Credentials {
    let text = |field: &Option<std::borrow::Cow<'_, str>>| field.as_deref().unwrap_or_default().to_owned();
    Credentials {
        identifier: text(&frame.head.identifier),
        signature: text(&frame.head.usersig),
        token: frame.head.a2.as_deref().map(str::to_owned),
    }
}
