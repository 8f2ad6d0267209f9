//! `whimbrel hold` and `whimbrel floor`: what law keeps from being deleted.

use clap::Subcommand;
use engine::Engine;
use engine::preserve::{Cover, Hold, HoldQuery, PAGE_MAX};
use engine::requests::{LOGGED_MAX, LogPlace, LogQuery};
use model::{SdkAppId, Seconds, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::admin::run_request;
use crate::cli::{Data, Outcome, Target, print};

/// Whom the list of accesses names for what the command line read.
const BY: &str = "operator";

/// What the command line asks about legal holds.
#[derive(Subcommand)]
pub(crate) enum HoldCommand {
    /// Keep copies of what an account holds, or of one conversation of it, from being deleted.
    ///
    /// Everything that is there is copied before this answers, and everything new when it comes. Commands of clients and
    /// back ends never see the copies, and go on deleting everything else as before.
    Begin {
        #[command(flatten)]
        target: Target,
        /// Whose data.
        #[arg(long, value_name = "ID")]
        user: String,
        /// Only the conversation with this account.
        #[arg(long, value_name = "ID")]
        peer: Option<String>,
        /// Why; shown in lists only.
        #[arg(long)]
        reason: String,
        /// The case. Receipts name it, so it must not name a person.
        #[arg(long)]
        reference: String,
    },
    /// List the holds that are in effect.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// End a hold: its copies are removed at once, their keys destroyed with the next generation.
    End {
        #[command(flatten)]
        data: Data,
        /// Which one, as `list` names it.
        #[arg(long)]
        hold: String,
    },
    /// Print the copies of a hold as JSON Lines. The access is written down.
    Read {
        #[command(flatten)]
        data: Data,
        /// Which one, as `list` names it.
        #[arg(long)]
        hold: String,
        /// Why they are read.
        #[arg(long)]
        reason: String,
    },
    /// List who read copies of holds and floors, and why, the newest access first.
    Accesses {
        #[command(flatten)]
        data: Data,
    },
}

/// What the command line asks about floors.
#[derive(Subcommand)]
pub(crate) enum FloorCommand {
    /// Print the floors that are in effect, and the laws behind them.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Print the copies that floors keep of an app as JSON Lines. The access is written down.
    Read {
        #[command(flatten)]
        target: Target,
        /// Why they are read.
        #[arg(long)]
        reason: String,
        /// The copies of the request log instead of those of messages and profiles.
        #[arg(long)]
        log: bool,
    },
}

/// A request about what is preserved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub(crate) enum Request {
    Begin { app: u32, user: String, peer: Option<String>, reason: String, reference: String },
    Holds,
    End { cover: Cover },
    Read { cover: Cover, reason: String, after: Option<Vec<u8>> },
    ReadLog { app: u32, reason: String, from: LogPlace },
    Accesses,
    Floors,
}

/// A part of what is printed, and where it goes on.
#[derive(Serialize, Deserialize)]
struct Part {
    lines: Vec<String>,
    next: Option<Vec<u8>>,
}

/// The same, of the request log.
#[derive(Serialize, Deserialize)]
struct LogPart {
    lines: Vec<String>,
    next: Option<LogPlace>,
}

/// Does what the command line says about holds.
pub(crate) fn run_hold(command: HoldCommand) -> Outcome<()> {
    let (data, request) = match command {
        HoldCommand::Begin { target, user, peer, reason, reference } => {
            (target.data, Request::Begin { app: target.sdkappid, user, peer, reason, reference })
        }
        HoldCommand::List { data } => (data, Request::Holds),
        HoldCommand::End { data, hold } => (data, Request::End { cover: cover(&hold)? }),
        HoldCommand::Read { data, hold, reason } => return read(&data, cover(&hold)?, &reason),
        HoldCommand::Accesses { data } => (data, Request::Accesses),
    };
    print(&run_request(&data, &crate::admin::Request::Preserved(request))?)
}

/// Does what the command line says about floors.
pub(crate) fn run_floor(command: FloorCommand) -> Outcome<()> {
    match command {
        FloorCommand::List { data } => {
            print(&run_request(&data, &crate::admin::Request::Preserved(Request::Floors))?)
        }
        FloorCommand::Read { target, reason, log: true } => read_log(&target, &reason),
        FloorCommand::Read { target, reason, log: false } => {
            read(&target.data, Cover::floor(SdkAppId(target.sdkappid)), &reason)
        }
    }
}

