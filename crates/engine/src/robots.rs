//! Robots: accounts for which an app's back end speaks. Whoever talks to one needs no friendship with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::settings::App;
use model::{AccountNumber, DataClass, Error, ErrorCode, Result, SdkAppId, Seconds, Subject, UserId};
use ports::records::{Range, find};
use ports::{Kind, Record};
use promise::Stamps;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::facts::AccountFact;
use crate::store::{TRIES_MAX, put, unchanged, write_if};
use crate::turns::Turns;

/// The most robots of an app (page 1047/55281).
pub const ROBOTS_MAX: usize = 20;

/// Apps whose robots are kept in memory.
const CACHED: usize = 10_000;

/// That an account is a robot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotFact {
    /// Its number.
    pub number: AccountNumber,
    /// Its name.
    pub user: UserId,
    /// Since when it is one.
    pub since: Seconds,
}

impl RobotFact {
    /// Its key.
    #[must_use]
    pub fn key_of(number: AccountNumber) -> Vec<u8> {
        number.0.to_be_bytes().to_vec()
    }
}

impl Record for RobotFact {
    const KIND: Kind = Kind { id: 32, name: "robot", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.number)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// What is in memory about robots.
pub(crate) struct Robots {
    numbers: Cache<SdkAppId, Arc<BTreeSet<AccountNumber>>>,
    /// Held by who makes a robot of an app, since they are counted, and by who reads them for the cache.
    making: Turns,
}

impl Robots {
    pub(crate) fn new() -> Self {
        Self { numbers: Cache::new(CACHED), making: Turns::default() }
    }

    /// Forgets the robots of an app.
    pub(crate) fn forget(&self, app: SdkAppId) {
        self.numbers.remove(&app);
    }
}

/// What keeps an account from being made, as who makes a robot is told.
fn refused(error: Error) -> Error {
    match error.code {
        ErrorCode::AccountQuota => Error { code: ErrorCode::RobotRefused, ..error },
        ErrorCode::AccountInternal => Error { code: ErrorCode::RobotInternal, ..error },
        _ => error,
    }
}

impl Engine {
    /// Whether an account is a robot.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_robot(&self, app: SdkAppId, number: AccountNumber) -> Result<bool> {
        if let Some(numbers) = self.robots.numbers.get(&app) {
            return Ok(numbers.contains(&number));
        }
        let _turn = self.robots.making.of(app).await;
        let robots = self.robots(app).await?;
        let numbers: BTreeSet<AccountNumber> = robots.iter().map(|robot| robot.number).collect();
        let is_robot = numbers.contains(&number);
        self.robots.numbers.insert(app, Arc::new(numbers));
        Ok(is_robot)
    }

    /// The robots of an app, the oldest account first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn robots(&self, app: SdkAppId) -> Result<Vec<RobotFact>> {
        let kind = RobotFact::KIND;
        let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: ROBOTS_MAX };
        let found = self.context.records.scan(app, range).await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }

    /// Makes a robot, with an account if its name has none yet. One that is there stays as it is.
    ///
    /// # Errors
    /// `RobotBadParameter` for a name that is not a robot's, `RobotRefused` if the app has [`ROBOTS_MAX`] already, or its package no room for
    /// another account.
    pub async fn make_robot(&self, app: &App, user: &UserId) -> Result<Arc<AccountFact>> {
        if !user.is_robot_name() || user.as_str().len() == UserId::ROBOT_PREFIX.len() {
            let prefix = UserId::ROBOT_PREFIX;
            return Err(ErrorCode::RobotBadParameter
                .in_field("UserID", format!("begins with {prefix}, and something follows")));
        }
        let stamps = Stamps::of(app.id, &app.settings);
        let _turn = self.robots.making.of(app.id).await;
        let robots = self.robots(app.id).await?;
        if robots.iter().any(|robot| robot.user == *user)
            && let Some(account) = self.accounts.find(app.id, user).await?
        {
            return Ok(account);
        }
        if robots.len() >= ROBOTS_MAX {
            return Err(ErrorCode::RobotRefused.because(format!("an app has at most {ROBOTS_MAX} robots")));
        }
        let records = self.context.records.as_ref();
        for _ in 0..TRIES_MAX {
            let account = self.accounts.make(stamps, app.id, user).await.map_err(refused)?;
            // The mark is written only beside its account: one that is deleted at this moment leaves none behind.
            let Some((now, version)) = find::<AccountFact>(records, app.id, &account.key()).await? else {
                continue;
            };
            let since = self.context.clock.now().seconds();
            let fact = RobotFact { number: now.number, user: user.clone(), since };
            let condition = unchanged::<AccountFact>(now.key(), Some(version));
            let writes = vec![put(stamps.account(now.number), &fact)?];
            if write_if(records, app.id, vec![condition], writes).await? {
                self.robots.forget(app.id);
                return Ok(account);
            }
        }
        Err(ErrorCode::RobotInternal.into())
    }
}
