//! Who a plan is for, and what is expected of them.
//!
//! Not who is credited (`crediting`). Called by `page`.

use super::markdown::Page;
use super::wording::{Wording, validity_words};
use accredit_domain::calendar::Validity;
use accredit_domain::organization::fold_name;
use accredit_domain::plan::{Measure, Selector};

/// The targets, and the people in them with their days.
pub(super) fn write_people(page: &mut Page, words: Wording<'_>, rows_max: usize) {
    page.heading(2, "Who it is for");
    page.text(&format!("Direct credits may go to {}.", words.selection(&words.plan.targets)));

    match words.plan.measure {
        Measure::Individual => {
            let rows = position_rows(words);
            page.table(&["position", "title", "person", "days"], &rows, rows_max);
        }
        Measure::Team => {
            let rows = team_rows(words);
            page.table(&["team", "name", "member", "weight", "days"], &rows, rows_max);
        }
    }
}

fn position_rows(words: Wording<'_>) -> Vec<Vec<String>> {
    let organization = &words.ruleset.organization;
    let mut rows = Vec::new();
    for (id, position) in organization.positions() {
        for version in &position.versions {
            let held = organization.assignments_of(id);
            let held = held.filter(|(_, days)| days.overlaps(&version.validity));
            for (person, days) in held {
                let days = shared_days(days, version.validity);
                let meant = words.plan.targets.iter().any(|target| match target {
                    Selector::All => true,
                    Selector::Title(title) => fold_name(&version.title) == *title,
                    Selector::Position(wanted) => *wanted == id,
                    Selector::Participant(wanted) => *wanted == person,
                    Selector::Team(team) => organization
                        .teams
                        .members_of(*team)
                        .any(|member| member.participant == person),
                });
                if meant && days.overlaps(&words.plan.validity) {
                    rows.push(vec![
                        position.id.to_string(),
                        version.title.to_string(),
                        words.person(person),
                        validity_words(days),
                    ]);
                }
            }
        }
    }
    rows
}

fn team_rows(words: Wording<'_>) -> Vec<Vec<String>> {
    let teams = &words.ruleset.organization.teams;
    let mut rows = Vec::new();
    for (id, team) in teams.iter() {
        let meant =
            |target: &Selector| matches!(target, Selector::All) || *target == Selector::Team(id);
        if !words.plan.targets.iter().any(meant) {
            continue;
        }

        let name = team.versions.last().map(|version| version.name.to_string()).unwrap_or_default();
        let before = rows.len();
        for member in teams.members_of(id) {
            rows.push(vec![
                team.id.to_string(),
                name.clone(),
                words.person(member.participant),
                member.weight.normalize().to_string(),
                validity_words(member.validity),
            ]);
        }
        if rows.len() == before {
            let blank = String::new;
            rows.push(vec![team.id.to_string(), name, blank(), blank(), blank()]);
        }
    }
    rows
}

/// The days that two validities share.
fn shared_days(one: Validity, other: Validity) -> Validity {
    let from = one.from.max(other.from);
    let until = match (one.until, other.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    Validity { from, until }
}

/// The quotas of the plan.
pub(super) fn write_quotas(page: &mut Page, words: Wording<'_>, rows_max: usize) {
    let rows = words.ruleset.quotas.rows_of(&words.plan.id);
    if rows.is_empty() && words.plan.quota.is_none() {
        return;
    }

    page.heading(2, "Quotas");
    page.text(
        "The most specific row counts: one for a person before one for a position, a title, a team \
         and everyone. A period without a row has the sum of its parts.",
    );
    if let Some(quota) = words.plan.quota {
        page.text(&format!("Where no row fits, the quota is {}.", words.value(quota)));
    }
    if words.plan.prorate {
        page.text("A quota is reduced to the days in a position of the plan.");
    }
    if rows.is_empty() {
        return;
    }

    let cells = rows.iter().map(|(period, row)| {
        let credit_type = row.credit_type.as_ref().map(ToString::to_string);
        let (target, credit_type) = (words.selector(&row.target), credit_type.unwrap_or_default());
        vec![target, (*period).to_owned(), row.amount.normalize().to_string(), credit_type]
    });
    let cells: Vec<Vec<String>> = cells.collect();
    page.table(&["for", "period", "quota", "credit type"], &cells, rows_max);
}
