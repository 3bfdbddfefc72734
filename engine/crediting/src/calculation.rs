//! Calculations: every recorded transaction through the plans, over the cores, and the result of a
//! plan in a period.
//!
//! Deterministic for any number of threads: transactions are independent, and results are put back
//! in order. Not storing and not releasing. Called by the command line, by impact and by case
//! files. Source: FORMAT section 6, DESIGN sections 6 and 8.
//!
//! **Architecture invariant:** transactions = credited + uncredited + parked.

pub mod books;
pub mod progress;
pub mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod workers;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use self::progress::CalculationProgress;
use crate::pipeline::{self, KnownDecision, PlanSelection};
use crate::reward::{self, PlanRewards};
use crate::stage::DecisionInputs;
use accredit_domain::calendar::{Period, PeriodKind};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, DecisionOutcome, EarnedReward, PayeeBalance};
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::transaction::version::{self, NewestVersions};
use accredit_domain::transaction::{Decoder, Field, Record, Remark, Transaction, Value};
use accredit_script::Machine;
use accredit_workspace::Ruleset;
use utoipa::ToSchema;

/// Transactions that a worker takes at a time.
const BLOCK_TRANSACTIONS: usize = 64;

/// The latest version of every transaction, in order of first appearance: rows that arrived after
/// `as_of` are not seen, the same content twice is one transaction. Rows without a natural key are
/// kept, each alone, so that the plan that lets them in can park them.
pub fn latest_versions(
    ruleset: &Ruleset,
    records: &[Record],
    as_of: Option<Date>,
) -> Vec<Arc<Transaction>> {
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut latest = Latest::default();

    for record in records {
        let transaction = decoder.decode(record);
        if !is_received_after(as_of, &transaction) {
            latest.add(transaction);
        }
    }

    latest.end()
}

/// Whether a row arrived after the business date; without one none did.
pub fn is_received_after(as_of: Option<Date>, transaction: &Transaction) -> bool {
    match (as_of, transaction.field_value(Field::Received)) {
        (Some(as_of), Some(Value::Date(received))) => received > as_of,
        _ => false,
    }
}

/// The version that counts of each deal, while rows come one after the other. `R` is what a reader
/// knows of a row beside its deal.
#[derive(Debug)]
pub struct Latest<R = ()> {
    known: HashMap<Arc<str>, usize>,
    latest: Vec<(Arc<Transaction>, R)>,
    newest: NewestVersions,
}

impl<R> Default for Latest<R> {
    fn default() -> Latest<R> {
        let (known, newest) = (HashMap::new(), NewestVersions::default());
        Latest { known, latest: Vec::new(), newest }
    }
}

impl Latest {
    /// Adds the next row; one without a natural key is a deal of its own.
    pub fn add(&mut self, transaction: Transaction) {
        self.add_row(transaction, ());
    }

    /// The deals in order of their first rows, each with what is remarked about its rows.
    pub fn end(self) -> Vec<Arc<Transaction>> {
        self.end_rows().into_iter().map(|(transaction, ())| transaction).collect()
    }
}

impl<R> Latest<R> {
    /// Adds the next row with what is known of it.
    pub fn add_row(&mut self, transaction: Transaction, row: R) {
        let transaction = Arc::new(transaction);
        let place = self.known.get(&transaction.id).copied();
        let place = place.filter(|_| !transaction.id.is_empty());

        match place.and_then(|place| self.latest.get_mut(place)) {
            Some((old, old_row)) => {
                self.newest.add(old);
                self.newest.add(&transaction);
                if version::compare_versions(old, &transaction).is_gt() {
                    let lost = version::lost_columns(old, &transaction);
                    let missing = Some(Remark::ColumnsMissing(lost.clone()));
                    let remarks = missing.filter(|_| !lost.is_empty()).into_iter().collect();
                    *old = Arc::new(transaction.with_remarks(remarks));
                    *old_row = row;
                }
            }
            None => {
                self.known.insert(Arc::clone(&transaction.id), self.latest.len());
                self.latest.push((transaction, row));
            }
        }
    }

