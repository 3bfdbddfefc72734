//! What differs between two organisations: whom it concerns, and on which days.
//!
//! Not which deals that changes (`crediting`, `affected`). Called when rules change. Source: FORMAT
//! section 1.
//!
//! **Architecture invariant:** it errs to one side: who is not concerned on a day is found, named and
//! reached alike in both organisations on that day, and so is everything that is reached from there.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::attributes::AttributeBearer;
use super::{Entity, Organization, Recipient, RelationshipId, fold_name};
use crate::calendar::Validity;
use crate::declared::DeclaredValue;
use crate::keys::{DefinedName, ParticipantKey, PositionKey, TeamKey};

/// A person, a position or a team, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKey {
    /// A person.
    Participant(ParticipantKey),
    /// A position.
    Position(PositionKey),
    /// A team.
    Team(TeamKey),
}

/// What differs between two organisations.
#[derive(Debug, Clone, Default)]
pub struct OrganizationDifference {
    /// Who is concerned, by what is known of them or of whomever they lead to, and since when.
    entities: HashMap<EntityKey, Validity>,
    /// Folded names that mean something else.
    names: HashMap<String, Validity>,
    /// The days on which anything differs.
    days: BTreeSet<Validity>,
    /// Whether something differs that may concern anybody on any day.
    everyone: bool,
}

/// Something that is known of an entity; whom it leads to stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Fact {
    Exists,
    Holds,
    HeldBy,
    Title(DefinedName),
    Edge(RelationshipId),
    Parent,
    Manager(Option<PositionKey>),
    Member(ShownDecimal),
    MemberOf,
    Attribute(Arc<str>, DeclaredValue),
    Number(Arc<str>, ShownDecimal),
}

/// A decimal with its scale: people and programs see all its digits.
type ShownDecimal = (Decimal, u32);

fn shown_decimal(decimal: Decimal) -> ShownDecimal {
    (decimal, decimal.scale())
}

/// A fact, whom it leads to, and the days of the version that it is of, if it counts longer than these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct KnownFact {
    fact: Fact,
    to: Option<EntityKey>,
    version: Option<Validity>,
}

/// One thing that is known, with the days on which it can matter.
type Dated<T> = (Validity, T);

/// What is known of one entity, in the order of the files, and to whom it leads.
#[derive(Debug, Default)]
struct EntityFacts {
    dated: Vec<Dated<KnownFact>>,
}

impl EntityFacts {
    fn add(&mut self, validity: Validity, fact: Fact, to: Option<EntityKey>) {
        self.dated.push((validity, KnownFact { fact, to, version: None }));
    }

    /// A version: where a path leads over what has ended, the last version counts afterwards too.
    fn add_version(&mut self, validity: Validity, fact: Fact, to: Option<EntityKey>) {
        let counts = Validity { until: None, ..validity };
        self.dated.push((counts, KnownFact { fact, to, version: Some(validity) }));
    }

    /// To whom it leads, and when.
    fn leads_to(&self) -> impl Iterator<Item = (EntityKey, Validity)> {
        self.dated.iter().filter_map(|(days, known)| Some((known.to?, *days)))
    }
}

type KnownFacts = HashMap<EntityKey, EntityFacts>;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FactScope {
    Everything,
    /// Not the manager of a position, and no relationship of a declared type.
    WithoutWays,
}

impl OrganizationDifference {
    /// What differs between `before` and `after`.
    pub fn between(before: &Organization, after: &Organization) -> OrganizationDifference {
        OrganizationDifference::compare(before, after, FactScope::Everything)
    }

    /// What differs apart from managers of positions and relationships: what names mean and who
    /// holds what is the same where no one is concerned, and not whom a credit then reaches.
    pub fn of_entities(before: &Organization, after: &Organization) -> OrganizationDifference {
        OrganizationDifference::compare(before, after, FactScope::WithoutWays)
    }

    fn compare(
        before: &Organization,
        after: &Organization,
        scope: FactScope,
    ) -> OrganizationDifference {
        let (old, new) = (all_facts(before, scope), all_facts(after, scope));
        let mut found = OrganizationDifference {
            entities: HashMap::default(),
            names: changed_names(before, after),
            days: BTreeSet::new(),
            everyone: differs_in_general(before, after),
        };

        let none = EntityFacts::default();
        let only_new = new.keys().filter(|key| !old.contains_key(key));
        let mut changed: Vec<(EntityKey, Validity)> = Vec::new();
        for key in old.keys().chain(only_new) {
            let (one, two) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
            changed.extend(changed_days(&one.dated, &two.dated).map(|days| (*key, days)));
        }

        let mut leads_from: HashMap<EntityKey, Vec<(EntityKey, Validity)>> = HashMap::default();
        let facts = old.iter().chain(&new).filter(|_| !changed.is_empty());
        for (key, facts) in facts {
            for (to, days) in facts.leads_to() {
                leads_from.entry(to).or_default().push((*key, days));
            }
        }

        // Who leads to a concerned person is concerned on the days on which both hold.
        while let Some((key, days)) = changed.pop() {
            let known = found.entities.get(&key).copied();
            let wider = known.map_or(days, |known| hull(known, days));
            if known == Some(wider) {
                continue;
            }
            found.entities.insert(key, wider);
            let from = leads_from.get(&key).into_iter().flatten();
            let from = from.filter_map(|(from, led)| Some((*from, common_days(wider, *led)?)));
            changed.extend(from);
        }

        let (old, new) = (territory_facts(before), territory_facts(after));
        let territories = changed_days(&old, &new);
        let days = found.entities.values().chain(found.names.values()).chain(&territories);
        found.days = days.copied().collect();
        found
    }

