//! What the tests share: the server, buckets and prefixes of their own, and a way past the adapter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use model::{DataClass, Expiry, Medium, SdkAppId, Sealed, Seconds, Stamp, Subject};
use opendal::{HttpTransporter, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use ports::Stamped;
use ports::blobs::{BlobInfo, BlobName, Blobs};
use ports::suite::{APP, ManualClock, NOW};
use reqsign_aws_v4::{RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, Signer};
use s3_store::{Credentials, S3Blobs, Settings};

/// The bucket of tests that need none of their own.
pub(crate) const BUCKET: &str = "whimbrel-tests";

/// Any: the server has none.
pub(crate) const REGION: &str = "us-east-1";

/// Where the server is, and what it takes to come in.
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) key: String,
    pub(crate) secret: String,
}

pub(crate) fn server() -> Server {
    let address: http::Uri = std::env::var("WHIMBREL_TEST_S3").unwrap().parse().unwrap();
    let (user, host) = address.authority().unwrap().as_str().split_once('@').unwrap();
    let (key, secret) = user.split_once(':').unwrap();
    Server { host: host.to_owned(), key: key.to_owned(), secret: secret.to_owned() }
}

/// A prefix that no other test has.
pub(crate) fn prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("run-{}/{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst))
}

pub(crate) fn settings(prefix: &str) -> Settings {
    let Server { host, key, secret } = server();
    Settings {
        endpoint: format!("http://{host}"),
        region: REGION.to_owned(),
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        is_bucket_in_host: false,
        is_vouched_unversioned: false,
        credentials: Credentials::new(key, secret),
    }
}

/// An adapter with a prefix of its own, its clock, and the settings that lead to it.
pub(crate) async fn store() -> (S3Blobs, Arc<ManualClock>, Settings) {
    make_bucket(BUCKET, &[]).await;
    let (settings, clock) = (settings(&prefix()), Arc::new(ManualClock::at(NOW)));
    let blobs = S3Blobs::connect(&settings, clock.clone()).await.unwrap();
    (blobs, clock, settings)
}

fn http() -> reqwest::Client {
    // Whichever test comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// The bucket below the prefix, past the adapter.
pub(crate) fn operator(settings: &Settings) -> Operator {
    let Server { key, secret, .. } = server();
    let service = opendal::services::S3::default()
        .endpoint(&settings.endpoint)
        .region(REGION)
        .bucket(&settings.bucket)
        .root(&settings.prefix)
        .access_key_id(&key)
        .secret_access_key(&secret);
    let operator = Operator::new(service).unwrap();
    let transport = HttpTransporter::new(ReqwestTransport::new(http()));
    let context = operator.base_context().with_http_transport(transport);
    operator.with_context(context)
}

/// Asks the server about a bucket; status and body.
pub(crate) async fn ask(method: http::Method, bucket: &str, question: &str, body: &str) -> (u16, String) {
    let Server { host, key, secret } = server();
    let request = http::Request::builder().method(method).uri(format!("http://{host}/{bucket}{question}"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let (provider, signer) = (StaticCredentialProvider::new(&key, &secret), RequestSigner::new("s3", REGION));
    Signer::new(Context::new(), provider, signer).sign(&mut parts, None).await.unwrap();
    let request = http::Request::from_parts(parts, body.to_owned());
    let answer = http().execute(request.try_into().unwrap()).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Makes a bucket if it is not there, with what is set in it.
pub(crate) async fn make_bucket(bucket: &str, set: &[(&str, &str)]) {
    let (status, said) = ask(http::Method::PUT, bucket, "", "").await;
    assert!(status == 200 || said.contains("BucketAlready"), "{status} {said}");
    for (question, body) in set {
        let (status, said) = ask(http::Method::PUT, bucket, question, body).await;
        assert!((200..300).contains(&status), "{question}: {status} {said}");
    }
}

pub(crate) const DERIVED: DataClass = DataClass::Message(Medium::Derived);

pub(crate) fn stamp(app: SdkAppId, class: DataClass, end: u32) -> Stamp {
    Stamp { app, class, subject: Subject::Nobody, expiry: Expiry::At(Seconds(end)) }
}

pub(crate) fn sealed(bytes: &[u8]) -> Sealed {
    Sealed { bucket: 7, index: 9, sealed_at: Seconds(NOW), bytes: bytes.to_vec().into() }
}

pub(crate) fn object(app: SdkAppId, end: u32, bytes: &[u8]) -> Stamped<Sealed> {
    Stamped::new(stamp(app, DERIVED, end), sealed(bytes))
}

/// What is in an object, if it is there.
pub(crate) async fn read(blobs: &S3Blobs, app: SdkAppId, name: u128) -> Option<Vec<u8>> {
    blobs.get(app, BlobName(name)).await.unwrap().map(|found| found.bytes.to_vec())
}

/// Every object of the usual app.
pub(crate) async fn list(blobs: &S3Blobs) -> Vec<BlobInfo> {
    blobs.list(APP, None, usize::MAX).await.unwrap()
}

/// The key of an object, below the prefix.
pub(crate) fn key(app: SdkAppId, name: u128) -> String {
    format!("o/{:010}/{}", app.0, BlobName(name))
}

/// The key of a marker, below the prefix.
pub(crate) fn marker(end: u32, app: SdkAppId, name: u128) -> String {
    format!("e/{end:010}-{:010}-{}", app.0, BlobName(name))
}
