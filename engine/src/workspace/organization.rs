//! `organization/*.csv`: participants, positions, assignments, relationships and aliases.
//!
//! Not the questions asked of them (`crate::organization` answers those), and not whether the whole
//! is free of contradictions (`consistency`). Called by `Ruleset::read`. Source: FORMAT section 1,
//! DOMAIN 2.2 and 2.3.
//!
//! **Architecture invariant:** ids are resolved after all participants and positions were read, so
//! neither the order of rows nor that of files matters.

mod consistency;

use std::collections::HashMap;

use jiff::civil::Date;

use super::csv::{Cell, Row, Sheet};
use super::report::{Report, hint};
use super::settings::BUILT_IN;
use super::toml::Source;
use super::{Files, Settings};
use crate::calendar::Validity;
use crate::diagnostic::Diagnostic;
use crate::organization::{
    Entity, Organization, ParticipantId, PositionId, PositionVersion, RelationshipId, fold,
};
use crate::transaction;

const PARTICIPANTS: &str = "organization/participants.csv";
const POSITIONS: &str = "organization/positions.csv";
const ASSIGNMENTS: &str = "organization/assignments.csv";
const RELATIONSHIPS: &str = "organization/relationships.csv";
const ALIASES: &str = "organization/aliases.csv";

/// Files that are read.
pub(super) const READ: [&str; 5] = [PARTICIPANTS, POSITIONS, ASSIGNMENTS, RELATIONSHIPS, ALIASES];

/// Files of a later release.
pub(super) const LATER: [&str; 6] = [
    "organization/teams.csv",
    "organization/members.csv",
    "organization/territories.csv",
    "organization/quotas.csv",
    "organization/exchange_rates.csv",
    "organization/periods.csv",
];

