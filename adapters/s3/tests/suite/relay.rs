//! A wire to the server that can be cut.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use s3_store::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How many bytes of a connection pass in each direction; then it is cut.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    /// All of them.
    Never,
    /// So many to the server.
    Up(u64),
    /// So many from it.
    Down(u64),
}

/// Listens on a port of its own, and hands everything on.
pub(crate) struct Relay {
    address: String,
    /// Connections that were taken.
    taken: Arc<AtomicU64>,
    /// Those that are there.
    open: Arc<AtomicU64>,
    /// How the next connections are cut, and how many of them.
    cut: Arc<Mutex<(Cut, u64)>>,
    /// Ends all that are there.
    end: watch::Sender<()>,
}

impl Relay {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cut = Arc::new(Mutex::new((Cut::Never, 0)));
        let (taken, open) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (end, ended) = watch::channel(());
        let relay = Self { address, taken: taken.clone(), open: open.clone(), cut: cut.clone(), end };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                taken.fetch_add(1, Ordering::SeqCst);
                let cut = {
                    let mut rule = cut.lock().unwrap();
                    let (cut, left) = *rule;
                    rule.1 = left.saturating_sub(1);
                    if left > 0 { cut } else { Cut::Never }
                };
                open.fetch_add(1, Ordering::SeqCst);
                let (mut ended, open) = (ended.clone(), open.clone());
                ended.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = hand_on(client, cut) => {}
                        _ = ended.changed() => {}
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        relay
    }

    /// Cuts the next connections, so many of them.
    pub(crate) fn cut(&self, cut: Cut, connections: u64) {
        *self.cut.lock().unwrap() = (cut, connections);
    }

    /// Ends all connections that are there.
    pub(crate) async fn hang_up(&self) {
        self.end.send_replace(());
        while self.open.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Connections that were made.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }

    /// The settings with this wire between.
    pub(crate) fn between(&self, settings: &Settings) -> Settings {
        Settings { endpoint: format!("http://{}", self.address), ..settings.clone() }
    }
}

async fn hand_on(client: TcpStream, cut: Cut) {
    let Ok(server) = TcpStream::connect(crate::support::server().host).await else { return };
    let (up, down) = match cut {
        Cut::Never => (u64::MAX, u64::MAX),
        Cut::Up(bytes) => (bytes, u64::MAX),
        Cut::Down(bytes) => (u64::MAX, bytes),
    };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    // Whichever direction ends first ends both.
    tokio::select! {
        () = copy(&mut from_client, &mut to_server, up) => {}
        () = copy(&mut from_server, &mut to_client, down) => {}
    }
}

async fn copy(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    mut left: u64,
) {
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
        left = left.saturating_sub(u64::try_from(length).unwrap());
    }
}
