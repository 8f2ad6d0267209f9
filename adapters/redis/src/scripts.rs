//! What has to happen in one step, as programs that the server runs.

use model::InstanceId;
use ports::Fault;
use redis::Script;
use redis::aio::ConnectionManager;

use crate::fault;

/// Removes a route if it is this node's. A route is written as `PLATFORM NODE`.
const REMOVE_ROUTE: &str = r"
local route = redis.call('HGET', KEYS[1], ARGV[1])
if route and string.match(route, ' (%d+)$') == ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
";

/// Takes from a window what it still holds. Says whether it did.
const TAKE: &str = r"
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
if taken + tonumber(ARGV[1]) > tonumber(ARGV[2]) then
    return 0
end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
";

/// The programs, which the server keeps under the hash of their text.
pub(crate) struct Scripts {
    remove_route: Script,
    take: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self { remove_route: Script::new(REMOVE_ROUTE), take: Script::new(TAKE) }
    }

    pub(crate) async fn remove_route(
        &self,
        mut connection: ConnectionManager,
        key: &str,
        instance: InstanceId,
        node: u32,
    ) -> Result<(), Fault> {
        let mut call = self.remove_route.prepare_invoke();
        let asked = call.key(key).arg(instance.0).arg(node).invoke_async::<i64>(&mut connection).await;
        asked.map(drop).map_err(|error| fault(&error))
    }

    pub(crate) async fn take(
        &self,
        mut connection: ConnectionManager,
        key: &str,
        amount: u32,
        limit: u32,
        window_seconds: u64,
    ) -> Result<bool, Fault> {
        let mut call = self.take.prepare_invoke();
        // Twice the window: the server's clock may be ahead of ours.
        call.key(key).arg(amount).arg(limit).arg(window_seconds * 2);
        let taken = call.invoke_async::<i64>(&mut connection).await.map_err(|error| fault(&error))?;
        Ok(taken == 1)
    }
}
