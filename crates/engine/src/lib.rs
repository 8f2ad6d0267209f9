//! The rules that commands and jobs share: accounts, logins, messages, conversations, delivery.
//!
//! Nothing here knows HTTP or WebSockets, and nothing reads a clock or a disk but through the [`Context`].

pub mod accounts;
pub mod annotations;
pub mod apps;
pub mod archive;
pub mod blocks;
pub mod contact_groups;
pub mod contacts;
pub mod context;
pub mod conversation_erasure;
mod deliver;
pub mod do_not_disturb;
mod doomed;
pub mod erased;
pub mod erasure;
pub mod export;
pub mod facts;
pub mod follow;
pub mod history;
pub mod hub;
mod kinds;
pub mod merged;
pub mod messages;
pub mod moderation;
pub mod modify;
pub mod outbox;
pub mod presence;
pub mod preserve;
pub mod profiles;
pub mod push;
pub mod receipts;
pub mod relations;
pub mod requests;
pub mod retention;
pub mod robots;
mod seals;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod statistics;
mod store;
pub mod streams;
mod telling;
pub mod termination;
mod token;
mod turns;
mod unstored;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::Result;
use promise::keys::Keyring;
use promise::receipts::ReceiptKey;

pub use context::Context;
pub use hub::{Connection, Hub, Session};
use token::TokenKey;

/// What can be configured of the engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that may wait for one client before it is closed.
    pub outbox_bytes_max: usize,
    /// The number of this node.
    pub node: u32,
    /// How long a generation of keys is in use.
    pub generation_time: Duration,
    /// What law keeps from being deleted.
    pub floors: preserve::Floors,
    /// How much memory search takes.
    pub search: search::Options,
    /// Where the server is reached from outside, as `https://chat.example.com`; empty: where a caller reached it.
    pub public_address: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            outbox_bytes_max: 1 << 20,
            node: 1,
            generation_time: Duration::from_secs(24 * 3600),
            floors: preserve::Floors::default(),
            search: search::Options::default(),
            public_address: String::new(),
        }
    }
}

/// Everything that commands work with.
pub struct Engine {
    /// The world outside.
    pub context: Context,
    /// Apps.
    pub apps: Arc<apps::Apps>,
    /// Accounts.
    pub accounts: accounts::Accounts,
    /// Profiles.
    pub profiles: Arc<profiles::Profiles>,
    /// Block lists.
    pub blocks: blocks::Blocks,
    /// Friends.
    pub relations: relations::Relations,
    /// Who follows whom.
    pub follows: follow::Follows,
    /// Keywords that are refused or replaced.
    pub moderation: moderation::Moderation,
    /// Settings of conversations.
    pub contacts: contacts::Contacts,
    /// Conversation groups.
    pub contact_groups: contact_groups::ContactGroups,
    /// When accounts do not want to be disturbed.
    pub do_not_disturb: do_not_disturb::DoNotDisturb,
    /// Who is online.
    pub presence: presence::Presence,
    /// The connections of this node.
    pub hub: Arc<Hub>,
    /// What was asked.
    pub requests: requests::Requests,
    /// What was done, by the day.
    pub(crate) statistics: Arc<statistics::Statistics>,
    /// Keys.
    pub keyring: Arc<Keyring>,
    /// Copies that law demands.
    pub preserve: Arc<preserve::Preserve>,
    /// Search of messages.
    pub search: Arc<search::Search>,
    people: Arc<search::People>,
    archives: archive::Archives,
    streams: streams::Streams,
    robots: robots::Robots,
    unstored: unstored::Unstored,
    erasing: erased::Erasing,
    doomed: doomed::Doomed,
    is_stopping: AtomicBool,
    /// Held by who changes the generation of keys.
    changing: tokio::sync::Mutex<()>,
    /// Held by who adds to the chain of receipts.
    chaining: tokio::sync::Mutex<()>,
    receipt_key: ReceiptKey,
    token_key: TokenKey,
}

