//! The program as a process: started, waited for, stopped, killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{soon, text};

/// How a server is started.
#[derive(Default)]
pub(crate) struct Options {
    /// The configuration file's text.
    pub(crate) config: String,
    /// Environment variables.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// A program and its arguments that run the server.
    pub(crate) wrapper: Vec<String>,
    /// The folder of the data, if not one in the server's own.
    pub(crate) data: Option<PathBuf>,
}

impl Options {
    /// The text of a configuration file.
    pub(crate) fn config(text: &str) -> Self {
        Self { config: text.to_owned(), ..Self::default() }
    }
}

/// A running server. Killed, with all that it started, when it is dropped.
pub(crate) struct Server {
    folder: Arc<TempDir>,
    data: PathBuf,
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    child: Child,
    group: Pid,
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts a server on a new folder and waits until it is ready.
    pub(crate) async fn start(options: Options) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        Self::start_in(folder, options).await
    }

    /// Starts a server on a folder that may have been used before.
    pub(crate) async fn start_in(folder: Arc<TempDir>, options: Options) -> Self {
        let data = options.data.clone().unwrap_or_else(|| folder.path().join("data"));
        let config = folder.path().join("whimbrel.toml");
        std::fs::write(&config, &options.config).expect("the configuration is written");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.path().join("stderr.log"))
            .expect("the log is opened");
        let mut words: Vec<&str> = options.wrapper.iter().map(String::as_str).collect();
        words.push(env!("CARGO_BIN_EXE_whimbrel"));
        words.extend(["serve", "--data", text(&data), "--listen", "127.0.0.1:0"]);
        words.extend(["--config", text(&config)]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", words[0]));
        let number = child.id().expect("a running process");
        let group = Pid::from_raw(i32::try_from(number).expect("a number")).expect("a number");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let guard = Group(group);
        let mut tls_address = None;
        let line = loop {
            let line = soon("the server is ready", lines.next_line()).await;
            let line = line.expect("a line").unwrap_or_else(|| {
                panic!("the server did not start: {}", log_of(&folder));
            });
            match line.strip_prefix("whimbrel listens on https://") {
                Some(address) => tls_address = address.parse().ok(),
                None => break line,
            }
        };
        std::mem::forget(guard);
        let address = line
            .strip_prefix("whimbrel is ready on http://")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("not the line of a ready server: {line}"));
        Self { folder, data, address, tls_address, child, group, _stdout: lines }
    }

    /// Where it listens with TLS.
    pub(crate) const fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.group, signal).expect("a running process");
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// The folder that is removed with the last server on it.
    pub(crate) fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    /// What it wrote to standard error.
    pub(crate) fn log(&self) -> String {
        log_of(&self.folder)
    }

    /// The number of the server's process: under a wrapper that of its child.
    pub(crate) fn process(&self) -> i32 {
        let own = self.group.as_raw_nonzero().get();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let first = children.ok().and_then(|children| {
            let first = children.split_whitespace().next()?;
            first.parse().ok()
        });
        first.unwrap_or(own)
    }

    /// The most memory that the process ever held, in kilobytes.
    pub(crate) fn memory_kilobytes_most(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process())).expect("a process");
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|number| number.parse().ok()).expect("VmHWM")
    }

    /// Kills it at once (SIGKILL) and returns its folder.
    pub(crate) async fn kill(mut self) -> Arc<TempDir> {
        let _ = kill_process_group(self.group, Signal::KILL);
        soon("the killed server is gone", self.child.wait()).await.expect("an exit status");
        Arc::clone(&self.folder)
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        let _ = kill_process(self.group, Signal::TERM);
        self.ended().await
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        soon("the server ends", self.child.wait()).await.expect("an exit status")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A wrapper may not pass a signal on.
        if self.child.id().is_some() {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

/// Kills the processes if the start fails.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

fn log_of(folder: &Arc<TempDir>) -> String {
    std::fs::read_to_string(Path::new(folder.path()).join("stderr.log")).expect("a log in UTF-8")
}
