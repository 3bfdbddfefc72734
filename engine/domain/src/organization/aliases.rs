//! Every alias with its dates and what it means, for people who look names up.
//!
//! Not what a name means to a deal: that is `Organization::resolve_name`. Called by `explain`, the
//! command line and the server. Source: seed 001 ("How can I view all aliases"), DOMAIN 2.2.
//!
//! **Architecture invariant:** an alias is marked ambiguous exactly when `resolve` gives several on
//! some day.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::ids::folded_name;
use super::{Entity, Organization, ParticipantId, TeamId, fold_name};
use crate::calendar::Validity;

/// One alias and one of its meanings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Alias {
    /// As it was first written.
    pub alias: String,
    /// `participant`, `position` or `team`.
    pub kind: &'static str,
    /// The id of the participant, position or team that it means.
    pub id: String,
    /// The name of a participant or team, the title of a position.
    pub name: String,
    /// First day; none when it was always so.
    pub from: Option<Date>,
    /// Last day; none when it has no end.
    pub to: Option<Date>,
    /// Whether on some day it means several positions, or several teams.
    pub ambiguous: bool,
}

impl Alias {
    /// Whether it is of the `kind` and it, the id or the name contains the `text`, in any case.
    pub fn matches_filter(&self, text: Option<&str>, kind: Option<&str>) -> bool {
        let cells = [&self.alias, &self.id, &self.name];
        let contains =
            |text: &str| cells.iter().any(|cell| fold_name(cell).contains(&fold_name(text)));
        kind.is_none_or(|kind| self.kind == kind) && text.is_none_or(contains)
    }
}

/// The columns of an alias, in order.
pub const ALIAS_COLUMNS: [&str; 7] = ["alias", "kind", "id", "name", "from", "to", "ambiguous"];

/// What names mean, and when: matched after trimming and case folding, shown as first written.
#[derive(Debug, Clone)]
pub(super) struct NameIndex<T> {
    meant: HashMap<String, Vec<(T, Validity)>>,
    /// The names as written, for those that folding changes.
    written: HashMap<String, Arc<str>>,
}

impl<T> Default for NameIndex<T> {
    fn default() -> NameIndex<T> {
        NameIndex { meant: HashMap::new(), written: HashMap::new() }
    }
}

impl<T: Copy + PartialEq> NameIndex<T> {
    /// Lets `alias` mean `entity`; a blank one means nothing.
    pub(super) fn add_name(&mut self, alias: &str, entity: T, validity: Validity) {
        let key = fold_name(alias);
        if key.is_empty() {
            return;
        }
        if key != alias.trim() && !self.meant.contains_key(&key) {
            self.written.insert(key.clone(), Arc::from(alias.trim()));
        }
        let entry = self.meant.entry(key).or_default();
        if !entry.contains(&(entity, validity)) {
            entry.push((entity, validity));
        }
    }
}

impl<T> NameIndex<T> {
    /// What `name` means, and when, in the order it was said.
    pub(super) fn meanings(&self, name: &str) -> &[(T, Validity)] {
        self.meant.get(&*folded_name(name)).map_or(&[], Vec::as_slice)
    }

    /// Every name, folded, with what it means and when, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[(T, Validity)])> {
        self.meant.iter().map(|(name, meant)| (name.as_str(), meant.as_slice()))
    }

    /// The names that have several meanings, with them and when, sorted by name.
    pub(super) fn shared_names(&self) -> Vec<(&str, &[(T, Validity)])> {
        let mut shared: Vec<_> = self.iter().filter(|(_, meant)| meant.len() > 1).collect();
        shared.sort_by_key(|(name, _)| *name);
        shared
    }

    /// How a folded name was first written.
    fn original_spelling(&self, folded: &str) -> String {
        self.written.get(folded).map_or_else(|| folded.to_owned(), ToString::to_string)
    }
}

impl Organization {
    /// Every alias, sorted by name, then by id.
    pub fn all_aliases(&self) -> Vec<Alias> {
        let mut all = Vec::new();

        for (folded, meant) in self.aliases.iter() {
            let days =
                meant.iter().flat_map(|(entity, named)| self.entity_change_days(*entity, *named));
            // Asked for only on days where something changes, which are few.
            let several = |day: Date| self.resolve_name(folded, day).positions.len() > 1;
            let ambiguous = days.collect::<BTreeSet<Date>>().into_iter().any(several);

            for (entity, named) in meant {
                let (kind, id, name) = self.describe_entity(*entity);
                let alias = self.aliases.original_spelling(folded);
                all.push(alias_row(alias, (kind, &id, &name), *named, ambiguous));
            }
        }

        for (folded, meant) in self.teams.name_index().iter() {
            let days = meant.iter().flat_map(|(team, named)| self.team_change_days(*team, *named));
            // Teams are named apart from people and positions: a name may mean one of each.
            let several = |day: Date| self.teams.resolve_name(folded, day).len() > 1;
            let ambiguous = days.collect::<BTreeSet<Date>>().into_iter().any(several);

            for (team, named) in meant {
                let team = self.teams.get(*team);
                let Some(team) = team else { continue };
                let name = team.versions.last().map_or("", |version| &version.name);
                let alias = self.teams.name_index().original_spelling(folded);
                all.push(alias_row(alias, ("team", &team.id, name), *named, ambiguous));
            }
        }

        all.sort_by_cached_key(|row| (fold_name(&row.alias), row.clone()));

        all
    }

