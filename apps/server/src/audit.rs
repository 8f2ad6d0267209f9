//! `whimbrel audit`: what is at rest, by class; what should not be there; and whether a text is found in any form.
//!
//! A running server looks at its own files and its open store, one audit at a time and for as long as a request on the
//! control socket may take: an hour. A stopped one's are opened to look. Both say the same.

mod files;
mod lz4;
mod report;
mod search;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use embedded::{EmbeddedStore, FolderBlobs, FolderSegments, Item};
use engine::annotations::{ExtensionFact, ReactionFact};
use engine::facts::ProfileFact;
use engine::preserve::{Cover, HoldFact, PreservedFact};
use engine::retention::ShortenedFact;
use model::{AccountNumber, DataClass, SdkAppId, Sealed, Seconds};
use ports::segments::{BlockPlace, SegmentId, Segments as _};
use ports::{Fault, Kind, Record as _};
use promise::keys::{Keyring, Place};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use self::files::Root;
use self::report::{KeyPlace, PurgeDue, Report, Tally};
use self::search::Search;
use crate::cli::{Data, Outcome};
use crate::config::Config;
use crate::stores::Opened;

/// Blocks of a segment read at once.
const BLOCKS_AT_ONCE: usize = 16;

/// What is to be looked at besides the data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The folder of the keyring.
    keys: PathBuf,
    /// Its mirror.
    mirror: Option<PathBuf>,
    /// What is looked for.
    texts: Vec<String>,
}

/// What a running server has open.
struct Running {
    store: Arc<EmbeddedStore>,
    ring: Arc<Keyring>,
}

/// An audit on its way.
struct Audit {
    report: Report,
    search: Search,
    /// When a file of the store was changed last.
    changed: Seconds,
    /// Whether nobody waits for it any more.
    ended: Arc<AtomicBool>,
}

