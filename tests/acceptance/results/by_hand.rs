//! Credits that people give without a deal: kept by every run, posted, rewarded and taken back.
//!
//! Expectations are derived by hand from REWARDS section 7: Max manages Ann and gets the whole of what
//! rolls up to him; everybody is paid a tenth of what is credited in the own period.

use serde_json::{Value as Json, json};

use super::{Office, deal, done, post, refused, statements};
use crate::company;
use crate::server::{Server, TOKEN, run};

fn office() -> Office {
    Office::with(|workspace| {
        let reward = "\n[[reward]]\nname = \"Commission\"\ntiers = [{ rate = \"0.10\" }]\n";
        let plan = format!("{}{reward}", company::FILES[2].1);
        company::put(workspace, "plans/reps.toml", &plan);
    })
}

fn credit(period: &str, amount: &str) -> Json {
    json!({
        "payee": "ann", "plan": "reps", "period": period, "credit_type": "credit",
        "amount": amount, "reason_code": "Split Correction", "comment": "The CRM lost a deal.",
    })
}

fn with(mut body: Json, more: &[(&str, Json)]) -> Json {
    for (name, value) in more {
        body[*name] = value.clone();
    }
    body
}

/// Every manual entry and what rolled from it, a line each, in order of the periods.
fn lines(server: &Server) -> Vec<String> {
    let rows = server.credits("plan=reps");
    let rows = rows.iter().filter(|row| row["transaction"].as_str().unwrap().starts_with("manual"));
    let text = |row: &Json, key: &str| row[key].as_str().unwrap().to_owned();
    let line =
        |row: &Json| ["period", "payee", "amount", "origin"].map(|key| text(row, key)).join(" ");
    let mut lines: Vec<String> = rows.map(line).collect();
    lines.sort();
    lines
}

/// Period, payee, amount and corrected period of every reward, a line each.
fn rewards(server: &Server) -> Vec<String> {
    let rows = done(&server.get("/v1/rewards?plan=reps"))["data"].clone();
    let text = |row: &Json, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let line =
        |row: &Json| ["period", "payee", "amount", "corrects"].map(|key| text(row, key)).join(" ");
    let mut lines: Vec<String> = rows.as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines
}

fn sound(server: &Server) {
    let checked = done(&server.get("/v1/verify"));
    assert_eq!((&checked["differing"], &checked["damage"]), (&json!(0), &json!([])), "{checked}");
    assert_eq!(done(&server.get("/v1/audit/verify"))["problems"], json!([]));
}

/// What the trail has of manual credits, the last act first.
fn acts(server: &Server) -> Vec<String> {
    let trail = done(&server.get("/v1/audit"))["data"].clone();
    let acts = trail.as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap());
    acts.filter(|what| what.starts_with("credit_")).map(str::to_owned).collect()
}

/// A manual credit is in the list, its explanation, the statement and the deal's place, but is no deal.
fn seen_everywhere(server: &Server, plain: &Json) {
    let manual = server.credits("origin=manual");
    assert_eq!(manual.len(), 2);
    let id = plain["credit"]["id"].as_str().unwrap();
    let why = done(&server.get(&format!("/v1/credits/{id}/explain"))).to_string();
    for part in ["manual: ", "Split Correction", "The CRM lost a deal."] {
        assert!(why.contains(part), "{part}: {why}");
    }
    done(&post(server, "/v1/calculations/reps/2026-11/release", &json!({"what": "credits"})));
    let statement = statements(server, "ann")[0]["credits"].to_string();
    assert!(statement.contains("\"50.00\"") && statement.contains("\"manual\""), "{statement}");
    let deals = done(&server.get("/v1/transactions"))["data"].clone();
    assert_eq!(deals.as_array().unwrap().len(), 1, "{deals}");
    let place = done(&server.get("/v1/transactions/manual:1"));
    assert_eq!(place["manual_credit"]["given"]["comment"], "The CRM lost a deal.");
}

