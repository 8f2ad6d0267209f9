//! `whimbrel_monitoring/get`: success and delay of the app's commands. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use engine::requests::PointsQuery;
use model::{Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads success and mean delay by command and minute, of the last 2 days: at most 10,000 points, the oldest first.
/// Whoever gets so many asks again from the minute of the last one on, which may not be complete.
#[derive(Deserialize, JsonSchema)]
pub struct GetMonitoring {
    /// From the minute of this second on.
    #[serde(rename = "Since", default)]
    pub since: Option<Seconds>,
    /// Up to and with the minute of this second.
    #[serde(rename = "Until", default)]
    pub until: Option<Seconds>,
    /// Of this command only, such as `openim/sendmsg`.
    #[serde(rename = "Command", default)]
    pub command: Option<String>,
}

/// A minute of a command.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Point {
    /// The first second of the minute.
    #[serde(rename = "Minute")]
    pub minute: Seconds,
    /// The command.
    #[serde(rename = "Command")]
    pub command: String,
    /// Calls that succeeded.
    #[serde(rename = "Succeeded")]
    pub succeeded: u64,
    /// Calls that failed.
    #[serde(rename = "Failed")]
    pub failed: u64,
    /// How long they took on average, in microseconds.
    #[serde(rename = "MeanMicros")]
    pub mean_micros: u64,
}

/// Points for a chart.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Points {
    /// In the order of minutes, then commands.
    #[serde(rename = "Points")]
    pub points: Vec<Point>,
}

impl Command for GetMonitoring {
    const SPEC: Spec = Spec::new("whimbrel_monitoring/get", Family::ACCOUNT).per_second(20);

    type Reply = Points;

    async fn run(self, call: &Call) -> Result<Points> {
        let query = PointsQuery {
            since: self.since.unwrap_or_default(),
            until: self.until.unwrap_or(Seconds(u32::MAX)),
            command: self.command,
        };
        let points = call.engine.monitoring(call.app.id, &query).await?;
        let points = points.into_iter().map(|point| Point {
            minute: point.minute,
            command: point.command,
            succeeded: point.succeeded,
            failed: point.failed,
            mean_micros: point.mean_micros,
        });
        Ok(Points { points: points.collect() })
    }
}
