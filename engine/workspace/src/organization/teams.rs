//! `teams.csv` and `members.csv`: teams with their parents and managers, and who belongs to them.
//!
//! Not their territories (`territories`). Called by `organization` for each row. Source: FORMAT
//! section 1, DOMAIN 2.8.
//!
//! **Architecture invariant:** a weight that was read is a number from 0, so that parts of a team's
//! credit are never negative.

use rust_decimal::Decimal;

use super::{AliasTarget, CellOrigin, DatedEntry, MEMBERS, OrganizationReader, TEAMS};
use crate::csv::{DefinitionRow, DelimitedCell};
use accredit_domain::calendar::Validity;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::{Member, TeamId, TeamVersion, fold_name};
use accredit_domain::transaction::parse_number;

/// Reads the id and name of a row of `teams.csv`, so that parents may be named before their row.
pub(super) fn read_team_name(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let Some(id) = row.need_cell("id") else { return };
    let team = reading.organization.teams.add(&id.text);
    for cell in [Some(id), row.get("name")].into_iter().flatten() {
        // An id or name means its team for ever; whether the team exists on a day is asked of it.
        add_team_alias(reading, cell, team, Validity::default(), TEAMS);
    }
}

/// Reads a row of `teams.csv` as a version of its team.
pub(super) fn read_team_version(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let Some(id) = row.get("id") else { return };
    let Some(team) = reading.organization.teams.find(&id.text) else { return };
    let parent = row.get("parent").and_then(|cell| reading.find_team(row, cell));
    let manager = row.get("manager").and_then(|cell| reading.find_position(row, cell));
    let dates = row.read_validity();
    let validity = dates.unwrap_or_default();
    let name = row.get("name").unwrap_or(id).text.as_str().into();
    let version = TeamVersion { validity, name, parent, manager };
    reading.organization.teams.add_version(team, version);
    let origin = CellOrigin { file: TEAMS, offset: id.offset };
    reading.teams.extend(dates.map(|validity| DatedEntry { what: team, validity, origin }));
}

/// Reads a row of `members.csv`.
pub(super) fn read_member(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let team = row.need_cell("team").and_then(|cell| reading.find_team(row, cell));
    let cell = row.need_cell("participant");
    let participant = cell.and_then(|cell| reading.find_participant(row, cell));
    let weight = parse_weight(row);
    let dates = row.read_validity();
    let (Some(team), Some(participant), Some(cell)) = (team, participant, cell) else { return };
    let validity = dates.unwrap_or_default();
    reading.organization.teams.add_member(team, Member { participant, weight, validity });
    let origin = CellOrigin { file: MEMBERS, offset: cell.offset };
    let what = (team, participant);
    reading.members.extend(dates.map(|validity| DatedEntry { what, validity, origin }));
}

/// The weight of a member; a blank one is 1.
fn parse_weight(row: DefinitionRow<'_, '_>) -> Decimal {
    let Some(cell) = row.get("weight") else { return Decimal::ONE };
    let weight = parse_number(&cell.text).filter(|weight| *weight >= Decimal::ZERO);
    if weight.is_none() {
        let message = format!("`{}` is not a number from 0", cell.text);
        let help = "write plain digits such as 60000; only the ratio of weights matters";
        row.report_error(Code::CR032, cell.offset, message, help);
    }
    weight.unwrap_or(Decimal::ONE)
}

/// Lets a cell mean a team.
pub(super) fn add_team_alias(
    reading: &mut OrganizationReader<'_>,
    cell: &DelimitedCell,
    team: TeamId,
    validity: Validity,
    file: &'static str,
) {
    reading.organization.teams.add_alias(&cell.text, team, validity);
    let origin = CellOrigin { file, offset: cell.offset };
    reading.origins.entry((fold_name(&cell.text), AliasTarget::Team(team))).or_insert(origin);
}
