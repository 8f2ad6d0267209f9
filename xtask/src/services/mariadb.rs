//! MariaDB, from Debian.

use super::Running;
use super::place::{Place, free_ports, installed, local, password};
use super::program::{Answer, Program, prepare};
use crate::failure::Outcome;
use std::process::Command;

/// Makes an empty data folder and a database `whimbrel` for one user, who may do everything: a test makes databases of its own.
pub(super) fn start(place: &Place<'_>) -> Outcome<Running> {
    let (data, [port], password) = (place.make("data")?, free_ports()?, password()?);
    let option = |name: &str, value: &dyn std::fmt::Display| format!("--{name}={value}");
    let folder = option("datadir", &data.display());
    prepare(
        place,
        Command::new(installed("mariadb-install-db")?).args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--user=root",
            &folder,
        ]),
    )?;
    let first = place.write(
        "first.sql",
        &format!(
            "CREATE DATABASE whimbrel CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n\
             CREATE USER 'whimbrel'@'127.0.0.1' IDENTIFIED BY '{password}';\n\
             GRANT ALL ON *.* TO 'whimbrel'@'127.0.0.1';\n\
             DROP USER 'root'@'localhost';\n"
        ),
    )?;
    let arguments = [
        "--no-defaults".to_owned(),
        "--user=root".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        "--innodb-buffer-pool-size=128M".to_owned(),
        folder,
        option("port", &port),
        option("socket", &place.folder.join("mysql.sock").display()),
        option("pid-file", &place.folder.join("mysql.pid").display()),
        option("init-file", &first.display()),
    ];
    // It speaks first, and names its authentication.
    let answer = Answer { at: local(port), told: b"", says: b"mysql_native_password" };
    let program = Program::start(place, &installed("mariadbd")?, &arguments, &answer)?;
    Ok(Running { program, address: format!("mysql://whimbrel:{password}@127.0.0.1:{port}/whimbrel") })
}
