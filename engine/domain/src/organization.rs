//! The organisation on a date: participants, positions and teams, assignments, reporting lines,
//! named relationships, and aliases.
//!
//! Effective-dated throughout; every question takes the incentive date. Not reading of files
//! (`workspace::organization` fills it). Called by crediting and rollup. Source: DOMAIN 2.2, 2.3.
//!
//! **Architecture invariant:** for one position at most one participant a day (INV-P1), and no
//! overlapping versions of one object (INV-P2); what fills the tables checks both.

pub mod aliases;
pub mod attributes;
pub mod difference;
mod epochs;
mod ids;
mod listing;
mod paths;
pub mod persons;
pub mod teams;
pub mod territory;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use crate::calendar::{Period, Validity};
use crate::keys::{DefinedName, ParticipantKey, PositionKey, RecipientKey, TeamKey};
use crate::money::Unit;

use self::aliases::NameIndex;
use self::attributes::Attributes;
use self::epochs::OrganizationEpochs;
pub use self::epochs::PositionEpoch;
use self::ids::IdIndex;
pub use self::ids::{compose_id, confusable_key, fold_name, is_unseen};
pub use self::listing::RelationshipRow;
pub use self::teams::{Member, Team, TeamVersion, Teams};
pub use self::territory::Territories;

/// A participant, as an index into the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u32);

/// A position, as an index into the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PositionId(pub u32);

/// A team, as an index into the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamId(pub u32);

/// Who can be credited: a position, or in a plan that measures teams a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// A position, regardless of who holds it.
    Position(PositionId),
    /// A team, in plans that measure teams.
    Team(TeamId),
}

impl Recipient {
    /// The position; none for a team.
    pub fn position(self) -> Option<PositionId> {
        match self {
            Recipient::Position(position) => Some(position),
            Recipient::Team(_) => None,
        }
    }

    /// The team; none for a position.
    pub fn team(self) -> Option<TeamId> {
        match self {
            Recipient::Position(_) => None,
            Recipient::Team(team) => Some(team),
        }
    }
}

/// A user-defined relationship type, as an index into the workspace's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationshipId(pub u16);

/// A person who can be paid.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Its id in the files.
    pub id: ParticipantKey,
    /// Name for people; not unique.
    pub name: Arc<str>,
    /// The ranges of days in which the participant exists.
    pub validity: Vec<Validity>,
}

/// One version of a position.
#[derive(Debug, Clone)]
pub struct PositionVersion {
    /// The days on which this version is valid.
    pub validity: Validity,
    /// Title that rules may select by.
    pub title: DefinedName,
    /// The position it reports to.
    pub manager: Option<PositionId>,
}

/// A seat in the organisation: what is credited.
#[derive(Debug, Clone)]
pub struct Position {
    /// Its id in the files.
    pub id: PositionKey,
    /// The versions, which do not overlap.
    pub versions: Vec<PositionVersion>,
}

/// What an alias means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A person, and so the position the person holds.
    Participant(ParticipantId),
    /// A position, regardless of who holds it.
    Position(PositionId),
}

#[derive(Debug, Clone, Copy)]
struct PositionAssignment {
    validity: Validity,
    participant: ParticipantId,
    position: PositionId,
}

/// Where credit flows to, of a position or of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge<T> {
    /// The days on which credit flows.
    pub validity: Validity,
    /// The position or team that is reached.
    pub target: T,
}

/// What a name means on a date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameMatches {
    /// The positions meant, without repetition, in file order.
    pub positions: Vec<PositionId>,
    /// Whether the name is that of a participant who holds no position on the date.
    pub without_position: bool,
}

/// What a name means that nothing is called by.
static NO_MATCHES: NameMatches = NameMatches { positions: Vec::new(), without_position: false };

