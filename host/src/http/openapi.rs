//! The OpenAPI 3.1 document of the whole API: made once from the table of operations, the schemas of
//! the views and the roles of the routes.
//!
//! Not the routes (`routes`): a test holds the table against them, and every answer of the tests of the
//! server against the schemas. Descriptions and examples of requests that change something come from
//! `scripts/http.md`, problems from `scripts/problems.md`.
//!
//! **Architecture invariant:** the document says nothing that a test does not hold against an answer or a
//! route.

mod guide;
mod operation;
mod page;
mod problems;
mod schemas;
pub(crate) mod serve;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Map, Value, json};

use self::operation::Operation;
use self::schemas::Schemas;
use crate::http::access::sessions::COOKIE;
use crate::http::routes;

/// The document, once it is needed.
static DOCUMENT: LazyLock<Value> = LazyLock::new(make_document);

/// What the API is, for readers of the document.
const ABOUT: &str = "accredit decides who gets credit for a sale. Amounts are decimals as text, instants \
    are RFC 3339 in UTC, dates are ISO 8601. Every refusal is a problem (RFC 9457) whose `type` leads to \
    its page. A list has `data` and `next_cursor`; the next page is asked for with `cursor`. \
    `x-accredit-role` names the least role of a token that may send a request.";

/// Groups of operations, in the order in which they are shown.
const TAGS: [(&str, &str); 13] = [
    (
        "Deals",
        "What arrived, what could not be read or decided, and why it was credited as it was.",
    ),
    ("Credits", "Entries of the books: listed, explained, held, adjusted, given by hand."),
    ("Calculations", "Plans in their periods: runs, releases, rewards, balances, simulations."),
    ("Periods", "Periods closed, reopened and finalized."),
    ("Payees", "Statements, reasons and enquiries."),
    ("Own", "What payees see and ask of themselves and of those who report to them."),
    ("Approvals", "Requests that wait for a second person."),
    ("Definitions", "Settings, plans, policies and the organization, as files and as rules."),
    (
        "Editors",
        "Files as they are typed: checked, explained and tried on a deal; nothing is stored.",
    ),
    ("Access", "Keys, people and sessions."),
    ("Events", "What other systems are told: destinations, and events sent again."),
    ("Operation", "How the server is, and what was done."),
    ("Documents", "This description of the API, and pages of problems."),
];

/// The document as JSON.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// The document as text, as it is served and printed.
pub(crate) fn document_text() -> String {
    let mut text = serde_json::to_string_pretty(document()).unwrap_or_default();
    text.push('\n');
    text
}

/// Routes and methods of the operations that take a query.
pub(crate) fn routes_with_query() -> BTreeSet<(String, Method)> {
    let operations = tables::all_operations().into_iter();
    operations.filter(Operation::has_query).map(|one| (one.route(), one.method)).collect()
}

fn make_document() -> Value {
    let (_, roles) = routes::build_api().into_parts();
    let (mut schemas, mut paths) =
        (Schemas::default(), BTreeMap::<String, Map<String, Value>>::new());

    for operation in tables::all_operations() {
        let role = roles.access_of(&operation.route(), &operation.method);
        let written = operation.to_json(role, &mut schemas);
        paths.entry(operation.path.to_owned()).or_default().insert(operation.key(), written);
    }

    let tags = TAGS.map(|(name, about)| json!({"name": name, "description": about}));
    let problem = problems::problem_schema();
    let components = json!({
        "schemas": schemas.into_components(problem),
        "responses": problems::shared_responses(),
        "securitySchemes": {"token": {
            "type": "http", "scheme": "bearer",
            "description": "A token of the server, or a key that an administrator made.",
        }, "session": {
            "type": "apiKey", "in": "cookie", "name": COOKIE,
            "description": "The session of a person, which `POST /v1/session` begins.",
        }},
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "accredit",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "tags": tags,
        "paths": paths,
        "components": components,
    })
}

#[cfg(test)]
pub(crate) mod tests;
