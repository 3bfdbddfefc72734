//! `tiers = "table:NAME"`: that the table holds tiers, and that a payee has its keys.
//!
//! Not reading the table (`tables`). Called by `reward`.

use std::sync::Arc;

use super::super::plan::PlanScope;
use super::super::report::suggest_names;
use super::super::toml::{PlacedText, TomlItem};
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::keys::DefinedName;
use accredit_domain::plan::reward::TIER_KEYS;
use accredit_domain::tables::TableShape;

/// The name of the table of tiers that a reward names; nothing where it cannot be used, which is
/// reported.
pub(super) fn find_tiers(
    item: &TomlItem<'_>,
    text: &PlacedText,
    credit_types: Option<&[DefinedName]>,
    scope: PlanScope<'_>,
) -> Option<Arc<str>> {
    let report = item.report();
    let Some(name) = text.text.strip_prefix("table:").map(str::trim) else {
        item.refuse("a list of tiers, or \"table:NAME\"");
        return None;
    };

    let declared = &scope.settings.tables;
    let holds_tiers = |shape: &TableShape| shape.holds_tiers();
    let Some((name, table)) = declared.get_key_value(name) else {
        let of_tiers =
            declared.iter().filter(|(_, table)| table.shape.as_ref().is_some_and(holds_tiers));
        let names: Vec<&str> = of_tiers.map(|(name, _)| name.as_ref()).collect();
        let message = format!("there is no table `{name}`");
        let help = suggest_names(name, "table of tiers", &names);
        report.push(Diagnostic::error(Code::CR025, text.place.clone(), message).with_help(help));
        return None;
    };

    // One that was refused is reported where it is declared.
    let shape = table.shape.as_ref()?;
    if !shape.holds_tiers() {
        let message = format!("the table `{name}` holds no tiers");
        let help = "a table of tiers has the values `up_to` and `rate`, and no ranges";
        report.error(Code::CR024, text.place.clone(), message, help);
        return None;
    }

    for key in &shape.keys {
        let attribute = scope.organization.attributes.kind_of(key).is_some();
        // What a row leaves out of an organisation may be the attribute that is meant.
        if !attribute && !TIER_KEYS.contains(&key.as_ref()) && scope.whole {
            let message = format!("the table `{name}` has the key `{key}`, which no payee has");
            let help = format!("a key is an attribute, or one of {}", TIER_KEYS.join(", "));
            report.error(Code::CR025, text.place.clone(), message, &help);
            return None;
        }
        if &**key == "credit_type" && credit_types.is_some_and(|types| types.len() > 1) {
            let message = format!(
                "the table `{name}` has the key `credit_type`, and the reward has several of them"
            );
            let help = "make it a reward for each credit type";
            report.error(Code::CR024, text.place.clone(), message, help);
            return None;
        }
    }

    Some(Arc::clone(name))
}
