//! What tests of one noun need of the others, made without their commands.

use std::sync::Arc;

use engine::annotations::Maker;
use engine::contact_groups::Membership;
use engine::facts::AccountFact;
use engine::messages::{Outgoing, Sent};
use engine::modify::Change;
use model::HistoryKey;
use model::keyword::{Action, Keyword, WordKind};
use model::message::MessageFlags;
use model::settings::App;
use ports::timeline::{Direction, HistoryQuery, PAGE_MAX};
use promise::Stamps;
use serde_json::{Value, json};

use crate::world::{TestApp, World, user_id};

/// The `MsgBody` of a text.
#[must_use]
pub fn text(text: &str) -> Value {
    json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}])
}

impl World {
    /// The settings of an app, as they are.
    pub async fn settings(&self, app: &TestApp) -> Arc<App> {
        let found = self.engine().apps.find(app.id).await;
        found.expect("apps can be read").expect("the app exists")
    }

    /// Changes a setting of the app.
    pub async fn set(&self, name: &str, value: &str) {
        let app = self.settings(&self.app).await;
        let value = app.settings.read(name, value).expect("the setting has such values");
        let author = engine::settings::Author::OPERATOR;
        let changed = self.engine().change_settings(self.app.id, author, &[(name.to_owned(), value)]).await;
        changed.expect("the setting is allowed");
    }

    /// An account of the app, made if it is not there.
    pub async fn account(&self, user: &str) -> Arc<AccountFact> {
        let app = self.settings(&self.app).await;
        let stamps = Stamps::of(app.id, &app.settings);
        let account = self.engine().accounts.ensure(stamps, app.id, &user_id(user)).await;
        account.expect("an account can be made")
    }

    /// Sets what an account says about itself.
    pub async fn custom_status(&self, user: &str, text: &str) {
        let (app, account) = (self.settings(&self.app).await, self.account(user).await);
        let stamps = Stamps::of(app.id, &app.settings);
        let set = self.engine().presence.set_custom_status(stamps, app.id, &account, text).await;
        set.expect("it can be set");
    }

    /// Deletes an account of the app.
    pub async fn delete_account(&self, user: &str) {
        let app = self.settings(&self.app).await;
        let deleted = self.engine().erase_account(&app, &user_id(user)).await;
        deleted.expect("the account is there");
    }

    /// Accounts of the app.
    pub async fn accounts(&self, users: &[&str]) {
        for user in users {
            self.account(user).await;
        }
    }

    /// A robot of the app, made if it is not there.
    pub async fn robot(&self, user: &str) -> Arc<AccountFact> {
        let app = self.settings(&self.app).await;
        let robot = self.engine().make_robot(&app, &user_id(user)).await;
        robot.expect("a robot can be made")
    }

    /// Has the app look for a word: to be replaced by something, or to be refused.
    pub async fn keyword(&self, word: &str, replaced_by: Option<&str>) {
        let action = replaced_by.map_or(Action::Refuse, |by| Action::Replace(by.to_owned()));
        let keyword = Keyword { text: word.to_owned(), kind: WordKind::Word, action };
        let added = self.engine().moderation.add(self.app.id, vec![keyword]).await;
        added.expect("a keyword can be added");
    }

    /// Puts an account on another's block list.
    pub async fn block(&self, owner: &str, other: &str) {
        let app = self.settings(&self.app).await;
        let stamps = Stamps::of(app.id, &app.settings);
        let (owner, other) = (self.account(owner).await, self.account(other).await);
        let blocks = &self.engine().blocks;
        let added = blocks.add(stamps, app.id, owner.number, &[other]).await;
        let results = added.expect("a block list can be written");
        assert!(results.iter().all(Result::is_ok), "an account can be blocked");
    }

    /// Makes a conversation group of an account, with its conversations with others.
    pub async fn contact_group(&self, owner: &str, name: &str, peers: &[&str]) {
        let app = self.settings(&self.app).await;
        let stamps = Stamps::of(app.id, &app.settings);
        let owner = self.account(owner).await;
        let mut members = Vec::new();
        for peer in peers {
            members.push(Membership { peer: self.account(peer).await.number, is_in: true });
        }
        let groups = &self.engine().contact_groups;
        let (_, outcomes) = groups
            .create(stamps, app.id, owner.number, name, &members)
            .await
            .expect("a conversation group can be made");
        assert!(outcomes.iter().all(Result::is_ok), "every conversation can be in a group");
    }

    /// Changes for how many days messages and profiles are kept.
    pub async fn keep(&self, message_days: Option<u32>, profile_days: Option<u32>) {
        let engine = self.engine();
        let proposal = engine.propose_retention(self.app.id, message_days, profile_days).await;
        let proposal = proposal.expect("another retention can be proposed");
        let applied = engine.apply_retention(self.app.id, &proposal.token, "test").await;
        applied.expect("what was proposed can be applied");
    }

