//! Whatever is made of receipts that were given out: if it verifies, it says what some of them say, without a gap.

use std::sync::LazyLock;

use fuzzing::{Choices, vary};

use super::*;

static GIVEN: LazyLock<Given> = LazyLock::new(give);

/// What was given out.
struct Given {
    /// Two chains of one key that begin alike, as after a restore.
    chains: [Vec<Receipt>; 2],
    texts: Vec<Vec<u8>>,
    public: String,
}

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
        preserved: vec!["hold".to_owned()],
    }
}

fn chain(apps: [u32; 3]) -> Vec<Receipt> {
    let mut previous = NOTHING_BEFORE.to_owned();
    let mut receipts = Vec::new();
    for (number, app) in (1..).zip(apps) {
        let receipt = Receipt::new(number, previous, 1_795_298_242, statement(app));
        previous = receipt.hash().unwrap();
        receipts.push(receipt);
    }
    receipts
}

fn give() -> Given {
    let (key, other) = (ReceiptKey::new(&[5; 32]), ReceiptKey::new(&[6; 32]));
    let chains = [chain([9, 10, 11]), chain([9, 10, 12])];
    let lines = |receipts: &[Receipt], key: &ReceiptKey| {
        let lines = receipts.iter().map(|receipt| receipt.clone().sign(key).unwrap() + "\n");
        lines.collect::<String>().into_bytes()
    };
    let texts = vec![
        lines(&chains[0][..1], &key),
        lines(&chains[0][1..2], &key),
        lines(&chains[0][..2], &key),
        lines(&chains[0][1..], &key),
        lines(&chains[1][1..], &key),
        lines(&chains[0][..1], &other),
        left_out(&chains[0], &key),
    ];
    Given { chains, texts, public: key.public() }
}

/// A chain without one in the middle, as who has no right to it gets it.
fn left_out(chain: &[Receipt], key: &ReceiptKey) -> Vec<u8> {
    let line = |at: usize, receipt: &Receipt| match at {
        1 => Receipt::omitted(receipt.number, &receipt.hash().unwrap()).unwrap(),
        _ => receipt.clone().sign(key).unwrap(),
    };
    let lines = chain.iter().enumerate().map(|(at, receipt)| line(at, receipt) + "\n");
    lines.collect::<String>().into_bytes()
}

fn text(choices: &mut Choices<'_>) -> bool {
    let Ok(text) = String::from_utf8(vary(choices, GIVEN.texts.as_slice())) else { return false };
    let Ok(Verified { receipts, omitted }) = verify(&text, &GIVEN.public) else { return false };
    let told = receipts.len() as u64 + omitted;
    assert_eq!(text.lines().count() as u64, told, "a line was passed over: {text}");
    let is_issued = |receipt: &Receipt| GIVEN.chains.iter().any(|chain| chain.contains(receipt));
    assert!(receipts.iter().all(is_issued), "{text}");
    if receipts.is_empty() || omitted > 0 {
        return false;
    }
    let is_part = |chain: &Vec<Receipt>| chain.windows(receipts.len()).any(|part| part == receipts);
    assert!(GIVEN.chains.iter().any(is_part), "{text}");
    true
}

#[test]
fn texts() {
    fuzzing::target!(200, text);
}
