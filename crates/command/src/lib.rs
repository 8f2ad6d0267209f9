//! What a command is, and the pipeline that every call passes, whichever transport brought it.
//!
//! A command declares its name, who may call it, how often, and with which errors; the pipeline enforces that. See
//! `CONTRIBUTING.md` for adding one.

pub mod call;
mod decode;
pub mod envelope;
pub mod metrics;
pub mod pipeline;
pub mod scalar;
pub mod spec;
pub mod table;

pub use call::{Call, Caller, Credentials};
pub use pipeline::Pipeline;
pub use spec::{Callers, Family, Spec};
pub use table::{AnyCommand, Command, Erased, Table};

use schemars::JsonSchema;
use serde::Serialize;

/// The reply of a command that says no more than that it was done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {}
