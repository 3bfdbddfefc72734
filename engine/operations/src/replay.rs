//! Recorded transactions decided by other rules, without a trace: impact in money before anything
//! is activated.
//!
//! Not the activation (`door`) and not the decisions that stay (`worker::recredit`). Called by
//! preview and by the stop-loss. Source: DESIGN section 5.
//!
//! **Architecture invariant:** nothing here writes.

pub(crate) mod candidates;
pub(crate) mod reuse;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use accredit_crediting::affected::{self, LeadingNames};
use accredit_crediting::calculation::{self, DealSelection};
use accredit_crediting::impact::{self, Impact};
use accredit_crediting::posting::{self, PostingRules};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::calendar::{LockedPeriods, PeriodKind, PeriodPhase};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_domain::keys::PeriodKey;
use accredit_domain::keys::RulesetHash;
use accredit_domain::transaction::{Decoder, Transaction};
use accredit_ledger::definitions::Effective;
use accredit_ledger::record::TransactionRecord;
use accredit_ledger::recredit::DecisionPins;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use rayon::prelude::*;

use crate::context::Context;
use crate::error::OperationError;
use crate::explain;

/// Whether the period of `date` may still change; without a date or a period nothing is final.
pub fn is_open(ruleset: &Ruleset, date: Option<Date>, today: Date) -> bool {
    let calendar = &ruleset.settings.calendar;
    let period = date.and_then(|date| calendar.period_on(date, PeriodKind::Leaf));
    period.is_none_or(|period| calendar.period_phase(&period, today) != PeriodPhase::Finalized)
}

/// Transactions that are decided at a time, at least: enough for all cores.
const REPLAY_CHUNK: usize = 2048;

/// A stored transaction that is to be decided again.
pub struct RedecideItem {
    /// As it is stored.
    pub stored: TransactionRecord,
    /// Read by the new rules' fields.
    pub transaction: Arc<Transaction>,
    /// The plans whose decision is of other rules.
    pub plans: BTreeSet<String>,
}

/// Which stored transactions other rules would decide anew.
pub struct ReplaySelection<'a> {
    /// The ruleset to compare with the ledger.
    pub ruleset: &'a Ruleset,
    /// The rulesets that made the recorded decisions.
    pub pins: &'a DecisionPins,
    /// The incentive dates that are decided again.
    pub effective: Effective,
    /// From which incentive date finalized periods are meant as well.
    pub reaching: Option<Date>,
    /// The business date.
    pub today: Date,
    /// Leaf periods that are finalized.
    pub finalized: &'a BTreeSet<PeriodKey>,
}

/// Whether a decision is tried again at once.
type WaitingRule<'a> = dyn Fn(&Decision) -> bool + 'a;

/// A stored transaction and its decisions once other rules have taken effect.
pub(crate) type BookedVisitor<'a> = dyn FnMut(&TransactionRecord, &[Decision]) + 'a;

/// The results of other rules.
#[derive(Debug, Clone, Default)]
pub struct ReplayImpact {
    /// What the recorded transactions would be by them.
    pub impact: Impact,
    /// What an activation would change in the ledger: for `now`, only what waits and can be decided.
    pub booked: Impact,
}

/// A stored transaction, and the same read by the fields of a ruleset.
pub(crate) type DecodedDeal = (TransactionRecord, Arc<Transaction>);

impl ReplaySelection<'_> {
    /// Those of `stored` that it means.
    pub fn select_stale(&self, stored: Vec<TransactionRecord>) -> Vec<RedecideItem> {
        let stale = |one: &TransactionRecord| !self.pins.stale_plans(&one.decisions).is_empty();
        self.select_decoded(self.decode_deals(stored.into_iter().filter(stale).collect()))
    }

    /// Reads stored transactions by the fields of the ruleset.
    pub(crate) fn decode_deals(&self, stored: Vec<TransactionRecord>) -> Vec<DecodedDeal> {
        let decoder = || Decoder::new(Arc::clone(&self.ruleset.settings.fields));
        let decode = |decoder: &mut Decoder, stored: TransactionRecord| {
            let transaction = Arc::new(decoder.decode(&stored.record));
            (stored, transaction)
        };
        stored.into_par_iter().map_init(decoder, decode).collect()
    }

    /// Those of `deals` that it means.
    pub(crate) fn select_decoded(&self, deals: Vec<DecodedDeal>) -> Vec<RedecideItem> {
        let select = |(stored, transaction): DecodedDeal| {
            let plans = self.pins.stale_plans(&stored.decisions);
            let meant = !plans.is_empty() && self.means_date(transaction.incentive_date().ok());
            meant.then_some(RedecideItem { stored, transaction, plans })
        };
        deals.into_par_iter().filter_map(select).collect()
    }

    /// Whether deals of this date are decided again, or deals without one.
    pub(crate) fn means_date(&self, date: Option<Date>) -> bool {
        let open = is_open(self.ruleset, date, self.today) && !self.is_finalized(date);
        // What a date reaches in a finalized period is taken back and posted in an open one.
        let posted = self.reaching.is_some_and(|first| Effective::From(first).covers_date(date));
        (self.effective.covers_date(date) && open) || posted
    }

    fn is_finalized(&self, date: Option<Date>) -> bool {
        let calendar = &self.ruleset.settings.calendar;
        let own = date.and_then(|date| calendar.period_on(date, PeriodKind::Leaf));
        own.is_some_and(|own| self.finalized.contains(&own.id))
    }
}

