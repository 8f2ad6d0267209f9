//! Receipts: what was erased, when, how, and what that does not prove; signed and chained.
//!
//! A receipt is one line of JSON: `{"receipt":{…},"signature":"…"}`. The signature is Ed25519 (RFC 8032, base64) over the
//! canonical form (RFC 8785) of the receipt. Each receipt holds the SHA-256 of the canonical form of the one before, so
//! none can be taken out or changed later. None names a person: a subject is a commitment, which only who has its salt
//! can open.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};
use ports::Fault;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The version of the form.
const VERSION: u8 = 1;

/// The longest line that is looked at, in bytes.
pub const LINE_BYTES_MAX: usize = 16 * 1024;

/// What `previous` says in the first receipt.
pub const NOTHING_BEFORE: &str = "";

/// What every receipt says about itself.
const NOT_PROVEN: &str = "That no copy was made before, by whoever received or could read the data; that the medium \
    does not keep blocks that were overwritten; that the program was the published one.";

/// How far an erasure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No read shows it any more.
    Hidden,
    /// Its rows are gone from the live stores.
    Deleted,
    /// Its keys are destroyed: what any copy still holds cannot be opened.
    Unrecoverable,
    /// The last ciphertext has left the live stores.
    AgedOut,
    /// It was copied to where nothing deletes it.
    Preserved,
}

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// An account and what it wrote.
    Account,
    /// Recalled messages and expired days.
    RecalledAndExpired,
    /// What a shortened retention takes.
    Retention,
    /// An app that was terminated.
    App,
    /// What a legal hold keeps.
    Hold,
    /// What two accounts said to each other.
    Conversation,
}

/// What an erasure says, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Of which app; 0 for all.
    pub app: u32,
    /// How far it has come.
    pub stage: Stage,
    /// What it is about.
    pub scope: Scope,
    /// The commitment to whom it concerns; empty where it concerns nobody in particular.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// How many items of each class.
    pub counts: BTreeMap<String, u64>,
    /// The generations of keys before and after; `None` where no key was destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generations: Option<(u64, u64)>,
    /// What was done to the former generation's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destruction: Option<String>,
    /// When the last ciphertext will have left the live stores, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aged_out_by: Option<u32>,
    /// Which copies are not erased, and what law keeps them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preserved: Vec<String>,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of the form.
    pub version: u8,
    /// Its place in the chain, from 1 without gaps.
    pub number: u64,
    /// SHA-256 of the canonical form of the receipt before, in hexadecimal; [`NOTHING_BEFORE`] in the first one.
    pub previous: String,
    /// When it was made, in seconds since 1970.
    pub time: u32,
    /// What it says.
    pub statement: Statement,
    /// Which program made it.
    pub program: String,
    /// What it does not prove.
    pub not_proven: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    receipt: Receipt,
    signature: String,
}

/// What stands in the place of a receipt that the reader has no right to: enough to follow the chain past it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Omitted {
    /// Its place in the chain.
    omitted: u64,
    /// Its hash.
    hash: String,
}

/// A line of an export.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Signed(Box<Signed>),
    Omitted(Omitted),
}

impl Receipt {
    /// A receipt at a place of the chain.
    #[must_use]
    pub fn new(number: u64, previous: String, time: u32, statement: Statement) -> Self {
        let program = concat!("whimbrel ", env!("CARGO_PKG_VERSION")).to_owned();
        Self {
            version: VERSION,
            number,
            previous,
            time,
            statement,
            program,
            not_proven: NOT_PROVEN.to_owned(),
        }
    }

    /// Reads a receipt of one's own from its line, without verifying it.
    ///
    /// # Errors
    /// `Corrupt` if it is none.
    pub fn parse(line: &str) -> Result<Self, Fault> {
        let signed: Signed = serde_json::from_str(line)
            .map_err(|error| Fault::Corrupt(format!("a receipt cannot be read: {error}")))?;
        Ok(signed.receipt)
    }

