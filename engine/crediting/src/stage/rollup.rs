//! Rollup: the receivers that a direct credit reaches over relationships, in order.
//!
//! Model M of DOMAIN 2.6: reporting ancestors bottom-up, related orders, the other members of the
//! holder's teams, then each named type (transitive inside itself), and, when rollable on reporting,
//! the named types of every ancestor. For a team the ancestors are its parent teams, and there is
//! nothing else. Only the direct credit rolls; nothing that arrived rolls on. Not the value of a
//! candidate. Called by the pipeline. Source: seed 003 tables 2 to 5, seed 001, DOMAIN 2.6, 3.5,
//! section 7, decisions D1 to D3.
//!
//! **Architecture invariant:** one candidate per root credit, receiver and relationship; the first
//! path is its `via`. Cycles end (INV-H2, INV-I2).

use accredit_domain::note::{NoteCode, NoteStage};
use jiff::civil::Date;

use crate::stage::{DealCase, ParkReason, names};
use accredit_domain::credit::Credit;
use accredit_domain::organization::{PositionId, Recipient, RelationshipId, TeamId};
use accredit_domain::plan::{IndirectRule, Relationship};
use accredit_domain::transaction::NameColumns;

/// A position or team that a direct credit reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The position or team that is reached.
    pub recipient: Recipient,
    /// The team through which a position was reached.
    pub team: Option<TeamId>,
    /// The relationship over which it is reached.
    pub relationship: Relationship,
    /// Where the relationship was entered.
    pub via: Recipient,
    /// Steps from `via`, from 1.
    pub level: u32,
}

/// All receivers that `root` reaches over the relationships that the plan has rules for.
///
/// # Errors
/// [`ParkReason`] if a related order names no one or several.
pub fn find_candidates(
    case: &mut DealCase<'_>,
    root: &Credit,
) -> Result<Vec<Candidate>, ParkReason> {
    let wanted = rolling_relationships(&case.plan.indirect, &root.plan, case.date);

    let (organization, date) = (&case.ruleset.organization, case.date);
    let (positions_above, teams_above) = match root.recipient {
        Recipient::Position(position) => (organization.ancestors_of(position, date), Vec::new()),
        Recipient::Team(team) => (&[] as &[_], organization.teams.ancestors_of(team, date)),
    };
    let ancestors = || {
        let positions = positions_above.iter();
        let positions = positions.map(|(above, level)| (Recipient::Position(*above), *level));
        let teams = teams_above.iter().map(|(above, level)| (Recipient::Team(*above), *level));
        positions.chain(teams)
    };

    let found = Vec::with_capacity(positions_above.len() + teams_above.len());
    let mut reached = ReachedCandidates { root: root.recipient, found };
    for relationship in &wanted {
        let relationship = *relationship;
        match relationship {
            Relationship::Reporting | Relationship::ParentTeam => {
                for (recipient, level) in ancestors() {
                    reached.add_recipient(recipient, relationship, level);
                }
            }

            Relationship::RelatedPerson => {
                for position in related_positions(case, NameColumns::RelatedPerson)? {
                    reached.add_recipient(Recipient::Position(position), relationship, 1);
                }
            }
            Relationship::RelatedPosition => {
                for position in related_positions(case, NameColumns::RelatedPosition)? {
                    reached.add_recipient(Recipient::Position(position), relationship, 1);
                }
            }

            Relationship::Team => {
                for (position, team) in teammate_positions(case, root.recipient) {
                    reached.add_member(position, team);
                }
            }
            Relationship::Named(kind) => reached.follow_edges(case, kind, root.recipient),
        }
    }

    if root.rollable_on_reporting {
        // One level up at a time: what the manager's own relations reach counts as reached by them.
        for (ancestor, _) in ancestors() {
            for relationship in &wanted {
                if let Relationship::Named(kind) = relationship {
                    reached.follow_edges(case, *kind, ancestor);
                }
            }
        }
    }

    Ok(reached.found)
}

/// Candidates so far, in order.
struct ReachedCandidates {
    root: Recipient,
    found: Vec<Candidate>,
}

