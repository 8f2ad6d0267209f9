//! `im_msg_audit/content_moderation`: looks for the app's keywords in a text, on demand.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::local_words::{Judgement, Requested, check_audit_name, judge};

/// Looks for the app's keywords in a text of at most 8 KB. Images, audio and video are answered with 2015: nothing looks at them.
#[derive(Deserialize, JsonSchema)]
pub struct ModerateContent {
    /// For what: `C2C`, `Group`, `UserInfo`, `GroupInfo`, `GroupMemberInfo` or `RelationChain`. Keywords apply to all alike.
    #[serde(rename = "AuditName")]
    pub audit_name: String,
    /// `Text`.
    #[serde(rename = "ContentType")]
    pub kind: String,
    /// The text.
    #[serde(rename = "Content")]
    pub content: String,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Moderated {
    /// The name of the request.
    #[serde(flatten)]
    pub request: Requested,
    /// What was found.
    #[serde(flatten)]
    pub judgement: Judgement,
}

impl Command for ModerateContent {
    const SPEC: Spec = Spec::new("im_msg_audit/content_moderation", Family::MODERATION)
        .fails_with(&[ErrorCode::ModerationOff, ErrorCode::ContentTooLong]);

    type Reply = Moderated;

    async fn run(self, call: &Call) -> Result<Moderated> {
        check_audit_name(&self.audit_name)?;
        let judgement = judge(call, &self.kind, &self.content).await?;
        Ok(Moderated { request: Requested::new(call), judgement })
    }
}
