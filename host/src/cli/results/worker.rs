//! `accredit worker`: the deals of one partition through a pinned ruleset, and the credits of some
//! payees through its rewards.
//!
//! Reads standard input and writes standard output, so that any program that starts processes can spread
//! a calculation. Not spreading (`engine/SCALE.md` has the rules of that).
//!
//! **Architecture invariant:** the results of all partitions together are those of `calculate`.

mod credits;
mod notes;
mod part;
mod pipe;
mod rewards;
mod routes;

use std::io::{self, ErrorKind, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;

use accredit_domain::calendar::Period;
use accredit_domain::keys::PlanKey;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use self::part::WorkerPart;
use crate::cli::print::output::{EXIT_FAILED, EXIT_NOTHING, EXIT_OK, EXIT_USAGE};
use crate::cli::results::calculate::memory;
use crate::pinned::PinnedRuleset;

/// Decides the deals of one partition.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArguments {
    /// A pinned ruleset, as `accredit ruleset export` writes it.
    #[arg(long, value_name = "FILE")]
    ruleset: PathBuf,
    /// Decide this plan alone, named by the stem of its file.
    #[arg(long)]
    plan: Option<String>,
    /// A period of the calendar, such as 2017-03 or 2017; without one, credits of every day.
    #[arg(long)]
    period: Option<String>,
    /// The business date: holds that end by then are released, and later rows are ignored.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Read credits, and write the rewards of --period. Credits are those of --part, or all of them.
    #[arg(long, requires = "period", conflicts_with_all = ["routes", "as_of"])]
    rewards: bool,
    /// Read credits, and write each with the parts of so many that need it for rewards.
    #[arg(long, value_name = "PARTS", conflicts_with_all = ["part", "as_of", "period"])]
    routes: Option<NonZeroU32>,
    /// Which part this is of how many, from 0, such as 0/4: deals by the CRC-32 of their key, payees as
    /// --routes has it. What is of another part is refused.
    #[arg(long, value_name = "PART/PARTS")]
    part: Option<WorkerPart>,
    /// The format of standard input.
    #[arg(long, value_enum, default_value_t = pipe::PipeFormat::Ndjson)]
    input: pipe::PipeFormat,
    /// The format of standard output.
    #[arg(long, value_enum, default_value_t = pipe::PipeFormat::Ndjson)]
    output: pipe::PipeFormat,
    /// A file for what is noted about deals and payees, as NDJSON; by default standard error.
    #[arg(long, value_name = "FILE")]
    notes: Option<PathBuf>,
    /// Memory for deals, such as 512MB; by default half of what is free, so give each of several workers
    /// on one machine its share. More deals go through temporary files.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse_size)]
    memory: Option<u64>,
    /// Worker threads: one, since other processes have the other cores.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// A failure: what to tell the user, and the exit code.
#[derive(Debug)]
struct Failure(u8, String);

impl Failure {
    /// The work could not be done.
    fn of(message: impl ToString) -> Failure {
        Failure(EXIT_FAILED, message.to_string())
    }

    /// The results could not be written. A closed pipe is the reader's decision, not a fault of ours.
    fn of_output(error: io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure(EXIT_OK, String::new()),
            _ => Failure::of(format!("the results cannot be written: {error}")),
        }
    }

    /// The notes could not be written. Who reads the results still waits for them, so this is a fault.
    fn of_notes(error: io::Error) -> Failure {
        Failure::of(format!("the notes cannot be written: {error}; name a file with --notes"))
    }

    /// It is asked for what cannot be.
    fn of_usage(message: impl ToString) -> Failure {
        Failure(EXIT_USAGE, message.to_string())
    }
}

/// Runs the verb.
pub(crate) fn run(arguments: &WorkerArguments) -> u8 {
    match run_map(arguments) {
        Ok(()) => EXIT_OK,
        // What was printed already has no more to say.
        Err(Failure(code, message)) if message.is_empty() => code,
        Err(Failure(code, message)) => {
            // Standard error may be what cannot be written: the exit code says it as well.
            let _ = writeln!(io::stderr(), "error: {message}");
            code
        }
    }
}

fn run_map(arguments: &WorkerArguments) -> Result<(), Failure> {
    let pinned = PinnedRuleset::read(&arguments.ruleset).map_err(Failure::of)?;
    let ruleset = &pinned.ruleset;
    if let Some(plan) = &arguments.plan
        && !ruleset.plans.contains_key(plan.as_str())
    {
        let message = format!("there is no plan `{plan}` in {}", arguments.ruleset.display());
        return Err(Failure(EXIT_NOTHING, message));
    }

    match arguments.routes {
        Some(parts) => routes::write_routes(arguments, ruleset, parts),
        None if arguments.rewards => rewards::write_rewards(arguments, ruleset),
        None => credits::write_credits(arguments, ruleset),
    }
}

impl WorkerArguments {
    /// Whether a plan is one of those that are asked for.
    fn wants_plan(&self, plan: &str) -> bool {
        self.plan.as_deref().is_none_or(|wanted| wanted == plan)
    }

    /// What `calculate` prints about a period that is not there, or about a plan that has other periods.
    fn periods_of(&self, ruleset: &Ruleset, period: &str) -> Result<PlanPeriods, Failure> {
        let printed = |code| Failure(code, String::new());
        let asked = super::calculate::asked_period(period, ruleset).map_err(printed)?;
        let plan = self.plan.as_deref();
        let parts = super::calculate::calculated_parts(plan, (ruleset, &asked)).map_err(printed)?;
        Ok(PlanPeriods { asked, parts })
    }
}

/// What is worked out: a period as it was asked for, and each plan in its own periods.
struct PlanPeriods {
    asked: Period,
    parts: Vec<(PlanKey, Period)>,
}
