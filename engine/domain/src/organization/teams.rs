//! Teams on a date: what they are called, which team they belong to, who manages them, who their
//! members are.
//!
//! Not which deals are a team's by its territory (`territory`), and not what becomes of a team in a
//! plan (`stage::crediting`). Filled by `workspace::organization`. Source: FORMAT section 1, DOMAIN
//! 2.8, 3.4 g, 3.5, seed 001.
//!
//! **Architecture invariant:** outside the dates of its rows a team does not exist: no name means
//! it, it has no members, and nothing rolls to it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::aliases::NameIndex;
use super::ids::IdIndex;
use super::{Edge, ParticipantId, PositionId, RelationshipId, TeamId, paths};
use crate::calendar::Validity;
use crate::keys::TeamKey;

/// One version of a team.
#[derive(Debug, Clone)]
pub struct TeamVersion {
    /// The days on which this version is valid.
    pub validity: Validity,
    /// Name for people; not unique.
    pub name: Arc<str>,
    /// The team that this team belongs to; cycles are allowed.
    pub parent: Option<TeamId>,
    /// The position that manages it.
    pub manager: Option<PositionId>,
}

/// A team with everything that it was.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its id in the files.
    pub id: TeamKey,
    /// The versions, which do not overlap.
    pub versions: Vec<TeamVersion>,
}

/// A membership of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The person who belongs to the team.
    pub participant: ParticipantId,
    /// The part of a team's credit by weight, from 0; only its ratio to the others' matters.
    pub weight: Decimal,
    /// The days of the membership.
    pub validity: Validity,
}

/// All teams, their members and their names.
#[derive(Debug, Clone, Default)]
pub struct Teams {
    teams: Vec<Team>,
    ids: IdIndex<TeamId>,
    members: HashMap<TeamId, Vec<Member>>,
    of: HashMap<ParticipantId, Vec<TeamId>>,
    edges: HashMap<(RelationshipId, TeamId), Vec<Edge<TeamId>>>,
    names: NameIndex<TeamId>,
}

impl Teams {
    /// The team with this id, added without a version when new.
    pub fn add(&mut self, id: &str) -> TeamId {
        if let Some(known) = self.ids.find_exact(id) {
            return known;
        }
        let new = TeamId(u32::try_from(self.teams.len()).unwrap_or(u32::MAX));
        let id = TeamKey::from(id);
        self.ids.add(id.into(), new);
        self.teams.push(Team { id, versions: Vec::new() });
        new
    }

    /// Adds a version to a team.
    pub fn add_version(&mut self, team: TeamId, version: TeamVersion) {
        if let Some(team) = self.teams.get_mut(team.0 as usize) {
            team.versions.push(version);
        }
    }

    /// Adds a member to a team.
    pub fn add_member(&mut self, team: TeamId, member: Member) {
        self.members.entry(team).or_default().push(member);
        let of = self.of.entry(member.participant).or_default();
        if !of.contains(&team) {
            of.push(team);
            of.sort_unstable();
        }
    }

    /// Adds an edge along which credit flows.
    pub fn add_edge(&mut self, kind: RelationshipId, source: TeamId, edge: Edge<TeamId>) {
        self.edges.entry((kind, source)).or_default().push(edge);
    }

    /// Makes `alias` stand for `team`.
    pub fn add_alias(&mut self, alias: &str, team: TeamId, validity: Validity) {
        self.names.add_name(alias, team, validity);
    }

    /// The index from names to teams.
    pub(super) fn name_index(&self) -> &NameIndex<TeamId> {
        &self.names
    }

    /// All edges by their type and where they begin, in no order.
    pub(super) fn all_edges(
        &self,
    ) -> impl Iterator<Item = (RelationshipId, TeamId, &[Edge<TeamId>])> {
        self.edges.iter().map(|((kind, source), edges)| (*kind, *source, edges.as_slice()))
    }

    /// All teams, in file order.
    pub fn iter(&self) -> impl Iterator<Item = (TeamId, &Team)> {
        (0..).map(TeamId).zip(&self.teams)
    }

    /// All memberships, on any day: a pair for each row.
    pub fn all_memberships(&self) -> impl Iterator<Item = (TeamId, ParticipantId)> {
        let rows = self.members.iter();
        rows.flat_map(|(team, members)| members.iter().map(|member| (*team, member.participant)))
    }

    /// The members of a team on any day, in the order of the file.
    pub fn members_of(&self, team: TeamId) -> impl Iterator<Item = &Member> {
        self.members.get(&team).into_iter().flatten()
    }

    /// Lets a former id mean a team that was renamed.
    pub fn add_former_id(&mut self, former: &str, team: TeamId) {
        self.ids.add_former_id(former, team);
    }

    /// The team with this id, compared as names are, or that was renamed from it.
    pub fn find(&self, id: &str) -> Option<TeamId> {
        self.ids.find(id)
    }

