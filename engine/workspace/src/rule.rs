//! The rules of a plan: `[[direct]]` and `[[indirect]]`, with dates, conditions and relationships.
//!
//! Not their results (`result` reads them) and not where recipients come from (`assign`). Called by
//! `plan`. Source: FORMAT section 3, DOMAIN 2.5 and 2.6.
//!
//! **Architecture invariant:** a rule's name is its own within the plan, direct and indirect rules
//! together, since credits are identified by it.

use std::collections::HashSet;

use super::appearance;
use super::assign;
use super::conditions;
use super::plan::{PlanDefaults, PlanScope, read_validity};
use super::report::Findings;
use super::result;
use super::selector::read_selectors;
use super::setting::read_expression;
use super::toml::{PlacedText, TomlItem, TomlTable};
use accredit_domain::diagnostic::Code;
use accredit_domain::keys::DefinedName;
use accredit_domain::organization::RelationshipId;
use accredit_domain::plan::{DirectRule, IndirectRule, Measure, Relationship, RuleBase};
use accredit_domain::policy::ExpressionUse;
use accredit_domain::transaction::NameColumns;

/// Characters in the name of a rule.
const NAME_CHARACTERS_MAX: usize = 64;

/// The maximum number of tags of a rule.
const TAGS_MAX: usize = 50;

/// Reads the direct and indirect rules in file order.
pub(super) fn read(
    root: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> (Vec<DirectRule>, Vec<IndirectRule>) {
    // Direct and indirect rules share their names, which are a part of the ids of credits.
    let mut names = HashSet::new();
    let direct = root.take_tables("direct");
    let direct =
        direct.into_iter().filter_map(|table| read_direct_rule(table, &mut names, defaults, scope));
    let direct = direct.collect();

    let indirect = root.take_tables("indirect");
    let indirect = indirect
        .into_iter()
        .filter_map(|table| read_indirect_rule(table, &mut names, defaults, scope));

    (direct, indirect.collect())
}

fn read_direct_rule(
    mut table: TomlTable<'_>,
    names: &mut HashSet<String>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<DirectRule> {
    let rule = read_rule(&mut table, names, ExpressionUse::Condition, scope);
    let assign = assign::read_assign(&mut table, defaults, scope);
    let members = assign::read_members(&mut table, assign.as_deref(), scope);
    let required = table.take_flag("required");
    let results = result::read_direct_results(&mut table, defaults, scope);

    table.finish();
    Some(DirectRule { rule: rule?, assign: assign?, members, required, results })
}

fn read_indirect_rule(
    mut table: TomlTable<'_>,
    names: &mut HashSet<String>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<IndirectRule> {
    let rule = read_rule(&mut table, names, ExpressionUse::IndirectCondition, scope);
    let relationship = table.take_needed_text("relationship");
    let relationship =
        relationship.and_then(|text| parse_relationship(table.report(), &text, scope));
    let receivers = read_selectors(&mut table, "receivers", scope);
    let sources = scope.references.read_sources(&mut table, scope.plan);

    let results =
        result::read_indirect_results(&mut table, defaults, scope, |result, duplicates| {
            // Where no rule or policy says it, two parts of one deal are one credit of the manager.
            if relationship == Some(Relationship::Reporting) && !duplicates {
                scope.doubts.leaves_duplicates_out(result, &sources);
            }
        });

    table.finish();
    Some(IndirectRule { rule: rule?, relationship: relationship?, receivers, sources, results })
}

fn read_rule(
    table: &mut TomlTable<'_>,
    names: &mut HashSet<String>,
    place: ExpressionUse,
    scope: PlanScope<'_>,
) -> Option<RuleBase> {
    let report = table.report();
    let name = table.take_needed_text("name");

    if let Some(name) = &name {
        let length = name.text.chars().count();
        if length > NAME_CHARACTERS_MAX {
            let message = format!("the name of a rule has {length} characters");
            let help = format!("at most {NAME_CHARACTERS_MAX}; the rest belongs in `description`");
            report.error(Code::CR027, name.place.clone(), message, &help);
        }
        check_unique_name(report, name, names, "rule");
    }

    let description = table.take_text("description").map(|text| text.text).unwrap_or_default();
    let tags = table.take("tags").map(|item| read_tags(&item)).unwrap_or_default();
    let validity = read_validity(table);
    let condition = table.take("condition").and_then(|item| read_condition(&item, place, scope));

    Some(RuleBase { name: DefinedName::from(name?.text), description, tags, validity, condition })
}

/// Reports a name that was used before, and remembers it.
pub(super) fn check_unique_name(
    report: &Findings,
    name: &PlacedText,
    names: &mut HashSet<String>,
    what: &str,
) {
    appearance::check_readable_name(report, name.place.clone(), &name.text, what);
    if !names.insert(name.text.clone()) {
        let message = format!("there are two {what}s named `{}`", name.text);
        let help = "credits are identified by it: give one of them another name";
        report.error(Code::CR026, name.place.clone(), message, help);
    }
}

fn read_tags(item: &TomlItem<'_>) -> Vec<String> {
    let Some(items) = item.expect_list() else { return Vec::new() };
    if items.len() > TAGS_MAX {
        let message = format!("a rule has {} tags", items.len());
        item.report().error(Code::CR027, item.place(), message, &format!("at most {TAGS_MAX}"));
    }
    items.iter().filter_map(TomlItem::expect_text).map(|tag| tag.text).collect()
}

fn read_condition(
    item: &TomlItem<'_>,
    place: ExpressionUse,
    scope: PlanScope<'_>,
) -> Option<accredit_domain::policy::ProgramId> {
    if !item.is_list() {
        return read_expression(item, place, scope.names);
    }
    let rows = item.expect_list()?;
    if rows.is_empty() {
        item.refuse("an expression, or at least one row");
        return None;
    }

    let rows = (rows.as_slice(), item.place());
    let (source, origin) = conditions::lower_rows(rows, &scope.settings.fields, scope.columns)?;
    Some(scope.names.policies.add_expression(place, &source, origin))
}

fn parse_relationship(
    report: &Findings,
    text: &PlacedText,
    scope: PlanScope<'_>,
) -> Option<Relationship> {
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
            report.report_unknown(Code::CR025, text.place.clone(), named, known);
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
        Relationship::RelatedPerson => Some((NameColumns::RelatedPerson, "related_person")),
        Relationship::RelatedPosition => Some((NameColumns::RelatedPosition, "related_position")),
        _ => None,
    };

    if let Some((names, key)) = column
        && !fields.names.contains_key(&names)
    {
        assign::warn_unmapped(report, text, key);
    }

    Some(relationship)
}
