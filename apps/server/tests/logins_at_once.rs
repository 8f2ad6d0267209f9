//! Logins of one account that come at the same moment: the limit holds for them together.
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
use support::{Client, World, code};

const ROUNDS: usize = 20;

#[tokio::test]
async fn of_two_logins_at_the_same_moment_one_gives_way() {
    let world = World::start().await;
    world.app.set(&world.data(), "web_instances=1");
    let address = world.server.address();
    for round in 0..ROUNDS {
        let user = format!("user{round}");
        let mut clients = Vec::new();
        for name in ["one", "other"] {
            let identity = Identity {
                app: world.app.id,
                user: user.clone(),
                signature: world.app.sign(&user),
                client: name.to_owned(),
                ..Identity::default()
            };
            clients.push(Client::connect(address, identity).await);
        }
        let (mut other, mut one) = (clients.pop().expect("two"), clients.pop().expect("two"));
        let entered = tokio::join!(one.enter(), other.enter());
        let mut alive = 0;
        for (mut client, entered) in [(one, entered.0), (other, entered.1)] {
            // Who gives way learns it from the answer to the login, or from the next one.
            let answer = match code(&entered) {
                0 => client.request("im_open_status.wshello", &json!({})).await,
                _ => entered,
            };
            match code(&answer) {
                0 => alive += 1,
                1002 => {}
                unexpected => panic!("{unexpected}: {answer}"),
            }
        }
        assert_eq!(alive, 1, "round {round}");
    }
}
