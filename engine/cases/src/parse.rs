//! Reading of case files: headings, fenced blocks with a path, tables, a few settings.
//!
//! Not a Markdown parser: only what a case needs is looked at, the rest is prose. The one reader of
//! case files: what is run, rewritten and kept goes through it. What it reads is in `document`.
//!
//! **Architecture invariant:** every line of a table keeps its number, so that a table can be
//! rewritten without touching anything else.

use jiff::civil::Date;

use super::document::{
    CaseBlock, CaseDefinition, CaseFile, CaseTable, HOOKS, TRANSACTIONS, continues_example,
};
use super::rows::TableSubject;
use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use accredit_workspace::is_definition;

/// Reads a case file.
///
/// # Errors
/// Everything in it that cannot be understood (CR041).
pub fn parse_case_file(path: &str, text: &str) -> Result<CaseFile, Vec<Diagnostic>> {
    let mut reader = CaseFileReader { path, file: CaseFile::default(), errors: Vec::new() };
    let mut lines = (1..).zip(text.lines());

    while let Some((number, line)) = lines.next() {
        if let Some((mark, info)) = opening_fence(line) {
            let mut closed = false;
            let mut body = String::new();
            // A block inside of a list is indented, and its lines as much as its fence.
            let indent = line.len() - line.trim_start().len();
            for (_, line) in lines.by_ref() {
                closed = closes_block(line, mark);
                if closed {
                    break;
                }
                let blank = line.len() - line.trim_start().len();
                body.push_str(line.get(indent.min(blank)..).unwrap_or_default());
                body.push('\n');
            }

            reader.add_block(number, info, body);
            if !closed {
                let help = "write the same marks again on a line of their own".to_owned();
                reader.add_error_at((number, 1), "this block does not end", Some(help));
            }
        } else if line.starts_with("<!--") {
            // A remark may go over several lines, and nothing in it is read.
            let ends = |line: &str| line.contains("-->");
            let _remark = ends(line) || lines.any(|(_, line)| ends(line));
        } else if let Some(heading) = line.strip_prefix("## ") {
            reader.begin_case(number, heading.trim());
        } else if line.starts_with('|') {
            reader.read_table_line(number, line);
        } else {
            reader.read_setting(number, line);
        }
    }

    reader.finish()
}

/// The marks of a line that begins a block, and the text after them.
fn opening_fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|sign| "`~".contains(*sign))?;
    let rest = line.trim_start_matches(sign);
    let mark = line.get(..line.len() - rest.len())?;
    (mark.len() >= 3 && !rest.contains('`')).then_some((mark, rest))
}

/// Whether a line ends the block that `mark` began.
fn closes_block(line: &str, mark: &str) -> bool {
    let line = line.trim();
    line.starts_with(mark) && line.chars().all(|sign| mark.starts_with(sign))
}

/// The cells of a line of a table; `\|` is a bar inside a cell.
pub(super) fn split_cells(line: &str) -> Vec<String> {
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

    // The text after the last bar is not a cell.
    if inner.ends_with('|') && !inner.ends_with("\\|") {
        cells.pop();
    }

    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The names of the settings of a case.
const SETTINGS: [&str; 5] = ["as-of", "period", "plan", "order", "finalized"];

/// Paths that a block may have, beside those of plans, policies and bodies.
const BLOCK_PATHS: [&str; 13] = [
    TRANSACTIONS,
    "accredit.toml",
    "organization/participants.csv",
    "organization/positions.csv",
    "organization/assignments.csv",
    "organization/teams.csv",
    "organization/members.csv",
    "organization/territories.csv",
    "organization/relationships.csv",
    "organization/aliases.csv",
    "organization/attributes.csv",
    "organization/quotas.csv",
    "organization/exchange_rates.csv",
];

/// Where the cells of a line begin, in characters from 1.
fn cell_columns(line: &str) -> Vec<u32> {
    let mut places = Vec::new();
    let mut wanted = false;
    for (index, sign) in (1..).zip(line.chars()) {
        if sign == '|' {
            wanted = true;
        } else if wanted && !sign.is_whitespace() {
            places.push(index);
            wanted = false;
        }
    }
    places
}

struct CaseFileReader<'a> {
    path: &'a str,
    file: CaseFile,
    errors: Vec<Diagnostic>,
}

