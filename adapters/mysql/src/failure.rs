//! What goes wrong between us and the server, and what a caller is told of it: never a name, a value, a host or a password.

use ports::Fault;
use sqlx::mysql::MySqlDatabaseError;

/// What went wrong with a call of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Others held what this transaction needs; it is undone and may be tried again.
    Contended,
    /// The connection is gone. Whether the server did what it was told last is not known.
    Lost,
    /// There was no answer in time. Whether the server did what it was told is not known.
    Late,
    /// Every connection was in use for too long; the server was not asked.
    Busy,
    /// The disk of the server is full.
    Full,
    /// The server refused, with this number of its own.
    Refused(u16),
    /// It sent what was not asked for.
    Strange,
}

/// A lock was waited for too long.
const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// A transaction was chosen as the victim of a deadlock.
const DEADLOCK: u16 = 1213;

/// No space: on the disk, in a table space, in a temporary file.
const FULL: [u16; 3] = [1021, 1114, 3019];

/// The server ends this connection: it stops, somebody killed it, it was idle for too long.
const CLOSING: [u16; 4] = [1053, 1927, 3169, 4031];

/// A table is not there.
pub(crate) const NO_SUCH_TABLE: u16 = 1146;

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(error) = error else {
            return match error {
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => Self::Lost,
                _ => Self::Strange,
            };
        };
        match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
            Some(LOCK_WAIT_TIMEOUT | DEADLOCK) => Self::Contended,
            Some(number) if FULL.contains(&number) => Self::Full,
            Some(number) if CLOSING.contains(&number) => Self::Lost,
            Some(number) => Self::Refused(number),
            None => Self::Strange,
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(match failure {
            Failure::Full => return Self::Full,
            Failure::Contended => "MySQL: others changed the same records again and again".to_owned(),
            Failure::Lost => "MySQL: the connection was lost".to_owned(),
            Failure::Late => "MySQL: no answer in time".to_owned(),
            Failure::Busy => "MySQL: every connection is in use".to_owned(),
            Failure::Refused(1044 | 1045 | 1698) => "MySQL: the server does not let this user in".to_owned(),
            Failure::Refused(1049) => "MySQL: the database does not exist".to_owned(),
            Failure::Refused(1290 | 1836) => "MySQL: the server takes no writes".to_owned(),
            Failure::Refused(number) => format!("MySQL: the server refused with error {number}"),
            Failure::Strange => "MySQL: the answer of the server cannot be understood".to_owned(),
        })
    }
}
