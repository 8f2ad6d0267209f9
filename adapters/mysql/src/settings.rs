//! What a server has to be set to, so that what is promised holds.

use std::collections::BTreeMap;

use ports::Fault;

/// Asks for everything that [`judge`] looks at.
pub(crate) const QUESTION: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'read_only', 'wsrep_on', \
     'innodb_flush_log_at_trx_commit', 'max_allowed_packet', 'log_bin', 'sync_binlog', 'binlog_format', 'expire_logs_days', \
     'binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'general_log', 'slow_query_log')";

/// The least that one message to the server may have: the largest record, written as text, with room for what goes before it.
const PACKET_BYTES_MIN: u64 = 4 << 20;

/// How long the log of changes may keep what was removed.
const LOG_SECONDS_MAX: f64 = 86_400.0;

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    MariaDb,
    MySql,
}

/// The server's settings by name.
pub(crate) type Settings = BTreeMap<String, String>;

/// Whose server it is, if it may be used.
///
/// # Errors
/// `Unavailable`, naming the setting, what it is, what it has to be and why.
pub(crate) fn judge(settings: &Settings) -> Result<Maker, Fault> {
    let maker = judge_version(value(settings, "version"))?;
    let is_off = |name| matches!(value(settings, name), "" | "OFF" | "0");
    if !is_off("read_only") {
        return Err(refusal(settings, "read_only", "OFF", "a server that takes no writes stores nothing"));
    }
    if !is_off("wsrep_on") {
        return Err(refusal(
            settings,
            "wsrep_on",
            "OFF",
            "locks of one node of such a cluster hold on no other",
        ));
    }
    let why = "statements hold what is stored, and that log never ends";
    if !is_off("general_log") {
        return Err(refusal(settings, "general_log", "OFF", why));
    }
    // MariaDB's is switched off for each connection.
    if maker == Maker::MySql && !is_off("slow_query_log") {
        return Err(refusal(settings, "slow_query_log", "OFF", why));
    }
    if value(settings, "innodb_flush_log_at_trx_commit") != "1" {
        let why = "otherwise what was acknowledged is lost when the server's machine stops";
        return Err(refusal(settings, "innodb_flush_log_at_trx_commit", "1", why));
    }
    if number(settings, "max_allowed_packet").is_none_or(|bytes| bytes < PACKET_BYTES_MIN) {
        let least = format!("at least {PACKET_BYTES_MIN}");
        return Err(refusal(
            settings,
            "max_allowed_packet",
            &least,
            "the largest record does not fit otherwise",
        ));
    }
    if !is_off("log_bin") {
        judge_log(settings)?;
    }
    Ok(maker)
}

/// The log of changes (binlog) keeps former values in the clear.
fn judge_log(settings: &Settings) -> Result<(), Fault> {
    if value(settings, "sync_binlog") != "1" {
        let why = "otherwise what was acknowledged can be missing in the log that replicas and restores read";
        return Err(refusal(settings, "sync_binlog", "1", why));
    }
    if value(settings, "binlog_format") == "STATEMENT" {
        let why = "statements are not repeatable at the isolation that transactions have";
        return Err(refusal(settings, "binlog_format", "ROW", why));
    }
    let why = "the log of changes keeps what was removed; after a day it has to be gone there as well";
    if value(settings, "binlog_expire_logs_auto_purge") == "OFF" {
        return Err(refusal(settings, "binlog_expire_logs_auto_purge", "ON", why));
    }
    // MariaDB has both and keeps them equal, or days alone before 10.6; MySQL's days count where its seconds are none.
    let (seconds, days) = ("binlog_expire_logs_seconds", "expire_logs_days");
    let kept = |name, unit: f64| value(settings, name).parse::<f64>().ok().map(|count| count * unit);
    let is_kept = |kept: &f64| *kept > 0.0;
    let (name, kept) = match (kept(seconds, 1.0).filter(is_kept), kept(days, LOG_SECONDS_MAX).filter(is_kept))
    {
        (Some(kept), _) => (seconds, kept),
        (None, Some(kept)) => (days, kept),
        // None ends by itself.
        (None, None) => (seconds, f64::INFINITY),
    };
    if kept > LOG_SECONDS_MAX {
        let most = if name == days { "at most 1 and more than 0" } else { "at most 86400 and more than 0" };
        return Err(refusal(settings, name, most, why));
    }
    Ok(())
}

fn judge_version(version: &str) -> Result<Maker, Fault> {
    let maker = if version.to_ascii_lowercase().contains("mariadb") { Maker::MariaDb } else { Maker::MySql };
    // Old ones of MariaDB put 5.5.5 before it.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let (name, least) = match maker {
        Maker::MariaDb => ("MariaDB", (10, 6)),
        Maker::MySql => ("MySQL", (8, 0)),
    };
    if found < least {
        let (major, minor) = least;
        return Err(Fault::Unavailable(format!(
            "the server is {name} {}.{}; {major}.{minor} is the first that numbers what it stores for good",
            found.0, found.1
        )));
    }
    Ok(maker)
}

