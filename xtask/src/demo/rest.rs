//! As much of a REST client as the demo needs: one POST, one answer, over plain TCP to the server it started.

use crate::failure::{During, Failure, Outcome};
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The server is on this machine; it has no reason to take longer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// More than any answer to the demo's requests.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// An administrator of one app.
pub(super) struct Rest {
    server: SocketAddr,
    query: String,
}

impl Rest {
    /// Speaks as this administrator, whose signature is good for every request of the demo.
    pub(super) fn new(server: SocketAddr, app: u64, administrator: &str, signature: &str) -> Self {
        let query = format!("sdkappid={app}&identifier={administrator}&usersig={signature}");
        Self { server, query }
    }

    /// Calls a command and returns its answer; an answer other than OK is a failure.
    pub(super) fn post(&self, command: &str, body: &Value) -> Outcome<Value> {
        let path = format!("/v4/{command}?{}&random={}&contenttype=json", self.query, random());
        let answer =
            exchange(self.server, &path, &body.to_string()).during(|| format!("cannot call {command}"))?;
        let answer =
            body_of(&answer).ok_or_else(|| Failure::new(format!("{command} answered no HTTP 200")))?;
        let answer: Value = serde_json::from_str(answer).during(|| format!("{command} answered no JSON"))?;
        if answer["ErrorCode"].as_i64() == Some(0) {
            return Ok(answer);
        }
        Err(Failure::new(format!("{command} was refused: {answer}")))
    }
}

/// A message of one text, that is also in its sender's history.
pub(super) fn text_message(from: &str, to: &str, text: &str) -> Value {
    json!({
        "SyncOtherMachine": 1,
        "From_Account": from,
        "To_Account": to,
        "MsgRandom": random(),
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
    })
}

/// A number that nobody else is likely to use.
fn random() -> u32 {
    let number = RandomState::new().hash_one(0_u8);
    u32::try_from(number >> 32).unwrap_or_default()
}

/// HTTP/1.0, so that the answer ends where the connection does.
fn exchange(server: SocketAddr, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

/// The body of an answer with status 200.
fn body_of(answer: &str) -> Option<&str> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    (head.split(' ').nth(1) == Some("200")).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// A server that reads one request, answers with this, and returns the request's first line and its body.
    fn answering(answer: &'static str) -> (SocketAddr, JoinHandle<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut lines = Vec::new();
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(number) = line.strip_prefix("Content-Length: ") {
                    length = number.trim().parse().unwrap();
                }
                lines.push(line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            (lines[0].clone(), String::from_utf8(body).unwrap())
        });
        (address, serving)
    }

    #[test]
    fn a_message_is_posted_and_its_answer_read() {
        let (address, serving) = answering(
            "HTTP/1.0 200 OK\r\ncontent-length: 34\r\n\r\n{\"ActionStatus\":\"OK\",\"ErrorCode\":0}",
        );
        let rest = Rest::new(address, 1_400_000_001, "administrator", "sig");
        rest.post("openim/sendmsg", &text_message("alice", "bob", "ä \"quoted\"")).unwrap();
        let (line, body) = serving.join().unwrap();
        assert!(line.starts_with(
            "POST /v4/openim/sendmsg?sdkappid=1400000001&identifier=administrator&usersig=sig&"
        ));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["MsgBody"][0]["MsgContent"]["Text"], "ä \"quoted\"");
    }

    #[test]
    fn a_refusal_is_a_failure_that_says_why() {
        let table = [
            ("HTTP/1.0 200 OK\r\n\r\n{\"ErrorCode\":70402,\"ErrorInfo\":\"no UserID\"}", "no UserID"),
            ("HTTP/1.0 404 Not Found\r\n\r\n", "no HTTP 200"),
            ("HTTP/1.0 200 OK\r\n\r\nhello", "no JSON"),
            ("", "no HTTP 200"),
        ];
        for (answer, expected) in table {
            let (address, serving) = answering(answer);
            let failure = Rest::new(address, 1, "administrator", "sig").post("a/b", &json!({})).unwrap_err();
            serving.join().unwrap();
            let text = failure.untold().unwrap();
            assert!(text.contains("a/b") && text.contains(expected), "{text}");
        }
    }
}
