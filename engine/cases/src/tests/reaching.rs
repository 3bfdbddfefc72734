//! Lines and branches that cases reach.

use super::COMPANY;
use crate::{CaseOptions, ReachedFile, run_case_files};
use accredit_workspace::Files;

fn reached(text: &str, threads: usize) -> ReachedFile {
    let options = CaseOptions { traced: true, threads, ..CaseOptions::default() };
    let run = run_case_files(&Files::new(), &[("a.cases.md", text)], &options);
    let failed = run.files.iter().flat_map(|file| file.outcomes.as_ref().unwrap());
    let failed: Vec<_> = failed.flat_map(|outcome| &outcome.failures).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    run.reached.files.get("a.cases.md").cloned().unwrap_or_default()
}

fn line_of(text: &str, part: &str) -> u32 {
    let found = text.lines().position(|line| line.contains(part));
    u32::try_from(found.unwrap_or_else(|| panic!("no `{part}`")) + 1).unwrap()
}

/// How often lines and branches of the company's hold policy ran over examples of owner and amount.
#[track_caller]
fn check(examples: &[(&str, u32)], lines: [u64; 3], if_and: [[u64; 2]; 2]) {
    let header = "## E\n\n| owner | amount | => | unit_type |\n| - | - | - | - |\n";
    let rows = examples.iter().map(|(owner, amount)| format!("| {owner} | {amount} | | USD |\n"));
    let text = format!("{COMPANY}{header}{}", rows.collect::<String>());
    let file = reached(&text, 2);
    let runs = |part: &str| file.lines.get(&line_of(&text, part)).map(|line| line.runs);
    let found = ["if tx.amount", "return hold", "    no_hold()"].map(runs);
    assert_eq!(found, lines.map(Some), "{file:#?}");
    assert_eq!(runs("const LARGE"), None);
    let filter = runs("filter = 'tx.owner").unwrap();
    assert_eq!(filter, examples.len() as u64);
    let line = line_of(&text, "if tx.amount");
    let taken: Vec<[u64; 2]> =
        file.branches.iter().filter(|((at, _), _)| *at == line).map(|(_, taken)| *taken).collect();
    assert_eq!(taken, if_and, "{file:#?}");
}

#[test]
fn arms_of_an_if_and_the_right_side_of_an_and_are_branches() {
    check(&[("ann", 50_001)], [1, 1, 0], [[1, 0], [1, 0]]);
    check(&[("ann", 1)], [1, 0, 1], [[0, 1], [0, 1]]);
    check(&[("bob", 50_001)], [1, 0, 1], [[0, 1], [1, 0]]);
    let all = [("ann", 50_001), ("ann", 1), ("bob", 50_001), ("ann", 2)];
    check(&all, [4, 1, 3], [[1, 3], [2, 2]]);
}

#[test]
fn a_run_that_breaks_off_decides_nothing() {
    let text = COMPANY
        .replace("tx.owner != \"bob\" {", "throw_it() {")
        .replace("fn hold(", "fn throw_it() {\n    throw \"no\";\n}\n\nfn hold(");
    let case = "## A\n\n```csv transactions\nid,date,owner,amount\nD1,2022-01-12,ann,60000\n```\n\n\
                | status | reason |\n| --- | --- |\n| held | policy_error |\n";
    let text = format!("{text}{case}");
    let file = reached(&text, 1);
    let line = line_of(&text, "if tx.amount");
    let taken: Vec<_> = file.branches.iter().filter(|((at, _), _)| *at == line).collect();
    assert_eq!(taken.iter().map(|(_, taken)| **taken).collect::<Vec<_>>(), [[0, 0], [1, 0]]);
    assert_eq!(file.lines[&line_of(&text, "throw \"no\"")].runs, 1);
}

/// What no case reaches of a customer's directory counts; what came with the program does not.
#[test]
fn everything_in_a_directory_is_counted() {
    let plan = "name = \"Deals\"\npolicies = { rollup = \"standard/share-rollup\" }\n\
                [[direct]]\nname = \"D\"\ncondition = 'tx.amount > 0'\n[[direct.results]]\nname = \"C\"\n";
    let base: Files = [
        (
            "accredit.toml",
            "[workspace]\nname = \"A\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
             amount = \"amount\"\nowner = \"owner\"\n",
        ),
        ("organization/participants.csv", "id\nann\n"),
        ("plans/deals.toml", plan),
        ("policies/hold/never.rhai", "fn hold(tx, credit) {\n    no_hold()\n}\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into()))
    .collect();
    let text = "## A\n\n```csv transactions\nid,date,owner,amount\nD1,2022-01-12,ann,1\n```\n\n\
                | amount |\n| --- |\n| 1.00 |\n";
    let options = CaseOptions { traced: true, ..CaseOptions::default() };
    let run = run_case_files(&base, &[("plans/deals.cases.md", text)], &options);
    let files: Vec<_> = run
        .reached
        .files
        .iter()
        .map(|(path, file)| (path.as_str(), file.count_lines(), file.count_branches()))
        .collect();
    let expected =
        [("plans/deals.toml", (1, 1), (0, 0)), ("policies/hold/never.rhai", (0, 1), (0, 0))];
    assert_eq!(files, expected);
}
