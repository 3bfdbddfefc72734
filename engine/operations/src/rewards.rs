//! Rewards of stored credits: where other rules change them, and what cannot be computed.
//!
//! Not working them out (the engine) and not what is published (`worker::release`). Called by the
//! door before an activation and by `http::alerts`. Source: DOMAIN 2.16, DESIGN section 6.
//!
//! **Architecture invariant:** nothing here writes; an alert stands as long as the calculation that
//! it is of says it, and no longer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use accredit_crediting::calculation::Calculation;
use accredit_crediting::reward::{self, PlanRewards, RewardBook};
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, PayeeBalance};
use accredit_domain::keys::PeriodKey;
use accredit_ledger::definitions::Effective;
use accredit_ledger::notes::NoteRow;
use accredit_ledger::scope::ReadScope;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use serde::{Deserialize, Serialize};

use crate::calculations::{self, CalculationScope, leaf_ids, own_period};
use crate::context::{CalculationAlerts, Context};
use crate::reward_books::{self, BookRules, credits_of};

/// Plans, each with its periods.
type PeriodsByPlan = BTreeMap<String, BTreeSet<PeriodKey>>;

/// Periods of plans, by plan and first day.
type RewardedPeriods = BTreeMap<(String, String), Period>;

/// A place in the list of all rewards: by plan, by the first day of the period, then as a calculation
/// has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardPlace {
    plan: String,
    first: String,
    index: usize,
}

/// At most `limit` rewards that fit, from `start` on, with the place of the next one: of one plan or
/// of all, in the periods that lie within leaves or in all; of those whose rows may be read.
pub fn rewards_from(
    context: &Context,
    whose: &ReadScope,
    within: (Option<&str>, Option<&[PeriodKey]>),
    (start, limit): (&RewardPlace, usize),
    fits: impl Fn(&EarnedReward) -> bool,
) -> Result<(Vec<EarnedReward>, Option<RewardPlace>), StoreError> {
    let fits = |row: &EarnedReward| whose.admits(Some(&row.payee)) && fits(row);
    rows_from(context, within, start, limit, (|rewards| rewards.rows, fits))
}

/// The same of balances: what payees owe at the end of each period.
pub fn balances_from(
    context: &Context,
    whose: &ReadScope,
    within: (Option<&str>, Option<&[PeriodKey]>),
    (start, limit): (&RewardPlace, usize),
    fits: impl Fn(&PayeeBalance) -> bool,
) -> Result<(Vec<PayeeBalance>, Option<RewardPlace>), StoreError> {
    let fits = |row: &PayeeBalance| whose.admits(Some(&row.payee)) && fits(row);
    rows_from(context, within, start, limit, (|rewards| rewards.balances, fits))
}

/// At most `limit` rows that fit, from `start` on, with the place of the next one: of one plan
/// or of all, in the periods that lie within leaves or in all. One calculation is held at a time.
fn rows_from<Row>(
    context: &Context,
    (plan, within): (Option<&str>, Option<&[PeriodKey]>),
    start: &RewardPlace,
    limit: usize,
    (rows_of, fits): (fn(PlanRewards) -> Vec<Row>, impl Fn(&Row) -> bool),
) -> Result<(Vec<Row>, Option<RewardPlace>), StoreError> {
    let ruleset = context.ruleset.load_full();
    let mut books = PlanBooks::new(context, &ruleset);
    let mut found = Vec::new();

    for ((id, first), period) in rewarded_periods(context, &ruleset)? {
        let own = leaf_ids(&ruleset, &period);
        let inside =
            within.is_none_or(|within| own.iter().all(|leaf| within.iter().any(|one| one == leaf)));
        let place = (id.as_str(), first.as_str());
        let behind = place >= (start.plan.as_str(), start.first.as_str());
        if !inside || !behind || plan.is_some_and(|plan| plan != id) {
            continue;
        }

        let here = place == (start.plan.as_str(), start.first.as_str());
        let skipped = if here { start.index } else { 0 };
        let rows = rows_of(books.rewards_of(&id, &period)?).into_iter().enumerate();

        for (index, row) in rows.skip(skipped).filter(|(_, row)| fits(row)) {
            if found.len() >= limit {
                return Ok((found, Some(RewardPlace { plan: id, first, index })));
            }
            found.push(row);
        }
    }

    Ok((found, None))
}

