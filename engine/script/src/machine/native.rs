//! The few expressions that stand in most plans and need no interpreter.
//!
//! Not an optimizer: exactly these texts. Called by `machine`.
//!
//! **Architecture invariant:** a native form answers and faults like the same text interpreted; a
//! test compares them.

use rhai::Dynamic;
use rust_decimal::Decimal;

use crate::{Arguments, Fault, api, fault};
use accredit_domain::policy::{Form, Program};

/// A text that needs no interpreter.
pub(super) enum Native {
    /// The expression `tx.amount`.
    TransactionAmount,
    /// The expression `credit.amount`.
    CreditAmount,
    /// A number or text that is written out.
    Literal(Dynamic),
}

/// Digits of a number literal that certainly means the same to Rhai.
const LITERAL_DIGITS_MAX: usize = 15;

impl Native {
    /// The native form of an expression that has one.
    pub(super) fn of(program: &Program) -> Option<Native> {
        let Form::Expression(place) = program.form else { return None };
        match &*program.source {
            "tx.amount" if place.variables().contains(&"tx") => Some(Native::TransactionAmount),
            "credit.amount" if place.variables().contains(&"credit") => Some(Native::CreditAmount),
            "true" => Some(Native::Literal(true.into())),
            "false" => Some(Native::Literal(false.into())),
            text => literal(text).map(Native::Literal),
        }
    }

    /// The value of the expression.
    pub(super) fn run(&self, program: &Program, with: &Arguments<'_>) -> Result<Dynamic, Fault> {
        match self {
            Native::TransactionAmount => api::amount(with.tx).map_err(|error| {
                let mut fault = fault::of_error(program, &error);
                fault.place = program.origin.at(1, AMOUNT_COLUMN);
                fault
            }),
            Native::CreditAmount => match with.credit {
                Some(credit) => Ok(credit.amount.into()),
                None => Err(fault::of_program(program, "`credit` is not known here")),
            },
            Native::Literal(value) => Ok(value.clone()),
        }
    }
}

/// Column of `amount` in `tx.amount`.
const AMOUNT_COLUMN: u32 = 4;

fn literal(text: &str) -> Option<Dynamic> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > LITERAL_DIGITS_MAX || !digits(whole) || !digits(fraction) {
        return None;
    }
    Decimal::from_str_exact(text).ok().map(Dynamic::from)
}
