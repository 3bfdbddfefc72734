//! Case files with mistakes: each is found where it stands, and the ones behind it as well.

use super::COMPANY;
use crate::{CaseOptions, parse_case_file, run_case_files};
use accredit_workspace::Files;

/// Findings of the reader as `line:column message; help`, lines counted behind the company's.
fn found(text: &str) -> Vec<String> {
    let before = u32::try_from(COMPANY.lines().count()).unwrap();
    let errors =
        parse_case_file("a.cases.md", &format!("{COMPANY}{text}")).err().unwrap_or_default();
    let shown = errors.into_iter().map(|error| {
        let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
        let line = error.place.line - before;
        format!("{line}:{} {}{help}", error.place.column, error.message)
    });
    shown.collect()
}

const ROWS: &str =
    "## A\n\n```csv transactions\nid,date,owner,amount\nD1,2022-01-12,ann,5\n```\n\n";
const TABLE: &str = "| transaction | position |\n| --- | --- |\n| D1 | ann |\n";

fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(found(text), *expected, "{text}");
    }
}

#[test]
fn mistakes_in_tables_and_settings_stand_where_they_are() {
    check(&[
        (
            "## A\n\n| transaction | postion |\n| --- | --- |\n\nas-of: 2022-13-01\n",
            &[
                "3:17 `postion` is not a column of credits; did you mean `position`?",
                "6:8 `2022-13-01` is not a date such as 2022-02-11",
            ],
        ),
        (
            "## A\n\n| **transaction** | amount |\n| --- | --- |\n",
            &[
                "3:3 `**transaction**` is not a column of credits; write `transaction` without marks",
            ],
        ),
        (
            "## A\n\n| code | -> |\n| --- | --- |\n",
            &["3:10 `->` is not a column of outcomes; write `=>` between what is given and what \
               comes out"],
        ),
        (
            "## A\n\nAs of: 2022-01-31\nperiod : 2022-01\n\n| amount |\n| --- |\n",
            &[
                "3:1 `As of` is not a setting of a case; write `as-of: 2022-01-31` at the beginning \
                 of the line",
                "4:1 `period ` is not a setting of a case; write `period: 2022-01` at the beginning \
                 of the line",
            ],
        ),
        (
            "| transaction | amount |\n| --- | --- |\n\n## A\n\n| amount |\n| --- |\n",
            &["1:1 this table belongs to no case; write a heading `## ` before it"],
        ),
        (
            "## A\n\n| amount |\n| D1 |\n",
            &[
                "4:1 a table needs a line of dashes below its header; write `| --- | --- |`, as many \
               as there are columns",
            ],
        ),
        (
            "## A\n\n| amount |\n| --- |\n| 1 | 2 |\n",
            &["5:1 2 cells where the header has 1; a bar inside a cell is written `\\|`"],
        ),
    ]);
}

#[test]
fn mistakes_in_blocks_stand_where_they_are() {
    check(&[
        (
            "## A\n\n```csv transaction\nid\n```\n\n| amount |\n| --- |\n",
            &["3:1 nothing reads a block `transaction`; did you mean `transactions`?"],
        ),
        (
            "## A\n\n```transactions\nid\n```\n\n| amount |\n| --- |\n",
            &[
                "3:1 the block `transactions` has no language; write its language first, as in `csv \
               transactions`",
            ],
        ),
        (
            "## A\n\n```toml plans\\p.toml\n```\n\n| amount |\n| --- |\n",
            &["3:1 nothing reads a block `plans\\p.toml`; write `plans/p.toml`"],
        ),
        (
            "## A\n\n| amount |\n| --- |\n\n```csv transactions\nid\n",
            &["6:1 this block does not end; write the same marks again on a line of their own"],
        ),
        // What a reader of Markdown takes for text is text.
        ("## A\n\nAs of today: nothing.\nNote: 5\n\n| amount |\n| --- |\n", &[]),
        ("<!--\n## Old\n-->\n## A\n\n```rhai\nlet x = 1;\n```\n\n| amount |\n| --- |\n", &[]),
        ("## A\n\n~~~csv transactions\nid\n~~~\n\n````text\n```\n````\n| amount |\n| --- |\n", &[]),
    ]);
}

/// Failures of the cases of a file that stands alone.
fn failures(text: &str) -> Vec<String> {
    let text = format!("{COMPANY}{text}");
    let run = run_case_files(&Files::new(), &[("a.cases.md", &text)], &CaseOptions::default());
    let outcomes = run.files.into_iter().flat_map(|file| file.outcomes.unwrap());
    outcomes.flat_map(|one| one.failures).map(|failure| failure.message).collect()
}

#[test]
fn settings_before_the_first_case_hold_for_all() {
    let none = "| transaction | position |\n| --- | --- |\n";
    let text = format!("period: 2022-02\n\n{ROWS}{none}");
    assert_eq!(failures(&text), Vec::<String>::new());
    let own = format!("period: 2022-02\n\n{ROWS}period: 2022-01\n\n{TABLE}");
    assert_eq!(failures(&own), Vec::<String>::new());
    assert_eq!(failures(&format!("plan: less\n\n{ROWS}{TABLE}")), ["there is no plan `less`"]);
}

#[test]
fn blocks_may_be_indented_as_in_a_list() {
    let text = "## A\n\n- rows\n\n  ```csv transactions\n  id,date,owner,amount\n  \
                D1,2022-01-12,ann,5\n  ```\n\n";
    assert_eq!(failures(&format!("{text}{TABLE}")), Vec::<String>::new());
}

#[test]
fn cells_between_semicolons_are_named() {
    let text = format!("## A\n\n```csv transactions\nid;date\nD1;2022-01-12;5\n```\n\n{TABLE}");
    assert_eq!(
        failures(&text),
        ["cells are separated by semicolons, and not every row has as many as the header"]
    );
}
