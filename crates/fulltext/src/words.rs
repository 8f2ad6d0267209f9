//! Words: what a text is split into, and how they are compared.
//!
//! * Where words are separated, a word is letters and digits of what Unicode calls one (UAX 29), in lower case, without accents,
//!   in the form of compatibility NFKC: full-width letters are those of every other text.
//! * Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are written without spaces, or with endings that no speaker would
//!   type: there each character is a word. A phrase of several is found as a phrase, so that any part of a text is found.
//! * An emoji is a word, whatever its presentation. Other signs are none, and separate.
//!
//! A phrase of several words is found where they follow each other, whatever signs stand between them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

/// How much of a text is looked at, in bytes of its words: more than a whole message of the usual kinds.
pub const TEXT_BYTES_MAX: usize = 12 * 1024;

/// The most words of a phrase. Each character of a language without spaces is one.
pub const PHRASE_WORDS_MAX: usize = 64;

/// A word is as good as known after so many letters; addresses and codes have more.
const WORD_LETTERS_MAX: usize = 64;

/// Stands before, between and after words.
const BETWEEN: char = '\u{1}';

/// A word that no phrase holds: between two texts of one message.
const GAP: &str = "\u{2}";

/// What a text holds, as phrases are looked for in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

impl std::fmt::Debug for Text {
    // What people wrote reaches no log and no panic.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("bytes", &self.0.len()).finish()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(BETWEEN.to_string())
    }
}

impl Text {
    /// The words of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut words = Self::default();
        words.add(text);
        words
    }

    /// Adds another text, of which no phrase is found together with a part of the former one.
    pub fn add(&mut self, text: &str) {
        if self.0.len() > 1 {
            self.push(GAP);
        }
        split(text, &mut |word| self.push(word));
    }

    fn push(&mut self, word: &str) -> bool {
        if self.0.len() + word.len() >= TEXT_BYTES_MAX {
            return false;
        }
        self.0.push_str(word);
        self.0.push(BETWEEN);
        true
    }

    /// Whether the words of a phrase stand there one after the other.
    #[must_use]
    pub fn holds(&self, phrase: &Phrase) -> bool {
        self.0.contains(&phrase.0.0)
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.0.capacity()
    }

    /// Its words as they are kept: [`Text::read`] takes them back.
    pub(crate) fn written(&self) -> &str {
        &self.0
    }

    /// What [`Text::written`] says.
    pub(crate) fn read(written: &str) -> Self {
        Self(written.to_owned())
    }

    /// The terms that an index holds for it, with their places.
    pub(crate) fn terms(&self) -> Vec<(usize, String)> {
        let words: Vec<&str> = self.words().collect();
        let mut terms = Vec::with_capacity(words.len());
        for (place, word) in words.iter().enumerate() {
            if *word == GAP {
                continue;
            }
            terms.push((place, (*word).to_owned()));
            terms.extend(pair(&words, place).map(|pair| (place, pair)));
        }
        terms
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split(BETWEEN).filter(|word| !word.is_empty())
    }
}

/// What is looked for: one or more words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase(Text);

impl Phrase {
    /// A phrase; `None` if it holds no word. Only its first [`PHRASE_WORDS_MAX`] words count.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut words = Text::default();
        let mut count = 0;
        split(text, &mut |word| {
            count += 1;
            count <= PHRASE_WORDS_MAX && words.push(word)
        });
        (count > 0).then_some(Self(words))
    }

    /// The terms of an index that stand one after the other where it is found, with their distances.
    pub(crate) fn terms(&self) -> Vec<(usize, String)> {
        let words: Vec<&str> = self.0.words().collect();
        let mut terms = Vec::with_capacity(words.len());
        for (place, word) in words.iter().enumerate() {
            let is_in_former = place > 0 && pair(&words, place - 1).is_some();
            match pair(&words, place) {
                Some(pair) => terms.push((place, pair)),
                // The last of several is part of the pair before it.
                None if is_in_former => {}
                None => terms.push((place, (*word).to_owned())),
            }
        }
        terms
    }
}

/// The characters at a place and at the next one together, if both are words by themselves: single ones are too many to be
/// looked for one by one.
fn pair(words: &[&str], place: usize) -> Option<String> {
    let (one, other) = (words.get(place)?, words.get(place + 1)?);
    (is_character(one) && is_character(other)).then(|| [*one, *other].concat())
}

