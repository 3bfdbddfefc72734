//! Files as they are typed in an editor: checked, tried on a deal, written down as a case; nothing of it is
//! kept.

use serde_json::{Value, json};

use super::{Host, Reply};

fn ask(host: &Host, what: &str, body: &Value) -> Reply {
    host.api("POST", &format!("/v1/editor/{what}"), &[], &body.to_string())
}

fn answer(host: &Host, what: &str, body: &Value) -> Value {
    let reply = ask(host, what, body);
    assert_eq!(reply.status, 200, "{what} {body}: {}", reply.text);
    reply.json()
}

fn deal() -> Value {
    json!({"id": "OPP-9", "closed": "2026-01-10", "amount": 1000.10, "owner": "ann"})
}

/// The plan of the server with a value of its own.
fn plan_with_value(value: &str) -> Value {
    let plan = format!(
        "name = \"Sellers\"\ntargets = [\"*\"]\n\n[[direct]]\nname = \"Booking\"\n  \
         [[direct.results]]\n  name = \"Booking credit\"\n  credit_type = \"booking\"\n  \
         value = \"{value}\"\n"
    );
    json!({"plans/sellers.toml": plan})
}

fn ruleset_in_force(host: &Host) -> Value {
    host.api("GET", "/v1/definitions", &[], "").json()["ruleset"].clone()
}

#[test]
fn what_is_typed_is_checked_and_not_kept() {
    let host = Host::start();
    let before = ruleset_in_force(&host);

    let script = "fn value(tx, to) { let sign = \"💰\"; tx.amuont }\n";
    let typed = json!({"files": {"policies/value/typed.rhai": script}});
    let found = answer(&host, "check", &typed);
    assert_eq!(found["checks"], false);
    let wrong = found["diagnostics"].as_array().unwrap();
    let wrong = wrong.iter().find(|one| one["code"] == "CR002").unwrap();
    // Characters, not bytes: the emoji is one.
    let column = script.split("amuont").next().unwrap().chars().count() + 1;
    assert_eq!(wrong["range"]["start"], json!({"line": 1, "column": column}));
    assert_eq!(wrong["range"]["end"], json!({"line": 1, "column": column + 6}));
    assert_eq!(wrong["help"], "did you mean `amount`?");

    let fixed = json!({"files": {"policies/value/typed.rhai": script.replace("amuont", "amount")}});
    let found = answer(&host, "check", &fixed);
    assert_eq!((&found["checks"], found["ruleset"].is_string()), (&json!(true), true));

    let gone = json!({"files": {"policies/hold/asked.rhai": null}});
    let found = answer(&host, "check", &gone);
    assert_eq!(found["diagnostics"][0]["file"], "plans/sellers.toml", "{found}");

    assert_eq!(ruleset_in_force(&host), before);
    let audit = host.api("GET", "/v1/audit?limit=1000", &[], "").text;
    assert!(!audit.contains("editor"), "{audit}");
}

#[test]
fn a_deal_is_decided_by_what_is_typed() {
    let host = Host::start();
    let body = json!({"files": plan_with_value("tx.amount / 4"), "deal": deal()});
    let run = answer(&host, "run", &body);
    let plan = &run["plans"][0];
    assert_eq!((&plan["plan"], &plan["outcome"]), (&json!("sellers"), &json!("credited")), "{run}");
    assert_eq!(
        (&plan["credits"][0]["payee"], &plan["credits"][0]["amount"]),
        (&json!("ann"), &json!("250.03"))
    );
    assert!(
        plan["steps"].as_array().unwrap().iter().any(|step| step["stage"] == "crediting"),
        "{plan}"
    );
    assert_eq!(plan["ruleset"], run["ruleset"]);

    // Without files the rules in force decide, and nothing is recorded by either.
    let run = answer(&host, "run", &json!({"deal": deal()}));
    assert_eq!(run["plans"][0]["credits"][0]["amount"], "1000.10");
    assert_eq!(run["ruleset"], ruleset_in_force(&host));
    assert_eq!(host.api("GET", "/v1/transactions/OPP-9", &[], "").status, 404);

    let broken = json!({"files": plan_with_value("tx.amuont"), "deal": deal()});
    let run = answer(&host, "run", &broken);
    assert_eq!((&run["checks"], &run["plans"]), (&json!(false), &json!([])));
    assert_eq!(run["diagnostics"][0]["code"], "CR002", "{run}");
}

