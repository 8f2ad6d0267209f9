//! `whimbrel_export/get`: reads an export, a page at a time. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use engine::export::ExportPlace;
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads a page of an export. Lines are made of what is live now: nothing that was recalled, erased or has expired since the
/// export was made is in them.
#[derive(Deserialize, JsonSchema)]
pub struct GetExport {
    /// Which export.
    #[serde(rename = "ExportId")]
    pub id: String,
    /// `Next` of the page before; absent for the first one.
    #[serde(rename = "Next", default)]
    pub next: Option<String>,
}

/// A page of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportPage {
    /// Lines of JSON, each an object with a `type`.
    #[serde(rename = "Lines")]
    pub lines: Vec<String>,
    /// What asks for the next page; absent after the last one. A page without lines need not be the last.
    #[serde(rename = "Next", skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Command for GetExport {
    const SPEC: Spec = Spec::new("whimbrel_export/get", Family::ACCOUNT)
        .fails_with(&[ErrorCode::ExportUnknown, ErrorCode::AccountBadParameter]);

    type Reply = ExportPage;

    async fn run(self, call: &Call) -> Result<ExportPage> {
        let place = match self.next.as_deref().filter(|next| !next.is_empty()) {
            Some(next) => ExportPlace::of_text(next)
                .ok_or_else(|| ErrorCode::AccountBadParameter.because("Next: not one of a page"))?,
            None => ExportPlace::default(),
        };
        let page = call.engine.read_export(&call.app, &self.id, place).await?;
        Ok(ExportPage { lines: page.lines, next: page.next.map(|next| next.to_text()) })
    }
}
