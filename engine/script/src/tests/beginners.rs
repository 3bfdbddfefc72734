//! What people write who know another language, or a spreadsheet: each mistake is found where it
//! stands, with what to write instead; and what is right is left alone.

use std::collections::BTreeSet;

use super::{known, program, run};
use crate::{CheckContext, api, check as findings};
use accredit_domain::policy::{PolicyKind, ProgramForm};

fn knows() -> CheckContext {
    let types = ["booking", "overlay"].map(str::to_owned);
    let people = BTreeSet::from(["ann lee".to_owned()]);
    CheckContext { credit_types: BTreeSet::from(types), people, ..known() }
}

/// Findings as `CODE line:column message; help`, cut to the length of what is expected.
fn check(kind: PolicyKind, cases: &[(&str, &[&str])]) {
    for (source, expected) in cases {
        let found = findings(&program(ProgramForm::Policy(kind), source), &knows());
        let shown: Vec<String> = found
            .into_iter()
            .map(|finding| {
                let help = finding.help.map(|help| format!("; {help}")).unwrap_or_default();
                let (line, column) = (finding.place.line, finding.place.column);
                format!("{} {line}:{column} {}{help}", finding.code, finding.message)
            })
            .collect();
        let begins =
            shown.iter().zip(*expected).all(|(found, expected)| found.starts_with(expected));
        assert!(begins && shown.len() == expected.len(), "{source}\n{shown:#?}");
    }
}

/// A way to the end that answers nothing is as wrong as a wrong answer, unless nothing is one.
#[test]
fn every_way_ends_with_an_answer() {
    const NONE: &str = "the result must be a number, but there is none";
    let at = |place: &str| format!("CR011 {place} {NONE}");
    let cases = [
        ("fn value(tx, to) {\n  if tx.renewal { 1 }\n}", "2:3"),
        ("fn value(tx, to) { if tx.renewal { 1 } else if tx.amount > 1 { 2 } }", "1:45"),
        ("fn value(tx, to) { }", "1:4"),
        ("fn value(tx, to) { let _x = tx.amount; }", "1:24"),
        ("fn value(tx, to) { let n = 0; for i in 1..3 { n += i; } }", "1:31"),
        ("fn value(tx, to) { let n = 0; while n < 3 { n += 1; } }", "1:31"),
        ("fn value(tx, to) { if tx.renewal { return; } 1 }", "1:36"),
        ("fn value(tx, to) { try { 1 } catch (e) { throw e } }", "1:20"),
        ("fn value(tx, to) { if tx.renewal { } else { 1 } }", "1:20"),
    ];
    for (source, place) in cases {
        check(PolicyKind::Value, &[(source, &[&at(place)])]);
    }
    let fine = [
        "fn value(tx, to) { if tx.renewal { 1 } else { throw \"no\" } }",
        "fn value(tx, to) { if tx.renewal { return 1; } throw \"no\" }",
        "fn value(tx, to) { let n = 0; loop { n += 1; if n > 3 { return n; } } }",
        "fn value(tx, to) { let n = 0; loop { n += 1; if n > 3 { break n; } } }",
        "fn value(tx, to) { tx.amount; }",
        "fn value(tx, to) { return if tx.renewal { 1 } else { 2 }; }",
        "fn note(x) { if x > 1 { throw \"no\" } } fn value(tx, to) { note(tx.amount); 1 }",
    ];
    fine.into_iter().for_each(|source| check(PolicyKind::Value, &[(source, &[])]));
    check(PolicyKind::Crediting, &[("fn credit(tx) { if tx.renewal { tx.default_credit } }", &[])]);
    check(
        PolicyKind::Rollup,
        &[("fn roll(tx, credit, to, existing) { if to.level < 3 { 1 } }", &[])],
    );
}

#[test]
fn variables_keep_their_kinds_until_they_are_assigned() {
    check(
        PolicyKind::Value,
        &[
            (
                "fn value(tx, to) { let a = tx.amount; if a == \"5\" { 1 } else { 2 } }",
                &["CR010 1:47 cannot compare number with text"],
            ),
            (
                "fn value(tx, to) { let tx = \"x\"; tx.amount }",
                &["CR002 1:37 text has no field `amount`"],
            ),
            ("fn value(tx, to) { let a = \"\"; a = 5; if a == 5 { 1 } else { 2 } }", &[]),
            ("fn value(tx, to) { let a; if tx.renewal { a = 5; } else { a = 6; } a }", &[]),
            ("fn value(tx, to) { let a = 1; { let a = \"x\"; a.len(); } a + 1 }", &[]),
        ],
    );
}

