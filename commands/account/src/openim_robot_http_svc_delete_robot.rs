//! `openim_robot_http_svc/delete_robot`: deletes a robot.

use command::{Call, Command, Family, Spec};
use model::{Error, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Deletes a robot with all that belongs to its account, as `account_delete` does (page 1047/55282).
#[derive(Deserialize, JsonSchema)]
pub struct DeleteRobot {
    /// The robot.
    #[serde(rename = "Robot_Account")]
    pub user: UserId,
}

/// What the deletion of an account is answered with beside the envelope: Whimbrel's own.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedRobot {
    /// The number of the receipt that it is hidden.
    #[serde(rename = "Receipt")]
    pub receipt: u64,
    /// What names the account in receipts: SHA-256 over salt, SDKAppID (4 bytes, big endian) and UserID.
    #[serde(rename = "Commitment")]
    pub commitment: String,
    /// The salt, in hexadecimal; kept nowhere.
    #[serde(rename = "Salt")]
    pub salt: String,
}

fn unknown() -> Error {
    ErrorCode::RobotBadParameter.in_field("Robot_Account", "no such robot")
}

impl Command for DeleteRobot {
    const SPEC: Spec = Spec::new("openim_robot_http_svc/delete_robot", Family::ROBOT);

    type Reply = DeletedRobot;

    async fn run(self, call: &Call) -> Result<DeletedRobot> {
        let account = call.engine.accounts.find(call.app.id, &self.user).await?.ok_or_else(unknown)?;
        if !call.engine.is_robot(call.app.id, account.number).await? {
            return Err(unknown());
        }
        let erased = call.engine.erase_account(&call.app, &self.user).await;
        let erasure = erased.map_err(|error| match error.code {
            // Somebody else deleted it at this moment.
            ErrorCode::AccountUnknown => unknown(),
            _ => error,
        })?;
        Ok(DeletedRobot { receipt: erasure.receipt, commitment: erasure.commitment, salt: erasure.salt })
    }
}
