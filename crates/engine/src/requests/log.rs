//! The request log of an app: written in blocks, read in pages.

use std::net::IpAddr;

use hashbrown::HashMap;
use model::{DataClass, Millis, Result, SdkAppId, Seconds};
use ports::segments::SegmentId;
use promise::LOG_DAYS;
use serde::{Deserialize, Serialize};

use super::{Noted, Requests};
use crate::Engine;

/// Requests in one page at most.
pub const LOGGED_MAX: usize = 1000;

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

    fn row(&self, at: usize) -> Option<Logged> {
        let row = self.rows.get(at)?;
        Some(Logged {
            at: Millis(self.begins.saturating_add_signed(row.millis.into())),
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
    /// The block in it.
    pub block: usize,
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
    /// Only those that failed.
    pub only_failures: bool,
    /// Where the last page ended.
    pub from: LogPlace,
    /// At most this many, and at most [`LOGGED_MAX`].
    pub limit: usize,
}

/// A page of the log, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// Requests.
    pub requests: Vec<Logged>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<LogPlace>,
}

impl Requests {
    async fn page(&self, app: SdkAppId, query: LogQuery) -> Result<LogPage> {
        let now = self.context.clock.now();
        let kept = now.0.saturating_sub(u64::from(LOG_DAYS) * 86_400_000);
        let limit = query.limit.clamp(1, LOGGED_MAX);
        let mut page = LogPage::default();
        for segment in self.context.segments.list().await? {
            let is_asked = segment.app == app
                && segment.class == DataClass::Log
                && segment.hour >= query.from.hour.max(query.since.0 / 3600)
                && segment.hour <= query.until.0 / 3600;
            if is_asked && !self.add_to(&mut page, segment, query, kept, limit).await? {
                break;
            }
        }
        Ok(page)
    }

    /// Adds what is asked for of one segment; whether the page has room for more.
    async fn add_to(
        &self,
        page: &mut LogPage,
        segment: SegmentId,
        query: LogQuery,
        kept: u64,
        limit: usize,
    ) -> Result<bool> {
        let is_begun = segment.hour == query.from.hour;
        let (mut number, mut row) = if is_begun { (query.from.block, query.from.row) } else { (0, 0) };
        loop {
            let blocks = self.read::<Block>(segment, number, BLOCKS_AT_ONCE).await?;
            if blocks.is_empty() {
                return Ok(true);
            }
            for block in blocks {
                let rows = block.as_ref().map_or(0, |block| block.rows.len());
                for at in row..rows {
                    let Some(found) = block.as_ref().and_then(|block| block.row(at)) else { continue };
                    let second = found.at.seconds();
                    let is_wanted = second >= query.since
                        && second <= query.until
                        && found.at.0 > kept
                        && !(query.only_failures && found.code == 0);
                    if !is_wanted {
                        continue;
                    }
                    if page.requests.len() == limit {
                        page.next = Some(LogPlace { hour: segment.hour, block: number, row: at });
                        return Ok(false);
                    }
                    page.requests.push(found);
                }
                (number, row) = (number + 1, 0);
            }
        }
    }
}

impl Engine {
    /// A page of an app's request log, up to now.
    ///
    /// # Errors
    /// What the store says.
    pub async fn request_log(&self, app: SdkAppId, query: LogQuery) -> Result<LogPage> {
        self.requests.write(false).await?;
        self.requests.page(app, query).await
    }
}
