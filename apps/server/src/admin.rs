//! What the operator asks of a data folder: through the running server if there is one, else by opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::Engine;
use engine::receipts::RECEIPTS_MAX;
use engine::requests::{LogPlace, LogQuery, Logged};
use engine::settings::SettingsFact;
use engine::termination::erased_at;
use model::settings::{App, Retention, Status};
use model::{SdkAppId, Seconds, UserId, usersig};
use serde::{Deserialize, Serialize};

use crate::cli::{Data, Outcome};
use crate::config::Config;
use crate::stores::Opened;

/// Lines of the request log printed at most.
const LOG_LINES_MAX: usize = 100_000;

/// A request of the operator.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(crate) enum Request {
    Create { name: String, owner: Option<u64>, retention: Retention, json: bool },
    List,
    Get { app: u32, setting: Option<String> },
    Set { app: u32, changes: Vec<(String, String)> },
    History { app: u32, limit: usize },
    AddKey { app: u32 },
    RetireKeys { app: u32 },
    Usersig { app: u32, user: String, expire_seconds: u32 },
    Terminate { app: u32, name: String },
    Resume { app: u32 },
    ShowKeys,
    ChangeKeys,
    Logs { app: u32, since: u32, until: u32, only_failures: bool, limit: usize },
    EraseAccount { app: u32, user: String, peer: Option<String> },
    Export(crate::export::Request),
    Preserved(crate::preserved::Request),
    Receipts { before: Option<u64> },
    ReceiptKey,
    Audit(crate::audit::Request),
    Backup { to: PathBuf, without_mirror: bool },
    ShowRetention { app: u32 },
    ProposeRetention { app: u32, message_days: Option<u32>, profile_days: Option<u32> },
    ApplyRetention { app: u32, token: String },
}

/// Runs a request on a folder; returns what to print.
pub(crate) fn run_request(data: &Data, request: &Request) -> Outcome<String> {
    let config = Config::load(data.config.as_deref(), std::env::vars())?;
    let data = data.data.as_path();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        if let Some(answer) = crate::control::ask(data, request).await? {
            return answer;
        }
        check_owner(data)?;
        let opened = crate::stores::open(data, &config, 0).await?;
        let answer = answer(&opened, request).await;
        opened.store.close().await.map_err(|fault| fault.to_string())?;
        answer
    })
}

/// Files that a command leaves in a folder of another account could not be read by the server that runs as that one.
fn check_owner(data: &Path) -> Outcome<()> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = std::fs::metadata(data) else { return Ok(()) };
    let (owner, own) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner == own {
        return Ok(());
    }
    Err(format!("{} belongs to account {owner}, and this runs as {own}: run it as that one", data.display()))
}

/// Answers a request.
pub(crate) async fn answer(opened: &Opened, request: &Request) -> Outcome<String> {
    let engine = &opened.engine;
    let refused = |error: model::Error| error.info.into_owned();
    match request {
        Request::Create { .. }
        | Request::List
        | Request::Get { .. }
        | Request::Set { .. }
        | Request::History { .. }
        | Request::AddKey { .. }
        | Request::RetireKeys { .. } => answer_app(engine, request).await,
        Request::Terminate { app, name } => terminate(engine, *app, name).await,
        Request::Resume { app } => {
            let app = engine.resume_app(SdkAppId(*app)).await.map_err(refused)?;
            Ok(format!("{} is in use again", app.id))
        }
        Request::ShowKeys => Ok(shown_keys(engine)),
        Request::ChangeKeys => change_keys(engine).await,
        Request::Logs { app, since, until, only_failures, limit } => {
            let query = LogQuery {
                since: Seconds(*since),
                until: Seconds(*until),
                only_failures: *only_failures,
                from: LogPlace::default(),
                limit: *limit,
            };
            logs(engine, *app, query).await
        }
        Request::EraseAccount { app, user, peer } => match peer {
            Some(peer) => erase_conversation(engine, *app, [user, peer]).await,
            None => erase_account(engine, *app, user).await,
        },
        Request::Receipts { before } => {
            let found = engine.receipts(*before, RECEIPTS_MAX).await.map_err(refused)?;
            Ok(found.into_iter().map(|receipt| receipt.line).collect::<Vec<_>>().join("\n"))
        }
        Request::Export(request) => crate::export::answer(engine, request).await,
        Request::Preserved(request) => crate::preserved::answer(engine, request).await,
        Request::Audit(request) => crate::audit::answer(opened, request).await,
        Request::Backup { to, without_mirror } => crate::backup::write(opened, to, *without_mirror).await,
        Request::ReceiptKey => Ok(engine.receipt_public_key()),
        Request::ShowRetention { .. } | Request::ProposeRetention { .. } | Request::ApplyRetention { .. } => {
            crate::retention::answer(engine, request).await
        }
        Request::Usersig { app, user, expire_seconds } => sign(engine, *app, user, *expire_seconds).await,
    }
}

