//! Commands on a client's login and on what it tells about itself.

pub mod heartbeat_alive;
pub mod im_open_status_ws_get_user_status;
pub mod im_open_status_ws_set_custom_status;
pub mod im_open_status_ws_status_subscribe;
pub mod im_open_status_ws_status_unsubscribe;
pub mod im_open_status_wshello;
pub mod im_open_status_wslogin;
pub mod im_open_status_wslogout;
pub mod openim_authkey;

use command::{AnyCommand, Call, Erased};
use model::{ErrorCode, Result};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<heartbeat_alive::Beat>::boxed(),
        Erased::<im_open_status_ws_get_user_status::GetStatus>::boxed(),
        Erased::<im_open_status_ws_set_custom_status::SetCustomStatus>::boxed(),
        Erased::<im_open_status_ws_status_subscribe::Subscribe>::boxed(),
        Erased::<im_open_status_ws_status_unsubscribe::Unsubscribe>::boxed(),
        Erased::<im_open_status_wshello::Hello>::boxed(),
        Erased::<im_open_status_wslogin::LogIn>::boxed(),
        Erased::<im_open_status_wslogout::LogOut>::boxed(),
        Erased::<openim_authkey::GetFileKey>::boxed(),
    ]
}

/// Whether the app offers user status.
///
/// # Errors
/// `StatusOff`.
fn status_is_on(call: &Call) -> Result<()> {
    if call.app.settings.user_status { Ok(()) } else { Err(ErrorCode::StatusOff.into()) }
}

/// An account that a status command could not serve.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct StatusError {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Who, if the name is none.
    #[serde(rename = "Invalid_Account")]
    pub invalid: String,
    /// Why.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ErrorInfo")]
    pub info: String,
}

impl StatusError {
    fn unknown(name: String) -> Self {
        let code = ErrorCode::AccountUnknown;
        Self { name, invalid: String::new(), code: code.number(), info: code.sentence().to_owned() }
    }
}
