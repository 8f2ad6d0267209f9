//! `im_msg_audit/batch_content_moderation`: looks for the app's keywords in several texts, on demand.

use std::collections::BTreeSet;

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::local_words::{Judgement, Requested, check_audit_name, judge};

/// The most contents of one call.
pub const CONTENTS_MAX: usize = 10;

/// Looks for the app's keywords in up to 10 texts. Images are answered one by one with 2015: nothing looks at them.
#[derive(Deserialize, JsonSchema)]
pub struct ModerateContents {
    /// For what: `C2C`, `Group`, `UserInfo`, `GroupInfo`, `GroupMemberInfo` or `RelationChain`. Keywords apply to all alike.
    #[serde(rename = "AuditName")]
    pub audit_name: String,
    /// The contents.
    #[serde(rename = "Contents")]
    pub contents: Vec<BatchContent>,
}

/// A content of a batch.
#[derive(Deserialize, JsonSchema)]
pub struct BatchContent {
    /// Names it in the answer; no other of the batch has the same.
    #[serde(rename = "ContentId")]
    pub id: u64,
    /// `Text` or `Image`.
    #[serde(rename = "ContentType")]
    pub kind: String,
    /// The text, at most 8 KB.
    #[serde(rename = "Content")]
    pub content: String,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ModeratedBatch {
    /// The name of the request.
    #[serde(flatten)]
    pub request: Requested,
    /// One result for each content, in the order of the request.
    #[serde(rename = "AuditResults")]
    pub results: Vec<BatchResult>,
}

/// What was found in one content.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchResult {
    /// Which content.
    #[serde(rename = "ContentId")]
    pub id: u64,
    /// 0, or why it was not looked at.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ErrorInfo")]
    pub info: String,
    /// What was found, if it was looked at.
    #[serde(flatten)]
    pub judgement: Option<Judgement>,
}

impl Command for ModerateContents {
    const SPEC: Spec = Spec::new("im_msg_audit/batch_content_moderation", Family::MODERATION).fails_with(&[
        ErrorCode::ModerationOff,
        ErrorCode::ContentTooLong,
        ErrorCode::ContentKindUnknown,
        ErrorCode::ContentIdTwice,
        ErrorCode::TooManyContents,
    ]);

    type Reply = ModeratedBatch;

    async fn run(self, call: &Call) -> Result<ModeratedBatch> {
        check_audit_name(&self.audit_name)?;
        if self.contents.is_empty() || self.contents.len() > CONTENTS_MAX {
            let what = format!("1 to {CONTENTS_MAX} contents");
            return Err(ErrorCode::TooManyContents.in_field("Contents", what));
        }
        let mut ids = BTreeSet::new();
        for (index, content) in self.contents.iter().enumerate() {
            let field = |name: &str| format!("Contents[{index}].{name}");
            if !["Text", "Image"].contains(&content.kind.as_str()) {
                return Err(ErrorCode::ContentKindUnknown.in_field(&field("ContentType"), "Text or Image"));
            }
            if !ids.insert(content.id) {
                return Err(ErrorCode::ContentIdTwice.in_field(&field("ContentId"), "is there twice"));
            }
        }
        let mut results = Vec::with_capacity(self.contents.len());
        for content in self.contents {
            let (code, info, judgement) = match judge(call, &content.kind, &content.content).await {
                Ok(judgement) => (0, String::new(), Some(judgement)),
                Err(error) => {
                    let error = Family::MODERATION.tell(error);
                    (error.code.number(), error.info.into_owned(), None)
                }
            };
            results.push(BatchResult { id: content.id, code, info, judgement });
        }
        Ok(ModeratedBatch { request: Requested::new(call), results })
    }
}
