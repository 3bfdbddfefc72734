//! Rules swapped under credits that exist: previewed, recredited, from a date, stopped, shadowed,
//! approved, taken back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Host, PLAN, deal, recredited};

fn plan(value: &str) -> String {
    PLAN.replace("credit_type", &format!("value = \"{value}\"\n  credit_type"))
}

fn files(value: &str) -> Value {
    json!({ "plans/sellers.toml": plan(value) })
}

fn post(host: &Host, path: &str, body: &Value) -> super::Reply {
    host.api("POST", path, &[], &body.to_string())
}

fn amount(host: &Host, id: &str) -> String {
    host.credits(id)[0]["amount"].as_str().unwrap().to_owned()
}

fn with_deals() -> Host {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    let late = deal("D-2", "50", "").replace("2026-01-10", "2026-01-20");
    host.deliver("msg_2", &late);
    host.drained();
    host
}

#[test]
fn impact_is_known_before_and_nothing_is_written() {
    let host = with_deals();
    let ruleset = host.get("/v1/status")["ruleset"].clone();
    let shown = post(&host, "/v1/preview", &json!({ "files": files("tx.amount * 2") }));
    assert_eq!(shown.status, 200, "{}", shown.text);
    let shown = shown.json();
    assert_eq!(shown["base"], ruleset);
    assert_eq!(shown["impact"]["by_payee"][0]["name"], "ann");
    assert_eq!(shown["impact"]["by_payee"][0]["difference"], "150.00");
    assert_eq!(shown["impact"]["differing"], 2);
    let rules = &shown["changes"]["rules"][0];
    assert_eq!((&rules["rule"], &rules["keys"]), (&json!("Booking"), &json!(["results"])));
    let from = json!({ "files": files("tx.amount * 2"), "effective": "from:2026-01-15" });
    let from = post(&host, "/v1/preview", &from).json();
    assert_eq!(from["impact"]["by_payee"][0]["difference"], "50.00");
    assert_eq!(host.get("/v1/status")["ruleset"], ruleset);
    assert_eq!(amount(&host, "D-1"), "100.00");
}

#[test]
fn each_effective_choice_does_what_it_says() {
    let host = with_deals();
    let swap = |value: &str, effective: &str| {
        let body = json!({ "files": files(value), "effective": effective });
        let done = post(&host, "/v1/changes", &body);
        assert_eq!(done.status, 200, "{}", done.text);
        recredited(&host);
        (amount(&host, "D-1"), amount(&host, "D-2"))
    };
    let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    assert_eq!(swap("tx.amount * 2", "now"), pair("100.00", "50.00"));
    assert_eq!(swap("tx.amount * 3", "from:2026-01-15"), pair("100.00", "150.00"));
    assert_eq!(swap("tx.amount * 4", "recredit"), pair("400.00", "200.00"));
    let bad = json!({ "files": files("1"), "effective": "soon" });
    post(&host, "/v1/changes", &bad).problem(400, "bad_request");
    let back = post(&host, "/v1/rollback", &json!({ "effective": "recredit" }));
    assert_eq!(back.status, 200, "{}", back.text);
    recredited(&host);
    assert_eq!((amount(&host, "D-1"), amount(&host, "D-2")), pair("300.00", "150.00"));
}

#[test]
fn a_release_changes_no_rules() {
    let host = Host::start();
    host.deliver("msg_1", &deal("H-1", "100", ",\"hold\":\"yes\""));
    let id = host.credits("H-1")[0]["id"].as_str().unwrap().to_owned();
    let before = host.credits("H-1")[0]["ruleset"].clone();
    assert_eq!(post(&host, "/v1/changes", &json!({ "files": files("1") })).status, 200);
    let released = host.api("POST", &format!("/v1/credits/{id}/release"), &[], "").json();
    assert_eq!((&released["amount"], &released["status"]), (&json!("100.00"), &json!("active")));
    assert_eq!(released["ruleset"], before, "effective from now on: not for what is credited");
    host.deliver("msg_2", &deal("H-1", "200", ",\"hold\":\"yes\""));
    assert_eq!(amount(&host, "H-1"), "1.00", "a new version is decided by the rules of its day");
}

#[test]
fn a_stop_in_the_middle_goes_on_after_the_start() {
    let mut host = with_deals();
    let body = json!({ "files": files("tx.amount * 2"), "effective": "recredit" });
    assert_eq!(post(&host, "/v1/changes", &body).status, 200);
    host.stop();
    host.run();
    recredited(&host);
    assert_eq!(amount(&host, "D-1"), "200.00");
}

