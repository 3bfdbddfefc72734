//! Finalized periods: unchanged byte for byte, and what differs is posted in an open one (DOMAIN 2.12).

use serde_json::{Value as Json, json};

use super::{Office, amounts, deal, done, post, refused};
use crate::company;

/// What was confirmed is what is frozen: a change after it is taken back and entered anew in the
/// open period (DOMAIN 3.9: 100 becomes 92, so -100 and +92).
#[test]
fn a_finalized_january_is_unchanged() {
    let office = Office::new();
    let server = office.open("2026-02-03");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    let path = "/v1/calculations/reps/2026-01/release";
    done(&post(&server, path, &json!({"what": "rewards"})));
    let january = server.credits("period=2026-01");
    assert_eq!(january.len(), 3);
    deal(&server, "m2", "D1", "2026-01-15", "92");
    assert_eq!(server.credits("period=2026-01")[0]["amount"], "92.00");

    let finalize = "/v1/periods/2026-01/finalize";
    refused(&post(&server, "/v1/periods/2026-02/finalize", &json!({})), 409, "period_not_over");
    let done_once = done(&post(&server, finalize, &json!({})));
    assert_eq!(done(&post(&server, finalize, &json!({}))), done_once);
    assert_eq!(server.credits("period=2026-01"), january, "what was confirmed is not what stands");
    let february = server.credits("period=2026-02&payee=ann");
    assert_eq!(amounts(&json!(february)), ["-100.00", "92.00"]);
    assert!(february.iter().all(|row| row["origin"] == "retro"));
    assert_eq!(february[0]["reverses"], january[0]["id"]);

    // Later changes, a late deal and a restart leave January as it is.
    deal(&server, "m3", "D1", "2026-01-15", "80");
    deal(&server, "m4", "D2", "2026-01-20", "7");
    server.kill();
    let server = office.open("2026-02-04");
    assert_eq!(server.credits("period=2026-01"), january);
    let february = server.credits("period=2026-02&payee=ann");
    assert_eq!(amounts(&json!(february)), ["-100.00", "80.00", "7.00"]);
    assert_eq!(february[2]["origin"], "late");
    refused(&post(&server, "/v1/periods/2026-01/reopen", &json!({})), 409, "period_finalized");
    let id = january[0]["id"].as_str().unwrap();
    let hold = post(&server, &format!("/v1/credits/{id}/hold"), &json!({}));
    refused(&hold, 409, "period_finalized");
    let periods = done(&server.get("/v1/periods"));
    let states: Vec<&str> =
        periods["data"].as_array().unwrap().iter().map(|p| p["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["finalized", "open"], "{periods}");
    // Every stored decision still comes out of its pins.
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
    let full = done(&post(&server, "/v1/calculations/reps/2026-01/run", &json!({"mode": "full"})));
    assert_eq!(full["differing"], 0, "{full}");
}

/// New rules for open periods leave a finalized one alone; from a date that lies in it, the difference
/// is known before, and then reversed and posted anew in the open period (DESIGN, "effective").
#[test]
fn rules_from_a_date_in_a_finalized_period_are_posted_in_the_open_one() {
    let office = Office::new();
    let server = office.open("2026-02-03");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    done(&post(&server, "/v1/periods/2026-01/finalize", &json!({})));
    let january = server.credits("period=2026-01");
    let change = |percent: u32, effective: &str| {
        let text = company::rollup(percent);
        json!({"files": {"policies/rollup/share.rhai": text}, "effective": effective})
    };
    let changed = |body: &Json| {
        done(&post(&server, "/v1/changes", body));
        server.wait("the change", || server.get("/v1/status").json()["recredit"].is_null());
        server.credits("period=2026-02&payee=max")
    };
    let none = done(&post(&server, "/v1/preview", &change(60, "recredit")));
    assert_eq!(none["impact"]["total"], json!([]), "{none}");
    assert_eq!(changed(&change(60, "recredit")), Vec::<Json>::new());

    let shown = done(&post(&server, "/v1/preview", &change(50, "from:2026-01-01")));
    // Max and Dee lose a half of 100 each.
    assert_eq!(shown["impact"]["total"][0]["difference"], "-100.00", "{shown}");
    let february = changed(&change(50, "from:2026-01-01"));
    assert_eq!(amounts(&json!(february)), ["-100.00", "50.00"]);
    assert!(february.iter().all(|row| row["origin"] == "retro"));
    assert_eq!(server.credits("period=2026-01"), january);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

#[test]
fn periods_are_finalized_in_order_or_with_a_reason() {
    let office = Office::new();
    let server = office.open("2026-03-02");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    deal(&server, "m2", "D2", "2026-02-15", "100");
    let finalize = "/v1/periods/2026-02/finalize";
    let problem = refused(&post(&server, finalize, &json!({})), 409, "earlier_periods_open");
    assert!(problem["detail"].as_str().unwrap().contains("2026-01"), "{problem}");
    done(&post(&server, "/v1/periods/2026-02/close", &json!({})));
    done(&post(&server, "/v1/periods/2026-02/reopen", &json!({"reason": "one is missing"})));
    done(&post(&server, finalize, &json!({"force": true, "reason": "audited"})));
    // January is open: its change stays there.
    deal(&server, "m3", "D1", "2026-01-15", "50");
    assert_eq!(amounts(&json!(server.credits("period=2026-01&payee=ann"))), ["50.00"]);
    // February's goes on to March.
    deal(&server, "m4", "D2", "2026-02-15", "50");
    let march = server.credits("period=2026-03&payee=ann");
    assert_eq!(amounts(&json!(march)), ["-100.00", "50.00"]);
}

/// `finalized` in accredit.toml counts from the day after.
#[test]
fn the_calendar_finalizes_too() {
    let office = Office::with(|workspace| {
        let settings = company::FILES[0].1;
        let calendar = "\n[calendar]\nfinalized = { \"2026-01\" = 2026-02-10 }\n";
        company::put(workspace, "accredit.toml", &format!("{settings}{calendar}"));
    });
    let server = office.open("2026-02-10");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    assert_eq!(server.credits("period=2026-01").len(), 3, "the day itself belongs to it");
    server.kill();
    let server = office.open("2026-02-11");
    let before = server.credits("period=2026-01");
    deal(&server, "m2", "D1", "2026-01-15", "92");
    assert_eq!(server.credits("period=2026-01"), before);
    let february = server.credits("period=2026-02&payee=ann");
    assert_eq!(amounts(&json!(february)), ["-100.00", "92.00"]);
}
