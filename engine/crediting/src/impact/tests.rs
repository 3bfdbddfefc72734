//! What differs, by whom and why, on decisions made by two rulesets.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::calculation;
use crate::stage::DecisionInputs;
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::limits::MoneyLine;
use accredit_domain::transaction::read;
use accredit_workspace::Files;

const SETTINGS: &str = "credit_types = [\"booking\"]\n[workspace]\nname = \"A\"\n[fields]\n\
    id = \"id\"\ndate = \"day\"\namount = \"amount\"\nowner = \"owner\"\n";
const PEOPLE: &str = "id,name,manager\nann,Ann,mia\nbob,Bob,mia\nmia,Mia,zoe\nzoe,Zoe,\n";

fn plan(value: &str, more: &str) -> String {
    format!(
        "name = \"P\"\ntargets = [\"*\"]\n[[direct]]\nname = \"R\"\n[[direct.results]]\n\
         name = \"C\"\ncredit_type = \"booking\"\nvalue = \"{value}\"\n{more}\n"
    )
}

fn ruleset(plan: &str) -> Ruleset {
    let files = [
        ("accredit.toml", SETTINGS),
        ("organization/participants.csv", PEOPLE),
        ("plans/p.toml", plan),
    ];
    let files: Files = files.map(|(path, text)| (path.to_owned(), Arc::from(text))).into();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    ruleset.unwrap_or_else(|| unreachable!("{findings:?}"))
}

fn impact(before: &Ruleset, after: &Ruleset, rows: &str) -> Impact {
    let records = read::read_csv(rows.as_bytes()).unwrap();
    let mut impact = Impact::default();
    let decide = |ruleset: &Ruleset| -> Vec<Vec<Decision>> {
        let transactions = calculation::latest_versions(ruleset, &records, None);
        let decided =
            calculation::decide_all(ruleset, &transactions, &DecisionInputs::default(), 1);
        decided.into_iter().map(|deal| deal.decisions).collect()
    };
    for (old, new) in decide(before).iter().zip(&decide(after)) {
        impact.add_delta(compare_decisions((before, old), (after, new)).as_ref());
    }
    impact
}

const ROWS: &str = "id,day,amount,owner\nD1,2026-01-05,100,ann\nD2,2026-01-06,50,bob\n\
    D3,2026-01-07,7,zoe\n";

fn lines(lines: &[MoneyLine]) -> Vec<String> {
    let text = |line: &MoneyLine| format!("{} {} {}", line.name, line.before, line.after);
    lines.iter().map(text).collect()
}

#[test]
fn differences_are_summed_by_payee_manager_and_plan() {
    let (before, after) = (ruleset(&plan("tx.amount", "")), ruleset(&plan("tx.amount * 2", "")));
    let report = impact(&before, &after, ROWS).to_report();
    assert_eq!((report.transactions, report.differing), (3, 3));
    assert_eq!(
        lines(&report.by_payee),
        ["ann 100.00 200.00", "bob 50.00 100.00", "zoe 7.00 14.00"]
    );
    assert_eq!(lines(&report.by_manager), ["mia 150.00 300.00", "zoe 150.00 300.00"]);
    assert_eq!(lines(&report.by_plan), ["p 157.00 314.00"]);
    assert_eq!(lines(&report.total), [" 157.00 314.00"]);
    let first = &report.differences[0];
    assert_eq!((first.what.as_str(), first.rule.as_deref()), ("amount", Some("R")));
    assert_eq!(first.message, "ann by `R`: 100.00 USD, now 200.00 USD");
}

