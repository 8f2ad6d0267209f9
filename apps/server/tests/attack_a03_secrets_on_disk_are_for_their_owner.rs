//! Attack A3: secrets in files that everybody may read or change, accounts that are there by default.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::json;
use support::{Options, World, text_message};

/// Calls a function with every file and folder below one.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    visit(folder);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

#[tokio::test]
async fn nobody_else_may_use_the_control_socket_or_change_the_data() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    world.rest("openim/sendmsg", &text_message("bob", "bob", 1, "stored")).await;
    let data = world.data();
    let socket = std::fs::metadata(data.join("control.sock")).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let mut files = 0;
    walk(&data, &mut |path| {
        let mode = std::fs::symlink_metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o002, 0, "{}: {mode:o}", path.display());
        files += 1;
    });
    assert!(files > 3);
}

#[tokio::test]
async fn nobody_else_may_read_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("made by its owner");
    std::fs::create_dir(&mine).unwrap();
    std::fs::set_permissions(&mine, std::fs::Permissions::from_mode(0o755)).unwrap();
    let options = Options { data: Some(mine.clone()), ..Options::default() };
    let _there = World::with(options).await;
    let world = World::start().await;
    // Keys of apps and messages lie below: whoever may not enter the folder reads none of them.
    for folder in [world.data(), world.data().join("store"), mine.join("store")] {
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {:o}", folder.display(), mode & 0o777);
    }
}

#[tokio::test]
async fn an_app_begins_with_no_account() {
    let world = World::start().await;
    let names = ["administrator", "admin", "root", "guest", "test", "system"];
    let items: Vec<_> = names.iter().map(|name| json!({ "UserID": name })).collect();
    let answer = world.rest("im_open_login_svc/account_check", &json!({ "CheckItem": items })).await;
    let results = answer["ResultItem"].as_array().unwrap();
    assert_eq!(results.len(), names.len());
    for result in results {
        assert_eq!(result["AccountStatus"], "NotImported", "{result}");
    }
}
