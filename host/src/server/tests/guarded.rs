//! What every answer tells browsers, whatever made it.

use super::Host;
use crate::http::routes;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const POLICY_OF_DOCS: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Names and values that are the same for every answer of a server without TLS.
const EXPECTED: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("strict-transport-security", ""),
];

/// Paths whose answers may be kept if the reader asks again; all others are kept by nobody.
const KEPT: [(&str, &str); 7] = [
    ("/docs", "public, no-cache"),
    ("/docs/style.css", "public, no-cache"),
    ("/openapi.json", "public, no-cache"),
    ("/v1/definitions/plans/sellers.toml", "private, no-cache"),
    ("/v1/policies/hold/asked", "private, no-cache"),
    ("/v1/rules/sellers/Booking", "private, no-cache"),
    ("/v1/definitions/policies/hold/asked.rhai", "private, no-cache"),
];

fn check(reply: &super::Reply, method: &str, path: &str) {
    let whole = format!("{method} {path}: {}", reply.status);
    for (name, value) in EXPECTED {
        assert_eq!(reply.header(name), value, "{whole}: {name}");
        assert!(reply.headers.get_all(name).iter().count() <= 1, "{whole}: {name}");
    }
    let is_page = path == "/docs" && reply.status == 200;
    let policy = if is_page { POLICY_OF_DOCS } else { POLICY };
    assert_eq!(reply.header("content-security-policy"), policy, "{whole}");

    let kept = KEPT.iter().find(|(known, _)| *known == path && reply.status == 200);
    let kept = kept.map_or("no-store", |(_, kept)| kept);
    assert_eq!(reply.header("cache-control"), kept, "{whole}");
}

/// Only the page of the documentation said what a browser may do with it.
#[test]
fn every_answer_of_every_route_has_the_headers_that_guard_it() {
    let host = Host::start();
    let (_, roles) = routes::build_api().into_parts();
    let mut asked = Vec::new();
    for (path, method, _) in roles.all_routes() {
        asked.push((method.to_string(), path.to_owned()));
    }
    asked.extend(
        routes::open_routes().iter().map(|(path, _)| ("GET".to_owned(), (*path).to_owned())),
    );
    assert!(asked.len() > 100, "{}", asked.len());
    asked.push(("POST".to_owned(), routes::HOOKS_PATH.to_owned()));
    for (path, _) in KEPT {
        asked.push(("GET".to_owned(), path.to_owned()));
    }
    for method in ["GET", "POST", "PUT", "DELETE", "HEAD"] {
        asked.push((method.to_owned(), "/nothing".to_owned()));
        asked.push((method.to_owned(), "/v1/nothing".to_owned()));
    }

    for (method, path) in &asked {
        let part =
            |part: &str| if part.starts_with('{') { "1".to_owned() } else { part.to_owned() };
        let path = path.split('/').map(part).collect::<Vec<_>>().join("/");
        let headers = [("origin", "https://elsewhere.example")];
        check(&host.call(method, &path, &[], b""), method, &path);
        check(&host.api(method, &path, &[], ""), method, &path);
        check(&host.api(method, &path, &headers, "{"), method, &path);
        // A method that the path does not have.
        check(&host.api("PATCH", &path, &[], ""), "PATCH", &path);
    }

    let delivered = host.deliver("msg_1", &super::deal("D-1", "100", ""));
    assert_eq!(delivered.status, 202);
    check(&delivered, "POST", "/hooks/crm");
    let large = vec![b' '; (1 << 20) + 1];
    check(&host.call("POST", "/hooks/crm", &[], &large), "POST", "/hooks/crm");
}

/// The page of the documentation loads nothing that its policy forbids.
#[test]
fn the_page_of_the_documentation_obeys_its_policy() {
    let host = Host::start();
    let page = host.call("GET", "/docs", &[], b"").text;
    for forbidden in ["<script", "<img", "<iframe", "<style", " style=\"", " onclick=", "<form"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let links = page.split("<link ").skip(1).map(|rest| rest.split('>').next().unwrap());
    let links: Vec<&str> = links.collect();
    assert_eq!(links, ["rel=\"stylesheet\" href=\"/docs/style.css\""]);
    assert!(!host.call("GET", "/docs/style.css", &[], b"").text.contains("url("));
}
