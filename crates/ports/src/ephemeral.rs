//! The Ephemeral port: what may vanish at any time and costs a reconnect at most.

use bytes::Bytes;
use model::{AccountNumber, InstanceId, SdkAppId};

use crate::fault::Answer;
use crate::stamped::Stamped;

/// Where an instance of an account is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The instance.
    pub instance: InstanceId,
    /// The platform number of its connection (7 is the Web).
    pub platform: u16,
    /// The node that holds the connection.
    pub node: u32,
}

/// Routes, presence and rate windows.
///
/// Everything may be lost at any time. A value is gone at its expiry at the latest.
pub trait Ephemeral: Send + Sync {
    /// Says that an instance is connected. Replaces its former route.
    fn put_route(&self, app: SdkAppId, account: AccountNumber, route: Route) -> Answer<'_, ()>;

    /// Says that an instance is no longer connected to this node. Unknown routes and routes of other nodes stay.
    fn remove_route(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        instance: InstanceId,
        node: u32,
    ) -> Answer<'_, ()>;

    /// Where an account is connected, in the order of the instance numbers.
    fn routes(&self, app: SdkAppId, account: AccountNumber) -> Answer<'_, Vec<Route>>;

    /// Keeps a small value under a key. Replaces the former one.
    fn put(&self, key: &str, value: Stamped<Bytes>) -> Answer<'_, ()>;

    /// The value, unless it is absent or expired.
    fn get(&self, app: SdkAppId, key: &str) -> Answer<'_, Option<Bytes>>;

    /// Forgets a value. Succeeds if there is none.
    fn remove(&self, app: SdkAppId, key: &str) -> Answer<'_, ()>;

    /// Takes `amount` from the window of `window_seconds` that the key names, if it still holds that much of
    /// `limit`; says whether it did. Windows are aligned to multiples of their length.
    fn take(
        &self,
        app: SdkAppId,
        key: &str,
        amount: u32,
        limit: u32,
        window_seconds: u32,
    ) -> Answer<'_, bool>;
}
