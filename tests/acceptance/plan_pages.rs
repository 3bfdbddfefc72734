//! `accredit docs`: pages that hold every rule, rate, table and column, with an example that is the
//! calculation's.
//!
//! After a change of the words, `ACCREDIT_UPDATE_DOCS=1` writes the page of the fixture.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::PayoutFormula;
use accredit_workspace::{Files, Ruleset};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::company;
use crate::server::{root, run};

/// The files of a directory below these folders, by their paths.
fn files_of(dir: &Path) -> Files {
    fn collect(dir: &Path, folder: &Path, files: &mut Files) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(dir, &path, files);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                files.insert(name, Arc::from(text));
            }
        }
    }
    let mut files = Files::default();
    collect(dir, dir, &mut files);
    files
}

/// The columns in the first lines of the rows.
fn columns_of(files: &Files) -> BTreeSet<String> {
    let rows = files.iter().filter(|(path, _)| path.starts_with("transactions/"));
    let headers = rows.filter_map(|(_, text)| text.lines().next());
    headers.flat_map(|line| line.split(',')).map(|column| column.trim().to_owned()).collect()
}

fn page_of(dir: &Path, plan: &str) -> String {
    let (code, page, error) = run(&["docs", dir.to_str().unwrap(), "--plan", plan]);
    assert_eq!(code, 0, "{}: {error}", dir.display());
    page
}

/// Every name that a plan gives to something.
fn names_of(plan: &Plan) -> Vec<&str> {
    let mut names = vec![plan.name.as_str()];
    for rule in &plan.direct {
        names.push(&rule.rule.name);
        names.extend(rule.results.iter().map(|result| &*result.output.name));
    }
    for rule in &plan.indirect {
        names.push(&rule.rule.name);
        names.extend(rule.results.iter().map(|result| &*result.output.name));
    }
    names.extend(plan.rewards.iter().map(|reward| &*reward.name));
    names.extend(plan.draws.iter().map(|draw| &*draw.name));
    names
}

fn check_page(dir: &Path, ruleset: &Ruleset, plan: &Plan, columns: &BTreeSet<String>) {
    let page = page_of(dir, &plan.id);
    let expect = |text: &str| {
        assert!(page.contains(text), "{}, {}: no `{text}` in\n{page}", dir.display(), plan.id);
    };

    names_of(plan).into_iter().for_each(expect);
    for reward in &plan.rewards {
        match &reward.worth {
            PayoutFormula::Tiers(tiers) => {
                for tier in tiers.tiers.iter().filter(|tier| tier.rate <= Decimal::ONE) {
                    expect(&format!("| {} % |", (tier.rate * Decimal::ONE_HUNDRED).normalize()));
                }
            }
            PayoutFormula::TableTiers(table) => expect(&format!("### {}\n", table.table)),
            PayoutFormula::Program(_) => (),
        }
    }
    let fields = &ruleset.settings.fields;
    for column in fields.named_columns().chain(columns.iter().map(String::as_str)) {
        expect(&format!("| column `{column}` |"));
    }
}

/// Every directory among the fixtures and templates has a page for each plan, and the page has
/// everything of the plan.
#[test]
fn pages_hold_every_rule_rate_and_column() {
    let customers = [
        "tests/fixtures/docs",
        "tests/fixtures/crm",
        "tests/fixtures/customers/manufacturer/rheinwerk",
        "tests/fixtures/customers/saas/nimbus",
        "scripts/templates/insurance",
        "scripts/templates/manufacturer",
        "scripts/templates/saas",
    ];
    let mut count = 0;
    for customer in customers {
        let dir = root().join(customer);
        let files = files_of(&dir);
        let columns = columns_of(&files);
        let (ruleset, found) = Ruleset::read(&files, &columns);
        let ruleset = ruleset.unwrap_or_else(|| panic!("{customer}: {found:?}"));
        for plan in ruleset.plans.values() {
            check_page(&dir, &ruleset, plan, &columns);
            count += 1;
        }
    }
    assert!(count >= 15, "{count} plans");
}

/// A plan with a draw, a reward to date, a table that is looked up and a table of rates.
#[test]
fn the_page_of_the_fixture_is_as_it_was_read_by_people() {
    let page = page_of(&root().join("tests/fixtures/docs"), "reps");
    let path = root().join("tests/fixtures/docs/reps.page.md");
    if std::env::var_os("ACCREDIT_UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(
        page == expected,
        "the page is another one; read it, then ACCREDIT_UPDATE_DOCS=1\n{page}"
    );
}

