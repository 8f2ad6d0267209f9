//! Cases of the Timeline port.

use std::sync::Arc;

use model::message::MessageFlags;
use model::{AccountNumber, ConversationId, HistoryKey, Position, Seconds};

use super::{ALICE, APP, BOB, CAROL, Case, NOW, OTHER_APP, Subjects, all_together, message, name, ok};
use crate::timeline::{
    AccountPage, ConversationView, Direction, HistoryPage, HistoryQuery, RETRY_SECONDS, ReceiptTarget,
    RetryKey, StoredMessage, UNREAD_MAX,
};
use crate::{Appended, Cursor, Event};

fn pair() -> ConversationId {
    ConversationId::between(ALICE, BOB)
}

pub(super) fn numbers(page: &HistoryPage) -> Vec<u32> {
    page.messages.iter().map(|found| found.message.sequence).collect()
}

pub(super) fn place(appended: &Appended) -> HistoryKey {
    HistoryKey { time: appended.time, position: appended.position }
}

impl Case {
    pub(super) async fn page(
        &self,
        viewer: AccountNumber,
        after: HistoryKey,
        before: HistoryKey,
        direction: Direction,
        limit: usize,
    ) -> HistoryPage {
        let query = HistoryQuery { viewer, after, before, direction, limit };
        ok(self.stores.timeline.history(APP, pair(), query).await)
    }

    pub(super) async fn all(&self, viewer: AccountNumber) -> Vec<u32> {
        numbers(&self.page(viewer, HistoryKey::START, HistoryKey::END, Direction::Backwards, 500).await)
    }

    pub(super) async fn view(&self, viewer: AccountNumber) -> ConversationView {
        match ok(self.stores.timeline.conversation(APP, viewer, pair()).await) {
            Some(view) => view,
            None => unreachable!("the case has appended to the conversation"),
        }
    }

    pub(super) async fn unread(&self, viewer: AccountNumber) -> u32 {
        ok(self.stores.timeline.unread(APP, viewer, pair()).await)
    }

    pub(super) async fn stream(&self, account: AccountNumber, after: Cursor, limit: usize) -> AccountPage {
        ok(self.stores.timeline.account_entries(APP, account, after, limit).await)
    }

    pub(super) async fn find(
        &self,
        author: AccountNumber,
        number: u32,
        time: Seconds,
    ) -> Option<StoredMessage> {
        let key = self.key_of(number, time);
        ok(self.stores.timeline.find_message(APP, pair(), author, key).await)
    }

    pub(super) fn recall_of(&self, number: u32, sent: &Appended) -> Event {
        let (target, key) = (place(sent), self.key_of(number, sent.time));
        Event::Recall { target, key, author: ALICE, client_time: Seconds(NOW), revoker: name(ALICE) }
    }

    pub(super) async fn read(&self, reader: AccountNumber, to: AccountNumber, time: Seconds) -> Appended {
        self.append(reader, to, Event::Read { reader, up_to: HistoryKey::end_of(time) }).await
    }
}

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    macro_rules! cases {
        ($($case:ident)*) => {{
            $($case(subjects).await;)*
            vec![$(stringify!($case),)*]
        }};
    }
    cases! {
        positions_are_dense_and_times_never_fall
        history_pages_in_both_directions
        resends_are_recognised_for_a_day
        imports_keep_their_time_and_are_recognised
        recalled_messages_lose_their_text
        reads_count_down_unread
        unread_counts_stop_at_the_limit
        receipts_mark_single_messages
        one_sided_changes_stay_on_their_side
        lists_show_the_most_recently_active_first
        streams_hold_what_concerns_an_account
        apps_are_apart
        an_account_may_write_to_itself
        everything_answered_survives_a_crash
        appends_in_flight_together_all_land
    }
}

