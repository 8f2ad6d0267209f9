//! Filling a server with varied messages, and searching ten of them among all.

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::member::{self, Desk, Member, Target};
use crate::histogram::{Histogram, Quantiles};
use crate::net::connection::Received;
use crate::wire::request::{Outgoing, unix_seconds};
use crate::wire::{frame, scan};

/// Accounts that write, search, and are written to.
const WRITERS: usize = 100;

/// Conversations of each of them.
const PEERS: usize = 10;

/// Messages of one account under way at once.
const IN_FLIGHT: usize = 32;

/// Words of a message.
const WORDS: u32 = 8;

/// What ten messages of every account hold, and no others: one to each of ten accounts, and ten to one account.
const NEEDLES: [&str; 2] = ["烤鸭店", "quarterly report"];

/// How many messages are to be found.
const HITS: u64 = 10;

/// Words to write with: the first ones come more often, as in any language.
const VOCABULARY: [&str; 40] = [
    "the",
    "to",
    "我们",
    "is",
    "明天",
    "you",
    "好的",
    "and",
    "会议",
    "时间",
    "we",
    "北京",
    "see",
    "今天",
    "ok",
    "没有",
    "meeting",
    "下午",
    "train",
    "知道",
    "电影",
    "dinner",
    "周末",
    "ticket",
    "朋友",
    "coffee",
    "上海",
    "project",
    "学校",
    "office",
    "地铁",
    "thanks",
    "工作",
    "document",
    "咖啡",
    "station",
    "图书馆",
    "weather",
    "飞机",
    "museum",
];

/// What to search in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Searching {
    /// Messages in all.
    pub(crate) messages: u64,
    /// Searches.
    pub(crate) searches: usize,
    /// Filling, reading behind it, and searching may take so long each.
    pub(crate) time_max: Duration,
}

/// What searching took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct SearchLatency {
    /// Messages that were searched.
    pub(crate) messages: u64,
    /// How long it took to write them, in seconds.
    pub(crate) fill_seconds: f64,
    /// How long after that all of them were found, in seconds.
    pub(crate) behind_seconds: f64,
    /// From the request's write to the complete answer.
    pub(crate) latency: Quantiles,
    /// Answers that did not hold the ten messages.
    pub(crate) wrong: u64,
}

/// Writes the messages; those that are to be found lie at even distances.
pub(crate) fn fill(target: &Target, searching: Searching) -> io::Result<Duration> {
    // Accounts that are written to are made by a login, and stay away.
    drop(member::log_in(target, WRITERS..WRITERS + PEERS)?);
    let mut members = member::log_in(target, 0..WRITERS)?;
    let mut desk = Desk::new();
    let started = Instant::now();
    let share = searching.messages / WRITERS as u64;
    let distance = (share / HITS).max(1);
    let mut written = 0;
    while written < share {
        if started.elapsed() > searching.time_max {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "filling took too long"));
        }
        let count = (share - written).min(IN_FLIGHT as u64);
        for member in &mut members {
            for number in written..written + count {
                let (receiver, needle) = planned(number, distance);
                let text = text(&mut desk, needle, number);
                write(member, &mut desk, receiver, number, &text);
            }
            member.connection.flush()?;
        }
        for member in &mut members {
            take_answers(member, &mut desk.scratch, count)?;
        }
        written += count;
    }
    Ok(started.elapsed())
}