/// A credit that no deal brings could only be given by a false deal, which every report counted.
#[test]
fn a_credit_by_hand_is_kept_by_every_run_and_taken_back_once() {
    let office = office();
    let server = office.open("2026-11-29");
    deal(&server, "m1", "D1", "2026-11-15", "100");

    let plain = done(&post(&server, "/v1/credits", &credit("2026-11", "50")));
    let given = &plain["credit"];
    assert_eq!(
        (&given["origin"], &given["amount"]),
        (&json!("manual"), &json!("50.00")),
        "{plain}"
    );
    assert_eq!(
        (&given["incentive_date"], &given["kind"]),
        (&json!("2026-11-30"), &json!("direct"))
    );
    let rolling = with(credit("2026-11", "7"), &[("rolls_up", json!(true))]);
    let rolling = done(&post(&server, "/v1/credits", &rolling));
    let eleven = [
        "2026-11 ann 50.00 manual",
        "2026-11 ann 7.00 manual",
        "2026-11 dee 7.00 calculated",
        "2026-11 max 7.00 calculated",
    ];
    assert_eq!(lines(&server), eleven);
    assert_eq!(
        rewards(&server),
        ["2026-11 ann 15.70 -", "2026-11 dee 10.70 -", "2026-11 max 10.70 -"]
    );

    // A restart, a full run by the rules in force, and an activation that decides again.
    server.kill();
    let server = office.open("2026-11-30");
    let full = json!({"mode": "full", "rules": "in_force"});
    done(&post(&server, "/v1/calculations/reps/2026-11/run", &full));
    assert_eq!(lines(&server), eleven);
    let half = json!({"policies/rollup/share.rhai": company::rollup(50)});
    done(&post(&server, "/v1/changes", &json!({"files": half, "effective": "recredit"})));
    server.wait("it is decided again", || {
        lines(&server).contains(&"2026-11 max 3.50 calculated".into())
    });
    done(&post(&server, "/v1/calculations/reps/2026-11/run", &json!({"mode": "incremental"})));
    sound(&server);

    seen_everywhere(&server, &plain);

    // Taken back, with what rolled from it; once.
    let id = rolling["credit"]["id"].clone();
    let back = json!({"reverses": id, "reason_code": "Split Correction"});
    let reversal = done(&post(&server, "/v1/credits", &back));
    assert_eq!((&reversal["reverses"], &reversal["credit"]["reverses"]), (&id, &id));
    refused(&post(&server, "/v1/credits", &back), 409, "already_reversed");
    assert_eq!(
        lines(&server),
        [
            "2026-11 ann -7.00 manual",
            "2026-11 ann 50.00 manual",
            "2026-11 ann 7.00 manual",
            "2026-11 dee -3.50 calculated",
            "2026-11 dee 3.50 calculated",
            "2026-11 max -3.50 calculated",
            "2026-11 max 3.50 calculated",
        ]
    );
    assert_eq!(rewards(&server)[0], "2026-11 ann 15.00 -");
    done(&post(&server, "/v1/calculations/reps/2026-11/run", &full));
    sound(&server);
    server.kill();
    let server = office.open("2026-12-01");
    assert_eq!(lines(&server).len(), 7);
    assert_eq!(done(&server.get("/v1/credits/manual"))["data"].as_array().unwrap().len(), 3);
    assert_eq!(acts(&server), ["credit_reversed", "credit_added", "credit_added"]);
}

