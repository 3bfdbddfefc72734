//! The one grammar of selectors: `*`, `title:`, `position:`, `participant:`, `team:`.
//!
//! Not their meaning on a day (`domain::plan::selects_recipient`). Called by `plan` for targets, by
//! `rule` for receivers and by `quotas`. Source: FORMAT section 3.
//!
//! **Architecture invariant:** a plan that measures teams selects teams, so that a selector of
//! positions is never silently empty.

use std::collections::BTreeSet;

use super::assign;
use super::plan::PlanScope;
use super::report::Findings;
use super::toml::{PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::diagnostic::{Code, Diagnostic, did_you_mean};
use accredit_domain::organization::fold_name;
use accredit_domain::plan::{Measure, Selector};

/// What `key` selects; absent selects all.
pub(super) fn read_selectors(
    table: &mut TomlTable<'_>,
    key: &'static str,
    scope: PlanScope<'_>,
) -> Vec<Selector> {
    let Some(item) = table.take(key) else { return vec![Selector::All] };
    let items = item.expect_list().unwrap_or_default();
    if item.is_list() && items.is_empty() {
        item.refuse("a list of at least one selector, such as [\"*\"]");
    }
    let texts = items.iter().filter_map(TomlItem::expect_text);
    texts.filter_map(|text| parse_selector(table.report(), &text, scope)).collect()
}

/// Parses the selection that `text` describes.
pub(super) fn parse_selector(
    report: &Findings,
    text: &PlacedText,
    scope: PlanScope<'_>,
) -> Option<Selector> {
    let place = text.place.clone();
    if text.text == "*" {
        return Some(Selector::All);
    }

    let Some((word, name)) = text.text.split_once(':') else {
        let message = format!("`{}` selects nothing", text.text);
        let help = "write `*`, `title:NAME`, `position:ID`, `participant:ID` or `team:ID`";
        report.error(Code::CR024, place, message, help);
        return None;
    };

    let name = name.trim();
    let organization = scope.organization;
    let words = [("title", false), ("position", false), ("participant", false), ("team", true)];
    let of_teams =
        parse_choice(report, &PlacedText { text: word.to_owned(), ..text.clone() }, &words)?;

    if scope.measure == Measure::Team && !of_teams {
        let message = format!("the plan measures teams, and `{word}:` selects positions");
        report.error(Code::CR024, place, message, "write `*` or `team:ID`");
        return None;
    }

    match word {
        "title" => {
            let versions = organization.positions().flat_map(|(_, known)| &known.versions);
            let titles: BTreeSet<&str> = versions.map(|version| version.title.as_ref()).collect();
            // A title without a position may come with the next hire: a warning is enough.
            if scope.whole && !titles.iter().any(|title| fold_name(title) == fold_name(name)) {
                let message = format!("no position has the title `{name}`");
                let help = did_you_mean(name, titles.iter().copied()).unwrap_or_else(|| {
                    "titles are in organization/positions.csv or, without that file, in participants.csv"
                        .to_owned()
                });
                report.push(Diagnostic::warning(Code::CR025, place, message).with_help(help));
            }
            Some(Selector::Title(fold_name(name)))
        }

        "position" => {
            let found = organization.find_position(name).map(Selector::Position);
            if found.is_none() && scope.whole {
                let known = organization.positions().map(|(_, known)| known.id.as_ref());
                report.report_unknown(Code::CR025, place, ("position", name), known);
            }
            found
        }

        "participant" => {
            let found = organization.find_participant(name).map(Selector::Participant);
            if found.is_none() && scope.whole {
                let known = organization.participants().map(|(_, known)| known.id.as_ref());
                report.report_unknown(Code::CR025, place, ("participant", name), known);
            }
            found
        }

        _ => assign::find_team(report, text, name, scope).map(Selector::Team),
    }
}
