//! Frames of the client protocol: a head that says what and who, and a body that is left alone.

use std::borrow::Cow;

use bytes::Bytes;
use model::{Error, ErrorCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// A request frame.
pub(crate) struct Frame<'a> {
    pub(crate) head: Head<'a>,
    /// The body; an empty object if there is none.
    pub(crate) body: &'a str,
    /// Whether the body was not looked at: it could be followed by something else. No command takes it then, since it
    /// is not JSON, and the frame has to be read as a whole.
    is_guess: bool,
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
        Self::read_as(bytes, |text| Self::glance(text).map_or_else(|| Self::parse(text), Ok))
    }

    /// Reads a frame, looking at every byte of it.
    ///
    /// # Errors
    /// `BadJson`, saying what is wrong.
    pub(crate) fn read_whole(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::read_as(bytes, Self::parse)
    }

    fn read_as(
        bytes: &'a [u8],
        read: impl FnOnce(&'a str) -> serde_json::Result<Self>,
    ) -> Result<Self, Error> {
        // Checked once for the whole frame, which is cheaper than string by string.
        let text =
            std::str::from_utf8(bytes).map_err(|_| ErrorCode::BadJson.because("the frame: no UTF-8"))?;
        let frame = read(text).map_err(|error| {
            ErrorCode::BadJson.because(format!("the frame: {}", model::element::describe(&error)))
        })?;
        if frame.head.servcmd.len() > NAME_BYTES_MAX {
            return Err(ErrorCode::BadJson.because("head.servcmd: too long"));
        }
        Ok(frame)
    }

    /// Whether the body was guessed, and is not JSON.
    pub(crate) fn is_wrong_guess(&self) -> bool {
        self.is_guess && serde_json::from_str::<IgnoredAny>(self.body).is_err()
    }

    fn parse(text: &'a str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Whole<'a> {
            #[serde(borrow)]
            head: Head<'a>,
            #[serde(borrow, default)]
            body: Option<&'a RawValue>,
        }
        let Whole { head, body } = serde_json::from_str(text)?;
        // A frame without a body means an empty one.
        Ok(Self { head, body: body.map_or("{}", RawValue::get), is_guess: false })
    }

    /// Reads the head of a frame that is written as the SDK does, head first, and takes the rest for its body.
    fn glance(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(r#"{"head":"#)?;
        let mut heads = serde_json::Deserializer::from_str(rest).into_iter::<Head<'a>>();
        let head = heads.next()?.ok()?;
        let rest = rest.get(heads.byte_offset()..)?;
        let body = rest.strip_prefix(r#","body":"#)?.strip_suffix('}')?;
        body.ends_with('}').then_some(Self { head, body, is_guess: true })
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
#[path = "frame_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_its_body_untouched() {
        let text = r#"{"head":{"servcmd":"a.b","seq":7,"a2":"k","more":{}},"body":{"x": 1.50 }}"#;
        let frame = Frame::read(text.as_bytes()).unwrap();
        assert_eq!((frame.head.servcmd.as_ref(), frame.head.seq), ("a.b", 7));
        assert_eq!(frame.body, r#"{"x": 1.50 }"#);
        assert_eq!(Frame::read(br#"{"head":{"servcmd":"a","seq":1}}"#).unwrap().body, "{}");
    }

    #[test]
    fn a_body_that_is_followed_by_something_else_is_found_all_the_same() {
        let text = r#"{"head":{"servcmd":"a","seq":1},"body":{"x":1},"more":{"y":"}"}}"#;
        let guess = Frame::read(text.as_bytes()).unwrap();
        assert!(guess.is_wrong_guess());
        let whole = Frame::read_whole(text.as_bytes()).unwrap();
        assert_eq!((whole.body, whole.is_wrong_guess()), (r#"{"x":1}"#, false));
        let plain = Frame::read(br#"{"head":{"servcmd":"a","seq":1},"body":{"x":{}}}"#).unwrap();
        assert_eq!((plain.body, plain.is_wrong_guess()), (r#"{"x":{}}"#, false));
        let spaced =
            Frame::read(b" { \"body\" : {\"x\":2} , \"head\":{\"servcmd\":\"a\",\"seq\":1}}").unwrap();
        assert_eq!((spaced.body, spaced.is_wrong_guess()), (r#"{"x":2}"#, false));
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
