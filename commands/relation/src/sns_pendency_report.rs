//! `sns.pendency_report`: notes that applications were seen.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Notes up to when the caller has seen its applications.
#[derive(Deserialize, JsonSchema)]
pub struct ReportPending {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// Up to when, in seconds.
    #[serde(rename = "LatestPendencyTimeStamp")]
    pub up_to: Seconds,
}

impl Command for ReportPending {
    const SPEC: Spec = Spec::new("sns/pendency_report", Family::RELATION)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationConflict, ErrorCode::DiskFull]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let owner =
            call.actor("From_Account", self.owner.as_ref(), ErrorCode::RelationAccountUnknown).await?;
        // What is still to come was not seen.
        let up_to = self.up_to.min(call.engine.context.clock.now().seconds());
        call.engine.read_requests(&call.app, &owner, up_to).await?;
        Ok(Done {})
    }
}
