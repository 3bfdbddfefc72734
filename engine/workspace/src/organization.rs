//! `organization/*.csv`: participants, positions, assignments, teams, relationships and aliases.
//!
//! Not the questions asked of them (`domain::organization` answers those), and not whether the whole
//! is free of contradictions (`consistency`). Called by `Ruleset::read`. Source: FORMAT section 1,
//! DOMAIN 2.2 and 2.3.
//!
//! **Architecture invariant:** ids are resolved after all participants and positions were read, so
//! neither the order of rows nor that of files matters.

mod aliases;
mod circles;
mod consistency;
mod relationships;
mod teams;
mod territories;

use std::collections::HashMap;

use super::csv::{Cell, Row, Sheet};
use super::doubts;
use super::report::{Report, hint};
use super::toml::Source;
use super::{Columns, Files, Settings, exchange};
use accredit_domain::calendar::Validity;
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::organization::{
    Entity, Organization, ParticipantId, PositionId, PositionVersion, TeamId, fold,
};

const PARTICIPANTS: &str = "organization/participants.csv";
const POSITIONS: &str = "organization/positions.csv";
const ASSIGNMENTS: &str = "organization/assignments.csv";
const TEAMS: &str = "organization/teams.csv";
const MEMBERS: &str = "organization/members.csv";
const TERRITORIES: &str = "organization/territories.csv";
const RELATIONSHIPS: &str = "organization/relationships.csv";
const ALIASES: &str = "organization/aliases.csv";

/// Files that are read; `calendar` reads the periods.
pub(super) const READ: [&str; 11] = [
    PARTICIPANTS,
    POSITIONS,
    ASSIGNMENTS,
    TEAMS,
    MEMBERS,
    TERRITORIES,
    RELATIONSHIPS,
    ALIASES,
    super::calendar::PERIODS,
    super::exchange::RATES,
    super::quotas::QUOTAS,
];

/// Cells for which the nearest name is searched, which takes longer the more names there are.
const ADVICE_MAX: u32 = 50;

/// Reads the organisation of a customer's directory.
///
/// The flag says whether every participant, position and team was understood.
pub(super) fn read(
    files: &Files,
    settings: &Settings,
    columns: &Columns,
    report: &Report,
) -> (Organization, bool) {
    let mut reading = Reading {
        settings,
        columns,
        seated: !files.contains_key(POSITIONS),
        whole: true,
        organization: Organization::default(),
        versions: Vec::new(),
        lives: Vec::new(),
        assignments: Vec::new(),
        teams: Vec::new(),
        members: Vec::new(),
        origins: HashMap::new(),
        advised: std::cell::Cell::new(0),
    };

    let open = |path: &'static str, known: &[&'static str], needed: &[&'static str]| {
        let text = files.get(path)?;
        Some(Sheet::read(Source::new(path, text, report), known, needed))
    };

    let participants: &[&str] = if reading.seated {
        &["id", "name", "email", "title", "manager", "currency", "from", "to"]
    } else {
        &["id", "name", "email", "currency", "from", "to"]
    };

    let participants = open(PARTICIPANTS, participants, &["id"]);
    let positions = open(POSITIONS, &["id", "title", "manager", "from", "to"], &["id"]);
    let named = ["position", "participant"];
    let assignments = open(ASSIGNMENTS, &["position", "participant", "from", "to"], &named);
    let typed = ["type", "source", "target"];
    let relationships = open(RELATIONSHIPS, &["type", "source", "target", "from", "to"], &typed);
    let teams = open(TEAMS, &["id", "name", "parent", "manager", "from", "to"], &["id"]);
    let joined = ["team", "participant"];
    let members = open(MEMBERS, &["team", "participant", "weight", "from", "to"], &joined);
    let placed = ["team", "field", "value"];
    let territories =
        open(TERRITORIES, &["team", "field", "value", "through", "from", "to"], &placed);
    let kinds = ["kind", "id", "alias"];
    let aliases = open(ALIASES, &["kind", "id", "alias", "from", "to"], &kinds);

    reading.whole = [&participants, &positions, &teams].into_iter().flatten().all(Sheet::whole);

    // In this order: a row may name only what an earlier file or pass has added.
    rows(&participants).for_each(|row| reading.participant(row));
    rows(&positions).for_each(|row| reading.position(row));
    rows(if reading.seated { &participants } else { &positions })
        .for_each(|row| reading.version(row));
    rows(&assignments).for_each(|row| reading.assignment(row));
    rows(&teams).for_each(|row| teams::name(&mut reading, row));
    rows(&teams).for_each(|row| teams::version(&mut reading, row));
    rows(&members).for_each(|row| teams::member(&mut reading, row));
    rows(&territories).for_each(|row| territories::read(&mut reading, row));
    rows(&relationships).for_each(|row| relationships::read(&mut reading, row));
    rows(&aliases).for_each(|row| aliases::read(&mut reading, row));

    // Rows that say the same twice are seldom meant, and change nothing.
    doubts::repeated(rows(&relationships), &["type", "source", "target", "from", "to"]);
    doubts::repeated(rows(&aliases), &["kind", "id", "alias", "from", "to"]);
    let place = ["team", "field", "value", "through", "from", "to"];
    doubts::repeated(rows(&territories), &place);

    // What was left out could be what a contradiction is made of.
    if reading.whole && assignments.iter().all(Sheet::whole) {
        consistency::check(&reading, report, files);
    }

    (reading.organization, reading.whole)
}

