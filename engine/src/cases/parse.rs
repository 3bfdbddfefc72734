//! Case files as text: headings, fenced blocks with a path, tables, a few settings.
//!
//! Not a Markdown parser: only what a case needs is looked at, the rest is prose. The one reader of
//! case files: what is run, rewritten and kept goes through it.
//!
//! **Architecture invariant:** every line of a table keeps its number, so that a table can be
//! rewritten without touching anything else.

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

/// Path of the blocks that hold rows.
pub(super) const TRANSACTIONS: &str = "transactions";

impl Block {
    /// Whether the block holds rows, not a file.
    pub(super) fn is_rows(&self) -> bool {
        self.path == TRANSACTIONS
    }
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
    /// `plan:`, the only plan that is listed.
    pub plan: Option<String>,
    /// `order: any`.
    pub any_order: bool,
}

/// A table of expectations, of examples or of what people did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Line of the header; the rows begin two lines below.
    pub line: u32,
    /// Column names.
    pub header: Vec<String>,
    /// Cells, as many a row as the header has.
    pub rows: Vec<Vec<String>>,
}

/// The column that separates what is given from what is expected.
pub(super) const ARROW: &str = "=>";

impl Table {
    /// Whether there is a column of this name.
    pub(super) fn has(&self, column: &str) -> bool {
        self.column(column).is_some()
    }

    /// The index of a column.
    pub(super) fn column(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|header| header == column)
    }

    /// Where the column `=>` stands in a table of examples.
    pub(super) fn arrow(&self) -> Option<usize> {
        self.column(ARROW)
    }

    /// Whether it lists releases and holds by hand.
    pub(super) fn is_actions(&self) -> bool {
        self.has("action")
    }

    /// The line of the row with this index.
    pub(super) fn row_line(&self, row: usize) -> u32 {
        self.line + 2 + u32::try_from(row).unwrap_or(0)
    }
}

/// Reads a case file.
///
/// # Errors
/// Everything in it that cannot be understood (CR041).
pub fn parse(path: &str, text: &str) -> Result<CaseFile, Vec<Diagnostic>> {
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

/// The cells of a line of a table; `\|` is a bar inside a cell.
pub(super) fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let inner = line.strip_prefix('|').unwrap_or(line);
    if !inner.contains('\\') {
        let inner = inner.strip_suffix('|').unwrap_or(inner);
        return inner.split('|').map(|cell| cell.trim().to_owned()).collect();
    }
    let mut cells = vec![String::new()];
    let mut signs = inner.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, cells.last_mut()) {
            ('\\', Some(cell)) if signs.peek() == Some(&'|') => cell.extend(signs.next()),
            ('|', _) => cells.push(String::new()),
            (_, Some(cell)) => cell.push(sign),
            (_, None) => (),
        }
    }
    // What stands behind the last bar is no cell.
    if inner.ends_with('|') && !inner.ends_with("\\|") {
        cells.pop();
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
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
        let cells = cells(text);
        let Some(case) = self.file.cases.last_mut() else { return };
        let continued = case
            .tables
            .last_mut()
            .filter(|table| line == table.line + 1 || line == table.row_line(table.rows.len()));
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
            ("plan", _) => case.plan = Some(value),
            ("order", "any") => case.any_order = true,
            ("order", other) => self.error(line, format!("unknown order `{other}`, only `any`")),
            _ => (),
        }
    }

    fn finish(mut self) -> Result<CaseFile, Vec<Diagnostic>> {
        let mut wrong: Vec<(u32, String)> = Vec::new();
        for case in &self.file.cases {
            let mut expected = case.tables.iter().filter(|table| !table.is_actions()).peekable();
            if expected.peek().is_none() {
                let message = format!("case `{}` has no table, so it expects nothing", case.name);
                wrong.push((case.line, message));
            }
            let (examples, plain): (Vec<&Table>, Vec<&Table>) =
                expected.partition(|table| table.arrow().is_some());
            if let (Some(table), false) = (plain.first(), examples.is_empty()) {
                let message = "a table without `=>` cannot stand in a case of examples";
                wrong.push((table.line, message.to_owned()));
            }
            wrong.extend(examples.into_iter().filter_map(unusable_examples));
        }
        for (line, message) in wrong {
            self.error(line, message);
        }
        if self.file.cases.is_empty() {
            self.error(1, "no case: a case begins with a `## ` heading");
        }
        if self.errors.is_empty() { Ok(self.file) } else { Err(self.errors) }
    }
}

/// Why a table of examples gives no example, if it gives none.
fn unusable_examples(table: &Table) -> Option<(u32, String)> {
    let arrow = table.arrow()?;
    if arrow == 0 || arrow + 1 == table.header.len() {
        let message = "`=>` needs columns of a transaction before it and of the outcome after it";
        return Some((table.line, message.to_owned()));
    }
    match table.rows.first() {
        None => Some((table.line, "a table of examples without an example".to_owned())),
        Some(row) if continues(row, arrow) => {
            let message = "a row without a transaction continues the one above, and there is none";
            Some((table.row_line(0), message.to_owned()))
        }
        Some(_) => None,
    }
}

/// Whether a row of examples is a further credit of the row above.
pub(super) fn continues(row: &[String], arrow: usize) -> bool {
    row.iter().take(arrow).all(String::is_empty)
}
