//! Whether the organisation contradicts itself: overlapping versions, two holders of one position,
//! reporting cycles, ambiguous aliases.
//!
//! Not single cells: the rows have been read without errors by then. Called once, after all rows
//! are read. Source: DOMAIN 2.2 (INV-P1, INV-P2), 2.3 (INV-H1), FORMAT section 1.
//!
//! **Architecture invariant:** each contradiction is reported once, at the later of the rows that
//! make it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use jiff::civil::Date;

use super::circles::find_cycles;
use super::{AliasTarget, CellOrigin, DatedEntry, OrganizationReader};
use crate::Files;
use crate::report::Findings;
use accredit_domain::calendar::Validity;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::organization::{Entity, PositionId};

/// Reports every contradiction.
pub(super) fn check(reading: &OrganizationReader<'_>, report: &Findings, files: &Files) {
    let place = |origin: CellOrigin| {
        let text = files.get(origin.file).map_or("", AsRef::as_ref);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        report.place(origin.file, text, origin.offset)
    };

    let organization = &reading.organization;
    let help = "end the earlier one the day before; `from` and `to` are both included";

    if !reading.seated {
        // Where each person has a position of the same id, the two are one row.
        for (first, later) in overlapping_pairs(&reading.lives, |life| life) {
            let id = organization.participant_id(first.what);
            let message = format!("`{id}` has two rows for the same days");
            report.error(Code::CR034, place(later.origin), message, help);
        }
    }

    for (first, later) in overlapping_pairs(&reading.versions, |position| position) {
        let id = organization.position_id(first.what);
        let message = format!("`{id}` has two versions on the same days");
        report.error(Code::CR034, place(later.origin), message, help);
    }

    for (first, later) in overlapping_pairs(&reading.assignments, |(position, _)| position) {
        // Where people and positions are one file, this was reported as two rows of one person.
        if first.origin.file == later.origin.file && first.what == later.what && reading.seated {
            continue;
        }

        let id = organization.position_id(first.what.0);
        let one = organization.participant_id(first.what.1);
        let two = organization.participant_id(later.what.1);
        let message = format!("`{id}` is held by `{one}` and by `{two}` on the same days");
        report.error(Code::CR034, place(later.origin), message, help);
    }

    for (_, later) in overlapping_pairs(&reading.attributes, |attribute| attribute) {
        let name = &later.what.1;
        let message = format!("`{name}` has two values on the same days");
        report.error(Code::CR034, place(later.origin), message, help);
    }

    warn_ended_managers(reading, report, &place);
    warn_ended_parents(reading, report, &place);
    check_teams(reading, report, &place);

    for (origin, circle) in find_cycles(organization, &reading.versions) {
        let ids: Vec<String> =
            circle.iter().map(|id| format!("`{}`", organization.position_id(*id))).collect();
        let message = format!("these positions report to each other: {}", ids.join(", "));
        let help = "break the cycle by changing the `manager` of one of them";
        report.error(Code::CR035, place(origin), message, help);
    }

    for (origin, alias, one, two) in shared_aliases(reading) {
        let one = organization.position_id(one);
        let two = organization.position_id(two);

        let message = format!("`{alias}` means `{one}` and `{two}` on the same day");
        let help = "a transaction with this name is parked if both are targets; use their ids, or \
            give them distinct names";
        report.push(Diagnostic::warning(Code::CR036, place(origin), message).with_help(help));
    }
}

/// Positions that go on reporting to one that has ended: credit rolls on over it, which is seldom
/// meant for long.
fn warn_ended_managers(
    reading: &OrganizationReader<'_>,
    report: &Findings,
    place: &dyn Fn(CellOrigin) -> Place,
) {
    let organization = &reading.organization;
    for row in &reading.versions {
        let day = row.validity.from.unwrap_or(Date::MIN);
        let manager = organization.version_on(row.what, day).and_then(|version| version.manager);
        let Some(manager) = manager else { continue };
        let known = organization.position(manager).into_iter();
        let versions = known.flat_map(|known| &known.versions);
        let Some(end) = last_end(versions.map(|version| version.validity)) else { continue };

        let goes_on = row.validity.until.is_none_or(|until| until > end);
        if goes_on && row.validity.from.is_none_or(|from| from <= end) {
            let (who, above) =
                (organization.position_id(row.what), organization.position_id(manager));
            let until = row.validity.until.and_then(|until| until.yesterday().ok());
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            let message =
                format!("`{who}` reports to `{above}`, which does not exist from {end} on{until}");
            let help = "credit still rolls to the former manager; end the row and add one with the \
                        new `manager`";
            report
                .push(Diagnostic::warning(Code::CR084, place(row.origin), message).with_help(help));
        }
    }
}

