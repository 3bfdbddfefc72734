//! An impact as it is shown: lists by payee, manager, plan and credit type, the largest first.
//!
//! Called by preview and shadow. Amounts are text, at the scale they were decided at.

use accredit_domain::limits::MoneyLine;
use serde::Serialize;
use utoipa::ToSchema;

use super::{DecisionDifference, Impact, ImpactDimension, ImpactKey, ImpactSum};

/// An impact as it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImpactReport {
    /// Transactions that were compared.
    pub transactions: u64,
    /// Transactions whose decisions differ.
    pub differing: u64,
    /// In all, a line a unit type.
    pub total: Vec<MoneyLine>,
    /// The sums of each payee.
    pub by_payee: Vec<MoneyLine>,
    /// By position that others report to.
    pub by_manager: Vec<MoneyLine>,
    /// The sums of each plan.
    pub by_plan: Vec<MoneyLine>,
    /// The sums of each credit type.
    pub by_credit_type: Vec<MoneyLine>,
    /// Where transactions part, up to a limit.
    pub differences: Vec<DecisionDifference>,
}

fn impact_line(key: &ImpactKey, sum: &ImpactSum) -> MoneyLine {
    MoneyLine {
        name: key.name.clone(),
        unit_type: key.unit_type.clone(),
        before: sum.before,
        after: sum.after,
        difference: sum.net_change(),
        held_before: sum.held_before,
        held_after: sum.held_after,
    }
}

impl Impact {
    /// The lists: only sums that differ, the largest differences first.
    pub fn to_report(&self) -> ImpactReport {
        let by = |by: ImpactDimension| {
            let mine = self.sums.iter().filter(|(key, _)| key.by == by);
            let differ = mine
                .filter(|(_, sum)| sum.before != sum.after || sum.held_before != sum.held_after);
            let mut lines: Vec<MoneyLine> =
                differ.map(|(key, sum)| impact_line(key, sum)).collect();

            // Stable: equal differences stay in order of their names.
            lines.sort_by_key(|line| std::cmp::Reverse(line.difference.abs()));
            lines
        };

        ImpactReport {
            transactions: self.transactions,
            differing: self.differing,
            total: by(ImpactDimension::All),
            by_payee: by(ImpactDimension::Payee),
            by_manager: by(ImpactDimension::Manager),
            by_plan: by(ImpactDimension::Plan),
            by_credit_type: by(ImpactDimension::CreditType),
            differences: self.differences.clone(),
        }
    }
}

/// Sums as a list of pairs: JSON has no keys but text.
pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{ImpactKey, ImpactSum};

    pub(crate) fn serialize<S: Serializer>(
        sums: &BTreeMap<ImpactKey, ImpactSum>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(sums)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ImpactKey, ImpactSum>, D::Error> {
        Ok(Vec::<(ImpactKey, ImpactSum)>::deserialize(deserializer)?.into_iter().collect())
    }
}
