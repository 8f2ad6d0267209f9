//! Attack A2: a secret that was changed and still opens the door.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use serde_json::json;
use support::socket::Identity;
use support::{App, Client, World, code, rest, run_well, text};

#[tokio::test]
async fn both_keys_work_while_they_are_rotated_and_the_old_one_fails_afterwards() {
    let world = World::start().await;
    let (data, old) = (world.data(), &world.app);
    let id = old.id.to_string();
    let rotate = |verb: &str| run_well(&["app", verb, "--data", text(&data), "--sdkappid", &id]);
    let new = App { key: rotate("add-key").trim().to_owned(), ..old.clone() };
    assert_eq!(new.key.len(), 64);
    assert_ne!(new.key, old.key);
    let address = world.server.address();
    let question = json!({"To_Account": ["administrator"]});
    for app in [old, &new] {
        let answer = rest::call(address, app, "openim/query_online_status", &question).await;
        assert_eq!(code(&answer), 0, "{answer}");
        Client::log_in(address, app, "alice").await;
    }
    let mut before = Client::log_in_as(address, old, "bob", "before").await;

    rotate("retire-keys");
    let answer = rest::call(address, old, "openim/query_online_status", &question).await;
    assert_eq!(code(&answer), 70_009, "{answer}");
    let identity = Identity {
        app: old.id,
        user: "alice".to_owned(),
        signature: old.sign("alice"),
        ..Identity::default()
    };
    let answer = Client::connect(address, identity).await.enter().await;
    assert_eq!(code(&answer), 70_009, "{answer}");
    let answer = rest::call(address, &new, "openim/query_online_status", &question).await;
    assert_eq!(code(&answer), 0, "{answer}");
    Client::log_in(address, &new, "alice").await;
    // Who is logged in stays so: the back end ends logins by a kick.
    let history = before.history("alice").await;
    assert!(history.is_empty());
}
