//! Robots speak piece by piece.

use serde_json::{Value, json};
use testkit::{World, text};

const COMMAND: &str = "openim_robot_http_svc/send_stream_msg";

fn piece(key: &str, chunk: &str, finish: u8) -> Value {
    json!({"From_Account": "@RBT#helper", "To_Account": "bob", "Chunk": chunk, "MsgKey": key, "Finish": finish})
}

async fn world() -> World {
    let world = World::new(account::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world.robot("@RBT#helper").await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_robot_speaks_and_all_of_it_is_one_message() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    bob.forget().await;
    let key = world.rest(COMMAND, piece("", "Hel", 0)).await.ok().text("MsgKey");
    assert_eq!(bob.pushed().await.item("C2cStreamMsgArray")[0]["MsgKey"], key);
    world.advance_seconds(1).await;
    assert_eq!(world.rest(COMMAND, piece(&key, "lo", 0)).await.ok().text("MsgKey"), key);
    let push = bob.pushed().await;
    let chunk = &push.item("C2cStreamMsgArray")[0]["MsgBody"][0]["MsgContent"]["Chunks"][0];
    assert_eq!((&chunk["Index"], &chunk["Markdown"]), (&json!(2), &json!("lo")));
    assert_eq!(world.rest(COMMAND, piece(&key, "!", 1)).await.ok().text("MsgKey"), key);
    assert_eq!(world.history("bob", "@RBT#helper").await, [text("Hello!")]);
    world.rest(COMMAND, piece(&key, "more", 0)).await.refused(10004, "MsgKey");
    // Another one, which ends by itself.
    world.rest(COMMAND, piece("", "Bye", 0)).await.ok();
    world.advance_seconds(17).await;
    assert_eq!(world.history("bob", "@RBT#helper").await, [text("Hello!"), text("Bye")]);
}

#[tokio::test(start_paused = true)]
async fn only_robots_speak_so_and_only_for_back_ends() {
    let world = world().await;
    let mut of_alice = piece("", "x", 0);
    of_alice["From_Account"] = json!("alice");
    world.rest(COMMAND, of_alice).await.refused(10004, "From_Account");
    let mut to_nobody = piece("", "x", 0);
    to_nobody["To_Account"] = json!("nobody");
    world.rest(COMMAND, to_nobody).await.refused(10004, "To_Account");
    world
        .rest(COMMAND, json!({"From_Account": "@RBT#helper", "To_Account": "bob"}))
        .await
        .refused(10004, "Chunk");
    world.rest(COMMAND, piece("nonsense", "x", 0)).await.refused(10004, "MsgKey");
    world.rest(COMMAND, piece("1_2_3", "x", 0)).await.refused(10004, "MsgKey");
    world.rest(COMMAND, piece("", &"x".repeat(128 * 1024), 0)).await.refused(10004, "Chunk");
    let mut alice = world.login("alice").await;
    alice.call("openim_robot_http_svc.send_stream_msg", piece("", "x", 0)).await.refused(10008, "");
    world.advance_seconds(20).await;
    assert!(world.history("bob", "@RBT#helper").await.is_empty());
}
