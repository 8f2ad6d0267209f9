//! The request log of an app: written in blocks, read in pages.

use std::net::IpAddr;

use hashbrown::HashMap;
use model::{DataClass, Millis, Result, SdkAppId, Seconds};
use ports::segments::{BlockPlace, SegmentId};
use promise::{LOG_DAYS, Stamps};
use serde::{Deserialize, Serialize};

use super::Requests;
use super::waiting::Noted;
use crate::Engine;
use crate::preserve::Cover;

/// Requests in one page at most.
pub const LOGGED_MAX: usize = 1000;

/// Rows looked at for one page at most, to the end of the block; opening a block counts as 16 more.
pub const ROWS_LOOKED_AT_MAX: usize = 100_000;

/// As how many rows opening a block counts, however few are in it.
const BLOCK_ROWS: usize = 16;

/// Blocks read at once.
const BLOCKS_AT_ONCE: usize = 16;

/// A request as it was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// When it was answered.
    pub at: Millis,
    /// The number under which the server's own log names it.
    pub reference: u64,
    /// From which address.
    pub address: IpAddr,
    /// Which command.
    pub command: String,
    /// 0, or the number of the error.
    pub code: i64,
    /// Why it failed.
    pub cause: Option<Box<str>>,
    /// How long it took.
    pub micros: u64,
}

/// Requests of a second or so; what repeats stands once.
#[derive(Serialize, Deserialize)]
pub(super) struct Block {
    begins: u64,
    first_reference: u64,
    addresses: Vec<IpAddr>,
    commands: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    millis: i32,
    reference: i32,
    address: u16,
    command: u16,
    code: i64,
    cause: Option<Box<str>>,
    micros: u64,
}

impl Block {
    pub(super) fn of(noted: &[Noted]) -> Self {
        let first = noted.first();
        let mut block = Self {
            begins: first.map_or(0, |noted| noted.at.0),
            first_reference: first.map_or(0, |noted| noted.reference),
            addresses: Vec::new(),
            commands: Vec::new(),
            rows: Vec::with_capacity(noted.len()),
        };
        let (mut addresses, mut commands) = (HashMap::new(), HashMap::new());
        for Noted { at, reference, request } in noted {
            // A block is shorter than 16 bits can count.
            let last = |length: usize| u16::try_from(length - 1).unwrap_or(u16::MAX);
            let address = *addresses.entry(request.address).or_insert_with(|| {
                block.addresses.push(request.address);
                last(block.addresses.len())
            });
            let command = *commands.entry(request.command).or_insert_with(|| {
                block.commands.push(request.command.to_owned());
                last(block.commands.len())
            });
            let near = |number: u64, base: u64| {
                i32::try_from(number.cast_signed().wrapping_sub(base.cast_signed())).unwrap_or(i32::MAX)
            };
            block.rows.push(Row {
                millis: near(at.0, block.begins),
                reference: near(*reference, block.first_reference),
                address,
                command,
                code: request.code,
                cause: request.cause.clone(),
                micros: request.micros,
            });
        }
        block
    }

    fn time(&self, row: &Row) -> Millis {
        Millis(self.begins.saturating_add_signed(row.millis.into()))
    }

    fn logged(&self, row: &Row) -> Option<Logged> {
        Some(Logged {
            at: self.time(row),
            reference: self.first_reference.saturating_add_signed(row.reference.into()),
            address: *self.addresses.get(usize::from(row.address))?,
            command: self.commands.get(usize::from(row.command))?.clone(),
            code: row.code,
            cause: row.cause.clone(),
            micros: row.micros,
        })
    }
}

/// A place in the log of an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPlace {
    /// The hour of the segment.
    pub hour: u32,
    /// Where the block begins in it, as the store counts.
    pub block: u64,
    /// The row in that.
    pub row: usize,
}

/// Which requests.
#[derive(Clone, Copy, Debug)]
pub struct LogQuery {
    /// From this second on.
    pub since: Seconds,
    /// Up to and with this second.
    pub until: Seconds,
    /// Only those that failed, and where requests are missing.
    pub only_failures: bool,
    /// Where the last page ended.
    pub from: LogPlace,
    /// At most this many, and at most [`LOGGED_MAX`].
    pub limit: usize,
}

/// A page of the log, the oldest first. It may be short, or empty, and yet not the last one: a query that finds little
/// looks at so much only for each page.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// Requests.
    pub requests: Vec<Logged>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<LogPlace>,
}

