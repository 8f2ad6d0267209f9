//! A call on its way through the pipeline, and what a running command sees of it.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use engine::facts::AccountFact;
use engine::{Connection, Engine, Session};
use model::settings::App;
use model::{ErrorCode, InstanceId, Result, UserId};
use parking_lot::Mutex;
use promise::Stamps;

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// An administrator of the app, over REST.
    Administrator(UserId),
    /// A logged-in account, over the socket.
    Account(Arc<Session>),
    /// A connection without login.
    Nobody,
}

/// What a frame brought to log in with.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The account's name.
    pub identifier: String,
    /// A signature, for the first login.
    pub signature: String,
    /// The key of an earlier login.
    pub token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A call: who, for which app, over what.
pub struct Call {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The app.
    pub app: Arc<App>,
    /// Who calls.
    pub caller: Caller,
    /// The connection, over the socket.
    pub connection: Option<Arc<Connection>>,
    /// From which address it came.
    pub address: IpAddr,
    /// What the frame brought to log in with.
    pub credentials: Credentials,
    /// By which name the caller reached the server, over REST.
    pub host: Option<Box<str>>,
    before: Mutex<Vec<Bytes>>,
}

impl Call {
    /// A call.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        app: Arc<App>,
        caller: Caller,
        connection: Option<Arc<Connection>>,
        address: IpAddr,
        credentials: Credentials,
    ) -> Self {
        Self { engine, app, caller, connection, address, credentials, host: None, before: Mutex::default() }
    }

    /// The same call, of a caller that reached the server by this name.
    #[must_use]
    pub fn at_host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(Box::from);
        self
    }

    /// The stamps of the app.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        Stamps::of(self.app.id, &self.app.settings)
    }

    /// The login behind the call, if it came over the socket.
    #[must_use]
    pub fn session(&self) -> Option<&Arc<Session>> {
        match &self.caller {
            Caller::Account(session) => Some(session),
            Caller::Administrator(_) | Caller::Nobody => None,
        }
    }

    /// The instance behind the call, if it came over the socket.
    #[must_use]
    pub fn instance(&self) -> Option<InstanceId> {
        self.session().map(|session| session.instance)
    }

    /// Whether an administrator calls.
    #[must_use]
    pub const fn is_administrator(&self) -> bool {
        matches!(self.caller, Caller::Administrator(_))
    }

    /// The account that a call acts for: over the socket the caller's own, whatever the field says as long as it
    /// names no other; over REST the one that the field names.
    ///
    /// # Errors
    /// `code`, naming the field, if it names another account, or one that does not exist. If it is missing: the number of its
    /// family for wrong parameters where `code` says only that there is no such account, else `code` too.
    pub async fn actor(
        &self,
        field: &str,
        user: Option<&UserId>,
        code: ErrorCode,
    ) -> Result<Arc<AccountFact>> {
        match (&self.caller, user) {
            (Caller::Account(session), None) => Ok(Arc::clone(&session.account)),
            (Caller::Account(session), Some(user)) if *user == session.account.user => {
                Ok(Arc::clone(&session.account))
            }
            (Caller::Account(_) | Caller::Nobody, _) => {
                Err(code.in_field(field, "is not the account that is logged in"))
            }
            (Caller::Administrator(_), None) => Err(missing(code).in_field(field, "is missing")),
            (Caller::Administrator(_), Some(user)) => self.account(field, user, code).await,
        }
    }

    /// An account of the app.
    ///
    /// # Errors
    /// `code`, naming the field, if it does not exist.
    pub async fn account(&self, field: &str, user: &UserId, code: ErrorCode) -> Result<Arc<AccountFact>> {
        let found = self.engine.accounts.find(self.app.id, user).await?;
        found.ok_or_else(|| code.in_field(field, "no such account"))
    }

    /// Sends a frame to the calling connection ahead of the answer.
    pub fn send_before_answer(&self, frame: Bytes) {
        self.before.lock().push(frame);
    }

    /// The frames to send ahead of the answer.
    pub(crate) fn take_before(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.before.lock())
    }
}

/// What says that an account is not named, by what says that there is none of that name.
const fn missing(unknown: ErrorCode) -> ErrorCode {
    match unknown {
        ErrorCode::ContactAccountUnknown => ErrorCode::ContactBadParameter,
        ErrorCode::ProfileAccountUnknown => ErrorCode::ProfileBadParameter,
        ErrorCode::RelationAccountUnknown => ErrorCode::RelationBadParameter,
        // Those of messages say both.
        other => other,
    }
}