/// A credit for a period that takes nothing more counts in the earliest open one; its reward is that
/// of its own period.
#[test]
fn a_credit_by_hand_for_a_locked_period_is_posted_later_and_rewarded_there() {
    let office = office();
    let server = office.open("2026-11-03");
    deal(&server, "m1", "D1", "2026-10-15", "100");
    done(&post(&server, "/v1/periods/2026-10/close", &json!({})));

    let given = done(&post(&server, "/v1/credits", &credit("2026-10", "50")));
    assert_eq!(given["requested_period"], "2026-10");
    assert_eq!(lines(&server), ["2026-11 ann 50.00 manual"]);
    // Its rewards are not confirmed: they are those of its own period, all together.
    assert!(rewards(&server).contains(&"2026-10 ann 15.00 -".to_owned()), "{:?}", rewards(&server));
    sound(&server);

    // Reopened, it goes home; finalized, what takes it back comes later.
    done(&post(&server, "/v1/periods/2026-10/reopen", &json!({})));
    assert_eq!(lines(&server), ["2026-10 ann 50.00 manual"]);
    assert!(rewards(&server).contains(&"2026-10 ann 15.00 -".to_owned()), "{:?}", rewards(&server));
    let force = json!({"force": true, "reason": "No earlier deals."});
    done(&post(&server, "/v1/periods/2026-10/finalize", &force));
    let back = json!({"reverses": given["credit"]["id"], "reason_code": "Split Correction"});
    done(&post(&server, "/v1/credits", &back));
    assert_eq!(lines(&server), ["2026-10 ann 50.00 manual", "2026-11 ann -50.00 manual"]);
    assert!(
        rewards(&server).contains(&"2026-11 ann -5.00 2026-10".to_owned()),
        "{:?}",
        rewards(&server)
    );

    // A reversal that was frozen is posted again by nothing.
    server.kill();
    let server = office.open("2026-12-02");
    done(&post(&server, "/v1/periods/2026-11/finalize", &force));
    let full = json!({"mode": "full", "rules": "in_force"});
    done(&post(&server, "/v1/calculations/reps/2026-10/run", &full));
    let half = json!({"policies/rollup/share.rhai": company::rollup(50)});
    done(&post(&server, "/v1/changes", &json!({"files": half, "effective": "recredit"})));
    server.wait("it is decided again", || done(&server.get("/v1/status"))["recredit"].is_null());
    assert_eq!(lines(&server), ["2026-10 ann 50.00 manual", "2026-11 ann -50.00 manual"]);
    sound(&server);
}

/// Without a payee the credit is that of the holder of the position.
#[test]
fn a_credit_by_hand_to_a_position_is_paid_to_its_holder() {
    let office = office();
    let server = office.open("2026-11-03");
    let by_position =
        with(credit("2026-10", "50"), &[("payee", Json::Null), ("position", json!("ann"))]);
    let given = done(&post(&server, "/v1/credits", &by_position));
    let force = json!({"force": true, "reason": "No earlier deals."});
    done(&post(&server, "/v1/periods/2026-10/finalize", &force));
    let back = json!({"reverses": given["credit"]["id"], "reason_code": "Split Correction"});
    done(&post(&server, "/v1/credits", &back));
    sound(&server);
    server.kill();

    let server = office.open("2026-12-02");
    done(&post(&server, "/v1/periods/2026-11/finalize", &force));
    assert_eq!(lines(&server), ["2026-10 ann 50.00 manual", "2026-11 ann -50.00 manual"]);
    let november: Vec<String> =
        rewards(&server).into_iter().filter(|line| line.contains("ann")).collect();
    assert_eq!(november, ["2026-10 ann 5.00 -", "2026-11 ann -5.00 2026-10"]);
    sound(&server);
}