    /// The deals in order of their first rows, each with what is remarked about its rows and what is
    /// known of the row that counts.
    pub fn end_rows(mut self) -> Vec<(Arc<Transaction>, R)> {
        for (transaction, _) in &mut self.latest {
            if self.newest.in_conflict(&transaction.id) {
                let remarks = transaction.row_remarks().iter().cloned().chain([Remark::Conflict]);
                *transaction = Arc::new(transaction.with_remarks(remarks.collect()));
            }
        }
        self.latest
    }
}

/// What the plans decided about one transaction.
#[derive(Debug)]
pub struct DecidedDeal {
    /// The incentive date of the transaction; none when it cannot be read.
    pub date: Option<Date>,
    /// The decisions, in order of the plans' ids.
    pub decisions: Vec<Decision>,
}

/// Decides one transaction in every plan.
pub fn decide_deal(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
) -> DecidedDeal {
    let decisions = pipeline::decide_all_plans(ruleset, transaction, inputs, machine);
    DecidedDeal { date: transaction.incentive_date().ok(), decisions }
}

/// Decides every transaction in every plan on `threads` workers; results in order of the
/// transactions.
pub fn decide_all(
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    inputs: &DecisionInputs,
    threads: usize,
) -> Vec<DecidedDeal> {
    decide_counted(ruleset, transactions, inputs, (threads, &CalculationProgress::default()))
}

/// As [`decide_all`], while the deals are counted.
pub fn decide_counted(
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    inputs: &DecisionInputs,
    work: (usize, &CalculationProgress),
) -> Vec<DecidedDeal> {
    decide_blocks(ruleset, transactions, work, &|_, tx, machine| {
        decide_deal(ruleset, tx, inputs, machine)
    })
}

/// Which deals are decided in which plans: given are the place of a deal among all, and a plan's id.
#[derive(Clone, Copy)]
pub struct DealSelection<'a> {
    /// Whether the deal is decided in the plan.
    pub wanted: &'a (dyn Fn(usize, &str) -> bool + Sync),
    /// The recorded decision of the plan, if its direct credits are known.
    pub known: &'a (dyn Fn(usize, &str) -> Option<KnownDecision<'a>> + Sync),
}

/// As [`decide_all`], in those plans alone that are wanted of a transaction.
pub fn decide_selected(
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    inputs: &DecisionInputs,
    threads: usize,
    selection: DealSelection<'_>,
) -> Vec<DecidedDeal> {
    let work = (threads, &CalculationProgress::default());
    decide_blocks(ruleset, transactions, work, &|place, tx, machine| {
        let plans = PlanSelection {
            wanted: &|plan| (selection.wanted)(place, plan),
            known: &|plan| (selection.known)(place, plan),
        };
        let decisions = pipeline::decide_selected_plans(ruleset, tx, inputs, machine, plans);
        DecidedDeal { date: tx.incentive_date().ok(), decisions }
    })
}

/// Decides one transaction, given its place among all.
type OneDecision<'a> = dyn Fn(usize, &Arc<Transaction>, &mut Machine) -> DecidedDeal + Sync + 'a;

/// Spreads transactions over the workers, block by block, each with its place among all.
fn decide_blocks(
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    (threads, progress): (usize, &CalculationProgress),
    decide: &OneDecision<'_>,
) -> Vec<DecidedDeal> {
    progress.expect_deals(transactions.len());
    let blocks = (0..).step_by(BLOCK_TRANSACTIONS).zip(transactions.chunks(BLOCK_TRANSACTIONS));
    let mut all: Vec<DecidedDeal> = Vec::with_capacity(transactions.len());

    let work = |(first, deals): (usize, &[Arc<Transaction>]), machine: &mut Machine| {
        let places = (first..).zip(deals);
        let decided: Vec<DecidedDeal> =
            places.map(|(place, deal)| decide(place, deal, machine)).collect();
        progress.count_decided(deals.len());
        decided
    };
    workers::work_in_order(ruleset, threads, blocks, &work, &mut |decided| {
        all.extend(decided);
        ControlFlow::Continue(())
    });

    all
}

