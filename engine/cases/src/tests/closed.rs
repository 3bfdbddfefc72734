//! Finalized periods in the cases of a customer's directory, and cases that say nothing.

use super::COMPANY;
use crate::{CaseOptions, CaseOutcome, ReachedFile, run_case_files};
use accredit_workspace::Files;

/// A directory that has finalized January, with a reward policy.
fn directory() -> Files {
    let plan = "name = \"Deals\"\n[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"C\"\n\
                [[reward]]\nname = \"Tenth\"\nvalue = \"policy:tenth\"\n";
    [
        (
            "accredit.toml",
            "[workspace]\nname = \"A\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
             amount = \"amount\"\nowner = \"owner\"\nreceived = \"received\"\n\
             [calendar]\nfinalized = { \"2022-01\" = 2022-02-10 }\n",
        ),
        ("organization/participants.csv", "id\nann\n"),
        ("plans/deals.toml", plan),
        (
            "policies/reward/tenth.rhai",
            "fn reward(payee, totals, quota) {\n    if totals.credited > 10 {\n        \
             totals.credited * 0.1\n    } else {\n        0\n    }\n}\n",
        ),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into()))
    .collect()
}

fn run_case(text: &str) -> (Vec<CaseOutcome>, Option<ReachedFile>) {
    let options = CaseOptions { traced: true, threads: 2, ..CaseOptions::default() };
    let base = directory();
    let run = run_case_files(&base, &[("plans/deals.cases.md", text)], &options);
    let outcomes = run.files[0].outcomes.as_ref().unwrap_or_else(|error| panic!("{error:#?}"));
    (outcomes.clone(), run.reached.files.get("policies/reward/tenth.rhai").cloned())
}

#[track_caller]
fn passes(text: &str) -> Option<ReachedFile> {
    let (outcomes, reached) = run_case(text);
    for outcome in &outcomes {
        assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    }
    reached
}

#[track_caller]
fn fails(text: &str, expected: &str) {
    let (outcomes, _) = run_case(text);
    let messages: Vec<&str> =
        outcomes.iter().flat_map(|one| &one.failures).map(|one| one.message.as_str()).collect();
    assert_eq!(messages, [expected]);
}

/// A January deal that arrives in March.
const LATE: &str = "```csv transactions\nid,date,owner,amount,received\n\
                    D1,2022-01-12,ann,100,2022-03-01\n```\n\n";

/// `test` decided as if no period was finalized, so a case of a late deal passed with January,
/// and `calculate` posted the same deal in March.
#[test]
fn finalized_periods_of_the_directory_count_in_its_cases() {
    let posted = |line: &str, period: &str| {
        let table = format!("| period | amount |\n| --- | --- |\n| {period} | 100.00 |\n");
        passes(&format!("## Late\n\n{LATE}{line}{table}"));
    };
    posted("", "2022-02");
    posted("finalized: none\n\n", "2022-01");
    posted("finalized: 2022-01 = 2022-02-10, 2022-02 = 2022-02-27\n\n", "2022-03");
    posted("finalized: 2021-12 = 2022-01-10\n\n", "2022-01");
}

#[test]
fn what_a_case_says_of_finalized_periods_is_checked() {
    let table = "| amount |\n| --- |\n| 100.00 |\n";
    let unknown = format!("## Late\n\n{LATE}finalized: 2022-13 = 2022-02-10\n\n{table}");
    fails(&unknown, "`finalized` names the unknown period `2022-13`");
    let options = CaseOptions::default();
    let text = format!("## Late\n\n{LATE}finalized: 2022-01\n\n{table}");
    let run = run_case_files(&directory(), &[("plans/deals.cases.md", &text)], &options);
    let errors = run.files[0].outcomes.as_ref().unwrap_err();
    assert_eq!(errors[0].message, "`2022-01` does not say which periods are finalized");
}

/// Reward policies, and every policy of cases with a finalized period, ran on machines that counted
/// nothing, so that coverage showed 0 %.
#[test]
fn rewards_and_finalized_periods_are_counted() {
    let rewards = "period: 2022-02\n\n| reward | amount |\n| --- | --- |\n| Tenth | 10.00 |\n";
    let reached = passes(&format!("## Late\n\n{LATE}{rewards}")).expect("the policy is counted");
    assert_eq!((reached.count_lines(), reached.count_branches()), ((2, 3), (1, 2)));

    let text =
        COMPANY.replace("[fields]", "[calendar]\nfinalized = { 2021 = 2022-01-10 }\n\n[fields]");
    let case = "## A\n\n| amount |\n| --- |\n| 1000.00 |\n";
    let options = CaseOptions { traced: true, ..CaseOptions::default() };
    let run = run_case_files(&Files::new(), &[("a.cases.md", &format!("{text}{case}"))], &options);
    let (ran, _) = run.reached.files["a.cases.md"].count_lines();
    assert_eq!(ran, 3, "{:#?}", run.reached);
}

/// A case without a deal and with an empty table passed whatever the rules were.
#[test]
fn a_case_says_something() {
    let nothing = "case `Nothing` has no transaction and an empty table, so it can never fail";
    fails("## Nothing\n\n| amount |\n| --- |\n", nothing);
    fails("## Nothing\n\n```csv transactions\nid,date\n```\n\n| amount |\n| --- |\n", nothing);
    fails("## Nothing\n\nperiod: 2022-01\n\n| reward |\n| --- |\n", nothing);
    fails(
        "## Nothing\n\n| action | transaction |\n| --- | --- |\n| hold | D1 |\n\n| amount |\n| --- |\n",
        nothing,
    );
    // A deal for which nothing is credited is something to say.
    let row = "D1,2022-02-12,bob,1\n";
    let rows = format!("```csv transactions\nid,date,owner,amount\n{row}```\n\n");
    passes(&format!("## Left\n\n{rows}| amount |\n| --- |\n"));
}
