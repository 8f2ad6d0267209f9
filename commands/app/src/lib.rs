//! Commands on the app: what clients learn of its settings, the telemetry they send, what it did, how long it keeps what, and
//! which words it refuses.

pub mod im_msg_audit_add_local_audit_keywords;
pub mod im_msg_audit_batch_content_moderation;
pub mod im_msg_audit_content_moderation;
pub mod im_msg_audit_delete_local_audit_keywords;
pub mod im_msg_audit_get_local_audit_keywords;
pub mod im_msg_audit_mgr_get_local_words;
pub mod im_sdk_config_mgr_fetch_config;
pub mod im_sdk_config_mgr_fetch_imsdk_purchase_bitsv2;
pub mod imopenstat_tim_web_report_v2;
pub mod local_words;
pub mod openconfigsvr_getappinfo;
pub mod whimbrel_config_get;
pub mod whimbrel_config_history;
pub mod whimbrel_config_set;
pub mod whimbrel_log_get;
pub mod whimbrel_monitoring_get;
pub mod whimbrel_receipts_get;
pub mod whimbrel_retention_apply;
pub mod whimbrel_retention_get;
pub mod whimbrel_retention_propose;
mod wire;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<im_msg_audit_add_local_audit_keywords::AddKeywords>::boxed(),
        Erased::<im_msg_audit_batch_content_moderation::ModerateContents>::boxed(),
        Erased::<im_msg_audit_content_moderation::ModerateContent>::boxed(),
        Erased::<im_msg_audit_delete_local_audit_keywords::DeleteKeywords>::boxed(),
        Erased::<im_msg_audit_get_local_audit_keywords::GetKeywords>::boxed(),
        Erased::<im_msg_audit_mgr_get_local_words::GetLocalWords>::boxed(),
        Erased::<im_sdk_config_mgr_fetch_config::FetchConfig>::boxed(),
        Erased::<im_sdk_config_mgr_fetch_imsdk_purchase_bitsv2::FetchAbilities>::boxed(),
        Erased::<imopenstat_tim_web_report_v2::Report>::boxed(),
        Erased::<whimbrel_config_get::GetConfig>::boxed(),
        Erased::<whimbrel_config_history::GetHistory>::boxed(),
        Erased::<whimbrel_config_set::SetConfig>::boxed(),
        Erased::<openconfigsvr_getappinfo::ReadStatistics>::boxed(),
        Erased::<whimbrel_log_get::GetLog>::boxed(),
        Erased::<whimbrel_monitoring_get::GetMonitoring>::boxed(),
        Erased::<whimbrel_receipts_get::GetReceipts>::boxed(),
        Erased::<whimbrel_retention_get::GetRetention>::boxed(),
        Erased::<whimbrel_retention_propose::ProposeRetention>::boxed(),
        Erased::<whimbrel_retention_apply::ApplyRetention>::boxed(),
    ]
}
