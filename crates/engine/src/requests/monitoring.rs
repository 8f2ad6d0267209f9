//! Success and delay of each app and command by the minute. Nothing here can hold an account.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use model::{DataClass, Result, SdkAppId, Seconds};
use ports::segments::{BlockPlace, SegmentId};
use promise::MONITORING_DAYS;
use serde::{Deserialize, Serialize};

use super::Requests;
use crate::Engine;

/// Points in one answer at most: the oldest. Asking again from the minute of the last one on gives those after it.
pub const POINTS_MAX: usize = 10_000;

/// Blocks read at once.
const BLOCKS_AT_ONCE: usize = 128;

/// What was counted of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    succeeded: u64,
    failed: u64,
    micros: u64,
}

impl Counts {
    fn merge(&mut self, other: Self) {
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.failed = self.failed.saturating_add(other.failed);
        self.micros = self.micros.saturating_add(other.micros);
    }
}

/// The counts of a minute, by the names of commands: of those that the server has, and so of nothing else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Minute(Vec<(Cow<'static, str>, Counts)>);

impl Minute {
    pub(super) fn count(&mut self, command: &'static str, is_ok: bool, micros: u64) {
        // A few commands make up nearly all requests, and come first in the list.
        let place = self.0.iter().position(|(known, _)| known == command).unwrap_or_else(|| {
            self.0.push((Cow::Borrowed(command), Counts::default()));
            self.0.len() - 1
        });
        let Some((_, counts)) = self.0.get_mut(place) else { return };
        *(if is_ok { &mut counts.succeeded } else { &mut counts.failed }) += 1;
        counts.micros = counts.micros.saturating_add(micros);
    }

    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        for (command, counts) in other.0 {
            match self.0.iter_mut().find(|(known, _)| *known == command) {
                Some((_, known)) => known.merge(counts),
                None => self.0.push((command, counts)),
            }
        }
    }
}

/// A minute of an app as it is written. There may be several of one minute.
#[derive(Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) minute: u32,
    pub(super) counts: Minute,
}

/// A point of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The first second of the minute.
    pub minute: Seconds,
    /// Which command.
    pub command: String,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Calls that failed.
    pub failed: u64,
    /// How long they took on average, in microseconds.
    pub mean_micros: u64,
}

/// Which points.
#[derive(Clone, Debug)]
pub struct PointsQuery {
    /// From the minute of this second on.
    pub since: Seconds,
    /// Up to and with the minute of this second.
    pub until: Seconds,
    /// Of one command only.
    pub command: Option<String>,
}

/// What was found so far.
struct Found<'a> {
    query: &'a PointsQuery,
    minutes: RangeInclusive<u32>,
    counts: BTreeMap<(u32, String), Counts>,
}

impl Found<'_> {
    fn add(&mut self, minute: u32, counts: &Minute) {
        if !self.minutes.contains(&minute) {
            return;
        }
        for (command, counts) in &counts.0 {
            if self.query.command.as_ref().is_none_or(|wanted| wanted == command) {
                self.counts.entry((minute, command.to_string())).or_default().merge(*counts);
                if self.counts.len() > POINTS_MAX {
                    // So many come before it that it is not asked for, whatever is still found.
                    self.counts.pop_last();
                }
            }
        }
    }
}

impl Requests {
    async fn points(&self, app: SdkAppId, query: &PointsQuery) -> Result<Vec<Point>> {
        let _turn = self.turn().await?;
        let now = self.context.clock.now().seconds();
        let kept = now.0.saturating_sub(MONITORING_DAYS * 86_400) / 60;
        let minutes = (query.since.0 / 60).max(kept)..=query.until.0 / 60;
        let hours = minutes.start() / 60..=minutes.end() / 60;
        let mut found = Found { query, minutes, counts: BTreeMap::new() };
        for segment in self.context.segments.list().await? {
            let is_asked =
                segment.app == app && segment.class == DataClass::Monitoring && hours.contains(&segment.hour);
            if is_asked {
                self.add_points(&mut found, segment).await?;
            }
        }
        for ((_, minute), counts) in self.waiting.lock().minutes.iter().filter(|((of, _), _)| *of == app) {
            found.add(*minute, counts);
        }
        let point = |((minute, command), counts): ((u32, String), Counts)| Point {
            minute: Seconds(minute * 60),
            command,
            succeeded: counts.succeeded,
            failed: counts.failed,
            mean_micros: counts.micros / counts.succeeded.saturating_add(counts.failed).max(1),
        };
        Ok(found.counts.into_iter().map(point).collect())
    }

    async fn add_points(&self, found: &mut Found<'_>, segment: SegmentId) -> Result<()> {
        let mut place = BlockPlace::default();
        loop {
            let blocks = self.context.segments.blocks(segment, place, BLOCKS_AT_ONCE).await?;
            let Some(last) = blocks.last() else { return Ok(()) };
            place = last.next;
            let opened = blocks.iter().filter_map(|block| self.open::<Block>(segment, &block.sealed));
            opened.for_each(|block| found.add(block.minute, &block.counts));
        }
    }
}

impl Engine {
    /// Success and delay of an app's commands, minute by minute, the oldest [`POINTS_MAX`] of what is asked for.
    ///
    /// # Errors
    /// What the store says.
    pub async fn monitoring(&self, app: SdkAppId, query: &PointsQuery) -> Result<Vec<Point>> {
        self.requests.points(app, query).await
    }
}