/// The result of one plan in one period (FORMAT section 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are those of FORMAT section 6")]
pub struct Calculation {
    pub plan: String,
    pub period: String,
    pub revision: u32,
    pub ruleset: String,
    pub transactions: usize,
    pub credits: Vec<PostedCredit>,
    pub uncredited: Vec<Note>,
    pub parked: Vec<Note>,
    pub alerts: Vec<Note>,
    pub log: Vec<Note>,
    pub rewards: Vec<EarnedReward>,
    pub balances: Vec<PayeeBalance>,
    /// Rewards of other periods that correct this one, which was paid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<EarnedReward>,
}

/// The periods that `plan` is calculated by and that make up `asked`: itself, or its parts, one
/// calculation each. None when `asked` is shorter than the plan's own period. A plan that is gone
/// is calculated by leaf periods.
pub fn own_periods(ruleset: &Ruleset, plan: &str, asked: &Period) -> Vec<Period> {
    let kind = ruleset.plans.get(plan).map_or(PeriodKind::Leaf, |plan| plan.period);
    ruleset.settings.calendar.periods_within(asked, kind)
}

/// Why `plan` is not calculated in `asked`, which is shorter than its own period: that one is named.
pub fn explain_other_period(ruleset: &Ruleset, plan: &str, asked: &Period) -> String {
    let kind = ruleset.plans.get(plan).map_or(PeriodKind::Leaf, |plan| plan.period);
    let own = ruleset.settings.calendar.period_on(asked.first, kind);
    let own = own.map(|own| own.id).unwrap_or_default();
    let (kind, asked) = (kind.name(), &asked.id);
    format!(
        "plan `{plan}` is calculated by {kind}, and `{asked}` is not a whole {kind}: ask for `{own}`"
    )
}

/// The calculation of `plan` in `period`: credits by incentive date, then natural key, then order
/// of decision. Deals without a period (the date is blank or does not parse) belong to every
/// calculation until they are corrected, so that they are not overlooked.
pub fn assemble_calculation(
    ruleset: &Ruleset,
    plan: &str,
    period: &Period,
    decided: &[DecidedDeal],
) -> Calculation {
    let mut calculation = calculation_of(
        ruleset,
        plan,
        period,
        period_decisions(ruleset, plan, Some(period), decided),
    );
    let Some(known) = ruleset.plans.get(plan) else { return calculation };

    let rewards = if reward::needs_history(ruleset, known) {
        let all = period_decisions(ruleset, plan, None, decided);
        let credits = all.iter().flat_map(|decision| &decision.credits);
        reward::compute_rewards(ruleset, known, period, credits)
    } else {
        reward::compute_rewards(ruleset, known, period, &calculation.credits)
    };
    calculation.set_rewards(rewards);
    calculation
}

/// The calculation of `plan` in `period` out of its decisions, without rewards; a decision that is
/// filtered is of another period and brings only its credits.
pub fn calculation_of(
    ruleset: &Ruleset,
    plan: &str,
    period: &Period,
    decisions: Vec<Decision>,
) -> Calculation {
    let own = decisions.iter().filter(|decision| decision.outcome != DecisionOutcome::Filtered);
    let mut calculation = Calculation {
        plan: plan.to_owned(),
        period: period.id.into(),
        revision: 1,
        ruleset: ruleset.hash.to_string(),
        transactions: own.count(),
        credits: Vec::new(),
        uncredited: Vec::new(),
        parked: Vec::new(),
        alerts: Vec::new(),
        log: Vec::new(),
        rewards: Vec::new(),
        balances: Vec::new(),
        corrections: Vec::new(),
    };

    decisions.into_iter().for_each(|decision| calculation.add_decision(decision));
    calculation
}

