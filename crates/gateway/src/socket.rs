//! One client's socket: reads frames, runs their commands side by side, writes answers and pushes.
//!
//! Everything happens in one task, turn by turn: a turn does all that can be done without waiting and writes it in one
//! go.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use engine::Connection;
use engine::outbox::Ending;
use futures_util::future::BoxFuture;
use model::SdkAppId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::Gateway;
use crate::addresses::Ticket;
use crate::request::Request;
use crate::websocket::{Ended, Heard, Place, WebSocket};

/// How a client wants its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Binary messages holding UTF-8 text: `/binfo`.
    Binary,
    /// The same, and long ones may be compressed: `/binfo` with `compress=gzip`.
    Packed,
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

/// Frames read in a row before answers are written and other clients have their turn.
const READS_IN_A_ROW: usize = 64;

/// When so many bytes wait to be written, no further request is begun or finished.
const UNWRITTEN_BYTES: usize = 256 * 1024;

/// How long running commands may take when the connection ends.
const FINISH_SECONDS: u64 = 10;

/// How long a client may take to close its side after a goodbye.
const LINGER: Duration = Duration::from_secs(2);

/// What a client may still say meanwhile.
const LINGER_BYTES: usize = 1 << 20;

/// Serves a socket until it ends.
pub(crate) async fn serve<S>(gateway: Arc<Gateway>, stream: WebSocket<S>, opened: Opened, ticket: Arc<Ticket>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let connection = gateway.engine().hub.open(opened.app, opened.platform, opened.client, ticket.address());
    let mut socket = Socket {
        heard_at: gateway.engine().context.clock.elapsed_micros(),
        silence: gateway.engine().context.clock.sleep(gateway.limits.silence_max),
        too_slow: None,
        gateway: Arc::clone(&gateway),
        connection: Arc::clone(&connection),
        stream,
        variant: opened.variant,
        ticket,
        running: Vec::new(),
    };
    let end = poll_fn(|cx| socket.poll_turn(cx)).await;
    socket.finish(end).await;
    if let Err(error) = gateway.engine().disconnected(&connection).await {
        tracing::warn!(?error, "cannot note that a client left");
    }
}

struct Socket<S> {
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    stream: WebSocket<S>,
    variant: Variant,
    ticket: Arc<Ticket>,
    /// Requests that are not answered yet, in the order in which they came.
    running: Vec<Request>,
    heard_at: u64,
    /// Ends when the client may have been silent for too long.
    silence: BoxFuture<'static, ()>,
    /// While a client does not take what is written: ends when it took too long.
    too_slow: Option<BoxFuture<'static, ()>>,
}

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client left or the connection broke.
    Gone,
    /// The client said goodbye or broke the protocol, and is answered with this code.
    Closed(CloseCode),
    /// The client was silent for too long.
    Silent,
    /// The server ends it.
    Asked(Ending),
}