    /// Puts an account on another one's list of friends.
    pub async fn befriend(&self, owner: &str, friend: &str) {
        let app = self.settings(&self.app).await;
        let (owner, other) = (self.account(owner).await, self.account(friend).await);
        let friend = engine::relations::ImportFriend {
            other,
            source: "AddSource_Type_Test".to_owned(),
            wording: String::new(),
            remark: String::new(),
            groups: Vec::new(),
            added_at: None,
            custom: std::collections::BTreeMap::new(),
        };
        let added = self.engine().import_friends(&app, &owner, &[friend]).await;
        assert!(added.is_ok_and(|results| results.iter().all(Result::is_ok)), "a friend can be added");
    }

    /// Gives an account a nickname.
    pub async fn nick(&self, user: &str, nick: &str) {
        self.profile_text(user, model::profile::NICK, nick).await;
    }

    /// Sets a text of an account's profile.
    pub async fn profile_text(&self, user: &str, tag: &str, text: &str) {
        let app = self.settings(&self.app).await;
        let stamps = Stamps::of(app.id, &app.settings);
        let account = self.account(user).await;
        let fields = vec![(tag.to_owned(), model::profile::FieldValue::Text(text.to_owned()))];
        let profiles = &self.engine().profiles;
        let set = profiles.set(stamps, app.id, &account, fields, None).await;
        set.expect("a profile can be written");
    }

    /// A text on its way from one account to another, as a back end sends it. Extensions may be set on it.
    pub async fn outgoing(&self, from: &str, to: &str, content: &str) -> Outgoing {
        let random = self.next_random();
        Outgoing {
            from: self.account(from).await,
            to: self.account(to).await,
            sequence: Some(random),
            random,
            client_time: None,
            content: model::Content { body: text(content).to_string().into(), ..Default::default() },
            medium: model::Medium::Text,
            flags: MessageFlags { supports_extension: true, ..MessageFlags::default() },
            is_online_only: false,
            origin: None,
        }
    }

    /// Sends a text from one account to another, as a back end does. Extensions may be set on it.
    pub async fn send(&self, from: &str, to: &str, content: &str) -> Sent {
        let app = self.settings(&self.app).await;
        let outgoing = self.outgoing(from, to, content).await;
        let sent = self.engine().send(&app, outgoing).await;
        sent.expect("a message can be sent")
    }

    /// Lets one account read everything that another has sent to it so far.
    pub async fn read(&self, reader: &str, peer: &str) {
        let app = self.settings(&self.app).await;
        let (reader, peer) = (self.account(reader).await, self.account(peer).await);
        let read = self.engine().read(&app, &reader, &peer, self.now(), None).await;
        read.expect("messages can be read");
    }

    /// Recalls a message, as a back end does.
    pub async fn recall(&self, from: &str, to: &str, sent: &Sent) {
        let app = self.settings(&self.app).await;
        let (from, to) = (self.account(from).await, self.account(to).await);
        let recalled = self.engine().recall(&app, &from, &to, sent.key, &from, None).await;
        recalled.expect("the message can be recalled");
    }

    /// Lets one of the sides change the text of a message.
    pub async fn modify(&self, (from, to): (&str, &str), sent: &Sent, by: &str, content: &str) {
        let app = self.settings(&self.app).await;
        let (from, to) = (self.account(from).await, self.account(to).await);
        let maker = Maker { number: self.account(by).await.number, origin: None };
        let body = Some((text(content).to_string().into(), model::Medium::Text));
        let change = Change { body, cloud_custom_data: None };
        let modified = self.engine().modify(&app, (&from, &to), sent.key, maker, None, &change).await;
        assert!(modified.expect("the message can be changed").is_done);
    }

    /// Puts a reaction of the sender under a message.
    pub async fn react(&self, (from, to): (&str, &str), sent: &Sent, text: &str) {
        let app = self.settings(&self.app).await;
        let (from, to) = (self.account(from).await, self.account(to).await);
        let found = self.engine().annotated(&app, &from, &to, sent.key, Some(from.number)).await;
        let message = found.expect("messages can be found").expect("the message is there");
        let maker = Maker { number: from.number, origin: None };
        let added = self.engine().react(&app, &message, maker, text).await;
        added.expect("a reaction can be added");
    }

    /// The bodies of what one account sees of its conversation with another, oldest first.
    pub async fn history(&self, viewer: &str, peer: &str) -> Vec<Value> {
        let (viewer, peer) = (self.account(viewer).await, self.account(peer).await);
        let query = HistoryQuery {
            viewer: viewer.number,
            after: HistoryKey::START,
            before: HistoryKey::END,
            direction: Direction::Forwards,
            limit: PAGE_MAX,
        };
        let page = self.engine().history(self.app.id, viewer.number, peer.number, query).await;
        let messages = page.expect("a history can be read").messages;
        let bodies = messages.iter().map(|found| serde_json::from_slice(&found.message.content.body));
        bodies.map(|body| body.unwrap_or(Value::Null)).collect()
    }

    /// How many messages of another an account has not read.
    pub async fn unread(&self, viewer: &str, peer: &str) -> u32 {
        let (viewer, peer) = (self.account(viewer).await, self.account(peer).await);
        let count = self.engine().unread(self.app.id, viewer.number, peer.number).await;
        count.expect("messages can be counted")
    }
}
