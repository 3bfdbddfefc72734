//! Results of scripts as answers of the kind that was asked for.
//!
//! Not rounding and not looking up names. Called by `machine`.
//!
//! **Architecture invariant:** a result of the wrong kind is never converted into something that
//! was not said: text is no number, a number is no boolean, an unknown key is not ignored.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::value::ScriptValue;
use crate::{RollupAnswer, ScriptAnswer, Share};
use accredit_domain::hold::Hold;
use accredit_domain::policy::ReturnType;

/// The answer that `value` is, or what should have been returned instead of what.
pub(super) fn answer_from_value(
    returns: ReturnType,
    value: ScriptValue,
) -> Result<ScriptAnswer, String> {
    match returns {
        ReturnType::Bool => match value.as_bool() {
            Some(flag) => Ok(ScriptAnswer::Bool(flag)),
            None => wrong_kind("true or false", &value),
        },
        ReturnType::Number => match value.as_number() {
            Some(number) => Ok(ScriptAnswer::Number(number)),
            None => wrong_kind("a number", &value),
        },
        ReturnType::Recipients => recipients_from_value(value),
        ReturnType::Hold => match hold_from_value(&value) {
            Some(hold) => Ok(ScriptAnswer::Hold(hold)),
            None => wrong_kind("a hold or a date", &value),
        },
        ReturnType::Rolled => rollup_from_value(&value),
        ReturnType::Rows => wrong_kind("rows", &value),
    }
}

/// The answer that a plain value is; none for other values, of which some are answers as well.
#[inline]
pub(super) fn plain_answer(returns: ReturnType, value: &ScriptValue) -> Option<ScriptAnswer> {
    match (returns, value) {
        (ReturnType::Bool, ScriptValue::Bool(flag)) => Some(ScriptAnswer::Bool(*flag)),
        (ReturnType::Number | ReturnType::Rolled, ScriptValue::Number(number)) => {
            Some(ScriptAnswer::Number(*number))
        }
        (ReturnType::Hold, ScriptValue::Hold(hold)) => Some(ScriptAnswer::Hold(Hold::clone(hold))),
        (ReturnType::Recipients, ScriptValue::Text(text)) => {
            Some(ScriptAnswer::Text(Arc::clone(text)))
        }
        _ => None,
    }
}

fn wrong_kind<T>(expected: &str, value: &ScriptValue) -> Result<T, String> {
    Err(format!("{expected}, this one returned {}", value.kind_word()))
}

const RECIPIENTS: &str = "text, an array of shares, or ()";

fn recipients_from_value(value: ScriptValue) -> Result<ScriptAnswer, String> {
    let array = match value {
        ScriptValue::Unit => return Ok(ScriptAnswer::Nothing),
        ScriptValue::Text(text) => return Ok(ScriptAnswer::Text(text)),
        ScriptValue::Share(share) => {
            return Ok(ScriptAnswer::Shares(vec![Arc::unwrap_or_clone(share)]));
        }
        ScriptValue::Array(array) => array,
        other => return wrong_kind(RECIPIENTS, &other),
    };

    // Empty parts of a text name no one, and neither does a blank text among others.
    let blank = |item: &ScriptValue| item.as_text().is_some_and(|who| who.trim().is_empty());

    let shares = array.into_iter().filter(|item| !blank(item)).map(|item| match item {
        ScriptValue::Text(who) => Ok(Share { who, weight: None }),
        ScriptValue::Share(share) => Ok(Arc::unwrap_or_clone(share)),
        other => {
            Err(format!("{RECIPIENTS}, this one returned an array with {}", other.kind_word()))
        }
    });

    shares.collect::<Result<_, _>>().map(ScriptAnswer::Shares)
}

fn hold_from_value(value: &ScriptValue) -> Option<Hold> {
    match value {
        ScriptValue::Date(date) => Some(Hold::Until(*date)),
        ScriptValue::Hold(hold) => Some(Hold::clone(hold)),
        _ => None,
    }
}

const ROLLED: &str = "a number, () or a map";

fn rollup_from_value(value: &ScriptValue) -> Result<ScriptAnswer, String> {
    if value.is_unit() {
        return Ok(ScriptAnswer::Nothing);
    }

    if let Some(number) = value.as_number() {
        return Ok(ScriptAnswer::Number(number));
    }

    let ScriptValue::Map(map) = value else { return wrong_kind(ROLLED, value) };
    let mut rolled = RollupAnswer::default();
    let mut amount = None;

    // A value of nothing is as good as none: the policy leaves the part to the result.
    for (key, value) in map.iter().filter(|(_, value)| !value.is_unit()) {
        match &**key {
            "amount" => amount = Some(expect_field(key, "a number", value, value.as_number())?),
            "maximum" => {
                rolled.maximum = Some(expect_field(key, "a number", value, value.as_number())?)
            }
            "credit_type" => {
                rolled.credit_type =
                    Some(expect_field(key, "text", value, value.as_text())?.to_string());
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
    value: &ScriptValue,
    read: Option<T>,
) -> Result<T, String> {
    read.ok_or_else(|| format!("{expected} as `{key}`, this one returned {}", value.kind_word()))
}
