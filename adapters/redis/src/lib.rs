//! The Ephemeral port over Redis: what may vanish, shared by all nodes.
//!
//! Losing all of it costs clients a reconnect and nothing else. Time is the caller's, never the server's: a value carries the
//! second of its end, and Redis' own expiry only cleans up behind it.

mod keys;
mod scripts;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::{AccountNumber, Expiry, InstanceId, SdkAppId};
use ports::{Answer, Clock, Ephemeral, Fault, Route, Stamped};
use redis::AsyncCommands as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::scripts::Scripts;

/// For how long a route is kept that nobody renewed or removed: a node that died leaves none for ever.
const ROUTE_SECONDS: i64 = 2 * 24 * 3600;

/// How long a value without an end of its own is kept.
const VALUE_SECONDS_MAX: u64 = 7 * 24 * 3600;

/// How long an answer may take; then the store is not available.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a lost connection is tried again for one call; the next call tries again.
const RETRIES: usize = 2;

/// How long to wait between two of these.
const RETRY_DELAY_MAX: Duration = Duration::from_millis(500);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Routes, values and rate windows in a Redis server.
pub struct RedisEphemeral {
    connection: ConnectionManager,
    clock: Arc<dyn Clock>,
    scripts: Scripts,
}

impl RedisEphemeral {
    /// Connects. `address` is a URL with user and password: `redis://:secret@host:6379/0`, or `rediss://` with TLS. A connection
    /// that is lost later is made again by itself; calls meanwhile are `Unavailable`.
    ///
    /// # Errors
    /// `Unavailable` if the address cannot be understood or the server does not answer. Neither says the password.
    pub async fn connect(address: &str, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let unusable = |_| Fault::Unavailable("the address of Redis cannot be understood".to_owned());
        let client = redis::Client::open(address).map_err(unusable)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(RETRIES)
            .set_max_delay(RETRY_DELAY_MAX)
            .set_response_timeout(Some(ANSWER_TIMEOUT))
            .set_connection_timeout(Some(CONNECT_TIMEOUT));
        let connection =
            client.get_connection_manager_with_config(config).await.map_err(|error| fault(&error))?;
        Ok(Self { connection, clock, scripts: Scripts::new() })
    }

    async fn read_routes(&self, app: SdkAppId, account: AccountNumber) -> Result<Vec<Route>, Fault> {
        let mut connection = self.connection.clone();
        let found: Vec<(u32, String)> =
            connection.hgetall(keys::routes(app, account)).await.map_err(|error| fault(&error))?;
        let mut routes = Vec::with_capacity(found.len());
        for (instance, text) in found {
            // Not written by us: as good as lost.
            let Some((platform, node)) = keys::read_route(&text) else { continue };
            routes.push(Route { instance: InstanceId(instance), platform, node });
        }
        routes.sort_by_key(|route| route.instance);
        Ok(routes)
    }

    async fn write_route(&self, app: SdkAppId, account: AccountNumber, route: Route) -> Result<(), Fault> {
        let (key, mut connection) = (keys::routes(app, account), self.connection.clone());
        let text = keys::write_route(route.platform, route.node);
        let mut both = redis::pipe();
        both.atomic().hset(&key, route.instance.0, text).ignore().expire(&key, ROUTE_SECONDS).ignore();
        both.query_async(&mut connection).await.map_err(|error| fault(&error))
    }

    async fn write(&self, key: String, expiry: Expiry, bytes: &[u8]) -> Result<(), Fault> {
        let now = self.clock.now().seconds().0;
        let (end, seconds) = match expiry {
            Expiry::At(end) => (end.0, u64::from(end.0.saturating_sub(now)).min(VALUE_SECONDS_MAX)),
            Expiry::WithOwner => (0, VALUE_SECONDS_MAX),
        };
        let mut connection = self.connection.clone();
        // One more second, so that the server's clock never ends it early.
        let written = connection.set_ex(key, keys::write_value(end, bytes), seconds + 1);
        written.await.map_err(|error| fault(&error))
    }

    async fn read(&self, key: String) -> Result<Option<Bytes>, Fault> {
        let mut connection = self.connection.clone();
        let found: Option<Vec<u8>> = connection.get(key).await.map_err(|error| fault(&error))?;
        let found = found.and_then(keys::read_value);
        let now = self.clock.now().seconds().0;
        Ok(found.filter(|(end, _)| *end == 0 || now < *end).map(|(_, bytes)| bytes))
    }
}

impl Ephemeral for RedisEphemeral {
    fn put_route(&self, app: SdkAppId, account: AccountNumber, route: Route) -> Answer<'_, ()> {
        Box::pin(self.write_route(app, account, route))
    }

    fn remove_route(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        instance: InstanceId,
        node: u32,
    ) -> Answer<'_, ()> {
        Box::pin(async move {
            let connection = self.connection.clone();
            self.scripts.remove_route(connection, &keys::routes(app, account), instance, node).await
        })
    }

    fn routes(&self, app: SdkAppId, account: AccountNumber) -> Answer<'_, Vec<Route>> {
        Box::pin(self.read_routes(app, account))
    }

    fn put(&self, key: &str, value: Stamped<Bytes>) -> Answer<'_, ()> {
        let (stamp, bytes) = value.into_parts();
        let key = keys::value(stamp.app, key);
        Box::pin(async move { self.write(key, stamp.expiry, &bytes).await })
    }

    fn get(&self, app: SdkAppId, key: &str) -> Answer<'_, Option<Bytes>> {
        Box::pin(self.read(keys::value(app, key)))
    }

    fn remove(&self, app: SdkAppId, key: &str) -> Answer<'_, ()> {
        let key = keys::value(app, key);
        Box::pin(async move {
            let mut connection = self.connection.clone();
            connection.del(key).await.map_err(|error| fault(&error))
        })
    }

    fn take(
        &self,
        app: SdkAppId,
        key: &str,
        amount: u32,
        limit: u32,
        window_seconds: u32,
    ) -> Answer<'_, bool> {
        let seconds = u64::from(window_seconds.max(1));
        let window = self.clock.now().0 / (seconds * 1000);
        let key = keys::window(app, key, window);
        Box::pin(async move {
            // More than a whole window never fits; the server need not be asked.
            if amount > limit {
                return Ok(false);
            }
            self.scripts.take(self.connection.clone(), &key, amount, limit, seconds).await
        })
    }
}

/// Says what a failure of the server means to a caller.
fn fault(error: &redis::RedisError) -> Fault {
    // What the server says may name a key; its kind does not.
    Fault::Unavailable(format!("Redis: {}", error.category()))
}
