//! The console's files, what a page is told before anyone is signed in, and news.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::Host;

/// An address of the console answers its page, which holds nothing of a customer; other addresses do not.
#[test]
fn addresses_of_the_console_answer_its_page_and_no_other_does() {
    let host = Host::start();
    let get = |path: &str, headers: &[(&str, &str)]| host.call("GET", path, headers, b"");
    let page = get("/", &[]);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "private, no-cache");
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    for path in
        ["/me", "/me/credits/crd_1", "/team", "/admin/people", "/policies/files/a/b", "/play"]
    {
        assert_eq!(get(path, &[]).text, page.text, "{path}");
    }
    assert_eq!(get("/", &[("if-none-match", page.header("etag"))]).status, 304);
    for path in ["/nothing", "/mex", "/assets/none.js", "/assets/../index.html", "/assets"] {
        assert_eq!(get(path, &[]).status, 404, "{path}");
    }

    // The files that the page names are kept for good: their names change with their content.
    for (at, _) in page.text.match_indices("/assets/") {
        let path: String = page.text[at..].chars().take_while(|letter| *letter != '"').collect();
        let asset = get(&path, &[]);
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(asset.header("vary"), "accept-encoding");
    }
}

/// A stranger learns how to sign in, and no name of a person.
#[test]
fn a_stranger_is_told_how_to_sign_in() {
    let host = Host::start();
    let told = host.call("GET", "/v1/welcome", &[], b"").json();
    assert_eq!((&told["demo"], &told["sign_in_address"]), (&Value::Null, &Value::Null));
    assert!(told["workspace"].is_string() && told["version"].is_string(), "{told}");
}

/// The next news of a stream of events.
fn next_news(stream: &mut impl BufRead) -> Value {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str(data).unwrap();
        }
    }
}

/// A page that is open is told of a commit; a payee is told that there was one, and nothing else.
#[test]
fn an_open_page_is_told_that_something_changed() {
    let host = Host::start();
    let wanted = json!({ "name": "ann", "role": "payee", "participant": "ann" }).to_string();
    let key = host.api("POST", "/v1/keys", &[], &wanted).json()["key"].clone();
    let open = |token: &str| {
        let address = host.running().url.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = format!(
            "GET /v1/live HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\
             authorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    };
    let (mut staff, mut payee) = (open("test-token"), open(key.as_str().unwrap()));
    let (before, quiet) = (next_news(&mut staff), next_news(&mut payee));
    assert!(before["progress"]["done"].is_boolean(), "{before}");
    assert_eq!(quiet["progress"], Value::Null);

    let row = json!({ "id": "D-1", "closed": "2026-01-10", "amount": 100, "owner": "ann" });
    assert_eq!(host.deliver("msg_1", &row.to_string()).status, 202);
    let revision = |news: &Value| news["revision"].as_u64().unwrap();
    let after = next_news(&mut payee);
    assert!(revision(&after) > revision(&quiet), "{quiet} {after}");
    assert!(revision(&next_news(&mut staff)) > revision(&before));

    // Once, to those who do not ask for events.
    let once = host.api("GET", "/v1/live", &[], "").json();
    assert!(revision(&once) >= revision(&after));
    let mut refused = open("nobody");
    let mut head = [0; 12];
    refused.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 401");
}