/// Adds a frame that is for one client only to what is to be written.
fn send<S>(gateway: &Gateway, stream: &mut WebSocket<S>, variant: Variant, frame: &Bytes)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match variant {
        Variant::Packed => stream.send(&gateway.packer.pack(frame), false),
        Variant::Binary | Variant::Text => stream.send(frame, variant == Variant::Text),
    }
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    /// Does everything that can be done without waiting. Ready when the socket ends.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.try_turn(cx) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    fn try_turn(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        // A client that takes nothing gets nothing new: what is meant for it waits within the limit of its outbox.
        if self.stream.unwritten() > 0 && !self.write(cx)? {
            return Ok(());
        }
        let was_cut = self.answer(cx) | self.read(cx)?;
        // Answers go before pushes: a client should know that its message was taken before it hears what came of it.
        let outgoing = self.connection.outbox.take(cx);
        for frame in &outgoing.frames {
            match self.variant {
                Variant::Packed => self.stream.send(&self.gateway.packer.pack_shared(frame), false),
                Variant::Binary | Variant::Text => self.stream.send(frame, self.variant == Variant::Text),
            }
        }
        let all_written = self.write(cx)?;
        if let Some(ending) = outgoing.ending {
            return Err(End::Asked(ending));
        }
        if was_cut && all_written {
            cx.waker().wake_by_ref();
        }
        self.check_silence(cx)
    }

    /// Writes down the answers of the requests that are finished; whether some were not looked at for want of room.
    fn answer(&mut self, cx: &mut Context<'_>) -> bool {
        if self.running.is_empty() {
            return false;
        }
        let (gateway, stream, variant) = (&self.gateway, &mut self.stream, self.variant);
        let mut was_cut = false;
        self.running.retain_mut(|request| {
            if stream.unwritten() >= UNWRITTEN_BYTES {
                was_cut = true;
                return true;
            }
            match gateway.poll_request(request, cx) {
                Poll::Ready(frames) => {
                    frames.iter().for_each(|frame| send(gateway, stream, variant, frame));
                    false
                }
                Poll::Pending => true,
            }
        });
        self.note_login();
        was_cut
    }

    /// Reads requests and begins them; whether more could be read at once.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut has_heard = false;
        for _ in 0..READS_IN_A_ROW {
            if self.running.len() >= self.gateway.limits.requests_in_flight_max {
                // Whichever of them is answered first wakes the task.
                return Ok(false);
            }
            if self.stream.unwritten() >= UNWRITTEN_BYTES {
                return Ok(true);
            }
            match self.stream.poll_heard(cx) {
                Poll::Ready(Ok(heard)) => {
                    if !std::mem::replace(&mut has_heard, true) {
                        self.heard_at = self.gateway.engine().context.clock.elapsed_micros();
                    }
                    if let Heard::Message(place) = heard {
                        self.begin(&place, cx);
                    }
                }
                Poll::Ready(Err(Ended::Gone)) => return Err(End::Gone),
                Poll::Ready(Err(Ended::Closed(code))) => return Err(End::Closed(code)),
                Poll::Pending => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Begins a request, and ends it if it need not wait.
    fn begin(&mut self, place: &Place, cx: &mut Context<'_>) {
        let frames = match self.gateway.begin(&self.connection, self.stream.message(place)) {
            Ok(mut request) => match self.gateway.poll_request(&mut request, cx) {
                Poll::Ready(frames) => frames,
                Poll::Pending => return self.running.push(request),
            },
            Err(frames) => frames,
        };
        self.note_login();
        let (gateway, stream, variant) = (&self.gateway, &mut self.stream, self.variant);
        frames.iter().for_each(|frame| send(gateway, stream, variant, frame));
    }

    fn note_login(&self) {
        if self.connection.is_logged_in() {
            self.ticket.authenticated();
        }
    }

    /// Writes what waits; whether all of it is written.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let before = self.stream.unwritten();
        match self.stream.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.too_slow = None;
                Ok(true)
            }
            Poll::Ready(Err(_)) => Err(End::Gone),
            Poll::Pending => {
                if self.stream.unwritten() < before {
                    // Slow, but it reads.
                    self.too_slow = None;
                }
                let limit = self.gateway.limits.write_time_max;
                let clock = &self.gateway.engine().context.clock;
                let too_slow = self.too_slow.get_or_insert_with(|| clock.sleep(limit));
                match too_slow.as_mut().poll(cx) {
                    Poll::Ready(()) => Err(End::Gone),
                    Poll::Pending => Ok(false),
                }
            }
        }
    }

    /// Ends the socket if nothing was heard for too long.
    fn check_silence(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.silence.as_mut().poll(cx).is_ready() {
            let clock = &self.gateway.engine().context.clock;
            let silent = Duration::from_micros(clock.elapsed_micros().saturating_sub(self.heard_at));
            let left = self.gateway.limits.silence_max.saturating_sub(silent);
            if left.is_zero() {
                return Err(End::Silent);
            }
            self.silence = clock.sleep(left);
        }
        Ok(())
    }

    /// Finishes what runs and closes.
    async fn finish(&mut self, end: End) {
        let goodbye = match end {
            End::Gone => None,
            End::Closed(code) => Some((code, "")),
            End::Silent => Some((CloseCode::Policy, "silent for too long")),
            End::Asked(Ending::Behind) => Some((CloseCode::Again, "too slow: synchronise")),
            End::Asked(Ending::Draining) => Some((CloseCode::Restart, "the server restarts")),
        };
        let clock = Arc::clone(&self.gateway.engine().context.clock);
        let finish = async {
            // If nobody listens any more, what runs is finished all the same.
            poll_fn(|cx| {
                while self.answer(cx) {
                    match self.stream.poll_flush(cx) {
                        _ if end == End::Gone => self.stream.discard(),
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(_)) => self.stream.discard(),
                        Poll::Pending => return Poll::Pending,
                    }
                }
                if self.running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            if let Some((code, reason)) = goodbye {
                self.stream.close(code, reason);
            }
            if end != End::Gone {
                let _ = poll_fn(|cx| self.stream.poll_shutdown(cx)).await;
                // Closing while something is unread would take the goodbye back.
                let mut left = LINGER_BYTES;
                tokio::select! {
                    biased;
                    () = poll_fn(|cx| self.stream.poll_closed(cx, &mut left)) => {}
                    () = clock.sleep(LINGER) => {}
                }
            }
        };
        tokio::select! {
            biased;
            () = finish => {}
            () = clock.sleep(Duration::from_secs(FINISH_SECONDS)) => {}
        }
    }
}
