//! Impact in money: what other rules would do to transactions that were recorded.
//!
//! Compares decisions with decisions and adds up what differs, by payee, by manager, by plan, by
//! credit type and in all; says of each transaction where the two part. Pure: it neither decides
//! nor stores. Called by preview, by the stop-loss and by shadow runs. Source: DESIGN section 5,
//! DOMAIN D16.
//!
//! **Architecture invariant:** sums cover the decisions that differ and no others, so leaving out
//! transactions that cannot differ changes nothing; what was added can be taken back exactly.

mod reason;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use accredit_domain::limits::Limits;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::money::add_to_total;
use accredit_workspace::Ruleset;
use utoipa::ToSchema;

pub use self::report::ImpactReport;

/// What sums are made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ImpactDimension {
    /// Who is paid; `position:ID` where the position is vacant, `team:ID` where a team is credited.
    Payee,
    /// A position: everything credited to those who report to it, directly or not.
    Manager,
    /// A plan, named by its id.
    Plan,
    /// A credit type, named as in the settings.
    CreditType,
    /// Every credit, in one sum a unit type.
    All,
}

/// What a sum is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImpactKey {
    /// The dimension of the comparison.
    pub by: ImpactDimension,
    /// Of whom or what; blank for all.
    pub name: String,
    /// Unit type: amounts of two are never added.
    pub unit_type: String,
}

/// Amounts before and after. Held credits count in `before` and `after` too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say what is summed")]
pub struct ImpactSum {
    pub before: Decimal,
    pub after: Decimal,
    pub held_before: Decimal,
    pub held_after: Decimal,
}

impl ImpactSum {
    /// Adds `other`, or takes it away where `sign` is negative.
    fn add_signed(&mut self, other: &ImpactSum, sign: Decimal) {
        let parts = [
            (&mut self.before, other.before),
            (&mut self.after, other.after),
            (&mut self.held_before, other.held_before),
            (&mut self.held_after, other.held_after),
        ];
        for (total, part) in parts {
            let change = if sign.is_sign_negative() { -part } else { part };
            add_to_total(total, change);
        }
    }

    fn is_zero(&self) -> bool {
        *self == ImpactSum::default()
    }

    /// The net change of the amount.
    pub fn net_change(&self) -> Decimal {
        self.after.saturating_sub(self.before)
    }
}

/// Where two decisions about one transaction part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionDifference {
    /// Natural key of the transaction.
    pub transaction: String,
    /// Id of the plan.
    pub plan: String,
    /// `outcome`, `added`, `removed`, `amount`, `status`, `payee` or `detail`.
    pub what: String,
    /// The rule of the first credit that differs.
    pub rule: Option<String>,
    /// The difference in one sentence.
    pub message: String,
}

/// The changes that one transaction adds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpactDelta {
    sums: Vec<(ImpactKey, ImpactSum)>,
    differences: Vec<DecisionDifference>,
}

impl ImpactDelta {
    /// Where the two sides part first.
    pub fn first_difference(&self) -> Option<&DecisionDifference> {
        self.differences.first()
    }
}

/// The sum of all differences.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// How many transactions were compared.
    pub transactions: u64,
    /// How many of them differ.
    pub differing: u64,
    #[serde(with = "report::pairs")]
    sums: BTreeMap<ImpactKey, ImpactSum>,
    differences: Vec<DecisionDifference>,
}

/// Differences that are kept one by one; sums have no limit.
const DIFFERENCES_MAX: usize = 200;

