//! What is true of a position or a name from one day to the next change: computed once, then looked up.
//!
//! The tables of the organisation have validities, and an answer for a date combines several of them: the
//! version of the position, its holder, the existence of that person, every manager above. Each answer is
//! kept for the stretch of days in which none of these changes. Not the tables themselves. Called by
//! `organization`, which forgets all of it when a table changes. Source: DOMAIN 2.2, 2.3.
//!
//! **Architecture invariant:** an epoch says what the tables say on each of its days; what is looked up
//! here is never computed in another way elsewhere.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use jiff::civil::Date;

use super::ids::folded_name;
use super::{Entity, NameMatches, Organization, ParticipantId, PositionId, RelationshipId};
use crate::calendar::Validity;
use crate::keys::{DefinedName, ParticipantKey};

/// A position in a stretch of days in which nothing about it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PositionEpoch {
    /// Whether the position exists.
    pub exists: bool,
    /// Its title; blank where it has none.
    pub title: DefinedName,
    /// Who holds it; none while it is vacant.
    pub holder: Option<ParticipantId>,
    /// The id of the holder.
    pub payee: Option<ParticipantKey>,
    /// Reporting ancestors, bottom-up, each with its distance from 1.
    pub ancestors: Vec<(PositionId, u32)>,
}

/// A value by date: each from its day to the day before that of the next.
#[derive(Debug, Clone)]
pub(super) struct Epochs<T> {
    /// In order; the first one begins with the first of all days.
    from: Vec<(Date, T)>,
}

impl<T: PartialEq> Epochs<T> {
    /// The values of `value`, which changes on none but these days.
    pub(super) fn new(change_days: BTreeSet<Date>, value: impl Fn(Date) -> T) -> Epochs<T> {
        let mut from: Vec<(Date, T)> = Vec::new();
        let days = std::iter::once(Date::MIN).chain(change_days);

        for day in days {
            let value = value(day);
            // Many days change something that the value does not depend on in the end.
            if from.last().is_none_or(|(_, before)| *before != value) {
                from.push((day, value));
            }
        }

        from.shrink_to_fit();
        Epochs { from }
    }

    /// The value on `date`.
    pub(super) fn value_on(&self, date: Date) -> Option<&T> {
        // Most positions and names never change.
        if let [(_, only)] = self.from.as_slice() {
            return Some(only);
        }
        let later = self.from.partition_point(|(from, _)| *from <= date);
        self.from.get(later.checked_sub(1)?).map(|(_, value)| value)
    }
}

/// The positions that are reached over edges of one type, each with its distance from 1.
type ReachedEpochs = Epochs<Vec<(PositionId, u32)>>;

/// The type of edges, and the position from which they lead.
type EdgeSource = (RelationshipId, PositionId);

/// The epochs of all positions, names and relationships, each computed when it is first asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct OrganizationEpochs {
    positions: OnceLock<Vec<OnceLock<Epochs<PositionEpoch>>>>,
    /// By folded name.
    names: OnceLock<HashMap<Box<str>, OnceLock<Epochs<NameMatches>>>>,
    reached: OnceLock<HashMap<EdgeSource, OnceLock<ReachedEpochs>>>,
}

impl OrganizationEpochs {
    /// Forgets everything: a table has changed.
    pub(super) fn forget(&mut self) {
        self.positions.take();
        self.names.take();
        self.reached.take();
    }
}

impl Organization {
    /// What is true of a position on `date`; none for one of another organisation.
    pub fn position_on(&self, position: PositionId, date: Date) -> Option<&PositionEpoch> {
        let blank = || vec![OnceLock::new(); self.positions.len()];
        let all = self.epochs.positions.get_or_init(blank);
        let epochs = all.get(position.0 as usize)?.get_or_init(|| self.epochs_of(position));
        epochs.value_on(date)
    }

    /// What `name` means on `date`; none where nothing is ever called so.
    pub(super) fn name_on(&self, name: &str, date: Date) -> Option<&NameMatches> {
        let blank = || {
            let names = self.aliases.iter();
            names.map(|(name, _)| (Box::from(name), OnceLock::new())).collect()
        };
        let all = self.epochs.names.get_or_init(blank);

        let name = folded_name(name);
        let epochs = all.get(&*name)?.get_or_init(|| {
            let meanings = self.aliases.meanings(&name);
            let value = |date| self.meaning_on(meanings, date);
            Epochs::new(self.change_days_of_name(meanings), value)
        });
        epochs.value_on(date)
    }

