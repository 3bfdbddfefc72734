//! Values, operators and functions, by expression and outcome.

use super::{expression, policy, shown};
use accredit_domain::policy::{ExpressionUse, PolicyKind};

/// Each expression as the condition of an indirect rule or as its value.
fn check(place: ExpressionUse, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(shown(expression(place, source)), *expected, "{source}");
    }
}

#[test]
fn numbers_are_exact() {
    check(
        ExpressionUse::IndirectValue,
        &[
            ("1 / 2", "0.5"),
            ("7 / 7", "1"),
            ("0.1 + 0.2", "0.3"),
            ("0.35", "0.35"),
            ("tx.amount * 0.35", "432.075"),
            ("1 + 0.5", "1.5"),
            ("7 % 4", "3"),
            ("-7 % 4", "-3"),
            ("-(2 + 1)", "-3"),
            ("-tx.amount", "-1234.5"),
            ("round(2.5)", "3"),
            ("round(-2.5)", "-3"),
            ("round(1.005, 2)", "1.01"),
            ("round_half_even(2.5, 0)", "2"),
            ("floor(-1.5)", "-2"),
            ("ceiling(1.2)", "2"),
            ("(-3).abs()", "3"),
            ("min(1, 2.5)", "1"),
            ("max(1, 2.5)", "2.5"),
            ("number(\"12.50\")", "12.5"),
            ("number(\"x\")", "`x` is not a number @1:1"),
            ("1 / 0", "division by zero @1:3"),
            ("1 % 0.0", "division by zero @1:3"),
            ("9223372036854775807 + 1", "9223372036854775808"),
            ("round(1.5, 40)", "digits must be a whole number from 0 to 28 @1:1"),
            ("\"a\" * 2", "cannot multiply text and number @1:5"),
            ("if tx.amount > 1000 { tx.amount } else { 0 }", "1234.5"),
            ("tx.close_value", "1234.5"),
            ("len(\"häuser\")", "6"),
            ("date(\"2022-02-28\").day", "28"),
            ("days_between(date(2022, 1, 1), tx.date)", "30"),
            ("add_months(tx.date, 1).day", "28"),
            ("year(add_days(tx.date, 365))", "2023"),
            ("sum([1, 2.5])", "3.5"),
            ("[1, 2][1]", "2"),
            ("#{a: 4}.a", "4"),
            ("#{a: 4}[\"a\"]", "4"),
            ("#{a: 4}.b", "the map has no key `b`; ask has(\"b\") first @1:9"),
            ("[1][5]", "there is no item 5 in an array of 1 @1:5"),
            ("add_days(tx.date, 99999999).day", "the date is out of range @1:1"),
            ("add_days(tx.date, 9223372036854775807).day", "the date is out of range @1:1"),
            ("add_months(tx.date, -9999999999).day", "the date is out of range @1:1"),
            ("(tx.date - 99999999).day", "the date is out of range @1:10"),
            ("add_days(date(9999, 12, 31), 1).day", "the date is out of range @1:1"),
            ("date(99999, 1, 1).day", "there is no day 1 of month 1 in 99999 @1:1"),
            // A year of two digits was one of antiquity, and every deal was later.
            ("date(22, 1, 31).year", "the year 22 has no four digits: write it like 2022 @1:1"),
            ("date(-1, 1, 31).year", "the year -1 has no four digits: write it like 2022 @1:1"),
            ("date(2022, 13, 1).day", "there is no day 1 of month 13 in 2022 @1:1"),
            ("date(\"2022-02-30\")", "`2022-02-30` is not a date; write it like 2022-01-31 @1:1"),
        ],
    );
}

