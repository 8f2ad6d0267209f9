//! The key around the keyring's keys, for owners who keep one elsewhere.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::Outcome;

/// The environment variable that holds the key. Not a key of the configuration: secrets do not belong into files that
/// people copy.
const VARIABLE: &str = "WHIMBREL_OUTER_KEY";

/// The name of the systemd credential that holds the key (systemd.exec(5), `LoadCredential=`).
const CREDENTIAL: &str = "whimbrel-outer-key";

/// The outer key as 64 hexadecimal digits: from systemd's credential, or else from the environment; `None` without.
pub(crate) fn find() -> Outcome<Option<Zeroizing<[u8; 32]>>> {
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let path = PathBuf::from(folder).join(CREDENTIAL);
        match std::fs::read_to_string(&path) {
            Ok(text) => return parse(CREDENTIAL, &Zeroizing::new(text)).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        }
    }
    match std::env::var(VARIABLE) {
        Ok(text) => parse(VARIABLE, &Zeroizing::new(text)).map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("{VARIABLE}: 64 hexadecimal digits")),
    }
}

fn parse(name: &str, text: &str) -> Outcome<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    let mut key = Zeroizing::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return Err(format!("{name}: 64 hexadecimal digits"));
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)
            .map_err(|_| format!("{name}: 64 hexadecimal digits"))?;
    }
    if key.iter().all(|byte| *byte == key[0]) {
        return Err(format!("{name}: 32 equal bytes are no secret"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits_that_are_not_all_the_same() {
        let good = "0123456789abcdefABCDEF0123456789".repeat(2);
        assert_eq!(parse("x", &format!(" {good}\n")).map(|key| key[1]), Ok(0x23));
        for bad in ["", "00", &"0".repeat(64), &"g".repeat(64), &"1".repeat(65), &"\u{e4}".repeat(32)] {
            assert!(parse("x", bad).is_err(), "{bad}");
        }
    }
}
