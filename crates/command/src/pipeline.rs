//! What every call passes: find, authorise, limit, decode, run, answer, count, log.

use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use engine::Engine;
use engine::requests::{Request, cut};
use model::{Error, ErrorCode, Result, SdkAppId};

use crate::call::{Call, Caller};
use crate::envelope;
use crate::metrics::Metrics;
use crate::spec::Spec;
use crate::table::{AnyCommand, Done, Table, Work};

/// The table of commands at work.
pub struct Pipeline {
    /// The commands.
    pub table: Table,
    /// What was called, and how that went.
    pub metrics: Metrics,
    engine: Arc<Engine>,
}

/// A call that was let in and is not answered yet.
pub struct Running {
    index: usize,
    origin: Origin,
    begun_at: u64,
    work: Work,
}

/// Where a call came from.
#[derive(Clone, Copy)]
struct Origin {
    app: SdkAppId,
    address: IpAddr,
}

impl Origin {
    fn of(call: &Call) -> Self {
        Self { app: call.app.id, address: call.address }
    }
}

/// A call that did not begin.
pub struct Refused {
    index: usize,
    origin: Origin,
    begun_at: u64,
    error: Error,
}

impl Running {
    /// The place of its command in the table.
    #[must_use]
    pub const fn command(&self) -> usize {
        self.index
    }
}

/// What goes back to the caller.
pub struct Answer {
    /// Frames that the calling connection gets first.
    pub before: Vec<Bytes>,
    /// The body of the answer.
    pub body: Vec<u8>,
}

impl Pipeline {
    /// A pipeline for a table.
    #[must_use]
    pub fn new(table: Table, engine: Arc<Engine>) -> Self {
        let metrics = Metrics::new(&table);
        Self { table, metrics, engine }
    }

    /// The engine behind the commands.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Runs a call to its answer; never fails and never panics.
    pub async fn run(&self, name: &str, call: Call, body: &[u8]) -> Answer {
        let Some((index, command)) = self.table.find(name) else {
            let error = Error::from(ErrorCode::CommandUnknown);
            self.engine.requests.note(noted(call.app.id, call.address, "unknown", Some(&error), 0));
            return Answer { before: Vec::new(), body: envelope::failure(&error, false) };
        };
        let (origin, begun_at) = (Origin::of(&call), self.engine.context.clock.elapsed_micros());
        let work = match self.admit(command.spec(), &call).await {
            Ok(()) => begin(command, call, body),
            Err(error) => Err(error),
        };
        match work {
            Ok(work) => {
                let mut running = Running { index, origin, begun_at, work };
                poll_fn(|cx| self.poll(&mut running, cx)).await
            }
            Err(error) => self.refuse(Refused { index, origin, begun_at, error }),
        }
    }

    /// Begins a call of the command at a place in the table, for an account or for nobody: those are not limited by
    /// command. The body is needed no more afterwards.
    ///
    /// # Errors
    /// What is wrong with it; [`Self::refuse`] makes the answer.
    pub fn begin(&self, index: usize, call: Call, body: &[u8]) -> std::result::Result<Running, Refused> {
        let (origin, begun_at) = (Origin::of(&call), self.engine.context.clock.elapsed_micros());
        let work = match self.table.get(index) {
            Some(command) => authorise(command.spec(), &call).and_then(|()| begin(command, call, body)),
            None => Err(ErrorCode::CommandUnknown.into()),
        };
        match work {
            Ok(work) => Ok(Running { index, origin, begun_at, work }),
            Err(error) => Err(Refused { index, origin, begun_at, error }),
        }
    }

    /// Counts and logs a call that did not begin, and makes its answer.
    pub fn refuse(&self, refused: Refused) -> Answer {
        let Refused { index, origin, begun_at, error } = refused;
        self.end(index, origin, begun_at, Done { body: Err(error), before: Vec::new() })
    }

