//! Old state plus pushes is fresh state: whatever accounts and back ends do, and wherever connections are cut, an instance that
//! has caught up knows what one knows that logs in now.
//!
//! A seed gives one sequence of operations and cuts. An instance is a model of the SDK: it keeps what its first questions answered,
//! takes over pushes, loses the frames of a connection that is cut, and comes back by key, cookie and sequences.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

#[path = "catching_up/operations.rs"]
mod operations;
#[path = "catching_up/state.rs"]
mod state;

use std::collections::{BTreeMap, BTreeSet};

use ports::Random as _;
use serde_json::{Value, json};
use simulated::SeededRandom;
use testkit::{Answer, Client, Device, World};

use state::{Need, State};

const SEEDS: u64 = 12;
const STEPS: usize = 200;
const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Who has which instances; dave has a back end alone.
const INSTANCES: [&str; 4] = ["alice", "alice", "bob", "carol"];

/// An instance of an account.
struct Instance {
    user: &'static str,
    device: Device,
    /// The key of its login, its account's number and its own.
    keys: (Option<String>, String, u64),
    client: Option<Client>,
    /// A connection that it has lost and the server still holds for alive.
    lost: Option<Client>,
    /// A request whose answer it has lost.
    unanswered: Option<(String, Value, Vec<Need>)>,
    state: State,
}

pub(crate) struct Run {
    world: World,
    dice: SeededRandom,
    instances: Vec<Instance>,
    /// Messages that may be recalled: from, to, sequence, random number, time.
    sent: Vec<(&'static str, &'static str, u32, u64)>,
    count: u32,
    /// How often a command did something.
    done: BTreeMap<String, u32>,
}

impl Run {
    async fn begin(seed: u64) -> Self {
        let world = World::new(simulator::commands).await;
        world.accounts(&["administrator"]).await;
        world.accounts(&USERS).await;
        world.set("custom_friend_fields", "Note:string").await;
        world.set("default_allow_type", "need_confirm").await;
        let mut instances = Vec::new();
        for (number, user) in INSTANCES.into_iter().enumerate() {
            let device = Device::WEB.named(&format!("{number:032x}"));
            let client = world.login_on(user, device.clone()).await;
            let keys = (client.token.clone(), client.number.clone(), client.instance);
            let state = State::of(user);
            let (client, lost, unanswered) = (Some(client), None, None);
            instances.push(Instance { user, device, keys, client, lost, unanswered, state });
        }
        let (dice, sent, count, done) = (SeededRandom::new(seed), Vec::new(), 0, BTreeMap::new());
        let mut run = Self { world, dice, instances, sent, count, done };
        for place in 0..run.instances.len() {
            run.pull(place).await;
        }
        run
    }

    fn below(&self, end: usize) -> usize {
        self.dice.next_u32() as usize % end
    }

    fn flip(&self) -> bool {
        self.below(2) == 0
    }

