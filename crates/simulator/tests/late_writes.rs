//! What outlives the account that it is for or about writes nothing: a request may have found an account long before it is done.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::annotations::{Annotated, Maker, Operation, Pair};
use engine::contact_groups::Membership;
use engine::do_not_disturb::Times;
use engine::erased::ErasedFact;
use engine::facts::AccountFact;
use engine::relations::{AddFriend, Adding, ImportFriend};
use model::settings::App;
use model::{AccountNumber, Seconds, Subject};
use ports::Record as _;
use ports::records::Range;
use promise::Stamps;
use testkit::World;

/// Where records name an account: their subject, their keys, their values.
async fn traces(world: &World, account: &AccountFact) -> Vec<String> {
    let (records, number) = (&world.engine().context.records, account.number);
    let (bytes, digits) = (number.0.to_be_bytes(), number.0.to_string());
    let mut traces = Vec::new();
    for kind in engine::facts::kinds().into_iter().filter(|kind| *kind != ErasedFact::KIND) {
        let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: 10_000 };
        for found in records.scan(world.app.id, range).await.unwrap() {
            let value = String::from_utf8_lossy(&found.value).into_owned();
            let is_named = found.stamp.subject == Subject::Account(number)
                || found.key.windows(bytes.len()).any(|part| part == bytes)
                || value.contains(&digits)
                || value.contains(account.user.as_str());
            if is_named {
                traces.push(format!("{}: {value}", kind.name));
            }
        }
    }
    traces
}

/// Two accounts, and what a request found of them.
struct Found {
    app: Arc<App>,
    alice: Arc<AccountFact>,
    bob: Arc<AccountFact>,
    message: Annotated,
}

const FORCED: Adding = Adding { both: true, force: true };

impl Found {
    fn add(other: &Arc<AccountFact>) -> AddFriend {
        let (source, text) = ("AddSource_Type_Test".to_owned(), String::new);
        AddFriend {
            other: Arc::clone(other),
            source,
            wording: text(),
            remark: text(),
            group: Some("g".to_owned()),
        }
    }

    fn import(other: &Arc<AccountFact>) -> ImportFriend {
        let AddFriend { other, source, wording, remark, .. } = Self::add(other);
        let (groups, custom) = (vec!["h".to_owned()], BTreeMap::new());
        ImportFriend { other, source, wording, remark, groups, added_at: None, custom }
    }

    /// Writes for one of the two and about the other; how many of the 10 writes were refused. Without extensions there is nothing to
    /// clear, and who is blocked is neither befriended nor followed.
    async fn write(&self, world: &World, one: &Arc<AccountFact>, other: &Arc<AccountFact>) -> usize {
        let (engine, app) = (world.engine(), &self.app);
        let stamps = Stamps::of(app.id, &app.settings);
        let pin = |settings: &mut engine::facts::ContactSettings| settings.pinned_at = Some(Seconds(1));
        let membership = Membership { peer: other.number, is_in: true };
        let grouped = engine.contact_groups.create(stamps, app.id, one.number, "work", &[membership]).await;
        let pair = Pair { key: "k".to_owned(), value: "v".to_owned(), sequence: 0 };
        let (maker, pairs) = (Maker { number: one.number, origin: None }, [pair]);
        let message = &self.message;
        let others = [Arc::clone(other)];
        let results = [
            engine.contacts.change(stamps, app.id, one.number, other.number, pin).await.map(drop),
            grouped.and_then(|(_, outcomes)| outcomes.into_iter().collect()),
            engine.blocks.add(stamps, app.id, one.number, &others).await.and_then(first),
            engine.presence.watch(stamps, app.id, one.number, &others).await,
            engine.react(app, message, maker, "+1").await,
            engine.change_extensions(app, message, maker, Operation::Set, &pairs, false).await.map(drop),
            engine.clear_extensions(app, message, maker).await.map(drop),
            engine.add_friends(app, one, &[Self::add(other)], FORCED).await.and_then(first),
            engine.import_friends(app, one, &[Self::import(other)]).await.and_then(first),
            engine.follow(app, one, &others).await.and_then(|refused| match refused.into_values().next() {
                Some(refusal) => Err(refusal),
                None => Ok(()),
            }),
        ];
        results.iter().filter(|result| result.is_err()).count()
    }