impl Engine {
    /// Starts the engine: reads its secrets and begins to deliver what is appended from now on.
    ///
    /// # Errors
    /// What the store says.
    pub async fn start(context: Context, options: Options) -> Result<Arc<Self>> {
        let hub = Arc::new(Hub::new(options.outbox_bytes_max));
        let keyring = Arc::new(seals::keyring(&context).await?);
        let receipt_key = receipts::key(&context).await?;
        let token_key = sessions::token_key(context.records.as_ref(), context.random.as_ref()).await?;
        let requests = requests::Requests::new(context.clone(), Arc::clone(&keyring), options.floors.clone());
        requests.expire().await?;
        let preserve = preserve::Preserve::new(context.clone(), Arc::clone(&keyring), options.floors);
        let preserve = Arc::new(preserve);
        let statistics =
            statistics::Statistics::open(context.clone(), Arc::clone(&hub), Arc::clone(&keyring));
        let statistics = Arc::new(statistics.await?);
        let apps = Arc::new(apps::Apps::new(context.clone()));
        let (search, people) = search::open(&context, &keyring, &apps, options.search).await?;
        let engine = Arc::new(Self {
            accounts: accounts::Accounts::new(&context, &apps, &statistics, &people),
            profiles: Arc::new(profiles::Profiles::new(
                context.clone(),
                Arc::clone(&apps),
                Arc::clone(&hub),
                Arc::clone(&keyring),
                Arc::clone(&preserve),
                Arc::clone(&people),
            )),
            blocks: blocks::Blocks::new(context.clone()),
            relations: relations::Relations::new(context.clone(), Arc::clone(&statistics)),
            follows: follow::Follows::new(context.clone()),
            moderation: moderation::Moderation::new(context.clone()),
            contacts: contacts::Contacts::new(context.clone()),
            contact_groups: contact_groups::ContactGroups::new(context.clone()),
            do_not_disturb: do_not_disturb::DoNotDisturb::new(context.clone()),
            presence: presence::Presence::new(context.clone(), &apps, &hub, options.node),
            apps,
            hub,
            keyring,
            requests,
            statistics,
            preserve,
            search,
            people,
            streams: streams::Streams::default(),
            archives: archive::Archives::new(options.public_address),
            robots: robots::Robots::new(),
            unstored: unstored::Unstored::new(),
            erasing: erased::Erasing::default(),
            doomed: doomed::Doomed::default(),
            is_stopping: AtomicBool::new(false),
            changing: tokio::sync::Mutex::default(),
            chaining: tokio::sync::Mutex::default(),
            receipt_key,
            token_key,
            context,
        });
        engine.resume().await?;
        engine.start_jobs(options.generation_time);
        Ok(engine)
    }

    /// Finishes what the last stop or crash interrupted, before anybody is served.
    async fn resume(self: &Arc<Self>) -> Result<()> {
        self.resume_holds().await?;
        self.resume_streams().await?;
        if let Err(error) = self.resume_retention().await {
            tracing::error!(code = error.code.number(), "a change of retention could not be finished yet");
        }
        Ok(())
    }

    /// Starts what goes on beside commands, for as long as the engine lives.
    fn start_jobs(self: &Arc<Self>, generation_time: Duration) {
        erased::start(self);
        deliver::start(self);
        doomed::start(self);
        erasure::start(self, generation_time);
        requests::start(self);
        statistics::start(self);
        search::start(self);
        streams::start(self);
        termination::start(self);
    }

    /// Tells the jobs that the stores are about to close: what fails from now on is gone on with by the next start.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// Says that a job failed, unless everything is about to stop.
    pub(crate) fn job_failed(&self, job: &'static str, error: &model::Error) {
        if !self.is_stopping.load(Ordering::Acquire) {
            let cause = error.cause.as_deref().unwrap_or_default();
            tracing::error!(
                job,
                code = error.code.number(),
                cause,
                "a job could not be done and is tried again"
            );
        }
    }

    /// Says that those who are connected could not be told of something that is done, unless everything is about to stop.
    pub(crate) fn untold(&self, told: Result<()>) {
        if let Err(error) = told
            && !self.is_stopping.load(Ordering::Acquire)
        {
            let cause = error.cause.as_deref().unwrap_or_default();
            tracing::warn!(code = error.code.number(), cause, "connected clients were not told of a change");
        }
    }
}