#[test]
fn a_stop_loss_refuses_and_says_what_would_move() {
    let host = with_deals();
    let files = files("tx.amount * 2");
    let body = |most: &str| json!({ "files": files, "effective": "recredit", "max_total": most });
    let problem = post(&host, "/v1/changes", &body("149.99")).problem(409, "stop_loss");
    assert_eq!(problem["errors"][0]["impact"]["total"][0]["difference"], "150.00");
    // A limit below nothing would refuse whatever moves, and a change that moves nothing as well.
    post(&host, "/v1/changes", &body("-1")).problem(400, "bad_request");
    assert_eq!(post(&host, "/v1/changes", &body("0")).status, 409);
    assert_eq!(post(&host, "/v1/changes", &body("150")).status, 200);
}

#[test]
fn a_shadow_counts_live_deals_and_touches_none() {
    let mut host = with_deals();
    let started = post(&host, "/v1/shadow", &json!({ "files": files("tx.amount * 2") }));
    assert_eq!(started.status, 200, "{}", started.text);
    let id = started.json()["change"].clone();
    host.deliver("msg_3", &deal("D-3", "10", ""));
    host.deliver("msg_4", &deal("D-3", "20", ""));
    assert_eq!(amount(&host, "D-3"), "20.00");
    let total = |host: &Host, wanted: &str| {
        let started = Instant::now();
        // The shadow counts a deal after its decision is recorded.
        while host.get("/v1/shadow")["impact"]["total"][0]["difference"] != wanted {
            let shadow = host.get("/v1/shadow");
            assert!(started.elapsed() < Duration::from_secs(20), "{shadow}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    // The deal counts as it is now, once.
    total(&host, "20.00");
    assert_eq!(host.get(&format!("/v1/changes/{id}"))["state"], "shadow");
    host.stop();
    host.run();
    host.deliver("msg_5", &deal("D-5", "1", ""));
    host.drained();
    total(&host, "21.00");
    assert_eq!(host.api("DELETE", "/v1/shadow", &[], "").status, 200);
    host.api("GET", "/v1/shadow", &[], "").problem(404, "not_found");
    let done = post(&host, &format!("/v1/changes/{id}/activate"), &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
}

#[test]
fn four_eyes_need_a_second_person() {
    let host = Host::start_with(|config| {
        config.four_eyes = true;
        config.credentials.tokens = crate::server::credentials::parse_named(
            "eva:author:token-of-eva-0123 ida:approver:token-of-ida-0123",
        )
        .unwrap();
    });
    let ask = |token: &str, method: &str, path: &str, body: &Value| {
        let bearer = format!("Bearer {token}");
        host.call(method, path, &[("authorization", &bearer)], body.to_string().as_bytes())
    };
    let ruleset = host.get("/v1/status")["ruleset"].clone();
    let body = json!({ "files": files("tx.amount * 2") });
    let made = ask("token-of-eva-0123", "POST", "/v1/changes", &body);
    assert_eq!((made.status, &made.json()["state"]), (202, &json!("waiting")), "{}", made.text);
    assert_eq!(host.get("/v1/status")["ruleset"], ruleset);
    let approve = format!("/v1/changes/{}/approve", made.json()["change"]);
    ask("token-of-eva-0123", "POST", &approve, &json!({})).problem(403, "forbidden");
    ask("token-of-eva-0123", "POST", "/v1/parked/redrive", &json!({})).problem(403, "forbidden");
    let done = ask("token-of-ida-0123", "POST", &approve, &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
    assert_ne!(host.get("/v1/status")["ruleset"], ruleset);
    let last = host.get("/v1/activations")["data"][0].clone();
    assert_eq!((&last["who"], &last["why"]), (&json!("eva"), &json!("approved by ida")));
    ask("token-of-ida-0123", "POST", &approve, &json!({})).problem(409, "not_waiting");
    let own = ask(
        "token-of-ida-0123",
        "POST",
        "/v1/changes",
        &json!({ "files": files("tx.amount * 3") }),
    );
    let own = format!("/v1/changes/{}/approve", own.json()["change"]);
    ask("token-of-ida-0123", "POST", &own, &json!({})).problem(403, "four_eyes");
}
