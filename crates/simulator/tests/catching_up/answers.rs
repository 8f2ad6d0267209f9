//! What an instance takes over of the answers to its questions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::Answer;

use super::{Conversation, Need, State, list, number, request, tags, text, texts, times};

impl State {
    /// The whole list of conversations: what is not on it is none any more.
    pub(crate) fn conversations(&mut self, answer: &Answer) {
        assert_eq!(answer["CompleteFlag"], 1);
        self.contact_groups.clear();
        for group in answer.list("GroupItem") {
            self.know_group(group);
        }
        let mut former = std::mem::take(&mut self.conversations);
        for item in answer.list("SessionItem") {
            let peer = text(&item["To_Account"]);
            let unread = former.remove(&peer).map(|former| former.unread).unwrap_or_default();
            let id = (number(&item["MsgSeq"]), number(&item["MsgRandom"]));
            let last = (id.0, id.1, number(&item["MsgTimeStamp"]), item["LastMsgFlags"] == 8);
            let conversation = Conversation {
                last: item.get("LastMsg").map(|_| last),
                unread,
                is_pinned: item["TopFlags"] == 1,
                remind: number(&item["MsgRecvOption"]),
                ..Conversation::default()
            };
            self.conversations.insert(peer, conversation);
            self.marks(item);
        }
    }

    /// Marks and groups of a conversation.
    pub(crate) fn marks(&mut self, item: &Value) {
        if let Some(conversation) = self.conversations.get_mut(&text(&item["To_Account"])) {
            conversation.marks = text(&item["StandardMark"]);
            conversation.custom = text(&item["CustomMark"]);
            conversation.groups = list(&item["ContactGroupId"]).iter().map(number).collect();
        }
    }

    /// All groups of conversations, and the conversations that are in one or have marks.
    pub(crate) fn contact_groups(&mut self, answer: &Answer) {
        self.contact_groups.clear();
        for group in answer.list("GroupItem") {
            self.know_group(group);
        }
        self.conversations.values_mut().for_each(|conversation| conversation.groups.clear());
        answer.list("ContactItem").iter().for_each(|item| self.marks(item));
    }

    pub(crate) fn remind(&mut self, item: &Value) {
        if let Some(conversation) = self.conversations.get_mut(&text(&item["Peer_Account"])) {
            conversation.remind = number(&item["MuteNotifications"]);
        }
    }

    /// A page of what was missed; whether it was the last one. Then it must say how much is unread.
    pub(crate) fn missed(&mut self, answer: &Answer, needs: &mut BTreeSet<Need>) -> bool {
        let is_first = self.cookie.is_empty();
        self.cookie = answer.text("Cookie");
        for item in answer.list("MsgList") {
            match item.get("EventArray") {
                Some(events) => list(events).iter().for_each(|event| self.apply(event, needs)),
                None => self.hear(item, false, needs),
            }
        }
        let is_complete = answer["SyncFlag"] == 2;
        if is_complete {
            let counts = answer.list("C2CPairUnreadCount").iter();
            let counts: BTreeMap<String, u64> =
                counts.map(|item| (text(&item["From_Account"]), number(&item["UnreadCount"]))).collect();
            for (peer, conversation) in &mut self.conversations {
                let said = counts.get(peer).copied().unwrap_or_default();
                if is_first {
                    conversation.counted = Some(said);
                    continue;
                }
                let known = conversation.unread.len() as u64;
                assert!(said <= known, "{} of {peer}: {said}, {conversation:?}", self.user);
                // Deleted elsewhere meanwhile, it came back without what was not read before.
                let mut times: Vec<_> = conversation.unread.iter().map(|(key, time)| (*time, *key)).collect();
                times.sort_unstable();
                for (_, key) in times.iter().take((known - said).try_into().unwrap()) {
                    conversation.unread.remove(key);
                }
            }
        }
        is_complete
    }

    /// The list of friends, or what changed of it.
    pub(crate) fn friends(&mut self, answer: &Answer) {
        self.has_friends = true;
        let (standard, custom) = (number(&answer["StandardSequence"]), number(&answer["CustomSequence"]));
        let keeps_standard = self.standard_sequence != 0 && standard == self.standard_sequence;
        let keeps_custom = self.custom_sequence == custom;
        (self.standard_sequence, self.custom_sequence) = (standard, custom);
        if keeps_standard && keeps_custom {
            return;
        }
        let mut former = std::mem::take(&mut self.friends);
        for item in answer.list("UserDataItem") {
            let user = text(&item["To_Account"]);
            let mut kept = former.remove(&user).unwrap_or_default();
            kept.retain(|tag, _| match tag.starts_with("Tag_SNS_Custom") {
                true => keeps_custom && custom != 0,
                false => keeps_standard,
            });
            kept.extend(tags(&item["ValueItem"]));
            self.friends.insert(user, kept);
        }
    }

    /// The fields of friends that are new.
    pub(crate) fn friend_fields(&mut self, answer: &Answer) {
        for item in answer.list("InfoItem").iter().filter(|item| item["ResultCode"] == 0) {
            let mut found = tags(&item["SnsProfileItem"]);
            found.retain(|tag, _| tag.starts_with("Tag_SNS"));
            self.friends.insert(text(&item["To_Account"]), found);
        }
    }

    /// The friend lists, unless they are as they were.
    pub(crate) fn friend_groups(&mut self, answer: &Answer) {
        let sequence = number(&answer["CurrentSequence"]);
        if sequence == 0 || sequence != self.group_sequence {
            let groups = answer.list("ResultItem").iter();
            let groups =
                groups.map(|group| (text(&group["GroupName"]), texts(&group["To_Account"]).collect()));
            self.friend_groups = groups.collect();
        }
        self.group_sequence = sequence;
        let mut pulled = self.friend_groups.clone();
        pulled.retain(|_, friends| !friends.is_empty());
        assert_eq!(self.groups_of_friends(), pulled, "{}", self.user);
    }

    pub(crate) fn requests(&mut self, answer: &Answer) {
        let items = answer.list("PendencyItem");
        let kind = |item: &Value| text(&item["PendencyType"]);
        self.requests =
            items.iter().map(|item| (text(&item["To_Account"]), request(item, &kind(item)))).collect();
        // The newest ones are those that are not read.
        let unread = usize::try_from(number(&answer["UnreadPendencyCount"])).unwrap_or_default();
        let received = items.iter().filter(|item| kind(item) == "Pendency_Type_ComeIn");
        self.unread_requests = received.take(unread).map(|item| text(&item["To_Account"])).collect();
    }

    pub(crate) fn blocked(&mut self, answer: &Answer) {
        self.blocked = answer.list("BlackListItem").iter().map(|item| text(&item["To_Account"])).collect();
    }

    pub(crate) fn followed(&mut self, place: usize, answer: &Answer) {
        let users = answer.list("FollowItem").iter().map(|item| text(&item["To_Account"]));
        self.follows[place] = users.collect();
    }

    /// The counts of follows, which must be those of the lists.
    pub(crate) fn follow_counts(&self, answer: &Answer) {
        let counts = &answer.list("FollowInfo")[0];
        let names = ["FollowerCount", "FollowingCount", "MutualFollowingCount"];
        let said = names.map(|name| number(&counts[name]));
        assert_eq!(self.follows.each_ref().map(|list| list.len() as u64), said, "{}", self.user);
    }

    pub(crate) fn own_profile(&mut self, answer: &Answer) {
        self.profile = tags(&answer.list("UserProfileItem")[0]["ProfileItem"]);
    }

    pub(crate) fn times(&mut self, answer: &Answer) {
        self.do_not_disturb = times(&answer.0);
    }
}
