//! The reward book of a plan: what every period pays, with the past as it was paid.
//!
//! Goes through the periods in order. An open period pays what its credits earn now; a frozen one
//! keeps its rows, and what it would pay by what is known now is corrected in the earliest open
//! period. Not the credits (`posting` does the same for them) and not the act of freezing. Called by
//! calculations, by the replay of finalizations and by the server. Source: REWARDS sections 1 to 6.
//!
//! **Architecture invariant:** whatever the order of late deals, corrections and finalizations, the
//! sum of everything paid for a period is what a clean run of it pays (`correction`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::balance::{self, Balances};
use super::correction::{self, FailedClaim};
use super::draw::{self, EarnedByPayee};
use super::history::{EarnedBy, EarnedHistory};
use super::periods::{earliest_open, planned_periods};
use super::reads::{PAID, may_read_variable};
use super::scope::{DatedCredits, PlanPeriod, RewardContext};
use super::{PlanRewards, claim, pay};
use crate::stage::build_note;
use accredit_domain::calendar::{Calendar, LockedPeriods, Period};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, FrozenRewards, PayeeBalance, RewardOrigin};
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::{LateRewards, PayoutFormula};
use accredit_script::{Machine, StandingView};
use accredit_workspace::Ruleset;

/// A period whose rewards were confirmed or finalized, with the rules that count for it: those it
/// was confirmed by, or later ones that were meant to reach it.
#[derive(Clone, Copy)]
pub struct FrozenPeriod<'a> {
    /// The rows as they were frozen.
    pub rewards: &'a FrozenRewards,
    /// The rules by which it is recomputed; none where they are no longer known, and nothing is
    /// corrected.
    pub rules: Option<&'a Ruleset>,
}

/// Everything that the rewards of a plan follow from, beside its credits.
#[derive(Clone, Copy)]
pub struct BookInputs<'a> {
    /// Id of the plan.
    pub plan: &'a str,
    /// The rules in force: those of open periods.
    pub rules: &'a Ruleset,
    /// Periods that never change.
    pub frozen: &'a [FrozenPeriod<'a>],
    /// Rows that people added, in open periods.
    pub manual: &'a [EarnedReward],
    /// Periods in which nothing more may be posted.
    pub locked: &'a LockedPeriods,
    /// Whose rewards are wanted, by the id of a participant or team; none for those of everybody.
    pub claimants: Option<&'a ClaimantFilter>,
}

/// Whether the rewards of a participant or team are wanted.
pub type ClaimantFilter = dyn Fn(&str) -> bool;

/// What a plan pays, period by period.
#[derive(Debug, Clone, Default)]
pub struct RewardBook {
    periods: BTreeMap<Date, BookPeriod>,
}

/// One period of a book.
#[derive(Debug, Clone)]
pub struct BookPeriod {
    /// The period.
    pub period: Period,
    /// Whether its rows are frozen.
    pub frozen: bool,
    /// Its rows and balances, and what must be known about them.
    pub rewards: PlanRewards,
}

impl RewardBook {
    /// The periods in order.
    pub fn periods(&self) -> impl Iterator<Item = &BookPeriod> {
        self.periods.values()
    }

    /// What the period called `id` pays; nothing for one that the book does not reach.
    pub fn rewards_of(&self, id: &str) -> PlanRewards {
        let found = self.periods.values().find(|known| known.period.id == id);
        found.map(|known| known.rewards.clone()).unwrap_or_default()
    }

    /// What the periods that begin in `span` pay, one after the other; balances are those of the last
    /// one.
    pub fn rewards_within(&self, span: &Period) -> PlanRewards {
        let mut all = PlanRewards::default();
        for known in self.periods.values().filter(|known| span.contains(known.period.first)) {
            all.rows.extend(known.rewards.rows.iter().cloned());
            all.alerts.extend(known.rewards.alerts.iter().cloned());
            all.balances.clone_from(&known.rewards.balances);
        }
        all
    }