    /// The aliases that a deal of `date` could name a participant by: those of the person, of the
    /// positions held, and where `teams` are measured of the teams; by name.
    pub fn aliases_of(&self, participant: ParticipantId, date: Date, teams: bool) -> Vec<String> {
        let held = self.positions_held_by(participant, date);
        let own = |entity: &Entity| match entity {
            Entity::Participant(id) => *id == participant,
            Entity::Position(position) => held.contains(position),
        };

        let mut names = BTreeSet::new();

        if teams {
            let of = self.teams.teams_of(participant, date);
            for (folded, meant) in self.teams.name_index().iter() {
                if meant.iter().any(|(team, named)| named.contains(date) && of.contains(team)) {
                    names.insert(self.teams.name_index().original_spelling(folded));
                }
            }
        } else {
            for (folded, meant) in self.aliases.iter() {
                if meant.iter().any(|(entity, named)| named.contains(date) && own(entity)) {
                    names.insert(self.aliases.original_spelling(folded));
                }
            }
        }

        names.into_iter().collect()
    }

    /// Days on which what an entity means under a name may begin to differ.
    fn entity_change_days(&self, entity: Entity, named: Validity) -> Vec<Date> {
        let mut starts = vec![named];

        match entity {
            Entity::Participant(participant) => {
                let known = self.participants.get(participant.0 as usize);
                starts.extend(known.iter().flat_map(|known| &known.validity));
                for held in self.held_by(participant) {
                    starts.push(held.validity);
                    let position = self.positions.get(held.position.0 as usize);
                    let versions = position.iter().flat_map(|position| &position.versions);
                    starts.extend(versions.map(|version| version.validity));
                }
            }
            Entity::Position(position) => {
                let position = self.positions.get(position.0 as usize);
                let versions = position.iter().flat_map(|position| &position.versions);
                starts.extend(versions.map(|version| version.validity));
            }
        }

        starts.into_iter().map(|validity| validity.from.unwrap_or(Date::MIN)).collect()
    }

    fn team_change_days(&self, team: TeamId, named: Validity) -> Vec<Date> {
        let known = self.teams.get(team);
        let versions = known.iter().flat_map(|team| &team.versions).map(|version| version.validity);
        let starts = versions.chain([named]);
        starts.map(|validity| validity.from.unwrap_or(Date::MIN)).collect()
    }

    fn describe_entity(&self, entity: Entity) -> (&'static str, String, String) {
        match entity {
            Entity::Participant(participant) => {
                let id = self.participant_id(participant).to_string();
                ("participant", id, self.participant_name(participant).to_string())
            }
            Entity::Position(position) => {
                let known = self.positions.get(position.0 as usize);
                let title = known.and_then(|known| known.versions.last());
                let title = title.map_or_else(String::new, |version| version.title.to_string());
                ("position", self.position_id(position).to_string(), title)
            }
        }
    }
}

fn alias_row(
    alias: String,
    (kind, id, name): (&'static str, &str, &str),
    named: Validity,
    ambiguous: bool,
) -> Alias {
    let to = named.until.and_then(|until| until.yesterday().ok());
    let (id, name) = (id.to_owned(), name.to_owned());
    Alias { alias, kind, id, name, from: named.from, to, ambiguous }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::PositionVersion;
    use super::*;

    fn always() -> Validity {
        Validity::default()
    }

    /// Two positions that share an alias from March on, and a person who sits in one of them.
    fn organization(until: Option<Date>) -> Organization {
        let mut organization = Organization::default();
        let ann = organization.add_participant("ann", "Ann Smith", always());
        for id in ["a1", "b1"] {
            let position = organization.add_position(id);
            let (validity, title) = (always(), "Rep");
            organization.add_version(
                position,
                PositionVersion { validity, title: title.into(), manager: None },
            );
            let from = if id == "a1" { None } else { Some(date(2017, 3, 1)) };
            let until = if id == "a1" { until } else { None };
            organization.add_alias(
                "The West",
                Entity::Position(position),
                Validity { from, until },
            );
        }
        let seat = organization.find_position("a1").unwrap();
        organization.assign_participant(seat, ann, always());
        organization.add_alias("Ann Smith", Entity::Participant(ann), always());
        organization.add_alias("a1", Entity::Position(seat), always());
        organization
    }

    #[test]
    fn aliases_are_listed_as_written_with_dates_and_marked_when_they_clash() {
        let lines = |until: Option<Date>| -> Vec<String> {
            let all = organization(until).all_aliases();
            let day = |day: Option<Date>| day.map_or_else(|| "-".to_owned(), |d| d.to_string());
            let line = |row: &Alias| {
                let dates = format!("{} {}", day(row.from), day(row.to));
                format!(
                    "{} {} {} {} {dates} {}",
                    row.alias, row.kind, row.id, row.name, row.ambiguous
                )
            };
            all.iter().map(line).collect()
        };
        assert_eq!(
            lines(None),
            [
                "a1 position a1 Rep - - false",
                "Ann Smith participant ann Ann Smith - - false",
                "The West position a1 Rep - - true",
                "The West position b1 Rep 2017-03-01 - true",
            ]
        );
        // Ended the day before the other begins, it never means both.
        let apart = lines(Some(date(2017, 3, 1)));
        assert_eq!(apart[2], "The West position a1 Rep - 2017-02-28 false");
    }

    #[test]
    fn names_of_one_person() {
        let organization = organization(Some(date(2017, 3, 1)));
        let ann = organization.find_participant("ann").unwrap();
        let before = organization.aliases_of(ann, date(2017, 2, 28), false);
        assert_eq!(before, ["Ann Smith", "The West", "a1"]);
        let after = organization.aliases_of(ann, date(2017, 3, 1), false);
        assert_eq!(after, ["Ann Smith", "a1"]);
    }
}
