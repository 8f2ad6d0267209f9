//! Drives a server through the crate `tencent_im_rs`, as a back end that knows nothing of it.
//!
//! Arguments: address, SDKAppID, key. Ends with a failed assertion if an answer is not what the crate promises.
//!
//! The crate's functions always say `https`; its own parts, address and sending, are used one by one instead, so that
//! everything but that word is the crate's: signature, address, request and answer.
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tencent_im_rs::api::v4::common::{
    AssistFlag, BlackListVerifyType, ConversationType, MsgBody, MsgContent, ProfileTag,
};
use tencent_im_rs::api::v4::im_open_login_svc::account_check::{
    AccountCheckRequest, AccountCheckResponse, CheckItem,
};
use tencent_im_rs::api::v4::im_open_login_svc::account_delete::{
    AccountDeleteRequest, AccountDeleteResponse, DeleteItem,
};
use tencent_im_rs::api::v4::im_open_login_svc::account_import::{
    AccountImportRequest, AccountImportResponse,
};
use tencent_im_rs::api::v4::im_open_login_svc::kick::{KickRequest, KickResponse};
use tencent_im_rs::api::v4::im_open_login_svc::multi_account_import::{
    MultiAccountImportRequest, MultiAccountImportResponse,
};
use tencent_im_rs::api::v4::im_open_login_svc::query_online_status::QueryOnlineStatusRequest;
use tencent_im_rs::api::v4::open_im::admin_getroammsg::{AdminGetRoamMsgRequest, AdminGetRoamMsgResponse};
use tencent_im_rs::api::v4::open_im::admin_msg_withdraw::{
    AdminMsgWithdrawRequest, AdminMsgWithdrawResponse,
};
use tencent_im_rs::api::v4::open_im::admin_set_msg_read::{AdminSetMsgReadRequest, AdminSetMsgReadResponse};
use tencent_im_rs::api::v4::open_im::batch_send_msg::{BatchSendMsgRequest, BatchSendMsgResponse};
use tencent_im_rs::api::v4::open_im::get_c2c_unread_msg_num::{
    GetC2CUnreadMsgNumRequest, GetC2CUnreadMsgNumResponse,
};
use tencent_im_rs::api::v4::open_im::send_msg::{SendMsgRequest, SendMsgResponse};
use tencent_im_rs::api::v4::profile::portrait_get::{PortraitGetRequest, PortraitGetResponse};
use tencent_im_rs::api::v4::profile::portrait_set::{PortraitSetRequest, PortraitSetResponse, ProfileItem};
use tencent_im_rs::api::v4::recent_contact::delete::{DeleteRequest, DeleteResponse};
use tencent_im_rs::api::v4::recent_contact::get_list::{GetListRequest, GetListResponse};
use tencent_im_rs::api::v4::sns::black_list_add::{BlackListAddRequest, BlackListAddResponse};
use tencent_im_rs::api::v4::sns::black_list_check::{BlackListCheckRequest, BlackListCheckResponse};
use tencent_im_rs::api::v4::sns::black_list_delete::{BlackListDeleteRequest, BlackListDeleteResponse};
use tencent_im_rs::api::v4::sns::black_list_get::{BlackListGetRequest, BlackListGetResponse};
use tencent_im_rs::api::v4::{TencentHelper, make_url, send};
use tencent_im_rs::user_sig::hmac_sha256::TencentSig;

struct BackEnd(TencentHelper);

