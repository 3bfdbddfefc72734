//! `relationships.csv`: the edges along which credit flows, of types that the workspace declares.
//!
//! Not Reporting, which is the column `manager`. Called by `organization` for each row. Source:
//! FORMAT section 1, DOMAIN 2.3.
//!
//! **Architecture invariant:** an edge joins two positions or two teams that exist, and has a declared type.

use super::OrganizationReader;
use crate::csv::{DefinitionRow, DelimitedCell};
use crate::settings::BUILT_IN_RELATIONSHIPS;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::{Edge, RelationshipId};

/// Reads one row of `relationships.csv`.
pub(super) fn read(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let kind = row.need_cell("type").and_then(|cell| relationship_type(reading, row, cell));
    let (source, target) = (row.need_cell("source"), row.need_cell("target"));
    let validity = row.read_validity().unwrap_or_default();
    let (Some(source), Some(target)) = (source, target) else { return };

    let organization = &reading.organization;
    let seats =
        organization.find_position(&source.text).zip(organization.find_position(&target.text));
    let teams = organization.teams.find(&source.text).zip(organization.teams.find(&target.text));

    match (seats, teams) {
        (Some((source, target)), _) => {
            if let Some(kind) = kind {
                reading.organization.add_edge(kind, source, target, validity);
            }
        }
        (None, Some((source, target))) => {
            if let Some(kind) = kind {
                reading.organization.teams.add_edge(kind, source, Edge { validity, target });
            }
        }
        (None, None) => report_unmatched_ends(reading, row, source, target),
    }
}

/// Reports ends that are not two positions, and not two teams either.
fn report_unmatched_ends(
    reading: &OrganizationReader<'_>,
    row: DefinitionRow<'_, '_>,
    source: &DelimitedCell,
    target: &DelimitedCell,
) {
    let teams = &reading.organization.teams;
    let (one, two) = (teams.find(&source.text), teams.find(&target.text));
    // Both unknown: positions are what is most often meant.
    if one.is_none() && two.is_none() {
        reading.find_position(row, source);
        reading.find_position(row, target);
        return;
    }

    // One of them is a team, and the other is a position or nothing at all.
    let (team, other) = if one.is_some() { (source, target) } else { (target, source) };
    if reading.organization.find_position(&other.text).is_none() {
        let known_seat = reading.organization.find_position(&team.text).is_some();
        if known_seat {
            reading.find_position(row, other);
        } else {
            reading.find_team(row, other);
        }
        return;
    }

    let message = format!("`{}` is a team and `{}` a position", team.text, other.text);
    let help = "an edge joins two positions or two teams";
    row.report_error(Code::CR033, target.offset, message, help);
}

fn relationship_type(
    reading: &OrganizationReader<'_>,
    row: DefinitionRow<'_, '_>,
    cell: &DelimitedCell,
) -> Option<RelationshipId> {
    let types = &reading.settings.relationship_types;
    let found = types.iter().position(|known| **known == *cell.text);
    if let Some(index) = found {
        return u16::try_from(index).ok().map(RelationshipId);
    }

    match cell.text.as_str() {
        built_in if BUILT_IN_RELATIONSHIPS.contains(&built_in) => {
            let message = format!("`{built_in}` is built in");
            let help = "it comes from `manager`, `parent` or members.csv, or from [fields] in accredit.toml";
            row.report_error(Code::CR033, cell.offset, message, help);
        }
        _ => {
            reading.report_unknown(row, cell, "relationship type", types.iter().map(AsRef::as_ref))
        }
    }

    None
}
