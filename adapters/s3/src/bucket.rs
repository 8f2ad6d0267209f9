//! Whether a bucket keeps what is removed: the question at the beginning.
//!
//! A bucket with versions keeps the bytes of every object that is removed or replaced. That breaks the promise that what has ended is
//! gone, and nobody would see it: a listing does not show them. So such a bucket is refused, unless a rule of its own removes them after a
//! day; one with object lock is refused always. Forms of the answers:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>.

use ports::Fault;
use quick_xml::events::Event;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::client::{Client, Said};

/// How many days versions may be kept that are not current any more; a store counts none below one.
const NONCURRENT_DAYS_MAX: u32 = 1;

/// A question about the bucket.
struct Question {
    /// How it is asked.
    asked: &'static str,
    /// The element that the answer is.
    root: &'static str,
    /// What the answer says where nothing was ever set.
    nothing: &'static [&'static str],
    /// What the access key needs.
    permission: &'static str,
}

const VERSIONING: Question = Question {
    asked: "versioning",
    root: "VersioningConfiguration",
    nothing: &[],
    permission: "s3:GetBucketVersioning",
};

const LIFECYCLE: Question = Question {
    asked: "lifecycle",
    root: "LifecycleConfiguration",
    nothing: &["NoSuchLifecycleConfiguration"],
    permission: "s3:GetLifecycleConfiguration",
};

const OBJECT_LOCK: Question = Question {
    asked: "object-lock",
    root: "ObjectLockConfiguration",
    nothing: &[
        "ObjectLockConfigurationNotFoundError",
        "ObjectLockConfigurationNotFound",
        "NoSuchObjectLockConfiguration",
    ],
    permission: "s3:GetBucketObjectLockConfiguration",
};

/// What the store makes of a question.
#[derive(Debug, PartialEq, Eq)]
enum Answered<T> {
    /// This is set.
    Set(T),
    /// Nothing was ever set.
    Nothing,
    /// It does not know the question.
    Unknown,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "PascalCase")]
