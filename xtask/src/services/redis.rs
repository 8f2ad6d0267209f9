//! Redis, from Debian.

use super::Running;
use super::place::{Place, free_ports, installed, local, password};
use super::program::{Answer, Program};
use crate::failure::Outcome;

/// Starts it without any file: what it holds may vanish.
pub(super) fn start(place: &Place<'_>) -> Outcome<Running> {
    let ([port], password) = (free_ports()?, password()?);
    let port_text = port.to_string();
    let arguments = [
        "--bind",
        "127.0.0.1",
        "--port",
        &port_text,
        "--save",
        "",
        "--appendonly",
        "no",
        "--requirepass",
        &password,
    ]
    .map(str::to_owned);
    let told = format!("AUTH {password}\r\nPING\r\n");
    let answer = Answer { at: local(port), told: told.as_bytes(), says: b"+PONG" };
    let program = Program::start(place, &installed("redis-server")?, &arguments, &answer)?;
    Ok(Running { program, address: format!("redis://:{password}@127.0.0.1:{port}/0") })
}
