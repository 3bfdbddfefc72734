//! Credits in, rewards out: the second map.
//!
//! A part has the payees and teams whose key is of it, and needs every credit that a claim of theirs may
//! count (`--routes`), those of earlier periods included where the plan pays by these. People without a
//! credit have rows in their own part as well.
//!
//! **Architecture invariant:** a part writes the rows of its own claimants, and of nobody else.

use std::collections::HashSet;
use std::io;

use accredit_crediting::reward::{self, PlanRewards};
use accredit_domain::calendar::Period;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, REWARD_COLUMNS};
use accredit_domain::plan::Plan;
use accredit_workspace::Ruleset;
use arrow_schema::SchemaRef;

use super::notes::{self, NoteWriter};
use super::part::WorkerPart;
use super::pipe::{self, PipeFormat, PipedCredit, Route};
use super::routes::{Spreading, plan_key};
use super::{Failure, WorkerArguments};
use crate::cli::print::destination::Destination;
use crate::cli::print::output;
use crate::tabular::arrow::{ArrowFile, list_batch, list_schema};

/// Reads credits and writes the rewards of a period.
pub(super) fn write_rewards(arguments: &WorkerArguments, ruleset: &Ruleset) -> Result<(), Failure> {
    let period = arguments.period.as_deref().unwrap_or_default();
    let periods = arguments.periods_of(ruleset, period)?;
    refuse_locked(ruleset)?;
    let spreading = Spreading::new(ruleset, |plan| arguments.wants_plan(plan));

    let credits = read_part(arguments, &spreading)?;
    let mut notes = NoteWriter::open(arguments.notes.as_deref()).map_err(Failure::of)?;
    let mut rows = RewardWriter::begin(arguments.output).map_err(Failure::of_output)?;

    for (plan, period) in &periods.parts {
        let Some(plan) = ruleset.plans.get(plan).filter(|plan| plan.pays()) else { continue };
        let rewards = part_rewards(arguments.part, (&spreading, ruleset, plan), period, &credits);
        rows.write_rows(&rewards.rows).map_err(Failure::of_output)?;
        let lines = note_lines(&rewards).map_err(Failure::of_output)?;
        notes.write_lines(&lines).map_err(Failure::of_notes)?;
    }
    rows.finish().map_err(Failure::of_output)?;
    notes.finish().map_err(Failure::of_notes)
}

/// Where rewards go.
enum RewardWriter {
    Ndjson(Destination),
    Arrow(ArrowFile<Destination>, SchemaRef),
}

impl RewardWriter {
    fn begin(format: PipeFormat) -> io::Result<RewardWriter> {
        let out = Destination::open(None)?;
        match format {
            PipeFormat::Ndjson => Ok(RewardWriter::Ndjson(out)),
            PipeFormat::Arrow => {
                let schema = list_schema(&REWARD_COLUMNS);
                Ok(RewardWriter::Arrow(ArrowFile::begin(out, &schema)?, schema))
            }
        }
    }

    fn write_rows(&mut self, rows: &[EarnedReward]) -> io::Result<()> {
        let rows: Vec<_> = rows.iter().map(output::view_json).collect();
        match self {
            RewardWriter::Ndjson(out) => {
                rows.iter().try_for_each(|row| output::write_json(&mut *out, row, false))
            }
            RewardWriter::Arrow(file, schema) => file.write_batch(&list_batch(schema, &rows)?),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            RewardWriter::Ndjson(out) => out.finish(),
            RewardWriter::Arrow(file, _) => file.finish()?.finish(),
        }
    }
}

/// What was paid is known where the credits of then are, which a part has not.
fn refuse_locked(ruleset: &Ruleset) -> Result<(), Failure> {
    let locks = ruleset.settings.calendar.locks_before(None);
    let Some((day, period)) = locks.first() else { return Ok(()) };
    Err(Failure::of(format!(
        "period {} is closed or finalized on {day}: its rewards follow from the credits of that day, \
         which are not among these; use `accredit calculate`, or the rewards of a server",
        period.id
    )))
}

/// The credits of the part in the order of calculations.
fn read_part(
    arguments: &WorkerArguments,
    spreading: &Spreading<'_>,
) -> Result<Vec<PostedCredit>, Failure> {
    let mut read: Vec<(u64, PostedCredit)> = Vec::new();
    let mut known: HashSet<CreditId> = HashSet::new();
    let taken = pipe::read_credits(arguments.input, &mut |piped| {
        let PipedCredit { credit, route } = piped;
        if !arguments.wants_plan(&credit.plan) {
            return Ok(());
        }
        check_part((arguments.part, route), spreading, &credit)?;
        if !known.insert(credit.id) {
            let id = credit.id;
            return Err(format!(
                "credit {id} came before: each is to come once, or it is paid twice"
            ));
        }
        let place = route.place.unwrap_or(read.len() as u64);
        read.push((place, credit));
        Ok(())
    });
    taken.map_err(Failure::of)?;

    // Within a deal the order is that of its decision, which a shuffle may have lost.
    read.sort_by(|(a, one), (b, other)| {
        (one.incentive_date, &one.transaction, a).cmp(&(
            other.incentive_date,
            &other.transaction,
            b,
        ))
    });
    Ok(read.into_iter().map(|(_, credit)| credit).collect())
}

/// Refuses a credit that nobody of this part needs: it was sent to the wrong part.
fn check_part(
    (part, route): (Option<WorkerPart>, Route),
    spreading: &Spreading<'_>,
    credit: &PostedCredit,
) -> Result<(), String> {
    if let Some(routed) = route.part {
        let of = route.parts.unwrap_or_default();
        // Without a part, a credit that several parts need would be paid by each of its copies.
        if !part.is_some_and(|part| part.is_number(routed, of)) {
            return Err(format!(
                "credit {} was sent to part {routed} of {of} by --routes: give --part {routed}/{of}, \
                 or credits without their routes",
                credit.id
            ));
        }
    }

    let keys = spreading.keys_of(credit)?;
    match (part, keys.first()) {
        (Some(part), Some(key)) if !keys.iter().any(|key| part.has(key)) => {
            Err(format!("credit {}: {}", credit.id, part.explain_other(key)))
        }
        _ => Ok(()),
    }
}

/// The rewards of a plan for the claimants of a part.
fn part_rewards(
    part: Option<WorkerPart>,
    (spreading, ruleset, plan): (&Spreading<'_>, &Ruleset, &Plan),
    period: &Period,
    credits: &[PostedCredit],
) -> PlanRewards {
    let of_plan = credits.iter().filter(|credit| *credit.plan == *plan.id);
    // What lies outside of the period is read where the plan remembers it.
    let remembers = reward::needs_history(ruleset, plan);
    let read = of_plan.filter(|credit| remembers || period.contains(credit.incentive_date));

    match part {
        Some(part) if spreading.is_undivided(&plan.id) => match part.has(&plan_key(&plan.id)) {
            true => reward::compute_rewards(ruleset, plan, period, read),
            false => PlanRewards::default(),
        },
        Some(part) => {
            let is_mine = move |id: &str| part.has(id);
            reward::compute_part((ruleset, plan), period, read, &is_mine)
        }
        None => reward::compute_rewards(ruleset, plan, period, read),
    }
}

/// Alerts and balances as lines.
fn note_lines(rewards: &PlanRewards) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for alert in &rewards.alerts {
        notes::push_row(&mut lines, "alerts", alert)?;
    }
    for balance in &rewards.balances {
        notes::push_row(&mut lines, "balances", balance)?;
    }
    Ok(lines)
}
