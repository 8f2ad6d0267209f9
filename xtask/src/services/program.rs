//! A program that serves: started, waited for, watched and ended.

use super::place::Place;
use crate::failure::{During, Failure, Outcome};
use crate::shell::{self, RUN_MARK};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers: the Java machine on a busy one is the slowest.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long it may take to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// How long one answer may take while it is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A running program; dropping it ends it.
pub(super) struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// How a server shows that it can be used.
pub(super) struct Answer<'a> {
    /// Where it listens.
    pub(super) at: SocketAddr,
    /// What it is told; nothing, where it speaks first or a connection is enough.
    pub(super) told: &'a [u8],
    /// What its answer has to contain; nothing, where a connection is enough.
    pub(super) says: &'a [u8],
}

impl Program {
    /// Starts it, with what it writes in `log` in the service's folder, and waits until it answers.
    pub(super) fn start(
        place: &Place<'_>,
        binary: &Path,
        arguments: &[String],
        answer: &Answer<'_>,
    ) -> Outcome<Self> {
        let log = place.make("")?.join("log");
        let file = File::create(&log).during(|| format!("cannot make {}", log.display()))?;
        let errors = file.try_clone().during(|| format!("cannot share {}", log.display()))?;
        let child = shell::bound(binary)
            .args(arguments)
            .current_dir(place.make("")?)
            .env(RUN_MARK, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            // Ctrl-C reaches every program of a terminal's group; this one shall be stopped once, by us.
            .process_group(0)
            .spawn()
            .during(|| format!("cannot start {}", binary.display()))?;
        let mut program = Self { name: place.name, child, log };
        let begun = Instant::now();
        while begun.elapsed() < READY_TIMEOUT {
            program.check()?;
            if answer.comes() {
                return Ok(program);
            }
            if place.stop.is_up() {
                return Err(Failure::new(format!("stopped before {} was ready", place.name)));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let seconds = READY_TIMEOUT.as_secs();
        let wrote = program.log_end();
        Err(Failure::new(format!("{} was not ready within {seconds} s; it wrote:\n{wrote}", place.name)))
    }

    /// Fails when it has ended by itself.
    pub(super) fn check(&mut self) -> Outcome {
        match self.child.try_wait().during(|| format!("cannot look after {}", self.name))? {
            None => Ok(()),
            Some(status) => {
                let wrote = self.log_end();
                Err(Failure::new(format!("{} ended by itself ({status}); it wrote:\n{wrote}", self.name)))
            }
        }
    }

    /// The last lines of what it wrote.
    fn log_end(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Asks it to end, and kills it after a while; `None` if it had to be killed.
    fn end(&mut self) -> Outcome<Option<ExitStatus>> {
        let wait = |child: &mut Child| child.try_wait().during(|| "cannot wait for a service".into());
        if let Some(status) = wait(&mut self.child)? {
            return Ok(Some(status));
        }
        if let Some(process) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(process, Signal::TERM).during(|| format!("cannot stop {}", self.name))?;
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
            if let Some(status) = wait(&mut self.child)? {
                return Ok(Some(status));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().during(|| format!("cannot kill {}", self.name))?;
        self.child.wait().during(|| format!("cannot wait for {}", self.name))?;
        Ok(None)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            println!("{}", failure.untold().unwrap_or_default());
        }
    }
}

impl Answer<'_> {
    /// Whether it comes now.
    fn comes(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect_timeout(&self.at, ANSWER_TIMEOUT) else { return false };
        if self.says.is_empty() {
            return true;
        }
        let limits = stream.set_read_timeout(Some(ANSWER_TIMEOUT));
        if limits.is_err() || stream.write_all(self.told).is_err() {
            return false;
        }
        let (mut heard, mut part) = (Vec::new(), [0; 1024]);
        while let Ok(length @ 1..) = stream.read(&mut part) {
            heard.extend_from_slice(&part[..length]);
            if heard.windows(self.says.len()).any(|window| window == self.says) {
                return true;
            }
        }
        false
    }
}

/// Runs one of the tools that a service needs before it starts, quietly: what it prints goes to a log.
pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Outcome {
    let log = place.make("")?.join("prepare.log");
    let file = File::create(&log).during(|| format!("cannot make {}", log.display()))?;
    let errors = file.try_clone().during(|| format!("cannot share {}", log.display()))?;
    let status = command.stdin(Stdio::null()).stdout(file).stderr(errors).status();
    let status = status.during(|| format!("cannot prepare {}", place.name))?;
    if status.success() {
        return Ok(());
    }
    let wrote = std::fs::read_to_string(&log).unwrap_or_default();
    Err(Failure::new(format!("cannot prepare {} ({status}):\n{wrote}", place.name)))
}
