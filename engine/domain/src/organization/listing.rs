//! The relationships of an organisation, and the days on which anything in it changes.
//!
//! Not what is reached over a relationship (`paths`) and not what differs between two organisations
//! (`difference`). Called by what shows an organisation as a whole. Source: FORMAT section 1.
//!
//! **Architecture invariant:** between two days of change the organisation is the same on every day.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Organization, PositionId, Recipient, RelationshipId};
use crate::calendar::Validity;

/// A row of a user-defined relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationshipRow {
    /// The type.
    pub kind: RelationshipId,
    /// Where credit comes from.
    pub source: Recipient,
    /// Where it flows to.
    pub target: Recipient,
    /// The days on which it does.
    pub validity: Validity,
}

impl Organization {
    /// Every relationship of a declared type, by type, source, target and days.
    pub fn relationship_rows(&self) -> Vec<RelationshipRow> {
        let of_positions = self.edges.iter().flat_map(|((kind, source), edges)| {
            edges.iter().map(|edge| RelationshipRow {
                kind: *kind,
                source: Recipient::Position(*source),
                target: Recipient::Position(edge.target),
                validity: edge.validity,
            })
        });
        let of_teams = self.teams.all_edges().flat_map(|(kind, source, edges)| {
            edges.iter().map(move |edge| RelationshipRow {
                kind,
                source: Recipient::Team(source),
                target: Recipient::Team(edge.target),
                validity: edge.validity,
            })
        });

        let mut rows: Vec<RelationshipRow> = of_positions.chain(of_teams).collect();
        rows.sort_by_key(|row| (row.kind, row.source, row.target, row.validity));
        rows
    }

    /// The days on which a person, a position, a team or what is between them begins, changes or has
    /// ended, in order; names and attributes apart.
    pub fn all_change_days(&self) -> BTreeSet<Date> {
        let people = self.participants.iter().flat_map(|known| known.validity.iter().copied());
        let positions = self.positions.iter().flat_map(|known| &known.versions);
        let assignments = (0..).map(PositionId).take(self.positions.len());
        let assignments = assignments.flat_map(|position| self.assignments_of(position));
        let relationships = self.relationship_rows().into_iter().map(|row| row.validity);

        let teams = self.teams.iter().flat_map(|(team, known)| {
            let versions = known.versions.iter().map(|version| version.validity);
            let members = self.teams.members_of(team).map(|member| member.validity);
            versions.chain(members)
        });

        let all = people
            .chain(positions.map(|version| version.validity))
            .chain(assignments.map(|(_, validity)| validity))
            .chain(relationships)
            .chain(teams);
        all.flat_map(|validity| [validity.from, validity.until]).flatten().collect()
    }
}
