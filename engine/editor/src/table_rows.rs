//! Cells of CSV files as completions and hints show them.
//!
//! Not reading tables (`workspace`): a file with errors has cells as well.

use std::collections::BTreeSet;

use accredit_domain::delimited;

use crate::EditorWorkspace;

/// Values of a column that are listed: more are not read.
pub(crate) const VALUES_MAX: usize = 100;

/// The cells of the rows of a file that can be read, without blanks around them, the header first.
pub(crate) fn rows_of(workspace: &EditorWorkspace, path: &str) -> Vec<Vec<String>> {
    let text = workspace.files.get(path).map_or("", AsRef::as_ref);
    let mut rows = delimited::DelimitedRows::new(text, ',');
    let mut found = Vec::new();
    while let Ok(Some(row)) = rows.next_row() {
        found.push(row.into_iter().map(|cell| cell.text.trim().to_owned()).collect());
    }
    found
}

/// The values that a column of a file has, each once, in order; `*` matches anything and is no value.
pub(crate) fn values_of(workspace: &EditorWorkspace, path: &str, column: &str) -> Vec<String> {
    let rows = rows_of(workspace, path);
    let header = rows.first();
    let Some(index) = header.and_then(|header| header.iter().position(|name| name == column))
    else {
        return Vec::new();
    };
    let cells = rows.iter().skip(1).filter_map(|row| row.get(index));
    let values: BTreeSet<&String> = cells.filter(|cell| !cell.is_empty() && *cell != "*").collect();
    values.into_iter().take(VALUES_MAX).cloned().collect()
}

/// The first rows of a file as a table in Markdown.
pub(crate) fn table_preview(workspace: &EditorWorkspace, path: &str, rows: usize) -> String {
    let all = rows_of(workspace, path);
    let Some(header) = all.first() else { return String::new() };
    let line = |cells: &[String]| {
        let cells = cells.iter().map(|cell| cell.replace('|', "\\|"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };

    let dashes: Vec<String> = header.iter().map(|_| "---".to_owned()).collect();
    let mut text = line(header) + &line(&dashes);
    text.extend(all.iter().skip(1).take(rows).map(|row| line(row)));
    let more = all.len().saturating_sub(1).saturating_sub(rows);
    if more > 0 {
        text.push_str(&format!("\nand {more} more rows\n"));
    }
    text
}