    /// The positions that are reached from one over edges of a type on `date`; none where no edge leads from
    /// it.
    pub(super) fn reached_on(
        &self,
        kind: RelationshipId,
        from: PositionId,
        date: Date,
    ) -> Option<&[(PositionId, u32)]> {
        let blank = || self.edges.keys().map(|key| (*key, OnceLock::new())).collect();
        let all = self.epochs.reached.get_or_init(blank);
        let epochs = all.get(&(kind, from))?.get_or_init(|| {
            let value = |date| self.reach_on(kind, from, date);
            Epochs::new(self.change_days_of_reach(kind, from), value)
        });
        epochs.value_on(date).map(Vec::as_slice)
    }

    /// The days on which other positions may be reached.
    fn change_days_of_reach(&self, kind: RelationshipId, from: PositionId) -> BTreeSet<Date> {
        let mut changes: Vec<Validity> = Vec::new();

        // Every position that is reached on some day.
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(current) = reached.get(next).copied() {
            next += 1;
            for edge in self.edges.get(&(kind, current)).into_iter().flatten() {
                changes.push(edge.validity);
                changes.extend(self.versions_of(edge.target));
                if !reached.contains(&edge.target) {
                    reached.push(edge.target);
                }
            }
        }

        days_of(&changes)
    }

    fn epochs_of(&self, position: PositionId) -> Epochs<PositionEpoch> {
        let value = |date: Date| {
            let version = self.version_on(position, date);
            let holder = self.assigned_on(position, date);
            PositionEpoch {
                exists: version.is_some(),
                title: version.map(|version| version.title).unwrap_or_default(),
                holder,
                payee: holder.map(|holder| self.participant_id(holder)),
                ancestors: self.ancestors_on(position, date),
            }
        };
        Epochs::new(self.change_days_of(position), value)
    }

    /// The days on which a name may begin or cease to mean something.
    fn change_days_of_name(&self, meanings: &[(Entity, Validity)]) -> BTreeSet<Date> {
        let mut changes: Vec<Validity> = Vec::new();

        for (entity, named) in meanings {
            changes.push(*named);
            match entity {
                Entity::Position(position) => changes.extend(self.versions_of(*position)),
                Entity::Participant(person) => {
                    changes.extend(self.existence_of(*person));
                    for held in self.held_by(*person) {
                        changes.push(held.validity);
                        changes.extend(self.versions_of(held.position));
                    }
                }
            }
        }

        days_of(&changes)
    }

    fn versions_of(&self, position: PositionId) -> impl Iterator<Item = Validity> {
        let known = self.positions.get(position.0 as usize).into_iter();
        known.flat_map(|position| &position.versions).map(|version| version.validity)
    }

    fn existence_of(&self, person: ParticipantId) -> impl Iterator<Item = Validity> {
        let known = self.participants.get(person.0 as usize).into_iter();
        known.flat_map(|person| &person.validity).copied()
    }

    /// The days on which a position, its holder or something above it may change.
    fn change_days_of(&self, position: PositionId) -> BTreeSet<Date> {
        let mut changes: Vec<Validity> = Vec::new();

        for held in self.holders_of(position) {
            changes.push(held.validity);
            changes.extend(self.existence_of(held.participant));
        }

        // The position, and every one that is above on some day.
        let mut above = vec![position];
        let mut next = 0;
        while let Some(current) = above.get(next).copied() {
            next += 1;
            let known = self.positions.get(current.0 as usize);
            for version in known.into_iter().flat_map(|position| &position.versions) {
                changes.push(version.validity);
                let manager = version.manager.filter(|manager| !above.contains(manager));
                above.extend(manager);
            }
        }

        days_of(&changes)
    }
}

