//! `whimbrel_receipts`: the chain of receipts, a part at a time.

use serde_json::json;
use testkit::World;

#[tokio::test(start_paused = true)]
async fn receipts_come_in_parts_each_with_the_key_that_verifies_it() {
    let world = World::new(app::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    let nothing = world.rest("whimbrel_receipts/get", json!({})).await.ok();
    assert!(nothing.list("Lines").is_empty() && !nothing.has("Before"));
    for user in ["alice", "bob", "carol"] {
        world.delete_account(user).await;
    }
    let newest = world.rest("whimbrel_receipts/get", json!({"Limit": 2})).await.ok();
    assert_eq!((newest.list("Lines").len(), &newest["Before"]), (2, &json!(2)));
    assert_eq!(newest.text("PublicKey"), world.engine().receipt_public_key());
    let first = world.rest("whimbrel_receipts/get", json!({"Before": 2})).await.ok();
    assert!(first.list("Lines").len() == 1 && !first.has("Before"));
    let line = first.list("Lines")[0].as_str().unwrap_or_default();
    assert!(line.contains("\"number\":1") && !line.contains("alice"), "{line}");
    for limit in [0, 1001] {
        world.rest("whimbrel_receipts/get", json!({"Limit": limit})).await.refused(70_402, "Limit");
    }
}
