//! REST as a back end calls it: plain HTTP, one connection a call.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{App, soon};

/// Calls a command as the app's administrator.
pub(crate) async fn call(address: SocketAddr, app: &App, command: &str, body: &Value) -> Value {
    let query = query(app, &app.administrator, &app.sign(&app.administrator));
    post(address, &format!("/v4/{command}?{query}"), body.to_string().as_bytes()).await
}

/// The query of a call.
pub(crate) fn query(app: &App, identifier: &str, signature: &str) -> String {
    let app = app.id;
    format!("sdkappid={app}&identifier={identifier}&usersig={signature}&random=1&contenttype=json")
}

/// Posts a body; the answer is JSON with status 200.
pub(crate) async fn post(address: SocketAddr, target: &str, body: &[u8]) -> Value {
    let (status, answer) = exchange(address, "POST", target, "", body).await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// One request with its own connection: status and body of the answer.
pub(crate) async fn exchange(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String) {
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    let answer = raw(address, &[head.as_bytes(), body].concat()).await;
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// Sends bytes and reads until the server closes. What it refuses it may close before everything is written.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let stream = soon("connecting", TcpStream::connect(address)).await;
    let (mut read, mut write) = stream.expect("a connection").into_split();
    let mut answer = Vec::new();
    let exchange = async {
        tokio::join!(
            async { drop(write.write_all(bytes).await) },
            // A reset after the answer is an end, too.
            async { drop(read.read_to_end(&mut answer).await) }
        )
    };
    soon("the answer", exchange).await;
    answer
}