    fn user(&self) -> &'static str {
        USERS[self.below(USERS.len())]
    }

    /// Somebody else.
    fn other(&self, user: &str) -> &'static str {
        let others: Vec<&'static str> = USERS.into_iter().filter(|other| *other != user).collect();
        others[self.below(others.len())]
    }

    /// Asks on a connection. What was pushed before the answer is taken over first.
    async fn ask(
        &mut self,
        place: usize,
        command: &str,
        mut body: Value,
        needs: &mut BTreeSet<Need>,
    ) -> Answer {
        let instance = &mut self.instances[place];
        let client = instance.client.as_mut().unwrap();
        body["From_Account"] = json!(instance.user);
        let answer = client.call(&command.replace('/', "."), body).await;
        for push in client.waiting() {
            take(&mut instance.state, &push.body, needs);
        }
        answer
    }

    /// Takes over what was pushed so far, and asks what that leaves to be asked.
    async fn hear(&mut self, place: usize) {
        let instance = &mut self.instances[place];
        let Some(client) = instance.client.as_mut() else { return };
        let mut needs = BTreeSet::new();
        for push in client.rest().await {
            take(&mut instance.state, &push.body, &mut needs);
        }
        self.settle_needs(place, needs).await;
    }

    async fn settle_needs(&mut self, place: usize, mut needs: BTreeSet<Need>) {
        while let Some(need) = needs.pop_first() {
            match need {
                Need::Friends(users) => {
                    let answer = self
                        .ask(place, "sns/friend_get_specified", json!({"To_Account": users}), &mut needs)
                        .await;
                    self.instances[place].state.friend_fields(&answer.ok());
                }
                Need::Requests => self.pull_requests(place, &mut needs).await,
                Need::FriendList => self.pull_friends(place, &mut needs).await,
                Need::Conversation(peer) => {
                    let body = json!({"ContactItem": [{"Type": 1, "To_Account": peer}]});
                    let answer =
                        self.ask(place, "recentcontact/search_contact_group", body, &mut needs).await.ok();
                    let found = answer.list("ContactResultItem").iter();
                    found.for_each(|item| self.instances[place].state.marks(item));
                    let body = json!({"To_Account": self.instances[place].user, "Peer_Account": [peer]});
                    let command = "openim/get_c2c_peer_mute_notifications";
                    let answer = self.ask(place, command, body, &mut needs).await.ok();
                    let found = answer.list("MuteNotificationsList").iter();
                    found.for_each(|item| self.instances[place].state.remind(item));
                }
                Need::ContactGroups => {
                    let command = "recentcontact/get_contact_group";
                    let answer = self.ask(place, command, json!({"StartIndex": 0}), &mut needs).await;
                    self.instances[place].state.contact_groups(&answer.ok());
                }
            }
        }
    }

    async fn pull_requests(&mut self, place: usize, needs: &mut BTreeSet<Need>) {
        let body = json!({"PendencyType": "Pendency_Type_Both", "StartTime": 0, "MaxLimited": 100, "LastSequence": 0});
        let answer = self.ask(place, "sns/pendency_get", body, needs).await.ok();
        self.instances[place].state.requests(&answer);
    }

    async fn pull_friends(&mut self, place: usize, needs: &mut BTreeSet<Need>) {
        let state = &self.instances[place].state;
        let body = json!({"StartIndex": 0, "StandardSequence": state.standard_sequence,
            "CustomSequence": state.custom_sequence});
        let answer = self.ask(place, "sns/friend_get", body, needs).await.ok();
        self.instances[place].state.friends(&answer);
    }

    /// What an instance asks when it has logged in, at first or again.
    async fn pull(&mut self, place: usize) {
        let mut needs = BTreeSet::new();
        let user = self.instances[place].user;
        let body = json!({"UserItem": [{"To_Account": user, "StandardSequence": 0, "CustomSequence": 0}]});
        let answer = self.ask(place, "profile/portrait_get_all", body, &mut needs).await.ok();
        self.instances[place].state.own_profile(&answer);
        let body = json!({"StartIndex": 0, "MaxLimited": 1000, "LastSequence": 0});
        let answer = self.ask(place, "sns/black_list_get", body, &mut needs).await.ok();
        self.instances[place].state.blocked(&answer);
        let body = json!({"TimeStamp": 0, "StartIndex": 0, "OrderType": 1, "AssistFlags": 31});
        let answer = self.ask(place, "recentcontact/page_get", body, &mut needs).await.ok();
        self.instances[place].state.conversations(&answer);
        loop {
            let body = json!({"Cookie": self.instances[place].state.cookie, "SyncFlag": 0});
            let answer = self.ask(place, "openim/getmsg", body, &mut needs).await.ok();
            if self.instances[place].state.missed(&answer, &mut needs) {
                break;
            }
        }
        self.pull_friends(place, &mut needs).await;
        let sequence = self.instances[place].state.group_sequence;
        let body = json!({"LastSequence": sequence, "NeedFriend": "Need_Friend_Type_Yes"});
        let answer = self.ask(place, "sns/group_get", body, &mut needs).await.ok();
        self.instances[place].state.friend_groups(&answer);
        self.pull_requests(place, &mut needs).await;
        for list in 0..3 {
            let body = json!({"FollowType": list + 1, "StartCursor": "", "WantNum": 500});
            let answer = self.ask(place, "follow/follow_get", body, &mut needs).await.ok();
            self.instances[place].state.followed(list, &answer);
        }
        let answer =
            self.ask(place, "follow/follow_get_info", json!({"To_Account": [user]}), &mut needs).await;
        self.instances[place].state.follow_counts(&answer.ok());
        let command = "im_msg_db_logic/ws_get_do_not_disturb";
        let answer = self.ask(place, command, json!({"To_Account": user}), &mut needs).await;
        self.instances[place].state.times(&answer.ok());
        self.settle_needs(place, needs).await;
    }

    /// Ends a connection; frames that were not read are lost. The server may learn of it later.
    fn cut(&mut self, place: usize) {
        let is_noticed = self.flip();
        let instance = &mut self.instances[place];
        let client = instance.client.take();
        instance.lost = if is_noticed { None } else { client };
    }

    /// Comes back as the SDK does: repeats what was not answered, logs in by the key, asks for what it missed.
    async fn come_back(&mut self, place: usize, is_quiet: bool) {
        let instance = &mut self.instances[place];
        let mut client = self.world.connect(&self.world.app, instance.user, instance.device.clone()).await;
        (client.token, client.number, client.instance) = instance.keys.clone();
        let mut needs = BTreeSet::new();
        let mut repeated = None;
        if let Some((command, body, left)) = instance.unanswered.take() {
            let answer = client.call(&command, body.clone()).await;
            repeated = Some((command, body, left, answer));
        }
        client.log_in().await.ok();
        instance.client = Some(client);
        instance.lost = None;
        instance.state.comes_back();
        if let Some((command, body, left, answer)) = repeated {
            self.did(place, &command, &body, left, &answer, &mut needs);
        }
        // Others go on meanwhile.
        if !is_quiet && self.flip() {
            self.operate().await;
        }
        // Unless it was cut again by that.
        if self.instances[place].client.is_some() {
            self.pull(place).await;
            self.settle_needs(place, needs).await;
        }
    }

    async fn step(&mut self) {
        self.operate().await;
        for place in 0..self.instances.len() {
            let is_there = self.instances[place].client.is_some();
            match (is_there, self.below(12)) {
                (true, 0) => self.cut(place),
                (true, 1..6) => self.hear(place).await,
                (false, 0..3) => self.come_back(place, false).await,
                _ => {}
            }
        }
    }

    /// Everybody comes back and hears everything; then all must know what one knows that logs in now.
    async fn compare(&mut self) {
        for place in 0..self.instances.len() {
            if self.instances[place].client.is_none() {
                self.come_back(place, true).await;
            }
        }
        for place in 0..self.instances.len() {
            self.hear(place).await;
        }
        for user in ["alice", "bob", "carol"] {
            let client = Some(self.world.login_on(user, Device::on(21)).await);
            let state = State::of(user);
            let keys = (None, String::new(), 0);
            let fresh =
                Instance { user, device: Device::WEB, keys, client, lost: None, unanswered: None, state };
            self.instances.push(fresh);
            self.pull(self.instances.len() - 1).await;
            let fresh = self.instances.pop().unwrap().state.seen();
            for (place, instance) in self.instances.iter().enumerate().filter(|(_, one)| one.user == user) {
                let known = instance.state.seen();
                for (name, value) in fresh.as_object().unwrap() {
                    assert_eq!(&known[name], value, "{name} of {user}, instance {place}");
                }
            }
        }
    }
}

fn take(state: &mut State, body: &Value, needs: &mut BTreeSet<Need>) {
    for item in body["EventArray"].as_array().into_iter().flatten() {
        state.apply(item, needs);
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_away_knows_what_a_newcomer_knows() {
    let mut done: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut run = Run::begin(seed).await;
        for step in 1..=STEPS {
            run.step().await;

            if step % 40 == 0 {
                run.compare().await;
            }
        }
        for (command, count) in run.done {
            *done.entry(command).or_default() += count;
        }
    }
    // Nothing is left out by accident.
    let rare: Vec<_> =
        operations::COMMANDS.iter().filter(|name| done.get(**name).is_none_or(|count| *count < 2)).collect();
    assert!(rare.is_empty(), "{rare:?}: {done:?}");
}