/// Answers a request about apps and their settings.
async fn answer_app(engine: &Engine, request: &Request) -> Outcome<String> {
    let refused = |error: model::Error| error.info.into_owned();
    match request {
        Request::Create { name, owner, retention, json } => {
            let app = engine.apps.create(name, *owner, *retention).await.map_err(refused)?;
            Ok(created(&app, *json))
        }
        Request::List => {
            let apps = engine.apps.list().await.map_err(refused)?;
            let lines: Vec<String> = apps.iter().map(listed).collect();
            Ok(lines.join("\n"))
        }
        Request::Get { app, setting } => {
            let app = find(engine, *app).await?;
            settings(&app, setting.as_deref())
        }
        Request::Set { app, changes } => {
            let app = find(engine, *app).await?;
            let mut values = Vec::with_capacity(changes.len());
            for (name, text) in changes {
                values.push((name.clone(), app.settings.read(name, text).map_err(refused)?));
            }
            let author = engine::settings::Author::OPERATOR;
            let app = engine.change_settings(app.id, author, &values).await.map_err(refused)?;
            settings(&app, None)
        }
        Request::History { app, limit } => {
            let app = find(engine, *app).await?;
            let limit = (*limit).min(engine::settings::CHANGES_MAX);
            let changes = engine.settings_history(app.id, None, limit).await.map_err(refused)?;
            Ok(changes.iter().map(changed).collect::<Vec<_>>().join("\n"))
        }
        Request::AddKey { app } => {
            let app = engine.apps.add_key(SdkAppId(*app)).await.map_err(refused)?;
            Ok(app.keys.last().map(|key| key.reveal().to_owned()).unwrap_or_default())
        }
        Request::RetireKeys { app } => {
            engine.apps.retire_old_keys(SdkAppId(*app)).await.map_err(refused)?;
            Ok("one key is left".to_owned())
        }
        _ => Err("not a request about apps".to_owned()),
    }
}

fn listed(app: &App) -> String {
    let line = format!("{}  {}", app.id, app.settings.name);
    let tags = match app.settings.tags.as_slice() {
        [] => String::new(),
        tags => format!("  [{}]", tags.join(", ")),
    };
    match (app.status(), erased_at(app)) {
        (_, Some(end)) => format!("{line}{tags}  terminated, erased at {}", end.0),
        (Status::Suspended, _) => format!("{line}{tags}  suspended"),
        _ => format!("{line}{tags}"),
    }
}

/// A change of settings in one line.
fn changed(fact: &SettingsFact) -> String {
    let changes: Vec<String> = fact
        .changed
        .iter()
        .map(|one| format!("{}: {:?} -> {:?}", one.name, plain(&one.from), plain(&one.to)))
        .collect();
    format!("version {}  at {}  by {}  {}", fact.version, fact.at.0, fact.by, changes.join(", "))
}

async fn terminate(engine: &Engine, app: u32, name: &str) -> Outcome<String> {
    let found = find(engine, app).await?;
    if found.settings.name != name {
        return Err(format!(
            "--name: the app is called {:?}; say its name to terminate it",
            found.settings.name
        ));
    }
    let app = engine.terminate_app(found.id).await.map_err(|error| error.info.into_owned())?;
    let end = erased_at(&app).unwrap_or_default();
    Ok(format!(
        "{} is refused from now on, and erased at {} (in seconds since 1970) unless it is resumed",
        app.id, end.0
    ))
}

async fn sign(engine: &Engine, app: u32, user: &str, expire_seconds: u32) -> Outcome<String> {
    let app = find(engine, app).await?;
    let user = UserId::new(user).map_err(|error| format!("--user: {error}"))?;
    let key = app.keys.last().ok_or_else(|| "the app has no key".to_owned())?;
    let now = engine.context.clock.now().seconds();
    usersig::sign(app.id, key, &user, now, expire_seconds).map_err(|error| error.info.into_owned())
}

