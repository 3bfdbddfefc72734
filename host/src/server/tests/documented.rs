//! The page about the bodies of requests: every example of it is sent, and no request is left out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::Method;
use serde_json::Value;

use super::{Host, Reply, recredited};
use crate::server::config::BackupPlan;
use crate::server::credentials::parse_named;

/// From this heading on the server runs under four eyes.
const FOUR_EYES: &str = "## Approvals";

/// A request of the page with what it says of the answer.
struct Example {
    /// The `###` heading above it.
    heading: String,
    four_eyes: bool,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    /// Fields of the answer.
    fields: Value,
    /// Names of parts of the answer, with their pointers.
    kept: Vec<(String, String)>,
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/http.md");
    std::fs::read_to_string(path).unwrap()
}

/// Every block of the page that is marked `http`.
fn examples(page: &str) -> Vec<Example> {
    let (mut heading, mut four_eyes, mut found) = (String::new(), false, Vec::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("### ") {
            heading = title.to_owned();
        } else if line.starts_with("## ") {
            heading.clear();
            four_eyes |= line == FOUR_EYES;
        } else if line == "```http" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(example(&block, heading.clone(), four_eyes));
        }
    }
    found
}

fn example(block: &[&str], heading: String, four_eyes: bool) -> Example {
    let arrow = block.iter().rposition(|line| line.starts_with("-> ")).expect(block[0]);
    let (request, answer) = block.split_at(arrow);
    let (method, path) = request[0].split_once(' ').unwrap();

    let blank = request.iter().position(|line| line.is_empty()).unwrap_or(request.len());
    let headers = request[1..blank].iter().map(|line| line.split_once(": ").expect(line));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let body = request.get(blank + 1..).unwrap_or_default().join("\n");

    let outcome = answer[0].trim_start_matches("-> ");
    let (status, fields) = outcome.split_once(' ').unwrap_or((outcome, "{}"));
    let kept = answer[1..].iter().map(|line| line.split_once(" <- ").expect(line));
    Example {
        heading,
        four_eyes,
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body,
        status: status.parse().expect(outcome),
        fields: serde_json::from_str(fields).expect(outcome),
        kept: kept.map(|(name, pointer)| (name.to_owned(), pointer.to_owned())).collect(),
    }
}

fn filled(text: &str, parts: &BTreeMap<String, String>) -> String {
    parts
        .iter()
        .fold(text.to_owned(), |text, (name, part)| text.replace(&format!("<{name}>"), part))
}

/// Whether an answer has the fields that the page shows of it.
fn has(answer: &Value, shown: &Value) -> bool {
    match (answer, shown) {
        (Value::Object(answer), Value::Object(shown)) => {
            shown.iter().all(|(key, shown)| answer.get(key).is_some_and(|found| has(found, shown)))
        }
        (Value::Array(answer), Value::Array(shown)) => {
            answer.len() == shown.len() && answer.iter().zip(shown).all(|(a, s)| has(a, s))
        }
        _ => answer == shown,
    }
}

fn send(host: &Host, one: &Example, parts: &BTreeMap<String, String>) -> Reply {
    let (path, body) = (filled(&one.path, parts), filled(&one.body, parts));
    let header = |name: &str| one.headers.iter().find(|(known, _)| known == name);
    if let Some((_, id)) = header("webhook-id") {
        assert_eq!((one.method.as_str(), path.as_str()), ("POST", "/hooks/crm"));
        return host.deliver(id, &body);
    }

    let given = one.headers.iter().map(|(name, value)| (name.as_str(), filled(value, parts)));
    let given: Vec<(&str, String)> = given.collect();
    let mut headers: Vec<(&str, &str)> =
        given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if header("authorization").is_none() {
        headers.push(("authorization", "Bearer test-token"));
    }
    host.call(&one.method, &path, &headers, body.as_bytes())
}

/// Bodies of requests were in no document: their keys had to be guessed from refusals.
#[test]
fn every_example_of_a_body_is_answered_as_documented() {
    let under = Arc::new(AtomicBool::new(false));
    let four_eyes = Arc::clone(&under);
    let backups = tempfile::tempdir().unwrap();
    let folder = backups.path().to_owned();
    let mut host = Host::start_with(move |config| {
        config.four_eyes = four_eyes.load(Ordering::Relaxed);
        config.backups = Some(BackupPlan { folder: folder.clone(), every: None, keep: 3 });
        let tokens = "max:admin:token-of-max-0001 ida:approver:token-of-ida-0001";
        config.credentials.tokens = parse_named(tokens).unwrap();
    });

    let (mut parts, mut wrong) = (BTreeMap::new(), Vec::new());
    for one in examples(&page()) {
        if one.four_eyes && !under.swap(true, Ordering::Relaxed) {
            host.stop();
            host.run();
        }
        let reply = send(&host, &one, &parts);
        let what = format!("{} {}: {}", one.method, one.path, reply.text);
        if reply.status != one.status {
            wrong.push(format!("{} instead of {} for {what}", reply.status, one.status));
        }

        let answer = reply.json();
        let fields: Value = serde_json::from_str(&filled(&one.fields.to_string(), &parts)).unwrap();
        // An answer that is no JSON has no fields.
        let is_told = fields.as_object().is_none_or(|fields| !fields.is_empty());
        if is_told && !has(&answer, &fields) {
            wrong.push(format!("expected {fields} of {what}"));
        }
        for (name, pointer) in one.kept {
            let part = answer.pointer(&pointer).filter(|part| !part.is_null());
            let part = part.unwrap_or_else(|| panic!("no {pointer} in {what}; before: {wrong:#?}"));
            parts.insert(name, part.as_str().map_or_else(|| part.to_string(), str::to_owned));
        }
        // What was taken is decided behind the answer; the next example builds on it.
        recredited(&host);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a path is one of a route, whose variable parts stand in braces.
fn is_of(path: &str, route: &str) -> bool {
    let path: Vec<&str> = path.split('?').next().unwrap_or(path).split('/').collect();
    let route: Vec<&str> = route.split('/').collect();
    // A path within a path has as many parts as it likes.
    if let Some(before) = route.iter().position(|part| *part == "{path}") {
        return path.starts_with(&route[..before]) && path.ends_with(&route[before + 1..]);
    }

    let fits = |(part, found): (&&str, &&str)| part.starts_with('{') || part == found;
    path.len() == route.len() && route.iter().zip(&path).all(fits)
}

/// A new request gets its section with an example under it.
#[test]
fn every_request_that_changes_something_is_documented_with_an_example() {
    let (_, roles) = crate::http::routes::build_api().into_parts();
    let page = page();
    let examples = examples(&page);
    let changing = roles.all_routes().into_iter().filter(|(_, method, _)| *method != Method::GET);
    let mut routes: Vec<(String, Method)> =
        changing.map(|(path, method, _)| (path.replace("{*path}", "{path}"), method)).collect();
    routes.push(("/hooks/{source}".to_owned(), Method::POST));
    assert!(routes.len() > 30, "the table of routes is empty");

    for (route, method) in routes {
        let restores = route == "/v1/definitions/{path}" && method == Method::POST;
        let route = if restores { format!("{route}/restore") } else { route };
        let heading = format!("{method} {route}");
        assert!(page.contains(&format!("\n### {heading}\n")), "scripts/http.md has no `{heading}`");
        let shown = examples.iter().any(|one| {
            one.heading == heading && one.method == method.as_str() && is_of(&one.path, &route)
        });
        assert!(shown, "scripts/http.md has no example of `{heading}`");
    }
}