#[test]
fn conditions_arguments_and_calculations_have_kinds() {
    check(
        PolicyKind::Value,
        &[
            (
                "fn value(tx, to) { if tx.amount { 1 } else { 2 } }",
                &["CR004 1:23 `if` needs true or false, this is number"],
            ),
            (
                "fn value(tx, to) { if !tx.deal_stage || tx.amount { 1 } else { 2 } }",
                &[
                    "CR004 1:24 `!` needs true or false, this is text",
                    "CR004 1:41 `||` needs true or false, this is number",
                ],
            ),
            (
                "fn value(tx, to) { if starts_with(tx.amount, \"5\") { 1 } else { month(\"x\") } }",
                &[
                    "CR004 1:23 `starts_with` cannot be used with number, text",
                    "CR004 1:64 `month` cannot be used with text",
                ],
            ),
            (
                "fn value(tx, to) { tx.deal_stage * 2 + tx.date }",
                &[
                    "CR004 1:20 cannot multiply text and number; write number(text)",
                    "CR004 1:40 cannot add number and date; write add_days",
                ],
            ),
            ("fn value(tx, to) { tx.amount / 0 }", &["CR004 1:32 division by zero"]),
            ("fn value(tx, to) { number(\"1,000\") }", &["CR004 1:20 `1,000` is not a number"]),
            ("fn value(tx, to) { (\"n\" + 1 + tx.date + true).len() + -tx.amount }", &[]),
        ],
    );
    check(
        PolicyKind::Hold,
        &[
            (
                "fn hold(tx, credit) { hold_until_next(\"quater\") }",
                &["CR004 1:23 `quater` is not a kind of period"],
            ),
            (
                "fn hold(tx, credit) { hold_until(\"2026-02-31\") }",
                &["CR004 1:23 `hold_until` cannot be used with text"],
            ),
            (
                "fn hold(tx, credit) { date(\"31.12.2026\") }",
                &["CR004 1:23 `31.12.2026` is not a date"],
            ),
            ("fn hold(tx, credit) { hold_for(30, \"days\") }", &[]),
        ],
    );
    check(
        PolicyKind::Crediting,
        &[(
            "fn credit(tx) { share(0.5, \"desk\") }",
            &["CR004 1:17 `share` cannot be used with number, text"],
        )],
    );
}

