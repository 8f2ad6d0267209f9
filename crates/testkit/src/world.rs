//! The world: stores, clock, dice, a server, and ways to reach it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use command::{AnyCommand, Erased, Pipeline, Table};
use embedded::MemoryEphemeral;
use engine::{Context, Engine};
use gateway::{Gateway, Limits, serve_connection};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use model::usersig::{SecretKey, sign};
use model::{Millis, SdkAppId, Seconds, UserId};
use ports::{Clock as _, Spawner as _};
use serde_json::Value;
use simulated::{MemoryBlobs, MemorySegments, MemoryVault, SeededRandom, SimulatedClock, SimulatedStore};
use tokio::io::{DuplexStream, duplex};

use crate::answer::Answer;
use crate::client::Client;
use crate::login::{LOG_IN, LogIn};
use crate::spawn::Tasks;
use crate::trace::Trace;

/// The commands that a server answers; made anew at each start.
pub type Commands = fn() -> Vec<Box<dyn AnyCommand>>;

/// When a world begins, at 0.2 s of a second.
const BEGINNING: Millis = Millis(1_760_000_000_200);

/// How much fits into a pipe.
const PIPE_BYTES: usize = 256 * 1024;

/// A day.
const SIGNATURE_SECONDS: u32 = 86_400;

/// What a world is made of.
#[derive(Clone)]
pub struct Options {
    /// The commands.
    pub commands: Commands,
    /// The seed of the dice.
    pub seed: u64,
    /// How long the store takes to sync.
    pub sync_millis: u64,
    /// The limits of the gateway.
    pub limits: Limits,
    /// The options of the engine.
    pub engine: engine::Options,
}

impl Options {
    /// The usual world for these commands: a store that syncs at once, and clients that may be silent for a year.
    #[must_use]
    pub fn of(commands: Commands) -> Self {
        let limits = Limits { silence_max: Duration::from_secs(365 * 86_400), ..Limits::default() };
        Self { commands, seed: 1, sync_millis: 0, limits, engine: engine::Options::default() }
    }
}

/// An app and its key.
#[derive(Clone)]
pub struct TestApp {
    /// Its number.
    pub id: SdkAppId,
    /// Its key.
    pub key: SecretKey,
}

/// How a client presents itself when it connects.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its platform number.
    pub platform: u16,
    /// The name that it gave itself; empty: one of its own.
    pub name: String,
    /// Whether it wants text frames (`/info`).
    pub is_text: bool,
    /// Whether it says that it can inflate frames.
    pub inflates: bool,
}

impl Device {
    /// A browser.
    pub const WEB: Self = Self::on(7);

    /// A device of a platform.
    #[must_use]
    pub const fn on(platform: u16) -> Self {
        Self { platform, name: String::new(), is_text: false, inflates: false }
    }

    /// The device of this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}

/// Stores, clock, dice, and a server on them.
pub struct World {
    /// The clock of everything.
    pub clock: Arc<SimulatedClock>,
    /// The store behind the server; outlives its crashes.
    pub store: SimulatedStore,
    /// The objects behind the server; they outlive its crashes too.
    pub blobs: Arc<MemoryBlobs>,
    /// The app that is meant where none is named.
    pub app: TestApp,
    /// What clients said and heard.
    pub trace: Trace,
    options: Options,
    vault: Arc<MemoryVault>,
    segments: Arc<MemorySegments>,
    random: Arc<SeededRandom>,
    tasks: Arc<Tasks>,
    gateway: Arc<Gateway>,
    clients: AtomicU64,
    numbers: AtomicU32,
}

impl World {
    /// The usual world for these commands.
    pub async fn new(commands: Commands) -> Self {
        Self::with(Options::of(commands)).await
    }

