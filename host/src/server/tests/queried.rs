//! Lists that are asked for with parameters that nobody meant.
//!
//! **Architecture invariant:** a query gives a page or a problem that says why not; never a failure
//! of the server.

use std::panic::AssertUnwindSafe;

use accredit_fuzz::{Mutator, fuzz_target};
use serde_json::Value;

use super::Host;
use crate::address::encode_part;

/// Values that parameters have, beside the cursors of real pages.
const VALUES: &[&str] = &[
    "ann",
    "ann,bob",
    "sellers",
    "sellers/Booking",
    "2026-01",
    "2026-Q1",
    "2026-01-31",
    "2026-01-01..2026-01-31",
    "2026-01-15T10:00:00Z",
    "active",
    "held,active",
    "D-1",
    "-amount",
    "amount,-id",
    "1",
    "1000",
    "100.50",
    "true",
    "csv",
    "booking",
    "crm",
    "hold/asked",
];

/// A route, and the names of what it can be asked for.
struct AskedRoute {
    method: String,
    path: String,
    parameters: Vec<String>,
}

/// Every operation of the API, from its document; those of one person's browser are left out, and
/// the stream of events, which has no end.
fn asked_routes(host: &Host) -> Vec<AskedRoute> {
    const LEFT_OUT: [&str; 3] = ["/v1/live", "/v1/session/oidc", "/v1/session/oidc/callback"];
    let document = host.call("GET", "/openapi.json", &[], b"").json();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/") || LEFT_OUT.contains(&path.as_str()) {
            continue;
        }
        let known = path.replace("{plan}", "sellers").replace("{period}", "2026-01");
        let known = known.replace("{payee}", "ann").replace("{kind}/{name}", "hold/asked");
        let known = known.replace("{path}", "plans/sellers.toml").replace("{name}", "Booking");
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
            let asked = parameters.iter().filter(|parameter| parameter["in"] == "query");
            let names = asked.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
            routes.push(AskedRoute {
                method: method.to_uppercase(),
                path: known.replace("{id}", "1").replace("{number}", "1"),
                parameters: names.collect(),
            });
        }
    }
    routes
}

/// Where next pages of a few lists begin.
fn cursors(host: &Host) -> Vec<String> {
    let lists = ["/v1/credits", "/v1/transactions", "/v1/log", "/v1/audit"];
    let pages = lists.map(|list| host.get(&format!("{list}?limit=1")));
    let cursors: Vec<String> =
        pages.iter().filter_map(|page| page["next_cursor"].as_str()).map(str::to_owned).collect();
    assert!(cursors.len() > 1, "{} lists have a second page", cursors.len());
    cursors
}

#[test]
fn a_changed_query_is_answered_or_refused() {
    let host = Host::start();
    let rows = "id,closed,amount,owner\nD-1,2026-01-10,1,ann\nD-2,2026-01-11,2,bob\n";
    let taken = host.api("POST", "/v1/transactions", &[("content-type", "text/csv")], rows);
    assert_eq!(taken.status, 202, "{}", taken.text);
    host.drained();

    let mut routes = asked_routes(&host);
    routes.retain(|route| route.method == "GET" && !route.parameters.is_empty());
    assert!(routes.len() > 20, "{} routes have parameters", routes.len());
    let mut values: Vec<String> = VALUES.iter().map(|value| (*value).to_owned()).collect();
    values.extend(cursors(&host));

    // A failed round ends the test, and nobody uses the server after that.
    let host = AssertUnwindSafe(host);
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let route = mutator.choices.one_of(&routes);
        let mut query = Vec::new();
        for _ in 0..=mutator.choices.below(3) {
            let name = mutator.choices.one_of(&route.parameters);
            let value = match mutator.choices.below(4) {
                0 => mutator.choices.one_of(&values).clone(),
                _ => mutator.changed_text(&values),
            };
            query.push(format!("{name}={}", encode_part(&value)));
        }
        let path = format!("{}?{}", route.path, query.join("&"));

        let reply = host.api("GET", &path, &[], "");
        assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.text);
        if reply.status >= 400 {
            let problem: Value = reply.json();
            assert!(
                problem["title"].is_string() && problem["detail"].is_string(),
                "{path}: {problem}"
            );
        }
    });
}

/// `POST /v1/calculations/…/release?dry_run=true` released: an operation that takes no parameters
/// looked at none.
#[test]
fn a_query_of_an_act_that_takes_none_is_refused() {
    let host = Host::start();
    let mut routes = asked_routes(&host);
    routes.retain(|route| route.method != "GET" && route.parameters.is_empty());
    assert!(routes.len() > 50, "{} acts have no parameters", routes.len());

    for AskedRoute { method, path, .. } in &routes {
        let reply = host.api(method, &format!("{path}?dry_run=true"), &[], "{}");
        // Payees alone may use what is their own.
        if reply.status != 403 {
            let problem = reply.problem(400, "bad_request");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("takes no query"), "{method} {path}: {detail}");
        }
        // Nothing behind the sign is nothing asked.
        let reply = host.api(method, &format!("{path}?"), &[], "not JSON");
        assert!(!reply.text.contains("takes no query"), "{method} {path}: {}", reply.text);
    }
}

/// A filter with a typing error gave the whole list.
#[test]
fn a_parameter_that_a_list_does_not_have_is_refused() {
    let host = Host::start();
    let mut routes = asked_routes(&host);
    routes.retain(|route| route.method == "GET" && !route.parameters.is_empty());
    for AskedRoute { path, .. } in &routes {
        let reply = host.api("GET", &format!("{path}?no_such_filter=1"), &[], "");
        assert!([400, 403, 404].contains(&reply.status), "{path}: {} {}", reply.status, reply.text);
    }
}
