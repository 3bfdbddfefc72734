//! Deals in, credits out: the first map.
//!
//! Every row is read before the first credit is written, since a later row may be the version of a deal
//! that counts. Rows that need more memory than there is go through temporary files, as in `calculate`.
//! Not rewards.
//!
//! **Architecture invariant:** the bytes are those of `calculate` for the same deals.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use accredit_crediting::calculation::progress::CalculationProgress;
use accredit_crediting::calculation::stream::{CalculationCounts, CreditStream, DecidedCredits};
use accredit_crediting::calculation::{DealNotes, books};
use accredit_domain::calendar::Period;
use accredit_domain::keys::{PeriodKey, PlanKey};
use accredit_domain::note::NoteStage;
use accredit_domain::transaction::{Decoder, Record};
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::notes::{self, CountsView, NoteWriter};
use super::part::WorkerPart;
use super::pipe::{self, PipeFormat};
use super::{Failure, WorkerArguments};
use crate::cli::print::destination::Destination;
use crate::cli::results::calculate::memory;
use crate::cli::results::calculate::output::unit_scale;
use crate::directory::DirectoryError;
use crate::directory::deals::{DealFiles, DealFilter, RowTaker};
use crate::directory::piped;
use crate::tabular::arrow::CreditBatches;
use crate::tabular::writer::{CreditBlock, CreditFormat, CreditWriter};

/// Where everything goes.
struct Outputs {
    credits: CreditWriter<Destination>,
    notes: NoteWriter,
    format: CreditFormat,
}

/// What is made of a block of deals: the bytes of its credits, and its notes.
type WorkedBlock = io::Result<(CreditBlock, Vec<u8>)>;

/// Reads deals and writes their credits.
pub(super) fn write_credits(arguments: &WorkerArguments, ruleset: &Ruleset) -> Result<(), Failure> {
    let parts = asked_parts(arguments, ruleset)?;
    let outputs = open_outputs(arguments, ruleset)?;
    let is_locked = !ruleset.settings.calendar.locks_before(arguments.as_of).is_empty();
    match is_locked {
        true => write_posted(arguments, (ruleset, &parts), outputs),
        false => stream_credits(arguments, (ruleset, &parts), outputs),
    }
}

/// The period that is asked for, and each plan in its own periods.
struct AskedParts {
    /// Deals of other days are left out.
    within: Period,
    plans: Vec<(PlanKey, Period)>,
    /// Whether all of it is about every day.
    is_ever: bool,
}

impl AskedParts {
    /// How many plans are calculated.
    fn plan_count(&self) -> usize {
        self.plans.chunk_by(|a, b| a.0 == b.0).count()
    }
}

fn asked_parts(arguments: &WorkerArguments, ruleset: &Ruleset) -> Result<AskedParts, Failure> {
    if let Some(period) = &arguments.period {
        let periods = arguments.periods_of(ruleset, period)?;
        return Ok(AskedParts { within: periods.asked, plans: periods.parts, is_ever: false });
    }

    if !ruleset.settings.calendar.locks_before(arguments.as_of).is_empty() {
        let message = "periods are closed or finalized, so credits stand in the period that they are \
                       posted in: name one with --period";
        return Err(Failure::of_usage(message));
    }
    let ever = Period { id: PeriodKey::default(), first: Date::MIN, end: Date::MAX };
    let plans = ruleset.plans.keys().filter(|plan| arguments.wants_plan(plan));
    let plans = plans.map(|plan| (*plan, ever)).collect();
    Ok(AskedParts { within: ever, plans, is_ever: true })
}

fn open_outputs(arguments: &WorkerArguments, ruleset: &Ruleset) -> Result<Outputs, Failure> {
    let format = match arguments.output {
        PipeFormat::Ndjson => CreditFormat::Ndjson,
        PipeFormat::Arrow => {
            CreditFormat::Arrow(CreditBatches::new(unit_scale(&ruleset.settings.units)))
        }
    };
    let notes = NoteWriter::open(arguments.notes.as_deref()).map_err(Failure::of)?;
    let out = Destination::open(None).map_err(Failure::of_output)?;
    let credits = CreditWriter::begin(out, format.clone(), arguments.threads);
    Ok(Outputs { credits: credits.map_err(Failure::of_output)?, notes, format })
}

