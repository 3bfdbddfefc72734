//! Deliveries: taken once, refused when not authentic, never refused when they are.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::{Host, deal};

fn dead_letters(host: &Host) -> usize {
    host.get("/v1/dead-letters")["data"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_delivery_is_answered_and_credited_once() {
    let host = Host::start();
    let body = deal("D-1", "50000.10", "");
    let reply = host.deliver("msg_1", &body);
    assert_eq!(reply.status, 202, "{}", reply.text);
    let first = reply.json();
    assert_eq!(first["delivery"], "msg_1");
    assert_eq!(first["transactions"][0], "D-1");
    assert_eq!(first["duplicate"], false);
    let credits = host.credits("D-1");
    assert_eq!(credits.len(), 1);
    assert_eq!(credits[0]["amount"], "50000.10");

    let again = host.deliver("msg_1", &body).json();
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["transactions"], first["transactions"]);
    assert!(again.get("conflict").is_none());

    let other = host.deliver("msg_1", &deal("D-2", "1", ""));
    assert_eq!(other.status, 202);
    assert_eq!(other.json()["duplicate"], true);
    assert_eq!(other.json()["conflict"], true);
    assert_eq!(other.json()["transactions"], first["transactions"]);
    assert!(host.credits("D-2").is_empty(), "a conflict is kept, not processed");
    assert_eq!(dead_letters(&host), 1, "and shown");
    // It was a dead letter among others, and no alert said that a sender contradicts itself.
    let alerts = host.get("/v1/alerts?code=conflict")["data"].clone();
    assert_eq!(alerts[0]["delivery"], "msg_1", "{alerts}");
    assert_eq!(alerts[0]["source"], "crm");
    assert_eq!(host.get("/v1/alerts?code=unmatched")["data"].as_array().map(Vec::len), Some(0));
}

#[test]
fn versions_follow_the_clock_of_the_source() {
    let host = Host::start();
    let at = |amount: &str, time: &str| deal("D-1", amount, &format!(",\"updated\":\"{time}\""));
    host.deliver("msg_2", &at("200", "2026-01-10T10:00:00Z"));
    assert_eq!(host.credits("D-1")[0]["amount"], "200.00");
    host.deliver("msg_1", &at("100", "2026-01-10T09:00:00Z"));
    assert_eq!(host.credits("D-1")[0]["amount"], "200.00", "older: superseded");
    host.deliver("msg_3", &at("300", "2026-01-10T11:00:00Z"));
    assert_eq!(host.credits("D-1")[0]["amount"], "300.00");
    let transaction = host.get("/v1/transactions/D-1");
    assert_eq!(transaction["version"], 2);
    host.deliver("msg_4", &at("300.0", "2026-01-10T11:00:00Z"));
    host.drained();
    assert_eq!(host.get("/v1/transactions/D-1")["version"], 2, "the same, decoded");
}

#[test]
fn what_is_not_authentic_is_refused_without_a_word() {
    let host = Host::start();
    let reply = host.call("POST", "/hooks/crm", &[], b"{}");
    let problem = reply.problem(401, "unauthentic");
    assert_eq!(problem["detail"], "the delivery is not authentic");
    host.call("POST", "/hooks/nobody", &[], b"{}").problem(404, "not_found");
    host.call("GET", "/hooks/crm", &[], b"").problem(405, "method");
    let large = vec![b' '; (1 << 20) + 1];
    host.call("POST", "/hooks/crm", &[], &large).problem(413, "too_large");
    let packed = [("content-encoding", "gzip")];
    host.call("POST", "/hooks/crm", &packed, b"{}").problem(415, "media_type");
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], 0);
}

/// A source that had sent nothing for a week looked like one that had sent a minute ago.
#[test]
fn a_source_says_when_it_sent_last_and_what_it_was_refused() {
    let mut host = Host::start();
    let crm = |host: &Host| {
        let sources = host.get("/v1/status")["sources"].clone();
        assert_eq!(sources.as_array().map(Vec::len), Some(1), "{sources}");
        assert_eq!(sources[0]["source"], "crm");
        sources[0].clone()
    };
    assert_eq!(crm(&host), json!({"source": "crm", "last_delivery": null, "last_refused": null}));

    let before = jiff::Timestamp::now().as_millisecond();
    let at = |value: &serde_json::Value| {
        let at: jiff::Timestamp = value.as_str().unwrap().parse().unwrap();
        let at = at.as_millisecond();
        assert!(at >= before && at <= jiff::Timestamp::now().as_millisecond(), "{value}");
    };
    host.deliver("msg_1", &deal("D-1", "100", ""));
    let first = crm(&host);
    at(&first["last_delivery"]);
    assert_eq!(first["last_refused"], json!(null));

    // A repetition is nothing new, and neither is what contradicts the first delivery.
    std::thread::sleep(std::time::Duration::from_millis(5));
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.deliver("msg_1", &deal("D-1", "7", ""));
    assert_eq!(crm(&host), first);
    host.deliver("msg_2", &deal("D-2", "100", ""));
    let second = crm(&host);
    assert_ne!(second["last_delivery"], first["last_delivery"]);

    host.call("POST", "/hooks/crm", &[], b"{}").problem(401, "unauthentic");
    let refused = crm(&host)["last_refused"].clone();
    assert_eq!(refused["reason"], "unauthentic");
    at(&refused["at"]);
    let packed = [("content-encoding", "gzip")];
    host.call("POST", "/hooks/crm", &packed, b"{}").problem(415, "media_type");
    assert_eq!(crm(&host)["last_refused"]["reason"], "media_type");
    let large = vec![b' '; (1 << 20) + 1];
    host.call("POST", "/hooks/crm", &[], &large).problem(413, "too_large");
    assert_eq!(crm(&host)["last_refused"]["reason"], "too_large");
    host.call("POST", "/hooks/nobody", &[], &large).problem(413, "too_large");

    // What was taken is known after a restart as well.
    host.stop();
    host.run();
    let last = second["last_delivery"].clone();
    assert_eq!(crm(&host), json!({"source": "crm", "last_delivery": last, "last_refused": null}));
}

