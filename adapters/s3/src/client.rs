//! Requests to the store: bounded in how many run, how long they wait and how often they are tried again.
//!
//! TLS is rustls over ring, with the roots of the machine. Redirections are not followed and proxies not asked: a signed request goes
//! to the host that the settings name, and nowhere else. What the store says when it refuses is dropped: it may name keys.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use opendal::layers::{RetryEvent, RetryLayer, TimeoutLayer};
use opendal::raw::oio::ReadStream as _;
use opendal::{Buffer, ErrorKind, HttpTransporter, Lister, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use ports::Fault;
use ports::blobs::BLOB_BYTES_MAX;
use reqsign_aws_v4::{Credential, RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, Signer};
use tokio::sync::Semaphore;

use crate::head::{HEAD_BYTES, damaged};
use crate::settings::Settings;

/// How many requests run at once. Others wait, as long as a call may take.
const REQUESTS_MAX: usize = 32;

/// How many whole objects are written or read at once: each is in memory once.
const BODIES_MAX: usize = 8;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request without an object's bytes may take before it is tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a call without an object's bytes may take, waiting and trying again included.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How fast the bytes of an object have to come or go, in bytes a second; beyond what that takes a call has failed.
const BYTES_PER_SECOND_MIN: usize = 1 << 20;

/// How often a request that failed for now is tried again.
const RETRIES: usize = 2;

/// How long to wait before, at first and at most.
const RETRY_DELAYS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long a connection that is not used is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest answer about a bucket that is read: a configuration of 1000 rules fits.
const SAID_BYTES_MAX: usize = 4 << 20;

/// What the store says about a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The status of the answer.
    pub(crate) status: u16,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// An object as the store lists it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Its key, without the prefix.
    pub(crate) key: String,
    /// Its length, head included.
    pub(crate) bytes: u64,
}

/// A bucket, below its prefix.
pub(crate) struct Client {
    quick: Operator,
    long: Operator,
    transport: HttpTransporter,
    signer: Signer<Credential>,
    address: String,
    requests: Semaphore,
    bodies: Semaphore,
}

