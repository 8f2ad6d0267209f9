//! What an instance of an account holds in memory, as the SDK does: filled by its first questions, changed by pushes.

#[path = "answers.rs"]
mod answers;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Tags of a friend by name.
type Fields = BTreeMap<String, Value>;

/// What a push leaves to be asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// The fields of new friends.
    Friends(Vec<String>),
    /// The applications for friendship.
    Requests,
    /// Marks, groups and remind type of a conversation that is new, or was changed here.
    Conversation(String),
    /// The groups of conversations, changed here.
    ContactGroups,
    /// The list of friends, changed here.
    FriendList,
}

#[derive(Clone, Debug, Default)]
struct Conversation {
    /// Sequence, random number and time of the last message, and whether it was recalled.
    last: Option<(u64, u64, u64, bool)>,
    /// When messages that are not read came, by their numbers.
    unread: BTreeMap<(u64, u64), u64>,
    /// How many are not read, as the first answer said: not all of them stand there.
    counted: Option<u64>,
    is_pinned: bool,
    remind: u64,
    marks: String,
    custom: String,
    groups: BTreeSet<u64>,
}

/// What an instance knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    user: String,
    conversations: BTreeMap<String, Conversation>,
    contact_groups: BTreeMap<u64, String>,
    seen: BTreeSet<(u64, u64)>,
    friends: BTreeMap<String, Fields>,
    /// Whether it has asked for them since it logged in.
    has_friends: bool,
    friend_groups: BTreeMap<String, BTreeSet<String>>,
    requests: BTreeMap<String, Value>,
    unread_requests: BTreeSet<String>,
    blocked: BTreeSet<String>,
    follows: [BTreeSet<String>; 3],
    profile: Fields,
    do_not_disturb: Value,
    /// Up to where it has everything.
    pub(crate) cookie: String,
    pub(crate) standard_sequence: u64,
    pub(crate) custom_sequence: u64,
    pub(crate) group_sequence: u64,
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value) -> impl Iterator<Item = String> {
    list(value).iter().map(text)
}

/// Fields without those that say nothing.
fn said(mut fields: Fields) -> Fields {
    fields.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    });
    fields
}

fn tags(items: &Value) -> Fields {
    said(list(items).iter().map(|item| (text(&item["Tag"]), item["Value"].clone())).collect())
}

impl State {
    /// What an instance of an account knows before it has asked anything.
    pub(crate) fn of(user: &str) -> Self {
        Self { user: user.to_owned(), ..Self::default() }
    }

    /// It has logged in again.
    pub(crate) const fn comes_back(&mut self) {
        self.has_friends = false;
    }

    /// Takes over an item of a push, or of what was missed.
    pub(crate) fn apply(&mut self, item: &Value, needs: &mut BTreeSet<Need>) {
        for message in list(&item["C2cMsgArray"]) {
            self.hear(message, true, needs);
        }
        for notice in list(&item["C2cNotifyMsgArray"]) {
            self.notice(notice);
        }
        for entry in list(&item["RecentContactMod"]) {
            self.contact(entry, needs);
        }
        for entry in list(&item["FriendListMod"]) {
            self.relation(entry, needs);
        }
        for entry in list(&item["FollowChangeList"]) {
            self.follow(entry);
        }
        for entry in list(&item["ProfileDataMod"]) {
            if entry["Profile_Account"] == self.user.as_str() {
                for field in list(&entry["ProfileList"]) {
                    let number = field.get("ValueNum").cloned();
                    let value = number.unwrap_or_else(|| field["ValueBytes"].clone());
                    self.profile.insert(text(&field["Tag"]), value);
                }
            }
        }
        if item["C2CReadAllMsg"] == 1 {
            self.conversations.values_mut().for_each(|conversation| conversation.unread.clear());
        }
        if item["Event"] == 24 {
            self.do_not_disturb = times(item);
        }
    }

