//! From a request to a WebSocket (RFC 6455, section 4.2).

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{
    CONNECTION, HeaderMap, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use model::SdkAppId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::Gateway;
use crate::addresses::Ticket;
use crate::http::{Body, text, whole};
use crate::query::value;
use crate::socket::{Opened, Variant};
use crate::websocket::WebSocket;

/// The name of a client that the address gives, at most.
const CLIENT_BYTES_MAX: usize = 64;

fn has_token(headers: &HeaderMap, name: hyper::header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Which variant a path asks for, whatever stands before its last part.
pub(crate) fn variant(path: &str) -> Option<Variant> {
    match path.rsplit('/').next() {
        Some("binfo") => Some(Variant::Binary),
        Some("info") => Some(Variant::Text),
        _ => None,
    }
}

/// Answers a request for a WebSocket; the connection's task starts when the answer is on its way.
pub(crate) fn upgrade<S>(
    gateway: &Arc<Gateway>,
    request: Request<hyper::body::Incoming>,
    variant: Variant,
    ticket: Arc<Ticket>,
) -> Response<Body>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let headers = request.headers();
    let wants_websocket =
        has_token(headers, UPGRADE, "websocket") && has_token(headers, CONNECTION, "upgrade");
    let version = headers.get(SEC_WEBSOCKET_VERSION).and_then(|value| value.to_str().ok());
    let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|value| value.to_str().ok());
    let (true, Some("13"), Some(key)) = (wants_websocket, version, key) else {
        return text(StatusCode::BAD_REQUEST, "a WebSocket (version 13) is expected here\n");
    };
    if !origin_is_allowed(&gateway.limits.origins, headers) {
        return text(StatusCode::FORBIDDEN, "connections from this origin are not allowed\n");
    }
    let query = request.uri().query().unwrap_or_default();
    let Some(app) = value(query, "sdkappid").and_then(|app| app.parse().ok()).map(SdkAppId) else {
        return text(StatusCode::BAD_REQUEST, "sdkappid: is missing or no number\n");
    };
    let variant = match variant {
        Variant::Binary if value(query, "compress").as_deref() == Some("gzip") => Variant::Packed,
        other => other,
    };
    let client = value(query, "instanceid").filter(|client| client.len() <= CLIENT_BYTES_MAX);
    let opened = Opened {
        app,
        platform: value(query, "platform").and_then(|platform| platform.parse().ok()).unwrap_or(7),
        client: client.unwrap_or_default(),
        variant,
    };
    let accept = derive_accept_key(key.as_bytes());
    let spawner = Arc::clone(&gateway.engine().context.spawner);
    let gateway = Arc::clone(gateway);
    spawner.spawn(Box::pin(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        let Ok(parts) = upgraded.downcast::<TokioIo<S>>() else {
            return;
        };
        let message_bytes_max = gateway.limits.frame_bytes_max;
        // Its buffer is much larger than what is usually in it: nothing.
        let already_read = parts.read_buf.to_vec();
        drop(parts.read_buf);
        let stream = WebSocket::new(parts.io.into_inner(), already_read, message_bytes_max);
        crate::socket::serve(gateway, stream, opened, ticket).await;
    }));
    let answer = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(whole(Bytes::new()));
    answer.unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, ""))
}

/// Browsers say where a page comes from; other clients need not.
fn origin_is_allowed(allowed: &[String], headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    allowed.is_empty() || origin.to_str().is_ok_and(|origin| allowed.iter().any(|other| other == origin))
}
