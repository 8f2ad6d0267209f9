//! The elements of a message body, spelled as on the wire (pages 1047/33527 and 269/2720).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorCode, Result};
use crate::stamp::Medium;

/// How many elements one message may have.
pub const ELEMENTS_MAX: usize = 100;

/// How many messages one merged message may hold (page 1047/34381).
pub const MERGED_MESSAGES_MAX: usize = 300;

/// One element as it came: the type, and the content not yet looked at.
#[derive(Deserialize)]
pub struct RawElement<'a> {
    /// Which element it is.
    #[serde(rename = "MsgType", borrow)]
    pub kind: std::borrow::Cow<'a, str>,
    /// Its content, an object.
    #[serde(rename = "MsgContent", borrow)]
    pub content: &'a RawValue,
}

macro_rules! contents {
    ($($(#[$doc:meta])* $name:ident { $($field:ident $wire:literal : $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            $(
                #[doc = concat!("On the wire `", $wire, "`.")]
                #[serde(rename = $wire, default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        })*
    };
}

/// `TIMTextElem`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// The text.
    #[serde(rename = "Text")]
    pub text: String,
}

/// `TIMLocationElem`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// What the place is called.
    #[serde(rename = "Desc", default)]
    pub description: String,
    /// Degrees.
    #[serde(rename = "Latitude")]
    #[schemars(with = "f64")]
    pub latitude: Number,
    /// Degrees.
    #[serde(rename = "Longitude")]
    #[schemars(with = "f64")]
    pub longitude: Number,
}

/// `TIMFaceElem`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Face {
    /// Which face.
    #[serde(rename = "Index")]
    #[schemars(with = "i64")]
    pub index: Number,
    /// The app's own data.
    #[serde(rename = "Data", default)]
    pub data: String,
}

/// One size of an image.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ImageInfo {
    /// 1 original, 2 large, 3 thumbnail. Clients go by the position instead.
    #[serde(rename = "Type")]
    #[schemars(with = "u32")]
    pub kind: Number,
    /// Bytes.
    #[serde(rename = "Size")]
    #[schemars(with = "u64")]
    pub size: Number,
    /// Pixels.
    #[serde(rename = "Width")]
    #[schemars(with = "u32")]
    pub width: Number,
    /// Pixels.
    #[serde(rename = "Height")]
    #[schemars(with = "u32")]
    pub height: Number,
    /// Where it lies.
    #[serde(rename = "URL", alias = "Url", default)]
    pub url: String,
}

/// `TIMImageElem`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// The app's name of the file.
    #[serde(rename = "UUID", default)]
    pub uuid: String,
    /// 1 JPG, 2 GIF, 3 PNG, 4 BMP, 255 other.
    #[serde(rename = "ImageFormat", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>")]
    pub format: Option<Number>,
    /// Original, large, thumbnail, in this order.
    #[serde(rename = "ImageInfoArray")]
    pub sizes: Vec<ImageInfo>,
}

contents! {
    /// `TIMCustomElem`.
    Custom { data "Data": String, description "Desc": String, ext "Ext": String, sound "Sound": String, }
    /// `TIMSoundElem`.
    Sound {
        url "Url": String, uuid "UUID": String, size "Size": u64, seconds "Second": f64_or_int::Any,
        download_flag "Download_Flag": u32,
    }
    /// `TIMFileElem`.
    File {
        url "Url": String, uuid "UUID": String, size "FileSize": u64, name "FileName": String,
        download_flag "Download_Flag": u32,
    }
    /// `TIMVideoFileElem`.
    Video {
        url "VideoUrl": String, uuid "VideoUUID": String, size "VideoSize": u64,
        seconds "VideoSecond": f64_or_int::Any, format "VideoFormat": String, download_flag "VideoDownloadFlag": u32,
        thumb_url "ThumbUrl": String, thumb_uuid "ThumbUUID": String, thumb_size "ThumbSize": u64,
        thumb_width "ThumbWidth": f64_or_int::Any, thumb_height "ThumbHeight": f64_or_int::Any,
        thumb_format "ThumbFormat": String, thumb_download_flag "ThumbDownloadFlag": u32,
    }
}

