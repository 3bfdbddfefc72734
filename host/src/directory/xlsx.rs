//! Rows out of a spreadsheet: the first of its sheets that has any.
//!
//! Not decoding by type: a cell is text, digits, a boolean or nothing, as in the other formats; a
//! fraction in binary becomes its shortest decimal text. Cells are read one after the other, since a
//! sheet with one cell in its last corner would fill the memory as a table. Called by `formats`.
//!
//! **Architecture invariant:** nothing of a spreadsheet is kept unpacked before all of it was
//! measured.

use std::io::{self, Cursor, Read};

use accredit_domain::transaction::Cell;
use accredit_domain::transaction::read::{
    COLUMNS_MAX, FileLayout, MalformedBody, ROW_BYTES_MAX, RowReader, Table,
};
use calamine::{Cell as SheetCell, Data, DataRef, ExcelDateTime, Reader, Xlsx, XlsxCellReader};
use zip::ZipArchive;

use super::damaged::read_damaged;
use super::formats::NotRead;

/// A spreadsheet whose rows are read one after the other, as often as they are asked for.
pub(crate) struct Spreadsheet<'b> {
    book: Xlsx<Cursor<&'b [u8]>>,
    /// The first sheet with rows.
    sheet: Option<String>,
    layout: FileLayout,
    /// Bytes that the text of its rows may have: one text may stand in many cells.
    text_bytes_max: u64,
}

impl<'b> Spreadsheet<'b> {
    /// Opens a spreadsheet of at most `bytes_max` bytes, unpacked.
    ///
    /// # Errors
    /// Where it is not rows, and why.
    pub(super) fn open_spreadsheet(
        body: &'b [u8],
        layout: &FileLayout,
        bytes_max: u64,
    ) -> Result<Self, NotRead> {
        measure_unpacked(body, bytes_max)?;

        let book = read_damaged(|| calamine::open_workbook_from_rs(Cursor::new(body)));
        let book: Xlsx<_> = book.map_err(|error| malformed_sheet(1, &error))?;
        let names = book.sheet_names();
        let (layout, text_bytes_max) = (layout.clone(), bytes_max);
        let mut spreadsheet = Spreadsheet { book, sheet: None, layout, text_bytes_max };

        for name in names {
            if spreadsheet.lines(&name)?.next().transpose()?.is_some() {
                spreadsheet.sheet = Some(name);
                break;
            }
        }
        Ok(spreadsheet)
    }

    /// The columns of its header, and its rows.
    ///
    /// # Errors
    /// Where the sheet or its header is none, and why.
    pub(super) fn sheet_rows(&mut self) -> Result<(Vec<String>, RowReader<'_>), MalformedBody> {
        let Some(sheet) = self.sheet.clone() else {
            return Ok((Vec::new(), Box::new(std::iter::empty())));
        };
        let layout = self.layout.clone();
        let table = Table::new(self.lines(&sheet)?, true, &layout)?;
        Ok((table.columns().to_vec(), Box::new(table)))
    }

    fn lines(&mut self, sheet: &str) -> Result<Lines<'_, 'b>, MalformedBody> {
        let (skip_rows, text_bytes_left) = (self.layout.skip_rows, self.text_bytes_max);
        let cells = read_damaged(|| self.book.worksheet_cells_reader(sheet));
        let cells = cells.map_err(|error| malformed_sheet(1, &error))?;
        Ok(Lines {
            cells,
            next: None,
            last: None,
            last_cell: None,
            skip_rows,
            text_bytes_left,
            is_over: false,
        })
    }
}

/// Unpacks every file of a spreadsheet once, into nothing: what it says of their sizes need not be
/// true.
fn measure_unpacked(body: &[u8], bytes_max: u64) -> Result<(), NotRead> {
    let archive = ZipArchive::new(Cursor::new(body));
    let mut archive = archive.map_err(|error| malformed_sheet(1, &error))?;

    let mut left = bytes_max;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|error| malformed_sheet(1, &error))?;
        let bytes = io::copy(&mut file.take(left.saturating_add(1)), &mut io::sink());
        let bytes = bytes.map_err(|error| malformed_sheet(1, &error))?;
        left = left.checked_sub(bytes).ok_or(NotRead::TooLarge(bytes_max))?;
    }
    Ok(())
}

/// The rows of a sheet that have cells, with their numbers from 1, and an empty one in each gap
/// between them.
struct Lines<'s, 'b> {
    cells: XlsxCellReader<'s, Cursor<&'b [u8]>>,
    /// The first cell of the next row.
    next: Option<SheetCell<DataRef<'s>>>,
    last: Option<u64>,
    /// Row and column of the last cell that was read, from 0.
    last_cell: Option<(u32, u32)>,
    skip_rows: usize,
    text_bytes_left: u64,
    is_over: bool,
}

