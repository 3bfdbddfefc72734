//! A case file as it is written: its cases with their blocks, settings and tables.
//!
//! Not the reading of the text (`parse`) and not what a table is about (`rows`).

use jiff::civil::Date;

/// A file of cases.
#[derive(Debug, Default)]
pub struct CaseFile {
    /// Blocks before the first case.
    pub background: Vec<CaseBlock>,
    /// The cases in order.
    pub cases: Vec<CaseDefinition>,
    /// Settings before the first case, which hold for all of them.
    pub(super) shared: CaseDefinition,
}

/// A fenced block with a path: a file of a customer's directory, or rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseBlock {
    /// `toml`, `csv`, `ndjson`, `rhai`.
    pub language: String,
    /// Path in the directory, or `transactions`.
    pub path: String,
    /// The text between the fences, without their indentation.
    pub text: String,
    /// Line of the fence.
    pub line: u32,
}

/// Path of the blocks that hold rows.
pub(super) const TRANSACTIONS: &str = "transactions";

/// Where the paths of bodies begin: `hooks/crm` is what the source `crm` delivers.
pub(super) const HOOKS: &str = "hooks/";

impl CaseBlock {
    /// Whether the block holds rows or a body, not a file.
    pub(super) fn is_rows(&self) -> bool {
        self.path == TRANSACTIONS || self.delivery_source().is_some()
    }

    /// The source that delivers the block as a body, if it is one.
    pub(super) fn delivery_source(&self) -> Option<&str> {
        self.path.strip_prefix(HOOKS)
    }
}

/// One case, as it is written.
#[derive(Debug, Default)]
pub struct CaseDefinition {
    /// The heading without its `## `.
    pub name: String,
    /// Line of the heading.
    pub line: u32,
    /// The blocks below its heading.
    pub blocks: Vec<CaseBlock>,
    /// The tables below its heading.
    pub tables: Vec<CaseTable>,
    /// `as-of:`, the business date.
    pub as_of: Option<Date>,
    /// `period:`, which credits are listed.
    pub period: Option<String>,
    /// `plan:`, the only plan that is listed.
    pub plan: Option<String>,
    /// Whether the rows may come in any order: `order: any`.
    pub any_order: bool,
    /// `finalized:`, the periods that are finalized and on which day, instead of those of
    /// `accredit.toml`; empty after `finalized: none`.
    pub finalized: Option<Vec<(String, Date)>>,
    /// Lines of `period:`, `plan:` and `finalized:`, where they stand.
    pub(super) lines: [Option<u32>; 3],
}

/// A table of expectations, of examples or of what people did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseTable {
    /// Line of the header; the rows begin two lines below.
    pub line: u32,
    /// Names of the columns, in order.
    pub header: Vec<String>,
    /// Where each of them begins, in characters from 1.
    pub(super) columns: Vec<u32>,
    /// Cells, as many a row as the header has.
    pub rows: Vec<Vec<String>>,
}

/// The column that separates what is given from what is expected.
pub(super) const ARROW: &str = "=>";

impl CaseTable {
    /// Whether there is a column of this name.
    pub(super) fn has_column(&self, column: &str) -> bool {
        self.column_index(column).is_some()
    }

    /// The index of a column.
    pub(super) fn column_index(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|header| header == column)
    }

    /// Where the column `=>` stands in a table of examples.
    pub(super) fn arrow_index(&self) -> Option<usize> {
        self.column_index(ARROW)
    }

    /// Whether the table lists manual releases and holds.
    pub(super) fn is_actions(&self) -> bool {
        self.has_column("action")
    }

    /// The line of the row with this index.
    pub(super) fn row_line(&self, row: usize) -> u32 {
        self.line + 2 + u32::try_from(row).unwrap_or(0)
    }
}

/// Whether a row of examples is a further credit of the row above.
pub(super) fn continues_example(row: &[String], arrow: usize) -> bool {
    row.iter().take(arrow).all(String::is_empty)
}
