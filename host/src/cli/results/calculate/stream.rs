//! Credits on their way from files of deals into a file, without keeping them.
//!
//! Not the rest of a calculation, and not periods that are locked, which `calculate` does with
//! everything in memory. Called by `calculate` where nothing but credits is wanted.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use accredit_crediting::calculation::books;
use accredit_crediting::calculation::progress::CalculationProgress;
use accredit_crediting::calculation::stream::{CalculationCounts, CreditStream, DecidedCredits};
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::keys::PlanKey;
use accredit_domain::transaction::read::FileLayout;
use accredit_workspace::Ruleset;

use super::output::{self, ResultFormat};
use super::{CalculateArguments, InputArguments, calculated_parts, memory};
use crate::cli::print::destination::Destination;
use crate::cli::print::output::EXIT_FAILED;
use crate::cli::print::progress::show_progress;
use crate::directory::deals::{DealFiles, DealFilter};
use crate::tabular::writer::{CreditBlock, CreditWriter};

/// What a worker makes of the credits of a block of deals.
enum WorkedBlock {
    /// The bytes of the block.
    Written(CreditBlock),
    /// The credits, which go into larger blocks.
    Credits(Vec<PostedCredit>),
}

/// Writes the credits that are asked for; none where a period is locked, since every credit is needed
/// there before the first is final. The error is the exit code of what was printed.
pub(super) fn run(
    input: &InputArguments,
    arguments: &CalculateArguments,
    format: ResultFormat,
) -> Result<Option<u8>, u8> {
    let room = memory::room_for_deals(arguments.memory, arguments.output.out());
    let open = |path: &Path, layout: &FileLayout| DealFiles::open(path, layout, &room);
    let (ruleset, files) = input.load_rows(open, |files| &files.columns)?;
    let as_of = arguments.input.as_of;
    if !ruleset.settings.calendar.locks_before(as_of).is_empty() {
        return Ok(None);
    }

    let asked = super::asked_period(&arguments.period, &ruleset)?;
    let parts = calculated_parts(input.options.plan.as_deref(), (&ruleset, &asked))?;
    let destination = super::open_destination(arguments, format)?;

    let passes = parts.chunk_by(|a, b| a.0 == b.0).count();
    let calendar = &ruleset.settings.calendar;
    let filter = DealFilter { as_of, period: &asked, calendar, passes };
    let deals = files.read_deals(&ruleset, filter, &room, arguments.worker_threads());
    let deals = deals.map_err(|message| {
        eprintln!("error: {message}");
        EXIT_FAILED
    })?;
    let stream = CreditStream::new(&ruleset, deals, books::calculation_inputs(&ruleset, as_of));

    let name = destination.name().to_owned();
    let written = write_parts(&stream, (&ruleset, &parts), (arguments, format), destination);
    Ok(Some(output::exit_code(&name, written)))
}

/// Writes plan after plan, and a line about each of their periods.
fn write_parts(
    stream: &CreditStream<'_>,
    (ruleset, parts): (&Ruleset, &[(PlanKey, Period)]),
    (arguments, format): (&CalculateArguments, ResultFormat),
    destination: Destination,
) -> io::Result<()> {
    let (threads, quiet) = (arguments.worker_threads(), arguments.output.is_quiet());
    let scale = output::unit_scale(&ruleset.settings.units);
    let format = arguments.output.credit_format(format, scale)?;
    let format = format.ok_or_else(|| io::Error::other("this format has more than credits"))?;
    let mut writer = CreditWriter::begin(destination, format.clone(), threads)?;

    let work = |decided: DecidedCredits| {
        // A worker writes rows of text itself.
        let entries = decided.to_entries();
        match format.format_rows(entries.iter()) {
            Some(rows) => WorkedBlock::Written(rows),
            None => WorkedBlock::Credits(entries),
        }
    };

    for of_plan in parts.chunk_by(|a, b| a.0 == b.0) {
        let plan = of_plan.first().and_then(|(id, _)| ruleset.plans.get(id));
        let Some(plan) = plan else { continue };
        let periods: Vec<Period> = of_plan.iter().map(|(_, period)| *period).collect();

        let mut failed = Ok(());
        let mut take = |block: WorkedBlock| {
            failed = match block {
                WorkedBlock::Written(block) => writer.write_block(block),
                WorkedBlock::Credits(credits) => writer.add(credits),
            };
            if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };

        let progress = CalculationProgress::default();
        let counts = show_progress(quiet, &progress, || {
            stream.write_credits((plan, &periods), (threads, &progress), &work, &mut take)
        });
        failed?;
        let counts = counts?;
        if !quiet {
            print_counts(plan.id, &periods, &counts);
        }
    }

    writer.finish()?.finish()
}

/// A line about each calculation, for people.
fn print_counts(plan: PlanKey, periods: &[Period], counts: &[CalculationCounts]) {
    for (period, counts) in periods.iter().zip(counts) {
        eprintln!("{}", super::counts_line((&plan, &period.id), *counts, 0));
    }
}