/// A script that never ends would keep a thread.
#[test]
fn a_script_that_does_not_end_is_stopped() {
    let host = Host::start();
    let endless = "fn value(tx, to) { let n = 0; while n < 1 { n = 0; } n }\n";
    let mut files = plan_with_value("policy:endless");
    files["policies/value/endless.rhai"] = json!(endless);
    let run = answer(&host, "run", &json!({"files": files, "deal": deal()}));
    assert_eq!(run["plans"][0]["outcome"], "parked", "{run}");
}

#[test]
fn a_recorded_deal_is_tried_with_what_people_did() {
    let host = Host::start();
    let row =
        json!({"id": "D-1", "closed": "2026-01-10", "amount": 100, "owner": "ann", "hold": "yes"});
    assert_eq!(host.deliver("msg_1", &row.to_string()).status, 202);
    host.drained();

    let body = json!({"transaction": "D-1"});
    let held = answer(&host, "run", &body);
    assert_eq!(held["plans"][0]["credits"][0]["status"], "held", "{held}");
    let id = held["plans"][0]["credits"][0]["id"].as_str().unwrap();
    let released = host.api("POST", &format!("/v1/credits/{id}/release"), &[], "");
    assert_eq!(released.status, 200, "{}", released.text);
    let run = answer(&host, "run", &body);
    assert_eq!(run["plans"][0]["credits"][0]["status"], "active", "{run}");

    ask(&host, "run", &json!({"transaction": "D-2"})).problem(404, "not_found");
}

#[test]
fn a_trial_is_kept_as_a_case_that_passes() {
    let host = Host::start();
    let files = plan_with_value("tx.amount / 4");
    let body = json!({"files": files, "deal": deal(), "plan": "sellers"});
    let reply = ask(&host, "case", &body);
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(reply.header("content-type").starts_with("text/markdown"), "{:?}", reply.headers);
    assert!(reply.text.contains("250.03"), "{}", reply.text);

    // The same files with the case come into force: a version whose cases fail does not.
    let mut files = files;
    files["plans/sellers.cases.md"] = json!(format!("# Kept\n{}", reply.text));
    let made = host.api("POST", "/v1/changes", &[], &json!({"files": files}).to_string());
    assert_eq!(made.json()["active"], true, "{}", made.text);
    files["plans/sellers.cases.md"] = json!(reply.text.replace("250.03", "250.04"));
    let made = host.api("POST", "/v1/changes", &[], &json!({"files": files}).to_string());
    made.problem(422, "check_failed");

    let broken = json!({"files": plan_with_value("tx.amuont"), "deal": deal()});
    ask(&host, "case", &broken).problem(422, "check_failed");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let host = Host::start();
    for body in [json!({}), json!({"deal": deal(), "transaction": "D-1"}), json!({"deal": 7})] {
        ask(&host, "run", &body).problem(400, "bad_request");
    }
    ask(&host, "run", &json!({"deal": deal(), "plan": "none"})).problem(404, "not_found");
    let elsewhere = json!({"files": {"../secret.toml": ""}});
    ask(&host, "check", &elsewhere).problem(422, "not_a_definition");
    let large = json!({"files": {"plans/sellers.toml": " ".repeat(1 << 20)}});
    ask(&host, "check", &large).problem(413, "too_large");
    let unknown = host.call("POST", "/v1/editor/check", &[], b"{\"files\":{}}");
    unknown.problem(401, "unauthorized");
}