/// One transaction by the rules of two sides; none where they agree. `before` and `after` hold a
/// decision a plan; plans that one side does not have count as filtered.
pub fn compare_decisions(
    before: (&Ruleset, &[Decision]),
    after: (&Ruleset, &[Decision]),
) -> Option<ImpactDelta> {
    let mut delta = ImpactDelta::default();
    let mut sums = BTreeMap::new();
    let plans = before.1.iter().chain(after.1).map(|decision| decision.plan.as_str());
    let plans: std::collections::BTreeSet<&str> = plans.collect();

    for plan in plans {
        let of = |side: &'_ [Decision]| side.iter().find(|decision| decision.plan == plan).cloned();

        let (old, new) = (of(before.1), of(after.1));
        let Some(difference) = reason::first_difference(plan, old.as_ref(), new.as_ref()) else {
            continue;
        };

        delta.differences.push(difference);

        for credit in old.iter().flat_map(|decision| &decision.credits) {
            add_credit(&mut sums, before.0, credit, ImpactSide::Before);
        }
        for credit in new.iter().flat_map(|decision| &decision.credits) {
            add_credit(&mut sums, after.0, credit, ImpactSide::After);
        }
    }

    delta.sums =
        sums.into_iter().filter(|(_, sum): &(ImpactKey, ImpactSum)| !sum.is_zero()).collect();
    (!delta.differences.is_empty()).then_some(delta)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ImpactSide {
    Before,
    After,
}

fn add_credit(
    sums: &mut BTreeMap<ImpactKey, ImpactSum>,
    ruleset: &Ruleset,
    credit: &PostedCredit,
    side: ImpactSide,
) {
    // Suppressed and void credits pay nothing.
    if !credit.is_held() && !credit.is_active() {
        return;
    }

    let amount = credit.amount;
    let waiting = if credit.is_held() { amount } else { Decimal::ZERO };

    let sum = match side {
        ImpactSide::Before => {
            ImpactSum { before: amount, held_before: waiting, ..ImpactSum::default() }
        }
        ImpactSide::After => {
            ImpactSum { after: amount, held_after: waiting, ..ImpactSum::default() }
        }
    };

    let mut names = vec![
        (ImpactDimension::Payee, recipient_text(credit)),
        (ImpactDimension::Plan, credit.plan.to_string()),
        (ImpactDimension::CreditType, credit.credit_type.to_string()),
        (ImpactDimension::All, String::new()),
    ];
    // A manager is a holder of any position above the credited one, at any distance.
    names.extend(
        manager_positions(ruleset, credit).into_iter().map(|id| (ImpactDimension::Manager, id)),
    );

    for (by, name) in names {
        let key = ImpactKey { by, name, unit_type: credit.unit_type.to_string() };
        sums.entry(key).or_default().add_signed(&sum, Decimal::ONE);
    }
}

/// The payee, or the credited position or team if there is no payee.
fn recipient_text(credit: &PostedCredit) -> String {
    if let Some(payee) = &credit.payee {
        return payee.to_string();
    }
    match (&credit.position, &credit.team) {
        (Some(position), _) => format!("position:{position}"),
        (None, team) => format!("team:{}", team.as_deref().unwrap_or_default()),
    }
}

/// The positions above the one that is credited, on the incentive date.
fn manager_positions(ruleset: &Ruleset, credit: &PostedCredit) -> Vec<String> {
    let organization = &ruleset.organization;
    let position = credit.position.as_deref().and_then(|id| organization.find_position(id));
    let Some(position) = position else { return Vec::new() };

    let above = organization.ancestors_of(position, credit.incentive_date).iter();
    above.map(|(position, _)| organization.position_id(*position).to_string()).collect()
}

impl Impact {
    /// Counts a transaction that was compared, with what came of it.
    pub fn add_delta(&mut self, delta: Option<&ImpactDelta>) {
        self.transactions += 1;
        let Some(delta) = delta else { return };
        self.differing += 1;
        self.apply_delta(delta, Decimal::ONE);
        let room = DIFFERENCES_MAX.saturating_sub(self.differences.len());
        self.differences.extend(delta.differences.iter().take(room).cloned());
    }

    /// Takes back a transaction that was added, since it was decided anew.
    pub fn take_back(&mut self, delta: Option<&ImpactDelta>) {
        self.transactions = self.transactions.saturating_sub(1);
        let Some(delta) = delta else { return };
        self.differing = self.differing.saturating_sub(1);
        self.apply_delta(delta, Decimal::NEGATIVE_ONE);
        self.differences.retain(|known| !delta.differences.contains(known));
    }

    fn apply_delta(&mut self, delta: &ImpactDelta, sign: Decimal) {
        for (key, sum) in &delta.sums {
            let known = self.sums.entry(key.clone()).or_default();
            known.add_signed(sum, sign);
            if known.is_zero() {
                self.sums.remove(key);
            }
        }
    }

    /// Which limit is exceeded, in words; none when it stays within all.
    pub fn exceeded_limit(&self, limits: &Limits) -> Option<String> {
        let by_payee = self.sums.iter().filter(|(key, _)| key.by == ImpactDimension::Payee);
        let moved = by_payee.map(|(key, sum)| (&*key.name, &*key.unit_type, sum.net_change()));
        limits.exceeded(moved)
    }
}

/// Whether a transaction is in a plan at all.
fn outcome_of(decision: Option<&Decision>) -> DecisionOutcome {
    decision.map_or(DecisionOutcome::Filtered, |decision| decision.outcome)
}
