//! What files and bodies of transactions may be: one table, for directories and imports alike.
//!
//! Not reading text (`transaction::read`), sheets (`xlsx`) or Parquet, which are called from here.

use std::io::Read;
use std::path::Path;

use accredit_domain::transaction::read::{
    FileLayout, MalformedBody, RowReader, TextBody, TextFormat,
};
use flate2::read::MultiGzDecoder;

use super::xlsx::Spreadsheet;

/// Bytes of an unpacked file.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 2 << 30;

/// Bytes that are unpacked at a time, and by which the memory for them grows.
const UNPACKED_STEP: usize = 64 << 10;
const UNPACKED_GROWTH: usize = 8 << 20;

/// What rows may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// Text.
    Text(TextFormat),
    /// A spreadsheet, whose first sheet with rows counts.
    Xlsx,
    /// Parquet: files alone, no bodies.
    Parquet,
}

/// A format with the names by which it is known.
struct AcceptedFormat {
    format: RowFormat,
    /// Endings of names, in small letters; each also with `.gz` behind it.
    endings: &'static [&'static str],
    /// Media types of bodies.
    media_types: &'static [&'static str],
}

const ACCEPTED: [AcceptedFormat; 5] = [
    AcceptedFormat {
        format: RowFormat::Text(TextFormat::Csv),
        endings: &["csv", "tsv"],
        media_types: &["text/csv", "text/tab-separated-values"],
    },
    AcceptedFormat {
        format: RowFormat::Text(TextFormat::Ndjson),
        endings: &["ndjson", "jsonl"],
        media_types: &["application/x-ndjson", "application/ndjson", "application/jsonl"],
    },
    AcceptedFormat {
        format: RowFormat::Text(TextFormat::Json),
        endings: &["json"],
        media_types: &["application/json"],
    },
    AcceptedFormat {
        format: RowFormat::Xlsx,
        endings: &["xlsx"],
        media_types: &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    },
    AcceptedFormat { format: RowFormat::Parquet, endings: &["parquet"], media_types: &[] },
];

/// The format of a file by its name, and whether it is packed with gzip.
pub(crate) fn of_name(path: &Path) -> Option<(RowFormat, bool)> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let packed = name.strip_suffix(".gz");
    let (_, ending) = packed.unwrap_or(&name).rsplit_once('.')?;
    let known = ACCEPTED.iter().find(|accepted| accepted.endings.contains(&ending))?;
    Some((known.format, packed.is_some()))
}

/// The format of a body by its media type, without parameters and in small letters.
pub(crate) fn of_media_type(kind: &str) -> Option<RowFormat> {
    let known = ACCEPTED.iter().find(|accepted| accepted.media_types.contains(&kind));
    known.map(|accepted| accepted.format)
}

/// The media type that a file is sent with, and whether it is packed; none for a format that has none.
pub(crate) fn media_type_of_name(path: &Path) -> Option<(&'static str, bool)> {
    let (format, is_packed) = of_name(path)?;
    let known = ACCEPTED.iter().find(|accepted| accepted.format == format)?;
    Some((known.media_types.first()?, is_packed))
}

/// Every media type that is read.
pub(crate) fn media_types() -> Vec<&'static str> {
    ACCEPTED.iter().flat_map(|accepted| accepted.media_types).copied().collect()
}

/// Why a body is not read.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// It is no rows: where, and why.
    Malformed(MalformedBody),
    /// It cannot be unpacked: why.
    NotPacked(String),
    /// Unpacked it has more than so many bytes.
    TooLarge(u64),
}

impl From<MalformedBody> for NotRead {
    fn from(malformed: MalformedBody) -> Self {
        NotRead::Malformed(malformed)
    }
}

impl From<NotRead> for MalformedBody {
    fn from(error: NotRead) -> Self {
        let message = match error {
            NotRead::Malformed(malformed) => return malformed,
            NotRead::NotPacked(reason) => reason,
            NotRead::TooLarge(bytes_max) => format!("unpacked it has more than {bytes_max} bytes"),
        };
        MalformedBody { line: 1, column: 1, message, help: None }
    }
}