fn is_character(word: &str) -> bool {
    word.chars().next().is_some_and(is_unspaced)
}

/// Calls `take` with each word of a text until it says that it wants no more.
fn split(text: &str, take: &mut dyn FnMut(&str) -> bool) {
    let mut word = String::new();
    if text.is_ascii() {
        // The same, at a tenth of the time.
        for part in text.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            part.chars().for_each(|letter| fold(letter, &mut word));
            if !end(&mut word, take) {
                return;
            }
        }
        return;
    }
    let normal = text.nfkc().collect::<String>();
    for part in normal.split_word_bounds() {
        if !part.chars().any(counts) {
            continue;
        }
        for letter in part.chars() {
            if is_unspaced(letter) {
                if !end(&mut word, take) || !take(letter.encode_utf8(&mut [0; 4])) {
                    return;
                }
            } else if counts(letter) || is_combining_mark(letter) || is_invisible(letter) {
                fold(letter, &mut word);
            } else if !end(&mut word, take) {
                return;
            }
        }
        if !end(&mut word, take) {
            return;
        }
    }
}

/// Gives a word that is complete.
fn end(word: &mut String, take: &mut dyn FnMut(&str) -> bool) -> bool {
    if word.is_empty() {
        return true;
    }
    let cut = word.char_indices().nth(WORD_LETTERS_MAX).map_or(word.len(), |(at, _)| at);
    let wants_more = take(&word[..cut]);
    word.clear();
    wants_more
}

/// Adds a letter in the form in which it is compared.
fn fold(letter: char, word: &mut String) {
    if letter.is_ascii() {
        word.push(letter.to_ascii_lowercase());
        return;
    }
    for part in letter.nfkd().filter(|part| !is_combining_mark(*part) && !is_invisible(*part)) {
        match part {
            'ß' | 'ẞ' => word.push_str("ss"),
            'æ' | 'Æ' => word.push_str("ae"),
            'œ' | 'Œ' => word.push_str("oe"),
            'ø' | 'Ø' => word.push('o'),
            'ł' | 'Ł' => word.push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => word.push('d'),
            'ı' => word.push('i'),
            'ς' => word.push('σ'),
            other => word.extend(other.to_lowercase()),
        }
    }
}

/// Whether a part of a text that has such a character is a word.
fn counts(letter: char) -> bool {
    letter.is_alphanumeric() || is_unspaced(letter) || is_emoji(letter)
}

/// What only says how a character is shown.
const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

const fn is_emoji(letter: char) -> bool {
    matches!(letter, '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}')
}

