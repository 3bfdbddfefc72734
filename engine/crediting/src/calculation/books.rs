//! The books of a directory: what was decided, with the locked periods as they were frozen.
//!
//! A directory keeps no memory, so every closing and finalization is replayed in order of its day:
//! decided with the rows received until then, posted, and frozen. Not the rules of posting
//! (`posting`). Called by the command line and by case files; a server keeps what was frozen instead.
//! Source: DOMAIN 2.12, 3.9, FORMAT section 2 (`closed`, `finalized`, `received`).
//!
//! **Architecture invariant:** without a locked period the books are what was decided, and
//! nothing is decided twice.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::progress::CalculationProgress;
use super::{Calculation, DecidedDeal, calculation_of, decide_counted, latest_versions};
use crate::explain::{Explanation, ExplanationLine};
use crate::posting::{self, PostingRules};
use crate::reward::{self, BookInputs, FrozenPeriod, PlanRewards, RewardBook};
use crate::stage::DecisionInputs;
use accredit_domain::calendar::{LockedPeriods, Period, PeriodKind};
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::decision::{Decision, DecisionOutcome, FrozenRewards};
use accredit_domain::keys::{PeriodKey, PlanKey, RulesetHash, TransactionKey};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Record;
use accredit_workspace::Ruleset;

/// A plan and a transaction.
type PlanAndTransaction = (PlanKey, TransactionKey);

/// The posted entries, or the reason why nothing may be posted.
type StandingRows = Result<Vec<PostedCredit>, String>;

/// All decisions about the rows of a directory, and the entries posted for them.
#[derive(Debug)]
pub struct Books<'a> {
    ruleset: &'a Ruleset,
    decided: Vec<DecidedDeal>,
    /// Rows over all periods, where a period is closed or finalized.
    posted: Option<HashMap<PlanAndTransaction, PostedRows>>,
    /// Rewards of periods that are finalized, as they were then.
    frozen_rewards: Vec<FrozenRewards>,
    /// Periods that are closed or finalized.
    locked: LockedPeriods,
}

/// A decision with the incentive date that its deal has now.
struct DatedDecision {
    date: Option<Date>,
    decision: Decision,
}

/// What is in the books of one transaction in one plan.
#[derive(Debug)]
struct PostedRows {
    frozen: Vec<PostedCredit>,
    standing: StandingRows,
}

/// The inputs of a calculation on the business date `as_of`. Without one nothing was released;
/// but where periods are closed or finalized, it is at least the last day of that.
pub fn calculation_inputs(ruleset: &Ruleset, as_of: Option<Date>) -> DecisionInputs {
    let locks = ruleset.settings.calendar.locks_before(as_of);
    let as_of = as_of.or_else(|| locks.last().map(|(day, _)| *day));
    DecisionInputs { as_of, ..DecisionInputs::default() }
}

/// Decides `records` in every plan on `threads` workers, as of the business date, and posts what
/// differs from the periods that were finalized before it.
pub fn build_books<'a>(
    ruleset: &'a Ruleset,
    records: &[Record],
    as_of: Option<Date>,
    threads: usize,
) -> Books<'a> {
    build_counted_books(ruleset, records, as_of, (threads, &CalculationProgress::default()))
}

/// The same while the deals are counted.
pub fn build_counted_books<'a>(
    ruleset: &'a Ruleset,
    records: &[Record],
    as_of: Option<Date>,
    work: (usize, &CalculationProgress),
) -> Books<'a> {
    let given = DecisionInputs { as_of, ..DecisionInputs::default() };
    let day = calculation_inputs(ruleset, as_of).as_of;
    replay_finalizations(ruleset, records, (&given, day), work)
}

/// The same with what people decided: a finalization knows what they had decided until its day.
pub fn build_resolved_books<'a>(
    ruleset: &'a Ruleset,
    records: &[Record],
    given: &DecisionInputs,
    threads: usize,
) -> Books<'a> {
    replay_finalizations(
        ruleset,
        records,
        (given, calculation_inputs(ruleset, given.as_of).as_of),
        (threads, &CalculationProgress::default()),
    )
}

/// The books of `as_of` as they will be on `day` if nothing else happens: holds that end by then are
/// released.
pub fn project_books<'a>(
    ruleset: &'a Ruleset,
    records: &[Record],
    (as_of, day): (Date, Date),
    threads: usize,
) -> Books<'a> {
    let given = DecisionInputs { as_of: Some(as_of), ..DecisionInputs::default() };
    let work = (threads, &CalculationProgress::default());
    replay_finalizations(ruleset, records, (&given, Some(day)), work)
}

