//! What accounts and back ends do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{Answer, text};

use super::Run;
use super::state::{Need, number};

/// Every command that a run gives.
pub(crate) const COMMANDS: [&str; 27] = [
    "follow/follow_add",
    "follow/follow_delete",
    "im_msg_db_logic/ws_set_do_not_disturb",
    "openim/admin_msgwithdraw",
    "openim/admin_set_msg_read",
    "openim/msgreaded",
    "openim/msgwithdraw",
    "openim/sendmsg",
    "openim/set_c2c_peer_mute_notifications",
    "profile/portrait_set",
    "recentcontact/batch_delete",
    "recentcontact/create_contact_group",
    "recentcontact/del_contact_group",
    "recentcontact/delete",
    "recentcontact/mark_contact",
    "recentcontact/top",
    "recentcontact/update_contact_group",
    "sns/black_list_add",
    "sns/black_list_delete",
    "sns/friend_add",
    "sns/friend_delete",
    "sns/friend_response",
    "sns/friend_update",
    "sns/group_add",
    "sns/group_delete",
    "sns/group_update",
    "sns/pendency_delete",
];

const GROUPS: [&str; 3] = ["work", "home", "club"];

/// Over which transport a command may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Anybody,
    BackEnd,
    Instance,
}

fn contact(peer: &str) -> Value {
    json!({"Type": 1, "To_Account": peer})
}

fn deleted(peer: &str) -> Value {
    json!({"RecentContactMod": [{"PushType": 1,
        "RecentContactDeleteItem": {"RecentContactList": [{"Type": 1, "UserId": peer}]}}]})
}

impl Run {
    fn one_of(&self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }

