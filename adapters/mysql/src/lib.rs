//! The Records port over MySQL or MariaDB: durable facts, shared by all nodes.
//!
//! A transaction takes two journeys to the server: one that locks every record it looks at, in order, and reads what is there; one
//! that writes and commits. Time is the caller's, never the server's: expired rows are absent for every read and condition, and
//! [`MySqlRecords::sweep`] removes them later. Decision record 15 says why things are as they are.
#![expect(clippy::disallowed_methods, reason = "an adapter waits for a server by the runtime's clock")]

mod access;
mod failure;
mod plan;
mod pool;
mod read;
mod register;
mod rows;
mod schema;
mod settings;
mod text;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use model::{Millis, SdkAppId};
use ports::records::{Found, Range, Records};
use ports::{Answer, Clock, Fault, Kind, Transaction};
use sqlx::mysql::MySqlRow;

pub use crate::access::{Access, CONNECTIONS, CONNECTIONS_MAX};
use crate::failure::Failure;
use crate::plan::{Formers, Plan};
use crate::pool::Pool;
use crate::read::Question;
pub use crate::register::{Register, Registered};
pub use crate::schema::{Migrated, SCHEMA, migrate};
pub use crate::upkeep::{Census, Count};

/// How often a transaction is tried that others hindered, or whose connection was lost before it could commit.
const TRIES_MAX: u32 = 10;

/// How often a read is tried whose connection was lost.
const READS_MAX: u32 = 3;

/// How long a transaction may take with all its tries.
const APPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the first wait before another try is; it doubles up to 64 times that.
const BACKOFF: Duration = Duration::from_millis(2);

/// Records in a database.
pub struct MySqlRecords {
    pool: Pool,
    clock: Arc<dyn Clock>,
    register: Option<Register>,
}

/// How a try of a transaction ended.
enum Ended {
    /// It is committed and removed so many records.
    Committed(usize),
    /// A condition did not hold.
    Conflict,
    /// It did nothing, and may be tried again.
    Undone(Failure),
    /// It did nothing or is not known to have done anything.
    Failed(Fault),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl MySqlRecords {
    /// Connects to a database that [`migrate`] made ready. A connection that is lost later is made again by itself.
    ///
    /// # Errors
    /// `Unavailable` if the server cannot be reached, does not let this user in, has a setting that breaks a promise (it says which and
    /// why), or if the schema is not one that this program works with.
    pub async fn connect(access: Access, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        Ok(Self { pool: Pool::connect(access).await?, clock, register: None })
    }

    /// Keeps the table of apps beside these records.
    #[must_use]
    pub fn with_register(self, register: Register) -> Self {
        Self { register: Some(register), ..self }
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Reads by text.
    pub(crate) async fn rows(&self, text: &str) -> Result<Vec<MySqlRow>, Fault> {
        let mut tries = 1;
        loop {
            let mut held = self.pool.take().await?;
            match held.run(text).await {
                Ok(rows) => {
                    held.give_back();
                    return Ok(rows);
                }
                Err(Failure::Lost) if tries < READS_MAX => tries += 1,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn ask(&self, app: SdkAppId, question: Question) -> Result<Vec<Found>, Fault> {
        let mut tries = 1;
        let rows = loop {
            let mut held = self.pool.take().await?;
            match held.ask(question.query()).await {
                Ok(rows) => {
                    held.give_back();
                    break rows;
                }
                Err(Failure::Lost) if tries < READS_MAX => tries += 1,
                Err(failure) => return Err(failure.into()),
            }
        };
        rows.iter().map(|row| rows::found(app, row)).collect()
    }

    /// Runs a transaction until it is committed or known not to be; how many records it removed.
    pub(crate) async fn run(&self, plan: &Plan) -> Result<usize, Fault> {
        if plan.is_empty() {
            return Ok(0);
        }
        let tries = async {
            let mut failure = Failure::Contended;
            for tried in 0..TRIES_MAX {
                match self.attempt(plan).await.unwrap_or_else(|ended| ended) {
                    Ended::Committed(removed) => return Ok(removed),
                    Ended::Conflict => return Err(Fault::Conflict),
                    Ended::Failed(fault) => return Err(fault),
                    Ended::Undone(why) => failure = why,
                }
                if failure == Failure::Contended {
                    self.clock.sleep(self.backoff(tried)).await;
                }
            }
            Err(failure.into())
        };
        match tokio::time::timeout(APPLY_TIMEOUT, tries).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Late.into()),
        }
    }

    /// Longer each time, and not the same for all that wait.
    fn backoff(&self, tried: u32) -> Duration {
        let longest = BACKOFF * 2_u32.pow(tried.min(6));
        let part = u32::try_from(self.clock.elapsed_micros() % 1000).unwrap_or(0);
        longest / 2 + longest * part / 2000
    }

    async fn attempt(&self, plan: &Plan) -> Result<Ended, Ended> {
        let mut held = self.pool.take().await?;
        let mut formers = Formers::new();
        for message in plan.locking() {
            match held.run(&message).await {
                Ok(rows) => {
                    for row in &rows {
                        let (place, former) = rows::former(row)?;
                        formers.insert(place, former);
                    }
                }
                Err(failure) => return Ok(undone(held, failure).await),
            }
        }
        // As late as can be: what expired while locks were waited for is absent.
        let now = self.now();
        if !plan.holds(&formers, now) {
            held.undo().await;
            return Ok(Ended::Conflict);
        }
        if plan.only_asks() {
            held.undo().await;
            return Ok(Ended::Committed(0));
        }
        let (messages, removed) = plan.writing(&formers, self.register.as_ref(), now)?;
        // The last one commits.
        let last = messages.len().saturating_sub(1);
        for (index, message) in messages.iter().enumerate() {
            match held.run(message).await {
                Ok(_) => {}
                Err(failure @ Failure::Lost) if index == last => return Err(Ended::Failed(failure.into())),
                Err(failure) => return Ok(undone(held, failure).await),
            }
        }
        held.give_back();
        Ok(Ended::Committed(removed))
    }
}

/// How a try ended whose statement failed before it could commit: of several in a message none is run after one that fails.
async fn undone(held: pool::Held, failure: Failure) -> Ended {
    match failure {
        Failure::Contended => {
            held.undo().await;
            Ended::Undone(failure)
        }
        // Dropped, the connection is closed, and the server undoes what was not committed.
        Failure::Lost => Ended::Undone(failure),
        Failure::Full | Failure::Refused(_) => {
            held.undo().await;
            Ended::Failed(failure.into())
        }
        Failure::Late | Failure::Busy | Failure::Strange => Ended::Failed(failure.into()),
    }
}

impl Records for MySqlRecords {
    fn get(&self, app: SdkAppId, kind: Kind, key: &[u8]) -> Answer<'_, Option<Found>> {
        let question = read::one(app, kind, key, self.now());
        Box::pin(async move { Ok(self.ask(app, question).await?.pop()) })
    }

    fn scan(&self, app: SdkAppId, range: Range) -> Answer<'_, Vec<Found>> {
        Box::pin(async move {
            match read::many(app, &range, self.now()) {
                Some(question) => self.ask(app, question).await,
                None => Ok(Vec::new()),
            }
        })
    }

    fn apply(&self, app: SdkAppId, transaction: Transaction) -> Answer<'_, ()> {
        Box::pin(async move { self.run(&Plan::of(app, transaction)?).await.map(drop) })
    }
}