/// What decided stored transactions, seen from `ruleset`.
pub fn stored_pins(context: &Context, ruleset: &Ruleset) -> Result<DecisionPins, StoreError> {
    Ok(DecisionPins::new(&context.ledger.list_activations()?, ruleset.plan_hashes()))
}

/// What people decided about stored transactions, as inputs of decisions on `today`.
pub(crate) fn stored_inputs(
    context: &Context,
    again: &[RedecideItem],
    today: Date,
) -> Result<DecisionInputs, StoreError> {
    let ids = again.iter().map(|one| one.stored.id.as_str());
    let resolutions = context.ledger.resolutions_of(ids)?;
    explain::decision_inputs(Some(today), &resolutions)
}

/// New decisions of `again` by `ruleset`, in order: the plans that are stale anew, the others
/// as they are, by the name of the ruleset that would decide alike.
pub fn decide_stale(
    context: &Context,
    ruleset: &Ruleset,
    again: &[RedecideItem],
    today: Date,
) -> Result<Vec<Vec<Decision>>, StoreError> {
    let locked = context.locked_periods()?;
    let decided = decide_work(context, ruleset, again, (today, &locked))?;
    let merge = |(item, decided): (&RedecideItem, DecidedWork)| {
        decided.with_kept(item, ruleset, (today, &locked))
    };
    Ok(again.iter().zip(decided).map(merge).collect())
}

/// New decisions of those of `again` that `ruleset` may decide differently, now or when people adjust
/// something, by the id of the deal. The others stay as they are recorded, under the name of the ruleset that
/// decided them last.
pub fn decide_affected(
    context: &Context,
    ruleset: &Ruleset,
    again: &[RedecideItem],
    today: Date,
) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
    let locked = context.locked_periods()?;
    let decided = decide_work(context, ruleset, again, (today, &locked))?;

    // Where other things than names lead to recipients, an adjustment may bring in a name that means another
    // person by these rules.
    let alike = again.iter().zip(&decided).filter(|(_, decided)| decided.plans.is_empty());
    let alike: Vec<_> = alike.map(|(item, _)| Arc::clone(&item.transaction)).collect();
    let mut names = affected::leading_names(ruleset, &alike).into_iter();
    let mut stays = |decided: &DecidedWork| {
        decided.plans.is_empty() && names.next().is_some_and(|names| names != LeadingNames::Others)
    };

    let affected = again.iter().zip(decided).filter(|(_, decided)| !stays(decided));
    let named = |(item, decided): (&RedecideItem, DecidedWork)| {
        (item.stored.id.clone(), decided.with_kept(item, ruleset, (today, &locked)))
    };
    Ok(affected.map(named).collect())
}

/// The plans of a deal that were decided again.
struct DecidedWork {
    plans: BTreeSet<String>,
    decisions: Vec<Decision>,
}

impl DecidedWork {
    /// The decisions with those of the other plans, which `ruleset` would make alike.
    fn with_kept(
        self,
        item: &RedecideItem,
        ruleset: &Ruleset,
        (today, locked): (Date, &LockedPeriods),
    ) -> Vec<Decision> {
        let kept = item.stored.decisions.iter();
        let kept = kept.filter(|kept| !self.plans.contains(&*kept.plan));
        let kept = kept.map(|kept| {
            let decision = with_ruleset(kept, &ruleset.hash);
            // What would be made alike is as if it had been made today.
            let repeated = item.plans.contains(&*kept.plan) || !locked.is_empty();
            let made = if repeated { Some(today) } else { kept.as_of };
            Decision { as_of: made, ..decision }
        });

        let mut decisions: Vec<Decision> = kept.chain(self.decisions).collect();
        decisions.sort_by_key(|decision| decision.plan);
        decisions
    }
}