/// Numbers that clients send with or without a fraction.
pub mod f64_or_int {
    use super::{Deserialize, JsonSchema, Number, Serialize};

    /// A number kept as it was written.
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(transparent)]
    pub struct Any(#[schemars(with = "f64")] pub Number);
}

/// `TIMRelayElem`: merged messages. Its inner messages are kept as they came.
#[derive(Debug, Serialize, Deserialize)]
pub struct Relay {
    /// Shown above the merged messages.
    #[serde(rename = "Title", default)]
    pub title: String,
    /// Lines that summarise the messages.
    #[serde(rename = "AbstractList", default)]
    pub abstracts: Vec<String>,
    /// Shown by clients that do not know merged messages.
    #[serde(rename = "CompatibleText", default)]
    pub compatible_text: String,
    /// Version of the form.
    #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Number>,
    /// Whether merges nest too deep to be shown.
    #[serde(rename = "LayersOverLimit", default, skip_serializing_if = "Option::is_none")]
    pub layers_over_limit: Option<serde_json::Value>,
    /// How many messages there are.
    #[serde(rename = "MsgNum", default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Number>,
    /// The messages, where they travel inside.
    #[serde(rename = "MsgList", default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Box<RawValue>>>,
    /// Where the messages are stored, where they do not.
    #[serde(rename = "JsonMsgKey", default, skip_serializing_if = "Option::is_none")]
    pub json_key: Option<String>,
    /// The same for other clients.
    #[serde(rename = "PbMsgKey", default, skip_serializing_if = "Option::is_none")]
    pub pb_key: Option<String>,
}

/// What an element of a type carries.
fn medium(kind: &str) -> Medium {
    match kind {
        "TIMFileElem" => Medium::File,
        "TIMImageElem" => Medium::Photo,
        "TIMSoundElem" => Medium::Audio,
        "TIMVideoFileElem" => Medium::Video,
        _ => Medium::Text,
    }
}

/// Checks a `MsgBody` and writes it as it will be stored and delivered: known fields only, for every element. Says what it
/// carries: where that is of several kinds video goes before audio, photo, file and text.
///
/// # Errors
/// `BodyNotArray`, `MessageBodyMalformed` or `ElementMalformed`, saying which element and which field.
pub fn normalise(body: &RawValue) -> Result<(Box<[u8]>, Medium)> {
    if !body.get().starts_with('[') {
        return Err(ErrorCode::BodyNotArray.into());
    }
    let elements: Vec<RawElement<'_>> = serde_json::from_str(body.get())
        .map_err(|error| ErrorCode::MessageBodyMalformed.in_field("MsgBody", describe(&error)))?;
    if elements.is_empty() || elements.len() > ELEMENTS_MAX {
        return Err(ErrorCode::MessageBodyMalformed
            .because(format!("MsgBody: a message has 1 to {ELEMENTS_MAX} elements")));
    }
    if elements.iter().filter(|element| element.kind == "TIMCustomElem").count() > 1 {
        return Err(ErrorCode::ElementMalformed.because("MsgBody: at most one TIMCustomElem per message"));
    }
    let mut out = Vec::with_capacity(body.get().len());
    for (index, element) in elements.iter().enumerate() {
        begin_element(index, &element.kind, &mut out);
        write_content(element, &mut out).map_err(|error| at_element(index, element, &error))?;
        out.push(b'}');
    }
    out.push(b']');
    let carried = elements.iter().map(|element| medium(&element.kind)).max().unwrap_or_default();
    Ok((out.into_boxed_slice(), carried))
}

