//! `tests/seeds.md` and `tests/faults.md` cite what exists: files, headings of case files, tests.
//!
//! Not whether a citation shows what its row says: that is for readers.

use std::fs;
use std::path::Path;

/// Rows of the five documents, at least.
const ROWS_MIN: usize = 85;

fn text(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let golden = format!("tests/fixtures/goldens/{path}");
    [path, &golden].iter().find_map(|path| fs::read_to_string(root.join(path)).ok())
}

/// What is wrong with a citation, `file` or `file › heading or test`.
fn wrong(citation: &str) -> Option<String> {
    let (path, place) = match citation.split_once(" › ") {
        Some((path, place)) => (path, Some(place)),
        None => (citation, None),
    };
    let Some(text) = text(path) else { return Some(format!("there is no file `{path}`")) };
    let place = place?;
    let heading = format!("## {place}");
    let test = format!("fn {place}(");
    let found = text.lines().any(|line| line.trim_end() == heading || line.contains(&test));
    (!found).then(|| format!("`{path}` has no `{place}`"))
}

/// The cells of a row of a table; `\|` is a bar inside a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{1}");
    line.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// The texts between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_row_of_the_source_documents_cites_what_exists() {
    let text = text("tests/seeds.md").unwrap();
    let mut rows = 0;
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if !line.starts_with('|') || line.starts_with("| ---") || line.starts_with("| says") {
            continue;
        }
        rows += 1;
        let cells = cells(line);
        let [_, implemented, shown] = cells.as_slice() else {
            faults.push(format!("line {number}: {} cells, not three", cells.len()));
            continue;
        };
        for cell in [implemented, shown] {
            if quoted(cell).count() == 0 {
                faults.push(format!("line {number}: `{cell}` cites nothing"));
            }
            faults
                .extend(quoted(cell).filter_map(wrong).map(|why| format!("line {number}: {why}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(rows >= ROWS_MIN, "{rows} rows");
}

/// How many rows each section of `tests/faults.md` has.
const FAULT_ROWS: [(&str, usize); 7] =
    [("A", 18), ("B", 10), ("C", 14), ("D", 6), ("F", 33), ("G", 20), ("H", 9)];

#[test]
fn every_known_fault_cites_its_test_or_says_why_there_is_none() {
    let text = text("tests/faults.md").unwrap();
    let mut rows = std::collections::BTreeMap::new();
    let mut faults = Vec::new();

    for (number, line) in (1..).zip(text.lines().filter(|line| line.starts_with('|'))) {
        let cells = cells(line);
        let [row, _, shown, before, decided] = cells.as_slice() else {
            faults.push(format!("row {number}: {} cells, not five", cells.len()));
            continue;
        };
        if row == "row" || row.starts_with("---") {
            continue;
        }

        if quoted(shown).count() == 0 && decided.is_empty() {
            faults.push(format!("{row}: cites nothing and gives no reason"));
        }
        if quoted(shown).count() > 0 && before.is_empty() {
            faults.push(format!("{row}: does not say what its tests did on the former build"));
        }
        faults.extend(quoted(shown).filter_map(wrong).map(|why| format!("{row}: {why}")));
        rows.insert(row.clone(), number);
    }

    for (section, count) in FAULT_ROWS {
        for number in 1..=count {
            let row = format!("{section}{number}");
            if !rows.contains_key(&row) {
                faults.push(format!("{row}: no row"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