async fn positions_are_dense_and_times_never_fall(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    case.clock.set(NOW - 100);
    let second = case.send(BOB, ALICE, 2).await;
    case.clock.set(NOW + 5);
    let other = case.send(ALICE, CAROL, 3).await;
    let third = case.send(ALICE, BOB, 4).await;
    assert_eq!([first.position, second.position, third.position].map(|position| position.0), [1, 2, 3]);
    assert_eq!(other.position.0, 1, "each conversation counts for itself");
    assert_eq!([first.time, second.time, third.time].map(|time| time.0), [NOW, NOW, NOW + 5]);
    assert!(first.cursor < second.cursor && second.cursor < other.cursor && other.cursor < third.cursor);
    assert_eq!(case.stores.timeline.end(), third.cursor);
    assert_eq!(third.key, Some(case.key_of(4, Seconds(NOW + 5))));
}

async fn history_pages_in_both_directions(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for number in 0..30 {
        case.clock.set(NOW + number / 10);
        case.send(if number % 2 == 0 { ALICE } else { BOB }, BOB, number).await;
        case.send(ALICE, BOB, 1000 + number).await;
    }
    // Odd numbers were sent by Bob to himself: another conversation.
    let all = case.all(BOB).await;
    assert_eq!(all.len(), 45);
    let mut seen = Vec::new();
    let mut before = HistoryKey::END;
    loop {
        let page = case.page(BOB, HistoryKey::START, before, Direction::Backwards, 7).await;
        assert!(page.messages.windows(2).all(|pair| pair[0].at < pair[1].at), "oldest first");
        seen.splice(0..0, numbers(&page));
        if page.complete {
            break;
        }
        assert_eq!(page.messages.len(), 7);
        before = page.messages[0].at;
    }
    assert_eq!(seen, all);
    let mut seen = Vec::new();
    let mut after = HistoryKey::START;
    loop {
        let page = case.page(BOB, after, HistoryKey::END, Direction::Forwards, 15).await;
        seen.extend(numbers(&page));
        if page.complete {
            break;
        }
        after = page.messages[page.messages.len() - 1].at;
    }
    assert_eq!(seen, all);
    let second = Seconds(NOW + 1);
    let page = case
        .page(BOB, HistoryKey::start_of(second), HistoryKey::end_of(second), Direction::Forwards, 500)
        .await;
    assert!(page.complete && page.messages.iter().all(|found| found.at.time == second));
    assert_eq!(page.messages.len(), 15);
}

async fn resends_are_recognised_for_a_day(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    assert!(first.is_new);
    case.clock.set(NOW + 60);
    let again = case.send(ALICE, BOB, 1).await;
    assert_eq!(again, Appended { is_new: false, ..first.clone() });
    assert!(case.send(BOB, ALICE, 1).await.is_new, "the other side may use the same numbers");
    let case = case.crash(subjects);
    case.clock.set(NOW + RETRY_SECONDS);
    assert!(!case.send(ALICE, BOB, 1).await.is_new, "also after a crash");
    case.clock.set(NOW + RETRY_SECONDS + 1);
    assert!(case.send(ALICE, BOB, 1).await.is_new, "but not for ever");
    assert_eq!(case.all(BOB).await, [1, 1, 1]);
}

async fn imports_keep_their_time_and_are_recognised(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let import = async |number: u32, time: u32| {
        let mut imported = message(ALICE, BOB, number);
        imported.flags.imported = true;
        case.append_as(APP, ALICE, BOB, Event::Message(imported), None, Some(Seconds(time))).await
    };
    assert!(import(1, NOW - 50).await.is_new);
    case.send(ALICE, BOB, 2).await;
    assert_eq!(import(3, NOW - 60).await.position, Position(3));
    assert_eq!(import(4, NOW - 55).await.time, Seconds(NOW - 55));
    case.send(ALICE, BOB, 5).await;
    assert!(!import(3, NOW - 60).await.is_new);
    assert!(!import(1, NOW - 50).await.is_new);
    assert!(import(7, NOW - 50).await.is_new);
    assert!(!import(1, NOW - 50).await.is_new, "also when another one shares its second");
    assert!(import(1, NOW - 51).await.is_new, "another time is another message");
    for (author, is_new) in [(BOB, true), (BOB, false)] {
        let (event, retry) = (Event::Message(message(author, ALICE, 8)), Some(RetryKey([9; 16])));
        if is_new {
            let twin = Event::Message(message(ALICE, BOB, 8));
            assert!(case.append_as(APP, ALICE, BOB, twin, None, Some(Seconds(NOW - 52))).await.is_new);
        }
        let appended = case.append_as(APP, BOB, ALICE, event, retry, Some(Seconds(NOW - 52))).await;
        assert_eq!(appended.is_new, is_new, "one with a retry key is repeated by that alone");
    }
    assert_eq!(case.all(BOB).await, [3, 4, 8, 8, 1, 1, 7, 2, 5]);
    let forwards = case.page(BOB, HistoryKey::START, HistoryKey::END, Direction::Forwards, 3).await;
    assert_eq!((numbers(&forwards), forwards.complete), (vec![3, 4, 8], false));
    let case = case.crash(subjects);
    assert_eq!(case.all(BOB).await, [3, 4, 8, 8, 1, 1, 7, 2, 5]);
    assert!(case.find(ALICE, 3, Seconds(NOW - 60)).await.is_some());
}

