//! Where a direct rule's recipients come from: `assign`, one word or a list, and `members`.
//!
//! Not who that is for a deal (`stage::crediting`). Called by `rule`. Source: FORMAT section 3, seed
//! 001.
//!
//! **Architecture invariant:** a word that can never find a recipient is reported here, not deal by
//! deal.

use super::conditions;
use super::plan::{PlanDefaults, PlanScope};
use super::report::{Findings, suggest_names};
use super::toml::{PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::organization::TeamId;
use accredit_domain::plan::{Assign, Measure, Members};
use accredit_domain::policy::PolicyKind;
use accredit_domain::transaction::{Field, NameColumns};

/// Words that stand alone or before a colon in `assign`.
const ASSIGN_WORDS: [&str; 6] = ["owner", "team", "field", "preassigned", "territory", "policy"];

/// Reads `assign`; if absent, the plan's crediting policy or the columns for its measure.
pub(super) fn read_assign(
    table: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<Vec<Assign>> {
    let Some(item) = table.take("assign") else {
        if let Some(policy) = defaults.get(PolicyKind::Crediting) {
            return policy.map(|policy| vec![Assign::Policy(policy)]);
        }

        let place = table.place();
        let text = PlacedText { text: String::new(), origin: place.clone().into(), place };
        return Some(vec![match scope.measure {
            Measure::Individual => mapped_assign(table.report(), &text, NameColumns::Owner, scope),
            Measure::Team => mapped_assign(table.report(), &text, NameColumns::Team, scope),
        }]);
    };

    let items = if item.is_list() { item.expect_list()? } else { vec![item] };

    // An empty list would never find a recipient, which is never intended.
    if items.is_empty() {
        item.refuse("a word, or a list of at least one");
        return None;
    }

    items.iter().map(|item| parse_assign_word(item, defaults, scope)).collect()
}

fn parse_assign_word(
    item: &TomlItem<'_>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<Assign> {
    let report = item.report();
    let text = item.expect_text()?;

    let (word, argument) = match text.text.split_once(':') {
        Some((word, argument)) => (word, Some(argument.trim())),
        None => (text.text.as_str(), None),
    };

    match (word, argument) {
        ("owner", None) => Some(mapped_assign(report, &text, NameColumns::Owner, scope)),
        ("team", None) => Some(mapped_assign(report, &text, NameColumns::Team, scope)),
        ("preassigned", None) => {
            if !scope.settings.fields.mapped.contains_key(&Field::Preassigned) {
                warn_unmapped(report, &text, "preassigned");
            }
            Some(Assign::Preassigned)
        }

        ("field", Some(columns)) if !columns.is_empty() => {
            let columns: Vec<String> =
                columns.split(';').map(|column| column.trim().to_owned()).collect();

            let mut known = columns
                .iter()
                .map(|column| conditions::check_known_column(report, column, &text, scope.columns));
            known.all(|is_known| is_known).then_some(Assign::Columns(columns))
        }

        ("policy", Some(name)) => {
            let name = (name, &text.place);
            scope
                .names
                .policies
                .find_policy(report, PolicyKind::Crediting, name)
                .map(Assign::Policy)
        }

        ("policy", None) => {
            let policy = defaults.get(PolicyKind::Crediting);
            if policy.is_none() {
                let message = "the plan has no crediting policy".to_owned();
                let help = "add `policies = { crediting = \"NAME\" }` or write `policy:NAME`";
                report.error(Code::CR023, text.place, message, help);
            }
            policy.flatten().map(Assign::Policy)
        }

        ("territory", None) => {
            if scope.whole && scope.organization.territories.is_empty() {
                let message = "there are no territories, so no recipient will be found".to_owned();
                let help = "a territory is a team with rows in organization/territories.csv";
                report.push(Diagnostic::warning(Code::CR025, text.place, message).with_help(help));
            }
            Some(Assign::Territory(None))
        }

        ("territory", Some(name)) => {
            find_team(report, &text, name, scope).map(|team| Assign::Territory(Some(team)))
        }
        _ => {
            let message = format!("`{}` assigns nobody", text.text);
            report.error(
                Code::CR024,
                text.place,
                message,
                &suggest_names(word, "word", &ASSIGN_WORDS),
            );
            None
        }
    }
}

/// The team with the id `name`, which `text` names.
pub(super) fn find_team(
    report: &Findings,
    text: &PlacedText,
    name: &str,
    scope: PlanScope<'_>,
) -> Option<TeamId> {
    let teams = &scope.organization.teams;
    let found = teams.find(name);
    if found.is_none() && scope.whole {
        let known = teams.iter().map(|(_, known)| known.id.as_ref());
        report.report_unknown(Code::CR025, text.place.clone(), ("team", name), known);
    }
    found
}

fn mapped_assign(
    report: &Findings,
    text: &PlacedText,
    names: NameColumns,
    scope: PlanScope<'_>,
) -> Assign {
    let (key, assign) = match names {
        NameColumns::Team => ("team", Assign::Team),
        _ => ("owner", Assign::Owner),
    };
    if !scope.settings.fields.names.contains_key(&names) {
        warn_unmapped(report, text, key);
    }
    assign
}

/// Warns of a field without a column: the rule would never find a recipient.
pub(super) fn warn_unmapped(report: &Findings, text: &PlacedText, key: &str) {
    let message = format!("no column is mapped to `{key}`, so no recipient will be found");
    let help = format!("add `{key} = \"COLUMN\"` to [fields] in accredit.toml");
    report.push(Diagnostic::warning(Code::CR025, text.place.clone(), message).with_help(help));
}

/// Reads `members`.
pub(super) fn read_members(
    table: &mut TomlTable<'_>,
    assign: Option<&[Assign]>,
    scope: PlanScope<'_>,
) -> Option<Members> {
    let report = table.report();
    let Some(text) = table.take_text("members") else {
        let teams_only = |assign: &Assign| matches!(assign, Assign::Team | Assign::Territory(_));
        // A territory is always a team; a column of teams may stand behind one of people.
        let finds_nobody = |all: &[Assign]| {
            let territory = all.iter().any(|assign| matches!(assign, Assign::Territory(_)));
            territory || (!all.is_empty() && all.iter().all(teams_only))
        };
        if scope.measure == Measure::Individual && assign.is_some_and(finds_nobody) {
            let message =
                "the rule may find a team, and without `members` a team has no recipients";
            let help = "add `members = \"equal\"`, or \"weight\", \"full\" or \"manager\"; or let the \
                        plan have `measure = \"team\"`";
            let warning = Diagnostic::warning(Code::CR023, table.place(), message);
            report.push(warning.with_help(help));
        }
        return None;
    };

    if scope.measure == Measure::Team {
        let message = "`members` has no meaning in a plan that measures teams".to_owned();
        let help = "leave it out: the team itself is credited";
        report.error(Code::CR024, text.place, message, help);
        return None;
    }

    let words = [
        ("equal", Members::Equal),
        ("weight", Members::Weight),
        ("full", Members::Full),
        ("manager", Members::Manager),
    ];
    parse_choice(report, &text, &words)
}