async fn erase_account(engine: &Arc<Engine>, app: u32, user: &str) -> Outcome<String> {
    let app = find(engine, app).await?;
    let user = UserId::new(user).map_err(|error| format!("--user: {error}"))?;
    let erased = engine.erase_account(&app, &user).await.map_err(|error| error.info.into_owned())?;
    Ok(format!(
        "hidden; rows follow within a minute, keys with the next generation\nreceipt     {}\n\
         commitment  {}\nsalt        {}  (kept nowhere else: it shows that receipts are about this account)",
        erased.receipt, erased.commitment, erased.salt
    ))
}

async fn erase_conversation(engine: &Arc<Engine>, app: u32, names: [&String; 2]) -> Outcome<String> {
    let app = find(engine, app).await?;
    let user = UserId::new(names[0]).map_err(|error| format!("--user: {error}"))?;
    let peer = UserId::new(names[1]).map_err(|error| format!("--peer: {error}"))?;
    let erased = engine.erase_conversation(&app, &user, &peer).await;
    let erased = erased.map_err(|error| error.info.into_owned())?;
    Ok(format!(
        "hidden for both; emptied within a minute, keys with the next generation\nreceipt     {}\n\
         commitment  {}\nsalt        {}  (kept nowhere else: it shows that receipts are about this conversation)",
        erased.receipt, erased.commitment, erased.salt
    ))
}

/// The request log as JSON Lines.
async fn logs(engine: &Engine, app: u32, mut query: LogQuery) -> Outcome<String> {
    find(engine, app).await?;
    let mut lines = Vec::new();
    let most = query.limit.min(LOG_LINES_MAX);
    while lines.len() < most {
        query.limit = most - lines.len();
        let page = engine.request_log(SdkAppId(app), query).await.map_err(|error| error.info.into_owned())?;
        lines.extend(page.requests.iter().map(log_line));
        let Some(next) = page.next else { break };
        query.from = next;
    }
    Ok(lines.join("\n"))
}

/// A request of the log as JSON.
pub(crate) fn log_line(logged: &Logged) -> String {
    serde_json::json!({
        "time": logged.at.0,
        "reference": format!("{:x}", logged.reference),
        "address": logged.address,
        "command": logged.command,
        "code": logged.code,
        "cause": logged.cause,
        "micros": logged.micros,
    })
    .to_string()
}

fn shown_keys(engine: &Engine) -> String {
    let ring = &engine.keyring;
    format!("keyring     {}\ngeneration  {}\nseeds       {}", ring.id(), ring.generation().0, ring.seeds())
}

async fn change_keys(engine: &Arc<Engine>) -> Outcome<String> {
    let told = |error: model::Error| error.cause.unwrap_or_else(|| error.info.into_owned().into());
    // Goes on to its end even if nobody waits for it any more.
    let engine = Arc::clone(engine);
    let changed = tokio::spawn(async move { engine.change_generation().await }).await;
    let changed = changed.map_err(|error| error.to_string())?.map_err(|error| told(error).to_string())?;
    Ok(format!(
        "generation {}: the keys of {} recalled messages and {} deleted accounts are destroyed",
        changed.generation.0, changed.messages, changed.accounts
    ))
}

pub(crate) async fn find(engine: &Engine, app: u32) -> Outcome<std::sync::Arc<App>> {
    let found = engine.apps.find(SdkAppId(app)).await.map_err(|error| error.info.into_owned())?;
    found.ok_or_else(|| format!("there is no app {app}"))
}

fn created(app: &App, json: bool) -> String {
    let key = app.keys.last().map(|key| key.reveal().to_owned()).unwrap_or_default();
    let administrator = app.settings.administrators.first().map(ToString::to_string).unwrap_or_default();
    if json {
        return serde_json::json!({"SDKAppID": app.id, "Key": key, "Administrator": administrator})
            .to_string();
    }
    format!("SDKAppID       {}\nKey            {key}\nAdministrator  {administrator}", app.id)
}

fn settings(app: &App, only: Option<&str>) -> Outcome<String> {
    let values = app.settings.values();
    if let Some(name) = only {
        let found = values.iter().find(|(known, _)| known == name);
        return found.map(|(_, value)| plain(value)).ok_or_else(|| format!("{name}: no such setting"));
    }
    let lines: Vec<String> =
        values.iter().map(|(name, value)| format!("{name} = {}", plain(value))).collect();
    Ok(lines.join("\n"))
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        serde_json::Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            pairs.join(",")
        }
        other => other.to_string(),
    }
}
