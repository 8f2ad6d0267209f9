//! Opening many sockets from one machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sockets from one source address; an address has some 28,000 ports to give.
const PER_SOURCE_MAX: usize = 20_000;

/// Connects the socket number `index`. On loopback every 20,000 come from another source address.
pub(crate) fn connect(server: SocketAddr, index: usize) -> io::Result<TcpStream> {
    let source = index / PER_SOURCE_MAX;
    let stream = match server {
        SocketAddr::V4(address) if source > 0 && address.ip().is_loopback() => connect_from(source, address)?,
        _ => TcpStream::connect_timeout(&server, Duration::from_secs(10))?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn connect_from(source: usize, server: SocketAddrV4) -> io::Result<TcpStream> {
    let last =
        u8::try_from(source + 1).map_err(|_| io::Error::other("cannot use that many source addresses"))?;
    let socket: OwnedFd =
        rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0))?;
    rustix::net::connect(&socket, &server)?;
    Ok(TcpStream::from(socket))
}

/// Raises the limit of open files as far as the system allows; says whether `needed` fit.
pub(crate) fn raise_open_files(needed: usize) -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, raised)?;
    }
    match limit.maximum {
        Some(maximum) if maximum < needed as u64 + 64 => Err(io::Error::other(format!(
            "cannot open {needed} connections: the limit of open files is {maximum}"
        ))),
        _ => Ok(()),
    }
}
