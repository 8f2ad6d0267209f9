//! Attack A4: what a log tells whoever reads it.
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
use support::rest::{exchange, post, query};
use support::socket::Identity;
use support::{App, Client, Options, World, code, text_message};
use tokio_tungstenite::tungstenite::Message;

/// Words that occur nowhere else.
const USERS: [&str; 2] = ["canary-user-one", "canary-user-two"];
const TEXT: &str = "canary text of a message";
const DATA: &str = "canary custom data";
const NICK: &str = "canary nick";
const STATUS: &str = "canary status";

/// Logins that fail, each with a token of its own. Returns the tokens.
async fn fail_to_log_in(world: &World, other: &App) -> Vec<String> {
    let address = world.server.address();
    let app = &world.app;
    let mut tokens = vec![
        app.sign_at(USERS[0], model::Seconds(1_700_000_000), 60),
        other.sign(USERS[0]),
        app.sign("canary-someone-else"),
        app.sign(USERS[0]).replace('e', "f"),
        "canary-token-that-is-none".to_owned(),
    ];
    for signature in &tokens {
        let identity = Identity {
            app: app.id,
            user: USERS[0].to_owned(),
            signature: signature.clone(),
            ..Identity::default()
        };
        let answer = Client::connect(address, identity).await.enter().await;
        assert_ne!(code(&answer), 0, "{answer}");
        let target = format!("/v4/openim/sendmsg?{}", query(app, USERS[0], signature));
        assert_ne!(code(&post(address, &target, b"{}").await), 0);
    }
    let identity =
        Identity { app: app.id, token: "canary-key-of-no-login".to_owned(), ..Identity::default() };
    assert_ne!(code(&Client::connect(address, identity.clone()).await.enter().await), 0);
    tokens.push(identity.token);
    tokens
}

/// Sends that succeed, sends that fail, and what is no frame at all.
async fn send_all_kinds(world: &World, client: &mut Client) {
    let mut message = text_message(USERS[0], USERS[1], 1, TEXT);
    message["CloudCustomData"] = json!(DATA);
    assert_eq!(code(&client.request("openim.sendmsg", &message).await), 0);
    assert_eq!(code(&world.rest("openim/sendmsg", &message).await), 0);
    for (field, value) in [
        ("MsgRandom", json!(TEXT)),
        ("To_Account", json!(format!("{}\u{1}", USERS[1]))),
        ("MsgBody", json!(TEXT)),
        ("MsgBody", json!([{"MsgType": TEXT, "MsgContent": {"Text": TEXT}}])),
        ("CloudCustomData", json!([DATA])),
        ("CloudCustomData", json!(DATA.repeat(1000))),
        ("SendMsgControl", json!([DATA])),
        ("OfflinePushInfo", json!(DATA)),
    ] {
        let mut wrong = message.clone();
        wrong[field] = value;
        let answer = client.request("openim.sendmsg", &wrong).await;
        assert_ne!(code(&answer), 0, "{field}: {answer}");
        assert_ne!(code(&world.rest("openim/sendmsg", &wrong).await), 0);
    }
    for frame in [
        format!("{{\"head\":{{\"servcmd\":\"{TEXT}\",\"seq\":\"{DATA}\"}}}}"),
        format!("{TEXT} that is no JSON"),
        format!("{{\"head\":{{\"servcmd\":\"{TEXT}\",\"seq\":1}},\"body\":\"{TEXT}"),
    ] {
        assert!(client.send_raw(Message::binary(frame.into_bytes())).await);
        client.answer(0).await.expect("an answer");
    }
    let answer = client.request(TEXT, &json!({"a": DATA})).await;
    assert_ne!(code(&answer), 0);
}

/// Profiles, status, history, kicks.
async fn do_the_rest(world: &World, client: &mut Client) {
    let nick = json!({"ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": NICK}]});
    let mut profile = nick.clone();
    profile["From_Account"] = json!(USERS[0]);
    assert_eq!(code(&world.rest("profile/portrait_set", &profile).await), 0);
    profile["ProfileItem"][0]["Value"] = json!([NICK]);
    assert_ne!(code(&world.rest("profile/portrait_set", &profile).await), 0);
    profile["ProfileItem"][0]["Tag"] = json!(NICK);
    assert_ne!(code(&world.rest("profile/portrait_set", &profile).await), 0);
    let status = json!({ "CustomStatus": STATUS });
    assert_eq!(code(&client.request("im_open_status.ws_set_custom_status", &status).await), 0);
    assert_eq!(client.history(USERS[1]).await.len(), 1);
    client.synchronise(String::new()).await;
    let kick = json!({ "UserID": USERS[0] });
    assert_eq!(code(&world.rest("im_open_login_svc/kick", &kick).await), 0);
    let kick = json!({ "UserID": "canary-nobody" });
    assert_ne!(code(&world.rest("im_open_login_svc/kick", &kick).await), 0);
}

#[tokio::test]
async fn nothing_that_belongs_to_users_is_logged_even_at_the_finest_level() {
    let options =
        Options { environment: vec![("WHIMBREL_LOG_LEVEL", "trace".to_owned())], ..Options::default() };
    let mut world = World::with(options).await;
    let other = App::create(&world.data());
    world.accounts(&USERS).await;
    let address = world.server.address();
    let mut secrets = fail_to_log_in(&world, &other).await;
    let mut client = world.log_in(USERS[0]).await;
    secrets.push(client.identity.signature.clone());
    secrets.push(client.identity.token.clone());
    send_all_kinds(&world, &mut client).await;
    do_the_rest(&world, &mut client).await;
    let signature = world.app.sign("administrator");
    let good = query(&world.app, "administrator", &signature);
    exchange(address, "GET", &format!("/canary-path?{good}"), "X-Canary: canary-header\r\n", b"").await;
    exchange(address, "POST", &format!("/v4/openim/canary?{good}"), "", b"canary-body").await;
    secrets.push(signature);
    secrets.extend([world.app.key.clone(), other.key.clone()]);
    assert!(world.server.stop().await.success());

    let log = world.server.log();
    assert!(log.lines().count() > 20, "the finest level was on: {log}");
    for line in log.lines() {
        let lower = line.to_lowercase();
        assert!(!lower.contains("canary"), "content in the log: {line}");
        for secret in &secrets {
            assert!(!line.contains(secret.as_str()), "a secret in the log: {line}");
        }
    }
}
