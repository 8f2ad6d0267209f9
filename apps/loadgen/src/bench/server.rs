//! Starting and ending the servers that are measured.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::client::member::Target;

/// A server may take so long to say that it is ready, and as long to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// All connections come from one machine here.
const CONFIGURATION: &str =
    "[limits]\nconnections_per_address_max = 100000\nunauthenticated_per_address_max = 100000\n";

/// A running server. Dropping it kills it; so does the end of this process, however it ends.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From starting the process to its ready line, a millisecond for the guard included.
    pub(crate) ready_after: Duration,
}

/// A data directory of the real server with an app in it.
#[derive(Debug)]
pub(crate) struct Store {
    binary: PathBuf,
    directory: PathBuf,
    sdkappid: u64,
    key: String,
}

#[derive(Debug, Deserialize)]
struct CreatedApp {
    #[serde(rename = "SDKAppID")]
    sdkappid: u64,
    #[serde(rename = "Key")]
    key: String,
}

impl Store {
    /// An empty directory, one app created in it.
    pub(crate) fn create(binary: &Path, directory: PathBuf) -> io::Result<Self> {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("data"))?;
        fs::write(directory.join("whimbrel.toml"), CONFIGURATION)?;
        let mut command = guarded(binary)?;
        command
            .args(["app", "create", "--data"])
            .arg(directory.join("data"))
            .args(["--name", "bench", "--json"]);
        let text = output(command, "create an app")?;
        let app: CreatedApp = serde_json::from_str(text.trim())
            .map_err(|error| io::Error::other(format!("cannot read what app create printed: {error}")))?;
        Ok(Self { binary: binary.to_owned(), directory, sdkappid: app.sdkappid, key: app.key })
    }

    /// Changes settings of the app, each `NAME=VALUE`, while no server runs.
    pub(crate) fn set(&self, settings: &[&str]) -> io::Result<()> {
        let mut command = guarded(&self.binary)?;
        command.args(["app", "set", "--data"]).arg(self.directory.join("data"));
        command.args(["--sdkappid", &self.sdkappid.to_string()]).args(settings);
        output(command, "change settings").map(drop)
    }

    /// Starts the server on this directory.
    pub(crate) fn start(&self) -> io::Result<Running> {
        let mut command = guarded(&self.binary)?;
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(self.directory.join("data"));
        command.arg("--config").arg(self.directory.join("whimbrel.toml"));
        Running::start(command, &self.directory.join("server.log"))
    }

    /// How to log in to a server on this directory.
    pub(crate) fn target(&self, server: SocketAddr) -> Target {
        Target { server, sdkappid: self.sdkappid, key: self.key.clone() }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Running {
    /// Starts the bare server with its log in `directory`.
    pub(crate) fn baseline(directory: &Path) -> io::Result<Self> {
        let _ = fs::remove_dir_all(directory);
        fs::create_dir_all(directory)?;
        let mut command = guarded(&env::current_exe()?)?;
        command.arg("baseline").arg("--log").arg(directory.join("log"));
        Self::start(command, &directory.join("server.log"))
    }

    fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let started = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(log)?).spawn()?;
        let ready = child.stdout.take().map(ready_line);
        // From here on the child is killed on every way out.
        let mut running =
            Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), ready_after: Duration::ZERO };
        let line = ready.and_then(|ready| ready.recv_timeout(PATIENCE).ok());
        running.ready_after = started.elapsed();
        let address = line.as_deref().and_then(|line| line.trim().rsplit_once(" is ready on http://"));
        let Some(address) = address.and_then(|(_, address)| address.parse().ok()) else {
            let said = fs::read_to_string(log).unwrap_or_default();
            let last = said.lines().last().unwrap_or("nothing");
            return Err(io::Error::other(format!(
                "the server did not become ready ({line:?}); it said: {last}"
            )));
        };
        running.address = address;
        Ok(running)
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has; fails if it ends badly or not at all.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            kill_process(process, Signal::TERM)?;
        }
        let status = wait(&mut self.child)?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the server ended with {status}")))
        }
    }

    /// Kills it where it stands.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that this process's end kills: this binary takes the vow and becomes `binary`.
fn guarded(binary: &Path) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("guard").arg("--").arg(binary);
    Ok(command)
}

/// Passes the first line on, and reads on so that the writer never blocks.
fn ready_line(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok() {
            let _ = sender.send(line);
        }
        let _ = io::copy(&mut reader, &mut io::sink());
    });
    receiver
}

fn wait(child: &mut Child) -> io::Result<std::process::ExitStatus> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the process did not end in time and was killed",
            ));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn output(mut command: Command, what: &str) -> io::Result<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let status = wait(&mut child)?;
    let (mut text, mut complaint) = (String::new(), String::new());
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut text)?;
    }
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut complaint)?;
    }
    if status.success() {
        Ok(text)
    } else {
        Err(io::Error::other(format!("cannot {what}: {status}, {}", complaint.trim())))
    }
}
