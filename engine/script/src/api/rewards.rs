//! `payee` and `totals`: what reward expressions and policies read.
//!
//! Not adding up (`crediting::reward`). Called by scripts; the list of names by `check`.
//!
//! **Architecture invariant:** a credit type that the workspace does not have is an error, never a
//! total of zero.

use std::sync::Arc;

use crate::value::{Outcome, ScriptValue, raise};
use crate::{PayeeView, TotalsView};

/// The fields of `payee`.
pub(crate) const PAYEE_FIELDS: &[&str] =
    &["id", "name", "position", "title", "team", "period", "unit_type"];

/// The name after `totals.` that is no credit type.
pub(crate) const CREDITED: &str = "credited";

/// The field `name` of a payee; none for other names.
pub(super) fn payee_field(payee: &PayeeView, name: &str) -> Option<ScriptValue> {
    let text = |text: &Arc<str>| ScriptValue::Text(Arc::clone(text));
    let optional = |text: &Option<Arc<str>>| ScriptValue::optional_text(text.as_ref());

    Some(match name {
        "id" => text(&payee.id),
        "name" => text(&payee.name),
        "position" => optional(&payee.position),
        "title" => optional(&payee.title),
        "team" => optional(&payee.team),
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
        None => raise(format!("there is no credit type `{name}`")),
    }
}
