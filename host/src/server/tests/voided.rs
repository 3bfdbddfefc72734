//! Deals that people make void: a version like any other.

use serde_json::{Value, json};

use super::{Host, deal};

fn void(host: &Host, id: &str, body: &Value) -> super::Reply {
    host.api("DELETE", &format!("/v1/transactions/{id}"), &[], &body.to_string())
}

/// A deal that was cancelled by phone could only be taken back by a delivery of its source, which
/// has no row for it any more.
#[test]
fn a_void_deal_has_no_credits_until_newer_content_revives_it() {
    let mut host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    assert_eq!(host.credits("D-1")[0]["amount"], "100.00");

    void(&host, "D-1", &json!({})).problem(422, "reason_needed");
    void(&host, "none", &json!({ "reason": "cancelled" })).problem(404, "not_found");
    let done = void(&host, "D-1", &json!({ "reason": " cancelled " }));
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json()["void"]["reason"], "cancelled");
    assert_eq!(done.json()["version"], 2);
    assert_eq!(host.credits("D-1"), Vec::<Value>::new());

    // Twice is once, and the first reason stays.
    let again = host.api("DELETE", "/v1/transactions/D-1?reason=twice", &[], "");
    assert_eq!((again.status, &again.json()["version"]), (200, &json!(2)));
    assert_eq!(again.json()["void"]["reason"], "cancelled");

    // The same content again says nothing new, and a restart changes nothing.
    host.deliver("msg_2", &deal("D-1", "100", ""));
    host.drained();
    host.stop();
    host.run();
    let shown = host.get("/v1/transactions/D-1");
    assert_eq!(
        (&shown["version"], &shown["void"]["who"]),
        (&json!(2), &done.json()["void"]["who"])
    );
    assert_eq!(shown["decisions"][0]["outcome"], "filtered");
    assert_eq!(shown["decisions"][0]["log"][0]["code"], "void");
    assert_eq!(host.get("/v1/verify")["differing"], 0);
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
    let trail = host.get("/v1/audit")["data"].clone();
    let acts = trail.as_array().unwrap().iter().filter(|row| row["what"] == "voided");
    assert_eq!(acts.count(), 1);

    host.deliver("msg_3", &deal("D-1", "70", ""));
    host.drained();
    assert_eq!(host.credits("D-1")[0]["amount"], "70.00");
    assert_eq!(host.get("/v1/transactions/D-1")["void"], Value::Null);
    assert_eq!(host.get("/v1/transactions/D-1")["version"], 3);
}

/// The credits of a closed period stay as they are; what is taken back stands in the next one.
#[test]
fn a_void_deal_is_reversed_where_its_period_is_finalized() {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    let force = json!({ "force": true, "reason": "early" }).to_string();
    let frozen = host.api("POST", "/v1/periods/2026-01/finalize", &[], &force);
    assert_eq!(frozen.status, 200, "{}", frozen.text);

    assert_eq!(void(&host, "D-1", &json!({ "reason": "cancelled" })).status, 200);
    let rows = host.credits("D-1");
    let seen: Vec<(&Value, &Value, &Value)> =
        rows.iter().map(|row| (&row["period"], &row["amount"], &row["origin"])).collect();
    assert!(
        seen.contains(&(&json!("2026-01"), &json!("100.00"), &json!("calculated"))),
        "{seen:?}"
    );
    assert!(seen.contains(&(&json!("2026-02"), &json!("-100.00"), &json!("retro"))), "{seen:?}");
    assert_eq!(host.get("/v1/verify")["differing"], 0);
    assert_eq!(host.get("/v1/verify")["damage"], json!([]));
}