fn replay_finalizations<'a>(
    ruleset: &'a Ruleset,
    records: &[Record],
    (given, day): (&DecisionInputs, Option<Date>),
    work: (usize, &CalculationProgress),
) -> Books<'a> {
    let (calendar, as_of) = (&ruleset.settings.calendar, given.as_of);
    let decide = |seen: Option<Date>, inputs: &DecisionInputs| {
        decide_counted(ruleset, &latest_versions(ruleset, records, seen), inputs, work)
    };

    let mut frozen: HashMap<PlanAndTransaction, Vec<PostedCredit>> = HashMap::new();
    let across_years = |row: &PostedCredit| posting::holds_across_years(ruleset, row);
    let mut locked = LockedPeriods::default();
    let mut then: (Option<Date>, Vec<DecidedDeal>) = (None, Vec::new());
    let locks = calendar.locks_before(as_of);
    let locked_now = calendar.locked_before(as_of);
    let mut frozen_rewards: Vec<FrozenRewards> = Vec::new();

    // In order of their days: what an earlier one froze decides what a later one posts. For its rows
    // a period that is closed is as good as finalized: a directory knows no reopening.
    for (day, leaf) in &locks {
        // Several periods may be locked on one day, on which the deals are decided once.
        if then.0 != Some(*day) {
            let mut inputs = DecisionInputs { as_of: Some(*day), ..given.clone() };
            // What people decided later was not known on the day.
            inputs.resolutions.retain(|resolution| resolution.date <= *day);
            then = (Some(*day), decide(Some(*day), &inputs));
        }

        // What counts on the day, by plan: rewards are frozen with the credits behind them.
        let mut counted: BTreeMap<PlanKey, Vec<PostedCredit>> = BTreeMap::new();
        let rules = PostingRules { calendar, locked: &locked, across_years: &across_years };
        let all = then.1.iter();
        let all = all.flat_map(|deal| deal.decisions.iter().map(|decided| (deal.date, decided)));
        for (date, decided) in all {
            let known = frozen.entry(decision_key(decided)).or_default();
            let current = decided.credits.clone();
            // A credit that cannot be posted is not frozen either. It is reported with the last
            // posting.
            if let Ok(standing) = posting::post_credits(known, current, &rules) {
                let fresh = standing.get(known.len()..).unwrap_or_default();
                known.extend(posting::rows_to_freeze(fresh, &leaf.id).cloned());
                let standing = posting::rewarded_entries(standing, date, ruleset);
                counted.entry(decided.plan).or_default().extend(standing);
            }
        }

        // Corrections of earlier periods are still posted in this one.
        for plan in ruleset.plans.values().filter(|_| locked_now.finalized.contains(&leaf.id)) {
            let credits = counted.get(&*plan.id).map(Vec::as_slice).unwrap_or_default();
            let known = (frozen_rewards.as_slice(), &locked, &locked_now);
            let fresh = rewards_to_freeze(ruleset, plan, leaf, credits, known);
            frozen_rewards.extend(fresh);
        }
        locked.finalized.insert(leaf.id);
    }

    // After the last finalization the holds of `day` count, which may be later than the rows.
    let last = DecisionInputs { as_of: day, ..given.clone() };
    let decided = decide(as_of, &last);

    // Without a locked period nothing is frozen: the decisions stand as they are.
    let locked = locked_now;
    let rules = PostingRules { calendar, locked: &locked, across_years: &across_years };
    let posted = (!locked.is_empty()).then(|| {
        let all = decided.iter().flat_map(|deal| &deal.decisions).map(|decided| {
            let frozen = frozen.remove(&decision_key(decided)).unwrap_or_default();
            let current = decided.credits.clone();
            let standing = posting::post_credits(&frozen, current, &rules);
            (decision_key(decided), PostedRows { frozen, standing })
        });
        all.collect()
    });

    Books { ruleset, decided, posted, frozen_rewards, locked }
}