impl CaseFileReader<'_> {
    fn add_error(&mut self, line: u32, message: impl Into<String>) {
        self.add_error_at((line, 1), message, None);
    }

    fn add_error_at(
        &mut self,
        (line, column): (u32, u32),
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let place = Place::new(self.path, line, column);
        let error = Diagnostic::error(Code::CR041, place, message);
        self.errors.push(Diagnostic { help, ..error });
    }

    fn begin_case(&mut self, line: u32, name: &str) {
        // Text above the first heading applies to every case.
        let shared = &self.file.shared;
        let case = CaseDefinition {
            name: name.to_owned(),
            line,
            as_of: shared.as_of,
            period: shared.period.clone(),
            plan: shared.plan.clone(),
            any_order: shared.any_order,
            finalized: shared.finalized.clone(),
            lines: shared.lines,
            ..CaseDefinition::default()
        };

        self.file.cases.push(case);
    }

    fn add_block(&mut self, line: u32, info: &str, text: String) {
        let info = info.trim();
        let (language, path) = info.split_once(char::is_whitespace).unwrap_or((info, ""));

        let path = path.trim();
        if path.is_empty() {
            // A language alone is prose.
            if language == TRANSACTIONS || is_definition(language) {
                let help = format!("write its language first, as in `csv {language}`");
                self.add_error_at(
                    (line, 1),
                    format!("the block `{language}` has no language"),
                    Some(help),
                );
            }
            return;
        }

        let block = CaseBlock { language: language.to_owned(), path: path.to_owned(), text, line };
        // A block that nothing reads is most likely misspelt, and the case would prove nothing.
        if !block.is_rows() && !is_definition(path) && !path.starts_with("policies/") {
            let known = BLOCK_PATHS.into_iter().chain([
                "plans/NAME.toml",
                "policies/KIND/NAME.rhai",
                "tables/NAME.csv",
            ]);
            let slashes = path.replace('\\', "/");
            let help = did_you_mean(path, known.clone())
                .or_else(|| is_definition(&slashes).then(|| format!("write `{slashes}`")))
                .unwrap_or_else(|| {
                    format!("known: {}; {HOOKS}SOURCE", known.collect::<Vec<_>>().join(", "))
                });
            self.add_error_at((line, 1), format!("nothing reads a block `{path}`"), Some(help));
        }

        match self.file.cases.last_mut() {
            Some(case) => case.blocks.push(block),
            None => self.file.background.push(block),
        }
    }

    fn read_table_line(&mut self, line: u32, text: &str) {
        let cells = split_cells(text);

        let Some(case) = self.file.cases.last_mut() else {
            if cells.first().is_some_and(|first| first == "transaction") {
                let help = "write a heading `## ` before it".to_owned();
                self.add_error_at((line, 1), "this table belongs to no case", Some(help));
            }
            return;
        };

        let continued = case
            .tables
            .last_mut()
            .filter(|table| line == table.line + 1 || line == table.row_line(table.rows.len()));

        let Some(table) = continued else {
            let columns = cell_columns(text);
            case.tables.push(CaseTable { line, header: cells, columns, rows: Vec::new() });
            return;
        };

        if line == table.line + 1 {
            let rule =
                cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-:".contains(c)));
            if !rule {
                let help = "write `| --- | --- |`, as many as there are columns".to_owned();
                let message = "a table needs a line of dashes below its header";
                self.add_error_at((line, 1), message, Some(help));
            }
        } else if cells.len() == table.header.len() {
            table.rows.push(cells);
        } else {
            let message =
                format!("{} cells where the header has {}", cells.len(), table.header.len());

            let more = cells.len() > table.header.len();
            // Kept as a row, so that the rows below it still belong to this table.
            table.rows.push(Vec::new());
            let help =
                if more { "a bar inside a cell is written `\\|`" } else { "leave a blank cell" };

            self.add_error_at((line, 1), message, Some(help.to_owned()));
        }
    }

    fn read_setting(&mut self, line: u32, text: &str) {
        let Some((key, value)) = text.split_once(':') else { return };
        let value = value.trim().trim_matches('`').to_owned();

        if value.is_empty() || !SETTINGS.contains(&key) {
            self.check_misspelt_setting(line, key, &value);
            return;
        }

        let case = self.file.cases.last_mut().unwrap_or(&mut self.file.shared);
        match (key, value.as_str()) {
            ("as-of", date) => match date.parse() {
                Ok(date) => case.as_of = Some(date),
                Err(_) => {
                    let message = format!("`{date}` is not a date such as 2022-02-11");
                    self.add_error_at((line, 8), message, None);
                }
            },

            ("period", _) => (case.period, case.lines[0]) = (Some(value), Some(line)),
            ("plan", _) => (case.plan, case.lines[1]) = (Some(value), Some(line)),
            ("order", "any") => case.any_order = true,

            ("finalized", text) => match parse_finalized(text) {
                Some(periods) => {
                    (case.finalized, case.lines[2]) = (Some(periods), Some(line));
                }
                None => {
                    let help = "write `finalized: 2022-01 = 2022-02-10, 2022-02 = 2022-03-08`, a \
                                period and the day on which it was finalized each, or \
                                `finalized: none`";
                    let message = format!("`{text}` does not say which periods are finalized");
                    self.add_error_at((line, 1), message, Some(help.to_owned()));
                }
            },
            (_, other) => self.add_error(line, format!("unknown order `{other}`, only `any`")),
        }
    }

    /// `As of: 2022-01-31`: prose to a reader, and a setting that does nothing.
    fn check_misspelt_setting(&mut self, line: u32, key: &str, value: &str) {
        let plain: String =
            key.trim().to_lowercase().replace([' ', '_', '*', '-'], "").chars().collect();
        let known = SETTINGS.into_iter().find(|known| known.replace('-', "") == plain);
        if let Some(known) = known.filter(|_| !value.is_empty() && !value.contains(' ')) {
            let help = format!("write `{known}: {value}` at the beginning of the line");
            self.add_error_at((line, 1), format!("`{key}` is not a setting of a case"), Some(help));
        }
    }

    /// Columns that a table of expectations does not have.
    fn check_columns(&mut self) {
        let mut wrong = Vec::new();

        for table in self.file.cases.iter().flat_map(|case| &case.tables) {
            let subject = TableSubject::of_table(table);
            if table.is_actions() {
                continue;
            }

            // Left of the arrow stand columns of the transaction, which may have any name.
            let given = table.arrow_index().map_or(0, |arrow| arrow + 1);
            for (index, name) in table.header.iter().enumerate().skip(given) {
                if subject.knows_column(name) {
                    continue;
                }

                let plain = name.trim_matches(['*', '`', '_']);
                let help = if subject.knows_column(plain) {
                    Some(format!("write `{plain}` without marks"))
                } else if ["->", "=", "==>", "→"].contains(&name.as_str()) {
                    Some("write `=>` between what is given and what comes out".to_owned())
                } else {
                    did_you_mean(name, subject.known_columns())
                };

                let column = table.columns.get(index).copied().unwrap_or(1);
                let message = format!("`{name}` is not a column of {}", subject.plural_name());
                wrong.push(((table.line, column), message, help));
            }
        }
        wrong.into_iter().for_each(|(at, message, help)| self.add_error_at(at, message, help));
    }

    fn finish(mut self) -> Result<CaseFile, Vec<Diagnostic>> {
        let mut wrong: Vec<(u32, String)> = Vec::new();
        for case in &self.file.cases {
            let mut expected = case.tables.iter().filter(|table| !table.is_actions()).peekable();
            if expected.peek().is_none() {
                let message = format!("case `{}` has no table, so it expects nothing", case.name);
                wrong.push((case.line, message));
            }

            let (examples, plain): (Vec<&CaseTable>, Vec<&CaseTable>) =
                expected.partition(|table| table.arrow_index().is_some());
            if let (Some(table), false) = (plain.first(), examples.is_empty()) {
                let message = "a table without `=>` cannot stand in a case of examples";
                wrong.push((table.line, message.to_owned()));
            }

            wrong.extend(examples.into_iter().filter_map(unusable_examples));
        }

        for (line, message) in wrong {
            self.add_error(line, message);
        }
        self.check_columns();
        if self.file.cases.is_empty() {
            self.add_error(1, "no case: a case begins with a `## ` heading");
        }

        // Errors are found by kind, and read from top to bottom.
        self.errors.sort_by(|a, b| a.place.cmp(&b.place));
        if self.errors.is_empty() { Ok(self.file) } else { Err(self.errors) }
    }
}

/// Periods and the days on which they were finalized; nothing after `none`.
fn parse_finalized(text: &str) -> Option<Vec<(String, Date)>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let one = |part: &str| {
        let (period, day) = part.split_once('=')?;
        let period = period.trim().trim_matches('"').to_owned();
        Some((period, day.trim().parse().ok()?))
    };
    text.split(',').map(one).collect()
}

/// Why a table of examples gives no example, if it gives none.
fn unusable_examples(table: &CaseTable) -> Option<(u32, String)> {
    let arrow = table.arrow_index()?;
    if arrow == 0 || arrow + 1 == table.header.len() {
        let message = "`=>` needs columns of a transaction before it and of the outcome after it";
        return Some((table.line, message.to_owned()));
    }
    match table.rows.first() {
        None => Some((table.line, "a table of examples without an example".to_owned())),
        Some(row) if continues_example(row, arrow) => {
            let message =
                "a row without a transaction continues the row above, but there is no row above";
            Some((table.row_line(0), message.to_owned()))
        }
        Some(_) => None,
    }
}
