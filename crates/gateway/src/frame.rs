//! Frames of the client protocol: a head that says what and who, and a body that is left alone.

use std::borrow::Cow;

use bytes::Bytes;
use model::{Error, ErrorCode};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A request frame.
#[derive(Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(borrow)]
    pub(crate) head: Head<'a>,
    #[serde(borrow, default)]
    pub(crate) body: Option<&'a RawValue>,
}

/// The fields of a head that the server uses.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) servcmd: Cow<'a, str>,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) sdkappid: Option<u64>,
    #[serde(borrow, default)]
    pub(crate) identifier: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) usersig: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) a2: Option<Cow<'a, str>>,
}

/// The longest command name looked at.
const NAME_BYTES_MAX: usize = 128;

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// `BadJson`, saying what is wrong.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        // Checked once for the whole frame, which is cheaper than string by string.
        let text =
            std::str::from_utf8(bytes).map_err(|_| ErrorCode::BadJson.because("the frame: no UTF-8"))?;
        let frame: Self = serde_json::from_str(text).map_err(|error| {
            ErrorCode::BadJson.because(format!("the frame: {}", model::element::describe(&error)))
        })?;
        if frame.head.servcmd.len() > NAME_BYTES_MAX {
            return Err(ErrorCode::BadJson.because("head.servcmd: too long"));
        }
        Ok(frame)
    }

    /// The body; an empty object if there is none.
    pub(crate) fn body_text(&self) -> &'a str {
        self.body.map_or("{}", RawValue::get)
    }
}

/// Writes an answer frame.
#[must_use]
pub fn answer(servcmd: &str, seq: u64, body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(body.len() + servcmd.len() + 48);
    out.extend_from_slice(br#"{"head":{"servcmd":"#);
    engine::push::write_text(&mut out, servcmd);
    out.extend_from_slice(b",\"seq\":");
    out.extend_from_slice(seq.to_string().as_bytes());
    out.extend_from_slice(br#"},"body":"#);
    out.extend_from_slice(body);
    out.push(b'}');
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_its_body_untouched() {
        let text = r#"{"head":{"servcmd":"a.b","seq":7,"a2":"k","more":{}},"body":{"x": 1.50 }}"#;
        let frame = Frame::read(text.as_bytes()).unwrap();
        assert_eq!((frame.head.servcmd.as_ref(), frame.head.seq), ("a.b", 7));
        assert_eq!(frame.body_text(), r#"{"x": 1.50 }"#);
        assert_eq!(Frame::read(br#"{"head":{"servcmd":"a","seq":1}}"#).unwrap().body_text(), "{}");
    }

    #[test]
    fn malformed_frames_are_refused() {
        let long = format!(r#"{{"head":{{"servcmd":"{}","seq":1}}}}"#, "x".repeat(NAME_BYTES_MAX + 1));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in [
            "",
            "x",
            "{}",
            "[]",
            r#"{"head":{}}"#,
            r#"{"head":{"servcmd":1,"seq":1}}"#,
            r#"{"head":{"servcmd":"a","seq":-1}}"#,
            r#"{"head":{"servcmd":"a","seq":1e300}}"#,
            r#"{"head":{"servcmd":"a","seq":"1"}}"#,
            &long,
            &deep,
        ] {
            assert!(Frame::read(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(60)]);
        }
        assert!(Frame::read(b"{\"head\":{\"servcmd\":\"\xff\",\"seq\":1}}").is_err());
    }

    #[test]
    fn answers_repeat_name_and_number() {
        let frame = answer("a.\"b", 9, br#"{"ErrorCode":0}"#);
        let value: serde_json::Value = serde_json::from_slice(&frame).unwrap();
        assert_eq!(value["head"]["servcmd"], "a.\"b");
        assert_eq!(value["head"]["seq"], 9);
        assert_eq!(value["body"]["ErrorCode"], 0);
    }
}
