//! What runs and is hardly meant, and what people write who come from a spreadsheet: each is found
//! where it stands, with what to write instead.

use std::collections::BTreeSet;

use super::{known, program};
use crate::{CheckContext, check as findings};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramForm};

/// Findings as `CODE line:column message; help`.
fn found(form: ProgramForm, source: &str, known: &CheckContext) -> Vec<String> {
    let found = findings(&program(form, source), known).into_iter().map(|finding| {
        let help = finding.help.map(|help| format!("; {help}")).unwrap_or_default();
        let (line, column) = (finding.place.line, finding.place.column);
        format!("{} {line}:{column} {}{help}", finding.code, finding.message)
    });
    found.collect()
}

fn check(form: ProgramForm, known: &CheckContext, source: &str, begins: &[&str], contains: &str) {
    let found = found(form, source, known);
    let alike = found.iter().zip(begins).all(|(found, begins)| found.starts_with(begins));
    assert!(alike && found.len() == begins.len(), "{source}\n{found:#?}");
    assert!(found.iter().all(|one| one.contains(contains)), "{source}\n{found:#?}");
}

/// `if tx.renewal { 0 } tx.amount` paid every renewal, without a word.
#[test]
fn a_value_that_goes_nowhere_is_warned_of() {
    let value = |source: &str, place: &[&str]| {
        let places: Vec<String> = place.iter().map(|at| format!("CR091 {at} ")).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        check(ProgramForm::Policy(PolicyKind::Value), &known(), source, &places, "");
    };
    value("fn value(tx, to) { if tx.renewal { 0 } tx.amount }", &["1:36"]);
    value("fn value(tx, to) { if tx.renewal { 1 } else { 2 } tx.amount }", &["1:36", "1:47"]);
    value("fn value(tx, to) { if tx.renewal { if tx.amount > 1 { tx.amount } } 1 }", &["1:55"]);
    value("fn value(tx, to) { tx.amount * 2; 1 }", &["1:20"]);
    value("fn value(tx, to) { round(tx.amount, 2); 1 }", &["1:20"]);
    value("fn value(tx, to) { if tx.renewal { return 0; } tx.amount }", &[]);
    value("fn value(tx, to) { if tx.renewal { 0 } else { tx.amount } }", &[]);
    value("fn value(tx, to) { let list = []; if tx.renewal { list.push(1); } list.len() }", &[]);
    value("fn note(x) { if x > 9 { throw \"no\" } } fn value(tx, to) { note(tx.amount); 1 }", &[]);
    let hold = "fn hold(tx, credit) { if tx.amount > 5 { hold_for(30, \"days\") } no_hold() }";
    check(ProgramForm::Policy(PolicyKind::Hold), &known(), hold, &["CR091 1:42"], "return");
    // Nobody is an answer of these: an `if` at the end needs no `else`.
    let credit = "fn credit(tx) { if tx.renewal { \"a\" } }";
    check(ProgramForm::Policy(PolicyKind::Crediting), &known(), credit, &[], "");
}

/// A written recipient that matches no name would get nothing from any deal.
#[test]
fn a_recipient_whom_nobody_is_called_is_warned_of() {
    let names = ["rm-east", "west", "engine"].map(str::to_owned);
    let known = CheckContext { recipients: BTreeSet::from(names), ..known() };
    let credit = |source: &str, places: &[&str]| {
        check(ProgramForm::Policy(PolicyKind::Crediting), &known, source, places, "");
    };
    credit("fn credit(tx) { \"RM-EAST\" }", &[]);
    credit(
        "fn credit(tx) { \"RM-EATS\" }",
        &["CR069 1:17 no position, team or alias is called `RM-EATS`; did you"],
    );
    credit(
        "fn credit(tx) { \"West[0.5];Nord[0.5]\" }",
        &["CR069 1:17 no position, team or alias is called `Nord`"],
    );
    let share = "fn credit(tx) { if tx.renewal { [share(\"Nord\", 0.5), share(\"west\", 0.5)] } }";
    credit(share, &["CR069 1:40 no position, team or alias is called `Nord`"]);
    credit(
        "fn credit(tx) { [\"west\", \"Sud\"] }",
        &["CR069 1:26 no position, team or alias is called `Sud`"],
    );
    credit("fn credit(tx) { if tx[\"deal_stage\"] == \"Sud\" { tx.default_credit } }", &[]);
    check(
        ProgramForm::Policy(PolicyKind::Value),
        &known,
        "fn value(tx, to) { \"x\".len() }",
        &[],
        "",
    );
}