/// People, positions, teams and how they belong together, by date.
#[derive(Debug, Clone, Default)]
pub struct Organization {
    participants: Vec<Participant>,
    positions: Vec<Position>,
    participant_ids: IdIndex<ParticipantId>,
    position_ids: IdIndex<PositionId>,
    /// The assignments to each position, by its index.
    holders: Vec<Vec<PositionAssignment>>,
    /// The same by participant.
    held: Vec<Vec<PositionAssignment>>,
    edges: HashMap<(RelationshipId, PositionId), Vec<Edge<PositionId>>>,
    aliases: NameIndex<Entity>,
    currencies: HashMap<ParticipantId, Vec<(Validity, Unit)>>,
    /// What the tables say, by stretches of days: forgotten when a table changes.
    epochs: OrganizationEpochs,
    /// Teams and their members.
    pub teams: Teams,
    /// Which deals are whose by what they are about.
    pub territories: Territories,
    /// What is known of people, positions and teams beside this.
    pub attributes: Attributes,
}

impl Organization {
    /// Every name, id and alias of a participant, folded.
    pub fn names_of_people(&self) -> impl Iterator<Item = &str> {
        let person = |entity: &Entity| matches!(entity, Entity::Participant(_));
        let people = self.aliases.iter();
        people
            .filter(move |(_, meant)| meant.iter().any(|(entity, _)| person(entity)))
            .map(|(name, _)| name)
    }