fn rows<'s, 'a>(sheet: &'s Option<Sheet<'a>>) -> impl Iterator<Item = Row<'s, 'a>> {
    sheet.iter().flat_map(Sheet::rows)
}

/// A byte of a file.
#[derive(Debug, Clone, Copy)]
struct Origin {
    file: &'static str,
    offset: usize,
}

/// Something with dates, and the cell that a contradiction is reported at.
#[derive(Debug, Clone, Copy)]
struct Dated<T> {
    what: T,
    validity: Validity,
    origin: Origin,
}

/// Whom an alias means, teams among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Meaning {
    Seat(Entity),
    Team(TeamId),
}

/// What was read so far; the lists keep the places that the organisation has no use for.
struct Reading<'s> {
    settings: &'s Settings,
    columns: &'s Columns,
    /// Whether everybody sits in a position of the same id, as there is no positions.csv.
    seated: bool,
    /// Whether every participant and position was read: else nobody can be said to be unknown.
    whole: bool,
    organization: Organization,
    versions: Vec<Dated<PositionId>>,
    lives: Vec<Dated<ParticipantId>>,
    assignments: Vec<Dated<(PositionId, ParticipantId)>>,
    teams: Vec<Dated<TeamId>>,
    members: Vec<Dated<(TeamId, ParticipantId)>>,
    /// Where an alias got a meaning.
    origins: HashMap<(String, Meaning), Origin>,
    /// Searches for a nearest name so far.
    advised: std::cell::Cell<u32>,
}