#[test]
fn unlike_kinds_do_not_compare() {
    check(
        ExpressionUse::IndirectCondition,
        &[
            ("1 == 1.0", "true"),
            ("tx.amount > 1000", "true"),
            ("tx.amount <= 1000", "false"),
            ("\"a\" < \"b\"", "true"),
            ("true != false", "true"),
            ("tx.date == date(\"2022-01-31\")", "true"),
            ("tx.date > date(\"2022-01-30\")", "true"),
            ("tx.renewal", "true"),
            ("!tx.renewal", "false"),
            ("tx[\"deal_stage\"] == \"Won\" && tx.deal_stage != \"Lost\"", "true"),
            ("tx.amount > \"100\"", "cannot compare number with text @1:11"),
            ("\"1\" == 1", "cannot compare text with number @1:5"),
            ("tx.date == \"2022-01-31\"", "cannot compare date with text @1:9"),
            // Columns are decimals: a quantity could not end a range, and half of it was no index.
            ("[1, 2, 3][4 / 2] == 3 && [1, 2, 3][floor(1.5)] == 2", "true"),
            ("[1, 2, 3][1.5] == 1", "expected a whole number; floor(x) makes one @1:11"),
            ("tx.date + 30 == date(\"2022-03-02\")", "true"),
            ("tx.date - 31 == date(\"2021-12-31\")", "true"),
            ("date(\"2022-03-01\") - tx.date == 29", "true"),
            ("tx.date + 1.5 == tx.date", "expected a whole number, not 1.5 @1:9"),
            ("tx.date + tx.date == 1", "cannot add date and date @1:9"),
            ("[1] + [2, 3] == 1 || true", "cannot compare array with number @1:14"),
            ("([1] + [2, 3] + 4 + \"x\").len() == 5 && sum([1] + 2) == 3", "true"),
            ("true == 1", "cannot compare bool with number @1:6"),
            ("true < false", "cannot compare bool with bool @1:6"),
            // A policy that asked all `existing` credits for their relationship parked every deal,
            // since a direct credit has none: nothing equals nothing, and nothing else.
            ("credit.payee == ()", "true"),
            ("credit.payee == \"x\" || credit.level == 1", "false"),
            ("credit.payee != \"x\" && to.payee != ()", "true"),
            ("credit.payee in [\"x\", \"y\"]", "false"),
            ("credit.payee < \"x\"", "cannot compare () with text; ask has() first @1:14"),
            ("credit.has(\"payee\")", "false"),
            ("to.has(\"payee\") && to.payee == \"Bob\"", "true"),
            ("(credit.payee ?? \"\") == \"\"", "true"),
            ("\"Won\" in tx.deal_stage", "true"),
            ("tx.deal_stage in [\"Won\", \"Paid\"]", "true"),
            ("tx.deal_stage !in [\"Lost\"]", "true"),
            ("1 in [\"a\"]", "cannot compare text with number @1:3"),
            ("#{a: 1}.has(\"a\")", "true"),
            ("\"a\" in #{a: 1}", "true"),
            ("1 && true", "expecting a boolean expression, not a number @1:1"),
            ("credit.amount && true", "expected bool, not number @1:8"),
            ("[1] == [1]", "cannot compare array with array @1:5"),
        ],
    );
}

#[test]
fn fields_are_read_strictly() {
    check(
        ExpressionUse::IndirectCondition,
        &[
            ("tx.has(\"Units\")", "false"),
            ("tx.has(\"amount\") && tx.has(\"close_value\")", "true"),
            ("tx.has(\"discount\") || tx.has(\"nothing\") || tx.has(\"quantity\")", "false"),
            ("tx.Units > 1", "`Units` is blank; ask tx.has(\"Units\") first @1:4"),
            ("tx[\"Units\"] > 1", "`Units` is blank; ask tx.has(\"Units\") first @1:4"),
            ("tx.signed > tx.date", "`signed` is blank; ask tx.has(\"signed\") first @1:4"),
            ("tx.discount > 1", "`discount` holds `abc`, which is not a number (bad value) @1:4"),
            ("tx.quantity > 1", "`tx.quantity` is not mapped in [fields] @1:4"),
            ("tx.nothing == \"\"", "true"),
            ("tx.customer == \"Acme\" && tx.id == \"OPP-1\"", "true"),
            ("tx.period == \"2022-01\" && tx.default_credit == tx[\"Rep #1\"]", "true"),
            ("credit.amount == 100.5 && credit.kind == \"direct\"", "true"),
            ("credit.stage == 1", "there is no field or attribute `stage` @1:8"),
            ("to.level == 1 && to.via == \"P1\"", "true"),
        ],
    );
}

