//! `api/openapi.json`: the REST API for programs that read OpenAPI 3.1.

use std::collections::{BTreeMap, BTreeSet};

use command::{AnyCommand, Spec, Table};
use model::usersig::TEXT_BYTES_MAX;
use model::{ErrorCode, UserId};
use serde::Serialize;
use serde_json::{Value, json};

use super::answers;
use super::schemas::Schemas;
use crate::cli::Outcome;

const ABOUT: &str = "Commands for an app's back end, called as an administrator of the app. Every answer has HTTP status 200; \
whether the call succeeded is in `ActionStatus` and `ErrorCode`. Unknown fields of a request are ignored.";

/// The whole description; the order of the fields is the order in the file.
#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Vec<Value>,
    paths: BTreeMap<String, Path>,
    components: Value,
}

#[derive(Serialize)]
struct Path {
    post: Operation,
}

#[derive(Serialize)]
struct Operation {
    #[serde(rename = "operationId")]
    id: String,
    tags: [&'static str; 1],
    summary: String,
    description: String,
    parameters: Vec<Value>,
    #[serde(rename = "requestBody")]
    request: Value,
    responses: Value,
    #[serde(rename = "x-calls-per-second")]
    calls_per_second: u32,
    #[serde(rename = "x-error-codes")]
    error_codes: Vec<i64>,
}

/// The document.
pub(super) fn document(table: &Table) -> Outcome<String> {
    let commands: Vec<&dyn AnyCommand> =
        table.all().filter(|command| command.spec().callers.administrator).collect();
    let mut schemas = Schemas::of(commands.iter().copied());
    let mut paths = BTreeMap::new();
    for (command, (request, reply)) in commands.iter().zip(&schemas.of_commands) {
        let post = operation(*command, request, reply, &schemas);
        paths.insert(format!("/v4/{}", command.spec().name), Path { post });
    }
    schemas.forget_empty_replies();
    let services: BTreeSet<&str> = commands.iter().map(|command| command.spec().parts().0).collect();
    let document = Document {
        openapi: "3.1.0",
        info: info(),
        servers: json!([{"url": "/", "description": "Where the server listens."}]),
        tags: services.iter().map(|name| json!({"name": name})).collect(),
        paths,
        components: components(schemas.components)?,
    };
    let text = serde_json::to_string_pretty(&document)
        .map_err(|error| format!("cannot write the OpenAPI description: {error}"))?;
    Ok(text + "\n")
}

fn info() -> Value {
    let codes: BTreeSet<ErrorCode> =
        [answers::BEFORE_REST, answers::PIPELINE_REST].concat().into_iter().collect();
    let description = format!("{ABOUT}\n\nAny call can be answered with:\n\n{}", list(&codes));
    json!({
        "title": "Whimbrel REST API",
        "version": env!("CARGO_PKG_VERSION"),
        "description": description,
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    })
}

fn operation(command: &dyn AnyCommand, request: &Value, reply: &Value, schemas: &Schemas) -> Operation {
    let spec = command.spec();
    let codes = answers::of_command(command);
    let (summary, more) = summary(schemas.resolve(request));
    let limit = format!("At most {} calls per second and app.", spec.calls_per_second);
    let errors = format!("Besides what any call can be answered with:\n\n{}", list(&codes));
    let paragraphs = [more, limit, errors];
    let description = paragraphs.iter().filter(|text| !text.is_empty());
    Operation {
        id: spec.name.replace('/', "_"),
        tags: [spec.parts().0],
        summary,
        description: description.cloned().collect::<Vec<_>>().join("\n\n"),
        parameters: PARAMETERS.iter().map(|name| reference("parameters", name)).collect(),
        request: json!({"required": true, "content": {"application/json": {"schema": request}}}),
        responses: json!({"200": {
            "description": "What came of it.",
            "content": {"application/json": {"schema": answer(spec, reply, schemas)}},
        }}),
        calls_per_second: spec.calls_per_second,
        error_codes: codes.iter().map(|code| code.number()).collect(),
    }
}

/// The first sentence of a type's description, and the rest. A command's own name in front of it says nothing here.
fn summary(schema: &Value) -> (String, String) {
    let text = schema["description"].as_str().unwrap_or_default();
    let text = match text.split_once("`: ") {
        Some((name, rest)) if name.starts_with('`') && name.contains(['/', '.']) && !name.contains(' ') => {
            rest
        }
        _ => text,
    };
    let (first, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let first = first.replace('\n', " ");
    let (first, second) = first.split_once(". ").unwrap_or((&first, ""));
    let mut letters = first.trim_end_matches('.').chars();
    let upper = letters.next().map(|letter| letter.to_uppercase().to_string());
    let summary = upper.unwrap_or_default() + letters.as_str();
    let paragraphs =
        [second.to_owned(), rest.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n")];
    let paragraphs: Vec<String> = paragraphs.into_iter().filter(|text| !text.is_empty()).collect();
    (summary, paragraphs.join("\n\n"))
}

/// The schema of an answer: the envelope with the reply beside it, or a refusal.
fn answer(spec: &Spec, reply: &Value, schemas: &Schemas) -> Value {
    let envelope = if spec.family.has_display { "SuccessWithDisplay" } else { "Success" };
    let envelope = reference("schemas", envelope);
    let success = if schemas.has_fields(reply) { json!({"allOf": [envelope, reply]}) } else { envelope };
    json!({"oneOf": [success, reference("schemas", "Failure")]})
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// Errors as a Markdown list.
fn list(codes: &BTreeSet<ErrorCode>) -> String {
    let lines = codes.iter().map(|code| format!("* `{}`: {}", code.number(), code.sentence()));
    lines.collect::<Vec<_>>().join("\n")
}

fn components(mut schemas: BTreeMap<String, Value>) -> Outcome<Value> {
    for (name, schema) in envelopes() {
        if schemas.insert(name.to_owned(), schema).is_some() {
            return Err(format!("a type of a command is called {name}, like the envelope"));
        }
    }
    let parameters: BTreeMap<&str, Value> = PARAMETERS.iter().copied().zip(parameters()).collect();
    Ok(json!({"schemas": schemas, "parameters": parameters}))
}

fn envelopes() -> [(&'static str, Value); 3] {
    let status = |word: &str| json!({"const": word});
    let success = json!({
        "type": "object",
        "description": "The envelope of a call that was done.",
        "required": ["ActionStatus", "ErrorCode", "ErrorInfo"],
        "properties": {
            "ActionStatus": status("OK"), "ErrorCode": {"const": 0}, "ErrorInfo": {"type": "string"},
        },
    });
    let display = json!({"type": "string", "description": "Always empty."});
    let with_display = json!({
        "allOf": [reference("schemas", "Success")],
        "required": ["ErrorDisplay"],
        "properties": {"ErrorDisplay": display},
    });
    let failure = json!({
        "type": "object",
        "description": "The answer of a call that was refused.",
        "required": ["ActionStatus", "ErrorCode", "ErrorInfo"],
        "properties": {
            "ActionStatus": status("FAIL"),
            "ErrorCode": {"type": "integer", "minimum": 1, "description": "The number of the error."},
            "ErrorInfo": {"type": "string", "description": "What was wrong with which field."},
            "ErrorDisplay": display,
        },
    });
    [("Success", success), ("SuccessWithDisplay", with_display), ("Failure", failure)]
}

const PARAMETERS: [&str; 5] = ["sdkappid", "identifier", "usersig", "random", "contenttype"];

/// The parameters of every call, in the order of [`PARAMETERS`].
fn parameters() -> [Value; 5] {
    let query = |name: &str, required: bool, description: &str, schema: Value| json!({"name": name, "in": "query", "required": required, "description": description, "schema": schema});
    let number = |least: u32| json!({"type": "integer", "minimum": least, "maximum": u32::MAX});
    let user = json!({"type": "string", "minLength": 1, "maxLength": UserId::LENGTH_MAX, "pattern": "^[\\x20-\\x7e]+$"});
    let signature = json!({"type": "string", "minLength": 1, "maxLength": TEXT_BYTES_MAX});
    [
        query("sdkappid", true, "The number of the app.", number(1)),
        query("identifier", true, "The UserID of an administrator of the app.", user),
        query("usersig", true, "A UserSig of that administrator.", signature),
        query("random", false, "Marks the request; any number.", number(0)),
        query("contenttype", false, "The form of the body.", json!({"const": "json"})),
    ]
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
