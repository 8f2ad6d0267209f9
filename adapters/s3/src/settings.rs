//! Where the objects lie, and what it takes to come in.

use std::fmt;

use http::Uri;
use ports::Fault;
use zeroize::Zeroizing;

/// The longest prefix, in bytes. Keys may have 1024; ours add at most 60.
const PREFIX_BYTES_MAX: usize = 200;

/// The lengths that a bucket's name may have, in bytes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
const BUCKET_BYTES: std::ops::RangeInclusive<usize> = 3..=63;

/// The longest name of a region, in bytes.
const REGION_BYTES_MAX: usize = 64;

/// A bucket of a store that speaks the S3 protocol.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address: `https://HOST` or, in a network that nobody else is in, `http://HOST:PORT`. No path, no name of a user.
    pub endpoint: String,
    /// The region in which the bucket lies, as the store calls it: requests are signed for it, and one of another region is refused.
    pub region: String,
    /// The bucket. It is there already, and nothing but this installation writes below the prefix.
    pub bucket: String,
    /// What every key begins with, without a slash at either end.
    pub prefix: String,
    /// Whether the bucket is named in the host (`BUCKET.HOST`), as Tencent COS and AWS want it, or in the path.
    pub is_bucket_in_host: bool,
    /// Whether the operator vouches that the bucket keeps no versions of objects. It counts only where the store does not know the
    /// question; where it answers, the answer counts.
    pub is_vouched_unversioned: bool,
    /// What requests are signed with.
    pub credentials: Credentials,
}

/// An access key with its secret. Neither is shown.
#[derive(Clone)]
pub struct Credentials {
    access_key: String,
    secret: Zeroizing<String>,
}

impl Credentials {
    /// An access key and its secret.
    #[must_use]
    pub fn new(access_key: String, secret: String) -> Self {
        Self { access_key, secret: Zeroizing::new(secret) }
    }

    pub(crate) fn access_key(&self) -> &str {
        &self.access_key
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Settings {
    /// Where the bucket is, as the beginning of an address without a slash at its end.
    ///
    /// # Errors
    /// `Unavailable`, with the name of the setting that cannot be used and never what it says.
    pub(crate) fn bucket_address(&self) -> Result<String, Fault> {
        let (is_https, host) = self.host().ok_or_else(|| {
            refused("`endpoint` has to be http:// or https:// with a host, and nothing behind it")
        })?;
        let is_of = |text: &str, more: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte))
        };
        if self.region.is_empty() || self.region.len() > REGION_BYTES_MAX || !is_of(&self.region, "-_") {
            return Err(refused("`region` has to be the name of a region"));
        }
        if !BUCKET_BYTES.contains(&self.bucket.len()) || !is_of(&self.bucket, "-.") {
            return Err(refused("`bucket` has to be the name of a bucket"));
        }
        let is_segment = |part: &str| !["", ".", ".."].contains(&part) && is_of(part, "-_.");
        if self.prefix.len() > PREFIX_BYTES_MAX || !self.prefix.split('/').all(is_segment) {
            return Err(refused(
                "`prefix` has to be letters, digits, `-`, `_` and `.`, with `/` only between",
            ));
        }
        if self.credentials.access_key.is_empty() || self.credentials.secret.is_empty() {
            return Err(refused("the access key and its secret have to be given"));
        }
        let scheme = if is_https { "https" } else { "http" };
        Ok(if self.is_bucket_in_host {
            format!("{scheme}://{}.{host}", self.bucket)
        } else {
            format!("{scheme}://{host}/{}", self.bucket)
        })
    }

    /// Whether the address asks for TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.host().is_some_and(|(is_https, _)| is_https)
    }

    /// Whether with TLS, and the host with its port.
    fn host(&self) -> Option<(bool, String)> {
        let address: Uri = self.endpoint.parse().ok()?;
        let is_https = match address.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = address.authority()?.as_str();
        let is_bare = matches!(address.path(), "" | "/") && address.query().is_none() && !host.contains('@');
        is_bare.then(|| (is_https, host.to_owned()))
    }
}

fn refused(what: &str) -> Fault {
    Fault::Unavailable(format!("S3: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Settings {
        Settings {
            endpoint: "https://cos.ap-guangzhou.myqcloud.com".to_owned(),
            region: "ap-guangzhou".to_owned(),
            bucket: "chat-1250000000".to_owned(),
            prefix: "whimbrel/blobs".to_owned(),
            is_bucket_in_host: true,
            is_vouched_unversioned: false,
            credentials: Credentials::new("key".to_owned(), "secret".to_owned()),
        }
    }

    #[test]
    fn a_bucket_is_named_in_the_host_or_in_the_path() {
        let settings = good();
        let named = "https://chat-1250000000.cos.ap-guangzhou.myqcloud.com";
        assert_eq!(settings.bucket_address(), Ok(named.to_owned()));
        let settings =
            Settings { endpoint: "http://127.0.0.1:8333/".to_owned(), is_bucket_in_host: false, ..good() };
        assert_eq!(settings.bucket_address(), Ok("http://127.0.0.1:8333/chat-1250000000".to_owned()));
        assert!(!settings.is_https() && good().is_https());
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        type Change = fn(&mut Settings, String);
        let cases: [(&str, Change, &[&str]); 4] = [
            (
                "`endpoint`",
                |settings, text| settings.endpoint = text,
                &[
                    "",
                    "sesam",
                    "ftp://sesam",
                    "http://a:sesam@b",
                    "https://b/sesam",
                    "https://b?sesam",
                    "https://",
                ],
            ),
            ("`region`", |settings, text| settings.region = text, &["", "sesam öffne", "sesam/"]),
            ("`bucket`", |settings, text| settings.bucket = text, &["", "se", "sesam/öffne", "sesam?a"]),
            (
                "`prefix`",
                |settings, text| settings.prefix = text,
                &["", "/sesam", "sesam/", "a//sesam", "a/../sesam", "sesam?", "sesam%2f"],
            ),
        ];
        for (name, change, texts) in cases {
            for text in texts {
                let mut settings = good();
                change(&mut settings, (*text).to_owned());
                let Err(fault) = settings.bucket_address() else { panic!("{name}: {text}") };
                let said = fault.to_string();
                assert!(said.contains(name) && !said.contains("sesam"), "{said}");
            }
        }
        let mut settings = good();
        settings.prefix = "a".repeat(PREFIX_BYTES_MAX + 1);
        assert!(settings.bucket_address().is_err());
        settings = good();
        settings.credentials = Credentials::new(String::new(), "secret".to_owned());
        assert!(settings.bucket_address().is_err());
    }

    #[test]
    fn nobody_sees_the_credentials() {
        let settings = Settings { credentials: Credentials::new("sesam".into(), "sesam".into()), ..good() };
        assert!(!format!("{settings:?}").contains("sesam"));
    }
}
