//! Archives as files: made part by part while their readers take them.
//!
//! Who has the address reads the file: it names app, hour and its own end, sealed. A reader that takes nothing for as long as a
//! write may take is given up together with its connection, one that is gone at once.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use command::envelope;
use command::pipeline::noted;
use engine::archive::{Archive, READING, READING_TIME_MAX};
use http_body_util::Either;
use hyper::body::Frame;
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use model::{Error, ErrorCode, Result, SdkAppId};
use tokio::sync::{Notify, mpsc};

use crate::Gateway;
use crate::addresses::Ticket;
use crate::http::{Body, json};

pub(crate) use engine::archive::PATH;

/// Parts of a file that wait for its reader.
const PARTS_WAITING: usize = 4;

/// The body of an answer that is made while it is read.
pub(crate) struct Download {
    parts: mpsc::Receiver<Bytes>,
    /// Whether all parts were made.
    is_whole: Arc<AtomicBool>,
}

/// The file was not made to its end: its reader must not take it for a whole one.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl hyper::body::Body for Download {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, BrokenOff>>> {
        self.parts.poll_recv(cx).map(|part| match part {
            Some(part) => Some(Ok(Frame::data(part))),
            None if self.is_whole.load(Ordering::Acquire) => None,
            None => Some(Err(BrokenOff)),
        })
    }
}

/// Answers a request for the file at an address.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    token: &str,
    ticket: &Arc<Ticket>,
    abandoned: Arc<Notify>,
) -> Response<Body> {
    let engine = gateway.engine();
    let begun_at = engine.context.clock.elapsed_micros();
    let address = match engine.archive_address(token) {
        Ok(address) => address,
        Err(error) => return refusal(&error),
    };
    let reading =
        Reading { gateway: Arc::clone(gateway), app: address.app(), begun_at, address: ticket.address() };
    let archive = match engine.read_archive(address).await {
        Ok(_) if gateway.is_draining() => Err(stops()),
        other => other,
    };
    let archive = match archive {
        Ok(archive) => archive,
        Err(error) => {
            reading.note(Some(&error));
            return refusal(&error);
        }
    };
    ticket.authenticated();
    let name = archive.name();
    let (sender, parts) = mpsc::channel(PARTS_WAITING);
    let is_whole = Arc::new(AtomicBool::new(false));
    let download = Download { parts, is_whole: Arc::clone(&is_whole) };
    engine.context.spawner.spawn(Box::pin(async move {
        let made = reading.make(archive, &sender, &abandoned).await;
        is_whole.store(made.is_ok(), Ordering::Release);
        drop(sender);
        reading.note(made.err().as_ref());
    }));
    file(&name, download)
}

/// One reading of an archive.
struct Reading {
    gateway: Arc<Gateway>,
    app: SdkAppId,
    begun_at: u64,
    address: std::net::IpAddr,
}

impl Reading {
    /// Makes the file as fast as it is read.
    async fn make(
        &self,
        mut archive: Archive,
        parts: &mpsc::Sender<Bytes>,
        abandoned: &Notify,
    ) -> Result<()> {
        let clock = &self.gateway.engine().context.clock;
        let patience = self.gateway.limits.write_time_max;
        let time_max = u64::try_from(READING_TIME_MAX.as_micros()).unwrap_or(u64::MAX);
        while let Some(part) = archive.next().await? {
            if self.gateway.is_draining() {
                return Err(stops());
            }
            let is_taken = tokio::select! {
                biased;
                sent = parts.send(part) => sent.is_ok(),
                () = clock.sleep(patience) => {
                    abandoned.notify_one();
                    return Err(ErrorCode::ArchiveInternal.because("the reader took nothing for too long"));
                }
            };
            if !is_taken {
                return Err(ErrorCode::ArchiveInternal.because("the reader went away"));
            }
            if clock.elapsed_micros().saturating_sub(self.begun_at) > time_max {
                abandoned.notify_one();
                return Err(ErrorCode::ArchiveInternal.because("the reader took too long"));
            }
        }
        Ok(())
    }

    /// Notes it in the app's request log.
    fn note(&self, error: Option<&Error>) {
        let engine = self.gateway.engine();
        let micros = engine.context.clock.elapsed_micros().saturating_sub(self.begun_at);
        engine.requests.note(noted(self.app, self.address, READING, error, micros));
    }
}

fn stops() -> Error {
    ErrorCode::ArchiveInternal.because("the server stops: try again")
}

/// A refusal has a status of its own, so that nobody takes it for the file, and the number that calls have.
fn refusal(error: &Error) -> Response<Body> {
    let mut response = json(envelope::failure(error, false));
    *response.status_mut() = match error.code {
        ErrorCode::ArchiveAddressWrong | ErrorCode::AppUnknown => StatusCode::NOT_FOUND,
        ErrorCode::ArchiveExpired => StatusCode::GONE,
        ErrorCode::AppDisabled => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    response
}

fn file(name: &str, download: Download) -> Response<Body> {
    let mut response = Response::new(Either::Right(download));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}