    /// The rows elsewhere that correct the period called `id`: in other `frozen` periods, and in the
    /// open ones of this book.
    pub fn corrections_of<'a>(
        &'a self,
        id: &'a str,
        frozen: impl IntoIterator<Item = &'a FrozenRewards>,
    ) -> Vec<EarnedReward> {
        let paid = frozen.into_iter().flat_map(|other| &other.rows);
        let open = self.periods.values().filter(|known| !known.frozen);
        let rows = paid.chain(open.flat_map(|known| &known.rewards.rows));
        rows.filter(|row| row.corrects.as_deref() == Some(id)).cloned().collect()
    }
}

/// Whether the rewards of a period may follow from earlier periods: then a book must begin with the
/// first of them.
pub fn needs_history(ruleset: &Ruleset, plan: &Plan) -> bool {
    let reads_paid = |program| may_read_variable(ruleset, program, PAID);

    let by_reward = plan.rewards.iter().any(|reward| {
        let worth = match reward.worth {
            PayoutFormula::Program(program) => Some(program),
            PayoutFormula::Tiers(_) | PayoutFormula::TableTiers(_) => None,
        };
        let reads = worth.into_iter().chain(reward.maximum).any(reads_paid);
        reward.to_date.is_some() || reads
    });
    by_reward || !plan.draws.is_empty() || plan.carry_negative
}

/// What `credits` of a plan are worth in every period up to `through`, a period of the plan's own
/// kind, and up to the last period in which one of them is corrected. Only active credits count.
pub fn compute_book<'a>(
    inputs: &BookInputs<'_>,
    credits: impl IntoIterator<Item = &'a PostedCredit>,
    through: &Period,
) -> RewardBook {
    let late = inputs.rules.plans.get(inputs.plan).map(|plan| plan.late);
    let credits = DatedCredits::new(credits, inputs.rules, late.unwrap_or(LateRewards::Own));

    let mut run = run_periods(inputs, &credits, through);
    // Corrections may count in a later period than the last one that was asked for.
    let mut reached = through.first;
    while let Some(target) =
        run.last_target(&inputs.rules.settings.calendar).filter(|target| target.first > reached)
    {
        run = run_periods(inputs, &credits, &target);
        reached = target.first;
    }
    run.book
}

/// Goes through the periods up to `through`.
fn run_periods(inputs: &BookInputs<'_>, credits: &DatedCredits<'_>, through: &Period) -> BookRun {
    let mut run = BookRun::default();
    for (period, frozen) in planned_periods(inputs, credits, through) {
        let rules = match frozen {
            Some(frozen) => frozen.rules,
            None => Some(inputs.rules),
        };
        let found = rules.and_then(|rules| Some((rules, rules.plans.get(inputs.plan)?)));
        let Some((rules, plan)) = found else {
            // A plan or rules that are gone: what was paid stays.
            if let Some(frozen) = frozen {
                run.keep_frozen(&period, frozen);
            }
            continue;
        };

        let scope = PlanPeriod::new(rules, plan, &period, credits).of_claimants(inputs.claimants);
        let mut add = |machine: Option<&mut Machine>| match frozen {
            Some(frozen) => run.add_frozen(inputs, &scope, frozen, machine),
            None => run.add_open(inputs, &scope, machine),
        };

        // Most plans pay by tiers alone, which need no machine.
        if has_program(plan) {
            rules.with_machine(|machine| add(Some(machine)));
        } else {
            add(None);
        }
    }

    run
}

fn has_program(plan: &Plan) -> bool {
    let by_program = |worth: &PayoutFormula| matches!(worth, PayoutFormula::Program(_));
    let of_rewards =
        plan.rewards.iter().any(|reward| by_program(&reward.worth) || reward.maximum.is_some());
    of_rewards || !plan.draws.is_empty() || plan.quota.is_some()
}

/// A book in the making.
#[derive(Default)]
struct BookRun {
    book: RewardBook,
    /// What every period earned by what is known now.
    history: EarnedHistory,
    /// Draws that are owed by what is known now.
    clean_balances: Balances,
    /// What is owed by the rows that count.
    balances: Balances,
    /// Corrections, by the id of the period in which they count.
    pending: BTreeMap<PeriodKey, Vec<EarnedReward>>,
}

