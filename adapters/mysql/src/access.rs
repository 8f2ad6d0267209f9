//! Where the server is, and how one comes in.

use std::fmt;

use ports::Fault;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

/// How many connections a process holds at most, unless it says otherwise.
pub const CONNECTIONS: usize = 16;

/// The most that it may hold.
pub const CONNECTIONS_MAX: usize = 256;

/// How many prepared statements a connection keeps; there are fewer.
const STATEMENTS: usize = 32;

/// Where the server is, who comes in with which password, and over how many connections. It prints nothing of that.
#[derive(Clone)]
pub struct Access {
    pub(crate) options: MySqlConnectOptions,
    pub(crate) connections: usize,
}

impl Access {
    /// Reads an address, a URL: `mysql://user:secret@host:3306/database`. Of its parameters these count: `ssl-mode` (`DISABLED`,
    /// `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY`), `ssl-ca`, `ssl-cert`, `ssl-key` (files) and `socket`. Without `ssl-mode` a server
    /// on another machine has to prove that it is who it should be (`VERIFY_IDENTITY`). A `password` given beside goes before
    /// that of the address.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be understood or names no database. It does not repeat the address.
    pub fn new(address: &str, password: Option<&str>) -> Result<Self, Fault> {
        let unusable = |what: &str| Fault::Unavailable(format!("the address of MySQL {what}"));
        if !["mysql://", "mariadb://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err(unusable("begins with mysql://"));
        }
        let options: MySqlConnectOptions = address.parse().map_err(|_| unusable("cannot be understood"))?;
        if options.get_database().is_none() {
            return Err(unusable("names no database"));
        }
        let says_mode = address
            .split_once('?')
            .is_some_and(|(_, rest)| rest.contains("ssl-mode=") || rest.contains("sslmode="));
        let is_here = options.get_socket().is_some() || is_loopback(options.get_host());
        let options =
            if says_mode || is_here { options } else { options.ssl_mode(MySqlSslMode::VerifyIdentity) };
        let options = match password {
            Some(password) => options.password(password),
            None => options,
        };
        // Statements hold keys and values: nobody logs them.
        let options = options
            .disable_statement_logging()
            .statement_cache_capacity(STATEMENTS)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None);
        Ok(Self { options, connections: CONNECTIONS })
    }

    /// Uses at most so many connections: 1 to [`CONNECTIONS_MAX`].
    #[must_use]
    pub fn with_connections(self, connections: usize) -> Self {
        Self { connections: connections.clamp(1, CONNECTIONS_MAX), ..self }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("connections", &self.connections).finish_non_exhaustive()
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_proves_itself_unless_the_address_says_otherwise() {
        for (address, expected) in [
            ("mysql://u:p@127.0.0.1:3306/d", "Preferred"),
            ("mysql://u:p@[::1]/d", "Preferred"),
            ("mysql://u:p@localhost/d", "Preferred"),
            ("mariadb://u:p@db.example/d", "VerifyIdentity"),
            ("mysql://u:p@10.0.0.1/d", "VerifyIdentity"),
            ("mysql://u:p@db.example/d?ssl-mode=REQUIRED", "Required"),
            ("mysql://u:p@db.example/d?ssl-mode=DISABLED", "Disabled"),
        ] {
            let access = Access::new(address, None).unwrap();
            assert_eq!(format!("{:?}", access.options.get_ssl_mode()), expected, "{address}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_nothing_is_repeated() {
        for address in [
            "",
            "secret",
            "redis://u:secret@h/0",
            "mysql://u:secret@h",
            "mysql://u:secret@h:port/d",
            "mysql://u:secret@h/d?ssl-mode=secret",
        ] {
            let fault = Access::new(address, Some("secret")).unwrap_err();
            assert!(!fault.to_string().contains("secret"), "{fault}");
        }
    }

    #[test]
    fn it_prints_neither_address_nor_password_and_holds_to_its_bounds() {
        let access =
            Access::new("mysql://user:secret@place/base", Some("other")).unwrap().with_connections(0);
        let printed = format!("{access:?}");
        assert_eq!(access.connections, 1);
        assert_eq!(access.clone().with_connections(usize::MAX).connections, CONNECTIONS_MAX);
        for hidden in ["user", "secret", "place", "base", "other"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}
