//! Attributes: what a customer keeps about people, positions and teams, by date.
//!
//! Not reading the file (`workspace::organization`). Called by scripts, which read
//! `payee["hire_date"]`, and by tables of tiers. Source: FORMAT section 1.
//!
//! **Architecture invariant:** of one attribute of one bearer at most one value holds on a day, and
//! it is of the kind that the workspace declares for the attribute.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use super::{Organization, ParticipantId, PositionId, Recipient, TeamId};
use crate::calendar::Validity;
use crate::declared::{DeclaredKind, DeclaredValue};

/// Who or what has an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeBearer {
    /// A person.
    Participant(ParticipantId),
    /// A position, regardless of who holds it.
    Position(PositionId),
    /// A team.
    Team(TeamId),
}

impl From<Recipient> for AttributeBearer {
    fn from(recipient: Recipient) -> AttributeBearer {
        match recipient {
            Recipient::Position(position) => AttributeBearer::Position(position),
            Recipient::Team(team) => AttributeBearer::Team(team),
        }
    }
}

/// The values of one attribute of one bearer, each with its days.
type DatedValues = Vec<(Validity, DeclaredValue)>;

/// Every attribute of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    kinds: BTreeMap<Arc<str>, DeclaredKind>,
    values: HashMap<AttributeBearer, HashMap<Arc<str>, DatedValues>>,
}

impl Attributes {
    /// Declares an attribute; one that is declared already keeps its kind.
    pub fn declare(&mut self, name: &str, kind: DeclaredKind) {
        self.kinds.entry(Arc::from(name)).or_insert(kind);
    }

    /// The kind of an attribute; none for a name that is no attribute.
    pub fn kind_of(&self, name: &str) -> Option<DeclaredKind> {
        self.kinds.get(name).copied()
    }

    /// Every attribute with its kind, by name.
    pub fn kinds(&self) -> impl Iterator<Item = (&Arc<str>, DeclaredKind)> {
        self.kinds.iter().map(|(name, kind)| (name, *kind))
    }

    /// Adds a value of a declared attribute.
    pub fn add(
        &mut self,
        bearer: AttributeBearer,
        name: &str,
        value: DeclaredValue,
        validity: Validity,
    ) {
        let Some((name, _)) = self.kinds.get_key_value(name) else { return };
        let of_bearer = self.values.entry(bearer).or_default();
        of_bearer.entry(Arc::clone(name)).or_default().push((validity, value));
    }

    /// Every bearer's values of every attribute, each with its days; in no order.
    pub(super) fn all_values(
        &self,
    ) -> impl Iterator<Item = (AttributeBearer, &Arc<str>, &[(Validity, DeclaredValue)])> {
        self.values.iter().flat_map(|(bearer, named)| {
            named.iter().map(|(name, values)| (*bearer, name, values.as_slice()))
        })
    }

    /// The value of an attribute on `date`; none where the bearer has none on that day.
    pub fn value_on(
        &self,
        bearer: AttributeBearer,
        name: &str,
        date: Date,
    ) -> Option<&DeclaredValue> {
        let mut dated = self.values.get(&bearer)?.get(name)?.iter();
        dated.find(|(validity, _)| validity.contains(date)).map(|(_, value)| value)
    }
}

impl Organization {
    /// An attribute on `date` of the first of `bearers` that has it.
    ///
    /// A person comes before the position that the person holds: what is said of a person is meant
    /// for that person alone.
    pub fn attribute_on(
        &self,
        bearers: impl IntoIterator<Item = AttributeBearer>,
        name: &str,
        date: Date,
    ) -> Option<&DeclaredValue> {
        let mut bearers = bearers.into_iter();
        bearers.find_map(|bearer| self.attributes.value_on(bearer, name, date))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// Ann's position is of level 2; she herself is of level 3 from July on.
    #[test]
    fn a_value_counts_on_its_days_and_a_person_comes_before_the_position() {
        let mut organization = Organization::default();
        let ann = organization.add_participant("ann", "Ann", Validity::default());
        let seat = organization.add_position("REP-1");
        let number = |n: i64| DeclaredValue::Number(n.into());
        let attributes = &mut organization.attributes;
        attributes.declare("level", DeclaredKind::Number);
        attributes.declare("level", DeclaredKind::Text);

        let position = AttributeBearer::Position(seat);
        let person = AttributeBearer::Participant(ann);
        attributes.add(position, "level", number(2), Validity::default());
        let july = Validity::from_inclusive(Some(date(2026, 7, 1)), None);
        attributes.add(person, "level", number(3), july);
        attributes.add(person, "levle", number(4), july);

        assert_eq!(attributes.kind_of("level"), Some(DeclaredKind::Number), "the first counts");
        assert_eq!(attributes.kind_of("levle"), None, "nobody declared it");
        let level = |day: Date| organization.attribute_on([person, position], "level", day);
        assert_eq!(level(date(2026, 6, 30)), Some(&number(2)));
        assert_eq!(level(date(2026, 7, 1)), Some(&number(3)));
        let none = organization.attribute_on([person], "level", date(2026, 6, 30));
        assert_eq!(none, None);
    }
}