/// What a period earns by what is known now.
#[derive(Default)]
struct CleanPeriod {
    rows: Vec<EarnedReward>,
    alerts: Vec<Note>,
    /// Claims that could not be computed.
    failed: BTreeSet<FailedClaim>,
}

impl BookRun {
    /// The last period that the book does not reach and in which something is corrected.
    fn last_target(&self, calendar: &Calendar) -> Option<Period> {
        let targets = self.pending.keys().filter_map(|id| calendar.find(id));
        targets.max_by_key(|period| period.first)
    }

    /// A frozen period of a plan that no longer exists.
    fn keep_frozen(&mut self, period: &Period, frozen: FrozenPeriod<'_>) {
        let rewards = PlanRewards {
            rows: frozen.rewards.rows.clone(),
            balances: frozen.rewards.balances.clone(),
            alerts: Vec::new(),
        };
        self.add_period(period, true, rewards);
    }

    fn add_period(&mut self, period: &Period, frozen: bool, rewards: PlanRewards) {
        let known = BookPeriod { period: *period, frozen, rewards };
        self.book.periods.insert(period.first, known);
    }

    /// A period whose rows stay, and what corrects them.
    fn add_frozen(
        &mut self,
        inputs: &BookInputs<'_>,
        scope: &PlanPeriod<'_>,
        frozen: FrozenPeriod<'_>,
        machine: Option<&mut Machine>,
    ) {
        let rows = &frozen.rewards.rows;
        let carried: Vec<&EarnedReward> =
            rows.iter().filter(|row| row.origin == RewardOrigin::Carried).collect();
        let clean = self.clean_period(scope, &carried, machine);
        self.remember_failed(scope, &clean, rows);

        let id = &frozen.rewards.period;
        let elsewhere = inputs.frozen.iter().flat_map(|other| &other.rewards.rows);
        let elsewhere = elsewhere.filter(|row| row.corrects.as_ref() == Some(id));
        let paid: Vec<&EarnedReward> =
            rows.iter().filter(|row| correction::is_earned(row)).chain(elsewhere).collect();

        let due = correction::corrections(id, &clean.rows, &paid, &clean.failed);

        let mut alerts: Vec<Note> = Vec::new();
        if !due.is_empty() {
            match earliest_open(inputs, scope) {
                Some(target) => {
                    alerts.extend(differs_alerts(scope, &paid, &due, &target.id));
                    let posted = due.into_iter().map(|row| correction::post_in(row, &target.id));
                    self.pending.entry(target.id).or_default().extend(posted);
                }
                None => {
                    let message = "it would be corrected, and no later period is open";
                    alerts.push(scope.reward_alert("", NoteCode::PolicyError, message));
                }
            }
        }

        for row in rows {
            self.balances.add_row(scope.plan, row);
        }
        let rewards =
            PlanRewards { rows: rows.clone(), balances: frozen.rewards.balances.clone(), alerts };
        self.add_period(scope.period, true, rewards);
    }

