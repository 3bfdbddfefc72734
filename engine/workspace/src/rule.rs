//! The rules of a plan: `[[direct]]` and `[[indirect]]`, with dates, conditions and relationships.
//!
//! Not their results (`result` reads them) and not where recipients come from (`assign`). Called by
//! `plan`. Source: FORMAT section 3, DOMAIN 2.5 and 2.6.
//!
//! **Architecture invariant:** a rule's name is its own within the plan, direct and indirect rules
//! together, since credits are identified by it.

use std::collections::HashSet;
use std::sync::Arc;

use super::appearance;
use super::assign;
use super::conditions;
use super::plan::{Defaults, Scope, validity};
use super::report::Report;
use super::result;
use super::selector::selectors;
use super::setting::expression;
use super::toml::{Item, Table, Text};
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::RelationshipId;
use accredit_domain::plan::{DirectRule, IndirectRule, Measure, Relationship, Rule};
use accredit_domain::policy::Use;
use accredit_domain::transaction::Names;

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
    // Direct and indirect rules share their names, which are a part of the ids of credits.
    let mut names = HashSet::new();
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
    names: &mut HashSet<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<DirectRule> {
    let rule = rule(&mut table, names, Use::Condition, scope);
    let assign = assign::assign(&mut table, defaults, scope);
    let members = assign::members(&mut table, assign.as_deref(), scope);
    let required = table.flag("required");
    let results = result::direct(&mut table, defaults, scope);

    table.finish();
    Some(DirectRule { rule: rule?, assign: assign?, members, required, results })
}

fn indirect_rule(
    mut table: Table<'_>,
    names: &mut HashSet<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<IndirectRule> {
    let rule = rule(&mut table, names, Use::IndirectCondition, scope);
    let relationship = table.need_text("relationship");
    let relationship = relationship.and_then(|text| relationship_of(table.report(), &text, scope));
    let receivers = selectors(&mut table, "receivers", scope);
    let sources = scope.references.read(&mut table, scope.plan);

    let results = result::indirect(&mut table, defaults, scope, |result, duplicates| {
        // Where no rule or policy says it, two parts of one deal are one credit of the manager.
        if relationship == Some(Relationship::Reporting) && !duplicates {
            scope.doubts.leaves_duplicates_out(result, &sources);
        }
    });

    table.finish();
    Some(IndirectRule { rule: rule?, relationship: relationship?, receivers, sources, results })
}

fn rule(
    table: &mut Table<'_>,
    names: &mut HashSet<String>,
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
            report.error(Code::CR027, name.place.clone(), message, &help);
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
pub(super) fn once(report: &Report, name: &Text, names: &mut HashSet<String>, what: &str) {
    appearance::check(report, name.place.clone(), &name.text, what);
    if !names.insert(name.text.clone()) {
        let message = format!("there are two {what}s named `{}`", name.text);
        let help = "credits are identified by it: give one of them another name";
        report.error(Code::CR026, name.place.clone(), message, help);
    }
}

fn tags(item: &Item<'_>) -> Vec<String> {
    let Some(items) = item.list() else { return Vec::new() };
    if items.len() > TAGS_MAX {
        let message = format!("a rule has {} tags", items.len());
        item.report().error(Code::CR027, item.place(), message, &format!("at most {TAGS_MAX}"));
    }
    items.iter().filter_map(Item::text).map(|tag| tag.text).collect()
}

fn condition(
    item: &Item<'_>,
    place: Use,
    scope: Scope<'_>,
) -> Option<accredit_domain::policy::ProgramId> {
    if !item.is_list() {
        return expression(item, place, scope.names);
    }
    let rows = item.list()?;
    if rows.is_empty() {
        item.refuse("an expression, or at least one row");
        return None;
    }

    let rows = (rows.as_slice(), item.place());
    let (source, origin) = conditions::lower(rows, &scope.settings.fields, scope.columns)?;
    Some(scope.names.policies.expression(place, &source, origin))
}

fn relationship_of(report: &Report, text: &Text, scope: Scope<'_>) -> Option<Relationship> {
    let fields = &scope.settings.fields;
    let built_in = [
        ("Reporting", Measure::Individual, Relationship::Reporting),
        ("Related Order (Person)", Measure::Individual, Relationship::RelatedPerson),
        ("Related Order (Position)", Measure::Individual, Relationship::RelatedPosition),
        ("Team", Measure::Individual, Relationship::Team),
        ("Parent Team", Measure::Team, Relationship::ParentTeam),
    ];

    let types = &scope.settings.relationship_types;
    let Some((name, measure, relationship)) =
        built_in.into_iter().find(|(name, ..)| *name == text.text)
    else {
        let found = types.iter().position(|known| **known == *text.text);
        if found.is_none() {
            let own = built_in.iter().filter(|(_, measure, _)| *measure == scope.measure);
            let known = types.iter().map(AsRef::as_ref).chain(own.map(|(name, ..)| *name));
            let named = ("relationship type", text.text.as_str());
            report.unknown(Code::CR025, text.place.clone(), named, known);
        }
        let found = found.and_then(|index| u16::try_from(index).ok());
        return found.map(|id| Relationship::Named(RelationshipId(id)));
    };

    if measure != scope.measure {
        let (leads, measures, help) = match scope.measure {
            Measure::Team => {
                ("positions", "teams", "teams roll over `Parent Team` and over declared types")
            }
            Measure::Individual => {
                ("teams", "individuals", "positions roll over `Reporting`, `Team` and others")
            }
        };
        let message = format!("`{name}` leads to {leads}, and the plan measures {measures}");
        report.error(Code::CR024, text.place.clone(), message, help);
        return None;
    }

    let column = match relationship {
        Relationship::RelatedPerson => Some((Names::RelatedPerson, "related_person")),
        Relationship::RelatedPosition => Some((Names::RelatedPosition, "related_position")),
        _ => None,
    };

    if let Some((names, key)) = column
        && !fields.names.contains_key(&names)
    {
        assign::unmapped(report, text, key);
    }

    Some(relationship)
}
