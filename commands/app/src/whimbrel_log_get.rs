//! `whimbrel_log/get`: the app's request log. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use engine::requests::{LOGGED_MAX, LogPlace, LogQuery, Logged};
use model::{ErrorCode, Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads the request log of the last 7 days, the oldest request first. All is read when `Next` is absent.
#[derive(Deserialize, JsonSchema)]
pub struct GetLog {
    /// From this second on.
    #[serde(rename = "Since", default)]
    pub since: Option<Seconds>,
    /// Up to and with this second.
    #[serde(rename = "Until", default)]
    pub until: Option<Seconds>,
    /// 1: only requests that failed, and rows that say where requests are missing.
    #[serde(rename = "OnlyFailures", default)]
    pub only_failures: Option<u8>,
    /// At most this many: 1 to 1000; 100, if absent.
    #[serde(rename = "Limit", default)]
    pub limit: Option<usize>,
    /// `Next` of the page before.
    #[serde(rename = "Next", default)]
    pub next: Option<String>,
}

/// A request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// When it was answered, in milliseconds.
    #[serde(rename = "Time")]
    pub at: u64,
    /// The number under which the server's own log names it.
    #[serde(rename = "Reference")]
    pub reference: String,
    /// The egress address of the client, as the server sees it.
    #[serde(rename = "Address")]
    pub address: String,
    /// The command; `unknown` for one that does not exist, and `not_logged` for a row that says how many requests from
    /// `Time` on are missing, as when more come than can be written.
    #[serde(rename = "Command")]
    pub command: String,
    /// 0, or the number of the error.
    #[serde(rename = "Code")]
    pub code: i64,
    /// Why it failed, or what is missing; else empty.
    #[serde(rename = "Cause")]
    pub cause: String,
    /// How long it took, in microseconds.
    #[serde(rename = "Micros")]
    pub micros: u64,
}

impl From<Logged> for Entry {
    fn from(logged: Logged) -> Self {
        Self {
            at: logged.at.0,
            reference: format!("{:x}", logged.reference),
            address: logged.address.to_string(),
            command: logged.command,
            code: logged.code,
            cause: logged.cause.map(String::from).unwrap_or_default(),
            micros: logged.micros,
        }
    }
}

/// A page of the log. It may be short, or empty, while `Next` is there: so much only is looked at for one page.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogPage {
    /// Requests.
    #[serde(rename = "Items")]
    pub items: Vec<Entry>,
    /// What asks for the next page; absent after the last one.
    #[serde(rename = "Next", skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn place(text: &str) -> Option<LogPlace> {
    let mut parts = text.split('.').map(str::parse::<u64>);
    let place = LogPlace {
        hour: u32::try_from(parts.next()?.ok()?).ok()?,
        block: parts.next()?.ok()?,
        row: usize::try_from(parts.next()?.ok()?).ok()?,
    };
    parts.next().is_none().then_some(place)
}

impl Command for GetLog {
    const SPEC: Spec = Spec::new("whimbrel_log/get", Family::ACCOUNT)
        .per_second(20)
        .fails_with(&[ErrorCode::AccountBadParameter]);

    type Reply = LogPage;

    async fn run(self, call: &Call) -> Result<LogPage> {
        let bad = |why: &'static str| ErrorCode::AccountBadParameter.because(why);
        let from = match self.next.as_deref().filter(|next| !next.is_empty()) {
            Some(next) => place(next).ok_or_else(|| bad("Next: not one of a page"))?,
            None => LogPlace::default(),
        };
        let limit = self.limit.unwrap_or(100);
        if !(1..=LOGGED_MAX).contains(&limit) {
            return Err(bad("Limit: 1 to 1000"));
        }
        let query = LogQuery {
            since: self.since.unwrap_or_default(),
            until: self.until.unwrap_or(Seconds(u32::MAX)),
            only_failures: self.only_failures == Some(1),
            from,
            limit,
        };
        let page = call.engine.request_log(call.app.id, query).await?;
        Ok(LogPage {
            items: page.requests.into_iter().map(Entry::from).collect(),
            next: page.next.map(|next| format!("{}.{}.{}", next.hour, next.block, next.row)),
        })
    }
}
