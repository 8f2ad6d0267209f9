//! The body of an answer: status, number and text, then the fields of the reply.

use model::Error;
use serde::Serialize;

use crate::spec::Family;

const OK: &[u8] = br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#;
const SAYS_OK: &[u8] = br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"OK""#;
const DISPLAY: &[u8] = br#","ErrorDisplay":"""#;

/// Writes the answer of a call that was done.
///
/// # Errors
/// If the reply is not an object, which is a mistake in the command.
pub fn success<T: Serialize>(family: Family, reply: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(if family.says_ok { SAYS_OK } else { OK });
    if family.has_display {
        out.extend_from_slice(DISPLAY);
    }
    let start = out.len();
    serde_json::to_writer(&mut out, reply)?;
    if out.get(start) != Some(&b'{') {
        return Err(serde::ser::Error::custom("a reply is an object"));
    }
    if out.len() - start > 2 {
        out[start] = b',';
    } else {
        out.truncate(start);
        out.push(b'}');
    }
    Ok(out)
}

/// Writes the answer of a call that was refused.
#[must_use]
pub fn failure(error: &Error, has_display: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(br#"{"ActionStatus":"FAIL","ErrorCode":"#);
    out.extend_from_slice(error.code.number().to_string().as_bytes());
    out.extend_from_slice(br#","ErrorInfo":"#);
    engine::push::write_text(&mut out, &error.info);
    if has_display {
        out.extend_from_slice(DISPLAY);
    }
    if let Some(details) = &error.details {
        out.push(b',');
        out.extend_from_slice(details.as_bytes());
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use model::ErrorCode;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn replies_stand_beside_the_status() {
        let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let empty = parse(success(Family::MESSAGE, &crate::Done {}).unwrap());
        assert_eq!(empty, json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}));
        let says_ok = Family { says_ok: true, ..Family::CONFIG };
        assert_eq!(parse(success(says_ok, &crate::Done {}).unwrap())["ErrorInfo"], "OK");
        let full = parse(success(Family::PROFILE, &json!({"A": 1})).unwrap());
        assert_eq!(full["A"], 1);
        assert_eq!(full["ErrorDisplay"], "");
        assert!(success(Family::MESSAGE, &1).is_err());
        let error = ErrorCode::Kicked.because("a \"quote\"").with_details("\"KickType\":3");
        let failed = parse(failure(&error, false));
        assert_eq!(
            failed,
            json!({"ActionStatus": "FAIL", "ErrorCode": 1002, "ErrorInfo": "a \"quote\"", "KickType": 3})
        );
    }
}
