//! Rows out of files and bodies: delimited text, and JSON in all its arrangements.
//!
//! Not decoding by type: cells stay as delivered. Called by the command line and by intake.

mod csv;
mod json;
mod lines;
mod table;

pub use self::csv::{delimiter_name, other_separator};
pub use self::json::cell_from_json;
pub use self::lines::{PlainLines, split_lines};
pub use self::table::{COLUMNS_MAX, Table};
use super::Record;
use super::remark::column_name;

/// Bytes that a row of text may have.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// A body that is not rows: where and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct MalformedBody {
    /// Line in the body, from 1.
    pub line: u64,
    /// Column in characters, from 1; 1 where the whole line is meant.
    pub column: u64,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it, where more can be said than of every such body.
    pub help: Option<String>,
}

impl MalformedBody {
    fn at_line(line: u64, message: String) -> MalformedBody {
        MalformedBody { line, column: 1, message, help: None }
    }
}

/// How the rows of delimited text and of sheets lie: `[transactions]` of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileLayout {
    /// What separates cells, an ASCII character; none where it is found out.
    pub delimiter: Option<char>,
    /// Lines above the header.
    pub skip_rows: usize,
    /// Whether the first blank row below the header is the end.
    pub stop_at_blank: bool,
}

/// The rows of a body, with the columns that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordSheet {
    /// The columns of the header, even where no row follows; JSON has none.
    pub columns: Vec<String>,
    /// The rows in order.
    pub rows: Vec<RecordRow>,
    /// The delimiter, if it is not a comma and was detected.
    pub detected: Option<char>,
}

/// A row and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Line in the body, from 1; in an array that of its beginning.
    pub line: u64,
    /// The row.
    pub record: Record,
}

impl RecordSheet {
    /// The rows without their lines.
    pub fn into_records(self) -> Vec<Record> {
        self.rows.into_iter().map(|row| row.record).collect()
    }
}

/// What the text of a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Delimited text whose first row names the columns; rows without any text are passed over.
    Csv,
    /// One JSON object a line, or an array of them.
    Ndjson,
    /// One JSON object, or an array of them.
    Json,
}

/// A body of text whose rows are read one after the other, as often as they are asked for; no more
/// than one of them is in memory beside the body.
#[derive(Debug, Clone)]
pub struct TextBody<'t> {
    text: &'t str,
    layout: FileLayout,
    kind: Kind,
}

/// What was found out about a text.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Text delimited by this character.
    Delimited(char),
    /// JSON, with the message for a value that is not a row.
    Json(&'static str),
}

/// Rows that are read when they are asked for; behind an error there are none.
pub type RowReader<'t> = Box<dyn Iterator<Item = Result<RecordRow, MalformedBody>> + 't>;

impl<'t> TextBody<'t> {
    /// Takes a body of UTF-8, with a byte order mark or without: finds out its delimiter, or checks
    /// its syntax.
    ///
    /// # Errors
    /// [`MalformedBody`] where it is no text or no JSON, or its cells are separated by nothing that
    /// is known.
    pub fn open(
        format: TextFormat,
        body: &'t [u8],
        layout: &FileLayout,
    ) -> Result<Self, MalformedBody> {
        // Windows puts the mark before text.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let text = std::str::from_utf8(body).map_err(|error| {
            let read = String::from_utf8_lossy(body.get(..error.valid_up_to()).unwrap_or_default());
            MalformedBody::at_line(line_of(&read, read.len()), "not UTF-8 text".to_owned())
        })?;

        let kind = match format {
            TextFormat::Csv => Kind::Delimited(csv::detect_delimiter(text, layout)?),
            TextFormat::Ndjson => Kind::Json(json::check_lines(text)?),
            TextFormat::Json => Kind::Json(json::check_syntax(text)?),
        };
        Ok(TextBody { text, layout: layout.clone(), kind })
    }

    /// The delimiter, if it is not a comma and was detected.
    pub fn detected(&self) -> Option<char> {
        match self.kind {
            Kind::Delimited(sign) if self.layout.delimiter.is_none() && sign != ',' => Some(sign),
            _ => None,
        }
    }

    /// The columns of the header, and the rows in order; JSON has no header.
    ///
    /// # Errors
    /// [`MalformedBody`] where the header is none.
    pub fn rows(&self) -> Result<(Vec<String>, RowReader<'t>), MalformedBody> {
        match self.kind {
            Kind::Delimited(delimiter) => {
                let table = csv::table(self.text, delimiter, &self.layout)?;
                Ok((table.columns().to_vec(), Box::new(table)))
            }
            Kind::Json(not_a_row) => {
                Ok((Vec::new(), Box::new(json::JsonRows::new(self.text, not_a_row))))
            }
        }
    }
}

