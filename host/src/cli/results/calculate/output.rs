//! How `accredit calculate` writes its results: the format, the file, and what it says beside them.
//!
//! Not what is written (`show`), and not the bytes of a format (`tabular`).

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use accredit_crediting::calculation::Calculation;
use accredit_domain::money::Units;
use clap::ValueEnum;

use super::show::ShownList;
use crate::cli::print::destination::Destination;
use crate::cli::print::output::{EXIT_FAILED, EXIT_OK};
use crate::tabular::columns::CreditColumns;
use crate::tabular::writer::CreditFormat;

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// For programs: the whole calculation.
    Json,
    /// For programs: one list, an object a line.
    Ndjson,
    /// For spreadsheets: one list.
    Csv,
    /// For databases: the credits in typed columns.
    Parquet,
    /// For people.
    Table,
}

/// Endings of files by which a format is known.
const ENDINGS: [(&str, ResultFormat); 5] = [
    ("csv", ResultFormat::Csv),
    ("ndjson", ResultFormat::Ndjson),
    ("jsonl", ResultFormat::Ndjson),
    ("json", ResultFormat::Json),
    ("parquet", ResultFormat::Parquet),
];

/// What is written, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputOptions {
    /// Format; by default what the ending of --out means, or JSON.
    #[arg(long, value_enum)]
    format: Option<ResultFormat>,
    /// A file to write instead of standard output. It gets its name when all of it is written, so
    /// after an error or ctrl-c the former file is unchanged.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print neither progress nor summaries on standard error.
    #[arg(long)]
    quiet: bool,
    /// The lists to show, separated by commas; CSV and NDJSON take one, Parquet has the credits. By
    /// default CSV and NDJSON show credits, a table the lists with rows, and JSON everything.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    show: Vec<ShownList>,
}

impl OutputOptions {
    /// The lists that were asked for.
    pub(super) fn shown_lists(&self) -> &[ShownList] {
        &self.show
    }

    /// The file that was asked for.
    pub(super) fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// Whether nothing is said beside the results but what is wrong.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The format that was asked for.
    ///
    /// # Errors
    /// What to tell the user: the format is not known, or cannot hold what is asked for.
    pub(super) fn find_format(&self) -> Result<ResultFormat, String> {
        let format = match (self.format, &self.out) {
            (Some(format), _) => format,
            (None, Some(path)) if path.as_path() != Path::new("-") => format_of_name(path)?,
            (None, _) => ResultFormat::Json,
        };

        let one_list = match format {
            ResultFormat::Csv => Some("a CSV file"),
            ResultFormat::Ndjson => Some("an NDJSON file"),
            ResultFormat::Json | ResultFormat::Table | ResultFormat::Parquet => None,
        };
        if let Some(file) = one_list.filter(|_| self.show.len() > 1) {
            return Err(format!("{file} has one list: write one word after --show"));
        }

        let credits_alone = matches!(self.show.as_slice(), [] | [ShownList::Credits]);
        if format == ResultFormat::Parquet && !credits_alone {
            return Err("a Parquet file has the credits: write another list as CSV".to_owned());
        }
        Ok(format)
    }

    /// Opens what is written to.
    ///
    /// # Errors
    /// What to tell the user.
    pub(super) fn open_destination(&self, format: ResultFormat) -> Result<Destination, String> {
        let opened = Destination::open(self.out.as_deref());
        let opened = opened.map_err(|error| {
            let path = self.out.as_deref().unwrap_or(Path::new("-")).display();
            format!("{path} cannot be written: {error}; name a file in a folder that exists")
        })?;

        if format == ResultFormat::Parquet && opened.is_terminal() {
            return Err("Parquet is not for a screen: write --out FILE".to_owned());
        }
        Ok(opened)
    }

    /// Whether nothing but credits is asked for, in a format that is written row by row.
    pub(super) fn has_credits_alone(&self, format: ResultFormat) -> bool {
        let credits = matches!(self.show.as_slice(), [] | [ShownList::Credits]);
        let by_row = [ResultFormat::Csv, ResultFormat::Ndjson, ResultFormat::Parquet];
        credits && by_row.contains(&format)
    }

    /// The format of a file of credits, if nothing else is asked for: its rows are written as they
    /// come. `amount_scale` is how many decimals all amounts have.
    ///
    /// # Errors
    /// When the format has no such columns.
    pub(super) fn credit_format(
        &self,
        format: ResultFormat,
        amount_scale: Option<u32>,
    ) -> io::Result<Option<CreditFormat>> {
        let credits = matches!(self.show.as_slice(), [] | [ShownList::Credits]);
        match format {
            ResultFormat::Csv if credits => Ok(Some(CreditFormat::Csv)),
            ResultFormat::Ndjson if credits => Ok(Some(CreditFormat::Ndjson)),
            ResultFormat::Parquet => {
                Ok(Some(CreditFormat::Parquet(CreditColumns::new(amount_scale)?)))
            }
            _ => Ok(None),
        }
    }
}

/// The format that the ending of a file means.
fn format_of_name(path: &Path) -> Result<ResultFormat, String> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let known = ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format);

    known.ok_or_else(|| {
        let endings = ENDINGS.map(|(ending, _)| format!(".{ending}")).join(", ");
        let path = path.display();
        format!("the name `{path}` does not say its format: write --format, or end it in {endings}")
    })
}

/// How many decimals all amounts of these units have; none where they differ.
pub(in crate::cli::results) fn unit_scale(units: &Units) -> Option<u32> {
    let units = units.names().filter_map(|name| units.find(name));
    uniform_scale(units.map(|unit| u32::from(unit.scale)))
}

/// How many decimals the amounts of all credits have; none where they differ, or without credits.
pub(super) fn credit_scale(calculations: &[Calculation]) -> Option<u32> {
    let credits = calculations.iter().flat_map(|one| &one.credits);
    uniform_scale(credits.map(|credit| credit.amount.scale()))
}

fn uniform_scale(mut scales: impl Iterator<Item = u32>) -> Option<u32> {
    let first = scales.next()?;
    scales.all(|scale| scale == first).then_some(first)
}

/// Ends the verb: the exit code, and a word where the results could not be written.
pub(super) fn exit_code(name: &str, written: io::Result<()>) -> u8 {
    match written {
        Ok(()) => EXIT_OK,
        // A closed pipe is the reader's decision, not a fault of ours.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => EXIT_OK,
        Err(error) => {
            eprintln!("error: {name} cannot be written: {error}");
            EXIT_FAILED
        }
    }
}
