use std::collections::BTreeSet;

use super::*;

fn described() -> Value {
    serde_json::from_str(&document(&crate::commands::table()).unwrap()).unwrap()
}

/// Every value of a key, wherever it stands.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| all(item, key, found)),
        Value::Object(map) => {
            for (name, inner) in map {
                if name == key {
                    found.push(inner);
                }
                all(inner, key, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_reference_resolves_and_every_component_is_used() {
    let document = described();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    let mut used = BTreeSet::new();
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        used.insert(pointer.to_owned());
    }
    for kind in ["schemas", "parameters"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(used.contains(&format!("/components/{kind}/{name}")), "{name}");
            // What OpenAPI allows as the name of a component.
            assert!(name.chars().all(|one| one.is_ascii_alphanumeric() || "._-".contains(one)), "{name}");
        }
    }
}

#[test]
fn every_command_of_administrators_is_one_operation_with_a_name_of_its_own() {
    let document = described();
    let table = crate::commands::table();
    let expected: BTreeSet<String> = table
        .all()
        .filter(|command| command.spec().callers.administrator)
        .map(|command| format!("/v4/{}", command.spec().name))
        .collect();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().cloned().collect::<BTreeSet<_>>(), expected);
    let mut names = Vec::new();
    all(&document["paths"], "operationId", &mut names);
    let unique: BTreeSet<&str> = names.iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(unique.len(), expected.len());
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    for (path, item) in paths {
        let operation = &item["post"];
        let summary = operation["summary"].as_str().unwrap();
        assert!((8..=120).contains(&summary.len()), "{path}: {summary}");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{path}");
        assert!(!operation["x-error-codes"].as_array().unwrap().is_empty(), "{path}");
    }
}

#[test]
fn a_reply_stands_beside_the_envelope() {
    let document = described();
    let schema = |command: &str| {
        let path = format!(
            "/paths/~1v4~1{}/post/responses/200/content/application~1json/schema",
            command.replace('/', "~1")
        );
        document.pointer(&path).unwrap().clone()
    };
    assert_eq!(
        schema("openim/sendmsg")["oneOf"][0]["allOf"],
        json!([{"$ref": "#/components/schemas/Success"}, {"$ref": "#/components/schemas/SentMessage"}])
    );
    assert_eq!(
        schema("im_open_login_svc/account_import")["oneOf"][0],
        json!({"$ref": "#/components/schemas/Success"})
    );
    assert_eq!(
        schema("profile/portrait_set")["oneOf"][0],
        json!({"$ref": "#/components/schemas/SuccessWithDisplay"})
    );
}

#[test]
fn no_schema_lets_the_envelope_be_written_twice() {
    let document = described();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if ["Success", "SuccessWithDisplay", "Failure"].contains(&name.as_str()) {
            continue;
        }
        assert!(schema["properties"]["ActionStatus"].is_null(), "{name}");
    }
}

#[test]
fn the_summary_is_the_first_sentence() {
    for (text, first, rest) in [
        ("Sends it.", "Sends it", ""),
        (
            "Sends it. Twice\nif asked.\n\nAnd\nmore.\n\nStill.",
            "Sends it",
            "Twice if asked.\n\nAnd more.\n\nStill.",
        ),
        ("`openim/sendmsg`: sends it.", "Sends it", ""),
        ("`a b`: c", "`a b`: c", ""),
        ("", "", ""),
    ] {
        let found = summary(&json!({"description": text}));
        assert_eq!(found, (first.to_owned(), rest.to_owned()), "{text}");
    }
}
