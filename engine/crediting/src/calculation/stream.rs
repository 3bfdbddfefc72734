//! The credits of a plan in a span of periods, block by block: what is credited is given away as soon as
//! it is decided, so that memory holds the deals, or not even these, and a few blocks.
//!
//! Not rewards, and not periods that are closed or finalized, which need every credit at once (`books`).
//! Called by the command line. Source: FORMAT section 6.
//!
//! **Architecture invariant:** the blocks put behind one another are the credits of the calculations of
//! the plan's periods, one calculation after the other.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::civil::Date;

use super::progress::CalculationProgress;
use super::{DealNotes, workers};
use crate::pipeline::{self, DecidedPlan, ExplainLevel};
use crate::stage::DecisionInputs;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{Credit, post_credits};
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::keys::{RulesetHash, TransactionKey};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Transaction;
use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// Deals that a worker takes at a time.
pub const BLOCK_DEALS: usize = 128;

/// How many deals and credits a calculation has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CalculationCounts {
    /// Deals that the plan let in.
    pub transactions: usize,
    /// Credits of all statuses.
    pub credits: usize,
    /// Deals without a credit.
    pub uncredited: usize,
    /// Deals that could not be decided.
    pub parked: usize,
}

/// A deal with its incentive date; none where that cannot be read.
pub type DatedDeal = (Option<Date>, Arc<Transaction>);

/// The newest versions of deals in the order of calculations: by incentive date, those without one
/// first, then by natural key, then by the order of their rows.
pub trait OrderedDeals: Sync {
    /// How many they are.
    fn count(&self) -> usize;

    /// All of them from the first, in blocks of about [`BLOCK_DEALS`].
    fn blocks(&self) -> Box<dyn Iterator<Item = DealBlock<'_>> + Send + '_>;
}

/// Deals that follow each other.
pub enum DealBlock<'a> {
    /// In memory.
    Decoded(&'a [DatedDeal]),
    /// As they are stored: the worker that decides them decodes them.
    Stored(Box<dyn FnOnce() -> io::Result<Vec<DatedDeal>> + Send + 'a>),
}

/// Deals in memory.
#[derive(Debug)]
pub struct DealsInMemory(Vec<DatedDeal>);

impl DealsInMemory {
    /// The newest versions of deals, in order of their rows.
    pub fn new(deals: Vec<Arc<Transaction>>) -> DealsInMemory {
        let dated = deals.into_iter().map(|deal| (deal.incentive_date().ok(), deal));
        let mut deals: Vec<DatedDeal> = dated.collect();
        deals.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        DealsInMemory(deals)
    }
}

impl OrderedDeals for DealsInMemory {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn blocks(&self) -> Box<dyn Iterator<Item = DealBlock<'_>> + Send + '_> {
        Box::new(self.0.chunks(BLOCK_DEALS).map(DealBlock::Decoded))
    }
}

/// Deals in the order of calculations, ready to be decided plan by plan.
pub struct CreditStream<'a> {
    ruleset: &'a Ruleset,
    inputs: DecisionInputs,
    deals: Box<dyn OrderedDeals + 'a>,
    with_notes: bool,
}

/// What is decided about a block of deals.
#[derive(Debug, Default)]
pub struct DecidedCredits {
    /// The credits of each deal, in order, without ids.
    pub deals: Vec<DealCredits>,
    /// What is noted about the deals, if that is wanted.
    pub notes: DealNotes,
}

/// The credits of a deal in a plan.
#[derive(Debug)]
pub struct DealCredits {
    /// The deal.
    pub transaction: TransactionKey,
    /// The ruleset that decided it.
    pub ruleset: RulesetHash,
    /// Its credits in order, without ids.
    pub credits: Vec<Credit>,
}

/// What a block of deals comes to: what was written of its credits, and the counts of each period.
struct DecidedBlock<T> {
    written: T,
    counts: Vec<CalculationCounts>,
}