/// The calculation as FORMAT section 6 shows it, with its revision and rewards.
pub fn read_calculation(
    context: &Context,
    wanted: &CalculationScope,
) -> Result<Calculation, StoreError> {
    let mut calculation = calculations::read_credited_calculation(context, wanted)?;
    let book = book_through(context, &wanted.ruleset, &wanted.plan, &wanted.period)?;
    calculation.set_rewards(book.rewards_within(&wanted.period));

    let frozen = reward_books::frozen_book(context, &wanted.plan)?;
    calculation.corrections = book.corrections_of(&wanted.period.id, frozen.rewards());
    Ok(calculation)
}

/// What a plan pays in a period: in each of its own periods that begin there.
pub fn rewards_in(
    context: &Context,
    ruleset: &Ruleset,
    plan: &str,
    period: &Period,
) -> Result<PlanRewards, StoreError> {
    Ok(book_through(context, ruleset, plan, period)?.rewards_within(period))
}

/// The book of a plan up to the last of its own periods that begin in `period`.
fn book_through(
    context: &Context,
    ruleset: &Ruleset,
    plan: &str,
    period: &Period,
) -> Result<RewardBook, StoreError> {
    let known = ruleset.plans.get(plan);
    let through = known.and_then(|plan| reward::last_period_in(ruleset, plan, period));
    // A plan that is gone keeps what it paid.
    let through = through.unwrap_or(*period);

    let rules = BookRules::in_force(ruleset);
    reward_books::stored_book(context, rules, plan, &through)
}

/// The books of plans, each computed once where its periods depend on each other.
struct PlanBooks<'a> {
    context: &'a Context,
    ruleset: &'a Ruleset,
    whole: BTreeMap<String, RewardBook>,
}

impl<'a> PlanBooks<'a> {
    fn new(context: &'a Context, ruleset: &'a Ruleset) -> PlanBooks<'a> {
        PlanBooks { context, ruleset, whole: BTreeMap::new() }
    }

    /// What a plan pays in a period of its own kind.
    fn rewards_of(&mut self, plan: &str, period: &Period) -> Result<PlanRewards, StoreError> {
        let rules = BookRules::in_force(self.ruleset);
        if let Some(book) = self.whole.get(plan) {
            return Ok(book.rewards_of(&period.id));
        }

        let frozen = reward_books::frozen_book(self.context, plan)?;
        if !reward_books::has_history(self.context, self.ruleset, plan, &frozen)? {
            let book = reward_books::stored_book(self.context, rules, plan, period)?;
            return Ok(book.rewards_of(&period.id));
        }

        // Periods come in order: the last one reaches the others.
        let last = rewarded_periods(self.context, self.ruleset)?.into_iter();
        let last = last.filter(|((known, _), _)| known == plan).map(|(_, period)| period);
        let through = last.max_by_key(|period| period.first).unwrap_or(*period);
        let book = reward_books::stored_book(self.context, rules, plan, &through)?;
        let rewards = book.rewards_of(&period.id);
        self.whole.insert(plan.to_owned(), book);
        Ok(rewards)
    }
}

