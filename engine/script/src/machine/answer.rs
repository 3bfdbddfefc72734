//! Results of scripts as answers of the kind that was asked for.
//!
//! Not rounding and not looking up names. Called by `machine`.
//!
//! **Architecture invariant:** a result of the wrong kind is never converted into something that
//! was not said: text is no number, a number is no boolean, an unknown key is not ignored.

use jiff::civil::Date;
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;

use crate::value::{as_number, as_text, kind_word};
use crate::{RollupAnswer, ScriptAnswer, Share};
use accredit_domain::hold::Hold;
use accredit_domain::policy::ReturnType;

/// The answer that `value` is, or what should have been returned instead of what.
pub(super) fn answer_from_value(
    returns: ReturnType,
    value: &Dynamic,
) -> Result<ScriptAnswer, String> {
    match returns {
        ReturnType::Bool => match value.as_bool() {
            Ok(flag) => Ok(ScriptAnswer::Bool(flag)),
            Err(_) => wrong_kind("true or false", value),
        },
        ReturnType::Number => match as_number(value) {
            Some(number) => Ok(ScriptAnswer::Number(number)),
            None => wrong_kind("a number", value),
        },
        ReturnType::Recipients => recipients_from_value(value),
        ReturnType::Hold => match hold_from_value(value) {
            Some(hold) => Ok(ScriptAnswer::Hold(hold)),
            None => wrong_kind("a hold or a date", value),
        },
        ReturnType::Rolled => rollup_from_value(value),
        ReturnType::Rows => wrong_kind("rows", value),
    }
}

fn wrong_kind<T>(expected: &str, value: &Dynamic) -> Result<T, String> {
    Err(format!("{expected}, this one returned {}", kind_word(value)))
}

const RECIPIENTS: &str = "text, an array of shares, or ()";

fn recipients_from_value(value: &Dynamic) -> Result<ScriptAnswer, String> {
    if value.is_unit() {
        return Ok(ScriptAnswer::Nothing);
    }

    if let Some(text) = as_text(value) {
        return Ok(ScriptAnswer::Text(text.to_string()));
    }

    if let Some(share) = share_from_value(value) {
        return Ok(ScriptAnswer::Shares(vec![share]));
    }

    let Some(array) = value.read_lock::<Array>() else { return wrong_kind(RECIPIENTS, value) };
    // Empty parts of a text name no one, and neither does a blank text among others.
    let blank = |item: &&Dynamic| as_text(item).is_some_and(|who| who.trim().is_empty());

    let shares =
        array.iter().filter(|item| !blank(item)).map(|item| match share_from_value(item) {
            Some(share) => Ok(share),
            None => {
                Err(format!("{RECIPIENTS}, this one returned an array with {}", kind_word(item)))
            }
        });

    shares.collect::<Result<_, _>>().map(ScriptAnswer::Shares)
}

fn share_from_value(value: &Dynamic) -> Option<Share> {
    match as_text(value) {
        Some(who) => Some(Share { who: who.to_string(), weight: None }),
        None => value.read_lock::<Share>().map(|share| share.clone()),
    }
}

fn hold_from_value(value: &Dynamic) -> Option<Hold> {
    match value.read_lock::<Date>() {
        Some(date) => Some(Hold::Until(*date)),
        None => value.read_lock::<Hold>().map(|hold| hold.clone()),
    }
}

const ROLLED: &str = "a number, () or a map";

fn rollup_from_value(value: &Dynamic) -> Result<ScriptAnswer, String> {
    if value.is_unit() {
        return Ok(ScriptAnswer::Nothing);
    }

    if let Some(number) = as_number(value) {
        return Ok(ScriptAnswer::Number(number));
    }

    let Some(map) = value.read_lock::<Map>() else { return wrong_kind(ROLLED, value) };
    let mut rolled = RollupAnswer::default();
    let mut amount = None;

    // A value of nothing is as good as none: the policy leaves the part to the result.
    for (key, value) in map.iter().filter(|(_, value)| !value.is_unit()) {
        match key.as_str() {
            "amount" => amount = Some(expect_field(key, "a number", value, as_number(value))?),
            "maximum" => {
                rolled.maximum = Some(expect_field(key, "a number", value, as_number(value))?)
            }
            "credit_type" => {
                rolled.credit_type =
                    Some(expect_field(key, "text", value, as_text(value))?.to_string());
            }
            "hold" => {
                rolled.hold =
                    Some(expect_field(key, "a hold or a date", value, hold_from_value(value))?)
            }
            _ => {
                let known = "amount, credit_type, hold, maximum";
                return Err(format!("a map with {known}, this one has `{key}`"));
            }
        }
    }

    let missing = || "a map with amount, this one has none".to_owned();
    let amount: Decimal = amount.ok_or_else(missing)?;

    Ok(ScriptAnswer::Rolled(RollupAnswer { amount, ..rolled }))
}

fn expect_field<T>(
    key: &str,
    expected: &str,
    value: &Dynamic,
    read: Option<T>,
) -> Result<T, String> {
    read.ok_or_else(|| format!("{expected} as `{key}`, this one returned {}", kind_word(value)))
}
