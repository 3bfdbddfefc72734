//! Markdown, written piece by piece: headings, paragraphs, lists and tables.
//!
//! Not what a page says. Called by its sections.
//!
//! **Architecture invariant:** a text of the customer cannot end a cell of a table.

use std::fmt::Write;

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// A heading of this level, from 1.
    pub(super) fn heading(&mut self, level: usize, title: &str) {
        let title = one_line(title);
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{} {title}\n", "#".repeat(level));
    }

    /// A paragraph.
    pub(super) fn text(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}\n", text.trim());
    }

    /// A list, an item a line; nothing without items.
    pub(super) fn list(&mut self, items: &[String]) {
        for item in items {
            let _ = writeln!(self.text, "- {}", one_line(item));
        }
        if !items.is_empty() {
            self.text.push('\n');
        }
    }

    /// A block of text that is shown as it is.
    pub(super) fn code(&mut self, text: &str) {
        let _ = writeln!(self.text, "```text\n{}\n```\n", text.trim_end());
    }

    /// A table; of more than `most` rows the rest is counted.
    pub(super) fn table(&mut self, header: &[&str], rows: &[Vec<String>], most: usize) {
        let line = |cells: &mut dyn Iterator<Item = String>| {
            let cells: Vec<String> = cells.map(|cell| cell_text(&cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };

        self.text.push_str(&line(&mut header.iter().map(|cell| (*cell).to_owned())));
        self.text.push_str(&line(&mut header.iter().map(|_| "---".to_owned())));
        for row in rows.iter().take(most) {
            self.text.push_str(&line(&mut row.iter().cloned()));
        }
        self.text.push('\n');

        let more = rows.len().saturating_sub(most);
        if more > 0 {
            self.text(&format!("{more} more rows of {} are not shown.", rows.len()));
        }
    }

    /// The page as text that ends with one line break.
    pub(super) fn into_text(self) -> String {
        format!("{}\n", self.text.trim_end())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text that stays within its cell.
fn cell_text(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
