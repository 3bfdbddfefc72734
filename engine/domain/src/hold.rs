//! Holds: how long a credit waits, as plans and policies state it, and the day on which that ends.
//!
//! Everything about a kind of hold is here: its word in a plan, its text in a trace, its end. Only
//! the script function for a hold is beside the other functions (`script/api`). Not releasing
//! (`crediting/stage/hold`). Source: DOMAIN 2.10, decisions D10 and D13.
//!
//! **Architecture invariant:** a hold has one end for a calendar and a date, or an error that says
//! why it has none; it never ends early.

use jiff::civil::Date;

use crate::calendar::{Calendar, HoldLength, PeriodKind};
use crate::transaction::dates;

/// How long a credit is held, from the incentive date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// Not held: it counts at once.
    None,
    /// For a length of time.
    For(HoldLength),
    /// The credit is held until this day.
    Until(Date),
    /// Until the first day of the period with this id.
    UntilPeriod(String),
    /// Until the first day of the next period of a kind.
    Next(PeriodKind),
    /// Until it is released manually, for this reason; blank for none.
    Indefinitely(String),
}

/// When a hold ends for one credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldEnd {
    /// There is nothing to wait for.
    Now,
    /// The hold ends on this day.
    On(Date),
    /// When it is released manually; the reason that the credit shows.
    OnRelease(String),
}

/// Words that stand alone or before a colon in a plan's `hold`.
pub const HOLD_WORDS: [&str; 9] =
    ["none", "indefinite", "days", "months", "quarters", "years", "date", "period", "next"];

impl Hold {
    /// The hold that a plan writes as `word` or `word:argument`.
    ///
    /// # Errors
    /// None for a word that is no hold; else what is wrong, and what to write instead.
    pub fn parse(
        word: &str,
        argument: Option<&str>,
        calendar: &Calendar,
    ) -> Option<Result<Hold, HoldRefusal>> {
        let hold = match (word, argument) {
            ("none", None) => Ok(Hold::None),
            ("indefinite", None) => Ok(Hold::Indefinitely(String::new())),
            ("days" | "months" | "quarters" | "years", Some(count)) => parse_length(word, count),
            ("date", Some(day)) => dates::parse_iso_date(day)
                .map(Hold::Until)
                .ok_or_else(|| HoldRefusal::with_help("a day such as `date:2017-03-31`")),
            ("period", Some(id)) => calendar
                .find(id)
                .map(|period| Hold::Until(period.first))
                .ok_or_else(|| HoldRefusal::with_help("a period's id such as `period:2017-04`")),
            ("next", Some(kind)) => PeriodKind::parse(kind).map(Hold::Next).ok_or_else(|| {
                HoldRefusal::with_help("`next:month`, `next:quarter` or `next:year`")
            }),
            _ => return None,
        };

        Some(hold)
    }

    /// When the hold of a credit with this incentive date ends.
    ///
    /// # Errors
    /// The reason why the calendar does not have this day.
    pub fn end(&self, calendar: &Calendar, incentive_date: Date) -> Result<HoldEnd, String> {
        let date = match self {
            Hold::None => return Ok(HoldEnd::Now),
            Hold::Indefinitely(reason) => return Ok(HoldEnd::OnRelease(release_reason(reason))),
            Hold::For(length) => length.hold_end(incentive_date),
            Hold::Until(date) => Some(*date),
            Hold::Next(kind) => calendar.next_period_start(incentive_date, *kind),
            Hold::UntilPeriod(id) => match calendar.find(id) {
                Some(period) => Some(period.first),
                None => return Err(format!("there is no period `{id}`")),
            },
        };

        let date = date.ok_or("the hold would end beyond the calendar")?;
        // INV-O1: a release is never before the incentive date; such a hold has nothing to wait for.
        Ok(if date <= incentive_date { HoldEnd::Now } else { HoldEnd::On(date) })
    }

    /// The hold, written as a call in a script.
    pub fn script_text(&self) -> String {
        match self {
            Hold::None => "no_hold()".to_owned(),
            Hold::For(HoldLength::Days(days)) => format!("hold_for({days}, \"days\")"),
            Hold::For(HoldLength::Months(months)) => format!("hold_for({months}, \"months\")"),
            Hold::Until(date) => format!("hold_until({date})"),
            Hold::UntilPeriod(id) => format!("hold_until_period({id:?})"),
            Hold::Next(kind) => format!("hold_until_next({:?})", kind.name()),
            Hold::Indefinitely(reason) => format!("hold_indefinitely({reason:?})"),
        }
    }
}

/// Why a plan's hold was refused, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRefusal {
    /// What is wrong, where that is not simply that it is not a hold.
    pub message: Option<String>,
    /// Advice on what to write instead.
    pub help: String,
}

impl HoldRefusal {
    fn with_help(what: &str) -> HoldRefusal {
        HoldRefusal { message: None, help: format!("write {what}") }
    }
}

/// A hold of so many days, months, quarters or years.
fn parse_length(unit: &str, count: &str) -> Result<Hold, HoldRefusal> {
    let is_count = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
    if !is_count {
        return Err(HoldRefusal::with_help("a count from 0, such as `days:30`"));
    }

    let length = count.parse().ok().and_then(|count: i32| HoldLength::parse(count, unit));
    match length.filter(|length| length.is_possible_hold()) {
        Some(HoldLength::Days(0) | HoldLength::Months(0)) => Ok(Hold::None),
        Some(length) => Ok(Hold::For(length)),
        None => Err(HoldRefusal {
            message: Some(format!("a hold of {count} {unit} would always end beyond the calendar")),
            help: "write fewer, or `indefinite` for a hold that is released by hand".to_owned(),
        }),
    }
}

/// The reason of a hold without an end, which a credit that is not active always has.
fn release_reason(reason: &str) -> String {
    let reason = reason.trim();
    if reason.is_empty() { "indefinite".to_owned() } else { reason.to_owned() }
}
