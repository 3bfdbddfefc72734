//! `payee` and `totals`: what reward expressions and policies read.
//!
//! Not adding up (`crediting::reward`). Called by scripts; the list of names by `check`.
//!
//! **Architecture invariant:** a credit type that the workspace does not have is an error, never a
//! total of zero.

use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString};

use crate::value::{Outcome, raise};
use crate::{PayeeView, TotalsView};

/// The fields of `payee`.
pub(crate) const PAYEE_FIELDS: &[&str] =
    &["id", "name", "position", "title", "team", "period", "unit_type"];

/// The name after `totals.` that is no credit type.
pub(crate) const CREDITED: &str = "credited";

/// Registers the getters and indexers of these views.
pub(super) fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Arc<PayeeView>>("payee");
    engine.register_type_with_name::<Arc<TotalsView>>("totals");
    for name in PAYEE_FIELDS {
        engine.register_get(*name, move |payee: &mut Arc<PayeeView>| payee_field(payee, name));
    }
    engine.register_indexer_get(credit_total);
}

fn payee_field(payee: &mut Arc<PayeeView>, name: &str) -> Dynamic {
    let text = |text: &Arc<str>| Dynamic::from(ImmutableString::from(text.as_ref()));
    let optional = |value: &Option<Arc<str>>| value.as_ref().map_or(Dynamic::UNIT, text);

    match name {
        "id" => text(&payee.id),
        "name" => text(&payee.name),
        "position" => optional(&payee.position),
        "title" => optional(&payee.title),
        "team" => optional(&payee.team),
        "period" => text(&payee.period),
        "unit_type" => text(&payee.unit_type),
        _ => Dynamic::UNIT,
    }
}

/// `totals.credited`, and `totals.booking` or `totals["booking"]`.
fn credit_total(totals: &mut Arc<TotalsView>, name: &str) -> Outcome<Dynamic> {
    match totals.by_credit_type.get(name) {
        Some(total) => Ok((*total).into()),
        None if name == CREDITED => Ok(totals.credited.into()),
        None => raise(format!("there is no credit type `{name}`")),
    }
}
