//! `im_msg_audit/add_local_audit_keywords`: adds keywords that are refused or replaced in what accounts write.

use command::scalar::Lenient;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::local_words::{LocalWord, Requested, at, check_app, check_count};

/// Adds 1 to 10 keywords, all or none; one that is there already is changed. Effective at once.
///
/// They are looked for in the texts of messages that accounts send, in nicknames and in self signatures; not in what
/// administrators send or set. An app has at most 1000, of which at most 100 are regular expressions; those are in the form of
/// the Rust crate `regex`. Also called `im_msg_audit_mgr/add_local_audit_keywords`.
#[derive(Deserialize, JsonSchema)]
pub struct AddKeywords {
    /// The app; if given, the one that is called.
    #[serde(rename = "SdkAppId", default)]
    pub app: Option<Lenient>,
    /// The keywords.
    #[serde(rename = "LocalAuditWords")]
    pub words: Vec<LocalWord>,
}

impl Command for AddKeywords {
    const SPEC: Spec = Spec::new("im_msg_audit/add_local_audit_keywords", Family::MODERATION)
        .aliases(&["im_msg_audit_mgr/add_local_audit_keywords"])
        .fails_with(&[ErrorCode::TooManyKeywords, ErrorCode::DiskFull]);

    type Reply = Requested;

    async fn run(self, call: &Call) -> Result<Requested> {
        check_app(call, self.app)?;
        check_count(self.words.len())?;
        let words = self.words.into_iter().enumerate();
        let keywords = words.map(|(index, word)| word.keyword().map_err(|error| at(index, error)));
        call.engine.moderation.add(call.app.id, keywords.collect::<Result<_>>()?).await?;
        Ok(Requested::new(call))
    }
}