struct Versioning {
    status: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Lifecycle {
    rule: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Rule {
    status: String,
    /// The former form of a filter.
    prefix: Option<String>,
    filter: Option<Filter>,
    noncurrent_version_expiration: Option<Noncurrent>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Filter {
    prefix: Option<String>,
    /// Any of these lets some objects out.
    and: Option<IgnoredAny>,
    tag: Option<IgnoredAny>,
    object_size_greater_than: Option<IgnoredAny>,
    object_size_less_than: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Noncurrent {
    noncurrent_days: Option<u32>,
    /// So many are kept for ever.
    newer_noncurrent_versions: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ObjectLock {
    object_lock_enabled: Option<String>,
    rule: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Refusal {
    code: String,
}

/// Asks the store, and refuses a bucket that would keep what is removed below this prefix.
///
/// # Errors
/// `Unavailable`, saying which setting of the bucket breaks which promise.
pub(crate) async fn check(client: &Client, prefix: &str, is_vouched: bool) -> Result<(), Fault> {
    let versioning = read::<Versioning>(&VERSIONING, &client.ask_bucket(VERSIONING.asked).await?)?;
    if has_versions(&versioning, is_vouched)? {
        let lifecycle = read::<Lifecycle>(&LIFECYCLE, &client.ask_bucket(LIFECYCLE.asked).await?)?;
        judge_lifecycle(&lifecycle, prefix)?;
    }
    judge_lock(&read::<ObjectLock>(&OBJECT_LOCK, &client.ask_bucket(OBJECT_LOCK.asked).await?)?)
}

/// Whether the bucket has versions, or had them once: suspended ones are kept like others.
fn has_versions(versioning: &Answered<Versioning>, is_vouched: bool) -> Result<bool, Fault> {
    match versioning {
        Answered::Set(Versioning { status: None }) => Ok(false),
        Answered::Set(Versioning { status: Some(status) }) => match status.as_str() {
            "Enabled" | "Suspended" => Ok(true),
            _ => Err(refused("the store says of the bucket's versioning what is not understood")),
        },
        Answered::Nothing | Answered::Unknown if is_vouched => Ok(false),
        Answered::Nothing | Answered::Unknown => Err(refused(
            "the store does not say whether the bucket keeps versions (GetBucketVersioning), and versions would keep what is \
             removed: see to it that there are none, and vouch for it in the settings",
        )),
    }
}

fn judge_lifecycle(lifecycle: &Answered<Lifecycle>, prefix: &str) -> Result<(), Fault> {
    let is_enough = match lifecycle {
        Answered::Set(lifecycle) => lifecycle.rule.iter().any(|rule| rule.is_enough(prefix)),
        Answered::Nothing | Answered::Unknown => false,
    };
    if is_enough {
        return Ok(());
    }
    Err(refused(
        "the bucket has versions (versioning), which keep what is removed: take one that never had them, or give it an enabled \
         lifecycle rule for the whole prefix with NoncurrentVersionExpiration, NoncurrentDays 1 and no NewerNoncurrentVersions",
    ))
}

fn judge_lock(lock: &Answered<ObjectLock>) -> Result<(), Fault> {
    match lock {
        Answered::Set(lock) if lock.object_lock_enabled.is_some() || lock.rule.is_some() => {
            Err(refused("the bucket has object lock, which keeps what is removed: take one without"))
        }
        // Who does not know the question has no lock to set.
        Answered::Set(_) | Answered::Nothing | Answered::Unknown => Ok(()),
    }
}

impl Rule {
    /// Whether it takes away every version below the prefix that is not current any more.
    fn is_enough(&self, prefix: &str) -> bool {
        let covers =
            |of: &Option<String>| format!("{prefix}/").starts_with(of.as_deref().unwrap_or_default());
        let is_for_all = match &self.filter {
            Some(filter) => {
                let lets_out = filter.and.is_some()
                    || filter.tag.is_some()
                    || filter.object_size_greater_than.is_some()
                    || filter.object_size_less_than.is_some();
                covers(&filter.prefix) && !lets_out
            }
            None => true,
        };
        let is_soon = self.noncurrent_version_expiration.as_ref().is_some_and(|noncurrent| {
            noncurrent.noncurrent_days.is_some_and(|days| days <= NONCURRENT_DAYS_MAX)
                && noncurrent.newer_noncurrent_versions.is_none_or(|kept| kept == 0)
        });
        self.status == "Enabled" && is_for_all && covers(&self.prefix) && is_soon
    }
}

/// Reads an answer; what is not understood is none.
fn read<T: DeserializeOwned>(question: &Question, said: &Said) -> Result<Answered<T>, Fault> {
    if said.status == 200 {
        let understood = (root(&said.body).as_deref() == Some(question.root))
            .then(|| quick_xml::de::from_reader(said.body.as_slice()).ok())
            .flatten();
        return understood.map(Answered::Set).ok_or_else(|| {
            refused(&format!("the store's answer about the bucket's {} is not understood", question.asked))
        });
    }
    let refusal: Refusal = (root(&said.body).as_deref() == Some("Error"))
        .then(|| quick_xml::de::from_reader(said.body.as_slice()).ok())
        .flatten()
        .unwrap_or_default();
    match (said.status, refusal.code.as_str()) {
        (404, code) if question.nothing.contains(&code) => Ok(Answered::Nothing),
        (501 | 405, _) | (400, "NotImplemented" | "MethodNotAllowed") => Ok(Answered::Unknown),
        (404, "NoSuchBucket") => Err(refused("there is no such bucket")),
        (300..400, _) | (_, "AuthorizationHeaderMalformed" | "PermanentRedirect") => {
            Err(refused("the bucket does not lie at this endpoint and in this region"))
        }
        (401 | 403, "AccessDenied") => {
            Err(refused(&format!("the access key needs the permission {}", question.permission)))
        }
        (401 | 403, _) => Err(refused("the store does not accept the access key and its secret")),
        (status, _) => {
            Err(refused(&format!("the store answers {status} about the bucket's {}", question.asked)))
        }
    }
}

/// The name of the outermost element, without its name space.
fn root(body: &[u8]) -> Option<String> {
    let mut reader = quick_xml::Reader::from_reader(body);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                return Some(element.local_name().as_ref().to_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn refused(what: &str) -> Fault {
    Fault::Unavailable(format!("S3: {what}"))
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