impl<'a> CreditStream<'a> {
    /// A stream over `deals`.
    pub fn new(
        ruleset: &'a Ruleset,
        deals: Box<dyn OrderedDeals + 'a>,
        inputs: DecisionInputs,
    ) -> CreditStream<'a> {
        CreditStream { ruleset, inputs, deals, with_notes: false }
    }

    /// The same with notes about the deals.
    pub fn with_notes(mut self) -> CreditStream<'a> {
        self.with_notes = true;
        self
    }

    /// Decides every deal in `plan` on `threads` workers. `write` turns what is decided about a block
    /// in one of `periods` into what `take` is given, block after block, until it breaks; `periods` follow
    /// each other. Gives the counts of each period.
    ///
    /// # Errors
    /// When deals that are not in memory cannot be read; nothing is taken behind them.
    pub fn write_credits<T: Send>(
        &self,
        (plan, periods): (&Plan, &[Period]),
        (threads, progress): (usize, &CalculationProgress),
        write: &(dyn Fn(DecidedCredits) -> T + Sync),
        take: &mut dyn FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<Vec<CalculationCounts>> {
        progress.expect_deals(self.deals.count());
        let mut counts = vec![CalculationCounts::default(); periods.len()];
        let mut read = Ok(());

        let work = |block: DealBlock<'_>, machine: &mut Machine| {
            let stored: Vec<DatedDeal>;
            let deals = match block {
                DealBlock::Decoded(deals) => deals,
                DealBlock::Stored(decode) => {
                    stored = decode()?;
                    stored.as_slice()
                }
            };
            let decided = self.decide_block((plan, periods), deals, machine, write);
            progress.count_decided(deals.len());
            Ok::<_, io::Error>(decided)
        };
        workers::work_in_order(self.ruleset, threads, self.deals.blocks(), &work, &mut |block| {
            let block = match block {
                Ok(block) => block,
                Err(failed) => {
                    read = Err(failed);
                    return ControlFlow::Break(());
                }
            };
            for (sum, counted) in counts.iter_mut().zip(block.counts) {
                sum.add_counts(counted);
            }
            take(block.written)
        });

        read.map(|()| counts)
    }

    fn decide_block<T>(
        &self,
        (plan, periods): (&Plan, &[Period]),
        deals: &[DatedDeal],
        machine: &mut Machine,
        write: &(dyn Fn(DecidedCredits) -> T + Sync),
    ) -> DecidedBlock<T> {
        let mut counts = vec![CalculationCounts::default(); periods.len()];
        let mut block = DecidedCredits::default();
        block.deals.reserve(deals.len());

        for (date, deal) in deals {
            // What lies in another period is not decided at all.
            let inside = |date: Date| periods.iter().position(|period| period.contains(date));
            let period = date.and_then(inside);
            let is_elsewhere = |date| self.ruleset.settings.calendar.leaf_id_on(date).is_some();
            if period.is_none() && date.is_some_and(is_elsewhere) {
                continue;
            }

            let (ruleset, inputs) = (self.ruleset, &self.inputs);
            let no = ExplainLevel::No;
            let mut decided = pipeline::decide_plan(ruleset, plan, deal, inputs, machine, no);

            match period.and_then(|period| counts.get_mut(period)) {
                Some(count) => count.add_decided(&decided),
                // A deal without a date, or with one that no period holds, belongs to every calculation until
                // it is corrected.
                None => counts.iter_mut().for_each(|count| count.add_decided(&decided)),
            }
            if !decided.credits.is_empty() {
                block.deals.push(DealCredits::take_from(&mut decided));
            }
            if self.with_notes {
                block.notes.add_notes(decided.decision);
            }
        }

        DecidedBlock { written: write(block), counts }
    }
}

impl DealCredits {
    fn take_from(decided: &mut DecidedPlan) -> DealCredits {
        // Of the room that a deal has from the start, only what it needs is kept with the others.
        decided.credits.shrink_to_fit();
        DealCredits {
            transaction: decided.decision.transaction.clone(),
            ruleset: decided.decision.ruleset,
            credits: std::mem::take(&mut decided.credits),
        }
    }
}

impl DecidedCredits {
    /// The credits as they are shown, with their ids.
    pub fn to_entries(&self) -> Vec<PostedCredit> {
        let credits = self.deals.iter().map(|deal| deal.credits.len()).sum();
        let mut entries = Vec::with_capacity(credits);
        for deal in &self.deals {
            entries.append(&mut post_credits(&deal.transaction, deal.ruleset, &deal.credits));
        }
        entries
    }
}

impl CalculationCounts {
    fn add_decided(&mut self, decided: &DecidedPlan) {
        let outcome = decided.decision.outcome;
        self.transactions += usize::from(outcome != DecisionOutcome::Filtered);
        self.uncredited += usize::from(outcome == DecisionOutcome::Uncredited);
        self.parked += usize::from(outcome == DecisionOutcome::Parked);
        self.credits += decided.credits.len();
    }

    fn add_counts(&mut self, other: CalculationCounts) {
        self.transactions += other.transactions;
        self.credits += other.credits;
        self.uncredited += other.uncredited;
        self.parked += other.parked;
    }
}
