//! Cases of the Timeline port about what ends: by its time, by a shortened retention, by erasure.

use model::{ConversationId, HistoryKey, Seconds, UserId};

use super::timeline::{numbers, place};
use super::{ALICE, APP, BOB, CAROL, Case, NOW, OTHER_APP, Subjects, message, name, ok};
use crate::timeline::{AccountPage, Direction, HistoryQuery};
use crate::{Cursor, Event};

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    expired_messages_are_absent(subjects).await;
    what_ended_entries_changed_stays_with_the_conversation(subjects).await;
    a_shortened_retention_acts_on_what_was_there_and_nothing_undoes_it(subjects).await;
    an_erased_account_leaves_places_without_content_or_name(subjects).await;
    an_app_that_is_forgotten_leaves_nothing_and_others_stay(subjects).await;
    an_erasure_finds_what_its_author_kept_no_copy_of(subjects).await;
    an_emptied_conversation_keeps_its_shape_and_goes_on(subjects).await;
    vec![
        "an_emptied_conversation_keeps_its_shape_and_goes_on",
        "an_erasure_finds_what_its_author_kept_no_copy_of",
        "an_app_that_is_forgotten_leaves_nothing_and_others_stay",
        "expired_messages_are_absent",
        "what_ended_entries_changed_stays_with_the_conversation",
        "a_shortened_retention_acts_on_what_was_there_and_nothing_undoes_it",
        "an_erased_account_leaves_places_without_content_or_name",
    ]
}

async fn expired_messages_are_absent(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    let end = NOW + 7 * 86_400;
    case.clock.set(end - 1);
    case.send(ALICE, BOB, 2).await;
    assert_eq!(case.all(BOB).await, [1, 2], "never a second early");
    assert_eq!(case.unread(BOB).await, 2);
    case.clock.set(end);
    assert_eq!(case.all(BOB).await, [2]);
    assert_eq!(case.unread(BOB).await, 1);
    assert_eq!(case.find(ALICE, 1, sent.time).await, None);
    assert_eq!(case.stream(BOB, Cursor(0), 10).await.entries.len(), 1);
    case.clock.set(end + 7 * 86_400);
    assert_eq!(case.view(BOB).await.last, None);
}

async fn what_ended_entries_changed_stays_with_the_conversation(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    case.read(BOB, ALICE, Seconds(NOW)).await;
    let listing = Event::Clear { by: BOB, history: false, listing: true };
    let last = case.append(BOB, ALICE, listing).await;
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        case.clock.set(NOW + 8 * 86_400);
        assert_eq!(case.all(ALICE).await, [0; 0], "round {round}");
        assert_eq!(case.stream(ALICE, Cursor(0), 10).await.entries.len(), 0);
        let (own, others) = (case.view(BOB).await, case.view(ALICE).await);
        assert_eq!((own.read_to, others.peer_read_to), (place(&sent), place(&sent)));
        assert_eq!((own.is_listed, others.is_listed, own.active_at), (false, true, Seconds(NOW)));
        assert!(!case.read(BOB, ALICE, Seconds(NOW)).await.is_new, "it was read");
        if round == 0 {
            crashed = Some(case.crash(subjects));
            continue;
        }
        let next = case.send(ALICE, BOB, 2).await;
        assert_eq!((next.position.0, case.unread(BOB).await), (last.position.0 + 1, 1));
        assert!(next.cursor > last.cursor && case.view(BOB).await.is_listed);
    }
}

async fn a_shortened_retention_acts_on_what_was_there_and_nothing_undoes_it(subjects: &mut dyn Subjects) {
    const DAY: u32 = 86_400;
    let case = Case::new(subjects);
    case.send(ALICE, BOB, 1).await;
    case.clock.set(NOW + DAY);
    case.send(ALICE, BOB, 2).await;
    let count = async |case: &Case, days: u32| ok(case.stores.timeline.count_older(APP, days * DAY).await);
    assert_eq!([count(&case, 2).await, count(&case, 1).await, count(&case, 0).await], [0, 1, 2]);
    ok(case.stores.timeline.shorten(APP, 2 * DAY).await);
    assert_eq!(case.all(BOB).await, [1, 2]);
    // What comes later is kept as its stamp says, and a longer limit changes nothing.
    case.send(ALICE, BOB, 3).await;
    ok(case.stores.timeline.shorten(OTHER_APP, 0).await);
    case.clock.set(NOW + 2 * DAY - 1);
    assert_eq!(case.all(BOB).await, [1, 2, 3], "never a second early");
    case.clock.set(NOW + 2 * DAY);
    assert_eq!(case.all(BOB).await, [2, 3]);
    let sent = case.append(BOB, ALICE, Event::Message(message(BOB, ALICE, 4))).await;
    assert_eq!(case.unread(BOB).await, 2);
    assert_eq!(case.find(ALICE, 1, Seconds(NOW)).await, None);
    assert_eq!(count(&case, 0).await, 3);
    let case = case.crash(subjects);
    assert_eq!(case.all(BOB).await, [2, 3, 4]);
    case.clock.set(NOW + 3 * DAY);
    assert_eq!(case.all(BOB).await, [3, 4]);
    assert_eq!(case.stream(BOB, Cursor(0), 10).await.entries.len(), 2);
    assert_eq!(case.view(BOB).await.last.map(|last| last.at), Some(place(&sent)));
}

