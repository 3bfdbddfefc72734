//! Alerts of entries that stand elsewhere than they were decided.

use super::super::notes::posting_notes;
use super::*;
use accredit_domain::credit::posted::OTHER_YEAR;
use accredit_domain::decision::{Decision, DecisionOutcome};

/// The alerts of rows that stand, of a decision that had `decided`, while January is closed.
fn alerts(decided: &[&PostedCredit], rows: &[PostedCredit]) -> Vec<String> {
    let calendar = Calendar::default();
    let mut locked = LockedPeriods::default();
    locked.closed.insert("2026-01".into());
    let rules = PostingRules { calendar: &calendar, locked: &locked, across_years: &|_| false };
    let decision = Decision {
        plan: "reps".into(),
        transaction: "D1".into(),
        period: Some("2026-01".into()),
        ruleset: "rs".into(),
        as_of: None,
        outcome: DecisionOutcome::Credited,
        credits: decided.iter().map(|row| (*row).clone()).collect(),
        reasons: Vec::new(),
        alerts: Vec::new(),
        log: Vec::new(),
    };
    let notes = posting_notes(&decision, rows, &rules).into_iter();
    notes.map(|note| format!("{}: {}", note.code, note.message)).collect()
}

/// The administrator who closed January hears how much of it is posted elsewhere, and nothing where
/// all of it is at home.
#[test]
fn entries_away_from_their_closed_period_are_counted() {
    let home = row("a", "2026-01-10", "1.00");
    let away = PostedCredit { period: "2026-02".into(), ..row("b", "2026-01-10", "2.00") };
    let second = PostedCredit { period: "2026-02".into(), ..row("c", "2026-01-11", "3.00") };
    let told = |count: &str| {
        let help = "stand in 2026-02; reopen 2026-01 to take them home";
        vec![format!("closed_period: 2026-01 is closed, so {count} of it {help}")]
    };
    assert_eq!(alerts(&[], std::slice::from_ref(&home)), [""; 0]);
    assert_eq!(alerts(&[], &[home.clone(), away.clone()]), told("1 entry"));
    assert_eq!(alerts(&[], &[home, away, second]), told("2 entries"));
}

/// A release into another fiscal year holds; one that is held as it was decided is nothing new.
#[test]
fn a_release_that_is_held_all_the_same_is_told() {
    let decided = row("a", "2026-12-10", "1.00");
    let released = PostedCredit { release_date: "2027-01-05".parse().ok(), ..decided.clone() };
    let reason = Some(OTHER_YEAR.to_owned());
    let held = PostedCredit { reason, ..with_status(decided.clone(), "held") };

    let told = alerts(&[&released], std::slice::from_ref(&held));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("release_in_other_year: released on 2027-01-05"), "{told:?}");
    assert_eq!(alerts(&[&with_status(decided, "held")], &[held]), [""; 0]);
}