    /// A period that may still change.
    fn add_open(
        &mut self,
        inputs: &BookInputs<'_>,
        scope: &PlanPeriod<'_>,
        mut machine: Option<&mut Machine>,
    ) {
        let before = self.balances.clone();
        let posted = self.pending.remove(&scope.period.id).unwrap_or_default();
        let manual = inputs.manual.iter().filter(|row| *row.period == *scope.period.id);

        let mut clean = self.clean_rewards(scope, machine.as_deref_mut());
        let mut counted: Vec<EarnedReward> = clean.rows.clone();
        counted.extend(posted);
        counted.extend(manual.cloned());

        let carried = match scope.plan.carry_negative {
            true => balance::carried_rows(scope, &counted, &before),
            false => Vec::new(),
        };

        let by_carried: Vec<&EarnedReward> = carried.iter().collect();
        self.add_draws(scope, &by_carried, &mut clean, machine);

        // Calculated rows first, then draws, corrections, manual rows and what is carried.
        let mut rows = clean.rows;
        rows.extend(counted.into_iter().filter(|row| !correction::is_earned(row)));
        rows.extend(carried);

        for row in &rows {
            self.balances.add_row(scope.plan, row);
        }
        let ids = (&*scope.plan.id, scope.period.id.as_str());
        let balances = self.balances.rows_since(&before, ids);
        let mut alerts = clean.alerts;
        alerts.extend(balances.iter().filter_map(|balance| open_balance_alert(scope, balance)));
        alerts.extend(balances.iter().filter_map(|balance| broken_balance_alert(scope, balance)));

        self.add_period(scope.period, false, PlanRewards { rows, balances, alerts });
    }

    /// What a period earns by what is known now, draws included.
    fn clean_period(
        &mut self,
        scope: &PlanPeriod<'_>,
        carried: &[&EarnedReward],
        mut machine: Option<&mut Machine>,
    ) -> CleanPeriod {
        let mut clean = self.clean_rewards(scope, machine.as_deref_mut());
        self.add_draws(scope, carried, &mut clean, machine);
        clean
    }

    /// The rewards of a period in file order, each of which sees those before it.
    fn clean_rewards(
        &mut self,
        scope: &PlanPeriod<'_>,
        mut machine: Option<&mut Machine>,
    ) -> CleanPeriod {
        let mut clean = CleanPeriod::default();

        for reward in &scope.plan.rewards {
            if !reward.validity.contains(scope.last) {
                continue;
            }

            let context = RewardContext { scope, reward, history: &self.history };
            let claims = claim::collect_claims(&context, machine.as_deref_mut(), &mut clean.alerts);
            let payments = claims.iter().map(|claim| {
                let standing = standing_of(claim, &claims);
                let by = claim.account(&context);
                (by, pay::pay_claim(&context, claim, standing, machine.as_deref_mut()))
            });
            let payments: Vec<(EarnedBy, pay::ClaimPayment)> = payments.collect();

            for (by, mut payment) in payments {
                payment.record_in(&mut self.history, &reward.name, scope.period.first);
                if payment.failed {
                    clean.failed.insert(FailedClaim::new(&reward.name, &by));
                }
                clean.rows.extend(payment.rows);
                clean.alerts.extend(payment.alerts);
            }
        }

        clean
    }

