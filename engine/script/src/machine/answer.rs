//! Results of scripts as answers of the kind that was asked for.
//!
//! Not rounding and not looking up names. Called by `machine`.
//!
//! **Architecture invariant:** a result of the wrong kind is never converted into something that
//! was not said: text is no number, a number is no boolean, an unknown key is not ignored.

use jiff::civil::Date;
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;

use crate::value::{kind, number, text};
use crate::{Answer, Rolled, Share};
use accredit_domain::hold::Hold;
use accredit_domain::policy::Returns;

/// The answer that `value` is, or what should have been returned instead of what.
pub(super) fn of(returns: Returns, value: &Dynamic) -> Result<Answer, String> {
    match returns {
        Returns::Bool => match value.as_bool() {
            Ok(flag) => Ok(Answer::Bool(flag)),
            Err(_) => wrong("true or false", value),
        },
        Returns::Number => match number(value) {
            Some(number) => Ok(Answer::Number(number)),
            None => wrong("a number", value),
        },
        Returns::Recipients => recipients(value),
        Returns::Hold => match hold(value) {
            Some(hold) => Ok(Answer::Hold(hold)),
            None => wrong("a hold or a date", value),
        },
        Returns::Rolled => rolled(value),
        Returns::Rows => wrong("rows", value),
    }
}

fn wrong<T>(expected: &str, value: &Dynamic) -> Result<T, String> {
    Err(format!("{expected}, this one returned {}", kind(value)))
}

const RECIPIENTS: &str = "text, an array of shares, or ()";

fn recipients(value: &Dynamic) -> Result<Answer, String> {
    if value.is_unit() {
        return Ok(Answer::Nothing);
    }

    if let Some(text) = text(value) {
        return Ok(Answer::Text(text.to_string()));
    }

    if let Some(share) = share(value) {
        return Ok(Answer::Shares(vec![share]));
    }

    let Some(array) = value.read_lock::<Array>() else { return wrong(RECIPIENTS, value) };
    // The empty parts of a text name nobody, and neither does a blank text among others.
    let blank = |item: &&Dynamic| text(item).is_some_and(|who| who.trim().is_empty());

    let shares = array.iter().filter(|item| !blank(item)).map(|item| match share(item) {
        Some(share) => Ok(share),
        None => Err(format!("{RECIPIENTS}, this one returned an array with {}", kind(item))),
    });

    shares.collect::<Result<_, _>>().map(Answer::Shares)
}

fn share(value: &Dynamic) -> Option<Share> {
    match text(value) {
        Some(who) => Some(Share { who: who.to_string(), weight: None }),
        None => value.read_lock::<Share>().map(|share| share.clone()),
    }
}

fn hold(value: &Dynamic) -> Option<Hold> {
    match value.read_lock::<Date>() {
        Some(date) => Some(Hold::Until(*date)),
        None => value.read_lock::<Hold>().map(|hold| hold.clone()),
    }
}

const ROLLED: &str = "a number, () or a map";

fn rolled(value: &Dynamic) -> Result<Answer, String> {
    if value.is_unit() {
        return Ok(Answer::Nothing);
    }

    if let Some(number) = number(value) {
        return Ok(Answer::Number(number));
    }

    let Some(map) = value.read_lock::<Map>() else { return wrong(ROLLED, value) };
    let mut rolled = Rolled::default();
    let mut amount = None;

    // A value of nothing is as good as none: the policy leaves the part to the result.
    for (key, value) in map.iter().filter(|(_, value)| !value.is_unit()) {
        match key.as_str() {
            "amount" => amount = Some(field(key, "a number", value, number(value))?),
            "maximum" => rolled.maximum = Some(field(key, "a number", value, number(value))?),
            "credit_type" => {
                rolled.credit_type = Some(field(key, "text", value, text(value))?.to_string());
            }
            "hold" => rolled.hold = Some(field(key, "a hold or a date", value, hold(value))?),
            _ => {
                let known = "amount, credit_type, hold, maximum";
                return Err(format!("a map with {known}, this one has `{key}`"));
            }
        }
    }

    let missing = || "a map with amount, this one has none".to_owned();
    let amount: Decimal = amount.ok_or_else(missing)?;

    Ok(Answer::Rolled(Rolled { amount, ..rolled }))
}

fn field<T>(key: &str, expected: &str, value: &Dynamic, read: Option<T>) -> Result<T, String> {
    read.ok_or_else(|| format!("{expected} as `{key}`, this one returned {}", kind(value)))
}