/// The cells of the table below a line of text, without its header.
fn table_below<'p>(page: &'p str, above: &str) -> Vec<Vec<&'p str>> {
    let (_, rest) = page.split_once(above).unwrap_or_else(|| panic!("no `{above}` in\n{page}"));
    let lines = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn check_example(dir: &Path, plan: &str, period: &str) {
    let page = page_of(dir, plan);
    let verb = ["calculate", dir.to_str().unwrap(), "--plan", plan, "--period", period];
    let (code, out, error) = run(&verb);
    assert_eq!(code, 0, "{error}");
    let calculation: Json = serde_json::from_str(&out).unwrap();
    let text = |row: &Json, key: &str| row[key].as_str().unwrap_or_default().to_owned();

    let credits = table_below(&page, "\nIts credits:\n");
    assert!(!credits.is_empty(), "{page}");
    for cells in &credits {
        let [result, _, payee, in_period, amount, ..] = cells.as_slice() else {
            panic!("{cells:?}")
        };
        assert!(in_period.starts_with(&period[..7]), "{cells:?}");
        let known = calculation["credits"].as_array().unwrap().iter().any(|row| {
            let shown = format!("{} {}", text(row, "amount"), text(row, "unit_type"));
            text(row, "result") == *result && text(row, "payee") == *payee && shown == *amount
        });
        assert!(known, "{cells:?} is not in {out}");
    }

    let rewards = table_below(&page, "\nWhat they are part of in ");
    assert!(!rewards.is_empty(), "{page}");
    for cells in &rewards {
        let [reward, payee, credited, quota, attainment, paid] = cells.as_slice() else {
            panic!("{cells:?}")
        };
        let known = calculation["rewards"].as_array().unwrap().iter().any(|row| {
            let shown = format!("{} {}", text(row, "amount"), text(row, "unit_type"));
            let sum = format!("{} {}", text(row, "credited"), text(row, "credited_unit_type"));
            text(row, "reward") == *reward
                && text(row, "payee") == *payee
                && (shown.as_str(), sum.as_str()) == (*paid, *credited)
                && text(row, "quota") == *quota
                && text(row, "attainment") == *attainment
        });
        assert!(known, "{cells:?} is not in {out}");
    }
}

/// The amounts of the example are those that payees find in the calculation.
#[test]
fn the_example_is_the_calculation() {
    check_example(&root().join("tests/fixtures/docs"), "reps", "2026-01");
    check_example(&root().join("scripts/templates/saas"), "ae", "2026-02");
}

/// A directory without deals takes its example from a case; without a case the page has none.
#[test]
fn without_deals_the_example_is_one_of_a_case() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    assert!(page_of(&workspace, "reps").contains("No deal of the directory and no case"));

    let case = "## One deal\n\n```csv transactions\nid,date,amount,owner\nD1,2026-03-15,100,Ann\n```\n\n\
                | rule | amount |\n| --- | --- |\n| Booking | 100.00 |\n";
    company::put(&workspace, "plans/reps.cases.md", case);
    let page = page_of(&workspace, "reps");
    assert!(page.contains("From the case \"One deal\" in plans/reps.cases.md."), "{page}");
    let credits = table_below(&page, "\nIts credits:\n");
    assert_eq!(
        credits[0][..5],
        ["Booking credit", "ann", "ann", "2026-03", "100.00 USD"],
        "{page}"
    );
}

/// `--out` writes a file for each plan, the same every time; long tables are cut and counted.
#[test]
fn pages_are_files_and_the_same_every_time() {
    let dir = root().join("scripts/templates/saas");
    let out = tempfile::tempdir().unwrap();
    let write = |folder: &str| {
        let folder = out.path().join(folder);
        let verb =
            ["docs", dir.to_str().unwrap(), "--out", folder.to_str().unwrap(), "--rows", "2"];
        let (code, out, error) = run(&verb);
        assert_eq!((code, out.as_str()), (0, ""), "{error}");
        let mut pages: Vec<(String, String)> = Vec::new();
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            pages.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
        pages.sort();
        pages
    };
    let pages = write("one");
    let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ae.md", "managers.md", "sdr.md", "se.md"]);
    assert!(pages[0].1.contains("more rows of "), "{}", pages[0].1);
    assert_eq!(pages, write("two"));

    let (code, _, error) = run(&["docs", dir.to_str().unwrap(), "--plan", "nobody"]);
    assert_eq!(code, 3, "{error}");
}
