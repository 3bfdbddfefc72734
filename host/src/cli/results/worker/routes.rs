//! Credits in, each out with the parts that need it for rewards: what a shuffle spreads by.
//!
//! A credit of a plan that pays managers or teams may be needed in several parts, and one of a plan that
//! pays nothing in none. Not the shuffle.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::Arc;

use accredit_crediting::reward;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::keys::PlanKey;
use accredit_workspace::Ruleset;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow_select::take::take_record_batch;

use super::part::part_of;
use super::pipe::{self, PipeFormat, PipedCredit};
use super::{Failure, WorkerArguments};
use crate::cli::print::destination::Destination;
use crate::directory::DirectoryError;
use crate::directory::piped::arrow::{BatchTaker, read_batches, records};
use crate::directory::piped::pipe_failure;
use crate::tabular::arrow::ArrowFile;

/// How the rewards of each plan are spread.
pub(super) struct Spreading<'a> {
    ruleset: &'a Ruleset,
    /// The plans that pay and have no parts, and why.
    undivided: BTreeMap<PlanKey, String>,
}

impl<'a> Spreading<'a> {
    /// How `ruleset` spreads the rewards of the plans that `wants`.
    pub(super) fn new(ruleset: &'a Ruleset, wants: impl Fn(&str) -> bool) -> Spreading<'a> {
        let plans = ruleset.plans.values().filter(|plan| plan.pays() && wants(&plan.id));
        let undivided =
            plans.filter_map(|plan| Some((plan.id, reward::why_undivided(ruleset, plan)?)));
        Spreading { ruleset, undivided: undivided.collect() }
    }

    /// Whether one part has all rewards of a plan.
    pub(super) fn is_undivided(&self, plan: &str) -> bool {
        self.undivided.contains_key(plan)
    }

    /// The keys of those who need a credit; none where its plan pays nothing.
    ///
    /// # Errors
    /// Why the credit cannot be spread, or is of another ruleset.
    pub(super) fn keys_of(&self, credit: &PostedCredit) -> Result<BTreeSet<String>, String> {
        if credit.ruleset != self.ruleset.hash {
            return Err(format!(
                "credit {} was decided by {}, and this ruleset is {}: use the one that decided it",
                credit.id, credit.ruleset, self.ruleset.hash
            ));
        }
        let Some(plan) = self.ruleset.plans.get(&credit.plan).filter(|plan| plan.pays()) else {
            return Ok(BTreeSet::new());
        };
        if self.is_undivided(&credit.plan) {
            return Ok(BTreeSet::from([plan_key(&credit.plan)]));
        }
        let keys = reward::claim_keys(self.ruleset, plan, credit).map_err(|why| {
            format!(
                "credit {} cannot be spread: {why}; use `accredit calculate`, which has everything",
                credit.id
            )
        })?;
        Ok(keys.iter().map(|key| key.to_string()).collect())
    }

    /// Says on standard error which plans are worked out in one part.
    pub(super) fn print_undivided(&self) {
        for (plan, why) in &self.undivided {
            eprintln!("note: one part has all rewards of plan `{plan}`: {why}");
        }
    }
}

/// The key of a plan that one part works out.
pub(super) fn plan_key(plan: &str) -> String {
    format!("plan {plan}")
}

/// Reads credits and writes each with the parts that need it.
pub(super) fn write_routes(
    arguments: &WorkerArguments,
    ruleset: &Ruleset,
    parts: NonZeroU32,
) -> Result<(), Failure> {
    let spreading = Spreading::new(ruleset, |plan| arguments.wants_plan(plan));
    spreading.print_undivided();
    if arguments.input != arguments.output {
        let message = "routes are written in the format that they are read in: give --input and \
                       --output the same one";
        return Err(Failure::of_usage(message));
    }

    let mut out = Destination::open(None).map_err(Failure::of_output)?;
    let mut router = Router { arguments, spreading, parts, place: 0 };
    match arguments.input {
        PipeFormat::Ndjson => {
            let mut written = Ok(());
            let mut write = |piped: PipedCredit, line: &[u8]| {
                let (place, needed) = router.route(&piped.credit)?;
                let mut parts = needed.iter();
                let of = router.parts;
                written = parts
                    .try_for_each(|part| write_routed_line(&mut out, (*part, of, place), line));
                // Reading ends with the first line that cannot be written.
                written.as_ref().map_err(ToString::to_string).copied()
            };
            let read = pipe::read_credit_lines(&mut write);
            written.map_err(Failure::of_output)?;
            read.map_err(Failure::of)?;
            out.finish().map_err(Failure::of_output)
        }
        PipeFormat::Arrow => {
            let mut routed = RoutedBatches { router, stream: ArrowOutput::Unopened(out) };
            read_batches(io::stdin().lock(), &mut routed).map_err(Failure::of)?;
            routed.stream.finish().map_err(Failure::of_output)
        }
    }
}

/// Finds the parts of one credit after the other.
struct Router<'a> {
    arguments: &'a WorkerArguments,
    spreading: Spreading<'a>,
    parts: NonZeroU32,
    /// The place of the last credit.
    place: u64,
}

