//! `cargo xtask services`: real servers of the kinds that a cluster stands on, for tests, on this machine alone.
//!
//! Each listens on loopback, on a free port, asks for a password that is made for this run (Kafka and the server that speaks
//! MongoDB's protocol know none), and keeps its data in a temporary folder. A service is a file here and a row of [`SERVICES`].

mod kafka;
mod mariadb;
mod mongodb;
mod place;
mod program;
mod python;
mod redis;
mod s3;

use crate::failure::{Failure, Outcome};
use crate::install;
use crate::scratch::Scratch;
use crate::shell::Checkout;
use crate::stop::StopSign;
use place::Place;
use program::Program;
use std::process::Command;
use std::time::Duration;

/// How the task is called.
pub(crate) const USAGE: &str = "cargo xtask services [--only NAME]... [--list] [-- COMMAND...]

  --only NAME   start this one alone; may be given several times
  --list        list the services
  COMMAND       run this with their addresses in its environment, and end them when it ends

Starts real servers on loopback, on free ports, with data in a temporary folder, and prints where they are, as variables
of a shell. Without a command they run until Ctrl-C. What is missing is installed: from Debian's packages, Maven Central,
PyPI and Go's module proxy, the last three below the target folder.";

/// A server that tests can have.
struct Service {
    name: &'static str,
    says: &'static str,
    /// The variable that tells where it is.
    variable: &'static str,
    /// Installs what it needs and starts it.
    start: fn(&Place<'_>) -> Outcome<Running>,
}

/// A server that was started.
struct Running {
    program: Program,
    /// Where it is: an address with what it takes to come in.
    address: String,
}

const SERVICES: &[Service] = &[
    Service {
        name: "mysql",
        says: "MariaDB from Debian, for records",
        variable: "WHIMBREL_TEST_MYSQL",
        start: mariadb::start,
    },
    Service {
        name: "mongodb",
        says: "FerretDB over SQLite, which speaks MongoDB's protocol, for the timeline",
        variable: "WHIMBREL_TEST_MONGODB",
        start: mongodb::start,
    },
    Service {
        name: "redis",
        says: "Redis from Debian, for what may vanish",
        variable: "WHIMBREL_TEST_REDIS",
        start: redis::start,
    },
    Service {
        name: "kafka",
        says: "Apache Kafka without ZooKeeper, from Maven Central, for the bus",
        variable: "WHIMBREL_TEST_KAFKA",
        start: kafka::start,
    },
    Service {
        name: "s3",
        says: "SeaweedFS' gateway for S3, from PyPI, for objects",
        variable: "WHIMBREL_TEST_S3",
        start: s3::start,
    },
];

/// Services that run; dropping them ends them and removes their data.
pub(crate) struct Services {
    running: Vec<(&'static Service, Running)>,
    // After the programs: they write to it until they end.
    _scratch: Scratch,
}

impl Services {
    /// Starts those of these names, all if there is none.
    fn start(checkout: &Checkout, names: &[String], stop: &StopSign) -> Outcome<Self> {
        for name in names {
            if SERVICES.iter().all(|service| service.name != name) {
                return Err(Failure::new(format!("there is no service {name}; --list lists them")));
            }
        }
        let scratch = Scratch::new("services")?;
        let mut running = Vec::new();
        for service in
            SERVICES.iter().filter(|service| names.is_empty() || names.contains(&service.name.into()))
        {
            println!("starting {}: {}", service.name, service.says);
            let place = Place { checkout, folder: &scratch.0, name: service.name, stop };
            running.push((service, (service.start)(&place)?));
        }
        Ok(Self { running, _scratch: scratch })
    }

    /// The variables that tell where they are.
    fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.running.iter().map(|(service, running)| (service.variable, running.address.as_str()))
    }

    /// Fails when one of them has ended by itself.
    fn check(&mut self) -> Outcome {
        self.running.iter_mut().try_for_each(|(_, running)| running.program.check())
    }
}

/// Starts those of these names, lets something be done with the variables that tell where they are, and ends them.
pub(crate) fn around<T>(
    checkout: &Checkout,
    names: &[&str],
    work: impl FnOnce(&[(&'static str, &str)]) -> T,
) -> Outcome<T> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    install::for_services(&names)?;
    let mut services = Services::start(checkout, &names, &StopSign::new(None, false)?)?;
    let variables: Vec<_> = services.variables().collect();
    let done = work(&variables);
    drop(variables);
    services.check()?;
    Ok(done)
}

/// Starts them and keeps them until it is told to stop, or until the command ends.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Outcome {
    use lexopt::{Arg, ValueExt as _};
    let (mut names, mut command) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("list") => {
                SERVICES.iter().for_each(|service| println!("{:10}{}", service.name, service.says));
                return Ok(());
            }
            Arg::Long("only") => names.push(arguments.value()?.string()?),
            Arg::Value(program) => {
                command.push(program);
                command.extend(arguments.raw_args()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let checkout = Checkout::find()?;
    install::for_services(&names)?;
    let stop = StopSign::new(None, false)?;
    let mut services = Services::start(&checkout, &names, &stop)?;
    println!();
    for (variable, address) in services.variables() {
        println!("export {variable}='{address}'");
    }
    if let Some((program, rest)) = command.split_first() {
        let mut command = Command::new(program);
        command.args(rest).envs(services.variables());
        return crate::shell::run(&mut command);
    }
    println!("\nCtrl-C stops them.");
    while !stop.is_up() {
        services.check()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("stopping");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables_are_there_once() {
        for (index, service) in SERVICES.iter().enumerate() {
            for other in &SERVICES[index + 1..] {
                assert!(service.name != other.name && service.variable != other.variable);
            }
            assert!(service.variable.starts_with("WHIMBREL_TEST_"));
        }
    }
}
