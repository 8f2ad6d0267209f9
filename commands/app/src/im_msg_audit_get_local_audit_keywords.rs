//! `im_msg_audit/get_local_audit_keywords`: the app's keywords.

use command::scalar::Lenient;
use command::{Call, Command, Family, Spec};
use model::keyword::{Action, Keyword, WordKind};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::local_words::{LocalWord, Requested, check_app};

/// The most keywords of one page.
pub const PAGE_MAX: usize = 100;

/// Pages the app's keywords: words in the order of their letters, then expressions.
///
/// Also called `im_msg_audit_mgr/get_local_audit_keywords`.
#[derive(Deserialize, JsonSchema)]
pub struct GetKeywords {
    /// The app; if given, the one that is called.
    #[serde(rename = "SdkAppId", default)]
    pub app: Option<Lenient>,
    /// 1: only those that are replaced; 2: only those that are refused; 0 or absent: all.
    #[serde(rename = "FilterType", default)]
    pub filter_type: u64,
    /// How many to pass over.
    #[serde(rename = "Offset", default)]
    pub offset: usize,
    /// At most this many: 1 to 100; 100, if absent.
    #[serde(rename = "Limit", default)]
    pub limit: Option<usize>,
    /// Only those that hold this, whatever the case of ASCII letters.
    #[serde(rename = "Keyword", default)]
    pub part: String,
}

/// A page of keywords.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeywordPage {
    /// The name of the request.
    #[serde(flatten)]
    pub request: Requested,
    /// The keywords.
    #[serde(rename = "LocalAuditWords")]
    pub words: Vec<LocalWord>,
    /// How many keywords the app has.
    #[serde(rename = "TotalCount")]
    pub total: usize,
    /// How many of them are regular expressions.
    #[serde(rename = "TotalRegCount")]
    pub expressions: usize,
    /// How many fit `FilterType` and `Keyword`.
    #[serde(rename = "CurCount")]
    pub fitting: usize,
    /// How many of those are regular expressions.
    #[serde(rename = "CurRegCount")]
    pub fitting_expressions: usize,
}

impl Command for GetKeywords {
    const SPEC: Spec = Spec::new("im_msg_audit/get_local_audit_keywords", Family::MODERATION)
        .aliases(&["im_msg_audit_mgr/get_local_audit_keywords"]);

    type Reply = KeywordPage;

    async fn run(self, call: &Call) -> Result<KeywordPage> {
        check_app(call, self.app)?;
        let limit = self.limit.unwrap_or(PAGE_MAX);
        if limit == 0 || limit > PAGE_MAX {
            return Err(ErrorCode::ModerationBadParameter.in_field("Limit", format!("1 to {PAGE_MAX}")));
        }
        if self.filter_type > 2 {
            return Err(ErrorCode::ModerationBadParameter.in_field("FilterType", "0, 1 or 2"));
        }
        let mut keywords = call.engine.moderation.keywords(call.app.id).await?;
        let (total, expressions) = (keywords.len(), count_expressions(&keywords));
        let part = self.part.to_ascii_lowercase();
        keywords.retain(|keyword| {
            let fits = match keyword.action {
                Action::Replace(_) => self.filter_type != 2,
                Action::Refuse => self.filter_type != 1,
            };
            fits && keyword.text.to_ascii_lowercase().contains(&part)
        });
        let (fitting, fitting_expressions) = (keywords.len(), count_expressions(&keywords));
        let page = keywords.into_iter().skip(self.offset).take(limit);
        let (request, words) = (Requested::new(call), page.map(LocalWord::from).collect());
        Ok(KeywordPage { request, words, total, expressions, fitting, fitting_expressions })
    }
}

fn count_expressions(keywords: &[Keyword]) -> usize {
    keywords.iter().filter(|keyword| keyword.kind == WordKind::Expression).count()
}
