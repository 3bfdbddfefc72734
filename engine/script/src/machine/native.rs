//! The few expressions that stand in most plans and need no interpreter.
//!
//! Not an optimizer: exactly these texts. Called by `machine`.
//!
//! **Architecture invariant:** a native form answers and faults like the same text interpreted; a
//! test compares them.

use rust_decimal::Decimal;

use crate::value::ScriptValue;
use crate::{ScriptArguments, ScriptFault, api, fault};
use accredit_domain::policy::{Program, ProgramForm};

/// A text that needs no interpreter.
pub(super) enum NativeExpression {
    /// The expression `tx.amount`.
    TransactionAmount,
    /// The expression `credit.amount`.
    CreditAmount,
    /// A number or text that is written out.
    Literal(ScriptValue),
}

/// Digits of a number literal that certainly means the same to Rhai.
const LITERAL_DIGITS_MAX: usize = 15;

impl NativeExpression {
    /// The native form of an expression that has one.
    pub(super) fn from_program(program: &Program) -> Option<NativeExpression> {
        let ProgramForm::Expression(place) = program.form else { return None };
        match &*program.source {
            "tx.amount" if place.scope_variables().contains(&"tx") => {
                Some(NativeExpression::TransactionAmount)
            }
            "credit.amount" if place.scope_variables().contains(&"credit") => {
                Some(NativeExpression::CreditAmount)
            }
            "true" => Some(NativeExpression::Literal(true.into())),
            "false" => Some(NativeExpression::Literal(false.into())),
            text => literal_value(text).map(NativeExpression::Literal),
        }
    }

    /// The value of the expression.
    pub(super) fn run(
        &self,
        program: &Program,
        with: &ScriptArguments<'_>,
    ) -> Result<ScriptValue, ScriptFault> {
        match self {
            NativeExpression::TransactionAmount => {
                api::transaction_amount(with.tx).map_err(|error| {
                    let mut fault = fault::of_function(program, error);
                    fault.place = program.origin.place_at(1, AMOUNT_COLUMN);
                    fault
                })
            }
            NativeExpression::CreditAmount => match with.credit {
                Some(credit) => Ok(credit.amount.into()),
                None => Err(fault::of_program(program, "`credit` is not known here")),
            },
            NativeExpression::Literal(value) => Ok(value.clone()),
        }
    }
}

/// Column of `amount` in `tx.amount`.
const AMOUNT_COLUMN: u32 = 4;

fn literal_value(text: &str) -> Option<ScriptValue> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > LITERAL_DIGITS_MAX || !digits(whole) || !digits(fraction) {
        return None;
    }
    Decimal::from_str_exact(text).ok().map(ScriptValue::Number)
}
