//! Searches of accounts.

use std::sync::Arc;
use std::time::Duration;

use model::profile::Profile;
use model::settings::App;
use model::{AccountNumber, Result, SdkAppId};
use ports::Record as _;
use ports::records::Range;

use super::computed;
use super::people::{Known, People, Person, Wanted};
use crate::Engine;
use crate::facts::AccountFact;

/// Accounts read at once.
const AT_ONCE: usize = 500;

/// How long a first search waits for the accounts of an app: those of a small one are read by then.
const FIRST: Duration = Duration::from_millis(500);

/// An account that was found.
#[derive(Debug)]
pub struct FoundAccount {
    /// Which.
    pub account: Arc<AccountFact>,
    /// What of its profile may be read by who asked.
    pub profile: Arc<Profile>,
}

/// A page of what was found.
#[derive(Debug)]
pub struct FoundAccounts {
    /// How many were found, among the first that are looked at.
    pub total: usize,
    /// In the order in which they were made.
    pub accounts: Vec<FoundAccount>,
    /// Where the next page begins, if there may be one.
    pub next: Option<AccountNumber>,
    /// Whether every account was searched.
    pub is_complete: bool,
}

impl Engine {
    /// Accounts that somebody looks for, as far as they may be seen: not those that have blocked who looks.
    ///
    /// # Errors
    /// What the stores say.
    pub async fn search_accounts(self: &Arc<Self>, app: &App, wanted: &Wanted) -> Result<FoundAccounts> {
        let (known, is_new) = self.people.of_app(app.id);
        if is_new {
            self.read_people(app.id, &known);
        }
        let mut is_read = known.is_read.subscribe();
        tokio::select! {
            biased;
            _ = is_read.wait_for(|is_read| *is_read) => {}
            () = self.context.clock.sleep(FIRST) => {}
        }
        for number in People::take_changed(&known) {
            self.read_person(app.id, &known, number).await?;
        }
        let is_complete = known.is_complete();
        let most = self.search.options.considered_max;
        let total = self.see_accounts(app, wanted, &known, None, most).await?.len();
        let mut accounts = self.see_accounts(app, wanted, &known, wanted.after, wanted.count + 1).await?;
        let is_more = accounts.len() > wanted.count;
        accounts.truncate(wanted.count);
        let next = accounts.last().map(|found| found.account.number).filter(|_| is_more);
        Ok(FoundAccounts { total, accounts, next, is_complete })
    }

    /// The first accounts after one that are what somebody looks for now and may see; at most so many.
    async fn see_accounts(
        &self,
        app: &App,
        wanted: &Wanted,
        known: &Arc<Known>,
        after: Option<AccountNumber>,
        most: usize,
    ) -> Result<Vec<FoundAccount>> {
        let (known, query, max) = (Arc::clone(known), wanted.clone(), self.search.options.considered_max);
        let numbers = computed(self.context.spawner.as_ref(), move || known.search(&query, after, max));
        let mut found = Vec::new();
        for number in numbers.await? {
            let Some(account) = self.accounts.with_number(app.id, number).await? else { continue };
            let is_own = number == wanted.viewer;
            if !is_own && self.blocks.is_blocked(app.id, number, wanted.viewer).await? {
                continue;
            }
            // What is known of it may be older than its profile's end.
            let profile = self.profiles.of(app.id, number).await?;
            if !Person::of(&account.user, &profile).is(wanted) {
                continue;
            }
            let profile = self.profiles.shown_to(app, number, Some(wanted.viewer)).await?;
            found.push(FoundAccount { account, profile });
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    /// Reads the accounts of an app in the background.
    fn read_people(self: &Arc<Self>, app: SdkAppId, known: &Arc<Known>) {
        let (weak, known) = (Arc::downgrade(self), Arc::clone(known));
        self.context.spawner.spawn(Box::pin(async move {
            let mut after = None;
            loop {
                let Some(engine) = weak.upgrade() else { return };
                // Nobody searches any more.
                if !engine.people.is_current(app, &known) {
                    return;
                }
                match engine.read_some_people(app, &known, after.take()).await {
                    Ok(Some(last)) => after = Some(last),
                    Ok(None) => {
                        known.is_read.send_replace(true);
                        return;
                    }
                    Err(error) => {
                        // The next search begins anew.
                        engine.job_failed("reading accounts to be searched", &error);
                        engine.people.forget_app(app);
                        return;
                    }
                }
                drop(engine);
                tokio::task::yield_now().await;
            }
        }));
    }

    /// Reads accounts after one; the last of them, if there may be more.
    async fn read_some_people(
        &self,
        app: SdkAppId,
        known: &Arc<Known>,
        after: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        let kind = AccountFact::KIND;
        let after = after.map(|key| (Vec::new(), key));
        let range = Range { kind, index: None, prefix: Vec::new(), after, limit: AT_ONCE };
        let found = self.context.records.scan(app, range).await?;
        for record in &found {
            let account: AccountFact = record.decode()?;
            let profile = self.profiles.of(app, account.number).await?;
            self.people.add(known, account.number, Person::of(&account.user, &profile));
        }
        Ok(found.last().map(|last| last.key.clone()))
    }

    async fn read_person(&self, app: SdkAppId, known: &Arc<Known>, number: AccountNumber) -> Result<()> {
        let person = match self.accounts.with_number(app, number).await? {
            Some(account) => {
                let profile = self.profiles.of(app, number).await?;
                Some(Person::of(&account.user, &profile))
            }
            None => None,
        };
        self.people.set(known, number, person);
        Ok(())
    }
}