impl Reading<'_> {
    fn participant(&mut self, row: Row<'_, '_>) {
        let Some(id) = row.need("id") else { return };

        let dates = row.validity();
        let validity = dates.unwrap_or_default();
        let origin = Origin { file: PARTICIPANTS, offset: id.offset };
        let name = row.get("name").unwrap_or(id);
        let known = self.organization.add_participant(&id.text, &name.text, validity);
        self.lives.extend(dates.map(|validity| Dated { what: known, validity, origin }));

        if let Some(cell) = row.get("currency")
            && let Some(unit) = exchange::unit(row, cell, self.settings)
        {
            self.organization.pay_in(known, unit, validity);
        }

        let entity = Entity::Participant(known);
        for cell in [Some(id), row.get("name"), row.get("email")].into_iter().flatten() {
            // An id, name or e-mail means its bearer for ever; whether the bearer exists on a day
            // is asked of the bearer.
            self.name(cell, entity, Validity::default(), PARTICIPANTS);
        }

        if self.seated {
            let position = self.organization.add_position(&id.text);
            self.organization.assign(position, known, validity);
            let what = (position, known);
            self.assignments.extend(dates.map(|validity| Dated { what, validity, origin }));
            self.name(id, Entity::Position(position), Validity::default(), PARTICIPANTS);
        }
    }

    fn position(&mut self, row: Row<'_, '_>) {
        let Some(id) = row.need("id") else { return };
        let position = self.organization.add_position(&id.text);
        self.name(id, Entity::Position(position), Validity::default(), POSITIONS);
    }

    /// A version of a position; the row may be a participant's.
    fn version(&mut self, row: Row<'_, '_>) {
        let Some(id) = row.get("id") else { return };
        let Some(position) = self.organization.find_position(&id.text) else { return };

        let manager = row.get("manager").and_then(|cell| self.find_position(row, cell));
        // The dates of a participant's row were reported when the participant was read.
        let dates = if self.seated { row.dates().ok() } else { row.validity() };

        let validity = dates.unwrap_or_default();
        let title = row.text("title").into();
        self.organization.add_version(position, PositionVersion { validity, title, manager });

        let file = if self.seated { PARTICIPANTS } else { POSITIONS };
        let offset = if manager.is_some() { row.offset("manager") } else { id.offset };
        let origin = Origin { file, offset };
        self.versions.extend(dates.map(|validity| Dated { what: position, validity, origin }));
    }

    fn assignment(&mut self, row: Row<'_, '_>) {
        let position = row.need("position");
        let participant = row.need("participant");
        let dates = row.validity();
        let validity = dates.unwrap_or_default();

        let found = position.and_then(|cell| self.find_position(row, cell));
        let holder = participant.and_then(|cell| self.find_participant(row, cell));

        if let (Some(cell), Some(found), Some(holder)) = (position, found, holder) {
            self.organization.assign(found, holder, validity);
            let origin = Origin { file: ASSIGNMENTS, offset: cell.offset };
            let what = (found, holder);
            self.assignments.extend(dates.map(|validity| Dated { what, validity, origin }));
        }
    }

    fn name(&mut self, cell: &Cell, entity: Entity, validity: Validity, file: &'static str) {
        self.organization.alias(&cell.text, entity, validity);
        let origin = Origin { file, offset: cell.offset };
        self.origins.entry((fold(&cell.text), Meaning::Seat(entity))).or_insert(origin);
    }

    fn find_position(&self, row: Row<'_, '_>, cell: &Cell) -> Option<PositionId> {
        let found = self.organization.find_position(&cell.text);
        if found.is_none() && self.whole {
            let known = self.organization.positions().map(|(_, known)| known.id.as_ref());
            self.unknown(row, cell, "position", known);
        }
        found
    }

    fn find_participant(&self, row: Row<'_, '_>, cell: &Cell) -> Option<ParticipantId> {
        let found = self.organization.find_participant(&cell.text);
        if found.is_none() && self.whole {
            let known = self.organization.participants().map(|(_, known)| known.id.as_ref());
            self.unknown(row, cell, "participant", known);
        }
        found
    }

    fn find_team(&self, row: Row<'_, '_>, cell: &Cell) -> Option<TeamId> {
        let found = self.organization.teams.find(&cell.text);
        if found.is_none() && self.whole {
            let known = self.organization.teams.all().map(|(_, known)| known.id.as_ref());
            self.unknown(row, cell, "team", known);
        }
        found
    }

    /// The ids of those whom a name means.
    fn ids_of(&self, name: &str, what: &str) -> Vec<std::sync::Arc<str>> {
        let organization = &self.organization;
        let all = organization.named(name).into_iter();
        match what {
            "team" => {
                let teams = organization.teams.named(name).into_iter();
                teams.map(|team| organization.team_id(team)).collect()
            }
            "position" => {
                all.filter_map(|entity| match entity {
                    Entity::Position(position) => Some(organization.position_id(position)),
                    // Where everybody sits in a position of the same id, a person is one.
                    Entity::Participant(who) if self.seated => {
                        Some(organization.participant_id(who))
                    }
                    Entity::Participant(_) => None,
                })
                .collect()
            }
            "participant" => all
                .filter_map(|entity| match entity {
                    Entity::Participant(who) => Some(organization.participant_id(who)),
                    Entity::Position(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn unknown<'k>(
        &self,
        row: Row<'_, '_>,
        cell: &Cell,
        what: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let message = format!("there is no {what} `{}`", cell.text);
        let place = row.source().place(cell.offset);

        // Help compares the name with all others: after many errors one more of it helps nobody.
        let named = self.ids_of(&cell.text, what);
        let help = if let [id] = named.as_slice() {
            format!("that is a name of `{id}`: write the id")
        } else if self.advised.get() < ADVICE_MAX {
            self.advised.set(self.advised.get() + 1);
            hint(&cell.text, what, &known.collect::<Vec<_>>())
        } else {
            format!("is the {what} missing from its file?")
        };

        row.source().report.push(Diagnostic::error(Code::CR033, place, message).help(help));
    }
}
