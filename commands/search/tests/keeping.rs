//! What is kept to search in: through restarts and crashes, and until it is recalled, erased or over.

use std::time::Duration;

use serde_json::json;
use testkit::{Client, Options, World};

fn options() -> Options {
    let mut options = Options::of(search::commands);
    options.engine.search.waiting_max = 20;
    options
}

async fn world() -> World {
    let world = World::with(options()).await;
    world.accounts(&["alice", "bob", "carol"]).await;
    world
}

/// How many messages with bob are found, and whether the answer is complete.
async fn found(client: &mut Client, word: &str) -> (usize, bool) {
    let body = json!({"KeywordList": [word], "PeerAccount": "bob"});
    let answer = client.call("message_search.query", body).await.ok();
    let total = answer["TotalCount"].as_u64().and_then(|total| usize::try_from(total).ok());
    (total.unwrap_or(usize::MAX), !answer.has("Incomplete"))
}

async fn found_by_alice(world: &World, word: &str) -> (usize, bool) {
    found(&mut world.login("alice").await, word).await
}

/// Stores what waits, and merges what is to be merged.
async fn tidy(world: &World) {
    let tidied = world.engine().search.tidy_now().await;
    assert!(tidied.is_ok(), "{tidied:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_finds_everything_and_reads_only_what_is_in_no_index() {
    let mut world = world().await;
    for number in 0..100 {
        world.send("alice", "bob", &format!("needle {number}")).await;
    }
    tidy(&world).await;
    for number in 0..5 {
        world.send("alice", "bob", &format!("needle again {number}")).await;
    }
    assert_eq!(found_by_alice(&world, "needle").await, (105, true));
    for _ in 0..2 {
        world.crash().await;
        assert_eq!(found_by_alice(&world, "needle").await, (105, true));
        let status = world.engine().search.status();
        assert!(status.read < 10, "the log is not read again: {status:?}");
        assert_eq!((status.indexed, status.waiting), (100, 5));
    }
    assert_eq!(found_by_alice(&world, "again").await, (5, true));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_stored_after_a_while() {
    let world = world().await;
    world.send("alice", "bob", "needle").await;
    world.advance_seconds(100).await;
    assert_eq!(world.engine().search.status().indexes, 0);
    world.advance_seconds(300).await;
    let status = world.engine().search.status();
    assert_eq!((status.indexes, status.indexed, status.waiting), (1, 1, 0));
    assert_eq!(found_by_alice(&world, "needle").await, (1, true));
}

#[tokio::test(start_paused = true)]
async fn many_indexes_become_few() {
    let world = world().await;
    for number in 0..600 {
        world.send("alice", "bob", &format!("needle {number}")).await;
        if number % 20 == 19 {
            world.settle().await;
        }
    }
    tidy(&world).await;
    let status = world.engine().search.status();
    assert!(status.indexes < 16, "{status:?}");
    assert_eq!((status.indexed, world.blobs.len()), (600, status.indexes));
    assert_eq!(found_by_alice(&world, "needle").await, (600, true));
    assert_eq!(found_by_alice(&world, "577").await, (1, true));
}

#[tokio::test(start_paused = true)]
async fn recalled_messages_leave_the_index_before_their_keys_go() {
    let world = world().await;
    let sent = world.send("alice", "bob", "needle one").await;
    world.send("alice", "bob", "needle two").await;
    tidy(&world).await;
    let waiting = world.send("alice", "bob", "needle three").await;
    let before = world.blobs.names();
    world.recall("alice", "bob", &sent).await;
    world.recall("alice", "bob", &waiting).await;
    assert_eq!(found_by_alice(&world, "needle").await, (1, true));
    assert_eq!(world.engine().search.status().indexed, 2);
    world.engine().change_generation().await.unwrap();
    let status = world.engine().search.status();
    assert_eq!((status.indexed, status.indexes, status.waiting), (1, 1, 0));
    let after = world.blobs.names();
    assert!(after.len() == 1 && before != after, "the index is another object");
    assert_eq!(found_by_alice(&world, "needle").await, (1, true));
    // The key of the former one is gone with that of the message.
    let keyring = &world.engine().keyring;
    assert!(keyring.doomed().await.unwrap().is_empty());
    tidy(&world).await;
    assert_eq!(world.blobs.names(), after);
}

#[tokio::test(start_paused = true)]
async fn the_former_index_cannot_be_opened_after_the_change_even_if_it_was_copied() {
    let world = world().await;
    let sent = world.send("alice", "bob", "needle").await;
    world.send("bob", "alice", "other").await;
    tidy(&world).await;
    let app = world.app.id;
    let name = world.blobs.names()[0];
    let copy = ports::Blobs::get(world.blobs.as_ref(), app, name).await.unwrap().unwrap();
    let place = promise::keys::Place::search_index(app);
    assert!(world.engine().keyring.open_bytes(place, &copy).is_some());
    world.recall("alice", "bob", &sent).await;
    world.engine().change_generation().await.unwrap();
    assert!(world.engine().keyring.open_bytes(place, &copy).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_an_erased_account_wrote_leaves_the_index() {
    let world = world().await;
    world.send("alice", "bob", "needle of alice").await;
    world.send("carol", "bob", "needle of carol").await;
    tidy(&world).await;
    world.send("carol", "bob", "needle that waits").await;
    let mut bob = world.login("bob").await;
    world.delete_account("carol").await;
    let body = json!({"KeywordList": ["needle"]});
    let answer = bob.call("message_search.query", body).await.ok();
    assert_eq!(
        (&answer["TotalCount"], &answer["ConversationMsgs"][0]["UserID"]),
        (&json!(1), &json!("alice"))
    );
    world.advance_seconds(5).await;
    world.engine().change_generation().await.unwrap();
    let status = world.engine().search.status();
    assert_eq!((status.indexed, status.waiting), (1, 0));
    assert_eq!(found_by_alice(&world, "needle").await, (1, true));
}

#[tokio::test(start_paused = true)]
async fn an_erased_conversation_leaves_the_index() {
    let world = world().await;
    world.send("alice", "bob", "needle").await;
    world.send("bob", "alice", "needle back").await;
    world.send("alice", "carol", "needle for carol").await;
    tidy(&world).await;
    let app = world.settings(&world.app).await;
    let names = ["alice", "bob"].map(|name| model::UserId::new(name).unwrap());
    world.engine().erase_conversation(&app, &names[0], &names[1]).await.unwrap();
    assert_eq!(found_by_alice(&world, "needle").await, (0, true));
    world.advance_seconds(5).await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(world.engine().search.status().indexed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_shortened_retention_hides_at_once_and_takes_messages_out() {
    let world = world().await;
    world.send("alice", "bob", "needle of old").await;
    tidy(&world).await;
    world.advance_seconds(2 * 86_400).await;
    world.send("alice", "bob", "needle of today").await;
    tidy(&world).await;
    assert_eq!(found_by_alice(&world, "needle").await, (2, true));
    world.keep(Some(1), None).await;
    assert_eq!(found_by_alice(&world, "needle").await, (1, true));
    world.engine().change_generation().await.unwrap();
    assert_eq!(world.engine().search.status().indexed, 1);
    assert_eq!(found_by_alice(&world, "needle").await, (1, true));
}

#[tokio::test(start_paused = true)]
async fn an_index_goes_with_its_day() {
    let world = world().await;
    world.send("alice", "bob", "needle").await;
    tidy(&world).await;
    world.advance_seconds(86_400).await;
    world.send("alice", "bob", "needle next day").await;
    tidy(&world).await;
    assert_eq!(world.blobs.len(), 2);
    world.advance_seconds(7 * 86_400 - 3600).await;
    assert_eq!((world.blobs.len(), world.engine().search.status().indexes), (1, 1));
    world.advance_seconds(86_400).await;
    assert_eq!((world.blobs.len(), world.engine().search.status().indexes), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_terminated_app_leaves_no_object_behind() {
    let world = world().await;
    world.send("alice", "bob", "needle").await;
    tidy(&world).await;
    world.send("alice", "bob", "needle that waits").await;
    let id = world.app.id;
    world.engine().terminate_app(id).await.unwrap();
    world.advance_seconds(70 * 86_400).await;
    assert_eq!(world.blobs.len(), 0);
    let status = world.engine().search.status();
    assert_eq!((status.indexes, status.waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn damaged_and_missing_indexes_are_made_anew_in_the_background() {
    for is_missing in [false, true] {
        let mut world = world().await;
        for number in 0..50 {
            world.send("alice", "bob", &format!("needle {number}")).await;
        }
        tidy(&world).await;
        if is_missing {
            for name in world.blobs.names() {
                ports::Blobs::remove(world.blobs.as_ref(), world.app.id, name).await.unwrap();
            }
        } else {
            assert!(world.blobs.damage(world.app.id) > 0);
        }
        world.crash().await;
        let (count, is_complete) = found_by_alice(&world, "needle").await;
        assert!(count == 50 || !is_complete, "what is missing is said: {count}");
        world.advance_seconds(120).await;
        assert_eq!(found_by_alice(&world, "needle").await, (50, true));
        tidy(&world).await;
        let status = world.engine().search.status();
        assert_eq!((status.indexed, world.blobs.len()), (50, status.indexes));
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_loses_and_doubles_nothing() {
    for moment in 0..24 {
        let mut world = World::with(Options { sync_millis: 3, ..options() }).await;
        world.accounts(&["alice", "bob"]).await;
        for number in 0..19 {
            world.send("alice", "bob", &format!("needle {number}")).await;
        }
        let sent = world.send("alice", "bob", "needle to be recalled").await;
        let engine = world.engine().clone();
        if moment % 2 == 0 {
            world.recall("alice", "bob", &sent).await;
        }
        let busy = async {
            // What it does is cut off somewhere.
            for _ in 0..3 {
                drop(engine.search.tidy_now().await);
            }
            drop(engine.change_generation().await);
        };
        tokio::select! {
            biased;
            () = busy => {}
            () = world.advance(Duration::from_millis(moment)) => {}
        }
        world.crash().await;
        let expected = if moment % 2 == 0 { 19 } else { 20 };
        assert_eq!(found_by_alice(&world, "needle").await, (expected, true), "crash after {moment} ms");
        tidy(&world).await;
        let status = world.engine().search.status();
        assert_eq!(world.blobs.len(), status.indexes, "crash after {moment} ms leaves nothing over");
        assert_eq!(found_by_alice(&world, "needle").await, (expected, true), "crash after {moment} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_disk_is_full_messages_wait_and_are_found() {
    let world = world().await;
    world.blobs.set_full(true);
    for number in 0..19 {
        world.send("alice", "bob", &format!("needle {number}")).await;
    }
    assert_eq!(found_by_alice(&world, "needle").await, (19, true));
    for number in 0..40 {
        world.send("alice", "bob", &format!("needle more {number}")).await;
    }
    // What is read has its limit; what is not is said to be missing.
    let (count, is_complete) = found_by_alice(&world, "needle").await;
    assert!(count == 59 || !is_complete, "{count}");
    let waiting = world.engine().search.status().waiting;
    assert!(waiting <= 300, "{waiting}");
    world.blobs.set_full(false);
    world.advance_seconds(120).await;
    assert_eq!(found_by_alice(&world, "needle").await, (59, true));
    assert!(world.engine().search.status().indexes > 0);
}

#[tokio::test(start_paused = true)]
async fn an_index_whose_record_was_not_written_leaves_neither_object_nor_key() {
    for restarts in [false, true] {
        let mut world = world().await;
        let sent = world.send("alice", "bob", "needle").await;
        assert_eq!(found_by_alice(&world, "needle").await, (1, true));
        world.store.fail_after(Some(0));
        assert!(world.engine().search.tidy_now().await.is_err());
        assert_eq!((world.blobs.len(), world.engine().search.status().indexes), (1, 0), "half of one");
        let half = world.blobs.names();
        let sealed = ports::Blobs::get(world.blobs.as_ref(), world.app.id, half[0]).await.unwrap().unwrap();
        let is_open = |world: &World| {
            let place = promise::keys::Place::search_index(world.app.id);
            world.engine().keyring.open_bytes(place, &sealed).is_some()
        };
        world.store.fail_after(None);
        if restarts {
            world.crash().await;
        }
        world.recall("alice", "bob", &sent).await;
        assert!(is_open(&world));
        world.engine().change_generation().await.unwrap();
        assert!(!is_open(&world), "its key is one of those to be destroyed");
        tidy(&world).await;
        assert_eq!(world.blobs.len(), world.engine().search.status().indexes);
        assert!(world.blobs.names().iter().all(|name| !half.contains(name)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_needs_no_room_for_what_a_crash_has_left() {
    let mut world = world().await;
    world.send("alice", "bob", "needle").await;
    tidy(&world).await;
    world.send("alice", "bob", "another needle").await;
    world.store.fail_after(Some(0));
    assert!(world.engine().search.tidy_now().await.is_err());
    world.store.fail_after(None);
    world.store.set_full(true);
    world.blobs.set_full(true);
    world.crash().await;
    world.advance_seconds(30).await;
    assert!(world.engine().search.is_complete());
    world.store.set_full(false);
    world.blobs.set_full(false);
    assert_eq!(found_by_alice(&world, "needle").await, (2, true));
    tidy(&world).await;
    assert_eq!((world.blobs.len(), world.engine().search.status().indexes), (2, 2));
    assert_eq!(found_by_alice(&world, "needle").await, (2, true));
}

#[tokio::test(start_paused = true)]
async fn indexes_that_do_not_fit_into_memory_are_opened_again() {
    let mut options = options();
    options.engine.search.opened_bytes_max = 10_000;
    let world = World::with(options).await;
    world.accounts(&["alice", "bob"]).await;
    for number in 0..100 {
        world.send("alice", "bob", &format!("needle {number}")).await;
        if number % 20 == 19 {
            world.settle().await;
        }
    }
    tidy(&world).await;
    for _ in 0..3 {
        assert_eq!(found_by_alice(&world, "needle").await, (100, true));
        assert!(world.engine().search.status().opened_bytes <= 10_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_message_is_found_by_what_it_says_now_and_leaves_no_word_of_before_or_of_who_is_gone() {
    let mut world = world().await;
    let first = world.send("alice", "bob", "before one").await;
    let second = world.send("alice", "bob", "before two").await;
    tidy(&world).await;
    let waiting = world.send("alice", "bob", "before three").await;
    world.modify(("alice", "bob"), &first, "alice", "after one").await;
    world.modify(("alice", "bob"), &second, "bob", "after two").await;
    world.modify(("alice", "bob"), &waiting, "alice", "after three").await;
    for _ in 0..2 {
        assert_eq!(found_by_alice(&world, "before").await, (0, true));
        assert_eq!(found_by_alice(&world, "after").await, (3, true));
        tidy(&world).await;
        assert_eq!(found_by_alice(&world, "after").await, (3, true), "once each");
        world.crash().await;
    }
    // What was there before leaves the index with its key.
    let before = world.engine().search.status().indexed;
    world.engine().change_generation().await.unwrap();
    let status = world.engine().search.status();
    assert!(status.indexed < before, "{status:?}");
    assert_eq!(found_by_alice(&world, "after").await, (3, true));
    // What bob wrote into a message of alice goes with bob.
    world.delete_account("bob").await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(world.engine().search.status().indexed, 2);
}
