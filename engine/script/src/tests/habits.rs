//! Warnings about what runs but is hardly meant: unreachable statements, people, weights, rounding.

use std::collections::BTreeSet;

use super::{known, program};
use crate::{CheckContext, check as findings};
use accredit_domain::diagnostic::Severity;
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramForm};

fn knows() -> CheckContext {
    let people = ["ann lee", "bob", "a@acme.com"].map(str::to_owned);
    CheckContext { people: BTreeSet::from(people), ..known() }
}

/// Findings as `CODE line:column message`; all of them warnings.
fn check(form: ProgramForm, known: &CheckContext, cases: &[(&str, &[&str])]) {
    for (source, expected) in cases {
        let found = findings(&program(form, source), known).into_iter().map(|finding| {
            assert_eq!(finding.severity, Severity::Warning, "{source}: {finding:?}");
            assert!(finding.help.is_some(), "{source}");
            let (line, column) = (finding.place.line, finding.place.column);
            format!("{} {line}:{column} {}", finding.code, finding.message)
        });
        assert_eq!(found.collect::<Vec<_>>(), *expected, "{source}");
    }
}

const BEHIND: &str = "nothing after `return`, `throw`, `break` or `continue` is reached";

#[test]
fn statements_behind_the_end_of_a_block() {
    let at = |place: &str| format!("CR012 {place} {BEHIND}");
    let cases: [(&str, Option<&str>); 8] = [
        ("fn value(tx, to) {\n  return 1;\n  2\n}", Some("3:3")),
        ("fn value(tx, to) { throw \"no\"; tx.amount }", Some("1:32")),
        ("fn value(tx, to) { if tx.renewal { return 1; } 2 }", None),
        ("fn value(tx, to) { if tx.renewal { return 1; } else { throw \"x\"; } 2 }", Some("1:68")),
        ("fn value(tx, to) { for n in 1..3 { continue; let _x = n; } 2 }", Some("1:46")),
        ("fn value(tx, to) { for n in 1..3 { break; } 2 }", None),
        ("fn value(tx, to) { let n = 1; { return n; n = 2; } }", Some("1:43")),
        ("fn value(tx, to) { return 1; }", None),
    ];
    for (source, place) in cases {
        let expected: Vec<String> = place.map(at).into_iter().collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(ProgramForm::Policy(PolicyKind::Value), &knows(), &[(source, &expected)]);
    }
}

#[test]
fn people_in_programs() {
    check(
        ProgramForm::Policy(PolicyKind::Crediting),
        &knows(),
        &[
            (
                "fn credit(tx) { \"Ann Lee\" }",
                &["CR013 1:17 `Ann Lee` is a person of the organisation"],
            ),
            (
                "fn credit(tx) { share(\" BOB \") }",
                &["CR013 1:23 `BOB` is a person of the organisation"],
            ),
            (
                "const WHO = \"a@acme.com\";\nfn credit(tx) { WHO }",
                &["CR013 1:13 `a@acme.com` is a person of the organisation"],
            ),
            ("fn credit(tx) { \"desk\" }", &[]),
            ("fn credit(tx) { \"Ann\" }", &[]),
        ],
    );
    check(
        ProgramForm::Expression(ExpressionUse::Filter),
        &CheckContext { open: true, ..knows() },
        &[
            ("tx[\"bob\"] == \"x\" || tx.has(\"bob\")", &[]),
            (
                "tx[\"deal_stage\"] == \"Bob\"",
                &["CR013 1:21 `Bob` is a person of the organisation"],
            ),
        ],
    );
}

#[test]
fn weights_that_are_written_out() {
    let cases: &[(&str, &[&str])] = &[
        ("fn credit(tx) { [share(\"a\", 0.4), share(\"b\", 0.6)] }", &[]),
        (
            "fn credit(tx) { [share(\"a\", 0.4), share(\"b\", 0.5)] }",
            &["CR014 1:17 the weights sum to 0.9, not to 1"],
        ),
        ("fn credit(tx) { [share(\"a\", 0.4), share(\"b\", tx.amount)] }", &[]),
        ("fn credit(tx) { [share(\"a\", 0.4), share(\"b\")] }", &[]),
        ("fn credit(tx) { \"a[0.4];b[0.6]\" }", &[]),
        ("fn credit(tx) { \"a[0.4]||b[0.7]\" }", &["CR014 1:17 the weights sum to 1.1, not to 1"]),
        ("fn credit(tx) { \"a[0.4];b\" }", &[]),
        ("fn credit(tx) { [] }", &[]),
    ];
    check(ProgramForm::Policy(PolicyKind::Crediting), &knows(), cases);
    let on_top = "fn credit(tx) { [share(\"a\", 1), share(\"b\", 0.25)] }";
    check(ProgramForm::Policy(PolicyKind::Crediting), &knows(), &[(on_top, &[])]);
    let strict = CheckContext { total_one: true, ..knows() };
    let found = ["CR014 1:17 the weights sum to 1.25, not to 1"];
    check(ProgramForm::Policy(PolicyKind::Crediting), &strict, &[(on_top, &found)]);
    // A list of shares is nothing that a filter answers with.
    let filter = "fn include(tx) { [share(\"a\", 0.4)].len() == 1 }";
    check(ProgramForm::Policy(PolicyKind::Filter), &knows(), &[(filter, &[])]);
}

#[test]
fn amounts_rounded_to_whole_units() {
    let said = "the amount is rounded to whole units";
    let at = |place: &str| format!("CR015 {place} {said}");
    let cases = [
        (PolicyKind::Value, "fn value(tx, to) { round(tx.amount * 0.1) }", Some("1:20")),
        (PolicyKind::Value, "fn value(tx, to) { tx.amount.round() }", Some("1:20")),
        (PolicyKind::Value, "fn value(tx, to) { round(tx.amount, 0) }", None),
        (PolicyKind::Value, "fn value(tx, to) { round(tx.Units / 12) * 12 }", None),
        (PolicyKind::Value, "fn value(tx, to) { let n = round(tx.amount); n + 0.5 }", None),
        (
            PolicyKind::Rollup,
            "fn roll(tx, credit, to, existing) { #{ amount: round(1.5) } }",
            Some("1:48"),
        ),
        (PolicyKind::Filter, "fn include(tx) { round(tx.amount) == 1 }", None),
    ];
    for (kind, source, place) in cases {
        let expected: Vec<String> = place.map(at).into_iter().collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(ProgramForm::Policy(kind), &knows(), &[(source, &expected)]);
        let whole = CheckContext { whole_units: true, ..knows() };
        check(ProgramForm::Policy(kind), &whole, &[(source, &[])]);
    }
}
