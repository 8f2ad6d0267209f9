//! A back end written by somebody else, on the crate `tencent_im_rs`, finds what it expects.
//!
//! It is a program of its own, `tests/foreign_client`, with its own lock file: see there why. It is built here.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use support::World;
use tokio::process::Command;

#[tokio::test]
async fn a_back_end_that_knows_nothing_of_this_server_is_served() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign_client");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--target-dir", env!("CARGO_TARGET_TMPDIR")])
        .current_dir(folder)
        .kill_on_drop(true)
        .output();
    // It is large; how long it takes to build says nothing about the server.
    let built = built.await.expect("cargo starts");
    let errors = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success(), "foreign_client (needs pkg-config and OpenSSL's headers): {errors}");

    let world = World::start().await;
    let driven = Command::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/debug/foreign_client"))
        .args([world.server.address().to_string(), world.app.id.to_string(), world.app.key.clone()])
        .kill_on_drop(true)
        .output();
    let driven = support::soon("the back end ends", driven).await.expect("the back end starts");
    let errors = String::from_utf8_lossy(&driven.stderr).into_owned();
    assert!(driven.status.success(), "{errors}");
}
