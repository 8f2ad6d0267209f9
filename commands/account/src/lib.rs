//! Commands by which an app's back end manages accounts and robots.

pub mod im_open_login_svc_account_check;
pub mod im_open_login_svc_account_delete;
pub mod im_open_login_svc_account_import;
pub mod im_open_login_svc_kick;
pub mod im_open_login_svc_multiaccount_import;
pub mod openconfigsvr_getnospeaking;
pub mod openconfigsvr_setnospeaking;
pub mod openim_query_online_status;
pub mod openim_robot_http_svc_create_robot;
pub mod openim_robot_http_svc_delete_robot;
pub mod openim_robot_http_svc_get_all_robots;
pub mod openim_robot_http_svc_send_stream_msg;
pub mod whimbrel_export_create;
pub mod whimbrel_export_get;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<im_open_login_svc_account_check::CheckAccounts>::boxed(),
        Erased::<im_open_login_svc_account_delete::DeleteAccounts>::boxed(),
        Erased::<im_open_login_svc_account_import::ImportAccount>::boxed(),
        Erased::<im_open_login_svc_kick::Kick>::boxed(),
        Erased::<im_open_login_svc_multiaccount_import::ImportAccounts>::boxed(),
        Erased::<openconfigsvr_getnospeaking::ReadMute>::boxed(),
        Erased::<openconfigsvr_setnospeaking::Mute>::boxed(),
        Erased::<openim_query_online_status::QueryStatus>::boxed(),
        Erased::<openim_robot_http_svc_create_robot::CreateRobot>::boxed(),
        Erased::<openim_robot_http_svc_delete_robot::DeleteRobot>::boxed(),
        Erased::<openim_robot_http_svc_get_all_robots::GetRobots>::boxed(),
        Erased::<openim_robot_http_svc_send_stream_msg::StreamOfRobot>::boxed(),
        Erased::<whimbrel_export_create::CreateExport>::boxed(),
        Erased::<whimbrel_export_get::GetExport>::boxed(),
    ]
}
