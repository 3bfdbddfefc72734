//! What each kind of program may return, native forms, and intake.

use std::sync::Arc;

use super::{credit, expression, policy, program, receiver, seen, shown, transaction};
use crate::{Machine, ScriptArguments};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramForm, Programs};

/// Bodies of entry points of these kinds.
fn check(cases: &[(PolicyKind, &str, &str)]) {
    for (kind, body, expected) in cases {
        let name = match kind {
            PolicyKind::Filter => "include(tx)",
            PolicyKind::Crediting => "credit(tx)",
            PolicyKind::Value => "value(tx, to)",
            PolicyKind::Hold => "hold(tx, c)",
            PolicyKind::Duplication => "allow_duplicate(tx, credit, existing)",
            _ => "roll(tx, credit, to, existing)",
        };
        let source = format!("fn {name} {{ {body} }}");
        assert_eq!(shown(policy(*kind, &source)), *expected, "{body}");
    }
}

#[test]
fn results_are_of_the_kind_asked_for() {
    let cases = [
        (PolicyKind::Filter, "true", "true"),
        (
            PolicyKind::Filter,
            "\"yes\"",
            "a filter policy must return true or false, this one returned text @1:18",
        ),
        (PolicyKind::Value, "5", "5"),
        (
            PolicyKind::Value,
            "let n = 0; for i in 0..tx.amount / 493.8 { n += i } n",
            "a range needs whole numbers, not 2.5 @1:41",
        ),
        (PolicyKind::Value, "let n = 0; for i in 1..=tx.amount / 411.5 { n += i } n", "6"),
        (
            PolicyKind::Value,
            "()",
            "a value policy must return a number, this one returned () @1:20",
        ),
        (PolicyKind::Crediting, "()", "()"),
        (PolicyKind::Crediting, "tx.default_credit", "\"Ann Lee\""),
        (
            PolicyKind::Crediting,
            "[share(\"A\", 0.5), \"B\"]",
            "Shares([Share { who: \"A\", weight: Some(0.5) }, Share { who: \"B\", weight: None }])",
        ),
        // `[tx["Rep 1"], tx["Rep 2"]]` with a blank second rep gave the first one half of the deal.
        (PolicyKind::Crediting, "[\"A\", \" \"]", "Shares([Share { who: \"A\", weight: None }])"),
        (PolicyKind::Crediting, "[\"\"]", "Shares([])"),
        (PolicyKind::Crediting, "share(\"A\")", "Shares([Share { who: \"A\", weight: None }])"),
        (
            PolicyKind::Crediting,
            "[1]",
            "a crediting policy must return text, an array of shares, or (), this one returned an \
             array with number @1:17",
        ),
        (PolicyKind::Crediting, "share(\"\")", "a share needs the name of a recipient @1:17"),
        (PolicyKind::Hold, "no_hold()", "Hold(None)"),
        (PolicyKind::Hold, "hold_for(30, \"days\")", "Hold(For(Days(30)))"),
        (PolicyKind::Hold, "hold_until(tx.date)", "Hold(Until(2022-01-31))"),
        (PolicyKind::Hold, "tx.date", "Hold(Until(2022-01-31))"),
        (PolicyKind::Hold, "hold_until_period(\"2022-04\")", "Hold(UntilPeriod(\"2022-04\"))"),
        (PolicyKind::Hold, "hold_until_next(\"quarter\")", "Hold(Next(Quarter))"),
        (PolicyKind::Hold, "hold_indefinitely(\"fraud\")", "Hold(Indefinitely(\"fraud\"))"),
        (PolicyKind::Hold, "hold_indefinitely()", "Hold(Indefinitely(\"\"))"),
        (
            PolicyKind::Hold,
            "0",
            "a hold policy must return a hold or a date, this one returned number @1:18",
        ),
        (
            PolicyKind::Hold,
            "hold_for(1, \"weeks\")",
            "`weeks` is not a unit; use days, months, quarters or years @1:18",
        ),
        (PolicyKind::Duplication, "existing.len() == 2", "true"),
    ];
    check(&cases);
}

#[test]
fn rollups_return_amounts_or_maps() {
    let cases = [
        (PolicyKind::Rollup, "()", "()"),
        (PolicyKind::Rollup, "credit.amount / 2", "50.25"),
        (
            PolicyKind::Rollup,
            "#{amount: 1, hold: no_hold(), credit_type: \"overlay\", maximum: ()}",
            "Rolled(RollupAnswer { amount: 1, credit_type: Some(\"overlay\"), hold: Some(None), maximum: \
             None })",
        ),
        (
            PolicyKind::Rollup,
            "#{amount: 1, cap: 2}",
            "a rollup policy must return a map with amount, credit_type, hold, maximum, this one \
             has `cap` @1:37",
        ),
        (
            PolicyKind::Rollup,
            "#{maximum: 1}",
            "a rollup policy must return a map with amount, this one has none @1:37",
        ),
    ];
    check(&cases);
}