async fn recalled_messages_lose_their_text(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    case.send(ALICE, BOB, 2).await;
    assert!(case.append(ALICE, BOB, case.recall_of(1, &sent)).await.is_new);
    assert!(!case.append(ALICE, BOB, case.recall_of(1, &sent)).await.is_new, "once");
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        let page = case.page(BOB, HistoryKey::START, HistoryKey::END, Direction::Backwards, 10).await;
        assert_eq!(numbers(&page), [1, 2], "round {round}");
        let recalled = &page.messages[0];
        assert_eq!(recalled.revoker, Some(name(ALICE)));
        assert_eq!(recalled.message.content.bytes.len(), 0);
        assert!(!page.messages[1].message.content.bytes.is_empty() && page.messages[1].revoker.is_none());
        assert_eq!(case.unread(BOB).await, 1);
        let found = case.find(ALICE, 1, sent.time).await;
        assert_eq!(found.map(|found| found.message.content.bytes.len()), Some(0));
        for entry in case.stream(BOB, Cursor(0), 10).await.entries {
            if let Event::Message(message) = &entry.event {
                assert_eq!(message.content.bytes.is_empty(), message.sequence == 1);
            }
        }
        crashed = Some(case.crash(subjects));
    }
}

async fn reads_count_down_unread(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.send(ALICE, BOB, 1).await;
    case.send(BOB, ALICE, 2).await;
    case.clock.set(NOW + 1);
    case.send(ALICE, BOB, 3).await;
    let mut silent = message(ALICE, BOB, 4);
    silent.flags = MessageFlags { uncounted: true, ..MessageFlags::default() };
    case.append(ALICE, BOB, Event::Message(silent)).await;
    assert_eq!((case.unread(BOB).await, case.unread(ALICE).await), (2, 1));
    let read = case.read(BOB, ALICE, Seconds(NOW)).await;
    assert!(read.is_new);
    assert!(!case.read(BOB, ALICE, Seconds(NOW)).await.is_new, "the same report again says nothing new");
    assert_eq!(case.unread(BOB).await, 1);
    assert!(!case.read(BOB, ALICE, Seconds(NOW - 5)).await.is_new, "a cursor never goes back");
    case.read(BOB, ALICE, Seconds(NOW + 1000)).await;
    assert_eq!(case.unread(BOB).await, 0);
    case.send(ALICE, BOB, 5).await;
    assert_eq!(case.unread(BOB).await, 1, "what comes in the second of the report is unread");
    let (own, others) = (case.view(BOB).await, case.view(ALICE).await);
    assert_eq!(own.read_to.time, Seconds(NOW + 1), "a report about the future is cut");
    assert_eq!(own.read_to, others.peer_read_to);
    let case = case.crash(subjects);
    assert_eq!((case.unread(BOB).await, case.unread(ALICE).await), (1, 1));
}

async fn unread_counts_stop_at_the_limit(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for number in 0..UNREAD_MAX + 20 {
        case.send(ALICE, BOB, number).await;
    }
    assert_eq!(case.unread(BOB).await, UNREAD_MAX);
}

