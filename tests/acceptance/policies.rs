//! Policies of every kind on a real directory: what they may answer, and whom a wrong answer blames.
//!
//! Expectations are derived by hand from FORMAT sections 4 to 6: Ann sells for 100 on 2022-01-12 and
//! reports to Max.

use serde_json::Value as Json;

use crate::company::put;
use crate::server::run;

const SETTINGS: &str = r#"[workspace]
name = "Policies"
[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"
"#;

const PEOPLE: &str = "id,name,title,manager\nann,Ann,Rep,max\nbob,Bob,Rep,max\nmax,Max,Manager,\n";
const SEATS: &str = "id,title,manager\nann,Rep,max\nbob,Rep,max\nmax,Manager,\n";
const DEAL: &str = "id,date,amount,owner,second\nD1,2022-01-12,100.00,ann,\n";

const PLAN: &str = r#"name = "P"
targets = ["*"]
split = "equal"
TOP
[[direct]]
name = "Deal"
RULE
[[direct.results]]
name = "Credit"
rollable = true
[[indirect]]
name = "Manager"
relationship = "Reporting"
[[indirect.results]]
name = "Override"
"#;

/// What comes of the deal when the policy of this kind is `source`: credits, then what is parked, then
/// alerts.
fn outcome(kind: &str, source: &str, more: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let (top, rule) = match kind {
        "filter" => ("filter = \"policy:x\"".to_owned(), ""),
        "crediting" => (String::new(), "assign = \"policy:x\""),
        kind => (format!("policies = {{ {kind} = \"x\" }}"), ""),
    };
    put(dir.path(), "accredit.toml", SETTINGS);
    put(dir.path(), "organization/participants.csv", PEOPLE);
    put(dir.path(), "transactions/deals.csv", DEAL);
    put(dir.path(), "plans/p.toml", &PLAN.replace("TOP", &top).replace("RULE", rule));
    put(dir.path(), &format!("policies/{kind}/x.rhai"), source);
    for (path, text) in more {
        put(dir.path(), path, text);
    }
    let path = dir.path().to_str().unwrap();
    let (code, out, err) = run(&["calculate", path, "--plan", "p", "--period", "2022-01"]);
    if code != 0 {
        return vec![err.lines().next().unwrap_or_default().to_owned()];
    }
    let made: Json = serde_json::from_str(&out).unwrap();
    let rows = |key: &str| made[key].as_array().unwrap().clone();
    let text = |row: &Json, key: &str| match &row[key] {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let join = |row: &Json, keys: &[&str]| {
        let parts: Vec<String> = keys.iter().map(|key| text(row, key)).collect();
        parts.join(" ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = Vec::new();
    for row in rows("credits") {
        lines.push(join(&row, &["position", "amount", "status", "reason"]));
    }
    for (key, word) in [("parked", "parked"), ("uncredited", "uncredited"), ("alerts", "alert")] {
        for row in rows(key) {
            let keys = ["code", "policy", "file", "line", "column", "message"];
            lines.push(format!("{word} {}", join(&row, &keys)));
        }
    }
    lines
}

fn check(kind: &str, cases: &[(&str, &[&str])]) {
    for (source, expected) in cases {
        assert_eq!(outcome(kind, source, &[]), *expected, "{source}");
    }
}

/// An answer that does not fit was parked without a word of the policy, and a failing hold hid its place
/// in the message: nobody could jump to the line.
#[test]
fn a_wrong_answer_blames_its_policy() {
    let unknown = "policy_error crediting/x policies/crediting/x.rhai 1 1 \
                   the weight of `ann[x]` is not a number from 0";
    check(
        "crediting",
        &[
            (
                "fn credit(tx) { \"ann[x]\" }",
                &[&format!("parked {unknown}"), &format!("alert {unknown}")],
            ),
            // A blank second rep took half of the deal.
            (
                "fn credit(tx) { [tx.owner, tx[\"second\"]] }",
                &["ann 100.00 active", "max 100.00 active"],
            ),
        ],
    );
    check(
        "hold",
        &[
            (
                "fn hold(tx, credit) {\n    throw \"not yet\"\n}",
                &[
                    "ann 100.00 held policy_error",
                    "alert policy_error hold/x policies/hold/x.rhai 2 5 not yet",
                ],
            ),
            (
                "fn hold(tx, credit) { hold_until_period(\"soon\") }",
                &[
                    "ann 100.00 held policy_error",
                    "alert policy_error hold/x policies/hold/x.rhai 1 1 there is no period `soon`",
                ],
            ),
            // A credit that is held always says why.
            ("fn hold(tx, credit) { hold_indefinitely() }", &["ann 100.00 held indefinite"]),
        ],
    );
    let nobody = "policy_error rollup/x policies/rollup/x.rhai 1 1 \
                  `nope` is not one of the workspace's credit types";
    check(
        "rollup",
        &[(
            "fn roll(tx, credit, to, existing) { #{ amount: 1, credit_type: \"nope\" } }",
            &[&format!("parked {nobody}"), &format!("alert {nobody}")],
        )],
    );
}

/// A policy that asked `existing` for relationships, and a filter that asked for the period, parked
/// every deal.
#[test]
fn what_is_absent_and_what_is_early_can_be_asked() {
    check(
        "rollup",
        &[(
            "fn roll(tx, credit, to, existing) {\n    for e in existing {\n        \
             if e.relationship == \"Reporting\" { return (); }\n    }\n    5\n}",
            &["ann 100.00 active", "max 5.00 active"],
        )],
    );
    check(
        "filter",
        &[
            (
                "fn include(tx) { tx.period == \"2022-01\" && tx.has(\"period\") }",
                &["ann 100.00 active", "max 100.00 active"],
            ),
            ("fn include(tx) { tx.period == \"2022-02\" }", &[]),
            ("fn include(tx) { tx.amount = 5; true }", &["[CR008] Error: `tx` cannot be changed"]),
        ],
    );
}

/// The alert said that a position was vacant to which nothing rolled.
#[test]
fn a_vacant_position_matters_when_it_is_credited() {
    let seats = [
        ("organization/participants.csv", "id,name\nann,Ann\n"),
        ("organization/positions.csv", SEATS),
        ("organization/assignments.csv", "position,participant\nann,ann\n"),
    ];
    let vacant = "alert vacant     `max` is vacant on 2022-01-12";
    for (value, expected) in [
        ("if to.payee == () { () } else { 5 }", vec!["ann 100.00 active"]),
        ("5", vec!["ann 100.00 active", "max 5.00 active", vacant]),
    ] {
        let source = format!("fn roll(tx, credit, to, existing) {{ {value} }}");
        assert_eq!(outcome("rollup", &source, &seats), expected, "{value}");
    }
}

/// A rollup policy of the plan took away the hold, the maximum and the credit type that a result had of
/// its own, although the nearest word wins.
#[test]
fn a_result_says_more_than_the_policy_of_its_plan() {
    let source = "fn roll(tx, credit, to, existing) {\n    \
                  #{ amount: 80, maximum: 50, hold: hold_for(1, \"days\") }\n}";
    for (setting, expected) in [
        ("", "max 50.00 held until 2022-01-13"),
        ("maximum = \"30\"", "max 30.00 held until 2022-01-13"),
        ("hold = \"days:9\"", "max 50.00 held until 2022-01-21"),
        ("hold = \"none\"", "max 50.00 active"),
        ("value = \"credit.amount / 4\"", "max 25.00 active"),
    ] {
        let plan = PLAN.replace("TOP", "policies = { rollup = \"x\" }").replace("RULE", "");
        let plan = format!("{plan}{setting}\n");
        let lines = outcome("rollup", source, &[("plans/p.toml", &plan)]);
        assert_eq!(lines[1], expected, "{setting}: {lines:?}");
    }
}