/// The first day after the last of `validities`; none where one has no end.
fn last_end(validities: impl Iterator<Item = Validity>) -> Option<Date> {
    let mut last = None;
    for validity in validities {
        last = last.max(Some(validity.until?));
    }
    last
}

/// Teams that go on belonging to one that has ended.
fn warn_ended_parents(
    reading: &OrganizationReader<'_>,
    report: &Findings,
    place: &dyn Fn(CellOrigin) -> Place,
) {
    let teams = &reading.organization.teams;
    for row in &reading.teams {
        let day = row.validity.from.unwrap_or(Date::MIN);
        let parent = teams.version_on(row.what, day).and_then(|version| version.parent);
        let versions = parent.and_then(|parent| teams.get(parent)).into_iter();
        let versions = versions.flat_map(|known| &known.versions);
        let end = last_end(versions.map(|version| version.validity));
        let Some((parent, end)) = parent.zip(end) else { continue };

        let goes_on = row.validity.until.is_none_or(|until| until > end);
        if goes_on && row.validity.from.is_none_or(|from| from <= end) {
            let (team, above) = (teams.team_id(row.what), teams.team_id(parent));
            let message = format!(
                "the team `{team}` belongs to `{above}`, which does not exist from {end} on"
            );
            let help = "credit still rolls to the former team; end the row and add one with \
                        the new `parent`";
            report
                .push(Diagnostic::warning(Code::CR084, place(row.origin), message).with_help(help));
        }
    }
}

/// Teams and memberships that overlap themselves, and aliases of several teams.
fn check_teams(
    reading: &OrganizationReader<'_>,
    report: &Findings,
    place: &dyn Fn(CellOrigin) -> Place,
) {
    let teams = &reading.organization.teams;
    let help = "end the earlier one the day before; `from` and `to` are both included";

    for (first, later) in overlapping_pairs(&reading.teams, |team| team) {
        let id = teams.team_id(first.what);
        let message = format!("the team `{id}` has two versions on the same days");
        report.error(Code::CR034, place(later.origin), message, help);
    }

    for (first, later) in overlapping_pairs(&reading.members, |member| member) {
        let team = teams.team_id(first.what.0);
        let who = reading.organization.participant_id(first.what.1);
        let message = format!("`{who}` is a member of `{team}` twice on the same days");
        report.error(Code::CR034, place(later.origin), message, help);
    }

    for (alias, meanings) in teams.shared_aliases() {
        let lives = reading.teams.iter().map(|team| team.validity);
        let starts = meanings.iter().map(|(_, validity)| *validity).chain(lives);
        let mut days: BTreeSet<Date> = starts.filter_map(|validity| validity.from).collect();
        days.insert(Date::MIN);

        let mut meant = days.iter().map(|day| teams.resolve_name(alias, *day));
        let meant = meant.find(|teams| teams.len() > 1).unwrap_or_default();
        let [.., one, two] = meant.as_slice() else { continue };

        let origins = [one, two].map(|team| {
            let origin = reading.origins.get(&(alias.to_owned(), AliasTarget::Team(*team)));
            origin.copied().unwrap_or(CellOrigin { file: super::ALIASES, offset: 0 })
        });
        // Aliases are read after all other names.
        let written = origins.iter().find(|origin| origin.file == super::ALIASES);
        let origin = written.copied().unwrap_or(origins[1]);

        let (one, two) = (teams.team_id(*one), teams.team_id(*two));
        let message = format!("`{alias}` means the teams `{one}` and `{two}` on the same day");
        let help =
            "a transaction with this name is parked; use their ids, or give them distinct names";
        report.push(Diagnostic::warning(Code::CR036, place(origin), message).with_help(help));
    }
}

