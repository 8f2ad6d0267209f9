//! Where a service is started: its folder, its ports, its password.

use crate::failure::{During, Failure, Outcome};
use crate::shell::Checkout;
use crate::stop::StopSign;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// What a service is started with.
pub(super) struct Place<'a> {
    pub(super) checkout: &'a Checkout,
    /// The folder of this run.
    pub(super) folder: &'a Path,
    /// The service's name, and its folder's.
    pub(super) name: &'static str,
    pub(super) stop: &'a StopSign,
}

impl Place<'_> {
    /// A new folder of the service's own.
    pub(super) fn make(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.folder.join(self.name).join(name);
        std::fs::create_dir_all(&path).during(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// A file in the service's folder.
    pub(super) fn write(&self, name: &str, text: &str) -> Outcome<PathBuf> {
        let path = self.make("")?.join(name);
        std::fs::write(&path, text).during(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Where its programs are kept between runs.
    pub(super) fn tools(&self) -> PathBuf {
        self.checkout.target.join("tools").join(self.name)
    }
}

/// Free ports of loopback. Somebody else may take one before it is used; then the service does not start, and says so.
pub(super) fn free_ports<const COUNT: usize>() -> Outcome<[u16; COUNT]> {
    let mut held = Vec::new();
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(|| "cannot find a free port".into())?;
        *port = listener.local_addr().during(|| "cannot find a free port".into())?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// An address of loopback.
pub(super) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A password that nobody knows yet: 32 hexadecimal digits.
pub(super) fn password() -> Outcome<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .during(|| "cannot read random bytes".into())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The only program of this name in the path.
pub(super) fn installed(program: &str) -> Outcome<PathBuf> {
    // Debian keeps servers where only root's path leads.
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| Failure::new(format!("{program} is not installed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_different_and_passwords_too() {
        let [one, other] = free_ports().unwrap();
        assert_ne!(one, other);
        let (first, second) = (password().unwrap(), password().unwrap());
        assert!(first.len() == 32 && first != second);
    }
}
