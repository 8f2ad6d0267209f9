//! What of a message is looked for: what people read in it.

use fulltext::Text;
use model::element::{Custom, File, KINDS, Location, RawElement, Relay, Text as TextElement};

/// The words of a message, and which elements it has, as bits in the order of [`KINDS`].
///
/// Texts, names of files, names of places, titles and abstracts of merged messages, descriptions of the app's own elements. Not
/// what machines read: addresses, identifiers, `Data` and `Ext`.
pub(super) fn of_body(body: &[u8]) -> (Text, u16) {
    let (mut text, mut kinds) = (Text::default(), 0);
    let elements: Vec<RawElement<'_>> = serde_json::from_slice(body).unwrap_or_default();
    for element in &elements {
        kinds |= kind_bit(&element.kind).unwrap_or(0);
        add(&mut text, element);
    }
    (text, kinds)
}

/// The bit of an element's type; `None` if there is no such type here.
#[must_use]
pub fn kind_bit(kind: &str) -> Option<u16> {
    let at = KINDS.iter().position(|known| *known == kind)?;
    1_u16.checked_shl(u32::try_from(at).ok()?)
}

fn add(text: &mut Text, element: &RawElement<'_>) {
    let content = element.content.get();
    let mut add = |part: Option<String>| {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            text.add(&part);
        }
    };
    match element.kind.as_ref() {
        "TIMTextElem" => add(serde_json::from_str(content).ok().map(|TextElement { text }| text)),
        "TIMFileElem" => add(serde_json::from_str(content).ok().and_then(|File { name, .. }| name)),
        "TIMCustomElem" => {
            add(serde_json::from_str(content).ok().and_then(|Custom { description, .. }| description));
        }
        "TIMLocationElem" => {
            add(serde_json::from_str(content).ok().map(|Location { description, .. }| description));
        }
        "TIMRelayElem" => {
            if let Ok(Relay { title, abstracts, .. }) = serde_json::from_str(content) {
                std::iter::once(title).chain(abstracts).for_each(|part| add(Some(part)));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use fulltext::Phrase;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_people_read_is_looked_for() {
        let body = json!([
            {"MsgType": "TIMTextElem", "MsgContent": {"Text": "one 北京"}},
            {"MsgType": "TIMFileElem", "MsgContent": {"FileName": "two.pdf", "Url": "http://x/never"}},
            {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "never", "Desc": "three", "Ext": "never"}},
            {"MsgType": "TIMLocationElem", "MsgContent": {"Desc": "four", "Longitude": 1, "Latitude": 2}},
            {"MsgType": "TIMRelayElem", "MsgContent": {"Title": "five", "AbstractList": ["six: seven"], "MsgList": [
                {"MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "never"}}]}]}},
            {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1, "Data": "never"}},
        ]);
        let (text, kinds) = of_body(body.to_string().as_bytes());
        for (word, is_found) in [
            ("one", true),
            ("北京", true),
            ("two", true),
            ("pdf", true),
            ("three", true),
            ("four", true),
            ("five", true),
            ("six seven", true),
            ("never", false),
            ("five six", false),
        ] {
            assert_eq!(text.holds(&Phrase::of(word).unwrap()), is_found, "{word}");
        }
        assert_eq!(kinds, 0b1_0100_1111);
    }

    #[test]
    fn what_is_no_body_holds_nothing() {
        for body in ["", "null", "[{}]", "[{\"MsgType\": \"TIMTextElem\"}]"] {
            assert_eq!(of_body(body.as_bytes()), (Text::default(), 0), "{body}");
        }
        assert_eq!(
            (kind_bit("TIMTextElem"), kind_bit("TIMRelayElem"), kind_bit("Other")),
            (Some(1), Some(256), None)
        );
    }
}
