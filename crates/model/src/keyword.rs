//! Keywords: words and expressions that an app refuses in texts, or replaces.
//!
//! Words are found wherever they stand, also inside others, whatever the case of their ASCII letters. Expressions are those of
//! the Rust crate `regex` (no look-around, no back references); they take a time that grows with the text only.

use std::cmp::Reverse;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};
use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, Result};

/// The most keywords of an app, expressions included.
pub const KEYWORDS_MAX: usize = 1000;

/// The most expressions of an app.
pub const EXPRESSIONS_MAX: usize = 100;

/// The most bytes of a keyword.
pub const KEYWORD_BYTES_MAX: usize = 100;

/// The most bytes of what a keyword is replaced by.
pub const REPLACEMENT_BYTES_MAX: usize = 100;

/// The most bytes of one compiled expression. One class of letters of all scripts takes some fifty thousand.
const EXPRESSION_COMPILED_BYTES_MAX: usize = 1 << 20;

/// The most bytes of all expressions of an app, compiled together.
const EXPRESSIONS_COMPILED_BYTES_MAX: usize = 2 << 20;

/// What a search may keep in memory of the states that it saw, in bytes.
const SEARCH_BYTES_MAX: usize = 1 << 20;

/// How a keyword is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WordKind {
    /// As it is.
    Word,
    /// As a regular expression.
    Expression,
}

/// What becomes of a text that holds a keyword.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// It is refused.
    Refuse,
    /// This takes the place of the keyword.
    Replace(String),
}

/// A keyword.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyword {
    /// The word or the expression.
    pub text: String,
    /// How it is looked for.
    pub kind: WordKind,
    /// What becomes of texts that hold it.
    pub action: Action,
}

impl Keyword {
    /// What tells keywords of an app apart: words that differ in the case of ASCII letters are one.
    #[must_use]
    pub fn key_of(kind: WordKind, text: &str) -> Vec<u8> {
        match kind {
            WordKind::Word => [b"w", text.to_ascii_lowercase().as_bytes()].concat(),
            WordKind::Expression => [b"x", text.as_bytes()].concat(),
        }
    }

    /// Checks a keyword by itself.
    ///
    /// # Errors
    /// `ModerationBadParameter`, naming the field, if it is empty or too long, if it is an expression that is none, that
    /// matches nothing or the empty text, or that is too large when compiled, or if what replaces it is empty or too long.
    pub fn check(&self) -> Result<()> {
        let bad = |field: &str, what: &str| ErrorCode::ModerationBadParameter.in_field(field, what);
        if self.text.is_empty() || self.text.len() > KEYWORD_BYTES_MAX {
            return Err(bad("Keyword", "1 to 100 bytes"));
        }
        if let Action::Replace(by) = &self.action
            && (by.is_empty() || by.len() > REPLACEMENT_BYTES_MAX)
        {
            return Err(bad("ReplacedContent", "1 to 100 bytes"));
        }
        if self.kind == WordKind::Expression {
            // What is wrong with it in detail would repeat it.
            let parsed = syntax::parse(&self.text).map_err(|_| bad("Keyword", "not a regular expression"))?;
            if parsed.properties().minimum_len().unwrap_or(0) == 0 {
                return Err(bad("Keyword", "an expression matches one character at least"));
            }
            compile(&[self.text.as_str()], MatchKind::LeftmostFirst, EXPRESSION_COMPILED_BYTES_MAX)
                .ok_or_else(|| bad("Keyword", "the expression is too large"))?;
        }
        Ok(())
    }
}

/// Compiles expressions that were parsed before; `None` if they take more than this.
fn compile(patterns: &[&str], kind: MatchKind, bytes_max: usize) -> Option<Regex> {
    let config = Regex::config()
        .match_kind(kind)
        .nfa_size_limit(Some(bytes_max))
        .which_captures(WhichCaptures::Implicit)
        .hybrid_cache_capacity(SEARCH_BYTES_MAX);
    Regex::builder().configure(config).build_many(patterns).ok()
}

/// What becomes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays as it is.
    Pass,
    /// This takes its place.
    Replaced(String),
    /// It is refused.
    Refused,
}

/// The keywords of an app, ready to be looked for.
#[derive(Debug, Default)]
pub struct Matcher {
    words: Vec<Keyword>,
    expressions: Vec<Keyword>,
    /// Whether one of them refuses.
    refuses: bool,
    /// Finds every word, also those that overlap.
    every_word: Option<AhoCorasick>,
    /// Finds every expression.
    every_expression: Option<Regex>,
    /// Finds, of the words that are replaced, the first and longest; with what replaces each.
    replaced_words: Option<(AhoCorasick, Vec<String>)>,
    /// The same for expressions.
    replaced_expressions: Option<(Regex, Vec<String>)>,
}

