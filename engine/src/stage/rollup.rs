//! Rollup: whom a direct credit reaches over relationships, in order.
//!
//! Model M of DOMAIN 2.6: reporting ancestors bottom-up, related orders, then each named type
//! (transitive inside itself), and, when rollable on reporting, the named types of every ancestor.
//! Only the direct credit rolls; nothing that arrived rolls on. Not the value of a candidate.
//! Called by the pipeline. Source: seed 003 tables 2 to 5, DOMAIN 2.6, section 7, decisions D1 to D3.
//!
//! **Architecture invariant:** one candidate per root credit, receiver and relationship; the first
//! path is its `via`. Circles end (INV-H2, INV-I2).

use std::sync::Arc;

use crate::credit::Credit;
use crate::organization::{PositionId, Recipient, RelationshipId, TeamId};
use crate::plan::{IndirectRule, Relationship};
use crate::stage::{Case, Park, names};
use crate::transaction::Names;

/// A position or team that a direct credit reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who is reached.
    pub recipient: Recipient,
    /// The team through which a position was reached.
    pub team: Option<TeamId>,
    /// Over which relationship.
    pub relationship: Relationship,
    /// Where the relationship was entered.
    pub via: Recipient,
    /// Steps from `via`, from 1.
    pub level: u32,
}

/// Everybody whom `root` reaches over the relationships that the plan has rules for.
///
/// # Errors
/// [`Park`] when a related order names nobody or several.
pub fn candidates(case: &mut Case<'_>, root: &Credit) -> Result<Vec<Candidate>, Park> {
    let wanted = wanted(&case.plan.indirect, &root.plan);
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |candidate: Candidate| {
        let same = |known: &Candidate| {
            known.recipient == candidate.recipient && known.relationship == candidate.relationship
        };
        if !found.iter().any(same) {
            found.push(candidate);
        }
    };
    let Some(seat) = root.recipient.position() else { return Ok(found) };
    let (organization, date) = (&case.ruleset.organization, case.date);
    let ancestors = organization.ancestors(seat, date);
    let reached = |kind: RelationshipId, via: PositionId| {
        let reached = organization.reach(kind, via, date).into_iter();
        reached.map(move |(position, level)| Candidate {
            recipient: Recipient::Position(position),
            team: None,
            relationship: Relationship::Named(kind),
            via: Recipient::Position(via),
            level,
        })
    };
    if wanted.contains(&Relationship::Reporting) {
        for (position, level) in ancestors.iter().zip(1..) {
            let recipient = Recipient::Position(*position);
            let relationship = Relationship::Reporting;
            add(Candidate { recipient, team: None, relationship, via: root.recipient, level });
        }
    }
    let related = [
        (Relationship::RelatedPerson, Names::RelatedPerson),
        (Relationship::RelatedPosition, Names::RelatedPosition),
    ];
    for (relationship, column) in related {
        if wanted.contains(&relationship) {
            for position in related_positions(case, column)? {
                let (recipient, via) = (Recipient::Position(position), root.recipient);
                add(Candidate { recipient, team: None, relationship, via, level: 1 });
            }
        }
    }
    let kinds: Vec<RelationshipId> = wanted
        .iter()
        .filter_map(|kind| match kind {
            Relationship::Named(kind) => Some(*kind),
            _ => None,
        })
        .collect();
    kinds.iter().flat_map(|kind| reached(*kind, seat)).for_each(&mut add);
    if root.rollable_on_reporting {
        for ancestor in &ancestors {
            kinds.iter().flat_map(|kind| reached(*kind, *ancestor)).for_each(&mut add);
        }
    }
    Ok(found)
}

/// The relationships that the rules which see credits of `plan` follow, in rolling order.
fn wanted(rules: &[IndirectRule], plan: &Arc<str>) -> Vec<Relationship> {
    let rules = rules.iter().filter(|rule| rule.sources.contains(plan));
    let mut wanted: Vec<Relationship> = rules.map(|rule| rule.relationship).collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

/// The positions of a related order: of the persons named, or the positions named.
fn related_positions(case: &mut Case<'_>, column: Names) -> Result<Vec<PositionId>, Park> {
    let text = case.tx.transaction.names(column);
    let park = |code, message: String| Park::new("rollup", code, message);
    let shares = names::parse(&text).map_err(|message| park("bad_value", message))?;
    let mut positions = Vec::new();
    for share in shares {
        let who = share.who;
        let matches = case.ruleset.organization.resolve(&who, case.date);
        match matches.positions.as_slice() {
            [position] => positions.push(*position),
            [] if matches.without_position => {
                let message = format!("`{who}` holds no position on {}", case.date);
                return Err(park("no_position", message));
            }
            [] => {
                let message = format!("no alias matches the related `{who}` on {}", case.date);
                case.warn("rollup", "unmatched", message);
            }
            _ => {
                let message = format!("the related `{who}` means several positions");
                return Err(park("ambiguous_alias", message));
            }
        }
    }
    Ok(positions)
}