/// The decisions of `plan` in `period` (absent: ever), in order, those filtered out left out.
pub fn period_decisions(
    ruleset: &Ruleset,
    plan: &str,
    period: Option<&Period>,
    decided: &[DecidedDeal],
) -> Vec<Decision> {
    let leaf = |period: &Period, id: &str| {
        let found = ruleset.settings.calendar.find(id);
        found.is_some_and(|leaf| period.contains(leaf.first))
    };

    let mut leaves: HashMap<String, bool> = HashMap::new();
    let mut is_mine = |decision: &&Decision| {
        if decision.outcome == DecisionOutcome::Filtered || decision.plan != *plan {
            return false;
        }
        match (period, decision.period.as_deref()) {
            (Some(period), Some(id)) => match leaves.get(id) {
                Some(known) => *known,
                None => {
                    let inside = leaf(period, id);
                    leaves.insert(id.to_owned(), inside);
                    inside
                }
            },
            _ => true,
        }
    };

    let mut mine: Vec<(Option<Date>, &Decision)> = Vec::new();
    for deal in decided {
        let of_plan = deal.decisions.iter().filter(&mut is_mine);
        mine.extend(of_plan.map(|decision| (deal.date, decision)));
    }

    mine.sort_by(|a, b| (a.0, &a.1.transaction).cmp(&(b.0, &b.1.transaction)));
    mine.into_iter().map(|(_, decision)| decision.clone()).collect()
}

impl Calculation {
    /// Adds what its credits are worth, with the alerts about it.
    pub fn set_rewards(&mut self, rewards: PlanRewards) {
        self.rewards = rewards.rows;
        self.balances = rewards.balances;
        self.log.extend(rewards.alerts.iter().cloned());
        self.alerts.extend(rewards.alerts);
    }

    fn add_decision(&mut self, decision: Decision) {
        let lists = NoteLists {
            uncredited: &mut self.uncredited,
            parked: &mut self.parked,
            alerts: &mut self.alerts,
            log: &mut self.log,
        };
        self.credits.extend(lists.add_decision(decision));
    }
}

/// What is noted about deals, in the lists of FORMAT section 6.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DealNotes {
    /// Deals without a credit, and why.
    pub uncredited: Vec<Note>,
    /// Deals that could not be decided, and why.
    pub parked: Vec<Note>,
    /// What a person should look at.
    pub alerts: Vec<Note>,
    /// Everything that happened.
    pub log: Vec<Note>,
}

impl DealNotes {
    /// Adds what a decision notes.
    pub fn add_notes(&mut self, decision: Decision) {
        let DealNotes { uncredited, parked, alerts, log } = self;
        NoteLists { uncredited, parked, alerts, log }.add_decision(decision);
    }
}

/// The lists of notes that decisions are added to.
struct NoteLists<'a> {
    uncredited: &'a mut Vec<Note>,
    parked: &'a mut Vec<Note>,
    alerts: &'a mut Vec<Note>,
    log: &'a mut Vec<Note>,
}

impl NoteLists<'_> {
    fn add_decision(self, decision: Decision) -> Vec<PostedCredit> {
        let before = self.log.len();
        match decision.outcome {
            DecisionOutcome::Parked => self.parked.extend(decision.reasons.iter().take(1).cloned()),
            DecisionOutcome::Uncredited => {
                self.uncredited.extend(summarize_reasons(&decision.reasons))
            }
            DecisionOutcome::Credited | DecisionOutcome::Filtered => (),
        }

        if decision.outcome == DecisionOutcome::Uncredited {
            self.log.extend(decision.reasons);
        }

        for warning in decision.log {
            // What names its deal can only repeat what the same deal has: searching everything
            // would take the square of the number of deals.
            let first = if warning.transaction.is_empty() { 0 } else { before };
            let known = self.log.get(first..).unwrap_or_default();
            if !known.contains(&warning) {
                self.log.push(warning);
            }
        }

        self.alerts.extend(decision.alerts);
        decision.credits
    }
}

/// One line for a transaction that got nothing: the reason that came furthest, and all messages.
pub fn summarize_reasons(reasons: &[Note]) -> Option<Note> {
    const ORDER: [NoteCode; 6] = [
        NoteCode::OverMaximum,
        NoteCode::TeamWithoutMembers,
        NoteCode::Unmatched,
        NoteCode::Nobody,
        NoteCode::Condition,
        NoteCode::NoRule,
    ];
    let rank = |note: &&Note| ORDER.iter().position(|code| *code == note.code);
    let furthest = reasons.iter().min_by_key(rank)?;
    let messages: Vec<&str> = reasons.iter().map(|reason| reason.message.as_str()).collect();
    Some(Note { message: messages.join("; "), ..furthest.clone() })
}
