//! What a UserSig must survive.

use std::io::Write as _;

use flate2::write::ZlibEncoder as Writer;

use super::*;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const NOW: Seconds = Seconds(1_795_298_242);

fn key() -> SecretKey {
    SecretKey::new("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e".to_owned())
}

fn alice() -> UserId {
    UserId::new("alice").unwrap()
}

fn check(text: &str) -> Result<Verified, ErrorCode> {
    verify(APP, &[key()], &alice(), text, NOW).map_err(|error| error.code)
}

fn pack(json: &str) -> String {
    let mut writer = Writer::new(Vec::new(), Compression::best());
    writer.write_all(json.as_bytes()).unwrap();
    STANDARD.encode(writer.finish().unwrap()).replace('+', "*").replace('/', "-").replace('=', "_")
}

fn sig_of(fields: &Fields) -> String {
    STANDARD.encode(mac(&key(), fields).finalize().into_bytes())
}

fn honest() -> Fields {
    Fields {
        identifier: "alice".to_owned(),
        sdkappid: u64::from(APP.0),
        time: u64::from(NOW.0),
        expire: 100,
        userbuf: None,
        sig: String::new(),
    }
}

fn json_of(fields: &Fields) -> String {
    format!(
        r#"{{"TLS.ver":"2.0","TLS.identifier":"{}","TLS.sdkappid":{},"TLS.time":{},"TLS.expire":{},"TLS.sig":"{}"}}"#,
        fields.identifier,
        fields.sdkappid,
        fields.time,
        fields.expire,
        sig_of(fields)
    )
}

#[test]
fn what_is_signed_verifies_until_its_last_second() {
    let text = sign(APP, &key(), &alice(), NOW, 100).unwrap();
    assert_eq!(check(&text), Ok(Verified { made_at: NOW, valid_until: NOW.plus(100) }));
    let at = |seconds| verify(APP, &[key()], &alice(), &text, NOW.plus(seconds)).map_err(|error| error.code);
    assert!(at(100).is_ok());
    assert_eq!(at(101), Err(ErrorCode::UserSigExpired));
}

#[test]
fn either_of_two_active_keys_will_do_and_a_retired_one_will_not() {
    let other = SecretKey::new("other".to_owned());
    let text = sign(APP, &other, &alice(), NOW, 100).unwrap();
    assert!(verify(APP, &[key(), other.clone()], &alice(), &text, NOW).is_ok());
    assert!(verify(APP, &[other, key()], &alice(), &text, NOW).is_ok());
    assert_eq!(check(&text), Err(ErrorCode::UserSigKeyMismatch));
    assert_eq!(
        verify(APP, &[], &alice(), &text, NOW).map_err(|error| error.code),
        Err(ErrorCode::UserSigKeyMismatch)
    );
}

#[test]
fn another_account_or_app_is_refused_by_its_own_code() {
    let text = sign(APP, &key(), &UserId::new("bob").unwrap(), NOW, 100).unwrap();
    assert_eq!(check(&text), Err(ErrorCode::UserSigAccountMismatch));
    let text = sign(SdkAppId(1_400_000_002), &key(), &alice(), NOW, 100).unwrap();
    assert_eq!(check(&text), Err(ErrorCode::UserSigAppMismatch));
}

#[test]
fn no_flipped_bit_is_accepted() {
    let text = sign(APP, &key(), &alice(), NOW, 100).unwrap();
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(flipped) = String::from_utf8(bytes) else {
                continue;
            };
            // A flip in the compressed stream can spell the same JSON; anything else must fail.
            if let Ok(verified) = check(&flipped) {
                assert_eq!(verified.made_at, NOW, "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn a_bomb_is_refused_before_it_inflates() {
    let bomb = pack(&format!("{{\"TLS.ver\":\"{}\"}}", "0".repeat(1 << 20)));
    assert!(bomb.len() < TEXT_BYTES_MAX, "{}", bomb.len());
    assert_eq!(check(&bomb), Err(ErrorCode::UserSigMalformed));
    assert_eq!(check(&"e".repeat(TEXT_BYTES_MAX + 1)), Err(ErrorCode::UserSigMalformed));
}

#[test]
fn duplicate_and_unknown_keys_are_refused() {
    let good = json_of(&honest());
    assert!(check(&pack(&good)).is_ok());
    let twice = good.replacen('{', r#"{"TLS.identifier":"bob","#, 1);
    assert_eq!(check(&pack(&twice)), Err(ErrorCode::UserSigMalformed));
    let unknown = good.replacen('{', r#"{"TLS.admin":true,"#, 1);
    assert_eq!(check(&pack(&unknown)), Err(ErrorCode::UserSigMalformed));
    let missing = good.replacen(r#""TLS.ver":"2.0","#, "", 1);
    assert_eq!(check(&pack(&missing)), Err(ErrorCode::UserSigMalformed));
}

#[test]
fn wrong_types_and_huge_numbers_are_refused() {
    let good = json_of(&honest());
    for (from, to) in [
        (r#""TLS.expire":100"#, r#""TLS.expire":"100""#),
        (r#""TLS.expire":100"#, r#""TLS.expire":-1"#),
        (r#""TLS.expire":100"#, r#""TLS.expire":1e99"#),
        (r#""TLS.expire":100"#, r#""TLS.expire":18446744073709551616"#),
        (r#""TLS.identifier":"alice""#, r#""TLS.identifier":{"$ne":""}"#),
    ] {
        assert_eq!(check(&pack(&good.replacen(from, to, 1))), Err(ErrorCode::UserSigMalformed), "{to}");
    }
    let overflow = Fields { expire: u64::MAX, ..honest() };
    assert_eq!(check(&pack(&json_of(&overflow))), Err(ErrorCode::UserSigMalformed));
    let ahead = Fields { time: u64::from(NOW.0) + u64::from(SKEW_SECONDS_MAX) + 1, ..honest() };
    assert_eq!(check(&pack(&json_of(&ahead))), Err(ErrorCode::UserSigMalformed));
}

#[test]
fn empty_and_cut_texts_are_refused() {
    assert_eq!(check(""), Err(ErrorCode::UserSigEmpty));
    let text = sign(APP, &key(), &alice(), NOW, 100).unwrap();
    for end in 1..text.len() {
        assert!(check(&text[..end]).is_err(), "cut at {end}");
    }
    for bad in ["=", "+/", "äöü", "\0", "eJw", "AAAA"] {
        assert_eq!(check(bad), Err(ErrorCode::UserSigMalformed), "{bad}");
    }
}

#[test]
fn a_user_buffer_belongs_to_other_products() {
    let fields = Fields { userbuf: Some("YQ==".to_owned()), ..honest() };
    let json = json_of(&fields).replacen('{', r#"{"TLS.userbuf":"YQ==","#, 1);
    assert_eq!(check(&pack(&json)), Err(ErrorCode::UserSigMalformed));
}

#[test]
fn a_signature_of_the_public_generator_verifies() {
    // Made with npm `tls-sig-api-v2`: key below, user `alice`, 180 days.
    let secret = include_str!("../testdata/usersig_key.txt").trim().to_owned();
    let text = include_str!("../testdata/usersig_npm.txt").trim();
    let verified = verify(APP, &[SecretKey::new(secret)], &alice(), text, Seconds(1_795_300_000)).unwrap();
    assert_eq!(verified.valid_until.0 - verified.made_at.0, 180 * 86_400);
}

#[test]
fn a_key_is_never_printed() {
    assert_eq!(format!("{:?}", key()), "SecretKey(…)");
}
