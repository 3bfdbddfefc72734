//! A small customer and its transactions as plain data, and the numbers that make them up.

use jiff::civil::Date;
use rust_decimal::Decimal;

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

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Split {
    Refuse,
    Equal,
    Full,
    First,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Assign {
    Owner,
    Preassigned,
    /// `field:desk`
    Desk,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Hold {
    None,
    Indefinite,
    Days(i32),
    Months(i32),
    Quarters(i32),
    Years(i32),
    On(Date),
    NextQuarter,
}

/// A filter or a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Test {
    Always,
    /// `tx.amount > N`
    Over(i64),
    /// `tx["stage"] == "Won"`
    Won,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Nothing written: `tx.amount` of a direct result, `credit.amount` of an indirect one.
    Default,
    /// `tx.amount * F`
    Amount(Decimal),
    /// `credit.amount * F`
    Credit(Decimal),
    Fixed(Decimal),
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
    pub(crate) duplicates: bool,
    pub(crate) credit_type: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Direct {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) test: Test,
    pub(crate) assign: Vec<Assign>,
    pub(crate) results: Vec<Outcome>,
}

#[derive(Debug, Clone)]
pub(crate) struct Indirect {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) test: Test,
    pub(crate) relationship: String,
    pub(crate) receivers: Vec<String>,
    pub(crate) results: Vec<Outcome>,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) span: Span,
    pub(crate) targets: Vec<String>,
    pub(crate) filter: Test,
    pub(crate) split: Split,
    pub(crate) total_one: bool,
    pub(crate) across_years: bool,
    pub(crate) direct: Vec<Direct>,
    pub(crate) indirect: Vec<Indirect>,
}

/// A row as delivered; everything is text.
#[derive(Debug, Clone)]
pub(crate) struct Tx {
    pub(crate) id: String,
    pub(crate) date: String,
    pub(crate) amount: String,
    /// Two columns of owners.
    pub(crate) owners: [String; 2],
    pub(crate) desk: String,
    pub(crate) positions: String,
    pub(crate) stage: String,
    /// A column declared as a number that no rule reads.
    pub(crate) units: String,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) scale: u32,
    pub(crate) year_starts: i8,
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
    pub(crate) plan: Plan,
    pub(crate) transactions: Vec<Tx>,
    pub(crate) as_of: Option<Date>,
}

/// SplitMix64.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, without, `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn word<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}