/// Decides the plans of `again` that `ruleset` may decide differently.
fn decide_work(
    context: &Context,
    ruleset: &Ruleset,
    again: &[RedecideItem],
    (today, locked): (Date, &LockedPeriods),
) -> Result<Vec<DecidedWork>, StoreError> {
    let inputs = stored_inputs(context, again, today)?;
    let transactions: Vec<_> = again.iter().map(|one| Arc::clone(&one.transaction)).collect();
    let threads = thread::available_parallelism().map_or(1, Into::into);

    let work = reuse::work_of_deals(context, ruleset, again, &inputs, locked);
    let selection = DealSelection {
        wanted: &|place, plan| work.get(place).is_some_and(|work| work.plans.contains(plan)),
        known: &|place, plan| work.get(place)?.known_decision(again.get(place)?, plan),
    };
    let decided = calculation::decide_selected(ruleset, &transactions, &inputs, threads, selection);

    let decided = work.into_iter().zip(decided);
    let of_deal =
        decided.map(|(work, deal)| DecidedWork { plans: work.plans, decisions: deal.decisions });
    Ok(of_deal.collect())
}

/// What `new` would make of the recorded transactions of open periods, compared with the ledger;
/// from a date on, only of that date or later.
pub fn change_impact(
    context: &Context,
    current: &Ruleset,
    new: &Ruleset,
    effective: Effective,
) -> Result<ReplayImpact, OperationError> {
    replay_stored(context, (current, new), effective, &mut |_, _| ()).map_err(OperationError::from)
}

/// What `new` would make of the recorded transactions; `visit` is given each of them as it is once
/// the change has taken effect.
pub(crate) fn replay_stored(
    context: &Context,
    (current, new): (&Ruleset, &Ruleset),
    effective: Effective,
    visit: &mut BookedVisitor<'_>,
) -> Result<ReplayImpact, StoreError> {
    // `Now` decides no credits again; shown is what deciding all of them again would do.
    let shown = if effective == Effective::Now { Effective::Recredit } else { effective };
    let today = context.business_date();
    let pins = stored_pins(context, new)?;
    let locked = context.locked_periods()?;

    let selection = ReplaySelection {
        ruleset: new,
        pins: &pins,
        effective: shown,
        reaching: effective.reach_date(),
        today,
        finalized: &locked.finalized,
    };

    let waits = |decision: &Decision| is_tried_again(decision, &pins);

    let mut replayed = ReplayImpact::default();
    let mut from = Some(0);
    while let Some(first) = from {
        let (stored, next) = replay_page(context, first)?;
        from = next;

        let waiting = stored.iter().filter(|one| one.decisions.iter().any(waits));
        let waiting: Vec<TransactionRecord> = waiting.cloned().collect();
        let again = selection.select_stale(stored.clone());
        let decided = decide_and_post(context, new, &again, today, &locked)?;

        let mut meant = BTreeMap::new();
        for (one, decisions) in again.iter().zip(&decided) {
            let before = (current, one.stored.decisions.as_slice());
            let delta = impact::compare_decisions(before, (new, decisions));
            replayed.impact.add_delta(delta.as_ref());
            if effective != Effective::Now {
                meant.insert(one.stored.number, decisions.clone());
                replayed.booked.add_delta(delta.as_ref());
            }
        }

        let shown: BTreeSet<u64> = again.iter().map(|one| one.stored.number).collect();
        let waiting = waiting.into_iter().filter(|one| !meant.contains_key(&one.number)).collect();

        for redriven in redrive_waiting(context, new, (waiting, &waits), today, &locked)? {
            let number = redriven.item.stored.number;
            let before = (current, redriven.item.stored.decisions.as_slice());
            let delta = impact::compare_decisions(before, (new, &redriven.decisions));
            replayed.booked.add_delta(delta.as_ref());
            if !shown.contains(&number) {
                replayed.impact.add_delta(delta.as_ref());
            }
            meant.insert(number, redriven.decisions);
        }
        visit_booked(&stored, &meant, visit);
    }

    Ok(replayed)
}

/// Enough stored transactions for all cores, and where the next ones are.
pub(crate) fn replay_page(
    context: &Context,
    first: u64,
) -> Result<(Vec<TransactionRecord>, Option<u64>), StoreError> {
    context.ledger.records_page(first, REPLAY_CHUNK)
}

/// What `decide_stale` says, with what is posted because periods are closed or finalized.
pub fn decide_and_post(
    context: &Context,
    new: &Ruleset,
    again: &[RedecideItem],
    today: Date,
    locked: &LockedPeriods,
) -> Result<Vec<Vec<Decision>>, StoreError> {
    let mut decided = decide_stale(context, new, again, today)?;
    for (one, decisions) in again.iter().zip(&mut decided).filter(|_| !locked.is_empty()) {
        let frozen = context.ledger.frozen_credits(&one.stored.id)?;
        post_by(new, decisions, (&frozen, locked));
    }
    Ok(decided)
}

