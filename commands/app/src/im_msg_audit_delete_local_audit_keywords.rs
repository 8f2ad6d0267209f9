//! `im_msg_audit/delete_local_audit_keywords`: removes keywords.

use command::scalar::Lenient;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::local_words::{Requested, at, check_app, check_count, kind_of};

/// Removes 1 to 10 keywords; one that is not there is no mistake. Effective at once.
///
/// Also called `im_msg_audit_mgr/delete_local_audit_keywords`.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteKeywords {
    /// The app; if given, the one that is called.
    #[serde(rename = "SdkAppId", default)]
    pub app: Option<Lenient>,
    /// The keywords.
    #[serde(rename = "LocalAuditWords")]
    pub words: Vec<NamedWord>,
}

/// A keyword, by what tells it apart. Further fields of it are not looked at.
#[derive(Deserialize, JsonSchema)]
pub struct NamedWord {
    /// The word or the expression.
    #[serde(rename = "Keyword")]
    pub text: String,
    /// 1: a word, which is meant if nothing is given; 2: a regular expression.
    #[serde(rename = "WordType", default = "word")]
    pub word_type: u64,
}

const fn word() -> u64 {
    1
}

impl Command for DeleteKeywords {
    const SPEC: Spec = Spec::new("im_msg_audit/delete_local_audit_keywords", Family::MODERATION)
        .aliases(&["im_msg_audit_mgr/delete_local_audit_keywords"])
        .fails_with(&[ErrorCode::TooManyKeywords]);

    type Reply = Requested;

    async fn run(self, call: &Call) -> Result<Requested> {
        check_app(call, self.app)?;
        check_count(self.words.len())?;
        let words = self.words.into_iter().enumerate().map(|(index, word)| {
            kind_of(word.word_type).map(|kind| (kind, word.text)).map_err(|error| at(index, error))
        });
        call.engine.moderation.remove(call.app.id, &words.collect::<Result<Vec<_>>>()?).await?;
        Ok(Requested::new(call))
    }
}
