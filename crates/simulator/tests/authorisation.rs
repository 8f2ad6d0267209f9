//! Every command, called by every kind of caller, in the caller's own name and in another's.
//!
//! The commands come from the server's table and the expectations from `rows`. A command without a row fails, and
//! so does a row without a command.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

#[path = "authorisation/rows.rs"]
mod rows;

use std::collections::BTreeSet;

use model::SdkAppId;
use rows::{Foreign, ROWS, Row, Who};
use serde_json::{Value, json};
use testkit::{Client, Device, TestApp, World};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    RestAdministrator,
    RestAdministratorOfAnotherApp,
    RestAccount,
    SocketAccount,
    SocketWithKeyOfAnotherApp,
    SocketWithoutLogin,
    SocketAfterKick,
}

use Caller::{
    RestAccount, RestAdministrator, RestAdministratorOfAnotherApp, SocketAccount, SocketAfterKick,
    SocketWithKeyOfAnotherApp, SocketWithoutLogin,
};

const CALLERS: [Caller; 7] = [
    RestAdministrator,
    RestAdministratorOfAnotherApp,
    RestAccount,
    SocketAccount,
    SocketWithKeyOfAnotherApp,
    SocketWithoutLogin,
    SocketAfterKick,
];

const LOG_IN: &str = "im_open_status/wslogin";
/// Names an administrator's call of a command that there is over the socket only.
const UNKNOWN: i64 = 60009;
const NOT_LOGGED_IN: i64 = 200_004;

/// The number that a call must be answered with. `is_foreign`: it names another account than the caller's.
fn expected(row: &Row, caller: Caller, is_foreign: bool) -> i64 {
    let is_log_in = row.command == LOG_IN;
    match (caller, row.who) {
        (RestAdministrator, Who::Administrator(_) | Who::Both) => 0,
        (RestAdministrator, _) => UNKNOWN,
        (RestAdministratorOfAnotherApp, _) => 70009,
        (RestAccount, _) => 60010,
        (SocketAccount, Who::Administrator(code)) => code,
        (SocketAccount, Who::Nobody) => 60020,
        (SocketAccount, _) => match row.foreign {
            Foreign::Refused(code) if is_foreign => code,
            Foreign::Refused(_) | Foreign::Ignored => 0,
        },
        (SocketWithoutLogin, Who::Anybody) if is_log_in => 70402,
        (SocketAfterKick, Who::Anybody) if is_log_in => 1002,
        (SocketWithKeyOfAnotherApp, Who::Anybody) if is_log_in => NOT_LOGGED_IN,
        (_, Who::Anybody) => 0,
        (SocketAfterKick, _) => 1002,
        (SocketWithKeyOfAnotherApp | SocketWithoutLogin, _) => NOT_LOGGED_IN,
    }
}

/// A message of the hour before, of alice to bob.
async fn import_old(world: &World) {
    let app = world.settings(&world.app).await;
    let outgoing = engine::messages::Outgoing {
        from: world.account("alice").await,
        to: world.account("bob").await,
        sequence: Some(1),
        random: 1,
        client_time: None,
        content: model::Content { body: testkit::text("old").to_string().into(), ..Default::default() },
        medium: model::Medium::Text,
        flags: model::message::MessageFlags { uncounted: true, ..Default::default() },
        is_online_only: false,
        origin: None,
    };
    world.engine().import(&app, outgoing, world.now().minus(3600)).await.unwrap();
}

/// The stage of one call: alice, who calls, and bob, in two apps. Each wrote to the other and put a reaction under that, and has
/// a conversation group "family" with the other.
struct Stage {
    world: World,
    other: TestApp,
    /// Sequence, random number and time of alice's message to bob and of bob's to alice.
    messages: [(u64, u64, u64); 2],
    /// What applies the retention that was proposed for the own app.
    proposal: String,
    /// An export of alice.
    export: String,
    /// The key of merged messages.
    merged: String,
}

