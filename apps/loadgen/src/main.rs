//! `loadgen`: makes load in the client protocol, and carries the bare server that the load is compared with.
//!
//! Start reading at [`bench`], which runs all the rest.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool reports on its terminal")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an app outside the server: its business is real time, sockets, files and processes"
)]

mod baseline;
mod bench;
mod cli;
mod client;
mod histogram;
mod net;
mod usersig;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}
