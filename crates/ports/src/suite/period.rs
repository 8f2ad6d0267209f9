//! Cases of the Timeline port about an app's messages of a period.

use model::{ConversationId, Seconds};

use super::{ALICE, APP, BOB, CAROL, Case, NOW, OTHER_APP, Subjects, message, name, ok};
use crate::period::{PeriodPage, PeriodQuery};
use crate::timeline::PAGE_MAX;
use crate::{Cursor, Event};

const HOUR: u32 = 3600;

/// Everything of the hour that begins now.
fn hour(until: Cursor, limit: usize) -> PeriodQuery {
    PeriodQuery { from: Seconds(NOW), before: Seconds(NOW + HOUR), until, after: None, limit }
}

impl Case {
    /// The numbers of all messages that a query finds, by pages of its limit.
    async fn period(&self, mut query: PeriodQuery) -> Vec<u32> {
        let mut numbers = Vec::new();
        loop {
            let page = ok(self.stores.timeline.messages_of_period(APP, query).await);
            assert!(page.messages.len() <= query.limit.min(PAGE_MAX));
            let places: Vec<_> = page.messages.iter().map(|(id, found)| (*id, found.at)).collect();
            assert!(places.is_sorted() && places.iter().all(|place| Some(*place) > query.after));
            numbers.extend(page.messages.iter().map(|(_, found)| found.message.sequence));
            assert!(page.next.is_none() || page.next > query.after, "pages come to an end");
            let Some(next) = page.next else { return numbers };
            query.after = Some(next);
        }
    }

    async fn whole_hour(&self) -> Vec<u32> {
        self.period(hour(self.stores.timeline.end(), 100)).await
    }
}

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    a_period_holds_what_was_sent_in_it_in_pages_of_any_size(subjects).await;
    a_period_ends_where_its_reader_began(subjects).await;
    what_nobody_sees_is_in_no_period(subjects).await;
    vec![
        "a_period_holds_what_was_sent_in_it_in_pages_of_any_size",
        "a_period_ends_where_its_reader_began",
        "what_nobody_sees_is_in_no_period",
    ]
}

async fn a_period_holds_what_was_sent_in_it_in_pages_of_any_size(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.clock.set(NOW - 1);
    case.send(ALICE, BOB, 1).await;
    case.clock.set(NOW);
    case.send(BOB, CAROL, 7).await;
    case.send(ALICE, CAROL, 5).await;
    case.send(ALICE, BOB, 2).await;
    case.send(BOB, ALICE, 3).await;
    case.send(BOB, BOB, 6).await;
    let other = Event::Message(message(ALICE, BOB, 99));
    case.append_as(OTHER_APP, ALICE, BOB, other, None, None).await;
    case.clock.set(NOW + HOUR - 1);
    case.send(ALICE, BOB, 4).await;
    case.clock.set(NOW + HOUR);
    case.send(ALICE, BOB, 8).await;
    case.append(BOB, ALICE, Event::Read { reader: BOB, up_to: model::HistoryKey::END }).await;
    let mut crashed = Some(case);
    for round in 0..2 {
        let Some(case) = crashed.take() else { unreachable!("set in every round") };
        let end = case.stores.timeline.end();
        for limit in [1, 2, 3, 5, 6, 100] {
            assert_eq!(case.period(hour(end, limit)).await, [2, 3, 4, 5, 6, 7], "round {round}, {limit}");
        }
        let nothing =
            PeriodQuery { from: Seconds(NOW + HOUR + 1), before: Seconds(u32::MAX), ..hour(end, 10) };
        assert_eq!(case.period(nothing).await, [0; 0]);
        crashed = (round == 0).then(|| case.crash(subjects));
    }
}

async fn a_period_ends_where_its_reader_began(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for number in 1..=4 {
        case.send(ALICE, BOB, number).await;
    }
    let until = case.stores.timeline.end();
    let first = ok(case.stores.timeline.messages_of_period(APP, hour(until, 2)).await);
    // An import into the middle of what is read, and a conversation that begins.
    let late = Event::Message(message(ALICE, BOB, 50));
    case.append_as(APP, ALICE, BOB, late, None, Some(Seconds(NOW))).await;
    let late = Event::Message(message(ALICE, CAROL, 51));
    case.append_as(APP, ALICE, CAROL, late, None, Some(Seconds(NOW + 1))).await;
    let rest = case.period(PeriodQuery { after: first.next, ..hour(until, 2) }).await;
    assert_eq!(rest, [3, 4]);
    assert_eq!(case.whole_hour().await, [1, 2, 3, 4, 50, 51]);
    case.clock.set(NOW + HOUR);
    case.append_as(APP, BOB, ALICE, Event::Message(message(BOB, ALICE, 52)), None, Some(Seconds(NOW + 2)))
        .await;
    let case = case.crash(subjects);
    assert_eq!(case.whole_hour().await, [1, 2, 3, 4, 50, 52, 51], "what is imported later is found later");
}

async fn what_nobody_sees_is_in_no_period(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let recalled = case.send(ALICE, BOB, 1).await;
    case.append(ALICE, BOB, case.recall_of(1, &recalled)).await;
    let deleted = case.send(ALICE, BOB, 2).await;
    let targets = vec![super::timeline::place(&deleted)];
    case.append(ALICE, BOB, Event::Delete { by: ALICE, targets: targets.clone() }).await;
    let mut unseen = message(ALICE, BOB, 3);
    unseen.flags.receiver_only = true;
    case.append(ALICE, BOB, Event::Message(unseen)).await;
    assert_eq!(case.whole_hour().await, [1, 2, 3], "one side sees them");
    let page: PeriodPage =
        ok(case.stores.timeline.messages_of_period(APP, hour(case.stores.timeline.end(), 1)).await);
    let [(id, found)] = &page.messages[..] else { unreachable!("one") };
    assert_eq!((*id, found.revoker.clone()), (ConversationId::between(ALICE, BOB), Some(name(ALICE))));
    assert_eq!(found.message.content.bytes.len(), 0);
    case.append(BOB, ALICE, Event::Delete { by: BOB, targets }).await;
    assert_eq!(case.whole_hour().await, [1, 3]);
    case.append(BOB, ALICE, Event::Clear { by: BOB, history: true, listing: false }).await;
    let case = case.crash(subjects);
    assert_eq!(case.whole_hour().await, [1], "the sender never got the one that its receiver cleared");
    case.send(ALICE, BOB, 4).await;
    case.clock.set(NOW + 7 * 86_400);
    assert_eq!(case.whole_hour().await, [0; 0], "what has expired is absent");
}
