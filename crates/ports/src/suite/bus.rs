//! Cases of the Bus port.

use super::{ALICE, BOB, CAROL, Case, Subjects, ok};
use crate::Cursor;

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    followers_see_everything_in_order(subjects).await;
    followers_start_where_they_say(subjects).await;
    slow_followers_miss_nothing(subjects).await;
    vec!["followers_see_everything_in_order", "followers_start_where_they_say", "slow_followers_miss_nothing"]
}

async fn followers_see_everything_in_order(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.send(ALICE, BOB, 1).await;
    let mut follower = case.stores.bus.follow(None);
    let sent =
        [case.send(ALICE, BOB, 2).await, case.send(CAROL, BOB, 3).await, case.send(BOB, ALICE, 4).await];
    let mut seen = Vec::new();
    while seen.len() < sent.len() {
        seen.extend(ok(follower.next(2).await).iter().map(|entry| entry.cursor));
    }
    assert_eq!(seen, sent.map(|appended| appended.cursor));
}

async fn followers_start_where_they_say(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = case.send(ALICE, BOB, 1).await;
    let second = case.send(ALICE, BOB, 2).await;
    let mut follower = case.stores.bus.follow(Some(first.cursor));
    assert_eq!(ok(follower.next(10).await)[0].cursor, second.cursor);
    let case = case.crash(subjects);
    let mut follower = case.stores.bus.follow(Some(Cursor(0)));
    assert_eq!(ok(follower.next(1).await)[0].cursor, first.cursor, "also what came before a crash");
}

async fn slow_followers_miss_nothing(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let mut follower = case.stores.bus.follow(None);
    let mut sent = Vec::new();
    for number in 0..300 {
        sent.push(case.send(ALICE, BOB, number).await.cursor);
    }
    let mut seen = Vec::new();
    while seen.len() < sent.len() {
        seen.extend(ok(follower.next(7).await).iter().map(|entry| entry.cursor));
    }
    assert_eq!(seen, sent);
}
