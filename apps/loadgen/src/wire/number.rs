//! Numbers in text, without the formatting machinery.

/// Appends `value` in decimal.
#[expect(clippy::cast_possible_truncation, reason = "a remainder of a hundred fits in a byte")]
pub(crate) fn append(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    // Divisions are what costs; most numbers here have ten digits.
    while value >= 100 {
        let pair = (value % 100) as u8;
        value /= 100;
        at -= 2;
        digits[at] = b'0' + pair / 10;
        digits[at + 1] = b'0' + pair % 10;
    }
    if value >= 10 {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at -= 1;
    digits[at] = b'0' + value as u8;
    out.extend_from_slice(&digits[at..]);
}

/// Reads the decimal number that `bytes` begin with, spaces and a minus sign allowed; `None` when there is none.
pub(crate) fn read(bytes: &[u8]) -> Option<i64> {
    let skip = bytes.iter().take_while(|byte| **byte == b' ').count();
    let bytes = bytes.get(skip..)?;
    let (sign, bytes) = match bytes {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, bytes),
    };
    let mut value: i64 = 0;
    let mut count = 0;
    for byte in bytes.iter().take_while(|byte| byte.is_ascii_digit()).take(18) {
        value = value * 10 + i64::from(byte - b'0');
        count += 1;
    }
    (count > 0).then_some(value * sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for value in [0, 9, 10, 99, 100, 101, 999, 1_000, 2_157_230_001, 144_115_000_000_000_001] {
            let mut text = Vec::new();
            append(&mut text, value);
            assert_eq!(text, value.to_string().into_bytes());
            assert_eq!(read(&text), i64::try_from(value).ok());
        }
    }

    #[test]
    fn other_text_is_no_number() {
        assert_eq!(read(b" -12,"), Some(-12));
        assert_eq!(read(b"\"1\""), None);
        assert_eq!(read(b""), None);
    }
}
