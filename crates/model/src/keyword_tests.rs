//! Keywords: what is found, refused and replaced, and what is no keyword.

use super::*;

fn word(text: &str, by: Option<&str>) -> Keyword {
    let action = by.map_or(Action::Refuse, |by| Action::Replace(by.to_owned()));
    Keyword { text: text.to_owned(), kind: WordKind::Word, action }
}

fn expression(text: &str, by: Option<&str>) -> Keyword {
    Keyword { kind: WordKind::Expression, ..word(text, by) }
}

fn replaced(text: &str) -> Verdict {
    Verdict::Replaced(text.to_owned())
}

#[test]
fn texts_are_refused_replaced_or_left_alone() {
    let table: Vec<(Vec<Keyword>, &str, Verdict)> = vec![
        (vec![], "anything", Verdict::Pass),
        (vec![word("bad", None)], "a good text", Verdict::Pass),
        (vec![word("bad", None)], "", Verdict::Pass),
        (vec![word("bad", None)], "too BAD", Verdict::Refused),
        (vec![word("BAD", None)], "inside: xbadx", Verdict::Refused),
        (vec![word("ä", None)], "Ä", Verdict::Pass),
        (vec![word("darn", Some("****"))], "Darn it, DARN", replaced("**** it, ****")),
        (vec![word("same", Some("same"))], "the same", Verdict::Pass),
        // Chinese, of three bytes a character.
        (vec![word("敏感", None)], "这是敏感词", Verdict::Refused),
        (vec![word("敏感", None)], "敏捷的感觉", Verdict::Pass),
        (vec![word("敏感词", Some("**"))], "这是敏感词,敏感词!", replaced("这是**,**!")),
        (vec![expression("[一-龥]{2}币", Some("*"))], "买比特币和狗狗币吧", replaced("买*和*吧")),
        // Of words that overlap the first is replaced, and of those that begin together the longest.
        (vec![word("ab", Some("1")), word("abc", Some("2"))], "abcab", replaced("21")),
        (vec![word("abc", Some("1")), word("cde", Some("2"))], "abcde", replaced("1de")),
        (vec![word("bcd", Some("1")), word("abcdx", Some("2"))], "abcde", replaced("a1e")),
        (vec![word("ab", Some("1")), expression("abc?", Some("2"))], "abc ab", replaced("2 1")),
        (vec![word("aa", Some("x"))], "aaaaa", replaced("xxa")),
        // What reaches into another one is passed over, and what lies behind it is not.
        (
            vec![expression("zab", Some("1")), word("abc", Some("2")), word("cdx", Some("3"))],
            "zabcdx abc",
            replaced("13 2"),
        ),
        // What refuses outweighs what replaces, also where it lies inside of it.
        (vec![word("abcd", Some("*")), word("bc", None)], "abcd", Verdict::Refused),
        (vec![expression("a.*d", Some("*")), expression("c", None)], "abcd", Verdict::Refused),
        (vec![expression(".{4}", Some("*")), word("bc", None)], "abcd", Verdict::Refused),
        // What is put in is not looked at again.
        (vec![word("one", Some("two")), word("two", Some("three"))], "one two", replaced("two three")),
        (
            vec![expression(r"1\d{10}", Some("<number>"))],
            "call 13800138000 now",
            replaced("call <number> now"),
        ),
        (vec![expression("(?i)spam+", None)], "SPAMMM", Verdict::Refused),
        (vec![expression(r"\bcat\b", None)], "concatenate", Verdict::Pass),
        (vec![word("a.c", None)], "abc", Verdict::Pass),
    ];
    for (keywords, text, expected) in table {
        for keyword in &keywords {
            assert_eq!(keyword.check(), Ok(()), "{keyword:?}");
        }
        let said = format!("{keywords:?} in {text}");
        let matcher = Matcher::new(keywords).unwrap();
        assert_eq!(matcher.check(text), expected, "{said}");
    }
}

