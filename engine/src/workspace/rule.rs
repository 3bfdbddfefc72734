//! The rules of a plan: `[[direct]]` and `[[indirect]]`, with dates, conditions and recipients.
//!
//! Not their results (`result` reads them). Called by `plan`. Source: FORMAT section 3, DOMAIN 2.5
//! and 2.6.
//!
//! **Architecture invariant:** a rule's name is its own within the plan, direct and indirect rules
//! together, since credits are identified by it.

use std::sync::Arc;

use super::conditions;
use super::plan::{Defaults, Scope, selectors, validity};
use super::report::{Report, hint};
use super::result;
use super::setting::expression;
use super::settings::BUILT_IN;
use super::toml::{Item, Table, Text};
use crate::diagnostic::Diagnostic;
use crate::organization::RelationshipId;
use crate::plan::{Assign, DirectRule, IndirectRule, Relationship, Rule};
use crate::policy::{Kind, Use};
use crate::transaction::{Field, Names};

/// Characters in the name of a rule.
const NAME_CHARACTERS_MAX: usize = 64;

/// Tags of a rule.
const TAGS_MAX: usize = 50;

/// Reads the direct and indirect rules in file order.
pub(super) fn read(
    root: &mut Table<'_>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> (Vec<DirectRule>, Vec<IndirectRule>) {
    let mut names = Vec::new();
    let direct = root.tables("direct");
    let direct =
        direct.into_iter().filter_map(|table| direct_rule(table, &mut names, defaults, scope));
    let direct = direct.collect();
    let indirect = root.tables("indirect");
    let indirect =
        indirect.into_iter().filter_map(|table| indirect_rule(table, &mut names, defaults, scope));
    (direct, indirect.collect())
}

