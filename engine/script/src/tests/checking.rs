//! What `check` finds, and where.

use super::{known, program};
use crate::CheckContext;
use crate::check::{check as advised, collect_findings as findings};
use accredit_domain::diagnostic::Place;
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramForm};

/// Findings as `CODE line:column message; help`.
pub(super) fn found(form: ProgramForm, source: &str, known: &CheckContext) -> Vec<String> {
    let findings = findings(&program(form, source), known);
    let shown = findings.into_iter().map(|finding| {
        let help = finding.help.map(|help| format!("; {help}")).unwrap_or_default();
        let (line, column) = (finding.place.line, finding.place.column);
        format!("{} {line}:{column} {}{help}", finding.code, finding.message)
    });
    shown.collect()
}

fn check(form: ProgramForm, cases: &[(&str, &[&str])]) {
    for (source, expected) in cases {
        assert_eq!(found(form, source, &known()), *expected, "{source}");
    }
}

#[test]
fn expressions() {
    check(
        ProgramForm::Expression(ExpressionUse::IndirectCondition),
        &[
            ("tx.amount > 100 && tx[\"deal_stage\"] == \"Won\"", &[]),
            ("tx.deal_stage in [\"Won\", \"Paid\"]", &[]),
            ("(credit.payee ?? \"\") == to.position", &[]),
            (
                "tx.deal_stge == \"Won\"",
                &["CR002 1:4 unknown field `deal_stge`; did you mean `deal_stage`?"],
            ),
            (
                "true && tx[\"Rep #2\"] == \"\"",
                &["CR002 1:12 unknown field `Rep #2`; did you mean `Rep #1`?"],
            ),
            (
                "tx.quantity > 1",
                &["CR002 1:4 `tx.quantity` is not mapped in [fields]; \
                  add `quantity = \"COLUMN\"` to [fields] in accredit.toml"],
            ),
            (
                "credit.amont > 1",
                &["CR002 1:8 credit has no field `amont`; did you mean `amount`?"],
            ),
            ("to.amount > 1", &["CR002 1:4 to has no field `amount`"]),
            ("tx.has(\"Unit\")", &["CR002 1:8 unknown field `Unit`; did you mean `Units`?"]),
            ("lenn(tx.id) > 1", &["CR003 1:1 unknown function `lenn`; did you mean `len`?"]),
            (
                "tx.id.len(1) > 1",
                &["CR004 1:7 `len` does not take 2 arguments; write len(text) or \
                     len(array) or len(map)"],
            ),
            ("tz.amount > 1", &["CR007 1:1 unknown variable `tz`"]),
            (
                "eval(\"1\") == 1 || sleep(1) == 2",
                &[
                    "CR008 1:1 policies may not use `eval`",
                    "CR008 1:19 policies may not use `sleep`",
                ],
            ),
            ("tx.amount > \"100\"", &["CR010 1:13 cannot compare number with text"]),
            ("tx[\"deal_stage\"] == 1", &["CR010 1:21 cannot compare text with number"]),
            ("tx.amount > tx.date", &["CR010 1:13 cannot compare number with date"]),
            ("tx.deal_stage in [1, \"Won\"]", &["CR010 1:19 cannot compare text with number"]),
            (
                "tx.amount == ()",
                &["CR010 1:14 this cannot be compared with (); ask tx.has(\"…\") for a column, \
                 credit.has(\"…\") for a field; `x ?? 0` is x, or 0 where x is ()"],
            ),
            ("tx.amount", &["CR011 1:1 the result must be true or false, this is number"]),
            (
                "if tx.renewal { 1 } else { true }",
                &["CR011 1:17 the result must be true or false, this is number"],
            ),
            ("tx.deal_stage = \"Won\"", &["CR001 1:15 unexpected `=`; write `==` to compare"]),
            (
                "tx.amount >",
                &[
                    "CR001 1:12 script is incomplete; something is not closed, or a value is missing",
                ],
            ),
            (
                "tx.amount > (",
                &[
                    "CR001 1:14 script is incomplete; something is not closed, or a value is missing",
                ],
            ),
        ],
    );
}

#[test]
fn what_may_be_absent() {
    check(
        ProgramForm::Expression(ExpressionUse::IndirectCondition),
        &[
            // A credit's field may be nothing, a column never is.
            ("credit.payee == () || credit.via != ()", &[]),
            (
                "to.level == \"1\" || credit.position == 5",
                &[
                    "CR010 1:13 cannot compare number with text",
                    "CR010 1:39 cannot compare text with number",
                ],
            ),
            ("to.level == 1 && credit.position + 1 == \"5\" && credit.via == to.via", &[]),
            (
                "credit.level < ()",
                &["CR010 1:16 this cannot be compared with (); ask tx.has(\"…\") for a column, \
                 credit.has(\"…\") for a field; `x ?? 0` is x, or 0 where x is ()"],
            ),
        ],
    );
}