    /// A message that was pushed, or missed: then the list of conversations tells what is last.
    fn hear(&mut self, message: &Value, is_pushed: bool, needs: &mut BTreeSet<Need>) {
        let id = (number(&message["MsgSeq"]), number(&message["MsgRandom"]));
        let time = number(&message["MsgTimeStamp"]);
        let (from, to) = (text(&message["From_Account"]), text(&message["To_Account"]));
        let is_own = message["IsSyncMsg"] == 1 || (!is_pushed && from == self.user);
        let peer = if from == self.user { to } else { from };
        if !self.seen.insert(id) {
            return;
        }
        if is_pushed && !self.conversations.contains_key(&peer) {
            self.conversations.insert(peer.clone(), Conversation::default());
            needs.insert(Need::Conversation(peer.clone()));
        }
        let Some(conversation) = self.conversations.get_mut(&peer) else { return };
        if !is_own && message["SendMsgControl"]["NoUnread"] != 1 {
            conversation.unread.insert(id, time);
        }
        if is_pushed && conversation.last.is_none_or(|(_, _, last, _)| time > last) {
            conversation.last = Some((id.0, id.1, time, false));
        }
    }

    fn notice(&mut self, notice: &Value) {
        for recalled in list(&notice["WithdrawC2cMsgNotify"]["C2cWithdrawInfoArray"]) {
            let id = (number(&recalled["MsgSeq"]), number(&recalled["MsgRandom"]));
            self.seen.insert(id);
            for conversation in self.conversations.values_mut() {
                conversation.unread.remove(&id);
                if let Some(last) = conversation.last.as_mut().filter(|last| (last.0, last.1) == id) {
                    last.3 = true;
                }
            }
        }
        for read in list(&notice["ReadC2cMsgNotify"]["UinPairReadArray"]) {
            if let Some(conversation) = self.conversations.get_mut(&text(&read["From_Account"])) {
                let up_to = number(&read["LastReadTime"]);
                conversation.unread.retain(|_, time| *time > up_to);
            }
        }
        if let Some(sync) = notice.get("MuteNotificationsSync")
            && let Some(conversation) = self.conversations.get_mut(&text(&sync["To_Account"]))
        {
            conversation.remind = number(&sync["MuteNotifications"]);
        }
    }

    fn contact(&mut self, entry: &Value, needs: &mut BTreeSet<Need>) {
        for item in list(&entry["RecentContactDeleteItem"]["RecentContactList"]) {
            self.conversations.remove(&text(&item["UserId"]));
        }
        for item in list(&entry["RecentContactTopItem"]["RecentContactList"]) {
            let peer = text(&item["UserId"]);
            if !self.conversations.contains_key(&peer) {
                needs.insert(Need::Conversation(peer.clone()));
            }
            self.conversations.entry(peer).or_default().is_pinned = entry["PushType"] == 2;
        }
        for item in list(&entry["RecentContactMarkContact"]["RecentContactMarkContactItem"]) {
            if let Some(conversation) = self.of_contact(&item["RecentContactItem"]) {
                if item["OptType"] != 2 {
                    conversation.marks = text(&item["StandardMark"]);
                }
                if item["OptType"] != 1 {
                    conversation.custom = text(&item["CustomMark"]);
                }
            }
        }
        for made in list(&entry["RecentContactCreateContactGroup"]["MsgContactGroupContactItem"]) {
            let id = self.know_group(&made["MsgGroupItem"]);
            for item in list(&made["MsgRecentContactItem"]) {
                self.of_contact(item).map(|conversation| conversation.groups.insert(id));
            }
        }
        for gone in list(&entry["RecentContactDelContactGroup"]["MsgGroupItem"]) {
            let id = number(&gone["GroupId"]);
            self.contact_groups.remove(&id);
            self.conversations.values_mut().for_each(|found| found.groups.retain(|group| *group != id));
        }
        let update = &entry["RecentContactUpdateContactGroup"]["MsgUpdateGroup"];
        if update["UpdateGroupType"] == 1 {
            self.know_group(update);
        }
        for item in list(&update["RecentContactUpdateGroupItem"]) {
            let id = number(&update["GroupId"]);
            if let Some(conversation) = self.of_contact(&item["RecentContactItem"]) {
                let is_in = item["ContactOptType"] == 1;
                let _ = if is_in { conversation.groups.insert(id) } else { conversation.groups.remove(&id) };
            }
        }
    }

    fn of_contact(&mut self, contact: &Value) -> Option<&mut Conversation> {
        self.conversations.get_mut(&text(&contact["UserId"]))
    }

    fn know_group(&mut self, group: &Value) -> u64 {
        let id = number(&group["GroupId"]);
        self.contact_groups.insert(id, text(&group["GroupName"]));
        id
    }

