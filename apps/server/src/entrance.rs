//! What happens to a connection before the gateway gets it: a balancer says whose it is, and TLS is agreed upon.

mod proxy;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gateway::Gateway;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::Signal;
use tokio_rustls::TlsAcceptor;

pub(crate) use self::tls::Files;
use crate::cli::Outcome;
use crate::config::Config;

/// How long accepting pauses when the process has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The ways in.
pub(crate) struct Entrance {
    plain: Door,
    tls: Option<Door>,
}

/// A place where connections arrive.
struct Door {
    listener: TcpListener,
    manners: Arc<Manners>,
}

/// How connections of one place are met.
struct Manners {
    /// Balancers: each of their connections says first whose it is.
    proxies: Arc<[IpNet]>,
    /// How long it may take until a connection can be used.
    time_max: Duration,
    acceptor: Option<TlsAcceptor>,
}

impl Entrance {
    /// Listens where the configuration says; `listen` goes before what it says about connections without TLS.
    /// `hang_up` makes it read its certificate again.
    pub(crate) async fn open(config: &Config, listen: Option<SocketAddr>, hang_up: Signal) -> Outcome<Self> {
        let address = match listen {
            Some(address) => address,
            None => config.listen()?,
        };
        let proxies: Arc<[IpNet]> = config.proxies()?.into();
        let time_max = config.limits().header_time_max;
        let door = async |address, acceptor| {
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
            let proxies = Arc::clone(&proxies);
            Ok::<_, String>(Door { listener, manners: Arc::new(Manners { proxies, time_max, acceptor }) })
        };
        let tls = match config.tls()? {
            Some((address, files)) => Some(door(address, Some(tls::acceptor(files, hang_up)?)).await?),
            None => None,
        };
        Ok(Self { plain: door(address, None).await?, tls })
    }

    /// Where it is: without TLS, and with it.
    pub(crate) fn addresses(&self) -> Outcome<(SocketAddr, Option<SocketAddr>)> {
        let of = |door: &Door| door.listener.local_addr().map_err(|error| error.to_string());
        Ok((of(&self.plain)?, self.tls.as_ref().map(of).transpose()?))
    }

    /// Lets connections in for as long as it is polled.
    pub(crate) async fn accept(&self, gateway: &Arc<Gateway>) {
        let tls = async {
            match &self.tls {
                Some(door) => door.accept(gateway).await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(self.plain.accept(gateway), tls);
    }
}

impl Door {
    async fn accept(&self, gateway: &Arc<Gateway>) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Frames are written in one go already.
                    drop(stream.set_nodelay(true));
                    let (manners, gateway) = (Arc::clone(&self.manners), Arc::clone(gateway));
                    tokio::spawn(async move { manners.meet(gateway, stream, peer.ip()).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Manners {
    async fn meet(&self, gateway: Arc<Gateway>, mut stream: TcpStream, peer: IpAddr) {
        let mut client = peer.to_canonical();
        if self.proxies.iter().any(|proxy| proxy.contains(&client)) {
            match tokio::time::timeout(self.time_max, proxy::client(&mut stream)).await {
                Ok(Ok(Some(said))) => client = said.to_canonical(),
                // It speaks for itself: a check of whether this is alive.
                Ok(Ok(None)) => {}
                Ok(Err(error)) => {
                    return tracing::debug!(%error, "a balancer did not say whose a connection is");
                }
                Err(_) => return tracing::debug!("a balancer did not say in time whose a connection is"),
            }
        }
        match &self.acceptor {
            None => gateway::serve_connection(gateway, stream, client).await,
            Some(acceptor) => {
                let opening = tokio::time::timeout(self.time_max, acceptor.accept(stream));
                let opening = async { opening.await.ok().and_then(Result::ok) };
                gateway::serve_opening(gateway, opening, client).await;
            }
        }
    }
}
