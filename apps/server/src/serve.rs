//! `whimbrel serve`: from the start to the last flushed byte.

use std::sync::Arc;
use std::time::Duration;

use command::Pipeline;
use gateway::Gateway;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::{Outcome, Serve};
use crate::config::Config;
use crate::entrance::Entrance;

/// How long the last flush may take.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(20);

/// Runs the server until it is told to stop.
pub(crate) fn run(arguments: &Serve) -> Outcome<()> {
    let config = Config::load(arguments.data.config.as_deref(), std::env::vars())?;
    start_log(&config)?;
    forbid_core_dumps();
    raise_file_limit();
    let mut runtime = match config.worker_threads() {
        // One thread needs no queue that others could steal from.
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime
        .worker_threads(config.worker_threads())
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let served = runtime.block_on(serve(arguments, &config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// The crates that log what they do.
const OURS: [&str; 17] = [
    "account",
    "app",
    "command",
    "conversation",
    "embedded",
    "engine",
    "gateway",
    "group",
    "message",
    "model",
    "ports",
    "profile",
    "promise",
    "relation",
    "search",
    "session",
    "whimbrel",
];

fn start_log(config: &Config) -> Outcome<()> {
    let level = config.log_level();
    let level: LevelFilter = level
        .parse()
        .map_err(|_| format!("log.level: {level:?} is not error, warn, info, debug or trace"))?;
    // Libraries write whole frames at their finer levels, with the tokens and messages in them.
    let levels = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OURS.map(|name| (name, level)));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
    Ok(())
}

/// A core dump would hold every key.
fn forbid_core_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none).is_ok();
    if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() || !limited {
        tracing::warn!("cannot forbid core dumps: one would hold keys");
    }
}

/// A connection is a file handle.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if setrlimit(Resource::Nofile, limit).is_err() {
        tracing::warn!("cannot raise the number of open files");
    }
}

async fn serve(arguments: &Serve, config: &Config) -> Outcome<()> {
    let data = &arguments.data.data;
    // Heard from the beginning, and also where there is no certificate to be read again: unheard it would end the process.
    let hang_up = signal(SignalKind::hangup()).map_err(|error| format!("cannot hear signals: {error}"))?;
    let opened = crate::stores::open(data, config, config.free_bytes_min()).await?;
    let pipeline = Pipeline::new(crate::commands::table(), Arc::clone(&opened.engine));
    let gateway = Gateway::new(pipeline, config.limits());
    let entrance = Entrance::open(config, arguments.listen, hang_up).await?;
    let (address, tls) = entrance.addresses()?;
    let control = crate::control::listen(data)?;
    let control = tokio::spawn(crate::control::serve(control, opened.clone()));
    if let Some(tls) = tls {
        println!("whimbrel listens on https://{tls}");
    }
    println!("whimbrel is ready on http://{address}");
    tracing::info!(%address, "ready");
    tokio::select! {
        biased;
        stopped = told_to_stop() => stopped?,
        () = entrance.accept(&gateway) => {}
    }
    tracing::info!("draining");
    control.abort();
    gateway.drain();
    // Balancers ask whether this takes clients until they have heard that it does not.
    tokio::select! {
        biased;
        () = drain(&gateway, config.notice_seconds(), config.drain_seconds()) => {}
        () = entrance.accept(&gateway) => {}
    }
    drop(entrance);
    opened.engine.stop();
    drop(std::fs::remove_file(data.join("control.sock")));
    if let Err(error) = opened.engine.write_requests().await {
        tracing::warn!(code = error.code.number(), "the last requests could not be logged");
    }
    let Ok(closed) = tokio::time::timeout(FLUSH_TIME_MAX, opened.store.close()).await else {
        // The engine waits for ever for a table that cannot be written. Everything acknowledged stands in the log.
        eprintln!(
            "whimbrel: cannot flush the store within {FLUSH_TIME_MAX:?}; the next start replays its log"
        );
        std::process::exit(crate::stores::STORE_FAILED);
    };
    closed.map_err(|fault| format!("cannot flush the store: {fault}"))?;
    tracing::info!("stopped");
    Ok(())
}

async fn told_to_stop() -> Outcome<()> {
    let hear = |kind| signal(kind).map_err(|error| format!("cannot hear signals: {error}"));
    let (mut terminate, mut interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Waits until every client has left, as it was asked to, but not for ever; and for some seconds in any case.
async fn drain(gateway: &Gateway, notice: u64, seconds: u64) {
    tokio::time::sleep(Duration::from_secs(notice)).await;
    let gone = async {
        while gateway.is_busy() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(seconds), gone).await.is_err() {
        tracing::warn!(left = gateway.engine().hub.connections(), "some clients did not leave in time");
    }
}
