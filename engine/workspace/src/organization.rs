//! `organization/*.csv`: participants, positions, assignments, teams, relationships and aliases.
//!
//! Not the questions asked of them (`domain::organization` answers those), and not whether the whole
//! is free of contradictions (`consistency`). Called by `Ruleset::read`. Source: FORMAT section 1,
//! DOMAIN 2.2 and 2.3.
//!
//! **Architecture invariant:** ids are resolved after all participants and positions were read, so
//! neither the order of rows nor that of files matters.

mod aliases;
mod attributes;
mod circles;
mod consistency;
mod relationships;
mod teams;
mod territories;

use std::collections::HashMap;
use std::sync::Arc;

use super::csv::{DefinitionRow, DefinitionSheet, DelimitedCell};
use super::doubts;
use super::report::{Findings, suggest_names};
use super::toml::DefinitionText;
use super::{Files, KnownColumns, Settings, exchange};
use accredit_domain::calendar::Validity;
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::organization::attributes::AttributeBearer;
use accredit_domain::organization::{
    Entity, Organization, ParticipantId, PositionId, PositionVersion, TeamId, fold_name,
};

const PARTICIPANTS: &str = "organization/participants.csv";
const POSITIONS: &str = "organization/positions.csv";
const ASSIGNMENTS: &str = "organization/assignments.csv";
const TEAMS: &str = "organization/teams.csv";
const MEMBERS: &str = "organization/members.csv";
const TERRITORIES: &str = "organization/territories.csv";
const RELATIONSHIPS: &str = "organization/relationships.csv";
const ALIASES: &str = "organization/aliases.csv";
const ATTRIBUTES: &str = "organization/attributes.csv";

/// Files that are read; `calendar` reads the periods.
pub(super) const ORGANIZATION_FILES: [&str; 12] = [
    PARTICIPANTS,
    POSITIONS,
    ASSIGNMENTS,
    TEAMS,
    MEMBERS,
    TERRITORIES,
    RELATIONSHIPS,
    ALIASES,
    ATTRIBUTES,
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
    columns: &KnownColumns,
    report: &Findings,
) -> (Organization, bool) {
    let mut reading = OrganizationReader {
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
        attributes: Vec::new(),
        origins: HashMap::new(),
        advised: std::cell::Cell::new(0),
    };

    let open = |path: &'static str, known: &[&'static str], needed: &[&'static str]| {
        let text = files.get(path)?;
        Some(DefinitionSheet::read(DefinitionText::new(path, text, report), known, needed))
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

    reading.whole =
        [&participants, &positions, &teams].into_iter().flatten().all(DefinitionSheet::is_whole);

    // In this order: a row may name only what an earlier file or pass has added.
    sheet_rows(&participants).for_each(|row| reading.read_participant(row));
    sheet_rows(&positions).for_each(|row| reading.read_position(row));
    sheet_rows(if reading.seated { &participants } else { &positions })
        .for_each(|row| reading.read_position_version(row));
    sheet_rows(&assignments).for_each(|row| reading.read_assignment(row));
    sheet_rows(&teams).for_each(|row| teams::read_team_name(&mut reading, row));
    sheet_rows(&teams).for_each(|row| teams::read_team_version(&mut reading, row));
    sheet_rows(&members).for_each(|row| teams::read_member(&mut reading, row));
    sheet_rows(&territories).for_each(|row| territories::read(&mut reading, row));
    sheet_rows(&relationships).for_each(|row| relationships::read(&mut reading, row));
    sheet_rows(&aliases).for_each(|row| aliases::read(&mut reading, row));
    attributes::read(&mut reading, files, report);

    // Rows that say the same twice are seldom meant, and change nothing.
    doubts::warn_repeated(sheet_rows(&relationships), &["type", "source", "target", "from", "to"]);
    doubts::warn_repeated(sheet_rows(&aliases), &["kind", "id", "alias", "from", "to"]);
    let place = ["team", "field", "value", "through", "from", "to"];
    doubts::warn_repeated(sheet_rows(&territories), &place);

    // What was left out could be what a contradiction is made of.
    if reading.whole && assignments.iter().all(DefinitionSheet::is_whole) {
        consistency::check(&reading, report, files);
    }

    (reading.organization, reading.whole)
}

