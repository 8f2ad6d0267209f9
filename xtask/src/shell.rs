//! The checkout, and the programs that are run in it.

use crate::counts::{Counts, Format};
use crate::failure::{During, Failure, Outcome};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set for every program that a task starts, so that what it leaves behind can be told from what was there.
pub(crate) const RUN_MARK: &str = "WHIMBREL_XTASK_RUN";

/// Where the sources are and where cargo builds.
pub(crate) struct Checkout {
    /// The folder of the workspace.
    pub(crate) root: PathBuf,
    /// The folder that cargo builds in; `CARGO_TARGET_DIR` moves it.
    pub(crate) target: PathBuf,
    /// What `cargo metadata --no-deps` says of the workspace.
    pub(crate) metadata: Value,
}

impl Checkout {
    /// Asks cargo where it is.
    pub(crate) fn find() -> Outcome<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let text = output(
            Command::new(cargo())
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .current_dir(package),
        )?;
        let metadata: Value = serde_json::from_str(&text).during(|| "cannot read cargo metadata".into())?;
        let folder = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .ok_or_else(|| Failure::new(format!("cargo metadata has no {key}")))
        };
        let (root, target) = (folder("workspace_root")?, folder("target_directory")?);
        Ok(Self { root, target, metadata })
    }

    /// A command that runs in the folder of the workspace, with the tools that were installed for it in its path.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root).env(RUN_MARK, std::process::id().to_string());
        let modules = self.node_folder().join("node_modules");
        if modules.is_dir() {
            let system = std::env::var_os("PATH").unwrap_or_default();
            let folders = [modules.join("node/bin"), modules.join(".bin")];
            // A folder with a colon in its name cannot stand in a path; then the system's own tools must do.
            if let Ok(path) = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&system)))
            {
                command.env("PATH", path);
            }
        }
        command
    }

    /// Where Node.js and npm are installed if the system's are too old.
    pub(crate) fn node_folder(&self) -> PathBuf {
        self.target.join("tools/node")
    }

    /// `cargo` with these arguments, in the folder of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(cargo());
        command.args(arguments);
        command
    }

    /// `npm` with these arguments, in a folder below the workspace.
    pub(crate) fn npm(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = self.command("npm");
        command.args(arguments).current_dir(self.root.join(folder));
        command
    }
}

/// The cargo that runs this program, or the first one of the path.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Shows the command and runs it to its end; fails when it does.
pub(crate) fn run(command: &mut Command) -> Outcome {
    show(command);
    let status = command.stdin(Stdio::null()).status().during(|| cannot_start(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed ({status})", line(command))))
}

/// Runs the command as [`run`] does, passes its output on and counts the tests it reports.
///
/// The counts are returned also when the command fails.
pub(crate) fn run_tests(command: &mut Command, format: Format) -> (Counts, Outcome) {
    let mut counts = Counts::default();
    let outcome = run_lines(command, |text| counts.read(format, text));
    (counts, outcome)
}

fn run_lines(command: &mut Command, mut each: impl FnMut(&str)) -> Outcome {
    show(command);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().during(|| cannot_start(command))?;
    if let Some(pipe) = child.stdout.take() {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while pipe.read_until(b'\n', &mut bytes).during(|| format!("cannot read `{}`", line(command)))? > 0 {
            let text = String::from_utf8_lossy(&bytes);
            each(&text);
            print!("{text}");
            std::io::stdout().flush().during(|| "cannot print".into())?;
            bytes.clear();
        }
    }
    let status = child.wait().during(|| format!("cannot wait for `{}`", line(command)))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed ({status})", line(command))))
}

/// Runs a command quietly and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let done =
        command.stdin(Stdio::null()).stderr(Stdio::piped()).output().during(|| cannot_start(command))?;
    if !done.status.success() {
        let told = String::from_utf8_lossy(&done.stderr);
        return Err(Failure::new(format!("`{}` failed ({}): {}", line(command), done.status, told.trim())));
    }
    String::from_utf8(done.stdout).during(|| format!("`{}` printed no text", line(command)))
}

/// Whether the command can be started and succeeds; what it prints is dropped.
pub(crate) fn succeeds(arguments: &[&str]) -> bool {
    let Some((program, rest)) = arguments.split_first() else {
        return false;
    };
    Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The program, under `setpriv` where there is one: the kernel then stops it even if this one is killed.
pub(crate) fn bound(binary: &Path) -> Command {
    if !succeeds(&["setpriv", "--pdeathsig", "TERM", "true"]) {
        return Command::new(binary);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(binary);
    command
}

/// Names the command, and its folder when that is what is missing.
fn cannot_start(command: &Command) -> String {
    match command.get_current_dir() {
        Some(folder) if !folder.is_dir() => {
            format!("cannot start `{}`: there is no folder {}", line(command), folder.display())
        }
        _ => format!("cannot start `{}`", line(command)),
    }
}

fn show(command: &Command) {
    println!("$ {}", line(command));
}

/// The command as one would type it, by the program's short name.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text += &argument.to_string_lossy();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_also_when_the_command_fails() {
        let script = "echo 'test result: ok. 2 passed; 1 failed; 0 ignored'; exit 3";
        let (counts, outcome) = run_tests(Command::new("sh").args(["-c", script]), Format::Cargo);
        assert_eq!(counts, Counts { passed: 2, failed: 1, skipped: 0 });
        let failure = outcome.unwrap_err();
        assert!(failure.untold().unwrap().contains("exit status: 3"));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let failure = run(Command::new("true").current_dir("/no/such/folder")).unwrap_err();
        assert!(failure.untold().unwrap().contains("there is no folder /no/such/folder"));
    }
}