impl Stage {
    async fn new() -> Self {
        let mut world = World::new(simulator::commands).await;
        let other = world.new_app("other").await;
        let own = world.app.clone();
        let mut messages = [(0, 0, 0); 2];
        for app in [&other, &own] {
            world.app = app.clone();
            world.accounts(&["administrator", "alice", "bob"]).await;
            world.nick("alice", "Alice").await;
            world.nick("bob", "Bob").await;
            let settings = world.settings(app).await;
            for user in ["alice", "bob"] {
                let (owner, names) = (world.account(user).await, ["matrix".to_owned()]);
                world.engine().add_friend_groups(&settings, &owner, &names, &[], None).await.unwrap();
            }
            world.contact_group("alice", "family", &["bob"]).await;
            world.contact_group("bob", "family", &["alice"]).await;
            world.robot("@RBT#known").await;
            import_old(&world).await;
            for (place, (from, to)) in [("alice", "bob"), ("bob", "alice")].into_iter().enumerate() {
                let sent = world.send(from, to, "hello").await;
                world.react((from, to), &sent, "old").await;
                let key = sent.key;
                messages[place] = (key.sequence.into(), key.random.into(), key.time.0.into());
            }
        }
        let proposed = world.engine().propose_retention(own.id, Some(30), None).await;
        let settings = world.settings(&own).await;
        let user = model::UserId::new("alice").unwrap();
        let export = world.engine().begin_export(&settings, &user).await.unwrap().token();
        let alice = world.account("alice").await;
        let merged = world.engine().store_merged(&settings, &alice, b"[]".to_vec()).await.unwrap();
        Self { world, other, messages, proposal: proposed.unwrap().token, export, merged }
    }

    /// The request of a row with alice or bob as the one who acts.
    fn request(&self, row: &Row, is_foreign: bool) -> Value {
        let (me, peer, place) = if is_foreign { ("bob", "alice", 1) } else { ("alice", "bob", 0) };
        let mut text = row.body.replace("$MERGED", &self.merged).replace("$ME", me).replace("$PEER", peer);
        text = text.replace("$PROPOSAL", &self.proposal).replace("$EXPORT", &self.export);
        for (prefix, (sequence, random, time)) in
            [("$P", self.messages[1 - place]), ("$", self.messages[place])]
        {
            for (name, number) in [("SEQ", sequence), ("RANDOM", random), ("TIME", time)] {
                text = text.replace(&format!("{prefix}{name}"), &number.to_string());
            }
        }
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}: {text}", row.command))
    }

    async fn client(&self, caller: Caller) -> Client {
        let world = &self.world;
        match caller {
            SocketAccount => world.login("alice").await,
            SocketAfterKick => {
                let mut alice = world.login("alice").await;
                world.rest("im_open_login_svc/kick", json!({"UserID": "alice"})).await.ok();
                assert_eq!(alice.pushed().await.kick(), 3);
                alice
            }
            SocketWithKeyOfAnotherApp => {
                let there = world.login_to(&self.other, "alice", Device::WEB).await;
                let mut here = world.connect(&world.app, "alice", Device::WEB).await;
                (here.token, here.number) = (there.token, there.number);
                here
            }
            _ => {
                let mut nobody = world.connect(&world.app, "alice", Device::WEB).await;
                nobody.user.clear();
                nobody.signature.clear();
                nobody
            }
        }
    }

    /// Calls, and returns the number of the answer with what was changed by the call.
    async fn call(&self, row: &Row, caller: Caller, is_foreign: bool) -> (i64, Vec<String>) {
        let body = self.request(row, is_foreign);
        let (world, own) = (&self.world, &self.world.app);
        let changed = async |before: &[(String, String)]| {
            let after = self.data().await;
            let pairs = before.iter().zip(after);
            let changed = pairs.filter(|(before, after)| before.1 != after.1);
            changed.map(|(before, _)| before.0.clone()).collect::<Vec<_>>()
        };
        if matches!(caller, RestAdministrator | RestAdministratorOfAnotherApp | RestAccount) {
            let before = self.data().await;
            let answer = match caller {
                RestAdministrator => world.rest(row.command, body).await,
                RestAccount => world.rest_as(own, "alice", row.command, body).await,
                _ => {
                    // Signed with the own key, for the app that is attacked.
                    let attacker = TestApp { id: own.id, key: self.other.key.clone() };
                    world.rest_as(&attacker, "administrator", row.command, body).await
                }
            };
            return (answer.code(), changed(&before).await);
        }
        let mut client = self.client(caller).await;
        let before = self.data().await;
        let answer = client.call(&row.command.replace('/', "."), body).await;
        (answer.code(), changed(&before).await)
    }

    /// Everything that belongs to each account of each app, by `<app>/<account>`.
    async fn data(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, app) in [("own", self.world.app.id), ("other", self.other.id)] {
            for (user, peer) in [("alice", "bob"), ("bob", "alice")] {
                found.push((format!("{name}/{user}"), self.data_of(app, user, peer).await));
            }
        }
        found
    }

    async fn data_of(&self, app: SdkAppId, user: &str, peer: &str) -> String {
        let engine = self.world.engine();
        let find = async |user: &str| {
            let user = model::UserId::new(user).unwrap();
            engine.accounts.find(app, &user).await.unwrap()
        };
        let (Some(account), Some(peer)) = (find(user).await, find(peer).await) else {
            return "gone".to_owned();
        };
        let (own, other) = (account.number, peer.number);
        let view = engine.conversation(app, own, other).await.unwrap();
        let view = view.map(|view| (view.is_listed, view.active_at, view.last, view.read_to));
        let contacts = engine.contacts.all(app, own).await.unwrap();
        let groups = engine.contact_groups.of(app, own).await.unwrap();
        let times = engine.do_not_disturb.of(app, own).await.unwrap();
        format!(
            "{account:?} {:?} {view:?} {:?} {contacts:?} {groups:?} {times:?} {} {:?} {:?}",
            engine.profiles.of(app, own).await.unwrap(),
            engine.blocks.page(app, own, None, 10).await.unwrap(),
            engine.unread(app, own, other).await.unwrap(),
            engine.presence.custom_status(app, own).await.unwrap(),
            engine.follows.counts(app, own).await.unwrap(),
        )
    }
}

