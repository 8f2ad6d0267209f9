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

/// Beijing, whose time archives of messages are named by.
const BEIJING: Offset = Offset::constant(8);

/// The beginning of an hour that is written as `yyyymmddhh` in Beijing time; `None` if it is no hour since 1970.
#[must_use]
pub fn beijing_hour(text: &str) -> Option<Seconds> {
    if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize| i8::try_from(number(from, from + 2)?).ok();
    let day = jiff::civil::Date::new(number(0, 4)?, small(4)?, small(6)?).ok()?;
    let hour = DateTime::from_parts(day, jiff::civil::Time::new(small(8)?, 0, 0, 0).ok()?);
    let begin = BEIJING.to_timestamp(hour).ok()?;
    u32::try_from(begin.as_second()).ok().map(Seconds)
}

/// The hour of a moment as `yyyymmddhh` in Beijing time.
#[must_use]
pub fn beijing_hour_text(at: Seconds) -> String {
    let moment = in_beijing(at);
    format!("{:04}{:02}{:02}{:02}", moment.year(), moment.month(), moment.day(), moment.hour())
}

/// A moment as `yyyy-mm-dd hh:mm:ss` in Beijing time.
#[must_use]
pub fn beijing_time_text(at: Seconds) -> String {
    let moment = in_beijing(at);
    let (date, time) = (moment.date(), moment.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn in_beijing(at: Seconds) -> DateTime {
    BEIJING.to_datetime(jiff::Timestamp::from_second(at.0.into()).unwrap_or_default())
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
    fn hours_are_those_of_beijing() {
        let begin = second("2016-06-06T15:00:00Z");
        assert_eq!(beijing_hour("2016060623"), Some(begin));
        assert_eq!(beijing_hour_text(begin.plus(3599)), "2016060623");
        assert_eq!(beijing_hour_text(begin.plus(3600)), "2016060700");
        assert_eq!(beijing_time_text(begin.plus(3605)), "2016-06-07 00:00:05");
        assert_eq!(beijing_hour("1970010108"), Some(Seconds(0)));
        for bad in [
            "",
            "201606062",
            "20160606230",
            "2016060624",
            "2016063100",
            "2016130100",
            "+016060601",
            "1970010107",
        ] {
            assert_eq!(beijing_hour(bad), None, "{bad}");
        }
        assert_eq!(beijing_hour("9999123123"), None, "beyond what seconds can say");
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
