//! The API describes itself: a document for programs and a page for people, without a token.

use super::Host;

/// A page that loads something from elsewhere, or a document behind a token, would help no one.
#[test]
fn the_document_and_its_page_are_open_to_all_and_are_not_sent_twice() {
    let host = Host::start();
    let paths = ["/openapi.json", "/docs", "/docs/style.css"];
    for (path, kind) in paths.into_iter().zip(["application/json", "text/html", "text/css"]) {
        let shown = host.call("GET", path, &[], b"");
        assert_eq!(shown.status, 200, "{path}: {}", shown.text);
        assert!(shown.header("content-type").starts_with(kind), "{path}");
        assert_eq!(shown.header("cache-control"), "public, no-cache", "{path}");

        let tag = shown.header("etag").to_owned();
        assert!(tag.len() > 10, "{path}: {tag}");
        let again = host.call("GET", path, &[("if-none-match", &tag)], b"");
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
    }

    let page = host.call("GET", "/docs", &[], b"");
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'")
    );
    let document = host.call("GET", "/openapi.json", &[], b"").json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["paths"]["/v1/credits"]["post"]["x-accredit-role"], "admin");
}

/// A client that follows links sees every row once.
#[test]
fn pages_lead_to_the_next_one() {
    let host = Host::start();
    let rows = "id,closed,amount,owner\nD-1,2026-01-10,1,ann\nD-2,2026-01-10,2,ann\nD-3,2026-01-10,3,ann\n";
    let taken = host.api("POST", "/v1/transactions", &[("content-type", "text/csv")], rows);
    assert_eq!(taken.status, 202, "{}", taken.text);
    host.drained();

    let (mut path, mut seen) = ("/v1/transactions?limit=2&plan=sellers".to_owned(), Vec::new());
    loop {
        let page = host.api("GET", &path, &[], "");
        let rows = page.json()["data"].as_array().unwrap().clone();
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.header("link").strip_prefix('<') else { break };
        let (next, relation) = next.split_once('>').unwrap();
        assert_eq!(relation, "; rel=\"next\"");
        assert!(next.contains("plan=sellers"), "the filters are kept: {next}");
        path = next.to_owned();
    }
    assert_eq!(seen, ["D-1", "D-2", "D-3"]);
}
