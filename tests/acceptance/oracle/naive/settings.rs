//! What the settings of rules and results say about a transaction and a credit.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::amounts::Number;
use super::{Case, Row, Status, periods, policies};
use crate::oracle::world::{Hold, Keep, Outcome, Plan, Test, Tx, Value, World};

pub(super) fn number(text: &str) -> Number {
    match text.trim() {
        "" => Err("policy_error"),
        text => text.parse().map_err(|_| "bad_value"),
    }
}

pub(super) fn date(tx: &Tx) -> Result<Date, &'static str> {
    match tx.date.trim() {
        "" => Err("no_period"),
        text => text.parse().map_err(|_| "bad_value"),
    }
}

pub(super) fn holds_true(
    (world, plan): (&World, &Plan),
    test: Test,
    tx: &Tx,
) -> Result<bool, &'static str> {
    match test {
        Test::Always => Ok(true),
        Test::Policy(place) => policies::includes((world, plan), place, tx),
        Test::Inline(place) => policies::is_so((world, plan), place, tx),
        Test::Over(limit) => Ok(number(&tx.amount)? > Decimal::from(limit)),
        Test::Won | Test::Query => Ok(tx.stage == "Won"),
        Test::Rows(limit) => {
            Ok(tx.stage == "Won"
                || (number(&tx.amount)? > Decimal::from(limit) && tx.stage == "Lost"))
        }
    }
}

/// The value of a result; nothing where it says that there is none.
pub(super) fn value(
    result: &Outcome,
    tx: &Tx,
    source: Option<&Row>,
) -> Result<Option<Decimal>, &'static str> {
    let amount = || number(&tx.amount);
    let credit = source.map(|row| row.amount);
    Ok(Some(match result.value {
        Value::Default | Value::Policy(_) | Value::Inline(_) => credit.map_or_else(amount, Ok)?,
        Value::Amount(factor) => amount()? * factor,
        Value::Credit(factor) => credit.unwrap() * factor,
        Value::Fixed(value) => value,
        Value::Units(factor) => number(&tx.units)? * factor,
        Value::Step(limit, factor) => {
            let amount = amount()?;
            if amount > Decimal::from(limit) { amount } else { amount * factor }
        }
        Value::Above(limit) => {
            return Ok(credit.filter(|credit| *credit > Decimal::from(limit)));
        }
    }))
}

/// Status, date of release, and a reason that is no hold's own.
pub(super) fn held(
    case: Case<'_>,
    hold: &Hold,
    amount: Decimal,
) -> (Status, Option<Date>, &'static str) {
    let hold = match hold {
        Hold::None | Hold::Never => return (Status::Active, None, ""),
        Hold::Indefinite => return (Status::Held, None, ""),
        Hold::Large(limit) if amount > Decimal::from(*limit) => &Hold::Days(30),
        Hold::Large(_) => return (Status::Active, None, ""),
        Hold::Units => match number(&case.tx.units) {
            Err(_) => return (Status::Held, None, "policy_error"),
            Ok(units) if units > Decimal::ONE => &Hold::Days(10),
            Ok(_) => return (Status::Active, None, ""),
        },
        hold => hold,
    };
    let end = periods::end(case.leaves, hold, case.date).unwrap();
    periods::held(case.leaves, case.plan, (case.date, end), case.world.as_of)
}

/// Whether a duplicate is kept; `existing` is the number of credits before it.
pub(super) fn kept(keep: Keep, amount: Decimal, direct: bool, existing: usize) -> bool {
    match keep {
        Keep::No | Keep::Never | Keep::Policy(_) => false,
        Keep::Yes => true,
        Keep::Indirect => !direct,
        Keep::Over(limit) => amount > Decimal::from(limit),
        Keep::Few(limit) => existing < limit,
    }
}
