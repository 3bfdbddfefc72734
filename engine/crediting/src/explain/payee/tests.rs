//! Why not, one reason at a time: each deal of a small company says what the asker must read.

mod situations;

use std::collections::BTreeSet;

use super::*;
use accredit_domain::transaction::{Cell, Decoder, Record};
use accredit_workspace::Files;

const SETTINGS: &str = "[workspace]\nname = \"Small\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
    amount = \"amount\"\nowner = \"owner\"\n";

const PEOPLE: &str = "id,name,title,manager,from,to\nann,Ann Low,Rep,max,,\nbob,Bob,Rep,zed,,\n\
    max,Max,Manager,,,\nzed,Zed,Manager,,,\ngone,Gone,Rep,,,2026-01-31\n";

const PLAN: &str = r#"
name = "Reps"
targets = ["title:Rep"]
filter = 'tx["stage"] == "Won"'
from = 2026-01-01
to = 2026-12-31
[[direct]]
name = "Booking"
condition = 'tx.amount > 10'
[[direct.results]]
name = "Booking credit"
rollable = true
hold = 'if tx["stage"] == "Won" && tx.amount > 500 { hold_indefinitely("large") } else { no_hold() }'
[[indirect]]
name = "Managers"
relationship = "Reporting"
condition = 'tx.amount != 50'
receivers = ["title:Manager"]
[[indirect.results]]
name = "Managers credit"
"#;

fn ask(payee: &str, date: &str, amount: &str, owner: &str, stage: &str) -> WhyNot {
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", SETTINGS),
        file("organization/participants.csv", PEOPLE),
        file("plans/reps.toml", PLAN),
    ]);
    let columns = ["id", "date", "amount", "owner", "stage"];
    let known = BTreeSet::from(columns.map(str::to_owned));
    let (ruleset, found) = Ruleset::read(&files, &known);
    let ruleset = ruleset.unwrap_or_else(|| panic!("{found:?}"));
    let cells = columns.iter().zip(["D1", date, amount, owner, stage]);
    let cells = cells.map(|(column, cell)| ((*column).to_owned(), Cell::Text(cell.to_owned())));
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&Record { cells: cells.collect() }));
    let mut machine = Machine::new(&ruleset.programs);
    let plan = &ruleset.plans["reps"];
    explain_plan_for_payee(&ruleset, plan, &deal, &DecisionInputs::default(), &mut machine, payee)
}

#[test]
fn every_reason_is_named_with_what_was_seen() {
    let day = "2026-03-15";
    let check = |payee, (date, amount, owner, stage), expected: &[&str], text: &str| {
        let why = ask(payee, date, amount, owner, stage);
        let found = why.findings.iter().map(|one| format!("{}/{}", one.stage, one.code));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{payee} {owner}: {why:?}");
        let all = format!("{:?}", why.findings);
        assert!(all.contains(text), "`{text}` is not in {all}");
        assert_eq!(why.credited, expected.is_empty());
        why
    };
    check("ann", (day, "100", "ann", "Won"), &[], "");
    let filtered = check("ann", (day, "100", "ann", "Lost"), &["filter/filtered"], "Lost");
    assert_eq!(filtered.findings[0].condition.as_deref(), Some("tx[\"stage\"] == \"Won\""));
    check("ann", ("2025-03-15", "100", "ann", "Won"), &["filter/filtered"], "2025-03-15");
    check("ann", (day, "much", "ann", "Won"), &["filter/bad_value"], "much");
    let small = check("ann", (day, "9", "ann", "Won"), &["crediting/condition"], "9");
    assert_eq!(small.findings[0].rule.as_deref(), Some("Booking"));
    check("Ann Low", (day, "100", "bob", "Won"), &["crediting/not_named"], "Ann Low");
    let nobody = ["crediting/not_named", "crediting/unmatched"];
    check("ann", (day, "100", "Zoe", "Won"), &nobody, "no alias matches `Zoe`");
    check("gone", (day, "100", "ann", "Won"), &["crediting/no_position"], "no position");
    check("nobody", (day, "100", "ann", "Won"), &["crediting/unknown_payee"], "nobody");
    check("ann", (day, "600", "ann", "Won"), &["hold/held"], "large");
    check("max", (day, "100", "ann", "Won"), &[], "");
    let reached = ["crediting/not_target", "rollup/not_reached"];
    check("max", (day, "100", "bob", "Won"), &reached, "`max`");
    let condition = ["crediting/not_target", "rollup/condition"];
    check("max", (day, "50", "ann", "Won"), &condition, "is false (tx.amount = 50)");
}

#[test]
fn other_peoples_credits_are_not_told() {
    let why = ask("ann", "2026-03-15", "123.45", "bob", "Won");
    assert_eq!(why.credits, []);
    assert!(!format!("{why:?}").contains("123.45"), "{why:?}");
}
