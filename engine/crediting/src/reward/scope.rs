//! A plan in a period, by the rules of one ruleset: what every step of the computation reads.
//!
//! Not computing anything. Called by `book`, which makes one for each period, and by every other
//! module of `reward`.
//!
//! **Architecture invariant:** a reward reads the credits of its own span and what earlier periods
//! earned, and nothing of later periods.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use jiff::civil::Date;

use super::book::ClaimantFilter;
use super::history::EarnedHistory;
use super::targets::TargetDays;
use crate::stage::build_note;
use accredit_domain::calendar::{Period, PeriodKind};
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::organization::{Organization, ParticipantId, PositionId};
use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::{LateRewards, Reward};
use accredit_workspace::Ruleset;

/// The active credits of a plan, by the day on which they are rewarded.
#[derive(Debug, Default)]
pub(super) struct DatedCredits<'a> {
    /// In order of their days.
    credits: Vec<(Date, &'a PostedCredit)>,
}

impl<'a> DatedCredits<'a> {
    /// The active credits of `all`, each on its incentive date, or on the first day of the period
    /// that it is posted in where the plan rewards late credits there.
    pub(super) fn new(
        all: impl IntoIterator<Item = &'a PostedCredit>,
        ruleset: &Ruleset,
        late: LateRewards,
    ) -> DatedCredits<'a> {
        let calendar = &ruleset.settings.calendar;
        let posted_on =
            |credit: &PostedCredit| calendar.find(&credit.period).map(|leaf| leaf.first);

        let day_of = |credit: &PostedCredit| match late {
            LateRewards::Own => credit.incentive_date,
            LateRewards::Posted => posted_on(credit).unwrap_or(credit.incentive_date),
        };

        let mut active: Vec<_> = all.into_iter().filter(|credit| credit.is_active()).collect();
        if late == LateRewards::Own {
            drop_taken_back(&mut active);
        }

        let mut credits: Vec<_> =
            active.into_iter().map(|credit| (day_of(credit), credit)).collect();
        // Late credits of a month that are rewarded when they are posted have one day in common. Stable:
        // those of one date stay in the order of the calculation.
        credits.sort_by_key(|(day, credit)| (*day, credit.incentive_date));
        DatedCredits { credits }
    }

    /// The credits from `first` until before `end`, in order.
    pub(super) fn between(&self, first: Date, end: Date) -> impl Iterator<Item = &'a PostedCredit> {
        let start = self.credits.partition_point(|(day, _)| *day < first);
        let stop = self.credits.partition_point(|(day, _)| *day < end).max(start);
        self.credits.get(start..stop).unwrap_or_default().iter().map(|(_, credit)| *credit)
    }

    /// The day of the first credit.
    pub(super) fn first_day(&self) -> Option<Date> {
        self.credits.first().map(|(day, _)| *day)
    }
}

/// Drops what was taken back and what takes it back: in their own period both are as if they had
/// never been, so that nobody has a row for them.
fn drop_taken_back(credits: &mut Vec<&PostedCredit>) {
    let known: HashSet<CreditId> = credits.iter().map(|credit| credit.id).collect();
    let taken = credits.iter().filter_map(|credit| credit.corrected_entry());
    let taken: HashSet<CreditId> = taken.filter(|id| known.contains(id)).collect();

    let counts = |credit: &&PostedCredit| {
        let takes_back = credit.corrected_entry().is_some_and(|id| taken.contains(&id));
        !takes_back && !taken.contains(&credit.id)
    };
    credits.retain(counts);
}

/// A plan in one of its periods.
pub(super) struct PlanPeriod<'a> {
    pub(super) ruleset: &'a Ruleset,
    pub(super) plan: &'a Plan,
    pub(super) period: &'a Period,
    /// The period's last day.
    pub(super) last: Date,
    pub(super) credits: &'a DatedCredits<'a>,
    /// Whose rewards are wanted; none for those of everybody.
    claimants: Option<&'a ClaimantFilter>,
    /// The plan's targets in this period and in others, by their days: a quarter and its first month
    /// begin on the same one.
    targets: RefCell<BTreeMap<(Date, Date), Rc<TargetDays>>>,
}

