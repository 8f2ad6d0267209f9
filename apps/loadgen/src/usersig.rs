//! User signatures (TLSSigAPIv2), as the public generators make them.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// How long a signature made here is valid.
const EXPIRE_SECONDS: u64 = 7 * 24 * 3600;

/// Signs `user` of the app with the app's key text, as of `now` (Unix seconds).
pub(crate) fn sign(sdkappid: u64, key: &str, user: &str, now_seconds: u64) -> io::Result<String> {
    let text = format!(
        "TLS.identifier:{user}\nTLS.sdkappid:{sdkappid}\nTLS.time:{now_seconds}\nTLS.expire:{EXPIRE_SECONDS}\n"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(io::Error::other)?;
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let document = serde_json::json!({
        "TLS.ver": "2.0",
        "TLS.identifier": user,
        "TLS.sdkappid": sdkappid,
        "TLS.expire": EXPIRE_SECONDS,
        "TLS.time": now_seconds,
        "TLS.sig": signature,
    });
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(document.to_string().as_bytes())?;
    let text = STANDARD.encode(deflated.finish()?);
    Ok(text.replace('+', "*").replace('/', "-").replace('=', "_"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn a_signature_opens_to_what_was_signed() {
        let signature = sign(1_400_000_001, "secret", "u0", 1_795_298_242).unwrap();
        assert!(signature.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-_".contains(&byte)));
        let standard = signature.replace('*', "+").replace('-', "/").replace('_', "=");
        let mut json = String::new();
        ZlibDecoder::new(STANDARD.decode(standard).unwrap().as_slice()).read_to_string(&mut json).unwrap();
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["TLS.identifier"], "u0");
        // Computed with another implementation of HMAC-SHA256.
        assert_eq!(document["TLS.sig"], "73zOwPPyay6JvbE2JmcxCXhNp4OaVzw2yIct+ZlGlVU=");
    }
}
