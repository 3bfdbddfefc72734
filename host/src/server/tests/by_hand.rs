//! Rewards that people add by hand: kept, frozen and taken back by a second one.

use serde_json::{Value, json};

use super::{Host, Reply, SETTINGS, deal};

/// A server whose workspace has reason codes.
fn started() -> Host {
    let host = Host::start();
    let codes = "credit_types = [\"booking\"]\nreason_codes = [\"error\"]\n";
    let change = json!({ "files": { "accredit.toml": format!("{codes}{SETTINGS}") } });
    assert_eq!(host.api("POST", "/v1/changes", &[], &change.to_string()).status, 200);
    host
}

fn add(host: &Host, body: &Value) -> Reply {
    host.api("POST", "/v1/rewards", &[], &body.to_string())
}

fn bonus(period: &str, amount: &str) -> Value {
    json!({
        "payee": "ann", "plan": "sellers", "period": period, "amount": amount,
        "reason_code": "error", "comment": "Best start of a year.",
    })
}

/// Period and amount of every reward of Ann.
fn paid(host: &Host) -> Vec<(String, String)> {
    let rows = host.get("/v1/rewards?payee=ann")["data"].clone();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| (text(row, "period"), text(row, "amount"))).collect()
}

fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(period, amount)| ((*period).to_owned(), (*amount).to_owned())).collect()
}

/// A bonus that no rule gives could only be paid beside the product, so that its statements and
/// exports were never what people were paid.
#[test]
fn a_bonus_by_hand_is_paid_and_taken_back_by_a_second_entry() {
    let mut host = started();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    let before = host.get("/v1/calculations/sellers/2026-01")["revision"].clone();

    let made = add(&host, &bonus("2026-01", "250"));
    assert_eq!(made.status, 200, "{}", made.text);
    let reward = made.json()["reward"].clone();
    assert_eq!((&reward["amount"], &reward["origin"]), (&json!("250.00"), &json!("manual")));
    assert_eq!((&reward["period"], &reward["unit_type"]), (&json!("2026-01"), &json!("USD")));

    let run = host.api("POST", "/v1/calculations/sellers/2026-01/run", &[], r#"{"mode":"full"}"#);
    assert_eq!(run.status, 200, "{}", run.text);
    host.stop();
    host.run();
    let shown = host.get("/v1/calculations/sellers/2026-01");
    assert_eq!(shown["rewards"], json!([reward]));
    assert_ne!(shown["revision"], before);
    let csv = host.api("GET", "/v1/rewards", &[("accept", "text/csv")], "");
    assert!(csv.text.contains("250.00") && csv.text.contains("manual"), "{}", csv.text);

    // Released and finalized, it is frozen; its reversal stands in the next period.
    let force = json!({ "what": "rewards", "force": true, "reason": "early" }).to_string();
    let release = "/v1/calculations/sellers/2026-01/release";
    assert_eq!(host.api("POST", release, &[], &force).status, 200);
    let statement = host.get("/v1/payees/ann/statements")["data"][0].clone();
    assert_eq!(statement["rewards"], json!([reward]));
    let force = json!({ "force": true, "reason": "early" }).to_string();
    assert_eq!(host.api("POST", "/v1/periods/2026-01/finalize", &[], &force).status, 200);

    let back = json!({ "reverses": reward["id"], "reason_code": "error" });
    let reversal = add(&host, &back);
    assert_eq!(reversal.status, 200, "{}", reversal.text);
    assert_eq!(reversal.json()["reverses"], reward["id"]);
    assert_eq!(add(&host, &back).json(), reversal.json(), "twice is once");
    assert_eq!(paid(&host), owned(&[("2026-01", "250.00"), ("2026-02", "-250.00")]));

    // A period that is frozen takes nothing more.
    let late = add(&host, &bonus("2026-01", "10.50")).json();
    assert_eq!(
        (&late["requested_period"], &late["reward"]["period"]),
        (&json!("2026-01"), &json!("2026-02"))
    );
    let listed = host.get("/v1/rewards/manual")["data"].as_array().unwrap().len();
    assert_eq!(listed, 3);
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
    assert_eq!(host.get("/v1/verify")["damage"], json!([]));
}

/// An answer that is lost is asked for again: a bonus must not be paid twice.
#[test]
fn a_bonus_is_kept_once_under_its_key_and_refused_where_it_cannot_be_paid() {
    let host = started();
    let key = [("idempotency-key", "bonus-1")];
    let body = bonus("2026-03", "5").to_string();
    let first = host.api("POST", "/v1/rewards", &key, &body);
    assert_eq!(
        (first.status, &first.text),
        (200, &host.api("POST", "/v1/rewards", &key, &body).text)
    );
    assert_eq!(paid(&host), owned(&[("2026-03", "5.00")]), "a period without any deal");

    let with = |name: &str, value: Value| {
        let mut body = bonus("2026-01", "5");
        body[name] = value;
        add(&host, &body)
    };
    with("reason_code", Value::Null).problem(422, "reason_code_needed");
    with("reason_code", json!("mood")).problem(422, "unknown_reason_code");
    with("payee", json!("nobody")).problem(422, "unknown_payee");
    with("unit_type", json!("shells")).problem(422, "unknown_unit_type");
    with("amount", json!("0.005")).problem(422, "bad_amount");
    with("amount", json!("0")).problem(422, "bad_amount");
    with("period", json!("2026")).problem(422, "other_period");
    with("plan", json!("none")).problem(404, "not_found");
    add(&host, &json!({ "reverses": "rwd_0", "reason_code": "error" })).problem(404, "not_found");
    assert_eq!(paid(&host).len(), 1);
}
