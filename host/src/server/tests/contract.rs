//! Every exchange of these tests held against the OpenAPI document: the status is declared, the body fits
//! its schema, a refusal is one of the declared problems, and what was taken fits the schema of requests.
//!
//! Not the document alone (`http/openapi/tests`). Called for each request of each test.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Reply;
use crate::http::console;
use crate::http::openapi::document;

/// Schemas of answers without room for a field that the document does not name.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut closed = document()["components"].clone();
    close(&mut closed);
    closed
});

/// Validators, by the place of their schema in the document.
static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> =
    LazyLock::new(Mutex::default);

/// A document leaves room for new fields; a test must see each of them.
fn close(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
            fields.insert("additionalProperties".to_owned(), json!(false));
        }
        fields.values_mut().for_each(close);
    } else if let Value::Array(parts) = schema {
        parts.iter_mut().for_each(close);
    }
}

fn pointer(parts: &[&str]) -> String {
    let parts = parts.iter().map(|part| part.replace('~', "~0").replace('/', "~1"));
    parts.map(|part| format!("/{part}")).collect()
}

/// The path of the document that a path is one of; one with fewer variable parts comes first.
fn path_of(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or(path);
    let known = document()["paths"].as_object().unwrap().keys();
    let fitting = known.filter(|known| fits(path, known));
    fitting
        .min_by_key(|known| (known.matches('{').count(), usize::MAX - known.len()))
        .map(String::as_str)
}

fn fits(path: &str, known: &str) -> bool {
    // A path within a path has as many parts as it likes, and an ending of its own.
    if let Some(ending) = known.strip_prefix("/v1/definitions/{path}") {
        let rest = path.strip_prefix("/v1/definitions/");
        return rest.is_some_and(|rest| !rest.is_empty() && rest.ends_with(ending));
    }
    let (path, known): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), known.split('/').collect());
    let same =
        |(part, known): (&&str, &&str)| part == known || known.starts_with('{') && !part.is_empty();
    path.len() == known.len() && path.iter().zip(&known).all(same)
}

/// What does not fit a schema, which is found at a place of the document.
fn misfits(place: &str, closed: bool, value: &Value) -> Vec<String> {
    let mut known = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = known.entry(format!("{closed} {place}")).or_insert_with(|| {
        let mut schema = document().pointer(place).unwrap_or_else(|| panic!("{place}")).clone();
        let components = if closed { CLOSED.clone() } else { document()["components"].clone() };
        if closed {
            close(&mut schema);
        }
        schema.as_object_mut().unwrap().insert("components".to_owned(), components);
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
        let validator = options.should_validate_formats(true).build(&schema);
        Box::leak(Box::new(validator.unwrap_or_else(|error| panic!("{place}: {error}"))))
    });
    let validator: &Validator = validator;
    drop(known);
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Whether a path is one of the console, which is no part of the API.
fn is_of_console(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    first.is_empty() || first == "assets" || console::AREAS.contains(&first)
}

/// Holds an exchange against the document.
pub(super) fn check_exchange(
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
    reply: &Reply,
) {
    let what = format!("{method} {path} -> {} {}", reply.status, reply.text);
    let Some(known) = path_of(path) else {
        assert!(reply.status >= 400 || is_of_console(path), "not in the document: {what}");
        return;
    };
    let method = method.to_ascii_lowercase();
    let operation = pointer(&["paths", known, &method]);
    if document().pointer(&operation).is_none() {
        assert!(reply.status >= 400 || method == "head", "not in the document: {what}");
        return;
    }

    let mut response = format!("{operation}{}", pointer(&["responses", &reply.status.to_string()]));
    let declared = document().pointer(&response);
    let declared = declared.unwrap_or_else(|| panic!("an undeclared status: {what}"));
    if let Some(shared) = declared.get("$ref").and_then(Value::as_str) {
        response = shared.trim_start_matches('#').to_owned();
    }

    check_answer(&response, reply, &what);
    if reply.status < 400 {
        check_request(&operation, headers, body, &what);
    }
}

fn check_answer(response: &str, reply: &Reply, what: &str) {
    let declared = document().pointer(response).unwrap();
    let kind = reply.header("content-type").split(';').next().unwrap_or_default().trim();
    let Some(content) = declared.get("content") else {
        assert!(reply.status == 304 || reply.status == 200, "a body is not declared: {what}");
        return;
    };
    assert!(content.get(kind).is_some(), "`{kind}` is not declared: {what}");

    if kind == "application/problem+json" {
        let problem = reply.json();
        let code = problem["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
        let codes = declared["x-accredit-problems"].as_array().unwrap();
        assert!(codes.iter().any(|known| known == code), "`{code}` is not declared: {what}");
    }
    if kind == "application/json" || kind == "application/problem+json" {
        let place = format!("{response}{}", pointer(&["content", kind, "schema"]));
        let found = misfits(&place, true, &reply.json());
        assert!(found.is_empty(), "the answer is not as declared: {found:#?}\n{what}");
    }

    // Clients that know links need not know the cursor.
    let linked = reply.header("link").contains("rel=\"next\"");
    assert_eq!(
        linked,
        reply.json()["next_cursor"].is_string(),
        "the link to the next page: {what}"
    );
}

/// What the server takes fits what the document asks for.
fn check_request(operation: &str, headers: &[(&str, &str)], body: &[u8], what: &str) {
    let content = document().pointer(&format!("{operation}/requestBody/content"));
    let Some(content) = content.and_then(Value::as_object) else { return };
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map_or("application/json", |(_, kind)| kind.split(';').next().unwrap_or(kind));
    if kind != "application/json" || !content.contains_key(kind) || body.trim_ascii().is_empty() {
        return;
    }
    // What is packed is no JSON, and a source may send what is none.
    let Ok(sent) = serde_json::from_slice::<Value>(body) else { return };
    let place = format!("{operation}/requestBody{}", pointer(&["content", kind, "schema"]));
    let found = misfits(&place, false, &sent);
    assert!(found.is_empty(), "the body is not as declared: {found:#?}\n{sent}\n{what}");
}

/// What a test sends is held against the document, or it proves nothing.
#[test]
fn an_undeclared_answer_is_seen() {
    let reply = |status: u16, kind: &str, text: &str| {
        let mut headers = ureq::http::HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        Reply { status, headers, text: text.to_owned() }
    };
    let seen = |path: &str, reply: Reply| {
        let caught = std::panic::catch_unwind(|| check_exchange(("GET", path), &[], b"", &reply));
        caught.is_err()
    };
    let json = "application/json";
    assert!(!seen("/version", reply(200, json, r#"{"name": "accredit", "version": "1"}"#)));
    assert!(seen("/version", reply(200, json, r#"{"name": "accredit"}"#)), "a field is missing");
    assert!(seen("/version", reply(200, json, r#"{"name": "a", "version": "1", "x": 1}"#)));
    assert!(seen("/version", reply(200, "text/plain", "accredit")), "another media type");
    assert!(seen("/version", reply(201, json, r#"{"name": "a", "version": "1"}"#)));
    assert!(seen("/elsewhere", reply(200, json, "{}")), "a path that is not in the document");

    let problem = |code: &str| {
        let text = json!({
            "type": format!("/problems/{code}"), "title": "Not Found", "status": 404,
            "detail": "none", "instance": null,
        });
        reply(404, "application/problem+json", &text.to_string())
    };
    assert!(!seen("/v1/runs/1", problem("not_found")));
    assert!(seen("/v1/runs/1", problem("stop_loss")), "another problem");
}