#[test]
fn authentic_nonsense_waits_as_a_dead_letter() {
    let host = Host::start();
    for (id, body) in [
        ("msg_1", "not JSON"),
        ("msg_2", "{\"id\":\"D-1\",\"id\":\"D-2\"}"),
        ("msg_3", "{\"amount\":1}"),
        ("msg_4", "\"text\""),
    ] {
        let reply = host.deliver(id, body);
        assert_eq!(reply.status, 202, "{body}");
        assert_eq!(reply.json()["transactions"].as_array().map(Vec::len), Some(0));
    }
    host.drained();
    let dead = host.get("/v1/dead-letters");
    let dead = dead["data"].as_array().unwrap();
    assert_eq!(dead.len(), 4);
    assert!(dead[2]["reason"].as_str().unwrap().contains("natural key"), "{}", dead[2]);
    let path = format!("/v1/dead-letters/{}/redrive", dead[0]["sequence"]);
    assert_eq!(host.api("POST", &path, &[], "").status, 202);
    host.drained();
    assert_eq!(dead_letters(&host), 4, "it is still no JSON");
    host.api("POST", "/v1/dead-letters/999/redrive", &[], "").problem(404, "not_found");
}

#[test]
fn rows_with_a_key_are_taken_beside_one_without() {
    let host = Host::start();
    let body = format!("[{},{{\"amount\":1}}]", deal("D-1", "100", ""));
    assert_eq!(host.deliver("msg_1", &body).status, 202);
    assert_eq!(host.credits("D-1").len(), 1);
    assert_eq!(dead_letters(&host), 1);
}

/// What other routes get from layers, the handler of webhooks does by itself.
#[test]
fn a_webhook_is_answered_as_other_requests_are() {
    let host = Host::start();
    let named = [("x-request-id", "mine")];
    let headers = ["x-request-id", "cache-control", "content-type"];
    let alike = |hook: &super::Reply, other: &super::Reply| {
        for header in headers {
            assert_eq!(hook.header(header), other.header(header), "{header}");
        }
    };

    let unauthentic = host.call("POST", "/hooks/crm", &named, b"{}");
    assert_eq!(unauthentic.problem(401, "unauthentic")["instance"], "mine");
    alike(&unauthentic, &host.call("GET", "/v1/credits", &named, b""));

    let method = host.call("DELETE", "/hooks/crm", &named, b"");
    assert_eq!(method.problem(405, "method")["instance"], "mine");
    assert_eq!(method.header("allow"), "POST");
    alike(&method, &host.api("DELETE", "/v1/credits", &named, ""));

    host.call("POST", "/hooks/%ff", &named, b"{}").problem(400, "bad_request");
    host.call("POST", "/hooks/crm/more", &named, b"{}").problem(404, "not_found");

    let taken = ["msg_1", "msg_2"].map(|id| host.deliver(id, &deal("D-1", "100", "")));
    let ids = taken.each_ref().map(|reply| reply.header("x-request-id").to_owned());
    assert!(ids.iter().all(|id| id.starts_with("req_") && id.len() == 28), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    for reply in &taken {
        assert_eq!(reply.status, 202);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

/// The largest body is taken, one byte more is refused, and a body without an end is cut.
#[test]
fn a_body_has_a_limit_that_is_exact() {
    let host = Host::start();
    let short = deal("D-1", "100", ",\"note\":\"\"");
    let fill = (1 << 20) - short.len();
    let padded = |bytes: usize| deal("D-1", "100", &format!(",\"note\":\"{}\"", "x".repeat(bytes)));
    let whole = padded(fill);
    assert_eq!(whole.len(), 1 << 20);
    assert_eq!(host.deliver("msg_1", &whole).status, 202);
    assert_eq!(host.credits("D-1").len(), 1);
    host.deliver("msg_2", &padded(fill + 1)).problem(413, "too_large");

    // Chunks that go on as long as they are taken.
    let address = host.running().url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        let head = "POST /hooks/crm HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        sender.write_all(head.as_bytes()).unwrap();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 1 << 16], b"\r\n"].concat();
        let taken = (0..4096).take_while(|_| sender.write_all(&chunk).is_ok());
        taken.count()
    });
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    drop(stream);
    // 17 MiB are read, and the rest is in buffers of the machine.
    let taken = sending.join().unwrap();
    assert!(taken < 1024, "{taken} chunks of 64 KiB were taken");
}

/// Values within values as deep as a reader of JSON could bear, and one deeper.
#[test]
fn a_body_that_is_too_deep_waits_for_people_and_is_refused_by_the_api() {
    let host = Host::start();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let sent = host.deliver("msg_1", &deal("D-1", "100", &format!(",\"deep\":{}", nested(128))));
    assert_eq!((sent.status, sent.json()["transactions"].as_array().map(Vec::len)), (202, Some(0)));
    host.drained();
    assert_eq!(dead_letters(&host), 1);
    let typed = [("content-type", "application/json")];
    host.api("POST", "/v1/people", &typed, &nested(129)).problem(400, "bad_request");
    assert_eq!(host.deliver("msg_2", &deal("D-2", "100", "")).status, 202);
}