/// Plans that pay, with each of their periods that has decisions or rewards, by the plan and the
/// first day of the period; none after the last one that has decisions, frozen or manual rows, or
/// corrections.
fn rewarded_periods(context: &Context, ruleset: &Ruleset) -> Result<RewardedPeriods, StoreError> {
    let mut found = RewardedPeriods::new();

    for (id, leaf) in context.ledger.calculation_summaries()?.into_keys() {
        let pays = ruleset.plans.get(id.as_str()).is_some_and(|plan| plan.pays());
        let leaf = ruleset.settings.calendar.find(&leaf).filter(|_| pays);

        if let Some(period) = leaf.and_then(|leaf| own_period(ruleset, &id, leaf.first)) {
            found.insert((id, period.first.to_string()), period);
        }
    }

    // A period may have nothing but what people added.
    for reward in context.ledger.manual_rewards()? {
        if let Some(period) = ruleset.settings.calendar.find(&reward.row.period) {
            found.insert((reward.row.plan.to_string(), period.first.to_string()), period);
        }
    }

    // Draws, quotas and corrections of frozen periods pay where the plan has no deal at all.
    for plan in ruleset.plans.values().filter(|plan| plan.pays()) {
        let frozen = reward_books::frozen_book(context, &plan.id)?;
        let has_history = reward_books::has_history(context, ruleset, &plan.id, &frozen)?;
        if !has_history && !reward::pays_without_credits(ruleset, plan) {
            continue;
        }

        let known = found.iter().filter(|((id, _), _)| **id == *plan.id);
        let known = known.map(|(_, period)| *period);
        let last = known.chain(frozen.last_period(ruleset)).max_by_key(|period| period.first);
        let Some(last) = last else { continue };

        let rules = BookRules::in_force(ruleset);
        let book = reward_books::stored_book(context, rules, &plan.id, &last)?;
        for known in book.periods().filter(|known| !known.rewards.rows.is_empty()) {
            let key = (plan.id.to_string(), known.period.first.to_string());
            found.insert(key, known.period);
        }
    }

    Ok(found)
}

/// The plans and periods in which `new` makes the credits that stand worth something else than
/// `old` does, once it has taken effect. What is decided meanwhile raises the revision by itself.
pub(crate) fn restated_periods(
    context: &Context,
    old: &Ruleset,
    (new, effective): (&Ruleset, Effective),
) -> Result<PeriodsByPlan, StoreError> {
    let mut restated = PeriodsByPlan::new();

    for plan in compared_plans(context, (old, new), effective)? {
        // Plan by plan, so that no more than the credits of one are held at a time.
        let (before, after) = compared_books(context, (old, new), &plan, effective, None)?;
        let periods = before.periods().chain(after.periods());
        let differs = periods
            .filter(|known| {
                before.rewards_of(&known.period.id) != after.rewards_of(&known.period.id)
            })
            .map(|known| known.period.id);
        let differs: BTreeSet<PeriodKey> = differs.collect();

        if !differs.is_empty() {
            restated.insert(plan, differs);
        }
    }

    Ok(restated)
}

/// The books of a plan by two rulesets, up to the last period that has anything of it: as it is, and
/// as it is once `new` has taken effect. `booked` are the credits after that, where they differ from
/// the stored ones.
pub(crate) fn compared_books(
    context: &Context,
    (old, new): (&Ruleset, &Ruleset),
    plan: &str,
    effective: Effective,
    booked: Option<&[PostedCredit]>,
) -> Result<(RewardBook, RewardBook), StoreError> {
    let summaries = context.ledger.calculation_summaries()?.into_keys();
    let leaves: BTreeSet<PeriodKey> =
        summaries.filter(|(known, _)| known == plan).map(|(_, leaf)| leaf.into()).collect();
    let stored = credits_of(context, &BTreeSet::from([plan.to_owned()]), &leaves)?;
    let stored: Vec<PostedCredit> =
        stored.into_values().flat_map(|by_leaf| by_leaf.into_values().flatten()).collect();

    let frozen = reward_books::frozen_book(context, plan)?;
    let manual = context.ledger.manual_rewards()?.into_iter().map(|one| one.row);
    let manual = manual.filter(|row| *row.plan == *plan);
    let manual = manual.filter_map(|row| new.settings.calendar.find(&row.period));
    let manual = manual.max_by_key(|period| period.first);
    let book = |rules: BookRules<'_>, credits: &[PostedCredit]| {
        let last = last_period(rules.ruleset, plan, (credits, &leaves));
        let also = [frozen.last_period(rules.ruleset), manual];
        let last = also.into_iter().flatten().chain(last).max_by_key(|period| period.first);
        let Some(through) = last else { return Ok(RewardBook::default()) };
        reward_books::book_of_credits(context, rules, plan, (&frozen, credits), &through)
    };

    let before = book(BookRules::in_force(old), &stored)?;
    let reach = BookRules { ruleset: new, reach: Some(effective) };
    let after = book(reach, booked.unwrap_or(&stored))?;
    Ok((before, after))
}

