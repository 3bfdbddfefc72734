//! Problems in the document: one schema with every stable code, and the answers that many operations share.
//!
//! Not the making of problems (`problem`). The codes and their statuses are those of `scripts/problems.md`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use crate::http::problem::{PAGES, ProblemView};

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProblemKind {
    /// Its code: the last part of its `type`.
    pub(super) code: &'static str,
    /// The status of its answers.
    pub(super) status: u16,
    /// What it means, in a sentence or two.
    pub(super) meaning: &'static str,
}

static KINDS: LazyLock<BTreeMap<&'static str, ProblemKind>> = LazyLock::new(|| {
    let kinds = PAGES.split("\n## `").skip(1).filter_map(read_kind);
    kinds.map(|kind| (kind.code, kind)).collect()
});

fn read_kind(section: &'static str) -> Option<ProblemKind> {
    let (code, text) = section.split_once('`')?;
    let (status, text) = text.trim_start().strip_prefix("Status ")?.split_once(". ")?;
    let meaning = text.split("\n\n").next().unwrap_or(text);
    Some(ProblemKind { code, status: status.parse().ok()?, meaning })
}

/// Every kind of problem.
pub(super) fn all_kinds() -> impl Iterator<Item = &'static ProblemKind> {
    KINDS.values()
}

/// The kinds with these codes, by their status.
pub(super) fn by_status(codes: &[&str]) -> BTreeMap<u16, Vec<&'static ProblemKind>> {
    let mut found = BTreeMap::<u16, Vec<&ProblemKind>>::new();
    for kind in codes.iter().filter_map(|code| KINDS.get(*code)) {
        let kinds = found.entry(kind.status).or_default();
        if !kinds.iter().any(|known| known.code == kind.code) {
            kinds.push(kind);
        }
    }
    found
}

/// Answers that many operations have: their names with the codes that they may have.
const SHARED: [(&str, &[&str]); 8] = [
    ("BadRequest", &["bad_request"]),
    ("Unauthorized", &["unauthorized"]),
    ("Forbidden", &["forbidden"]),
    ("NotFound", &["not_found"]),
    ("Timeout", &["timeout"]),
    ("TooLarge", &["too_large"]),
    ("RateLimited", &["rate_limited"]),
    ("Failed", &["internal", "damaged"]),
];

/// The answer with these kinds of problems: a reference to a shared one, where there is one.
pub(super) fn problem_response(kinds: &[&ProblemKind]) -> Value {
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
    let shared = SHARED.iter().find(|(_, shared)| *shared == codes.as_slice());
    match shared {
        Some((name, _)) => json!({"$ref": format!("#/components/responses/{name}")}),
        None => written_response(kinds),
    }
}

fn written_response(kinds: &[&ProblemKind]) -> Value {
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
    let lines = kinds.iter().map(|kind| format!("- `{}`: {}", kind.code, flat(kind.meaning)));
    let mut response = json!({
        "description": lines.collect::<Vec<_>>().join("\n"),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "x-accredit-problems": codes,
    });
    if let (Some(headers), Some(fields)) = (problem_headers(&codes), response.as_object_mut()) {
        fields.insert("headers".to_owned(), headers);
    }
    response
}

/// The headers of problems with these codes.
fn problem_headers(codes: &[&str]) -> Option<Value> {
    let mut headers = Map::new();
    let mut add = |(name, about): (&str, &str)| {
        let header = json!({"description": about, "schema": {"type": "string"}});
        headers.insert(name.to_owned(), header);
    };

    let has = |code: &str| codes.contains(&code);
    if has("unauthorized") {
        add(("WWW-Authenticate", "How to send a token."));
    }
    let later = ["unavailable", "rate_limited", "too_many_attempts", "provider_failed"];
    if later.into_iter().any(has) {
        add(("Retry-After", "Seconds after which to try again."));
    }
    if has("unauthorized") || has("unauthentic") || has("rate_limited") {
        RATE_HEADERS.into_iter().for_each(add);
    }
    (!headers.is_empty()).then_some(Value::Object(headers))
}

/// The headers of answers to requests that are counted, with what they say.
pub(super) const RATE_HEADERS: [(&str, &str); 2] = [
    ("RateLimit-Policy", "The limit: `q` requests in `w` seconds; none where there is no limit."),
    ("RateLimit", "What is left of it: `r` requests, and all of it after `t` seconds."),
];

/// The answers that operations refer to.
pub(super) fn shared_responses() -> Value {
    let written = SHARED.iter().map(|(name, codes)| {
        let kinds: Vec<&ProblemKind> = codes.iter().filter_map(|code| KINDS.get(*code)).collect();
        ((*name).to_owned(), written_response(&kinds))
    });
    Value::Object(written.collect())
}

/// The schema of every problem: its `type` is one of the known ones.
pub(super) fn problem_schema() -> Value {
    let mut schema = serde_json::to_value(ProblemView::schema()).unwrap_or_default();
    let types: Vec<String> = all_kinds().map(|kind| format!("/problems/{}", kind.code)).collect();
    if let Some(kind) = schema.pointer_mut("/properties/type").and_then(Value::as_object_mut) {
        kind.insert("enum".to_owned(), json!(types));
    }
    schema
}

/// Text on one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_of_the_page_is_a_kind() {
        let sections = PAGES.matches("\n## `").count();
        assert!(sections > 50);
        assert_eq!(all_kinds().count(), sections, "a section has no `Status NNN. `");
        assert_eq!(by_status(&["stop_loss", "check_failed", "unknown"]).len(), 2);
    }
}