fn sheet_rows<'s, 'a>(
    sheet: &'s Option<DefinitionSheet<'a>>,
) -> impl Iterator<Item = DefinitionRow<'s, 'a>> {
    sheet.iter().flat_map(DefinitionSheet::rows)
}

/// A byte of a file.
#[derive(Debug, Clone, Copy)]
struct CellOrigin {
    file: &'static str,
    offset: usize,
}

/// Something with dates, and the cell that a contradiction is reported at.
#[derive(Debug, Clone, Copy)]
struct DatedEntry<T> {
    what: T,
    validity: Validity,
    origin: CellOrigin,
}

/// What an alias means, including teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum AliasTarget {
    Seat(Entity),
    Team(TeamId),
}

/// What was read so far; the lists keep the places that the organisation has no use for.
struct OrganizationReader<'s> {
    settings: &'s Settings,
    columns: &'s KnownColumns,
    /// Whether each person has a position of the same id, as there is no positions.csv.
    seated: bool,
    /// Whether every participant and position was read: otherwise no name can be called unknown.
    whole: bool,
    organization: Organization,
    versions: Vec<DatedEntry<PositionId>>,
    lives: Vec<DatedEntry<ParticipantId>>,
    assignments: Vec<DatedEntry<(PositionId, ParticipantId)>>,
    teams: Vec<DatedEntry<TeamId>>,
    members: Vec<DatedEntry<(TeamId, ParticipantId)>>,
    attributes: Vec<DatedEntry<(AttributeBearer, Arc<str>)>>,
    /// Where an alias got a meaning.
    origins: HashMap<(String, AliasTarget), CellOrigin>,
    /// Searches for a nearest name so far.
    advised: std::cell::Cell<u32>,
}