    /// A world made to order.
    pub async fn with(options: Options) -> Self {
        let clock = Arc::new(SimulatedClock::new(BEGINNING));
        let store = SimulatedStore::with_sync_time(clock.clone(), options.sync_millis);
        let random = Arc::new(SeededRandom::new(options.seed));
        let (vault, segments) = (Arc::new(MemoryVault::default()), Arc::new(MemorySegments::default()));
        let blobs = Arc::new(MemoryBlobs::new(clock.clone(), options.sync_millis));
        let stores = (&store, &vault, &segments, &blobs);
        let (tasks, gateway) = start(&options, &clock, stores, &random).await;
        let app = new_app(&gateway, "test").await;
        Self {
            clock,
            store,
            blobs,
            app,
            trace: Trace::default(),
            options,
            vault,
            segments,
            random,
            tasks,
            gateway,
            clients: AtomicU64::new(0),
            numbers: AtomicU32::new(500_000),
        }
    }

    /// The engine of the server.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        self.gateway.engine()
    }

    /// The gateway of the server.
    #[must_use]
    pub const fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// Ends the server where it stands, loses what the store has not synced, and starts a new one.
    pub async fn crash(&mut self) {
        self.trace.note(format!("{} crash", self.clock.elapsed_micros()));
        self.tasks.abort();
        self.store.crash();
        self.blobs.crash();
        let stores = (&self.store, &self.vault, &self.segments, &self.blobs);
        let (tasks, gateway) = start(&self.options, &self.clock, stores, &self.random).await;
        (self.tasks, self.gateway) = (tasks, gateway);
    }

    /// Another app on the same server.
    pub async fn new_app(&self, name: &str) -> TestApp {
        new_app(&self.gateway, name).await
    }

    /// Lets time pass.
    pub async fn advance(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// Lets whole seconds pass.
    pub async fn advance_seconds(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds)).await;
    }

    /// Lets everything happen that needs no time.
    pub async fn settle(&self) {
        self.advance(Duration::from_millis(1)).await;
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Seconds {
        self.clock.now().seconds()
    }

    /// A signature for an account, made now and valid for a day.
    #[must_use]
    pub fn sign(&self, app: &TestApp, user: &str) -> String {
        sign(app.id, &app.key, &user_id(user), self.now(), SIGNATURE_SECONDS)
            .expect("an account can be vouched for")
    }

    /// A number that no other call of this returns.
    pub fn next_random(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn pipe(&self) -> DuplexStream {
        let (near, far) = duplex(PIPE_BYTES);
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let gateway = Arc::clone(&self.gateway);
        self.tasks.spawn(Box::pin(serve_connection(gateway, far, address)));
        near
    }

    /// An HTTP request: its status and body.
    pub async fn http(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Bytes) {
        let response = self.exchange(method, path, body).await;
        let status = response.status();
        let body = response.into_body().collect().await.expect("the answer has a body");
        (status, body.to_bytes())
    }

    /// An HTTP request on a connection of its own: the answer, whose body is not read yet.
    pub(crate) async fn exchange(&self, method: Method, path: &str, body: Vec<u8>) -> Response<Incoming> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(self.pipe()))
            .await
            .expect("a pipe takes a connection");
        self.tasks.spawn(Box::pin(async move {
            drop(connection.await);
        }));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "whimbrel.test")
            .body(Full::new(Bytes::from(body)))
            .expect("the request is well-formed");
        sender.send_request(request).await.expect("the server answers")
    }

    /// A REST call with this query.
    pub async fn rest_query(&self, command: &str, query: &str, body: Value) -> Answer {
        let path = format!("/v4/{command}?{query}");
        let body = body.to_string();
        self.trace.note(format!("{} REST > {command} {body}", self.clock.elapsed_micros()));
        let (status, answer) = self.http(Method::POST, &path, body.into_bytes()).await;
        assert_eq!(status, StatusCode::OK, "whatever the outcome, a REST call is answered with 200");
        let answer: Value = serde_json::from_slice(&answer).expect("answers are JSON");
        self.trace.note(format!("{} REST < {answer}", self.clock.elapsed_micros()));
        Answer(answer)
    }

    /// A REST call to an app, by an account with a signature of its own.
    pub async fn rest_as(&self, app: &TestApp, user: &str, command: &str, body: Value) -> Answer {
        let (id, signature) = (app.id, self.sign(app, user));
        let query = format!("sdkappid={id}&identifier={user}&usersig={signature}&random=1&contenttype=json");
        self.rest_query(command, &query, body).await
    }

    /// A REST call by the app's administrator.
    pub async fn rest(&self, command: &str, body: Value) -> Answer {
        self.rest_as(&self.app, "administrator", command, body).await
    }

    /// A connection to an app, not logged in.
    pub async fn connect(&self, app: &TestApp, user: &str, device: Device) -> Client {
        let count = self.clients.fetch_add(1, Ordering::Relaxed);
        let name = match device.name.as_str() {
            "" => format!("{count:032x}"),
            name => name.to_owned(),
        };
        let path = if device.is_text { "info" } else { "binfo" };
        let (id, platform) = (app.id, device.platform);
        let compress = if device.inflates { "&compress=gzip" } else { "" };
        let address = format!(
            "ws://whimbrel.test/{path}?sdkappid={id}&instanceid={name}&random=1&platform={platform}{compress}"
        );
        let (stream, _) =
            tokio_tungstenite::client_async(address, self.pipe()).await.expect("the server upgrades");
        Client {
            user: user.to_owned(),
            app: id,
            signature: self.sign(app, user),
            token: None,
            number: String::new(),
            instance: 0,
            label: format!("{user}#{count}"),
            is_text: device.is_text,
            inflates: device.inflates,
            inflated: 0,
            stream,
            clock: Arc::clone(&self.clock),
            trace: self.trace.clone(),
            seq: 1000 * count,
            pushes: VecDeque::new(),
        }
    }

    /// A client of an app that has just logged in.
    pub async fn login_to(&self, app: &TestApp, user: &str, device: Device) -> Client {
        let mut client = self.connect(app, user, device).await;
        client.log_in().await.ok();
        client
    }

    /// A client on a device that has just logged in.
    pub async fn login_on(&self, user: &str, device: Device) -> Client {
        self.login_to(&self.app, user, device).await
    }

    /// A client in a browser that has just logged in.
    pub async fn login(&self, user: &str) -> Client {
        self.login_on(user, Device::WEB).await
    }

    /// A new connection that carries on the login of a client.
    pub async fn reconnect(&self, former: &Client, device: Device) -> Client {
        let app = TestApp { id: former.app, key: self.app.key.clone() };
        let mut client = self.connect(&app, &former.user, device).await;
        client.token.clone_from(&former.token);
        client.number.clone_from(&former.number);
        client.instance = former.instance;
        client
    }
}

