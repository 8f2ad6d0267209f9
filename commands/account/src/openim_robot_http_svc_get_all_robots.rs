//! `openim_robot_http_svc/get_all_robots`: the app's robots.

use command::{Call, Command, Family, Spec};
use model::{Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the app's robots, at most 20, the oldest account first (page 1047/55280).
#[derive(Deserialize, JsonSchema)]
pub struct GetRobots {}

/// The robots of an app.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RobotList {
    /// Their names.
    #[serde(rename = "Robot_Account")]
    pub robots: Vec<UserId>,
}

impl Command for GetRobots {
    const SPEC: Spec = Spec::new("openim_robot_http_svc/get_all_robots", Family::ROBOT);

    type Reply = RobotList;

    async fn run(self, call: &Call) -> Result<RobotList> {
        let robots = call.engine.robots(call.app.id).await?;
        Ok(RobotList { robots: robots.into_iter().map(|robot| robot.user).collect() })
    }
}
