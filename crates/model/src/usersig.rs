//! UserSig version 2: the signature by which an app's back end vouches for an account.
//!
//! Format and text to sign: pages 1047/34385 and 269/32688 of the service's documentation and the public
//! generators `tls-sig-api-v2`. Order of checks: length, alphabet, inflated size, shape, MAC; only then is any
//! field used.

use std::fmt;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use hmac::{Hmac, Mac};
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;

use crate::error::{Error, ErrorCode};
use crate::id::{SdkAppId, UserId};
use crate::time::Seconds;

/// The longest UserSig text looked at, in bytes.
pub const TEXT_BYTES_MAX: usize = 2048;

/// The longest JSON text inside a UserSig, in bytes.
pub const INFLATED_BYTES_MAX: usize = 4096;

/// How far in the future a UserSig may be dated: back ends' clocks differ, but a date far ahead would outlive a kick.
pub const SKEW_SECONDS_MAX: u32 = crate::time::DAY_SECONDS;

/// A secret key of an app. Never printed.
#[derive(Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretKey(String);

impl SecretKey {
    /// A key as the app's back end holds it: its text bytes are the HMAC key.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to be shown once to the operator.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// What a verified UserSig says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// When it was made.
    pub made_at: Seconds,
    /// The last second in which it is valid.
    pub valid_until: Seconds,
}

/// Makes a UserSig.
///
/// # Errors
/// `UserSigMalformed` if compression fails, which it does not for memory.
pub fn sign(
    app: SdkAppId,
    key: &SecretKey,
    user: &UserId,
    made_at: Seconds,
    expire_seconds: u32,
) -> Result<String, Error> {
    let fields = Fields {
        identifier: user.as_str().to_owned(),
        sdkappid: u64::from(app.0),
        time: u64::from(made_at.0),
        expire: u64::from(expire_seconds),
        userbuf: None,
        sig: String::new(),
    };
    let sig = STANDARD.encode(mac(key, &fields).finalize().into_bytes());
    let json = serde_json::json!({
        "TLS.ver": "2.0",
        "TLS.identifier": fields.identifier,
        "TLS.sdkappid": fields.sdkappid,
        "TLS.expire": fields.expire,
        "TLS.time": fields.time,
        "TLS.sig": sig,
    });
    let mut compressed = Vec::new();
    ZlibEncoder::new(json.to_string().as_bytes(), Compression::default())
        .read_to_end(&mut compressed)
        .map_err(|_| ErrorCode::UserSigMalformed)?;
    Ok(STANDARD.encode(compressed).replace('+', "*").replace('/', "-").replace('=', "_"))
}

/// Verifies a UserSig for an app and an account.
///
/// # Errors
/// `UserSigEmpty`, `UserSigMalformed`, `UserSigKeyMismatch` (no active key made it), `UserSigAppMismatch`,
/// `UserSigAccountMismatch`, `UserSigExpired`.
pub fn verify(
    app: SdkAppId,
    keys: &[SecretKey],
    user: &UserId,
    text: &str,
    now: Seconds,
) -> Result<Verified, Error> {
    let fields = decode(text)?;
    let sig = STANDARD.decode(&fields.sig).map_err(|_| ErrorCode::UserSigMalformed)?;
    // Every key is tried, so that the time does not tell which one matched.
    let matched = keys.iter().fold(subtle::Choice::from(0), |matched, key| {
        matched | subtle::Choice::from(u8::from(mac(key, &fields).verify_slice(&sig).is_ok()))
    });
    if !bool::from(matched) {
        return Err(ErrorCode::UserSigKeyMismatch.into());
    }
    if fields.sdkappid != u64::from(app.0) {
        return Err(ErrorCode::UserSigAppMismatch.into());
    }
    if fields.identifier != user.as_str() {
        return Err(ErrorCode::UserSigAccountMismatch.into());
    }
    if fields.userbuf.is_some() {
        return Err(ErrorCode::UserSigMalformed.because("a UserSig for chat carries no user buffer"));
    }
    let valid_until =
        fields.time.checked_add(fields.expire).ok_or(ErrorCode::UserSigMalformed)?.min(u64::from(u32::MAX));
    if fields.time > u64::from(now.0) + u64::from(SKEW_SECONDS_MAX) {
        return Err(ErrorCode::UserSigMalformed.because("the UserSig is dated more than a day ahead"));
    }
    if u64::from(now.0) > valid_until {
        return Err(ErrorCode::UserSigExpired.into());
    }
    let seconds = |value: u64| Seconds(u32::try_from(value).unwrap_or(u32::MAX));
    Ok(Verified { made_at: seconds(fields.time), valid_until: seconds(valid_until) })
}

