//! Whatever a client that has logged in sends: every frame has an answer, the fault is never the server's, and the
//! connection is as good as before.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests end by panicking")]

use std::time::Duration;

use fuzzing::{Choices, vary};
use serde_json::{Value, json};
use testkit::{Client, Heard, World, text};

/// Frames that one client sends, at most.
const FRAMES_MAX: usize = 8;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Requests as a client sends them.
fn requests(alice: &Client) -> Vec<String> {
    let page =
        json!({"Peer_Account": "bob", "MaxCnt": 20, "LastMsgTime": 0, "MsgKey": "", "GetDirection": 0});
    let calls = [
        ("openim.sendmsg", json!({"To_Account": "bob", "MsgRandom": 1, "MsgBody": text("hi")})),
        ("openim.getroammsg", page),
        ("openim.getmsg", json!({"Cookie": "", "SyncFlag": 0})),
        ("recentcontact.page_get", json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0})),
    ];
    let frame = |((servcmd, body), seq): ((&str, Value), u64)| {
        let (app, token) = (alice.app, &alice.token);
        let head = json!({"ver": "v4", "sdkappid": app, "a2": token, "servcmd": servcmd, "seq": seq});
        format!(r#"{{"head":{head},"body":{body}}}"#)
    };
    calls.into_iter().zip(1_000_000..).map(frame).collect()
}

/// The answer to what was just sent; what comes before it are pushes.
async fn answer(alice: &mut Client, bytes: &[u8]) -> Value {
    let asked = serde_json::from_slice::<Value>(bytes).ok().filter(|asked| asked["head"].is_object());
    loop {
        let Heard::Frame(mut frame) = alice.hear(PATIENCE).await else {
            panic!("no answer to {}", String::from_utf8_lossy(bytes));
        };
        let head = &frame["head"];
        let is_answer = match &asked {
            // What cannot be read is answered all the same, to nobody in particular.
            Some(asked) => {
                let is_nameless = head["servcmd"] == "" && head["seq"] == 0;
                let asked = &asked["head"];
                is_nameless || (head["servcmd"] == asked["servcmd"] && head["seq"] == asked["seq"])
            }
            None => frame["body"].get("ErrorCode").is_some(),
        };
        if is_answer {
            return frame["body"].take();
        }
    }
}

async fn exchange(choices: &mut Choices<'_>) -> bool {
    let world = World::new(simulator::commands).await;
    world.accounts(&["bob"]).await;
    let mut alice = world.login("alice").await;
    let requests = requests(&alice);
    let mut is_taken = false;
    for _ in 0..1 + choices.below(FRAMES_MAX) {
        let bytes = vary(choices, &requests);
        alice.send_raw(bytes.clone()).await;
        let answer = answer(&mut alice, &bytes).await;
        let shown = String::from_utf8_lossy(&bytes);
        assert!(answer["ErrorCode"].is_i64(), "{shown}: {answer}");
        let info = answer["ErrorInfo"].as_str().unwrap_or_default();
        assert!(!info.contains("internal error"), "{shown}: {answer}");
        is_taken |= answer["ErrorCode"] == 0;
    }
    // Past the limits of its rate.
    world.advance_seconds(60).await;
    alice.call("openim.getmsg", json!({"Cookie": "", "SyncFlag": 0})).await.ok();
    is_taken
}

fn frames(choices: &mut Choices<'_>) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(exchange(choices))
}

#[test]
fn any_frames() {
    fuzzing::target!(40, frames);
}