#[test]
fn what_cannot_be_credited_by_hand_is_refused() {
    let office = office();
    let server = office.open("2026-11-03");
    deal(&server, "m1", "D1", "2026-11-01", "100");
    let refused_with = |more: &[(&str, Json)], status: u16, code: &str| {
        refused(&post(&server, "/v1/credits", &with(credit("2026-11", "5"), more)), status, code)
    };
    refused_with(&[("reason_code", Json::Null)], 422, "reason_code_needed");
    refused_with(&[("reason_code", json!("mood"))], 422, "unknown_reason_code");
    refused_with(&[("payee", json!("nobody"))], 422, "unknown_payee");
    refused_with(&[("position", json!("nowhere"))], 422, "unknown_position");
    refused_with(&[("payee", Json::Null)], 422, "position_needed");
    refused_with(&[("credit_type", json!("mood"))], 422, "unknown_credit_type");
    refused_with(&[("unit_type", json!("shells"))], 422, "unknown_unit_type");
    refused_with(&[("amount", json!("0.005"))], 422, "bad_amount");
    refused_with(&[("period", json!("2026"))], 422, "other_period");
    refused_with(&[("incentive_date", json!("2026-12-01"))], 422, "bad_incentive_date");
    refused_with(&[("period", Json::Null)], 422, "bad_incentive_date");
    refused_with(&[("plan", json!("none"))], 404, "not_found");
    refused_with(&[("amount", Json::Null)], 400, "bad_request");

    let from_deal = server.credits("transaction=D1&payee=ann")[0]["id"].clone();
    let back = json!({"reverses": from_deal, "reason_code": "Split Correction"});
    refused(&post(&server, "/v1/credits", &back), 422, "not_manual");

    // The key keeps a repeated request once; other acts on it are refused.
    let headers = [("content-type", "application/json"), ("idempotency-key", "first")];
    let body = credit("2026-11", "5").to_string();
    let first = done(&server.post_with("/v1/credits", &headers, &body));
    assert_eq!(done(&server.post_with("/v1/credits", &headers, &body)), first);
    assert_eq!(lines(&server), ["2026-11 ann 5.00 manual"]);
    let id = first["credit"]["id"].as_str().unwrap();
    let hold = post(&server, &format!("/v1/credits/{id}/hold"), &json!({}));
    refused(&hold, 409, "manual_credit");
    let adjusted = json!({"action": "adjust_by", "amount": "1", "reason_code": "Split Correction"});
    for path in [format!("/v1/credits/{id}"), "/v1/transactions/manual:1".to_owned()] {
        refused(&post(&server, &format!("{path}/adjustments"), &adjusted), 409, "manual_credit");
    }
    refused(&server.delete("/v1/transactions/manual:1?reason=no"), 409, "manual_credit");

    // A delivered row with its key is no version of it.
    let intruder = json!({"id": "manual:1", "date": "2026-11-01", "amount": "9", "owner": "Bob"});
    assert_eq!(server.hook("m2", &intruder.to_string()).unwrap().status, 202);
    server.settle();
    assert_eq!(lines(&server), ["2026-11 ann 5.00 manual"]);
    sound(&server);
}

/// The same from the command line.
#[test]
fn acts_by_hand_have_verbs() {
    let office = office();
    let server = office.open("2026-11-03");
    deal(&server, "m1", "D1", "2026-11-01", "100");
    let verb = |arguments: &[&str]| {
        let to = ["--server", &server.url, "--token", TOKEN];
        run(&[arguments, &to].concat())
    };
    let answer = |arguments: &[&str]| -> Json {
        let (code, out, error) = verb(arguments);
        assert_eq!(code, 0, "{out}\n{error}");
        serde_json::from_str(&out).unwrap()
    };

    let why = ["--reason-code", "Split Correction", "--comment", "By phone."];
    let about = ["--plan", "reps", "--payee", "ann", "--period", "2026-11"];
    let typed = ["--credit-type", "credit", "--amount", "-5", "--rolls-up", "--key", "one"];
    let add = [&["credit", "add"], &about[..], &typed, &why].concat();
    let given = answer(&add);
    assert_eq!(given["credit"]["amount"], "-5.00");
    assert_eq!(answer(&add), given, "the key keeps it once");
    assert_eq!(lines(&server).len(), 3);
    let id = given["credit"]["id"].as_str().unwrap();
    let reverse = [&["credit", "reverse", id], &why[..]].concat();
    assert_eq!(answer(&reverse)["reverses"], id);
    let (code, _, error) = verb(&reverse);
    assert!(code == 1 && error.contains("already"), "{code}: {error}");

    let bonus = [&["reward", "add"], &about[..], &["--amount", "250"], &why].concat();
    let reward = answer(&bonus)["reward"]["id"].as_str().unwrap().to_owned();
    let back = [&["reward", "reverse", &reward], &why[..]].concat();
    assert_eq!(answer(&back)["reverses"], reward);

    let void = answer(&["transaction", "void", "D1", "--reason", "Cancelled."]);
    assert_eq!(void["void"]["reason"], "Cancelled.");
    let rows = answer(&["transaction", "list", "--format", "json"]);
    assert_eq!((&rows[0]["id"], &rows[0]["void"]), (&json!("D1"), &json!("Cancelled.")), "{rows}");
    let (_, table, _) = verb(&["transaction", "list", "--id", "D", "--plan", "reps"]);
    assert!(table.contains("Cancelled."), "{table}");
    let (_, help, _) = run(&["credit", "add", "--help"]);
    assert!(help.contains("--rolls-up") && help.contains("--reason-code"), "{help}");
}
