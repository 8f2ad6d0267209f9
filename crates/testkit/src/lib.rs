//! A world for tests: simulated stores, a clock that stands still, dice with a seed, the real engine and gateway,
//! and clients that speak real HTTP and real WebSocket over pipes in memory.
//!
//! A test runs on a paused runtime (`#[tokio::test(start_paused = true)]`), so time passes only where a test, or
//! something that waits, says so, and every run is the same:
//!
//! ```
//! # async fn example(commands: testkit::Commands) {
//! let world = testkit::World::new(commands).await;
//! let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
//! let body = serde_json::json!({"To_Account": "bob", "MsgRandom": 1, "MsgBody": testkit::text("hi")});
//! alice.call("openim.sendmsg", body).await.ok();
//! assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["From_Account"], "alice");
//! # }
//! ```
#![expect(clippy::expect_used, clippy::panic, reason = "a test ends by panicking, and so does what helps it")]

mod answer;
mod client;
mod files;
mod login;
mod setup;
mod spawn;
mod trace;
mod world;

pub use answer::{Answer, Push};
pub use client::{Client, Heard};
pub use files::Reader;
pub use setup::text;
pub use trace::Trace;
pub use world::{Commands, Device, Options, TestApp, World};
