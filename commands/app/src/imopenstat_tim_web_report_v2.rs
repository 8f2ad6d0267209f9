//! `imopenstat.tim_web_report_v2`: telemetry of the SDK.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::Deserialize;

/// Takes telemetry and throws it away: nothing of it is looked at or kept.
#[derive(Deserialize, JsonSchema)]
pub struct Report {}

impl Command for Report {
    const SPEC: Spec = Spec::new("imopenstat/tim_web_report_v2", Family::MESSAGE).callers(Callers::ANYBODY);

    type Reply = Done;

    async fn run(self, _: &Call) -> Result<Done> {
        Ok(Done {})
    }
}
