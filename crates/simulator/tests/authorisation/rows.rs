//! The matrix, one row for each command: who may call it, and what becomes of a call in another's name.

/// Who may call a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Administrators over REST; an account is refused with this number.
    Administrator(i64),
    /// Accounts over the socket.
    Account,
    /// Both.
    Both,
    /// Every connection, logged in or not.
    Anybody,
    /// Accounts over the socket, who are told with 60020 that it is not here.
    Nobody,
}

/// What becomes of an account's call that names another account as the one who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// It is refused with this number.
    Refused(i64),
    /// The name is not looked at: the caller acts in its own name.
    Ignored,
}

use Foreign::{Ignored, Refused};
use Who::{Account, Administrator, Anybody, Both, Nobody};

/// A command.
pub(crate) struct Row {
    /// Its name.
    pub(crate) command: &'static str,
    /// Who may call it.
    pub(crate) who: Who,
    /// What becomes of a call in another's name.
    pub(crate) foreign: Foreign,
    /// A request that does something. `$ME` acts on `$PEER`; `$SEQ`, `$RANDOM` and `$TIME` name a message from
    /// `$ME` to `$PEER`, `$PSEQ`, `$PRANDOM` and `$PTIME` one from `$PEER` to `$ME`; `$PROPOSAL` applies a retention, `$EXPORT`
    /// names an export, `$MERGED` merged messages. `@RBT#known` is a robot. In the hour before there is a message, too.
    pub(crate) body: &'static str,
}

const fn row(command: &'static str, who: Who, foreign: Foreign, body: &'static str) -> Row {
    Row { command, who, foreign, body }
}

const BY_GATEWAY: Who = Administrator(60010);
const BY_ROBOT: Who = Administrator(10008);
const BY_ACCOUNT: Who = Administrator(70403);
const BY_MESSAGE: Who = Administrator(90009);
const BY_PROFILE: Who = Administrator(40004);
const BY_RELATION: Who = Administrator(30004);
const BY_CONTACT: Who = Administrator(50003);
const HI: &str = r#"{"From_Account":"$ME","To_Account":"$PEER","MsgSeq":1,"MsgRandom":2,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#;
const HI_TO_MANY: &str = r#"{"From_Account":"$ME","To_Account":["$PEER"],"MsgSeq":1,"MsgRandom":2,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#;
const IMPORT: &str = r#"{"SyncFromOldSystem":5,"From_Account":"$ME","To_Account":"$PEER","MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":$TIME,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#;
const PAGE: &str = r#"{"Operator_Account":"$ME","Peer_Account":"$PEER","MaxCnt":10,"MinTime":0,"MaxTime":4000000000,"From_Account":"$ME"}"#;