impl ReachedCandidates {
    fn push_new(&mut self, candidate: Candidate) {
        let same = |known: &Candidate| {
            known.recipient == candidate.recipient && known.relationship == candidate.relationship
        };
        if !self.found.iter().any(same) {
            self.found.push(candidate);
        }
    }

    fn add_recipient(&mut self, recipient: Recipient, relationship: Relationship, level: u32) {
        self.push_new(Candidate { recipient, team: None, relationship, via: self.root, level });
    }

    fn add_member(&mut self, position: PositionId, team: TeamId) {
        let recipient = Recipient::Position(position);
        let (team, relationship) = (Some(team), Relationship::Team);
        self.push_new(Candidate { recipient, team, relationship, via: self.root, level: 1 });
    }

    /// Adds all receivers that are reached from `via` over the edges of one declared type.
    fn follow_edges(&mut self, case: &DealCase<'_>, kind: RelationshipId, via: Recipient) {
        let (organization, date) = (&case.ruleset.organization, case.date);
        let relationship = Relationship::Named(kind);
        let mut add = |recipient, level| {
            self.push_new(Candidate { recipient, team: None, relationship, via, level });
        };
        match via {
            Recipient::Position(position) => {
                for (reached, level) in organization.reachable_positions(kind, position, date) {
                    add(Recipient::Position(*reached), *level);
                }
            }
            Recipient::Team(team) => {
                for (reached, level) in organization.teams.reachable_teams(kind, team, date) {
                    add(Recipient::Team(reached), level);
                }
            }
        }
    }
}

/// The positions of the other members of the teams of `root`'s holder, each with its team.
fn teammate_positions(case: &DealCase<'_>, root: Recipient) -> Vec<(PositionId, TeamId)> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let seat = root.position();
    let Some(holder) = seat.and_then(|seat| organization.holder_on(seat, date)) else {
        return Vec::new();
    };

    let mut found = Vec::new();
    for team in organization.teams.teams_of(holder, date) {
        let others =
            organization.existing_members(team, date).filter(|it| it.participant != holder);
        for member in others {
            let held = organization.positions_held_by(member.participant, date).into_iter();

            let held = held.filter(|position| Some(*position) != seat);
            found.extend(held.map(|position| (position, team)));
        }
    }

    found
}

/// The relationships that the rules which see credits of `plan` follow, in rolling order.
fn rolling_relationships(rules: &[IndirectRule], plan: &str, date: Date) -> Vec<Relationship> {
    let active = |rule: &&IndirectRule| rule.rule.validity.contains(date);
    let rules = rules.iter().filter(active).filter(|rule| rule.sources.contains(plan));
    let mut wanted: Vec<Relationship> = rules.map(|rule| rule.relationship).collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

/// The positions of a related order: of the persons named, or the positions named.
fn related_positions(
    case: &mut DealCase<'_>,
    column: NameColumns,
) -> Result<Vec<PositionId>, ParkReason> {
    let text = case.tx.joined_names(column);
    let park = |code, message: String| ParkReason::new(NoteStage::Rollup, code, message);
    let shares = names::parse_shares(&text).map_err(|message| park(NoteCode::BadValue, message))?;

    let mut positions = Vec::new();
    for share in shares {
        let who = share.who;
        let matches = case.ruleset.organization.resolve_name(&who, case.date);
        // An unknown name earns no credit, so it warns; several would pay the wrong one, so they
        // park.
        match matches.positions.as_slice() {
            [position] => positions.push(*position),
            [] if matches.without_position => {
                let message = format!("`{who}` holds no position on {}", case.date);
                return Err(park(NoteCode::NoPosition, message));
            }
            [] => {
                let message = format!("no alias matches the related `{who}` on {}", case.date);
                case.warn(NoteStage::Rollup, NoteCode::Unmatched, message);
            }
            _ => {
                let message = format!("the related `{who}` means several positions");
                return Err(park(NoteCode::AmbiguousAlias, message));
            }
        }
    }
    Ok(positions)
}