/// Decides deals that are in no locked period, block by block.
fn stream_credits(
    arguments: &WorkerArguments,
    (ruleset, parts): (&Ruleset, &AskedParts),
    mut outputs: Outputs,
) -> Result<(), Failure> {
    let room = memory::room_for_deals(arguments.memory, None);
    let read = |take: &mut RowTaker<'_>| read_rows(arguments, ruleset, take);
    let files = DealFiles::keep_piped(read, &room).map_err(Failure::of)?;

    let (as_of, threads) = (arguments.as_of, arguments.threads.max(1));
    let calendar = &ruleset.settings.calendar;
    let filter = DealFilter { as_of, period: &parts.within, calendar, passes: parts.plan_count() };
    let deals = files.read_deals(ruleset, filter, &room, threads).map_err(Failure::of)?;
    let inputs = books::calculation_inputs(ruleset, as_of);
    let stream = CreditStream::new(ruleset, deals, inputs).with_notes();

    let format = outputs.format.clone();
    let work = |decided: DecidedCredits| -> WorkedBlock {
        let lines = notes::deal_lines(&decided.notes)?;
        let entries = decided.to_entries();
        let credits = match format.format_rows(entries.iter()) {
            Some(rows) => rows,
            None => format.format_block(&entries)?,
        };
        Ok((credits, lines))
    };
    for of_plan in parts.plans.chunk_by(|a, b| a.0 == b.0) {
        let plan = of_plan.first().and_then(|(id, _)| ruleset.plans.get(id));
        let Some(plan) = plan else { continue };
        let periods: Vec<Period> = of_plan.iter().map(|(_, period)| *period).collect();

        let mut written = Ok(());
        let mut take = |block: WorkedBlock| {
            written = block.map_err(Failure::of_output).and_then(|(credits, lines)| {
                outputs.credits.write_block(credits).map_err(Failure::of_output)?;
                outputs.notes.write_lines(&lines).map_err(Failure::of_notes)
            });
            if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let progress = CalculationProgress::default();
        let work_on = (threads, &progress);
        let counts = stream.write_credits((plan, &periods), work_on, &work, &mut take);
        written?;
        let counts = counts.map_err(Failure::of)?;
        write_counts(&mut outputs, arguments.part, (plan.id, &periods, &counts), parts.is_ever)?;
    }
    finish(outputs)
}

/// Decides deals where periods are closed or finalized: every credit is needed before the first is final.
fn write_posted(
    arguments: &WorkerArguments,
    (ruleset, parts): (&Ruleset, &AskedParts),
    mut outputs: Outputs,
) -> Result<(), Failure> {
    let mut records: Vec<Record> = Vec::new();
    let mut keep = |record| {
        records.push(record);
        Ok(())
    };
    read_rows(arguments, ruleset, &mut keep).map_err(Failure::of)?;
    let books = books::build_books(ruleset, &records, arguments.as_of, arguments.threads.max(1));

    for (plan, period) in &parts.plans {
        let mut calculation = books.calculation_of(plan, period);
        let mut lists = DealNotes {
            uncredited: calculation.uncredited,
            parked: calculation.parked,
            alerts: calculation.alerts,
            log: calculation.log,
        };
        // A partition of deals has not all credits of any payee.
        lists.alerts.retain(|note| note.stage != NoteStage::Reward);
        lists.log.retain(|note| note.stage != NoteStage::Reward);
        let counts = CalculationCounts {
            transactions: calculation.transactions,
            credits: calculation.credits.len(),
            uncredited: lists.uncredited.len(),
            parked: lists.parked.len(),
        };

        let lines = notes::deal_lines(&lists).map_err(Failure::of_output)?;
        let credits = std::mem::take(&mut calculation.credits);
        outputs.credits.add(credits).map_err(Failure::of_output)?;
        outputs.notes.write_lines(&lines).map_err(Failure::of_notes)?;
        write_counts(&mut outputs, arguments.part, (*plan, &[*period], &[counts]), false)?;
    }
    finish(outputs)
}

/// Gives away every row; one whose deal is of another part is refused.
fn read_rows(
    arguments: &WorkerArguments,
    ruleset: &Ruleset,
    take: &mut RowTaker<'_>,
) -> Result<(), DirectoryError> {
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    pipe::read_deals(arguments.input, &mut |record| {
        if let Some(part) = arguments.part {
            let key = decoder.natural_key(&record);
            // A row without a key is a deal of its own, wherever it is.
            if !key.is_empty() && !part.has(&key) {
                return Err(piped::pipe_failure(format!("deal {}", part.explain_other(&key))));
            }
        }
        take(record)
    })
}

fn write_counts(
    outputs: &mut Outputs,
    part: Option<WorkerPart>,
    (plan, periods, counts): (PlanKey, &[Period], &[CalculationCounts]),
    is_ever: bool,
) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for (period, counts) in periods.iter().zip(counts) {
        let id = Some(period.id.as_str()).filter(|_| !is_ever);
        let view = CountsView::new((&plan, id, part), *counts);
        notes::push_row(&mut lines, "counts", &view).map_err(Failure::of_output)?;
    }
    outputs.notes.write_lines(&lines).map_err(Failure::of_notes)
}

fn finish(outputs: Outputs) -> Result<(), Failure> {
    let out = outputs.credits.finish().map_err(Failure::of_output)?;
    out.finish().map_err(Failure::of_output)?;
    outputs.notes.finish().map_err(Failure::of_notes)
}
