//! Policies are replaced while the server runs: checked, conditional, visible when refused.

use std::time::{Duration, Instant};

use super::Host;

const GOOD: &str = "fn include(tx) { true }\n";
const BETTER: &str = "fn include(tx) { tx.amount > 0 }\n";
const BROKEN: &str = "fn include(tx) { true \n";
const PATH: &str = "/v1/policies/filter/won";

/// The listed state of the policy that the tests change; null when there is none.
fn row(host: &Host) -> serde_json::Value {
    let list = host.get("/v1/policies");
    let rows = list["data"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == "won").cloned().unwrap_or_default()
}

#[test]
fn a_policy_is_replaced_conditionally() {
    let host = Host::start();
    let before = host.get("/v1/status")["ruleset"].clone();
    host.api("GET", PATH, &[], "").problem(404, "not_found");
    host.api("PUT", PATH, &[("if-match", "\"abc\"")], GOOD).problem(412, "precondition_failed");
    let made = host.api("PUT", PATH, &[("if-none-match", "*")], GOOD);
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.json()["active"], true);
    assert_ne!(made.json()["ruleset"], before);
    let shown = host.api("GET", PATH, &[], "");
    assert_eq!(shown.text, GOOD);
    let tag = shown.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", made.json()["hash"].as_str().unwrap()));

    host.api("PUT", PATH, &[], BETTER).problem(428, "precondition_required");
    host.api("PUT", PATH, &[("if-none-match", "*")], BETTER).problem(412, "precondition_failed");
    let replaced = host.api("PUT", PATH, &[("if-match", &tag)], BETTER);
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    host.api("PUT", PATH, &[("if-match", &tag)], GOOD).problem(412, "precondition_failed");
    assert_eq!(host.get("/v1/activations")["data"].as_array().map(Vec::len), Some(3));
    host.api("PUT", "/v1/policies/nothing/won", &[], GOOD).problem(404, "not_found");
    host.api("PUT", "/v1/policies/filter/..%2Fwon", &[], GOOD).problem(400, "bad_request");
}

#[test]
fn a_broken_policy_is_refused_and_stays_visible() {
    let host = Host::start();
    let ruleset = host.get("/v1/status")["ruleset"].clone();
    let problem = host.api("PUT", PATH, &[], BROKEN).problem(422, "check_failed");
    let error = &problem["errors"][0];
    assert_eq!(error["code"], "CR001", "{error}");
    assert_eq!(error["file"], "policies/filter/won.rhai");
    assert!(error["line"].as_u64() > Some(0));
    assert_eq!(host.get("/v1/status")["ruleset"], ruleset, "the last good one stays");
    let refused = row(&host);
    assert_eq!(refused["active"], false);
    assert_eq!(refused["last_error"]["errors"][0]["code"], "CR001");
    let state = host.api("GET", PATH, &[("accept", "application/json")], "");
    assert_eq!(state.json()["last_error"]["errors"][0]["code"], "CR001");

    assert_eq!(host.api("PUT", PATH, &[], GOOD).status, 200);
    assert_eq!(row(&host)["active"], true);
    assert!(row(&host)["last_error"].is_null());
}

#[test]
fn a_watched_file_goes_through_the_same_door() {
    let host = Host::start_watching(true);
    let file = host.directory().join("policies/filter/won.rhai");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let wait = |what: &str, seen: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !seen() {
            assert!(started.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    std::fs::write(&file, BROKEN).unwrap();
    wait("the refusal", &|| row(&host)["last_error"].is_object());
    std::fs::write(&file, GOOD).unwrap();
    wait("the activation", &|| row(&host)["active"] == true);
    std::fs::remove_file(&file).unwrap();
    wait("the removal", &|| row(&host).is_null());
}

#[test]
fn a_column_nobody_delivered_yet_keeps_no_other_policy_from_changing() {
    let host = Host::start();
    let early = "fn include(tx) { tx[\"Rep #2\"] == \"\" }\n";
    assert_eq!(host.api("PUT", "/v1/policies/filter/early", &[], early).status, 200);
    host.deliver("msg_1", &super::deal("D-1", "1", ""));
    host.drained();
    let typo = "fn include(tx) { tx[\"ownr\"] == \"\" }\n";
    let refused = host.api("PUT", "/v1/policies/filter/typo", &[], typo);
    let problem = refused.problem(422, "check_failed");
    assert_eq!(problem["errors"][0]["code"], "CR002", "columns are known by now: {problem}");
    let made = host.api("PUT", PATH, &[], GOOD);
    assert_eq!(made.status, 200, "{}", made.text);
}

#[test]
fn what_a_broken_policy_stopped_is_decided_by_the_next() {
    let host = Host::start();
    host.deliver("msg_1", &super::deal("P-1", "1", ",\"hold\":\"broken\""));
    assert_eq!(host.credits("P-1")[0]["reason"], "policy_error");
    // Deals that stayed as they were counted as decided.
    let redriven = host.api("POST", "/v1/parked/redrive", &[], "");
    assert_eq!((redriven.status, &redriven.json()["decided"]), (200, &0.into()));
    let path = "/v1/policies/hold/asked";
    let tag = host.api("GET", path, &[], "").header("etag").to_owned();
    let mended = "fn hold(tx, credit) { no_hold() }\n";
    assert_eq!(host.api("PUT", path, &[("if-match", &tag)], mended).status, 200);
    host.drained();
    host.api("POST", "/v1/parked/redrive", &[], "");
    assert_eq!(host.credits("P-1")[0]["status"], "active");
}
