//! The configuration: one tree of documented keys, from a file and from the environment.
//!
//! A key is declared once, in [`KEYS`]; parsing, checking, the list of known names, environment variables and
//! `api/config.md` follow from that.

mod keys;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::preserve::{Floor, Floors};
use gateway::Limits;
use ipnet::IpNet;
use model::SdkAppId;

pub(crate) use self::keys::{KEYS, Key, Kind};
use crate::cli::Outcome;
use crate::entrance::Files;

/// The longest name of a law, in bytes: receipts carry it.
const BASIS_BYTES_MAX: usize = 500;

/// The longest public address, in bytes.
const PUBLIC_ADDRESS_BYTES_MAX: usize = 255;

/// The environment variable of a key.
pub(crate) fn variable(name: &str) -> String {
    format!("WHIMBREL_{}", name.replace('.', "_").to_uppercase())
}

/// A loaded configuration.
#[derive(Debug)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, String>,
}

impl Config {
    /// Reads the file, if any, then the environment, which goes first.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Outcome<Self> {
        let mut values: BTreeMap<&'static str, String> =
            KEYS.iter().map(|key| (key.name, key.default.to_owned())).collect();
        if let Some(file) = file {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            let table: toml::Table = text.parse().map_err(|error| format!("{}: {error}", file.display()))?;
            for (name, value) in flatten(&table)? {
                let key = find(&name).map_err(|error| format!("{}: {error}", file.display()))?;
                values.insert(key.name, value);
            }
        }
        let environment: BTreeMap<String, String> =
            environment.filter(|(name, _)| name.starts_with("WHIMBREL_")).collect();
        for key in KEYS {
            if let Some(value) = environment.get(&variable(key.name)) {
                values.insert(key.name, value.clone());
            }
        }
        let config = Self { values };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Outcome<()> {
        for key in KEYS {
            let value = self.text(key.name);
            let is_good = match key.kind {
                Kind::Number(least, most) => {
                    value.parse::<u64>().is_ok_and(|number| (least..=most).contains(&number))
                }
                Kind::Switch => matches!(value, "true" | "false"),
                Kind::Text | Kind::List => true,
            };
            if !is_good {
                return Err(format!("{}: {value:?} is not {}", key.name, describe(key.kind)));
            }
        }
        self.floors()?;
        self.public_address()?;
        self.listen().map(drop)
    }

    /// What law keeps from being deleted.
    pub(crate) fn floors(&self) -> Outcome<Floors> {
        let floor = |class: &str| {
            let (days, basis) = (format!("floors.{class}_days"), format!("floors.{class}_basis"));
            let days = u32::try_from(self.number(&days)).unwrap_or(u32::MAX);
            let basis_text = self.text(&basis).trim().to_owned();
            if days > 0 && basis_text.is_empty() {
                return Err(format!(
                    "{basis}: data may be kept for longer than an app chose only where a law demands it: name that \
                     law, or leave floors.{class}_days at 0"
                ));
            }
            if basis_text.len() > BASIS_BYTES_MAX {
                return Err(format!("{basis}: at most {BASIS_BYTES_MAX} bytes"));
            }
            Ok(Floor { days, basis: basis_text })
        };
        let apps = self.list("floors.apps").into_iter().map(|app| match app.parse() {
            Ok(number) => Ok(SdkAppId(number)),
            Err(_) => Err(format!("floors.apps: {app:?} is no SDKAppID")),
        });
        Ok(Floors {
            message: floor("message")?,
            profile: floor("profile")?,
            log: floor("log")?,
            apps: apps.collect::<Outcome<_>>()?,
        })
    }

    /// What addresses of files begin with; empty if that is left to requests.
    fn public_address(&self) -> Outcome<String> {
        let text = self.text("server.public_address").trim().trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_~/%".contains(&byte);
        let is_good = rest.is_some_and(|rest| {
            (1..=PUBLIC_ADDRESS_BYTES_MAX).contains(&rest.len())
                && !rest.starts_with('/')
                && rest.bytes().all(is_part)
        });
        if !text.is_empty() && !is_good {
            return Err(format!(
                "server.public_address: {text:?} is not an address such as https://chat.example.com"
            ));
        }
        Ok(text.to_owned())
    }

