//! Cases of the Timeline port about messages that are changed after they were sent.

use model::{AccountNumber, ConversationId, HistoryKey, Modification, Position, Sealed, Seconds};

use super::timeline::{numbers, place};
use super::{ALICE, APP, BOB, Case, NOW, Subjects, all_together, name, ok};
use crate::timeline::{Direction, StoredMessage};
use crate::{Appended, Cursor, Event};

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    macro_rules! cases {
        ($($case:ident)*) => {{
            $($case(subjects).await;)*
            vec![$(stringify!($case),)*]
        }};
    }
    cases! {
        a_modified_message_says_the_new_in_every_read
        of_two_modifications_of_one_version_the_first_is_taken
        what_is_recalled_or_emptied_takes_no_modification
        an_erasure_of_either_writer_takes_the_content
        modifications_in_flight_with_others_land_in_one_order
    }
}

fn modification(sent: &Appended, number: u32, version: u32, by: AccountNumber) -> Event {
    let content = Sealed {
        bucket: 1,
        index: 1000 + u64::from(version),
        sealed_at: Seconds(NOW),
        bytes: format!("version {version}").into(),
    };
    let key = super::message(ALICE, BOB, number).key(sent.time);
    Event::Modify {
        target: place(sent),
        key,
        author: ALICE,
        modification: Modification { version, by },
        content,
    }
}

fn says(found: &StoredMessage) -> (String, u32) {
    let text = String::from_utf8_lossy(&found.message.content.bytes).into_owned();
    (text, found.message.version())
}

impl Case {
    async fn said(&self, viewer: AccountNumber) -> Vec<(String, u32)> {
        let page = self.page(viewer, HistoryKey::START, HistoryKey::END, Direction::Backwards, 10).await;
        page.messages.iter().map(says).collect()
    }
}

async fn a_modified_message_says_the_new_in_every_read(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    let second = case.send(ALICE, BOB, 2).await;
    assert!(case.append(BOB, ALICE, modification(&first, 1, 1, BOB)).await.is_new);
    assert!(case.append(ALICE, BOB, modification(&first, 1, 2, ALICE)).await.is_new);
    assert!(case.append(ALICE, BOB, modification(&second, 2, 1, BOB)).await.is_new);
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        let wanted = [("version 2".to_owned(), 2), ("version 1".to_owned(), 1)];
        assert_eq!(case.said(BOB).await, wanted, "round {round}");
        assert_eq!(case.said(ALICE).await, wanted, "round {round}");
        let found = case.find(ALICE, 1, first.time).await;
        assert_eq!(
            found.map(|found| (says(&found), found.message.writer())),
            Some((wanted[0].clone(), ALICE))
        );
        let found = case.find(ALICE, 2, second.time).await;
        assert_eq!(found.map(|found| found.message.writer()), Some(BOB));
        assert_eq!(case.view(BOB).await.last.as_ref().map(says), Some(wanted[1].clone()));
        assert_eq!(case.unread(BOB).await, 2, "it was not sent again");
        let page = case.stream(BOB, Cursor(0), 10).await;
        let said = page.entries.iter().map(|entry| match &entry.event {
            Event::Message(message) => (message.version(), message.content.bytes.clone()),
            Event::Modify { modification, content, .. } => (modification.version, content.bytes.clone()),
            other => unreachable!("{other:?}"),
        });
        let said: Vec<_> =
            said.map(|(version, bytes)| (version, String::from_utf8_lossy(&bytes).into_owned())).collect();
        let of = |version: u32| (version, format!("version {version}"));
        assert_eq!(said, [of(2), of(1), of(2), of(2), of(1)], "as they are now, round {round}");
        crashed = Some(case.crash(subjects));
    }
}

async fn of_two_modifications_of_one_version_the_first_is_taken(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    let none = case.append(BOB, ALICE, modification(&sent, 1, 2, BOB)).await;
    assert!(!none.is_new, "there is no version between");
    let both = [ALICE, BOB].map(|by| case.append(ALICE, BOB, modification(&sent, 1, 1, by)));
    let taken = all_together(both.into()).await;
    assert_eq!(taken.iter().filter(|appended| appended.is_new).count(), 1);
    let case = case.crash(subjects);
    assert!(!case.append(BOB, ALICE, modification(&sent, 1, 1, BOB)).await.is_new);
    assert!(case.append(BOB, ALICE, modification(&sent, 1, 2, BOB)).await.is_new);
    assert_eq!(case.said(ALICE).await, [("version 2".to_owned(), 2)]);
}

async fn what_is_recalled_or_emptied_takes_no_modification(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    let second = case.send(ALICE, BOB, 2).await;
    let third = case.send(ALICE, BOB, 3).await;
    assert!(case.append(BOB, ALICE, modification(&first, 1, 1, BOB)).await.is_new);
    assert!(case.append(ALICE, BOB, case.recall_of(1, &first)).await.is_new);
    assert!(!case.append(BOB, ALICE, modification(&first, 1, 2, BOB)).await.is_new);
    assert!(case.append(BOB, ALICE, modification(&second, 2, 1, BOB)).await.is_new);
    let conversation = ConversationId::between(ALICE, BOB);
    ok(case.stores.timeline.empty_conversation(APP, conversation, second.position).await);
    assert!(!case.append(BOB, ALICE, modification(&second, 2, 2, BOB)).await.is_new);
    let nowhere = Appended { position: Position(77), ..third.clone() };
    assert!(!case.append(BOB, ALICE, modification(&nowhere, 77, 1, BOB)).await.is_new);
    let case = case.crash(subjects);
    let texts: Vec<String> = case.said(BOB).await.into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["", "", "sealed 3"]);
    for entry in case.stream(BOB, Cursor(0), 20).await.entries {
        assert!(!matches!(entry.event, Event::Modify { .. }), "there is nothing to tell of it");
    }
}

async fn an_erasure_of_either_writer_takes_the_content(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    case.send(ALICE, BOB, 2).await;
    assert!(case.append(BOB, ALICE, modification(&first, 1, 1, BOB)).await.is_new);
    ok(case.stores.timeline.erase_account(APP, BOB, name(BOB)).await);
    assert!(!case.append(ALICE, BOB, modification(&first, 1, 2, ALICE)).await.is_new, "it is empty");
    let case = case.crash(subjects);
    let texts: Vec<String> = case.said(ALICE).await.into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["", "sealed 2"], "what the other side wrote into it goes with the other side");
    ok(case.stores.timeline.erase_account(APP, ALICE, name(ALICE)).await);
    let page = case.page(BOB, HistoryKey::START, HistoryKey::END, Direction::Backwards, 10).await;
    assert!(page.messages.iter().all(|found| found.message.content.bytes.is_empty()));
    assert_eq!(numbers(&page), [1, 2]);
}

async fn modifications_in_flight_with_others_land_in_one_order(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let sent = case.send(ALICE, BOB, 1).await;
    let by = |version: u32| if version.is_multiple_of(2) { ALICE } else { BOB };
    let mut events: Vec<Event> =
        (1..=5).map(|version| modification(&sent, 1, version, by(version))).collect();
    events.extend([case.recall_of(1, &sent), modification(&sent, 1, 6, BOB)]);
    let flying = events.into_iter().map(|event| case.append(ALICE, BOB, event)).collect();
    let taken: Vec<bool> = all_together(flying).await.iter().map(|appended| appended.is_new).collect();
    assert_eq!(taken, [true, true, true, true, true, true, false], "nothing follows a recall");
    let case = case.crash(subjects);
    assert_eq!(case.said(BOB).await, [(String::new(), 0)]);
}
