//! The semantics a second time: loops over lists, written from the format and the domain alone.

mod amounts;
mod direct;
mod indirect;
mod names;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::world::{Hold, Test, Tx, World};

/// An expected credit; credits of the same transaction are named by their place among them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) transaction: String,
    pub(crate) date: Date,
    pub(crate) rule: String,
    pub(crate) result: String,
    pub(crate) position: String,
    pub(crate) payee: Option<String>,
    /// Relationship, via, level and place of the source; none on a direct credit.
    pub(crate) rolled: Option<(String, String, u32, usize)>,
    pub(crate) share: Option<Decimal>,
    pub(crate) credit_type: String,
    pub(crate) amount: Decimal,
    pub(crate) status: Status,
    pub(crate) release: Option<Date>,
    pub(crate) other_year: bool,
    pub(crate) rollable: bool,
    pub(crate) on_reporting: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Status {
    Active,
    Held,
    /// A duplicate of the credit at this place.
    Suppressed(usize),
}

/// Codes that may be given as the reason; the format does not order them.
pub(crate) type Codes = Vec<&'static str>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decided {
    Filtered,
    Uncredited,
    Parked(Codes),
    Credited(Vec<Row>),
}

/// Everything of the fiscal year 2022, by date and natural key; what has no date comes first.
pub(crate) fn expected(world: &World) -> Vec<(String, Decided)> {
    let mut all: Vec<(Option<Date>, String, Decided)> = Vec::new();
    for (place, tx) in world.transactions.iter().enumerate() {
        if world.transactions.iter().skip(place + 1).any(|later| later.id == tx.id) {
            continue;
        }
        let date = date(tx).ok();
        if date.is_some_and(|date| fiscal_year(world, date) != 2022) {
            continue;
        }
        all.push((date, tx.id.clone(), decide(world, tx)));
    }
    all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    all.retain(|(_, _, decided)| *decided != Decided::Filtered);
    all.into_iter().map(|(_, id, decided)| (id, decided)).collect()
}

fn decide(world: &World, tx: &Tx) -> Decided {
    let mut codes: Codes = Vec::new();
    match holds_true(world.plan.filter, tx) {
        Ok(true) => (),
        Ok(false) => return Decided::Filtered,
        Err(code) => codes.push(code),
    }
    match date(tx) {
        Ok(date) if !world.plan.span.has(date) && codes.is_empty() => return Decided::Filtered,
        Ok(_) => (),
        Err(code) => codes.push(code),
    }
    let numbers = [&tx.amount, &tx.units];
    if numbers.into_iter().any(|text| number(text) == Err("bad_value")) {
        codes.push("bad_value");
    }
    let Ok(date) = date(tx) else { return Decided::Parked(codes) };
    if !codes.is_empty() {
        return Decided::Parked(codes);
    }
    let mut rows = Vec::new();
    if let Err(codes) = direct::credits(world, tx, date, &mut rows) {
        return Decided::Parked(codes);
    }
    for root in 0..rows.len() {
        if let Err(code) = indirect::credits(world, tx, date, root, &mut rows) {
            return Decided::Parked(vec![code]);
        }
    }
    if rows.is_empty() { Decided::Uncredited } else { Decided::Credited(rows) }
}

fn number(text: &str) -> Result<Decimal, &'static str> {
    match text.trim() {
        "" => Err("policy_error"),
        text => text.parse().map_err(|_| "bad_value"),
    }
}

fn date(tx: &Tx) -> Result<Date, &'static str> {
    match tx.date.trim() {
        "" => Err("no_period"),
        text => text.parse().map_err(|_| "bad_value"),
    }
}

fn holds_true(test: Test, tx: &Tx) -> Result<bool, &'static str> {
    match test {
        Test::Always => Ok(true),
        Test::Over(limit) => Ok(number(&tx.amount)? > Decimal::from(limit)),
        Test::Won => Ok(tx.stage == "Won"),
    }
}

/// Whether the position has a version on the day that one of the selectors names.
fn selected(world: &World, selectors: &[String], position: &str, date: Date) -> bool {
    for seat in &world.seats {
        if seat.id != position || !seat.span.has(date) {
            continue;
        }
        for selector in selectors {
            let title = selector.strip_prefix("title:").is_some_and(|title| title == seat.title);
            let place = selector.strip_prefix("position:").is_some_and(|id| id == seat.id);
            if selector == "*" || title || place {
                return true;
            }
        }
    }
    false
}

fn exists(world: &World, position: &str, date: Date) -> bool {
    world.seats.iter().any(|seat| seat.id == position && seat.span.has(date))
}

fn payee(world: &World, position: &str, date: Date) -> Option<String> {
    let sitting = world.sittings.iter().find(|s| s.seat == position && s.span.has(date))?;
    Some(sitting.person.clone())
}

/// The first credit that the duplication rule calls the same, if there is one.
fn twin(rows: &[Row], position: &str, credit_type: &str) -> Option<usize> {
    rows.iter().position(|row| {
        let counts = !matches!(row.status, Status::Suppressed(_));
        counts && row.position == position && row.credit_type == credit_type
    })
}

/// A year is named by the year it ends in.
fn fiscal_year(world: &World, date: Date) -> i16 {
    if world.year_starts > 1 && date.month() >= world.year_starts {
        date.year() + 1
    } else {
        date.year()
    }
}

fn add_months(date: Date, months: i32) -> Date {
    let count = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + months;
    let (year, month) = (count.div_euclid(12) as i16, count.rem_euclid(12) as i8 + 1);
    let mut day = date.day();
    loop {
        if let Ok(found) = Date::new(year, month, day) {
            return found;
        }
        day -= 1;
    }
}

/// Status, date of release, and whether the release would be in another fiscal year.
fn held(world: &World, hold: Hold, date: Date) -> (Status, Option<Date>, bool) {
    let end = match hold {
        Hold::None => return (Status::Active, None, false),
        Hold::Indefinite => return (Status::Held, None, false),
        Hold::Days(days) => {
            let mut end = date;
            for _ in 0..days {
                end = end.tomorrow().unwrap();
            }
            end
        }
        Hold::Months(months) => add_months(date, months),
        Hold::Quarters(quarters) => add_months(date, quarters * 3),
        Hold::Years(years) => add_months(date, years * 12),
        Hold::On(end) => end,
        Hold::NextQuarter => {
            let mut first = Date::new(date.year(), date.month(), 1).unwrap();
            loop {
                first = add_months(first, 1);
                if (first.month() - world.year_starts).rem_euclid(3) == 0 {
                    break first;
                }
            }
        }
    };
    if end <= date {
        return (Status::Active, None, false);
    }
    if fiscal_year(world, end) != fiscal_year(world, date) && !world.plan.across_years {
        return (Status::Held, None, true);
    }
    let over = world.as_of.is_some_and(|as_of| end <= as_of);
    (if over { Status::Active } else { Status::Held }, Some(end), false)
}
