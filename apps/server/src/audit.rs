//! `whimbrel audit`: what is at rest, by class; what should not be there; and whether a text is found in any form.

mod search;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embedded::{Census, Count, Item};
use engine::facts::ProfileFact;
use model::{DataClass, SdkAppId, Seconds};
use ports::Record as _;
use ports::segments::SegmentId;
use promise::Stamps;
use promise::keys::{Keyring, Place};
use serde_json::{Value, json};

use self::search::Search;
use crate::cli::{Data, Outcome};
use crate::config::Config;

/// Files of a data folder that hold no data.
const KNOWN_FILES: [&str; 3] = ["lock", "control.sock", crate::backup::MARKER];

/// What was found.
#[derive(Default)]
struct Report {
    census: Census,
    /// Sealed items, and those among them whose keys are gone. `None` where no keyring was looked at.
    sealed: Option<(u64, u64)>,
    files: u64,
    bytes: u64,
    /// Which text was found in which form where.
    found: Vec<Value>,
}

impl Report {
    fn is_clean(&self) -> bool {
        self.census.unknown.is_empty()
            && self.found.is_empty()
            && self.census.classes.values().all(|count| count.overdue == 0)
    }

    fn json(&self) -> Value {
        let class = |(class, count): (&DataClass, &Count)| {
            let Count { items, overdue, oldest } = *count;
            (format!("{class:?}"), json!({"items": items, "overdue": overdue, "oldest": oldest}))
        };
        json!({
            "classes": self.census.classes.iter().map(class).collect::<serde_json::Map<_, _>>(),
            "unknown": self.census.unknown,
            "sealed": self.sealed.map(|(items, gone)| json!({"items": items, "keys_gone": gone})),
            "files": self.files,
            "bytes": self.bytes,
            "found": self.found,
            "clean": self.is_clean(),
        })
    }

    fn text(&self) -> String {
        let mut lines = vec![format!("{} files, {} bytes", self.files, self.bytes)];
        for (class, count) in &self.census.classes {
            let oldest =
                count.oldest.map_or_else(String::new, |oldest| format!(", the oldest of {}", oldest.0));
            lines.push(format!("{class:?}: {} items, {} overdue{oldest}", count.items, count.overdue));
        }
        lines.push(match self.sealed {
            Some((items, gone)) => format!("sealed: {items} items, the keys of {gone} are gone"),
            None => "sealed: not looked at, there is no keyring".to_owned(),
        });
        lines.push(format!("unknown: {}", self.census.unknown.len()));
        lines.extend(self.census.unknown.iter().map(|what| format!("  {what}")));
        lines.extend(self.found.iter().map(|found| format!("found: {found}")));
        lines.join("\n")
    }
}

/// Audits a stopped server's data. Nothing is changed, nothing expires.
pub(crate) fn run(data: &Data, keyring: Option<PathBuf>, texts: &[String], as_json: bool) -> Outcome<()> {
    if !data.data.join("store").is_dir() {
        return Err(format!("there is no store in {}", data.data.display()));
    }
    let config = Config::load(data.config.as_deref(), std::env::vars())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let report = runtime.block_on(report(data, keyring, texts, &config))?;
    println!("{}", if as_json { report.json().to_string() } else { report.text() });
    if report.is_clean() { Ok(()) } else { Err("something is at rest that should not be".to_owned()) }
}