/// The days on which one of these begins or has ended.
fn days_of(changes: &[Validity]) -> BTreeSet<Date> {
    changes.iter().flat_map(|validity| [validity.from, validity.until]).flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::organization::PositionVersion;

    const POSITIONS: u32 = 4;
    const PEOPLE: u32 = 3;

    /// A day of a month that is short enough to be looked through, and one before and behind it.
    fn day(index: u8) -> Date {
        date(2026, 1, 1 + i8::try_from(index).unwrap())
    }

    fn validity() -> impl Strategy<Value = Validity> {
        let end = || prop::option::of((1_u8..9).prop_map(day));
        (end(), end()).prop_map(|(from, until)| Validity { from, until })
    }

    /// Rows of every table: positions with managers, people, assignments, aliases.
    fn organizations() -> impl Strategy<Value = Organization> {
        let versions = (0..POSITIONS, validity(), prop::option::of(0..POSITIONS), 0..3_u8);
        let assignments = (0..POSITIONS, 0..PEOPLE, validity());
        let aliases = (0..2_u8, prop::bool::ANY, 0..PEOPLE, validity());
        let edges = (0..2_u16, 0..POSITIONS, 0..POSITIONS, validity());
        let rows = (
            prop::collection::vec(versions, 1..8),
            prop::collection::vec((0..PEOPLE, validity()), 1..6),
            prop::collection::vec(assignments, 0..8),
            prop::collection::vec(aliases, 0..6),
            prop::collection::vec(edges, 0..8),
        );

        rows.prop_map(|(versions, people, assignments, aliases, edges)| {
            let mut organization = Organization::default();
            for index in 0..POSITIONS {
                organization.add_position(&format!("p{index}"));
            }
            for (person, validity) in people {
                organization.add_participant(&format!("a{person}"), "A", validity);
            }
            for (position, validity, manager, title) in versions {
                let (title, manager) = (format!("T{title}").into(), manager.map(PositionId));
                let version = PositionVersion { validity, title, manager };
                organization.add_version(PositionId(position), version);
            }
            for (position, person, validity) in assignments {
                organization.assign_participant(
                    PositionId(position),
                    ParticipantId(person),
                    validity,
                );
            }
            for (alias, of_person, index, validity) in aliases {
                let entity = if of_person {
                    Entity::Participant(ParticipantId(index))
                } else {
                    Entity::Position(PositionId(index))
                };
                organization.add_alias(&format!("Alias {alias}"), entity, validity);
            }
            for (kind, source, target, validity) in edges {
                let (source, target) = (PositionId(source), PositionId(target));
                organization.add_edge(RelationshipId(kind), source, target, validity);
            }
            organization
        })
    }

    proptest! {
        /// An epoch that began or ended a day too late would pay a former holder, or a former manager.
        #[test]
        fn an_epoch_says_what_the_tables_say_on_each_day(organization in organizations()) {
            for index in 0..10 {
                let day = day(index);
                for position in (0..POSITIONS).map(PositionId) {
                    let known = organization.position_on(position, day).unwrap();
                    let version = organization.version_on(position, day);
                    prop_assert_eq!(known.exists, version.is_some());
                    prop_assert_eq!(known.title, version.map(|it| it.title).unwrap_or_default());
                    prop_assert_eq!(known.holder, organization.assigned_on(position, day));
                    prop_assert_eq!(&known.ancestors, &organization.ancestors_on(position, day));
                    for kind in (0..2).map(RelationshipId) {
                        let reached = organization.reachable_positions(kind, position, day);
                        prop_assert_eq!(reached, organization.reach_on(kind, position, day));
                    }
                }

                for name in ["alias 0", "Alias 1 ", "nobody"] {
                    let meanings = organization.aliases.meanings(name);
                    let meant = organization.meaning_on(meanings, day);
                    prop_assert_eq!(organization.resolve_name(name, day), &meant);
                }
            }
        }

        /// What was looked up before a table changed is not what the table says then.
        #[test]
        fn a_change_of_a_table_is_seen(organization in organizations(), validity in validity()) {
            let mut changed = organization;
            let seen: HashMap<u8, Option<PositionEpoch>> = (0..10)
                .map(|index| (index, changed.position_on(PositionId(0), day(index)).cloned()))
                .collect();
            prop_assert!(seen.values().all(Option::is_some));

            let person = changed.add_participant("new", "New", Validity::default());
            changed.assign_participant(PositionId(0), person, validity);
            changed.add_alias("new alias", Entity::Position(PositionId(0)), Validity::default());
            let kind = RelationshipId(0);
            let seen = changed.reachable_positions(kind, PositionId(0), day(0)).to_vec();
            prop_assert_eq!(seen, changed.reach_on(kind, PositionId(0), day(0)));
            changed.add_edge(kind, PositionId(0), PositionId(1), validity);
            for index in 0..10 {
                let known = changed.position_on(PositionId(0), day(index)).unwrap();
                prop_assert_eq!(known.holder, changed.assigned_on(PositionId(0), day(index)));
                let meant = changed.meaning_on(changed.aliases.meanings("new alias"), day(index));
                prop_assert_eq!(changed.resolve_name("new alias", day(index)), &meant);
                let reached = changed.reach_on(kind, PositionId(0), day(index));
                let known = changed.reachable_positions(kind, PositionId(0), day(index));
                prop_assert_eq!(known, reached);
            }
        }
    }
}
