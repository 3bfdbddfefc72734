//! Who a name means on a date, with the one position that the person holds.
//!
//! Not which recipients a deal names: that is `Organization::resolve_name`, which may find several.
//! Called by scripts (`who`). Source: FORMAT section 1.
//!
//! **Architecture invariant:** a name that means several positions on a day means no one of them.

use std::sync::Arc;

use jiff::civil::Date;

use super::{Entity, Organization, ParticipantId, PositionId};

/// A person, a position, or a person in a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedPerson {
    /// The person; none where the position is vacant.
    pub participant: Option<ParticipantId>,
    /// The position; none where the person holds none on the date.
    pub position: Option<PositionId>,
}

/// A name that means several on one day: their ids, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmbiguousName(pub Vec<Arc<str>>);

impl Organization {
    /// Who `name` means on `date`; nobody where it means neither a person nor a position then.
    ///
    /// # Errors
    /// [`AmbiguousName`] when it means several positions, or several people without one.
    pub fn person_named(
        &self,
        name: &str,
        date: Date,
    ) -> Result<Option<NamedPerson>, AmbiguousName> {
        match self.resolve_name(name, date).positions.as_slice() {
            [] => self.person_without_position(name, date),
            [position] => Ok(Some(NamedPerson {
                participant: self.holder_on(*position, date),
                position: Some(*position),
            })),
            several => Err(AmbiguousName(
                several.iter().map(|one| self.position_id(*one).into()).collect(),
            )),
        }
    }

    fn person_without_position(
        &self,
        name: &str,
        date: Date,
    ) -> Result<Option<NamedPerson>, AmbiguousName> {
        let mut people: Vec<ParticipantId> = Vec::new();
        for (entity, validity) in self.aliases.meanings(name) {
            if let Entity::Participant(participant) = entity
                && validity.contains(date)
                && self.exists_on(*participant, date)
                && !people.contains(participant)
            {
                people.push(*participant);
            }
        }

        match people.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(NamedPerson { participant: Some(*one), position: None })),
            several => Err(AmbiguousName(
                several.iter().map(|one| self.participant_id(*one).into()).collect(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Validity;
    use crate::organization::PositionVersion;
    use jiff::civil::date;

    fn organization() -> Organization {
        let mut organization = Organization::default();
        let always = Validity::default();
        for id in ["REP-1", "REP-2", "HOUSE"] {
            let position = organization.add_position(id);
            let version = PositionVersion { validity: always, title: "Rep".into(), manager: None };
            organization.add_version(position, version);
            organization.add_alias(id, Entity::Position(position), always);
        }

        let july = Validity::from_inclusive(Some(date(2026, 7, 1)), None);
        for (id, seat, since) in [("ann", "REP-1", july), ("bob", "REP-1", always)] {
            let person = organization.add_participant(id, id, always);
            let position = organization.find_position(seat).unwrap();
            let before = Validity::from_inclusive(None, Some(date(2026, 6, 30)));
            let held = if since == always { before } else { since };
            organization.assign_participant(position, person, held);
            organization.add_alias(id, Entity::Participant(person), always);
        }
        organization
    }

    #[test]
    fn a_name_means_a_person_in_a_position_a_vacant_position_or_nobody() {
        let organization = organization();
        let who = |name: &str, day: Date| {
            let found = organization.person_named(name, day).unwrap()?;
            let payee = found.participant.map(|who| organization.participant_id(who).to_string());
            let position = found.position.map(|at| organization.position_id(at).to_string());
            Some((payee, position))
        };
        let is = |payee: &str, position: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Some((some(payee), some(position)))
        };
        assert_eq!(who("Ann", date(2026, 7, 1)), is("ann", "REP-1"));
        assert_eq!(who("ann", date(2026, 6, 30)), is("ann", ""), "she held nothing then");
        assert_eq!(who("rep-1", date(2026, 6, 30)), is("bob", "REP-1"));
        assert_eq!(who("HOUSE", date(2026, 7, 1)), is("", "HOUSE"));
        assert_eq!(who("Carl", date(2026, 7, 1)), None);
        assert_eq!(who("", date(2026, 7, 1)), None);
    }

    #[test]
    fn a_name_of_two_positions_is_ambiguous() {
        let mut organization = organization();
        let other = organization.find_position("REP-2").unwrap();
        organization.add_alias("ann", Entity::Position(other), Validity::default());
        let meant = organization.person_named("ann", date(2026, 7, 1));
        assert_eq!(meant, Err(AmbiguousName(vec![Arc::from("REP-1"), Arc::from("REP-2")])));
        let before = organization.person_named("ann", date(2026, 6, 30)).unwrap().unwrap();
        assert_eq!(before.position, Some(other), "Ann held nothing then, so only one is meant");
    }
}
