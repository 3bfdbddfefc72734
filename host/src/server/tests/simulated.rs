//! Simulations on a server.

use serde_json::json;

use super::{Host, deal};

/// A server could not simulate, so that its deals had to be exported first. The business date is the
/// 15th of 31 days: one deal of the 10th comes again on the 25th.
#[test]
fn a_server_simulates_what_it_has_recorded() {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    assert_eq!(host.credits("D-1").len(), 1);
    let simulate =
        |body: &serde_json::Value| host.api("POST", "/v1/simulations", &[], &body.to_string());
    let about = json!({ "plan": "sellers", "period": "2026-01" });

    let reply = simulate(&about);
    assert_eq!(reply.status, 200, "{}", reply.text);
    let found = reply.json();
    assert_eq!((&found["simulation"], &found["as_of"]), (&json!(true), &json!("2026-01-15")));
    assert_eq!(found["transactions"], json!({ "so_far": 1, "projected": 2 }), "{found}");
    let sum = &found["credits"][0];
    assert_eq!((&sum["so_far"], &sum["projected"]), (&json!("100.00"), &json!("200.00")));
    assert!(found["warning"].as_str().is_some_and(|warning| warning.contains("1 deal")), "{found}");

    // Nothing is stored.
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], 1);
    simulate(&json!({ "plan": "sellers", "period": "2026-01", "as_of": "2026-01-20" }))
        .problem(422, "no_simulation");
    simulate(&json!({ "plan": "sellers", "period": "2026-01", "as_of": "2026-01-09" }))
        .problem(422, "no_simulation");
    simulate(&json!({ "plan": "none", "period": "2026-01" })).problem(404, "not_found");
    simulate(&json!({ "plan": "sellers" })).problem(400, "bad_request");
}
