//! Conversation lists: whatever an account does to its conversations, over REST and over the socket, the list that another of
//! its instances fetches is what follows from it.
//!
//! A seed gives one sequence of operations. A ledger keeps what each of them must lead to, by rules of its own.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use ports::Random as _;
use serde_json::{Value, json};
use simulated::SeededRandom;
use testkit::{Answer, Client, World, text};

const SEEDS: u64 = 12;
const STEPS: usize = 150;
const PEERS: [&str; 6] = ["bob", "carol", "dave", "erin", "frank", "grace"];
const GROUPS: [&str; 3] = ["work", "home", "club"];

/// A conversation as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    is_listed: bool,
    /// The last text that can be seen.
    last: Option<String>,
    /// When something was last said.
    active_at: u32,
    unread: u32,
    pinned_at: Option<u32>,
    marks: BTreeSet<u8>,
    custom: String,
    groups: BTreeSet<String>,
}

impl Known {
    fn is_marked(&self) -> bool {
        !self.marks.is_empty() || !self.custom.is_empty() || !self.groups.is_empty()
    }
}

struct Run {
    world: World,
    /// Does things.
    first: Client,
    /// Looks.
    second: Client,
    dice: SeededRandom,
    known: BTreeMap<&'static str, Known>,
    groups: BTreeSet<String>,
    sent: u32,
}

impl Run {
    async fn begin(seed: u64) -> Self {
        let world = World::new(simulator::commands).await;
        world.accounts(&["administrator", "alice"]).await;
        world.accounts(&PEERS).await;
        Self {
            first: world.login("alice").await,
            second: world.login("alice").await,
            world,
            dice: SeededRandom::new(seed),
            known: PEERS.into_iter().map(|peer| (peer, Known::default())).collect(),
            groups: BTreeSet::new(),
            sent: 0,
        }
    }

    fn below(&self, end: usize) -> usize {
        self.dice.next_u32() as usize % end
    }

    fn flip(&self) -> bool {
        self.below(2) == 0
    }