impl<'a> PlanPeriod<'a> {
    pub(super) fn new(
        ruleset: &'a Ruleset,
        plan: &'a Plan,
        period: &'a Period,
        credits: &'a DatedCredits<'a>,
    ) -> PlanPeriod<'a> {
        let last = period.end.yesterday().unwrap_or(period.first);
        let targets = RefCell::default();
        PlanPeriod { ruleset, plan, period, last, credits, claimants: None, targets }
    }

    /// The same for the rewards of some claimants.
    pub(super) fn of_claimants(mut self, claimants: Option<&'a ClaimantFilter>) -> Self {
        self.claimants = claimants;
        self
    }

    /// Whether the rewards of the participant or team `id` are wanted.
    pub(super) fn wants_claimant(&self, id: &str) -> bool {
        self.claimants.is_none_or(|wants| wants(id))
    }

    /// The plan's targets on the days of `period`.
    pub(super) fn plan_targets(&self, period: &Period) -> Rc<TargetDays> {
        let mut known = self.targets.borrow_mut();
        let found = known.entry((period.first, period.end)).or_insert_with(|| {
            let targets = &self.plan.targets;
            Rc::new(TargetDays::find(&self.ruleset.organization, targets, period))
        });
        Rc::clone(found)
    }

    /// An alert about a reward or draw called `name`; it is about no transaction.
    pub(super) fn reward_alert(&self, name: &str, code: NoteCode, message: &str) -> Note {
        let message = format!("reward `{name}` in {}: {message}", self.period.id);
        build_note("", &self.plan.id, NoteStage::Reward, code, message)
    }
}

/// The inputs for the computation of one reward in one period.
#[derive(Clone, Copy)]
pub(super) struct RewardContext<'a> {
    pub(super) scope: &'a PlanPeriod<'a>,
    pub(super) reward: &'a Reward,
    /// What earlier rewards and earlier periods earned.
    pub(super) history: &'a EarnedHistory,
}

impl<'a> RewardContext<'a> {
    pub(super) fn ruleset(&self) -> &'a Ruleset {
        self.scope.ruleset
    }

    /// The fiscal quarter or year that the reward sums up; the period alone unless it is to date.
    pub(super) fn whole_span(&self) -> Period {
        let calendar = &self.scope.ruleset.settings.calendar;
        let period = self.scope.period;
        let span = self.reward.to_date.and_then(|kind| calendar.period_on(period.first, kind));
        // A plan of years has no shorter span to sum up.
        span.filter(|span| span.end >= period.end).unwrap_or(*period)
    }

    /// The credits that the reward sums up: from the first day of its span to the end of the period.
    pub(super) fn credits_to_date(&self) -> impl Iterator<Item = &'a PostedCredit> {
        self.scope.credits.between(self.whole_span().first, self.scope.period.end)
    }

    /// The fiscal year of the period.
    pub(super) fn fiscal_year(&self) -> Option<Period> {
        let calendar = &self.scope.ruleset.settings.calendar;
        calendar.period_on(self.scope.period.first, PeriodKind::Year)
    }

    /// The holder of a manager position on `date`; none if it is vacant or does not exist then.
    pub(super) fn manager_on(&self, position: PositionId, date: Date) -> Option<ParticipantId> {
        manager_on(&self.scope.ruleset.organization, position, date)
    }

    /// An alert about the reward.
    pub(super) fn reward_alert(&self, code: NoteCode, message: &str) -> Note {
        self.scope.reward_alert(&self.reward.name, code, message)
    }
}

/// The holder of a manager position on `date`; none if it is vacant or does not exist then.
pub(super) fn manager_on(
    organization: &Organization,
    position: PositionId,
    date: Date,
) -> Option<ParticipantId> {
    organization.version_on(position, date).and_then(|_| organization.holder_on(position, date))
}