/// What comes before the content of an element.
fn begin_element(index: usize, kind: &str, out: &mut Vec<u8>) {
    out.push(if index == 0 { b'[' } else { b',' });
    out.extend_from_slice(br#"{"MsgType":""#);
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(br#"","MsgContent":"#);
}

/// A body as [`normalise`] wrote it, with other texts in its text elements: `change` says which, `None` for one that stays.
/// `None` if all stay.
///
/// # Errors
/// What `change` says; `MessageBodyMalformed` if it is no such body.
pub fn change_texts(
    body: &[u8],
    mut change: impl FnMut(&str) -> Result<Option<String>>,
) -> Result<Option<Box<[u8]>>> {
    let malformed =
        |error: serde_json::Error| ErrorCode::MessageBodyMalformed.in_field("MsgBody", describe(&error));
    let elements: Vec<RawElement<'_>> = serde_json::from_slice(body).map_err(malformed)?;
    let mut out = Vec::with_capacity(body.len());
    let mut is_changed = false;
    for (index, element) in elements.iter().enumerate() {
        begin_element(index, &element.kind, &mut out);
        let mut changed = None;
        if element.kind == "TIMTextElem" {
            let Text { text } = serde_json::from_str(element.content.get()).map_err(malformed)?;
            changed = change(&text)?;
        }
        match changed {
            Some(text) => {
                serde_json::to_writer(&mut out, &Text { text }).map_err(malformed)?;
                is_changed = true;
            }
            None => out.extend_from_slice(element.content.get().as_bytes()),
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(is_changed.then(|| out.into_boxed_slice()))
}

fn at_element(index: usize, element: &RawElement<'_>, error: &serde_json::Error) -> Error {
    // The type is the client's text: name it only if it is one of ours.
    let kind = KINDS.iter().find(|kind| **kind == element.kind).copied().unwrap_or("unknown MsgType");
    ErrorCode::ElementMalformed.because(format!("MsgBody[{index}] ({kind}): {}", describe(error)))
}

/// Every `MsgType` that can be sent.
pub const KINDS: [&str; 9] = [
    "TIMTextElem",
    "TIMCustomElem",
    "TIMFaceElem",
    "TIMLocationElem",
    "TIMImageElem",
    "TIMSoundElem",
    "TIMFileElem",
    "TIMVideoFileElem",
    "TIMRelayElem",
];

fn write_content(element: &RawElement<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    fn copy<'a, T: Deserialize<'a> + Serialize>(
        content: &'a RawValue,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        serde_json::to_writer(out, &serde_json::from_str::<T>(content.get())?)
    }
    let content = element.content;
    match element.kind.as_ref() {
        "TIMTextElem" => copy::<Text>(content, out),
        "TIMCustomElem" => copy::<Custom>(content, out),
        "TIMFaceElem" => copy::<Face>(content, out),
        "TIMLocationElem" => copy::<Location>(content, out),
        "TIMImageElem" => {
            let mut image: Image = serde_json::from_str(content.get())?;
            // Clients read by position, and forward in another order than they read.
            image.sizes.sort_by_key(|size| size.kind.as_u64());
            serde_json::to_writer(out, &image)
        }
        "TIMSoundElem" => copy::<Sound>(content, out),
        "TIMFileElem" => copy::<File>(content, out),
        "TIMVideoFileElem" => copy::<Video>(content, out),
        "TIMRelayElem" => {
            let relay: Relay = serde_json::from_str(content.get())?;
            if relay.messages.as_ref().is_some_and(|messages| messages.len() > MERGED_MESSAGES_MAX) {
                return Err(serde::de::Error::custom(format!(
                    "a merged message holds at most {MERGED_MESSAGES_MAX} messages"
                )));
            }
            serde_json::to_writer(out, &relay)
        }
        _ => Err(serde::de::Error::custom("this type cannot be sent")),
    }
}

/// What is wrong, without the values: those are the client's content.
#[must_use]
pub fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Line and column are those of a part of the frame: they would lead astray.
    let text = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]).to_owned();
    // serde quotes the offending value between the colon and "expected": keep what was expected.
    match (text.find("invalid type"), text.find("invalid value"), text.find(", expected ")) {
        (None, None, _) => text,
        (_, _, Some(at)) => format!("wrong type or value{}", &text[at..]),
        _ => "wrong type or value".to_owned(),
    }
}

#[cfg(test)]
#[path = "element_tests.rs"]
mod tests;
