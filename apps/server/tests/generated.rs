//! What is in `api/` is what this build would write.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "the binary is run as an operator runs it, and a test may end by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn contents(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect()
}

fn generate(folder: &Path) -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_whimbrel"))
        .arg("internal-codegen")
        .arg("--out")
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    contents(folder)
}

#[test]
fn the_documents_in_api_are_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = generate(&folder.path().join("made/on/the/way"));
    let committed = contents(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api"));
    let names = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&fresh), "run `cargo xtask codegen`");
    for (name, text) in &fresh {
        let differs = text.lines().zip(committed[name].lines()).position(|(new, old)| new != old);
        let is_same = *text == committed[name];
        assert!(is_same, "api/{name} is stale (line {differs:?}); run `cargo xtask codegen`");
    }
}

#[test]
fn the_documents_do_not_depend_on_the_run() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(generate(&folder.path().join("a")), generate(&folder.path().join("b")));
}