async fn report(data: &Data, keyring: Option<PathBuf>, texts: &[String], config: &Config) -> Outcome<Report> {
    let mut search = Search::new(texts)?;
    let mut report = Report::default();
    let keys = match keyring {
        Some(folder) => folder,
        None => config.keys_folder(&data.data)?,
    };
    let ring = open_ring(&keys).await?;
    // Files come first: what the store writes when it is opened is its own.
    walk(&data.data, &data.data, &mut report, &mut search)?;
    if keys.is_dir() {
        walk(&keys, &keys, &mut report, &mut search)?;
    }
    let store = crate::stores::open_to_look(&data.data)?;
    let mut sealed = (0, 0);
    let mut count = |place: Place, content: &model::Sealed| {
        if let Some(ring) = ring.as_ref().filter(|_| !content.bytes.is_empty()) {
            sealed.0 += 1;
            sealed.1 += u64::from(ring.open_bytes(place, content).is_none());
        }
    };
    let mut look = |item: Item<'_>| match item {
        Item::Bytes(bytes) => search.look("an item of the store", bytes),
        Item::Message(app, conversation, author, content) => {
            count(Place::message(app, conversation, author), content);
        }
        Item::Record(app, kind, value) if kind.id == ProfileFact::KIND.id => {
            if let Ok(fact) = serde_json::from_slice::<ProfileFact>(value) {
                count(Place::profile(app, fact.number), &fact.sealed);
            }
        }
        Item::Record(..) => {}
    };
    let census = store.audit(&engine::facts::kinds(), &mut look).map_err(|fault| fault.to_string())?;
    for (class, counted) in census.classes {
        let sum = report.census.classes.entry(class).or_default();
        *sum = Count {
            items: sum.items + counted.items,
            overdue: sum.overdue + counted.overdue,
            oldest: sum.oldest.into_iter().chain(counted.oldest).min(),
        };
    }
    report.census.unknown.extend(census.unknown);
    report.sealed = ring.is_some().then_some(sealed);
    report.found = search.found();
    Ok(report)
}

/// The keyring in a folder, to look only; `None` if there is none.
async fn open_ring(folder: &Path) -> Outcome<Option<Keyring>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let vault = crate::stores::open_vault(folder.to_owned(), None)?;
    let ring = Keyring::to_look(Arc::new(vault)).await.map_err(|fault| fault.to_string())?;
    Ok(Some(ring))
}

/// Reads every file below a folder.
fn walk(root: &Path, folder: &Path, report: &mut Report, search: &mut Search) -> Outcome<()> {
    let unreadable = |path: &Path, error: &std::io::Error| format!("cannot read {}: {error}", path.display());
    for item in folder.read_dir().map_err(|error| unreadable(folder, &error))? {
        let item = item.map_err(|error| unreadable(folder, &error))?;
        let path = item.path();
        let kind = item.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            walk(root, &path, report, search)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        classify(&name, root, report);
        if kind.is_file() {
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            report.files += 1;
            report.bytes += bytes.len() as u64;
            search.look(&name, &bytes);
        }
    }
    Ok(())
}

/// Says what a file is; one that belongs to nothing is unknown.
fn classify(name: &str, root: &Path, report: &mut Report) {
    let is_keyring = !root.join("store").is_dir();
    let known_key = ["key.0", "key.1", "ring.0", "ring.1", "next", "lock"];
    if is_keyring {
        if !known_key.contains(&name) {
            report.census.unknown.push(format!("file {name} of the keyring"));
        }
        return;
    }
    if let Some(segment) = name.strip_prefix("segments/").and_then(segment) {
        let now = Seconds(crate::context::seconds_now());
        let stamp = Stamps::hourly(segment.app, segment.class, segment.hour);
        let made = Seconds(segment.hour.saturating_mul(3600));
        report.census.classes.entry(segment.class).or_default().add(Some(stamp.end()), Some(made), now);
    } else if !name.starts_with("store/") && !KNOWN_FILES.contains(&name) {
        report.census.unknown.push(format!("file {name}"));
    }
}

fn segment(name: &str) -> Option<SegmentId> {
    let parts: Vec<u32> = name.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [class, app, hour] = parts[..] else { return None };
    let class = DataClass::from_code(u8::try_from(class).ok()?)?;
    matches!(class, DataClass::Log | DataClass::Monitoring).then_some(SegmentId {
        app: SdkAppId(app),
        class,
        hour,
    })
}