/// Pairs that overlap and have the same key; each later entry at most once.
fn overlapping_pairs<T: Clone, K: Eq + Hash>(
    entries: &[DatedEntry<T>],
    key: impl Fn(T) -> K,
) -> Vec<(DatedEntry<T>, DatedEntry<T>)> {
    let mut groups: HashMap<K, Vec<DatedEntry<T>>> = HashMap::new();
    let mut found = Vec::new();

    for entry in entries {
        let group = groups.entry(key(entry.what.clone())).or_default();
        if let Some(first) = group.iter().find(|first| first.validity.overlaps(&entry.validity)) {
            found.push((first.clone(), entry.clone()));
        }
        group.push(entry.clone());
    }

    found
}

/// Aliases that mean several positions on one day, unless they are a person and their position.
fn shared_aliases<'r>(
    reading: &'r OrganizationReader<'_>,
) -> Vec<(CellOrigin, &'r str, PositionId, PositionId)> {
    let changes = meaning_changes(reading);
    let mut found = Vec::new();

    for (alias, meanings) in reading.organization.shared_aliases() {
        let mut entities: BTreeMap<Entity, Vec<Validity>> = BTreeMap::new();
        for (entity, validity) in meanings {
            entities.entry(*entity).or_default().push(*validity);
        }

        if entities.len() < 2 {
            continue;
        }

        let own = entities.keys().filter_map(|entity| changes.get(entity)).flatten();
        let validities = meanings.iter().map(|(_, validity)| validity).chain(own);
        // What an alias means changes only on days on which something begins or ends.
        let mut days: BTreeSet<Date> = BTreeSet::from([Date::MIN]);
        days.extend(validities.flat_map(|validity| [validity.from, validity.until]).flatten());

        let clash = days.iter().find_map(|day| find_clash(reading, &entities, *day));
        if let Some((later, one, two)) = clash {
            let origin = reading.origins.get(&(alias.to_owned(), AliasTarget::Seat(later)));
            let origin = origin.copied().unwrap_or(CellOrigin { file: super::ALIASES, offset: 0 });
            found.push((origin, alias, one, two));
        }
    }

    found
}

/// When what an entity means may change: versions of positions, lives and seats of participants.
fn meaning_changes(reading: &OrganizationReader<'_>) -> HashMap<Entity, Vec<Validity>> {
    let versions = reading.versions.iter().map(|it| (Entity::Position(it.what), it.validity));
    let lives = reading.lives.iter().map(|it| (Entity::Participant(it.what), it.validity));
    let seats = reading.assignments.iter();
    let seats = seats.map(|it| (Entity::Participant(it.what.1), it.validity));
    let mut changes: HashMap<Entity, Vec<Validity>> = HashMap::new();
    for (entity, validity) in versions.chain(lives).chain(seats) {
        changes.entry(entity).or_default().push(validity);
    }
    changes
}

/// Two entities that mean different positions on a day: the later one, and a position of each.
fn find_clash(
    reading: &OrganizationReader<'_>,
    entities: &BTreeMap<Entity, Vec<Validity>>,
    day: Date,
) -> Option<(Entity, PositionId, PositionId)> {
    let organization = &reading.organization;
    let named = entities.iter().filter(|(_, named)| named.iter().any(|v| v.contains(day)));
    let meant: Vec<(Entity, Vec<PositionId>)> = named
        .map(|(entity, _)| match entity {
            Entity::Participant(participant) => {
                (*entity, organization.positions_held_by(*participant, day))
            }
            Entity::Position(position) => {
                let there = organization.version_on(*position, day).map(|_| *position);
                (*entity, there.into_iter().collect())
            }
        })
        .collect();

    let beyond = |a: &[PositionId], b: &[PositionId]| a.iter().find(|id| !b.contains(id)).copied();
    for (index, (one, first)) in meant.iter().enumerate() {
        for (two, second) in meant.iter().skip(index + 1) {
            let pair = beyond(first, second).zip(beyond(second, first));
            if let Some((a, b)) = pair {
                // Meanings are in order of reading, so the second is the later one.
                return Some(((*one).max(*two), a, b));
            }
        }
    }

    None
}
