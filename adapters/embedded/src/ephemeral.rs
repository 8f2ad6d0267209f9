//! The Ephemeral port in memory: gone with the process.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;
use model::{AccountNumber, Expiry, InstanceId, SdkAppId};
use parking_lot::Mutex;
use ports::{Answer, Clock, Ephemeral, Route, Stamped};

/// Values and rate windows kept at most; beyond it expired ones are looked for and removed.
const SWEEP_AT: usize = 100_000;

/// Routes, values and rate windows of one process.
pub struct MemoryEphemeral {
    clock: Arc<dyn Clock>,
    routes: Mutex<HashMap<(SdkAppId, AccountNumber), BTreeMap<InstanceId, Route>>>,
    values: Mutex<HashMap<(SdkAppId, String), (Expiry, Bytes)>>,
    windows: Mutex<HashMap<(SdkAppId, String), (u64, u32)>>,
}

impl MemoryEphemeral {
    /// An empty one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, routes: Mutex::default(), values: Mutex::default(), windows: Mutex::default() }
    }
}

impl Ephemeral for MemoryEphemeral {
    fn put_route(&self, app: SdkAppId, account: AccountNumber, route: Route) -> Answer<'_, ()> {
        self.routes.lock().entry((app, account)).or_default().insert(route.instance, route);
        Box::pin(async { Ok(()) })
    }

    fn remove_route(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        instance: InstanceId,
        node: u32,
    ) -> Answer<'_, ()> {
        let mut routes = self.routes.lock();
        if let Some(of_account) = routes.get_mut(&(app, account)) {
            if of_account.get(&instance).is_some_and(|route| route.node == node) {
                of_account.remove(&instance);
            }
            if of_account.is_empty() {
                routes.remove(&(app, account));
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn routes(&self, app: SdkAppId, account: AccountNumber) -> Answer<'_, Vec<Route>> {
        let routes = self.routes.lock();
        let found = routes.get(&(app, account)).map(|routes| routes.values().copied().collect());
        Box::pin(async { Ok(found.unwrap_or_default()) })
    }

    fn put(&self, key: &str, value: Stamped<Bytes>) -> Answer<'_, ()> {
        let (stamp, bytes) = value.into_parts();
        let mut values = self.values.lock();
        if values.len() >= SWEEP_AT {
            let now = self.clock.now();
            values.retain(|_, (expiry, _)| !expiry.is_over(now));
        }
        values.insert((stamp.app, key.to_owned()), (stamp.expiry, bytes));
        Box::pin(async { Ok(()) })
    }

    fn get(&self, app: SdkAppId, key: &str) -> Answer<'_, Option<Bytes>> {
        let now = self.clock.now();
        let values = self.values.lock();
        let found = values.get(&(app, key.to_owned())).filter(|(expiry, _)| !expiry.is_over(now));
        let found = found.map(|(_, bytes)| bytes.clone());
        Box::pin(async { Ok(found) })
    }

    fn remove(&self, app: SdkAppId, key: &str) -> Answer<'_, ()> {
        self.values.lock().remove(&(app, key.to_owned()));
        Box::pin(async { Ok(()) })
    }

    fn take(
        &self,
        app: SdkAppId,
        key: &str,
        amount: u32,
        limit: u32,
        window_seconds: u32,
    ) -> Answer<'_, bool> {
        let window = self.clock.now().0 / (u64::from(window_seconds.max(1)) * 1000);
        let mut windows = self.windows.lock();
        if windows.len() >= SWEEP_AT {
            windows.clear();
        }
        let (at, taken) = windows.entry((app, key.to_owned())).or_insert((window, 0));
        if *at != window {
            (*at, *taken) = (window, 0);
        }
        let total = taken.saturating_add(amount);
        let fits = total <= limit;
        if fits {
            *taken = total;
        }
        Box::pin(async move { Ok(fits) })
    }
}
