//! Logins: opened by a signature, carried on by a key (`a2`), limited in number, ended by logout and kick.

use std::sync::Arc;

use model::settings::{App, LoginPolicy};
use model::{AccountNumber, Error, ErrorCode, InstanceId, Result, SdkAppId, Seconds, UserId, usersig};
use ports::records::find;
use ports::{Record, Records};
use promise::Stamps;

use crate::Engine;
use crate::facts::{AccountFact, InstallationFact, InstanceFact, InstanceState};
use crate::hub::{Connection, Session};
use crate::presence::Status;
use crate::store::{TRIES_MAX, owned_by, put, remove, unchanged, write, write_if};
use crate::token::{Token, TokenKey};

/// Logins kept of one account, those that were kicked included.
const INSTANCES_MAX: usize = 64;

/// Kicked logins that are remembered, so that they learn it when they come back.
const KICKED_MAX: usize = 20;

const TOKEN_KEY: &str = "key of the login tokens";

/// Another login on the same platform took the place.
const KICK_SAME_PLATFORM: u8 = 1;
/// Another login on another platform took the place.
const KICK_OTHER_PLATFORM: u8 = 2;
/// The app's back end ended all logins.
const KICK_BY_BACK_END: u8 = 3;

/// The answer to a login.
pub struct LoggedIn {
    /// The key for the frames that follow.
    pub token: String,
    /// The account.
    pub account: Arc<AccountFact>,
    /// The login's number.
    pub instance: InstanceId,
}

/// Reads the token key, making it at the first start.
pub(crate) async fn token_key(records: &dyn Records, random: &dyn ports::Random) -> Result<TokenKey> {
    let mut bytes = [0; TokenKey::BYTES];
    let found = find::<InstallationFact>(records, SdkAppId::INSTALLATION, TOKEN_KEY.as_bytes()).await?;
    if let Some((fact, _)) = found {
        let text = fact.value.as_bytes();
        for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ErrorCode::AccountInternal)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ErrorCode::AccountInternal)?;
        }
        return Ok(TokenKey::new(&bytes));
    }
    random.fill(&mut bytes);
    let fact = InstallationFact { name: TOKEN_KEY.to_owned(), value: crate::apps::hex(&bytes) };
    let absent = unchanged::<InstallationFact>(fact.key(), None);
    let writes = vec![put(Stamps::configuration(SdkAppId::INSTALLATION), &fact)?];
    write_if(records, SdkAppId::INSTALLATION, vec![absent], writes).await?;
    Ok(TokenKey::new(&bytes))
}

fn kicked(kind: u8) -> Error {
    let fields = format!(r#""KickType":{kind},"NewInstInfo":{{"InstType":0,"Platform":"Web"}}"#);
    Error::from(ErrorCode::Kicked).with_details(fields)
}

/// Platforms that share a limit. Numbers as in the client's address (`platform`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Web,
    Mobile,
    Desktop,
}

fn family(platform: u16) -> Family {
    match platform {
        // uni-app, Donut, NativeScript and React Native run as apps on phones; 1 to 6 are the native platforms.
        2 | 3 | 9 | 101 | 15 | 19 | 20 | 21 => Family::Mobile,
        1 | 4 | 5 => Family::Desktop,
        _ => Family::Web,
    }
}

/// Which logins give way to a new one on `platform`, the oldest first.
fn give_way<'a>(app: &App, active: &[&'a InstanceFact], platform: u16) -> Vec<&'a InstanceFact> {
    let settings = &app.settings;
    let shares = |other: u16| match settings.login_policy {
        LoginPolicy::Single => true,
        LoginPolicy::Dual => (family(other) == Family::Web) == (family(platform) == Family::Web),
        LoginPolicy::Triple => family(other) == family(platform),
        LoginPolicy::Multi => {
            other == platform || (family(other) == Family::Web && family(platform) == Family::Web)
        }
    };
    let limit = match (settings.login_policy, family(platform)) {
        (LoginPolicy::Single, _) => 1,
        (_, Family::Web) => settings.web_instances,
        (LoginPolicy::Multi, _) => settings.instances_of(platform),
        _ => 1,
    };
    let mut sharing: Vec<&InstanceFact> =
        active.iter().filter(|instance| shares(instance.platform)).copied().collect();
    sharing.sort_by_key(|instance| (instance.logged_in_at, instance.instance));
    let keep = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    sharing.truncate(sharing.len().saturating_sub(keep));
    sharing
}

