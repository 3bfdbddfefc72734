//! The tiers of a claimant, looked up in a table on the last day of the period.
//!
//! Not what they pay (`domain::plan::reward`), and not which rows count (`domain::tables`). Called
//! by `pay`.

use std::sync::Arc;

use accredit_domain::declared::DeclaredValue;
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::organization::attributes::AttributeBearer;
use accredit_domain::plan::reward::{TableTiers, Tiers};

use super::claim::{Claim, Claimant};
use super::pay::payee_view;
use super::scope::RewardContext;

/// The tiers of the table that a reward names, for the keys of a claimant.
///
/// # Errors
/// An alert that names the table, the keys and the date, where the table has no row for them.
pub(super) fn tiers_of_claim(
    context: &RewardContext<'_>,
    claim: &Claim,
    named: &TableTiers,
) -> Result<Tiers, Note> {
    let id = claim.claimant.id();
    let table = context.ruleset().tables.tiers.get(&named.table).ok_or_else(|| {
        context.reward_alert(NoteCode::PolicyError, &format!("there is no table `{}`", named.table))
    })?;

    let keys: Vec<Arc<str>> = table.keys.iter().map(|key| key_of(context, claim, key)).collect();
    let given: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();

    let tiers = table.tiers_on(&given, context.scope.last).ok_or_else(|| {
        let pairs = table.keys.iter().zip(&keys).map(|(key, cell)| format!("{key} `{cell}`"));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        let message = format!(
            "for `{id}`: `{}` has no tiers for {pairs} on {}: add a row, or one with `*`",
            named.table, context.scope.last
        );
        context.reward_alert(NoteCode::PolicyError, &message)
    })?;

    Ok(Tiers { tiers, retroactive: named.retroactive })
}

/// A key of a claimant: a word of [`accredit_domain::plan::reward::TIER_KEYS`], or an attribute;
/// blank where the claimant has none.
fn key_of(context: &RewardContext<'_>, claim: &Claim, key: &str) -> Arc<str> {
    let organization = &context.ruleset().organization;
    let payee = payee_view(context, claim);
    let found = match key {
        "title" => payee.title.map(Arc::from),
        "position" => payee.position.map(Arc::from),
        "payee" => Some(payee.id),
        "team" => payee.team,
        "unit_type" => Some(payee.unit_type),
        "credit_type" => context.reward.credit_types.first().copied().map(Arc::from),
        _ => {
            let bearers = match &claim.claimant {
                Claimant::Participant(_, person) => [
                    Some(AttributeBearer::Participant(*person)),
                    payee
                        .position
                        .and_then(|seat| organization.find_position(&seat))
                        .map(AttributeBearer::Position),
                ],
                Claimant::Team(_, team) => [Some(AttributeBearer::Team(*team)), None],
            };
            let value =
                organization.attribute_on(bearers.into_iter().flatten(), key, context.scope.last);
            value.map(DeclaredValue::to_key)
        }
    };
    found.unwrap_or_else(|| Arc::from(""))
}
