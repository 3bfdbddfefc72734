//! `accredit calculate`: the credits of a directory's transactions in a period, what they are worth, and
//! what became of the rest.

pub(crate) mod memory;
pub(super) mod output;
mod show;
mod stored;
mod stream;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use accredit_crediting::calculation::progress::CalculationProgress;
use accredit_crediting::calculation::stream::CalculationCounts;
use accredit_crediting::calculation::{self, Calculation, books};
use accredit_domain::calendar::Period;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::keys::{PeriodKey, PlanKey};
use accredit_domain::transaction::Record;
use accredit_domain::transaction::read::FileLayout;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use self::output::{OutputOptions, ResultFormat};
use self::show::NotedCalculations;
use crate::cli::print::destination::Destination;
use crate::cli::print::output::{EXIT_FAILED, EXIT_NOTHING, EXIT_USAGE};
use crate::cli::print::progress::show_progress;
use crate::cli::print::report;
use crate::directory::{self, DirectoryError};
use crate::tabular::writer::CreditWriter;

/// A customer's directory with the options of what is read of it.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArguments {
    /// A customer's directory.
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) options: InputOptions,
}

/// What is read and calculated of a directory.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct InputOptions {
    /// Calculate only this plan, named by the stem of its file.
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// The business date: holds that end by then are released, and later rows are ignored.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Date>,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH")]
    pub(crate) transactions: Option<PathBuf>,
}

/// Calculates the credits of a directory's transactions.
#[derive(Debug, clap::Args)]
pub(crate) struct CalculateArguments {
    /// A customer's directory.
    #[arg(required_unless_present = "data")]
    dir: Option<PathBuf>,
    /// A data file that no server has open, instead of a directory: what its calculations are, with
    /// the rewards of periods that were paid as they were paid. Needs --plan.
    #[arg(long, value_name = "FILE", requires = "plan")]
    #[arg(conflicts_with_all = ["dir", "as_of", "transactions"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    input: InputOptions,
    /// A period of the calendar, such as 2017-03, 2017-Q1, 2017 or 2017-P03; of one that is longer
    /// than a plan's own, every part of it is calculated.
    #[arg(long)]
    period: String,
    #[command(flatten)]
    output: OutputOptions,
    /// Worker threads; the result is the same for every number.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Memory for deals, such as 512MB or 4GiB, where nothing but credits is written, as CSV, NDJSON or
    /// Parquet; by default half of what is free. Deals that need more go through temporary files beside
    /// --out, or in the system's folder. What comes on top: definitions, blocks that are worked on, and a
    /// file of deals while it is read, unless it is Parquet, or CSV without quotes that is not packed.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse_size, conflicts_with = "data")]
    memory: Option<u64>,
}

/// A directory, read and understood, with its transactions.
pub(crate) struct LoadedDirectory {
    /// What decides.
    pub(crate) ruleset: Ruleset,
    /// Its rows.
    pub(crate) records: Vec<Record>,
}

impl InputArguments {
    /// Reads the directory; prints what is wrong and gives the exit code otherwise.
    pub(crate) fn load_directory(&self) -> Result<LoadedDirectory, u8> {
        let (ruleset, rows) = self.load_rows(directory::read_rows, |rows| &rows.columns)?;
        Ok(LoadedDirectory { ruleset, records: rows.records })
    }

    /// The same with rows as `read` has them, with the columns that they name.
    fn load_rows<R: Default>(
        &self,
        read: impl FnOnce(&Path, &FileLayout) -> Result<R, DirectoryError>,
        columns: impl FnOnce(&R) -> &BTreeSet<String>,
    ) -> Result<(Ruleset, R), u8> {
        let own = self.dir.join("transactions");
        let path = self.options.transactions.clone().or_else(|| own.is_dir().then_some(own));

        let read = || {
            let files = directory::read_definitions(&self.dir)?;
            let layout = accredit_workspace::transaction_layout(&files);
            let rows = path.as_deref().map(|path| read(path, &layout)).transpose()?;
            Ok::<_, DirectoryError>((files, rows.unwrap_or_default()))
        };

        let (files, rows) = read().map_err(|error| {
            eprintln!("error: {error}");
            EXIT_FAILED
        })?;
        let (ruleset, diagnostics) = Ruleset::read(&files, columns(&rows));

        let Some(ruleset) = ruleset else {
            let errors: Vec<Diagnostic> =
                diagnostics.into_iter().filter(Diagnostic::is_error).collect();
            eprint!("{}", report::render_report(&files, &errors));
            return Err(EXIT_FAILED);
        };

        if let Some(plan) = &self.options.plan
            && !ruleset.plans.contains_key(plan.as_str())
        {
            eprintln!("error: there is no plan `{plan}` in {}", self.dir.display());
            return Err(EXIT_NOTHING);
        }

        Ok((ruleset, rows))
    }
}