impl BackEnd {
    /// Asks in the crate's types; the answer, read by the crate, as JSON again.
    async fn ask<S: Serialize, R: DeserializeOwned + Serialize>(
        &mut self,
        command: &str,
        request: S,
    ) -> Value {
        let url = make_url(&self.0, format!("v4/{command}")).replacen("https://", "http://", 1);
        let answer: R =
            send(&mut self.0, url, &request).await.unwrap_or_else(|error| panic!("{command}: {error}"));
        serde_json::to_value(answer).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// As `ask`, for what has to succeed.
    async fn done<S: Serialize, R: DeserializeOwned + Serialize>(
        &mut self,
        command: &str,
        request: S,
    ) -> Value {
        let answer = self.ask::<S, R>(command, request).await;
        assert_eq!(answer["ErrorCode"], 0, "{command}: {answer}");
        assert_eq!(answer["ActionStatus"], "OK", "{command}: {answer}");
        answer
    }
}

fn text(content: &str) -> Vec<MsgBody> {
    vec![MsgBody::new(MsgContent::str_text(), MsgContent::content_text(content))]
}

async fn accounts(back_end: &mut BackEnd) {
    let mut alice = AccountImportRequest::new("alice");
    alice.set_nick(Some("Alice"));
    back_end.done::<_, AccountImportResponse>("im_open_login_svc/account_import", alice).await;
    let others = MultiAccountImportRequest::new(vec!["bob", "carol"]);
    back_end.done::<_, MultiAccountImportResponse>("im_open_login_svc/multiaccount_import", others).await;
    let check = AccountCheckRequest::new(vec![CheckItem::new("alice"), CheckItem::new("nobody")]);
    let answer = back_end.done::<_, AccountCheckResponse>("im_open_login_svc/account_check", check).await;
    assert_eq!(answer["ResultItem"][0]["AccountStatus"], "Imported", "{answer}");
    assert_eq!(answer["ResultItem"][1]["AccountStatus"], "NotImported", "{answer}");
    // The crate reads `State`, the name in the retired form of this answer; the documented one is `Status`.
    let status = QueryOnlineStatusRequest::new(vec!["alice"]);
    let answer = back_end.done::<_, Value>("openim/query_online_status", status).await;
    assert_eq!(answer["QueryResult"][0]["Status"], "Offline", "{answer}");
}

async fn profiles(back_end: &mut BackEnd) {
    let item = ProfileItem::new("Tag_Profile_IM_Nick".to_owned(), ProfileTag::tag_nick("Bob"));
    let set = PortraitSetRequest::new("bob".to_owned(), vec![item]);
    back_end.done::<_, PortraitSetResponse>("profile/portrait_set", set).await;
    let get = PortraitGetRequest::new(vec!["alice", "bob"], vec!["Tag_Profile_IM_Nick"; 2][..1].to_vec());
    let answer = back_end.done::<_, PortraitGetResponse>("profile/portrait_get", get).await;
    let nick = |at: usize| &answer["UserProfileItem"][at]["ProfileItem"][0]["Value"];
    assert_eq!((nick(0), nick(1)), (&json!("Alice"), &json!("Bob")), "{answer}");
}

async fn messages(back_end: &mut BackEnd) {
    let mut message = SendMsgRequest::new("bob", 7, text("hello bob"));
    message.set_from_account(Some("alice")).set_msg_seq(Some(1)).set_cloud_custom_data(Some("data"));
    let sent = back_end.done::<_, SendMsgResponse>("openim/sendmsg", message).await;
    let key = sent["MsgKey"].as_str().expect("MsgKey").to_owned();
    let mut batch = BatchSendMsgRequest::new(vec!["bob", "nobody"], 8, text("hello all"));
    batch.set_from_account(Some("alice")).set_msg_seq(Some(2));
    let answer = back_end.ask::<_, BatchSendMsgResponse>("openim/batchsendmsg", batch).await;
    assert_eq!(answer["ErrorList"][0]["To_Account"], "nobody", "{answer}");
    let history = || AdminGetRoamMsgRequest::new("bob", "alice", 10, 0, u32::MAX);
    let answer = back_end.done::<_, AdminGetRoamMsgResponse>("openim/admin_getroammsg", history()).await;
    assert_eq!(answer["MsgCnt"], 2, "{answer}");
    assert_eq!(answer["Complete"], 1, "{answer}");
    let texts: Vec<&Value> = answer["MsgList"]
        .as_array()
        .expect("MsgList")
        .iter()
        .map(|message| &message["MsgBody"][0]["MsgContent"]["Text"])
        .collect();
    assert!(texts.contains(&&json!("hello bob")) && texts.contains(&&json!("hello all")), "{answer}");
    let unread = || GetC2CUnreadMsgNumRequest::new("bob");
    let answer =
        back_end.done::<_, GetC2CUnreadMsgNumResponse>("openim/get_c2c_unread_msg_num", unread()).await;
    assert_eq!(answer["AllC2CUnreadMsgNum"], 2, "{answer}");
    let read = AdminSetMsgReadRequest::new("bob", "alice");
    back_end.done::<_, AdminSetMsgReadResponse>("openim/admin_set_msg_read", read).await;
    let answer =
        back_end.done::<_, GetC2CUnreadMsgNumResponse>("openim/get_c2c_unread_msg_num", unread()).await;
    assert_eq!(answer["AllC2CUnreadMsgNum"], 0, "{answer}");
    let recall = AdminMsgWithdrawRequest::new("alice", "bob", &key);
    back_end.done::<_, AdminMsgWithdrawResponse>("openim/admin_msgwithdraw", recall).await;
    let answer = back_end.done::<_, AdminGetRoamMsgResponse>("openim/admin_getroammsg", history()).await;
    let recalled =
        answer["MsgList"].as_array().expect("MsgList").iter().find(|message| message["MsgKey"] == key);
    assert!(recalled.is_none_or(|message| message["MsgFlagBits"] == 8), "{answer}");
}

async fn relations(back_end: &mut BackEnd) {
    let add = BlackListAddRequest::new("bob", vec!["alice"]);
    back_end.done::<_, BlackListAddResponse>("sns/black_list_add", add).await;
    let get = BlackListGetRequest::new("bob", 0, 10, 0);
    let answer = back_end.done::<_, BlackListGetResponse>("sns/black_list_get", get).await;
    assert_eq!(answer["BlackListItem"][0]["To_Account"], "alice", "{answer}");
    let kind = BlackListVerifyType::BlackCheckResultTypeBoth;
    let check = BlackListCheckRequest::new("bob", vec!["alice"], kind);
    let answer = back_end.done::<_, BlackListCheckResponse>("sns/black_list_check", check).await;
    let relation = &answer["BlackListCheckItem"][0]["Relation"];
    assert_eq!(relation, "BlackCheckResult_Type_AWithB", "{answer}");
    let delete = BlackListDeleteRequest::new("bob", vec!["alice"]);
    back_end.done::<_, BlackListDeleteResponse>("sns/black_list_delete", delete).await;
}

async fn conversations(back_end: &mut BackEnd) {
    let list = || GetListRequest::new("bob", 0, 0, 0, 0, AssistFlag::PINNED);
    let answer = back_end.done::<_, GetListResponse>("recentcontact/get_list", list()).await;
    assert_eq!(answer["SessionItem"][0]["To_Account"], "alice", "{answer}");
    let mut delete = DeleteRequest::new("bob", ConversationType::OneToOne);
    delete.set_to_account(Some("alice"));
    back_end.done::<_, DeleteResponse>("recentcontact/delete", delete).await;
    let answer = back_end.done::<_, GetListResponse>("recentcontact/get_list", list()).await;
    assert!(answer["SessionItem"].as_array().is_none_or(Vec::is_empty), "{answer}");
}

async fn the_end(back_end: &mut BackEnd) {
    back_end.done::<_, KickResponse>("im_open_login_svc/kick", KickRequest::new("alice")).await;
    let delete = AccountDeleteRequest::new(vec![DeleteItem::new("carol")]);
    let answer = back_end.done::<_, AccountDeleteResponse>("im_open_login_svc/account_delete", delete).await;
    assert_eq!(answer["ResultItem"][0]["ResultCode"], 0, "{answer}");
    let answer = back_end.ask::<_, KickResponse>("im_open_login_svc/kick", KickRequest::new("carol")).await;
    assert_eq!(answer["ErrorCode"], 70_107, "{answer}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, app, key] = arguments.as_slice() else {
        panic!("address, SDKAppID and key are expected");
    };
    let app = app.parse().expect("a number");
    let administrator = "administrator".to_owned();
    let signature = TencentSig::new(app, key.clone())
        .generate_user_sig(administrator.clone(), 86_400)
        .expect("a signature");
    let mut back_end = BackEnd(TencentHelper::new(address.clone(), app, administrator, signature));
    accounts(&mut back_end).await;
    profiles(&mut back_end).await;
    messages(&mut back_end).await;
    relations(&mut back_end).await;
    conversations(&mut back_end).await;
    the_end(&mut back_end).await;
}
