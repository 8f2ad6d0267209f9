//! One client's socket: reads frames, runs their commands side by side, writes answers and pushes.

use std::sync::Arc;

use bytes::Bytes;
use command::pipeline::Answer;
use command::{Call, Caller, Credentials, envelope};
use engine::outbox::Ending;
use engine::{Connection, Session};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, SinkExt as _};
use model::{ErrorCode, InstanceId, Result, SdkAppId, Seconds, UserId};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::Gateway;
use crate::addresses::Ticket;
use crate::frame::{Frame, answer};

/// How a client wants its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Binary messages holding UTF-8 text: `/binfo`.
    Binary,
    /// Text messages: `/info`.
    Text,
}

/// What a client said when it connected.
pub(crate) struct Opened {
    pub(crate) app: SdkAppId,
    pub(crate) platform: u16,
    pub(crate) client: String,
    pub(crate) variant: Variant,
}

/// Frames read in a row before answers are written.
const READS_IN_A_ROW: usize = 64;

/// How long running commands may take when the connection ends.
const FINISH_SECONDS: u64 = 10;

/// Serves a socket until it ends.
pub(crate) async fn serve<S>(
    gateway: Arc<Gateway>,
    stream: WebSocketStream<S>,
    opened: Opened,
    ticket: Arc<Ticket>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let connection = gateway.engine().hub.open(opened.app, opened.platform, opened.client);
    let mut socket = Socket {
        gateway: Arc::clone(&gateway),
        connection: Arc::clone(&connection),
        stream,
        variant: opened.variant,
        ticket,
        running: FuturesUnordered::new(),
        heard_at: gateway.engine().context.clock.elapsed_micros(),
        silence: gateway.engine().context.clock.sleep(gateway.limits.silence_max),
    };
    let ending = socket.run().await;
    socket.finish(ending).await;
    if let Err(error) = gateway.engine().disconnected(&connection).await {
        tracing::warn!(?error, "cannot note that a client left");
    }
}