macro_rules! none {
    ($at:literal) => {
        concat!(
            "CR011 ",
            $at,
            " the result must be a number, but there is none; end every path with a value: give \
                each `if` an `else`, and add a last line after a loop"
        )
    };
}

#[test]
fn policies() {
    check(
        ProgramForm::Policy(PolicyKind::Value),
        &[
            ("fn value(tx, to) { tx.amount }", &[]),
            ("fn value(t, recipient) { t.amount * RATE }\nconst RATE = 0.1;", &[]),
            (
                "fn vaule(tx, to) { 1 }",
                &["CR005 1:4 a value policy needs `fn value(tx, to)`; rename `vaule` to `value`"],
            ),
            (
                "",
                &[
                    "CR005 1:1 a value policy needs `fn value(tx, to)`; write `fn value(tx, to) { … }`",
                ],
            ),
            (
                "// value\n  fn value(tx) { 1 }",
                &["CR006 2:6 `value` takes 2 parameters, this one has 1; write `fn value(tx, to)`"],
            ),
            (
                "fn value(tx, to) {\n  if tx.amnt > 1 {\n    nope(1)\n  } else { x }\n}",
                &[
                    "CR002 2:9 unknown field `amnt`; did you mean `amount`?",
                    "CR003 3:5 unknown function `nope`",
                    "CR007 4:12 unknown variable `x`",
                ],
            ),
            (
                "fn value(tx, to) { part(tx, to, 1) }\nfn part(a, b) { a.amnt }",
                &["CR004 1:20 `part` takes 2 arguments, not 3"],
            ),
            (
                "fn value(tx, to) { part(tx) }\nfn part(deal) { deal.amnt }",
                &["CR002 2:22 unknown field `amnt`; did you mean `amount`?"],
            ),
            (
                "fn value(tx, to) { \"none\" }",
                &["CR011 1:20 the result must be a number, this is text"],
            ),
            (
                "fn value(tx, to) { if tx.renewal { return false; } 1 }",
                &["CR011 1:43 the result must be a number, this is bool"],
            ),
            // It parked every deal, with the words "transaction has no field `amount`".
            ("fn value(tx, to) { tx.amount = 5; 1 }", &["CR008 1:20 `tx` cannot be changed"]),
            // What ends with a statement that has no value answers (), which parked every deal.
            ("fn value(tx, to) { }", &[none!("1:4")]),
            ("fn value(tx, to) { let _n = 5 }", &[none!("1:24")]),
            (
                "fn value(tx, to) { let n = 1; if tx.renewal { n = 2; } else { n } }",
                &[none!("1:47")],
            ),
            ("fn value(tx, to) { let n = 1; if tx.renewal { n = 2; } n }", &[]),
            ("fn value(tx, to) { if tx.renewal { throw \"no\" } 1 }", &[]),
            ("fn value(tx, to) { let n = 0; for (x, i) in [1] { n += x * i } n }", &[]),
            ("fn value(tx, to) { try { 1 } catch (e) { throw e } 1 }", &[]),
            ("fn value(tx, to) { { let _n = 1; } _n }", &["CR007 1:36 unknown variable `_n`"]),
            (
                "let x = 1;\nfn value(tx, to) { 1 }",
                &["CR001 1:1 only constants and functions may stand at the top level; write \
                     `const` for a fixed value, and put the rest into a function"],
            ),
        ],
    );
}

#[test]
fn words_and_scopes_of_policies() {
    check(
        ProgramForm::Policy(PolicyKind::Value),
        &[
            ("const A = tx.amount;\nfn value(tx, to) { A }", &["CR007 1:11 unknown variable `tx`"]),
            (
                "fn value(tx, to) { switch 1 { _ => 2 } }",
                &[
                    "CR095 1:20 this `switch` has no label; write `switch value { \"A\" => 1, _ => 0 }`",
                ],
            ),
            (
                "fn value(tx, to) { let _f = |x| x; 1 }",
                &[
                    "CR008 1:29 policies may not use `|`; a function stands in a call alone, such as \
                  `filter(items, |x| x > 0)`",
                ],
            ),
            (
                "fn value(tx, to) { import \"x\" as y; 1 }",
                &[
                    "CR008 1:20 policies may not use `import`; put shared functions into `policies/shared/`",
                ],
            ),
            (
                "fn value(tx, to) { let x = 1; x.curry(2); x.call(); type_of(x); 1 }",
                &[
                    "CR008 1:33 policies may not use `curry`",
                    "CR008 1:45 policies may not use `call`",
                    "CR008 1:53 policies may not use `type_of`",
                ],
            ),
            (
                "fn value(tx, to) { \"häß\" + tx.nix }",
                &[
                    "CR011 1:20 the result must be a number, this is text",
                    "CR002 1:31 unknown field `nix`",
                ],
            ),
        ],
    );
}