    /// Every name, id and alias of a participant, a position or a team, folded.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        let teams = self.teams.name_index().iter().map(|(name, _)| name);
        self.aliases.iter().map(|(name, _)| name).chain(teams)
    }

    /// The participant with this id, added when new.
    pub fn add_participant(&mut self, id: &str, name: &str, validity: Validity) -> ParticipantId {
        self.epochs.forget();
        if let Some(known) = self.participant_ids.find_exact(id) {
            if let Some(participant) = self.participants.get_mut(known.0 as usize) {
                // Rows are versions of one person, of which the last one names them.
                participant.validity.push(validity);
                participant.name = Arc::from(name);
            }
            return known;
        }

        let new = ParticipantId(u32::try_from(self.participants.len()).unwrap_or(u32::MAX));
        let id = ParticipantKey::from(id);
        let name = Arc::from(name);

        self.participant_ids.add(id.into(), new);
        self.participants.push(Participant { id, name, validity: vec![validity] });

        new
    }

    /// Pays a participant in `unit`.
    pub fn add_currency(&mut self, participant: ParticipantId, unit: Unit, validity: Validity) {
        self.currencies.entry(participant).or_default().push((validity, unit));
    }

    /// What a participant is paid in on `date`; none where the workspace's currency is meant.
    pub fn currency_on(&self, participant: ParticipantId, date: Date) -> Option<Unit> {
        let mut known = self.currencies.get(&participant)?.iter();
        known.find(|(validity, _)| validity.contains(date)).map(|(_, unit)| *unit)
    }

    /// Every unit in which at least one participant is paid.
    pub fn all_currencies(&self) -> impl Iterator<Item = Unit> {
        self.currencies.values().flatten().map(|(_, unit)| *unit)
    }

    /// The position with this id, added without a version when new.
    pub fn add_position(&mut self, id: &str) -> PositionId {
        if let Some(known) = self.position_ids.find_exact(id) {
            return known;
        }
        self.epochs.forget();
        let new = PositionId(u32::try_from(self.positions.len()).unwrap_or(u32::MAX));
        let id = PositionKey::from(id);
        self.position_ids.add(id.into(), new);
        self.positions.push(Position { id, versions: Vec::new() });
        new
    }

    /// Adds a version to a position.
    pub fn add_version(&mut self, position: PositionId, version: PositionVersion) {
        self.epochs.forget();
        if let Some(position) = self.positions.get_mut(position.0 as usize) {
            position.versions.push(version);
        }
    }

    /// Puts a participant into a position.
    pub fn assign_participant(
        &mut self,
        position: PositionId,
        participant: ParticipantId,
        validity: Validity,
    ) {
        self.epochs.forget();
        let assignment = PositionAssignment { validity, participant, position };
        for (table, index) in [(&mut self.holders, position.0), (&mut self.held, participant.0)] {
            let index = index as usize;
            if table.len() <= index {
                table.resize(index + 1, Vec::new());
            }
            table.iter_mut().skip(index).take(1).for_each(|known| known.push(assignment));
        }
    }

    /// Adds an edge along which credit flows.
    pub fn add_edge(
        &mut self,
        kind: RelationshipId,
        source: PositionId,
        target: PositionId,
        validity: Validity,
    ) {
        self.epochs.forget();
        self.edges.entry((kind, source)).or_default().push(Edge { validity, target });
    }

    /// Makes `alias` stand for `entity`.
    pub fn add_alias(&mut self, alias: &str, entity: Entity, validity: Validity) {
        self.epochs.forget();
        self.aliases.add_name(alias, entity, validity);
    }

    /// A position.
    pub fn position(&self, id: PositionId) -> Option<&Position> {
        self.positions.get(id.0 as usize)
    }

    /// All positions, in file order.
    pub fn positions(&self) -> impl Iterator<Item = (PositionId, &Position)> {
        (0..).map(PositionId).zip(&self.positions)
    }

    /// Every person and position that a name means on some day, once each.
    pub fn entities_named(&self, name: &str) -> Vec<Entity> {
        let mut all: Vec<Entity> = Vec::new();
        for (entity, _) in self.aliases.meanings(name) {
            if !all.contains(entity) {
                all.push(*entity);
            }
        }
        all
    }

    /// All participants, in file order.
    pub fn participants(&self) -> impl Iterator<Item = (ParticipantId, &Participant)> {
        (0..).map(ParticipantId).zip(&self.participants)
    }

    /// All assignments, on any day: a pair for each assignment.
    pub fn all_assignments(&self) -> impl Iterator<Item = (PositionId, ParticipantId)> {
        self.holders.iter().flatten().map(|held| (held.position, held.participant))
    }

    /// The id of a position; blank for one of another organisation.
    pub fn position_id(&self, position: PositionId) -> PositionKey {
        self.positions.get(position.0 as usize).map(|known| known.id).unwrap_or_default()
    }

    /// The id of a recipient; blank for one of another organisation.
    pub fn recipient_id(&self, recipient: Recipient) -> RecipientKey {
        match recipient {
            Recipient::Position(position) => self.position_id(position).into(),
            Recipient::Team(team) => self.team_id(team).into(),
        }
    }

    /// The id of a team; blank for one of another organisation.
    pub fn team_id(&self, team: TeamId) -> TeamKey {
        self.teams.team_id(team)
    }

    /// The id of a participant; blank for one of another organisation.
    pub fn participant_id(&self, participant: ParticipantId) -> ParticipantKey {
        self.participants.get(participant.0 as usize).map(|known| known.id).unwrap_or_default()
    }

    /// The name of a participant.
    pub fn participant_name(&self, participant: ParticipantId) -> Arc<str> {
        let known = self.participants.get(participant.0 as usize);
        known.map_or_else(|| Arc::from(""), |known| Arc::clone(&known.name))
    }

    /// The version of a position on `date`.
    pub fn version_on(&self, position: PositionId, date: Date) -> Option<&PositionVersion> {
        let versions = &self.positions.get(position.0 as usize)?.versions;
        versions.iter().find(|version| version.validity.contains(date))
    }

    /// Who holds a position on `date`; none when it is vacant.
    pub fn holder_on(&self, position: PositionId, date: Date) -> Option<ParticipantId> {
        self.position_on(position, date)?.holder
    }

    fn assigned_on(&self, position: PositionId, date: Date) -> Option<ParticipantId> {
        let mut assignments = self.holders_of(position).iter();
        let held = assignments.find(|held| held.validity.contains(date))?;
        self.exists_on(held.participant, date).then_some(held.participant)
    }

    fn holders_of(&self, position: PositionId) -> &[PositionAssignment] {
        self.holders.get(position.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    fn held_by(&self, participant: ParticipantId) -> &[PositionAssignment] {
        self.held.get(participant.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// All holders of a position on any day, each once, in the order of the file.
    pub fn all_holders(&self, position: PositionId) -> Vec<ParticipantId> {
        let mut found: Vec<ParticipantId> = Vec::new();
        for held in self.holders_of(position) {
            if !found.contains(&held.participant) {
                found.push(held.participant);
            }
        }
        found
    }

    /// The holders of a position with their days, in the order of the file.
    pub fn assignments_of(
        &self,
        position: PositionId,
    ) -> impl Iterator<Item = (ParticipantId, Validity)> {
        let held = self.holders_of(position).iter();
        held.map(|held| (held.participant, held.validity))
    }

    /// Whether any position is ever held.
    pub fn is_staffed(&self) -> bool {
        self.holders.iter().any(|assignments| !assignments.is_empty())
    }

    /// The days of `period` on which the holder or the version of a position may be another than
    /// the day before, in order; the first day of the period is always one.
    pub fn change_days(&self, position: PositionId, period: &Period) -> BTreeSet<Date> {
        let versions = self.position(position).into_iter().flat_map(|known| &known.versions);
        let holders = self.holders_of(position).iter();
        let people = holders.clone().filter_map(|held| {
            self.participants.get(held.participant.0 as usize).map(|known| &known.validity)
        });

        let all = versions.map(|version| &version.validity);
        let all = all.chain(holders.map(|held| &held.validity)).chain(people.flatten());
        let days = all.flat_map(|validity| [validity.from, validity.until]).flatten();
        days.filter(|day| period.contains(*day)).chain([period.first]).collect()
    }

    /// The one participant that `name` means on any day: a person before the position of that
    /// person.
    pub fn only_meaning(&self, name: &str) -> Option<Entity> {
        let mut meant: Vec<Entity> =
            self.aliases.meanings(name).iter().map(|(entity, _)| *entity).collect();
        if meant.iter().any(|entity| matches!(entity, Entity::Participant(_))) {
            meant.retain(|entity| matches!(entity, Entity::Participant(_)));
        }
        meant.dedup();
        match meant.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Every overlap of two assignments to one position, as (position, first, second).
    pub fn double_assignments(&self) -> Vec<(PositionId, ParticipantId, ParticipantId)> {
        let mut found = Vec::new();

        for assignments in &self.holders {
            for (index, a) in assignments.iter().enumerate() {
                for b in assignments.iter().skip(index + 1) {
                    if a.validity.overlaps(&b.validity) {
                        found.push((a.position, a.participant, b.participant));
                    }
                }
            }
        }

        found.sort();
        found
    }

    /// The positions a participant holds on `date`.
    pub fn positions_held_by(&self, participant: ParticipantId, date: Date) -> Vec<PositionId> {
        let assignments = self.held_by(participant).iter();
        let held = assignments.filter(|held| held.validity.contains(date));
        let mut positions: Vec<PositionId> = held.map(|held| held.position).collect();
        positions.retain(|position| self.version_on(*position, date).is_some());
        positions
    }

    /// Whether a participant is there on `date`.
    pub fn exists_on(&self, participant: ParticipantId, date: Date) -> bool {
        let known = self.participants.get(participant.0 as usize);
        known.is_some_and(|known| known.validity.iter().any(|validity| validity.contains(date)))
    }

    /// The last day up to and including `date` on which a participant was there. For a participant
    /// who joins later, it is `date`.
    pub fn last_day(&self, participant: ParticipantId, date: Date) -> Date {
        if self.exists_on(participant, date) {
            return date;
        }
        let known = self.participants.get(participant.0 as usize);
        let ends = known.into_iter().flat_map(|known| &known.validity);
        let ends = ends.filter_map(|validity| validity.until.filter(|until| *until <= date));
        ends.max().and_then(|until| until.yesterday().ok()).unwrap_or(date)
    }

    /// Reporting ancestors on `date`, bottom-up, each with its distance from 1; a cycle ends where
    /// it would begin again. A position that has ended by then is left out, but the path leads over
    /// it, as over a vacant one: to the manager that it had last.
    pub fn ancestors_of(&self, position: PositionId, date: Date) -> &[(PositionId, u32)] {
        self.position_on(position, date).map_or(&[], |epoch| &epoch.ancestors)
    }

    fn ancestors_on(&self, position: PositionId, date: Date) -> Vec<(PositionId, u32)> {
        let above = paths::ancestor_path(position, |position| {
            let manager = self.version_or_last(position, date)?.manager?;
            self.version_or_last(manager, date).map(|_| manager)
        });
        let exists = |(position, _): &(PositionId, u32)| self.version_on(*position, date).is_some();
        above.into_iter().zip(1..).filter(exists).collect()
    }

    /// The version of a position on `date`, or the last one that ended before.
    fn version_or_last(&self, position: PositionId, date: Date) -> Option<&PositionVersion> {
        self.version_on(position, date).or_else(|| {
            let versions = self.positions.get(position.0 as usize)?.versions.iter();
            let ended =
                versions.filter(|version| version.validity.until.is_some_and(|u| u <= date));
            ended.max_by_key(|version| version.validity.until)
        })
    }

    /// Positions reachable over edges of one type on `date`, breadth first, with their distance
    /// from 1; cycles end (INV-H2). Source: DOMAIN section 7, `reach`.
    pub fn reachable_positions(
        &self,
        kind: RelationshipId,
        from: PositionId,
        date: Date,
    ) -> &[(PositionId, u32)] {
        self.reached_on(kind, from, date).unwrap_or_default()
    }

    fn reach_on(
        &self,
        kind: RelationshipId,
        from: PositionId,
        date: Date,
    ) -> Vec<(PositionId, u32)> {
        let open = |edge: &Edge<PositionId>| {
            edge.validity.contains(date) && self.version_on(edge.target, date).is_some()
        };
        paths::reachable_from(from, |position| self.edges.get(&(kind, position)), open)
    }

    /// The members of a team on `date`, in file order, those who exist.
    pub fn existing_members(&self, team: TeamId, date: Date) -> impl Iterator<Item = &Member> {
        let members = self.teams.members_on(team, date);
        members.filter(move |member| self.exists_on(member.participant, date))
    }

    /// What `name` means on `date`, teams apart: a person and the position they hold are one match.
    pub fn resolve_name(&self, name: &str, date: Date) -> &NameMatches {
        self.name_on(name, date).unwrap_or(&NO_MATCHES)
    }

    fn meaning_on(&self, meanings: &[(Entity, Validity)], date: Date) -> NameMatches {
        let mut matches = NameMatches::default();

        let mut add = |position: PositionId| {
            if !matches.positions.contains(&position) {
                matches.positions.push(position);
            }
        };

        let mut homeless = false;

        for (entity, validity) in meanings {
            if !validity.contains(date) {
                continue;
            }
            // A name means nothing outside the dates of what it names.
            match entity {
                Entity::Position(position) => {
                    if self.version_on(*position, date).is_some() {
                        add(*position);
                    }
                }
                Entity::Participant(participant) => {
                    if !self.exists_on(*participant, date) {
                        continue;
                    }
                    let held = self.positions_held_by(*participant, date);
                    homeless |= held.is_empty();
                    held.into_iter().for_each(&mut add);
                }
            }
        }

        // A person without a position matters only if the name matches no position.
        matches.without_position = homeless && matches.positions.is_empty();
        matches
    }

    /// Aliases that mean several entities which are not one person in one position, for warnings.
    pub fn shared_aliases(&self) -> Vec<(&str, &[(Entity, Validity)])> {
        self.aliases.shared_names()
    }
}
