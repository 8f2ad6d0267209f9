//! Apache Kafka, from Maven Central: one node that is broker and controller at once.

use super::Running;
use super::place::{Place, free_ports, installed, local};
use super::program::{Answer, Program, prepare};
use crate::failure::{During, Outcome};
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "3.9.1";

/// Starts it; topics are made by who needs them.
pub(super) fn start(place: &Place<'_>) -> Outcome<Running> {
    let classes = format!("{}/*", libraries(place)?.display());
    let (data, [port, controller]) = (place.make("data")?, free_ports()?);
    let properties = place.write(
        "server.properties",
        &format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n",
            data.display()
        ),
    )?;
    let java = installed("java")?;
    // Names the cluster: 16 bytes in base64 for addresses.
    let identity = "d2hpbWJyZWwtdGVzdHMtMQ";
    let tool = ["-cp", &classes, "kafka.tools.StorageTool", "format", "-t", identity, "-c"];
    prepare(place, Command::new(&java).args(tool).arg(&properties))?;
    let server = ["-Xmx512m", "-cp", &classes, "kafka.Kafka"].map(str::to_owned);
    let arguments = [&server[..], &[properties.display().to_string()]].concat();
    let answer = Answer { at: local(port), told: b"", says: b"" };
    let program = Program::start(place, &java, &arguments, &answer)?;
    Ok(Running { program, address: format!("127.0.0.1:{port}") })
}

/// The folder with its libraries, fetched once.
fn libraries(place: &Place<'_>) -> Outcome<PathBuf> {
    let folder = place.tools().join(VERSION);
    let is_there = |folder: &Path| folder.join(format!("kafka_2.13-{VERSION}.jar")).is_file();
    if is_there(&folder) {
        return Ok(folder);
    }
    let project = place.write(
        "pom.xml",
        &format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
             <groupId>whimbrel</groupId><artifactId>services</artifactId><version>1</version>\
             <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>\
             <version>{VERSION}</version></dependency></dependencies></project>\n"
        ),
    )?;
    // Renamed when it is whole, so that a fetch that was interrupted begins anew.
    let partial = folder.with_extension("partial");
    prepare(
        place,
        Command::new(installed("mvn")?)
            .args(["--quiet", "--batch-mode", "dependency:copy-dependencies", "--file"])
            .arg(project)
            .arg(format!("-DoutputDirectory={}", partial.display())),
    )?;
    std::fs::rename(&partial, &folder).during(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
