//! A small customer and its transactions as plain data, and the numbers that make them up.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::rewards::{Draw, Formula, Quota, Reward};
use super::scripts::{Expr, Script};
use super::tables::{Attribute, Due, Table};

/// Two dates, both included; absent is without end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: Option<Date>,
    pub(crate) to: Option<Date>,
}

impl Span {
    pub(crate) fn has(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) currency: Option<String>,
}

/// One version of a position.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) manager: Option<String>,
    pub(crate) span: Span,
}

/// Who holds a position, and when.
#[derive(Debug, Clone)]
pub(crate) struct Sitting {
    pub(crate) seat: String,
    pub(crate) person: String,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) struct Alias {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) alias: String,
}

/// One version of a team.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    /// A position.
    pub(crate) manager: Option<String>,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) team: String,
    pub(crate) person: String,
    pub(crate) weight: String,
    pub(crate) span: Span,
}

/// A row of `territories.csv`.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub(crate) team: String,
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) through: String,
    pub(crate) span: Span,
}

/// A unit type and its decimals; absent is the workspace's number of them.
#[derive(Debug, Clone)]
pub(crate) struct UnitType {
    pub(crate) name: String,
    pub(crate) scale: Option<u32>,
}

/// A row of `exchange_rates.csv`.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    pub(crate) from_unit: String,
    pub(crate) to_unit: String,
    pub(crate) rate: Decimal,
    pub(crate) span: Span,
}