/// What is frozen of the rewards of a plan when `leaf` is finalized and is the last one of the plan's
/// period that was not. `locked` is what was locked until then, and `locked_now` what is at the end.
fn rewards_to_freeze(
    ruleset: &Ruleset,
    plan: &Plan,
    leaf: &Period,
    credits: &[PostedCredit],
    (known, locked, locked_now): (&[FrozenRewards], &LockedPeriods, &LockedPeriods),
) -> Option<FrozenRewards> {
    let calendar = &ruleset.settings.calendar;
    let period = calendar.period_on(leaf.first, plan.period)?;
    let others = calendar.leaf_periods(&period).into_iter().filter(|other| other.id != leaf.id);
    // What is only closed may be reopened: with it, the plan's period is not final.
    let is_final = |id: &str| locked.contains(id) && locked_now.finalized.contains(id);
    if !plan.pays() || !others.map(|other| other.id).all(|id| is_final(&id)) {
        return None;
    }

    let rewards = plan_book(ruleset, plan, (known, locked), credits, &period);
    let rewards = rewards.rewards_of(&period.id);
    Some(FrozenRewards {
        plan: PlanKey::from(&plan.id),
        period: PeriodKey::from(&period.id),
        ruleset: RulesetHash::from(&ruleset.hash),
        // A directory has no clock: the finalizations are replayed in their order.
        at_ms: 0,
        rows: rewards.rows,
        balances: rewards.balances,
    })
}

/// The reward book of a plan up to `through`, where some periods were frozen by the same rules.
fn plan_book(
    ruleset: &Ruleset,
    plan: &Plan,
    (known, locked): (&[FrozenRewards], &LockedPeriods),
    credits: &[PostedCredit],
    through: &Period,
) -> RewardBook {
    let mine = known.iter().filter(|frozen| *frozen.plan == *plan.id);
    let frozen: Vec<FrozenPeriod<'_>> =
        mine.map(|rewards| FrozenPeriod { rewards, rules: Some(ruleset) }).collect();

    let inputs = BookInputs {
        plan: &plan.id,
        rules: ruleset,
        frozen: &frozen,
        manual: &[],
        locked,
        claimants: None,
    };
    reward::compute_book(&inputs, credits, through)
}

fn decision_key(decision: &Decision) -> PlanAndTransaction {
    (decision.plan, decision.transaction.clone())
}