    /// Adds the rows of the plan's draws; `carried` rows of the period reduce what they cover.
    fn add_draws(
        &mut self,
        scope: &PlanPeriod<'_>,
        carried: &[&EarnedReward],
        clean: &mut CleanPeriod,
        mut machine: Option<&mut Machine>,
    ) {
        for draw in &scope.plan.draws {
            let covers = |row: &EarnedReward| {
                let named = draw.covers.as_ref();
                let is_named =
                    named.is_none_or(|names| names.iter().any(|name| **name == *row.reward));
                is_named && row.origin == RewardOrigin::Calculated
            };
            let rows = &clean.rows;
            let earned = |payee: &str, unit: &str| {
                let mine = |row: &&EarnedReward| *row.payee == *payee && *row.unit_type == *unit;
                let sum = rows.iter().filter(mine).filter(|row| covers(row));
                let sum = sum.fold(Decimal::ZERO, |sum, row| sum.saturating_add(row.amount));

                // What is recovered of amounts below zero comes first; what is carried on is no
                // less than nothing.
                let moved = carried.iter().copied().filter(mine);
                let moved = moved.fold(Decimal::ZERO, |sum, row| sum.saturating_add(row.amount));
                match moved.is_sign_negative() {
                    true => sum.saturating_add(moved),
                    false if moved.is_zero() => sum,
                    false => sum.max(Decimal::ZERO),
                }
            };

            let seen: (&EarnedByPayee<'_>, &Balances) = (&earned, &self.clean_balances);
            let drawn = draw::pay_draw(scope, draw, seen, machine.as_deref_mut());
            for (by, alert) in drawn.failed {
                clean.failed.insert(FailedClaim::new(&draw.name, &by));
                clean.alerts.push(alert);
            }

            for row in &drawn.rows {
                self.clean_balances.add_row(scope.plan, row);
            }
            clean.rows.extend(drawn.rows);
        }
    }

    /// What a reward that can no longer be computed had paid counts as earned, so that no later
    /// period pays it again.
    fn remember_failed(
        &mut self,
        scope: &PlanPeriod<'_>,
        clean: &CleanPeriod,
        frozen: &[EarnedReward],
    ) {
        let calculated = frozen.iter().filter(|row| row.origin == RewardOrigin::Calculated);
        for row in calculated.filter(|row| clean.failed.contains(&FailedClaim::of_row(row))) {
            let known = clean.rows.iter().any(|now| {
                now.reward == row.reward && now.payee == row.payee && now.team == row.team
            });
            if !known {
                let name = Arc::from(&*row.reward);
                let by = EarnedBy::of_row(row);
                self.history.add_claim(by, &name, scope.period.first, row.amount);
            }
        }
    }
}

/// The place of a claim among those of its unit; equal ones share the better place.
pub(super) fn standing_of(claim: &claim::Claim, claims: &[claim::Claim]) -> StandingView {
    let others = || claims.iter().filter(|other| other.unit == claim.unit);
    let better = others().filter(|other| other.credited > claim.credited).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    StandingView { rank: count(better).saturating_add(1), of: count(others().count()) }
}

/// An alert for each payee whose frozen sum is no longer what would be paid.
fn differs_alerts(
    scope: &PlanPeriod<'_>,
    paid: &[&EarnedReward],
    due: &[EarnedReward],
    target: &str,
) -> Vec<Note> {
    type PayeeAndUnit = (String, String);
    let key =
        |row: &EarnedReward| -> PayeeAndUnit { (row.payee.to_string(), row.unit_type.to_string()) };
    let mut sums: BTreeMap<PayeeAndUnit, (Decimal, Decimal)> = BTreeMap::new();
    for row in due {
        let (_, difference) = sums.entry(key(row)).or_default();
        *difference = difference.saturating_add(row.amount);
    }
    for row in paid {
        if let Some((before, _)) = sums.get_mut(&key(row)) {
            *before = before.saturating_add(row.amount);
        }
    }

    let alerts = sums.into_iter().map(|((payee, unit), (before, difference))| {
        let now = before.saturating_add(difference);
        let period = &scope.period.id;
        let message = format!(
            "{period} was confirmed at {before} {unit} for `{payee}` and would be {now} {unit} now; \
             the difference of {difference} is in {target}"
        );
        build_note("", &scope.plan.id, NoteStage::Reward, NoteCode::ConfirmedDiffers, message)
    });
    alerts.collect()
}

/// An alert about a payee who has left and still owes something.
fn open_balance_alert(scope: &PlanPeriod<'_>, owed: &PayeeBalance) -> Option<Note> {
    let organization = &scope.ruleset.organization;
    let person = organization.find_participant(&owed.payee)?;
    if owed.balance.is_zero() || organization.last_day(person, scope.last) == scope.last {
        return None;
    }

    let message = format!("`{}` has left and owes {} {}", owed.payee, owed.balance, owed.unit_type);
    Some(scope.reward_alert(&owed.name, NoteCode::OpenBalance, &message))
}

/// INVARIANT (balances): nobody owes less than nothing at the end of an open period.
fn broken_balance_alert(scope: &PlanPeriod<'_>, owed: &PayeeBalance) -> Option<Note> {
    if owed.balance >= Decimal::ZERO {
        return None;
    }

    let PayeeBalance { payee, balance, unit_type, .. } = owed;
    let message = format!("law broken (balances): `{payee}` owes {balance} {unit_type}");
    Some(scope.reward_alert(&owed.name, NoteCode::PolicyError, &message))
}