#[test]
fn texts_are_built_and_taken_apart() {
    check(
        ExpressionUse::IndirectCondition,
        &[
            ("\"a\" + 1 + true == \"a1true\"", "true"),
            ("1 + \"a\" == \"1a\"", "true"),
            ("`${tx.id} on ${tx.date}` == \"OPP-1 on 2022-01-31\"", "true"),
            ("to_text(1.50) == \"1.50\"", "true"),
            ("\" Ab \".trim().to_upper() == \"AB\"", "true"),
            ("\"Ab\".to_lower() == \"ab\"", "true"),
            ("\"a;b\".split(\";\").len() == 2", "true"),
            ("\"abc\".sub_string(1) == \"bc\" && \"abc\".sub_string(0, 1) == \"a\"", "true"),
            ("\"a-b-c\".replace(\"-\", \"+\") == \"a+b+c\"", "true"),
            ("\"abc\".starts_with(\"ab\") && \"abc\".ends_with(\"bc\")", "true"),
            ("\"\".is_empty() && [].is_empty() && #{}.is_empty()", "true"),
            ("\"abc\"[0] == \"a\"", "true"),
            ("\"a\" + ()", "cannot join text and () @1:5"),
        ],
    );
}

#[test]
fn constants_reach_functions() {
    let cases = [
        (
            "const RATE = 0.1 + 0.05;\nconst STAGES = [\"Won\"];\n\
             const FROM = date(\"2022-01-01\");\n\
             fn part(tx) { tx.amount * RATE }\n\
             fn value(tx, to) {\n\
             if tx.deal_stage in STAGES && tx.date >= FROM { part(tx) } else { 0 } }",
            "185.175",
        ),
        ("const RATE = 2;\nfn value(tx, to) { let RATE = 3; RATE }", "3"),
        ("const RATE = 2;\nfn value(tx, RATE) { RATE.level }", "1"),
        (
            "const RATE = 2;\nfn value(tx, to) { RATE += 1; RATE }",
            "`RATE` is constant and cannot be changed @2:20",
        ),
        ("const L = [1];\nfn value(tx, to) { L.push(2); L.len() }", "1"),
        ("const L = [1, 2];\nfn value(tx, to) { L.len() + L.sum() }", "5"),
        (
            "let x = 1;\nfn value(tx, to) { 1 }",
            "only constants and functions may stand at the top level @1:1",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(shown(policy(PolicyKind::Value, source)), expected, "{source}");
    }
}

#[test]
fn statements_run() {
    let cases = [
        ("let n = 0; for i in 0..3 { n += i } n", "3"),
        ("let n = 0; for i in 0..=3 { n += i } n", "6"),
        ("let n = 1; n /= 2; n", "0.5"),
        ("let n = 0; for x in [1, 2] { if x == 2 { break; } n += x; } n", "1"),
        ("let m = #{a: 1}; m.b = 2; m.keys().len()", "2"),
        ("let m = #{a: 1}; m.a += 2; m.a", "3"),
        ("let a = []; a.push(1); a.len()", "1"),
        ("let n = 0; try { throw \"x\" } catch (e) { if e == \"x\" { n = 1 } } n", "1"),
        ("let n = 0; while n < 5 { n += 1 } n", "5"),
        ("throw \"no deal\"", "no deal @1:20"),
        ("throw #{message: \"no deal\"}", "no deal @1:20"),
        ("throw 5", "5 @1:20"),
        ("nope", "unknown variable `nope` @1:20"),
        ("nope(1)", "unknown function `nope` @1:20"),
        ("\n  tx.amount + tx\n    .Units", "`Units` is blank; ask tx.has(\"Units\") first @3:6"),
    ];
    for (body, expected) in cases {
        let source = format!("fn value(tx, to) {{ {body} }}");
        assert_eq!(shown(policy(PolicyKind::Value, &source)), expected, "{body}");
    }
}
