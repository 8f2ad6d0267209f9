//! How keywords and what was found by them look on the wire. Numbers of types are those of public client libraries.

use command::Call;
use command::scalar::Lenient;
use model::keyword::{Action, Keyword, WordKind};
use model::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most keywords of one call.
pub const WORDS_MAX: usize = 10;

/// The most bytes of a content that is looked at on demand.
pub const CONTENT_BYTES_MAX: usize = 8 << 10;

/// For what a content may be looked at; keywords apply to all alike.
const AUDIT_NAMES: [&str; 6] = ["C2C", "Group", "UserInfo", "GroupInfo", "GroupMemberInfo", "RelationChain"];

/// A keyword.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct LocalWord {
    /// The word or the expression: 1 to 100 bytes.
    #[serde(rename = "Keyword")]
    pub text: String,
    /// 1: a word, found wherever it stands, whatever the case of ASCII letters; 2: a regular expression.
    #[serde(rename = "WordType")]
    pub word_type: u64,
    /// 1: it is replaced; 2: the text is refused.
    #[serde(rename = "FilterType")]
    pub filter_type: u64,
    /// What replaces it: 1 to 100 bytes. Needed for `FilterType` 1.
    #[serde(rename = "ReplacedContent", default)]
    pub replacement: String,
}

/// Says which keyword of a list was wrong.
pub(crate) fn at(index: usize, error: Error) -> Error {
    match error.code {
        ErrorCode::ModerationBadParameter => {
            error.code.because(format!("LocalAuditWords[{index}].{}", error.info))
        }
        _ => error,
    }
}

/// The kind with this number.
///
/// # Errors
/// `ModerationBadParameter`, naming the field.
pub(crate) fn kind_of(word_type: u64) -> Result<WordKind> {
    match word_type {
        1 => Ok(WordKind::Word),
        2 => Ok(WordKind::Expression),
        _ => Err(ErrorCode::ModerationBadParameter.in_field("WordType", "1 or 2")),
    }
}

impl LocalWord {
    /// The keyword, checked.
    ///
    /// # Errors
    /// `ModerationBadParameter`, naming the field.
    pub fn keyword(self) -> Result<Keyword> {
        let action = match self.filter_type {
            1 => Action::Replace(self.replacement),
            2 => Action::Refuse,
            _ => return Err(ErrorCode::ModerationBadParameter.in_field("FilterType", "1 or 2")),
        };
        let keyword = Keyword { kind: kind_of(self.word_type)?, text: self.text, action };
        keyword.check()?;
        Ok(keyword)
    }
}

impl From<Keyword> for LocalWord {
    fn from(keyword: Keyword) -> Self {
        let word_type = match keyword.kind {
            WordKind::Word => 1,
            WordKind::Expression => 2,
        };
        let (filter_type, replacement) = match keyword.action {
            Action::Replace(by) => (1, by),
            Action::Refuse => (2, String::new()),
        };
        Self { text: keyword.text, word_type, filter_type, replacement }
    }
}

/// The name of a request, as answers carry it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Requested {
    /// Made by the server, different each time.
    #[serde(rename = "RequestId")]
    pub id: String,
}

impl Requested {
    /// A new name.
    #[must_use]
    pub fn new(call: &Call) -> Self {
        let mut bytes = [0; 16];
        call.engine.context.random.fill(&mut bytes);
        Self { id: format!("{:032x}", u128::from_be_bytes(bytes)) }
    }
}

/// Checks that a request names the app that it is sent to, if it names one.
///
/// # Errors
/// `ModerationBadParameter`.
pub(crate) fn check_app(call: &Call, app: Option<Lenient>) -> Result<()> {
    if app.is_some_and(|Lenient(app)| app != u64::from(call.app.id.0)) {
        return Err(ErrorCode::ModerationBadParameter.in_field("SdkAppId", "is another app"));
    }
    Ok(())
}

/// Checks how many keywords a call brings.
///
/// # Errors
/// `TooManyKeywords`.
pub(crate) fn check_count(count: usize) -> Result<()> {
    if count == 0 || count > WORDS_MAX {
        return Err(ErrorCode::TooManyKeywords.in_field("LocalAuditWords", format!("1 to {WORDS_MAX} words")));
    }
    Ok(())
}

/// What was found in a content.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Judgement {
    /// `Pass`, or `Block` if it holds a keyword.
    #[serde(rename = "Result")]
    pub result: &'static str,
    /// 0 to pass, 100 to block.
    #[serde(rename = "Score")]
    pub score: u8,
    /// `Normal` to pass, `Composite` to block: keywords have no labels.
    #[serde(rename = "Label")]
    pub label: &'static str,
    /// The keywords that it holds, also those that would be replaced.
    #[serde(rename = "Keywords")]
    pub keywords: Vec<String>,
}

/// Checks for what a content is looked at.
///
/// # Errors
/// `ModerationBadParameter`.
pub(crate) fn check_audit_name(name: &str) -> Result<()> {
    if AUDIT_NAMES.contains(&name) {
        return Ok(());
    }
    let known = AUDIT_NAMES.join(", ");
    Err(ErrorCode::ModerationBadParameter.in_field("AuditName", format!("one of {known}")))
}

/// Looks for the app's keywords in a content.
///
/// # Errors
/// `ModerationOff` for anything but a text, `ContentTooLong`, or what the store says.
pub(crate) async fn judge(call: &Call, kind: &str, content: &str) -> Result<Judgement> {
    if kind != "Text" {
        return Err(ErrorCode::ModerationOff.in_field("ContentType", "only texts are looked at"));
    }
    if content.len() > CONTENT_BYTES_MAX {
        return Err(ErrorCode::ContentTooLong.in_field("Content", "at most 8 KB"));
    }
    let matcher = call.engine.moderation.matcher(call.app.id).await?;
    let keywords: Vec<String> = matcher.found(content).iter().map(|found| found.text.clone()).collect();
    if keywords.is_empty() {
        return Ok(Judgement { result: "Pass", score: 0, label: "Normal", keywords });
    }
    Ok(Judgement { result: "Block", score: 100, label: "Composite", keywords })
}
