//! `accredit calculate`: the credits of a directory's transactions in a period.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use accredit_engine::calculation::{self, Calculation};
use accredit_engine::diagnostic::Diagnostic;
use accredit_engine::stage::Inputs;
use accredit_engine::transaction::Transaction;
use accredit_engine::workspace::Ruleset;
use jiff::civil::Date;
use serde_json::Value as Json;

use crate::cli::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, Format};
use crate::cli::report;
use crate::directory;

/// What `calculate` and `explain` are told about their input.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// A customer's directory.
    pub(crate) dir: PathBuf,
    /// Only this plan: the stem of its file.
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// Business date: holds that end by then are released, rows that arrived later are not seen.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Date>,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH")]
    pub(crate) transactions: Option<PathBuf>,
}

/// Calculates the credits of a directory's transactions.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// A month such as 2017-03, a quarter such as 2017-Q1, or a year.
    #[arg(long)]
    period: String,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Worker threads; the result is the same for every number.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// A directory, read and understood, with its transactions.
pub(crate) struct Loaded {
    /// What decides.
    pub(crate) ruleset: Ruleset,
    /// The latest version of every transaction.
    pub(crate) transactions: Vec<Arc<Transaction>>,
    /// Releases by date.
    pub(crate) inputs: Inputs,
}

impl Input {
    /// Reads the directory; prints what is wrong and gives the exit code otherwise.
    pub(crate) fn load(&self) -> Result<Loaded, u8> {
        let own = self.dir.join("transactions");
        let path = self.transactions.clone().or_else(|| own.is_dir().then_some(own));
        let read = || {
            let files = directory::definitions(&self.dir)?;
            let rows = path.as_deref().map(directory::rows).transpose()?.unwrap_or_default();
            Ok::<_, directory::Unreadable>((files, rows))
        };
        let (files, rows) = read().map_err(|error| {
            eprintln!("error: {error}");
            EXIT_FAILED
        })?;
        let (ruleset, diagnostics) = Ruleset::read(&files, &rows.columns);
        let Some(ruleset) = ruleset else {
            let errors: Vec<Diagnostic> =
                diagnostics.into_iter().filter(Diagnostic::is_error).collect();
            eprint!("{}", report::text(&files, &errors));
            return Err(EXIT_FAILED);
        };
        if let Some(plan) = &self.plan
            && !ruleset.plans.contains_key(plan.as_str())
        {
            eprintln!("error: there is no plan `{plan}` in {}", self.dir.display());
            return Err(EXIT_NOTHING);
        }
        let transactions = calculation::latest(&ruleset, &rows.records, self.as_of);
        let inputs = Inputs { as_of: self.as_of, resolutions: Vec::new() };
        Ok(Loaded { ruleset, transactions, inputs })
    }
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let loaded = match arguments.input.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let ruleset = &loaded.ruleset;
    let Some(period) = ruleset.settings.calendar.find(&arguments.period) else {
        let period = &arguments.period;
        eprintln!("error: there is no period `{period}`; write 2017-03, 2017-Q1 or 2017");
        return EXIT_NOTHING;
    };
    let threads = match arguments.threads {
        0 => thread::available_parallelism().map_or(1, Into::into),
        threads => threads,
    };
    let decided = calculation::decide_all(ruleset, &loaded.transactions, &loaded.inputs, threads);
    let plans = ruleset.plans.keys();
    let wanted = plans.filter(|plan| arguments.input.plan.as_deref().is_none_or(|p| p == &***plan));
    let calculations: Vec<Calculation> =
        wanted.map(|plan| calculation::assemble(ruleset, plan, &period, &decided)).collect();
    print(arguments, &calculations);
    for calculation in &calculations {
        let (credits, uncredited) = (calculation.credits.len(), calculation.uncredited.len());
        eprintln!(
            "{} {}: {} transactions, {credits} credits, {uncredited} uncredited, {} parked",
            calculation.plan,
            calculation.period,
            calculation.transactions,
            calculation.parked.len(),
        );
    }
    EXIT_OK
}

fn print(arguments: &Arguments, calculations: &[Calculation]) {
    const CSV: [&str; 26] = [
        "id",
        "transaction",
        "incentive_date",
        "plan",
        "rule",
        "result",
        "kind",
        "position",
        "payee",
        "team",
        "relationship",
        "via",
        "level",
        "source",
        "share",
        "period",
        "credit_type",
        "unit_type",
        "amount",
        "status",
        "release_date",
        "reason",
        "reason_code",
        "origin",
        "reverses",
        "ruleset",
    ];
    const TABLE: [&str; 9] = [
        "transaction",
        "incentive_date",
        "rule",
        "kind",
        "position",
        "payee",
        "relationship",
        "amount",
        "status",
    ];
    let rows = || -> Vec<Json> {
        let credits = calculations.iter().flat_map(|calculation| &calculation.credits);
        credits.filter_map(|credit| serde_json::to_value(credit).ok()).collect()
    };
    match (arguments.format, calculations, &arguments.input.plan) {
        (Format::Json, [calculation], Some(_)) => output::json(calculation),
        (Format::Json, all, _) => output::json(&all),
        (Format::Csv, ..) => output::csv(&CSV, &rows()),
        (Format::Table, ..) => output::table(&TABLE, &rows()),
    }
}
