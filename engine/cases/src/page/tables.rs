//! The contents of the tables that a plan looks up.
//!
//! Not which rule reads them (`lineage`). Called by `page`.

use super::lineage;
use super::markdown::Page;
use super::wording::Wording;
use accredit_domain::delimited::DelimitedRows;

/// Every table that the plan reads, as its author wrote it.
pub(super) fn write_tables(page: &mut Page, words: Wording<'_>, rows_max: usize) {
    let names = lineage::tables_read(words);
    if names.is_empty() {
        return;
    }

    page.heading(2, "Tables");
    for name in &names {
        page.heading(3, name);
        if let Some(table) = words.ruleset.settings.tables.get(&**name)
            && let Some(shape) = &table.shape
        {
            let keys: Vec<String> =
                shape.keys.iter().chain(&shape.ranges).map(|key| format!("`{key}`")).collect();
            if !keys.is_empty() {
                page.text(&format!(
                    "A row is found by {}; `*` stands for all others.",
                    super::wording::listed(&keys)
                ));
            }
        }

        // The checked rows have folded keys, so the cells are shown as the author wrote them.
        let path = format!("tables/{name}.csv");
        let text = words.ruleset.files.get(&path).map(AsRef::as_ref).unwrap_or_default();
        let mut rows = cells_of(text).into_iter();
        let header = rows.next().unwrap_or_default();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        page.table(&header, &rows.collect::<Vec<_>>(), rows_max);
    }
}

fn cells_of(text: &str) -> Vec<Vec<String>> {
    let mut rows = DelimitedRows::new(text, ',');
    let mut cells = Vec::new();
    // The file was checked, so that no row is broken.
    while let Ok(Some(row)) = rows.next_row() {
        if !row.is_empty() {
            cells.push(row.into_iter().map(|cell| cell.text.trim().to_owned()).collect());
        }
    }
    cells
}
