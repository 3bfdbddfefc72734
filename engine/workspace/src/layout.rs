//! `[transactions]`: how rows lie in their files, and which of their texts mean a blank cell.
//!
//! Not reading rows (`transaction::read`). Called by `settings`, and by the host before it reads rows.

use super::toml::TomlTable;
use accredit_domain::transaction::read::FileLayout;
use accredit_domain::transaction::trim_cell;

/// Lines above a header, at most.
pub(super) const SKIPPED_ROWS_MAX: i64 = 1000;

/// Reads the table, where there is one: texts that mean a blank cell, and the layout.
pub(super) fn read(root: &mut TomlTable<'_>) -> (Vec<String>, FileLayout) {
    let Some(mut table) = root.take_table("transactions") else { return Default::default() };
    let blanks = table.take("blanks").and_then(|item| item.expect_texts()).unwrap_or_default();
    let bare = blanks.iter().map(|text| trim_cell(&text.text).to_owned());
    let blanks = bare.filter(|text| !text.is_empty()).collect();

    let delimiter = table.take("delimiter").and_then(|item| {
        let written = item.expect_text()?.text;
        let mut signs = written.chars();
        let sign = signs.next().filter(|sign| signs.next().is_none() && sign.is_ascii());
        let sign =
            sign.filter(|sign| !matches!(sign, '"' | '\n' | '\r') && !sign.is_alphanumeric());
        if sign.is_none() {
            item.refuse("one sign, such as \";\", \"\\t\" or \"|\"");
        }
        sign
    });
    let skipped = table.take_integer("skip_rows", 0..=SKIPPED_ROWS_MAX);
    let stop_at_blank = table.take_flag("stop_at_blank");
    table.finish();

    let skip_rows = skipped.and_then(|rows| usize::try_from(rows).ok()).unwrap_or_default();
    (blanks, FileLayout { delimiter, skip_rows, stop_at_blank })
}