#[test]
fn constants_are_evaluated() {
    check(
        ProgramForm::Policy(PolicyKind::Value),
        &[
            (
                "const A = 1 / 0;\nfn value(tx, to) { A }",
                &["CR004 1:15 division by zero; ask whether it is 0 before"],
            ),
            ("const A = 1 / (1 - 1);\nfn value(tx, to) { A }", &["CR001 1:13 division by zero"]),
            (
                "const A = date(\"2022-02-30\");\nfn value(tx, to) { A.day }",
                &["CR004 1:11 `2022-02-30` is not a date; write it like 2022-01-31; \
                   this call fails whenever it is reached: write other values"],
            ),
            (
                "fn value(tx, to) { let _f = || 1; 1 }",
                &[
                    "CR008 1:29 policies may not use `|`; a function stands in a call alone, such as \
                  `filter(items, |x| x > 0)`",
                ],
            ),
        ],
    );
}

#[test]
fn existing_credits_have_fields() {
    check(
        ProgramForm::Policy(PolicyKind::Duplication),
        &[(
            "fn allow_duplicate(tx, credit, existing) {\n  for other in existing {\n    \
              if other.rle == credit.rule { return false; }\n  }\n  existing[0].rule == 1\n}",
            &[
                "CR002 3:14 credit has no field `rle`; did you mean `rule`?",
                "CR010 5:23 cannot compare text with number",
            ],
        )],
    );
}

#[test]
fn places_are_counted_from_the_origin() {
    let mut program =
        program(ProgramForm::Expression(ExpressionUse::Filter), "tx.foo ==\n  tx.bar");
    program.origin = Place::new("plans/a.toml", 7, 11).into();
    let places = findings(&program, &known()).into_iter().map(|finding| finding.place);
    let expected = [Place::new("plans/a.toml", 7, 14), Place::new("plans/a.toml", 8, 6)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
}

#[test]
fn open_workspaces_know_every_column() {
    let open = CheckContext { open: true, ..known() };
    let form = ProgramForm::Expression(ExpressionUse::Filter);
    assert_eq!(found(form, "tx.anything == \"x\"", &open), Vec::<String>::new());
}

#[test]
fn large_sources_are_refused() {
    let source = format!("true // {}", "x".repeat(70_000));
    let found = found(ProgramForm::Expression(ExpressionUse::Filter), &source, &known());
    assert_eq!(found, ["CR009 1:1 the script has more than 65536 bytes"]);
}

#[test]
fn every_error_says_what_to_do() {
    // A consultant who reads "cannot compare number with text" asks: and now?
    let check = |form: ProgramForm, source: &str, part: &str| {
        let findings = advised(&program(form, source), &known());
        let helps: Vec<_> = findings.iter().map(|it| it.help.as_deref().unwrap_or("")).collect();
        assert!(helps.iter().any(|help| help.contains(part)), "{source}: {helps:?}");
        assert!(helps.iter().all(|help| !help.is_empty()), "{source}: {findings:?}");
    };
    let condition = ProgramForm::Expression(ExpressionUse::Condition);
    check(condition, "tx.amount > \"x\"", "number(text)");
    check(condition, "tx.amount", "tx.amount > 0");
    check(condition, "tx.amount >", "a value is missing");
    check(condition, "tx[\"Größe\"] == \"x\"", "as the header has it");
    check(condition, "frobnicate(1)", "api.md");
    check(ProgramForm::Expression(ExpressionUse::Value), "credit.amount", "`tx`, `to`");
    check(condition, "tx.quantity > 1", "to [fields]");
    check(condition, "tx.amount.size > 1", ".len()");
    check(condition, "tx.amount.foo > 1", "a function call has brackets");
    check(ProgramForm::Expression(ExpressionUse::Hold), "tx.amount", "hold_for");
    check(
        ProgramForm::Policy(PolicyKind::Value),
        "fn value(tx, to) { tx.id }",
        "end with an amount",
    );
    check(ProgramForm::Policy(PolicyKind::Value), "fn value(tx, to) { 1 ", "needs a `;`");
    check(ProgramForm::Policy(PolicyKind::Value), "", "fn value(tx, to)");
    check(
        ProgramForm::Policy(PolicyKind::Value),
        "const A = 1 / 0; fn value(tx, to) { A }",
        "before",
    );
}
