//! Decisions kept as cases.

use std::path::Path;
use std::sync::Arc;

use super::COMPANY;
use crate::sheet::PreparedFile;
use crate::{CaseExport, CaseOptions, export_case};
use accredit_crediting::calculation::{decide_all, latest_versions};
use accredit_crediting::stage::{CreditResolution, DecisionInputs};
use accredit_domain::decision::HoldAction;
use accredit_domain::transaction::{Cell, Record};
use accredit_workspace::{Files, Ruleset};

fn company() -> Arc<Ruleset> {
    let base = Files::new();
    let text = format!("{COMPANY}## A\n\n| amount |\n| --- |\n");
    let sheet =
        PreparedFile::prepare_file(&base, &CaseOptions::default(), ("a.cases.md", &text)).unwrap();
    Arc::clone(sheet.ruleset_of_trial(&sheet.trials[0]).unwrap())
}

fn deal(owner: &str, amount: &str) -> Record {
    let cells = [("id", "D1"), ("date", "2022-01-12"), ("owner", owner), ("amount", amount)];
    let cells = cells.map(|(column, text)| (column.to_owned(), Cell::Text(text.to_owned())));
    Record { cells: cells.to_vec() }
}

#[track_caller]
fn check(owner: &str, amount: &str, inputs: &DecisionInputs, expected: &[&str], absent: &[&str]) {
    let (ruleset, record) = (company(), deal(owner, amount));
    let kept = CaseExport { ruleset: &ruleset, record: &record, plan: Some("deals"), inputs };
    let text = export_case(&kept).unwrap();
    for part in expected {
        assert!(text.contains(part), "`{part}` is missing\n{text}");
    }
    for part in absent {
        assert!(!text.contains(part), "`{part}` is there\n{text}");
    }
}

#[test]
fn the_case_has_the_deal_those_involved_and_what_came_out() {
    let none = DecisionInputs::default();
    check(
        "ann",
        "1000",
        &none,
        &[
            "## D1 in plan deals, kept\n",
            "```csv organization/participants.csv\nid,title,manager\nann,Rep,mia\nmia,Manager,\n```\n",
            "{\"id\":\"D1\",\"date\":\"2022-01-12\",\"owner\":\"ann\",\"amount\":\"1000\"}\n```\n",
            "plan: deals\n",
            "| D1 | Deal | Deal credit | direct | ann | ann | 1 | 2022-01 |",
        ],
        &["bob", "as-of", "outcome", "alert"],
    );
    let failed = ["| transaction | position | amount |\n| --- | --- | --- |\n\n"];
    check("zoe", "1", &none, &failed, &["ann"]);
    check("zoe", "1", &none, &["| D1 | uncredited | crediting | unmatched | rule"], &["bob"]);
    check("zoe", "1", &none, &["| transaction | alert | stage | message |"], &[]);
    check("ann", "much", &none, &["| D1 | parked |", "| bad_value |"], &[]);
    check("nobody", "1", &none, &["| D1 | filtered | | | |"], &[]);
}

#[test]
fn the_business_date_and_what_people_did_are_kept() {
    let (ruleset, record) = (company(), deal("ann", "60000"));
    let inputs =
        DecisionInputs { as_of: Some("2022-02-01".parse().unwrap()), ..DecisionInputs::default() };
    check("ann", "60000", &inputs, &["as-of: 2022-02-01\n", "| held | large |"], &["| action |"]);
    let transactions = latest_versions(&ruleset, &[record], None);
    let decided = decide_all(&ruleset, &transactions, &inputs, 1);
    let credit = decided[0].decisions[0].credits[0].id;
    let at = |action, reason: &str| CreditResolution {
        credit,
        action,
        date: "2022-01-31".parse().unwrap(),
        reason: reason.to_owned(),
    };
    let resolutions = vec![at(HoldAction::Hold, "a query"), at(HoldAction::Release, "done")];
    let released = DecisionInputs { resolutions: resolutions.clone(), ..inputs.clone() };
    let rows = [
        format!("| hold | {credit} | 2022-01-31 | a query |\n"),
        format!("| release | {credit} | 2022-01-31 | |\n"),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    check("ann", "60000", &released, &rows, &["| held |"]);
}

/// Every transaction of the goldens, in every plan, can be kept.
#[test]
fn every_golden_decision_can_be_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/goldens");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        let base = Files::new();
        let sheet =
            PreparedFile::prepare_file(&base, &CaseOptions::default(), ("a.cases.md", &text))
                .unwrap();
        for trial in &sheet.trials {
            let as_of = sheet.file.cases[trial.case].as_of;
            let inputs = DecisionInputs { as_of, ..DecisionInputs::default() };
            let ruleset = sheet.ruleset_of_trial(trial).unwrap();
            let plans = ruleset.plans.keys().map(|plan| Some(&**plan)).chain([None]);
            for plan in plans {
                for record in trial.records.as_ref().unwrap() {
                    if latest_versions(ruleset, std::slice::from_ref(record), as_of).is_empty() {
                        continue; // Not received by then, so nothing was decided.
                    }
                    let kept = CaseExport { ruleset, record, plan, inputs: &inputs };
                    let text = export_case(&kept);
                    assert!(text.is_ok(), "{:?}: {text:?}\n{record:?}", file.path());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 150, "{count} decisions");
}