    fn relation(&mut self, entry: &Value, needs: &mut BTreeSet<Need>) {
        self.blocked.extend(texts(&entry["BlackListAdd_Account"]));
        for user in texts(&entry["BlackListDel_Account"]) {
            self.blocked.remove(&user);
        }
        let added: Vec<String> = texts(&entry["FriendAdd_Account"]).collect();
        if !added.is_empty() {
            // Who is gone again when that is asked is told to be gone next.
            added.iter().for_each(|user| {
                self.friends.entry(user.clone()).or_default();
            });
            needs.insert(Need::Friends(added));
            needs.insert(Need::Requests);
        }
        for user in texts(&entry["FriendDel_Account"]) {
            // The SDK fails on one that it does not have; who has just come back may not have asked yet.
            let is_known = self.friends.remove(&user).is_some();
            assert!(is_known || !self.has_friends, "{} has no friend {user} to lose", self.user);
        }
        for up in list(&entry["FriendUpInfo"]) {
            let value = |field: &Value| {
                let names = field.get("RptBytesValue").cloned();
                names.unwrap_or_else(|| field["BytesValue"].clone())
            };
            let items = list(&up["SNS"]).iter().map(|field| (text(&field["BytesTag"]), value(field)));
            if let Some(friend) = self.friends.get_mut(&text(&up["Friend_Account"])) {
                friend.extend(items);
                *friend = said(std::mem::take(friend));
            }
        }
        for pending in list(&entry["PendencyAdd"]) {
            let (user, is_own) =
                (text(&pending["PendencyAdd_Account"]), entry["From_Account"] == self.user.as_str());
            let kind = if is_own { "Pendency_Type_SendOut" } else { "Pendency_Type_ComeIn" };
            self.requests.insert(user.clone(), request(pending, kind));
            if !is_own {
                self.unread_requests.insert(user);
            }
        }
        if entry["PushType"] == 4 {
            needs.insert(Need::Requests);
        }
        if entry["PushType"] == 7 {
            let up_to = number(&entry["ReportTime"]);
            let requests = &self.requests;
            self.unread_requests
                .retain(|user| requests.get(user).is_some_and(|one| number(&one["AddTime"]) > up_to));
        }
    }

    fn follow(&mut self, entry: &Value) {
        let other = text(&entry["From_Account"]);
        for change in list(&entry["FollowDiffList"]) {
            let place = usize::try_from(number(&change["FollowType"])).unwrap_or_default();
            if let Some(list) = self.follows.get_mut(place.wrapping_sub(1)) {
                let _ = if change["IsAdd"] == 1 { list.insert(other.clone()) } else { list.remove(&other) };
            }
        }
    }
}

fn times(body: &Value) -> Value {
    json!([body["Level"], body["StartTime"], body["EndTime"], body["IsRepeated"]])
}

fn request(item: &Value, kind: &str) -> Value {
    json!({"AddTime": item["AddTime"], "AddSource": item["AddSource"], "AddWording": item["AddWording"], "Kind": kind})
}

impl State {
    /// The lists that have somebody in them, as the fields of friends say.
    fn groups_of_friends(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (friend, fields) in &self.friends {
            for name in fields.get("Tag_SNS_IM_Group").into_iter().flat_map(texts) {
                groups.entry(name).or_default().insert(friend.clone());
            }
        }
        groups
    }

    /// What a user would see of it. A conversation that neither says anything nor is pinned is left out: an instance that has
    /// seen it goes on to show it.
    pub(crate) fn seen(&self) -> Value {
        let conversations: Map<String, Value> = self
            .conversations
            .iter()
            .filter(|(_, conversation)| conversation.last.is_some() || conversation.is_pinned)
            .map(|(peer, conversation)| {
                let known = &self.contact_groups;
                let groups: BTreeSet<_> = conversation.groups.iter().map(|id| known.get(id)).collect();
                let Conversation { last, unread, counted, is_pinned, remind, marks, custom, .. } =
                    conversation;
                let unread = counted.unwrap_or(unread.len() as u64);
                let shown = json!({"last": last, "unread": unread, "pinned": is_pinned, "remind": remind,
                    "marks": marks, "custom": custom, "groups": groups});
                (peer.clone(), shown)
            })
            .collect();
        json!({
            "conversations": conversations,
            "contact groups": self.contact_groups,
            "friends": self.friends,
            "friend groups": self.groups_of_friends(),
            "requests": self.requests,
            "unread requests": self.unread_requests,
            "blocked": self.blocked,
            "followers, following, mutual": self.follows,
            "profile": self.profile,
            "do not disturb": self.do_not_disturb,
        })
    }
}
