//! A relay before the server: connections through it can be cut, now or when the answer to a commit is on its way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};

/// The relay.
#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) address: String,
    cut: broadcast::Sender<()>,
    swallows: Arc<AtomicBool>,
    is_closed: Arc<AtomicBool>,
    open: watch::Sender<usize>,
}

impl Relay {
    /// Listens before the server with this address.
    pub(crate) async fn before(address: &str) -> Self {
        let (start, rest) = address.rsplit_once('@').unwrap();
        let (host, database) = rest.split_once('/').unwrap();
        let server: SocketAddr = host.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let relay = Self {
            address: format!("{start}@{here}/{database}"),
            cut: broadcast::channel(1).0,
            swallows: Arc::default(),
            is_closed: Arc::default(),
            open: watch::channel(0).0,
        };
        tokio::spawn(relay.clone().accept(listener, server));
        relay
    }

    async fn accept(self, listener: TcpListener, server: SocketAddr) {
        while let Ok((client, _)) = listener.accept().await {
            if self.is_closed.load(Ordering::SeqCst) {
                continue;
            }
            let (relay, mut end) = (self.clone(), self.cut.subscribe());
            self.open.send_modify(|open| *open += 1);
            tokio::spawn(async move {
                tokio::select! {
                    _ = end.recv() => {}
                    () = carry(client, server, &relay.swallows) => {}
                }
                relay.open.send_modify(|open| *open -= 1);
            });
        }
    }

    /// Cuts every connection, and waits until all of them are gone.
    pub(crate) async fn cut(&self) {
        let _ = self.cut.send(());
        self.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }

    /// Takes the next commit to the server, and cuts its connection when the server answers.
    pub(crate) fn swallow_answer_to_commit(&self) {
        self.swallows.store(true, Ordering::SeqCst);
    }

    /// Cuts every connection, and each new one at once, until it is opened again.
    pub(crate) async fn close(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::SeqCst);
        self.cut().await;
    }
}

/// Carries bytes until one side closes, or until an answer is to be swallowed.
async fn carry(mut client: TcpStream, server: SocketAddr, swallows: &AtomicBool) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut ends_with_answer = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let is_commit = asked[..length].windows(6).any(|part| part == b"COMMIT");
                ends_with_answer |= is_commit && swallows.swap(false, Ordering::SeqCst);
                if server.write_all(&asked[..length]).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if ends_with_answer || client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}
