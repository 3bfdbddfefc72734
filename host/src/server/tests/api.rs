//! Imports, credits, releases, and the shape of every refusal.

use super::{Host, deal};

#[test]
fn rows_are_imported_in_three_shapes() {
    let host = Host::start();
    let csv = "id,closed,amount,owner\nC-1,2026-01-10,10,ann\nC-2,2026-01-11,20,bob\n";
    let reply = host.api("POST", "/v1/transactions", &[("content-type", "text/csv")], csv);
    assert_eq!(reply.status, 202, "{}", reply.text);
    assert_eq!(reply.json()["rows"], 2);
    host.drained();
    let again = host.api("POST", "/v1/transactions", &[("content-type", "text/csv")], csv);
    assert_eq!(again.json()["duplicate"], true);
    let ndjson = format!("{}\n\n{}\n", deal("N-1", "1", ""), deal("N-2", "2", ""));
    let kind = [("content-type", "application/x-ndjson")];
    assert_eq!(host.api("POST", "/v1/transactions", &kind, &ndjson).status, 202);
    let kind = [("content-type", "application/json; charset=utf-8")];
    let json = deal("J/1", "1", "");
    assert_eq!(host.api("POST", "/v1/transactions", &kind, &json).status, 202);
    for (id, amount) in [("C-2", "20.00"), ("N-2", "2.00"), ("J%2F1", "1.00")] {
        assert_eq!(host.credits(id)[0]["amount"], amount);
    }
    assert_eq!(host.get("/v1/transactions/J%2F1")["id"], "J/1");
    assert_eq!(host.get("/v1/transactions/J%2F1/explain")["transaction"], "J/1");
    host.api("GET", "/v1/transactions/never", &[], "").problem(404, "not_found");
    let page = host.get("/v1/credits?period=2026-Q1&limit=3");
    assert_eq!(page["data"].as_array().map(Vec::len), Some(3));
    let next = page["next_cursor"].as_str().unwrap();
    let rest = host.get(&format!("/v1/credits?period=2026-Q1&limit=3&cursor={next}"));
    assert_eq!(rest["data"].as_array().map(Vec::len), Some(2));
    assert!(rest["next_cursor"].is_null());
}

#[test]
fn a_large_import_goes_in_whole() {
    let host = Host::start();
    let rows: String =
        (0..2500).map(|n| format!("{}\n", deal(&format!("L-{n}"), "1", ""))).collect();
    let kind = [("content-type", "application/x-ndjson"), ("idempotency-key", "night-1")];
    let reply = host.api("POST", "/v1/transactions", &kind, &rows);
    assert_eq!(reply.json()["deliveries"], 10, "{}", reply.text);
    host.drained();
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], 2500);
    let reply = host.api("POST", "/v1/transactions", &kind, &deal("L-1", "2", ""));
    reply.problem(422, "idempotency_conflict");
}

#[test]
fn malformed_rows_are_refused_whole() {
    let host = Host::start();
    let send = |kind: &str, body: &str| {
        host.api("POST", "/v1/transactions", &[("content-type", kind)], body)
    };
    let problem = send("text/csv", "id,amount\nA,1\nB\n").problem(400, "bad_request");
    assert_eq!(problem["errors"][0]["line"], 3);
    let rows = format!("{}\n\nnope\n", deal("A", "1", ""));
    let problem = send("application/x-ndjson", &rows).problem(400, "bad_request");
    assert_eq!(problem["errors"][0]["line"], 3);
    let rows = format!("{}\n\n{{\"id\":\" \"}}\n", deal("A", "1", ""));
    let problem = send("application/x-ndjson", &rows).problem(422, "no_natural_key");
    assert_eq!(problem["errors"][0]["line"], 3);
    send("application/xml", "<a/>").problem(415, "media_type");
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], 0);
}

#[test]
fn a_hold_is_released_once() {
    let host = Host::start();
    host.deliver("msg_1", &deal("H-1", "100", ",\"hold\":\"yes\""));
    host.deliver("msg_2", &deal("F-1", "100", ""));
    let credit = host.credits("H-1")[0].clone();
    assert_eq!(credit["status"], "held");
    let path = format!("/v1/credits/{}", credit["id"].as_str().unwrap());
    let release = format!("{path}/release");
    let first = host.api("POST", &release, &[], "{\"comment\":\"checked\"}");
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.json()["status"], "active");
    let second = host.api("POST", &release, &[], "");
    assert_eq!((second.status, second.json()), (200, first.json()));
    assert_eq!(host.get(&path)["status"], "active");
    assert_eq!(host.get(&format!("{path}/explain"))["credit"]["id"], credit["id"]);

    let free = host.credits("F-1")[0]["id"].as_str().unwrap().to_owned();
    let refused = host.api("POST", &format!("/v1/credits/{free}/release"), &[], "");
    refused.problem(409, "not_held");
    let held = host.api("POST", &format!("/v1/credits/{free}/hold"), &[], "{\"reason\":\"why\"}");
    assert_eq!(held.json()["status"], "held");
    let released = host.api("POST", &format!("/v1/credits/{free}/release"), &[], "");
    assert_eq!(released.json()["status"], "active");
    let absent = format!("/v1/credits/crd_{}/release", "0".repeat(32));
    host.api("POST", &absent, &[], "").problem(404, "not_found");
    host.api("POST", &release, &[], "[]").problem(400, "bad_request");
}

#[test]
fn every_refusal_is_a_problem() {
    let host = Host::start();
    let none = host.call("GET", "/v1/credits", &[], b"");
    none.problem(401, "unauthorized");
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"accredit\"");
    let wrong = [("authorization", "Bearer test-toke")];
    host.call("GET", "/v1/status", &wrong, b"").problem(401, "unauthorized");
    host.call("GET", "/nowhere", &[], b"").problem(404, "not_found");
    host.api("DELETE", "/v1/credits", &[], "").problem(405, "method");
    host.api("GET", "/v1/credits?payed=ann", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/credits?status=lost", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/credits?period=2026-13", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/credits?cursor=nope", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/credits?limit=0", &[], "").problem(400, "bad_request");
    let named = host.call("GET", "/nowhere", &[("x-request-id", "mine")], b"");
    assert_eq!(named.problem(404, "not_found")["instance"], "mine");
}

#[test]
fn probes_and_metrics_are_open() {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "1", ""));
    host.drained();
    for path in ["/livez", "/readyz", "/healthz", "/version"] {
        assert_eq!(host.call("GET", path, &[], b"").status, 200, "{path}");
    }
    let metrics = host.call("GET", "/metrics", &[], b"").text;
    for line in [
        "accredit_webhook_requests_total{source=\"crm\",outcome=\"accepted\"} 1",
        "accredit_credits_total{status=\"active\"} 1",
        "accredit_inbox_pending 0",
        "# TYPE accredit_script_runs counter",
        "accredit_script_limit_hits_total{limit=\"operations\"} ",
        "accredit_script_limit_hits_total{limit=\"call_depth\"} ",
        "accredit_script_limit_hits_total{limit=\"variables\"} ",
        "accredit_script_limit_hits_total{limit=\"text_bytes\"} ",
        "accredit_script_limit_hits_total{limit=\"array_items\"} ",
        "accredit_script_limit_hits_total{limit=\"map_keys\"} ",
        "accredit_script_limit_hits_total{limit=\"time\"} ",
        "# TYPE accredit_script_eval_seconds histogram",
        "accredit_build_info{version=",
        "accredit_store_commit_seconds_count",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}