/// Searches until everything is found, then as often as planned; each time ten messages among all.
pub(crate) fn run(target: &Target, searching: Searching) -> io::Result<SearchLatency> {
    let mut members = member::log_in(target, 0..WRITERS)?;
    let mut desk = Desk::new();
    let started = Instant::now();
    for (choice, member) in members.iter_mut().enumerate() {
        while !is_right(&search(member, &mut desk, choice % 2)?.1) {
            if started.elapsed() > searching.time_max {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "not everything was found in time"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let behind_seconds = started.elapsed().as_secs_f64();
    let (mut histogram, mut wrong) = (Histogram::new(), 0);
    let begin = Instant::now();
    for _ in 0..searching.searches {
        if begin.elapsed() > searching.time_max {
            break;
        }
        let choice = desk.composer.random() as usize;
        let member = &mut members[choice % WRITERS];
        let (took, answer) = search(member, &mut desk, choice / WRITERS % 2)?;
        histogram.record(took);
        wrong += u64::from(!is_right(&answer));
    }
    let messages = searching.messages;
    Ok(SearchLatency { messages, fill_seconds: 0.0, behind_seconds, latency: histogram.quantiles(), wrong })
}

fn search(member: &mut Member, desk: &mut Desk, needle: usize) -> io::Result<(Duration, serde_json::Value)> {
    let body = match needle {
        0 => serde_json::json!({"KeywordList": [NEEDLES[0]], "Count": 100}),
        _ => serde_json::json!({
            "KeywordList": [NEEDLES[1]], "Count": 100, "PeerAccount": member::user(WRITERS),
        }),
    };
    let body = body.to_string();
    let asked = Instant::now();
    member.post(desk, "message_search.query", &body)?;
    let frame = member.answer_frame(&mut desk.scratch)?;
    let took = asked.elapsed();
    Ok((took, serde_json::from_slice(&frame).map_err(io::Error::other)?))
}

/// Whether an answer holds ten messages and is complete.
fn is_right(answer: &serde_json::Value) -> bool {
    let body = &answer["body"];
    let conversations = body["ConversationMsgs"].as_array();
    let found: u64 = conversations.into_iter().flatten().filter_map(|found| found["Count"].as_u64()).sum();
    body["ErrorCode"] == 0 && body.get("Incomplete").is_none() && found == HITS
}

/// To whom a message goes, and what it holds that is to be found.
fn planned(number: u64, distance: u64) -> (usize, Option<usize>) {
    let part = usize::try_from(number / distance).unwrap_or(usize::MAX);
    let is_planned = part < PEERS;
    match number % distance {
        0 if is_planned => (part, Some(0)),
        1 if is_planned => (0, Some(1)),
        _ => (usize::try_from(number).unwrap_or(0) % PEERS, None),
    }
}

fn text(desk: &mut Desk, needle: Option<usize>, number: u64) -> String {
    let mut text = String::new();
    for _ in 0..WORDS {
        // The lower of two dice comes up more often than the higher.
        let dice = [desk.composer.random() as usize, desk.composer.random() as usize];
        let word = dice.map(|dice| dice % VOCABULARY.len()).into_iter().min().unwrap_or(0);
        text.push_str(VOCABULARY[word]);
        text.push(' ');
    }
    if let Some(needle) = needle.and_then(|needle| NEEDLES.get(needle)) {
        text.push_str(needle);
        text.push(' ');
    }
    text.push_str(&number.to_string());
    text
}

fn write(member: &mut Member, desk: &mut Desk, receiver: usize, number: u64, text: &str) {
    member.seq += 1;
    let to = member::user(WRITERS + receiver);
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let random = desk.composer.random();
    let message = Outgoing { to: &to, number, random, text };
    let out = member.connection.outgoing();
    desk.composer.message(out, &member.speaker, member.seq, message, unix_seconds());
}

fn take_answers(member: &mut Member, scratch: &mut [u8], mut missing: u64) -> io::Result<()> {
    while missing > 0 {
        let count = match member.connection.receive(scratch)? {
            Received::Bytes(count) => count,
            Received::Nothing => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer came in time"));
            }
            Received::Closed => return Err(io::Error::other("the server closed the connection")),
        };
        let mut at = 0;
        while let Some(found) = frame::locate(&mut scratch[at..count])? {
            let payload = &scratch[at..][found.payload.clone()];
            if let Some(glance) = scan::glance(payload).filter(|glance| glance.command == b"openim.sendmsg") {
                if glance.error != 0 {
                    return Err(io::Error::other(format!("a message was refused with {}", glance.error)));
                }
                missing = missing.saturating_sub(1);
            }
            at += found.payload.end;
        }
        member.connection.keep(&scratch[at..count]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_messages_hold_each_of_the_words() {
        let mut desk = Desk::new();
        let mut counts = [vec![0; PEERS], vec![0; PEERS]];
        for number in 0..10_000 {
            let (receiver, needle) = planned(number, 1000);
            let text = text(&mut desk, needle, number);
            for (word, counts) in NEEDLES.iter().zip(&mut counts) {
                counts[receiver] += u64::from(text.contains(word));
            }
            assert!(!text.contains(['"', '\\']));
        }
        assert_eq!(counts[0], [1; PEERS]);
        assert_eq!((counts[1][0], counts[1].iter().sum::<u64>()), (HITS, HITS));
    }

    #[test]
    fn an_answer_is_right_if_it_is_complete_and_holds_all() {
        let answer = |body: serde_json::Value| is_right(&serde_json::json!({"body": body}));
        let found = |counts: &[u64]| -> serde_json::Value {
            counts.iter().map(|count| serde_json::json!({"Count": count})).collect()
        };
        assert!(answer(serde_json::json!({"ErrorCode": 0, "ConversationMsgs": found(&[1; 10])})));
        assert!(answer(serde_json::json!({"ErrorCode": 0, "ConversationMsgs": found(&[10])})));
        for wrong in [
            serde_json::json!({"ErrorCode": 0, "ConversationMsgs": found(&[1; 9])}),
            serde_json::json!({"ErrorCode": 0, "ConversationMsgs": found(&[1; 10]), "Incomplete": 1}),
            serde_json::json!({"ErrorCode": 60020}),
        ] {
            assert!(!answer(wrong));
        }
    }
}
