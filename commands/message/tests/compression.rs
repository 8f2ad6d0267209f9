//! Frames that are compressed: for clients that say so, from a length on, and from them within limits.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;
use testkit::{Client, Device, Heard, Options, World, text};

/// A browser that can inflate, as the SDK in every browser can.
fn inflating() -> Device {
    Device { inflates: true, ..Device::WEB }
}

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

fn page() -> serde_json::Value {
    json!({"Peer_Account": "alice", "MaxCnt": 100, "GetDirection": 0})
}

/// How many of the frames with a long history and a long push came compressed.
async fn inflated(world: &World, bob: &mut Client) -> usize {
    let before = bob.inflated;
    let found = bob.call("openim.getroammsg", page()).await.ok();
    assert_eq!(found.list("MsgList").len(), 20);
    world.send("alice", "bob", &"again and again ".repeat(400)).await;
    let pushed = bob.pushed().await.item("C2cMsgArray")[0]["MsgBody"].clone();
    assert_eq!(pushed, text(&"again and again ".repeat(400)));
    bob.inflated - before
}

#[tokio::test(start_paused = true)]
async fn long_answers_and_pushes_are_compressed_for_who_says_so_and_short_ones_for_nobody() {
    for (device, expected) in
        [(inflating(), 2), (Device::WEB, 0), (Device { is_text: true, ..inflating() }, 0)]
    {
        let world = world().await;
        for number in 0..20 {
            world.send("alice", "bob", &format!("message number {number} {}", "of many ".repeat(20))).await;
        }
        let mut bob = world.login_on("bob", device.clone()).await;
        let mut second = world.login_on("bob", device.clone()).await;
        assert_eq!(inflated(&world, &mut bob).await, expected, "{device:?}");
        second.pushed().await;
        assert_eq!(second.inflated, expected / 2, "{device:?}");
        world.send("alice", "bob", "short").await;
        bob.pushed().await;
        assert_eq!(bob.inflated, expected, "{device:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn compression_can_be_switched_off() {
    let mut options = Options::of(message::commands);
    options.limits.compress_bytes_min = 0;
    let world = World::with(options).await;
    world.accounts(&["alice", "bob"]).await;
    for number in 0..20 {
        world.send("alice", "bob", &format!("message number {number} {}", "of many ".repeat(20))).await;
    }
    let mut bob = world.login_on("bob", inflating()).await;
    assert_eq!(inflated(&world, &mut bob).await, 0);
}

fn gzip(frame: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(b"COMP".to_vec(), Compression::default());
    encoder.write_all(frame).unwrap();
    encoder.finish().unwrap()
}

fn zlib(frame: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(b"COMP".to_vec(), Compression::default());
    encoder.write_all(frame).unwrap();
    encoder.finish().unwrap()
}

/// A request for a page of history as a frame.
fn request(client: &Client, seq: u64) -> Vec<u8> {
    let head =
        json!({"servcmd": "openim.getroammsg", "seq": seq, "sdkappid": client.app, "a2": client.token});
    json!({"head": head, "body": page()}).to_string().into_bytes()
}

#[tokio::test(start_paused = true)]
async fn a_client_may_compress_and_is_answered_but_not_with_more_than_a_frame_may_say() {
    let world = world().await;
    for device in [inflating(), Device::WEB] {
        let mut bob = world.login_on("bob", device).await;
        for (seq, pack) in [(7_000, gzip as fn(&[u8]) -> Vec<u8>), (7_001, zlib)] {
            bob.send_raw(pack(&request(&bob, seq))).await;
            bob.answer_or_end("openim.getroammsg", seq).await.unwrap().ok();
        }
        let spaces = b" ".repeat(2 << 20);
        let mut long = request(&bob, 7_002);
        long.extend_from_slice(&spaces);
        let whole = gzip(&request(&bob, 7_003));
        for bad in [gzip(&long), zlib(&long), whole[..whole.len() - 1].to_vec(), b"COMP".to_vec()] {
            bob.send_raw(bad).await;
            let Heard::Frame(refused) = bob.hear(std::time::Duration::from_secs(1)).await else {
                unreachable!("the connection goes on")
            };
            assert_eq!((&refused["head"]["seq"], &refused["body"]["ErrorCode"]), (&json!(0), &json!(60003)));
        }
        bob.call("openim.getroammsg", page()).await.ok();
    }
}