    /// The line that stands in the place of a receipt that the reader has no right to.
    ///
    /// # Errors
    /// As the canonical form.
    pub fn omitted(number: u64, hash: &str) -> Result<String, Fault> {
        serde_json_canonicalizer::to_string(&Omitted { omitted: number, hash: hash.to_owned() })
            .map_err(|error| Fault::Corrupt(format!("cannot write a receipt: {error}")))
    }

    /// What is signed.
    ///
    /// # Errors
    /// `Corrupt` if it cannot be written as JSON, which it always can.
    fn canonical(&self) -> Result<Vec<u8>, Fault> {
        serde_json_canonicalizer::to_vec(self)
            .map_err(|error| Fault::Corrupt(format!("cannot write a receipt: {error}")))
    }

    /// What the next receipt says of this one.
    ///
    /// # Errors
    /// As the canonical form.
    pub fn hash(&self) -> Result<String, Fault> {
        Ok(hex(&Sha256::digest(self.canonical()?)))
    }

    /// The line of a receipt, signed.
    ///
    /// # Errors
    /// As the canonical form.
    pub fn sign(self, key: &ReceiptKey) -> Result<String, Fault> {
        let signature = STANDARD.encode(key.0.sign(&self.canonical()?).to_bytes());
        serde_json_canonicalizer::to_string(&Signed { receipt: self, signature })
            .map_err(|error| Fault::Corrupt(format!("cannot write a receipt: {error}")))
    }
}

/// What signs receipts.
pub struct ReceiptKey(SigningKey);

impl ReceiptKey {
    /// The key with this secret.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// A salt that only who has this key can make again: for what must be named the same way twice.
    #[must_use]
    pub fn salt(&self, label: &[u8]) -> [u8; 16] {
        let mut salt = [0; 16];
        let made = Sha256::new().chain_update(b"whimbrel salt 1").chain_update(self.0.to_bytes());
        salt.copy_from_slice(&made.chain_update(label).finalize()[..16]);
        salt
    }

    /// What verifies them, in hexadecimal.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }
}

/// What is promised to whom without naming them: a hash over a salt, app and name.
#[must_use]
pub fn commitment(salt: &[u8; 16], app: u32, user: &str) -> String {
    hex(&Sha256::new().chain_update(salt).chain_update(app.to_be_bytes()).chain_update(user).finalize())
}

/// Receipts that were found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// All, in their order.
    pub receipts: Vec<Receipt>,
    /// How many are left out in between: of other apps.
    pub omitted: u64,
}