    /// Writes for an account alone; how many were refused.
    async fn write_own(&self, world: &World, one: &Arc<AccountFact>) -> usize {
        let (engine, app) = (world.engine(), &self.app);
        let stamps = Stamps::of(app.id, &app.settings);
        let times = Times { level: 2, ..Times::default() };
        let nick = model::profile::FieldValue::Text("late".to_owned());
        let nick = vec![(model::profile::NICK.to_owned(), nick)];
        let groups = ["late".to_owned()];
        let results = [
            engine.do_not_disturb.set(stamps, app.id, one.number, times).await,
            engine.profiles.set(stamps, app.id, one, nick, None).await,
            engine.presence.set_custom_status(stamps, app.id, one, "late").await,
            engine.store_merged(app, one, b"[]".to_vec()).await.map(drop),
            engine.add_friend_groups(app, one, &groups, &[], None).await.map(drop),
            engine.read_requests(app, one, Seconds(9)).await,
            engine.accounts.mute(app.id, &one.user, Some(Seconds(9)), None).await.map(drop),
            engine.contact_groups.create(stamps, app.id, one.number, "empty", &[]).await.map(drop),
        ];
        results.iter().filter(|result| result.is_err()).count()
    }
}

fn first(results: Vec<model::Result<()>>) -> model::Result<()> {
    results.into_iter().collect()
}

async fn found(world: &World) -> Found {
    world.accounts(&["alice", "bob"]).await;
    let sent = world.send("alice", "bob", "hello").await;
    let app = world.settings(&world.app).await;
    let (alice, bob) = (world.account("alice").await, world.account("bob").await);
    let message = world.engine().annotated(&app, &alice, &bob, sent.key, None).await.unwrap().unwrap();
    Found { app, alice, bob, message }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_for_or_about_an_account_that_was_erased() {
    let world = World::new(simulator::commands).await;
    let found = found(&world).await;
    let (alice, bob) = (&found.alice, &found.bob);
    world.engine().erase_account(&found.app, &bob.user).await.unwrap();
    // Its rows are deleted by now, and nobody looks again.
    world.advance_seconds(10).await;
    assert_eq!(found.write(&world, alice, bob).await, 9, "about it");
    assert_eq!(found.write(&world, bob, alice).await, 9, "for it");
    assert_eq!(found.write_own(&world, bob).await, 8, "for it alone");
    assert_eq!(world.engine().presence.custom_status(found.app.id, bob.number).await.unwrap(), "");
    let left = traces(&world, bob).await;
    assert!(left.is_empty(), "{left:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_written_before_an_erasure_goes_with_it_from_memory_too() {
    let world = World::new(simulator::commands).await;
    let found = found(&world).await;
    let (alice, bob) = (&found.alice, &found.bob);
    let (engine, app) = (world.engine(), found.app.id);
    assert_eq!((found.write_own(&world, bob).await, found.write(&world, bob, alice).await), (0, 2));
    let friend = |owner: AccountNumber, friend| engine.relations.friend(app, owner, friend);
    assert!(friend(bob.number, alice.number).await.unwrap().is_some());
    assert!(engine.blocks.is_blocked(app, bob.number, alice.number).await.unwrap());
    assert!(traces(&world, bob).await.len() > 10);
    engine.erase_account(&found.app, &bob.user).await.unwrap();
    assert_eq!(engine.presence.custom_status(app, bob.number).await.unwrap(), "");
    world.advance_seconds(10).await;
    assert!(friend(bob.number, alice.number).await.unwrap().is_none());
    assert!(!engine.blocks.is_blocked(app, bob.number, alice.number).await.unwrap());
    // The numbers of its keys are kept until those are destroyed.
    engine.change_generation().await.unwrap();
    let left = traces(&world, bob).await;
    assert!(left.is_empty(), "{left:#?}");
}
