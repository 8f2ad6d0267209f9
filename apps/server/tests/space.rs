//! Too little free space: nothing new is stored, reading goes on, and it ends by itself when space returns.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program fill a disk and end by panicking"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use serde_json::json;
use support::{Client, Options, Server, World, code, text_message, text_of};

const MEBIBYTE: u64 = 1 << 20;

/// A folder whose free space the test decides.
struct Disk {
    folder: tempfile::TempDir,
    is_mounted: bool,
    /// The floor for the server.
    floor_bytes: u64,
    /// What has to be taken to get below the floor.
    ballast_bytes: u64,
}

impl Disk {
    /// A small disk in memory; whoever may not mount one shares the disk with the rest of the machine.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"])
            .arg(folder.path())
            .output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        let free = free_bytes(folder.path());
        let (floor_bytes, ballast_bytes) = if is_mounted {
            (64 * MEBIBYTE, free - 48 * MEBIBYTE)
        } else {
            (free.saturating_sub(1024 * MEBIBYTE), 2048 * MEBIBYTE)
        };
        Self { folder, is_mounted, floor_bytes, ballast_bytes }
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Takes space until less than the floor is left.
    fn fill(&self) {
        let file = std::fs::File::create(self.ballast()).expect("a file");
        let missing = (free_bytes(self.folder.path()) + 16 * MEBIBYTE)
            .saturating_sub(self.floor_bytes)
            .min(self.ballast_bytes);
        fallocate(&file, FallocateFlags::empty(), 0, missing).expect("space");
        assert!(free_bytes(self.folder.path()) < self.floor_bytes);
    }

    fn empty(&self) {
        std::fs::remove_file(self.ballast()).expect("the file");
        assert!(free_bytes(self.folder.path()) > self.floor_bytes);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            drop(Command::new("umount").arg("--lazy").arg(self.folder.path()).output());
        }
    }
}

fn free_bytes(folder: &Path) -> u64 {
    let found = statvfs(folder).expect("a file system");
    found.f_bavail * found.f_frsize
}

/// Sends until the answer is this one; returns how many messages were stored on the way.
async fn send_until(client: &mut Client, next: &mut u32, wanted: i64) -> usize {
    let began = Instant::now();
    let mut stored = 0;
    while began.elapsed() < support::PATIENCE {
        *next += 1;
        let message = text_message("alice", "bob", *next, "does it fit?");
        let answer = client.request("openim.sendmsg", &message).await;
        let found = code(&answer);
        stored += usize::from(found == 0);
        if found == wanted {
            return stored;
        }
        assert!([0, 200_002].contains(&found), "{answer}");
    }
    panic!("never answered {wanted}");
}

#[tokio::test]
async fn without_space_sends_are_refused_and_reads_go_on_until_it_returns() {
    let disk = Disk::new();
    let options = || Options {
        config: format!("[storage]\nfree_bytes_min = {}\n", disk.floor_bytes),
        data: Some(disk.folder.path().join("data")),
        ..Options::default()
    };
    let mut world = World::with(options()).await;
    world.accounts(&["bob", "dave"]).await;
    let mut alice = world.log_in("alice").await;
    let mut bob = world.log_in("bob").await;
    let mut next = 0;
    let mut stored = send_until(&mut alice, &mut next, 0).await;

    disk.fill();
    stored += send_until(&mut alice, &mut next, 200_002).await;
    let import = json!({"UserID": "carol"});
    let refused = world.rest("im_open_login_svc/account_import", &import).await;
    assert_eq!(code(&refused), 200_002, "{refused}");
    let send = text_message("bob", "alice", 1, "from the back end");
    assert_eq!(code(&world.rest("openim/sendmsg", &send).await), 200_002);
    let history = bob.history("alice").await;
    assert_eq!(history.len(), stored);
    assert!(history.iter().all(|message| text_of(message) == "does it fit?"));
    let (_, cookie) = bob.synchronise(String::new()).await;
    assert!(!cookie.is_empty());
    let first_page = json!({
        "From_Account": "bob", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0,
        "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31,
    });
    let list = bob.request("recentcontact.page_get", &first_page).await;
    assert_eq!(list["SessionItem"][0]["To_Account"], "alice", "{list}");
    // Whoever is known may come back while the disk is full.
    let mut back = Client::come_back(world.server.address(), alice.identity.clone()).await;
    assert_eq!(back.history("bob").await.len(), stored);

    // A deletion wins space, and a start takes none.
    let dave = json!({"DeleteItem": [{"UserID": "dave"}]});
    let deleted = world.rest("im_open_login_svc/account_delete", &dave).await;
    assert_eq!((code(&deleted), &deleted["ResultItem"][0]["ResultCode"]), (0, &json!(0)), "{deleted}");
    assert!(world.server.stop().await.success(), "{}", world.server.log());
    world.server = Server::start_in(world.server.folder(), options()).await;
    let mut alice = Client::come_back(world.server.address(), alice.identity.clone()).await;
    let mut bob = Client::come_back(world.server.address(), bob.identity.clone()).await;
    assert_eq!(bob.history("alice").await.len(), stored);
    stored += send_until(&mut alice, &mut next, 200_002).await;

    disk.empty();
    stored += send_until(&mut alice, &mut next, 0).await;
    assert_eq!(code(&world.rest("im_open_login_svc/account_import", &import).await), 0);
    assert_eq!(bob.history("alice").await.len(), stored);
    assert!(world.server.stop().await.success(), "{}", world.server.log());
    support::check(&world.data());
}