/// Reads a whole body of UTF-8, with a byte order mark or without.
///
/// # Errors
/// [`MalformedBody`] at the first thing that is no row: a row that has not as many cells as the
/// header, a quote that stays open, a column that the header names twice, or what is not a JSON
/// object.
pub fn read_sheet(
    format: TextFormat,
    body: &[u8],
    layout: &FileLayout,
) -> Result<RecordSheet, MalformedBody> {
    let body = TextBody::open(format, body, layout)?;
    let (columns, rows) = body.rows()?;
    let rows = rows.collect::<Result<_, _>>()?;
    Ok(RecordSheet { columns, rows, detected: body.detected() })
}

/// Rows of delimited text.
///
/// # Errors
/// As [`read_sheet`].
pub fn read_csv(body: &[u8]) -> Result<Vec<Record>, MalformedBody> {
    read_sheet(TextFormat::Csv, body, &FileLayout::default()).map(RecordSheet::into_records)
}

/// Rows of a body with one JSON object a line; blank lines are passed over.
///
/// # Errors
/// As [`read_sheet`].
pub fn read_ndjson(body: &[u8]) -> Result<Vec<Record>, MalformedBody> {
    read_sheet(TextFormat::Ndjson, body, &FileLayout::default()).map(RecordSheet::into_records)
}

/// Rows of a body that is one JSON object, or an array of them.
///
/// # Errors
/// As [`read_sheet`].
pub fn read_json(body: &[u8]) -> Result<Vec<Record>, MalformedBody> {
    read_sheet(TextFormat::Json, body, &FileLayout::default()).map(RecordSheet::into_records)
}

/// The line of the character at this byte, from 1.
fn line_of(text: &str, offset: usize) -> u64 {
    LineCounter::new(text).line_at(offset)
}