    fn group(&self) -> &'static str {
        self.one_of(&GROUPS)
    }

    /// Mostly one of those that are there.
    fn known(&self, there: &[String], else_one: &str) -> String {
        if there.is_empty() || self.below(4) == 0 {
            return else_one.to_owned();
        }
        there[self.below(there.len())].clone()
    }

    /// One operation of anybody.
    pub(crate) async fn operate(&mut self) {
        let user = self.user();
        let other = self.other(user);
        match self.below(23) {
            0..4 => self.send(user, other).await,
            4 => self.read(user, other).await,
            5 => self.recall().await,
            6 => self.pin(user).await,
            7 => self.mark(user, other).await,
            8 => self.change_contact_groups(user, other).await,
            9 => self.delete_conversation(user, other).await,
            10 => self.remind(user, other).await,
            11..14 => self.add_friend(user, other).await,
            14 => self.delete_friend(user, other).await,
            15 => self.update_friend(user, other).await,
            16 | 21 => self.change_friend_groups(user, other).await,
            17 | 18 => self.answer_request(user, other).await,
            19 => self.block(user, other).await,
            20 => self.follow(user, other).await,
            _ => self.set_profile(user).await,
        }
        // Messages of one second have no order that clients know.
        self.world.advance_seconds(1).await;
    }

    /// Gives a command, by a back end or on a connection; then the answer may be lost with that. The answer, if there was one.
    async fn act(
        &mut self,
        by: By,
        user: &'static str,
        command: &str,
        mut body: Value,
        needs: &[Need],
    ) -> Option<Answer> {
        body["From_Account"] = json!(user);
        let places = 0..self.instances.len();
        let is_there =
            |place: &usize| self.instances[*place].user == user && self.instances[*place].client.is_some();
        let places: Vec<usize> = places.filter(is_there).collect();
        if by == By::BackEnd || (by == By::Anybody && (places.is_empty() || self.flip())) {
            let answer = self.world.rest(command, body).await;
            self.count(command, &answer);
            return Some(answer);
        }
        if places.is_empty() {
            return None;
        }
        let place = places[self.below(places.len())];
        let servcmd = command.replace('/', ".");
        // A deletion that is repeated later could meet messages that are not read.
        if command != "recentcontact/batch_delete" && self.below(8) == 0 {
            self.instances[place].client.as_mut().unwrap().send(&servcmd, body.clone()).await;
            self.world.settle().await;
            self.instances[place].unanswered = Some((servcmd, body, needs.to_vec()));
            self.cut(place);
            return None;
        }
        let mut left = BTreeSet::new();
        let answer = self.ask(place, command, body.clone(), &mut left).await;
        self.did(place, &servcmd, &body, needs.to_vec(), &answer, &mut left);
        self.settle_needs(place, left).await;
        Some(answer)
    }

    fn count(&mut self, command: &str, answer: &Answer) {
        let results = ["ResultItem", "ErrorList"].map(|name| answer.0[name][0].clone());
        let is_refused =
            |item: &Value| ["ResultCode", "ErrorCode"].iter().any(|name| number(&item[name]) != 0);
        if answer.code() == 0 && !results.iter().any(is_refused) {
            *self.done.entry(command.replace('.', "/")).or_default() += 1;
        }
    }

    /// What an instance changes by itself after its own command: it is not told of that.
    pub(crate) fn did(
        &mut self,
        place: usize,
        command: &str,
        body: &Value,
        left: Vec<Need>,
        answer: &Answer,
        needs: &mut BTreeSet<Need>,
    ) {
        self.count(command, answer);
        if answer.code() != 0 {
            return;
        }
        needs.extend(left);
        let item = match command {
            "openim.sendmsg" => {
                json!({"C2cMsgArray": [{"From_Account": body["To_Account"], "To_Account": body["From_Account"],
                "IsSyncMsg": 1, "MsgSeq": body["MsgSeq"], "MsgRandom": body["MsgRandom"], "MsgTimeStamp": answer["MsgTime"]}]})
            }
            "openim.msgreaded" => {
                let item = &body["C2CMsgReaded"]["C2CMsgReadedItem"][0];
                let read = json!({"From_Account": item["To_Account"], "LastReadTime": item["LastedMsgTime"]});
                json!({"C2cNotifyMsgArray": [{"ReadC2cMsgNotify": {"UinPairReadArray": [read]}}]})
            }
            "openim.msgwithdraw" => {
                let recalled = json!({"C2cWithdrawInfoArray": [body["MsgInfo"]]});
                json!({"C2cNotifyMsgArray": [{"WithdrawC2cMsgNotify": recalled}]})
            }
            "recentcontact.batch_delete" => deleted(body["ContactItem"][0]["To_Account"].as_str().unwrap()),
            "recentcontact.top" => {
                let peer = &body["RecentContactItem"][0]["To_Account"];
                let list = json!({"RecentContactList": [{"Type": 1, "UserId": peer}]});
                let kind = number(&body["OperationType"]) + 1;
                json!({"RecentContactMod": [{"PushType": kind, "RecentContactTopItem": list}]})
            }
            "sns.black_list_delete" => {
                json!({"FriendListMod": [{"BlackListDel_Account": body["To_Account"]}]})
            }
            "profile.portrait_set" => {
                let field = &body["ProfileItem"][0];
                let list = json!([{"Tag": field["Tag"], "ValueBytes": field["Value"]}]);
                json!({"ProfileDataMod": [{"Profile_Account": body["From_Account"], "ProfileList": list}]})
            }
            "im_msg_db_logic.ws_set_do_not_disturb" => {
                let mut item = body.clone();
                item["Event"] = json!(24);
                item
            }
            _ => return,
        };
        self.instances[place].state.apply(&item, needs);
    }

    async fn send(&mut self, from: &'static str, to: &'static str) {
        self.count += 1;
        let mut body =
            json!({"To_Account": to, "MsgSeq": self.count, "MsgRandom": self.count, "MsgBody": text("text")});
        if self.below(5) == 0 {
            body["SendMsgControl"] = json!(["NoUnread"]);
        }
        let answer = self.act(By::Anybody, from, "openim/sendmsg", body, &[]).await;
        if let Some(answer) = answer.filter(|answer| answer.code() == 0) {
            self.sent.push((from, to, self.count, number(&answer["MsgTime"])));
        }
    }

    async fn read(&mut self, user: &'static str, other: &'static str) {
        if self.flip() {
            let body = json!({"Report_Account": user, "Peer_Account": other});
            self.act(By::BackEnd, user, "openim/admin_set_msg_read", body, &[]).await;
        } else {
            let item = json!({"To_Account": other, "LastedMsgTime": self.world.now(), "Receipt": 1});
            let body = json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [item]}});
            self.act(By::Instance, user, "openim/msgreaded", body, &[]).await;
        }
    }

    async fn recall(&mut self) {
        let Some((from, to, sequence, time)) = self.sent.pop() else { return };
        if self.flip() {
            let body = json!({"To_Account": to, "MsgKey": format!("{sequence}_{sequence}_{time}")});
            self.act(By::BackEnd, from, "openim/admin_msgwithdraw", body, &[]).await;
        } else {
            let info = json!({"From_Account": from, "To_Account": to, "MsgSeq": sequence, "MsgRandom": sequence,
                "MsgTimeStamp": time});
            self.act(By::Instance, from, "openim/msgwithdraw", json!({"MsgInfo": info}), &[]).await;
        }
    }

    async fn pin(&mut self, user: &'static str) {
        // Of those that are listed: of another one an instance does not know what was last said.
        let body = json!({"From_Account": user, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0,
            "TopStartIndex": 0, "AssistFlags": 2});
        let listed = self.world.rest("recentcontact/get_list", body).await.ok();
        let items = listed.list("SessionItem");
        if items.is_empty() {
            return;
        }
        let peer = &items[self.below(items.len())]["To_Account"];
        let body = json!({"OperationType": self.below(2) + 1, "RecentContactItem": [{"Type": 1, "To_Account": peer}]});
        self.act(By::Anybody, user, "recentcontact/top", body, &[]).await;
    }

    async fn mark(&mut self, user: &'static str, other: &'static str) {
        let bits = if self.flip() { "SetMark" } else { "ClearMark" };
        let item = json!({"OptType": self.below(3) + 1, "ContactItem": contact(other), bits: [self.below(3)],
            "CustomMark": self.one_of(&["", "mine"])});
        let needs = [Need::Conversation(other.to_owned())];
        self.act(By::Anybody, user, "recentcontact/mark_contact", json!({"MarkItem": [item]}), &needs).await;
    }

    async fn change_contact_groups(&mut self, user: &'static str, other: &'static str) {
        let (app, number) = (self.world.app.id, self.world.account(user).await.number);
        let there = self.world.engine().contact_groups.of(app, number).await.unwrap();
        let there: Vec<String> = there.into_iter().map(|group| group.name).collect();
        let (name, new_name) = (self.known(&there, self.group()), self.group());
        let (command, body) = match self.below(5) {
            0 | 1 => {
                let group = json!({"GroupName": name, "ContactItem": [contact(other)]});
                ("recentcontact/create_contact_group", json!({"GroupContactItem": [group]}))
            }
            2 => {
                let update = json!({"UpdateGroupType": 1, "OldGroupName": name, "NewGroupName": new_name});
                ("recentcontact/update_contact_group", json!({"UpdateType": 1, "UpdateGroup": update}))
            }
            3 => {
                let item = json!({"ContactOptType": self.below(2) + 1, "ContactItem": contact(other)});
                let update = json!({"UpdateGroupType": 2, "OldGroupName": name, "ContactUpdateItem": [item]});
                ("recentcontact/update_contact_group", json!({"UpdateType": 1, "UpdateGroup": update}))
            }
            _ => ("recentcontact/del_contact_group", json!({"GroupName": [name]})),
        };
        self.act(By::Anybody, user, command, body, &[Need::ContactGroups]).await;
    }

    async fn delete_conversation(&mut self, user: &'static str, other: &'static str) {
        let with_history = self.below(2);
        if self.flip() {
            let mut body = contact(other);
            body["ClearRamble"] = json!(with_history);
            self.act(By::BackEnd, user, "recentcontact/delete", body, &[]).await;
        } else {
            let body = json!({"ContactItem": [contact(other)], "ClearRamble": with_history});
            self.act(By::Instance, user, "recentcontact/batch_delete", body, &[]).await;
        }
    }

    async fn remind(&mut self, user: &'static str, other: &'static str) {
        if self.flip() {
            let body = json!({"Peer_Account": [other], "Mute_Notifications": self.below(3)});
            let needs = [Need::Conversation(other.to_owned())];
            self.act(By::Instance, user, "openim/set_c2c_peer_mute_notifications", body, &needs).await;
        } else {
            let body = json!({"Level": self.below(3), "StartTime": 1, "EndTime": self.below(9) + 1, "IsRepeated": 0});
            self.act(By::Instance, user, "im_msg_db_logic/ws_set_do_not_disturb", body, &[]).await;
        }
    }

    async fn add_friend(&mut self, user: &'static str, other: &'static str) {
        let item = json!({"To_Account": other, "AddSource": "AddSource_Type_Web", "AddWording": self.one_of(&["", "hello"]),
            "Remark": self.one_of(&["", "Friend"]), "GroupName": self.one_of(&["", self.group()])});
        // Only a back end may add without asking.
        let body = json!({"AddFriendItem": [item], "ForceAddFlags": self.below(2),
            "AddType": self.one_of(&["Add_Type_Both", "Add_Type_Single"])});
        self.act(By::Anybody, user, "sns/friend_add", body, &[]).await;
    }

    async fn delete_friend(&mut self, user: &'static str, other: &'static str) {
        let kind = self.one_of(&["Delete_Type_Single", "Delete_Type_Both"]);
        let body = json!({"To_Account": [other], "DeleteType": kind});
        self.act(By::Anybody, user, "sns/friend_delete", body, &[]).await;
    }

    async fn update_friend(&mut self, user: &'static str, other: &'static str) {
        let field = match self.below(3) {
            0 => json!({"Tag": "Tag_SNS_IM_Remark", "Value": self.one_of(&["", "Pal"])}),
            1 => json!({"Tag": "Tag_SNS_IM_Group", "Value": [self.group()]}),
            _ => json!({"Tag": "Tag_SNS_Custom_Note", "Value": format!("note {}", self.below(5))}),
        };
        let body = json!({"UpdateItem": [{"To_Account": other, "SnsItem": [field]}]});
        self.act(By::Anybody, user, "sns/friend_update", body, &[Need::FriendList]).await;
    }

    async fn change_friend_groups(&mut self, user: &'static str, other: &'static str) {
        let (app, number) = (self.world.app.id, self.world.account(user).await.number);
        let there = self.world.engine().relations.of(app, number).await.unwrap().groups;
        let there: Vec<String> = there.into_iter().map(|group| group.name).collect();
        let (name, new_name) = (self.known(&there, self.group()), self.group());
        let needs = [Need::FriendList];
        match self.below(4) {
            0 => {
                let body = json!({"GroupName": [new_name], "To_Account": [other]});
                self.act(By::Anybody, user, "sns/group_add", body, &needs).await;
            }
            1 => {
                let body = json!({"GroupName": [name]});
                self.act(By::Anybody, user, "sns/group_delete", body, &needs).await;
            }
            2 => {
                let body = json!({"GroupOldName": name, "GroupNewName": new_name});
                self.act(By::Instance, user, "sns/group_update", body, &needs).await;
            }
            _ => {
                let kind = self.one_of(&["Update_Type_Add", "Update_Type_Delete"]);
                let body = json!({"GroupOldName": name, "UpdateGroupItem": [{"To_Account": other, "UpdateType": kind}]});
                self.act(By::Instance, user, "sns/group_update", body, &needs).await;
            }
        }
    }

    async fn answer_request(&mut self, user: &'static str, other: &'static str) {
        let (app, number) = (self.world.app.id, self.world.account(user).await.number);
        let there = self.world.engine().relations.requests(app, number).await.unwrap();
        let there: Vec<String> = there.into_iter().map(|request| request.user.as_str().to_owned()).collect();
        let other = self.known(&there, other);
        match self.below(4) {
            0 => {
                let kind = self.one_of(&["Pendency_Type_SendOut", "Pendency_Type_ComeIn"]);
                let body = json!({"PendencyType": kind, "To_Account": [other]});
                self.act(By::Instance, user, "sns/pendency_delete", body, &[]).await;
            }
            1 => {
                let body = json!({"LatestPendencyTimeStamp": self.world.now()});
                self.act(By::Instance, user, "sns/pendency_report", body, &[]).await;
            }
            _ => {
                let action = self.one_of(&["Agree", "AgreeAndAdd", "Reject"]);
                let item = json!({"To_Account": other, "ResponseAction": format!("Response_Action_{action}"),
                    "TagName": self.group()});
                self.act(
                    By::Instance,
                    user,
                    "sns/friend_response",
                    json!({"ResponseFriendItem": [item]}),
                    &[],
                )
                .await;
            }
        }
    }

    async fn block(&mut self, user: &'static str, other: &'static str) {
        if self.flip() {
            self.act(By::Anybody, user, "sns/black_list_add", json!({"To_Account": [other]}), &[]).await;
            return;
        }
        let (app, number) = (self.world.app.id, self.world.account(user).await.number);
        let there = self.world.engine().blocks.page(app, number, None, 10).await.unwrap();
        let there: Vec<String> = there.into_iter().map(|entry| entry.user.as_str().to_owned()).collect();
        let other = self.known(&there, other);
        self.act(By::Anybody, user, "sns/black_list_delete", json!({"To_Account": [other]}), &[]).await;
    }

    async fn follow(&mut self, user: &'static str, other: &'static str) {
        if self.below(3) > 0 {
            let body = json!({"FollowItem": [{"To_Account": other}]});
            self.act(By::Anybody, user, "follow/follow_add", body, &[]).await;
        } else {
            self.act(By::Anybody, user, "follow/follow_delete", json!({"To_Account": [other]}), &[]).await;
        }
    }

    async fn set_profile(&mut self, user: &'static str) {
        let allows = ["AllowType_Type_AllowAny", "AllowType_Type_NeedConfirm", "AllowType_Type_NeedConfirm"];
        let field = match self.below(3) {
            0 => json!({"Tag": "Tag_Profile_IM_Nick", "Value": format!("nick {}", self.below(9))}),
            _ => json!({"Tag": "Tag_Profile_IM_AllowType", "Value": self.one_of(&allows)}),
        };
        self.act(By::Anybody, user, "profile/portrait_set", json!({"ProfileItem": [field]}), &[]).await;
    }
}
