//! `accredit simulate`: what a period would come to if it went on as it has so far.
//!
//! Not a result: nothing is stored, and what is printed says that it is a simulation. Source: DOMAIN
//! 2.15.

use std::path::PathBuf;
use std::thread;

use accredit_crediting::simulation::{self, Simulation, Sum};
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use crate::cli::calculate::Input;
use crate::cli::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, Format};

/// Shows what a period would come to if it went on as it has so far.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A customer's directory.
    dir: PathBuf,
    /// The plan: the stem of its file.
    #[arg(long)]
    plan: String,
    /// A period of the calendar, such as 2017-03 or 2017-Q1.
    #[arg(long)]
    period: String,
    /// The last day whose deals are real; they are repeated until the period ends.
    #[arg(long, value_name = "DATE")]
    as_of: Date,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH")]
    transactions: Option<PathBuf>,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let input = Input {
        dir: arguments.dir.clone(),
        plan: Some(arguments.plan.clone()),
        as_of: Some(arguments.as_of),
        transactions: arguments.transactions.clone(),
    };
    let loaded = match input.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let Some(period) = loaded.ruleset.settings.calendar.find(&arguments.period) else {
        let period = &arguments.period;
        eprintln!("error: there is no period `{period}`; write one of the calendar, as 2017-03");
        return EXIT_NOTHING;
    };
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let about = (arguments.plan.as_str(), &period, arguments.as_of);
    match simulation::simulate(&loaded.ruleset, &loaded.records, about, threads) {
        Ok(simulated) => {
            print(arguments.format, &simulated);
            eprintln!(
                "{} {}: simulated from {} transactions of {} days, {} in all",
                simulated.plan,
                simulated.period,
                simulated.transactions.so_far,
                simulated.days,
                simulated.transactions.projected,
            );
            EXIT_OK
        }
        Err(refused) => {
            eprintln!("error: {refused}");
            EXIT_FAILED
        }
    }
}

fn print(format: Format, simulated: &Simulation) {
    const COLUMNS: [&str; 9] = [
        "simulated",
        "name",
        "payee",
        "team",
        "unit_type",
        "so_far",
        "posted",
        "repeated",
        "projected",
    ];
    let row = |what: &str, sum: &Sum| {
        json!({
            "simulated": what,
            "name": sum.name,
            "payee": sum.payee,
            "team": sum.team,
            "unit_type": sum.unit_type,
            "so_far": sum.so_far,
            "posted": sum.posted,
            "repeated": sum.repeated,
            "projected": sum.projected,
        })
    };
    let rows = || -> Vec<Json> {
        let credits = simulated.credits.iter().map(|sum| row("credits", sum));
        credits.chain(simulated.rewards.iter().map(|sum| row("reward", sum))).collect()
    };
    match format {
        Format::Json => output::json(simulated),
        Format::Csv => output::csv(&COLUMNS, &rows()),
        Format::Table => output::table(&COLUMNS, &rows()),
    }
}
