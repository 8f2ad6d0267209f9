//! Files that the server gives out, read as fast or as slowly as a test likes.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, header};

use crate::World;

/// Whoever reads a file.
pub struct Reader {
    /// The status of the answer.
    pub status: u16,
    /// How the answer says that the file is to be stored.
    pub disposition: String,
    body: Incoming,
}

impl Reader {
    /// The next part of the file; `None` at its end and where it broke off.
    pub async fn part(&mut self) -> Option<Bytes> {
        self.body.frame().await?.ok()?.into_data().ok()
    }

    /// What is left of the file; `None` if it broke off.
    pub async fn whole(mut self) -> Option<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(frame) = self.body.frame().await {
            whole.extend_from_slice(&frame.ok()?.into_data().ok()?);
        }
        Some(whole.freeze())
    }
}

impl World {
    /// Asks for the file at an address of the server, and reads nothing of it yet.
    pub async fn reader(&self, address: &str) -> Reader {
        let path = address.strip_prefix("http://whimbrel.test").unwrap_or(address);
        let response = self.exchange(Method::GET, path, Vec::new()).await;
        let disposition = response.headers().get(header::CONTENT_DISPOSITION);
        let disposition = disposition.and_then(|text| text.to_str().ok()).unwrap_or_default().to_owned();
        Reader { status: response.status().as_u16(), disposition, body: response.into_body() }
    }
}