pub(crate) fn user_id(text: &str) -> UserId {
    UserId::new(text).expect("tests use good names")
}

async fn start(
    options: &Options,
    clock: &Arc<SimulatedClock>,
    (store, vault, segments, blobs): (
        &SimulatedStore,
        &Arc<MemoryVault>,
        &Arc<MemorySegments>,
        &Arc<MemoryBlobs>,
    ),
    random: &Arc<SeededRandom>,
) -> (Arc<Tasks>, Arc<Gateway>) {
    let tasks = Arc::new(Tasks::default());
    let context = Context {
        records: Arc::new(store.clone()),
        timeline: Arc::new(store.clone()),
        bus: Arc::new(store.clone()),
        ephemeral: Arc::new(MemoryEphemeral::new(clock.clone())),
        segments: segments.clone(),
        blobs: blobs.clone(),
        vault: vault.clone(),
        clock: clock.clone(),
        random: random.clone(),
        spawner: tasks.clone(),
    };
    let engine = Engine::start(context, options.engine.clone()).await.expect("the engine starts");
    let mut commands = (options.commands)();
    if commands.iter().all(|command| command.spec().name != LOG_IN) {
        commands.push(Erased::<LogIn>::boxed());
    }
    let pipeline = Pipeline::new(Table::new(commands), engine);
    (tasks, Gateway::new(pipeline, options.limits.clone()))
}

async fn new_app(gateway: &Gateway, name: &str) -> TestApp {
    let app = gateway.engine().apps.create(name, None, model::settings::Retention::default()).await;
    let app = app.expect("an app can be made");
    TestApp { id: app.id, key: app.keys[0].clone() }
}