fn value<'a>(settings: &'a Settings, name: &str) -> &'a str {
    settings.get(name).map_or("", String::as_str)
}

fn number(settings: &Settings, name: &str) -> Option<u64> {
    value(settings, name).parse().ok()
}

fn refusal(settings: &Settings, name: &str, expected: &str, why: &str) -> Fault {
    let found = match value(settings, name) {
        "" => "not set",
        found => found,
    };
    Fault::Unavailable(format!("the server's setting {name} is {found} and must be {expected}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(changes: &[(&str, &str)]) -> Settings {
        let usual = [
            ("version", "10.11.19-MariaDB-0+deb12u1"),
            ("read_only", "OFF"),
            ("innodb_flush_log_at_trx_commit", "1"),
            ("max_allowed_packet", "16777216"),
            ("log_bin", "OFF"),
            ("sync_binlog", "0"),
            ("binlog_format", "MIXED"),
            ("expire_logs_days", "0.000000"),
            ("binlog_expire_logs_seconds", "0"),
        ];
        usual.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_keeps_the_promise_is_taken() {
        let logged = [("log_bin", "ON"), ("sync_binlog", "1")];
        let mysql = ("version", "8.4.3");
        for (changes, maker) in [
            (vec![], Maker::MariaDb),
            (vec![("version", "5.5.5-10.6.4-MariaDB-log")], Maker::MariaDb),
            (vec![mysql, ("binlog_format", "ROW")], Maker::MySql),
            (
                vec![
                    logged[0],
                    logged[1],
                    ("binlog_expire_logs_seconds", "86400"),
                    ("expire_logs_days", "1.0"),
                ],
                Maker::MariaDb,
            ),
            (vec![logged[0], logged[1], ("binlog_expire_logs_seconds", "3600")], Maker::MariaDb),
            (vec![logged[0], logged[1], ("expire_logs_days", "0.5")], Maker::MariaDb),
            (
                vec![
                    mysql,
                    logged[0],
                    logged[1],
                    ("expire_logs_days", "1"),
                    ("binlog_expire_logs_auto_purge", "ON"),
                ],
                Maker::MySql,
            ),
            (vec![("max_allowed_packet", "4194304")], Maker::MariaDb),
            (vec![("slow_query_log", "ON")], Maker::MariaDb),
        ] {
            assert_eq!(judge(&settings(&changes)), Ok(maker), "{changes:?}");
        }
    }

    #[test]
    fn what_breaks_the_promise_is_refused_by_name() {
        let logged = |changes: &[(&'static str, &'static str)]| {
            let before = [("log_bin", "ON"), ("sync_binlog", "1"), ("binlog_expire_logs_seconds", "3600")];
            [&before[..], changes].concat()
        };
        for (changes, named) in [
            (vec![("innodb_flush_log_at_trx_commit", "2")], "innodb_flush_log_at_trx_commit is 2"),
            (vec![("innodb_flush_log_at_trx_commit", "0")], "innodb_flush_log_at_trx_commit is 0"),
            (vec![("innodb_flush_log_at_trx_commit", "")], "innodb_flush_log_at_trx_commit is not set"),
            (vec![("max_allowed_packet", "1048576")], "max_allowed_packet is 1048576"),
            (vec![("read_only", "ON")], "read_only is ON"),
            (vec![("read_only", "NO_LOCK_NO_ADMIN")], "read_only is NO_LOCK_NO_ADMIN"),
            (vec![("wsrep_on", "ON")], "wsrep_on is ON"),
            (vec![("general_log", "ON")], "general_log is ON"),
            (vec![("version", "8.4.3"), ("slow_query_log", "ON")], "slow_query_log is ON"),
            (vec![("version", "10.5.23-MariaDB")], "MariaDB 10.5"),
            (vec![("version", "5.7.44-log")], "MySQL 5.7"),
            (vec![("version", "")], "MySQL 0.0"),
            (logged(&[("sync_binlog", "0")]), "sync_binlog is 0"),
            (logged(&[("sync_binlog", "100")]), "sync_binlog is 100"),
            (logged(&[("binlog_format", "STATEMENT")]), "binlog_format is STATEMENT"),
            (logged(&[("binlog_expire_logs_auto_purge", "OFF")]), "binlog_expire_logs_auto_purge is OFF"),
            (logged(&[("binlog_expire_logs_seconds", "0")]), "binlog_expire_logs_seconds is 0"),
            (logged(&[("binlog_expire_logs_seconds", "2592000")]), "binlog_expire_logs_seconds is 2592000"),
            (
                logged(&[("binlog_expire_logs_seconds", "0"), ("expire_logs_days", "10")]),
                "expire_logs_days is 10",
            ),
        ] {
            let fault = judge(&settings(&changes)).unwrap_err().to_string();
            assert!(fault.contains(named), "{fault}");
        }
    }
}
