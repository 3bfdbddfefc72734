//! What files and bodies of transactions may be: one table, for directories and imports alike.
//!
//! Not reading text (`transaction::read`), sheets (`xlsx`) or Parquet, which are called from here.

use std::io::Read;
use std::path::Path;

use accredit_domain::transaction::read::{self, FileLayout, Malformed, Sheet, TextFormat};
use flate2::read::MultiGzDecoder;

use super::xlsx;

/// Bytes of an unpacked file.
const UNPACKED_BYTES_MAX: u64 = 2 << 30;

/// What rows may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text.
    Text(TextFormat),
    /// A spreadsheet, whose first sheet with rows counts.
    Xlsx,
    /// Parquet, behind a feature of the build.
    Parquet,
}

/// A format with the names by which it is known.
struct Accepted {
    format: Format,
    /// Endings of names, in small letters; each also with `.gz` behind it.
    endings: &'static [&'static str],
    /// Media types of bodies.
    media_types: &'static [&'static str],
}

const ACCEPTED: [Accepted; 5] = [
    Accepted {
        format: Format::Text(TextFormat::Csv),
        endings: &["csv", "tsv"],
        media_types: &["text/csv", "text/tab-separated-values"],
    },
    Accepted {
        format: Format::Text(TextFormat::Ndjson),
        endings: &["ndjson", "jsonl"],
        media_types: &["application/x-ndjson", "application/ndjson", "application/jsonl"],
    },
    Accepted {
        format: Format::Text(TextFormat::Json),
        endings: &["json"],
        media_types: &["application/json"],
    },
    Accepted {
        format: Format::Xlsx,
        endings: &["xlsx"],
        media_types: &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    },
    Accepted { format: Format::Parquet, endings: &["parquet"], media_types: &[] },
];

/// The format of a file by its name, and whether it is packed with gzip.
pub(crate) fn of_name(path: &Path) -> Option<(Format, bool)> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let packed = name.strip_suffix(".gz");
    let (_, ending) = packed.unwrap_or(&name).rsplit_once('.')?;
    let known = ACCEPTED.iter().find(|accepted| accepted.endings.contains(&ending))?;
    Some((known.format, packed.is_some()))
}

/// The format of a body by its media type, without parameters and in small letters.
pub(crate) fn of_media_type(kind: &str) -> Option<Format> {
    let known = ACCEPTED.iter().find(|accepted| accepted.media_types.contains(&kind));
    known.map(|accepted| accepted.format)
}

/// Every media type that is read.
pub(crate) fn media_types() -> Vec<&'static str> {
    ACCEPTED.iter().flat_map(|accepted| accepted.media_types).copied().collect()
}

/// Reads a body.
///
/// # Errors
/// Where it is not rows, and why.
pub(crate) fn read(format: Format, body: &[u8], layout: &FileLayout) -> Result<Sheet, Malformed> {
    match format {
        Format::Text(format) => read::sheet(format, body, layout),
        Format::Xlsx => xlsx::read(body, layout),
        Format::Parquet => Err(Malformed {
            line: 1,
            column: 1,
            message: "Parquet is read from files alone".to_owned(),
            help: None,
        }),
    }
}

/// A body without gzip around it, of at most `bytes_max` bytes.
///
/// # Errors
/// Why it cannot be unpacked.
pub(crate) fn unpacked(body: &[u8], bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(body).take(bytes_max.saturating_add(1));
    reader.read_to_end(&mut unpacked).map_err(|error| format!("not gzip: {error}"))?;
    if unpacked.len() as u64 > bytes_max {
        return Err(format!("unpacked it has more than {bytes_max} bytes"));
    }
    Ok(unpacked)
}

/// The same of a file.
///
/// # Errors
/// Why it cannot be unpacked.
pub(crate) fn unpacked_file(body: &[u8]) -> Result<Vec<u8>, String> {
    unpacked(body, UNPACKED_BYTES_MAX)
}