async fn receipts_mark_single_messages(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    case.send(ALICE, BOB, 2).await;
    case.clock.set(NOW + 9);
    case.append(
        BOB,
        ALICE,
        Event::Receipt {
            reader: BOB,
            targets: vec![ReceiptTarget {
                at: place(&first),
                sequence: 1,
                random: 7,
                client_time: Seconds(NOW),
            }],
        },
    )
    .await;
    let case = case.crash(subjects);
    let page = case.page(ALICE, HistoryKey::START, HistoryKey::END, Direction::Backwards, 10).await;
    assert_eq!(page.messages[0].receipt_at, Some(Seconds(NOW + 9)));
    assert_eq!(page.messages[1].receipt_at, None);
}

async fn one_sided_changes_stay_on_their_side(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    let second = case.send(ALICE, BOB, 2).await;
    case.append(BOB, ALICE, Event::Delete { by: BOB, targets: vec![place(&second)] }).await;
    assert_eq!((case.all(ALICE).await, case.all(BOB).await), (vec![1, 2], vec![1]));
    assert_eq!(case.view(BOB).await.last.map(|last| last.at), Some(place(&first)));
    assert_eq!(case.unread(BOB).await, 1);
    let mut hidden = message(ALICE, BOB, 3);
    hidden.flags.receiver_only = true;
    case.append(ALICE, BOB, Event::Message(hidden)).await;
    assert_eq!((case.all(ALICE).await, case.all(BOB).await), (vec![1, 2], vec![1, 3]));
    case.append(BOB, ALICE, Event::Clear { by: BOB, history: true, listing: false }).await;
    assert!(case.all(BOB).await.is_empty() && case.unread(BOB).await == 0);
    let view = case.view(BOB).await;
    assert!(view.is_listed && view.last.is_none());
    case.send(ALICE, BOB, 5).await;
    assert_eq!(case.unread(BOB).await, 1);
    case.append(BOB, ALICE, Event::Clear { by: BOB, history: false, listing: true }).await;
    assert!(!case.view(BOB).await.is_listed && case.view(ALICE).await.is_listed);
    assert_eq!(
        case.unread(BOB).await,
        0,
        "what was taken off the list unread does not count when it comes back"
    );
    let case = case.crash(subjects);
    assert!(ok(case.stores.timeline.conversations(APP, BOB, 10).await).is_empty());
    assert_eq!(case.all(ALICE).await, [1, 2, 5]);
    case.send(ALICE, BOB, 4).await;
    assert_eq!((case.all(BOB).await, case.unread(BOB).await), (vec![5, 4], 1));
    assert!(case.view(BOB).await.is_listed, "a new message brings it back");
}

async fn lists_show_the_most_recently_active_first(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for (index, peer) in [BOB, CAROL, AccountNumber(CAROL.0 + 1)].into_iter().enumerate() {
        case.clock.set(NOW + u32::try_from(index).unwrap_or(0));
        case.send(ALICE, peer, 1).await;
    }
    let peers = async |case: &Case, limit| -> Vec<u64> {
        let views = ok(case.stores.timeline.conversations(APP, ALICE, limit).await);
        let places: Vec<_> = views.iter().map(|view| (view.peer, view.active_at)).collect();
        let recent = ok(case.stores.timeline.recent(APP, ALICE, limit).await);
        let recent: Vec<_> = recent.into_iter().map(|found| (found.peer, found.active_at)).collect();
        assert_eq!(recent, places, "the order alone is the same");
        views.into_iter().map(|view| view.peer.0 - BOB.0).collect()
    };
    assert_eq!(peers(&case, 10).await, [2, 1, 0]);
    let case = case.crash(subjects);
    case.clock.set(NOW + 10);
    case.send(BOB, ALICE, 2).await;
    assert_eq!(peers(&case, 10).await, [0, 2, 1]);
    assert_eq!(peers(&case, 2).await, [0, 2]);
    case.clock.set(NOW + 20);
    let mut quiet = message(CAROL, ALICE, 3);
    quiet.flags.not_last = true;
    case.append(CAROL, ALICE, Event::Message(quiet)).await;
    assert_eq!(peers(&case, 10).await, [0, 2, 1], "such a message leaves the list alone");
}

