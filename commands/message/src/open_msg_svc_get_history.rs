//! `open_msg_svc/get_history`: the messages of an hour as a file.

use command::{Call, Command, Family, Spec};
use engine::archive::{Hour, PATH};
use model::{ErrorCode, Result};
use promise::calendar::beijing_time_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the archive of an hour: a gzip file of all messages sent in it, one a line.
///
/// The last seven days are there, each hour from its end on. Nothing is kept for it: the file is made when it is asked for, of
/// what is there then. Messages that are recalled, erased, expired, or deleted by both sides are in none. So sizes and
/// checksums are those of the file as long as none of its messages goes between this answer and the reading of the file. Lines
/// are ordered by conversation, then by time. The file's address is good for an hour for whoever has it; reading it is
/// logged. A reader that takes nothing for `limits.write_seconds_max` is given up. At most two archives of an app are made at
/// once, for an answer or for a reader; further ones are refused with 1003. There are no groups here yet, so hours of theirs
/// are empty.
#[derive(Deserialize, JsonSchema)]
pub struct GetArchive {
    /// `C2C` or `Group`.
    #[serde(rename = "ChatType")]
    pub chat: String,
    /// The hour as `yyyymmddhh`, in Beijing time (UTC+8).
    #[serde(rename = "MsgTime")]
    pub hour: String,
}

/// The archive of an hour.
#[derive(Serialize, JsonSchema)]
pub struct Archives {
    /// One file.
    #[serde(rename = "File")]
    pub files: Vec<File>,
}

/// A file that can be read.
#[derive(Serialize, JsonSchema)]
pub struct File {
    /// Where to read it. Who has this address needs nothing else.
    #[serde(rename = "URL")]
    pub address: String,
    /// Until when the address is good, as `yyyy-mm-dd hh:mm:ss` in Beijing time.
    #[serde(rename = "ExpireTime")]
    pub ends_at: String,
    /// Bytes when unpacked.
    #[serde(rename = "FileSize")]
    pub size: u64,
    /// Their MD5.
    #[serde(rename = "FileMD5")]
    pub md5: String,
    /// Bytes of the file.
    #[serde(rename = "GzipSize")]
    pub gzip_size: u64,
    /// Their MD5.
    #[serde(rename = "GzipMD5")]
    pub gzip_md5: String,
}

impl Command for GetArchive {
    const SPEC: Spec = Spec::new("open_msg_svc/get_history", Family::ARCHIVE).per_second(10).fails_with(&[
        ErrorCode::ArchiveAddressWrong,
        ErrorCode::ArchiveEmpty,
        ErrorCode::ArchiveExpired,
    ]);

    type Reply = Archives;

    async fn run(self, call: &Call) -> Result<Archives> {
        let is_of_groups = match self.chat.as_str() {
            "C2C" => false,
            "Group" => true,
            _ => return Err(ErrorCode::ArchiveBadParameter.in_field("ChatType", "C2C or Group")),
        };
        let hour = Hour::of_text(&self.hour);
        let hour =
            hour.ok_or_else(|| ErrorCode::ArchiveBadParameter.in_field("MsgTime", "an hour as yyyymmddhh"))?;
        let address = call.engine.address(call.host.as_deref())?;
        let now = call.engine.context.clock.now().seconds();
        hour.check(now)?;
        if is_of_groups {
            return Err(ErrorCode::ArchiveEmpty.into());
        }
        let file = call.engine.list_archive(call.app.id, hour).await?;
        let file = File {
            address: format!("{address}{PATH}{}", file.token),
            ends_at: beijing_time_text(file.ends_at),
            size: file.size,
            md5: file.md5,
            gzip_size: file.gzip_size,
            gzip_md5: file.gzip_md5,
        };
        Ok(Archives { files: vec![file] })
    }
}