impl Matcher {
    /// Makes a matcher of keywords that were checked, each of which is there once.
    ///
    /// # Errors
    /// `ModerationBadParameter` if they are too many or, compiled together, too large.
    pub fn new(keywords: Vec<Keyword>) -> Result<Self> {
        if keywords.len() > KEYWORDS_MAX {
            return Err(too_many(format!("an app has at most {KEYWORDS_MAX} keywords")));
        }
        let (expressions, words): (Vec<_>, Vec<_>) =
            keywords.into_iter().partition(|keyword| keyword.kind == WordKind::Expression);
        if expressions.len() > EXPRESSIONS_MAX {
            return Err(too_many(format!("an app has at most {EXPRESSIONS_MAX} regular expressions")));
        }
        let (replaced, by) = replaced_of(&words);
        let replaced_words = words_of(&replaced, aho_corasick::MatchKind::LeftmostLongest)?;
        let every_word = words_of(&texts(&words), aho_corasick::MatchKind::Standard)?;
        let (replaced, replaced_by) = replaced_of(&expressions);
        let replaced_expressions = expressions_of(&replaced, MatchKind::LeftmostFirst)?;
        let every_expression = expressions_of(&texts(&expressions), MatchKind::All)?;
        let refuses = words.iter().chain(&expressions).any(|keyword| keyword.action == Action::Refuse);
        Ok(Self {
            refuses,
            every_word,
            every_expression,
            replaced_words: replaced_words.map(|found| (found, by)),
            replaced_expressions: replaced_expressions.map(|found| (found, replaced_by)),
            words,
            expressions,
        })
    }

    /// Whether there are no keywords.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.expressions.is_empty()
    }

    /// The keywords that a text holds, those that overlap included: words first, in the order in which they were given.
    #[must_use]
    pub fn found<'a>(&'a self, text: &str) -> Vec<&'a Keyword> {
        let mut is_there = vec![false; self.words.len()];
        if let Some(every) = &self.every_word {
            for found in every.find_overlapping_iter(text) {
                if let Some(is_there) = is_there.get_mut(found.pattern().as_usize()) {
                    *is_there = true;
                }
            }
        }
        let words = self.words.iter().zip(is_there).filter(|(_, is_there)| *is_there);
        let mut found: Vec<&Keyword> = words.map(|(keyword, _)| keyword).collect();
        if let Some(every) = &self.every_expression {
            let mut places = PatternSet::new(every.pattern_len());
            every.which_overlapping_matches(&Input::new(text), &mut places);
            found.extend(places.iter().filter_map(|place| self.expressions.get(place.as_usize())));
        }
        found
    }

    /// What becomes of a text. A keyword that refuses outweighs all that replace; of those that overlap the one is replaced
    /// that begins first, and of those the longest. What is put in is not looked at again.
    #[must_use]
    pub fn check(&self, text: &str) -> Verdict {
        if self.is_empty() {
            return Verdict::Pass;
        }
        if self.refuses && self.found(text).iter().any(|keyword| keyword.action == Action::Refuse) {
            return Verdict::Refused;
        }
        let (mut word, mut expression) = (self.word_from(text, 0), self.expression_from(text, 0));
        let (mut out, mut at) = (String::new(), 0);
        loop {
            // What lies before this place, or reaches over it, is looked for again behind it.
            if word.as_ref().is_some_and(|(place, _)| place.start < at) {
                word = self.word_from(text, at);
            }
            if expression.as_ref().is_some_and(|(place, _)| place.start < at) {
                expression = self.expression_from(text, at);
            }
            let found = [&word, &expression].into_iter().flatten();
            let first = found.min_by_key(|(place, _)| (place.start, Reverse(place.end)));
            let Some((place, by)) = first else { break };
            out.push_str(text.get(at..place.start).unwrap_or_default());
            out.push_str(by);
            at = place.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        if out == text { Verdict::Pass } else { Verdict::Replaced(out) }
    }

    /// The first and longest word from a place on that is to be replaced: where it stands, and by what.
    fn word_from(&self, text: &str, at: usize) -> Option<(Range<usize>, &str)> {
        let (words, by) = self.replaced_words.as_ref()?;
        let found = words.find(aho_corasick::Input::new(text).range(at..))?;
        Some((found.range(), by.get(found.pattern().as_usize())?))
    }

    /// The same for expressions.
    fn expression_from(&self, text: &str, at: usize) -> Option<(Range<usize>, &str)> {
        let (expressions, by) = self.replaced_expressions.as_ref()?;
        let found = expressions.find(Input::new(text).range(at..))?;
        Some((found.range(), by.get(found.pattern().as_usize())?))
    }
}

fn too_many(what: impl std::fmt::Display) -> crate::Error {
    ErrorCode::ModerationBadParameter.in_field("LocalAuditWords", what)
}

/// The keywords that are replaced, and what replaces each.
fn replaced_of(keywords: &[Keyword]) -> (Vec<&str>, Vec<String>) {
    let replaced = keywords.iter().filter_map(|keyword| match &keyword.action {
        Action::Refuse => None,
        Action::Replace(by) => Some((keyword.text.as_str(), by.clone())),
    });
    replaced.unzip()
}

fn texts(keywords: &[Keyword]) -> Vec<&str> {
    keywords.iter().map(|keyword| keyword.text.as_str()).collect()
}

fn words_of(words: &[&str], kind: aho_corasick::MatchKind) -> Result<Option<AhoCorasick>> {
    if words.is_empty() {
        return Ok(None);
    }
    let built = AhoCorasick::builder().match_kind(kind).ascii_case_insensitive(true).build(words);
    built.map(Some).map_err(|_| too_many("the words are too large together"))
}

fn expressions_of(expressions: &[&str], kind: MatchKind) -> Result<Option<Regex>> {
    if expressions.is_empty() {
        return Ok(None);
    }
    let built = compile(expressions, kind, EXPRESSIONS_COMPILED_BYTES_MAX);
    built.map(Some).ok_or_else(|| too_many("the regular expressions are too large together"))
}

#[cfg(test)]
#[path = "keyword_tests.rs"]
mod tests;
