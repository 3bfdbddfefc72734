//! Case files that say what case files do.
//!
//! Each check runs a whole file on a small company. Not the semantics of crediting, which the
//! goldens have.

mod closed;
mod delivered;
mod keeping;
mod misspelt;
mod reaching;
mod rewriting;

use super::*;
use accredit_workspace::Files;

/// Two reps who split, and a manager; deals above 50,000 are held.
const COMPANY: &str = r#"# Company

```toml accredit.toml
[workspace]
name = "Small"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"
```

```csv organization/participants.csv
id,title,manager
ann,Rep,mia
bob,Rep,mia
mia,Manager,
```

```toml plans/deals.toml
name = "Deals"
split = "equal"
targets = ["title:Rep"]
filter = 'tx.owner != "nobody"'
policies = { hold = "large" }

[[direct]]
name = "Deal"
  [[direct.results]]
  name = "Deal credit"
```

```rhai policies/hold/large.rhai
const LARGE = 50000;

fn hold(tx, credit) {
    if tx.amount > LARGE && tx.owner != "bob" {
        return hold_indefinitely("large");
    }
    no_hold()
}
```

```csv transactions
id,date,owner,amount
D1,2022-01-12,ann,1000
```

"#;

fn run_text(text: &str) -> Result<Vec<CaseOutcome>, Vec<Diagnostic>> {
    run_case_file(&Files::new(), "a.cases.md", text)
}

/// Failures of the cases of `more` below the company, as `code:line message`.
#[track_caller]
fn check(more: &str, expected: &[&str]) -> Vec<CaseOutcome> {
    let text = format!("{COMPANY}{more}");
    let below = COMPANY.lines().count();
    let found = match run_text(&text) {
        Ok(outcomes) => outcomes,
        Err(failures) => {
            let edits = Vec::new();
            vec![CaseOutcome { failures, edits, ..CaseOutcome::default() }]
        }
    };
    let all = found.iter().flat_map(|outcome| &outcome.failures);
    let told: Vec<String> = all
        .map(|one| format!("{}:{} {}", one.code, one.place.line as usize - below, one.message))
        .collect();
    assert_eq!(told, expected, "{found:#?}");
    found
}

#[test]
fn a_table_names_the_columns_that_matter() {
    check("## A\n\n| position | amount |\n| --- | --- |\n| ann | 1000.00 |\n", &[]);
    check("## A\n\n| reason_code | plan |\n| --- | --- |\n| | deals |\n", &[]);
    check("## A\n\n| position |\n| --- |\n| bob |\n", &["CR040:3 case `A`: the credits differ"]);
    check(
        "## A\n\n| positon |\n| --- |\n| ann |\n",
        &["CR041:3 `positon` is not a column of credits"],
    );
}

#[test]
fn why_not_has_code_stage_and_part_of_the_message() {
    let rows = "## A\n\n```csv transactions\nid,date,owner,amount\nD1,2022-01-12,zoe,1\n```\n\n";
    let table = |row: &str| {
        format!(
            "{rows}| transaction | stage | code | message |\n| --- | --- | --- | --- |\n{row}\n"
        )
    };
    check(&table("| D1 | crediting | unmatched | `zoe` |"), &[]);
    check(&table("| D1 | crediting | unmatched | |"), &[]);
    for row in ["| D1 | value | unmatched | |", "| D1 | crediting | unmatched | `ann` |"] {
        check(&table(row), &["CR040:8 case `A`: the outcomes differ"]);
    }
}

#[test]
fn every_row_of_examples_is_a_case() {
    let header = "## E\n\n| owner | amount | => | position | status | outcome | code |\n\
                  | --- | --- | --- | --- | --- | --- | --- |\n";
    let good = "| ann | 50000 | | ann | active | | |\n| ann | 50001 | | ann | held | credited | |\n\
                | bob;ann | 50001 | | bob | held | | |\n| | | | ann | held | | |\n\
                | zoe | 1 | | | | uncredited | unmatched |\n| nobody | 1 | | | | filtered | |\n";
    let found = check(&format!("{header}{good}"), &[]);
    let names: Vec<&str> = found.iter().map(|outcome| outcome.name.as_str()).collect();
    assert_eq!(names, ["E: ann", "E: ann", "E: bob;ann", "E: zoe", "E: nobody"]);
    check(
        &format!("{header}| ann | 1 | | ann | held | | |\n| bob | 1 | | bob | active | | |\n"),
        &["CR040:5 case `E: ann`: the results differ"],
    );
    check(
        &format!("{header}| | | | ann | held | | |\n"),
        &["CR041:5 a row without a transaction continues the row above, but there is no row above"],
    );
    check(
        &format!("{header}| ann | 1 | | ann | active | | |\n\n| amount |\n| --- |\n"),
        &["CR041:7 a table without `=>` cannot stand in a case of examples"],
    );
}

#[test]
fn releases_and_holds_by_hand_are_a_table() {
    let rows = "## A\n\n```csv transactions\nid,date,owner,amount\nD1,2022-01-12,ann,60000\n\
                D2,2022-01-13,ann,1\n```\n\nas-of: 2022-02-01\n\n";
    let after = "\n| transaction | status | release_date | reason |\n| --- | --- | --- | --- |\n";
    let actions = |text: &str| format!("| action | transaction | reason |\n| - | - | - |\n{text}");
    let none = "| D1 | held | | large |\n| D2 | active | | |\n";
    check(&format!("{rows}{after}{none}"), &[]);
    let both = actions("| release | D1 | |\n| hold | D2 | a query |\n");
    let done = "| D1 | active | 2022-02-01 | |\n| D2 | held | | a query |\n";
    check(&format!("{rows}{both}{after}{done}"), &[]);
    let wrong = actions("| release | D3 | |\n");
    check(&format!("{rows}{wrong}{after}{none}"), &["CR041:13 no credit matches this action"]);
}