/// A row of `periods.csv`; a parent has no dates.
#[derive(Debug, Clone)]
pub(crate) struct PeriodRow {
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum Calendar {
    /// The month in which the fiscal year starts.
    Months(i8),
    /// Weeks in the months of a quarter, and the first days of years.
    Weeks([i64; 3], Vec<(i16, Date)>),
    Periods(Vec<PeriodRow>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Split {
    Refuse,
    Equal,
    Full,
    First,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Assign {
    Owner,
    Team,
    Preassigned,
    /// `field:desk`
    Desk,
    /// `territory`, or `territory:TEAM`
    Territory(Option<String>),
    /// `policy`, or `policy:NAME` by its place in the world
    Policy(Option<usize>),
}

/// What a team becomes in an individual plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Members {
    Equal,
    Weight,
    Full,
    Manager,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Hold {
    /// Nothing written: the plan's policy, else none.
    None,
    /// `none`
    Never,
    /// `policy:NAME`
    Policy(usize),
    Indefinite,
    Days(i32),
    Months(i32),
    Quarters(i32),
    Years(i32),
    On(Date),
    /// `period:ID`
    Until(String),
    NextMonth,
    NextQuarter,
    NextYear,
    /// `if credit.amount > N { hold_for(30, "days") } else { no_hold() }`
    Large(i64),
    /// `hold_until(add_days(tx.date, N))`
    DaysAfter(i32),
    /// Reads a number that may be blank.
    Units,
}

/// A filter or a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Test {
    /// Nothing written: of a filter the plan's policy, else true.
    Always,
    /// `policy:NAME`
    Policy(usize),
    /// `tx.amount > N`
    Over(i64),
    /// `tx["stage"] == "Won"`
    Won,
    /// `query:won`
    Query,
    /// Rows: the stage is Won, or the amount is more than this and the stage is Lost.
    Rows(i64),
    /// An expression by its place in the world.
    Inline(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// `policy:NAME`: a value policy of a direct result, a rollup policy of an indirect one.
    Policy(usize),
    /// Nothing written: the plan's policy, else `tx.amount` of a direct result and `credit.amount`
    /// of an indirect one.
    Default,
    /// `tx.amount * F`
    Amount(Decimal),
    /// `credit.amount * F`
    Credit(Decimal),
    Fixed(Decimal),
    /// `tx["units"] * F`
    Units(Decimal),
    /// `if tx.amount > N { tx.amount } else { tx.amount * F }`
    Step(i64, Decimal),
    /// An expression by its place in the world.
    Inline(usize),
    /// A rollup policy: `if credit.amount > N { credit.amount } else { () }`
    Above(i64),
}

/// Whether duplicates are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Keep {
    /// Nothing written: the plan's policy, else no.
    No,
    /// `false`
    Never,
    /// `policy:NAME`
    Policy(usize),
    Yes,
    /// `credit.kind == "indirect"`
    Indirect,
    /// `credit.amount > N`
    Over(i64),
    /// `existing.len() < N`
    Few(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cap {
    /// `tx.amount`
    Amount,
    Fixed(Decimal),
}

/// A result of a direct or an indirect rule; the latter does not read the rollable flags, the
/// former not the scope.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) cap: Option<Cap>,
    pub(crate) per_item: bool,
    pub(crate) hold: Hold,
    pub(crate) rollable: bool,
    pub(crate) on_reporting: bool,
    pub(crate) duplicates: Keep,
    pub(crate) credit_type: Option<String>,
    pub(crate) unit: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Direct {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) test: Test,
    /// None is the default.
    pub(crate) assign: Vec<Assign>,
    pub(crate) members: Option<Members>,
    pub(crate) results: Vec<Outcome>,
}

#[derive(Debug, Clone)]
pub(crate) struct Indirect {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) test: Test,
    pub(crate) relationship: String,
    pub(crate) receivers: Vec<String>,
    /// Ids of plans; none is the default.
    pub(crate) sources: Vec<String>,
    pub(crate) results: Vec<Outcome>,
}

/// By which periods a plan is calculated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pays {
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) by: Pays,
    /// `measure = "team"`
    pub(crate) teams: bool,
    pub(crate) span: Span,
    pub(crate) targets: Vec<String>,
    pub(crate) filter: Test,
    pub(crate) split: Split,
    pub(crate) total_one: bool,
    pub(crate) across_years: bool,
    /// Policies by their places in the world, at most one a kind.
    pub(crate) policies: Vec<usize>,
    pub(crate) direct: Vec<Direct>,
    pub(crate) indirect: Vec<Indirect>,
    /// The plan's reward policy.
    pub(crate) pays: Option<Formula>,
    pub(crate) rewards: Vec<Reward>,
    /// What is expected where no row fits, and whether a policy says it.
    pub(crate) quota: Option<(Due, bool)>,
    /// `prorate = true`
    pub(crate) prorate: bool,
    /// `late = "posted"`
    pub(crate) posted: bool,
    pub(crate) draws: Vec<Draw>,
    /// `carry_negative = true`
    pub(crate) carry: bool,
}

impl Plan {
    /// Whether anybody is paid by it.
    pub(crate) fn pays(&self) -> bool {
        !self.rewards.is_empty()
    }
}

/// A row as delivered; everything is text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tx {
    pub(crate) id: String,
    pub(crate) date: String,
    pub(crate) amount: String,
    /// Two columns of owners.
    pub(crate) owners: [String; 2],
    pub(crate) team: String,
    pub(crate) desk: String,
    pub(crate) positions: String,
    /// Related Order (Person) and Related Order (Position).
    pub(crate) related: [String; 2],
    pub(crate) stage: String,
    /// A column declared as a number.
    pub(crate) units: String,
    pub(crate) product: String,
    pub(crate) geography: String,
    pub(crate) postal: String,
    pub(crate) currency: String,
    pub(crate) received: Option<Date>,
    /// A person made the deal void.
    pub(crate) void: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Decimals of unit types that state none.
    pub(crate) scale: u32,
    pub(crate) units: Vec<UnitType>,
    pub(crate) rates: Vec<Rate>,
    pub(crate) calendar: Calendar,
    pub(crate) finalized: Vec<(String, Date)>,
    /// Which of them are not finalized but closed.
    pub(crate) closed: Vec<String>,
    pub(crate) us_dates: bool,
    /// Titles and managers stand in `participants.csv`; there is no `positions.csv`.
    pub(crate) simple: bool,
    pub(crate) kinds: Vec<String>,
    pub(crate) credit_types: Vec<String>,
    pub(crate) people: Vec<Person>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) sittings: Vec<Sitting>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) teams: Vec<Team>,
    pub(crate) members: Vec<Member>,
    pub(crate) areas: Vec<Area>,
    pub(crate) tables: Vec<Table>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) policies: Vec<Script>,
    /// Expressions of rules and results.
    pub(crate) inlines: Vec<Expr>,
    pub(crate) plans: Vec<Plan>,
    pub(crate) quotas: Vec<Quota>,
    /// A period that quotas prefer.
    pub(crate) period: Option<String>,
    pub(crate) transactions: Vec<Tx>,
    pub(crate) as_of: Option<Date>,
}

impl World {
    /// The decimals of a unit type.
    pub(crate) fn scale_of(&self, unit: &str) -> u32 {
        let found = self.units.iter().find(|known| known.name == unit);
        found.and_then(|known| known.scale).unwrap_or(self.scale)
    }
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}
