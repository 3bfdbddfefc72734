//! `territories.csv`: what a deal must be about to be a team's.
//!
//! Not the matching (`domain::organization::territory`). Called by `organization` for each row.
//! Source: FORMAT section 1, DOMAIN 2.4.
//!
//! **Architecture invariant:** a value that was read is of its column's type, so that no row is
//! there that could never match.

use super::OrganizationReader;
use crate::csv::{DefinitionRow, DelimitedCell};
use crate::report::suggest_names;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::territory::{
    Extent, TerritoryRow, comparable_value, is_between,
};
use accredit_domain::transaction::{self, Field, Value};

/// Fields that `field` may name instead of a column.
const FIELDS: [(Field, &str); 4] = [
    (Field::Product, "product"),
    (Field::Customer, "customer"),
    (Field::Geography, "geography"),
    (Field::PostalCode, "postal_code"),
];

/// Reads one row of `territories.csv`.
pub(super) fn read(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let team = row.need_cell("team").and_then(|cell| reading.find_team(row, cell));
    let column = row.need_cell("field").and_then(|cell| resolve_column(reading, row, cell));
    let first = row.need_cell("value");
    let validity = row.read_validity().unwrap_or_default();

    let (Some(team), Some(column), Some(first)) = (team, column, first) else { return };
    let Some(from) = parse_territory_value(reading, row, first, &column) else { return };

    let extent = match row.get("through") {
        None => Extent::Is(from),
        Some(last) => {
            let Some(to) = parse_territory_value(reading, row, last, &column) else { return };
            if !is_between(&from, &from, &to) {
                let message = format!("`{}` to `{}` is no range", first.text, last.text);
                let help = "`value` is the first and `through` the last";
                row.report_error(Code::CR032, last.offset, message, help);
            }
            Extent::Range(from, to)
        }
    };

    let row = TerritoryRow { team, column: column.as_str().into(), extent, validity };
    reading.organization.territories.add(row);
}

/// The column that a field names: of the mapped field, else the column itself.
fn resolve_column(
    reading: &OrganizationReader<'_>,
    row: DefinitionRow<'_, '_>,
    cell: &DelimitedCell,
) -> Option<String> {
    let (fields, columns) = (&reading.settings.fields, reading.columns);
    let field = FIELDS.iter().find(|(_, name)| *name == cell.text).map(|(field, _)| *field);
    if let Some(column) = field.and_then(|field| fields.mapped.get(&field)) {
        return Some(column.clone());
    }
    if columns.known.contains(&cell.text) || (columns.open && field.is_none()) {
        return Some(cell.text.clone());
    }

    let message = format!("there is no field `{}`", cell.text);
    let help = match field {
        Some(_) => format!("add `{} = \"COLUMN\"` to [fields] in accredit.toml", cell.text),
        None => {
            let mapped = FIELDS.iter().filter(|(field, _)| fields.mapped.contains_key(field));
            let names = mapped.map(|(_, name)| *name);
            let names = names.chain(columns.known.iter().map(String::as_str));
            suggest_names(&cell.text, "field", &names.collect::<Vec<_>>())
        }
    };

    row.report_error(Code::CR033, cell.offset, message, &help);
    None
}

/// A cell as a value of a column: dates are ISO, or as the column's own are.
fn parse_territory_value(
    reading: &OrganizationReader<'_>,
    row: DefinitionRow<'_, '_>,
    cell: &DelimitedCell,
    column: &str,
) -> Option<Value> {
    let kind = reading.settings.fields.column_type(column);

    // A territory may write dates in ISO, for any format of the column.
    let iso = transaction::dates::parse_iso_date(&cell.text).filter(|_| kind.type_name() == "date");
    let value = iso.map(Value::Date).unwrap_or_else(|| {
        let text = transaction::Cell::Text(cell.text.clone());
        transaction::decode_cell(&text, kind, &reading.settings.fields)
    });

    let value = comparable_value(&value);

    if value.is_none() {
        let message = format!("`{}` is not a {}", cell.text, kind.type_name());
        let help = format!("the column `{column}` is a {} by accredit.toml", kind.type_name());
        row.report_error(Code::CR032, cell.offset, message, &help);
    }

    value
}