/// Verifies lines of receipts: every signature, and that each follows the one before. The first may be any one: what lies
/// before an extract is not claimed.
///
/// # Errors
/// Says which line is bad and why.
pub fn verify(text: &str, public_key: &str) -> Result<Verified, String> {
    let key = unhex(public_key.trim()).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let key =
        key.ok_or_else(|| "the key is not 64 hexadecimal digits of an Ed25519 public key".to_owned())?;
    let mut verified = Verified { receipts: Vec::new(), omitted: 0 };
    let mut before: Option<(u64, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let bad = |why: &str| format!("line {}: {why}", index + 1);
        if line.len() > LINE_BYTES_MAX {
            return Err(bad("too long for a receipt"));
        }
        let line: Line =
            serde_json::from_str(line).map_err(|error| bad(&format!("not a receipt: {error}")))?;
        let Signed { receipt, signature } = match line {
            Line::Signed(signed) => *signed,
            Line::Omitted(omitted) => {
                if before.is_some_and(|(number, _)| number + 1 != omitted.omitted) {
                    return Err(bad("does not follow the receipt before it"));
                }
                // The next receipt signs this hash.
                before = Some((omitted.omitted, omitted.hash));
                verified.omitted += 1;
                continue;
            }
        };
        if receipt.version != VERSION {
            return Err(bad("written by another version of this program"));
        }
        let signature = STANDARD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        let signature = signature.ok_or_else(|| bad("the signature is none"))?;
        let signed = receipt.canonical().map_err(|fault| bad(&fault.to_string()))?;
        key.verify(&signed, &signature)
            .map_err(|_| bad("the signature does not fit: changed, or another key"))?;
        let follows = match &before {
            Some((number, hash)) => receipt.number == number + 1 && receipt.previous == *hash,
            None => (receipt.number == 1) == (receipt.previous == NOTHING_BEFORE),
        };
        if !follows {
            return Err(bad("does not follow the receipt before it"));
        }
        before = Some((receipt.number, receipt.hash().map_err(|fault| bad(&fault.to_string()))?));
        verified.receipts.push(receipt);
    }
    Ok(verified)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "receipts_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests end by panicking")]

    use super::*;

    fn statement(app: u32) -> Statement {
        Statement {
            app,
            stage: Stage::Unrecoverable,
            scope: Scope::Account,
            subject: commitment(&[7; 16], app, "alice"),
            reason: "request".to_owned(),
            counts: BTreeMap::from([("message".to_owned(), 3)]),
            generations: Some((1, 2)),
            destruction: Some("overwritten in place".to_owned()),
            aged_out_by: None,
            preserved: Vec::new(),
        }
    }

    fn chain(key: &ReceiptKey, length: u64) -> Vec<String> {
        let mut previous = NOTHING_BEFORE.to_owned();
        let mut lines = Vec::new();
        for number in 1..=length {
            let receipt = Receipt::new(number, previous, 1_795_298_242, statement(9));
            previous = receipt.hash().unwrap();
            lines.push(receipt.sign(key).unwrap());
        }
        lines
    }

    #[test]
    fn a_chain_and_any_part_of_it_verify_and_nothing_that_was_changed_does() {
        let key = ReceiptKey::new(&[5; 32]);
        let lines = chain(&key, 4);
        for part in [&lines[..], &lines[1..], &lines[2..3], &[]] {
            assert_eq!(verify(&part.join("\n"), &key.public()).unwrap().receipts.len(), part.len());
        }
        let without_one = [&lines[..1], &lines[2..]].concat().join("\n");
        let swapped = [lines[1].clone(), lines[0].clone()].join("\n");
        for bad in [without_one, swapped, [lines[0].clone(), lines[0].clone()].join("\n")] {
            assert!(verify(&bad, &key.public()).unwrap_err().contains("does not follow"));
        }
        let other = ReceiptKey::new(&[6; 32]);
        assert!(verify(&lines[0], &other.public()).unwrap_err().contains("line 1: the signature"));
        for key in ["", "zz", &"0".repeat(63), &"é".repeat(32)] {
            assert!(verify("", key).is_err(), "{key}");
        }
    }

    #[test]
    fn receipts_that_are_left_out_keep_their_place() {
        let key = ReceiptKey::new(&[5; 32]);
        let mut lines = chain(&key, 4);
        let hash = Receipt::parse(&lines[1]).unwrap().hash().unwrap();
        lines[1] = Receipt::omitted(2, &hash).unwrap();
        let found = verify(&lines.join("\n"), &key.public()).unwrap();
        assert_eq!((found.receipts.len(), found.omitted), (3, 1));
        for bad in [Receipt::omitted(2, &"0".repeat(64)).unwrap(), Receipt::omitted(3, &hash).unwrap()] {
            let text = [&lines[..1], &[bad][..], &lines[2..]].concat().join("\n");
            assert!(verify(&text, &key.public()).unwrap_err().contains("does not follow"));
        }
    }

    #[test]
    fn no_changed_byte_of_a_line_verifies() {
        let key = ReceiptKey::new(&[5; 32]);
        let line = chain(&key, 1).remove(0);
        let receipt = verify(&line, &key.public()).unwrap();
        for at in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            // A change that means the same, such as of unused bits of base64, does not change what is said.
            if let Ok(found) = verify(&text, &key.public()) {
                assert_eq!(found, receipt, "byte {at}");
            }
        }
    }

    #[test]
    fn a_receipt_is_in_canonical_form_and_names_nobody() {
        let line = chain(&ReceiptKey::new(&[5; 32]), 1).remove(0);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line, serde_json_canonicalizer::to_string(&value).unwrap());
        assert!(!line.contains("alice"));
        assert_ne!(commitment(&[7; 16], 9, "alice"), commitment(&[8; 16], 9, "alice"));
    }
}
