//! What happens when the server is away, refuses, or is cut off.

use std::sync::Arc;

use ports::Fault;
use ports::blobs::{BlobName, Blobs};
use ports::suite::{APP, ManualClock, NOW};
use s3_store::{Credentials, S3Blobs, Settings};

use crate::relay::{Cut, Relay};
use crate::support::{self, list, object, read};

/// More than fits into the buffers of a connection.
const BYTES: usize = 8 << 20;

/// What connecting says when it fails.
async fn refusal(settings: &Settings) -> String {
    let clock = Arc::new(ManualClock::at(NOW));
    let Err(fault) = S3Blobs::connect(settings, clock).await else { unreachable!("{settings:?}") };
    assert!(matches!(fault, Fault::Unavailable(_)), "{fault}");
    fault.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_come_in_is_told_why_and_no_secret_is_said() {
    let (_, _, good) = support::store().await;
    let server = support::server();
    let wrong = |key: &str, secret: &str| Settings {
        credentials: Credentials::new(key.to_owned(), secret.to_owned()),
        ..good.clone()
    };
    let away = Settings { endpoint: "http://127.0.0.1:1".to_owned(), ..good.clone() };
    let no_tls = Settings { endpoint: format!("https://{}", server.host), ..good.clone() };
    let nowhere = Settings { bucket: "whimbrel-nowhere".to_owned(), ..good.clone() };
    let cases = [
        (wrong(&server.key, "wrong secret"), "access key"),
        (wrong("sesam", &server.secret), "access key"),
        (away, "does not answer"),
        (no_tls, "S3: "),
        (nowhere, "no such bucket"),
        (Settings { endpoint: "sesam".to_owned(), ..good.clone() }, "`endpoint`"),
    ];
    for (settings, words) in cases {
        let said = refusal(&settings).await;
        assert!(said.contains(words), "{words}: {said}");
        for hidden in [server.secret.as_str(), "wrong secret", "sesam", server.host.as_str(), "nowhere"] {
            assert!(!said.contains(hidden), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_connection_is_cut_is_not_there_or_is_whole() {
    let (straight, clock, settings) = support::store().await;
    let relay = Relay::new().await;
    let blobs = S3Blobs::connect(&relay.between(&settings), clock.clone()).await.unwrap();
    let large = vec![7; BYTES];
    let put = |name| blobs.put(BlobName(name), object(APP, NOW + 100, &large));

    // Connections that are there already are cut with the first bytes that pass.
    relay.cut(Cut::Up(1 << 20), u64::MAX);
    let fresh = S3Blobs::connect(&relay.between(&settings), clock.clone()).await.unwrap();
    let cut = fresh.put(BlobName(1), object(APP, NOW + 100, &large)).await;
    assert!(matches!(cut, Err(Fault::Unavailable(_))), "{cut:?}");
    assert_eq!(read(&straight, APP, 1).await, None);
    assert_eq!(list(&straight).await, []);

    // What was there stays there.
    straight.put(BlobName(1), object(APP, NOW + 50, b"former")).await.unwrap();
    let cut = fresh.put(BlobName(1), object(APP, NOW + 100, &large)).await;
    assert!(matches!(cut, Err(Fault::Unavailable(_))), "{cut:?}");
    assert_eq!(read(&straight, APP, 1).await.as_deref(), Some(&b"former"[..]));

    // One that is cut once is tried again.
    relay.cut(Cut::Up(1 << 20), 1);
    let before = relay.taken();
    let again = S3Blobs::connect(&relay.between(&settings), clock.clone()).await.unwrap();
    again.put(BlobName(2), object(APP, NOW + 100, &large)).await.unwrap();
    assert!(relay.taken() >= before + 2);
    put(3).await.unwrap();
    for name in [2, 3] {
        assert_eq!(read(&straight, APP, name).await.as_deref(), Some(&large[..]));
    }

    // Nothing is left of what did not come through but markers, and these go.
    clock.set(NOW + 100 + 3600);
    assert_eq!(straight.expire().await.unwrap(), 3);
    let census = straight.census().await.unwrap();
    assert_eq!((census.classes.len(), census.markers, census.unknown), (0, 0, 0), "{census:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_connection_is_cut_is_taken_up_again() {
    let (straight, clock, settings) = support::store().await;
    let large: Vec<u8> = (0..BYTES).map(|at| u8::try_from(at % 251).unwrap()).collect();
    straight.put(BlobName(1), object(APP, NOW + 100, &large)).await.unwrap();
    let relay = Relay::new().await;
    for connections in [1, u64::MAX] {
        relay.cut(Cut::Down(3 << 20), connections);
        let before = relay.taken();
        let blobs = S3Blobs::connect(&relay.between(&settings), clock.clone()).await.unwrap();
        let found = blobs.get(APP, BlobName(1)).await.unwrap().unwrap();
        assert!(found.bytes == large && relay.taken() >= before + 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_away_is_found_again() {
    let (_, clock, settings) = support::store().await;
    let relay = Relay::new().await;
    let blobs = S3Blobs::connect(&relay.between(&settings), clock).await.unwrap();
    blobs.put(BlobName(1), object(APP, NOW + 100, b"kept")).await.unwrap();
    relay.cut(Cut::Up(0), u64::MAX);
    relay.hang_up().await;
    for answer in [
        blobs.put(BlobName(2), object(APP, NOW + 100, b"lost")).await,
        blobs.get(APP, BlobName(1)).await.map(drop),
        blobs.list(APP, None, 1).await.map(drop),
        blobs.remove(APP, BlobName(1)).await,
        blobs.expire().await.map(drop),
    ] {
        assert!(matches!(answer, Err(Fault::Unavailable(_))), "{answer:?}");
    }
    relay.cut(Cut::Never, 0);
    assert_eq!(read(&blobs, APP, 1).await.as_deref(), Some(&b"kept"[..]));
    assert_eq!(list(&blobs).await.len(), 1);
}