/// Whether a character belongs to a script in which words are not separated, or not where one would look for them.
const fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        // Han.
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
        // Kana, the mark of a long vowel included, and Bopomofo.
        | '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}'
        | '\u{31f0}'..='\u{31ff}' | '\u{1b000}'..='\u{1b16f}'
        // Hangul.
        | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        // Thai, Lao, Burmese, Khmer; their digits too.
        | '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e59}' | '\u{e81}'..='\u{edf}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17d3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Text::of(text).words().map(str::to_owned).collect()
    }

    #[test]
    fn every_script_is_split_into_what_people_look_for() {
        for (text, expected) in [
            ("", vec![]),
            (" ,.!?-… ", vec![]),
            ("Hello, World!", vec!["hello", "world"]),
            ("It's 3.14 o’clock", vec!["it", "s", "3", "14", "o", "clock"]),
            ("Crème BRÛLÉE Straße Ærø Łódź", vec!["creme", "brulee", "strasse", "aero", "lodz"]),
            ("ΟΔΟΣ Привет Ёлка", vec!["οδοσ", "привет", "елка"]),
            ("你好，世界", vec!["你", "好", "世", "界"]),
            ("東京タワーへ行く", vec!["東", "京", "タ", "ワ", "ー", "へ", "行", "く"]),
            ("안녕하세요 세계", vec!["안", "녕", "하", "세", "요", "세", "계"]),
            ("买iPhone15手机", vec!["买", "iphone15", "手", "机"]),
            ("ＡＢＣ　１２３ ｶﾞｷﾞ", vec!["abc", "123", "ガ", "ギ"]),
            ("㍿ ﬁn ①", vec!["株", "式", "会", "社", "fin", "1"]),
            ("nice 😀👍🏽 ❤️", vec!["nice", "😀", "👍", "❤"]),
            ("สวัสดี", vec!["ส", "ว", "ั", "ส", "ด", "ี"]),
            (
                "snake_case a@b.example report.pdf",
                vec!["snake", "case", "a", "b", "example", "report", "pdf"],
            ),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn plain_texts_are_split_like_all_others() {
        for text in
            ["a.b 3.14 it's x_y", "  A--B  ", "e-mail: a@b.c/d?e=f&g", "\u{1}a\u{2}b\tc", "x1y2 1,000"]
        {
            let mut more = words(&format!("{text} é"));
            assert_eq!(more.pop().as_deref(), Some("e"));
            assert_eq!(words(text), more, "{text}");
        }
    }

    #[test]
    fn any_part_of_a_text_without_spaces_is_found_and_words_are_found_whole() {
        for (text, found, missing) in [
            (
                "我们明天去北京大学开会",
                vec!["北京", "京大", "北京大学", "大学开会", "会", "我"],
                vec!["京北", "上海", "明去"],
            ),
            (
                "東京タワーへ行きました",
                vec!["東京", "タワー", "京タ", "行きました"],
                vec!["京都", "タワーズ"],
            ),
            ("내일 서울에서 만나요", vec!["서울", "울에", "만나", "내일 서울"], vec!["서에", "부산"]),
            (
                "The quick brown fox",
                vec!["QUICK", "quick brown", "brown  fox", "the"],
                vec!["quic", "quick fox", "fox the"],
            ),
            ("ＦＵＬＬ width", vec!["full", "full width", "ＷＩＤＴＨ"], vec!["half"]),
            ("买iPhone15手机", vec!["iphone15", "买iphone15", "iPhone15手机", "手机"], vec!["iphone"]),
            ("see report-2024.pdf", vec!["report", "PDF", "report-2024.pdf", "2024"], vec!["2024.doc"]),
            ("party 🎉🎉 tonight", vec!["🎉", "party 🎉🎉 tonight"], vec!["🎈"]),
        ] {
            let split = Text::of(text);
            let is_found = |word: &&str| Phrase::of(word).is_some_and(|phrase| split.holds(&phrase));
            assert_eq!(found.iter().filter(|word| !is_found(word)).count(), 0, "{text}: {found:?}");
            assert_eq!(missing.iter().filter(|word| is_found(word)).count(), 0, "{text}: {missing:?}");
        }
    }

    #[test]
    fn texts_of_one_message_stay_apart() {
        let mut text = Text::of("see you");
        text.add("later");
        let found = |word: &str| Phrase::of(word).is_some_and(|phrase| text.holds(&phrase));
        assert!(found("see you") && found("later") && !found("you later"));
        assert_eq!(text.terms().len(), 3);
    }

    #[test]
    fn a_phrase_without_words_is_none() {
        for text in ["", " ", "。！", "—"] {
            assert_eq!(Phrase::of(text), None, "{text}");
        }
    }

    #[test]
    fn long_words_long_texts_and_long_phrases_are_cut() {
        let long = "x".repeat(1000);
        assert_eq!(words(&long), [long[..WORD_LETTERS_MAX].to_owned()]);
        assert!(Text::of(&long).holds(&Phrase::of(&long).unwrap()));
        let text = Text::of(&"字".repeat(100_000));
        assert!(text.0.len() <= TEXT_BYTES_MAX && text.0.len() > TEXT_BYTES_MAX - 10);
        let phrase = Phrase::of(&"字".repeat(1000)).unwrap();
        assert_eq!(phrase.0.words().count(), PHRASE_WORDS_MAX);
        assert!(text.holds(&phrase));
    }

    #[test]
    fn a_phrase_is_looked_for_by_pairs_of_characters() {
        let terms = |text: &str| -> Vec<(usize, String)> { Phrase::of(text).unwrap().terms() };
        let named = |terms: &[(usize, &str)]| -> Vec<(usize, String)> {
            terms.iter().map(|(place, term)| (*place, (*term).to_owned())).collect()
        };
        assert_eq!(terms("字"), named(&[(0, "字")]));
        assert_eq!(terms("北京大"), named(&[(0, "北京"), (1, "京大")]));
        assert_eq!(terms("买iPhone手机"), named(&[(0, "买"), (1, "iphone"), (2, "手机")]));
        assert_eq!(terms("red fox"), named(&[(0, "red"), (1, "fox")]));
    }
}