/// Reads the organisation of a customer's directory.
pub(super) fn read(files: &Files, settings: &Settings, report: &Report) -> Organization {
    let mut reading = Reading {
        settings,
        seated: !files.contains_key(POSITIONS),
        organization: Organization::default(),
        versions: Vec::new(),
        lives: Vec::new(),
        assignments: Vec::new(),
        origins: HashMap::new(),
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
    let kinds = ["kind", "id", "alias"];
    let aliases = open(ALIASES, &["kind", "id", "alias", "from", "to"], &kinds);

    rows(&participants).for_each(|row| reading.participant(row));
    rows(&positions).for_each(|row| reading.position(row));
    rows(if reading.seated { &participants } else { &positions })
        .for_each(|row| reading.version(row));
    rows(&assignments).for_each(|row| reading.assignment(row));
    rows(&relationships).for_each(|row| reading.relationship(row));
    rows(&aliases).for_each(|row| reading.alias(row));
    consistency::check(&reading, report, files);
    reading.organization
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

/// What was read so far; the lists keep the places that the organisation has no use for.
struct Reading<'s> {
    settings: &'s Settings,
    /// Whether everybody sits in a position of the same id, as there is no positions.csv.
    seated: bool,
    organization: Organization,
    versions: Vec<Dated<PositionId>>,
    lives: Vec<Dated<ParticipantId>>,
    assignments: Vec<Dated<(PositionId, ParticipantId)>>,
    /// Where an alias got a meaning.
    origins: HashMap<(String, Entity), Origin>,
}

impl Reading<'_> {
    fn participant(&mut self, row: Row<'_, '_>) {
        let Some(id) = row.need("id") else { return };
        let validity = validity(row);
        let origin = Origin { file: PARTICIPANTS, offset: id.offset };
        let name = row.get("name").unwrap_or(id);
        let known = self.organization.add_participant(&id.text, &name.text, validity);
        self.lives.push(Dated { what: known, validity, origin });
        self.currency(row);
        let entity = Entity::Participant(known);
        for cell in [Some(id), row.get("name"), row.get("email")].into_iter().flatten() {
            // An id, name or e-mail means its bearer for ever; whether the bearer exists on a day
            // is asked of the bearer.
            self.name(cell, entity, Validity::default(), PARTICIPANTS);
        }
        if self.seated {
            let position = self.organization.add_position(&id.text);
            self.organization.assign(position, known, validity);
            self.assignments.push(Dated { what: (position, known), validity, origin });
            self.name(id, Entity::Position(position), Validity::default(), PARTICIPANTS);
        }
    }

    fn currency(&self, row: Row<'_, '_>) {
        let Some(cell) = row.get("currency") else { return };
        let settings = self.settings;
        if cell.text != settings.units.name(settings.currency) {
            let message = format!("a participant paid in `{}` is not supported yet", cell.text);
            let help = "leave it blank or write the workspace's currency";
            row.error("CR022", cell.offset, message, help);
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
        let validity = if self.seated { dates(row).0 } else { validity(row) };
        let title = row.text("title").into();
        self.organization.add_version(position, PositionVersion { validity, title, manager });
        let file = if self.seated { PARTICIPANTS } else { POSITIONS };
        let offset = if manager.is_some() { row.offset("manager") } else { id.offset };
        self.versions.push(Dated { what: position, validity, origin: Origin { file, offset } });
    }

    fn assignment(&mut self, row: Row<'_, '_>) {
        let position = row.need("position");
        let participant = row.need("participant");
        let validity = validity(row);
        let found = position.and_then(|cell| self.find_position(row, cell));
        let holder = participant.and_then(|cell| self.find_participant(row, cell));
        if let (Some(cell), Some(found), Some(holder)) = (position, found, holder) {
            self.organization.assign(found, holder, validity);
            let origin = Origin { file: ASSIGNMENTS, offset: cell.offset };
            self.assignments.push(Dated { what: (found, holder), validity, origin });
        }
    }

    fn relationship(&mut self, row: Row<'_, '_>) {
        let kind = row.need("type").and_then(|cell| self.relationship_type(row, cell));
        let source = row.need("source").and_then(|cell| self.find_position(row, cell));
        let target = row.need("target").and_then(|cell| self.find_position(row, cell));
        let validity = validity(row);
        if let (Some(kind), Some(source), Some(target)) = (kind, source, target) {
            self.organization.relate(kind, source, target, validity);
        }
    }

    fn relationship_type(&self, row: Row<'_, '_>, cell: &Cell) -> Option<RelationshipId> {
        let types = &self.settings.relationship_types;
        let found = types.iter().position(|known| **known == *cell.text);
        if let Some(index) = found {
            return u16::try_from(index).ok().map(RelationshipId);
        }
        match cell.text.as_str() {
            "Parent Team" | "Team" => {
                let place = row.source().place(cell.offset);
                row.source().report.not_yet(place, &format!("the relationship `{}`", cell.text));
            }
            built_in if BUILT_IN.contains(&built_in) => {
                let message = format!("`{built_in}` is built in");
                let help = "it comes from the column `manager`, or from [fields] in accredit.toml";
                row.error("CR033", cell.offset, message, help);
            }
            _ => self.unknown(row, cell, "relationship type", types.iter().map(AsRef::as_ref)),
        }
        None
    }

    fn alias(&mut self, row: Row<'_, '_>) {
        let kind = row.need("kind");
        let id = row.need("id");
        let alias = row.need("alias");
        let validity = validity(row);
        let (Some(kind), Some(id)) = (kind, id) else { return };
        let entity = match kind.text.as_str() {
            "participant" => self.find_participant(row, id).map(Entity::Participant),
            "position" => self.find_position(row, id).map(Entity::Position),
            "team" => {
                let place = row.source().place(kind.offset);
                row.source().report.not_yet(place, "an alias of a team");
                None
            }
            _ => {
                let message = format!("`{}` is not a kind of alias", kind.text);
                let help = hint(&kind.text, "kind", &["participant", "position"]);
                row.error("CR032", kind.offset, message, &help);
                None
            }
        };
        if let (Some(entity), Some(alias)) = (entity, alias) {
            self.name(alias, entity, validity, ALIASES);
        }
    }

    fn name(&mut self, cell: &Cell, entity: Entity, validity: Validity, file: &'static str) {
        self.organization.alias(&cell.text, entity, validity);
        let origin = Origin { file, offset: cell.offset };
        self.origins.entry((fold(&cell.text), entity)).or_insert(origin);
    }

    fn find_position(&self, row: Row<'_, '_>, cell: &Cell) -> Option<PositionId> {
        let found = self.organization.find_position(&cell.text);
        if found.is_none() {
            let known = self.organization.positions().map(|(_, known)| known.id.as_ref());
            self.unknown(row, cell, "position", known);
        }
        found
    }

    fn find_participant(&self, row: Row<'_, '_>, cell: &Cell) -> Option<ParticipantId> {
        let found = self.organization.find_participant(&cell.text);
        if found.is_none() {
            let known = self.organization.participants().map(|(_, known)| known.id.as_ref());
            self.unknown(row, cell, "participant", known);
        }
        found
    }

    fn unknown<'k>(
        &self,
        row: Row<'_, '_>,
        cell: &Cell,
        what: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let known: Vec<&str> = known.collect();
        let message = format!("there is no {what} `{}`", cell.text);
        let place = row.source().place(cell.offset);
        let help = hint(&cell.text, what, &known);
        row.source().report.push(Diagnostic::error("CR033", place, message).help(help));
    }
}

/// `from` and `to`, inclusive; what is wrong with them is reported.
fn validity(row: Row<'_, '_>) -> Validity {
    let (validity, fault) = dates(row);
    if let Some((offset, message)) = fault {
        row.error("CR032", offset, message, "dates are ISO, 2017-03-31, and both are included");
    }
    validity
}

type Fault = (usize, String);

fn dates(row: Row<'_, '_>) -> (Validity, Option<Fault>) {
    let mut fault = None;
    let mut day = |column: &str| -> Option<Date> {
        let cell = row.get(column)?;
        let day = transaction::date(&cell.text, None).filter(|_| cell.text.len() == 10);
        if day.is_none() {
            fault = Some((cell.offset, format!("`{}` is not a date", cell.text)));
        }
        day
    };
    let (from, to) = (day("from"), day("to"));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        fault = Some((row.offset("to"), format!("`to` is {to}, before `from`, which is {from}")));
    }
    (Validity::inclusive(from, to), fault)
}
