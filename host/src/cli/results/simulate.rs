//! `accredit simulate`: the projected results of a period; on a directory, or on a server.
//!
//! Not simulating (the engine). Exit 1 when there is nothing to repeat or the day is not of the
//! period, 3 when plan or period does not exist.

use std::path::PathBuf;
use std::thread;

use accredit_crediting::simulation::{self, Simulation};
use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, EXIT_USAGE};
use crate::cli::remote::address::ServerAccess;
use crate::cli::results::calculate::{InputArguments, InputOptions};

/// Simulates the rest of a period.
#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// A customer's directory; alternatively, name a server with `--server`.
    #[arg(required_unless_present = "server")]
    dir: Option<PathBuf>,
    /// The plan, the stem of its file.
    #[arg(long)]
    plan: String,
    /// The period: `2017-03`, a quarter `2017-Q1`, a year, or a parent of the calendar.
    #[arg(long)]
    period: String,
    /// The last day with real deals; they are repeated until the period ends. On a server, the
    /// business date by default.
    #[arg(long, value_name = "DATE", required_unless_present = "server")]
    as_of: Option<Date>,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH", conflicts_with = "server")]
    transactions: Option<PathBuf>,
    /// Simulate from the deals recorded on this server.
    #[arg(long, value_name = "URL", conflicts_with = "dir")]
    server: Option<String>,
    #[command(flatten)]
    access: ServerAccess,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Json)]
    format: DataFormat,
}

/// Runs the verb.
pub(crate) fn run(arguments: &SimulateArguments) -> u8 {
    let format = arguments.format;
    let simulated = match (&arguments.server, &arguments.dir, arguments.as_of) {
        (Some(server), _, _) => {
            on_server(arguments, server).map(|found| print_simulation(format, &found))
        }
        (None, Some(dir), Some(as_of)) => on_directory(arguments, dir.clone(), as_of)
            .map(|found| print_simulation(format, &found)),
        _ => return EXIT_USAGE,
    };
    simulated.map_or_else(|code| code, |()| EXIT_OK)
}

/// Prints a simulation, and says how much it rests on.
fn print_simulation(format: DataFormat, simulated: &impl Serialize) {
    let json = output::view_json(simulated);
    match format {
        DataFormat::Json => output::print_json(simulated),
        DataFormat::Csv => output::print_csv(&COLUMNS, &sum_rows(&json)),
        DataFormat::Table => output::print_table(&COLUMNS, &sum_rows(&json)),
    }

    print_basis(&json);
}

fn on_server(arguments: &SimulateArguments, url: &str) -> Result<Json, u8> {
    let mut request = json!({ "plan": arguments.plan, "period": arguments.period });
    if let (Some(request), Some(as_of)) = (request.as_object_mut(), arguments.as_of) {
        request.insert("as_of".to_owned(), Json::from(as_of.to_string()));
    }

    let client = arguments.access.make_client(url);
    client.and_then(|client| client.post("/v1/simulations", &request)).map_err(|message| {
        eprintln!("error: {message}");
        EXIT_FAILED
    })
}

fn on_directory(
    arguments: &SimulateArguments,
    dir: PathBuf,
    as_of: Date,
) -> Result<Simulation, u8> {
    let options = InputOptions {
        plan: Some(arguments.plan.clone()),
        as_of: Some(as_of),
        transactions: arguments.transactions.clone(),
    };
    let input = InputArguments { dir, options };

    let loaded = input.load_directory()?;
    let Some(period) = loaded.ruleset.settings.calendar.find(&arguments.period) else {
        let period = &arguments.period;
        eprintln!("error: there is no period `{period}`; write one of the calendar, as 2017-03");
        return Err(EXIT_NOTHING);
    };

    let threads = thread::available_parallelism().map_or(1, Into::into);
    let about = (arguments.plan.as_str(), &period, as_of);
    let simulated = simulation::simulate_period(&loaded.ruleset, &loaded.records, about, threads);

    simulated.map_err(|refused| {
        eprintln!("error: {refused}");
        EXIT_FAILED
    })
}

/// Says from how much it was simulated, and whether that is little.
fn print_basis(simulated: &Json) {
    let text = |key: &str| simulated.get(key).and_then(Json::as_str).unwrap_or_default();
    let count = |path: &str| simulated.pointer(path).and_then(Json::as_u64).unwrap_or_default();

    eprintln!(
        "{} {}: simulated from {} transactions of {} days, {} in all",
        text("plan"),
        text("period"),
        count("/transactions/so_far"),
        count("/days"),
        count("/transactions/projected"),
    );

    if let Some(warning) = simulated.get("warning").and_then(Json::as_str) {
        eprintln!("warning: {warning}");
    }
}

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

/// The sums of credits and of rewards, each saying which it is.
fn sum_rows(simulated: &Json) -> Vec<Json> {
    let sums = |key: &str, what: &str| -> Vec<Json> {
        let sums = simulated.get(key).and_then(Json::as_array).into_iter().flatten();
        let rows = sums.map(|sum| {
            let mut row = sum.clone();
            row.as_object_mut().map(|row| row.insert("simulated".to_owned(), Json::from(what)));
            row
        });
        rows.collect()
    };
    [sums("credits", "credits"), sums("rewards", "reward")].concat()
}
