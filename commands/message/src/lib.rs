//! Commands on one-to-one messages.

pub mod body;
pub mod im_long_msg_get_relay_json_msg;
pub mod im_long_msg_save_relay_json_msg;
pub mod im_open_speech_ws_sentence_recognition;
pub mod im_open_translate_ws_batch_trans_text;
pub mod open_msg_svc_get_history;
pub mod openim_admin_getroammsg;
pub mod openim_admin_msgwithdraw;
pub mod openim_admin_set_msg_read;
pub mod openim_batchsendmsg;
pub mod openim_c2c_msg_read_receipt;
pub mod openim_delete_c2c_msg_ramble;
pub mod openim_get_c2c_unread_msg_num;
pub mod openim_getmsg;
pub mod openim_getroammsg;
pub mod openim_importmsg;
pub mod openim_modify_c2c_msg;
pub mod openim_msg_ext_http_svc_get_key_values;
pub mod openim_msg_ext_http_svc_reaction_add;
pub mod openim_msg_ext_http_svc_reaction_del;
pub mod openim_msg_ext_http_svc_reaction_iterate;
pub mod openim_msg_ext_http_svc_reaction_multi_stat;
pub mod openim_msg_ext_http_svc_set_key_values;
pub mod openim_msgreaded;
pub mod openim_msgwithdraw;
pub mod openim_read_all_unread_msg;
pub mod openim_sendmsg;
pub mod openim_ws_msg_push_ack;
pub mod stream_msg_send_c2c_stream_msg;
pub mod target;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<im_long_msg_get_relay_json_msg::ReadMerged>::boxed(),
        Erased::<im_long_msg_save_relay_json_msg::StoreMerged>::boxed(),
        Erased::<im_open_speech_ws_sentence_recognition::Recognise>::boxed(),
        Erased::<im_open_translate_ws_batch_trans_text::Translate>::boxed(),
        Erased::<open_msg_svc_get_history::GetArchive>::boxed(),
        Erased::<openim_admin_getroammsg::GetHistoryOf>::boxed(),
        Erased::<openim_admin_msgwithdraw::WithdrawMessage>::boxed(),
        Erased::<openim_admin_set_msg_read::SetRead>::boxed(),
        Erased::<openim_batchsendmsg::SendToMany>::boxed(),
        Erased::<openim_c2c_msg_read_receipt::SendReceipts>::boxed(),
        Erased::<openim_delete_c2c_msg_ramble::DeleteMessages>::boxed(),
        Erased::<openim_get_c2c_unread_msg_num::GetUnread>::boxed(),
        Erased::<openim_getmsg::Synchronise>::boxed(),
        Erased::<openim_getroammsg::GetHistory>::boxed(),
        Erased::<openim_importmsg::ImportMessage>::boxed(),
        Erased::<openim_msg_ext_http_svc_get_key_values::GetExtensions>::boxed(),
        Erased::<openim_msg_ext_http_svc_reaction_add::AddReaction>::boxed(),
        Erased::<openim_msg_ext_http_svc_reaction_del::RemoveReaction>::boxed(),
        Erased::<openim_msg_ext_http_svc_reaction_iterate::GetReacted>::boxed(),
        Erased::<openim_msg_ext_http_svc_reaction_multi_stat::GetReactions>::boxed(),
        Erased::<openim_msg_ext_http_svc_set_key_values::SetExtensions>::boxed(),
        Erased::<openim_modify_c2c_msg::ModifyMessage>::boxed(),
        Erased::<openim_msgreaded::ReportRead>::boxed(),
        Erased::<openim_msgwithdraw::RecallMessage>::boxed(),
        Erased::<openim_read_all_unread_msg::ReadAll>::boxed(),
        Erased::<openim_sendmsg::SendMessage>::boxed(),
        Erased::<openim_ws_msg_push_ack::AcknowledgePush>::boxed(),
        Erased::<stream_msg_send_c2c_stream_msg::SendStream>::boxed(),
    ]
}
