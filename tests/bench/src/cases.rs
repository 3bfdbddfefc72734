//! A thousand cases against the bare engine over the same decisions: what Markdown costs.

use std::collections::BTreeSet;
use std::fmt::Write;

use accredit_cases::{self as cases, CaseOptions};
use accredit_crediting::calculation;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::decision::Decision;
use accredit_domain::transaction::{Cell, Record};
use accredit_workspace::Ruleset;

use crate::pipeline;

const CASES: usize = 1000;

const COLUMNS: [&str; 7] = ["transaction", "rule", "kind", "position", "level", "amount", "status"];

/// Proves that every case passes, then prints the ratio; both sides on one thread.
pub fn compare() {
    let files = pipeline::files();
    let records: Vec<Record> = pipeline::deals().iter().take(CASES).map(pipeline::record).collect();
    let columns: BTreeSet<String> =
        records[0].cells.iter().map(|(column, _)| column.clone()).collect();
    let (ruleset, _) = Ruleset::read(&files, &columns);
    let ruleset = ruleset.unwrap();
    let bare = || {
        let transactions = calculation::latest_versions(&ruleset, &records, None);
        let decided =
            calculation::decide_all(&ruleset, &transactions, &DecisionInputs::default(), 1);
        calculation::period_decisions(&ruleset, "reps", None, &decided)
    };
    let decisions = bare();
    let text: String = records.iter().map(|record| case(record, &decisions)).collect();
    let options = CaseOptions { threads: 1, ..CaseOptions::default() };
    let ours = || cases::run_case_files(&files, &[("plans/reps.cases.md", &text)], &options);
    let run = ours();
    let outcomes = run.files[0].outcomes.as_ref().unwrap();
    assert_eq!(outcomes.len(), CASES);
    let failed = outcomes.iter().find(|outcome| !outcome.failures.is_empty());
    assert!(failed.is_none(), "{failed:#?}");

    let (a, b) = crate::duel(
        || {
            std::hint::black_box(ours());
        },
        || {
            std::hint::black_box(bare());
        },
    );
    crate::print("cases on 1 thread", CASES, a, b, "the bare engine over the same decisions");
}

/// A case with the row as CSV and the table that came out.
fn case(record: &Record, decisions: &[Decision]) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        _ => String::new(),
    };
    let (header, row): (Vec<String>, Vec<String>) =
        record.cells.iter().map(|(column, value)| (column.clone(), cell(value))).unzip();
    let id = &row[0];
    let (header, values) = (header.join(","), row.join(","));
    let mut text = format!("## Deal {id}\n\n```csv transactions\n{header}\n{values}\n```\n\n");
    let rule = ["---"; COLUMNS.len()];
    let _ = writeln!(text, "| {} |\n| {} |", COLUMNS.join(" | "), rule.join(" | "));
    let mine = decisions.iter().filter(|decision| decision.transaction == *id);
    for credit in mine.flat_map(|decision| &decision.credits) {
        let json = serde_json::to_value(credit).unwrap();
        let cells = COLUMNS.map(|column| match &json[column] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push('\n');
    text
}
