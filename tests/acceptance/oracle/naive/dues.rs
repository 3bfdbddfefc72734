//! Amounts that a plan asks for by payee and period: quotas where no row fits, and draws.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::scripts::{Found, reach};
use super::tables::{self, Payee};
use crate::oracle::tables::{Due, Key};
use crate::oracle::world::World;

/// The amount in a period whose last day is given; none where it fails.
pub(super) fn due(
    world: &World,
    due: &Due,
    payee: &Payee,
    (period, date): (&str, Date),
) -> Option<Decimal> {
    let row = |function, key| {
        let keys = [tables::key(world, payee, key, date)];
        tables::look_up(world, (function, "bonus"), &keys, date)
    };
    let found = match due {
        Due::Fixed(amount) => Some(*amount),
        Due::Rep(amount, _) if payee.title.as_deref() == Some("Rep") => Some(*amount),
        Due::Rep(_, other) => Some(*other),
        Due::Period(id, amount, _) if id == period => Some(*amount),
        Due::Period(_, _, other) => Some(*other),
        Due::Level(factor) => match tables::key(world, payee, Key::Level, date) {
            Found::Number(level) => Some(level * factor),
            _ => None,
        },
        Due::Row(key) => match row("lookup", *key) {
            Ok(Found::Number(amount)) => Some(amount),
            _ => None,
        },
        Due::Found(key, other) => match row("find", *key) {
            Ok(Found::Number(amount)) => Some(amount),
            Ok(Found::Nothing) => Some(*other),
            _ => None,
        },
    };
    reach(if found.is_some() { "due: an amount" } else { "due: a fault" });
    found
}
