//! JSON schemas of requests and replies.

use std::collections::{BTreeMap, BTreeSet};

use command::AnyCommand;
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::Value;

/// Where the schemas stand in the document.
const PLACE: &str = "#/components/schemas/";

/// Schemas by name.
type Components = BTreeMap<String, Value>;

/// The schemas of a set of commands.
pub(super) struct Schemas {
    /// Every schema by its name.
    pub(super) components: Components,
    /// Request and reply of each command, in the order given.
    pub(super) of_commands: Vec<(Value, Value)>,
}

fn generator(contract: Contract) -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = PLACE.trim_matches('#').into();
            settings.contract = contract;
        })
        .into_generator()
}

impl Schemas {
    /// The schemas of these commands: requests as they are read, replies as they are written.
    pub(super) fn of<'a>(commands: impl IntoIterator<Item = &'a dyn AnyCommand>) -> Self {
        let mut reading = generator(Contract::Deserialize);
        let mut writing = generator(Contract::Serialize);
        let mut of_commands: Vec<(Value, Value)> = commands
            .into_iter()
            .map(|command| {
                let request = command.schemas(&mut reading).0.to_value();
                (request, command.schemas(&mut writing).1.to_value())
            })
            .collect();
        // Both have seen every type, so what a type is called is the same in both.
        let mut read: Components = reading.take_definitions(true).into_iter().collect();
        let mut written: Components = writing.take_definitions(true).into_iter().collect();
        keep_reachable(&mut read, of_commands.iter().map(|(request, _)| request));
        keep_reachable(&mut written, of_commands.iter().map(|(_, reply)| reply));
        let renamed = differing(&read, &written);
        let rename = |schema: &mut Value| each_reference(schema, &mut |name| renamed.get(name).cloned());
        for (_, reply) in &mut of_commands {
            rename(reply);
        }
        for (name, mut schema) in written {
            rename(&mut schema);
            let name = renamed.get(&name).cloned().unwrap_or(name);
            read.insert(name, schema);
        }
        Self { components: read, of_commands }
    }

    /// The schema that a reference leads to; itself, if it is none.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        target(schema).and_then(|name| self.components.get(name)).unwrap_or(schema)
    }

    /// Whether anything stands in it.
    pub(super) fn has_fields(&self, schema: &Value) -> bool {
        let fields = self.resolve(schema).get("properties").and_then(Value::as_object);
        fields.is_some_and(|fields| !fields.is_empty())
    }

    /// Drops the schemas of replies that are no more than the envelope.
    pub(super) fn forget_empty_replies(&mut self) {
        let replies = self.of_commands.iter().map(|(_, reply)| reply);
        let empty: Vec<String> = replies
            .filter(|reply| !self.has_fields(reply))
            .filter_map(|reply| target(reply).map(str::to_owned))
            .collect();
        self.components.retain(|name, _| !empty.contains(name));
    }
}

/// Drops what none of these schemas leads to.
fn keep_reachable<'a>(components: &mut Components, from: impl Iterator<Item = &'a Value>) {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = from.flat_map(references).collect();
    while let Some(name) = open.pop() {
        if let Some(schema) = components.get(&name)
            && reached.insert(name)
        {
            open.extend(references(schema));
        }
    }
    components.retain(|name, _| reached.contains(name));
}

/// Types that are read and written, and written otherwise, with the name of what is written.
fn differing(read: &Components, written: &Components) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    loop {
        let known = renamed.len();
        for (name, schema) in written {
            let is_other = read.get(name).is_some_and(|other| other != schema)
                || references(schema).iter().any(|inner| renamed.contains_key(inner));
            if is_other {
                renamed.insert(name.clone(), format!("{name}Written"));
            }
        }
        if renamed.len() == known {
            return renamed;
        }
    }
}

/// The names that a schema refers to.
pub(super) fn references(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    each_reference(&mut schema.clone(), &mut |name| {
        names.push(name.to_owned());
        None
    });
    names
}

/// Visits every reference; a new name that is returned takes the place of the old one.
fn each_reference(schema: &mut Value, visit: &mut dyn FnMut(&str) -> Option<String>) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(|item| each_reference(item, visit)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "$ref" => {
                        let new = text.strip_prefix(PLACE).and_then(&mut *visit);
                        if let Some(name) = new {
                            *text = format!("{PLACE}{name}");
                        }
                    }
                    other => each_reference(other, visit),
                }
            }
        }
        _ => {}
    }
}

/// The name that a schema consists of, if it is a reference.
fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(PLACE)
}

/// The fields of a command's request.
pub(super) fn fields(command: &dyn AnyCommand) -> BTreeSet<String> {
    let schemas = Schemas::of([command]);
    let Some((request, _)) = schemas.of_commands.first() else {
        return BTreeSet::new();
    };
    let properties = schemas.resolve(request).get("properties").and_then(Value::as_object);
    properties.map_or_else(BTreeSet::new, |fields| fields.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_otherwise_has_a_name_of_its_own_and_so_has_what_contains_it() {
        let map = |value: Value| serde_json::from_value::<Components>(value).unwrap();
        let outer = json!({"items": {"$ref": "#/components/schemas/Inner"}});
        let read = map(json!({"Inner": {"required": ["a"]}, "Outer": outer, "Same": {}}));
        let written = map(json!({"Inner": {}, "Outer": outer, "Same": {}}));
        let renamed: Vec<String> = differing(&read, &written).into_values().collect();
        assert_eq!(renamed, ["InnerWritten", "OuterWritten"]);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let table = crate::commands::table();
        let schemas = Schemas::of(table.all());
        for schema in schemas.components.values() {
            for name in references(schema) {
                assert!(schemas.components.contains_key(&name), "{name}");
            }
        }
        assert_eq!(schemas.of_commands.len(), table.len());
    }
}