/// A page that is being filled.
struct Filling {
    query: LogQuery,
    /// Up to when requests have expired.
    expired: Millis,
    limit: usize,
    /// How many rows may be looked at yet.
    budget: usize,
    page: LogPage,
}

impl Filling {
    fn wants(&self, block: &Block, row: &Row) -> bool {
        // A row without a code but with a cause says what is missing, which may have failed.
        let is_failure = row.code != 0 || row.cause.is_some();
        let at = block.time(row);
        at > self.expired
            && (self.query.since..=self.query.until).contains(&at.seconds())
            && (is_failure || !self.query.only_failures)
    }

    /// Adds what is asked for of a block, from a place in it on; whether there was room for all of it.
    fn add(&mut self, block: &Block, from: LogPlace) -> bool {
        for (at, row) in block.rows.iter().enumerate().skip(from.row) {
            if !self.wants(block, row) {
                continue;
            }
            if self.page.requests.len() == self.limit {
                self.page.next = Some(LogPlace { row: at, ..from });
                return false;
            }
            self.page.requests.extend(block.logged(row));
        }
        true
    }
}

impl Requests {
    async fn page(&self, app: SdkAppId, class: DataClass, query: LogQuery) -> Result<LogPage> {
        let _turn = self.turn().await?;
        let now = self.context.clock.now();
        let mut filling = Filling {
            query,
            expired: match class {
                DataClass::Log => Millis(now.0.saturating_sub(u64::from(LOG_DAYS) * 86_400_000)),
                // Copies go with their segment.
                _ => Millis(0),
            },
            limit: query.limit.clamp(1, LOGGED_MAX),
            budget: ROWS_LOOKED_AT_MAX,
            page: LogPage::default(),
        };
        for segment in self.context.segments.list().await? {
            // Copies lie in segments that are named by the hour of their end.
            let is_of_time = class == DataClass::Preserved
                || (query.since.0 / 3600..=query.until.0 / 3600).contains(&segment.hour);
            let is_asked = segment.app == app
                && segment.class == class
                && segment.hour >= query.from.hour
                && is_of_time
                && !Stamps::hourly(app, class, segment.hour).expiry.is_over(now);
            if is_asked && !self.fill(&mut filling, segment).await? {
                break;
            }
        }
        Ok(filling.page)
    }

    /// Adds what is asked for of one segment; whether the page goes on.
    async fn fill(&self, filling: &mut Filling, segment: SegmentId) -> Result<bool> {
        let (hour, from) = (segment.hour, filling.query.from);
        let mut place = if hour == from.hour { from } else { LogPlace { hour, block: 0, row: 0 } };
        loop {
            let from = BlockPlace(place.block);
            let blocks = self.context.segments.blocks(segment, from, BLOCKS_AT_ONCE).await?;
            if blocks.is_empty() {
                return Ok(true);
            }
            for found in blocks {
                if filling.budget == 0 {
                    filling.page.next = Some(place);
                    return Ok(false);
                }
                let opened = self.open::<Block>(segment, &found.sealed);
                let rows = opened.as_ref().map_or(0, |block| block.rows.len());
                filling.budget = filling.budget.saturating_sub(BLOCK_ROWS + rows);
                if opened.is_some_and(|block| !filling.add(&block, place)) {
                    return Ok(false);
                }
                place = LogPlace { hour, block: found.next.0, row: 0 };
            }
        }
    }
}

impl Engine {
    /// A page of the copies of an app's request log that a law demands. The access is written down before the first page.
    ///
    /// # Errors
    /// `SettingInvalid` without a reason.
    pub async fn preserved_log(
        &self,
        app: SdkAppId,
        (by, reason): (&str, &str),
        query: LogQuery,
    ) -> Result<LogPage> {
        if query.from == LogPlace::default() {
            self.note_access(Cover::floor(app), by, reason).await?;
        }
        self.write_waiting().await;
        self.requests.page(app, DataClass::Preserved, query).await
    }

    /// A page of an app's request log, up to now. What cannot be written, as on a full disk, is missing from it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn request_log(&self, app: SdkAppId, query: LogQuery) -> Result<LogPage> {
        self.write_waiting().await;
        self.requests.page(app, DataClass::Log, query).await
    }

    /// Writes down what waits, so that a reader sees it.
    async fn write_waiting(&self) {
        if let Err(error) = self.requests.write(false).await {
            tracing::warn!(code = error.code.number(), "requests could not be written down");
        }
    }
}
