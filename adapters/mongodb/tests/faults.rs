//! What goes wrong: servers that are away or will not do, answers that are lost, connections that are cut.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O, and end by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use common::{connect, fresh_name, history, options, real_clock, send};
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb_store::{MongoStore, Options};
use ports::suite::{ALICE, BOB};
use ports::{Cursor, Fault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a fault of connecting says.
async fn refusal(options: Options) -> String {
    match MongoStore::connect(options).await {
        Err(Fault::Unavailable(said)) => said,
        Err(other) => unreachable!("{other}"),
        Ok(_) => unreachable!("it connected"),
    }
}

fn host() -> String {
    common::address().trim_start_matches("mongodb://").trim_end_matches('/').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_will_not_do_is_refused_and_nothing_of_it_is_said() {
    let host = host();
    for (address, why) in [
        ("no address with secret".to_owned(), "cannot be understood"),
        (format!("mongodb://alice:secret@{host}/?w=1"), "w=majority"),
        (format!("mongodb://alice:secret@{host}/?journal=false"), "w=majority"),
        ("mongodb://alice:secret@127.0.0.1:1/".to_owned(), "no primary answers"),
        (format!("mongodb://alice:secret@{host}/"), "MongoDB: "),
    ] {
        let said = refusal(Options { address, ..options(&fresh_name(), real_clock()) }).await;
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("secret") && !said.contains("alice") && !said.contains("127.0.0.1"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_keep_the_promise_is_refused_with_the_reason() {
    let said = refusal(Options { lone_server: false, ..options(&fresh_name(), real_clock()) }).await;
    assert!(said.contains("replica set"), "{said}");
    let name = fresh_name();
    let client = mongodb::Client::with_uri_str(common::address()).await.unwrap();
    let log = client.database(&name).collection::<Document>("log");
    // The index that keeps positions apart, made by somebody else and not unique.
    let named = IndexOptions::builder().name("position".to_owned()).build();
    let foreign = IndexModel::builder().keys(doc! { "c": 1, "p": 1 }).options(named).build();
    log.create_index(foreign).await.unwrap();
    assert!(!refusal(options(&name, real_clock())).await.is_empty());
}

/// Stands between the store and the server.
struct Relay {
    port: u16,
    /// So many insertions into the log reach the server while their answers are lost.
    lost: Arc<AtomicU32>,
    /// So many insertions into the log do not reach the server.
    cut: Arc<AtomicU32>,
    is_away: Arc<AtomicBool>,
}

fn take(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
}

impl Relay {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = Self { port, lost: Arc::default(), cut: Arc::default(), is_away: Arc::default() };
        let (lost, cut, is_away) =
            (Arc::clone(&relay.lost), Arc::clone(&relay.cut), Arc::clone(&relay.is_away));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if is_away.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(host()).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&lost), Arc::clone(&cut), Arc::clone(&is_away)));
            }
        });
        relay
    }

    async fn store(&self, name: &str) -> MongoStore {
        let address = format!("mongodb://127.0.0.1:{}/", self.port);
        MongoStore::connect(Options { address, ..options(name, real_clock()) }).await.unwrap()
    }
}

/// Passes on what both say, until one of them closes or something is to be lost.
async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    lost: Arc<AtomicU32>,
    cut: Arc<AtomicU32>,
    is_away: Arc<AtomicBool>,
) {
    const INSERTION: &[u8] = b"\x02insert\x00\x04\x00\x00\x00log\x00";
    let (mut asked, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut is_lost = false;
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let Ok(count @ 1..) = count else { return };
                if asked[..count].windows(INSERTION.len()).any(|part| part == INSERTION) {
                    if take(&cut) {
                        return;
                    }
                    is_lost |= take(&lost);
                }
                if server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
            }
            count = server.read(&mut answered) => {
                let Ok(count @ 1..) = count else { return };
                if is_lost || is_away.load(Ordering::SeqCst) || client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insertion_whose_answer_is_lost_is_found_and_answered_as_new_once() {
    let (relay, name, clock) = (Relay::start().await, fresh_name(), real_clock());
    let store = relay.store(&name).await;
    for number in 0..20 {
        let count = u32::from(number % 4 == 1);
        relay.lost.store(count, Ordering::SeqCst);
        relay.cut.store(u32::from(number % 4 == 3), Ordering::SeqCst);
        let sent = send(&store, clock.as_ref(), number).await.unwrap();
        assert!(sent.is_new, "{number}");
        assert_eq!(sent.position.0, u64::from(number) + 1);
    }
    let direct = connect(&name, clock.clone()).await;
    let page = history(&direct, BOB).await;
    let numbers: Vec<u32> = page.messages.iter().map(|found| found.message.sequence).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    assert_eq!(direct.stream_length().await, 20);
}

trait StreamLength {
    async fn stream_length(&self) -> usize;
}

impl StreamLength for MongoStore {
    async fn stream_length(&self) -> usize {
        use ports::Timeline as _;
        self.account_entries(ports::suite::APP, ALICE, Cursor(0), 100).await.unwrap().entries.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_calls_fail_in_bounded_time_and_afterwards_go_on() {
    let (relay, name, clock) = (Relay::start().await, fresh_name(), real_clock());
    let store = relay.store(&name).await;
    send(&store, clock.as_ref(), 1).await.unwrap();
    relay.is_away.store(true, Ordering::SeqCst);
    let store = Arc::new(store);
    let tasks: Vec<_> = (2..200)
        .map(|number| {
            let (store, clock) = (Arc::clone(&store), Arc::clone(&clock));
            tokio::spawn(async move { send(&store, clock.as_ref(), number).await })
        })
        .collect();
    for task in tasks {
        let fault = tokio::time::timeout(Duration::from_secs(60), task).await.unwrap().unwrap().unwrap_err();
        assert!(matches!(fault, Fault::Unavailable(_)), "{fault}");
        assert!(!fault.to_string().contains("127.0.0.1"), "{fault}");
    }
    relay.is_away.store(false, Ordering::SeqCst);
    for number in 1..200 {
        let sent = send(&store, clock.as_ref(), number).await.unwrap();
        assert!(number > 1 || !sent.is_new, "whether those before had landed or not");
    }
    let mut numbers: Vec<u32> =
        history(&store, BOB).await.messages.iter().map(|found| found.message.sequence).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..200).collect::<Vec<_>>());
}
