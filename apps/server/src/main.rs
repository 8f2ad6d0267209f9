//! `whimbrel`: a chat service that its owner runs.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "here the context is made from the real world"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its user")]

mod admin;
mod audit;
mod backup;
mod check;
mod cli;
mod codegen;
mod commands;
mod config;
mod context;
mod control;
mod entrance;
mod export;
mod outer_key;
mod preserved;
mod receipts;
mod retention;
mod serve;
mod stores;

use std::process::ExitCode;

use clap::Parser as _;

// Many small allocations per message; measured to hold less memory per idle connection than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("whimbrel: {message}");
            ExitCode::FAILURE
        }
    }
}
