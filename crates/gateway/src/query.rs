//! The query of an address.

/// Finds a value by its name and undoes the percent coding. Names are case-sensitive; the first one counts.
pub(crate) fn value(query: &str, name: &str) -> Option<String> {
    let pair = query.split('&').find(|pair| pair.split('=').next() == Some(name))?;
    decode(pair.split_once('=').map_or("", |(_, value)| value))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || Some(u8::try_from(char::from(rest.next()?).to_digit(16)?).unwrap_or(0));
                let (high, low) = (digit()?, digit()?);
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = "sdkappid=1&identifier=a%20b&usersig=eJw*-_&empty=&flag&sdkappid=2";
        assert_eq!(value(query, "sdkappid").as_deref(), Some("1"));
        assert_eq!(value(query, "identifier").as_deref(), Some("a b"));
        assert_eq!(value(query, "usersig").as_deref(), Some("eJw*-_"));
        assert_eq!(value(query, "empty").as_deref(), Some(""));
        assert_eq!(value(query, "flag").as_deref(), Some(""));
        assert_eq!(value(query, "missing"), None);
        for bad in ["x=%", "x=%1", "x=%zz", "x=%ff"] {
            assert_eq!(value(bad, "x"), None, "{bad}");
        }
    }
}
