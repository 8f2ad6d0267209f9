//! What searches have in common on the wire.

use command::Call;
use command::scalar::Lenient;
use fulltext::Phrase;
use model::{ErrorCode, Result};

/// The most keywords of a search.
pub const KEYWORDS_MAX: usize = 5;

/// The most bytes of a keyword.
pub const KEYWORD_BYTES_MAX: usize = 200;

/// The most items of a page.
pub const COUNT_MAX: u64 = 100;

/// The most bytes of a cursor; none that was given out is longer.
pub const CURSOR_BYTES_MAX: usize = 100;

/// Refuses every search where the app has switched search off.
///
/// # Errors
/// `FeatureMissing`.
pub fn check_on(call: &Call) -> Result<()> {
    if call.app.settings.cloud_search {
        return Ok(());
    }
    Err(ErrorCode::FeatureMissing.because("cloud search is switched off for this app: cloud_search"))
}

/// The keywords of a field; those without letters and digits are left out, since nothing holds them.
///
/// # Errors
/// `MessageBadJson`, naming the field, for too many, too long and empty ones.
pub fn phrases(field: &str, texts: &[String]) -> Result<Vec<Phrase>> {
    if texts.len() > KEYWORDS_MAX {
        return Err(ErrorCode::MessageBadJson.because(format!("{field}: at most {KEYWORDS_MAX} keywords")));
    }
    let is_wrong = |text: &String| text.trim().is_empty() || text.len() > KEYWORD_BYTES_MAX;
    if let Some(wrong) = texts.iter().position(is_wrong) {
        return Err(ErrorCode::MessageBadJson
            .because(format!("{field}[{wrong}]: a keyword has 1 to {KEYWORD_BYTES_MAX} bytes")));
    }
    Ok(texts.iter().filter_map(|text| Phrase::of(text)).collect())
}

/// How many items a page has; all that one may have if nothing is said.
///
/// # Errors
/// `MessageBadJson`, naming the field.
pub fn count(count: Option<Lenient>) -> Result<usize> {
    match count.map_or(COUNT_MAX, |count| count.0) {
        count @ 1..=COUNT_MAX => Ok(usize::try_from(count).unwrap_or(1)),
        _ => Err(ErrorCode::MessageBadJson.because(format!("Count: 1 to {COUNT_MAX}"))),
    }
}

/// The numbers of a cursor; `None` if it is empty.
///
/// # Errors
/// `MessageBadJson`, naming the field.
pub fn cursor<const N: usize>(text: &str) -> Result<Option<[u64; N]>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parts = || text.split('-').map(|part| u64::from_str_radix(part, 16).ok()).collect::<Option<Vec<_>>>();
    let numbers = (text.len() <= CURSOR_BYTES_MAX).then(parts).flatten();
    let numbers = numbers.and_then(|numbers| <[u64; N]>::try_from(numbers).ok());
    let wrong = || ErrorCode::MessageBadJson.because("Cursor: not that of an answer to this search");
    numbers.map(Some).ok_or_else(wrong)
}

/// A cursor of these numbers.
#[must_use]
pub fn to_cursor(numbers: &[u64]) -> String {
    let parts: Vec<String> = numbers.iter().map(|number| format!("{number:x}")).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let numbers = [0, 1, u64::MAX, 77];
        assert_eq!(cursor(&to_cursor(&numbers)), Ok(Some(numbers)));
        assert!(to_cursor(&[u64::MAX; 4]).len() <= CURSOR_BYTES_MAX);
        assert_eq!(cursor::<4>(""), Ok(None));
        for wrong in ["x", "1", "1-2-3", "1-2-3-4-5", "-", "1-2-3-", "ffffffffffffffff0-1-1-1"] {
            assert!(cursor::<4>(wrong).is_err(), "{wrong}");
        }
        assert!(cursor::<4>(&"1".repeat(200)).is_err());
    }

    #[test]
    fn keywords_have_limits() {
        let texts = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
        assert_eq!(phrases("K", &texts(&["a", "!", "b"])).map(|found| found.len()), Ok(2));
        assert!(phrases("K", &texts(&["a"; 5])).is_ok());
        for wrong in [texts(&["a"; 6]), texts(&[""]), texts(&[" "]), texts(&[&"x".repeat(201)])] {
            assert!(phrases("K", &wrong).is_err());
        }
    }

    #[test]
    fn pages_have_limits() {
        assert_eq!(count(None), Ok(100));
        for (number, is_allowed) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(count(Some(Lenient(number))).is_ok(), is_allowed, "{number}");
        }
    }
}
