//! `A2Key`: the key that a client sends with every frame instead of its signature; and the last part of an archive's address.
//!
//! They are sealed (ChaCha20-Poly1305, RFC 8439) under a key of the installation. The first holds all that is needed to find
//! the login, so any node knows it after a restart; it is worth nothing once its instance is gone. The other says which archive
//! of which app it opens, and until when.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use model::{AccountNumber, InstanceId, SdkAppId, Seconds};
use ports::{Cursor, Random};

const NONCE_BYTES: usize = 12;
const PLAIN_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const VERSION: &[u8] = b"whimbrel a2 1";
const LINK_BYTES: usize = 20;
const LINK_VERSION: &[u8] = b"whimbrel archive 1";

/// The longest token text looked at.
const TEXT_BYTES_MAX: usize = 128;

/// What a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) app: SdkAppId,
    pub(crate) number: AccountNumber,
    pub(crate) instance: InstanceId,
}

/// What the address of an archive names: the one-to-one messages of an app in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) app: SdkAppId,
    /// Where the hour begins.
    pub(crate) hour: Seconds,
    /// What was appended later is no part of it.
    pub(crate) until: Cursor,
    /// From when on it opens nothing any more.
    pub(crate) ends_at: Seconds,
}

/// Seals and opens tokens.
pub(crate) struct TokenKey(ChaCha20Poly1305);

impl TokenKey {
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn new(key: &[u8; Self::BYTES]) -> Self {
        Self(ChaCha20Poly1305::new(Key::from_slice(key)))
    }

    pub(crate) fn seal(&self, token: Token, random: &dyn Random) -> String {
        let mut plain = [0; PLAIN_BYTES];
        plain[..4].copy_from_slice(&token.app.0.to_be_bytes());
        plain[4..12].copy_from_slice(&token.number.0.to_be_bytes());
        plain[12..].copy_from_slice(&token.instance.0.to_be_bytes());
        self.seal_bytes(&plain, VERSION, random)
    }

    pub(crate) fn open(&self, text: &str) -> Option<Token> {
        let plain: [u8; PLAIN_BYTES] = self.open_bytes(text, VERSION)?;
        Some(Token {
            app: SdkAppId(u32::from_be_bytes(plain.get(..4)?.try_into().ok()?)),
            number: AccountNumber(u64::from_be_bytes(plain.get(4..12)?.try_into().ok()?)),
            instance: InstanceId(u32::from_be_bytes(plain.get(12..16)?.try_into().ok()?)),
        })
    }

    pub(crate) fn seal_link(&self, link: Link, random: &dyn Random) -> String {
        let mut plain = [0; LINK_BYTES];
        plain[..4].copy_from_slice(&link.app.0.to_be_bytes());
        plain[4..8].copy_from_slice(&link.hour.0.to_be_bytes());
        plain[8..16].copy_from_slice(&link.until.0.to_be_bytes());
        plain[16..].copy_from_slice(&link.ends_at.0.to_be_bytes());
        self.seal_bytes(&plain, LINK_VERSION, random)
    }

    pub(crate) fn open_link(&self, text: &str) -> Option<Link> {
        let plain: [u8; LINK_BYTES] = self.open_bytes(text, LINK_VERSION)?;
        let seconds =
            |from: usize| Some(Seconds(u32::from_be_bytes(plain.get(from..from + 4)?.try_into().ok()?)));
        Some(Link {
            app: SdkAppId(seconds(0)?.0),
            hour: seconds(4)?,
            until: Cursor(u64::from_be_bytes(plain.get(8..16)?.try_into().ok()?)),
            ends_at: seconds(16)?,
        })
    }

    fn seal_bytes(&self, plain: &[u8], version: &[u8], random: &dyn Random) -> String {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: version };
        let sealed = self
            .0
            .encrypt(Nonce::from_slice(&nonce), payload)
            .unwrap_or_else(|_| unreachable!("a few bytes are not too many to seal"));
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    fn open_bytes<const BYTES: usize>(&self, text: &str, version: &[u8]) -> Option<[u8; BYTES]> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        if bytes.len() != NONCE_BYTES + BYTES + TAG_BYTES {
            return None;
        }
        let (nonce, sealed) = bytes.split_at(NONCE_BYTES);
        let payload = Payload { msg: sealed, aad: version };
        self.0.decrypt(Nonce::from_slice(nonce), payload).ok()?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dice;

    impl Random for Dice {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_token_opens_under_its_own_key_and_unchanged_only() {
        let (key, other) = (TokenKey::new(&[1; 32]), TokenKey::new(&[2; 32]));
        let token = Token { app: SdkAppId(1), number: AccountNumber(2), instance: InstanceId(3) };
        let text = key.seal(token, &Dice);
        assert_eq!(key.open(&text), Some(token));
        assert_eq!(other.open(&text), None);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(flipped) = String::from_utf8(bytes) {
                assert_eq!(key.open(&flipped), None, "byte {at}");
            }
        }
        for bad in ["", "x", &"A".repeat(TEXT_BYTES_MAX + 1), "<a2key>"] {
            assert_eq!(key.open(bad), None);
        }
    }

    #[test]
    fn an_address_opens_an_archive_and_no_login_and_the_other_way_round() {
        let key = TokenKey::new(&[1; 32]);
        let link = Link { app: SdkAppId(1), hour: Seconds(3600), until: Cursor(9), ends_at: Seconds(7200) };
        let text = key.seal_link(link, &Dice);
        assert_eq!(key.open_link(&text), Some(link));
        assert_eq!((key.open(&text), TokenKey::new(&[2; 32]).open_link(&text)), (None, None));
        let token = Token { app: SdkAppId(1), number: AccountNumber(2), instance: InstanceId(3) };
        assert_eq!(key.open_link(&key.seal(token, &Dice)), None);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(flipped) = String::from_utf8(bytes) {
                assert_eq!(key.open_link(&flipped), None, "byte {at}");
            }
        }
    }
}