/// A body whose rows are read one after the other, as often as they are asked for: no more than one
/// of them is in memory.
pub(crate) enum Body<'b> {
    /// Text.
    Text(TextBody<'b>),
    /// A spreadsheet.
    Sheet(Box<Spreadsheet<'b>>),
}

impl<'b> Body<'b> {
    /// Opens a body; a spreadsheet may have `unpacked_max` bytes when it is unpacked.
    ///
    /// # Errors
    /// Where it is not rows, and why.
    pub(crate) fn open_body(
        format: RowFormat,
        body: &'b [u8],
        layout: &FileLayout,
        unpacked_max: u64,
    ) -> Result<Body<'b>, NotRead> {
        match format {
            RowFormat::Text(format) => Ok(Body::Text(TextBody::open(format, body, layout)?)),
            RowFormat::Xlsx => {
                let sheet = Spreadsheet::open_spreadsheet(body, layout, unpacked_max)?;
                Ok(Body::Sheet(Box::new(sheet)))
            }
            RowFormat::Parquet => Err(NotRead::Malformed(MalformedBody {
                line: 1,
                column: 1,
                message: "Parquet is read from files alone".to_owned(),
                help: None,
            })),
        }
    }

    /// The delimiter of text, if it is not a comma and was detected.
    pub(crate) fn detected_delimiter(&self) -> Option<char> {
        match self {
            Body::Text(text) => text.detected(),
            Body::Sheet(_) => None,
        }
    }

    /// The columns of the header, and the rows from the first on; JSON has no header.
    ///
    /// # Errors
    /// Where the header is none.
    pub(crate) fn rows(&mut self) -> Result<(Vec<String>, RowReader<'_>), MalformedBody> {
        match self {
            Body::Text(text) => text.rows(),
            Body::Sheet(sheet) => sheet.sheet_rows(),
        }
    }
}

/// A body without gzip around it, of at most `bytes_max` bytes.
///
/// # Errors
/// Why it cannot be unpacked.
pub(crate) fn unpack_gzip(body: &[u8], bytes_max: u64) -> Result<Vec<u8>, NotRead> {
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(body);
    let mut part = vec![0; UNPACKED_STEP];

    loop {
        let read = reader.read(&mut part);
        let read = read.map_err(|error| NotRead::NotPacked(format!("not gzip: {error}")))?;
        let part = part.get(..read).unwrap_or_default();
        if part.is_empty() {
            return Ok(unpacked);
        }

        // Twice the memory each time would be twice as much as the largest body needs.
        if unpacked.capacity() - unpacked.len() < part.len() {
            unpacked.reserve_exact(UNPACKED_GROWTH);
        }
        unpacked.extend_from_slice(part);
        if unpacked.len() as u64 > bytes_max {
            return Err(NotRead::TooLarge(bytes_max));
        }
    }
}

/// The same of a file.
///
/// # Errors
/// Why it cannot be unpacked.
pub(crate) fn unpacked_file(body: &[u8]) -> Result<Vec<u8>, NotRead> {
    unpack_gzip(body, UNPACKED_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const MIB: usize = 1 << 20;

    /// A spreadsheet of some kilobytes filled the memory before its first row was read.
    #[test]
    fn what_is_packed_small_and_unpacks_large_is_refused() {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("xl/sharedStrings.xml", SimpleFileOptions::default()).unwrap();
        archive.write_all(&vec![b' '; 3 * MIB]).unwrap();
        let sheet = archive.finish().unwrap().into_inner();
        assert!(sheet.len() < MIB / 8);
        let opened =
            Body::open_body(RowFormat::Xlsx, &sheet, &FileLayout::default(), 2 * MIB as u64);
        assert!(matches!(opened, Err(NotRead::TooLarge(_))));

        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&vec![b' '; 3 * MIB]).unwrap();
        let packed = packed.finish().unwrap();
        assert!(matches!(unpack_gzip(&packed, 2 * MIB as u64), Err(NotRead::TooLarge(_))));
        assert_eq!(unpack_gzip(&packed, 3 * MIB as u64).unwrap().len(), 3 * MIB);
        assert!(matches!(unpack_gzip(b"id\n1\n", 9), Err(NotRead::NotPacked(_))));
    }
}
