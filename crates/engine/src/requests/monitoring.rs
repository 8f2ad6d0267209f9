//! Success and delay of each app and command by the minute. Nothing here can hold an account.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::{DataClass, Result, SdkAppId, Seconds};
use promise::MONITORING_DAYS;
use serde::{Deserialize, Serialize};

use super::Requests;
use crate::Engine;

/// Points in one answer at most.
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

impl Requests {
    async fn points(&self, app: SdkAppId, query: &PointsQuery) -> Result<Vec<Point>> {
        let now = self.context.clock.now().seconds();
        let kept = now.0.saturating_sub(MONITORING_DAYS * 86_400) / 60;
        let asked = (query.since.0 / 60).max(kept)..=query.until.0 / 60;
        let mut found: BTreeMap<(u32, String), Counts> = BTreeMap::new();
        let mut add = |minute: u32, counts: &Minute| {
            for (command, counts) in &counts.0 {
                let is_wanted = query.command.as_ref().is_none_or(|wanted| wanted == command);
                if asked.contains(&minute) && is_wanted {
                    let sum = found.entry((minute, command.to_string())).or_default();
                    sum.succeeded += counts.succeeded;
                    sum.failed += counts.failed;
                    sum.micros = sum.micros.saturating_add(counts.micros);
                }
            }
        };
        for segment in self.context.segments.list().await? {
            let is_asked = segment.app == app
                && segment.class == DataClass::Monitoring
                && (asked.start() / 60..=asked.end() / 60).contains(&segment.hour);
            if !is_asked {
                continue;
            }
            let mut number = 0;
            loop {
                let blocks = self.read::<Block>(segment, number, BLOCKS_AT_ONCE).await?;
                if blocks.is_empty() {
                    break;
                }
                number += blocks.len();
                blocks.iter().flatten().for_each(|block| add(block.minute, &block.counts));
            }
        }
        for ((_, minute), counts) in self.waiting.lock().minutes.iter().filter(|((of, _), _)| *of == app) {
            add(*minute, counts);
        }
        let point = |((minute, command), counts): ((u32, String), Counts)| Point {
            minute: Seconds(minute * 60),
            command,
            succeeded: counts.succeeded,
            failed: counts.failed,
            mean_micros: counts.micros / (counts.succeeded + counts.failed).max(1),
        };
        Ok(found.into_iter().take(POINTS_MAX).map(point).collect())
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
