//! Messages of apps that store none: they reach who is online, or nobody.

use model::settings::App;
use model::{ErrorCode, Result, Seconds};
use ports::timeline::{RETRY_SECONDS, RetryKey};
use quick_cache::sync::Cache;

use crate::Engine;
use crate::messages::{Outgoing, Sent, message_of, retry_key};

/// Resends remembered in memory; the oldest go.
const RESENDS_MAX: usize = 100_000;

/// What was delivered lately, without what it said.
pub(crate) struct Unstored {
    sent: Cache<(model::SdkAppId, RetryKey), Sent>,
}

impl Unstored {
    pub(crate) fn new() -> Self {
        Self { sent: Cache::new(RESENDS_MAX) }
    }
}

impl Engine {
    /// Delivers a message from memory. A resend with the same numbers within a day is answered as the first time, as long
    /// as that is remembered.
    pub(crate) async fn send_unstored(
        &self,
        app: &App,
        outgoing: &Outgoing,
        sequence: u32,
        now: Seconds,
    ) -> Result<Sent> {
        let key = (app.id, retry_key(outgoing, 0));
        if let Some(first) = self.unstored.sent.get(&key)
            && now <= first.time.plus(RETRY_SECONDS)
        {
            return Ok(Sent { is_new: false, ..first });
        }
        let message = message_of(outgoing, sequence, now, outgoing.content.clone());
        // A sender whom the receiver has blocked is not told, nor whether the receiver is online.
        if message.is_kept_by(outgoing.to.number) && !self.hub.has(app.id, outgoing.to.number) {
            return Err(ErrorCode::NobodyOnline.into());
        }
        self.send_online(app, &message, &outgoing.to, now, outgoing.origin).await?;
        self.statistics.sent(app.id, outgoing.from.number);
        let sent = Sent { time: now, key: message.key(now), is_new: true };
        self.unstored.sent.insert(key, sent);
        Ok(sent)
    }
}
