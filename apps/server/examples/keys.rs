//! What keys cost: sealing for one author and for a million, beside 100,000 recalls and the change of generation that
//! destroys them. Run it with `cargo run --release -p server --example keys`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads the clock, uses threads, and tells what it found"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use embedded::{FolderVault, VaultOptions};
use model::message::Content;
use model::{AccountNumber, ConversationId, Expiry, SdkAppId, Seconds};
use promise::keys::{Destroyed, Expected, Keyring, Place};

const APP: SdkAppId = SdkAppId(1_400_000_001);
const NOW: u32 = 1_795_000_000;
const AUTHORS: u64 = 1_000_000;
const RECALLS: u64 = 100_000;
const SEALS: u64 = 1_000_000;

/// Dice that never show the same twice.
struct Dice(AtomicU64);

impl ports::Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let throw = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&throw.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Seals by authors in turn; the time of each in nanoseconds, sorted.
fn seal(ring: &Keyring, authors: u64, is_over: impl Fn(u64) -> bool) -> Vec<u64> {
    let content = Content { body: vec![b'x'; 200].into(), ..Content::default() };
    let mut nanos = Vec::new();
    let mut number = 0_u64;
    while !is_over(number) {
        // Scattered, so that no cache of authors helps.
        let author = AccountNumber(AccountNumber::BASE + number.wrapping_mul(0x9e37_79b1) % authors);
        let conversation = ConversationId::between(author, AccountNumber(AccountNumber::BASE));
        let place = Place::message(APP, conversation, author);
        let now = Seconds(NOW + u32::try_from(number / 50_000).unwrap());
        let began = Instant::now();
        ring.seal(place, now, Expiry::At(now.plus(7 * 86_400)), &content).unwrap();
        nanos.push(u64::try_from(began.elapsed().as_nanos()).unwrap());
        number += 1;
    }
    nanos.sort_unstable();
    nanos
}

fn tell(what: &str, nanos: &[u64]) {
    let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
    let mean = nanos.iter().sum::<u64>() as f64 / nanos.len() as f64 / 1000.0;
    println!(
        "{what}: mean {mean:.2} us, median {:.2}, p99 {:.2}, p99.99 {:.2}, most {:.1} us over {} seals",
        at(0.5),
        at(0.99),
        at(0.9999),
        at(1.0),
        nanos.len()
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let dice = Arc::new(Dice(AtomicU64::new(1)));
    let keys = folder.path().join("keys");
    let options = VaultOptions { folder: keys.clone(), mirror: None, outer_key: None, random: dice.clone() };
    let vault = Arc::new(FolderVault::open(options).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let expected = Expected { id: [1; 16], generation: None, next_index: 0 };
    let ring = Arc::new(runtime.block_on(Keyring::open(vault, dice.as_ref(), expected)).unwrap());
    tell("one author", &seal(&ring, 1, |number| number == SEALS));
    tell("a million authors", &seal(&ring, AUTHORS, |number| number == SEALS));
    println!("seeds after {} seals: {}", 2 * SEALS, ring.seeds());
    let bucket = u16::try_from((NOW + 7 * 86_400).div_ceil(86_400)).unwrap();
    let recalled: Vec<Destroyed> =
        (0..RECALLS).map(|index| Destroyed::Content { bucket, index: index * 17 }).collect();
    let began = Instant::now();
    runtime.block_on(ring.doom(&recalled)).unwrap();
    println!("noting {RECALLS} recalls: {:.1} ms", began.elapsed().as_secs_f64() * 1000.0);
    let is_done = Arc::new(AtomicBool::new(false));
    let other = (Arc::clone(&ring), Arc::clone(&is_done));
    let sealer = std::thread::spawn(move || seal(&other.0, AUTHORS, |_| other.1.load(Ordering::Acquire)));
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    runtime.block_on(ring.destroy(&recalled)).unwrap();
    let change = began.elapsed();
    is_done.store(true, Ordering::Release);
    tell("beside the change of generation", &sealer.join().unwrap());
    let bytes = std::fs::metadata(keys.join("ring.0")).unwrap().len();
    println!(
        "the change took {:.2} s; seeds {}, {:.1} MB, {} bytes a recall",
        change.as_secs_f64(),
        ring.seeds(),
        bytes as f64 / 1e6,
        bytes / RECALLS
    );
    tell("after it", &seal(&ring, AUTHORS, |number| number == SEALS));
    let began = Instant::now();
    runtime.block_on(ring.destroy(&[Destroyed::Before(bucket + 1)])).unwrap();
    println!("once their day is over: seeds {}, after {:.2} s", ring.seeds(), began.elapsed().as_secs_f64());
}
