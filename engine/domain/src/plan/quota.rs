//! Quotas: the targets of a plan for its payees in a period.
//!
//! Not whether they were reached (`crediting::reward`). Filled by `workspace::quotas`.
//! Source: FORMAT
//! section 1.
//!
//! **Architecture invariant:** rows of the credit types that count come before those without one;
//! among them the nearest row wins: one for the participant beats those for positions, which beat
//! those for titles, for teams and for `*`.

use crate::keys::{DefinedName, PlanKey};
use std::collections::HashMap;

use rust_decimal::Decimal;

use super::Selector;

/// One row of quotas.csv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Who the quota is for.
    pub target: Selector,
    /// How much, above 0, in the unit of the credits that count.
    pub amount: Decimal,
    /// The credit type that it is for; none for every type that has no row of its own.
    pub credit_type: Option<DefinedName>,
}

/// All quotas, by plan and period.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    rows: HashMap<(PlanKey, String), Vec<Quota>>,
}

/// How near a row is: participant, position, title, team, all.
const RANKS: usize = 5;

impl Quotas {
    /// Adds a row.
    pub fn add(&mut self, plan: &str, period: &str, quota: Quota) {
        self.rows.entry((PlanKey::from(plan), period.to_owned())).or_default().push(quota);
    }

    /// Ids of the periods for which `plan` has rows.
    pub fn periods_of<'a>(&'a self, plan: &'a str) -> impl Iterator<Item = &'a str> {
        let of_plan = self.rows.keys().filter(move |(known, _)| **known == *plan);
        of_plan.map(|(_, period)| period.as_str())
    }

    /// The rows of `plan`, each with the id of its period, by period and else as in the file.
    pub fn rows_of<'a>(&'a self, plan: &'a str) -> Vec<(&'a str, &'a Quota)> {
        let of_plan = self.rows.iter().filter(|((known, _), _)| **known == *plan);
        let mut rows: Vec<(&str, &Quota)> = of_plan
            .flat_map(|((_, period), rows)| rows.iter().map(move |row| (period.as_str(), row)))
            .collect();
        rows.sort_by_key(|(period, _)| *period);
        rows
    }

    /// Whether `plan` has any quota.
    pub fn has_quota(&self, plan: &str) -> bool {
        self.rows.keys().any(|(known, _)| **known == *plan)
    }

    /// The quota of `plan` in exactly this period, from the rows of `credit_types`, or else from
    /// those without a type. `fits` says which rows apply to the payee; where several of the nearest
    /// do, as those of two positions, they sum.
    pub fn find(
        &self,
        plan: PlanKey,
        period: &str,
        credit_types: &[DefinedName],
        fits: impl Fn(&Selector) -> bool,
    ) -> Option<Decimal> {
        let rows = self.rows.get(&(plan, period.to_owned()))?;
        let fitting: Vec<&Quota> = rows.iter().filter(|row| fits(&row.target)).collect();

        let typed = |row: &&Quota| {
            row.credit_type.as_ref().is_some_and(|credit_type| credit_types.contains(credit_type))
        };
        let untyped = |row: &&Quota| row.credit_type.is_none();

        let of_types = nearest_sum(fitting.iter().copied().filter(typed));
        of_types.or_else(|| nearest_sum(fitting.iter().copied().filter(untyped)))
    }
}

/// The sum of the rows whose kind of target is the nearest.
fn nearest_sum<'a>(rows: impl Iterator<Item = &'a Quota>) -> Option<Decimal> {
    let mut found: [Option<Decimal>; RANKS] = [None; RANKS];

    for row in rows {
        let sum = found.get_mut(target_rank(&row.target))?;
        *sum = Some(sum.unwrap_or_default().checked_add(row.amount)?);
    }

    found.into_iter().flatten().next()
}

fn target_rank(target: &Selector) -> usize {
    match target {
        Selector::Participant(_) => 0,
        Selector::Position(_) => 1,
        Selector::Title(_) => 2,
        Selector::Team(_) => 3,
        Selector::All => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::{ParticipantId, PositionId};

    /// The first period of another plan's quotas would begin the book of this one.
    #[test]
    fn periods_of_quotas_are_those_of_the_plan() {
        let mut quotas = Quotas::default();
        quotas.add("own", "2022-01", quota(Selector::All, 1, None));
        quotas.add("other", "2021-12", quota(Selector::All, 1, None));
        assert_eq!(quotas.periods_of("own").collect::<Vec<_>>(), ["2022-01"]);
    }

    #[test]
    fn the_nearest_row_wins() {
        let rows = [
            (Selector::All, 1),
            (Selector::Title("rep".to_owned()), 2),
            (Selector::Position(PositionId(0)), 4),
            (Selector::Position(PositionId(1)), 8),
            (Selector::Participant(ParticipantId(0)), 16),
        ];
        let plan = PlanKey::from("p");
        let mut quotas = Quotas::default();
        for (target, amount) in rows {
            quotas.add(&plan, "2022-01", quota(target, amount, None));
        }
        let check = |without: &[usize], expected: Option<i64>| {
            let fits = |target: &Selector| !without.contains(&target_rank(target));
            let actual = quotas.find(plan, "2022-01", &[], fits);
            assert_eq!(actual, expected.map(Decimal::from), "without {without:?}");
        };
        check(&[], Some(16));
        check(&[0], Some(12));
        check(&[0, 1], Some(2));
        check(&[0, 1, 2], Some(1));
        check(&[0, 1, 2, 3, 4], None);
    }

    fn quota(target: Selector, amount: i64, credit_type: Option<&str>) -> Quota {
        Quota {
            target,
            amount: Decimal::from(amount),
            credit_type: credit_type.map(DefinedName::from),
        }
    }

    /// A reward of bookings was measured by the row for renewals.
    #[test]
    fn rows_of_the_credit_type_come_first() {
        let plan = PlanKey::from("p");
        let mut quotas = Quotas::default();
        let person = Selector::Participant(ParticipantId(0));
        quotas.add(&plan, "2022-01", quota(person, 1, None));
        quotas.add(&plan, "2022-01", quota(Selector::All, 2, Some("booking")));
        quotas.add(&plan, "2022-01", quota(Selector::All, 4, Some("renewal")));

        let check = |types: &[&str], expected: i64| {
            let types: Vec<DefinedName> = types.iter().copied().map(DefinedName::from).collect();
            let actual = quotas.find(plan, "2022-01", &types, |_| true);
            assert_eq!(actual, Some(Decimal::from(expected)), "{types:?}");
        };
        check(&["booking"], 2);
        check(&["renewal"], 4);
        check(&["booking", "renewal"], 6);
        check(&["service"], 1);
    }
}