fn decode(text: &str) -> Result<Fields, Error> {
    if text.is_empty() {
        return Err(ErrorCode::UserSigEmpty.into());
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(ErrorCode::UserSigMalformed.because("the UserSig is too long"));
    }
    let standard: String = text
        .chars()
        .map(|character| match character {
            '*' => '+',
            '-' => '/',
            '_' => '=',
            // These three never occur in a UserSig; map them to what no alphabet has.
            '+' | '/' | '=' => '\0',
            other => other,
        })
        .collect();
    let compressed = STANDARD.decode(standard).map_err(|_| ErrorCode::UserSigMalformed)?;
    let mut json = Vec::with_capacity(512);
    let limit = u64::try_from(INFLATED_BYTES_MAX + 1).unwrap_or(u64::MAX);
    ZlibDecoder::new(compressed.as_slice())
        .take(limit)
        .read_to_end(&mut json)
        .map_err(|_| ErrorCode::UserSigMalformed)?;
    if json.len() > INFLATED_BYTES_MAX {
        return Err(ErrorCode::UserSigMalformed.because("the UserSig is too large inside"));
    }
    let fields: Fields = serde_json::from_slice(&json).map_err(|_| ErrorCode::UserSigMalformed)?;
    // Lines of the signed text end with a newline; a name with one could move a field.
    if UserId::new(&fields.identifier).is_err() || fields.userbuf.as_deref().is_some_and(has_newline) {
        return Err(ErrorCode::UserSigMalformed.into());
    }
    Ok(fields)
}

fn has_newline(text: &str) -> bool {
    text.contains('\n')
}

fn mac(key: &SecretKey, fields: &Fields) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key.0.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    let mut line = |name: &str, value: &str| {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
        mac.update(b"\n");
    };
    line("TLS.identifier:", &fields.identifier);
    line("TLS.sdkappid:", &fields.sdkappid.to_string());
    line("TLS.time:", &fields.time.to_string());
    line("TLS.expire:", &fields.expire.to_string());
    if let Some(userbuf) = &fields.userbuf {
        line("TLS.userbuf:", userbuf);
    }
    mac
}

/// The fields inside; every key at most once and no other key.
struct Fields {
    identifier: String,
    sdkappid: u64,
    time: u64,
    expire: u64,
    userbuf: Option<String>,
    sig: String,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a UserSig")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let (mut version, mut identifier, mut sdkappid) = (None::<String>, None, None);
        let (mut time, mut expire, mut userbuf, mut sig) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "TLS.ver" => once(&mut version, &mut map)?,
                "TLS.identifier" => once(&mut identifier, &mut map)?,
                "TLS.sdkappid" => once(&mut sdkappid, &mut map)?,
                "TLS.time" => once(&mut time, &mut map)?,
                "TLS.expire" => once(&mut expire, &mut map)?,
                "TLS.userbuf" => once(&mut userbuf, &mut map)?,
                "TLS.sig" => once(&mut sig, &mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    return Err(de::Error::custom("unknown key"));
                }
            }
        }
        if version.as_deref() != Some("2.0") {
            return Err(de::Error::custom("not version 2.0"));
        }
        let missing = || de::Error::custom("missing key");
        Ok(Fields {
            identifier: identifier.ok_or_else(missing)?,
            sdkappid: sdkappid.ok_or_else(missing)?,
            time: time.ok_or_else(missing)?,
            expire: expire.ok_or_else(missing)?,
            userbuf,
            sig: sig.ok_or_else(missing)?,
        })
    }
}

fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    slot: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.replace(map.next_value()?).is_some() {
        return Err(de::Error::custom("duplicate key"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "usersig_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "usersig_tests.rs"]
mod tests;
