//! What a crediting or hold policy answers with: shares and holds.
//!
//! Not finding positions, and not computing the day a hold ends. Called by scripts.
//!
//! **Architecture invariant:** a share or hold that cannot be meant is refused where it is made, so
//! that the message points at the author's line.

use rhai::{Dynamic, Engine};

use super::ScriptFunction;
use super::signature::{call, named, of};
use crate::Share;
use crate::kind::ValueKind;
use crate::value::{self, Outcome, raise};
use accredit_domain::calendar::{HoldLength, PeriodKind};
use accredit_domain::hold::Hold;

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "share",
        signatures: &[
            call(&[named("who", ValueKind::Text)], ValueKind::Share),
            call(
                &[named("who", ValueKind::Text), named("weight", ValueKind::Number)],
                ValueKind::Share,
            ),
        ],
        page: "A recipient by name or alias, with the literal multiplier of its part.",
        arities: &[1, 2],
        register: |engine| {
            engine.register_fn("share", |who: &str| share(who, None));
            engine.register_fn("share", |who: &str, weight: Dynamic| share(who, Some(&weight)));
        },
    },
    ScriptFunction {
        name: "no_hold",
        signatures: &[call(&[], ValueKind::Hold)],
        page: "The credit is not held.",
        arities: &[0],
        register: |engine| {
            engine.register_fn("no_hold", || Hold::None);
        },
    },
    ScriptFunction {
        name: "hold_for",
        signatures: &[call(
            &[named("count", ValueKind::Number), named("unit", ValueKind::Text)],
            ValueKind::Hold,
        )],
        page: "The credit is held for so many days, months, quarters or years.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("hold_for", hold_for);
        },
    },
    ScriptFunction {
        name: "hold_until",
        signatures: &[call(&[of(ValueKind::Date)], ValueKind::Hold)],
        page: "The credit is held until that day.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("hold_until", Hold::Until);
        },
    },
    ScriptFunction {
        name: "hold_until_period",
        signatures: &[call(&[named("id", ValueKind::Text)], ValueKind::Hold)],
        page: "The credit is held until the first day of the period, for example \"2017-04\".",
        arities: &[1],
        register: |engine| {
            engine.register_fn("hold_until_period", |id: &str| Hold::UntilPeriod(id.to_owned()));
        },
    },
    ScriptFunction {
        name: "hold_until_next",
        signatures: &[call(&[named("kind", ValueKind::Text)], ValueKind::Hold)],
        page: "The credit is held until the next month, quarter or year begins.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("hold_until_next", hold_until_next);
        },
    },
    ScriptFunction {
        name: "hold_indefinitely",
        signatures: &[
            call(&[], ValueKind::Hold),
            call(&[named("reason", ValueKind::Text)], ValueKind::Hold),
        ],
        page: "The credit is held until it is released manually.",
        arities: &[0, 1],
        register: |engine| {
            engine.register_fn("hold_indefinitely", || Hold::Indefinitely(String::new()));
            engine.register_fn("hold_indefinitely", |reason: &str| {
                Hold::Indefinitely(reason.to_owned())
            });
        },
    },
];

/// The names of shares and holds in messages.
pub(super) fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Share>("share");
    engine.register_type_with_name::<Hold>("hold");
}

fn share(who: &str, weight: Option<&Dynamic>) -> Outcome<Share> {
    if who.trim().is_empty() {
        return raise("a share needs the name of a recipient");
    }
    let weight = match weight.map(|weight| (value::as_number(weight), value::kind_word(weight))) {
        Some((None, kind)) => return raise(format!("a weight is a number, not {kind}")),
        Some((weight, _)) => weight,
        None => None,
    };
    Ok(Share { who: who.to_owned(), weight })
}

fn hold_for(count: Dynamic, unit: &str) -> Outcome<Hold> {
    let whole = value::as_whole_number(&count).and_then(|count| i32::try_from(count).ok());
    let Some(whole) = whole.filter(|count| *count >= 0) else {
        return raise("a hold lasts a whole number of days, months, quarters or years, from 0");
    };
    match HoldLength::parse(whole, unit) {
        Some(length) => Ok(Hold::For(length)),
        None => raise(format!("`{unit}` is not a unit; use days, months, quarters or years")),
    }
}

fn hold_until_next(kind: &str) -> Outcome<Hold> {
    match PeriodKind::parse(kind) {
        Some(kind) => Ok(Hold::Next(kind)),
        None => raise(format!("`{kind}` is not a kind of period; use month, quarter or year")),
    }
}
