//! The promises about data: how long each class is kept, as stamps on what is stored.
//!
//! Nothing reaches a store without a stamp, and stamps come from here. So do the keys that content is
//! sealed with, and the receipts for what was erased.

pub mod calendar;
pub mod export;
pub mod keys;
pub mod receipts;

use model::time::DAY_SECONDS;
use model::{AccountNumber, AppSettings, DataClass, Expiry, Medium, SdkAppId, Seconds, Stamp, Subject};

/// For how many days the request log is kept.
pub const LOG_DAYS: u32 = 7;

/// For how many days success and delay are kept.
pub const MONITORING_DAYS: u32 = 2;

/// For how many days daily counts are kept.
pub const STATISTICS_DAYS: u32 = 30;

const HOUR_SECONDS: u32 = 3600;

/// For how many days an instance that was away is told what others of its account did.
pub const NEWS_DAYS: u32 = 7;

/// Makes the stamps of one app.
#[derive(Clone, Copy, Debug)]
pub struct Stamps {
    app: SdkAppId,
    message_days: u32,
    profile_days: u32,
}

impl Stamps {
    /// The stamps of an app with these settings.
    #[must_use]
    pub const fn of(app: SdkAppId, settings: &AppSettings) -> Self {
        Self {
            app,
            message_days: settings.message_retention_days,
            profile_days: settings.profile_retention_days,
        }
    }

    /// Settings: kept while the app is in use.
    #[must_use]
    pub const fn configuration(app: SdkAppId) -> Stamp {
        Stamp { app, class: DataClass::Configuration, subject: Subject::Nobody, expiry: Expiry::WithOwner }
    }

    /// Settings that lose their sense at a moment.
    #[must_use]
    pub const fn configuration_until(app: SdkAppId, end: Seconds) -> Stamp {
        Stamp { app, class: DataClass::Configuration, subject: Subject::Nobody, expiry: Expiry::At(end) }
    }

    /// What is kept by the hour: the request log, success and delay, and copies of the log that law demands. Other classes have
    /// no such segments.
    #[must_use]
    pub const fn hourly(app: SdkAppId, class: DataClass, hour: u32) -> Stamp {
        let days = match class {
            DataClass::Log => LOG_DAYS,
            DataClass::Monitoring => MONITORING_DAYS,
            _ => 0,
        };
        let end = match class {
            // Copies of the log are kept by the hour in which they end.
            DataClass::Preserved => Seconds(hour.saturating_mul(HOUR_SECONDS)),
            _ => Seconds(hour.saturating_add(1).saturating_mul(HOUR_SECONDS)).plus(days * DAY_SECONDS),
        };
        Stamp { app, class, subject: Subject::Nobody, expiry: Expiry::At(end) }
    }

    /// Counts of a day that ends at a moment.
    #[must_use]
    pub const fn daily(app: SdkAppId, day_end: Seconds) -> Stamp {
        let end = day_end.plus(STATISTICS_DAYS * DAY_SECONDS);
        Stamp { app, class: DataClass::Statistics, subject: Subject::Nobody, expiry: Expiry::At(end) }
    }

    /// What makes an account work: kept while the account exists.
    #[must_use]
    pub const fn account(self, subject: AccountNumber) -> Stamp {
        Stamp {
            app: self.app,
            class: DataClass::Account,
            subject: Subject::Account(subject),
            expiry: Expiry::WithOwner,
        }
    }

    /// What is kept of an account until a moment, as logins are until their signature ends.
    #[must_use]
    pub const fn account_until(self, subject: AccountNumber, end: Seconds) -> Stamp {
        Stamp {
            app: self.app,
            class: DataClass::Account,
            subject: Subject::Account(subject),
            expiry: Expiry::At(end),
        }
    }

    /// What an account did to messages: kept as long as the one that ends last.
    #[must_use]
    pub const fn about(self, by: AccountNumber, messages_end: Expiry) -> Stamp {
        Stamp {
            app: self.app,
            class: DataClass::Account,
            subject: Subject::Account(by),
            expiry: messages_end,
        }
    }

    /// That an account read or cleared a conversation, for its other instances. What it changed stays with the account;
    /// that it happened is news for [`NEWS_DAYS`].
    #[must_use]
    pub const fn news(self, by: AccountNumber, now: Seconds) -> Stamp {
        self.account_until(by, now.plus(NEWS_DAYS * DAY_SECONDS))
    }

    /// What is noted of an account's erasure, until that is at its end.
    #[must_use]
    pub const fn erasure(app: SdkAppId, subject: AccountNumber) -> Stamp {
        Stamp {
            app,
            class: DataClass::Account,
            subject: Subject::Account(subject),
            expiry: Expiry::WithOwner,
        }
    }