#[test]
fn a_case_may_look_at_one_plan() {
    let second = "## A\n\n```toml plans/more.toml\nname = \"More\"\n[[direct]]\nname = \"More\"\n\
                  [[direct.results]]\nname = \"More credit\"\nvalue = \"1\"\n```\n\n";
    let table = "| plan | amount |\n| --- | --- |\n";
    let (deals, more) = ("| deals | 1000.00 |\n", "| more | 1.00 |\n");
    check(&format!("{second}{table}{deals}{more}"), &[]);
    check(&format!("{second}plan: more\n\n{table}{more}"), &[]);
    check(&format!("{second}plan: less\n\n{table}{more}"), &["CR041:12 there is no plan `less`"]);
}

#[test]
fn a_case_with_settings_of_its_own_stands_alone_in_a_directory() {
    let base: Files = [
        (
            "accredit.toml",
            "[workspace]\nname = \"Other\"\n[fields]\nid = \"key\"\ndate = \"day\"\n",
        ),
        ("organization/positions.csv", "id,title\nx,Rep\n"),
        ("plans/other.toml", "name = \"Other\"\n[[direct]]\nname = \"O\"\n"),
        ("policies/crediting/other.rhai", "fn credit(tx) { tx[\"Somebody\"] }"),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into()))
    .collect();
    let text = format!("{COMPANY}## A\n\n| position |\n| --- |\n| ann |\n");
    let outcomes = run_case_file(&base, "plans/deals.cases.md", &text).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.failures.is_empty()), "{outcomes:#?}");
}

#[test]
fn a_difference_marks_the_cells_and_says_how_it_was_decided() {
    let table = "## A\n\n| transaction | position | amount |\n| --- | --- | --- |\n\
                 | D1 | ann | 99.00 |\n| D1 | mia | 1.00 |\n";
    let found = check(table, &["CR040:3 case `A`: the credits differ"]);
    let help = found[0].failures[0].help.clone().unwrap();
    let marked = "  | transaction | position | amount  |\n\
                  - | D1          | ann      | 99.00   |\n\
                  + | D1          | ann      | 1000.00 |\n\
                  ?                            ^^^^^^^\n\
                  - | D1          | mia      | 1.00    |\n\
                  D1 in plan deals: credited\n";
    assert!(help.starts_with(marked), "{help}");
    assert!(help.contains("crediting"), "{help}");
}

#[test]
fn order_matters_unless_it_is_said_not_to() {
    let rows = "```csv transactions\nid,date,owner,amount\nD1,2022-01-12,ann;bob,10\n```\n\n";
    let table = "| position |\n| --- |\n| bob |\n| ann |\n";
    let failure = ["CR040:8 case `A`: the credits differ"];
    let found = check(&format!("## A\n\n{rows}{table}"), &failure);
    let help = found[0].failures[0].help.clone().unwrap();
    assert!(help.starts_with("the rows are the same, but in another order"), "{help}");
    check(&format!("## A\n\n{rows}order: any\n\n{table}"), &[]);
}

#[test]
fn any_number_of_threads_and_a_filter_give_the_same() {
    let header = "## E\n\n| id | owner | => | position |\n| --- | --- | --- | --- |\n";
    let rows: String = (0..150).map(|n| format!("| D{n} | ann | | ann |\n")).collect();
    let (one, two) =
        (format!("{COMPANY}{header}{rows}"), format!("{COMPANY}{header}| X | bob | | ann |\n"));
    let files = [("one.cases.md", one.as_str()), ("two.cases.md", two.as_str())];
    let told = |threads, filter: Option<&str>| {
        let filter = filter.map(str::to_owned);
        let options = CaseOptions { threads, filter, ..CaseOptions::default() };
        format!("{:?}", run_case_files(&Files::new(), &files, &options).files)
    };
    assert_eq!(told(1, None), told(4, None));
    assert_eq!(told(1, None).matches("Outcome {").count(), 151);
    assert_eq!(told(4, Some("two.cases")).matches("Outcome {").count(), 1);
    assert_eq!(told(4, Some("E: D14")).matches("Outcome {").count(), 11);
}

/// The fast cells and those that go the long way round say the same.
#[test]
fn a_cell_is_what_goes_out() {
    let row = accredit_domain::credit::posted::PostedCredit {
        level: Some(3),
        payee: Some("p".into()),
        ..serde_json::from_value(serde_json::json!({
            "id": "crd_0123456789abcdef0123456789abcdef", "transaction": "b",
            "incentive_date": "2026-01-05", "plan": "d", "rule": "e", "result": "f",
            "kind": "indirect", "position": "h", "period": "i", "credit_type": "j",
            "unit_type": "k", "amount": "10.50", "status": "held", "origin": "late",
            "ruleset": "o", "share": "0.250"
        }))
        .unwrap()
    };
    let json = serde_json::to_value(&row).unwrap();
    for column in accredit_domain::credit::fields::CREDIT_COLUMNS {
        let expected = match &json[column] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(rows::credit_cell(&row, column), expected, "{column}");
    }
}