impl Router<'_> {
    /// The place of the next credit, and the parts that need it.
    fn route(&mut self, credit: &PostedCredit) -> Result<(u64, BTreeSet<u32>), String> {
        self.place += 1;
        if !self.arguments.wants_plan(&credit.plan) {
            return Ok((self.place, BTreeSet::new()));
        }
        let keys = self.spreading.keys_of(credit)?;
        Ok((self.place, keys.iter().map(|key| part_of(key, self.parts)).collect()))
    }
}

/// Writes a credit as it came, behind its part and place.
fn write_routed_line(
    out: &mut Destination,
    (part, of, place): (u32, NonZeroU32, u64),
    line: &[u8],
) -> io::Result<()> {
    let line = line.trim_ascii();
    let fields = line.strip_prefix(b"{").unwrap_or(line);
    write!(out, "{{\"part\":{part},\"parts\":{of},\"place\":{place},")?;
    out.write_all(fields)?;
    out.write_all(b"\n")
}

/// Batches as they came, with three columns in front.
struct RoutedBatches<'a> {
    router: Router<'a>,
    stream: ArrowOutput,
}

/// A stream whose columns are those of its input.
enum ArrowOutput {
    /// No columns came yet.
    Unopened(Destination),
    Open(ArrowFile<Destination>, SchemaRef),
    /// It could not be opened.
    Broken,
}

impl ArrowOutput {
    fn finish(self) -> io::Result<()> {
        match self {
            ArrowOutput::Unopened(out) => out.finish(),
            ArrowOutput::Open(file, _) => file.finish()?.finish(),
            ArrowOutput::Broken => Err(io::Error::other("it was not opened")),
        }
    }
}

impl BatchTaker for RoutedBatches<'_> {
    fn take_schema(&mut self, schema: &SchemaRef) -> Result<(), DirectoryError> {
        let mut fields = vec![
            FieldRef::new(Field::new("part", DataType::Int32, false)),
            FieldRef::new(Field::new("parts", DataType::Int32, false)),
            FieldRef::new(Field::new("place", DataType::Int64, false)),
        ];
        fields.extend(schema.fields().iter().cloned());
        let schema = SchemaRef::new(Schema::new(fields));

        match std::mem::replace(&mut self.stream, ArrowOutput::Broken) {
            ArrowOutput::Unopened(out) => {
                let file = ArrowFile::begin(out, &schema).map_err(pipe_failure)?;
                self.stream = ArrowOutput::Open(file, schema);
                Ok(())
            }
            _ => Err(pipe_failure("the stream has its columns twice")),
        }
    }

    fn take_batch(&mut self, batch: &RecordBatch) -> Result<(), DirectoryError> {
        let ArrowOutput::Open(file, schema) = &mut self.stream else {
            return Err(pipe_failure("the stream has no columns"));
        };

        let (mut rows, mut parts, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (row, record) in (0_u32..).zip(records(batch)) {
            let routed = pipe::credit_of(record).and_then(|piped| self.router.route(&piped.credit));
            let (place, needed) = routed.map_err(pipe_failure)?;
            for part in needed {
                rows.push(row);
                parts.push(i32::try_from(part).map_err(pipe_failure)?);
                places.push(i64::try_from(place).map_err(pipe_failure)?);
            }
        }

        let rows = UInt32Array::from(rows);
        let taken = take_record_batch(batch, &rows).map_err(pipe_failure)?;
        let of = i32::try_from(self.router.parts.get()).map_err(pipe_failure)?;
        let of = Int32Array::from(vec![of; parts.len()]);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(parts)),
            Arc::new(of),
            Arc::new(Int64Array::from(places)),
        ];
        columns.extend(taken.columns().iter().cloned());
        let routed = RecordBatch::try_new(Arc::clone(schema), columns).map_err(pipe_failure)?;
        file.write_batch(&routed).map_err(pipe_failure)
    }
}