    fn peer(&self) -> &'static str {
        PEERS[self.below(PEERS.len())]
    }

    fn of(&mut self, peer: &str) -> &mut Known {
        self.known.get_mut(peer).unwrap()
    }

    /// The same command over either transport.
    async fn call(&mut self, command: &str, mut body: Value) -> Answer {
        body["From_Account"] = json!("alice");
        if self.flip() {
            self.world.rest(command, body).await
        } else {
            self.first.call(&command.replace('/', "."), body).await
        }
    }

    async fn step(&mut self) {
        let peer = self.peer();
        match self.below(13) {
            0..3 => self.send(peer, "alice").await,
            3 => self.send("alice", peer).await,
            4 => self.read(peer).await,
            5 => self.pin(peer).await,
            6 => self.mark(peer).await,
            7 => self.create().await,
            8 => self.change_members().await,
            9 => self.rename_or_delete().await,
            10 | 11 => self.delete(peer).await,
            _ => self.clear(peer).await,
        }
        let pause = self.below(3) as u64;
        self.world.advance_seconds(pause).await;
    }

    async fn send(&mut self, from: &'static str, to: &'static str) {
        self.sent += 1;
        let content = format!("text {}", self.sent);
        let body = json!({"From_Account": from, "To_Account": to, "MsgSeq": self.sent, "MsgRandom": self.sent,
            "MsgBody": text(&content)});
        if from == "alice" && self.flip() {
            self.first.call("openim.sendmsg", body).await.ok();
        } else {
            self.world.rest("openim/sendmsg", body).await.ok();
        }
        let now = self.world.now().0;
        let known = self.of(if from == "alice" { to } else { from });
        known.is_listed = true;
        known.last = Some(content);
        known.active_at = now;
        known.unread += u32::from(from != "alice");
    }

    async fn read(&mut self, peer: &'static str) {
        if self.flip() {
            let body = json!({"Report_Account": "alice", "Peer_Account": peer});
            self.world.rest("openim/admin_set_msg_read", body).await.ok();
        } else {
            let item = json!({"To_Account": peer, "LastedMsgTime": self.world.now(), "Receipt": 1});
            let body = json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [item]}});
            self.first.call("openim.msgreaded", body).await.ok();
        }
        self.of(peer).unread = 0;
    }

    async fn pin(&mut self, peer: &'static str) {
        let is_pinned = self.flip();
        let body = json!({"OperationType": if is_pinned { 1 } else { 2 },
            "RecentContactItem": [{"Type": 1, "To_Account": peer}]});
        self.call("recentcontact/top", body).await.ok();
        let now = self.world.now().0;
        let known = self.of(peer);
        known.pinned_at = if is_pinned { known.pinned_at.or(Some(now)) } else { None };
    }

    async fn mark(&mut self, peer: &'static str) {
        let bit = [0, 1, 40, 63][self.below(4)];
        let (is_set, custom) = (self.flip(), ["", "mine"][self.below(2)]);
        let kind = self.below(3) + 1;
        let bits = if is_set { "SetMark" } else { "ClearMark" };
        let item = json!({"OptType": kind, "ContactItem": {"Type": 1, "To_Account": peer}, bits: [bit],
            "CustomMark": custom});
        let answer = self.call("recentcontact/mark_contact", json!({"MarkItem": [item]})).await.ok();
        assert_eq!(answer.list("ResultItem")[0]["ResultCode"], 0);
        let known = self.of(peer);
        if kind != 2 {
            let _ = if is_set { known.marks.insert(bit) } else { known.marks.remove(&bit) };
        }
        if kind != 1 {
            custom.clone_into(&mut known.custom);
        }
    }

    async fn create(&mut self) {
        let name = GROUPS[self.below(GROUPS.len())];
        let peers = [self.peer(), self.peer()];
        let contacts = peers.map(|peer| json!({"Type": 1, "To_Account": peer}));
        let group = json!({"GroupName": name, "ContactItem": contacts});
        self.call("recentcontact/create_contact_group", json!({"GroupContactItem": [group]})).await.ok();
        self.groups.insert(name.to_owned());
        for peer in peers {
            self.of(peer).groups.insert(name.to_owned());
        }
    }

    async fn change_members(&mut self) {
        let name = GROUPS[self.below(GROUPS.len())];
        let changes = [(self.peer(), self.flip()), (self.peer(), self.flip())];
        let items = changes.map(|(peer, is_in)| {
            json!({"ContactOptType": if is_in { 1 } else { 2 }, "ContactItem": {"Type": 1, "To_Account": peer}})
        });
        let update = json!({"UpdateGroupType": 2, "OldGroupName": name, "ContactUpdateItem": items});
        let body = json!({"UpdateType": 1, "UpdateGroup": update});
        let answer = self.call("recentcontact/update_contact_group", body).await;
        if !self.groups.contains(name) {
            answer.refused(51009, "");
            return;
        }
        answer.ok();
        for (peer, is_in) in changes {
            let groups = &mut self.of(peer).groups;
            let _ = if is_in { groups.insert(name.to_owned()) } else { groups.remove(name) };
        }
    }

    async fn rename_or_delete(&mut self) {
        let (name, new_name) = (GROUPS[self.below(GROUPS.len())], GROUPS[self.below(GROUPS.len())]);
        let renames = self.flip();
        let answer = if renames {
            let update = json!({"UpdateGroupType": 1, "OldGroupName": name, "NewGroupName": new_name});
            let body = json!({"UpdateType": 1, "UpdateGroup": update});
            self.call("recentcontact/update_contact_group", body).await
        } else {
            self.call("recentcontact/del_contact_group", json!({"GroupName": [name]})).await
        };
        if !self.groups.contains(name) {
            answer.refused(51009, "");
        } else if renames && name != new_name && self.groups.contains(new_name) {
            answer.refused(50002, "NewGroupName");
        } else {
            answer.ok();
            self.groups.remove(name);
            if renames {
                self.groups.insert(new_name.to_owned());
            }
            for known in self.known.values_mut() {
                if known.groups.remove(name) && renames {
                    known.groups.insert(new_name.to_owned());
                }
            }
        }
    }

    async fn delete(&mut self, peer: &'static str) {
        let with_history = self.flip();
        let contact = json!({"Type": 1, "To_Account": peer});
        if self.flip() {
            let mut body = contact;
            body["From_Account"] = json!("alice");
            body["ClearRamble"] = json!(u8::from(with_history));
            self.world.rest("recentcontact/delete", body).await.ok();
        } else {
            let body = json!({"ContactItem": [contact], "ClearRamble": u8::from(with_history)});
            self.first.call("recentcontact.batch_delete", body).await.ok();
        }
        let known = self.of(peer);
        known.is_listed = false;
        known.pinned_at = None;
        // Clients forget it with the conversation.
        known.unread = 0;
        if with_history {
            known.last = None;
        }
    }

    async fn clear(&mut self, peer: &'static str) {
        let body = json!({"Type": 1, "To_Account": peer});
        self.first.call("recentcontact.clear_msg", body).await.ok();
        let known = self.of(peer);
        known.last = None;
        known.unread = 0;
    }

    /// Looks with the other instance, with one that logs in now, and as the back end.
    async fn look(&mut self) {
        let mut fresh = self.world.login("alice").await;
        self.look_at_list().await;
        self.look_at_marks().await;
        let fetched = fresh.call("recentcontact.page_get", json!({})).await.ok();
        let again = self.second.call("recentcontact.page_get", json!({})).await.ok();
        assert_eq!(fetched, again);
        let body = json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0, "AssistFlags": 63});
        let seen = self.world.rest("recentcontact/get_list", body).await.ok();
        let of_back_end = seen.list("SessionItem").iter();
        let of_client = fetched.list("SessionItem").iter();
        assert!(of_back_end.map(|item| &item["To_Account"]).eq(of_client.map(|item| &item["To_Account"])));
    }

    /// What is listed must be what is known, pinned ones first, then by when something was last said.
    async fn look_at_list(&mut self) {
        let answer = self.second.call("recentcontact.page_get", json!({})).await.ok();
        let names = group_names(&answer);
        assert_eq!(names.values().cloned().collect::<BTreeSet<_>>(), self.groups);
        let mut listed = BTreeMap::new();
        let mut order = Vec::new();
        for item in answer.list("SessionItem") {
            let peer = PEERS.into_iter().find(|peer| item["To_Account"] == *peer).unwrap();
            let expected = &self.known[peer];
            order.push((
                expected.pinned_at.is_none(),
                u32::MAX - expected.pinned_at.unwrap_or(expected.active_at),
            ));
            let found = Known {
                is_listed: expected.is_listed,
                last: item["LastMsg"]["MsgBody"][0]["MsgContent"]["Text"].as_str().map(str::to_owned),
                active_at: expected.active_at,
                unread: u32::try_from(item["UnreadMsgCount"].as_u64().unwrap()).unwrap(),
                pinned_at: (item["TopFlags"] == 1)
                    .then(|| u32::try_from(item["TopTimeStamp"].as_u64().unwrap()).unwrap()),
                marks: marks(item),
                custom: item["CustomMark"].as_str().unwrap().to_owned(),
                groups: groups(item, &names),
            };
            assert!(listed.insert(peer, found).is_none(), "{peer} is there once");
        }
        assert!(order.is_sorted(), "{order:?}");
        let is_there = |known: &Known| known.is_listed || known.pinned_at.is_some();
        let expected: BTreeMap<_, _> =
            self.known.clone().into_iter().filter(|(_, known)| is_there(known)).collect();
        assert_eq!(listed, expected);
    }

    async fn look_at_marks(&mut self) {
        let body = json!({"From_Account": "alice", "StartIndex": 0});
        let answer = self.second.call("recentcontact.get_contact_group", body).await.ok();
        let names = group_names(&answer);
        let found: BTreeMap<String, _> = answer
            .list("ContactItem")
            .iter()
            .map(|item| {
                let custom = item["CustomMark"].as_str().unwrap().to_owned();
                let peer = item["To_Account"].as_str().unwrap().to_owned();
                (peer, (marks(item), custom, groups(item, &names)))
            })
            .collect();
        let expected: BTreeMap<String, _> = self
            .known
            .iter()
            .filter(|(_, known)| known.is_marked())
            .map(|(peer, known)| {
                ((*peer).to_owned(), (known.marks.clone(), known.custom.clone(), known.groups.clone()))
            })
            .collect();
        assert_eq!(found, expected);
    }
}

fn group_names(answer: &Answer) -> BTreeMap<u64, String> {
    let items = answer.list("GroupItem").iter();
    items
        .map(|item| (item["GroupId"].as_u64().unwrap(), item["GroupName"].as_str().unwrap().to_owned()))
        .collect()
}

fn groups(item: &Value, names: &BTreeMap<u64, String>) -> BTreeSet<String> {
    let ids = item["ContactGroupId"].as_array().unwrap().iter();
    ids.map(|id| names[&id.as_u64().unwrap()].clone()).collect()
}

fn marks(item: &Value) -> BTreeSet<u8> {
    let text = item["StandardMark"].as_str().unwrap();
    assert_eq!(text.len(), 64);
    let bits = (0_u8..).zip(text.bytes().rev());
    bits.filter(|(_, bit)| *bit == b'1').map(|(place, _)| place).collect()
}

#[tokio::test(start_paused = true)]
async fn what_an_instance_fetches_follows_from_what_was_done() {
    for seed in 0..SEEDS {
        let mut run = Run::begin(seed).await;
        for step in 1..=STEPS {
            run.step().await;
            if step % 25 == 0 {
                run.look().await;
            }
        }
    }
}