/// A change into a finalized period was shown as what is taken back alone: "mia gets -500.00".
#[test]
fn a_correction_shows_both_amounts_and_what_they_come_to() {
    let row = |id: &str, amount: &str, reverses: Option<&str>| PostedCredit {
        id: CreditId::from_parts(id, &[], 0),
        transaction: "D1".into(),
        incentive_date: jiff::civil::date(2022, 1, 10),
        plan: "p".into(),
        rule: "R".into(),
        payee: Some("mia".into()),
        period: if id == "c0" { "2022-01" } else { "2022-02" }.into(),
        unit_type: "USD".into(),
        amount: amount.parse().unwrap(),
        status: CreditStatus::Active,
        reverses: reverses.map(|id| CreditId::from_parts(id, &[], 0)),
        ..row_of_nothing()
    };
    let frozen = row("c0", "500.00", None);
    let decision = |credits: &[&PostedCredit]| Decision {
        plan: "p".into(),
        transaction: "D1".into(),
        outcome: DecisionOutcome::Credited,
        credits: credits.iter().map(|row| (*row).clone()).collect(),
        ..decision_of_nothing()
    };
    let told = |posted: &[&PostedCredit]| {
        let after: Vec<&PostedCredit> =
            [&frozen].into_iter().chain(posted.iter().copied()).collect();
        let (before, after) = (decision(&[&frozen]), decision(&after));
        reason::first_difference("p", Some(&before), Some(&after)).unwrap().message
    };
    let (back, anew) = (row("c1", "-500.00", Some("c0")), row("c2", "700.00", None));
    let both = "mia by `R`: -500.00 and +700.00, +200.00 USD in 2022-02";
    assert_eq!(told(&[&back, &anew]), both);
    assert_eq!(told(&[&back]), "mia by `R`: -500.00 USD in 2022-02");
    let other = PostedCredit { payee: Some("ann".into()), ..anew };
    let moved = "mia by `R`: -500.00 USD in 2022-02; ann by `R`: +700.00 USD in 2022-02";
    assert_eq!(told(&[&back, &other]), moved);
}

/// A decision of a deal in a plan, and its only credit, to take the rest of the fields from.
fn decision_of_nothing() -> Decision {
    let ruleset = ruleset(&plan("tx.amount", ""));
    let records = read::read_csv(b"id,day,amount,owner\nD1,2026-01-05,100,ann\n").unwrap();
    let transactions = calculation::latest_versions(&ruleset, &records, None);
    let decided = calculation::decide_all(&ruleset, &transactions, &DecisionInputs::default(), 1);
    decided[0].decisions[0].clone()
}

fn row_of_nothing() -> PostedCredit {
    decision_of_nothing().credits.remove(0)
}

#[test]
fn the_same_rules_differ_in_nothing() {
    let (before, after) =
        (ruleset(&plan("tx.amount", "")), ruleset(&plan("tx.amount", "# a remark")));
    assert_ne!(before.hash, after.hash);
    assert_eq!(impact(&before, &after, ROWS), Impact { transactions: 3, ..Impact::default() });
}

#[test]
fn a_hold_moves_no_total_and_shows_all_the_same() {
    let held = plan("tx.amount", "hold = \"indefinite\"");
    let (before, after) = (ruleset(&plan("tx.amount", "")), ruleset(&held));
    let impact = impact(&before, &after, ROWS);
    let report = impact.to_report();
    assert_eq!(report.total[0].difference, Decimal::ZERO);
    assert_eq!(report.total[0].held_after, Decimal::from(157));
    assert_eq!(report.differences[0].what, "status");
}

#[test]
fn limits_stop_at_one_cent_more() {
    let (before, after) = (ruleset(&plan("tx.amount", "")), ruleset(&plan("tx.amount * 2", "")));
    let impact = impact(&before, &after, ROWS);
    let limits = |total: &str, payee: &str| Limits {
        max_total: total.parse().ok(),
        max_payee: payee.parse().ok(),
    };
    assert_eq!(impact.exceeded_limit(&limits("157", "100")), None);
    assert!(
        impact.exceeded_limit(&limits("156.99", "")).unwrap().contains("157.00 USD move in all")
    );
    assert!(impact.exceeded_limit(&limits("", "99.99")).unwrap().contains("`ann`"));
}

#[test]
fn what_was_added_is_taken_back_exactly() {
    let (before, after) = (ruleset(&plan("tx.amount", "")), ruleset(&plan("tx.amount * 3", "")));
    let one = |rows: &str| impact(&before, &after, rows);
    let mut both = one("id,day,amount,owner\nD1,2026-01-05,100,ann\nD2,2026-01-06,50,bob\n");
    let records = read::read_csv(b"id,day,amount,owner\nD2,2026-01-06,50,bob\n").unwrap();
    let decide = |ruleset: &Ruleset| {
        let rows = calculation::latest_versions(ruleset, &records, None);
        let decided = calculation::decide_all(ruleset, &rows, &DecisionInputs::default(), 1);
        decided[0].decisions.clone()
    };
    let delta = compare_decisions((&before, &decide(&before)), (&after, &decide(&after)));
    both.take_back(delta.as_ref());
    assert_eq!(both, one("id,day,amount,owner\nD1,2026-01-05,100,ann\n"));
    let text = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<Impact>(&text).unwrap(), both);
}
