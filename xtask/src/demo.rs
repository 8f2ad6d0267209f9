//! `cargo xtask demo`: a server with two people in it, and a page to be both of them.

mod page;
mod rest;
mod server;

use crate::failure::{During, Failure, Outcome};
use crate::install;
use crate::scratch::Scratch;
use crate::shell::{self, Checkout};
use crate::stop::StopSign;
use page::Page;
use rest::Rest;
use serde_json::{Value, json};
use server::Server;
use std::fs::DirBuilder;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the task is called.
pub(crate) const USAGE: &str = "cargo xtask demo [OPTIONS]

  --data DIR             keep the data in DIR and go on from there next time (default: a temporary folder)
  --port PORT            serve the page on this port (default: any free one)
  --bind ADDRESS         listen on this address instead of 127.0.0.1, for phones in the same network;
                         whoever opens the page can write as either person
  --open-for SECONDS     stop after this time (default: at Ctrl-C)
  --with-parent          stop when the program that started this one ends
  --server-binary FILE   use this server instead of building one
  --page-dir DIR         use this built page instead of building one";

/// The people of the demo, with their names.
const PEOPLE: [(&str, &str); 2] = [("alice", "Alice"), ("bob", "Bob")];

/// What they said before one opens the page.
const OPENING: &[(&str, &str)] = &[
    ("alice", "Morning, Bob! Did you walk along the mudflat today?"),
    ("bob", "I did. Twenty-six whimbrels, and one that whistled at me the whole way."),
    ("alice", "Seven notes?"),
    ("bob", "Seven notes. You can set your watch by them."),
    ("alice", "Then I will come along tomorrow. Same time?"),
    ("bob", "Same time. Bring the telescope"),
];

