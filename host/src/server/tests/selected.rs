//! What a person names is there, or they are told that it is not.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Host, PLAN, deal, recredited};

/// A run of selected deals answered 200 for deals that do not exist: nothing was decided, and nobody
/// was told.
#[test]
fn a_run_of_unknown_deals_names_them() {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    let february = r#"{"id":"D-2","closed":"2026-02-10","amount":5,"owner":"ann"}"#;
    host.deliver("msg_2", february);

    let run = |deals: serde_json::Value| {
        let body = json!({ "mode": "selected", "transactions": deals }).to_string();
        host.api("POST", "/v1/calculations/sellers/2026-01/run", &[], &body)
    };
    // Just acknowledged counts as known.
    let known = run(json!(["D-1"]));
    assert_eq!((known.status, &known.json()["decided"]), (200, &json!(1)), "{}", known.text);

    let refused = run(json!(["D-1", "D-2", "D-9"])).problem(404, "not_found");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("`D-9`"), "{detail}");
    assert!(!detail.contains("D-1") && !detail.contains("D-2"), "{detail}");
    let many: Vec<String> = (0..30).map(|number| format!("X-{number:02}")).collect();
    let refused = run(json!(many)).problem(404, "not_found");
    assert!(refused["detail"].as_str().unwrap().contains("and 10 more"), "{refused}");
    assert_eq!(host.get("/v1/runs")["data"].as_array().unwrap().len(), 1, "nothing was begun");
}

/// Who had activated rules for deals to come had no way to have the earlier ones decided again: a
/// change without files was refused as changing nothing.
#[test]
fn a_change_without_files_decides_again_by_the_rules_in_force() {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    let text = PLAN.replace("credit_type", "value = \"tx.amount * 2\"\n  credit_type");
    let change = |body: serde_json::Value| host.api("POST", "/v1/changes", &[], &body.to_string());
    let done = change(json!({ "files": { "plans/sellers.toml": text } }));
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(host.credits("D-1")[0]["amount"], "100.00");

    change(json!({ "files": {} })).problem(409, "nothing_changes");
    let done = change(json!({ "files": {}, "effective": "recredit", "comment": "all of it" }));
    assert_eq!(done.status, 200, "{}", done.text);
    recredited(&host);
    let started = Instant::now();
    while host.credits("D-1")[0]["amount"] != "200.00" {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", host.credits("D-1"));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(host.get("/v1/activations")["data"][0]["why"], "all of it");
}