/// Ends what an audit does on other threads when it is dropped.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Audits the data of a server, running or stopped. Nothing is changed, nothing expires.
pub(crate) fn run(data: &Data, keyring: Option<PathBuf>, texts: &[String], as_json: bool) -> Outcome<()> {
    if !data.data.join("store").is_dir() {
        return Err(format!("there is no store in {}", data.data.display()));
    }
    let config = Config::load(data.config.as_deref(), std::env::vars())?;
    let keys = match keyring {
        Some(folder) => folder,
        None => config.keys_folder(&data.data)?,
    };
    let request = Request {
        keys: crate::backup::absolute(keys)?,
        mirror: config.keys_mirror(&data.data)?.map(crate::backup::absolute).transpose()?,
        texts: texts.to_vec(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let answer = runtime.block_on(async {
        let asked = crate::admin::Request::Audit(request.clone());
        match crate::control::ask(&data.data, &asked).await? {
            Some(answer) => answer,
            None => audit(&data.data, request, None).await?.json(),
        }
    })?;
    let report: Report = serde_json::from_str(&answer).map_err(|error| format!("not a report: {error}"))?;
    println!("{}", if as_json { answer } else { report.text() });
    if report.clean { Ok(()) } else { Err("something is at rest that should not be".to_owned()) }
}

/// Audits the data of this server while it goes on; the report as JSON.
pub(crate) async fn answer(opened: &Opened, request: &Request) -> Outcome<String> {
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.try_lock().map_err(|_| "another audit is running".to_owned())?;
    if request.mirror.is_some() != opened.has_mirror {
        return Err(not_as_started("keys.mirror"));
    }
    let running = Running { store: Arc::clone(&opened.store), ring: Arc::clone(&opened.engine.keyring) };
    audit(&opened.data, request.clone(), Some(running)).await?.json()
}

fn not_as_started(what: &str) -> String {
    format!(
        "{what} is not that of the running server: give --config, --keyring and the environment as it has them"
    )
}

async fn audit(data: &Path, request: Request, running: Option<Running>) -> Outcome<Report> {
    let is_running = running.is_some();
    let known = running.as_ref().map(|running| running.ring.generation().0);
    let ended = Arc::new(AtomicBool::new(false));
    let _ended = Ended(Arc::clone(&ended));
    let search = Search::new(&request.texts)?;
    let audit = Audit { report: Report::default(), search, changed: Seconds(0), ended };
    // Files come first: what the store writes when it is opened is its own.
    let folder = data.to_owned();
    let (audit, request) = apart(move || audit.files(&folder, request)).await?;
    let newest = audit.report.keyring.iter().filter_map(|place| place.generation).max();
    let (store, ring) = match running {
        Some(Running { store, ring }) => {
            let own = audit.report.keyring.first().and_then(|place| place.generation);
            // A change of generations is in the files before it is in use.
            let most = ring.generation().0.saturating_add(1);
            if own.is_none_or(|own| !(known.unwrap_or(0)..=most).contains(&own)) {
                return Err(not_as_started("the keyring"));
            }
            (store, Some(ring))
        }
        None => {
            let ring = open_ring(&request.keys).await?.map(Arc::new);
            (Arc::new(crate::stores::open_to_look(data)?), ring)
        }
    };
    let mut audit = {
        let ring = ring.clone();
        apart(move || audit.store(&store, ring.as_deref(), is_running)).await?
    };
    if let Some(ring) = &ring {
        audit.segments(data, ring).await?;
        audit.blobs(data, ring).await?;
    }
    Ok(audit.end(known.or(newest).unwrap_or(0)))
}

/// Does something that takes long on a thread where it holds up nobody.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| format!("the audit failed: {error}"))?
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

impl Audit {
    /// An audit that takes long goes on only as long as somebody waits for it.
    fn check_wanted(&self) -> Outcome<()> {
        if self.ended.load(Ordering::Acquire) {
            return Err("nobody waits for the audit any more".to_owned());
        }
        Ok(())
    }

    fn files(mut self, data: &Path, request: Request) -> Outcome<(Self, Request)> {
        let mirror = request.mirror.as_deref();
        let places = [(Root::Keyring, "keyring", Some(&*request.keys)), (Root::Mirror, "mirror", mirror)];
        for (_, name, folder) in places {
            let Some(folder) = folder else { continue };
            let generation = embedded::kept_generation(folder).map_err(|fault| fault.to_string())?;
            self.report.keyring.push(KeyPlace { place: name.to_owned(), generation });
        }
        self.walk(Root::Data, data)?;
        for (root, _, folder) in places {
            if let Some(folder) = folder {
                self.walk(root, folder)?;
            }
        }
        Ok((self, request))
    }

    fn store(mut self, store: &EmbeddedStore, ring: Option<&Keyring>, is_running: bool) -> Outcome<Self> {
        let Self { report, search, changed, ended } = &mut self;
        let mut tally = ring.map(|_| Tally::default());
        let mut count = |place: Place, sealed: &Sealed| {
            if let (Some(tally), Some(ring)) = (&mut tally, ring) {
                tally.add(ring, place, sealed);
            }
        };
        let (holds, copies) = (&mut report.holds, &mut report.preserved_copies);
        let shortened = RefCell::new(BTreeMap::new());
        let mut look = |item: Item<'_>| {
            if ended.load(Ordering::Acquire) {
                return Err(Fault::Unavailable("nobody waits for the audit any more".to_owned()));
            }
            match item {
                Item::Bytes(bytes) => search.look("an item of the store", bytes),
                Item::Message(app, conversation, author, content) => {
                    count(Place::message(app, conversation, author), content);
                }
                Item::Record(app, kind, value) => {
                    if let Some(since) = shortened_since(kind, value) {
                        let mut known = shortened.borrow_mut();
                        let newest: &mut Seconds = known.entry(app).or_insert(since);
                        *newest = since.max(*newest);
                    }
                    *holds += u64::from(kind.id == HoldFact::KIND.id);
                    *copies += u64::from(kind.id == PreservedFact::KIND.id);
                    if let Some((place, content)) = sealed_in(app, kind, value) {
                        count(place, &content);
                    }
                }
            }
            Ok(())
        };
        let since = |app: SdkAppId| shortened.borrow().get(&app).copied();
        let census = store.audit(&engine::facts::kinds(), &since, &mut look);
        let census = census.map_err(|fault| fault.to_string())?;
        for (class, counted) in census.classes {
            report.classes.entry(class.name().to_owned()).or_default().merge(counted);
        }
        report.unknown.extend(census.unknown);
        // While nobody wrote to the store nobody purged it either.
        let since = (!is_running).then_some(*changed);
        report.purge_due = census.purge_is_due.then_some(PurgeDue { since });
        report.sealed = tally;
        Ok(self)
    }

    /// Counts what is sealed in segments.
    async fn segments(&mut self, data: &Path, ring: &Keyring) -> Outcome<()> {
        let folder = data.join("segments");
        if !folder.is_dir() {
            return Ok(());
        }
        let told = |fault: Fault| fault.to_string();
        let segments = FolderSegments::open(folder, 0).map_err(told)?;
        for segment in segments.list().await.map_err(told)? {
            if !files::is_written(segment.class) {
                continue;
            }
            let mut from = BlockPlace::default();
            loop {
                let blocks = segments.blocks(segment, from, BLOCKS_AT_ONCE).await.map_err(told)?;
                let Some(last) = blocks.last() else { break };
                from = last.next;
                let tally = self.report.sealed.get_or_insert_default();
                blocks.iter().for_each(|block| tally.add_block(ring, place_of(segment), &block.sealed));
            }
        }
        Ok(())
    }

    /// Counts what is sealed in objects.
    async fn blobs(&mut self, data: &Path, ring: &Keyring) -> Outcome<()> {
        let folder = data.join("blobs");
        if !folder.is_dir() {
            return Ok(());
        }
        let told = |fault: Fault| fault.to_string();
        for file in FolderBlobs::look(&folder).map_err(told)? {
            self.check_wanted()?;
            // One that is gone or damaged is made anew by whoever searches in it.
            if let Ok(Some(sealed)) = FolderBlobs::read_file(&folder, file) {
                let tally = self.report.sealed.get_or_insert_default();
                tally.add(ring, Place::search_index(file.app), &sealed);
            }
        }
        Ok(())
    }

    fn end(self, generation: u64) -> Report {
        let Self { mut report, search, .. } = self;
        (report.found, report.unsearched) = search.found();
        report.judge(generation, Seconds(crate::context::seconds_now()));
        report
    }
}

/// Since when messages are kept for a shorter time, if a record says that.
fn shortened_since(kind: Kind, value: &[u8]) -> Option<Seconds> {
    if kind.id != ShortenedFact::KIND.id {
        return None;
    }
    let fact: ShortenedFact = serde_json::from_slice(value).ok()?;
    (fact.class.rule() == DataClass::MESSAGE).then_some(fact.since)
}

/// What is sealed in a record, and where it belongs.
fn sealed_in(app: SdkAppId, kind: Kind, value: &[u8]) -> Option<(Place, Sealed)> {
    /// A legal hold, as far as it matters here.
    #[derive(Deserialize)]
    struct Held {
        cover: Cover,
        said: Sealed,
    }
    if kind.id == ProfileFact::KIND.id {
        let fact: ProfileFact = serde_json::from_slice(value).ok()?;
        Some((Place::profile(app, fact.number), fact.sealed))
    } else if kind.id == ExtensionFact::KIND.id {
        let ExtensionFact { about, by, sealed, .. } = serde_json::from_slice(value).ok()?;
        Some((Place::annotation(app, about.conversation, by), sealed))
    } else if kind.id == ReactionFact::KIND.id {
        let ReactionFact { about, by, sealed, .. } = serde_json::from_slice(value).ok()?;
        Some((Place::annotation(app, about.conversation, by), sealed))
    } else if kind.id == PreservedFact::KIND.id {
        let fact: PreservedFact = serde_json::from_slice(value).ok()?;
        Some((fact.cover.place(), fact.sealed))
    } else if kind.id == HoldFact::KIND.id {
        let fact: Held = serde_json::from_slice(value).ok()?;
        Some((fact.cover.place(), fact.said))
    } else {
        None
    }
}

/// Where the blocks of a segment belong, as the engine seals them.
fn place_of(segment: SegmentId) -> Place {
    match segment.class {
        DataClass::Preserved => Cover::floor(segment.app).place(),
        class => Place { app: segment.app, class, conversation: None, author: AccountNumber(0) },
    }
}
