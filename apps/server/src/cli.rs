//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::settings::Retention;

use crate::admin::{Request, run_request};
use crate::preserved::{FloorCommand, HoldCommand};

/// What a command answers on failure: a sentence for the user.
pub(crate) type Outcome<T> = Result<T, String>;

/// A chat service that its owner runs: speaks the API of Tencent Cloud Chat, keeps its data in one folder.
#[derive(Parser)]
#[command(name = "whimbrel", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until it is told to stop (SIGTERM or Ctrl-C).
    Serve(Serve),
    /// Create, show and change apps.
    #[command(subcommand)]
    App(App),
    /// Print a UserSig: what lets an account log in.
    Usersig(Usersig),
    /// Erase accounts, and export what is kept of them.
    #[command(subcommand)]
    Account(Account),
    /// Keep copies from being deleted for a legal case, and read them.
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Show what laws keep from being deleted (`floors` in the configuration), and read it.
    #[command(subcommand)]
    Floor(FloorCommand),
    /// Show, export and verify receipts of what was erased.
    #[command(subcommand)]
    Receipts(Receipts),
    /// Print the request log of an app as JSON Lines, the oldest request first.
    Logs(Logs),
    /// Show and change the keys that content is sealed with.
    #[command(subcommand)]
    Keys(Keys),
    /// Write a backup to a new folder, while the server runs or not. It holds no keys.
    Backup {
        /// Where to; new or empty.
        to: PathBuf,
        #[command(flatten)]
        data: Data,
        /// Accept that the backup is lost with the keys folder.
        #[arg(long)]
        without_mirror: bool,
    },
    /// Make a data folder out of a backup and the keyring, without what was erased since.
    Restore {
        /// What `backup` wrote.
        #[arg(long, value_name = "BACKUP")]
        from: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Look at everything at rest, while the server runs or not: what there is, what is overdue, what is unknown, and whether a
    /// text is found. Fails if something should not be there.
    Audit {
        #[command(flatten)]
        data: Data,
        /// The folder of the keyring, if not that of the configuration.
        #[arg(long, value_name = "DIR")]
        keyring: Option<PathBuf>,
        /// A text of at least 6 bytes that must not be there, in plain, base64, UTF-16, gzip, zlib or LZ4. May be repeated.
        #[arg(long, value_name = "TEXT")]
        search: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Verify every checksum and cross-reference of a stopped store.
    Check(Data),
    /// Write the generated documents.
    #[command(hide = true)]
    InternalCodegen {
        /// The folder to write to.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct Data {
    /// The folder that holds the data; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// A configuration file (TOML); see api/config.md for its keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Where to listen, such as 127.0.0.1:8080; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Subcommand)]
enum App {
    /// Create an app; prints its SDKAppID, its key and its administrator.
    Create {
        #[command(flatten)]
        data: Data,
        /// What the app is called.
        #[arg(long)]
        name: String,
        /// The owner's account number (UIN).
        #[arg(long, value_name = "UIN")]
        owner: Option<u64>,
        /// For how many days messages are kept; 0: not stored.
        #[arg(long, value_name = "DAYS", default_value_t = Retention::default().message_days)]
        message_days: u32,
        /// For how many days profiles are kept after their last use; 0: not stored.
        #[arg(long, value_name = "DAYS", default_value_t = Retention::default().profile_days)]
        profile_days: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all apps.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Print the settings of an app, or one of them.
    Get {
        #[command(flatten)]
        target: Target,
        /// Which setting; all, if absent.
        setting: Option<String>,
    },
    /// Change settings of an app: all of them or, if one is wrong, none.
    Set {
        #[command(flatten)]
        target: Target,
        /// Settings as NAME=VALUE.
        #[arg(required = true, value_name = "NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Print who changed which settings of an app and when, the newest change first.
    History {
        #[command(flatten)]
        target: Target,
        /// At most this many, and at most 1000.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Show for how long an app keeps messages and profiles and what was changed, or change it in two steps.
    ///
    /// The first step says what would be deleted at once and gives a token, the second applies it.
    Retention {
        #[command(flatten)]
        target: Target,
        /// Days for messages; 0: not stored.
        #[arg(long, value_name = "DAYS")]
        message_days: Option<u32>,
        /// Days for profiles after their last use; 0: not stored.
        #[arg(long, value_name = "DAYS")]
        profile_days: Option<u32>,
        /// Apply what was proposed.
        #[arg(long, value_name = "TOKEN", conflicts_with_all = ["message_days", "profile_days"])]
        apply: Option<String>,
    },
    /// Terminate an app: refused at once, erased two calendar months later.
    Terminate {
        #[command(flatten)]
        target: Target,
        /// What the app is called: it is easy to mistake a number.
        #[arg(long)]
        name: String,
    },
    /// Take a termination back.
    Resume {
        #[command(flatten)]
        target: Target,
    },
    /// Give an app a second key, beside the first; with two active, the older one is retired.
    AddKey {
        #[command(flatten)]
        target: Target,
    },
    /// Retire every key of an app but the newest.
    RetireKeys {
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Print which keyring and which generation is in use, and how many seeds it holds.
    Show {
        #[command(flatten)]
        data: Data,
    },
    /// Change to a new generation now: what was recalled or expired, and what deleted accounts wrote, becomes unrecoverable.
    Change {
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Subcommand)]
enum Account {
    /// Erase an account: hidden at once, its rows deleted within a minute, its keys destroyed with the next generation.
    Erase {
        #[command(flatten)]
        target: Target,
        /// The account.
        #[arg(long, value_name = "ID")]
        user: String,
        /// Only what it and this account said to each other so far; both accounts stay.
        #[arg(long, value_name = "ID")]
        peer: Option<String>,
    },
    /// Write everything that is kept of an account and that it may see to a new folder: JSON Lines and a manifest.
    Export {
        #[command(flatten)]
        target: Target,
        /// The account.
        #[arg(long, value_name = "ID")]
        user: String,
        /// Where to; new or empty.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Check that an export is whole; needs nothing but its folder.
    CheckExport {
        /// What `export` wrote.
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
enum Receipts {
    /// Print what every receipt says, the oldest first.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Print every receipt as JSON Lines, the oldest first.
    Export {
        #[command(flatten)]
        data: Data,
    },
    /// Print the public key that verifies them.
    Key {
        #[command(flatten)]
        data: Data,
    },
    /// Verify a file of receipts; needs nothing but the file and the key.
    Verify {
        /// What `export` printed, or a part of it.
        file: PathBuf,
        /// What `key` printed.
        #[arg(long)]
        key: String,
    },
}

#[derive(Args)]
struct Logs {
    #[command(flatten)]
    target: Target,
    /// From this second (since 1970) on.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    since: u32,
    /// Up to and with this second.
    #[arg(long, value_name = "SECONDS", default_value_t = u32::MAX)]
    until: u32,
    /// Only requests that failed.
    #[arg(long)]
    failures: bool,
    /// At most this many, and at most 100,000.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

#[derive(Args)]
pub(crate) struct Target {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The app.
    #[arg(long, value_name = "N")]
    pub(crate) sdkappid: u32,
}

#[derive(Args)]
struct Usersig {
    #[command(flatten)]
    target: Target,
    /// The account.
    #[arg(long, value_name = "ID")]
    user: String,
    /// For how long it is valid, in seconds (180 days, if absent).
    #[arg(long, value_name = "SECONDS", default_value_t = 180 * 86_400)]
    expire: u32,
}

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Outcome<()> {
    match arguments.command {
        Command::Serve(serve) => crate::serve::run(&serve),
        Command::Check(data) => crate::check::run(&data.data),
        Command::InternalCodegen { out } => crate::codegen::write(&out),
        Command::Usersig(usersig) => {
            let Target { data, sdkappid } = usersig.target;
            let request =
                Request::Usersig { app: sdkappid, user: usersig.user, expire_seconds: usersig.expire };
            print(&run_request(&data, &request)?)
        }
        Command::App(app) => run_app(app),
        Command::Hold(hold) => crate::preserved::run_hold(hold),
        Command::Floor(floor) => crate::preserved::run_floor(floor),
        Command::Account(Account::Erase { target: Target { data, sdkappid: app }, user, peer }) => {
            print(&run_request(&data, &Request::EraseAccount { app, user, peer })?)
        }
        Command::Account(Account::Export { target, user, to }) => {
            print(&crate::export::write(&target, &user, &to)?)
        }
        Command::Account(Account::CheckExport { folder }) => print(&crate::export::check(&folder)?),
        Command::Backup { to, data, without_mirror } => {
            let to = crate::backup::absolute(to)?;
            print(&run_request(&data, &Request::Backup { to, without_mirror })?)
        }
        Command::Audit { data, keyring, search, json } => crate::audit::run(&data, keyring, &search, json),
        Command::Restore { from, data } => print(&crate::backup::restore(&data, &from)?),
        Command::Receipts(receipts) => print(&match receipts {
            Receipts::List { data } => crate::receipts::list(&data)?,
            Receipts::Export { data } => crate::receipts::export(&data)?,
            Receipts::Key { data } => run_request(&data, &Request::ReceiptKey)?,
            Receipts::Verify { file, key } => crate::receipts::verify_file(&file, &key)?,
        }),
        Command::Logs(logs) => {
            let Logs { target: Target { data, sdkappid: app }, since, until, failures, limit } = logs;
            print(&run_request(&data, &Request::Logs { app, since, until, only_failures: failures, limit })?)
        }
        Command::Keys(keys) => {
            let (data, request) = match keys {
                Keys::Show { data } => (data, Request::ShowKeys),
                Keys::Change { data } => (data, Request::ChangeKeys),
            };
            print(&run_request(&data, &request)?)
        }
    }
}

fn run_app(app: App) -> Outcome<()> {
    let (data, request) = match app {
        App::Create { data, name, owner, message_days, profile_days, json } => {
            let retention = Retention { message_days, profile_days };
            (data, Request::Create { name, owner, retention, json })
        }
        App::Terminate { target, name } => (target.data, Request::Terminate { app: target.sdkappid, name }),
        App::Resume { target } => (target.data, Request::Resume { app: target.sdkappid }),
        App::Retention { target, message_days, profile_days, apply } => {
            let Target { data, sdkappid: app } = target;
            match apply {
                Some(token) => (data, Request::ApplyRetention { app, token }),
                None if message_days.is_none() && profile_days.is_none() => {
                    (data, Request::ShowRetention { app })
                }
                None => (data, Request::ProposeRetention { app, message_days, profile_days }),
            }
        }
        App::List { data } => (data, Request::List),
        App::Get { target, setting } => (target.data, Request::Get { app: target.sdkappid, setting }),
        App::Set { target, changes } => {
            let pairs: Outcome<Vec<(String, String)>> = changes.iter().map(|change| pair(change)).collect();
            (target.data, Request::Set { app: target.sdkappid, changes: pairs? })
        }
        App::History { target, limit } => (target.data, Request::History { app: target.sdkappid, limit }),
        App::AddKey { target } => (target.data, Request::AddKey { app: target.sdkappid }),
        App::RetireKeys { target } => (target.data, Request::RetireKeys { app: target.sdkappid }),
    };
    print(&run_request(&data, &request)?)
}

fn pair(change: &str) -> Outcome<(String, String)> {
    let (name, value) = change.split_once('=').ok_or_else(|| format!("{change}: write NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "the last step of commands that can fail")]
pub(crate) fn print(text: &str) -> Outcome<()> {
    println!("{text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn settings_are_written_as_pairs() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err());
    }
}
