//! Archives: the one-to-one messages of an app in an hour, as a gzip file of JSON lines.
//!
//! None is stored. A list of the hour makes its file once to say how long it is and what it hashes to, and keeps nothing of
//! it; the address that it gives makes the file again when it is read, up to the entry that was the newest at the list. So both
//! are the same, byte for byte, unless something of it was recalled, erased or ended in between: that is in no file that is
//! made later, whatever was listed before.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hashbrown::HashMap;
use md5::{Digest as _, Md5};
use model::settings::Status;
use model::time::DAY_SECONDS;
use model::{Error, ErrorCode, Message, Result, SdkAppId, Seconds};
use parking_lot::Mutex;
use ports::period::{PeriodPlace, PeriodQuery};
use promise::calendar;

use crate::Engine;
use crate::push;
use crate::token::Link;

/// For how many days an hour's archive can be read after the hour (page 1047/34885).
pub const ARCHIVE_DAYS: u32 = 7;

/// How long the address of an archive opens it.
pub const ADDRESS_SECONDS: u32 = 3600;

/// How long the reading of one archive may take at most.
pub const READING_TIME_MAX: Duration = Duration::from_secs(3600);

/// How many archives of one app may be made at the same time; of all apps [`MAKERS_MAX`].
pub const MAKERS_PER_APP_MAX: usize = 2;

/// How many archives may be made at the same time.
pub const MAKERS_MAX: usize = 8;

/// What stands before the last part of an archive's address.
pub const PATH: &str = "/archives/";

/// How the reading of an archive is named in the request log.
pub const READING: &str = "open_msg_svc/get_history (file)";

/// Messages held at once by one reader: with everything that a message may have, some megabytes.
const MESSAGES_AT_ONCE: usize = 100;

/// Bytes handed to the compression at once, always as many: where a page ends must not show in the file.
const BLOCK_BYTES: usize = 32 * 1024;

/// Bytes of a part of a file at most.
pub const PART_BYTES_MAX: usize = 64 * 1024;

const HOUR_SECONDS: u32 = 3600;

/// An hour of which there is an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour(Seconds);

impl Hour {
    /// The hour that is written as `yyyymmddhh` in Beijing time, as archives are named; `None` if that is none.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        calendar::beijing_hour(text).map(Self)
    }

    const fn end(self) -> Seconds {
        self.0.plus(HOUR_SECONDS)
    }

    /// From when on its archive is there no more.
    const fn gone_at(self) -> Seconds {
        self.end().plus(ARCHIVE_DAYS * DAY_SECONDS)
    }

    /// Checks that there can be an archive of the hour.
    ///
    /// # Errors
    /// `ArchiveEmpty` if the hour is not over, `ArchiveExpired`.
    pub fn check(self, now: Seconds) -> Result<()> {
        if self.end() > now {
            return Err(ErrorCode::ArchiveEmpty.into());
        }
        if self.gone_at() <= now {
            return Err(ErrorCode::ArchiveExpired.into());
        }
        Ok(())
    }
}

/// An archive that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// The last part of its address.
    pub token: String,
    /// From when on the address opens nothing any more.
    pub ends_at: Seconds,
    /// Bytes when unpacked.
    pub size: u64,
    /// Their MD5 in hexadecimal digits.
    pub md5: String,
    /// Bytes as they are sent.
    pub gzip_size: u64,
    /// Their MD5 in hexadecimal digits.
    pub gzip_md5: String,
}

/// What the engine knows of archives: where they are read, and who makes some.
pub(crate) struct Archives {
    /// As configured; empty: where a caller reached the server.
    public_address: Box<str>,
    makers: Arc<Makers>,
}

impl Archives {
    pub(crate) fn new(public_address: String) -> Self {
        Self { public_address: public_address.into(), makers: Arc::default() }
    }
}

/// Who makes archives at this moment.
#[derive(Default)]
struct Makers {
    by_app: Mutex<HashMap<SdkAppId, usize>>,
}

/// Leave to make an archive; given back when it is dropped.
struct Turn {
    makers: Arc<Makers>,
    app: SdkAppId,
}

impl Makers {
    fn turn(self: &Arc<Self>, app: SdkAppId) -> Result<Turn> {
        let mut by_app = self.by_app.lock();
        let all: usize = by_app.values().sum();
        let of_app = by_app.entry(app).or_default();
        if all >= MAKERS_MAX || *of_app >= MAKERS_PER_APP_MAX {
            let most = format!("at most {MAKERS_PER_APP_MAX} archives of an app at the same time: try again");
            return Err(ErrorCode::ArchiveInternal.because(most));
        }
        *of_app += 1;
        Ok(Turn { makers: Arc::clone(self), app })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut by_app = self.makers.by_app.lock();
        if let Some(count) = by_app.get_mut(&self.app) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_app.remove(&self.app);
            }
        }
    }
}