#[test]
fn every_command_has_one_row_and_every_row_a_command() {
    let rows: Vec<&str> = ROWS.iter().map(|row| row.command).collect();
    assert!(rows.is_sorted(), "rows stand in the order of the names");
    let rows: BTreeSet<&str> = rows.into_iter().collect();
    assert_eq!(rows.len(), ROWS.len(), "a command has one row");
    let commands = simulator::commands();
    let commands: BTreeSet<&str> = commands.iter().map(|command| command.spec().name).collect();
    let without: Vec<_> = commands.difference(&rows).collect();
    assert!(without.is_empty(), "commands without a row in rows.rs: {without:?}");
    let without: Vec<_> = rows.difference(&commands).collect();
    assert!(without.is_empty(), "rows without a command: {without:?}");
}

#[tokio::test(start_paused = true)]
async fn every_caller_may_what_its_row_says_and_nothing_else() {
    let mut wrong = Vec::new();
    for row in ROWS {
        for caller in CALLERS {
            for is_foreign in [false, true] {
                let stage = Stage::new().await;
                let (code, changed) = stage.call(row, caller, is_foreign).await;
                let call = format!(
                    "{} by {caller:?} in {} name",
                    row.command,
                    if is_foreign { "another's" } else { "the own" }
                );
                let expected = expected(row, caller, is_foreign);
                if code != expected {
                    wrong.push(format!("{call}: {code} instead of {expected}"));
                }
                if changed.iter().any(|whose| whose.starts_with("other/")) {
                    wrong.push(format!("{call}: changed another app: {changed:?}"));
                }
                if code != 0 && !changed.is_empty() {
                    wrong.push(format!("{call}: refused, but changed {changed:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What belongs to bob alone does not change by anything that alice calls in his name.
#[tokio::test(start_paused = true)]
async fn nobody_acts_for_another() {
    // Either side may change a message that both have.
    for row in ROWS.iter().filter(|row| row.command != "openim/modify_c2c_msg") {
        let stage = Stage::new().await;
        let (_, changed) = stage.call(row, SocketAccount, true).await;
        // What alice sends or recalls in her own name reaches bob; here she tries it in his.
        assert!(!changed.contains(&"own/bob".to_owned()), "{}", row.command);
    }
}