impl Engine {
    /// Verifies a signature for an account of an app, and that it was not revoked.
    ///
    /// # Errors
    /// As [`usersig::verify`], or `UserSigRevoked`.
    pub async fn verify_signature(&self, app: &App, user: &UserId, text: &str) -> Result<usersig::Verified> {
        let now = self.context.clock.now().seconds();
        let verified = usersig::verify(app.id, &app.keys, user, text, now)?;
        if verified.made_at < self.accounts.not_before(app.id, user).await? {
            return Err(ErrorCode::UserSigRevoked.into());
        }
        Ok(verified)
    }

    /// Finds the login that a key (`a2`) belongs to.
    ///
    /// # Errors
    /// `NotLoggedIn` for a key that is none, `UserSigExpired` when the signature behind it has ended, `Kicked` with
    /// the kind of kick.
    pub async fn authenticate(&self, connection: &Connection, token: &str) -> Result<Arc<Session>> {
        let now = self.context.clock.now().seconds();
        if let Some(session) = connection.session()
            && *session.token == *token
        {
            // A kick takes the session off the connection, so it needs no look at the store.
            return if now > session.valid_until {
                Err(ErrorCode::UserSigExpired.into())
            } else {
                Ok(session)
            };
        }
        let opened = self.token_key.open(token).filter(|opened| opened.app == connection.app);
        let Some(Token { app, number, instance }) = opened else {
            return Err(ErrorCode::NotLoggedIn.because("a2: no key of this app"));
        };
        let account = self.accounts.with_number(app, number).await?;
        // A deleted account: its client has to sign in anew.
        let Some(account) = account else {
            return Err(ErrorCode::UserSigExpired.into());
        };
        let key = InstanceFact::key_of(number, instance);
        let found = find::<InstanceFact>(self.context.records.as_ref(), app, &key).await?;
        let Some((fact, _)) = found else {
            return Err(ErrorCode::UserSigExpired.into());
        };
        if let InstanceState::Kicked(kind) = fact.state {
            return Err(kicked(kind));
        }
        if fact.signed_at < account.not_before {
            return Err(kicked(KICK_BY_BACK_END));
        }
        if now > fact.valid_until {
            return Err(ErrorCode::UserSigExpired.into());
        }
        Ok(Arc::new(Session {
            account,
            instance,
            token: token.into(),
            signed_at: fact.signed_at,
            valid_until: fact.valid_until,
        }))
    }