/// A call that is refused because of its arguments faults when it is made.
#[test]
fn arguments_that_are_refused_fault_at_run_time() {
    let values = ["\"a\"", "1", "1.5", "date(2022, 1, 31)", "true", "[1]", "#{a: 1}", "()", "tx"];
    let mut refused = 0;
    for function in api::all_functions().filter(|it| it.name.starts_with(char::is_alphabetic)) {
        // A table has up to twelve keys and ranges, which are too many to try.
        for arity in function.arities.iter().filter(|arity| **arity <= 3) {
            for index in 0..values.len().pow(u32::try_from(*arity).unwrap()) {
                let digit = |place: usize| {
                    let scale = values.len().pow(u32::try_from(place).unwrap());
                    values[index / scale % values.len()]
                };
                let given: Vec<&str> = (0..*arity).map(digit).collect();
                let call = format!("{}({})", function.name, given.join(", "));
                let source = format!("fn value(tx, to) {{ {call}; 1 }}");
                let program = program(ProgramForm::Policy(PolicyKind::Value), &source);
                let found = findings(&program, &knows());
                if found.iter().any(|one| one.message.contains("cannot be used with")) {
                    refused += 1;
                    assert!(
                        run(ProgramForm::Policy(PolicyKind::Value), &source).is_err(),
                        "{call}"
                    );
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn constants_stay_and_what_nothing_uses_is_named() {
    check(
        PolicyKind::Value,
        &[
            (
                "const RATE = 1;\nfn value(tx, to) { RATE = 2; 1 }",
                &["CR016 2:20 `RATE` is constant and cannot be changed"],
            ),
            // What was appended to a constant array was lost without a word.
            (
                "const A = [1];\nfn value(tx, to) { A.push(2); sum(A) }",
                &["CR016 2:20 `A` is constant and cannot be changed"],
            ),
            (
                "const A = [1];\nfn value(tx, to) { push(A, 2); sum(A) }",
                &["CR016 2:25 `A` is constant and cannot be changed"],
            ),
            (
                "const A = #{ x: 1 };\nfn value(tx, to) { A.x = 2; A.x }",
                &["CR016 2:20 `A` is constant and cannot be changed"],
            ),
            ("const A = [1];\nfn value(tx, to) { let a = A; a.push(2); sum(a) }", &[]),
            (
                "fn value(tx, to) { rate = 2; rate }",
                &["CR007 1:20 unknown variable `rate`; write `let rate = …` the first time"],
            ),
            (
                "const LIMIT = 1;\nfn old(x) { x }\nfn value(tx, to) { let n = 1; 2 }",
                &[
                    "CR017 1:7 nothing uses `LIMIT`",
                    "CR017 2:4 nothing calls `old`",
                    "CR017 3:24 nothing uses `n`",
                ],
            ),
            ("fn value(tx, to) { let _n = 1; 2 }", &[]),
            (
                "fn value(tx, to) { loop { } 1 }",
                &["CR012 1:20 this loop never ends", "CR012 1:29 nothing after a loop"],
            ),
            ("fn value(tx, to) { let n = 0; while true { n += 1; if n > 3 { break; } } n }", &[]),
        ],
    );
}

#[test]
fn maps_of_rollups_and_totals_of_rewards() {
    check(
        PolicyKind::Rollup,
        &[
            (
                "fn roll(tx, credit, to, existing) { #{ amuont: 5 } }",
                &[
                    "CR011 1:37 the map has no `amount`",
                    "CR011 1:40 a rollup policy cannot return a key `amuont`; did you mean",
                ],
            ),
            (
                "fn roll(tx, credit, to, existing) { #{ amount: \"5\", credit_type: \"overlai\" } }",
                &[
                    "CR011 1:48 `amount` must be a number, this is text",
                    "CR025 1:66 there is no credit type `overlai`; did you mean `overlay`?",
                ],
            ),
            (
                "fn roll(tx, credit, to, existing) { if to.level == \"1\" { 1 } else { 2 } }",
                &["CR010 1:52 cannot compare number with text"],
            ),
            (
                "fn roll(tx, credit, to, existing) { #{ amount: 5, hold: tx.date, maximum: () } }",
                &[],
            ),
        ],
    );
    check(
        PolicyKind::Reward,
        &[
            (
                "fn reward(payee, totals, quota) { totals.bookin + totals[\"overlai\"] }",
                &[
                    "CR002 1:42 there is no credit type `bookin`; did you mean `booking`?",
                    "CR002 1:58 there is no credit type `overlai`; did you mean `overlay`?",
                ],
            ),
            ("fn reward(payee, totals, quota) { totals.credited / (quota ?? 1) }", &[]),
        ],
    );
}

#[test]
fn recipients_in_joined_texts() {
    check(
        PolicyKind::Crediting,
        &[
            ("fn credit(tx) { `${tx[\"Rep #1\"]}[0.5];${tx.account}[0.5]` }", &[]),
            (
                "fn credit(tx) { tx[\"Rep #1\"] + \"[0.5];\" + tx.account + \"[0.4]\" }",
                &["CR014 1:17 the weights sum to 0.9, not to 1"],
            ),
            ("fn credit(tx) { tx[\"Rep #1\"] + \";desk[0.1]\" }", &[]),
            (
                "const A = 0.5;\nfn credit(tx) { [share(tx.account, A), share(\"desk\", 0.4)] }",
                &["CR014 2:17 the weights sum to 0.9, not to 1"],
            ),
            (
                "fn credit(tx) { [share(tx.account, 60), share(\"desk\", 40)] }",
                &["CR014 1:17 the weights sum to 100, not to 1; a weight is a part of the deal"],
            ),
            (
                "fn credit(tx) { \"Ann Lee[0.5];desk[0.5]\" }",
                &["CR013 1:17 `Ann Lee` is a person of the organisation"],
            ),
        ],
    );
}

#[test]
fn syntax_of_other_languages_is_answered_with_that_of_this_one() {
    let cases = [
        ("fn value(tx, to) { if tx.renewal and true { 1 } else { 2 } }", "write `&&` for and"),
        ("fn value(tx, to) { if tx.renewal { 1 } elif true { 2 } else { 3 } }", "`else if`"),
        ("function value(tx, to) { 1 }", "a function begins with `fn`"),
        ("def value(tx, to):\n  return 1", "a function begins with `fn`"),
        ("fn value(tx: Deal, to) { 1 }", "parameters and results have no types"),
        ("fn value(tx, to) { return null; }", "write `()` for nothing"),
        ("fn value(tx, to) { return None; }", "write `()` for nothing"),
        ("fn value(tx, to) { if True { 1 } else { 2 } }", "write `true`"),
        ("fn value(tx, to) { var x = 1; x }", "write `let`"),
        ("# remark\nfn value(tx, to) { 1 }", "a remark begins with `//`"),
        ("fn value(tx, to) { -- remark\n 1 }", "a remark begins with `//`"),
        ("fn value(tx, to) { tx.amount * .5 }", "a digit before its point"),
        ("fn value(tx, to) { (tx.amount * 60%) }", "write 0.6 for 60 percent"),
        ("fn value(tx, to) { if tx.amount => 5 { 1 } else { 2 } }", "write `>=` or `<=`"),
        ("fn value(tx, to) { if tx.amount <> 5 { 1 } else { 2 } }", "write `!=`"),
        ("fn value(tx, to) { if tx.amount = 5 { 1 } else { 2 } }", "write `==` to compare"),
        ("fn value(tx, to) { tx.renewal ? 1 : 2 }", "write `if … { … } else { … }`"),
        ("fn value(tx, to) { let i = 0; i++; 1 }", "write `x += 1`"),
        ("fn value(tx, to) { if tx.amount > 10,000 { 1 } else { 2 } }", "10000 or 10_000"),
        ("fn value(tx, to) { if tx.amount > $10 { 1 } else { 2 } }", "no currency sign"),
        ("fn value(tx, to) { tx.amount ** 2 }", "write the multiplication out"),
        ("fn value(tx, to) { tx[\u{201c}Units\u{201d}] }", "write straight quotes"),
        ("fn value(tx, to) { tx['Units'] }", "text stands in double quotes"),
        ("fn value(tx, to) { \"C:\\Users\" }", "for a backslash"),
        ("fn value(tx, to) { let x = \"abc;\n x }", "close the text with a double quote"),
        ("fn value(tx, to) { tx.Rep #1 }", "tx[\"Rep #1\"]"),
        ("fn value(tx, to) { let x = 1\n x }", "needs a `;` at its end"),
        ("fn value(tx, to) { 1 }}", "no `{` that it closes"),
        ("fn value(tx, to) { { \"amount\": 5 } }", "a map is written `#{ amount: 5 }`"),
        ("fn value(tx, to) { let in = 1; 1 }", "a word of the language"),
        ("fn value(tx, to) { tx.deal_stage.length }", "write `.len()`"),
        ("fn value(tx, to) { tx.deal_stage.to_int() }", "write `number(text)`"),
        ("fn value(tx, to) { if tx.date > today() { 1 } else { 2 } }", "policies see no clock"),
        (
            "fn big() { tx.amount > 5 } fn value(tx, to) { if big() { 1 } else { 2 } }",
            "fn name(tx)",
        ),
        ("let x = 1;\nfn value(tx, to) { x }", "write `const`"),
        ("fn Value(tx, to) { 1 }", "rename `Value` to `value`"),
    ];
    for (source, advice) in cases {
        let found = findings(&program(ProgramForm::Policy(PolicyKind::Value), source), &knows());
        let help: Vec<&str> = found.iter().filter_map(|found| found.help.as_deref()).collect();
        assert!(help.iter().any(|help| help.contains(advice)), "{source}\n{found:#?}");
        assert!(found.iter().any(|found| found.is_error()), "{source}");
    }
}
