//! The document is that of this API: its routes, its examples, its snapshot.
//!
//! `ACCREDIT_UPDATE_OPENAPI=1` writes the snapshot `scripts/openapi.json` anew.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::http::routes::{HOOKS_PATH, open_routes};

/// A new route without a row in the table would be missing from every client.
#[test]
fn the_document_has_every_route_and_nothing_else() {
    let (_, roles) = routes::build_api().into_parts();
    let routes = roles.all_routes().into_iter();
    let mut expected: BTreeSet<(String, String)> =
        routes.map(|(path, method, _)| (path.to_owned(), method.to_string())).collect();
    expected.extend(open_routes().iter().map(|(path, _)| ((*path).to_owned(), "GET".to_owned())));
    expected.insert((HOOKS_PATH.to_owned(), "POST".to_owned()));

    let operations = tables::all_operations();
    let found: BTreeSet<(String, String)> =
        operations.iter().map(|one| (one.route(), one.method.to_string())).collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}, unknown: {unknown:?}");
}

#[test]
fn names_and_codes_of_operations_are_sound() {
    let operations = tables::all_operations();
    let ids: BTreeSet<&str> = operations.iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), operations.len(), "two operations have one name");

    let known: BTreeSet<&str> = problems::all_kinds().map(|kind| kind.code).collect();
    for operation in &operations {
        assert!(TAGS.iter().any(|(tag, _)| *tag == operation.tag), "{}", operation.id);
        for code in operation.codes() {
            assert!(known.contains(code), "{}: `{code}` has no page", operation.id);
        }
    }

    let mut schemas = Schemas::default();
    for operation in &operations {
        operation.to_json(None, &mut schemas);
    }
    assert!(schemas.conflicts.is_empty(), "unlike schemas of one name: {:?}", schemas.conflicts);
    let shared = schemas.shared_names();
    assert!(shared.is_empty(), "two schemas of one name: {shared:?}; give one `#[schema(as = …)]`");
}

/// A client that is generated from the file would meet another API.
#[test]
fn the_snapshot_is_the_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/openapi.json");
    let text = document_text();
    if std::env::var_os("ACCREDIT_UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "scripts/openapi.json is old; write it with ACCREDIT_UPDATE_OPENAPI=1");
}

/// A reference that leads nowhere breaks every generator of clients.
#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut waiting = vec![document];
    let mut count = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(place) = fields.get("$ref").and_then(Value::as_str) {
                    count += 1;
                    let place = place.strip_prefix('#').unwrap();
                    assert!(document.pointer(place).is_some(), "{place} is not in the document");
                }
                waiting.extend(fields.values());
            }
            Value::Array(parts) => waiting.extend(parts),
            _ => (),
        }
    }
    assert!(count > 500, "{count} references");
}

/// An example that its own schema refuses teaches the wrong request.
#[test]
fn every_example_fits_its_schema() {
    let mut count = 0;
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = operation.pointer("/requestBody/content/application~1json");
            let Some(content) = content else { continue };
            let check = validator(content["schema"].clone());
            let examples = content.get("examples").and_then(Value::as_object);
            for (name, example) in examples.into_iter().flatten() {
                count += 1;
                // What is stored from an earlier answer stands in angles: an id of its kind.
                let value = example["value"].to_string().replace("\"<draft>\"", "1");
                let value = serde_json::from_str::<Value>(&value).unwrap();
                let errors: Vec<String> =
                    check.iter_errors(&value).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{method} {path} {name}: {errors:?}");
            }
        }
    }
    assert!(count > 30, "{count} examples");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = page::render_page(document());
    for banned in ["<script", "http://", "https://", " style=", "<img", "@import"] {
        assert!(!page.contains(banned), "{banned}");
        assert!(!page::STYLE.contains(banned), "{banned}");
    }
    for operation in tables::all_operations() {
        assert!(page.contains(&format!("<section id=\"{}\">", operation.id)), "{}", operation.id);
    }
    assert!(page.contains("id=\"schema-PostedCredit\""));
}

/// A validator of a schema of the document.
pub(crate) fn validator(schema: Value) -> jsonschema::Validator {
    let mut whole = json!({"components": document()["components"]});
    let fields = whole.as_object_mut().unwrap();
    fields.extend(schema.as_object().unwrap().clone());
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    options.should_validate_formats(true).build(&whole).unwrap()
}
