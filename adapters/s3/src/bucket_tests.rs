//! The judgement over answers of the forms that the pages of the S3 API show.

use super::*;

const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

fn said(status: u16, body: &str) -> Said {
    Said { status, body: format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}").into_bytes() }
}

fn error(status: u16, code: &str) -> Said {
    said(status, &format!("<Error><Code>{code}</Code><Message>no</Message><RequestId>4</RequestId></Error>"))
}

fn versions(said: &Said, is_vouched: bool) -> Result<bool, Fault> {
    has_versions(&read(&VERSIONING, said)?, is_vouched)
}

fn lifecycle(rules: &str) -> Result<(), Fault> {
    let body = format!("<LifecycleConfiguration {NAMESPACE}>{rules}</LifecycleConfiguration>");
    judge_lifecycle(&read(&LIFECYCLE, &said(200, &body))?, "whimbrel/blobs")
}

fn lock(said: &Said) -> Result<(), Fault> {
    judge_lock(&read(&OBJECT_LOCK, said)?)
}

/// What a fault says.
fn sentence<T: std::fmt::Debug>(answer: Result<T, Fault>) -> String {
    answer.unwrap_err().to_string()
}

#[test]
fn a_bucket_has_versions_from_the_day_they_were_switched_on() {
    let answer = |inside: &str| {
        said(200, &format!("<VersioningConfiguration {NAMESPACE}>{inside}</VersioningConfiguration>"))
    };
    assert_eq!(versions(&answer(""), false), Ok(false));
    assert_eq!(versions(&said(200, &format!("<VersioningConfiguration {NAMESPACE}/>")), false), Ok(false));
    for status in ["Enabled", "Suspended"] {
        let inside = format!("<Status>{status}</Status><MfaDelete>Disabled</MfaDelete>");
        // Nobody can vouch for what the store denies.
        assert_eq!(versions(&answer(&inside), true), Ok(true), "{status}");
    }
    assert!(versions(&answer("<Status>Sometimes</Status>"), true).is_err());
}

#[test]
fn a_store_that_does_not_know_the_question_is_refused_unless_somebody_vouches() {
    for unknown in [
        error(501, "NotImplemented"),
        error(405, "MethodNotAllowed"),
        said(501, ""),
        error(400, "NotImplemented"),
    ] {
        assert!(sentence(versions(&unknown, false)).contains("GetBucketVersioning"));
        assert_eq!(versions(&unknown, true), Ok(false));
        assert_eq!(lock(&unknown), Ok(()));
        let lifecycle = read::<Lifecycle>(&LIFECYCLE, &unknown).unwrap();
        assert!(
            sentence(judge_lifecycle(&lifecycle, "whimbrel/blobs")).contains("NoncurrentVersionExpiration")
        );
    }
}

#[test]
fn what_is_not_understood_counts_as_no_answer_even_if_somebody_vouches() {
    let cases = [
        (said(200, "<html><body>Sign in</body></html>"), "not understood"),
        (said(200, ""), "not understood"),
        (said(200, "<VersioningConfiguration><Status>"), "not understood"),
        (error(404, "NoSuchBucket"), "no such bucket"),
        (said(404, "not here"), "404"),
        (error(301, "PermanentRedirect"), "region"),
        (error(400, "AuthorizationHeaderMalformed"), "region"),
        (error(403, "AccessDenied"), "s3:GetBucketVersioning"),
        (error(403, "SignatureDoesNotMatch"), "access key"),
        (error(403, "InvalidAccessKeyId"), "access key"),
        (error(503, "SlowDown"), "503"),
    ];
    for (answer, words) in cases {
        let sentence = sentence(versions(&answer, true));
        assert!(sentence.contains(words), "{words}: {sentence}");
    }
}

#[test]
fn versions_are_no_harm_where_a_rule_takes_them_away_within_a_day() {
    let noncurrent =
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    let rule = |status: &str, filter: &str, action: &str| {
        format!("<Rule><ID>a</ID>{filter}<Status>{status}</Status>{action}</Rule>")
    };
    for filter in [
        "",
        "<Filter/>",
        "<Filter></Filter>",
        "<Prefix></Prefix>",
        "<Prefix/>",
        "<Filter><Prefix/></Filter>",
        "<Filter><Prefix>whimbrel/</Prefix></Filter>",
        "<Filter><Prefix>whimbrel/blobs/</Prefix></Filter>",
        "<Prefix>whimbrel/blobs</Prefix>",
    ] {
        assert_eq!(lifecycle(&rule("Enabled", filter, noncurrent)), Ok(()), "{filter}");
        assert!(lifecycle(&rule("Disabled", filter, noncurrent)).is_err(), "{filter}");
    }
    let others =
        rule("Enabled", "<Filter><Prefix>logs/</Prefix></Filter>", "<Expiration><Days>3</Days></Expiration>");
    assert!(lifecycle(&others).is_err());
    assert_eq!(lifecycle(&format!("{others}{}", rule("Enabled", "", noncurrent))), Ok(()));
    for filter in [
        "<Prefix>other/</Prefix>",
        "<Filter><Prefix>whimbrel/blobs/o/</Prefix></Filter>",
        "<Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter>",
        "<Filter><And><Prefix/><Tag><Key>a</Key><Value>b</Value></Tag></And></Filter>",
        "<Filter><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></Filter>",
        "<Filter><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter>",
    ] {
        assert!(lifecycle(&rule("Enabled", filter, noncurrent)).is_err(), "{filter}");
    }
    for inside in [
        "",
        "<NoncurrentDays>2</NoncurrentDays>",
        "<NewerNoncurrentVersions>1</NewerNoncurrentVersions><NoncurrentDays>1</NoncurrentDays>",
    ] {
        let action = format!("<NoncurrentVersionExpiration>{inside}</NoncurrentVersionExpiration>");
        assert!(lifecycle(&rule("Enabled", "", &action)).is_err(), "{inside}");
    }
    assert!(lifecycle("").is_err());
    let nothing = read::<Lifecycle>(&LIFECYCLE, &error(404, "NoSuchLifecycleConfiguration")).unwrap();
    assert!(sentence(judge_lifecycle(&nothing, "whimbrel/blobs")).contains("versioning"));
}

#[test]
fn a_bucket_that_locks_its_objects_is_refused() {
    let answer = |inside: &str| {
        said(200, &format!("<ObjectLockConfiguration {NAMESPACE}>{inside}</ObjectLockConfiguration>"))
    };
    let enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
    let rule = "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>3</Days></DefaultRetention></Rule>";
    for inside in [enabled.to_owned(), rule.to_owned(), format!("{enabled}{rule}")] {
        assert!(sentence(lock(&answer(&inside))).contains("object lock"), "{inside}");
    }
    assert_eq!(lock(&answer("")), Ok(()));
    assert_eq!(lock(&error(404, "ObjectLockConfigurationNotFoundError")), Ok(()));
    assert!(sentence(lock(&error(403, "AccessDenied"))).contains("s3:GetBucketObjectLockConfiguration"));
    assert!(lock(&error(404, "SomethingElse")).is_err());
}