/// `credit.amount * 10` for ten percent paid 600,000 on 60,000.
#[test]
fn an_amount_of_many_times_what_was_credited_is_warned_of() {
    let indirect = ProgramForm::Expression(ExpressionUse::IndirectValue);
    let reward = ProgramForm::Expression(ExpressionUse::Reward);
    check(indirect, &known(), "credit.amount * 10", &["CR064 1:1 this is 1000 %"], "* 10 / 100");
    check(indirect, &known(), "1.5 * credit.amount", &["CR064 1:1 this is 150 %"], "");
    check(reward, &known(), "totals.credited * 10", &["CR064 1:1 this is 1000 %"], "");
    for fine in
        ["credit.amount * 0.1", "credit.amount * 1000 / 100", "credit.amount * 1", "tx.amount * 2"]
    {
        check(indirect, &known(), fine, &[], "");
    }
    check(ProgramForm::Expression(ExpressionUse::Value), &known(), "tx.amount * 10", &[], "");
    let policy =
        "const PART = 12;\nfn roll(tx, credit, to, existing) { #{ amount: credit.amount * PART } }";
    check(
        ProgramForm::Policy(PolicyKind::Rollup),
        &known(),
        policy,
        &["CR064 2:48 this is 1200 %"],
        "",
    );
}

/// Nine habits had no way out in their messages, or a wrong one.
#[test]
fn habits_of_spreadsheets_and_other_languages_have_a_way_out() {
    let condition = ProgramForm::Expression(ExpressionUse::Condition);
    let value = ProgramForm::Expression(ExpressionUse::Value);
    let policy = ProgramForm::Policy(PolicyKind::Value);
    let one = |form: ProgramForm, source: &str, begins: &str, help: &str| {
        check(form, &known(), source, &[begins], help);
    };
    one(value, "IF(tx.amount > 5, 1, 2)", "CR003 1:1", "write `if a { b } else { c }`");
    one(value, "VLOOKUP(tx[\"engine\"], 2)", "CR003 1:1", "write `lookup(\"TABLE\", key)`");
    one(condition, "tx[\"deal_stage\"] IN ('A')", "CR001 1:", "write `x in [\"A\"]`");
    one(condition, "tx[\"deal_stage\"] in ('A', 'B')", "CR001 1:", "write `x in [\"A\"]`");
    one(value, "=tx.amount * 2", "CR001 1:1", "without the leading `=`");
    one(value, "=IF(tx.amount > 5, 1, 2)", "CR001 1:1", "without the leading `=`");
    one(value, "tx.amount * $LIMIT", "CR001 1:13", "without the `$`");
    let loops = "fn value(tx, to) {\n  for (let i = 0; i < 3; i++) { }\n  1\n}";
    one(policy, loops, "CR001 2:", "write `for i in 0..3 { … }`");
    one(value, "if tx[\"product\"] == \"A\" { 1 } else { 2 }", "CR002 1:7", "map `product` first");
    one(value, "if tx.product == \"A\" { 1 } else { 2 }", "CR002 1:7", "`product = \"COLUMN\"`");
    one(value, "tx.go", "CR008 1:4", "write `tx[\"go\"]`");
    one(value, "tx.match", "CR008 1:4", "write `tx[\"match\"]`");
}