/// Every row, in the order of the names.
pub(crate) const ROWS: &[Row] = &[
    row(
        "follow/follow_add",
        Both,
        Refused(30003),
        r#"{"From_Account":"$ME","FollowItem":[{"To_Account":"$PEER"}]}"#,
    ),
    row("follow/follow_check", Both, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row("follow/follow_delete", Both, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row("follow/follow_get", Both, Refused(30003), r#"{"From_Account":"$ME","FollowType":1}"#),
    row("follow/follow_get_info", Both, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row("group_member_search/query", Account, Ignored, r#"{"Keywords":["hello"]}"#),
    row("group_open_http_svc/get_joined_group_list", Account, Ignored, r#"{"Member_Account":"$ME"}"#),
    row("group_search/query", Account, Ignored, r#"{"Keywords":["hello"]}"#),
    row("heartbeat/alive", Anybody, Ignored, "{}"),
    row("im_long_msg/get_relay_json_msg", Account, Ignored, r#"{"JsonMsgKey":"$MERGED"}"#),
    row("im_long_msg/save_relay_json_msg", Account, Ignored, r#"{"MsgList":[{"MsgBody":[]}]}"#),
    row(
        "im_msg_audit/add_local_audit_keywords",
        BY_GATEWAY,
        Ignored,
        r#"{"LocalAuditWords":[{"Keyword":"bad","WordType":1,"FilterType":2}]}"#,
    ),
    row(
        "im_msg_audit/batch_content_moderation",
        BY_GATEWAY,
        Ignored,
        r#"{"AuditName":"C2C","Contents":[{"ContentId":1,"ContentType":"Text","Content":"hi"}]}"#,
    ),
    row(
        "im_msg_audit/content_moderation",
        BY_GATEWAY,
        Ignored,
        r#"{"AuditName":"C2C","ContentType":"Text","Content":"hi"}"#,
    ),
    row(
        "im_msg_audit/delete_local_audit_keywords",
        BY_GATEWAY,
        Ignored,
        r#"{"LocalAuditWords":[{"Keyword":"bad","WordType":1}]}"#,
    ),
    row("im_msg_audit/get_local_audit_keywords", BY_GATEWAY, Ignored, "{}"),
    row("im_msg_audit_mgr/get_local_words", Account, Ignored, r#"{"uint64_version":0}"#),
    row("im_msg_db_logic/ws_get_do_not_disturb", Account, Refused(90012), r#"{"To_Account":"$ME"}"#),
    row(
        "im_msg_db_logic/ws_set_do_not_disturb",
        Account,
        Ignored,
        r#"{"Level":2,"StartTime":100,"EndTime":200,"IsRepeated":1}"#,
    ),
    row("im_open_login_svc/account_check", BY_ACCOUNT, Ignored, r#"{"CheckItem":[{"UserID":"$ME"}]}"#),
    row("im_open_login_svc/account_delete", BY_ACCOUNT, Ignored, r#"{"DeleteItem":[{"UserID":"$ME"}]}"#),
    row("im_open_login_svc/account_import", BY_ACCOUNT, Ignored, r#"{"UserID":"$ME","Nick":"changed"}"#),
    row("im_open_login_svc/kick", BY_ACCOUNT, Ignored, r#"{"UserID":"$ME"}"#),
    row(
        "im_open_login_svc/multiaccount_import",
        BY_ACCOUNT,
        Ignored,
        r#"{"AccountList":[{"UserID":"$ME","Nick":"changed"}]}"#,
    ),
    row("im_open_speech/ws_sentence_recognition", Nobody, Ignored, "{}"),
    row(
        "im_open_status/ws_get_user_status",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#,
    ),
    row(
        "im_open_status/ws_set_custom_status",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","CustomStatus":"busy"}"#,
    ),
    row(
        "im_open_status/ws_status_subscribe",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#,
    ),
    row(
        "im_open_status/ws_status_unsubscribe",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","UnsubscribeAll":1}"#,
    ),
    row("im_open_status/wshello", Account, Ignored, r#"{"From_Account":"$ME","is_web_uniapp":0}"#),
    row("im_open_status/wslogin", Anybody, Ignored, r#"{"From_Account":"$ME","State":"Online"}"#),
    row("im_open_status/wslogout", Anybody, Ignored, r#"{"From_Account":"$ME","wslogout_type":0}"#),
    row("im_open_translate/ws_batch_trans_text", Nobody, Ignored, "{}"),
    row("im_sdk_config_mgr/fetch_config", Anybody, Ignored, "{}"),
    row("im_sdk_config_mgr/fetch_imsdk_purchase_bitsv2", Anybody, Ignored, "{}"),
    row("imopenstat/tim_web_report_v2", Anybody, Ignored, "{}"),
    row("message_search/query", Account, Ignored, r#"{"From_Account":"$ME","KeywordList":["hello"]}"#),
    row("million_group_open_http_svc/get_joined_group_list", Account, Ignored, r#"{"Member_Account":"$ME"}"#),
    row("open_msg_svc/get_history", BY_GATEWAY, Ignored, r#"{"ChatType":"C2C","MsgTime":"2025100915"}"#),
    row("openconfigsvr/getappinfo", BY_GATEWAY, Ignored, "{}"),
    row("openconfigsvr/getnospeaking", BY_GATEWAY, Ignored, r#"{"Get_Account":"$ME"}"#),
    row(
        "openconfigsvr/setnospeaking",
        BY_GATEWAY,
        Ignored,
        r#"{"Set_Account":"$ME","C2CmsgNospeakingTime":60}"#,
    ),
    row(
        "openim/admin_getroammsg",
        BY_MESSAGE,
        Ignored,
        r#"{"Operator_Account":"$ME","Peer_Account":"$PEER","MaxCnt":10,"MinTime":0,"MaxTime":4000000000}"#,
    ),
    row(
        "openim/admin_msgwithdraw",
        BY_MESSAGE,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKey":"$SEQ_$RANDOM_$TIME"}"#,
    ),
    row(
        "openim/admin_set_msg_read",
        BY_MESSAGE,
        Ignored,
        r#"{"Report_Account":"$ME","Peer_Account":"$PEER"}"#,
    ),
    row("openim/authkey", Account, Ignored, "{}"),
    row("openim/batchsendmsg", BY_MESSAGE, Ignored, HI_TO_MANY),
    row(
        "openim/c2c_msg_read_receipt",
        Both,
        Refused(90008),
        r#"{"Operator_Account":"$ME","Peer_Account":"$PEER","C2CMsgInfo":[{"From_Account":"$PEER","To_Account":"$ME","MsgKey":"$PSEQ_$PRANDOM_$PTIME"}]}"#,
    ),
    row(
        "openim/delete_c2c_msg_ramble",
        Both,
        Refused(90008),
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKeyList":["$SEQ_$RANDOM_$TIME"]}"#,
    ),
    row(
        "openim/get_c2c_peer_mute_notifications",
        Account,
        Refused(90012),
        r#"{"To_Account":"$ME","From_Account":"$ME","Peer_Account":["$PEER"]}"#,
    ),
    row("openim/get_c2c_unread_msg_num", BY_MESSAGE, Ignored, r#"{"To_Account":"$ME"}"#),
    row("openim/get_peer_read_time", Account, Ignored, r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row("openim/getmsg", Account, Ignored, r#"{"From_Account":"$ME","Cookie":"","SyncFlag":0}"#),
    row("openim/getroammsg", Account, Ignored, PAGE),
    row("openim/importmsg", BY_MESSAGE, Ignored, IMPORT),
    row(
        "openim/modify_c2c_msg",
        Both,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgSeq":$SEQ,"MsgRandom":$RANDOM,"MsgTime":$TIME,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#,
    ),
    row(
        "openim/msgreaded",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","C2CMsgReaded":{"C2CMsgReadedItem":[{"To_Account":"$PEER","LastedMsgTime":$TIME}]}}"#,
    ),
    row(
        "openim/msgwithdraw",
        Account,
        Refused(90008),
        r#"{"MsgInfo":{"From_Account":"$ME","To_Account":"$PEER","MsgSeq":$SEQ,"MsgRandom":$RANDOM,"MsgTimeStamp":$TIME}}"#,
    ),
    row("openim/query_online_status", BY_MESSAGE, Ignored, r#"{"To_Account":["$ME"]}"#),
    row("openim/read_all_unread_msg", Account, Ignored, r#"{"From_Account":"$ME","C2CReadAllMsg":1}"#),
    row("openim/sendmsg", Both, Refused(90008), HI),
    row(
        "openim/set_c2c_peer_mute_notifications",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","Peer_Account":["$PEER"],"Mute_Notifications":2}"#,
    ),
    row("openim/ws_msg_push_ack", Account, Ignored, r#"{"From_Account":"$ME","SessionData":""}"#),
    row(
        "openim_msg_ext_http_svc/get_key_values",
        Both,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKey":"$SEQ_$RANDOM_$TIME"}"#,
    ),
    row(
        "openim_msg_ext_http_svc/reaction_add",
        Account,
        Refused(90008),
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKey":"$SEQ_$RANDOM_$TIME","Reaction":"new","Add_Account":["$ME"]}"#,
    ),
    row(
        "openim_msg_ext_http_svc/reaction_del",
        Account,
        Refused(90008),
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKey":"$SEQ_$RANDOM_$TIME","Reaction":"old","Del_Account":["$ME"]}"#,
    ),
    row(
        "openim_msg_ext_http_svc/reaction_iterate",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKey":"$SEQ_$RANDOM_$TIME","Reaction":"old","Count":100,"NextSeq":0}"#,
    ),
    row(
        "openim_msg_ext_http_svc/reaction_multi_stat",
        Account,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKeyList":["$SEQ_$RANDOM_$TIME","$PSEQ_$PRANDOM_$PTIME"],"Count":10}"#,
    ),
    row(
        "openim_msg_ext_http_svc/set_key_values",
        Both,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgKey":"$SEQ_$RANDOM_$TIME","OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":0}]}"#,
    ),
    row("openim_robot_http_svc/create_robot", BY_ROBOT, Ignored, r#"{"UserID":"@RBT#$ME","Nick":"changed"}"#),
    row("openim_robot_http_svc/delete_robot", BY_ROBOT, Ignored, r#"{"Robot_Account":"@RBT#known"}"#),
    row("openim_robot_http_svc/get_all_robots", BY_ROBOT, Ignored, "{}"),
    row(
        "openim_robot_http_svc/send_stream_msg",
        BY_ROBOT,
        Ignored,
        r#"{"From_Account":"@RBT#known","To_Account":"$ME","Chunk":"hi","Finish":1}"#,
    ),
    row(
        "profile/portrait_get",
        BY_PROFILE,
        Ignored,
        r#"{"To_Account":["$ME"],"TagList":["Tag_Profile_IM_Nick"]}"#,
    ),
    row(
        "profile/portrait_get_all",
        Account,
        Refused(40003),
        r#"{"From_Account":"$ME","UserItem":[{"To_Account":"$PEER"}]}"#,
    ),
    row(
        "profile/portrait_set",
        Both,
        Refused(40003),
        r#"{"From_Account":"$ME","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"changed"}]}"#,
    ),
    row(
        "recentcontact/batch_delete",
        Account,
        Refused(50001),
        r#"{"From_Account":"$ME","ClearRamble":1,"ContactItem":[{"Type":1,"To_Account":"$PEER"}]}"#,
    ),
    row(
        "recentcontact/clear_msg",
        Account,
        Refused(50001),
        r#"{"From_Account":"$ME","Type":1,"To_Account":"$PEER"}"#,
    ),
    row(
        "recentcontact/create_contact_group",
        Both,
        Refused(50001),
        r#"{"From_Account":"$ME","GroupContactItem":[{"GroupName":"friends","ContactItem":[{"Type":1,"To_Account":"$PEER"}]}]}"#,
    ),
    row(
        "recentcontact/del_contact_group",
        Both,
        Refused(50001),
        r#"{"From_Account":"$ME","GroupName":["family"]}"#,
    ),
    row(
        "recentcontact/delete",
        BY_CONTACT,
        Ignored,
        r#"{"From_Account":"$ME","Type":1,"To_Account":"$PEER","ClearRamble":1}"#,
    ),
    row("recentcontact/get_contact_group", Both, Refused(50001), r#"{"From_Account":"$ME","StartIndex":0}"#),
    row(
        "recentcontact/get_list",
        BY_CONTACT,
        Ignored,
        r#"{"From_Account":"$ME","TimeStamp":0,"StartIndex":0,"TopTimeStamp":0,"TopStartIndex":0,"AssistFlags":63}"#,
    ),
    row(
        "recentcontact/mark_contact",
        Both,
        Refused(50001),
        r#"{"From_Account":"$ME","MarkItem":[{"OptType":1,"ContactItem":{"Type":1,"To_Account":"$PEER"},"SetMark":[0]}]}"#,
    ),
    row(
        "recentcontact/page_get",
        Account,
        Refused(50001),
        r#"{"From_Account":"$ME","TimeStamp":0,"StartIndex":0}"#,
    ),
    row(
        "recentcontact/search_contact_group",
        Both,
        Refused(50001),
        r#"{"From_Account":"$ME","ContactItem":[{"Type":1,"To_Account":"$PEER"}]}"#,
    ),
    row(
        "recentcontact/top",
        Both,
        Refused(50001),
        r#"{"From_Account":"$ME","OperationType":1,"RecentContactItem":[{"Type":1,"To_Account":"$PEER"}]}"#,
    ),
    row(
        "recentcontact/update_contact_group",
        Both,
        Refused(50001),
        r#"{"From_Account":"$ME","UpdateType":1,"UpdateGroup":{"UpdateGroupType":1,"OldGroupName":"family","NewGroupName":"kin"}}"#,
    ),
    row("sns/black_list_add", Both, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row(
        "sns/black_list_check",
        BY_RELATION,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":["$PEER"],"CheckType":"BlackCheckResult_Type_Both"}"#,
    ),
    row("sns/black_list_delete", Both, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row(
        "sns/black_list_get",
        Both,
        Refused(30003),
        r#"{"From_Account":"$ME","StartIndex":0,"MaxLimited":100,"LastSequence":0}"#,
    ),
    row(
        "sns/friend_add",
        Both,
        Refused(30003),
        r#"{"From_Account":"$ME","AddFriendItem":[{"To_Account":"$PEER","AddSource":"AddSource_Type_Web"}]}"#,
    ),
    row(
        "sns/friend_check",
        Both,
        Refused(30003),
        r#"{"From_Account":"$ME","To_Account":["$PEER"],"CheckType":"CheckResult_Type_Both"}"#,
    ),
    row("sns/friend_delete", Both, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row("sns/friend_delete_all", BY_RELATION, Ignored, r#"{"From_Account":"$ME"}"#),
    row("sns/friend_get", Both, Refused(30003), r#"{"From_Account":"$ME"}"#),
    row(
        "sns/friend_get_list",
        Both,
        Refused(30003),
        r#"{"From_Account":"$ME","To_Account":["$PEER"],"TagList":["Tag_SNS_IM_Remark"]}"#,
    ),
    row(
        "sns/friend_get_specified",
        Account,
        Refused(30003),
        r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#,
    ),
    row(
        "sns/friend_import",
        BY_RELATION,
        Ignored,
        r#"{"From_Account":"$ME","AddFriendItem":[{"To_Account":"$PEER","AddSource":"AddSource_Type_Web"}]}"#,
    ),
    row(
        "sns/friend_response",
        Account,
        Refused(30003),
        r#"{"From_Account":"$ME","ResponseFriendItem":[{"To_Account":"$PEER","ResponseAction":"Response_Action_Agree"}]}"#,
    ),
    row(
        "sns/friend_update",
        Both,
        Refused(30003),
        r#"{"From_Account":"$ME","UpdateItem":[{"To_Account":"$PEER","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"x"}]}]}"#,
    ),
    row("sns/group_add", Both, Refused(30003), r#"{"From_Account":"$ME","GroupName":["another"]}"#),
    row("sns/group_delete", Both, Refused(30003), r#"{"From_Account":"$ME","GroupName":["matrix"]}"#),
    row("sns/group_get", Both, Refused(30003), r#"{"From_Account":"$ME"}"#),
    row(
        "sns/group_update",
        Account,
        Refused(30003),
        r#"{"From_Account":"$ME","GroupOldName":"matrix","GroupNewName":"other"}"#,
    ),
    row("sns/pendency_delete", Account, Refused(30003), r#"{"From_Account":"$ME","To_Account":["$PEER"]}"#),
    row("sns/pendency_get", Account, Refused(30003), r#"{"From_Account":"$ME"}"#),
    row(
        "sns/pendency_report",
        Account,
        Refused(30003),
        r#"{"From_Account":"$ME","LatestPendencyTimeStamp":1}"#,
    ),
    row(
        "stream_msg/send_c2c_stream_msg",
        BY_MESSAGE,
        Ignored,
        r#"{"From_Account":"$ME","To_Account":"$PEER","MsgRandom":2,"MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Chunks":[{"Index":1,"Markdown":"hi","IsLast":true}]}}]}"#,
    ),
    row("user_search/query", Account, Ignored, r#"{"Keywords":["hello"]}"#),
    row("whimbrel_config/get", BY_ACCOUNT, Ignored, "{}"),
    row("whimbrel_config/history", BY_ACCOUNT, Ignored, "{}"),
    row("whimbrel_config/set", BY_ACCOUNT, Ignored, r#"{"Settings":{"introduction":"hello"}}"#),
    row("whimbrel_conversation/erase", BY_CONTACT, Ignored, r#"{"From_Account":"$ME","To_Account":"$PEER"}"#),
    row("whimbrel_export/create", BY_ACCOUNT, Ignored, r#"{"UserID":"$ME"}"#),
    row("whimbrel_export/get", BY_ACCOUNT, Ignored, r#"{"ExportId":"$EXPORT"}"#),
    row("whimbrel_log/get", BY_ACCOUNT, Ignored, "{}"),
    row("whimbrel_monitoring/get", BY_ACCOUNT, Ignored, "{}"),
    row("whimbrel_receipts/get", BY_ACCOUNT, Ignored, "{}"),
    row("whimbrel_retention/apply", BY_ACCOUNT, Ignored, r#"{"Token":"$PROPOSAL"}"#),
    row("whimbrel_retention/get", BY_ACCOUNT, Ignored, "{}"),
    row("whimbrel_retention/propose", BY_ACCOUNT, Ignored, r#"{"MessageDays":30}"#),
];