/// The lines of places in a text that are asked for in their order, each counted once.
struct LineCounter<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> LineCounter<'t> {
    fn new(text: &'t str) -> Self {
        LineCounter { text, at: 0, line: 1 }
    }

    /// The line of the character at this byte, from 1.
    fn line_at(&mut self, offset: usize) -> u64 {
        let passed = self.text.as_bytes().get(self.at..offset).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = self.at.max(offset);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;

    /// Rows as `column=cell`, or what is malformed and where.
    #[track_caller]
    fn check(body: &str, expected: &str) {
        let cell = |(column, cell): &(String, Cell)| match cell {
            Cell::Text(text) => format!("{column}={text}"),
            other => format!("{column}={other:?}"),
        };
        let row = |record: &Record| record.cells.iter().map(cell).collect::<Vec<_>>().join(" ");
        let shown = match read_csv(body.as_bytes()) {
            Ok(records) => records.iter().map(row).collect::<Vec<_>>().join(" / "),
            Err(error) => format!("{}:{} {}", error.line, error.column, error.message),
        };
        assert_eq!(shown, expected, "{body:?}");
    }

    #[test]
    fn rows_without_text_are_passed_over() {
        // Spreadsheets export the empty rows below a table, with their commas or without.
        check("a,b\n1,2\n,\n  \n\n3,4\n", "a=1 b=2 / a=3 b=4");
        check("a,b\r\n\"1\",2\r\n,\r\n \r\n", "a=1 b=2");
        check("a,b\n1,2\n3\n", "3:1 1 cells where the header has 2");
        check("a,b\r\n\"1\",2,\r\n", "2:1 3 cells where the header has 2");
    }

    #[test]
    fn a_quote_that_is_never_closed_swallows_no_deal() {
        // The row and all rows below it became one deal without an owner, and the deals below were
        // lost.
        let open = "a quoted cell does not end with its quote";
        check("a,b\n1,\"x\n2,y\n3,z\n", &format!("2:3 {open}"));
        check("a,b\r\n1,\"x\r\n2,y", &format!("2:3 {open}"));
        check("a,b\n1,\"x\"\"\n2,y\n", &format!("2:3 {open}"));
        check("a,b\n1,\"x\"\"\"\n2,y\"\n", "a=1 b=x\" / a=2 b=y\"");
        check("a,b\n\"\",\"x, y\nz\"\n2,\"\"\n", "a= b=x, y\nz / a=2 b=");
    }

    /// Rows, and the delimiter that was found out.
    #[track_caller]
    fn check_delimiter(body: &str, delimiter: Option<char>, rows: usize) {
        let sheet = read_sheet(TextFormat::Csv, body.as_bytes(), &FileLayout::default()).unwrap();
        assert_eq!((sheet.detected, sheet.rows.len()), (delimiter, rows), "{body:?}");
    }

    #[test]
    fn a_delimiter_is_found_out_where_every_row_agrees() {
        check_delimiter("id;amount\nA;1,5\nB;2\n", Some(';'), 2);
        check_delimiter("id\tnote\nA\tx, y\n", Some('\t'), 1);
        check_delimiter("id|amount\nA|1\n", Some('|'), 1);
        check_delimiter("id\nA;1\n", None, 1);
        check_delimiter("id,a;b\nA,1;2\n", None, 1);
        let disagree = read_csv(b"id;amount\nA;1;2\nB;2\n").unwrap_err();
        assert!(disagree.message.contains("separated by semicolons"), "{disagree}");

        let semicolons = FileLayout { delimiter: Some(';'), ..FileLayout::default() };
        let error = read_sheet(TextFormat::Csv, b"id;amount\nA;1;2\n", &semicolons).unwrap_err();
        assert_eq!((error.line, &*error.message), (2, "3 cells where the header has 2"));
    }

    #[test]
    fn titles_and_footers_are_named_and_passed_over() {
        let body = b"Deals of January\n\nid,amount\nA,1\n\nSum of all\n";
        let error = read_csv(body).unwrap_err();
        assert_eq!(error.line, 3, "{error}");
        assert!(error.help.unwrap().contains("`skip_rows = 2`"));
        let below = FileLayout { skip_rows: 2, ..FileLayout::default() };
        let error = read_sheet(TextFormat::Csv, body, &below).unwrap_err();
        assert_eq!(error.line, 6, "{error}");
        assert!(error.help.unwrap().contains("`stop_at_blank = true`"));
        let between = FileLayout { stop_at_blank: true, ..below };
        let rows = read_sheet(TextFormat::Csv, body, &between).unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn json_is_read_in_all_its_arrangements() {
        let check = |body: &str, lines: &[u64]| {
            let sheet = read_sheet(TextFormat::Ndjson, body.as_bytes(), &FileLayout::default());
            let rows = sheet.unwrap_or_else(|error| panic!("{body}: {error}")).rows;
            assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), lines, "{body}");
        };
        check("{\"id\":1}\n\n{\"id\":2}\n", &[1, 3]);
        check("[{\"id\":1},{\"id\":2}]", &[1, 1]);
        check("[\n{\"id\":1},\n{\"id\":2}\n]\n", &[1, 1]);
        check("{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n", &[1, 4]);
        check("{\"id\":1}{\"id\":2}", &[1, 1]);
        assert!(read_ndjson(b"{\"id\":1}\n2\n").is_err());
        assert_eq!(read_json(b"{\"id\":1} {\"id\":2}").unwrap().len(), 2);
    }

    #[test]
    fn the_guard_of_text_is_taken_off() {
        // Spreadsheets are kept from reading 00123 as a number by ="00123".
        check("id,n\n=\"00123\",1\n", "id=00123 n=1");
        check("id,n\n\"=\"\"00123\"\"\",=1+1\n", "id=00123 n==1+1");
    }

    #[test]
    fn a_column_that_is_named_twice_is_refused() {
        // With either of the two, the deal could have been credited with the other's amount.
        check("id,amount,amount\n1,2,3\n", "1:1 the header has the column `amount` twice");
        check("id,a,,\n1,2,,\n", "id=1 a=2 = =");
        check("id , a\n1,2\n", "id=1 a=2");
    }
}
