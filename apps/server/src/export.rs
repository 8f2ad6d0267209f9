//! `whimbrel account export`: what is kept of an account, for the one it is about.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use engine::Engine;
use engine::export::ExportPlace;
use model::UserId;
use promise::export::{MANIFEST_BYTES_MAX, Manifest, Tally};
use serde::{Deserialize, Serialize};

use crate::admin::run_request;
use crate::cli::{Outcome, Target};

/// The names in the folder of an export.
const FILE: &str = "export.jsonl";
const MANIFEST: &str = "manifest.json";

/// A request about exports.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub(crate) enum Request {
    Begin { app: u32, user: String },
    Read { app: u32, export: String, next: Option<String> },
}

/// An export that was begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    export: String,
    made_at: u32,
    readable_until: u32,
}

/// A part of what is written.
#[derive(Serialize, Deserialize)]
struct Part {
    lines: Vec<String>,
    next: Option<String>,
}

/// Answers a request.
pub(crate) async fn answer(engine: &Engine, request: &Request) -> Outcome<String> {
    let refused = |error: model::Error| error.info.into_owned();
    let text = match request {
        Request::Begin { app, user } => {
            let app = crate::admin::find(engine, *app).await?;
            let user = UserId::new(user).map_err(|error| format!("--user: {error}"))?;
            let fact = engine.begin_export(&app, &user).await.map_err(refused)?;
            let (made_at, readable_until) = (fact.made_at.0, fact.until.0);
            serde_json::to_string(&Begun { export: fact.token(), made_at, readable_until })
        }
        Request::Read { app, export, next } => {
            let app = crate::admin::find(engine, *app).await?;
            let place = match next {
                Some(next) => ExportPlace::of_text(next).ok_or("not a place of an export")?,
                None => ExportPlace::default(),
            };
            let page = engine.read_export(&app, export, place).await.map_err(refused)?;
            let next = page.next.map(|next| next.to_text());
            serde_json::to_string(&Part { lines: page.lines, next })
        }
    };
    text.map_err(|error| error.to_string())
}

/// Makes an export and writes it to a new folder.
pub(crate) fn write(target: &Target, user: &str, to: &Path) -> Outcome<String> {
    let cannot = |error: std::io::Error| format!("cannot write to {}: {error}", to.display());
    if to.exists() && to.read_dir().map_err(cannot)?.next().is_some() {
        return Err(format!("{} is not empty", to.display()));
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(cannot)?;
    let new = |name: &str| {
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(to.join(name)).map_err(cannot)
    };
    let ask = |request: Request| run_request(&target.data, &crate::admin::Request::Export(request));
    let begun = ask(Request::Begin { app: target.sdkappid, user: user.to_owned() })?;
    let begun: Begun = serde_json::from_str(&begun).map_err(|error| error.to_string())?;
    let mut file = BufWriter::new(new(FILE)?);
    let (mut tally, mut next, mut lines) = (Tally::default(), None, 0);
    loop {
        let asked = Request::Read { app: target.sdkappid, export: begun.export.clone(), next };
        let part: Part = serde_json::from_str(&ask(asked)?).map_err(|error| error.to_string())?;
        for mut line in part.lines {
            line.push('\n');
            file.write_all(line.as_bytes()).map_err(cannot)?;
            tally.add(line.as_bytes());
            lines += 1;
        }
        next = part.next;
        if next.is_none() {
            break;
        }
    }
    file.into_inner().map_err(|error| cannot(error.into_error()))?.sync_all().map_err(cannot)?;
    let Begun { export, made_at, readable_until } = begun;
    let manifest =
        Manifest::new(target.sdkappid, export, (made_at, readable_until), vec![tally.listed(FILE)]);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())?;
    // The manifest comes last: without it the export is not whole.
    let mut file = new(MANIFEST)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)?;
    Ok(format!(
        "{lines} lines in {}. The server forgets this export at {readable_until}; the folder is yours to delete",
        to.display()
    ))
}

/// Checks a folder that [`write`] wrote; needs nothing else.
pub(crate) fn check(folder: &Path) -> Outcome<String> {
    let open =
        |name: &str| File::open(folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"));
    let mut text = String::new();
    let limit = MANIFEST_BYTES_MAX as u64 + 1;
    open(MANIFEST)?.take(limit).read_to_string(&mut text).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let manifest = Manifest::parse(&text)?;
    let types = manifest.check(open)?;
    let counts: Vec<String> = types.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    Ok(format!("whole: {}", counts.join(", ")))
}
