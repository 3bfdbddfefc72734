//! `relationships.csv`: the edges along which credit flows, of types that the workspace declares.
//!
//! Not Reporting, which is the column `manager`. Called by `organization` for each row. Source:
//! FORMAT section 1, DOMAIN 2.3.
//!
//! **Architecture invariant:** an edge joins two positions that exist, and has a declared type.

use super::Reading;
use crate::organization::RelationshipId;
use crate::workspace::csv::{Cell, Row};
use crate::workspace::settings::BUILT_IN;

/// Reads one row of `relationships.csv`.
pub(super) fn read(reading: &mut Reading<'_>, row: Row<'_, '_>) {
    let kind = row.need("type").and_then(|cell| relationship_type(reading, row, cell));
    let source = row.need("source").and_then(|cell| reading.find_position(row, cell));
    let target = row.need("target").and_then(|cell| reading.find_position(row, cell));
    let validity = row.validity().unwrap_or_default();
    if let (Some(kind), Some(source), Some(target)) = (kind, source, target) {
        reading.organization.relate(kind, source, target, validity);
    }
}

fn relationship_type(
    reading: &Reading<'_>,
    row: Row<'_, '_>,
    cell: &Cell,
) -> Option<RelationshipId> {
    let types = &reading.settings.relationship_types;
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
        _ => reading.unknown(row, cell, "relationship type", types.iter().map(AsRef::as_ref)),
    }
    None
}