impl Client {
    /// Makes a client; nothing is asked yet.
    ///
    /// # Errors
    /// `Unavailable` if a setting cannot be used, or the machine has no roots for TLS.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Fault> {
        let address = settings.bucket_address()?;
        let (key, secret) = (settings.credentials.access_key(), settings.credentials.secret());
        let transport = HttpTransporter::new(ReqwestTransport::new(http_client(settings.is_https())?));
        let mut service = opendal::services::S3::default()
            .endpoint(&settings.endpoint)
            .region(&settings.region)
            .bucket(&settings.bucket)
            .root(&settings.prefix)
            .access_key_id(key)
            .secret_access_key(secret)
            .disable_config_load()
            .disable_ec2_metadata();
        if settings.is_bucket_in_host {
            service = service.enable_virtual_host_style();
        }
        let operator = Operator::new(service).map_err(|error| fault(error.kind()))?;
        let context = operator.base_context().with_http_transport(transport.clone());
        let operator = operator.with_context(context);
        let signer = Signer::new(
            Context::new(),
            StaticCredentialProvider::new(key, secret),
            RequestSigner::new("s3", &settings.region),
        );
        Ok(Self {
            quick: bounded(&operator, REQUEST_TIMEOUT),
            long: bounded(&operator, body_timeout(BLOB_BYTES_MAX)),
            transport,
            signer,
            address,
            requests: Semaphore::new(REQUESTS_MAX),
            bodies: Semaphore::new(BODIES_MAX),
        })
    }

    /// Objects whose keys begin with `under`, after one if given, in the order of their keys; at most `limit`. Fewer are the last ones.
    pub(crate) async fn page(
        &self,
        under: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Listed>, Fault> {
        let mut lister = self.walk(under, after, limit).await?;
        let page = self.walk_on(&mut lister, limit).await?;
        let after = after.unwrap_or_default();
        let is_in_order = page.iter().all(|listed| listed.key.as_str() > after)
            && page.is_sorted_by(|one, other| one.key < other.key);
        // Otherwise whoever reads on from the last one would never end, or miss some.
        if !is_in_order {
            return Err(Fault::Unavailable("S3: the store does not list in the order of keys".to_owned()));
        }
        Ok(page)
    }

    /// Begins to list; so many keys are asked for at once.
    pub(crate) async fn walk(&self, under: &str, after: Option<&str>, limit: usize) -> Result<Lister, Fault> {
        let mut lister = self.quick.lister_with(under).recursive(true).limit(limit);
        if let Some(after) = after {
            lister = lister.start_after(after);
        }
        let lister = self.ask(CALL_TIMEOUT, lister.into_future()).await?;
        lister.ok_or_else(|| fault(ErrorKind::NotFound))
    }

    /// The next objects of a listing, at most `limit`. Fewer are the last ones.
    pub(crate) async fn walk_on(&self, lister: &mut Lister, limit: usize) -> Result<Vec<Listed>, Fault> {
        let asked = async {
            let mut page = Vec::new();
            while page.len() < limit
                && let Some(entry) = lister.try_next().await?
            {
                let (key, metadata) = entry.into_parts();
                page.push(Listed { key, bytes: metadata.content_length() });
            }
            Ok(page)
        };
        self.ask(CALL_TIMEOUT, asked).await.map(Option::unwrap_or_default)
    }

    /// The beginning of an object, as long as a head; `None` if there is no object.
    pub(crate) async fn head(&self, key: &str) -> Result<Option<Bytes>, Fault> {
        let length = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        let read = self.quick.read_with(key).range(0..length).into_future();
        match self.ask(CALL_TIMEOUT, read).await {
            Ok(found) => Ok(found.map(|bytes| bytes.to_bytes())),
            // Of an object that is shorter than that nothing else is said.
            Err(fault) => match self.ask(CALL_TIMEOUT, self.quick.stat(key)).await {
                Ok(Some(about)) if about.content_length() < length => Err(damaged()),
                _ => Err(fault),
            },
        }
    }

    /// A whole object, or so much of it that it is too long; `None` if there is none.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Bytes>, Fault> {
        const MOST: usize = HEAD_BYTES + BLOB_BYTES_MAX;
        let read = async {
            let mut stream = self.long.reader(key).await?.into_stream(..).await?;
            let length = match stream.metadata().await {
                Ok(about) => usize::try_from(about.content_length()).unwrap_or(usize::MAX),
                Err(error) if error.kind() == ErrorKind::Unsupported => 0,
                Err(error) => return Err(error),
            };
            let mut bytes = Vec::with_capacity(length.min(MOST));
            while bytes.len() <= MOST
                && let Some(chunks) = stream.try_next().await?
            {
                chunks.for_each(|chunk| bytes.extend_from_slice(&chunk));
            }
            Ok(Bytes::from(bytes))
        };
        self.ask_for_body(body_timeout(BLOB_BYTES_MAX), read).await
    }

    /// Writes an object in one request: it is there whole when this succeeds, and whole or not at all when it fails.
    pub(crate) async fn write(&self, key: &str, head: Vec<u8>, bytes: Bytes) -> Result<(), Fault> {
        let limit = body_timeout(bytes.len());
        // Without a size of chunks all that is written at once is one request, and none of several parts.
        let body = Buffer::from(vec![Bytes::from(head), bytes]);
        let written = self.ask_for_body(limit, self.long.write(key, body)).await?;
        written.map(drop).ok_or_else(|| fault(ErrorKind::NotFound))
    }

    /// Writes an empty object.
    pub(crate) async fn write_empty(&self, key: &str) -> Result<(), Fault> {
        let written = self.ask(CALL_TIMEOUT, self.quick.write(key, Buffer::new())).await?;
        written.map(drop).ok_or_else(|| fault(ErrorKind::NotFound))
    }

    /// Removes an object; one that is not there is removed already.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), Fault> {
        self.ask(CALL_TIMEOUT, self.quick.delete(key)).await.map(drop)
    }

    /// Asks about the bucket itself: `versioning`, `lifecycle`, `object-lock`.
    pub(crate) async fn ask_bucket(&self, question: &str) -> Result<Said, Fault> {
        let away = || Fault::Unavailable("S3: the store does not answer".to_owned());
        let asked = async {
            let request = http::Request::get(format!("{}/?{question}", self.address));
            let (mut parts, body) = request.body(Buffer::new()).map_err(|_| away())?.into_parts();
            self.signer.sign(&mut parts, None).await.map_err(|_| away())?;
            parts.headers.remove(http::header::HOST);
            let request = http::Request::from_parts(parts, body);
            let (parts, mut body) = self.transport.fetch(request).await.map_err(|_| away())?.into_parts();
            let mut said = Said { status: parts.status.as_u16(), body: Vec::new() };
            loop {
                let chunk = body.read().await.map_err(|_| away())?;
                if chunk.is_empty() {
                    return Ok(said);
                }
                said.body.extend_from_slice(&chunk.to_bytes());
                if said.body.len() > SAID_BYTES_MAX {
                    return Err(Fault::Unavailable("S3: the store says too much of its bucket".to_owned()));
                }
            }
        };
        let Ok(said) = tokio::time::timeout(REQUEST_TIMEOUT, asked).await else { return Err(away()) };
        said
    }

    async fn ask_for_body<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = opendal::Result<T>>,
    ) -> Result<Option<T>, Fault> {
        let asked = async {
            let _permit = self.bodies.acquire().await.map_err(|_| late())?;
            self.ask(limit, call).await
        };
        // Whoever waits for others waits as long as they may take.
        tokio::time::timeout(limit + body_timeout(BLOB_BYTES_MAX), asked)
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    /// Waits for its turn and for the answer; `None` if there is no such object.
    async fn ask<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = opendal::Result<T>>,
    ) -> Result<Option<T>, Fault> {
        let asked = async {
            let _permit = self.requests.acquire().await.map_err(|_| late())?;
            match call.await {
                Ok(found) => Ok(Some(found)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(fault(error.kind())),
            }
        };
        tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| Err(late()))
    }
}

