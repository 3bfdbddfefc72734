//! Case files as text: headings, fenced blocks with a path, tables, a few settings.
//!
//! Not a Markdown parser: only what a case needs is looked at, the rest is prose.

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Place};

/// A file of cases.
#[derive(Debug, Default)]
pub struct CaseFile {
    /// Blocks before the first case.
    pub background: Vec<Block>,
    /// The cases in order.
    pub cases: Vec<Case>,
}

/// A fenced block with a path: a file of a customer's directory, or rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `toml`, `csv`, `ndjson`, `rhai`.
    pub language: String,
    /// Path in the directory, or `transactions`.
    pub path: String,
    /// Content.
    pub text: String,
    /// Line of the fence.
    pub line: u32,
}

/// One case.
#[derive(Debug, Default)]
pub struct Case {
    /// The heading.
    pub name: String,
    /// Line of the heading.
    pub line: u32,
    /// Its own blocks.
    pub blocks: Vec<Block>,
    /// Its tables.
    pub tables: Vec<Table>,
    /// `as-of:`, the business date.
    pub as_of: Option<Date>,
    /// `period:`, which credits are listed.
    pub period: Option<String>,
    /// `order: any`.
    pub any_order: bool,
}

/// A table of expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Line of the header.
    pub line: u32,
    /// Column names.
    pub header: Vec<String>,
    /// Cells, as many a row as the header has.
    pub rows: Vec<Vec<String>>,
}

/// Reads a case file.
///
/// # Errors
/// Everything in it that cannot be understood (CR041).
pub(super) fn parse(path: &str, text: &str) -> Result<CaseFile, Vec<Diagnostic>> {
    let mut reader = Reader { path, file: CaseFile::default(), errors: Vec::new() };
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if let Some(fence) = line.strip_prefix("```") {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let body: String = body.flat_map(|line| [line, "\n"]).collect();
            reader.block(number, fence, body);
        } else if let Some(heading) = line.strip_prefix("## ") {
            let name = heading.trim().to_owned();
            reader.file.cases.push(Case { name, line: number, ..Case::default() });
        } else if line.starts_with('|') {
            reader.table_line(number, line);
        } else {
            reader.setting(number, line);
        }
    }
    reader.finish()
}

struct Reader<'a> {
    path: &'a str,
    file: CaseFile,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, line: u32, message: impl Into<String>) {
        let place = Place::new(self.path, line, 1);
        self.errors.push(Diagnostic::error("CR041", place, message));
    }

    fn block(&mut self, line: u32, fence: &str, text: String) {
        let mut words = fence.split_whitespace();
        let (Some(language), Some(path)) = (words.next(), words.next()) else { return };
        let block = Block { language: language.to_owned(), path: path.to_owned(), text, line };
        match self.file.cases.last_mut() {
            Some(case) => case.blocks.push(block),
            None => self.file.background.push(block),
        }
    }

    fn table_line(&mut self, line: u32, text: &str) {
        let inner = text.trim().trim_start_matches('|').trim_end_matches('|');
        let cells: Vec<String> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
        let Some(case) = self.file.cases.last_mut() else { return };
        let continued = case.tables.last_mut().filter(|table| {
            let rows = u32::try_from(table.rows.len()).unwrap_or(0);
            line == table.line + 1 || line == table.line + rows + 2
        });
        let Some(table) = continued else {
            case.tables.push(Table { line, header: cells, rows: Vec::new() });
            return;
        };
        if line == table.line + 1 {
            let rule =
                cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-:".contains(c)));
            if !rule {
                self.error(line, "a table needs a line of dashes below its header");
            }
        } else if cells.len() == table.header.len() {
            table.rows.push(cells);
        } else {
            let message =
                format!("{} cells where the header has {}", cells.len(), table.header.len());
            table.rows.push(Vec::new());
            self.error(line, message);
        }
    }

    fn setting(&mut self, line: u32, text: &str) {
        let Some((key, value)) = text.split_once(": ") else { return };
        let value = value.trim().trim_matches('`').to_owned();
        let Some(case) = self.file.cases.last_mut() else { return };
        match (key, value.as_str()) {
            ("as-of", date) => match date.parse() {
                Ok(date) => case.as_of = Some(date),
                Err(_) => self.error(line, format!("`{date}` is not a date such as 2022-02-11")),
            },
            ("period", _) => case.period = Some(value),
            ("order", "any") => case.any_order = true,
            ("order", other) => self.error(line, format!("unknown order `{other}`, only `any`")),
            _ => (),
        }
    }

    fn finish(mut self) -> Result<CaseFile, Vec<Diagnostic>> {
        let empty = self.file.cases.iter().filter(|case| case.tables.is_empty());
        let empty: Vec<(u32, String)> = empty.map(|case| (case.line, case.name.clone())).collect();
        for (line, name) in empty {
            self.error(line, format!("case `{name}` has no table, so it expects nothing"));
        }
        if self.file.cases.is_empty() {
            self.error(1, "no case: a case begins with a `## ` heading");
        }
        if self.errors.is_empty() { Ok(self.file) } else { Err(self.errors) }
    }
}