/// Counts and hashes what passes.
#[derive(Default)]
struct Sum {
    bytes: u64,
    md5: Md5,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.md5.update(bytes);
    }

    fn finish(self) -> (u64, String) {
        (self.bytes, crate::apps::hex(&self.md5.finalize()))
    }
}

/// The lines of an archive, a few at a time.
struct Lines {
    link: Link,
    after: Option<PeriodPlace>,
    has_begun: bool,
    is_over: bool,
    /// How many messages there were so far.
    messages: u64,
}

impl Lines {
    const fn new(link: Link) -> Self {
        Self { link, after: None, has_begun: false, is_over: false, messages: 0 }
    }

    /// What comes next; `None` at the end.
    async fn next(&mut self, engine: &Engine) -> Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let Link { app, hour, until, .. } = self.link;
        let query = PeriodQuery {
            from: hour,
            before: Hour(hour).end(),
            until,
            after: self.after,
            limit: MESSAGES_AT_ONCE,
        };
        let page = engine.context.timeline.messages_of_period(app, query).await?;
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            let hour = calendar::beijing_hour_text(hour);
            let head = format!(r#"{{"SdkAppId":{app},"ChatType":"C2C","MsgTime":"{hour}","MsgList":["#);
            out.extend_from_slice(head.as_bytes());
        }
        for (conversation, found) in page.messages {
            let message = engine.open_message(app, conversation, &found.message);
            // Recalled, or erased with its author: there is nothing to be told.
            if found.revoker.is_some() || message.content.body.is_empty() {
                continue;
            }
            out.extend_from_slice(if self.messages == 0 { b"\n" } else { b",\n" });
            write_line(&mut out, &message, found.at.time);
            self.messages += 1;
        }
        self.after = page.next;
        self.is_over = page.next.is_none();
        if self.is_over {
            out.extend_from_slice(b"\n]}");
        }
        Ok(Some(out))
    }
}

/// Writes a message as archives have it (page 1047/34885).
fn write_line(out: &mut Vec<u8>, message: &Message, time: Seconds) {
    out.extend_from_slice(br#"{"From_Account":"#);
    push::write_text(out, message.from.as_str());
    out.extend_from_slice(br#","To_Account":"#);
    push::write_text(out, message.to.as_str());
    let numbers = format!(
        r#","MsgTimestamp":{},"MsgSeq":{},"MsgRandom":{},"MsgBody":"#,
        time.0, message.sequence, message.random
    );
    out.extend_from_slice(numbers.as_bytes());
    // Between its values JSON may have line ends; inside of them it has none.
    let is_end = |byte: u8| matches!(byte, b'\n' | b'\r');
    out.extend(message.content.body.iter().map(|byte| if is_end(*byte) { b' ' } else { *byte }));
    out.push(b'}');
}

/// Compresses what it is given, in blocks of one size.
struct Packer {
    gzip: GzEncoder<Vec<u8>>,
    waiting: Vec<u8>,
}

impl Packer {
    fn new() -> Self {
        Self { gzip: GzEncoder::new(Vec::new(), Compression::default()), waiting: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.waiting.extend_from_slice(bytes);
        let whole = self.waiting.len() / BLOCK_BYTES * BLOCK_BYTES;
        for block in self.waiting.chunks_exact(BLOCK_BYTES) {
            self.gzip.write_all(block).map_err(unpacked)?;
        }
        self.waiting.drain(..whole);
        Ok(())
    }

    /// What is compressed so far and was not taken yet.
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.gzip.get_mut())
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        self.gzip.write_all(&self.waiting).map_err(unpacked)?;
        self.gzip.finish().map_err(unpacked)
    }
}

/// Writing to memory does not fail.
fn unpacked(error: std::io::Error) -> Error {
    Error::from(ErrorCode::ArchiveInternal).caused_by(error)
}

/// An archive that is read: made part by part.
pub struct Archive {
    engine: Arc<Engine>,
    lines: Lines,
    /// `None` when everything is compressed.
    packer: Option<Packer>,
    /// Compressed, and not handed out yet.
    ready: Bytes,
    _turn: Turn,
}

impl Archive {
    /// What the file is called.
    #[must_use]
    pub fn name(&self) -> String {
        format!("C2C-{}.json.gz", calendar::beijing_hour_text(self.lines.link.hour))
    }

    /// The next part of the file, of [`PART_BYTES_MAX`] at most; `None` after the last one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.ready.is_empty() {
            let Some(packer) = &mut self.packer else { return Ok(None) };
            self.ready = match self.lines.next(&self.engine).await? {
                Some(lines) => {
                    packer.add(&lines)?;
                    packer.take()
                }
                None => self.packer.take().map(Packer::finish).transpose()?.unwrap_or_default(),
            }
            .into();
        }
        let length = self.ready.len().min(PART_BYTES_MAX);
        Ok(Some(self.ready.split_to(length)))
    }
}