/// A client that goes nowhere but where it is told to.
fn http_client(is_https: bool) -> Result<reqwest::Client, Fault> {
    let unusable = || Fault::Unavailable("S3: TLS cannot be set up".to_owned());
    let mut roots = rustls::RootCertStore::empty();
    if is_https {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(Fault::Unavailable("S3: this machine has no root certificates for TLS".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(is_https)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(REQUESTS_MAX)
        .build()
        .map_err(|_| unusable())
}

/// How long a call with so many bytes of an object may take, from its turn on.
fn body_timeout(bytes: usize) -> Duration {
    let seconds = u64::try_from(bytes.div_ceil(BYTES_PER_SECOND_MIN)).unwrap_or(u64::MAX);
    CALL_TIMEOUT.saturating_add(Duration::from_secs(seconds))
}

/// The operator with an end to each request, tried again where that may help.
fn bounded(operator: &Operator, timeout: Duration) -> Operator {
    let (first, most) = RETRY_DELAYS;
    let retry = RetryLayer::new().with_max_times(RETRIES).with_min_delay(first).with_max_delay(most);
    let timeout = TimeoutLayer::new().with_timeout(REQUEST_TIMEOUT).with_io_timeout(timeout);
    // It would log the key.
    operator.clone().layer(timeout).layer(retry.with_jitter().with_notify(|_: RetryEvent<'_>| ()))
}

fn late() -> Fault {
    Fault::Unavailable("S3: no answer in time".to_owned())
}

/// Says what a failure of the store means to a caller.
fn fault(kind: ErrorKind) -> Fault {
    let what = match kind {
        ErrorKind::RangeNotSatisfied => return damaged(),
        ErrorKind::PermissionDenied => "the store does not let this access key do it",
        ErrorKind::RateLimited => "the store takes no more requests now",
        ErrorKind::ConfigInvalid => "there is no such bucket",
        ErrorKind::NotFound => "the store does not find its place",
        _ => "the request failed",
    };
    Fault::Unavailable(format!("S3: {what}"))
}