impl OrganizationReader<'_> {
    fn read_participant(&mut self, row: DefinitionRow<'_, '_>) {
        let Some(id) = row.need_cell("id") else { return };

        let dates = row.read_validity();
        let validity = dates.unwrap_or_default();
        let origin = CellOrigin { file: PARTICIPANTS, offset: id.offset };
        let name = row.get("name").unwrap_or(id);
        let known = self.organization.add_participant(&id.text, &name.text, validity);
        self.lives.extend(dates.map(|validity| DatedEntry { what: known, validity, origin }));

        if let Some(cell) = row.get("currency")
            && let Some(unit) = exchange::find_unit(row, cell, self.settings)
        {
            self.organization.add_currency(known, unit, validity);
        }

        let entity = Entity::Participant(known);
        for cell in [Some(id), row.get("name"), row.get("email")].into_iter().flatten() {
            // An id, name or e-mail means its bearer for ever; whether the bearer exists on a day
            // is asked of the bearer.
            self.add_name(cell, entity, Validity::default(), PARTICIPANTS);
        }

        if self.seated {
            let position = self.organization.add_position(&id.text);
            self.organization.assign_participant(position, known, validity);
            let what = (position, known);
            self.assignments.extend(dates.map(|validity| DatedEntry { what, validity, origin }));
            self.add_name(id, Entity::Position(position), Validity::default(), PARTICIPANTS);
        }
    }

    fn read_position(&mut self, row: DefinitionRow<'_, '_>) {
        let Some(id) = row.need_cell("id") else { return };
        let position = self.organization.add_position(&id.text);
        self.add_name(id, Entity::Position(position), Validity::default(), POSITIONS);
    }

    /// A version of a position; the row may be a participant's.
    fn read_position_version(&mut self, row: DefinitionRow<'_, '_>) {
        let Some(id) = row.get("id") else { return };
        let Some(position) = self.organization.find_position(&id.text) else { return };

        let manager = row.get("manager").and_then(|cell| self.find_position(row, cell));
        // The dates of a participant's row were reported when the participant was read.
        let dates = if self.seated { row.parse_dates().ok() } else { row.read_validity() };

        let validity = dates.unwrap_or_default();
        let title = row.text("title").into();
        self.organization.add_version(position, PositionVersion { validity, title, manager });

        let file = if self.seated { PARTICIPANTS } else { POSITIONS };
        let offset = if manager.is_some() { row.cell_offset("manager") } else { id.offset };
        let origin = CellOrigin { file, offset };
        self.versions.extend(dates.map(|validity| DatedEntry { what: position, validity, origin }));
    }

    fn read_assignment(&mut self, row: DefinitionRow<'_, '_>) {
        let position = row.need_cell("position");
        let participant = row.need_cell("participant");
        let dates = row.read_validity();
        let validity = dates.unwrap_or_default();

        let found = position.and_then(|cell| self.find_position(row, cell));
        let holder = participant.and_then(|cell| self.find_participant(row, cell));

        if let (Some(cell), Some(found), Some(holder)) = (position, found, holder) {
            self.organization.assign_participant(found, holder, validity);
            let origin = CellOrigin { file: ASSIGNMENTS, offset: cell.offset };
            let what = (found, holder);
            self.assignments.extend(dates.map(|validity| DatedEntry { what, validity, origin }));
        }
    }

    fn add_name(
        &mut self,
        cell: &DelimitedCell,
        entity: Entity,
        validity: Validity,
        file: &'static str,
    ) {
        self.organization.add_alias(&cell.text, entity, validity);
        let origin = CellOrigin { file, offset: cell.offset };
        self.origins.entry((fold_name(&cell.text), AliasTarget::Seat(entity))).or_insert(origin);
    }

    fn find_position(
        &self,
        row: DefinitionRow<'_, '_>,
        cell: &DelimitedCell,
    ) -> Option<PositionId> {
        let found = self.organization.find_position(&cell.text);
        if found.is_none() && self.whole {
            let known = self.organization.positions().map(|(_, known)| known.id.as_ref());
            self.report_unknown(row, cell, "position", known);
        }
        found
    }

    fn find_participant(
        &self,
        row: DefinitionRow<'_, '_>,
        cell: &DelimitedCell,
    ) -> Option<ParticipantId> {
        let found = self.organization.find_participant(&cell.text);
        if found.is_none() && self.whole {
            let known = self.organization.participants().map(|(_, known)| known.id.as_ref());
            self.report_unknown(row, cell, "participant", known);
        }
        found
    }

    fn find_team(&self, row: DefinitionRow<'_, '_>, cell: &DelimitedCell) -> Option<TeamId> {
        let found = self.organization.teams.find(&cell.text);
        if found.is_none() && self.whole {
            let known = self.organization.teams.iter().map(|(_, known)| known.id.as_ref());
            self.report_unknown(row, cell, "team", known);
        }
        found
    }

    /// The ids that a name means.
    fn ids_of(&self, name: &str, what: &str) -> Vec<std::sync::Arc<str>> {
        let organization = &self.organization;
        let all = organization.entities_named(name).into_iter();
        match what {
            "team" => {
                let teams = organization.teams.teams_named(name).into_iter();
                teams.map(|team| organization.team_id(team).into()).collect()
            }
            "position" => {
                all.filter_map(|entity| match entity {
                    Entity::Position(position) => Some(organization.position_id(position).into()),
                    // Where each person has a position of the same id, a person is one.
                    Entity::Participant(who) if self.seated => {
                        Some(organization.participant_id(who).into())
                    }
                    Entity::Participant(_) => None,
                })
                .collect()
            }
            "participant" => all
                .filter_map(|entity| match entity {
                    Entity::Participant(who) => Some(organization.participant_id(who).into()),
                    Entity::Position(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn report_unknown<'k>(
        &self,
        row: DefinitionRow<'_, '_>,
        cell: &DelimitedCell,
        what: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let message = format!("there is no {what} `{}`", cell.text);
        let place = row.source().place(cell.offset);

        // Help compares the name with all others: after many errors, one more does not help.
        let named = self.ids_of(&cell.text, what);
        let help = if let [id] = named.as_slice() {
            format!("that is a name of `{id}`: write the id")
        } else if self.advised.get() < ADVICE_MAX {
            self.advised.set(self.advised.get() + 1);
            suggest_names(&cell.text, what, &known.collect::<Vec<_>>())
        } else {
            format!("is the {what} missing from its file?")
        };

        row.source().report.push(Diagnostic::error(Code::CR033, place, message).with_help(help));
    }
}