/// The address of an archive, and of which app.
#[derive(Clone, Copy, Debug)]
pub struct Address(Link);

impl Address {
    /// Whose archive it is.
    #[must_use]
    pub const fn app(self) -> SdkAppId {
        self.0.app
    }
}

impl Engine {
    /// Where this server is reached, as `http://` or `https://` with a name: as configured, or where a caller reached it.
    ///
    /// # Errors
    /// `ArchiveAddressWrong` if neither is known.
    pub fn address(&self, host: Option<&str>) -> Result<String> {
        let configured = &self.archives.public_address;
        if !configured.is_empty() {
            return Ok(configured.to_string());
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        let host = host.filter(|host| (1..=255).contains(&host.len()) && host.bytes().all(is_part));
        let missing = || {
            ErrorCode::ArchiveAddressWrong
                .because("Host: is missing or wrong, and server.public_address is not set")
        };
        host.map(|host| format!("http://{host}")).ok_or_else(missing)
    }

    /// Makes the archive of an hour once, and says what came of it.
    ///
    /// # Errors
    /// `ArchiveEmpty` if the hour is not over or holds nothing, `ArchiveExpired`, `ArchiveInternal` if too many are made.
    pub async fn list_archive(&self, app: SdkAppId, hour: Hour) -> Result<ArchiveFile> {
        let now = self.context.clock.now().seconds();
        hour.check(now)?;
        let _turn = self.archives.makers.turn(app)?;
        let ends_at = now.plus(ADDRESS_SECONDS).min(hour.gone_at());
        let link = Link { app, hour: hour.0, until: self.context.timeline.end(), ends_at };
        let (mut lines, mut packer) = (Lines::new(link), Packer::new());
        let (mut plain, mut packed) = (Sum::default(), Sum::default());
        while let Some(more) = lines.next(self).await? {
            plain.add(&more);
            packer.add(&more)?;
            packed.add(&packer.take());
        }
        packed.add(&packer.finish()?);
        if lines.messages == 0 {
            return Err(ErrorCode::ArchiveEmpty.into());
        }
        let token = self.token_key.seal_link(link, self.context.random.as_ref());
        let ((size, md5), (gzip_size, gzip_md5)) = (plain.finish(), packed.finish());
        Ok(ArchiveFile { token, ends_at, size, md5, gzip_size, gzip_md5 })
    }

    /// What the last part of an address names.
    ///
    /// # Errors
    /// `ArchiveAddressWrong` if this server did not make it.
    pub fn archive_address(&self, token: &str) -> Result<Address> {
        let link = self.token_key.open_link(token);
        link.map(Address).ok_or_else(|| ErrorCode::ArchiveAddressWrong.into())
    }

    /// Begins to make the archive at an address.
    ///
    /// # Errors
    /// `ArchiveExpired`, `AppUnknown`, `AppDisabled`, `ArchiveInternal` if too many are made.
    pub async fn read_archive(self: &Arc<Self>, Address(link): Address) -> Result<Archive> {
        if link.ends_at <= self.context.clock.now().seconds() {
            return Err(ErrorCode::ArchiveExpired.into());
        }
        let app = self.apps.find(link.app).await?.ok_or(ErrorCode::AppUnknown)?;
        if app.status() != Status::Active {
            return Err(ErrorCode::AppDisabled.into());
        }
        let turn = self.archives.makers.turn(link.app)?;
        let (engine, packer) = (Arc::clone(self), Some(Packer::new()));
        Ok(Archive { engine, lines: Lines::new(link), packer, ready: Bytes::new(), _turn: turn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_does_not_show_in_which_pieces_it_came() {
        let text: Vec<u8> = (0..200_000_u32)
            .flat_map(|number| (number.wrapping_mul(2_654_435_761) % 977).to_be_bytes())
            .collect();
        let packed = |piece: usize| {
            let (mut packer, mut out) = (Packer::new(), Vec::new());
            for bytes in text.chunks(piece) {
                packer.add(bytes).unwrap();
                out.extend(packer.take());
            }
            out.extend(packer.finish().unwrap());
            out
        };
        assert!(packed(1 << 20) == packed(1000) && packed(70_001) == packed(32_768));
    }

    #[test]
    fn turns_are_limited_by_app_and_in_all_and_given_back() {
        let makers = Arc::new(Makers::default());
        let mut turns = Vec::new();
        for app in 0..4 {
            for _ in 0..MAKERS_PER_APP_MAX {
                turns.push(makers.turn(SdkAppId(app)).ok().unwrap());
            }
            assert!(makers.turn(SdkAppId(app)).is_err());
        }
        assert_eq!(turns.len(), MAKERS_MAX);
        assert!(makers.turn(SdkAppId(9)).is_err());
        turns.pop();
        assert!(makers.turn(SdkAppId(9)).is_ok() && makers.turn(SdkAppId(0)).is_err());
        turns.clear();
        assert!(makers.by_app.lock().is_empty());
    }
}
