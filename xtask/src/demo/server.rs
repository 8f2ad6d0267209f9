//! The demo's server: started, watched and ended with the demo.

use crate::failure::{During, Failure, Outcome};
use crate::shell::{self, RUN_MARK};
use crate::stop::StopSign;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// What a server prints when it can be used, followed by its address.
const READY: &str = "whimbrel is ready on http://";

const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a server may drain before it is ended the hard way.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// A running server; dropping it ends it.
pub(super) struct Server {
    child: Child,
    binary: PathBuf,
    log: PathBuf,
    /// Its data folder.
    pub(super) data: PathBuf,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts the server and waits until it is ready.
    pub(super) fn start(
        binary: &Path,
        data: &Path,
        bind: IpAddr,
        log: &Path,
        stop: &StopSign,
    ) -> Outcome<Self> {
        let file = File::create(log).during(|| format!("cannot make {}", log.display()))?;
        let errors = file.try_clone().during(|| format!("cannot share {}", log.display()))?;
        let mut child = shell::bound(binary)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .arg("--listen")
            .arg(SocketAddr::new(bind, 0).to_string())
            .env(RUN_MARK, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            // Ctrl-C reaches every program of a terminal's group; the server shall be stopped once, by us.
            .process_group(0)
            .spawn()
            .during(|| format!("cannot start {}", binary.display()))?;
        let printed = child.stdout.take();
        let mut server = Self {
            child,
            binary: binary.to_owned(),
            log: log.to_owned(),
            data: data.to_owned(),
            address: SocketAddr::new(bind, 0),
        };
        let ready = printed.map(|printed| watch(printed, file));
        server.address = server.wait_until_ready(ready, stop)?;
        Ok(server)
    }

    fn wait_until_ready(
        &mut self,
        ready: Option<Receiver<SocketAddr>>,
        stop: &StopSign,
    ) -> Outcome<SocketAddr> {
        let ready = ready.ok_or_else(|| Failure::new("the server's output cannot be read"))?;
        let begun = Instant::now();
        while begun.elapsed() < READY_TIMEOUT {
            match ready.recv_timeout(Duration::from_millis(50)) {
                Ok(address) => return Ok(address),
                Err(RecvTimeoutError::Disconnected) => {
                    // Its output has ended, so it is about to end too.
                    let status = self.child.wait().during(|| "cannot wait for the server".into())?;
                    return Err(self.ended(status));
                }
                Err(RecvTimeoutError::Timeout) if stop.is_up() => {
                    return Err(Failure::new("stopped before the server was ready"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let seconds = READY_TIMEOUT.as_secs();
        Err(Failure::new(format!(
            "the server was not ready within {seconds} s; it wrote:\n{}",
            self.log_end()
        )))
    }

    /// Fails when the server has ended by itself.
    pub(super) fn check(&mut self) -> Outcome {
        match self.child.try_wait().during(|| "cannot look after the server".into())? {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    fn ended(&self, status: std::process::ExitStatus) -> Failure {
        Failure::new(format!("the server ended by itself ({status}); it wrote:\n{}", self.log_end()))
    }

    /// The last lines of what it wrote.
    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Runs another command of the same binary on the server's data and returns what it prints.
    pub(super) fn ask(&self, command: &[&str], options: &[&str]) -> Outcome<String> {
        shell::output(Command::new(&self.binary).args(command).arg("--data").arg(&self.data).args(options))
    }

    /// The address by which this machine reaches it.
    pub(super) fn reachable(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            });
        }
        address
    }

    /// Lets the server drain and end.
    pub(super) fn stop(mut self) -> Outcome {
        let status = self.end()?;
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let how =
            status.map_or_else(|| "had to be killed".into(), |status| format!("ended badly ({status})"));
        Err(Failure::new(format!("the server {how}; it wrote:\n{}", self.log_end())))
    }

    /// Ends it, the hard way after a while; returns its status unless it had to be killed.
    fn end(&mut self) -> Outcome<Option<std::process::ExitStatus>> {
        let wait = |child: &mut Child| child.try_wait().during(|| "cannot wait for the server".into());
        if let Some(status) = wait(&mut self.child)? {
            return Ok(Some(status));
        }
        if let Some(process) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(process, Signal::TERM).during(|| "cannot stop the server".into())?;
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
            if let Some(status) = wait(&mut self.child)? {
                return Ok(Some(status));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().during(|| "cannot kill the server".into())?;
        self.child.wait().during(|| "cannot wait for the server".into())?;
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            println!("{}", failure.untold().unwrap_or_default());
        }
    }
}

/// Copies what the server prints to its log, and announces the address of the line that says it is ready.
fn watch(printed: ChildStdout, mut log: File) -> Receiver<SocketAddr> {
    let (announce, ready) = sync_channel(1);
    std::thread::spawn(move || {
        for line in BufReader::new(printed).lines().map_while(Result::ok) {
            if let Some(address) = ready_address(&line) {
                // Only the first one is waited for.
                let _ = announce.try_send(address);
            }
            // A full disk must not stop the server by a full pipe.
            let _ = writeln!(log, "{line}");
        }
    });
    ready
}

fn ready_address(line: &str) -> Option<SocketAddr> {
    line.strip_prefix(READY)?.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_address_of_the_ready_line_only() {
        for (line, expected) in [
            ("whimbrel is ready on http://127.0.0.1:4711", Some("127.0.0.1:4711")),
            ("whimbrel is ready on http://[::1]:4711/", Some("[::1]:4711")),
            ("whimbrel is ready on http://somewhere", None),
            ("whimbrel is starting", None),
        ] {
            assert_eq!(ready_address(line), expected.and_then(|text| text.parse().ok()), "{line}");
        }
    }
}
