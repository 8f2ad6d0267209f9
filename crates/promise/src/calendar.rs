//! Calendar months, by the library `jiff`.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use model::Seconds;

/// The same time of day (UTC) two calendar months later; on the last day of a month that has no such day.
#[must_use]
pub fn two_months_after(begin: Seconds) -> Seconds {
    let moment = jiff::Timestamp::from_second(begin.0.into()).ok();
    let later = moment
        .map(|moment| Offset::UTC.to_datetime(moment))
        .and_then(|moment: DateTime| moment.checked_add(2.months()).ok())
        .and_then(|later| Offset::UTC.to_timestamp(later).ok())
        .and_then(|later| u32::try_from(later.as_second()).ok());
    Seconds(later.unwrap_or(u32::MAX))
}

/// A day, counted from 1970, as `yyyymmdd`.
#[must_use]
pub fn date(day: u32) -> String {
    let moment = jiff::Timestamp::from_second(i64::from(day).saturating_mul(86_400)).unwrap_or_default();
    let date = Offset::UTC.to_datetime(moment).date();
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> Seconds {
        let moment: Option<jiff::Timestamp> = text.parse().ok();
        Seconds(moment.and_then(|moment| u32::try_from(moment.as_second()).ok()).unwrap_or(0))
    }

    #[test]
    fn months_end_where_the_calendar_says() {
        for (begin, end) in [
            ("2026-11-25T15:04:05Z", "2027-01-25T15:04:05Z"),
            ("2026-12-31T00:00:00Z", "2027-02-28T00:00:00Z"),
            ("2027-12-30T23:59:59Z", "2028-02-29T23:59:59Z"),
            ("2026-07-31T12:00:00Z", "2026-09-30T12:00:00Z"),
        ] {
            assert_eq!(two_months_after(second(begin)), second(end), "{begin}");
        }
        assert_eq!(two_months_after(Seconds(u32::MAX)), Seconds(u32::MAX));
    }

    #[test]
    fn days_have_dates() {
        for (day, expected) in
            [(0, "19700101"), (16_958, "20160606"), (19_782, "20240229"), (49_709, "21060206")]
        {
            assert_eq!(date(day), expected);
        }
    }
}
