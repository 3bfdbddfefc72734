//! `attributes.csv`: what a customer keeps about people, positions and teams.
//!
//! Not the kinds of attributes, which `[attributes]` declares. Called by `organization`
//! when everybody is read. Source: FORMAT section 1.
//!
//! **Architecture invariant:** a value is of the kind of its attribute, and its bearer exists.

use super::{ATTRIBUTES, CellOrigin, DatedEntry, OrganizationReader};
use crate::Files;
use crate::csv::{DefinitionRow, DefinitionSheet, DelimitedCell};
use crate::report::{Findings, suggest_names};
use crate::toml::DefinitionText;
use accredit_domain::declared::DeclaredKind;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::attributes::AttributeBearer;
use accredit_domain::organization::fold_name;

/// Reads the attributes of everybody who was read.
pub(super) fn read(reading: &mut OrganizationReader<'_>, files: &Files, report: &Findings) {
    for (name, kind) in &reading.settings.attributes {
        reading.organization.attributes.declare(name, *kind);
    }

    let Some(text) = files.get(ATTRIBUTES) else { return };
    let source = DefinitionText::new(ATTRIBUTES, text, report);
    let columns = ["kind", "id", "name", "value", "from", "to"];
    let needed = ["kind", "id", "name", "value"];
    let sheet = DefinitionSheet::read(source, &columns, &needed);
    sheet.rows().for_each(|row| read_row(reading, row));
}

fn read_row(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let kind = row.need_cell("kind");
    let id = row.need_cell("id");
    let name = row.need_cell("name");
    let value = row.need_cell("value");
    let dates = row.read_validity();
    let (Some(kind), Some(id)) = (kind, id) else { return };

    let bearer = match kind.text.as_str() {
        "participant" => reading.find_participant(row, id).map(AttributeBearer::Participant),
        "position" => reading.find_position(row, id).map(AttributeBearer::Position),
        "team" => reading.find_team(row, id).map(AttributeBearer::Team),
        _ => {
            let message = format!("`{}` is not a kind of attribute", kind.text);
            let help = suggest_names(&kind.text, "kind", &["participant", "position", "team"]);
            row.report_error(Code::CR032, kind.offset, message, &help);
            None
        }
    };

    let Some(name) = name else { return };
    let Some(of) = declared_kind(reading, row, name) else { return };

    let read = value.and_then(|cell| {
        let read = of.read_value(&cell.text);
        if read.is_none() {
            let message = format!("`{}` is not {}", cell.text, of.in_words());
            row.report_error(Code::CR032, cell.offset, message, of.example());
        }
        read
    });

    if let (Some(bearer), Some(value), Some(validity)) = (bearer, read, dates) {
        let origin = CellOrigin { file: ATTRIBUTES, offset: id.offset };
        reading.organization.attributes.add(bearer, &name.text, value, validity);
        let what = (bearer, name.text.as_str().into());
        reading.attributes.push(DatedEntry { what, validity, origin });
    }
}

/// The kind of an attribute: as it is declared, else text. A declared name in other letters is
/// refused, since it would be an attribute of its own.
fn declared_kind(
    reading: &mut OrganizationReader<'_>,
    row: DefinitionRow<'_, '_>,
    name: &DelimitedCell,
) -> Option<DeclaredKind> {
    if let Some(kind) = reading.organization.attributes.kind_of(&name.text) {
        return Some(kind);
    }

    let folded = fold_name(&name.text);
    let meant = reading.settings.attributes.keys().find(|known| fold_name(known) == folded);
    if let Some(meant) = meant {
        let message = format!("there is no attribute `{}`", name.text);
        let help = format!("write `{meant}`, as [attributes] does");
        row.report_error(Code::CR033, name.offset, message, &help);
        return None;
    }

    reading.organization.attributes.declare(&name.text, DeclaredKind::Text);
    Some(DeclaredKind::Text)
}