impl Books<'_> {
    /// What was decided last, a transaction each.
    pub fn latest_decisions(&self) -> &[DecidedDeal] {
        &self.decided
    }

    /// The calculation of `plan` in `period`: the transactions of the period, and the credits that
    /// are posted in it.
    pub fn calculation_of(&self, plan: &str, period: &Period) -> Calculation {
        let decisions = self.period_decisions(plan, Some(period));
        let mut calculation = calculation_of(self.ruleset, plan, period, decisions);
        if self.posted.is_some() {
            let order = |row: &PostedCredit| (row.incentive_date, row.transaction.clone());
            calculation.credits.sort_by_cached_key(order);
        }
        if let Some(book) = self.reward_book(plan, period) {
            calculation.set_rewards(book.rewards_within(period));
            let mine = self.frozen_rewards.iter().filter(|frozen| *frozen.plan == *plan);
            calculation.corrections = book.corrections_of(&period.id, mine);
        }
        calculation
    }

    /// What `plan` pays in `period`, in each of its own periods that begin there.
    pub fn rewards_of(&self, plan: &str, period: &Period) -> PlanRewards {
        let book = self.reward_book(plan, period);
        book.map(|book| book.rewards_within(period)).unwrap_or_default()
    }

    /// The book of a plan up to `period`; none where it pays nothing.
    fn reward_book(&self, plan: &str, period: &Period) -> Option<RewardBook> {
        let plan = self.ruleset.plans.get(plan).filter(|plan| plan.pays())?;
        let through = reward::last_period_in(self.ruleset, plan, period)?;

        let remembers = self.posted.is_some() || reward::needs_history(self.ruleset, plan);
        let within = Some(period).filter(|_| !remembers);
        let credits: Vec<PostedCredit> = self
            .dated_decisions(&plan.id, within)
            .into_iter()
            .flat_map(|dated| {
                posting::rewarded_entries(dated.decision.credits, dated.date, self.ruleset)
            })
            .collect();

        let frozen = (self.frozen_rewards.as_slice(), &self.locked);
        Some(plan_book(self.ruleset, plan, frozen, &credits, &through))
    }

    /// The calculations of `plan` in the parts of `asked` that the plan is calculated by; none when
    /// `asked` is shorter than they are.
    pub fn calculations_within(&self, plan: &str, asked: &Period) -> Vec<Calculation> {
        let periods = super::own_periods(self.ruleset, plan, asked);
        periods.iter().map(|period| self.calculation_of(plan, period)).collect()
    }

    /// The decisions of `plan` in `period` (absent: ever), in order, with the credits that stand.
    /// A transaction of another period whose credits are posted in this one comes as filtered:
    /// with nothing but those credits.
    pub fn period_decisions(&self, plan: &str, period: Option<&Period>) -> Vec<Decision> {
        self.dated_decisions(plan, period).into_iter().map(|dated| dated.decision).collect()
    }

    /// The same, each with the incentive date of its deal.
    fn dated_decisions(&self, plan: &str, period: Option<&Period>) -> Vec<DatedDecision> {
        let Some(posted) = &self.posted else {
            let all = super::period_decisions(self.ruleset, plan, period, &self.decided);
            // Nothing is frozen, so that every credit has the date of its deal.
            return all
                .into_iter()
                .map(|decision| DatedDecision { date: None, decision })
                .collect();
        };

        // A period is a year or a quarter as well, while credits name the leaf they stand in.
        let leaves = period.map(|period| self.ruleset.settings.calendar.leaf_periods(period));
        let inside =
            |id: &str| leaves.as_ref().is_none_or(|leaves| leaves.iter().any(|leaf| leaf.id == id));
        let mut found: Vec<(Option<Date>, DatedDecision)> = Vec::new();
        let all = self.decided.iter();
        let all = all.flat_map(|deal| deal.decisions.iter().map(|decision| (deal.date, decision)));
        for (day, decided) in all.filter(|(_, decided)| decided.plan == *plan) {
            let date = day.filter(|_| decided.outcome != DecisionOutcome::Filtered);
            let mut decision = decided.clone();
            if let Some(posted) = posted.get(&decision_key(decided)) {
                self.set_posted(posted, &mut decision);
            }
            if let Some(decision) = decision.within_periods(inside) {
                // A deal that is filtered now is listed where its credits were posted.
                let first = || decision.credits.first().map(|row| row.incentive_date);
                let listed = date.or_else(first);
                found.push((listed, DatedDecision { date: day, decision }));
            }
        }
        found.sort_by(|(a, one), (b, other)| {
            (a, &one.decision.transaction).cmp(&(b, &other.decision.transaction))
        });
        found.into_iter().map(|(_, dated)| dated).collect()
    }

    /// Adds to an explanation what became of its credits in the books.
    pub fn add_postings(&self, explanation: &mut Explanation) {
        let wanted = |(plan, transaction): &PlanAndTransaction| {
            *plan == explanation.plan && *transaction == explanation.transaction
        };

        let posted = self.posted.iter().flatten().find(|(key, _)| wanted(key));
        let Some((_, posted)) = posted else { return };

        let mut say = |message| {
            explanation.steps.push(ExplanationLine { stage: "posting".to_owned(), message });
        };
        let Ok(rows) = posted.standing.as_ref().map_err(|broken| say(broken.clone())) else {
            return;
        };

        for (index, row) in rows.iter().enumerate() {
            let what = format!("{} {} in {}", row.amount, row.unit_type, row.period);
            match (row.origin, &row.reverses) {
                _ if index < posted.frozen.len() => say(format!("{what} is frozen: {}", row.id)),
                (_, Some(reversed)) => say(format!("{what} takes back {reversed}")),
                (CreditOrigin::Retro, None) => say(format!("{what} is what it is now")),
                (CreditOrigin::Late, None) if self.is_of_closed(row) => {
                    say(format!("{what}: its own period is closed"));
                }
                (CreditOrigin::Late, None) => say(format!("{what}: its own period is finalized")),
                _ => (),
            }
        }
        explanation.credits.clone_from(rows);
    }

    /// Whether the own period of a row is closed and may be reopened.
    fn is_of_closed(&self, row: &PostedCredit) -> bool {
        let calendar = &self.ruleset.settings.calendar;
        let own = calendar.period_on(row.incentive_date, PeriodKind::Leaf);
        own.is_some_and(|own| self.locked.closed.contains(&own.id))
    }

    /// Puts the rows that stand into a decision; one that may not be posted is parked.
    fn set_posted(&self, posted: &PostedRows, decision: &mut Decision) {
        let rules = PostingRules {
            calendar: &self.ruleset.settings.calendar,
            locked: &self.locked,
            across_years: &|row| posting::holds_across_years(self.ruleset, row),
        };
        posting::set_entries(decision, &posted.frozen, posted.standing.as_deref(), &rules);
    }
}