/// What the task was told.
struct Options {
    data: Option<PathBuf>,
    port: u16,
    bind: IpAddr,
    open_for: Option<Duration>,
    with_parent: bool,
    server_binary: Option<PathBuf>,
    page_dir: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Outcome<Self> {
        use lexopt::{Arg::Long, ValueExt as _};
        let mut options = Self {
            data: None,
            port: 0,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            open_for: None,
            with_parent: false,
            server_binary: None,
            page_dir: None,
        };
        // Programs that are started here run in the workspace's folder; a path is meant from where one is.
        let here =
            |path: PathBuf| std::path::absolute(&path).during(|| format!("cannot use {}", path.display()));
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("data") => options.data = Some(here(arguments.value()?.into())?),
                Long("port") => options.port = arguments.value()?.parse()?,
                Long("bind") => options.bind = arguments.value()?.parse()?,
                Long("open-for") => {
                    options.open_for = Some(Duration::from_secs(arguments.value()?.parse()?));
                }
                Long("with-parent") => options.with_parent = true,
                Long("server-binary") => options.server_binary = Some(here(arguments.value()?.into())?),
                Long("page-dir") => options.page_dir = Some(here(arguments.value()?.into())?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }
}

/// Builds, starts, fills and serves until it is told to stop; leaves nothing running.
pub(crate) fn run(arguments: lexopt::Parser) -> Outcome {
    let options = Options::parse(arguments)?;
    let checkout = Checkout::find()?;
    let binary = build_server(&checkout, &options)?;
    let page_dir = build_page(&checkout, &options)?;
    // Only now: a signal that comes during the build just ends everything.
    let stop = StopSign::new(options.open_for, options.with_parent)?;
    let scratch = Scratch::new("demo")?;
    let data = options.data.clone().unwrap_or_else(|| scratch.0.join("data"));
    make_private(&data)?;

    let mut server = Server::start(&binary, &data, options.bind, &scratch.0.join("server.log"), &stop)?;
    let app = App::open(&server)?;
    let config = app.page_config(&server)?;
    let page = Page::open(&page_dir, SocketAddr::new(options.bind, options.port), server.address, config)?;

    announce(&options, &data, page.address);
    while !stop.is_up() {
        server.check()?;
        page.serve_for(Duration::from_millis(100));
    }
    println!("stopping");
    server.stop()
}

fn build_server(checkout: &Checkout, options: &Options) -> Outcome<PathBuf> {
    if let Some(binary) = &options.server_binary {
        return Ok(binary.clone());
    }
    shell::run(&mut checkout.cargo(&["build", "--release", "-p", "server"]))?;
    Ok(checkout.target.join("release/whimbrel"))
}

fn build_page(checkout: &Checkout, options: &Options) -> Outcome<PathBuf> {
    if let Some(folder) = &options.page_dir {
        return Ok(folder.clone());
    }
    install::node(checkout)?;
    if !is_installed(&checkout.root.join("apps/demo")) {
        shell::run(&mut checkout.npm("apps/demo", &["ci"]))?;
    }
    shell::run(&mut checkout.npm("apps/demo", &["run", "build"]))?;
    Ok(checkout.root.join("apps/demo/dist"))
}

/// Whether npm has installed what the lock file names since it last changed.
fn is_installed(folder: &Path) -> bool {
    let changed = |path: &str| folder.join(path).metadata().and_then(|data| data.modified()).ok();
    let installed = changed("node_modules/.package-lock.json");
    installed.is_some() && installed >= changed("package-lock.json").max(changed("package.json"))
}

fn announce(options: &Options, data: &Path, address: SocketAddr) {
    let mut shown = address;
    if !address.ip().is_loopback() {
        println!("\nEverybody in this network can open the page and write as Alice or Bob.");
    }
    if address.ip().is_unspecified() {
        shown.set_ip(own_address().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
    if options.data.is_some() {
        println!("\nThe data stays in {}.", data.display());
    }
    println!("\nOpen http://{shown}/\n");
    match options.open_for {
        Some(time) => println!("It stops in {} s, or at Ctrl-C.", time.as_secs()),
        None => println!("Ctrl-C stops it."),
    }
}

/// The address by which this machine reaches others; nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Makes a folder that only its owner may read, unless it is there.
fn make_private(folder: &Path) -> Outcome {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .during(|| format!("cannot make {}", folder.display()))
}

/// The demo's app on the running server.
struct App {
    number: u64,
}

impl App {
    /// The app of an earlier demo with the same data, or a new one with people and an opening conversation.
    fn open(server: &Server) -> Outcome<Self> {
        let note = server.data.join("demo.json");
        if let Ok(text) = std::fs::read_to_string(&note) {
            let known: Value =
                serde_json::from_str(&text).during(|| format!("cannot read {}", note.display()))?;
            return Ok(Self { number: number(&known)? });
        }
        let made = server.ask(&["app", "create"], &["--name", "demo", "--json"])?;
        let made: Value =
            serde_json::from_str(&made).during(|| "cannot read what `app create` printed".into())?;
        let app = Self { number: number(&made)? };
        let administrator = made["Administrator"].as_str().unwrap_or("administrator");
        let signature = app.signature(server, administrator)?;
        let rest = Rest::new(server.reachable(), app.number, administrator, &signature);
        for (person, name) in PEOPLE {
            rest.post("im_open_login_svc/account_import", &json!({"UserID": person, "Nick": name}))?;
        }
        for (from, text) in OPENING {
            let to = peer(from);
            rest.post("openim/sendmsg", &rest::text_message(from, to, text))?;
        }
        let text = format!("{}\n", json!({"SDKAppID": app.number}));
        std::fs::write(&note, text).during(|| format!("cannot write {}", note.display()))?;
        Ok(app)
    }

    /// A person's signature, made by the server's own command.
    fn signature(&self, server: &Server, person: &str) -> Outcome<String> {
        let number = self.number.to_string();
        let printed = server.ask(&["usersig"], &["--sdkappid", &number, "--user", person])?;
        Ok(printed.trim().to_owned())
    }

    /// What the page has to know; its `proxyServer` depends on who asks and is filled in then.
    fn page_config(&self, server: &Server) -> Outcome<Value> {
        let mut people = Vec::new();
        for (person, _) in PEOPLE {
            let signature = self.signature(server, person)?;
            people.push(json!({"userId": person, "userSig": signature, "peer": peer(person)}));
        }
        Ok(json!({"sdkAppId": self.number, "people": people}))
    }
}

fn number(made: &Value) -> Outcome<u64> {
    made["SDKAppID"].as_u64().ok_or_else(|| Failure::new(format!("no SDKAppID in {made}")))
}

/// The other one of the two.
fn peer(person: &str) -> &'static str {
    if person == PEOPLE[0].0 { PEOPLE[1].0 } else { PEOPLE[0].0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Outcome<Options> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn without_options_it_stays_on_this_machine() {
        let options = parse(&[]).unwrap();
        assert!(options.bind.is_loopback() && options.port == 0 && options.open_for.is_none());
    }

    #[test]
    fn options_are_read_and_nonsense_is_refused() {
        let options = parse(&["--port", "8080", "--bind", "0.0.0.0", "--open-for=3", "--data", "d"]).unwrap();
        assert_eq!((options.port, options.open_for), (8080, Some(Duration::from_secs(3))));
        assert!(options.bind.is_unspecified() && options.data.unwrap().is_absolute());
        for wrong in [&["--port", "x"][..], &["--bind", "here"], &["--prot", "1"], &["extra"], &["--data"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_opening_is_between_the_two() {
        for (from, _) in OPENING {
            assert!(PEOPLE.iter().any(|(person, _)| person == from));
            assert_ne!(*from, peer(from));
        }
    }
}