struct Socket<S> {
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    stream: WebSocketStream<S>,
    variant: Variant,
    ticket: Arc<Ticket>,
    running: FuturesUnordered<BoxFuture<'static, Vec<Bytes>>>,
    heard_at: u64,
    /// Ends when the client may have been silent for too long.
    silence: BoxFuture<'static, ()>,
}

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client left or the connection broke.
    Gone,
    /// The client was silent for too long.
    Silent,
    /// The server ends it.
    Asked(Ending),
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    async fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.wait().await {
                return end;
            }
            if let Err(end) = self.work().await {
                return end;
            }
        }
    }

    /// Waits until something happens and takes the first of it.
    async fn wait(&mut self) -> std::result::Result<(), End> {
        let may_read = self.running.len() < self.gateway.limits.requests_in_flight_max;
        let connection = Arc::clone(&self.connection);
        let mut answers = Vec::new();
        tokio::select! {
            biased;
            () = connection.outbox.arrived() => {}
            Some(frames) = self.running.next(), if !self.running.is_empty() => answers = frames,
            message = self.stream.next(), if may_read => self.take(message)?,
            () = &mut self.silence => self.check_silence()?,
        }
        self.feed(answers).await
    }

    /// Ends the socket if nothing was heard for too long; else waits for the rest of the time.
    fn check_silence(&mut self) -> std::result::Result<(), End> {
        let clock = &self.gateway.engine().context.clock;
        let silent = std::time::Duration::from_micros(clock.elapsed_micros().saturating_sub(self.heard_at));
        let left = self.gateway.limits.silence_max.saturating_sub(silent);
        if left.is_zero() {
            return Err(End::Silent);
        }
        self.silence = clock.sleep(left);
        Ok(())
    }

    /// Does everything that can be done without waiting, then writes it in one go.
    async fn work(&mut self) -> std::result::Result<(), End> {
        for _ in 0..READS_IN_A_ROW {
            while let Some(Some(frames)) = self.running.next().now_or_never() {
                self.feed(frames).await?;
            }
            if self.running.len() >= self.gateway.limits.requests_in_flight_max {
                break;
            }
            let Some(message) = self.stream.next().now_or_never() else {
                break;
            };
            self.take(message)?;
        }
        // Answers go before pushes: a client should know that its message was taken before it hears what came of it.
        let outgoing = self.connection.outbox.take();
        self.feed(outgoing.frames).await?;
        self.flush().await?;
        match outgoing.ending {
            Some(ending) => Err(End::Asked(ending)),
            None => Ok(()),
        }
    }

    fn take(
        &mut self,
        message: Option<std::result::Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> std::result::Result<(), End> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                tracing::debug!(%error, "a socket ended badly");
                return Err(End::Gone);
            }
            None => return Err(End::Gone),
        };
        self.heard_at = self.gateway.engine().context.clock.elapsed_micros();
        let bytes: Bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) => text.into(),
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        let gateway = Arc::clone(&self.gateway);
        let connection = Arc::clone(&self.connection);
        let ticket = Arc::clone(&self.ticket);
        let mut request: BoxFuture<'static, Vec<Bytes>> =
            Box::pin(async move { gateway.request(&connection, &ticket, &bytes).await });
        // Begun at once: requests of one client take effect in the order in which they came.
        if let Some(frames) = (&mut request).now_or_never() {
            self.running.push(Box::pin(std::future::ready(frames)));
        } else {
            self.running.push(request);
        }
        Ok(())
    }

    async fn feed(&mut self, frames: Vec<Bytes>) -> std::result::Result<(), End> {
        for frame in frames {
            let message = match self.variant {
                Variant::Binary => Message::Binary(frame),
                Variant::Text => match Utf8Bytes::try_from(frame) {
                    Ok(text) => Message::Text(text),
                    Err(_) => continue,
                },
            };
            let mut write = self.stream.feed(message);
            if let Some(written) = (&mut write).now_or_never() {
                written.map_err(|_| End::Gone)?;
                continue;
            }
            let too_slow = self.gateway.engine().context.clock.sleep(self.gateway.limits.write_time_max);
            tokio::select! {
                biased;
                written = write => written.map_err(|_| End::Gone)?,
                () = too_slow => return Err(End::Gone),
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> std::result::Result<(), End> {
        let mut flush = self.stream.flush();
        if let Some(flushed) = (&mut flush).now_or_never() {
            return flushed.map_err(|_| End::Gone);
        }
        let too_slow = self.gateway.engine().context.clock.sleep(self.gateway.limits.write_time_max);
        tokio::select! {
            biased;
            flushed = flush => flushed.map_err(|_| End::Gone),
            () = too_slow => Err(End::Gone),
        }
    }

    /// Finishes what runs and closes.
    async fn finish(&mut self, end: End) {
        let (code, reason) = match end {
            End::Gone => (None, ""),
            End::Silent => (Some(CloseCode::Policy), "silent for too long"),
            End::Asked(Ending::Behind) => (Some(CloseCode::Again), "too slow: synchronise"),
            End::Asked(Ending::Draining) => (Some(CloseCode::Restart), "the server restarts"),
        };
        let clock = Arc::clone(&self.gateway.engine().context.clock);
        let finish = async {
            while let Some(frames) = self.running.next().await {
                // If nobody listens any more, what runs is finished all the same.
                let _ = self.feed(frames).await;
            }
            if let Some(code) = code {
                let _ = self.flush().await;
                let _ = self.stream.close(Some(CloseFrame { code, reason: reason.into() })).await;
            }
        };
        tokio::select! {
            biased;
            () = finish => {}
            () = clock.sleep(std::time::Duration::from_secs(FINISH_SECONDS)) => {}
        }
    }
}

impl Gateway {
    /// Runs one frame to the frames that answer it.
    async fn request(&self, connection: &Arc<Connection>, ticket: &Ticket, bytes: &[u8]) -> Vec<Bytes> {
        let frame = match Frame::read(bytes) {
            Ok(frame) => frame,
            // There is nothing to match an answer to; a client that looks sees why.
            Err(error) => return vec![answer("", 0, &envelope::failure(&error, false))],
        };
        let (servcmd, seq) = (frame.head.servcmd.as_ref(), frame.head.seq);
        let outcome = self.call(connection, &frame).await;
        let Answer { mut before, body } = match outcome {
            Ok(answer) => answer,
            Err(error) => Answer { before: Vec::new(), body: envelope::failure(&error, false) },
        };
        if connection.session().is_some() {
            ticket.authenticated();
        }
        before.push(answer(servcmd, seq, &body));
        before
    }

    async fn call(&self, connection: &Arc<Connection>, frame: &Frame<'_>) -> Result<Answer> {
        let engine = self.engine();
        let Some((_, command)) = self.pipeline.table.find(&frame.head.servcmd) else {
            return Err(ErrorCode::CommandUnknown.into());
        };
        if frame.head.sdkappid.is_some_and(|app| app != u64::from(connection.app.0)) {
            return Err(ErrorCode::AppUnknown.because("head.sdkappid: not the one of the connection"));
        }
        let Some(app) = engine.apps.find(connection.app).await? else {
            return Err(ErrorCode::NoSuchApp.into());
        };
        let callers = command.spec().callers;
        let (caller, credentials) = if callers.nobody {
            (self.anybody(connection), credentials(frame))
        } else {
            (self.caller(&app, connection, frame).await?, Credentials::default())
        };
        let call = Call::new(Arc::clone(engine), app, caller, Some(Arc::clone(connection)), credentials);
        Ok(self.pipeline.run(&frame.head.servcmd, &call, frame.body_text().as_bytes()).await)
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

fn credentials(frame: &Frame<'_>) -> Credentials {
    let text = |field: &Option<std::borrow::Cow<'_, str>>| field.as_deref().unwrap_or_default().to_owned();
    Credentials {
        identifier: text(&frame.head.identifier),
        signature: text(&frame.head.usersig),
        token: frame.head.a2.as_deref().map(str::to_owned),
    }
}
