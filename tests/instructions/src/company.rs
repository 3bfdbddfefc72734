//! The company of the workloads: 150 reps under managers, a plan with four policies, seeded deals.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use accredit_workspace::{Files, Ruleset};

/// The crediting policy of the plan, ten lines.
pub const CREDITING: &str = r#"/// Two reps share; large quantities go to the first.
fn credit(tx) {
    let first = tx["Rep 1"];
    let second = tx["Rep 2"];
    if tx.quantity >= 1000 || second.is_empty() {
        return first;
    }
    if tx.quantity >= 500 {
        return [share(first, 0.6), share(second, 0.4)];
    }
    if tx["City"] == "Berlin" {
        return [share(first, 0.7), share(second, 0.3)];
    }
    [share(first, 0.5), share(second, 0.5)]
}
"#;

const SETTINGS: &str = r#"[workspace]
name = "Instructions"

[fields]
id = "Id"
date = "Close"
amount = "Amount"
owner = "Rep 1"
quantity = "Qty"

[columns]
Stage = "text"
"Rep 2" = "text"
City = "text"
"#;

const PLAN: &str = r#"name = "Reps"
targets = ["title:Rep"]
filter = "policy:won"
split = "equal"
policies = { crediting = "two-reps", hold = "large", rollup = "share" }

[[direct]]
name = "Booking"
assign = "policy"
[[direct.results]]
name = "Booking credit"
rollable = true

[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#;

const FILTER: &str = r#"/// Only deals that are won count.
fn include(tx) {
    tx["Stage"] == "Won" && tx.amount > 0
}
"#;

const HOLD: &str = r#"/// Large credits wait.
fn hold(tx, credit) {
    if credit.amount >= 50000 {
        return hold_for(30, "days");
    }
    no_hold()
}
"#;

const ROLLUP: &str = r#"/// Managers have a share by level.
fn roll(tx, credit, to, existing) {
    if to.level == 1 {
        return credit.amount;
    }
    credit.amount * 0.5
}
"#;

const REPS: u64 = 150;

/// The directory's definitions.
pub fn files() -> Files {
    let mut people = "id,name,title,manager\nceo,CEO,CEO,\n".to_owned();
    for vice in 0..3 {
        let _ = writeln!(people, "v{vice},VP {vice},VP,ceo");
    }
    for director in 0..9 {
        let _ = writeln!(people, "d{director},Director {director},Director,v{}", director % 3);
    }
    for manager in 0..30 {
        let _ = writeln!(people, "m{manager},Manager {manager},Manager,d{}", manager % 9);
    }
    for rep in 0..REPS {
        let _ = writeln!(people, "r{rep},Rep {rep},Rep,m{}", rep % 30);
    }

    let files = [
        ("accredit.toml", SETTINGS),
        ("plans/reps.toml", PLAN),
        ("policies/filter/won.rhai", FILTER),
        ("policies/crediting/two-reps.rhai", CREDITING),
        ("policies/hold/large.rhai", HOLD),
        ("policies/rollup/share.rhai", ROLLUP),
        ("organization/participants.csv", &people),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), Arc::from(text))).collect()
}

/// The columns of the deals.
pub fn columns() -> BTreeSet<String> {
    let columns = ["Id", "Close", "Amount", "Rep 1", "Rep 2", "Qty", "Stage", "City"];
    columns.into_iter().map(str::to_owned).collect()
}

/// `count` deals as CSV, the same at every call.
pub fn deals(count: usize) -> String {
    let mut state = 7_u64;
    let mut next = |end: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % end
    };
    let mut text = "Id,Close,Amount,Rep 1,Rep 2,Qty,Stage,City\n".to_owned();

    for number in 0..count {
        let (month, day) = (next(12) + 1, next(28) + 1);
        let (whole, cents) = (next(60_000), next(100));
        let (first, second, alone) = (next(REPS), next(REPS), next(10) == 0);
        let second = if alone { String::new() } else { format!("r{second}") };
        let quantity = next(1500);
        let stage = if next(100) < 84 { "Won" } else { "Lost" };
        let city = ["Berlin", "Paris", "Rome", "Oslo", "Madrid", "Wien"][next(6) as usize];
        let _ = writeln!(
            text,
            "D{number},2026-{month:02}-{day:02},{whole}.{cents:02},r{first},{second},{quantity},\
             {stage},{city}"
        );
    }
    text
}

/// The ruleset of the company.
pub fn ruleset(files: &Files) -> Ruleset {
    let (ruleset, diagnostics) = Ruleset::read(files, &columns());
    ruleset.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

/// Writes the company with `count` deals into a directory.
pub fn write(directory: &Path, count: usize) {
    let write = |path: &str, text: &str| {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    files().iter().for_each(|(path, text)| write(path, text));
    write("transactions/deals.csv", &deals(count));
}
