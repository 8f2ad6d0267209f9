//! Messages that are not stored: they reach who is online, or nobody.

use model::settings::App;
use model::{ErrorCode, Result, SdkAppId, Seconds};
use ports::timeline::{RETRY_SECONDS, RetryKey};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use crate::Engine;
use crate::messages::{Outgoing, Sent, message_of, retry_key};

/// Resends remembered in memory; the oldest go.
const RESENDS_MAX: usize = 100_000;

/// By what a resend is recognised: the app, what the sender chose, a digest of what the message says, and whether it was for who is
/// online only.
type ResendKey = (SdkAppId, RetryKey, [u8; 32], bool);

/// What was delivered lately. Of what it said there is a digest, in memory alone.
pub(crate) struct Unstored {
    sent: Cache<ResendKey, Sent>,
}

impl Unstored {
    pub(crate) fn new() -> Self {
        Self { sent: Cache::new(RESENDS_MAX) }
    }
}

fn resend_key(app: SdkAppId, outgoing: &Outgoing) -> ResendKey {
    let mut hash = Sha256::new();
    // Each part by its own digest: no text can move from one into the other.
    hash.update(Sha256::digest(&outgoing.content.body));
    hash.update(Sha256::digest(outgoing.content.cloud_custom_data.as_bytes()));
    (app, retry_key(outgoing, 0), hash.finalize().into(), outgoing.is_online_only)
}

impl Engine {
    /// Delivers a message from memory. A resend (same numbers, same content) within a day is answered as the first time, as long
    /// as that is remembered; of two at the same moment the second waits for what becomes of the first.
    pub(crate) async fn send_unstored(
        &self,
        app: &App,
        outgoing: &Outgoing,
        sequence: u32,
        now: Seconds,
    ) -> Result<Sent> {
        let key = resend_key(app.id, outgoing);
        loop {
            let turn = match self.unstored.sent.get_value_or_guard_async(&key).await {
                Ok(first) if now <= first.time.plus(RETRY_SECONDS) => {
                    return Ok(Sent { is_new: false, ..first });
                }
                Ok(first) => {
                    self.unstored.sent.remove_if(&key, |known| *known == first);
                    continue;
                }
                Err(turn) => turn,
            };
            let sent = self.deliver_unstored(app, outgoing, sequence, now).await?;
            // Nobody else may put one there while the turn lasts.
            let _is_kept = turn.insert(sent).is_ok();
            return Ok(sent);
        }
    }

    async fn deliver_unstored(
        &self,
        app: &App,
        outgoing: &Outgoing,
        sequence: u32,
        now: Seconds,
    ) -> Result<Sent> {
        let message = message_of(outgoing, sequence, now, outgoing.content.clone());
        // A sender whom the receiver has blocked is not told, nor whether the receiver is online. Who wants to reach only those who
        // are online is not told who is.
        if !outgoing.is_online_only
            && message.is_kept_by(outgoing.to.number)
            && !self.hub.has(app.id, outgoing.to.number)
        {
            return Err(ErrorCode::NobodyOnline.into());
        }
        self.send_online(app, &message, &outgoing.to, now, outgoing.origin).await?;
        self.statistics.sent(app.id, outgoing.from.number);
        let client_time = message.client_time;
        Ok(Sent { time: now, key: message.key(now), client_time, is_new: true })
    }
}
