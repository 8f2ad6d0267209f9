//! When an account does not want to be disturbed by any message. Clients keep to it; the server delivers all the same.

use model::time::DAY_SECONDS;
use model::{AccountNumber, DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject};
use ports::records::find;
use ports::{Kind, Record};
use promise::Stamps;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::store::{put, write_all_for};

/// How messages are announced in a span of time. By default they are announced at all times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// 0 with notification, 1 not received, 2 without notification.
    pub level: u8,
    /// The beginning.
    pub start: Seconds,
    /// The end; not before the beginning, and at most a day after it where the span is repeated.
    pub end: Seconds,
    /// Whether it is so every day at this time.
    pub is_repeated: bool,
}

impl Times {
    /// Checks them.
    ///
    /// # Errors
    /// `MessageBadJson`, naming the field.
    pub fn check(&self) -> Result<()> {
        if self.level > 2 {
            return Err(ErrorCode::MessageBadJson.in_field("Level", "0, 1 or 2"));
        }
        if self.end < self.start {
            return Err(ErrorCode::MessageBadJson.in_field("EndTime", "not before StartTime"));
        }
        if self.is_repeated && self.end > self.start.plus(DAY_SECONDS) {
            return Err(ErrorCode::MessageBadJson
                .in_field("EndTime", "at most a day after StartTime where it is repeated"));
        }
        Ok(())
    }
}

/// When an account does not want to be disturbed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotDisturbFact {
    /// Who.
    pub number: AccountNumber,
    /// When, and how.
    pub times: Times,
}

impl DoNotDisturbFact {
    /// Its key.
    #[must_use]
    pub fn key_of(number: AccountNumber) -> Vec<u8> {
        number.0.to_be_bytes().to_vec()
    }
}

impl Record for DoNotDisturbFact {
    const KIND: Kind = Kind { id: 28, name: "do not disturb", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.number)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// When every account does not want to be disturbed.
pub struct DoNotDisturb {
    context: Context,
}

impl DoNotDisturb {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }

    /// When an account does not want to be disturbed.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(&self, app: SdkAppId, number: AccountNumber) -> Result<Times> {
        let key = DoNotDisturbFact::key_of(number);
        let found = find::<DoNotDisturbFact>(self.context.records.as_ref(), app, &key).await?;
        Ok(found.map(|(fact, _)| fact.times).unwrap_or_default())
    }

    /// Sets when an account does not want to be disturbed; the last one to set it wins.
    ///
    /// # Errors
    /// `MessageBadJson`, naming the field; `SenderUnknown` if the account was just erased.
    pub async fn set(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        number: AccountNumber,
        times: Times,
    ) -> Result<()> {
        times.check()?;
        let fact = DoNotDisturbFact { number, times };
        let writes = vec![put(stamps.account(number), &fact)?];
        let concerned = (&[number][..], ErrorCode::SenderUnknown);
        write_all_for(self.context.records.as_ref(), app, concerned, writes).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_go_forwards_and_repeated_ones_fit_into_a_day() {
        let times = |level, start, end, is_repeated| Times {
            level,
            start: Seconds(start),
            end: Seconds(end),
            is_repeated,
        };
        for good in [
            Times::default(),
            times(2, 5, 5, false),
            times(1, 5, 5 + DAY_SECONDS, true),
            times(0, 5, u32::MAX, false),
            times(2, u32::MAX, u32::MAX, true),
        ] {
            assert!(good.check().is_ok(), "{good:?}");
        }
        for (bad, field) in [
            (times(3, 0, 0, false), "Level"),
            (times(2, 6, 5, false), "EndTime"),
            (times(2, 5, 6 + DAY_SECONDS, true), "EndTime"),
        ] {
            let error = bad.check().unwrap_err();
            assert!(error.info.starts_with(field), "{bad:?}: {error}");
        }
    }
}
