//! Limits on JSON before anything parses it.

/// How deep objects and arrays may nest in what a client sends.
///
/// Merged messages nest five levels each; the parser itself refuses more than 128.
pub const DEPTH_MAX: usize = 64;

/// Whether objects and arrays nest at most [`DEPTH_MAX`] deep. Does not check that the text is JSON.
#[must_use]
pub fn depth_is_bounded(text: &[u8]) -> bool {
    // Nearly every frame has fewer brackets in all than may nest; counting them is much cheaper than looking closely.
    if brackets(text) <= DEPTH_MAX {
        return true;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// How many brackets open, counted in pieces whose sum fits into a byte: that way it takes many bytes at once.
fn brackets(text: &[u8]) -> usize {
    let count = |piece: &[u8]| {
        let sum: u8 = piece.iter().map(|byte| u8::from(*byte == b'{') + u8::from(*byte == b'[')).sum();
        usize::from(sum)
    };
    text.chunks(usize::from(u8::MAX)).map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_however_many_there_are() {
        for (text, count) in [("", 0), ("{[]}", 2), ("}]", 0)] {
            assert_eq!(brackets(text.as_bytes()), count);
        }
        assert_eq!(brackets("[".repeat(10_000).as_bytes()), 10_000);
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(depth_is_bounded(nested(DEPTH_MAX).as_bytes()));
        assert!(!depth_is_bounded(nested(DEPTH_MAX + 1).as_bytes()));
        assert!(depth_is_bounded(format!("\"{}\"", "[".repeat(1000)).as_bytes()));
        assert!(depth_is_bounded(format!(r#""\"{}""#, "{".repeat(1000)).as_bytes()));
        assert!(depth_is_bounded("[],".repeat(1000).as_bytes()));
    }
}
