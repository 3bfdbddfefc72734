//! What holds of every route: its role, what may be kept of its answers, what its problems mean.

use std::collections::BTreeSet;

use super::Host;
use crate::http::routes;
use crate::server::credentials::parse_named;
use crate::server::role::Role;

/// Every route of the API with its role, beside the declaration in `routes`: a role that changes has
/// to change here as well.
const ROUTES: &str = "
GET /v1/activations reader
GET /v1/aliases reader
GET /v1/alerts reader
GET /v1/approvals reader
DELETE /v1/approvals/{id} approver
GET /v1/approvals/{id} reader
POST /v1/approvals/{id}/approve approver
GET /v1/audit reader
GET /v1/audit/verify reader
GET /v1/calculations reader
DELETE /v1/calculations/{plan}/{period} admin
GET /v1/calculations/{plan}/{period} reader
POST /v1/backups admin
POST /v1/calculations/{plan}/{period}/release admin
POST /v1/calculations/{plan}/{period}/run admin
GET /v1/changes reader
POST /v1/changes author
DELETE /v1/changes/{id} author
GET /v1/changes/{id} reader
POST /v1/changes/{id}/activate approver
POST /v1/changes/{id}/approve approver
GET /v1/credits reader
GET /v1/credits/{id} reader
GET /v1/credits/{id}/adjustments reader
POST /v1/credits/{id}/adjustments admin
GET /v1/credits/{id}/explain reader
POST /v1/credits/{id}/hold admin
POST /v1/credits/{id}/release admin
GET /v1/dead-letters reader
POST /v1/dead-letters/redrive admin
POST /v1/dead-letters/{sequence}/redrive admin
GET /v1/definitions reader
DELETE /v1/definitions/{*path} author
GET /v1/definitions/{*path} reader
POST /v1/definitions/{*path} author
PUT /v1/definitions/{*path} author
GET /v1/enquiries reader
GET /v1/enquiries/{id} reader
POST /v1/enquiries/{id}/answer approver
POST /v1/enquiries/{id}/assign approver
POST /v1/enquiries/{id}/close approver
POST /v1/enquiries/{id}/messages approver
POST /v1/holds/release admin
GET /v1/log reader
GET /v1/parked reader
POST /v1/parked/redrive admin
GET /v1/payees/{id}/enquiries reader
POST /v1/payees/{id}/enquiries reader
POST /v1/payees/{id}/enquiries/{number}/messages reader
GET /v1/payees/{id}/statements reader
GET /v1/payees/{id}/why-not reader
GET /v1/periods reader
POST /v1/periods/{id}/close admin
POST /v1/periods/{id}/finalize admin
POST /v1/periods/{id}/reopen admin
GET /v1/policies reader
GET /v1/policies/{kind}/{name} reader
PUT /v1/policies/{kind}/{name} author
POST /v1/preview reader
POST /v1/rollback author
POST /v1/credits admin
GET /v1/credits/manual reader
GET /v1/quarantine reader
GET /v1/rewards reader
POST /v1/quarantine/verify admin
POST /v1/reconciliation reader
POST /v1/rewards admin
GET /v1/rewards/manual reader
GET /v1/backups reader
GET /v1/balances reader
DELETE /v1/transactions/{id} admin
GET /v1/rules reader
DELETE /v1/rules/{plan}/{name} author
GET /v1/rules/{plan}/{name} reader
PUT /v1/rules/{plan}/{name} author
POST /v1/rules/{plan}/{name}/copy author
GET /v1/runs reader
GET /v1/runs/{id} reader
POST /v1/runs/{id}/cancel admin
DELETE /v1/shadow author
GET /v1/shadow reader
POST /v1/shadow author
POST /v1/simulations reader
GET /v1/status reader
GET /v1/tags reader
GET /v1/tasks/{id} reader
GET /v1/transactions reader
POST /v1/transactions admin
GET /v1/transactions/{id} reader
GET /v1/transactions/{id}/adjustments reader
POST /v1/transactions/{id}/adjustments admin
GET /v1/transactions/{id}/case reader
GET /v1/transactions/{id}/explain reader
GET /v1/verify reader
";

/// Roles were judged by the text of the path, far from the routes, and every new `GET` was open to
/// a reader without anybody having said so.
#[test]
fn every_route_has_its_role_and_refuses_lower_ones() {
    let (_, roles) = routes::build_api().into_parts();
    let declared: BTreeSet<String> = roles
        .all_routes()
        .into_iter()
        .map(|(path, method, role)| format!("{method} {path} {}", role.name()))
        .collect();
    let expected: BTreeSet<String> =
        ROUTES.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(declared, expected);

    let host = Host::start_with(|config| {
        let of = |role: &str| format!("{role}-1:{role}:token-of-the-{role}");
        let tokens = ["reader", "author", "approver", "admin"].map(of).join(" ");
        config.credentials.tokens = parse_named(&tokens).unwrap();
    });
    let levels = [Role::Reader, Role::Author, Role::Approver, Role::Admin];
    for (path, method, needed) in roles.all_routes() {
        let path: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        let path = path.join("/");
        let anonymous = host.call(method.as_str(), &path, &[], b"");
        anonymous.problem(401, "unauthorized");
        for role in levels {
            let bearer = format!("Bearer token-of-the-{}", role.name());
            let reply = host.call(method.as_str(), &path, &[("authorization", &bearer)], b"");
            let refused = reply.status == 403 && reply.json()["type"] == "/problems/forbidden";
            let whole =
                format!("{method} {path} as {}: {} {}", role.name(), reply.status, reply.text);
            assert_eq!(refused, role < needed, "{whole}");
            assert!(reply.status != 401 && reply.status != 405 && reply.status < 500, "{whole}");
        }
    }

    // What is in no table is refused, whatever the role.
    let refused = host.api("PATCH", "/v1/credits", &[], "");
    refused.problem(405, "method");
    assert_eq!(refused.header("allow"), "GET, POST");
    host.api("GET", "/v1/nothing", &[], "").problem(404, "not_found");
}

