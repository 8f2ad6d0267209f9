//! From bytes to a typed request, with an error that names the field.

use model::element::describe;
use model::{Error, ErrorCode};
use serde::de::DeserializeOwned;

use crate::spec::Spec;

/// Decodes a request.
///
/// # Errors
/// `FrameTooDeep`; else the number that the command declares for the field, or its family's.
pub(crate) fn request<T: DeserializeOwned>(spec: &Spec, body: &[u8]) -> Result<T, Error> {
    if !model::json::depth_is_bounded(body) {
        return Err(ErrorCode::FrameTooDeep.into());
    }
    // serde would take a list for the fields in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(spec.family.bad_request.because("the body is an object, not a list"));
    }
    serde_json::from_slice(body).map_err(|error| explain::<T>(spec, body, &error))
}

/// Decodes once more, this time noting where it fails.
fn explain<T: DeserializeOwned>(spec: &Spec, body: &[u8], first: &serde_json::Error) -> Error {
    if first.is_syntax() || first.is_eof() {
        return spec.family.bad_request.because("the body is not valid JSON").caused_by(describe(first));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        return spec.family.bad_request.because("the body is not what this command takes");
    };
    let path = error.path().to_string();
    let what = describe(error.inner());
    let missing = what.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let is_top = path == "." || path.is_empty();
    let (field, info) = match missing {
        Some(name) if is_top => (name.to_owned(), format!("{name}: is missing")),
        Some(name) => (top(&path), format!("{path}.{name}: is missing")),
        None if is_top => (String::new(), what),
        None => (top(&path), format!("{path}: {what}")),
    };
    let declared = spec.field_errors.iter().find(|(name, _)| *name == field);
    declared.map_or(spec.family.bad_request, |(_, code)| *code).because(info)
}

fn top(path: &str) -> String {
    path.split(['.', '[']).next().unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use model::UserId;
    use serde::Deserialize;

    use super::*;
    use crate::spec::Family;

    #[derive(Debug, Deserialize)]
    struct Request {
        #[serde(rename = "To_Account")]
        _to: UserId,
        #[serde(rename = "MsgRandom")]
        _random: u32,
        #[serde(rename = "Items", default)]
        _items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[serde(rename = "Tag")]
        _tag: String,
    }

    const SPEC: Spec = Spec::new("openim/test", Family::MESSAGE)
        .fields(&[("To_Account", ErrorCode::ReceiverMissing), ("MsgRandom", ErrorCode::RandomMissing)]);

    fn fails(body: &str) -> (ErrorCode, String) {
        let error = request::<Request>(&SPEC, body.as_bytes()).unwrap_err();
        (error.code, error.info.into_owned())
    }

    #[test]
    fn errors_name_the_field_and_carry_its_number() {
        for (body, code, info) in [
            ("{}", ErrorCode::ReceiverMissing, "To_Account: is missing"),
            (r#"{"To_Account":1}"#, ErrorCode::ReceiverMissing, "To_Account: wrong type or value"),
            (r#"{"To_Account":{"$ne":""}}"#, ErrorCode::ReceiverMissing, "To_Account: wrong type"),
            (r#"{"To_Account":"ä"}"#, ErrorCode::ReceiverMissing, "To_Account: a UserID consists"),
            (r#"{"To_Account":"a"}"#, ErrorCode::RandomMissing, "MsgRandom: is missing"),
            (r#"{"To_Account":"a","MsgRandom":4294967296}"#, ErrorCode::RandomMissing, "MsgRandom: wrong"),
            (r#"{"To_Account":"a","MsgRandom":-1}"#, ErrorCode::RandomMissing, "MsgRandom: wrong"),
            (r#"{"To_Account":"a","MsgRandom":1e99}"#, ErrorCode::RandomMissing, "MsgRandom: "),
            (
                r#"{"To_Account":"a","MsgRandom":1,"Items":[{"Tag":"x"},{}]}"#,
                ErrorCode::MessageBadJson,
                "Items[1].Tag: is missing",
            ),
            ("[]", ErrorCode::MessageBadJson, "the body is an object"),
            (r#" ["a",1]"#, ErrorCode::MessageBadJson, "the body is an object"),
            ("", ErrorCode::MessageBadJson, "the body is not valid JSON"),
            ("{", ErrorCode::MessageBadJson, "the body is not valid JSON"),
            ("\u{0}", ErrorCode::MessageBadJson, "the body is not valid JSON"),
        ] {
            let found = fails(body);
            assert_eq!(found.0, code, "{body}: {}", found.1);
            assert!(found.1.starts_with(info), "{body}: {}", found.1);
        }
    }

    #[test]
    fn deep_json_is_refused_before_it_is_parsed() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fails(&deep).0, ErrorCode::FrameTooDeep);
    }

    #[test]
    fn invalid_utf8_is_refused() {
        let error = request::<Request>(&SPEC, b"{\"To_Account\":\"\xff\"}").unwrap_err();
        assert_eq!(error.code, ErrorCode::MessageBadJson);
    }
}