    /// Whether the two are alike.
    pub fn is_empty(&self) -> bool {
        !self.everyone && self.days.is_empty()
    }

    /// Whether anything differs on `date`.
    pub fn is_on(&self, date: Date) -> bool {
        self.everyone || self.days.iter().any(|days| days.contains(date))
    }

    /// Whether on `date` something differs that may concern anybody.
    pub fn concerns_everyone(&self) -> bool {
        self.everyone
    }

    /// Whether a name may mean another person on `date`, or one of whom other things are known;
    /// `organization` is either of the two.
    pub fn concerns_name(&self, organization: &Organization, name: &str, date: Date) -> bool {
        self.concerns_name_where(organization, &fold_name(name), &|days| days.contains(date))
    }

    /// The same on any day, of a folded name.
    pub fn ever_concerns_name(&self, organization: &Organization, name: &str) -> bool {
        self.concerns_name_where(organization, name, &|_| true)
    }

    fn concerns_name_where(
        &self,
        organization: &Organization,
        name: &str,
        fits: &dyn Fn(&Validity) -> bool,
    ) -> bool {
        let on = |days: Option<&Validity>| days.is_some_and(fits);
        if self.everyone || on(self.names.get(name)) {
            return true;
        }

        let people = organization.aliases.meanings(name).iter();
        let mut people = people.map(|(entity, _)| entity_key(organization, *entity));
        let teams = organization.teams.name_index().meanings(name).iter();
        let mut teams = teams.map(|(team, _)| EntityKey::Team(organization.team_id(*team)));

        people.any(|key| on(self.entities.get(&key)))
            || teams.any(|key| on(self.entities.get(&key)))
    }

    /// Whether something else is known of a recipient on `date`, or of whom the recipient leads to.
    pub fn concerns_recipient(
        &self,
        organization: &Organization,
        recipient: Recipient,
        date: Date,
    ) -> bool {
        let key = bearer_key(organization, recipient.into());
        self.everyone || self.entities.get(&key).is_some_and(|days| days.contains(date))
    }
}

/// The days of both ranges; none where they share none.
fn common_days(one: Validity, two: Validity) -> Option<Validity> {
    let from = one.from.max(two.from);
    let until = match (one.until, two.until) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    };
    one.overlaps(&two).then_some(Validity { from, until })
}

/// The days from the first to the last of two ranges.
fn hull(one: Validity, two: Validity) -> Validity {
    Validity {
        from: one.from.zip(two.from).map(|(one, two)| one.min(two)),
        until: one.until.zip(two.until).map(|(one, two)| one.max(two)),
    }
}

/// The days on which two lists of facts may differ; none where they are the same.
fn changed_days<T: Eq + Hash + Clone>(before: &[Dated<T>], after: &[Dated<T>]) -> Option<Validity> {
    if before == after {
        return None;
    }

    let (old, new): (HashSet<&Dated<T>>, HashSet<&Dated<T>>) =
        (before.iter().collect(), after.iter().collect());
    let common = |facts: &[Dated<T>]| -> Vec<Dated<T>> {
        facts.iter().filter(|fact| old.contains(fact) && new.contains(fact)).cloned().collect()
    };

    // In another order, or as often as not before, any of them may come first.
    let all = common(before) != common(after);
    let differing = before.iter().chain(after);
    let differing = differing.filter(|fact| all || !(old.contains(*fact) && new.contains(*fact)));
    differing.map(|(days, _)| *days).reduce(hull)
}

