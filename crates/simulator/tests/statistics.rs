//! What was counted is counted once, whatever fails while it is written down.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::statistics::DailyFact;
use engine::{Context, Engine};
use model::{SdkAppId, UserId};
use ports::Answer;
use ports::records::{Found, Range, Write};
use ports::{Fault, Kind, Record as _, Records, Transaction};
use promise::Stamps;
use testkit::World;

/// Records that refuse to take the sketches of a day away.
struct Stubborn {
    records: Arc<dyn Records>,
    refuses: AtomicBool,
}

impl Records for Stubborn {
    fn get(&self, app: SdkAppId, kind: Kind, key: &[u8]) -> Answer<'_, Option<Found>> {
        self.records.get(app, kind, key)
    }

    fn scan(&self, app: SdkAppId, range: Range) -> Answer<'_, Vec<Found>> {
        self.records.scan(app, range)
    }

    fn apply(&self, app: SdkAppId, transaction: Transaction) -> Answer<'_, ()> {
        let is_dropping = transaction.writes.iter().any(|write| match write {
            Write::Put(record) => {
                let record = record.value();
                let text = String::from_utf8_lossy(&record.value).into_owned();
                record.kind == DailyFact::KIND && text.contains(r#""sketches":null"#)
            }
            Write::Remove(..) => false,
        });
        if is_dropping && self.refuses.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Fault::Full) });
        }
        self.records.apply(app, transaction)
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_that_cannot_be_closed_yet_is_not_counted_twice() {
    let world = World::new(simulator::commands).await;
    let context = world.engine().context.clone();
    let records = Stubborn { records: Arc::clone(&context.records), refuses: AtomicBool::new(true) };
    let records = Arc::new(records);
    let engine = Engine::start(Context { records: records.clone(), ..context }, engine::Options::default());
    let engine = engine.await.unwrap();
    let app = world.settings(&world.app).await;
    let register = async |user: &str| {
        let user = UserId::new(user).unwrap();
        engine.accounts.ensure(Stamps::of(app.id, &app.settings), app.id, &user).await.unwrap();
    };
    register("alice").await;
    engine.write_statistics().await.unwrap();
    world.advance_seconds(86_400).await;
    register("bob").await;
    for _ in 0..3 {
        assert!(engine.write_statistics().await.is_err(), "the day before cannot be closed");
    }
    records.refuses.store(false, Ordering::Relaxed);
    let days = engine.daily_statistics(app.id).await.unwrap();
    let counts: Vec<u64> = days.iter().rev().take(2).map(|day| day.registered).collect();
    assert_eq!(counts, [1, 1]);
}
