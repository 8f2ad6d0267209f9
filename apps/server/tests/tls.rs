//! TLS in the server itself: what clients are shown, and that a new certificate needs no restart.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use support::{Options, PATIENCE, Server, soon, text};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const NAME: &str = "chat.example.com";

/// Writes a new certificate and its key; what a client has to trust.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

fn config(folder: &Path) -> String {
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
    let (certificate, key) = (text(&certificate), text(&key));
    format!("[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n")
}

/// One request of a client that trusts this certificate alone; `None` if it does not trust the server.
async fn ask(address: SocketAddr, trusted: &CertificateDer<'static>, request: &str) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = soon("connecting", TcpStream::connect(address)).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let mut stream =
        soon("shaking hands", TlsConnector::from(Arc::new(config)).connect(name, stream)).await.ok()?;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = soon("an answer", stream.read(&mut answer)).await.unwrap();
    Some(String::from_utf8_lossy(&answer[..read]).into_owned())
}

const READY: &str = "GET /readyz HTTP/1.1\r\nHost: chat.example.com\r\n\r\n";

#[tokio::test]
async fn clients_come_in_by_tls_and_a_new_certificate_is_shown_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = certify(folder.path());
    let server = Server::start(Options::config(&config(folder.path()))).await;
    let address = server.tls_address().unwrap();
    assert!(ask(address, &first, READY).await.unwrap().starts_with("HTTP/1.1 200"));
    let upgrade = "GET /binfo?sdkappid=1400000001&instanceid=x&random=0.5&platform=7&host=unknown&version=-1&sdkversion=3.6.6 \
        HTTP/1.1\r\nHost: chat.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    assert!(ask(address, &first, upgrade).await.unwrap().starts_with("HTTP/1.1 101"));
    // Both places serve the same.
    let plain = support::rest::exchange(server.address(), "GET", "/readyz", "", b"").await;
    assert_eq!(plain.0, 200);
    // A file that cannot be used changes nothing.
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    server.signal(Signal::HUP);
    let began = std::time::Instant::now();
    while !server.log().contains("the new certificate cannot be used") {
        assert!(began.elapsed() < PATIENCE, "{}", server.log());
        tokio::task::yield_now().await;
    }
    assert!(ask(address, &first, READY).await.is_some());
    let second = certify(folder.path());
    server.signal(Signal::HUP);
    while ask(address, &second, READY).await.is_none() {
        assert!(began.elapsed() < PATIENCE * 2, "{}", server.log());
    }
    assert!(ask(address, &first, READY).await.is_none(), "the former one is not shown any more");
    assert!(!server.log().contains("PRIVATE KEY"), "{}", server.log());
}

#[tokio::test]
async fn whoever_speaks_no_tls_there_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let server = Server::start(Options::config(&config(folder.path()))).await;
    let answer = support::rest::raw(server.tls_address().unwrap(), READY.as_bytes()).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_server_without_a_certificate_is_not_ended_by_being_told_to_read_it_again() {
    let server = Server::start(Options::default()).await;
    server.signal(Signal::HUP);
    for _ in 0..10 {
        assert_eq!(support::rest::exchange(server.address(), "GET", "/readyz", "", b"").await.0, 200);
    }
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("whimbrel.toml"));
    let refused = |config: &str, says: &str| {
        std::fs::write(&file, config).unwrap();
        let words = ["serve", "--data", text(&data), "--listen", "127.0.0.1:0", "--config", text(&file)];
        let output = support::run(&words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(says), "{says}: {errors}");
    };
    refused("[tls]\nlisten = \"127.0.0.1:0\"\n", "tls.certificate: missing");
    refused("[tls]\nlisten = \"here\"\n", "tls.listen");
    refused(&config(folder.path()), "certificate.pem");
    certify(folder.path());
    std::fs::write(folder.path().join("certificate.pem"), "").unwrap();
    refused(&config(folder.path()), "no certificate in it");
    certify(folder.path());
    let key = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
    certify(folder.path());
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    refused(&config(folder.path()), "key.pem");
    refused("[server]\nproxies = [\"somewhere\"]\n", "server.proxies");
}