async fn streams_hold_what_concerns_an_account(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    let second = case.send(BOB, CAROL, 2).await;
    let third = case.append(ALICE, BOB, Event::Clear { by: ALICE, history: true, listing: false }).await;
    let fourth = case.read(BOB, ALICE, Seconds(NOW)).await;
    let cursors = |page: &AccountPage| page.entries.iter().map(|entry| entry.cursor).collect::<Vec<_>>();
    let bob = case.stream(BOB, Cursor(0), 10).await;
    assert_eq!((cursors(&bob), bob.complete), (vec![first.cursor, second.cursor, fourth.cursor], true));
    let alice = case.stream(ALICE, first.cursor, 10).await;
    assert_eq!(cursors(&alice), [third.cursor, fourth.cursor]);
    let page = case.stream(BOB, Cursor(0), 2).await;
    assert_eq!((cursors(&page).len(), page.complete, page.next), (2, false, second.cursor));
    let case = case.crash(subjects);
    case.send(ALICE, BOB, 5).await;
    let rest = case.stream(BOB, page.next, 10).await;
    assert_eq!(rest.entries.len(), 2);
    assert_eq!(case.stream(BOB, rest.next, 10).await.entries.len(), 0);
}

async fn apps_are_apart(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    let timeline = &case.stores.timeline;
    let query = HistoryQuery {
        viewer: BOB,
        after: HistoryKey::START,
        before: HistoryKey::END,
        direction: Direction::Backwards,
        limit: 10,
    };
    assert!(ok(timeline.history(OTHER_APP, pair(), query).await).messages.is_empty());
    assert_eq!(ok(timeline.conversation(OTHER_APP, BOB, pair()).await), None);
    assert!(ok(timeline.conversations(OTHER_APP, BOB, 10).await).is_empty());
    assert_eq!(ok(timeline.unread(OTHER_APP, BOB, pair()).await), 0);
    assert!(ok(timeline.account_entries(OTHER_APP, BOB, Cursor(0), 10).await).entries.is_empty());
    let key = case.key_of(1, sent.time);
    assert_eq!(ok(timeline.find_message(OTHER_APP, pair(), ALICE, key).await), None);
    let twin = message(ALICE, BOB, 1);
    let retry = Some(RetryKey((1 << 96 | u128::from(ALICE.0)).to_be_bytes()));
    let other = case.append_as(OTHER_APP, ALICE, BOB, Event::Message(twin), retry, None).await;
    assert!(other.is_new && other.position == Position(1));
}

async fn an_account_may_write_to_itself(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.send(ALICE, ALICE, 1).await;
    let own = ConversationId::between(ALICE, ALICE);
    assert_eq!(ok(case.stores.timeline.unread(APP, ALICE, own).await), 0);
    assert_eq!(case.stream(ALICE, Cursor(0), 10).await.entries.len(), 1);
    let views = ok(case.stores.timeline.conversations(APP, ALICE, 10).await);
    assert_eq!(views.into_iter().map(|view| view.peer).collect::<Vec<_>>(), [ALICE]);
}

async fn everything_answered_survives_a_crash(subjects: &mut dyn Subjects) {
    let mut case = Case::new(subjects);
    let mut expected = Vec::new();
    for round in 0..5 {
        for number in 0..20 {
            expected.push(round * 100 + number);
            case.send(ALICE, BOB, round * 100 + number).await;
        }
        case = case.crash(subjects);
        assert_eq!(case.all(ALICE).await, expected);
        assert_eq!(case.all(BOB).await, expected);
        assert_eq!(case.stream(BOB, Cursor(0), 1000).await.entries.len(), expected.len());
    }
    assert_eq!(case.unread(BOB).await, 100);
    assert_eq!(case.send(ALICE, BOB, 9999).await.position, Position(101));
}

async fn appends_in_flight_together_all_land(subjects: &mut dyn Subjects) {
    let case = Arc::new(Case::new(subjects));
    let flying = (0..100).map(|number| case.send(ALICE, BOB, number % 50)).collect();
    let landed = all_together(flying).await;
    assert_eq!(landed.iter().filter(|appended| appended.is_new).count(), 50);
    let mut positions: Vec<u64> = landed.iter().map(|appended| appended.position.0).collect();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions, (1..=50).collect::<Vec<_>>());
}
