//! How long an app keeps messages and profiles: asked first what a change would delete, then changed.
//!
//! A change that was applied is finished even if the server stops in the middle of it: the next start goes on.

use model::settings::Retention;
use model::time::DAY_SECONDS;
use model::{AccountNumber, DataClass, ErrorCode, Millis, Result, SdkAppId, Seconds, Subject};
use ports::records::{Range, find};
use ports::{Kind, Record};
use promise::Stamps;
use promise::keys::Destroyed;
use promise::receipts::{Scope, Stage, Statement};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::erased::SETTLED;
use crate::facts::ProfileFact;
use crate::profiles::HOUR_SECONDS;
use crate::store::{put, remove, unchanged, write, write_if};
use crate::telling::{Telling, Tells};

/// For how long what was asked may be applied.
const PROPOSAL_SECONDS: u32 = 3600;

/// Profiles looked at at once.
const PROFILES_AT_ONCE: usize = 500;

/// Changes listed at most, the newest ones.
pub const CHANGES_MAX: usize = 1000;

/// What a change would delete at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletes {
    /// Messages.
    pub messages: u64,
    /// Profiles.
    pub profiles: u64,
}

/// A change that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalFact {
    /// What it takes to apply it.
    pub token: String,
    /// What is in effect.
    pub from: Retention,
    /// What would be.
    pub to: Retention,
    /// What it would delete at once.
    pub deletes: Deletes,
    /// Until when it may be applied.
    pub valid_until: Seconds,
    /// Who applied it and when, once that happened.
    pub applied: Option<(String, Seconds)>,
    /// What is about to be told.
    pub(crate) telling: Telling,
}

impl Tells for ProposalFact {
    fn telling(&mut self) -> &mut Telling {
        &mut self.telling
    }
}

const PROPOSAL_KEY: &[u8] = b"retention";

