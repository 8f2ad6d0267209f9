//! Connections: bounded, made ready before their first use, closed unless they are handed back in good order.
//!
//! sqlx has a pool of its own. It asks a server whether it is there whenever a connection is taken and whenever it is handed
//! back, which doubles the messages of a read; and a call that is given up in a transaction would hand its locks on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ports::Fault;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, MySql, MySqlConnection, Row as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::access::Access;
use crate::failure::Failure;
use crate::schema;
use crate::settings::{self, Maker, Settings};

/// How long a call waits for a connection that is free.
const FREE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may take until it can be used.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one message to the server and its answer may take, waiting for locks included. The server ends its side then too.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one lock is waited for, in seconds.
const LOCK_SECONDS: u32 = 3;

/// A connection that was not used for so long is asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);

/// For so long after one was lost all of them are asked.
const TROUBLE: Duration = Duration::from_secs(10);

/// How long the answer to that may take.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest text after which a connection keeps the room that it took.
const KEPT_BYTES: usize = 256 << 10;

/// What is asked of a connection before its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The schema has to be one that this program works with.
    Work,
    /// The schema is looked at by who asked, and its changes may take as long as they need.
    Migration,
}

/// Connections to one server.
pub(crate) struct Pool {
    access: Access,
    free: Arc<Semaphore>,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    /// With the moment since which each is idle.
    connections: Vec<(MySqlConnection, Instant)>,
    /// When one was lost last.
    lost_at: Option<Instant>,
}

/// A connection in use. Dropped, it is closed, and the server undoes what was not committed.
pub(crate) struct Held {
    connection: MySqlConnection,
    idle: Arc<Mutex<Idle>>,
    is_large: bool,
    _free: OwnedSemaphorePermit,
}

impl Pool {
    /// Connects once, to see whether it can be done.
    pub(crate) async fn connect(access: Access) -> Result<Self, Fault> {
        let free = Arc::new(Semaphore::new(access.connections));
        let pool = Self { access, free, idle: Arc::default() };
        pool.take().await?.give_back();
        Ok(pool)
    }

    /// A connection that is there.
    pub(crate) async fn take(&self) -> Result<Held, Fault> {
        let free = match tokio::time::timeout(FREE_TIMEOUT, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(free)) => free,
            Ok(Err(_)) | Err(_) => return Err(Failure::Busy.into()),
        };
        let held =
            |connection| Held { connection, idle: Arc::clone(&self.idle), is_large: false, _free: free };
        while let Some((mut connection, is_doubtful)) = self.take_idle() {
            if !is_doubtful || within(PING_TIMEOUT, connection.ping()).await.is_ok() {
                return Ok(held(connection));
            }
        }
        Ok(held(open(&self.access, Purpose::Work).await?))
    }

    /// The one that was used last, and whether it may be gone.
    fn take_idle(&self) -> Option<(MySqlConnection, bool)> {
        let mut idle = self.idle.lock();
        let (connection, since) = idle.connections.pop()?;
        let is_troubled = idle.lost_at.is_some_and(|at| at.elapsed() < TROUBLE);
        Some((connection, is_troubled || since.elapsed() > FRESH))
    }
}

impl Held {
    /// Runs statements of text, one after the other until one fails, and returns the rows of all.
    pub(crate) async fn run(&mut self, text: &str) -> Result<Vec<MySqlRow>, Failure> {
        self.is_large |= text.len() > KEPT_BYTES;
        let answer = within(ANSWER_TIMEOUT, self.connection.fetch_all(text)).await;
        answer.inspect_err(|failure| self.note(*failure))
    }

    /// Runs a prepared statement.
    pub(crate) async fn ask(
        &mut self,
        query: Query<'_, MySql, MySqlArguments>,
    ) -> Result<Vec<MySqlRow>, Failure> {
        let answer = within(ANSWER_TIMEOUT, self.connection.fetch_all(query)).await;
        answer.inspect_err(|failure| self.note(*failure))
    }

    fn note(&self, failure: Failure) {
        if matches!(failure, Failure::Lost | Failure::Late) {
            self.idle.lock().lost_at = Some(Instant::now());
        }
    }

    /// Undoes the transaction and lets others have the connection.
    pub(crate) async fn undo(mut self) {
        if self.run("ROLLBACK").await.is_ok() {
            self.give_back();
        }
    }

    /// Lets others have the connection: only when everything on it was answered and no transaction is open.
    pub(crate) fn give_back(self) {
        let Self { mut connection, idle, is_large, .. } = self;
        if is_large {
            connection.shrink_buffers();
        }
        idle.lock().connections.push((connection, Instant::now()));
    }
}

/// Makes a connection and gets it ready.
pub(crate) async fn open(access: &Access, purpose: Purpose) -> Result<MySqlConnection, Fault> {
    let ready = async {
        let opened = access.options.connect().await;
        let mut connection = opened.map_err(|error| match error {
            sqlx::Error::Tls(_) => Fault::Unavailable("MySQL: no encrypted connection".to_owned()),
            sqlx::Error::Configuration(_) => {
                Fault::Unavailable("MySQL: the certificates cannot be used".to_owned())
            }
            error => match Failure::from(error) {
                Failure::Lost => Fault::Unavailable("MySQL: the server cannot be reached".to_owned()),
                failure => failure.into(),
            },
        })?;
        let maker = settings::judge(&read_settings(&mut connection).await?)?;
        let own = match maker {
            // Statements hold what is stored.
            Maker::MariaDb => ", slow_query_log = 0",
            Maker::MySql => "",
        };
        let limit = match (purpose, maker) {
            (Purpose::Migration, _) => String::new(),
            (Purpose::Work, Maker::MariaDb) => format!(", max_statement_time = {}", ANSWER_TIMEOUT.as_secs()),
            (Purpose::Work, Maker::MySql) => format!(", max_execution_time = {}", ANSWER_TIMEOUT.as_millis()),
        };
        let session = format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;\
             SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
             innodb_lock_wait_timeout = {LOCK_SECONDS}{own}{limit};"
        );
        connection.execute(session.as_str()).await.map_err(Failure::from)?;
        if purpose == Purpose::Work {
            schema::check(&mut connection).await?;
        }
        Ok(connection)
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, ready).await {
        Ok(opened) => opened,
        Err(_) => Err(Failure::Late.into()),
    }
}

async fn read_settings(connection: &mut MySqlConnection) -> Result<Settings, Fault> {
    let rows = connection.fetch_all(settings::QUESTION).await.map_err(Failure::from)?;
    let pairs = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    pairs.collect::<Result<_, sqlx::Error>>().map_err(|error| Failure::from(error).into())
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(Failure::from),
        Err(_) => Err(Failure::Late),
    }
}