    /// Copies that law keeps, and what is noted of them: of no app, so that they end with none.
    #[must_use]
    pub const fn preserved(author: AccountNumber, expiry: Expiry) -> Stamp {
        let subject = Subject::Account(author);
        Stamp { app: SdkAppId::INSTALLATION, class: DataClass::Preserved, subject, expiry }
    }

    /// What outlives an account without naming it, until a moment.
    #[must_use]
    pub const fn nameless_until(self, end: Seconds) -> Stamp {
        Stamp { app: self.app, class: DataClass::Account, subject: Subject::Nobody, expiry: Expiry::At(end) }
    }

    /// Whether the app stores profiles.
    #[must_use]
    pub const fn stores_profiles(self) -> bool {
        self.profile_days > 0
    }

    /// Whether the app stores messages.
    #[must_use]
    pub const fn stores_messages(self) -> bool {
        self.message_days > 0
    }

    /// A profile: kept for the app's days after its last use, to the full hour after that: then it need not be put off with
    /// every use.
    #[must_use]
    pub const fn profile(self, subject: AccountNumber, used_at: Seconds) -> Stamp {
        let end = used_at.plus(self.profile_days.saturating_mul(DAY_SECONDS));
        let end = Seconds(end.0.div_ceil(HOUR_SECONDS).saturating_mul(HOUR_SECONDS));
        Stamp {
            app: self.app,
            class: DataClass::Profile,
            subject: Subject::Account(subject),
            expiry: Expiry::At(end),
        }
    }

    /// That a key is to be destroyed, until its bucket is over at the beginning of that day.
    #[must_use]
    pub const fn recalled(app: SdkAppId, author: AccountNumber, bucket: u16) -> Stamp {
        let end = Seconds((bucket as u32).saturating_mul(DAY_SECONDS));
        let class = DataClass::Message(Medium::Derived);
        Stamp { app, class, subject: Subject::Account(author), expiry: Expiry::At(end) }
    }

    /// What is searched of an app's messages that have expired at the beginning of a day.
    #[must_use]
    pub const fn search_index(app: SdkAppId, bucket: u16) -> Stamp {
        let class = DataClass::Message(Medium::Derived);
        Stamp { app, class, subject: Subject::Nobody, expiry: Expiry::At(Self::end_of(bucket)) }
    }

    /// When a bucket of expiry is over.
    #[must_use]
    pub const fn end_of(bucket: u16) -> Seconds {
        Seconds((bucket as u32).saturating_mul(DAY_SECONDS))
    }

    /// A message sent at `sent_at`: kept for the app's days after that.
    #[must_use]
    pub const fn message(self, author: AccountNumber, sent_at: Seconds, medium: Medium) -> Stamp {
        let end = sent_at.plus(self.message_days.saturating_mul(DAY_SECONDS));
        Stamp {
            app: self.app,
            class: DataClass::Message(medium),
            subject: Subject::Account(author),
            expiry: Expiry::At(end),
        }
    }

    /// What somebody added to a message: kept as long as the message.
    #[must_use]
    pub const fn annotation(self, by: AccountNumber, medium: Medium, message_end: Expiry) -> Stamp {
        Stamp {
            app: self.app,
            class: DataClass::Message(medium),
            subject: Subject::Account(by),
            expiry: message_end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_profiles_end_after_the_days_that_the_app_chose() {
        let settings = AppSettings { message_retention_days: 2, ..AppSettings::default() };
        let stamps = Stamps::of(SdkAppId(1), &settings);
        let author = AccountNumber(9);
        let message = stamps.message(author, Seconds(100), Medium::Photo);
        assert_eq!(message.class, DataClass::Message(Medium::Photo));
        assert_eq!(message.expiry, Expiry::At(Seconds(100 + 2 * 86_400)));
        assert_eq!(stamps.profile(author, Seconds(100)).expiry, Expiry::At(Seconds(3600 + 7 * 86_400)));
        assert_eq!(stamps.profile(author, Seconds(3600)).expiry, Expiry::At(Seconds(3600 + 7 * 86_400)));
        assert!(stamps.stores_messages() && stamps.stores_profiles());
        assert_eq!(message.subject, Subject::Account(author));
        let added = stamps.annotation(AccountNumber(8), Medium::Text, message.expiry);
        assert_eq!((added.class, added.expiry), (DataClass::MESSAGE, message.expiry));
        assert_eq!(added.subject, Subject::Account(AccountNumber(8)));
    }
}
