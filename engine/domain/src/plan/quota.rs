//! Quotas: the targets of a plan for its payees in a period.
//!
//! Not whether they were reached (`crediting::reward`). Filled by `workspace::quotas`.
//! Source: FORMAT
//! section 1.
//!
//! **Architecture invariant:** the nearest row wins: one for the participant beats those for
//! positions, which beat those for titles, for teams and for `*`; a quota of the period itself
//! beats the sum of those of its leaves.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::Selector;

/// One row of quotas.csv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Who the quota is for.
    pub target: Selector,
    /// How much, above 0, in the unit of the credits that count.
    pub amount: Decimal,
}

/// All quotas, by plan and period.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    rows: HashMap<(Arc<str>, String), Vec<Quota>>,
}

/// How near a row is: participant, position, title, team, all.
const RANKS: usize = 5;

impl Quotas {
    /// Adds a row.
    pub fn add(&mut self, plan: &str, period: &str, quota: Quota) {
        self.rows.entry((Arc::from(plan), period.to_owned())).or_default().push(quota);
    }

    /// Whether `plan` has any quota.
    pub fn has_quota(&self, plan: &str) -> bool {
        self.rows.keys().any(|(known, _)| **known == *plan)
    }

    /// The quota in a period, or else the sum of those in its `leaves`. `fits` says which rows
    /// apply to the payee; where several of the nearest do, as those of two positions, they sum.
    pub fn find(
        &self,
        plan: &Arc<str>,
        period: &str,
        leaves: &[String],
        fits: impl Fn(&Selector) -> bool,
    ) -> Option<Decimal> {
        let one = |period: &str| {
            let rows = self.rows.get(&(Arc::clone(plan), period.to_owned()))?;
            let mut found: [Option<Decimal>; RANKS] = [None; RANKS];
            // The nearest kind of target wins; of one kind all that fit are summed.
            for row in rows.iter().filter(|row| fits(&row.target)) {
                let sum = found.get_mut(target_rank(&row.target))?;
                *sum = Some(sum.unwrap_or_default().checked_add(row.amount)?);
            }
            found.into_iter().flatten().next()
        };

        // A quota of the year is the sum of its months, if there is no row for the year.
        let parts = || {
            let parts = leaves.iter().filter_map(|leaf| one(leaf));
            parts.reduce(|sum, part| sum.saturating_add(part))
        };

        one(period).or_else(parts)
    }
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

    #[test]
    fn the_nearest_row_wins() {
        let rows = [
            (Selector::All, 1),
            (Selector::Title("rep".to_owned()), 2),
            (Selector::Position(PositionId(0)), 4),
            (Selector::Position(PositionId(1)), 8),
            (Selector::Participant(ParticipantId(0)), 16),
        ];
        let plan: Arc<str> = Arc::from("p");
        let mut quotas = Quotas::default();
        for (target, amount) in rows {
            quotas.add(&plan, "2022-01", Quota { target, amount: Decimal::from(amount) });
        }
        quotas.add(&plan, "2022-02", Quota { target: Selector::All, amount: Decimal::from(32) });
        let check = |period: &str, leaves: &[&str], without: &[usize], expected: Option<i64>| {
            let leaves: Vec<String> = leaves.iter().map(|leaf| (*leaf).to_owned()).collect();
            let fits = |target: &Selector| !without.contains(&target_rank(target));
            let actual = quotas.find(&plan, period, &leaves, fits);
            assert_eq!(actual, expected.map(Decimal::from), "{period} without {without:?}");
        };
        check("2022-01", &[], &[], Some(16));
        check("2022-01", &[], &[0], Some(12));
        check("2022-01", &[], &[0, 1], Some(2));
        check("2022-01", &[], &[0, 1, 2], Some(1));
        check("2022-01", &[], &[0, 1, 2, 3, 4], None);
        check("2022-Q1", &["2022-01", "2022-02"], &[0, 1, 2], Some(33));
        check("2022-Q2", &["2022-04"], &[], None);
    }
}