    /// The teams that a name means on some day, once each.
    pub fn teams_named(&self, name: &str) -> Vec<TeamId> {
        let mut all: Vec<TeamId> =
            self.names.meanings(name).iter().map(|(team, _)| *team).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The team with this id; none for an id of another organisation.
    pub fn get(&self, team: TeamId) -> Option<&Team> {
        self.teams.get(team.0 as usize)
    }

    /// The id of a team; blank for one of another organisation.
    pub fn team_id(&self, team: TeamId) -> TeamKey {
        self.teams.get(team.0 as usize).map(|known| known.id).unwrap_or_default()
    }

    /// The version of a team on `date`.
    pub fn version_on(&self, team: TeamId, date: Date) -> Option<&TeamVersion> {
        let versions = &self.teams.get(team.0 as usize)?.versions;
        versions.iter().find(|version| version.validity.contains(date))
    }

    /// The teams that `name` means on `date`, in file order.
    pub fn resolve_name(&self, name: &str, date: Date) -> Vec<TeamId> {
        let meant = self.names.meanings(name).iter();
        let meant = meant.filter(|(team, validity)| {
            validity.contains(date) && self.version_on(*team, date).is_some()
        });
        let mut teams: Vec<TeamId> = meant.map(|(team, _)| *team).collect();
        teams.sort_unstable();
        teams.dedup();
        teams
    }

    /// The team that `name` means on any day, when that is one.
    pub fn only_meaning(&self, name: &str) -> Option<TeamId> {
        let mut meant: Vec<TeamId> =
            self.names.meanings(name).iter().map(|(team, _)| *team).collect();
        meant.dedup();
        match meant.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The members of a team on `date`, in file order, whether they exist or not.
    pub(super) fn members_on(&self, team: TeamId, date: Date) -> impl Iterator<Item = &Member> {
        let members = self.members.get(&team).filter(|_| self.version_on(team, date).is_some());
        members.into_iter().flatten().filter(move |member| member.validity.contains(date))
    }

    /// The teams that a participant is a member of on `date`, in file order.
    pub fn teams_of(&self, participant: ParticipantId, date: Date) -> Vec<TeamId> {
        let teams = self.of.get(&participant).into_iter().flatten().copied();
        teams.filter(|team| self.is_member(*team, participant, date)).collect()
    }

    /// Whether a participant is a member of a team on `date`.
    pub fn is_member(&self, team: TeamId, participant: ParticipantId, date: Date) -> bool {
        self.members_on(team, date).any(|member| member.participant == participant)
    }

    /// The teams above one on `date`, bottom-up, each with its distance from 1; a cycle ends where
    /// it would begin again. A team that has ended by then is left out, but the path leads over it.
    pub fn ancestors_of(&self, team: TeamId, date: Date) -> Vec<(TeamId, u32)> {
        let above = paths::ancestor_path(team, |team| {
            let parent = self.version_or_last(team, date)?.parent?;
            self.version_or_last(parent, date).map(|_| parent)
        });
        let exists = |(team, _): &(TeamId, u32)| self.version_on(*team, date).is_some();
        above.into_iter().zip(1..).filter(exists).collect()
    }

    /// Whether `team` is `top` or stands below it on `date`.
    pub fn is_within(&self, team: TeamId, top: TeamId, date: Date) -> bool {
        team == top || self.ancestors_of(team, date).iter().any(|(above, _)| *above == top)
    }

    /// The version of a team on `date`, or the last one that ended before.
    fn version_or_last(&self, team: TeamId, date: Date) -> Option<&TeamVersion> {
        self.version_on(team, date).or_else(|| {
            let versions = self.teams.get(team.0 as usize)?.versions.iter();
            let ended =
                versions.filter(|version| version.validity.until.is_some_and(|u| u <= date));
            ended.max_by_key(|version| version.validity.until)
        })
    }

    /// Teams reachable over edges of one type on `date`, as positions are.
    pub fn reachable_teams(
        &self,
        kind: RelationshipId,
        from: TeamId,
        date: Date,
    ) -> Vec<(TeamId, u32)> {
        let open = |edge: &Edge<TeamId>| {
            edge.validity.contains(date) && self.version_on(edge.target, date).is_some()
        };
        paths::reachable_from(from, |team| self.edges.get(&(kind, team)), open)
    }

    /// Aliases that mean several teams, with what they mean and when, sorted by alias.
    pub fn shared_aliases(&self) -> Vec<(&str, &[(TeamId, Validity)])> {
        self.names.shared_names()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// With any parents, cycles included, the path up ends and visits no team twice.
        #[test]
        fn the_way_up_ends(parents in prop::collection::vec(prop::option::of(0_u32..8), 8)) {
            let mut teams = Teams::default();
            for index in 0..8 {
                teams.add(&format!("T{index}"));
            }
            for (index, parent) in (0_u32..).zip(&parents) {
                let (validity, name) = (Validity::default(), Arc::from(""));
                let parent = parent.map(TeamId);
                let version = TeamVersion { validity, name, parent, manager: None };
                teams.add_version(TeamId(index), version);
            }
            let day = date(2022, 1, 12);
            for index in 0..8 {
                let above = teams.ancestors_of(TeamId(index), day);
                let above: Vec<TeamId> = above.into_iter().map(|(team, _)| team).collect();
                let mut once = above.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(once.len(), above.len());
                prop_assert!(!above.contains(&TeamId(index)));
                let mut current = index;
                for team in &above {
                    prop_assert_eq!(parents[current as usize].map(TeamId), Some(*team));
                    current = team.0;
                }
            }
        }
    }
}