    /// Logs in by a verified signature: the account is made if it is new, and older logins give way where the app
    /// limits them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn log_in(
        &self,
        app: &App,
        connection: &Arc<Connection>,
        user: &UserId,
        verified: &usersig::Verified,
    ) -> Result<LoggedIn> {
        let stamps = Stamps::of(app.id, &app.settings);
        let account = self.accounts.ensure(stamps, app.id, user).await?;
        if verified.made_at < account.not_before {
            return Err(ErrorCode::UserSigRevoked.into());
        }
        let (instance, victims) = self.take_place(app, connection, &account, verified).await?;
        for victim in victims {
            let kind = kick_kind(victim.platform, connection.platform);
            self.hub.fence(app.id, account.number, Some(victim.instance), kind);
            self.presence.left(app.id, &account, victim.instance, Status::LoggedOut).await?;
        }
        self.profiles.renew(stamps, app.id, account.number).await?;
        let token = Token { app: app.id, number: account.number, instance };
        let token = self.token_key.seal(token, self.context.random.as_ref());
        let session = Session {
            account: Arc::clone(&account),
            instance,
            token: token.as_str().into(),
            signed_at: verified.made_at,
            valid_until: verified.valid_until,
        };
        self.bind(connection, session).await?;
        self.statistics.logged_in(app.id, account.number);
        Ok(LoggedIn { token, account, instance })
    }

    /// Writes a login down and marks those that give way to it. Logins of one account come one after the other: the
    /// account's record is written with them and has to be the one that was read.
    async fn take_place(
        &self,
        app: &App,
        connection: &Connection,
        account: &AccountFact,
        verified: &usersig::Verified,
    ) -> Result<(InstanceId, Vec<InstanceFact>)> {
        let stamps = Stamps::of(app.id, &app.settings);
        let records = self.context.records.as_ref();
        for _ in 0..TRIES_MAX {
            let Some((now, version)) = find::<AccountFact>(records, app.id, &account.key()).await? else {
                return Err(ErrorCode::UserSigExpired.into());
            };
            let known: Vec<InstanceFact> = owned_by(records, app.id, account.number, INSTANCES_MAX).await?;
            let same = known
                .iter()
                // A login that was ended stays ended: its key must not come to life again.
                .filter(|other| other.state == InstanceState::Active && other.signed_at >= now.not_before)
                .find(|other| other.client == connection.client && !connection.client.is_empty())
                .map(|other| other.instance);
            let instance = same.unwrap_or_else(|| self.new_instance(&known));
            let fact = InstanceFact {
                number: account.number,
                instance,
                client: connection.client.clone(),
                platform: connection.platform,
                logged_in_at: self.context.clock.now(),
                signed_at: verified.made_at,
                valid_until: verified.valid_until,
                state: InstanceState::Active,
            };
            let active: Vec<&InstanceFact> = known
                .iter()
                .filter(|other| other.instance != instance && other.state == InstanceState::Active)
                .collect();
            let victims: Vec<InstanceFact> =
                give_way(app, &active, connection.platform).into_iter().cloned().collect();
            let mut writes = vec![put(stamps.account(account.number), &now)?];
            let kept_until = |fact: &InstanceFact| stamps.account_until(fact.number, after(fact.valid_until));
            writes.push(put(kept_until(&fact), &fact)?);
            for victim in &victims {
                let kick = kick_kind(victim.platform, connection.platform);
                let gone = InstanceFact { state: InstanceState::Kicked(kick), ..victim.clone() };
                writes.push(put(kept_until(&gone), &gone)?);
            }
            writes.extend(forgotten(&known));
            let unchanged = unchanged::<AccountFact>(account.key(), Some(version));
            if write_if(records, app.id, vec![unchanged], writes).await? {
                return Ok((instance, victims));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// Carries a login on over a new connection, or over the same one. Kicks nobody.
    ///
    /// # Errors
    /// As [`Self::authenticate`].
    pub async fn log_in_again(
        &self,
        app: &App,
        connection: &Arc<Connection>,
        token: &str,
    ) -> Result<LoggedIn> {
        let session = self.authenticate(connection, token).await?;
        let stamps = Stamps::of(app.id, &app.settings);
        self.profiles.renew(stamps, app.id, session.account.number).await?;
        let logged_in = LoggedIn {
            token: token.to_owned(),
            account: Arc::clone(&session.account),
            instance: session.instance,
        };
        let copy = Session {
            account: Arc::clone(&session.account),
            instance: session.instance,
            token: token.into(),
            signed_at: session.signed_at,
            valid_until: session.valid_until,
        };
        self.bind(connection, copy).await?;
        self.statistics.seen(app.id, logged_in.account.number);
        Ok(logged_in)
    }

    async fn bind(&self, connection: &Arc<Connection>, session: Session) -> Result<()> {
        let (account, instance) = (Arc::clone(&session.account), session.instance);
        let signed_at = session.signed_at;
        if let Some(other) = self.hub.bind(connection, session) {
            self.presence.left(connection.app, &other.account, other.instance, Status::Offline).await?;
        }
        // A kick, logout or deletion that came between the check and the binding: one of both sides sees the other.
        let key = InstanceFact::key_of(account.number, instance);
        let found = find::<InstanceFact>(self.context.records.as_ref(), connection.app, &key).await?;
        let now = self.accounts.with_number(connection.app, account.number).await?;
        let refused = match (found, now) {
            (Some((fact, _)), Some(now)) => match fact.state {
                InstanceState::Kicked(kind) => Some(kicked(kind)),
                InstanceState::Active if signed_at < now.not_before => Some(kicked(KICK_BY_BACK_END)),
                InstanceState::Active => None,
            },
            _ => Some(ErrorCode::UserSigExpired.into()),
        };
        if let Some(error) = refused {
            self.hub.unbind(connection);
            return Err(error);
        }
        self.presence.arrived(connection.app, &account, instance, connection).await
    }

    fn new_instance(&self, known: &[InstanceFact]) -> InstanceId {
        loop {
            // 31 bits: some clients read the number as signed.
            let instance = InstanceId(self.context.random.next_u32() >> 1);
            if instance.0 != 0 && known.iter().all(|other| other.instance != instance) {
                return instance;
            }
        }
    }

    /// Ends the login that is bound to a connection, or else the one that the key belongs to: a repeated logout comes
    /// over a new connection. Succeeds if there is none.
    ///
    /// # Errors
    /// What the store says.
    pub async fn log_out(&self, connection: &Arc<Connection>, token: Option<&str>) -> Result<()> {
        let session = match (connection.session(), token.filter(|token| !token.is_empty())) {
            (Some(session), _) => session,
            (None, Some(token)) => match self.authenticate(connection, token).await {
                Ok(session) => session,
                Err(error) if error.cause.is_some() => return Err(error),
                // It is over already.
                Err(_) => return Ok(()),
            },
            (None, None) => return Ok(()),
        };
        let number = session.account.number;
        let key = InstanceFact::key_of(number, session.instance);
        write(self.context.records.as_ref(), connection.app, vec![remove::<InstanceFact>(key)]).await?;
        for other in self.hub.of_account(connection.app, number) {
            if other.session().is_some_and(|bound| bound.instance == session.instance) {
                self.hub.unbind(&other);
            }
        }
        self.presence.left(connection.app, &session.account, session.instance, Status::LoggedOut).await
    }

    /// A connection was closed: its login goes on elsewhere or later.
    ///
    /// # Errors
    /// What the store says.
    pub async fn disconnected(&self, connection: &Arc<Connection>) -> Result<()> {
        let Some(session) = self.hub.close(connection) else {
            return Ok(());
        };
        self.presence.left(connection.app, &session.account, session.instance, Status::Offline).await
    }

    /// Ends every login of an account and makes every signature made so far worthless.
    ///
    /// Signatures carry whole seconds. The answer waits for the next one, so that a signature made after it opens
    /// the account, and none made before it does.
    ///
    /// # Errors
    /// `AccountUnknown`.
    pub async fn kick(&self, app: &App, user: &UserId) -> Result<()> {
        let now = self.context.clock.now();
        let not_before = now.seconds().plus(1);
        let account = self.accounts.move_not_before(app.id, user, not_before).await?;
        self.end_sessions(app.id, &account).await?;
        let wait = u64::from(not_before.0).saturating_mul(1000).saturating_sub(now.0);
        self.context.clock.sleep(std::time::Duration::from_millis(wait)).await;
        Ok(())
    }

    /// Ends the sessions of an account on this node.
    ///
    /// # Errors
    /// What the store says.
    pub async fn end_sessions(&self, app: SdkAppId, account: &AccountFact) -> Result<()> {
        let sessions: Vec<_> =
            self.hub.of_account(app, account.number).iter().filter_map(|found| found.session()).collect();
        self.hub.fence(app, account.number, None, KICK_BY_BACK_END);
        for session in sessions {
            self.presence.left(app, account, session.instance, Status::LoggedOut).await?;
        }
        Ok(())
    }

    /// Keeps a login's profile alive; called by the client's regular greeting.
    ///
    /// # Errors
    /// What the store says.
    pub async fn greet(&self, app: &App, number: AccountNumber) -> Result<()> {
        self.statistics.seen(app.id, number);
        self.profiles.renew(Stamps::of(app.id, &app.settings), app.id, number).await
    }
}

/// A login is kept one second longer than its signature: within that second it learns that it has ended.
const fn after(valid_until: Seconds) -> Seconds {
    valid_until.plus(model::time::DAY_SECONDS)
}

const fn kick_kind(old: u16, new: u16) -> u8 {
    if old == new { KICK_SAME_PLATFORM } else { KICK_OTHER_PLATFORM }
}

/// Removes the oldest kicked logins beyond those that are remembered.
fn forgotten(known: &[InstanceFact]) -> Vec<ports::records::Write> {
    let mut gone: Vec<&InstanceFact> =
        known.iter().filter(|other| matches!(other.state, InstanceState::Kicked(_))).collect();
    gone.sort_by_key(|other| other.logged_in_at);
    gone.truncate(gone.len().saturating_sub(KICKED_MAX));
    gone.into_iter().map(|other| remove::<InstanceFact>(other.key())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(policy: LoginPolicy, web_instances: u32) -> App {
        let settings =
            model::AppSettings { login_policy: policy, web_instances, ..model::AppSettings::default() };
        let now = Seconds(0);
        App {
            id: SdkAppId(1),
            owner: None,
            created_at: now,
            updated_at: now,
            keys: Vec::new(),
            settings,
            terminated_at: None,
            version: 0,
        }
    }

    fn instance(number: u32, platform: u16) -> InstanceFact {
        InstanceFact {
            number: AccountNumber(1),
            instance: InstanceId(number),
            client: String::new(),
            platform,
            logged_in_at: model::Millis(number.into()),
            signed_at: Seconds(0),
            valid_until: Seconds(0),
            state: InstanceState::Active,
        }
    }

    #[test]
    fn the_oldest_login_of_the_same_kind_gives_way() {
        let (web, phone, desktop) = (7, 21, 1);
        for (policy, limit, active, new, expected) in [
            (LoginPolicy::Multi, 2, vec![(1, web), (2, web)], web, vec![1]),
            (LoginPolicy::Multi, 3, vec![(1, web), (2, web)], web, vec![]),
            (LoginPolicy::Multi, 1, vec![(1, web), (2, phone)], web, vec![1]),
            (LoginPolicy::Multi, 1, vec![(2, web), (1, web), (3, web)], web, vec![1, 2, 3]),
            (LoginPolicy::Single, 5, vec![(1, phone)], web, vec![1]),
            (LoginPolicy::Dual, 5, vec![(1, phone), (2, web)], desktop, vec![1]),
            (LoginPolicy::Dual, 5, vec![(1, phone)], web, vec![]),
            (LoginPolicy::Triple, 5, vec![(1, phone), (2, web)], desktop, vec![]),
        ] {
            let known: Vec<InstanceFact> =
                active.into_iter().map(|(number, platform)| instance(number, platform)).collect();
            let active: Vec<&InstanceFact> = known.iter().collect();
            let app = app(policy, limit);
            let gone: Vec<u32> =
                give_way(&app, &active, new).iter().map(|victim| victim.instance.0).collect();
            assert_eq!(gone, expected, "{policy:?} with {limit}");
        }
    }
}