impl Record for ProposalFact {
    const KIND: Kind = Kind { id: 12, name: "proposed retention", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        PROPOSAL_KEY.to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// That what was sealed before a moment has to die earlier than its bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortenedFact {
    /// Of which class.
    pub class: DataClass,
    /// How long it is kept at most, in seconds.
    pub keep_seconds: u32,
    /// The moment.
    pub since: Seconds,
}

impl Record for ShortenedFact {
    const KIND: Kind = Kind { id: 13, name: "shortened retention", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        [&[self.class.code()][..], &self.since.0.to_be_bytes(), &self.keep_seconds.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeFact {
    /// When.
    pub at: Seconds,
    /// By whom: an administrator's UserID, or `operator` for the command line.
    pub by: String,
    /// What was in effect.
    pub from: Retention,
    /// What is.
    pub to: Retention,
    /// What it was said to delete at once.
    pub deletes: Deletes,
}

impl Record for ChangeFact {
    const KIND: Kind = Kind { id: 14, name: "changed retention", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        // The newest first.
        (u32::MAX - self.at.0).to_be_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

impl Engine {
    /// Says what a change of retention would delete, and what it takes to apply it within the next hour. What is not
    /// given stays. A later proposal takes the place of an earlier one.
    ///
    /// # Errors
    /// `NoSuchApp`, `SettingInvalid` for more than 3650 days, or where nothing would change.
    pub async fn propose_retention(
        &self,
        id: SdkAppId,
        message_days: Option<u32>,
        profile_days: Option<u32>,
    ) -> Result<ProposalFact> {
        let app = self.apps.find(id).await?.ok_or(ErrorCode::NoSuchApp)?;
        let from = app.settings.retention();
        let to = Retention {
            message_days: message_days.unwrap_or(from.message_days),
            profile_days: profile_days.unwrap_or(from.profile_days),
        };
        app.settings.with_retention(to).check()?;
        if from == to {
            return Err(ErrorCode::SettingInvalid.because("this is what is in effect already"));
        }
        let messages = if to.message_days < from.message_days {
            self.context.timeline.count_older(id, to.message_days * DAY_SECONDS).await?
        } else {
            0
        };
        let profiles = if to.profile_days < from.profile_days {
            let stamps = Stamps::of(id, &app.settings.with_retention(to));
            self.shorten_profiles(id, stamps, true).await?
        } else {
            0
        };
        let mut token = [0; 8];
        self.context.random.fill(&mut token);
        let valid_until = self.context.clock.now().seconds().plus(PROPOSAL_SECONDS);
        let proposal = ProposalFact {
            token: crate::apps::hex(&token),
            from,
            to,
            deletes: Deletes { messages, profiles },
            valid_until,
            applied: None,
            telling: None,
        };
        let stamp = Stamps::configuration_until(id, valid_until);
        let condition = match find::<ProposalFact>(self.context.records.as_ref(), id, PROPOSAL_KEY).await? {
            Some((former, _)) if former.applied.is_some() => {
                return Err(ErrorCode::SettingInvalid.because("another change is being applied"));
            }
            found => unchanged::<ProposalFact>(PROPOSAL_KEY.to_vec(), found.map(|(_, version)| version)),
        };
        let writes = vec![put(stamp, &proposal)?];
        if write_if(self.context.records.as_ref(), id, vec![condition], writes).await? {
            Ok(proposal)
        } else {
            Err(ErrorCode::AccountInternal.into())
        }
    }

    /// Applies what was proposed. When this answers, what is too old now is invisible; its bytes and keys go as expired ones do.
    ///
    /// # Errors
    /// `ProposalUnknown` if there is no such proposal, it is too old, or another retention is in effect by now.
    pub async fn apply_retention(&self, app: SdkAppId, token: &str, by: &str) -> Result<ChangeFact> {
        let records = self.context.records.as_ref();
        let Some((mut proposal, version)) = find::<ProposalFact>(records, app, PROPOSAL_KEY).await? else {
            return Err(ErrorCode::ProposalUnknown.into());
        };
        let current = self.apps.find(app).await?.ok_or(ErrorCode::NoSuchApp)?.settings.retention();
        if proposal.token != token || current != proposal.from || proposal.applied.is_some() {
            return Err(ErrorCode::ProposalUnknown.into());
        }
        proposal.applied = Some((by.to_owned(), self.context.clock.now().seconds()));
        let condition = unchanged::<ProposalFact>(PROPOSAL_KEY.to_vec(), Some(version));
        let writes = vec![put(Stamps::configuration(app), &proposal)?];
        if !write_if(records, app, vec![condition], writes).await? {
            return Err(ErrorCode::ProposalUnknown.into());
        }
        self.finish_retention(app, proposal, false).await
    }

    /// Does what a proposal says that was applied. Any part of it may have been done before.
    async fn finish_retention(
        &self,
        app: SdkAppId,
        proposal: ProposalFact,
        is_resumed: bool,
    ) -> Result<ChangeFact> {
        // Whoever goes on with interrupted changes leaves this one alone.
        let turn = self.erasing.begin(app, AccountNumber(0));
        let _turn = turn.ok_or(ErrorCode::ProposalUnknown)?;
        let records = self.context.records.as_ref();
        let ProposalFact { from, to, deletes, applied, .. } = proposal;
        let (by, at) = applied.unwrap_or_default();
        let changed = self.apps.set_retention(app, to).await?;
        let stamps = Stamps::of(app, &changed.settings);
        self.shorten(app, stamps, from, to).await?;
        if !is_resumed && (to.message_days < from.message_days || to.profile_days < from.profile_days) {
            // What was on its way at that moment was stamped as before, and is stored by now.
            self.context.clock.sleep(SETTLED).await;
            self.shorten(app, stamps, from, to).await?;
        }
        let change = ChangeFact { at, by, from, to, deletes };
        if to.message_days < from.message_days || to.profile_days < from.profile_days {
            self.tell::<ProposalFact>(app, PROPOSAL_KEY, shortened(app, deletes)).await?;
        }
        let writes =
            vec![put(Stamps::configuration(app), &change)?, remove::<ProposalFact>(PROPOSAL_KEY.to_vec())];
        write(records, app, writes).await?;
        tracing::info!(app = app.0, ?from, ?to, ?deletes, "retention was changed");
        Ok(change)
    }

    /// Makes a shorter retention act on what is stored.
    async fn shorten(&self, app: SdkAppId, stamps: Stamps, from: Retention, to: Retention) -> Result<()> {
        for (class, former, days) in [
            (DataClass::MESSAGE, from.message_days, to.message_days),
            (DataClass::Profile, from.profile_days, to.profile_days),
        ] {
            if days < former {
                let since = self.context.clock.now().seconds();
                let fact = ShortenedFact { class, keep_seconds: days * DAY_SECONDS, since };
                // Then nothing of that time is left; an hour and a day for what lives up to them longer.
                let end = since.plus((former + 2) * DAY_SECONDS);
                let writes = vec![put(Stamps::configuration_until(app, end), &fact)?];
                write(self.context.records.as_ref(), app, writes).await?;
            }
        }
        if to.message_days < from.message_days {
            self.context.timeline.shorten(app, to.message_days * DAY_SECONDS).await?;
            self.shorten_annotations(app, stamps).await?;
            self.shorten_merged(app, stamps).await?;
        }
        if to.profile_days < from.profile_days {
            self.shorten_profiles(app, stamps, false).await?;
        }
        Ok(())
    }

    /// Finishes what the last run of the server, or a failure, left unfinished.
    pub(crate) async fn resume_retention(&self) -> Result<()> {
        for app in self.apps.list().await? {
            let found = find::<ProposalFact>(self.context.records.as_ref(), app.id, PROPOSAL_KEY).await?;
            if let Some((proposal, _)) = found
                && proposal.applied.is_some()
            {
                match self.finish_retention(app.id, proposal, true).await {
                    // Somebody is at it.
                    Err(error) if error.code == ErrorCode::ProposalUnknown => {}
                    done => drop(done?),
                }
            }
        }
        Ok(())
    }

    /// The changes of an app's retention, the newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn retention_changes(&self, app: SdkAppId) -> Result<Vec<ChangeFact>> {
        let range = Range {
            kind: ChangeFact::KIND,
            index: None,
            prefix: Vec::new(),
            after: None,
            limit: CHANGES_MAX,
        };
        let found = self.context.records.scan(app, range).await?;
        Ok(found.iter().map(ports::records::Found::decode).collect::<std::result::Result<_, _>>()?)
    }

    /// Brings the ends of stored profiles forward to what `stamps` say, or counts only those that would be over; how many
    /// are over.
    async fn shorten_profiles(&self, app: SdkAppId, stamps: Stamps, count_only: bool) -> Result<u64> {
        let records = self.context.records.as_ref();
        let now = self.context.clock.now();
        let mut over = 0;
        let mut after = None;
        loop {
            let range = Range {
                kind: ProfileFact::KIND,
                index: None,
                prefix: Vec::new(),
                after: after.take(),
                limit: PROFILES_AT_ONCE,
            };
            let found = records.scan(app, range).await?;
            let Some(last) = found.last() else { break };
            after = Some((Vec::new(), last.key.clone()));
            for record in found {
                let fact: ProfileFact = record.decode()?;
                let stamp = stamps.profile(fact.number, fact.used_at);
                let is_over = !stamps.stores_profiles() || stamp.expiry.is_over(now);
                over += u64::from(is_over);
                if count_only || !is_over && stamp.expiry >= record.stamp.expiry {
                    continue;
                }
                let change = if is_over { remove::<ProfileFact>(fact.key()) } else { put(stamp, &fact)? };
                // One that was used meanwhile has its new end already.
                let condition = unchanged::<ProfileFact>(fact.key(), Some(record.version));
                write_if(records, app, vec![condition], vec![change]).await?;
            }
        }
        if !count_only {
            self.profiles.forget_all();
        }
        Ok(over)
    }

    /// The keys of an app that have to die by now since its retention was shortened.
    pub(crate) async fn shortened(&self, app: SdkAppId) -> Result<Vec<Destroyed>> {
        let facts = self.facts::<ShortenedFact>(app, None).await?;
        let now = self.context.clock.now();
        Ok(facts.iter().map(|(fact, _)| destroyed(app, fact, now)).collect())
    }
}

fn shortened(app: SdkAppId, deletes: Deletes) -> Statement {
    let counts = [("message", deletes.messages), ("profile", deletes.profiles)];
    Statement {
        app: app.0,
        stage: Stage::Hidden,
        scope: Scope::Retention,
        subject: String::new(),
        reason: "the app's retention was shortened; the counts are those of the proposal".to_owned(),
        counts: counts.into_iter().map(|(class, count)| (class.to_owned(), count)).collect(),
        generations: None,
        destruction: None,
        aged_out_by: None,
        preserved: Vec::new(),
    }
}

/// Messages carry the time of their conversation, which may be ahead of the clock after that was set back, and a profile
/// lives to the full hour: keys live an hour longer.
fn destroyed(app: SdkAppId, fact: &ShortenedFact, now: Millis) -> Destroyed {
    // What was sealed in the second of the change is kept no longer, before or after it.
    let until = fact.since.plus(1);
    let before = match fact.keep_seconds {
        0 => until,
        keep => now.seconds().minus(keep).minus(HOUR_SECONDS).min(until),
    };
    Destroyed::SealedBefore(app, fact.class, before)
}
