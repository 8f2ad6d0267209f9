//! A real HAProxy in front, with the configuration that is delivered.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde_json::json;
use support::{Client, Options, PATIENCE, World, soon, text};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};

/// HAProxy with the delivered file, for one node. Killed when it is dropped.
struct Balancer {
    address: SocketAddr,
    _process: Child,
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Balancer {
    async fn start(folder: &Path, node: SocketAddr) -> Self {
        let balancer = Self::start_with(folder, node, "yes").await;
        balancer.wait_for(200).await;
        balancer
    }

    async fn start_with(folder: &Path, node: SocketAddr, plain: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["chat.example.com".to_owned()]).unwrap();
        let certificate = folder.join("haproxy.pem");
        std::fs::write(&certificate, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
        let (address, tls) = (free_address(), free_address());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/haproxy.cfg");
        // Only root can become another account.
        let text_of = std::fs::read_to_string(file).unwrap();
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, text_of.replace("    user haproxy\n    group haproxy\n", "")).unwrap();
        // Debian has it where only root's path leads.
        let mut places = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].into_iter();
        let program = places.find(|path| Path::new(path).exists()).unwrap_or("haproxy");
        let process = Command::new(program)
            .args(["-db", "-f", text(&file)])
            .env("WHIMBREL_PLAIN", plain)
            .env("WHIMBREL_BIND", address.to_string())
            .env("WHIMBREL_BIND_TLS", tls.to_string())
            .env("WHIMBREL_CERTIFICATE", text(&certificate))
            .env("WHIMBREL_NODE_1", node.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("HAProxy (Debian's package haproxy); cargo xtask test installs it");
        Self { address, _process: process }
    }

    /// What a request for the node's state is answered with.
    async fn status(&self) -> Option<u16> {
        drop(TcpStream::connect(self.address).await.ok()?);
        Some(support::rest::exchange(self.address, "GET", "/readyz", "", b"").await.0)
    }

    async fn wait_for(&self, status: u16) {
        let began = Instant::now();
        while self.status().await != Some(status) {
            assert!(began.elapsed() < PATIENCE, "HAProxy does not answer {status}");
            tokio::task::yield_now().await;
        }
    }
}

/// A connection that comes from another address of this machine.
async fn from(source: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse::<IpAddr>().unwrap(), 0)).unwrap();
    soon("connecting", socket.connect(to)).await.unwrap()
}

async fn world() -> World {
    World::with(Options::config(
        "[server]\nproxies = [\"127.0.0.1\"]\ndrain_seconds = 1\nnotice_seconds = 2\n",
    ))
    .await
}

#[tokio::test]
async fn the_request_log_names_the_client_and_not_the_balancer() {
    let world = world().await;
    let balancer = Balancer::start(world.server.folder().path(), world.server.address()).await;
    let imported = json!({"Accounts": ["alice", "bob"]});
    let command = "im_open_login_svc/multiaccount_import";
    let answer = support::rest::call(balancer.address, &world.app, command, &imported).await;
    assert_eq!(answer["ErrorCode"], 0, "{answer}");
    let stream = from("127.0.0.9", balancer.address).await;
    let identity = support::socket::Identity {
        app: world.app.id,
        user: "alice".to_owned(),
        signature: world.app.sign("alice"),
        client: "a-client".to_owned(),
        ..Default::default()
    };
    let mut alice = Client::over(stream, balancer.address, identity).await;
    assert_eq!(support::code(&alice.enter().await), 0);
    let message = json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}]});
    assert_eq!(support::code(&alice.request("openim.sendmsg", &message).await), 0);
    // Connections from elsewhere are taken as they are.
    let stream = from("127.0.0.10", world.server.address()).await;
    drop(stream);
    let data = world.server.data();
    let app = world.app.id.to_string();
    let began = Instant::now();
    loop {
        let log = support::run_well(&["logs", "--data", text(&data), "--sdkappid", &app, "--limit", "100"]);
        if log.lines().any(|line| line.contains("127.0.0.9") && line.contains("openim/sendmsg")) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{log}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_claims_to_be_the_balancer_and_says_nothing_is_not_served() {
    let world = World::with(Options::config("[server]\nproxies = [\"127.0.0.0/8\"]\n")).await;
    let request = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = support::rest::raw(world.server.address(), request).await;
    assert!(answer.is_empty(), "{answer:?}");
    let said = [b"PROXY TCP4 203.0.113.7 127.0.0.1 1000 80\r\n", &request[..]].concat();
    let answer = support::rest::raw(world.server.address(), &said).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn nobody_is_served_in_the_open_unless_that_is_asked_for() {
    let world = world().await;
    let balancer = Balancer::start_with(world.server.folder().path(), world.server.address(), "no").await;
    balancer.wait_for(308).await;
}

#[tokio::test]
async fn a_node_that_drains_says_so_and_gets_nothing_new() {
    let mut world = world().await;
    let folder = world.server.folder();
    let balancer = Balancer::start(folder.path(), world.server.address()).await;
    world.server.signal(rustix::process::Signal::TERM);
    // It says so itself before it goes, and takes what comes until then.
    let own =
        [b"PROXY UNKNOWN\r\n".as_slice(), b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
            .concat();
    let began = Instant::now();
    loop {
        let answer = support::rest::raw(world.server.address(), &own).await;
        if answer.starts_with(b"HTTP/1.1 503") {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
    }
    balancer.wait_for(503).await;
    assert!(world.server.ended().await.success());
    let metrics = support::rest::exchange(balancer.address, "GET", "/metrics", "", b"").await;
    assert_eq!(metrics.0, 404, "what nodes tell about themselves is not for clients");
}
