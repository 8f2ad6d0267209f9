//! The connections of this node: whose they are, and how frames get to them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use hashbrown::HashMap;
use model::{AccountNumber, InstanceId, SdkAppId, Seconds};
use parking_lot::Mutex;

use crate::facts::AccountFact;
use crate::outbox::{Ending, Outbox};
use crate::push;

const SHARDS: usize = 64;

/// A login as bound to a connection.
#[derive(Debug)]
pub struct Session {
    /// Whose.
    pub account: Arc<AccountFact>,
    /// Which login.
    pub instance: InstanceId,
    /// The key that every frame of it carries (`a2`).
    pub token: Box<str>,
    /// When the signature was made that opened it.
    pub signed_at: Seconds,
    /// Until when that signature is valid.
    pub valid_until: Seconds,
}

/// A client's connection, whatever carries it.
pub struct Connection {
    /// Unique on this node.
    pub id: u64,
    /// The app that the client named when it connected.
    pub app: SdkAppId,
    /// Its platform number; 7 is the Web.
    pub platform: u16,
    /// The name that the client gave itself, stable over reconnects.
    pub client: String,
    /// From which address it came.
    pub address: IpAddr,
    /// Frames on their way to it.
    pub outbox: Outbox,
    session: Mutex<Option<Arc<Session>>>,
    /// The instance of the bound login, 0 if none is: asked for every push.
    instance: AtomicU32,
}

impl Connection {
    /// Whether the login of this instance is bound to it.
    fn is_of(&self, instance: Option<InstanceId>) -> bool {
        instance.is_some_and(|instance| self.instance.load(Ordering::Acquire) == instance.0)
    }

    /// Whether a login is bound to it.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.instance.load(Ordering::Acquire) != 0
    }

    /// The login that is bound to it.
    #[must_use]
    pub fn session(&self) -> Option<Arc<Session>> {
        self.session.lock().clone()
    }
}

type Shard = Mutex<HashMap<(SdkAppId, AccountNumber), Vec<Arc<Connection>>>>;

/// Every connection of this node.
pub struct Hub {
    shards: Vec<Shard>,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    /// Of each app, how many accounts are connected, and how many were at most since somebody asked.
    online: Mutex<HashMap<SdkAppId, (u64, u64)>>,
    next_id: AtomicU64,
    outbox_bytes_max: usize,
    resync: Bytes,
}

