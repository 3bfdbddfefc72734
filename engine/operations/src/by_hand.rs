//! What acts by hand have in common: a reason code of the workspace, and an amount as it is written.
//!
//! Not the acts themselves (`adjust`, `manual_credits`, `manual_rewards`).

use accredit_domain::money;
use rust_decimal::Decimal;

use crate::context::Context;
use crate::error::OperationError;

/// The reason code of an act that needs one.
///
/// # Errors
/// [`OperationError::Invalid`] when there is none, or it is not one of the workspace's.
pub fn needed_reason_code(
    context: &Context,
    code: Option<String>,
) -> Result<String, OperationError> {
    let code = code.ok_or_else(|| {
        let detail = "an act by hand needs one of the workspace's reason codes";
        OperationError::invalid("reason_code_needed", detail)
    })?;
    check_reason_code(context, &code)?;
    Ok(code)
}

/// Refuses a reason code that is not one of the workspace's.
pub(crate) fn check_reason_code(context: &Context, code: &str) -> Result<(), OperationError> {
    let codes = &context.ruleset.load().settings.reason_codes;
    if codes.iter().any(|known| **known == *code) {
        return Ok(());
    }
    let detail = format!("`{code}` is not one of the workspace's reason codes");
    Err(OperationError::invalid("unknown_reason_code", detail))
}

/// A decimal as a person writes it.
///
/// # Errors
/// [`OperationError::Invalid`] when it is none.
pub fn read_decimal(text: &str) -> Result<Decimal, OperationError> {
    let read = Decimal::from_str_exact(text.trim());
    read.map_err(|_| bad_amount(format!("`{text}` is not a decimal such as `92.50`")))
}

/// The amount at the scale of its unit; one with more decimals is refused and not rounded.
pub(crate) fn checked_amount(amount: Decimal, scale: u8) -> Result<Decimal, OperationError> {
    money::within_limit(amount, scale).map_err(|too_large| bad_amount(too_large.to_string()))?;
    if amount.is_zero() || money::round_to_scale(amount, scale) != amount {
        return Err(bad_amount(format!(
            "{amount} must not be zero and may have {scale} decimals: write it as it is paid"
        )));
    }
    Ok(money::at_scale(amount, scale))
}

/// An amount that is refused, and why.
pub(crate) fn bad_amount(detail: String) -> OperationError {
    OperationError::invalid("bad_amount", detail)
}