    /// Goes on with a call. Never fails and never panics; not to be called again after the answer.
    pub fn poll(&self, running: &mut Running, cx: &mut Context<'_>) -> Poll<Answer> {
        let done = match catch_unwind(AssertUnwindSafe(|| running.work.as_mut().poll(cx))) {
            Ok(polled) => ready!(polled),
            Err(_) => Done { body: Err(panicked()), before: Vec::new() },
        };
        Poll::Ready(self.end(running.index, running.origin, running.begun_at, done))
    }

    /// Counts and logs what came of a call, and makes its answer.
    fn end(&self, index: usize, origin: Origin, begun_at: u64, done: Done) -> Answer {
        let Done { body, before } = done;
        let Some(command) = self.table.get(index) else {
            let error = Error::from(ErrorCode::CommandUnknown);
            return Answer { before, body: envelope::failure(&error, false) };
        };
        let spec = command.spec();
        let outcome = body.map_err(|error| spec.family.tell(error));
        let micros = self.engine.context.clock.elapsed_micros().saturating_sub(begun_at);
        self.metrics.count(index, outcome.is_ok(), micros);
        let error = outcome.as_ref().err();
        let Origin { app, address } = origin;
        let reference = self.engine.requests.note(noted(app, address, spec.name, error, micros));
        log(spec, error, micros, reference);
        let body = match outcome {
            Ok(body) => body,
            Err(error) => envelope::failure(&error, spec.family.has_display),
        };
        Answer { before, body }
    }

    async fn admit(&self, spec: &Spec, call: &Call) -> Result<()> {
        authorise(spec, call)?;
        if !call.is_administrator() {
            return Ok(());
        }
        let limit = match call.app.settings.rest_calls_per_second {
            0 => spec.calls_per_second,
            chosen => chosen,
        };
        let taken = self.engine.context.ephemeral.take(call.app.id, spec.name, 1, limit, 1).await?;
        if taken {
            Ok(())
        } else {
            Err(ErrorCode::CommandTooOften
                .because(format!("at most {limit} calls of this command per second")))
        }
    }
}

fn begin(command: &dyn AnyCommand, call: Call, body: &[u8]) -> Result<Work> {
    catch_unwind(AssertUnwindSafe(|| command.begin(call, body))).unwrap_or_else(|_| Err(panicked()))
}

/// In the family of the command the number for internal errors takes the place of this one.
fn panicked() -> Error {
    Error::from(ErrorCode::MessageServiceUnavailable).caused_by("the command panicked")
}

fn authorise(spec: &Spec, call: &Call) -> Result<()> {
    let callers = spec.callers;
    match &call.caller {
        Caller::Administrator(_) if callers.administrator => Ok(()),
        Caller::Account(_) if callers.account => Ok(()),
        Caller::Nobody if callers.nobody => Ok(()),
        // Over REST a command of the socket does not exist.
        Caller::Administrator(_) => Err(ErrorCode::CommandUnknown.into()),
        Caller::Account(_) => Err(spec.family.not_administrator.into()),
        Caller::Nobody => Err(ErrorCode::NotLoggedIn.into()),
    }
}

/// A request as it is noted in its app's log: with what the caller was told and, for what failed inside, why.
#[must_use]
pub fn noted(
    app: SdkAppId,
    address: IpAddr,
    command: &'static str,
    error: Option<&Error>,
    micros: u64,
) -> Request {
    let cause = error.map(|error| match error.cause.as_deref() {
        Some(cause) => cut(&format!("{}: {cause}", error.info)),
        None => cut(&error.info),
    });
    let code = error.map_or(0, |error| error.code.number());
    Request { app, address, command, code, cause, micros }
}

/// A failure inside is told here; what it was and for whom stands in the request log under the reference.
fn log(spec: &Spec, error: Option<&Error>, micros: u64, reference: u64) {
    match error {
        None => tracing::trace!(command = spec.name, micros, "done"),
        Some(error) if error.cause.is_some() => {
            let (code, reference) = (error.code.number(), format!("{reference:x}"));
            tracing::warn!(command = spec.name, code, reference, micros, "command failed");
        }
        Some(error) => tracing::debug!(command = spec.name, code = error.code.number(), micros, "refused"),
    }
}
