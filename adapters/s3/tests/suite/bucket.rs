//! Which buckets are taken.

use std::sync::Arc;

use ports::suite::{ManualClock, NOW};
use s3_store::{S3Blobs, Settings};

use crate::support;

/// What connecting to a bucket says; nothing if it works.
async fn connect(bucket: &str) -> Option<String> {
    let settings = Settings { bucket: bucket.to_owned(), ..support::settings("whimbrel/blobs") };
    let connected = S3Blobs::connect(&settings, Arc::new(ManualClock::at(NOW))).await;
    connected.err().map(|fault| fault.to_string())
}

fn versions(status: &str) -> String {
    format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_versions_is_taken_and_its_region_said() {
    let (blobs, _, _) = support::store().await;
    assert_eq!(blobs.region(), support::REGION);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_with_versions_is_refused_until_a_rule_removes_them() {
    let bucket = "whimbrel-versions";
    for status in ["Enabled", "Suspended"] {
        support::make_bucket(bucket, &[("?versioning", &versions(status))]).await;
        let said = connect(bucket).await.unwrap();
        assert!(said.contains("versioning") && said.contains("NoncurrentVersionExpiration"), "{said}");
    }
    let rule = |days: u32| {
        format!(
            "<LifecycleConfiguration><Rule><ID>noncurrent</ID><Filter><Prefix>whimbrel/</Prefix></Filter>\
             <Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>{days}</NoncurrentDays>\
             </NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"
        )
    };
    for (days, is_taken) in [(3, false), (1, true)] {
        support::make_bucket(bucket, &[("?lifecycle", &rule(days))]).await;
        assert_eq!(connect(bucket).await.is_none(), is_taken, "{days}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_locks_its_objects_is_refused() {
    let bucket = "whimbrel-locked";
    let lock = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
                <Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
    let rule = "<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
                <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>\
                </LifecycleConfiguration>";
    let set = [
        ("?versioning", versions("Enabled")),
        ("?object-lock", lock.to_owned()),
        ("?lifecycle", rule.to_owned()),
    ];
    let set: Vec<(&str, &str)> = set.iter().map(|(question, body)| (*question, body.as_str())).collect();
    support::make_bucket(bucket, &set).await;
    let said = connect(bucket).await.unwrap();
    assert!(said.contains("object lock"), "{said}");
}