async fn an_erased_account_leaves_places_without_content_or_name(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let own = case.send(ALICE, BOB, 1).await;
    case.append(BOB, ALICE, Event::Message(message(BOB, ALICE, 2))).await;
    let recalled = case.send(ALICE, BOB, 3).await;
    case.append(ALICE, BOB, case.recall_of(3, &recalled)).await;
    let other = ConversationId::between(BOB, CAROL);
    case.append(BOB, CAROL, Event::Message(message(BOB, CAROL, 4))).await;
    let erased = ok(case.stores.timeline.erase_account(APP, ALICE, name(ALICE)).await);
    assert_eq!(erased.messages, 2);
    assert!(erased.aged_out_by > own.time);
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        let page = case.page(BOB, HistoryKey::START, HistoryKey::END, Direction::Backwards, 10).await;
        assert_eq!(numbers(&page), [1, 2, 3], "round {round}");
        let [first, second, third] = &page.messages[..] else { unreachable!("three") };
        assert_eq!((first.message.from.clone(), first.message.content.bytes.len()), (UserId::erased(), 0));
        assert_eq!((&second.message.from, &second.message.to), (&name(BOB), &UserId::erased()));
        assert!(!second.message.content.bytes.is_empty(), "what others wrote is theirs");
        assert_eq!(third.revoker, Some(UserId::erased()));
        assert_eq!(case.stream(ALICE, Cursor(0), 10).await.entries.len(), 0);
        assert_eq!(ok(case.stores.timeline.conversations(APP, ALICE, 10).await).len(), 0);
        assert_eq!(ok(case.stores.timeline.conversations(APP, BOB, 10).await).len(), 2);
        let query = HistoryQuery {
            viewer: CAROL,
            after: HistoryKey::START,
            before: HistoryKey::END,
            direction: Direction::Backwards,
            limit: 10,
        };
        let untouched = ok(case.stores.timeline.history(APP, other, query).await);
        assert_eq!(untouched.messages[0].message.from, name(BOB));
        let again = ok(case.stores.timeline.erase_account(APP, ALICE, name(ALICE)).await);
        assert_eq!(again.messages, 2, "what an earlier round counted counts");
        crashed = (round == 0).then(|| case.crash(subjects));
    }
}

async fn an_app_that_is_forgotten_leaves_nothing_and_others_stay(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    case.append(ALICE, BOB, case.recall_of(1, &sent)).await;
    case.send(ALICE, BOB, 2).await;
    let other =
        case.append_as(OTHER_APP, ALICE, BOB, Event::Message(message(ALICE, BOB, 3)), None, None).await;
    assert_eq!(ok(case.stores.timeline.forget_app(APP).await), 2);
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        assert_eq!(case.all(BOB).await, Vec::<u32>::new(), "round {round}");
        let pair = ConversationId::between(ALICE, BOB);
        assert_eq!(ok(case.stores.timeline.conversation(APP, BOB, pair).await), None);
        assert_eq!(case.stream(BOB, Cursor(0), 10).await.entries.len(), 0);
        let entries = ok(case.stores.timeline.account_entries(OTHER_APP, BOB, Cursor(0), 10).await).entries;
        assert_eq!(entries.iter().map(|entry| entry.cursor).collect::<Vec<_>>(), [other.cursor]);
        crashed = (round == 0).then(|| case.crash(subjects));
    }
}

async fn an_erasure_finds_what_its_author_kept_no_copy_of(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let mut sent = message(ALICE, BOB, 1);
    sent.flags.receiver_only = true;
    case.append(ALICE, BOB, Event::Message(sent)).await;
    assert_eq!(case.stream(ALICE, Cursor(0), 10).await.entries.len(), 0);
    assert_eq!(case.stream(BOB, Cursor(0), 10).await.entries.len(), 1);
    assert_eq!(ok(case.stores.timeline.erase_account(APP, ALICE, name(ALICE)).await).messages, 1);
    let page = case.page(BOB, HistoryKey::START, HistoryKey::END, Direction::Backwards, 10).await;
    let [found] = &page.messages[..] else { unreachable!("one") };
    assert_eq!((found.message.content.bytes.len(), &found.message.from), (0, &UserId::erased()));
}

async fn an_emptied_conversation_keeps_its_shape_and_goes_on(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.send(ALICE, BOB, 1).await;
    case.send(BOB, ALICE, 2).await;
    case.send(ALICE, CAROL, 3).await;
    let clear = Event::Clear { by: ALICE, history: true, listing: true };
    let cleared = case.append(ALICE, BOB, clear).await;
    case.send(ALICE, BOB, 4).await;
    let pair = ConversationId::between(ALICE, BOB);
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        let timeline = &case.stores.timeline;
        let emptied = ok(timeline.empty_conversation(APP, pair, cleared.position).await);
        assert_eq!(emptied.messages, 2, "round {round}");
        assert!(emptied.aged_out_by > cleared.time);
        let left = |page: AccountPage| -> Vec<(u32, bool)> {
            let of_entry = |entry: &std::sync::Arc<crate::Entry>| match &entry.event {
                Event::Message(message) => Some((message.sequence, !message.content.bytes.is_empty())),
                _ => None,
            };
            page.entries.iter().filter_map(of_entry).collect()
        };
        // Who cleared it sees nothing of it; what there is stays to be found.
        assert_eq!(left(case.stream(ALICE, Cursor(0), 10).await), [(3, true), (4, true)]);
        let everything = ok(timeline.everything_of(APP, ALICE, Cursor(0), 10).await);
        assert_eq!(left(everything), [(1, false), (2, false), (3, true), (4, true)]);
        let page = case.page(BOB, HistoryKey::START, HistoryKey::END, Direction::Forwards, 10).await;
        let bodies: Vec<bool> =
            page.messages.iter().map(|found| !found.message.content.bytes.is_empty()).collect();
        assert_eq!(bodies, [false, false, true]);
        crashed = (round == 0).then(|| case.crash(subjects));
    }
}