/// Runs the verb.
pub(crate) fn run(arguments: &CalculateArguments) -> u8 {
    let format = match arguments.output.find_format() {
        Ok(format) => format,
        Err(message) => {
            eprintln!("error: {message}");
            return EXIT_USAGE;
        }
    };

    let dir = match (&arguments.data, &arguments.dir) {
        (Some(file), _) => return stored::run(file, arguments, format),
        (None, dir) => dir.clone().unwrap_or_default(),
    };

    let input = InputArguments { dir, options: arguments.input.clone() };
    let done = write_results(&input, arguments, format);
    done.unwrap_or_else(|code| code)
}

/// Calculates and writes what is asked for. The error is the exit code of what was printed.
fn write_results(
    input: &InputArguments,
    arguments: &CalculateArguments,
    format: ResultFormat,
) -> Result<u8, u8> {
    // Credits alone need not be kept until all of them are made.
    if arguments.output.has_credits_alone(format)
        && let Some(code) = stream::run(input, arguments, format)?
    {
        return Ok(code);
    }
    if arguments.memory.is_some() {
        eprintln!(
            "note: --memory has no effect: lists beside credits, and periods that are closed or \
             finalized, need everything in memory"
        );
    }

    let loaded = input.load_directory()?;
    let ruleset = &loaded.ruleset;
    let period = asked_period(&arguments.period, ruleset)?;
    let parts = calculated_parts(arguments.input.plan.as_deref(), (ruleset, &period))?;
    let destination = open_destination(arguments, format)?;

    let threads = arguments.worker_threads();
    let progress = CalculationProgress::default();
    let books = show_progress(arguments.output.is_quiet(), &progress, || {
        let as_of = arguments.input.as_of;
        books::build_counted_books(ruleset, &loaded.records, as_of, (threads, &progress))
    });

    let name = destination.name().to_owned();
    let results = Results { books: &books, ruleset, parts: &parts, asked: &period };
    Ok(output::exit_code(&name, results.write(arguments, format, destination)))
}

/// The period that is asked for.
pub(super) fn asked_period(period: &str, ruleset: &Ruleset) -> Result<Period, u8> {
    ruleset.settings.calendar.find(period).ok_or_else(|| {
        eprintln!("error: there is no period `{period}`; write one of the calendar, as 2017-03");
        EXIT_NOTHING
    })
}

/// What is written to; what cannot be written is said before anything is calculated.
fn open_destination(
    arguments: &CalculateArguments,
    format: ResultFormat,
) -> Result<Destination, u8> {
    arguments.output.open_destination(format).map_err(|message| {
        eprintln!("error: {message}");
        EXIT_FAILED
    })
}

/// What was calculated of a directory, before it is put together period by period.
struct Results<'a> {
    books: &'a books::Books<'a>,
    ruleset: &'a Ruleset,
    /// The plans with their periods.
    parts: &'a [(PlanKey, Period)],
    /// The period that was asked for.
    asked: &'a Period,
}