    fn text(&self, name: &str) -> &str {
        self.values.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The texts of a list.
    fn list(&self, name: &str) -> Vec<&str> {
        self.text(name).split(',').map(str::trim).filter(|text| !text.is_empty()).collect()
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }

    fn size(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name))
    }

    pub(crate) fn listen(&self) -> Outcome<SocketAddr> {
        let text = self.text("server.listen");
        text.parse().map_err(|_| format!("server.listen: {text:?} is not an address such as 127.0.0.1:8080"))
    }

    /// The balancers in front.
    pub(crate) fn proxies(&self) -> Outcome<Vec<IpNet>> {
        let read = |text: &str| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            // Clients are known by their IPv4 addresses where they have one.
            let is_mapped = |network: &IpNet| match network {
                IpNet::V6(network) => network.addr().to_ipv4_mapped().is_some(),
                IpNet::V4(_) => false,
            };
            network.ok().filter(|network| !is_mapped(network)).ok_or_else(|| {
                format!("server.proxies: {text:?} is no address and no network such as 10.0.0.0/8")
            })
        };
        self.list("server.proxies").into_iter().map(read).collect()
    }

    /// Where to listen for TLS, and with which certificate; `None` if nowhere.
    pub(crate) fn tls(&self) -> Outcome<Option<(SocketAddr, Files)>> {
        let [listen, certificate, key] =
            ["tls.listen", "tls.certificate", "tls.key"].map(|name| self.text(name));
        if listen.is_empty() {
            return Ok(None);
        }
        let address = listen.parse();
        let address =
            address.map_err(|_| format!("tls.listen: {listen:?} is not an address such as 0.0.0.0:443"))?;
        for (name, path) in [("tls.certificate", certificate), ("tls.key", key)] {
            if path.is_empty() {
                return Err(format!("{name}: missing, and tls.listen needs it"));
            }
        }
        Ok(Some((address, Files { certificate: certificate.into(), key: key.into() })))
    }

    pub(crate) fn worker_threads(&self) -> usize {
        match self.size("server.worker_threads") {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1)),
            chosen => chosen,
        }
    }

    pub(crate) fn notice_seconds(&self) -> u64 {
        self.number("server.notice_seconds")
    }

    pub(crate) fn drain_seconds(&self) -> u64 {
        self.number("server.drain_seconds")
    }

    pub(crate) fn free_bytes_min(&self) -> u64 {
        self.number("storage.free_bytes_min")
    }

    pub(crate) fn log_level(&self) -> &str {
        self.text("log.level")
    }

    pub(crate) fn engine_options(&self) -> engine::Options {
        engine::Options {
            outbox_bytes_max: self.size("limits.outbox_bytes_max"),
            generation_time: Duration::from_secs(self.number("keys.generation_hours") * 3600),
            // They were checked when the configuration was read.
            floors: self.floors().unwrap_or_default(),
            search: engine::search::Options {
                opened_bytes_max: self.size("search.opened_bytes_max"),
                people_bytes_max: self.size("search.accounts_bytes_max"),
                ..engine::search::Options::default()
            },
            public_address: self.public_address().unwrap_or_default(),
            ..engine::Options::default()
        }
    }

    /// The folder of the keyring of a data folder.
    pub(crate) fn keys_folder(&self, data: &Path) -> Outcome<PathBuf> {
        let chosen = self.text("keys.folder");
        let folder = if chosen.is_empty() { beside(data)? } else { PathBuf::from(chosen) };
        apart("keys.folder", data, folder)
    }

    /// The second place of the keyring, if there is one.
    pub(crate) fn keys_mirror(&self, data: &Path) -> Outcome<Option<PathBuf>> {
        let chosen = self.text("keys.mirror");
        if chosen.is_empty() {
            return Ok(None);
        }
        let mirror = apart("keys.mirror", data, PathBuf::from(chosen))?;
        if real(&mirror)? == real(&self.keys_folder(data)?)? {
            return Err("keys.mirror: is the folder of the keyring itself".to_owned());
        }
        Ok(Some(mirror))
    }

    pub(crate) fn limits(&self) -> Limits {
        let origins = self.list("limits.origins");
        Limits {
            connections_per_address_max: self.size("limits.connections_per_address_max"),
            unauthenticated_per_address_max: self.size("limits.unauthenticated_per_address_max"),
            frame_bytes_max: self.size("limits.frame_bytes_max"),
            compress_bytes_min: self.size("limits.compress_bytes_min"),
            body_bytes_max: self.size("limits.body_bytes_max"),
            requests_in_flight_max: self.size("limits.requests_in_flight_max"),
            header_time_max: self.seconds("limits.header_seconds_max"),
            body_time_max: self.seconds("limits.body_seconds_max"),
            silence_max: self.seconds("limits.silence_seconds_max"),
            write_time_max: self.seconds("limits.write_seconds_max"),
            metrics_are_public: self.text("server.metrics_public") == "true",
            origins: origins.into_iter().map(str::to_owned).collect(),
        }
    }
}

