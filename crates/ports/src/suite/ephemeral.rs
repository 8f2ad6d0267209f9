//! Cases of the Ephemeral port.

use bytes::Bytes;
use model::{DataClass, Expiry, InstanceId, Seconds, Stamp, Subject};

use super::{ALICE, APP, BOB, Case, NOW, OTHER_APP, Subjects, ok};
use crate::{Route, Stamped};

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    routes_come_and_go(subjects).await;
    values_end_at_their_expiry(subjects).await;
    windows_hold_their_limit(subjects).await;
    vec!["routes_come_and_go", "values_end_at_their_expiry", "windows_hold_their_limit"]
}

async fn routes_come_and_go(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let store = &case.stores.ephemeral;
    let route = |instance, node| Route { instance: InstanceId(instance), platform: 7, node };
    ok(store.put_route(APP, ALICE, route(2, 1)).await);
    ok(store.put_route(APP, ALICE, route(1, 1)).await);
    assert_eq!(ok(store.routes(APP, ALICE).await), [route(1, 1), route(2, 1)]);
    assert!(ok(store.routes(OTHER_APP, ALICE).await).is_empty());
    assert!(ok(store.routes(APP, BOB).await).is_empty());
    ok(store.put_route(APP, ALICE, route(1, 2)).await);
    ok(store.remove_route(APP, ALICE, InstanceId(1), 1).await);
    assert_eq!(ok(store.routes(APP, ALICE).await), [route(1, 2), route(2, 1)], "another node's route stays");
    ok(store.remove_route(APP, ALICE, InstanceId(1), 2).await);
    ok(store.remove_route(APP, ALICE, InstanceId(9), 2).await);
    assert_eq!(ok(store.routes(APP, ALICE).await), [route(2, 1)]);
}

async fn values_end_at_their_expiry(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let store = &case.stores.ephemeral;
    let stamp = Stamp {
        app: APP,
        class: DataClass::Account,
        subject: Subject::Account(ALICE),
        expiry: Expiry::At(Seconds(NOW + 5)),
    };
    ok(store.put("key", Stamped::new(stamp, Bytes::from_static(b"one"))).await);
    ok(store.put("key", Stamped::new(stamp, Bytes::from_static(b"two"))).await);
    assert_eq!(ok(store.get(APP, "key").await).as_deref(), Some(&b"two"[..]));
    assert_eq!(ok(store.get(OTHER_APP, "key").await), None);
    case.clock.set(NOW + 5);
    assert_eq!(ok(store.get(APP, "key").await), None);
    case.clock.set(NOW);
    ok(store.remove(APP, "key").await);
    ok(store.remove(APP, "key").await);
    assert_eq!(ok(store.get(APP, "key").await), None);
}

async fn windows_hold_their_limit(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let store = &case.stores.ephemeral;
    for taken in 0..3 {
        assert!(ok(store.take(APP, "command", 1, 3, 1).await), "{taken}");
    }
    assert!(!ok(store.take(APP, "command", 1, 3, 1).await));
    assert!(ok(store.take(OTHER_APP, "command", 3, 3, 1).await));
    assert!(ok(store.take(APP, "another", 3, 3, 1).await));
    case.clock.set(NOW + 1);
    assert!(!ok(store.take(APP, "command", 4, 3, 1).await), "more than a whole window never fits");
    assert!(ok(store.take(APP, "command", 3, 3, 1).await));
}