/// Amounts of people were kept by browsers and proxies: no answer said what may be done with it.
#[test]
fn amounts_are_kept_by_nobody() {
    let host = Host::start();
    for path in ["/v1/credits", "/v1/payees/ann/statements", "/v1/status", "/v1/credits/crd_1"] {
        let reply = host.api("GET", path, &[], "");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
    let reply = host.call("GET", "/v1/credits", &[], b"");
    assert_eq!(reply.header("cache-control"), "no-store", "a refusal as well");
}

/// One policy file had two tags, one at each of its addresses, so that a version read at one could
/// not be replaced at the other; and `If-None-Match` was answered with the whole text.
#[test]
fn a_policy_has_one_tag_at_both_addresses_and_is_not_sent_twice() {
    let host = Host::start();
    let policy = "/v1/policies/hold/asked";
    let file = "/v1/definitions/policies/hold/asked.rhai";
    let tag = host.api("GET", policy, &[], "").header("etag").to_owned();
    assert_eq!(host.api("GET", file, &[], "").header("etag"), tag);
    let rule = "/v1/rules/sellers/Booking";
    let of_rule = host.api("GET", rule, &[], "").header("etag").to_owned();

    for (path, tag) in [(policy, &tag), (file, &tag), (rule, &of_rule)] {
        for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()]
        {
            let reply = host.api("GET", path, &[("if-none-match", &given)], "");
            assert_eq!((reply.status, reply.text.as_str()), (304, ""), "{path} {given}");
            assert_eq!(reply.header("etag"), tag);
            assert_eq!(reply.header("cache-control"), "private, no-cache");
        }
        let reply = host.api("GET", path, &[("if-none-match", "\"other\"")], "");
        assert!(reply.status == 200 && !reply.text.is_empty(), "{path}");
    }

    // Read at one address, replaced at the other.
    let better = format!("{}\n// better\n", super::HOLD);
    let replaced = host.api("PUT", policy, &[("if-match", &tag)], &better);
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    assert_eq!(host.api("GET", file, &[], "").header("etag"), replaced.header("etag"));
}

/// Every word in quotation marks that a source file passes to a constructor of problems.
fn codes_in(text: &str, codes: &mut BTreeSet<String>) {
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    let constructors = [
        "Problem::new(",
        "Problem::conflict(",
        "Problem::unprocessable(",
        "Error::conflict(",
        "Error::forbidden(",
        "Error::invalid(",
        "Error::precondition(",
        "Error::precondition_required(",
    ];
    for constructor in constructors {
        for (start, _) in text.match_indices(constructor) {
            let arguments = text[start + constructor.len()..].chars().take(120).collect::<String>();
            let Some(code) = arguments.split('"').nth(1) else { continue };
            // The first argument may be a status; a word with blanks is a text, not a code.
            if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                codes.insert(code.to_owned());
            }
        }
    }
}

/// The `type` of a problem is an address, and there was nothing at it.
#[test]
fn every_kind_of_problem_has_a_page() {
    let host = Host::start();
    let mut codes = BTreeSet::from(["internal", "method", "timeout"].map(str::to_owned));
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [here.join("src"), here.join("../engine/operations/src")];
    let entries = folders.iter().flat_map(walkdir::WalkDir::new);
    for entry in entries {
        let entry = entry.unwrap();
        let path = entry.path().to_string_lossy();
        if path.ends_with(".rs") && !path.contains("/tests") {
            codes_in(&std::fs::read_to_string(entry.path()).unwrap(), &mut codes);
        }
    }
    assert!(codes.len() > 40, "{codes:?}");
    for code in &codes {
        let page = host.call("GET", &format!("/problems/{code}"), &[], b"");
        assert_eq!(page.status, 200, "`{code}` has no section in scripts/problems.md");
        assert!(page.text.starts_with(&format!("# `{code}`")), "{}", page.text);
        assert!(page.text.contains("What to do: "), "{}", page.text);
    }
    host.call("GET", "/problems/nonsense", &[], b"").problem(404, "not_found");
}

/// Dead letters were cut at 1,000 and `next_cursor` said that there were no more.
#[test]
fn dead_letters_come_in_pages_to_the_last() {
    let host = Host::start();
    for number in 0..7 {
        assert_eq!(host.deliver(&format!("msg_{number}"), "{not json").status, 202);
    }
    host.drained();
    for path in ["/v1/dead-letters", "/v1/alerts"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = host.get(&format!("{path}?limit=3{cursor}"));
            let rows = page["data"].as_array().unwrap();
            assert!(rows.len() <= 3, "{page}");
            found.extend(rows.iter().map(|row| row["delivery"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<String> = (0..7).map(|number| format!("msg_{number}")).collect();
        assert_eq!(found, expected, "{path}");
    }
    host.api("GET", "/v1/dead-letters?cursor=x", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/alerts?cursor=dead-x", &[], "").problem(400, "bad_request");
}