/// Prints every copy, a page at a time.
fn read(data: &Data, cover: Cover, reason: &str) -> Outcome<()> {
    let mut after = None;
    loop {
        let request = Request::Read { cover, reason: reason.to_owned(), after };
        let answer = run_request(data, &crate::admin::Request::Preserved(request))?;
        let part: Part = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        for line in part.lines {
            println!("{line}");
        }
        if part.next.is_none() {
            return Ok(());
        }
        after = part.next;
    }
}

/// Prints every copied row of the request log, a page at a time.
fn read_log(target: &Target, reason: &str) -> Outcome<()> {
    let mut from = Some(LogPlace::default());
    while let Some(place) = from {
        let request = Request::ReadLog { app: target.sdkappid, reason: reason.to_owned(), from: place };
        let answer = run_request(&target.data, &crate::admin::Request::Preserved(request))?;
        let part: LogPart = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        for line in part.lines {
            println!("{line}");
        }
        from = part.next;
    }
    Ok(())
}

fn cover(hold: &str) -> Outcome<Cover> {
    u64::from_str_radix(hold, 16)
        .map(Cover)
        .map_err(|_| format!("--hold: {hold:?} is not what `whimbrel hold list` shows"))
}

/// Answers a request.
pub(crate) async fn answer(engine: &Engine, request: &Request) -> Outcome<String> {
    let refused = |error: model::Error| error.info.into_owned();
    match request {
        Request::Begin { app, user, peer, reason, reference } => {
            let app = crate::admin::find(engine, *app).await?;
            let name = |flag: &str, user: &str| UserId::new(user).map_err(|error| format!("{flag}: {error}"));
            let query = HoldQuery {
                user: name("--user", user)?,
                peer: peer.as_ref().map(|peer| name("--peer", peer)).transpose()?,
                reason: reason.clone(),
                reference: reference.clone(),
            };
            let hold = engine.begin_hold(&app, query).await.map_err(refused)?;
            Ok(shown(&hold))
        }
        Request::Holds => Ok(engine.holds().iter().map(|hold| shown(hold)).collect::<Vec<_>>().join("\n")),
        Request::End { cover } => {
            let copies = engine.end_hold(*cover).await.map_err(refused)?;
            Ok(format!("{copies} copies removed; their keys die with the next generation"))
        }
        Request::Read { cover, reason, after } => {
            let page = engine.read_preserved(*cover, (BY, reason), after.clone(), PAGE_MAX).await;
            let page = page.map_err(refused)?;
            let lines = page.copies.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
            let mut lines = lines.map_err(|error| error.to_string())?;
            if page.unreadable > 0 {
                lines.push(json!({"kind": "unreadable", "copies": page.unreadable}).to_string());
            }
            let part = Part { lines, next: page.next };
            serde_json::to_string(&part).map_err(|error| error.to_string())
        }
        Request::ReadLog { app, reason, from } => {
            let (since, until) = (Seconds(0), Seconds(u32::MAX));
            let query = LogQuery { since, until, only_failures: false, from: *from, limit: LOGGED_MAX };
            let page = engine.preserved_log(SdkAppId(*app), (BY, reason), query).await.map_err(refused)?;
            let lines = page.requests.iter().map(crate::admin::log_line).collect();
            serde_json::to_string(&LogPart { lines, next: page.next }).map_err(|error| error.to_string())
        }
        Request::Accesses => {
            let found = engine.accesses().await.map_err(refused)?;
            let line = |access: &engine::preserve::AccessFact| {
                let kept_for = format!("{:016x}", access.cover.0);
                json!({"time": access.at.0, "by": access.by, "of": kept_for, "reason": access.reason})
                    .to_string()
            };
            Ok(found.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        Request::Floors => Ok(floors(engine)),
    }
}

fn shown(hold: &Hold) -> String {
    json!({
        "hold": format!("{:016x}", hold.cover.0),
        "sdkappid": hold.app.0,
        "user": hold.user.as_str(),
        "peer": hold.peer.as_ref().map(UserId::as_str),
        "since": hold.since.0,
        "reason": hold.reason,
        "reference": hold.reference,
        "complete": hold.is_complete,
    })
    .to_string()
}

fn floors(engine: &Engine) -> String {
    let floors = engine.preserve.floors();
    let kinds = [("messages", &floors.message), ("profiles", &floors.profile), ("request log", &floors.log)];
    let in_effect = kinds.iter().filter(|(_, floor)| floor.days > 0);
    let lines: Vec<String> =
        in_effect.map(|(what, floor)| format!("{what}  {} days  {}", floor.days, floor.basis)).collect();
    if lines.is_empty() { "none".to_owned() } else { lines.join("\n") }
}
