//! What every call passes: find, authorise, limit, decode, run, answer, count, log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use engine::Engine;
use futures_util::FutureExt as _;
use model::{Error, ErrorCode, Result};

use crate::call::{Call, Caller};
use crate::envelope;
use crate::metrics::Metrics;
use crate::spec::Spec;
use crate::table::Table;

/// The table of commands at work.
pub struct Pipeline {
    /// The commands.
    pub table: Table,
    /// What was called, and how that went.
    pub metrics: Metrics,
    engine: Arc<Engine>,
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
    pub async fn run(&self, name: &str, call: &Call, body: &[u8]) -> Answer {
        let Some((index, command)) = self.table.find(name) else {
            let error = Error::from(ErrorCode::CommandUnknown);
            return Answer { before: Vec::new(), body: envelope::failure(&error, false) };
        };
        let spec = command.spec();
        let started = self.engine.context.clock.elapsed_micros();
        let work = async {
            authorise(spec, call)?;
            self.limit(spec, call).await?;
            command.run(call, body).await
        };
        let outcome = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(outcome) => outcome.map_err(|error| in_family(spec, error)),
            Err(_) => Err(Error::from(spec.family.internal).caused_by("the command panicked")),
        };
        let micros = self.engine.context.clock.elapsed_micros().saturating_sub(started);
        self.metrics.count(index, outcome.is_ok(), micros);
        log(spec, &outcome, micros);
        let body = match outcome {
            Ok(body) => body,
            Err(error) => envelope::failure(&error, spec.family.has_display),
        };
        Answer { before: call.take_before(), body }
    }

    async fn limit(&self, spec: &Spec, call: &Call) -> Result<()> {
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

/// Puts the family's number for internal errors in place of the general one.
fn in_family(spec: &Spec, error: Error) -> Error {
    if error.code != ErrorCode::MessageServiceUnavailable {
        return error;
    }
    Error { code: spec.family.internal, info: spec.family.internal.sentence().into(), ..error }
}

/// A failure is logged once, here; without account, address or content.
fn log(spec: &Spec, outcome: &Result<Vec<u8>>, micros: u64) {
    match outcome {
        Ok(_) => tracing::trace!(command = spec.name, micros, "done"),
        Err(error) if error.cause.is_some() => {
            let cause = error.cause.as_deref().unwrap_or_default();
            tracing::warn!(command = spec.name, code = error.code.number(), cause, micros, "command failed");
        }
        Err(error) => tracing::debug!(command = spec.name, code = error.code.number(), micros, "refused"),
    }
}
