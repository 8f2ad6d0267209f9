//! Programs that come in a package of Python's registry.

use super::place::{Place, installed};
use super::program::prepare;
use crate::failure::{During, Failure, Outcome};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An environment with this package, made once, below the target folder.
pub(super) fn environment(place: &Place<'_>, package: &str, version: &str) -> Outcome<PathBuf> {
    let folder = place.tools().join(format!("{package}-{version}"));
    let is_whole = folder.join("whole");
    if is_whole.is_file() {
        return Ok(folder);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).during(|| format!("cannot remove {}", folder.display()))?;
    }
    prepare(place, Command::new(installed("python3")?).args(["-m", "venv"]).arg(&folder))?;
    let wanted = format!("{package}=={version}");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", &wanted];
    prepare(place, Command::new(folder.join("bin/python3")).args(pip))?;
    std::fs::write(&is_whole, "").during(|| format!("cannot write {}", is_whole.display()))?;
    Ok(folder)
}

/// A program in such an environment.
pub(super) fn program(environment: &Path, name: &str) -> Outcome<PathBuf> {
    let path = environment.join("bin").join(name);
    if path.is_file() { Ok(path) } else { Err(Failure::new(format!("the package has no program {name}"))) }
}