#[test]
fn native_forms_answer_like_interpreted_ones() {
    let texts = ["tx.amount", "credit.amount", "true", "false", "0", "10000", "0.10", "12.5"];
    for place in [
        ExpressionUse::IndirectValue,
        ExpressionUse::IndirectCondition,
        ExpressionUse::Value,
        ExpressionUse::Hold,
    ] {
        for text in texts {
            let interpreted = format!("({text})");
            let mut expected = shown(expression(place, &interpreted));
            // The parenthesis moves the place by one column.
            for (moved, place) in [("@1:5", "@1:4"), ("@1:2", "@1:1")] {
                expected = expected.replace(moved, place);
            }
            assert_eq!(shown(expression(place, text)), expected, "{text} as {place:?}");
        }
    }
}

#[test]
fn programs_that_do_not_compile_fault() {
    let cases = [
        ("tx.amount >", "script is incomplete @1:12"),
        ("tx.amount = 5", "unexpected `=` @1:11"),
        ("let x = 1; x", "unexpected `let` @1:1"),
    ];
    for (source, expected) in cases {
        assert_eq!(shown(expression(ExpressionUse::Value, source)), expected, "{source}");
    }
    let missing = shown(policy(PolicyKind::Filter, "fn inclde(tx) { true }"));
    assert_eq!(missing, "unknown function `include` @1:1");
}

#[test]
fn a_machine_remembers_nothing_between_runs() {
    let mut programs = Programs::default();
    let text = "fn value(tx, to) { let seen = 0; seen += 1; seen }";
    let id = programs.add(program(ProgramForm::Policy(PolicyKind::Value), text));
    let loops = programs
        .add(program(ProgramForm::Policy(PolicyKind::Value), "fn value(tx, to) { loop {} }"));
    let (tx, credit, to) = (transaction(), credit(), receiver());
    let arguments = ScriptArguments { credit: Some(&credit), to: Some(&to), ..seen(&tx) };
    let mut machine = Machine::new(&programs);
    for _ in 0..3 {
        assert!(machine.run(loops, &arguments).is_err());
        assert_eq!(shown(machine.run(id, &arguments)), "1");
    }
}

/// A payload of a CRM with more than 4096 bytes of texts became a dead letter: whichever function took it
/// met the limit of a text. A page of a hundred deals has more keys than a map may have as well.
#[test]
fn an_intake_policy_takes_a_payload_of_any_size() {
    let source = "fn map(payload) {
        if !payload.has(\"results\") { return []; }
        let rows = [];
        for deal in payload[\"results\"] {
            if \"id\" in deal && deal.keys().len() > 3 {
                rows.push(#{ id: deal[\"id\"], note: deal[\"note\"] });
            }
        }
        rows
    }";
    let mut programs = Programs::default();
    let id = programs.add(program(ProgramForm::Policy(PolicyKind::Intake), source));
    let (note, more) = ("n".repeat(900), serde_json::json!([1, 2, 3]));
    let deals = (0..400).map(|n| serde_json::json!({ "id": n, "note": note, "a": more, "b": {} }));
    let payload = serde_json::json!({ "results": deals.collect::<Vec<_>>() });
    let records = Machine::new(&programs).run_intake(id, &payload).unwrap();
    assert_eq!(records.len(), 400);

    // Other policies keep their limits, and so does what an intake policy makes up itself.
    let grows = "fn map(payload) { let s = \"ab\"; loop { s += s; } }";
    let id = programs.add(program(ProgramForm::Policy(PolicyKind::Intake), grows));
    assert!(Machine::new(&programs).run_intake(id, &payload).is_err());
}

#[test]
fn intake_keeps_every_digit() {
    let source = "fn map(payload) {
        let rows = [];
        for line in payload.lines {
            rows.push(#{ id: payload.id, amount: line.amount, day: date(payload.day),
                         note: line.note, paid: true, nested: [line] });
        }
        rows
    }";
    let mut programs = Programs::default();
    let id = programs.add(program(ProgramForm::Policy(PolicyKind::Intake), source));
    let mut machine = Machine::new(&programs);
    let body = r#"{"id": 9007199254740993, "day": "2022-01-31",
        "lines": [{"amount": 0.10000000000000000000000001, "note": null}]}"#;
    let payload: serde_json::Value = serde_json::from_str(body).unwrap();
    let records = machine.run_intake(id, &payload).unwrap();
    assert_eq!(records.len(), 1);
    let shown: Vec<String> =
        records[0].cells.iter().map(|(column, cell)| format!("{column}: {cell:?}")).collect();
    assert_eq!(
        shown,
        [
            "amount: Number(\"0.10000000000000000000000001\")",
            "day: Text(\"2022-01-31\")",
            "id: Number(\"9007199254740993\")",
            "nested: Nested(\"[{\\\"amount\\\":0.10000000000000000000000001,\\\"note\\\":null}]\")",
            "note: Null",
            "paid: Bool(true)",
        ]
    );
    let huge: serde_json::Value = serde_json::from_str("1e99").unwrap();
    assert!(machine.run_intake(id, &huge).unwrap_err().message.contains("too large"));
    let wrong =
        machine.run_intake(id, &serde_json::json!({"id": 1, "day": "2022-01-31"})).unwrap_err();
    assert_eq!(wrong.message, "the map has no key `lines`; ask has(\"lines\") first");
    assert_eq!((wrong.place.line, wrong.place.column), (3, 29));
    assert_eq!(Arc::clone(&wrong.policy), Arc::from("test"));
}
