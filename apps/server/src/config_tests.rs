//! What a configuration file and the environment may say.

use std::io::Write as _;

use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Outcome<Config> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whimbrel.toml");
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), environment)
}

#[test]
fn the_defaults_are_those_of_the_parts() {
    let config = Config::load(None, std::iter::empty()).unwrap();
    let (limits, own) = (config.limits(), Limits::default());
    assert_eq!(format!("{limits:?}"), format!("{own:?}"));
    assert_eq!(config.engine_options().outbox_bytes_max, engine::Options::default().outbox_bytes_max);
}

#[test]
fn the_environment_goes_before_the_file() {
    let file = "[limits]\nframe_bytes_max = 65536\norigins = [\"https://a\", \"https://b\"]\n[log]\nlevel = \"debug\"";
    let config = load(file, &[("WHIMBREL_LIMITS_FRAME_BYTES_MAX", "32768"), ("OTHER", "x")]).unwrap();
    assert_eq!(config.limits().frame_bytes_max, 32_768);
    assert_eq!(config.limits().origins, ["https://a", "https://b"]);
    assert_eq!(config.log_level(), "debug");
}

#[test]
fn the_public_address_may_have_a_path_and_needs_no_slash_at_its_end() {
    let address = |text: &str| {
        load(&format!("[server]\npublic_address = \"{text}\""), &[]).unwrap().engine_options().public_address
    };
    assert_eq!(address("https://chat.example.com/im/"), "https://chat.example.com/im");
    assert_eq!(address("http://[::1]:8080"), "http://[::1]:8080");
    assert_eq!(address(""), "");
}

#[test]
fn mistakes_are_refused_with_the_nearest_key() {
    for (text, expected) in [
        ("[limits]\nframe_byte_max = 1", "did you mean limits.frame_bytes_max?"),
        ("[limit]\nframe_bytes_max = 65536", "did you mean limits.frame_bytes_max?"),
        ("[limits]\nframe_bytes_max = 1", "a whole number from 16384"),
        ("[limits]\nframe_bytes_max = \"x\"", "a whole number from 16384"),
        ("[server]\nmetrics_public = 1", "true or false"),
        ("[server]\nlisten = \"nowhere\"", "is not an address"),
        ("[server]\nlisten = 1.5", "a number, a text, true or false"),
        ("[floors]\nmessage_days = 180", "floors.message_basis: data may be kept for longer"),
        ("[floors]\nlog_days = 180\nlog_basis = \"  \"", "floors.log_basis"),
        ("[floors]\napps = [\"x\"]", "floors.apps: \"x\" is no SDKAppID"),
        ("[server]\npublic_address = \"chat.example.com\"", "server.public_address: "),
        ("[server]\npublic_address = \"https://chat.example.com?x\"", "server.public_address: "),
        ("[server]\npublic_address = \"https:///x\"", "server.public_address: "),
        ("not toml", "whimbrel.toml"),
    ] {
        let error = load(text, &[]).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(load("", &[("WHIMBREL_LIMITS_FRAME_BYTES_MAX", "x")]).is_err());
}

#[test]
fn every_default_is_allowed_and_every_variable_distinct() {
    let mut variables: Vec<String> = KEYS.iter().map(|key| variable(key.name)).collect();
    variables.sort_unstable();
    variables.dedup();
    assert_eq!(variables.len(), KEYS.len());
}