impl Results<'_> {
    /// Writes them, and a line about each calculation.
    fn write(
        &self,
        arguments: &CalculateArguments,
        format: ResultFormat,
        mut destination: Destination,
    ) -> io::Result<()> {
        let note = recomputed_note(self.ruleset, arguments.input.as_of);
        let quiet = arguments.output.is_quiet();

        let scale = output::unit_scale(&self.ruleset.settings.units);
        if let Some(credits) = arguments.output.credit_format(format, scale)? {
            let writer = CreditWriter::begin(destination, credits, arguments.worker_threads())?;
            self.write_credits(writer, quiet)?.finish()?;
            if let Some(note) = note {
                eprintln!("note: {note}");
            }
            return Ok(());
        }

        let parts = self.parts.iter();
        let calculations: Vec<Calculation> =
            parts.map(|(plan, period)| self.books.calculation_of(plan, period)).collect();

        // A plan in its own period is one object, and everything else is a list.
        let own = calculations.first().is_some_and(|first| first.period == self.asked.id);
        let alone = arguments.input.plan.is_some() && own;
        let shown = NotedCalculations { calculations: &calculations, note: note.as_deref(), alone };

        let lists = (format, arguments.output.shown_lists());
        show::write_calculations(&mut destination, lists, shown)?;
        destination.finish()?;

        calculations.iter().filter(|_| !quiet).for_each(print_summary);
        Ok(())
    }

    /// Writes the credits period by period: a year of a large customer need not be held at once.
    fn write_credits(
        &self,
        mut writer: CreditWriter<Destination>,
        quiet: bool,
    ) -> io::Result<Destination> {
        for (plan, period) in self.parts {
            let mut calculation = self.books.calculation_of(plan, period);
            let summary = summary_line(&calculation);
            writer.add(std::mem::take(&mut calculation.credits))?;
            if !quiet {
                eprintln!("{summary}");
            }
        }
        writer.finish()
    }
}

impl CalculateArguments {
    /// How many threads work.
    fn worker_threads(&self) -> usize {
        match self.threads {
            0 => thread::available_parallelism().map_or(1, Into::into),
            threads => threads,
        }
    }
}

/// What must be said where periods are closed or finalized: a directory does not know what was paid.
fn recomputed_note(ruleset: &Ruleset, as_of: Option<Date>) -> Option<String> {
    let locked = ruleset.settings.calendar.locked_before(as_of);

    let lists = [("finalized", &locked.finalized), ("closed", &locked.closed)];
    let lists = lists.into_iter().filter(|(_, periods)| !periods.is_empty());
    let listed: Vec<String> = lists
        .map(|(word, periods)| {
            let periods: Vec<&str> = periods.iter().map(PeriodKey::as_str).collect();
            format!("{word}: {}", periods.join(", "))
        })
        .collect();

    let listed = Some(listed.join("; ")).filter(|listed| !listed.is_empty());
    listed.map(|listed| format!("recomputed from today's files, not what was paid ({listed})"))
}

/// Prints one line about a calculation, for people.
fn print_summary(calculation: &Calculation) {
    eprintln!("{}", summary_line(calculation));
}

/// One line about a calculation, for people.
fn summary_line(calculation: &Calculation) -> String {
    let counts = CalculationCounts {
        transactions: calculation.transactions,
        credits: calculation.credits.len(),
        uncredited: calculation.uncredited.len(),
        parked: calculation.parked.len(),
    };
    counts_line((&calculation.plan, &calculation.period), counts, calculation.rewards.len())
}

fn counts_line((plan, period): (&str, &str), counts: CalculationCounts, rewards: usize) -> String {
    let CalculationCounts { transactions, credits, uncredited, parked } = counts;
    let rewards = match rewards {
        0 => String::new(),
        rewards => format!(", {rewards} rewards"),
    };
    format!(
        "{plan} {period}: {transactions} transactions, {credits} credits, {uncredited} uncredited, \
         {parked} parked{rewards}"
    )
}

/// What is calculated: each plan that is asked for, in each of its own periods in `period`. A plan
/// that is calculated by longer periods is left out with a word, and refused where no other plan is
/// left.
pub(super) fn calculated_parts(
    wanted: Option<&str>,
    (ruleset, period): (&Ruleset, &Period),
) -> Result<Vec<(PlanKey, Period)>, u8> {
    let mut parts = Vec::new();
    let mut left_out = Vec::new();

    for plan in ruleset.plans.keys().filter(|plan| wanted.is_none_or(|wanted| wanted == &***plan)) {
        let own = calculation::own_periods(ruleset, plan, period);
        if own.is_empty() {
            left_out.push(calculation::explain_other_period(ruleset, plan, period));
        }
        parts.extend(own.into_iter().map(|own| (*plan, own)));
    }

    let refused = parts.is_empty() && !left_out.is_empty();
    for reason in left_out {
        let grade = if refused { "error" } else { "note" };
        eprintln!("{grade}: other_period: {reason}");
    }
    if refused { Err(EXIT_USAGE) } else { Ok(parts) }
}
