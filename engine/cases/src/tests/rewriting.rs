//! Tables rewritten in place.

use super::{COMPANY, run_text};
use crate::apply_edits;

/// Rewrites the cases of `before` and compares; what was written passes.
#[track_caller]
fn check(before: &str, after: &str) {
    let text = format!("{COMPANY}{before}");
    let outcomes = run_text(&text).unwrap();
    let edits: Vec<_> = outcomes.into_iter().flat_map(|outcome| outcome.edits).collect();
    let written = apply_edits(&text, &edits);
    assert_eq!(written, format!("{COMPANY}{after}"));
    let again = run_text(&written).unwrap();
    assert!(again.iter().all(|outcome| outcome.failures.is_empty()), "{again:#?}");
}

const ROWS: &str = "```csv transactions\nid,date,owner,amount\nD1,2022-01-12,ann;bob,10\n\
                    D2,2022-01-13,zoe,10\n```\n\n";

#[test]
fn only_rows_that_differ_change() {
    check(
        &format!(
            "## A\n\nSaid before.\n\n{ROWS}| transaction | position | amount |\n| --- | --- | --- |\n\
             | D1  | ann | 5.00 |\n| D1 | bob | 4.00 |\nSaid after | all.\n\n## B\n\n\
             | position |\n|---|\n| ann |\n"
        ),
        &format!(
            "## A\n\nSaid before.\n\n{ROWS}| transaction | position | amount |\n| --- | --- | --- |\n\
             | D1  | ann | 5.00 |\n| D1 | bob | 5.00 |\nSaid after | all.\n\n## B\n\n\
             | position |\n|---|\n| ann |\n"
        ),
    );
}

#[test]
fn rows_are_added_and_taken_away() {
    let table = "| position | payee |\n| --- | --- |\n";
    check(
        &format!("## A\n\n{ROWS}{table}\n## B\n\n{table}| ann | ann |\n| mia | mia |\n"),
        &format!(
            "## A\n\n{ROWS}{table}| ann | ann |\n| bob | bob |\n\n## B\n\n{table}| ann | ann |\n"
        ),
    );
}

#[test]
fn aligned_tables_stay_aligned() {
    check(
        &format!(
            "## A\n\n{ROWS}| position | amount |\n| :------- | -----: |\n| ann      | 5      |\n"
        ),
        &format!(
            "## A\n\n{ROWS}| position | amount |\n| :------- | -----: |\n| ann      | 5.00   |\n\
             | bob      | 5.00   |\n"
        ),
    );
    check(
        &format!("## A\n\n{ROWS}| rule | result |\n| ---- | ------ |\n"),
        &format!(
            "## A\n\n{ROWS}| rule | result      |\n| ---- | ----------- |\n\
             | Deal | Deal credit |\n| Deal | Deal credit |\n"
        ),
    );
}

#[test]
fn parts_of_messages_and_blank_cells_stay() {
    let rows = ROWS.replace("D2", "D3,2022-01-13,zed,10\nD2");
    let table = "| transaction | outcome | message | plan |\n| --- | --- | --- | --- |\n";
    check(
        &format!("## A\n\n{rows}{table}| D2 | uncredited | nobody matches | deals |\n"),
        &format!(
            "## A\n\n{rows}{table}| D2 | uncredited | nobody matches | deals |\n\
             | D3 | uncredited | rule `Deal`: nobody matches `zed` | deals |\n"
        ),
    );
    check(
        &format!("## A\n\n{ROWS}| transaction | level | position |\n| --- | --- | --- |\n"),
        &format!(
            "## A\n\n{ROWS}| transaction | level | position |\n| --- | --- | --- |\n\
             | D1 | | ann |\n| D1 | | bob |\n"
        ),
    );
}

#[test]
fn examples_keep_what_is_given() {
    let header = "## E\n\n| owner | amount | => | position | amount |\n| - | - | - | - | - |\n";
    check(
        &format!(
            "{header}| ann | 3 | | ann | 3.00 |\n| ann;bob | 4 | | ann | 4.00 |\n| zoe | 5 | | ann | |\n"
        ),
        &format!(
            "{header}| ann | 3 | | ann | 3.00 |\n| ann;bob | 4 | | ann | 2.00 |\n\
             | | | | bob | 2.00 |\n| zoe | 5 | | | |\n"
        ),
    );
}

#[test]
fn line_endings_stay() {
    let text = format!("{COMPANY}## A\n\n| position |\n| --- |\n| bob |\n").replace('\n', "\r\n");
    let outcomes = run_text(&text).unwrap();
    let written = apply_edits(&text, &outcomes[0].edits);
    assert_eq!(written, text.replace("| bob |\r\n", "| ann |\r\n"));
}