fn direct_rule(
    mut table: Table<'_>,
    names: &mut Vec<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<DirectRule> {
    let rule = rule(&mut table, names, Use::Condition, scope);
    let assign = assign(&mut table, defaults, scope);
    let results = result::direct(&mut table, defaults, scope);
    table.finish(&["members"]);
    Some(DirectRule { rule: rule?, assign: assign?, results })
}

fn indirect_rule(
    mut table: Table<'_>,
    names: &mut Vec<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<IndirectRule> {
    let rule = rule(&mut table, names, Use::IndirectCondition, scope);
    let relationship = table.need_text("relationship");
    let relationship = relationship.and_then(|text| relationship_of(table.report(), &text, scope));
    let receivers = selectors(&mut table, "receivers", scope);
    let sources = scope.references.read(&mut table, scope.plan);
    let results = result::indirect(&mut table, defaults, scope);
    table.finish(&[]);
    Some(IndirectRule { rule: rule?, relationship: relationship?, receivers, sources, results })
}

fn rule(
    table: &mut Table<'_>,
    names: &mut Vec<String>,
    place: Use,
    scope: Scope<'_>,
) -> Option<Rule> {
    let report = table.report();
    let name = table.need_text("name");
    if let Some(name) = &name {
        let length = name.text.chars().count();
        if length > NAME_CHARACTERS_MAX {
            let message = format!("the name of a rule has {length} characters");
            let help = format!("at most {NAME_CHARACTERS_MAX}; the rest belongs in `description`");
            report.error("CR027", name.place.clone(), message, &help);
        }
        once(report, name, names, "rule");
    }
    let description = table.text("description").map(|text| text.text).unwrap_or_default();
    let tags = table.take("tags").map(|item| tags(&item)).unwrap_or_default();
    let validity = validity(table);
    let condition = table.take("condition").and_then(|item| condition(&item, place, scope));
    Some(Rule { name: Arc::from(name?.text), description, tags, validity, condition })
}

/// Reports a name that was used before, and remembers it.
pub(super) fn once(report: &Report, name: &Text, names: &mut Vec<String>, what: &str) {
    if names.contains(&name.text) {
        let message = format!("there are two {what}s named `{}`", name.text);
        let help = "credits are identified by it: give one of them another name";
        report.error("CR026", name.place.clone(), message, help);
    } else {
        names.push(name.text.clone());
    }
}

fn tags(item: &Item<'_>) -> Vec<String> {
    let Some(items) = item.list() else { return Vec::new() };
    if items.len() > TAGS_MAX {
        let message = format!("a rule has {} tags", items.len());
        item.report().error("CR027", item.place(), message, &format!("at most {TAGS_MAX}"));
    }
    items.iter().filter_map(Item::text).map(|tag| tag.text).collect()
}

fn condition(item: &Item<'_>, place: Use, scope: Scope<'_>) -> Option<crate::policy::ProgramId> {
    if !item.is_list() {
        return expression(item, place, scope.names);
    }
    let rows = item.list()?;
    if rows.is_empty() {
        item.refuse("an expression, or at least one row");
        return None;
    }
    let source = conditions::lower(&rows, &scope.settings.fields, scope.columns)?;
    Some(scope.names.policies.expression(place, &source, item.place()))
}

/// Words that stand alone or before a colon in `assign`.
const ASSIGN_WORDS: [&str; 6] = ["owner", "team", "field", "preassigned", "territory", "policy"];

fn assign(table: &mut Table<'_>, defaults: &Defaults, scope: Scope<'_>) -> Option<Assign> {
    let report = table.report();
    let policy = defaults.get(&Kind::Crediting);
    let Some(item) = table.take("assign") else {
        if let Some(policy) = policy {
            return policy.map(Assign::Policy);
        }
        mapped_owner(table, scope);
        return Some(Assign::Owner);
    };
    if item.is_list() {
        report.not_yet(item.place(), "a list in `assign`");
        return None;
    }
    let text = item.text()?;
    let (word, argument) = match text.text.split_once(':') {
        Some((word, argument)) => (word, Some(argument.trim())),
        None => (text.text.as_str(), None),
    };
    match (word, argument) {
        ("owner", None) => {
            mapped_owner(table, scope);
            Some(Assign::Owner)
        }
        ("preassigned", None) => {
            if !scope.settings.fields.mapped.contains_key(&Field::Preassigned) {
                unmapped(report, &text, "preassigned");
            }
            Some(Assign::Preassigned)
        }
        ("field", Some(column)) if !column.is_empty() => {
            conditions::known_column(report, column, &text, scope.columns)
                .then(|| Assign::Column(column.to_owned()))
        }
        ("policy", Some(name)) => {
            let name = (name, &text.place);
            scope.names.policies.find(report, Kind::Crediting, name).map(Assign::Policy)
        }
        ("policy", None) => {
            if policy.is_none() {
                let message = "the plan has no crediting policy".to_owned();
                let help = "add `policies = { crediting = \"NAME\" }` or write `policy:NAME`";
                report.error("CR023", text.place, message, help);
            }
            policy.copied().flatten().map(Assign::Policy)
        }
        ("team" | "territory", None) | ("territory", Some(_)) => {
            report.not_yet(text.place, &format!("`assign = \"{}\"`", text.text));
            None
        }
        _ => {
            let message = format!("`{}` assigns nobody", text.text);
            report.error("CR024", text.place, message, &hint(word, "word", &ASSIGN_WORDS));
            None
        }
    }
}

fn mapped_owner(table: &Table<'_>, scope: Scope<'_>) {
    if !scope.settings.fields.names.contains_key(&Names::Owner) {
        let place = table.place();
        let text = Text { text: String::new(), origin: place.clone(), place };
        unmapped(table.report(), &text, "owner");
    }
}

/// Warns of a field without a column: the rule would never find anybody.
fn unmapped(report: &Report, text: &Text, key: &str) {
    let message = format!("no column is mapped to `{key}`, so nobody will be found");
    let help = format!("add `{key} = \"COLUMN\"` to [fields] in accredit.toml");
    report.push(Diagnostic::warning("CR025", text.place.clone(), message).help(help));
}

fn relationship_of(report: &Report, text: &Text, scope: Scope<'_>) -> Option<Relationship> {
    let fields = &scope.settings.fields;
    match text.text.as_str() {
        "Reporting" => return Some(Relationship::Reporting),
        "Related Order (Person)" => {
            if !fields.names.contains_key(&Names::RelatedPerson) {
                unmapped(report, text, "related_person");
            }
            return Some(Relationship::RelatedPerson);
        }
        "Related Order (Position)" => {
            if !fields.names.contains_key(&Names::RelatedPosition) {
                unmapped(report, text, "related_position");
            }
            return Some(Relationship::RelatedPosition);
        }
        "Parent Team" | "Team" => {
            report.not_yet(text.place.clone(), &format!("the relationship `{}`", text.text));
            return None;
        }
        _ => {}
    }
    let types = &scope.settings.relationship_types;
    let found = types.iter().position(|known| **known == *text.text);
    if found.is_none() {
        let known = types.iter().map(AsRef::as_ref).chain(BUILT_IN.into_iter().take(3));
        let named = ("relationship type", text.text.as_str());
        report.unknown("CR025", text.place.clone(), named, known);
    }
    found
        .and_then(|index| u16::try_from(index).ok())
        .map(|id| Relationship::Named(RelationshipId(id)))
}
