//! Attack A1 and A2: an open back-end interface, a secret that everybody knows.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::collections::HashSet;

use serde_json::json;
use support::rest::post;
use support::{App, World, code, now};

/// Every REST command, as in the reference.
const COMMANDS: &[&str] = &[
    "im_open_login_svc/account_import",
    "im_open_login_svc/multiaccount_import",
    "im_open_login_svc/account_check",
    "im_open_login_svc/account_delete",
    "im_open_login_svc/kick",
    "openim/query_online_status",
    "openim/sendmsg",
    "openim/batchsendmsg",
    "openim/importmsg",
    "openim/admin_getroammsg",
    "openim/admin_msgwithdraw",
    "openim/admin_set_msg_read",
    "openim/get_c2c_unread_msg_num",
    "profile/portrait_get",
    "profile/portrait_set",
    "sns/black_list_add",
    "sns/black_list_delete",
    "sns/black_list_get",
    "sns/black_list_check",
    "recentcontact/get_list",
    "recentcontact/delete",
    "recentcontact/top",
    "recentcontact/mark_contact",
    "recentcontact/create_contact_group",
    "recentcontact/update_contact_group",
    "recentcontact/del_contact_group",
    "recentcontact/search_contact_group",
    "recentcontact/get_contact_group",
];

#[tokio::test]
async fn no_rest_call_is_let_in_without_the_signature_of_an_administrator() {
    let world = World::start().await;
    world.accounts(&["alice"]).await;
    let other = App::create(&world.data());
    let (app, id) = (&world.app, world.app.id);
    let expired = app.sign_at("administrator", model::Seconds(now().0 - 100), 10);
    let ahead = app.sign_at("administrator", model::Seconds(now().0 + 10 * 86_400), 86_400);
    let credentials = [
        String::new(),
        "identifier=administrator".to_owned(),
        "identifier=administrator&usersig=".to_owned(),
        "identifier=administrator&usersig=undefined".to_owned(),
        format!("identifier=administrator&usersig={}", app.key),
        format!("identifier=administrator&usersig={expired}"),
        format!("identifier=administrator&usersig={ahead}"),
        format!("identifier=administrator&usersig={}", app.sign("alice")),
        format!("identifier=alice&usersig={}", app.sign("alice")),
        format!("identifier=Administrator&usersig={}", app.sign("Administrator")),
        format!("identifier=administrator&usersig={}", other.sign("administrator")),
    ];
    for command in COMMANDS {
        for credentials in &credentials {
            let target = format!("/v4/{command}?sdkappid={id}&{credentials}&random=1&contenttype=json");
            let answer = post(world.server.address(), &target, b"{}").await;
            let number = code(&answer);
            let is_refusal = (60_000..61_000).contains(&number) || (70_000..70_100).contains(&number);
            assert!(is_refusal, "{command} {credentials}: {answer}");
        }
    }
    let question = json!({"CheckItem": [{"UserID": "alice"}]});
    let imported = world.rest("im_open_login_svc/account_check", &question).await;
    assert_eq!(imported["ResultItem"][0]["AccountStatus"], "Imported");
}

#[tokio::test]
async fn every_app_has_a_secret_of_its_own_from_the_start() {
    let world = World::start().await;
    let mut keys = HashSet::from([world.app.key.clone()]);
    for _ in 0..9 {
        let app = App::create(&world.data());
        assert_eq!(app.key.len(), 64);
        assert!(app.key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", app.key);
        assert!(app.key.bytes().collect::<HashSet<_>>().len() > 5, "no pattern: {}", app.key);
        assert!(keys.insert(app.key), "two apps have one key");
    }
}
