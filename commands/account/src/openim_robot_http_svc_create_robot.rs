//! `openim_robot_http_svc/create_robot`: makes a robot.

use command::{Call, Command, Done, Family, Spec};
use model::profile::{IMAGE, NICK, SELF_SIGNATURE, Writer, checked, is_stored};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::im_open_login_svc_account_import::set_fields;

/// Makes a robot, or updates the given profile fields of one that is there (page 1047/55281).
///
/// A robot is an account for which the app's back end speaks: it sends with the robot as `From_Account`. An app has at most 20.
#[derive(Deserialize, JsonSchema)]
pub struct CreateRobot {
    /// Its name; begins with `@RBT#`.
    #[serde(rename = "UserID")]
    pub user: UserId,
    /// Its nickname; at most 500 bytes, as the next two.
    #[serde(rename = "Nick", default)]
    pub nick: Option<String>,
    /// The address of its avatar.
    #[serde(rename = "FaceUrl", default)]
    pub image: Option<String>,
    /// What it says of itself.
    #[serde(rename = "SelfSignature", default)]
    pub self_signature: Option<String>,
}

impl Command for CreateRobot {
    const SPEC: Spec = Spec::new("openim_robot_http_svc/create_robot", Family::ROBOT)
        .fails_with(&[ErrorCode::RobotRefused, ErrorCode::DiskFull]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let given = [
            ("Nick", NICK, self.nick),
            ("FaceUrl", IMAGE, self.image),
            ("SelfSignature", SELF_SIGNATURE, self.self_signature),
        ];
        let mut fields = Vec::new();
        for (name, tag, value) in given {
            let Some(value) = value.filter(|_| is_stored(&call.app.settings, tag)) else { continue };
            let value = checked(&call.app.settings, tag, &value.into(), Writer::Administrator)
                .map_err(|_| ErrorCode::RobotBadParameter.in_field(name, "at most 500 bytes"))?;
            fields.push((tag.to_owned(), value));
        }
        let robot = call.engine.make_robot(&call.app, &self.user).await?;
        set_fields(call, &robot, fields).await?;
        Ok(Done {})
    }
}
