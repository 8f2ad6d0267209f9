//! HTTP: which path means what, with bounds on headers, bodies and time.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE,
    HOST, HeaderMap, HeaderValue,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use model::ErrorCode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use crate::Gateway;
use crate::addresses::Ticket;
use crate::download::{self, Download};
use crate::upgrade::{upgrade, variant};

/// What is written as a whole, or part by part.
pub(crate) type Body = Either<Full<Bytes>, Download>;

/// Headers of one request at most.
const HEADERS_MAX: usize = 64;

/// Bytes of all headers of one request at most, and what a connection reads at once.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Serves one connection until it ends or becomes a WebSocket.
pub async fn serve_connection<S>(gateway: Arc<Gateway>, stream: S, address: IpAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    serve_opening(gateway, std::future::ready(Some(stream)), address).await;
}

/// The same for a connection that still has to be opened, such as by the agreement upon TLS: it counts as one of its address
/// meanwhile.
pub async fn serve_opening<S>(
    gateway: Arc<Gateway>,
    opening: impl Future<Output = Option<S>>,
    address: IpAddr,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(ticket) = gateway.addresses.admit(address, &gateway.limits) else {
        // Closing says enough; an answer would cost more than the refusal saves.
        return;
    };
    let Some(stream) = opening.await else { return };
    let ticket = Arc::new(ticket);
    let abandoned = Arc::new(Notify::new());
    let service = service_fn(|request| {
        let (gateway, ticket, abandoned) =
            (Arc::clone(&gateway), Arc::clone(&ticket), Arc::clone(&abandoned));
        async move { Ok::<_, Infallible>(answer::<S>(gateway, request, ticket, abandoned).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(gateway.limits.header_time_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        biased;
        ended = connection => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended badly");
        },
        // Whoever does not read what it asked for would hold the connection for ever.
        () = abandoned.notified() => tracing::debug!("a connection was given up"),
    }
}

async fn answer<S>(
    gateway: Arc<Gateway>,
    request: Request<Incoming>,
    ticket: Arc<Ticket>,
    abandoned: Arc<Notify>,
) -> Response<Body>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
        (&Method::GET, "/readyz") if gateway.is_draining() => {
            text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
        (&Method::GET, "/readyz") => text(StatusCode::OK, "ready\n"),
        (&Method::GET, "/metrics") if gateway.limits.metrics_are_public || ticket.address().is_loopback() => {
            text(StatusCode::OK, &gateway.metrics_text())
        }
        (&Method::POST, path) if path.starts_with("/v4/") => rest(&gateway, request, &ticket).await,
        (&Method::OPTIONS, path) if path.starts_with("/v4/") => cors(text(StatusCode::NO_CONTENT, "")),
        (_, path) if path.starts_with("/v4/") => {
            let error = ErrorCode::BadHttp.because("a REST call is a POST");
            json(command::envelope::failure(&error, false))
        }
        (&Method::GET, path) if path.starts_with(download::PATH) => {
            let token = path.get(download::PATH.len()..).unwrap_or_default();
            download::answer(&gateway, token, &ticket, abandoned).await
        }
        (&Method::GET, path) => match variant(path) {
            Some(_) if gateway.is_draining() => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            Some(variant) => upgrade::<S>(&gateway, request, variant, ticket),
            None => text(StatusCode::NOT_FOUND, "nothing here\n"),
        },
        _ => text(StatusCode::NOT_FOUND, "nothing here\n"),
    }
}

/// Runs a call to its end whether or not the caller waits for it: half of it must not be left undone.
async fn run_call(
    gateway: &Arc<Gateway>,
    path: &str,
    query: &str,
    body: Bytes,
    address: IpAddr,
    headers: &HeaderMap,
) -> Option<(Vec<u8>, bool)> {
    let (path, query) = (path.to_owned(), query.to_owned());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let (send, answered) = tokio::sync::oneshot::channel();
    let worker = Arc::clone(gateway);
    gateway.calls.fetch_add(1, Ordering::AcqRel);
    gateway.engine().context.spawner.spawn(Box::pin(async move {
        let answer = worker.rest(&path, &query, &body, address, host.as_deref()).await;
        worker.calls.fetch_sub(1, Ordering::AcqRel);
        drop(send.send(answer));
    }));
    answered.await.ok()
}

async fn rest(gateway: &Arc<Gateway>, request: Request<Incoming>, ticket: &Ticket) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, gateway.limits.body_bytes_max).collect();
    let too_slow = gateway.engine().context.clock.sleep(gateway.limits.body_time_max);
    let body = tokio::select! {
        biased;
        body = body => body,
        () = too_slow => {
            let error = ErrorCode::BadHttp.because("the body took too long");
            return json(command::envelope::failure(&error, false));
        }
    };
    let Ok(body) = body else {
        let most = gateway.limits.body_bytes_max;
        let error = ErrorCode::BadHttp.because(format!("the body broke off or has more than {most} bytes"));
        return json(command::envelope::failure(&error, false));
    };
    let path = head.uri.path().strip_prefix("/v4/").unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let (body, address) = (body.to_bytes(), ticket.address());
    let Some((answer, was_let_in)) = run_call(gateway, path, query, body, address, &head.headers).await
    else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "");
    };
    if was_let_in {
        ticket.authenticated();
    }
    json(answer)
}

impl Gateway {
    fn metrics_text(&self) -> String {
        let connections = self.engine().hub.connections();
        let own = format!(
            "# HELP whimbrel_connections Open sockets.\n# TYPE whimbrel_connections gauge\nwhimbrel_connections {connections}\n"
        );
        own + &self.pipeline.metrics.text(&self.pipeline.table)
    }
}

pub(crate) fn json(body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(whole(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    cors(response)
}

fn cors(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("X-Requested-With, Content-Type"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    response
}

/// A body that is written as a whole.
pub(crate) fn whole(body: Bytes) -> Body {
    Either::Left(Full::new(body))
}

pub(crate) fn text(status: StatusCode, body: &str) -> Response<Body> {
    let mut response = Response::new(whole(body.to_owned().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
