//! Whatever is made of signatures that were handed out vouches for nobody, or for what one of them vouches for.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::write::ZlibEncoder as Writer;
use fuzzing::{Choices, vary};

use super::*;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const OTHER_APP: SdkAppId = SdkAppId(1_400_000_002);
const NOW: Seconds = Seconds(1_795_298_242);

/// Who is asked about, whether or not a signature was made for them.
const USERS: [&str; 3] = ["alice", "bob", "carol"];

static ISSUED: LazyLock<Issued> = LazyLock::new(issue);

/// What was signed, and how it is written at each step.
struct Issued {
    fields: Vec<Fields>,
    jsons: Vec<Vec<u8>>,
    packed: Vec<Vec<u8>>,
    texts: Vec<Vec<u8>>,
}

fn key() -> SecretKey {
    SecretKey::new("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e".to_owned())
}

fn signed(app: SdkAppId, user: &str, time: u32, expire: u64, userbuf: Option<&str>) -> Fields {
    let (identifier, userbuf) = (user.to_owned(), userbuf.map(str::to_owned));
    let (sdkappid, time) = (u64::from(app.0), u64::from(time));
    let fields = Fields { identifier, sdkappid, time, expire, userbuf, sig: String::new() };
    let sig = STANDARD.encode(mac(&key(), &fields).finalize().into_bytes());
    Fields { sig, ..fields }
}

fn issue() -> Issued {
    let fields = vec![
        signed(APP, "alice", NOW.0, 100, None),
        signed(APP, "alice", NOW.0 - 1_000, 15_552_000, None),
        signed(APP, "bob", NOW.0, u64::from(u32::MAX), None),
        // Of these none may ever be taken.
        signed(APP, "alice", NOW.0 - 1_000, 999, None),
        signed(APP, "bob", NOW.0 + SKEW_SECONDS_MAX + 1, 100, None),
        signed(APP, "bob", NOW.0, 100, Some("room")),
        signed(APP, "bob", NOW.0, u64::MAX, None),
        signed(OTHER_APP, "alice", NOW.0, 100, None),
    ];
    let jsons: Vec<Vec<u8>> = fields.iter().map(json).collect();
    let packed: Vec<Vec<u8>> = jsons.iter().map(|json| pack(json)).collect();
    let texts = packed.iter().map(|packed| spell(packed).into_bytes()).collect();
    Issued { fields, jsons, packed, texts }
}

fn json(fields: &Fields) -> Vec<u8> {
    let userbuf =
        fields.userbuf.as_ref().map_or_else(String::new, |text| format!(r#""TLS.userbuf":"{text}","#));
    let json = format!(
        r#"{{"TLS.ver":"2.0","TLS.identifier":"{}","TLS.sdkappid":{},"TLS.time":{},"TLS.expire":{},{userbuf}"TLS.sig":"{}"}}"#,
        fields.identifier, fields.sdkappid, fields.time, fields.expire, fields.sig
    );
    json.into_bytes()
}

fn pack(json: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), Compression::fast());
    writer.write_all(json).unwrap();
    writer.finish().unwrap()
}

fn spell(packed: &[u8]) -> String {
    STANDARD.encode(packed).replace('+', "*").replace('/', "-").replace('=', "_")
}

/// A text that was changed at one of the steps: as it is written, before that, or before it is packed.
fn text(choices: &mut Choices<'_>) -> Option<String> {
    let issued = &*ISSUED;
    match choices.byte() % 3 {
        0 => String::from_utf8(vary(choices, issued.texts.as_slice())).ok(),
        1 => Some(spell(&vary(choices, issued.packed.as_slice()))),
        _ => Some(spell(&pack(&vary(choices, issued.jsons.as_slice())))),
    }
}

fn signature(choices: &mut Choices<'_>) -> bool {
    let Some(text) = text(choices) else { return false };
    let check = |key: SecretKey, user: &str| verify(APP, &[key], &UserId::new(user).unwrap(), &text, NOW);
    let another = check(SecretKey::new("another".to_owned()), USERS[0]);
    assert!(another.is_err(), "no other key made it: {text}");
    let mut is_taken = false;
    for user in USERS {
        let Ok(verified) = check(key(), user) else { continue };
        assert!(!is_taken, "one signature vouches for one account: {text}");
        is_taken = true;
        assert!(text.len() <= TEXT_BYTES_MAX, "{}", text.len());
        assert!(verified.valid_until >= NOW, "it has expired: {verified:?}");
        assert!(verified.made_at <= NOW.plus(SKEW_SECONDS_MAX), "it is of the future: {verified:?}");
        let says_so = |fields: &Fields| {
            let until = (fields.time + fields.expire).min(u64::from(u32::MAX));
            fields.sdkappid == u64::from(APP.0)
                && fields.identifier == user
                && fields.time == u64::from(verified.made_at.0)
                && until == u64::from(verified.valid_until.0)
        };
        // Those that may never be taken are left out.
        assert!(ISSUED.fields[..3].iter().any(says_so), "{user} {verified:?}: {text}");
    }
    is_taken
}

#[test]
fn signatures() {
    fuzzing::target!(1_000, signature);
}
