//! The demo page over HTTP: the built files, and a `/config.json` that is made for who asks.

use crate::failure::{During, Failure, Outcome};
use serde_json::Value;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tiny_http::{Header, Method, Request, Response};

/// Content types by extension; anything else is served as bytes.
const TYPES: &[(&str, &str)] = &[
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff2", "font/woff2"),
];

/// A page that is being served.
pub(super) struct Page {
    listener: tiny_http::Server,
    site: Arc<Site>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

/// What is served.
struct Site {
    folder: PathBuf,
    chat: SocketAddr,
    config: Value,
    only_loopback: bool,
}

/// Status, content type and body.
type Answer = (u16, &'static str, Vec<u8>);

impl Page {
    /// Listens for browsers; `chat` is where the chat server listens.
    pub(super) fn open(folder: &Path, bind: SocketAddr, chat: SocketAddr, config: Value) -> Outcome<Self> {
        let folder = folder.canonicalize().during(|| format!("there is no page in {}", folder.display()))?;
        let listener = tiny_http::Server::http(bind).during(|| format!("cannot listen on {bind}"))?;
        let address =
            listener.server_addr().to_ip().ok_or_else(|| Failure::new("no address to listen on"))?;
        let only_loopback = address.ip().is_loopback();
        Ok(Self { listener, site: Arc::new(Site { folder, chat, config, only_loopback }), address })
    }

    /// Answers who asks within this time.
    pub(super) fn serve_for(&self, time: Duration) {
        // An error is a browser that went away.
        if let Ok(Some(request)) = self.listener.recv_timeout(time) {
            let site = Arc::clone(&self.site);
            // A browser that reads slowly must not keep the others waiting.
            std::thread::spawn(move || respond(&site, request));
        }
    }
}

fn respond(site: &Site, request: Request) {
    let host = request.headers().iter().find(|header| header.field.equiv("Host"));
    let host = host.map_or(String::new(), |header| header.value.to_string());
    let answer = site.answer(request.method(), request.url(), &host);
    // An error is a browser that went away.
    let _ = request.respond(response(answer));
}

fn response((status, content_type, body): Answer) -> Response<Cursor<Vec<u8>>> {
    let mut response = Response::from_data(body).with_status_code(status);
    for (name, value) in [
        ("Content-Type", content_type),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    response
}

impl Site {
    fn answer(&self, method: &Method, url: &str, host: &str) -> Answer {
        let refuse = |status, text: &str| (status, "text/plain; charset=utf-8", text.as_bytes().to_vec());
        if !matches!(method, Method::Get | Method::Head) {
            return refuse(405, "only GET\n");
        }
        let name = host_name(host);
        // Signatures must not reach a page of another site whose name was made to point here.
        if self.only_loopback && !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
            return refuse(403, "this page is for this machine only\n");
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if path == "/config.json" {
            return (200, "application/json", self.config_for(name).to_string().into_bytes());
        }
        let Some(file) = self.file(path) else {
            return refuse(404, "not here\n");
        };
        let content_type = content_type(&file);
        std::fs::read(file).map_or_else(|_| refuse(404, "not here\n"), |bytes| (200, content_type, bytes))
    }

    /// The page reaches the chat server by the name it was itself reached by.
    fn config_for(&self, name: &str) -> Value {
        let mut config = self.config.clone();
        let mut chat = format!("ws://{}", self.chat);
        if self.chat.ip().is_unspecified() {
            chat = format!("ws://{name}:{}", self.chat.port());
        }
        config["proxyServer"] = chat.into();
        config
    }

    /// The file that a path of the address names; nothing outside the folder is ever named.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let decoded = percent_decode(path)?;
        let relative = Path::new(decoded.trim_start_matches('/'));
        let is_plain = |part: Component| matches!(part, Component::Normal(name) if !name.as_encoded_bytes().starts_with(b"."));
        if decoded.contains(['\\', '\0']) || !relative.components().all(is_plain) {
            return None;
        }
        let mut file = self.folder.join(relative);
        if file.is_dir() {
            file.push("index.html");
        }
        let real = file.canonicalize().ok()?;
        (real.starts_with(&self.folder) && real.is_file()).then_some(real)
    }
}

/// The host without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

fn content_type(file: &Path) -> &'static str {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    TYPES.iter().find(|(known, _)| *known == extension).map_or("application/octet-stream", |(_, name)| name)
}

/// `%41` as `A`; nothing for what is no text.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A folder with a page in it and a secret beside it; gone with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-page-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("dist/assets")).unwrap();
            std::fs::write(path.join("dist/index.html"), "<p>page").unwrap();
            std::fs::write(path.join("dist/assets/a b.js"), "1").unwrap();
            std::fs::write(path.join("dist/.hidden"), "secret").unwrap();
            std::fs::write(path.join("secret.txt"), "secret").unwrap();
            std::os::unix::fs::symlink(path.join("secret.txt"), path.join("dist/link.txt")).unwrap();
            Self(path)
        }

        fn site(&self, chat: &str) -> Site {
            let folder = self.0.join("dist").canonicalize().unwrap();
            let only_loopback = chat.starts_with("127.");
            Site { folder, chat: chat.parse().unwrap(), config: json!({"sdkAppId": 1}), only_loopback }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn serves_the_page_and_nothing_around_it() {
        let folder = Folder::new("around");
        let site = folder.site("127.0.0.1:4711");
        let table = [
            ("/", 200, "text/html; charset=utf-8"),
            ("/index.html?x=1", 200, "text/html; charset=utf-8"),
            ("/assets/a%20b.js", 200, "text/javascript; charset=utf-8"),
            ("/assets", 404, ""),
            ("/gone.css", 404, ""),
            ("/../secret.txt", 404, ""),
            ("/%2e%2e/secret.txt", 404, ""),
            ("/assets/..%2f..%2fsecret.txt", 404, ""),
            ("/assets/..\\..\\secret.txt", 404, ""),
            ("//etc/passwd", 404, ""),
            ("/link.txt", 404, ""),
            ("/.hidden", 404, ""),
            ("/%00", 404, ""),
            ("/%zz", 404, ""),
            ("/%", 404, ""),
        ];
        for (path, status, kind) in table {
            let (found, content_type, _) = site.answer(&Method::Get, path, "127.0.0.1:8080");
            assert_eq!(found, status, "{path}");
            assert!(kind.is_empty() || content_type == kind, "{path}: {content_type}");
        }
        assert_eq!(site.answer(&Method::Post, "/", "127.0.0.1").0, 405);
    }

    #[test]
    fn the_configuration_names_the_chat_server_as_the_browser_sees_it() {
        let folder = Folder::new("config");
        let asked = |site: &Site, host: &str| -> (u16, Value) {
            let (status, _, body) = site.answer(&Method::Get, "/config.json", host);
            (status, serde_json::from_slice(&body).unwrap_or_default())
        };
        let here = folder.site("127.0.0.1:4711");
        let expected = json!({"sdkAppId": 1, "proxyServer": "ws://127.0.0.1:4711"});
        assert_eq!(asked(&here, "localhost:8080"), (200, expected));
        assert_eq!(asked(&here, "evil.example").0, 403);
        let everywhere = folder.site("0.0.0.0:4711");
        assert_eq!(asked(&everywhere, "192.0.2.7:8080").1["proxyServer"], "ws://192.0.2.7:4711");
    }
}
