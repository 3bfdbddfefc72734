//! Rewards and quotas of a world as plain data: what the files say and the naive reading works out.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::tables::{Due, Key};
use super::world::{Pays, Span};

/// A `[[reward]]`.
#[derive(Debug, Clone)]
pub(crate) struct Reward {
    pub(crate) name: String,
    /// As written; none is the only one there is.
    pub(crate) credit_types: Vec<String>,
    /// None is the default of the plan's measure.
    pub(crate) to: Option<To>,
    pub(crate) worth: Worth,
    pub(crate) maximum: Option<Formula>,
    /// Whether credits and quota are summed from the first day of a quarter or year.
    pub(crate) to_date: Option<Pays>,
    /// `quota = "span"`
    pub(crate) of_span: bool,
    pub(crate) everyone: bool,
    pub(crate) span: Span,
    /// None is everybody.
    pub(crate) targets: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum To {
    Credited,
    Members,
    UserManagers,
    TeamManagers,
}

#[derive(Debug, Clone)]
pub(crate) enum Worth {
    Tiers(Vec<Tier>, Retroactive),
    /// An expression in the plan.
    Value(Formula),
    /// A reward policy that the plan names as `value`.
    Policy(Formula),
    /// `tiers = "table:steps"`
    Table(Retroactive),
    /// Nothing written: the plan's reward policy.
    Default,
}

/// Whether the rate that is reached holds for the whole; none is not written.
pub(crate) type Retroactive = Option<bool>;

/// Texts as the file has them: `up_to` is an amount or a percentage of the quota.
#[derive(Debug, Clone)]
pub(crate) struct Tier {
    pub(crate) up_to: Option<&'static str>,
    pub(crate) rate: &'static str,
}

/// An amount out of `payee`, `totals` and `quota`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Formula {
    /// `F`
    Fixed(Decimal),
    /// `totals.credited * F`
    Share(Decimal),
    /// `totals["TYPE"] * F`
    Type(&'static str, Decimal),
    /// `if totals.credited > N { totals.credited * F } else { 0 }`
    Above(i64, Decimal),
    /// `totals.credited / quota * F`; a fault where there is no quota.
    Attained(Decimal),
    /// `if quota == () { F } else if totals.credited >= quota { totals.credited } else { 0 }`
    Reached(Decimal),
    /// `if payee.title == "Rep" { totals.credited } else { totals.credited * F }`
    Rep(Decimal),
    /// `if payee.team == () { totals.credited } else { totals.credited * F }`
    Team(Decimal),
    /// `if payee.unit_type == "USD" { totals.credited } else { F }`
    Dollars(Decimal),
    /// `if totals.credited > N { throw "no" } else { 1 }`
    Throws(i64),
    /// `min(0, F - earned.total)`
    Capped(Decimal),
    /// `earned["Bonus 0"] * F`
    OfFirst(Decimal),
    /// `min(F, 50 - paid.total)`
    OfYear(Decimal),
    /// `standing.rank * F + standing.of`
    Placed(Decimal),
    /// `totals.count * F`
    Deals(Decimal),
    /// `totals.credited * lookup("bonus", KEY)`; a fault where there is no row.
    Row(Key),
    /// `totals.credited * (find("bonus", KEY) ?? F)`
    Found(Key, Decimal),
    /// `totals.credited * payee["level"]`; a fault where there is no level.
    Level,
    /// `if payee["grade"] == "gold" { totals.credited } else { F }`
    Gold(Decimal),
    /// `if who("NAME")?.title == "Rep" { F } else { totals.credited }`
    Who(&'static str, Decimal),
}

/// A `[[draw]]`; the most that is recovered is as the file has it.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    pub(crate) name: String,
    pub(crate) amount: Due,
    pub(crate) recoverable: bool,
    /// None is all rewards.
    pub(crate) covers: Vec<String>,
    pub(crate) most: Option<&'static str>,
    pub(crate) from: Date,
    pub(crate) to: Option<Date>,
    /// None is the plan's.
    pub(crate) targets: Vec<String>,
}

/// A row of `quotas.csv`.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    pub(crate) plan: String,
    /// A selector, or a bare id.
    pub(crate) target: String,
    pub(crate) period: String,
    pub(crate) amount: String,
    /// Blank is any.
    pub(crate) credit_type: String,
}