/// Adds the posted entries to decisions of `ruleset`.
fn post_by(
    ruleset: &Ruleset,
    decisions: &mut Vec<Decision>,
    (frozen, locked): (&[PostedCredit], &LockedPeriods),
) {
    let rules = PostingRules {
        calendar: &ruleset.settings.calendar,
        locked,
        across_years: &|row| posting::holds_across_years(ruleset, row),
    };
    posting::post_corrections(decisions, frozen, &rules);
}

/// What an activation decides again at once, for any value of `effective`: what could not be decided,
/// and what matched no one by other rules.
fn is_tried_again(decision: &Decision, pins: &DecisionPins) -> bool {
    decision.is_incomplete() || (decision.is_unmatched() && pins.is_stale(decision))
}

/// Visits the recorded transactions as they are once a change that decides none of them again has
/// taken effect: what waits is tried by the new rules.
pub(crate) fn visit_waiting(
    context: &Context,
    new: &Ruleset,
    visit: &mut BookedVisitor<'_>,
) -> Result<(), StoreError> {
    let today = context.business_date();
    let locked = context.ledger.locked_periods()?;
    let pins = stored_pins(context, new)?;
    let waits = |decision: &Decision| is_tried_again(decision, &pins);
    let mut from = Some(0);

    while let Some(first) = from {
        let (stored, next) = replay_page(context, first)?;
        from = next;

        let waiting = stored.iter().filter(|one| one.decisions.iter().any(waits));
        let waiting = (waiting.cloned().collect(), &waits as &WaitingRule<'_>);
        let redriven = redrive_waiting(context, new, waiting, today, &locked)?.into_iter();
        let meant = redriven.map(|one| (one.item.stored.number, one.decisions)).collect();
        visit_booked(&stored, &meant, visit);
    }
    Ok(())
}

/// Visits transactions with the decisions in `anew` in place of those of the same plans.
fn visit_booked(
    stored: &[TransactionRecord],
    anew: &BTreeMap<u64, Vec<Decision>>,
    visit: &mut BookedVisitor<'_>,
) {
    for one in stored {
        let Some(anew) = anew.get(&one.number) else {
            visit(one, &one.decisions);
            continue;
        };

        let is_anew = |decision: &&Decision| anew.iter().any(|new| new.plan == decision.plan);
        let kept = one.decisions.iter().filter(|decision| !is_anew(decision));
        let decisions: Vec<Decision> = kept.chain(anew).cloned().collect();
        visit(one, &decisions);
    }
}

/// A transaction that waited, and its decisions in the plans in which it did.
struct RedrivenDeal {
    item: RedecideItem,
    decisions: Vec<Decision>,
}

/// What becomes of transactions that wait in some plan: every activation retries those plans, for
/// any value of `effective`; the others keep their decision.
fn redrive_waiting(
    context: &Context,
    new: &Ruleset,
    (waiting, waits): (Vec<TransactionRecord>, &WaitingRule<'_>),
    today: Date,
    locked: &LockedPeriods,
) -> Result<Vec<RedrivenDeal>, StoreError> {
    let mut decoder = Decoder::new(Arc::clone(&new.settings.fields));

    let again: Vec<RedecideItem> = waiting
        .into_iter()
        .map(|mut stored| {
            let transaction = Arc::new(decoder.decode(&stored.record));
            stored.decisions.retain(waits);
            let plans = stored.decisions.iter().map(|one| one.plan.to_string()).collect();
            RedecideItem { stored, transaction, plans }
        })
        .collect();

    let decided = decide_stale(context, new, &again, today)?;
    let mut redriven = Vec::with_capacity(again.len());

    for (item, mut decisions) in again.into_iter().zip(decided) {
        decisions.retain(|decision| item.plans.contains(&*decision.plan));
        if !locked.is_empty() {
            let mut frozen = context.ledger.frozen_credits(&item.stored.id)?;
            frozen.retain(|row| item.plans.contains(&*row.plan));
            post_by(new, &mut decisions, (&frozen, locked));
        }
        redriven.push(RedrivenDeal { item, decisions });
    }

    Ok(redriven)
}

/// Whether an activation may decide a transaction again at once: some plan could not decide it, not
/// wholly, or matched no one.
pub(crate) fn is_waiting(stored: &TransactionRecord) -> bool {
    let waits = |one: &Decision| one.is_incomplete() || one.is_unmatched();
    stored.decisions.iter().any(waits)
}

/// A decision that another ruleset would make alike, under that one's name.
fn with_ruleset(decision: &Decision, ruleset: &str) -> Decision {
    let ruleset = RulesetHash::from(ruleset);
    let mut decision = Decision { ruleset, ..decision.clone() };

    for credit in &mut decision.credits {
        credit.ruleset = ruleset;
    }
    decision
}
