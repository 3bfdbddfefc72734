//! `accredit calculate`: the credits of a directory's transactions in a period, what they are worth, and
//! what became of the rest.

mod show;
mod stored;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

use accredit_crediting::calculation::stream::{CalculationCounts, CreditStream};
use accredit_crediting::calculation::{self, Calculation, books};
use accredit_domain::calendar::Period;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::keys::{PeriodKey, PlanKey};
use accredit_domain::transaction::Record;
use accredit_domain::transaction::read::FileLayout;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use self::show::{NotedCalculations, ShownList};
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, EXIT_USAGE};
use crate::cli::print::report;
use crate::directory::deals::DealFiles;
use crate::directory::{self, DirectoryError};
use crate::tabular::credits::csv_credits;

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
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Json)]
    format: DataFormat,
    /// The lists to show, separated by commas; CSV takes one. By default CSV shows credits, a table
    /// the lists with rows, and JSON everything.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    show: Vec<ShownList>,
    /// Worker threads; the result is the same for every number.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
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
    if let Err(message) = show::check_format(arguments.format, &arguments.show) {
        eprintln!("error: {message}");
        return EXIT_USAGE;
    }

    let dir = match (&arguments.data, &arguments.dir) {
        (Some(file), _) => return stored::run(file, arguments),
        (None, dir) => dir.clone().unwrap_or_default(),
    };

    let input = InputArguments { dir, options: arguments.input.clone() };
    let only_credits = show::is_credits_csv(arguments.format, &arguments.show);
    let done = if only_credits {
        stream_credits(&input, arguments)
    } else {
        print_results(&input, arguments)
    };
    done.unwrap_or_else(|code| code)
}

/// Writes the credits as CSV while they are decided. Where a period is locked, every credit is needed
/// before the first is final.
fn stream_credits(input: &InputArguments, arguments: &CalculateArguments) -> Result<u8, u8> {
    let (ruleset, files) = input.load_rows(DealFiles::open, |files| &files.columns)?;
    let as_of = arguments.input.as_of;
    if !ruleset.settings.calendar.locks_before(as_of).is_empty() {
        drop(files);
        return print_results(input, arguments);
    }

    let parts = calculated_parts(arguments, &ruleset)?;
    let threads = worker_threads(arguments);
    let deals = files.latest_deals(&ruleset, as_of, threads);
    let stream = CreditStream::new(&ruleset, deals, books::calculation_inputs(&ruleset, as_of));

    output::print_credits_header();
    let mut out = io::stdout().lock();
    for of_plan in parts.chunk_by(|a, b| a.0 == b.0) {
        let plan = of_plan.first().and_then(|(id, _)| ruleset.plans.get(id));
        let Some(plan) = plan else { continue };
        let periods: Vec<Period> = of_plan.iter().map(|(_, period)| *period).collect();

        let counts = stream.write_credits((plan, &periods), threads, &csv_credits, &mut |bytes| {
            // A closed pipe is the reader's decision, not a fault of ours.
            let _ = out.write_all(&bytes);
        });
        for (period, counts) in periods.iter().zip(counts) {
            print_counts((&plan.id, &period.id), counts, 0);
        }
    }
    Ok(EXIT_OK)
}

fn worker_threads(arguments: &CalculateArguments) -> usize {
    match arguments.threads {
        0 => thread::available_parallelism().map_or(1, Into::into),
        threads => threads,
    }
}

/// Prints the calculations, whole.
fn print_results(input: &InputArguments, arguments: &CalculateArguments) -> Result<u8, u8> {
    let loaded = input.load_directory()?;
    let ruleset = &loaded.ruleset;
    let parts = calculated_parts(arguments, ruleset)?;

    let as_of = arguments.input.as_of;
    let books = books::build_books(ruleset, &loaded.records, as_of, worker_threads(arguments));
    let note = recomputed_note(ruleset, as_of);
    if show::is_credits_csv(arguments.format, &arguments.show) {
        print_credits(&books, &parts, note.as_deref());
        return Ok(EXIT_OK);
    }

    let calculations: Vec<Calculation> =
        parts.iter().map(|(plan, period)| books.calculation_of(plan, period)).collect();

    // A plan in its own period is one object, and everything else is a list.
    let own = calculations.first().is_some_and(|first| first.period == arguments.period);
    let alone = arguments.input.plan.is_some() && own;
    let shown = NotedCalculations { calculations: &calculations, note: note.as_deref(), alone };
    show::print_calculations(arguments.format, &arguments.show, shown);
    calculations.iter().for_each(print_summary);

    Ok(EXIT_OK)
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

/// Prints the credits as CSV, period by period: a year of a large customer need not be held at once.
fn print_credits(books: &books::Books<'_>, parts: &[(PlanKey, Period)], note: Option<&str>) {
    output::print_credits_header();
    for (plan, period) in parts {
        let calculation = books.calculation_of(plan, period);
        output::print_credits_csv(&calculation.credits);
        print_summary(&calculation);
    }
    if let Some(note) = note {
        eprintln!("note: {note}");
    }
}

/// One line about a calculation, for people.
fn print_summary(calculation: &Calculation) {
    let counts = CalculationCounts {
        transactions: calculation.transactions,
        credits: calculation.credits.len(),
        uncredited: calculation.uncredited.len(),
        parked: calculation.parked.len(),
    };
    print_counts((&calculation.plan, &calculation.period), counts, calculation.rewards.len());
}

fn print_counts((plan, period): (&str, &str), counts: CalculationCounts, rewards: usize) {
    let CalculationCounts { transactions, credits, uncredited, parked } = counts;
    let rewards = match rewards {
        0 => String::new(),
        rewards => format!(", {rewards} rewards"),
    };
    eprintln!(
        "{plan} {period}: {transactions} transactions, {credits} credits, {uncredited} uncredited, \
         {parked} parked{rewards}"
    );
}

/// What is calculated: each plan that is asked for, in each of its own periods in `period`. A plan
/// that is calculated by longer periods is left out with a word, and refused where no other plan is
/// left.
fn calculated_parts(
    arguments: &CalculateArguments,
    ruleset: &Ruleset,
) -> Result<Vec<(PlanKey, Period)>, u8> {
    let Some(period) = ruleset.settings.calendar.find(&arguments.period) else {
        let period = &arguments.period;
        eprintln!("error: there is no period `{period}`; write one of the calendar, as 2017-03");
        return Err(EXIT_NOTHING);
    };

    let wanted = arguments.input.plan.as_deref();
    let mut parts = Vec::new();
    let mut left_out = Vec::new();

    for plan in ruleset.plans.keys().filter(|plan| wanted.is_none_or(|wanted| wanted == &***plan)) {
        let own = calculation::own_periods(ruleset, plan, &period);
        if own.is_empty() {
            left_out.push(calculation::explain_other_period(ruleset, plan, &period));
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