impl Hub {
    /// A hub whose connections hold at most this many bytes each.
    #[must_use]
    pub fn new(outbox_bytes_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            open: Mutex::default(),
            online: Mutex::default(),
            next_id: AtomicU64::new(1),
            outbox_bytes_max,
            resync: push::resync(),
        }
    }

    /// Registers a connection that was just opened.
    #[must_use]
    pub fn open(&self, app: SdkAppId, platform: u16, client: String, address: IpAddr) -> Arc<Connection> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let outbox = Outbox::new(self.outbox_bytes_max);
        let connection = Arc::new(Connection {
            id,
            app,
            platform,
            client,
            address,
            outbox,
            session: Mutex::new(None),
            instance: AtomicU32::new(0),
        });
        self.open.lock().insert(id, Arc::clone(&connection));
        connection
    }

    /// Sends a frame to every connection of an app.
    pub fn push_to_app(&self, app: SdkAppId, frame: &Bytes) {
        for connection in self.open.lock().values().filter(|connection| connection.app == app) {
            connection.outbox.push(frame.clone(), &self.resync);
        }
    }

    /// Asks every connection of an app to close.
    pub fn end_app(&self, app: SdkAppId) {
        for connection in self.open.lock().values().filter(|connection| connection.app == app) {
            connection.outbox.end(crate::outbox::Ending::Draining);
        }
    }

    /// Forgets a connection that was closed. Returns the login that was bound to it.
    pub fn close(&self, connection: &Arc<Connection>) -> Option<Arc<Session>> {
        self.open.lock().remove(&connection.id);
        self.unbind(connection)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open.lock().len()
    }

    /// Asks every connection to close.
    pub fn end_all(&self) {
        for connection in self.open.lock().values() {
            connection.outbox.end(Ending::Draining);
        }
    }

    fn shard(&self, number: AccountNumber) -> &Shard {
        let index = usize::try_from(number.0 % 64).unwrap_or(0);
        &self.shards[index]
    }

    /// Binds a login to a connection; returns the login that was bound before, if it was another one.
    pub fn bind(&self, connection: &Arc<Connection>, session: Session) -> Option<Arc<Session>> {
        let before = self.unbind(connection);
        let key = (connection.app, session.account.number);
        let instance = session.instance;
        connection.outbox.unfence();
        connection.instance.store(session.instance.0, Ordering::Release);
        *connection.session.lock() = Some(Arc::new(session));
        let mut shard = self.shard(key.1).lock();
        let of_account = shard.entry(key).or_default();
        if of_account.is_empty() {
            let mut online = self.online.lock();
            let (now, most) = online.entry(connection.app).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        of_account.push(Arc::clone(connection));
        drop(shard);
        before.filter(|before| before.account.number != key.1 || before.instance != instance)
    }

    /// Takes the login off a connection.
    pub fn unbind(&self, connection: &Arc<Connection>) -> Option<Arc<Session>> {
        let session = connection.session.lock().take()?;
        connection.instance.store(0, Ordering::Release);
        let key = (connection.app, session.account.number);
        let mut shard = self.shard(key.1).lock();
        if let Some(of_account) = shard.get_mut(&key) {
            of_account.retain(|other| other.id != connection.id);
            if of_account.is_empty() {
                shard.remove(&key);
                if let Some((now, _)) = self.online.lock().get_mut(&connection.app) {
                    *now = now.saturating_sub(1);
                }
            }
        }
        Some(session)
    }

    /// How many accounts of an app were connected at the same time at most since this was asked last.
    pub(crate) fn take_online_most(&self, app: SdkAppId) -> u64 {
        let mut online = self.online.lock();
        let Some((now, most)) = online.get_mut(&app) else { return 0 };
        std::mem::replace(most, *now)
    }

    /// The connections of an account on this node.
    #[must_use]
    pub fn of_account(&self, app: SdkAppId, number: AccountNumber) -> Vec<Arc<Connection>> {
        self.shard(number).lock().get(&(app, number)).cloned().unwrap_or_default()
    }

    /// Whether the account has a connection on this node.
    #[must_use]
    pub fn has(&self, app: SdkAppId, number: AccountNumber) -> bool {
        self.shard(number).lock().contains_key(&(app, number))
    }

    /// Whether the account has a connection on this node besides the one of this instance.
    #[must_use]
    pub fn has_besides(&self, app: SdkAppId, number: AccountNumber, cause: Option<InstanceId>) -> bool {
        let shard = self.shard(number).lock();
        let mut connections = shard.get(&(app, number)).into_iter().flatten();
        connections.any(|connection| !connection.is_of(cause))
    }

    /// Sends a frame to every connection of an account but the one of the instance that caused it.
    pub fn push(&self, app: SdkAppId, number: AccountNumber, frame: &Bytes, cause: Option<InstanceId>) {
        let shard = self.shard(number).lock();
        for connection in shard.get(&(app, number)).into_iter().flatten() {
            if !connection.is_of(cause) {
                connection.outbox.push(frame.clone(), &self.resync);
            }
        }
    }

    /// Ends the sessions of these instances (all of the account, if `None`): each is told as its last frame that it was kicked, and how.
    pub fn fence(&self, app: SdkAppId, number: AccountNumber, only: Option<InstanceId>, kick: u8) {
        for connection in self.of_account(app, number) {
            let instance = connection.session().map(|session| session.instance);
            if only.is_none() || only == instance {
                connection.outbox.fence(instance.map(|instance| push::kick(kick, instance)));
                self.unbind(&connection);
            }
        }
    }
}