#[test]
fn every_keyword_of_a_text_is_found_once_also_those_that_overlap() {
    let keywords = vec![
        word("he", None),
        word("she", Some("*")),
        word("hers", None),
        word("ushers", None),
        word("his", None),
        expression("u.{4}s", Some("*")),
        expression("s.e", None),
        expression("x", None),
    ];
    let matcher = Matcher::new(keywords).unwrap();
    let found: Vec<&str> = matcher.found("ushers, USHERS").iter().map(|word| word.text.as_str()).collect();
    assert_eq!(found, ["he", "she", "hers", "ushers", "u.{4}s", "s.e"]);
    assert!(matcher.found("nothing").is_empty());
}

#[test]
fn keywords_have_limits_and_expressions_have_to_be_some() {
    let long = "x".repeat(KEYWORD_BYTES_MAX);
    let by = "*".repeat(REPLACEMENT_BYTES_MAX);
    assert_eq!(word(&long, Some(&by)).check(), Ok(()));
    assert_eq!(expression(r"\w+\d+", None).check(), Ok(()));
    for (keyword, field) in [
        (word("", None), "Keyword"),
        (word(&format!("{long}x"), None), "Keyword"),
        (word("a", Some("")), "ReplacedContent"),
        (word("a", Some(&format!("{by}*"))), "ReplacedContent"),
        (expression("(", None), "Keyword"),
        (expression("a(?=b)", None), "Keyword"),
        (expression(r"(a)\1", None), "Keyword"),
        (expression("a*", None), "Keyword"),
        (expression("^", None), "Keyword"),
        (expression(r"\b", None), "Keyword"),
        (expression(r"[^\s\S]", None), "Keyword"),
        (expression(r"\w{1000}", None), "Keyword"),
        (expression(r"((a{100}){100}){100}", None), "Keyword"),
    ] {
        let error = keyword.check().unwrap_err();
        assert_eq!(error.code, ErrorCode::ModerationBadParameter, "{keyword:?}");
        assert!(error.info.starts_with(field), "{keyword:?}: {error}");
    }
    let words = |count: usize| (0..count).map(|number| word(&format!("word{number}"), None)).collect();
    assert!(Matcher::new(words(KEYWORDS_MAX)).is_ok());
    assert!(Matcher::new(words(KEYWORDS_MAX + 1)).is_err());
    let expressions = |count: usize| (0..count).map(|number| expression(&format!("x{number}+"), None));
    assert!(Matcher::new(expressions(EXPRESSIONS_MAX).collect()).is_ok());
    assert!(Matcher::new(expressions(EXPRESSIONS_MAX + 1).collect()).is_err());
    // Each is small enough, all together are not.
    let large = (0..EXPRESSIONS_MAX).map(|number| expression(&format!(r"{number}\w\w"), None));
    assert!(large.clone().all(|keyword| keyword.check().is_ok()));
    assert!(Matcher::new(large.collect()).is_err());
}

#[test]
fn what_differs_in_the_case_of_ascii_letters_is_one_word_and_two_expressions() {
    let key = Keyword::key_of;
    assert_eq!(key(WordKind::Word, "Bad"), key(WordKind::Word, "bAD"));
    assert_ne!(key(WordKind::Word, "Ä"), key(WordKind::Word, "ä"));
    assert_ne!(key(WordKind::Expression, r"\d"), key(WordKind::Expression, r"\D"));
    assert_ne!(key(WordKind::Expression, "a"), key(WordKind::Word, "a"));
}

#[test]
fn the_longest_text_full_of_keywords_is_looked_through() {
    // Every suffix of what was read so far is a keyword.
    let keywords = (1..=KEYWORD_BYTES_MAX).map(|length| word(&"a".repeat(length), Some("b"))).collect();
    let matcher = Matcher::new(keywords).unwrap();
    let text = "a".repeat(12 * 1024);
    assert_eq!(matcher.found(&text).len(), KEYWORD_BYTES_MAX);
    let Verdict::Replaced(replaced) = matcher.check(&text) else { panic!("nothing was replaced") };
    assert_eq!(replaced.len(), text.len().div_ceil(KEYWORD_BYTES_MAX));
}