/// Whether two organisations differ in what is asked about no one in particular: kinds of attributes, and
/// the order of those who are in both. Ids of before are asked for by people alone, and by the rows of
/// manual credits, which any difference concerns.
fn differs_in_general(before: &Organization, after: &Organization) -> bool {
    let kinds = |organization: &Organization| -> Vec<_> {
        organization.attributes.kinds().map(|(name, kind)| (Arc::clone(name), kind)).collect()
    };

    let ids = |organization: &Organization| -> [Vec<EntityKey>; 3] {
        let people = organization.participants().map(|(_, one)| EntityKey::Participant(one.id));
        let positions = organization.positions().map(|(_, one)| EntityKey::Position(one.id));
        let teams = organization.teams.iter().map(|(_, one)| EntityKey::Team(one.id));
        [people.collect(), positions.collect(), teams.collect()]
    };

    let in_order = |one: &[EntityKey], two: &[EntityKey]| {
        let other: HashSet<&EntityKey> = two.iter().collect();
        let known: HashSet<&EntityKey> = one.iter().filter(|id| other.contains(id)).collect();
        let one = one.iter().filter(|id| known.contains(id));
        one.eq(two.iter().filter(|id| known.contains(id)))
    };

    let reordered = ids(before).iter().zip(&ids(after)).any(|(one, two)| !in_order(one, two));
    reordered || kinds(before) != kinds(after)
}

/// Names that do not mean the same in both, with the days on which they may not.
fn changed_names(before: &Organization, after: &Organization) -> HashMap<String, Validity> {
    let (old, new) = (all_names(before), all_names(after));
    let only_new = new.keys().filter(|name| !old.contains_key(*name));
    let meant = |all: &HashMap<&str, Vec<Dated<EntityKey>>>, name: &str| {
        all.get(name).cloned().unwrap_or_default()
    };
    let changed = old.keys().chain(only_new).filter_map(|name| {
        let days = changed_days(&meant(&old, name), &meant(&new, name))?;
        Some(((*name).to_owned(), days))
    });
    changed.collect()
}

/// What every folded name means.
fn all_names(organization: &Organization) -> HashMap<&str, Vec<Dated<EntityKey>>> {
    let mut all: HashMap<&str, Vec<Dated<EntityKey>>> = HashMap::default();
    for (name, meant) in organization.aliases.iter() {
        let meant = meant.iter().map(|(entity, days)| (*days, entity_key(organization, *entity)));
        all.entry(name).or_default().extend(meant);
    }
    for (name, meant) in organization.teams.name_index().iter() {
        let key = |team| EntityKey::Team(organization.team_id(team));
        let meant = meant.iter().map(|(team, days)| (*days, key(*team)));
        all.entry(name).or_default().extend(meant);
    }
    all
}

fn entity_key(organization: &Organization, entity: Entity) -> EntityKey {
    match entity {
        Entity::Participant(person) => EntityKey::Participant(organization.participant_id(person)),
        Entity::Position(position) => EntityKey::Position(organization.position_id(position)),
    }
}

fn bearer_key(organization: &Organization, bearer: AttributeBearer) -> EntityKey {
    match bearer {
        AttributeBearer::Participant(person) => {
            EntityKey::Participant(organization.participant_id(person))
        }
        AttributeBearer::Position(position) => {
            EntityKey::Position(organization.position_id(position))
        }
        AttributeBearer::Team(team) => EntityKey::Team(organization.team_id(team)),
    }
}

/// What is known of all people, positions and teams.
fn all_facts(organization: &Organization, scope: FactScope) -> KnownFacts {
    let mut all = KnownFacts::default();
    add_people(&mut all, organization);
    add_positions(&mut all, organization, scope);
    add_teams(&mut all, organization);
    if scope == FactScope::Everything {
        add_relationships(&mut all, organization);
    }

    // The maps have no order, and facts have one.
    let mut attributes: Vec<_> = organization.attributes.all_values().collect();
    attributes.sort_by_key(|(_, name, _)| Arc::clone(name));
    for (bearer, name, values) in attributes {
        let facts = all.entry(bearer_key(organization, bearer)).or_default();
        for (validity, value) in values {
            let fact = match value {
                DeclaredValue::Number(number) => {
                    Fact::Number(Arc::clone(name), shown_decimal(*number))
                }
                other => Fact::Attribute(Arc::clone(name), other.clone()),
            };
            facts.add(*validity, fact, None);
        }
    }
    all
}

/// The rows of all territories.
fn territory_facts(organization: &Organization) -> Vec<Dated<String>> {
    let rows = organization.territories.rows().iter();
    let facts = rows.map(|row| {
        let (team, column) = (organization.team_id(row.team), &row.column);
        (row.validity, format!("territory {team} {column} {:?}", row.extent))
    });
    facts.collect()
}

fn add_people(all: &mut KnownFacts, organization: &Organization) {
    for (id, person) in organization.participants() {
        let facts = all.entry(EntityKey::Participant(person.id)).or_default();
        for validity in &person.validity {
            facts.add(*validity, Fact::Exists, None);
        }
        for held in organization.held_by(id) {
            let position = EntityKey::Position(organization.position_id(held.position));
            facts.add(held.validity, Fact::Holds, Some(position));
        }
    }
}

