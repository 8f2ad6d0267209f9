//! What a client may send, and what ends its connection; the other side is written byte by byte.

use std::future::poll_fn;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::*;

const MESSAGE_BYTES_MAX: usize = 200_000;

fn pair() -> (DuplexStream, WebSocket<DuplexStream>) {
    let (client, server) = tokio::io::duplex(1 << 20);
    (client, WebSocket::new(server, Vec::new(), MESSAGE_BYTES_MAX))
}

/// A frame as a client sends it: its first byte, then the masked payload.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x5a, 0x00, 0xff, 0x13];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        middle @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The next whole message, or how reading ends.
async fn hear(socket: &mut WebSocket<DuplexStream>) -> Result<Vec<u8>, Ended> {
    loop {
        if let Heard::Message(place) = poll_fn(|cx| socket.poll_heard(cx)).await? {
            return Ok(socket.message(&place).to_vec());
        }
    }
}

async fn written(socket: &mut WebSocket<DuplexStream>, client: &mut DuplexStream) -> Vec<u8> {
    poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
    let mut bytes = vec![0; 4096];
    let count = client.read(&mut bytes).await.unwrap();
    bytes.truncate(count);
    bytes
}

#[tokio::test]
async fn messages_of_every_length_arrive_whole_however_they_are_cut() {
    for length in [0, 1, 3, 125, 126, 127, 5_000, 65_535, 65_536, MESSAGE_BYTES_MAX] {
        let payload: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        let (mut client, mut socket) = pair();
        let bytes = [frame(0x82, &payload), frame(0x82, b"next")].concat();
        let write = async {
            for piece in bytes.chunks(997) {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let read = async {
            assert_eq!(hear(&mut socket).await.unwrap(), payload, "{length}");
            assert_eq!(hear(&mut socket).await.unwrap(), b"next");
        };
        tokio::join!(write, read);
        drop(client);
        assert_eq!(hear(&mut socket).await, Err(Ended::Gone));
    }
}

#[tokio::test]
async fn a_message_may_come_in_parts_with_pings_between() {
    let (mut client, mut socket) = pair();
    let parts =
        [frame(0x01, "gr\u{fc}".as_bytes()), frame(0x89, b"there?"), frame(0x00, b""), frame(0x80, b"n")];
    for byte in parts.concat() {
        client.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(hear(&mut socket).await.unwrap(), "gr\u{fc}n".as_bytes());
    assert_eq!(written(&mut socket, &mut client).await, b"\x8a\x06there?");
}

#[tokio::test]
async fn a_connection_that_breaks_the_protocol_is_told_why_and_ends() {
    let mut huge = frame(0x82, b"");
    huge.splice(1..2, [0x80 | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("without a mask", b"\x82\x01a".to_vec(), 1002),
        ("a reserved bit", frame(0xc2, b"a"), 1002),
        ("a reserved opcode", frame(0x83, b"a"), 1002),
        ("a reserved control opcode", frame(0x8b, b"a"), 1002),
        ("a continuation of nothing", frame(0x80, b"a"), 1002),
        ("a message inside another", [frame(0x02, b"a"), frame(0x82, b"b")].concat(), 1002),
        ("a ping in parts", frame(0x09, b"a"), 1002),
        ("a long ping", frame(0x89, &[0; 126]), 1002),
        ("a text that is none", frame(0x81, b"\xff"), 1007),
        ("a message one byte too long", frame(0x82, &vec![0; MESSAGE_BYTES_MAX + 1]), 1009),
        (
            "parts that are too long together",
            [frame(0x02, &vec![0; MESSAGE_BYTES_MAX]), frame(0x80, b"a")].concat(),
            1009,
        ),
        ("the greatest length", huge, 1009),
        ("goodbye", frame(0x88, &4000_u16.to_be_bytes()), 4000),
        ("goodbye without a word", frame(0x88, b""), 1000),
        ("goodbye with half a code", frame(0x88, b"a"), 1002),
        ("goodbye with a code that means nothing", frame(0x88, &1005_u16.to_be_bytes()), 1002),
    ];
    for (what, bytes, code) in cases {
        let (mut client, mut socket) = pair();
        client.write_all(&bytes).await.unwrap();
        assert_eq!(hear(&mut socket).await, Err(Ended::Closed(CloseCode::from(code))), "{what}");
        socket.close(CloseCode::from(code), "");
        let answer = written(&mut socket, &mut client).await;
        assert_eq!(answer, [&[0x88, 2], &code.to_be_bytes()[..]].concat(), "{what}");
    }
    // A header alone promises much and costs nothing.
    let (mut client, mut socket) = pair();
    client.write_all(&frame(0x82, &vec![0; MESSAGE_BYTES_MAX])[..14]).await.unwrap();
    let polled = poll_fn(|cx| Poll::Ready(socket.poll_heard(cx))).await;
    assert!(polled.is_pending());
    assert!(socket.incoming.capacity() <= 2 * READ_BYTES);
}

#[tokio::test]
async fn nothing_is_held_while_nothing_is_on_its_way() {
    let (mut client, mut socket) = pair();
    client.write_all(&frame(0x82, b"hello")).await.unwrap();
    hear(&mut socket).await.unwrap();
    socket.send(b"hello yourself", true);
    assert_eq!(socket.unwritten(), 16);
    assert_eq!(written(&mut socket, &mut client).await, b"\x81\x0ehello yourself");
    assert!(poll_fn(|cx| Poll::Ready(socket.poll_heard(cx))).await.is_pending());
    assert_eq!((socket.incoming.capacity(), socket.outgoing.capacity(), socket.unwritten()), (0, 0, 0));
}
