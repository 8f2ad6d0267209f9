//! Reading pages of old messages, one at a time.

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::member::{self, Desk, Member, Target};
use super::traffic::Pattern;
use crate::histogram::{Histogram, Quantiles};

/// Messages of a page.
const PAGE_MESSAGES: usize = 20;

/// What to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Accounts that the store was filled with.
    pub(crate) accounts: usize,
    /// How they were paired.
    pub(crate) pattern: Pattern,
    /// Accounts that read, spread evenly over all.
    pub(crate) readers: usize,
    /// Pages to read in all.
    pub(crate) pages: usize,
    /// Reading ends then, however many pages there were.
    pub(crate) time_max: Duration,
}

/// What reading took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct PageLatency {
    /// From the request's write to the complete answer.
    pub(crate) latency: Quantiles,
    /// Pages that held 20 messages.
    pub(crate) full: u64,
    /// Pages with fewer.
    pub(crate) short: u64,
    /// Answers with an error code.
    pub(crate) refused: u64,
}

/// Reads the newest page of random conversations and the page before it, in turn.
pub(crate) fn run(target: &Target, reading: &Reading) -> io::Result<PageLatency> {
    let step = (reading.accounts / reading.readers.max(1)).max(1);
    let mut readers: Vec<(usize, Member)> = Vec::new();
    for index in (0..reading.accounts).step_by(step).take(reading.readers) {
        readers.extend(member::log_in(target, index..index + 1)?.pop().map(|member| (index, member)));
    }
    let (mut desk, mut histogram, mut result) = (Desk::new(), Histogram::new(), PageLatency::default());
    let end = Instant::now() + reading.time_max;
    let mut read = 0;
    while read < reading.pages && Instant::now() < end && !readers.is_empty() {
        let choice = desk.composer.random() as usize % readers.len();
        let turn = u64::from(desk.composer.random());
        let (index, member) = &mut readers[choice];
        let peer = member::user(reading.pattern.receiver(*index, reading.accounts, turn));
        let mut from = (0, String::new());
        for _ in 0..2 {
            let body = serde_json::json!({
                "Peer_Account": peer, "MaxCnt": PAGE_MESSAGES, "LastMsgTime": from.0, "MsgKey": from.1,
                "WithRecalledMsg": 1, "GetDirection": 0,
            });
            let body = body.to_string();
            let asked = Instant::now();
            member.post(&mut desk, "openim.getroammsg", &body)?;
            let frame = member.answer_frame(&mut desk.scratch)?;
            histogram.record(asked.elapsed());
            read += 1;
            match result.take(&frame)? {
                Some(next) => from = next,
                None => break,
            }
        }
    }
    result.latency = histogram.quantiles();
    Ok(result)
}

impl PageLatency {
    /// Counts an answer; says where the page before it begins, if there is one.
    fn take(&mut self, frame: &[u8]) -> io::Result<Option<(u64, String)>> {
        let answer: serde_json::Value = serde_json::from_slice(frame).map_err(io::Error::other)?;
        let body = &answer["body"];
        if body["ErrorCode"].as_i64().unwrap_or(0) != 0 {
            self.refused += 1;
            return Ok(None);
        }
        if body["MsgList"].as_array().is_some_and(|messages| messages.len() == PAGE_MESSAGES) {
            self.full += 1;
        } else {
            self.short += 1;
        }
        let time = body["LastMsgTime"].as_u64();
        let key = body["MsgKey"].as_str();
        let is_complete = body["Complete"].as_i64() == Some(1);
        Ok(time.zip(key).filter(|_| !is_complete).map(|(time, key)| (time, key.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_only_asked_for_when_there_is_one() {
        let mut result = PageLatency::default();
        let more = br#"{"body":{"MsgList":[],"Complete":0,"LastMsgTime":7,"MsgKey":"1_2_7"}}"#;
        assert_eq!(result.take(more).unwrap(), Some((7, "1_2_7".to_owned())));
        let last = br#"{"body":{"MsgList":[],"Complete":1,"LastMsgTime":7,"MsgKey":"1_2_7"}}"#;
        assert_eq!(result.take(last).unwrap(), None);
        let refused = br#"{"body":{"ErrorCode":20002}}"#;
        assert_eq!(result.take(refused).unwrap(), None);
        assert_eq!((result.short, result.refused), (2, 1));
    }
}
