//! Four eyes over money: what one person asks for is carried out when another one approves it.

use serde_json::{Value, json};

use super::{Host, Reply, deal};
use crate::server::credentials::parse_named;

fn with_four_eyes() -> Host {
    let host = Host::start_with(|config| {
        config.four_eyes = true;
        let tokens = "max:admin:token-of-max-0001 ida:approver:token-of-ida-0001";
        config.credentials.tokens = parse_named(tokens).unwrap();
    });
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.deliver("msg_2", &deal("D-2", "50", r#","hold":"yes""#));
    host.drained();
    host
}

fn ask(host: &Host, who: &str, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer token-of-{who}-0001");
    host.call(method, path, &[("authorization", &bearer)], body.to_string().as_bytes())
}

/// Everything that an act could have changed.
fn seen(host: &Host) -> Vec<Value> {
    let paths = ["/v1/credits", "/v1/calculations", "/v1/payees/ann/statements", "/v1/periods"];
    paths.map(|path| host.get(path)["data"].clone()).into()
}

/// Only changes of rules waited for a second person: one administrator alone could set an amount,
/// hold or release money and finalize a period.
#[test]
fn every_act_about_money_waits_for_another_person() {
    let host = with_four_eyes();
    host.deliver("msg_3", &deal("D-3", "10", ""));
    host.drained();
    let credit = host.credits("D-1")[0]["id"].as_str().unwrap().to_owned();
    let held = host.credits("D-2")[0]["id"].as_str().unwrap().to_owned();
    let force = json!({ "force": true, "reason": "early" });
    let release = json!({ "what": "credits" });
    let rewards = json!({ "what": "rewards", "force": true, "reason": "early" });
    let to = json!({ "action": "reset" });
    let calculation = "/v1/calculations/sellers/2026-01";
    let acts = [
        ("POST", format!("/v1/credits/{credit}/hold"), json!({})),
        ("POST", format!("/v1/credits/{credit}/release"), json!({})),
        ("POST", format!("/v1/credits/{held}/adjustments"), to.clone()),
        ("POST", "/v1/transactions/D-1/adjustments".to_owned(), to),
        ("POST", "/v1/holds/release".to_owned(), json!({ "payee": "ann" })),
        ("POST", format!("{calculation}/release"), release),
        ("DELETE", calculation.to_owned(), json!({})),
        ("DELETE", "/v1/transactions/D-3".to_owned(), json!({ "reason": "cancelled" })),
        ("POST", "/v1/periods/2026-01/close".to_owned(), force.clone()),
        ("POST", "/v1/periods/2026-01/reopen".to_owned(), json!({})),
        ("POST", format!("{calculation}/release"), rewards),
        ("POST", "/v1/periods/2026-01/finalize".to_owned(), force),
    ];
    for (number, (method, path, body)) in (1..).zip(acts) {
        let before = seen(&host);
        let kept = ask(&host, "max", method, &path, &body);
        assert_eq!(kept.status, 202, "{path}: {}", kept.text);
        assert_eq!(kept.header("location"), format!("/v1/approvals/{number}"));
        assert_eq!(
            (&kept.json()["id"], &kept.json()["state"]),
            (&json!(number), &json!("waiting"))
        );
        assert_eq!(seen(&host), before, "{path} acted at once");

        let approve = format!("/v1/approvals/{number}/approve");
        ask(&host, "max", "POST", &approve, &json!({})).problem(403, "four_eyes");
        assert_eq!(seen(&host), before);
        let done = ask(&host, "ida", "POST", &approve, &json!({}));
        assert_eq!(done.status, 200, "{path}: {}", done.text);
        assert_eq!(done.json()["request"]["state"], "approved", "{path}");
        assert_eq!(done.json()["request"]["decided"]["who"], "ida");
        ask(&host, "ida", "POST", &approve, &json!({})).problem(409, "not_waiting");
        let withdrawn = ask(&host, "ida", "DELETE", &format!("/v1/approvals/{number}"), &json!({}));
        withdrawn.problem(409, "not_waiting");
    }
    assert_eq!(host.credits("D-2")[0]["status"], "active");
    let january = host.get("/v1/periods")["data"][0].clone();
    assert_eq!((&january["state"], &january["said"]["who"]), (&json!("finalized"), &json!("max")));
    assert_eq!(january["said"]["approved"]["who"], "ida");
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
    assert_eq!(host.get("/v1/verify")["differing"], 0);
}

/// A bonus is money as well: one administrator alone does not pay it.
#[test]
fn a_reward_by_hand_waits_for_another_person() {
    let host = with_four_eyes();
    with_reason_codes(&host);
    let body = json!({
        "payee": "ann", "plan": "sellers", "period": "2026-01", "amount": "5",
        "reason_code": "error",
    });
    let kept = ask(&host, "max", "POST", "/v1/rewards", &body);
    assert_eq!((kept.status, &host.get("/v1/rewards")["data"]), (202, &json!([])));

    let approve = format!("/v1/approvals/{}/approve", kept.json()["id"]);
    ask(&host, "max", "POST", &approve, &json!({})).problem(403, "four_eyes");
    let done = ask(&host, "ida", "POST", &approve, &json!({}));
    assert_eq!(done.json()["answer"]["approved"]["who"], "ida", "{}", done.text);
    assert_eq!(host.get("/v1/rewards")["data"][0]["amount"], "5.00");
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

fn with_reason_codes(host: &Host) {
    let codes = "credit_types = [\"booking\"]\nreason_codes = [\"error\"]\n";
    let settings = format!("{codes}{}", super::SETTINGS);
    let change = json!({ "files": { "accredit.toml": settings } });
    let waiting = ask(host, "max", "POST", "/v1/changes", &change).json();
    let approve = format!("/v1/changes/{}/approve", waiting["change"]);
    assert_eq!(ask(host, "ida", "POST", &approve, &json!({})).status, 200);
}

/// The approval and what it brought about are one commit: the trail has both, next to each other.
#[test]
fn an_approval_is_recorded_with_the_act() {
    let host = with_four_eyes();
    let path = "/v1/transactions/D-1/adjustments";
    with_reason_codes(&host);

    let body = json!({ "action": "adjust_to", "amount": "92.50", "reason_code": "error" });
    let kept = ask(&host, "max", "POST", path, &body).json();
    assert_eq!(kept["request"]["amount"], "92.50", "{kept}");
    assert_eq!(host.credits("D-1")[0]["amount"], "100.00");
    let approve = format!("/v1/approvals/{}/approve", kept["id"]);
    let done = ask(&host, "ida", "POST", &approve, &json!({}));
    assert_eq!(done.json()["answer"]["adjustment"]["amount"], "92.50", "{}", done.text);
    assert_eq!(host.credits("D-1")[0]["amount"], "92.50");

    let trail = host.get("/v1/audit");
    let rows: Vec<(&str, &str)> = trail["data"]
        .as_array()
        .unwrap()
        .iter()
        .take(3)
        .map(|row| (row["what"].as_str().unwrap(), row["who"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, [("approved", "ida"), ("adjusted", "max"), ("requested", "max")]);
    assert_eq!(trail["data"][0]["detail"]["of"], "max");

    // What is withdrawn is never carried out; what does not exist is told at once.
    let kept = ask(&host, "max", "POST", path, &json!({ "action": "reset" })).json();
    let request = format!("/v1/approvals/{}", kept["id"]);
    assert_eq!(ask(&host, "ida", "DELETE", &request, &json!({})).json()["state"], "withdrawn");
    ask(&host, "ida", "POST", &format!("{request}/approve"), &json!({}))
        .problem(409, "not_waiting");
    assert_eq!(host.credits("D-1")[0]["amount"], "92.50");
    let unknown = json!({ "action": "reset" });
    ask(&host, "max", "POST", "/v1/transactions/none/adjustments", &unknown)
        .problem(404, "not_found");
    let waiting = host.get("/v1/approvals?state=waiting");
    assert_eq!(waiting["data"], json!([]));
    assert_eq!(host.get("/v1/approvals")["data"].as_array().unwrap().len(), 2);
}

/// A run by the rules in force moves credits that exist, and one person alone could start it.
#[test]
fn a_run_that_moves_credits_waits_for_another_person() {
    let host = with_four_eyes();
    let text = super::PLAN.replace("credit_type", "value = \"tx.amount * 2\"\n  credit_type");
    let change = json!({ "files": { "plans/sellers.toml": text } });
    let waiting = ask(&host, "max", "POST", "/v1/changes", &change).json();
    let approve = format!("/v1/changes/{}/approve", waiting["change"]);
    assert_eq!(ask(&host, "ida", "POST", &approve, &json!({})).status, 200);

    let path = "/v1/calculations/sellers/2026-01/run";
    let dry = json!({ "mode": "full", "rules": "in_force", "dry_run": true });
    let dry = ask(&host, "max", "POST", path, &dry);
    assert_eq!((dry.status, &dry.json()["differing"]), (200, &json!(2)), "{}", dry.text);
    let checked = ask(&host, "max", "POST", path, &json!({ "mode": "full" }));
    assert_eq!((checked.status, &checked.json()["differing"]), (200, &json!(0)));

    let kept = ask(&host, "max", "POST", path, &json!({ "mode": "full", "rules": "in_force" }));
    assert_eq!(kept.status, 202, "{}", kept.text);
    assert_eq!(kept.json()["request"]["act"], "run");
    assert_eq!(host.credits("D-1")[0]["amount"], "100.00");

    let approve = format!("/v1/approvals/{}/approve", kept.json()["id"]);
    let done = ask(&host, "ida", "POST", &approve, &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
    let run = format!("/v1/runs/{}", done.json()["answer"]["id"]);
    let started = std::time::Instant::now();
    while host.get(&run)["state"] != "done" {
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{}", host.get(&run));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(host.credits("D-1")[0]["amount"], "200.00");
    assert_eq!(host.get("/v1/verify")["differing"], 0);
}

/// A change of what credits are worth: the second person sees what it pays, and the limit of the first
/// one still holds when deals have arrived meanwhile.
#[test]
fn a_change_that_waits_shows_what_it_pays_and_keeps_its_limit() {
    let host = with_four_eyes();
    let sellers = host.api("GET", "/v1/definitions/plans/sellers.toml", &[], "").text;
    let reward = "\n[[reward]]\nname = \"Extra\"\ntiers = [{ rate = \"50%\" }]\n";
    let text = format!("{sellers}{reward}");
    let change = json!({ "files": { "plans/sellers.toml": text }, "max_total": "150" });

    let waiting = ask(&host, "max", "POST", "/v1/changes", &change).json();
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    let shown = host.get(&format!("/v1/changes/{}", waiting["change"]));
    assert_eq!(shown["money"], waiting["money"]);
    let lines = shown["money"]["reward_lines"].as_array().unwrap();
    let ann = lines.iter().find(|line| line["payee"] == "ann" && line["reward"] == "Extra");
    let ann = ann.unwrap_or_else(|| panic!("{shown}"));
    // Half of the 100 that Ann is credited with; her other deal is held.
    assert_eq!((&ann["before"], &ann["after"]), (&json!("0.00"), &json!("50.00")), "{shown}");

    host.deliver("msg_3", &deal("D-3", "1000", ""));
    host.drained();
    let approve = format!("/v1/changes/{}/approve", waiting["change"]);
    let refused = ask(&host, "ida", "POST", &approve, &json!({})).problem(409, "stop_loss");
    assert!(refused["detail"].as_str().unwrap().contains("rewards"), "{refused}");
}

/// The second person was shown hashes, and approved what could only be read elsewhere.
#[test]
fn a_change_that_waits_has_its_texts_before_and_after() {
    let host = with_four_eyes();
    let hold = host.api("GET", "/v1/definitions/policies/hold/asked.rhai", &[], "").text;
    let plan = host.api("GET", "/v1/definitions/plans/sellers.toml", &[], "").text;
    let without = plan.replace("  hold = \"policy:asked\"\n", "");
    let value = "fn value(tx, to) { tx.amount }\n";
    let files = json!({
        "policies/hold/asked.rhai": null,
        "policies/value/whole.rhai": value,
        "plans/sellers.toml": without,
    });
    let waiting = ask(&host, "max", "POST", "/v1/changes", &json!({ "files": files })).json();
    assert_eq!(waiting["state"], "waiting", "{waiting}");

    let path = format!("/v1/changes/{}", waiting["change"]);
    let expected = json!([
        { "path": "plans/sellers.toml", "before": plan, "after": without },
        { "path": "policies/hold/asked.rhai", "before": hold, "after": null },
        { "path": "policies/value/whole.rhai", "before": null, "after": value },
    ]);
    let shown = host.get(&path);
    assert_eq!(shown["texts"], expected);
    assert_eq!(shown["files"]["policies/hold/asked.rhai"], json!(null));

    // It stays what it was when another set is in force.
    let approve = format!("{path}/approve");
    assert_eq!(ask(&host, "ida", "POST", &approve, &json!({})).status, 200);
    assert_eq!(host.get(&path)["texts"], expected);
}

/// A ruleset has the same hash whatever its cases say: the approval of a waiting case file took the
/// place of what another person had written meanwhile, and the text before it was that of today.
#[test]
fn a_waiting_case_file_does_not_replace_what_was_written_meanwhile() {
    let host = with_four_eyes();
    let path = "plans/sellers.cases.md";
    let text = |title: &str| {
        format!(
            "# Cases\n\n## {title}\n\n```csv transactions\nid,closed,amount,owner\n\
             D1,2026-01-10,100,ann\n```\n\n| transaction | amount |\n| --- | --- |\n| D1 | 100.00 |\n"
        )
    };
    let send = |title: &str| -> String {
        let body = json!({ "files": { path: text(title) } });
        let waiting = ask(&host, "max", "POST", "/v1/changes", &body).json();
        assert_eq!(waiting["state"], "waiting", "{waiting}");
        format!("/v1/changes/{}", waiting["change"])
    };
    let approve =
        |change: &str| ask(&host, "ida", "POST", &format!("{change}/approve"), &json!({}));

    let (first, second) = (send("First"), send("Second"));
    assert_eq!(approve(&first).status, 200);
    approve(&second).problem(409, "base_moved");
    assert_eq!(host.api("GET", &format!("/v1/definitions/{path}"), &[], "").text, text("First"));

    // The next one was made for the first, and shows its text also once it is in force.
    let third = send("Third");
    let expected = json!([{ "path": path, "before": text("First"), "after": text("Third") }]);
    assert_eq!(host.get(&third)["texts"], expected);
    assert_eq!(approve(&third).status, 200);
    assert_eq!(host.get(&third)["texts"], expected);
}
