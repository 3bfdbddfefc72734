//! `payee`, `totals`, `earned`, `paid` and `standing`: what reward expressions and policies read.
//!
//! Not adding up (`crediting::reward`). Called by scripts; the list of names by `check`.
//!
//! **Architecture invariant:** a credit type that the workspace does not have, or a reward that does
//! not come before, is an error, never a total of zero.

use accredit_domain::keys::{DefinedName, PositionKey};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::value::{Outcome, ScriptValue, raise};
use crate::{EarnedView, PayeeView, StandingView, TotalsView};

/// The fields of `payee`.
pub(crate) const PAYEE_FIELDS: &[&str] =
    &["id", "name", "position", "title", "team", "period", "unit_type"];

/// The name after `totals.` that is no credit type: the sum of the credits that count.
pub(crate) const CREDITED: &str = "credited";

/// The name after `totals.` for the number of deals.
pub(crate) const COUNT: &str = "count";

/// The name after `earned.` and `paid.` that is no reward: the sum of all.
pub(crate) const EARNED_TOTAL: &str = "total";

/// The fields of `standing`.
pub(crate) const STANDING_FIELDS: &[&str] = &["rank", "of"];

/// The field `name` of a payee; none for other names.
pub(super) fn payee_field(payee: &PayeeView, name: &str) -> Option<ScriptValue> {
    let text = |text: &Arc<str>| ScriptValue::Text(Arc::clone(text));

    Some(match name {
        "id" => text(&payee.id),
        "name" => text(&payee.name),
        "position" => ScriptValue::optional_text(payee.position.as_ref().map(PositionKey::shared)),
        "title" => ScriptValue::optional_text(payee.title.as_ref().map(DefinedName::shared)),
        "team" => ScriptValue::optional_text(payee.team.as_ref()),
        "period" => text(&payee.period),
        "unit_type" => text(&payee.unit_type),
        _ => return None,
    })
}

/// `totals.credited`, and `totals.booking` or `totals["booking"]`.
pub(super) fn credit_total(totals: &TotalsView, name: &str) -> Outcome {
    match totals.by_credit_type.get(name) {
        Some(total) => Ok((*total).into()),
        None if name == CREDITED => Ok(totals.credited.into()),
        None if name == COUNT => Ok(Decimal::from(totals.count).into()),
        None => raise(format!("there is no credit type `{name}`")),
    }
}

/// `earned.total`, and `earned["Commission"]`: what a reward of this plan came to.
pub(super) fn earned_amount(earned: &EarnedView, name: &str) -> Outcome {
    match earned.by_reward.get(name) {
        Some(amount) => Ok((*amount).into()),
        None if name == EARNED_TOTAL => Ok(earned.total.into()),
        None => raise(format!("there is no reward `{name}` before this one")),
    }
}

/// `standing.rank` and `standing.of`.
pub(super) fn standing_field(standing: StandingView, name: &str) -> Option<ScriptValue> {
    Some(match name {
        "rank" => Decimal::from(standing.rank).into(),
        "of" => Decimal::from(standing.of).into(),
        _ => return None,
    })
}
