//! What the fields of values mean that scripts see, in a line each.
//!
//! Not which fields there are, which the language says. Called by completions and hints.
//!
//! **Architecture invariant:** every field of the language has its line here; a test compares.

use accredit_script::kind::ValueKind::{
    self, Any, Array, Credits, Date, MaybeNumber, MaybeText, Number, Text,
};

/// A field: the value before the dot, its name, the kind of what it gives, and what that is.
pub(crate) type FieldDoc = (&'static str, &'static str, ValueKind, &'static str);

/// Values that scripts see, with what each is.
pub(crate) const VALUE_DOCS: &[(&str, &str)] = &[
    ("tx", "The deal that is decided. Columns stand in brackets: `tx[\"Rep #1\"]`."),
    ("credit", "The credit in question; in a rollup, the direct credit that rolls."),
    ("to", "The recipient of the credit; in a rollup, its receiver."),
    ("existing", "Earlier credits of the deal in this plan, in order."),
    ("payee", "The participant or the team that the reward is computed for."),
    ("totals", "Sums of the payee's credits: `totals.credited`, `totals[\"booking\"]`."),
    ("quota", "What is expected of the payee, or `()` without a quota."),
    ("earned", "What earlier rewards of the plan earned in the period, by name."),
    ("paid", "What earlier periods of the fiscal year paid, by name of the reward."),
    ("standing", "The place among all who have a claim to the reward."),
    ("period", "The id of the period."),
    ("payload", "The body of the delivery, as a map."),
];

const FIELD_DOCS: &[FieldDoc] = &[
    ("tx", "id", Text, "The natural key."),
    ("tx", "date", Date, "The incentive date."),
    ("tx", "period", Text, "The id of the period of the incentive date."),
    ("tx", "amount", Number, "The deal's amount, in the deal's currency."),
    ("tx", "quantity", Number, "The number of units."),
    ("tx", "product", Text, "The product."),
    ("tx", "customer", Text, "The customer."),
    ("tx", "geography", Text, "The geography."),
    ("tx", "postal_code", Text, "The postal code, as text."),
    ("tx", "currency", Text, "The currency of the amount."),
    ("tx", "default_credit", Text, "Whom the plan credits where it names nobody: the owner."),
    ("credit", "amount", Number, "The amount, rounded to its unit."),
    ("credit", "unit_type", Text, "The unit of the amount."),
    ("credit", "credit_type", Text, "The credit type."),
    ("credit", "kind", Text, "`direct` or `indirect`."),
    ("credit", "rule", Text, "The rule that made it."),
    ("credit", "result", Text, "The result of the rule."),
    ("credit", "period", Text, "The id of its period."),
    ("credit", "position", MaybeText, "The position; `()` on a team's credit."),
    ("credit", "title", MaybeText, "The title of the position; `()` on a team's credit."),
    ("credit", "payee", MaybeText, "The participant; `()` on a vacant position."),
    ("credit", "team", MaybeText, "The team that was credited, or that led to the position."),
    ("credit", "relationship", MaybeText, "The relationship by which it rolled; else `()`."),
    ("credit", "via", MaybeText, "From whom it rolled; `()` on a direct credit."),
    ("credit", "level", MaybeNumber, "Levels above the direct credit; `()` on a direct credit."),
    ("credit", "weight", MaybeNumber, "The part of the deal, as it was written."),
    ("to", "position", MaybeText, "The position; `()` for a team."),
    ("to", "title", MaybeText, "The title of the position; `()` for a team."),
    ("to", "payee", MaybeText, "The participant; `()` on a vacant position."),
    ("to", "team", MaybeText, "The team that is credited, or that led to the position."),
    ("to", "relationship", MaybeText, "The relationship by which a credit rolls to it."),
    ("to", "via", MaybeText, "From whom a credit rolls to it."),
    ("to", "level", MaybeNumber, "Levels above the direct credit."),
    ("existing", "len", Number, "How many there are: `existing.len()`."),
    ("existing", "is_empty", Any, "Whether there is none: `existing.is_empty()`."),
    ("payee", "id", Text, "The id of the participant or team."),
    ("payee", "name", Text, "The name."),
    ("payee", "position", MaybeText, "The position on the last day of the period."),
    ("payee", "title", MaybeText, "The title of that position."),
    ("payee", "team", MaybeText, "The team, where teams are measured."),
    ("payee", "period", Text, "The id of the period."),
    ("payee", "unit_type", Text, "The unit of the reward."),
    ("totals", "credited", Number, "The sum that counts for the reward."),
    ("totals", "count", Number, "How many deals are behind it."),
    ("earned", "total", Number, "The sum of all rewards before this one."),
    ("paid", "total", Number, "The sum of all rewards of earlier periods."),
    ("standing", "rank", Number, "The place, from 1; equal sums share the better one."),
    ("standing", "of", Number, "How many have a claim."),
    ("who", "position", MaybeText, "The position on the incentive date."),
    ("who", "title", MaybeText, "The title of the position."),
    ("who", "payee", MaybeText, "The participant; `()` on a vacant position."),
    ("who", "manager", MaybeText, "The position of the manager."),
    ("who", "teams", Array, "The teams."),
    ("date", "year", Number, "The year."),
    ("date", "month", Number, "The month, from 1."),
    ("date", "day", Number, "The day of the month."),
];

/// The fields of the value with this name.
pub(crate) fn fields_of(value: &str) -> impl Iterator<Item = &'static FieldDoc> {
    FIELD_DOCS.iter().filter(move |(owner, ..)| *owner == value)
}

/// A field of a value.
pub(crate) fn find_field(value: &str, name: &str) -> Option<&'static FieldDoc> {
    fields_of(value).find(|(_, field, ..)| *field == name)
}

/// What a value is that scripts see.
pub(crate) fn find_value(name: &str) -> Option<&'static str> {
    VALUE_DOCS.iter().find(|(value, _)| *value == name).map(|(_, about)| *about)
}

/// Whether a kind may be nothing.
pub(crate) fn kind_in_words(kind: ValueKind) -> String {
    let maybe = matches!(kind, MaybeText | MaybeNumber);
    let word = if kind == Credits { "credits" } else { kind.word() };
    if maybe { format!("{word} or ()") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accredit_script::reference::view_fields;

    /// Fields of the language that have no line here.
    fn missing_fields() -> Vec<String> {
        let known = view_fields()
            .into_iter()
            .flat_map(|(owner, names)| names.into_iter().map(move |name| (owner, name)));
        let missing = known.filter(|(owner, name)| find_field(owner, name).is_none());
        missing.map(|(owner, name)| format!("{owner}.{name}")).collect()
    }

    /// A field that is new in the language would have no hint.
    #[test]
    fn every_field_of_the_language_is_described() {
        assert_eq!(missing_fields(), Vec::<String>::new());
    }
}
