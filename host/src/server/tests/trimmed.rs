//! A maximum as its payee sees it, and changes that are checked at the same time.

use serde_json::json;

use super::{Host, PLAN, deal};

/// A payee whose credit a maximum had cut read the rest of it, and nowhere that it had been cut.
#[test]
fn a_statement_and_a_why_not_tell_both_amounts_of_a_maximum() {
    let host = Host::start();
    let plan = PLAN.replace("credit_type", "maximum = \"60\"\n  credit_type");
    let body = json!({ "files": { "plans/sellers.toml": plan } }).to_string();
    assert_eq!(host.api("POST", "/v1/changes", &[], &body).status, 200);
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.deliver("msg_2", &deal("D-2", "40", ""));
    host.drained();
    let body = json!({ "what": "credits" }).to_string();
    let path = "/v1/calculations/sellers/2026-01/release";
    let released = host.api("POST", path, &[], &body);
    assert_eq!(released.status, 200, "{}", released.text);

    let statements = host.get("/v1/payees/ann/statements?period=2026-01");
    let credits = statements["data"][0]["credits"].as_array().unwrap();
    let amounts = |key: &str| -> Vec<String> {
        let mut amounts: Vec<String> = credits.iter().map(|row| row[key].to_string()).collect();
        amounts.sort();
        amounts
    };
    assert_eq!(amounts("amount"), ["\"40.00\"", "\"60.00\""]);
    assert_eq!(amounts("before_maximum"), ["\"100.00\"", "null"]);

    let why = host.get("/v1/payees/ann/why-not?transaction=D-1");
    let finding = &why["plans"][0]["findings"][0];
    assert_eq!(finding["code"], "over_maximum", "{why}");
    assert_eq!(finding["seen"]["before the maximum"], "100.00");
    assert_eq!(finding["seen"]["after the maximum"], "60.00");
    assert_eq!(why["plans"][0]["credits"][0]["before_maximum"], "100.00");
}

/// Changes are checked before their turn: one that was checked while another came into force is
/// checked again, on what is in force then, and takes nothing of the other back.
#[test]
fn policies_that_change_at_once_are_all_in_force() {
    let host = Host::start();
    let put = |name: &str| {
        let path = format!("/v1/policies/value/{name}");
        host.api("PUT", &path, &[], "fn value(tx, to) { tx.amount }\n")
    };
    let names: Vec<String> = (0..6).map(|number| format!("v{number}")).collect();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = names.iter().map(|name| scope.spawn(|| put(name))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in &answers {
        assert!(answer.status < 300, "{}", answer.text);
    }
    let listed = host.get("/v1/definitions").to_string();
    for name in &names {
        assert!(listed.contains(&format!("policies/value/{name}.rhai")), "{name}: {listed}");
    }
}
