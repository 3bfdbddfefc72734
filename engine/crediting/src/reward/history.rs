//! What rewards earned: earlier ones of a period, and those of earlier periods.
//!
//! Amounts are those of a clean run by what is known now, corrections included, in the unit of the
//! credits. Not what was paid (`book` compares the two). Called by `pay` and `book`. Source: REWARDS
//! sections 2 and 5.
//!
//! **Architecture invariant:** an amount is recorded once for each claimant, reward and period.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use accredit_domain::calendar::Period;
use accredit_domain::decision::EarnedReward;
use accredit_domain::money::add_to_total;

/// The claimant of an amount: a person or a team by its id, and the unit of the credits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EarnedBy {
    /// Whether the id is that of a team.
    pub(super) is_team: bool,
    pub(super) id: Arc<str>,
    /// Name of the unit.
    pub(super) unit: Arc<str>,
}

impl EarnedBy {
    /// The claimant of a row.
    pub(super) fn of_row(row: &EarnedReward) -> EarnedBy {
        EarnedBy {
            is_team: row.team.is_some(),
            id: Arc::from(row.team.as_deref().unwrap_or(&row.payee)),
            unit: Arc::from(&*row.credited_unit_type),
        }
    }
}

/// A reward and a claimant.
type RewardAccount = (EarnedBy, Arc<str>);

/// A person's part of what a team earned by a reward.
type MemberAccount = (EarnedBy, Arc<str>, Arc<str>);

/// Amounts by the first day of the period that earned them.
type AmountsByPeriod = BTreeMap<Date, Decimal>;

/// What was earned so far.
#[derive(Debug, Clone, Default)]
pub(super) struct EarnedHistory {
    claims: BTreeMap<RewardAccount, AmountsByPeriod>,
    members: BTreeMap<MemberAccount, AmountsByPeriod>,
}

impl EarnedHistory {
    /// Records what a claimant earned by a reward in the period that begins on `first`.
    pub(super) fn add_claim(
        &mut self,
        by: EarnedBy,
        reward: &Arc<str>,
        first: Date,
        amount: Decimal,
    ) {
        let amounts = self.claims.entry((by, Arc::clone(reward))).or_default();
        add_to_total(amounts.entry(first).or_default(), amount);
    }

    /// Records the part of a member in what a team earned.
    pub(super) fn add_member(
        &mut self,
        (by, reward, member): (EarnedBy, &Arc<str>, &Arc<str>),
        first: Date,
        amount: Decimal,
    ) {
        let key = (by, Arc::clone(reward), Arc::clone(member));
        add_to_total(self.members.entry(key).or_default().entry(first).or_default(), amount);
    }

    /// What a claimant earned by a reward in earlier periods of a span.
    pub(super) fn earlier_in_span(
        &self,
        by: &EarnedBy,
        reward: &Arc<str>,
        (span, first): (&Period, Date),
    ) -> Decimal {
        let amounts = self.claims.get(&(by.clone(), Arc::clone(reward)));
        sum_between(amounts, span.first, first)
    }

    /// The parts of the members of a team in what it earned by a reward in earlier periods of a span.
    /// Members who had nothing of it are left out.
    pub(super) fn earlier_parts(
        &self,
        by: &EarnedBy,
        reward: &Arc<str>,
        (span, first): (&Period, Date),
    ) -> Vec<(Arc<str>, Decimal)> {
        let mine =
            self.members.iter().filter(|((known, name, _), _)| known == by && name == reward);
        let parts = mine.map(|((_, _, member), amounts)| {
            (Arc::clone(member), sum_between(Some(amounts), span.first, first))
        });
        parts.filter(|(_, part)| !part.is_zero()).collect()
    }

    /// What a claimant earned from the day `from` until before `until`, by reward.
    pub(super) fn earned_between(
        &self,
        by: &EarnedBy,
        (from, until): (Date, Date),
    ) -> BTreeMap<Arc<str>, Decimal> {
        let mine = self.claims.iter().filter(|((known, _), _)| known == by);
        let sums = mine.map(|((_, reward), amounts)| {
            (Arc::clone(reward), sum_between(Some(amounts), from, until))
        });
        sums.collect()
    }
}

/// The sum of amounts from the day `from` until before `until`.
fn sum_between(amounts: Option<&AmountsByPeriod>, from: Date, until: Date) -> Decimal {
    let mut sum = Decimal::ZERO;
    if from >= until {
        return sum;
    }
    for (_, amount) in amounts.into_iter().flat_map(|amounts| amounts.range(from..until)) {
        add_to_total(&mut sum, *amount);
    }
    sum
}
