//! The pipeline against the same rules written by hand in Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::transaction::{Cell, Record};
use accredit_workspace::{Files, Ruleset};
use rust_decimal::Decimal;

use crate::native::{self, Deal};

const DEALS: usize = 20_000;
const REPS: usize = 60;

const SETTINGS: &str = r#"
[workspace]
name = "Bench"
[fields]
id = "id"
date = "date"
amount = "amount"
owner = ["owner"]
quantity = "quantity"
"#;

const PLAN: &str = r#"
name = "Reps"
targets = ["title:Rep"]
filter = 'tx.stage == "Won"'
policies = { crediting = "two-reps", hold = "large" }
[[direct]]
name = "Booking"
[[direct.results]]
name = "Booking credit"
rollable = true
[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
hold = "none"
"#;

const CREDITING: &str = r#"
fn credit(tx) {
    let first = tx["Rep #1"];
    let second = tx["Rep #2"];
    if tx.quantity >= 1000 {
        return first;
    }
    if tx.quantity >= 500 {
        return second;
    }
    tx.default_credit
}
"#;

const HOLD: &str = r#"
fn hold(tx, credit) {
    if credit.amount >= 50000 {
        return hold_indefinitely("large deal");
    }
    no_hold()
}
"#;

pub fn files() -> Files {
    let mut people = "id,name,title,manager\n".to_owned();
    for rep in 0..REPS {
        people.push_str(&format!("r{rep},Rep {rep},Rep,m{}\n", rep / 10));
    }
    for manager in 0..REPS / 10 {
        people.push_str(&format!("m{manager},Manager {manager},Manager,vp\n"));
    }
    people.push_str("vp,Vice President,VP,\n");
    let files = [
        ("accredit.toml", SETTINGS),
        ("plans/reps.toml", PLAN),
        ("policies/crediting/two-reps.rhai", CREDITING),
        ("policies/hold/large.rhai", HOLD),
        ("organization/participants.csv", &people),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), Arc::from(text))).collect()
}

pub fn deals() -> Vec<Deal> {
    let mut state = 7_u64;
    let mut next = |end: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % end
    };
    let deal = |number| Deal {
        id: format!("D{number}"),
        won: next(100) < 84,
        date: format!("2026-{:02}-{:02}", next(12) + 1, next(28) + 1),
        amount: Decimal::new(next(6_000_000) as i64, 2),
        quantity: Decimal::from(next(1500)),
        owner: format!("Rep {}", next(REPS as u64)),
        first: format!("Rep {}", next(REPS as u64)),
        second: format!("Rep {}", next(REPS as u64)),
    };
    (0..DEALS).map(deal).collect()
}

pub fn record(deal: &Deal) -> Record {
    let text = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
    Record {
        cells: vec![
            text("id", &deal.id),
            text("stage", if deal.won { "Won" } else { "Lost" }),
            text("date", &deal.date),
            text("amount", &deal.amount.to_string()),
            text("quantity", &deal.quantity.to_string()),
            text("owner", &deal.owner),
            text("Rep #1", &deal.first),
            text("Rep #2", &deal.second),
        ],
    }
}

/// Totals by position and status: what both must agree on.
pub type Totals = BTreeMap<(String, &'static str), (usize, Decimal)>;

/// Proves the results equal, then prints the ratio.
pub fn compare() {
    let columns = ["id", "stage", "date", "amount", "quantity", "owner", "Rep #1", "Rep #2"];
    let observed: BTreeSet<String> = columns.into_iter().map(str::to_owned).collect();
    let (ruleset, diagnostics) = Ruleset::read(&files(), &observed);
    let ruleset = ruleset.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let deals = deals();
    let records: Vec<Record> = deals.iter().map(record).collect();
    let transactions = calculation::latest_versions(&ruleset, &records, None);
    let company = native::Company::new(REPS);
    let inputs = DecisionInputs::default();
    let ours = |threads| calculation::decide_all(&ruleset, &transactions, &inputs, threads);

    let mut totals = Totals::new();
    let decided = ours(2);
    let decisions = decided.iter().flat_map(|deal| &deal.decisions);
    for credit in decisions.flat_map(|decision| &decision.credits) {
        let position = credit.recipient().to_owned();
        let entry = totals.entry((position, credit.status.as_str())).or_default();
        entry.0 += 1;
        entry.1 += credit.amount;
    }
    let mut expected = Totals::new();
    for credit in native::decide_all(&company, &deals) {
        assert!(deals[credit.transaction as usize].won);
        let entry = expected.entry((company.name(credit.position), credit.status)).or_default();
        entry.0 += 1;
        entry.1 += credit.amount;
    }
    assert_eq!(totals, expected, "the two pipelines disagree");

    for threads in [1, 2] {
        let (a, b) = crate::duel(
            || {
                std::hint::black_box(ours(threads));
            },
            || {
                std::hint::black_box(native::decide_all(&company, &deals));
            },
        );
        let what = format!("pipeline on {threads} threads");
        crate::print(&what, DEALS, a, b, "a hand-written native pipeline on one");
    }
}