impl<'s> Lines<'s, '_> {
    fn next_cell(&mut self) -> Result<Option<SheetCell<DataRef<'s>>>, MalformedBody> {
        if self.next.is_some() || self.is_over {
            return Ok(self.next.take());
        }

        let line = self.last.unwrap_or(1);
        while let Some(cell) = self.read_cell(line)? {
            let place = cell.get_position();
            // A cell that comes back would stand in another deal's row, or take the place of one that was
            // read.
            if self.last_cell.is_some_and(|last| place <= last) {
                let help = "open the sheet in a spreadsheet program and save it again".to_owned();
                let found = malformed_sheet(u64::from(place.0) + 1, &"its cells are not in order");
                return Err(MalformedBody { help: Some(help), ..found });
            }
            self.last_cell = Some(place);
            if place.0 as usize >= self.skip_rows {
                return Ok(Some(cell));
            }
        }
        self.is_over = true;
        Ok(None)
    }

    /// The next cell of the sheet; the library is asked for nothing more after a failure.
    fn read_cell(&mut self, line: u64) -> Result<Option<SheetCell<DataRef<'s>>>, MalformedBody> {
        let cell = read_damaged(|| self.cells.next_cell());
        self.is_over = cell.is_err();
        cell.map_err(|error| malformed_sheet(line, &error))
    }

    fn next_line(&mut self) -> Result<Option<(u64, Vec<Cell>)>, MalformedBody> {
        let Some(first) = self.next_cell()? else { return Ok(None) };

        let line = line_of(&first);
        self.next = Some(first);
        let gap = self.last.map(|last| last + 1).filter(|gap| *gap < line);
        if let Some(gap) = gap {
            self.last = Some(line - 1);
            return Ok(Some((gap, Vec::new())));
        }

        self.last = Some(line);
        let (mut row, mut bytes) = (Vec::new(), 0);
        while let Some(cell) = self.next_cell()? {
            if line_of(&cell) > line {
                self.next = Some(cell);
                break;
            }
            bytes += text_bytes(cell.get_value());
            self.check_size(line, cell.get_position().1, bytes)?;

            row.resize(cell.get_position().1 as usize, Cell::Null);
            row.push(cell_value(&Data::from(cell.get_value().clone())));
        }

        self.text_bytes_left = self.text_bytes_left.saturating_sub(bytes as u64);
        Ok(Some((line, row)))
    }

    /// Checks a row that has so many bytes up to this column.
    fn check_size(&self, line: u64, column: u32, bytes: usize) -> Result<(), MalformedBody> {
        let message = if column as usize >= COLUMNS_MAX {
            format!("a sheet has at most {COLUMNS_MAX} columns")
        } else if bytes > ROW_BYTES_MAX {
            format!("the row has more than {ROW_BYTES_MAX} bytes")
        } else if bytes as u64 > self.text_bytes_left {
            "the text of the rows is too long; export the sheet as CSV".to_owned()
        } else {
            return Ok(());
        };
        Err(malformed_sheet(line, &message))
    }
}

impl Iterator for Lines<'_, '_> {
    type Item = Result<(u64, Vec<Cell>), MalformedBody>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().transpose()
    }
}

fn line_of(cell: &SheetCell<DataRef<'_>>) -> u64 {
    u64::from(cell.get_position().0) + 1
}

fn text_bytes(data: &DataRef<'_>) -> usize {
    match data {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.len()
        }
        DataRef::SharedString(text) => text.len(),
        _ => 0,
    }
}

fn cell_value(data: &Data) -> Cell {
    match data {
        Data::Int(number) => Cell::Number(number.to_string()),
        Data::Float(number) => Cell::Number(number.to_string()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            Cell::Text(text.clone())
        }
        Data::Bool(flag) => Cell::Bool(*flag),
        Data::DateTime(moment) => date_cell(moment),
        Data::Error(error) => Cell::Text(error.to_string()),
        Data::Empty => Cell::Null,
    }
}

/// A date, or a date and time, in ISO.
fn date_cell(moment: &ExcelDateTime) -> Cell {
    if moment.is_duration() {
        return Cell::Number(moment.as_f64().to_string());
    }

    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        return Cell::Text(date);
    }
    Cell::Text(format!("{date}T{hour:02}:{minute:02}:{second:02}"))
}

fn malformed_sheet(line: u64, error: &dyn std::fmt::Display) -> MalformedBody {
    MalformedBody { line, column: 1, message: error.to_string(), help: None }
}