fn beside(data: &Path) -> Outcome<PathBuf> {
    let whole = std::path::absolute(data).map_err(|error| format!("{}: {error}", data.display()))?;
    let Some(name) = whole.file_name() else {
        return Err(format!("{}: name a folder for the keyring with keys.folder", data.display()));
    };
    let mut name = name.to_owned();
    name.push(".keys");
    Ok(whole.with_file_name(name))
}

/// A path without links, as far as it exists.
fn real(path: &Path) -> Outcome<PathBuf> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let whole = std::path::absolute(path).map_err(told)?;
    let existing = whole.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let rest = whole.strip_prefix(existing).unwrap_or(Path::new(""));
    let found = existing.canonicalize().map_err(told)?;
    // Joining nothing would add a separator at the end.
    Ok(if rest.as_os_str().is_empty() { found } else { found.join(rest) })
}

/// A folder for keys that is not inside the data folder: a copy of the data must not hold its keys.
fn apart(key: &str, data: &Path, folder: PathBuf) -> Outcome<PathBuf> {
    if real(&folder)?.starts_with(real(data)?) {
        return Err(format!("{key}: {} lies inside the data folder", folder.display()));
    }
    Ok(folder)
}

/// What a value may be, in words.
pub(crate) fn describe(kind: Kind) -> String {
    match kind {
        Kind::Number(least, u64::MAX) => format!("a whole number of at least {least}"),
        Kind::Number(least, most) => format!("a whole number from {least} to {most}"),
        Kind::Switch => "true or false".to_owned(),
        Kind::Text => "a text".to_owned(),
        Kind::List => "a list of texts".to_owned(),
    }
}

fn find(name: &str) -> Outcome<&'static Key> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Ok(key);
    }
    let nearest = KEYS.iter().min_by_key(|key| strsim::levenshtein(key.name, name));
    let nearest = nearest.map(|key| key.name).unwrap_or_default();
    Err(format!("there is no key {name}; did you mean {nearest}?"))
}

fn flatten(table: &toml::Table) -> Outcome<Vec<(String, String)>> {
    let mut flat = Vec::new();
    for (section, value) in table {
        let toml::Value::Table(keys) = value else {
            find(section)?;
            continue;
        };
        for (name, value) in keys {
            let full = format!("{section}.{name}");
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(switch) => switch.to_string(),
                toml::Value::Array(list) => {
                    let parts: Option<Vec<&str>> = list.iter().map(toml::Value::as_str).collect();
                    parts.ok_or_else(|| format!("{full}: a list of texts is expected"))?.join(",")
                }
                _ => {
                    find(&full)?;
                    return Err(format!("{full}: a number, a text, true or false is expected"));
                }
            };
            flat.push((full, text));
        }
    }
    Ok(flat)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