fn add_positions(all: &mut KnownFacts, organization: &Organization, scope: FactScope) {
    let key = |position| EntityKey::Position(organization.position_id(position));

    for (id, position) in organization.positions() {
        let facts = all.entry(EntityKey::Position(position.id)).or_default();
        for version in &position.versions {
            let manager = version.manager.filter(|_| scope == FactScope::Everything);
            facts.add_version(version.validity, Fact::Title(version.title), manager.map(key));
        }
        for held in organization.holders_of(id) {
            let person = EntityKey::Participant(organization.participant_id(held.participant));
            facts.add(held.validity, Fact::HeldBy, Some(person));
        }
    }
}

/// Relationships of declared types, of positions and of teams.
fn add_relationships(all: &mut KnownFacts, organization: &Organization) {
    let key = |position| EntityKey::Position(organization.position_id(position));
    let mut edges: Vec<_> = organization.edges.iter().collect();
    edges.sort_by_key(|(from, _)| **from);
    for ((kind, source), targets) in edges {
        let facts = all.entry(key(*source)).or_default();
        for edge in targets {
            facts.add(edge.validity, Fact::Edge(*kind), Some(key(edge.target)));
        }
    }

    let teams = &organization.teams;
    let key = |team| EntityKey::Team(teams.team_id(team));
    let mut edges: Vec<_> = teams.all_edges().collect();
    edges.sort_by_key(|(kind, source, _)| (*kind, *source));
    for (kind, source, targets) in edges {
        let facts = all.entry(key(source)).or_default();
        for edge in targets {
            facts.add(edge.validity, Fact::Edge(kind), Some(key(edge.target)));
        }
    }
}

fn add_teams(all: &mut KnownFacts, organization: &Organization) {
    let teams = &organization.teams;
    let key = |team| EntityKey::Team(teams.team_id(team));

    for (id, team) in teams.iter() {
        let facts = all.entry(EntityKey::Team(team.id)).or_default();
        for version in &team.versions {
            facts.add_version(version.validity, Fact::Parent, version.parent.map(key));
            let manager = version.manager.map(|position| organization.position_id(position));
            let to = manager.map(EntityKey::Position);
            facts.add_version(version.validity, Fact::Manager(manager), to);
        }

        for member in teams.members_of(id) {
            let person = EntityKey::Participant(organization.participant_id(member.participant));
            let facts = all.entry(key(id)).or_default();
            facts.add(member.validity, Fact::Member(shown_decimal(member.weight)), Some(person));
            let facts = all.entry(person).or_default();
            facts.add(member.validity, Fact::MemberOf, Some(key(id)));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::organization::PositionVersion;

    /// A rep who reports to a manager; both are people by the names of their positions.
    fn organization(holder: &str, alias: Option<&str>) -> Organization {
        let mut organization = Organization::default();
        let always = Validity::default();
        for (id, manager) in [("boss", None), ("rep", Some("boss")), ("other", None)] {
            let manager = manager.and_then(|id| organization.find_position(id));
            let position = organization.add_position(id);
            let version = PositionVersion { validity: always, title: "T".into(), manager };
            organization.add_version(position, version);
            organization.add_alias(id, Entity::Position(position), always);
        }

        let july = Validity::from_inclusive(Some(date(2026, 7, 1)), None);
        let person = organization.add_participant(holder, holder, always);
        let boss = organization.find_position("boss").unwrap();
        organization.assign_participant(boss, person, july);
        if let Some(alias) = alias {
            organization.add_alias(alias, Entity::Position(boss), july);
        }
        organization
    }

    #[test]
    fn who_leads_to_a_change_is_concerned_on_its_days_and_no_one_else() {
        let (before, after) = (organization("ann", None), organization("bob", None));
        let difference = OrganizationDifference::between(&before, &after);
        let concerned = |name: &str, day: Date| difference.concerns_name(&after, name, day);

        assert!(concerned("boss", date(2026, 7, 1)));
        assert!(concerned("Rep", date(2026, 7, 1)), "a rep's credits roll to the manager");
        assert!(!concerned("rep", date(2026, 6, 30)), "the seat was vacant in both");
        assert!(!concerned("other", date(2026, 7, 1)));
        assert!(!concerned("nobody", date(2026, 7, 1)));
    }

    #[test]
    fn a_name_that_means_somebody_else_concerns_deals_with_it() {
        let (before, after) = (organization("ann", None), organization("ann", Some("The West")));
        let difference = OrganizationDifference::between(&before, &after);
        assert!(difference.concerns_name(&after, "the west", date(2026, 7, 1)));
        assert!(!difference.concerns_name(&after, "the west", date(2026, 6, 30)));
        assert!(!difference.concerns_name(&after, "boss", date(2026, 7, 1)));
        assert!(OrganizationDifference::between(&before, &before).is_empty());
    }
}