/// The last period of a plan in which it has decisions or credits; a plan that is gone has its
/// leaves.
fn last_period(
    ruleset: &Ruleset,
    plan: &str,
    (credits, leaves): (&[PostedCredit], &BTreeSet<PeriodKey>),
) -> Option<Period> {
    let calendar = &ruleset.settings.calendar;
    let decided = leaves.iter().filter_map(|leaf| calendar.find(leaf)).map(|leaf| leaf.first);
    let posted = credits.iter().filter_map(|credit| calendar.find(&credit.period));
    let last = decided.chain(posted.map(|leaf| leaf.first)).max()?;
    own_period(ruleset, plan, last)
}

/// Alerts of rewards that cannot be computed: of one plan or of all, in the periods that lie
/// in `within` or in all.
pub fn reward_alerts(
    context: &Context,
    plan: Option<&str>,
    within: Option<&BTreeSet<PeriodKey>>,
) -> Result<Vec<NoteRow>, StoreError> {
    let ruleset = context.ruleset.load_full();
    let index = calculations::calculation_index(context)?;
    let mut known = context.reward_alerts.lock().unwrap_or_else(PoisonError::into_inner);

    let mut found = BTreeMap::new();
    for (id, leaf) in index.summaries.keys() {
        let rewarded = ruleset.plans.get(id.as_str()).is_some_and(|p| p.pays());
        let leaf = ruleset.settings.calendar.find(leaf).filter(|_| rewarded);
        if let Some(period) = leaf.and_then(|leaf| own_period(&ruleset, id, leaf.first)) {
            found.insert((id.clone(), period.id.into()), period);
        }
    }

    // Forgotten when it no longer exists, so that what is kept does not grow for ever.
    known.retain(|key, _| found.contains_key(key));

    found.retain(|(id, _), period| {
        let own = leaf_ids(&ruleset, period);
        let inside = within.is_none_or(|within| own.is_subset(within));
        inside && plan.is_none_or(|plan| plan == id)
    });

    let mut alerts = Vec::new();
    let mut books = PlanBooks::new(context, &ruleset);
    for (key, period) in found {
        // What is known later of other periods may change a period too.
        let revision = index.plan_revision(&key.0);

        // Working rewards out takes every credit of the period, so it is done once a revision.
        let fresh = |known: &&CalculationAlerts| {
            known.revision == revision && known.ruleset == ruleset.hash
        };
        if let Some(known) = known.get(&key).filter(fresh) {
            alerts.extend(known.notes.iter().cloned());
            continue;
        }

        let found = books.rewards_of(&key.0, &period)?;
        let notes = found.alerts.into_iter();
        let notes = notes.map(|note| NoteRow {
            note,
            period: Some(PeriodKey::from(&period.id)),
            deal: None,
        });
        let notes: Vec<NoteRow> = notes.collect();

        alerts.extend(notes.iter().cloned());
        known.insert(key, CalculationAlerts { revision, ruleset: ruleset.hash, notes });
    }

    Ok(alerts)
}

/// Plans of which a period may be worth something else once `new` has taken effect: those whose
/// rewards it changes, and those that have a frozen period which it is meant for, as an earlier
/// change may not have been.
pub(crate) fn compared_plans(
    context: &Context,
    (old, new): (&Ruleset, &Ruleset),
    effective: Effective,
) -> Result<BTreeSet<String>, StoreError> {
    let mut plans = changed_reward_plans(old, new);
    if matches!(effective, Effective::From(_)) {
        for plan in new.plans.values().filter(|plan| plan.pays()) {
            if !reward_books::frozen_book(context, &plan.id)?.is_empty() {
                plans.insert(plan.id.to_string());
            }
        }
    }
    Ok(plans)
}

/// Plans whose credits may be worth something else.
fn changed_reward_plans(old: &Ruleset, new: &Ruleset) -> BTreeSet<String> {
    let pays =
        |ruleset: &Ruleset, plan: &str| ruleset.plans.get(plan).is_some_and(|plan| plan.pays());
    let (before, after) = (old.reward_hashes(), new.reward_hashes());
    let plans: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = plans.into_iter().filter(|plan| {
        (pays(old, plan) || pays(new, plan)) && before.get(*plan) != after.get(*plan)
    });
    changed.cloned().collect()
}
