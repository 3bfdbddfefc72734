//! Names that a directory declares, with their places: columns, tables, queries, attributes and types.
//!
//! Not their meaning, which `workspace` reads: these are found in a file that has errors as well, since
//! most files have some while a person types. Called by completions, hints and definitions.
//!
//! **Architecture invariant:** a file that cannot be read leaves out names and is no error here.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::diagnostic::{LineIndex, Place};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::EditorWorkspace;

/// The file that declares nearly everything.
pub(crate) const SETTINGS: &str = "accredit.toml";

/// A name, what is said of it, and where it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredName {
    /// The name.
    pub(crate) name: String,
    /// The kind of its values, the text of a query, or nothing.
    pub(crate) kind: String,
    /// Where it stands; none where it was only seen in deals.
    pub(crate) place: Option<Place>,
}

/// A field of `[fields]` with its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MappedField {
    /// The key of the field, which is its name in scripts.
    pub(crate) field: String,
    /// The columns that it reads.
    pub(crate) columns: Vec<String>,
    /// Where the key stands.
    pub(crate) place: Place,
}

/// A table of `[tables]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedTable {
    /// Its name.
    pub(crate) name: String,
    /// Columns of keys, in the order of arguments.
    pub(crate) keys: Vec<String>,
    /// Columns of lower bounds, behind the keys.
    pub(crate) ranges: Vec<String>,
    /// Columns of values with their kinds.
    pub(crate) values: Vec<(String, String)>,
    /// Where it is declared.
    pub(crate) place: Place,
}

impl NamedTable {
    /// The path of its rows.
    pub(crate) fn path(&self) -> String {
        format!("tables/{}.csv", self.name)
    }

    /// How a script looks it up: `lookup("rates", product, quantity)`.
    pub(crate) fn form(&self) -> String {
        let arguments = self.keys.iter().chain(&self.ranges).map(|name| format!(", {name}"));
        format!("lookup(\"{}\"{})", self.name, arguments.collect::<String>())
    }
}

/// Everything that a directory names.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeclaredNames {
    /// Columns of deals, declared, mapped or seen, by name.
    pub(crate) columns: BTreeMap<String, DeclaredName>,
    /// `[fields]`.
    pub(crate) fields: Vec<MappedField>,
    /// `[tables]`.
    pub(crate) tables: Vec<NamedTable>,
    /// `[queries]`; their kind is their text.
    pub(crate) queries: Vec<DeclaredName>,
    /// `[attributes]`.
    pub(crate) attributes: Vec<DeclaredName>,
    /// Lists at the top: unit types, credit types, reason codes, relationship types, by key.
    pub(crate) lists: BTreeMap<&'static str, Vec<DeclaredName>>,
}

/// Lists of names at the top of `accredit.toml`.
const LISTS: [&str; 4] = ["unit_types", "credit_types", "reason_codes", "relationship_types"];

/// Kinds of the columns of fields, where `[columns]` does not say another one.
fn kind_of_field(field: &str) -> &'static str {
    match field {
        "amount" | "quantity" => "number",
        "date" | "updated" | "received" => "date",
        _ => "text",
    }
}

/// The document of a file, as far as it can be read, and the places of its bytes.
struct SettingsText<'a> {
    file: &'a str,
    text: &'a str,
    lines: LineIndex,
}

impl SettingsText<'_> {
    fn place(&self, offset: usize) -> Place {
        self.lines.place_at(self.file, self.text, offset)
    }

    /// The names that are keys of a table, each with its value.
    fn keys<'t>(
        &self,
        table: Option<&'t Spanned<DeValue<'t>>>,
    ) -> Vec<(String, Place, &'t DeValue<'t>)> {
        let entries = table.and_then(|value| value.get_ref().as_table()).into_iter().flatten();
        let entries = entries.map(|(key, value)| {
            let name = key.get_ref().to_string();
            (name, self.place(key.span().start), value.get_ref())
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by(|one, other| one.1.cmp(&other.1));
        entries
    }
}

/// One text or a list of them.
fn texts_of(value: Option<&DeValue<'_>>) -> Vec<String> {
    match value {
        Some(DeValue::String(text)) => vec![text.to_string()],
        Some(DeValue::Array(items)) => {
            let texts = items.iter().filter_map(|item| item.get_ref().as_str());
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The columns of a field: `"Close Date"`, `["A", "B"]` or `{ field = "Close Date", … }`.
fn columns_of(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::Table(table) => {
            let keys = ["field", "fields"];
            let values = keys.into_iter().filter_map(|key| table.get(key));
            values.flat_map(|value| texts_of(Some(value.get_ref()))).collect()
        }
        value => texts_of(Some(value)),
    }
}

/// The kind of a column: `"number"` or `{ date = "%m/%d/%Y" }`.
fn kind_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Table(table) => {
            let first = table.iter().next().map(|(key, _)| key.get_ref().to_string());
            first.unwrap_or_default()
        }
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

/// The names that the files of a workspace declare, and the columns that its deals had.
pub(crate) fn declared_names(workspace: &EditorWorkspace) -> DeclaredNames {
    let mut names = DeclaredNames::default();
    for column in &workspace.columns {
        let kind = "text".to_owned();
        let seen = DeclaredName { name: column.clone(), kind, place: None };
        names.columns.insert(column.clone(), seen);
    }

    let whole = workspace.files.get(SETTINGS).map_or_else(|| Arc::from(""), Arc::clone);
    let text = whole.strip_prefix('\u{feff}').unwrap_or(&whole);
    let (document, _) = DeTable::parse_recoverable(text);
    let source = SettingsText { file: SETTINGS, text, lines: LineIndex::from_text(text) };
    let root = document.get_ref();

    read_columns(&mut names, &source, root);
    names.tables = read_tables(&source, root);

    let named = |section: &str| {
        let entries = source.keys(root.get(section)).into_iter();
        let entries = entries.map(|(name, place, value)| DeclaredName {
            name,
            kind: value.as_str().unwrap_or_default().to_owned(),
            place: Some(place),
        });
        entries.collect::<Vec<_>>()
    };
    names.queries = named("queries");
    names.attributes = named("attributes");
    names.lists = LISTS.into_iter().map(|key| (key, read_list(&source, root.get(key)))).collect();
    names
}

fn read_columns(names: &mut DeclaredNames, source: &SettingsText<'_>, root: &DeTable<'_>) {
    for (field, place, value) in source.keys(root.get("fields")) {
        let columns = columns_of(value);
        for column in &columns {
            let kind = kind_of_field(&field).to_owned();
            let place = Some(place.clone());
            let mapped = DeclaredName { name: column.clone(), kind, place };
            names.columns.insert(column.clone(), mapped);
        }
        names.fields.push(MappedField { field, columns, place });
    }

    for (name, place, value) in source.keys(root.get("columns")) {
        let kind = kind_of(value);
        let declared = DeclaredName { name: name.clone(), kind, place: Some(place) };
        names.columns.insert(name, declared);
    }
}

fn read_tables(source: &SettingsText<'_>, root: &DeTable<'_>) -> Vec<NamedTable> {
    let tables = source.keys(root.get("tables")).into_iter();
    let tables = tables.map(|(name, place, value)| {
        let table = value.as_table();
        let texts = |key: &str| {
            texts_of(table.and_then(|table| table.get(key)).map(|value| value.get_ref()))
        };
        let values = source.keys(table.and_then(|table| table.get("values")));
        let values = values.into_iter().map(|(name, _, value)| (name, kind_of(value)));
        NamedTable {
            name,
            keys: texts("keys"),
            ranges: texts("ranges"),
            values: values.collect(),
            place,
        }
    });
    tables.collect()
}

/// The names of a list; a unit type may be a table with its name.
fn read_list(source: &SettingsText<'_>, value: Option<&Spanned<DeValue<'_>>>) -> Vec<DeclaredName> {
    let items = value.and_then(|value| value.get_ref().as_array()).into_iter().flatten();
    let names = items.filter_map(|item| {
        let named = item.get_ref().as_table().and_then(|table| table.get("name"));
        let name = named.unwrap_or(item).get_ref().as_str()?.to_owned();
        let place = Some(source.place(item.span().start));
        Some(DeclaredName { name, kind: String::new(), place })
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use accredit_workspace::Files;

    const TEXT: &str = "credit_types = [\"acv\"]\nunit_types = [{ name = \"USD\", scale = 2 }]\n\
        [fields]\nid = \"Id\"\ndate = { field = \"Closed\" }\namount = \"ACV\"\n[columns]\n\
        TCV = \"number\"\nPaid = { date = \"%d\" }\n[tables.rates]\nkeys = [\"product\"]\n\
        ranges = \"units\"\nvalues = { rate = \"number\" }\n[queries]\nbig = \"tx.amount > 1\"\n";

    fn names(text: &str) -> DeclaredNames {
        let files = Files::from([(SETTINGS.to_owned(), Arc::from(text))]);
        let columns = ["Rep #1".to_owned()].into();
        declared_names(&EditorWorkspace { files, columns, connectors: &[] })
    }

    #[test]
    fn names_are_found_with_their_kinds_and_places() {
        let found = names(TEXT);
        let kinds = found.columns.values().map(|one| format!("{}:{}", one.name, one.kind));
        let kinds: Vec<String> = kinds.collect();
        assert_eq!(
            kinds,
            ["ACV:number", "Closed:date", "Id:text", "Paid:date", "Rep #1:text", "TCV:number"]
        );
        assert_eq!(found.columns["TCV"].place, Some(Place::new(SETTINGS, 8, 1)));
        assert_eq!(found.columns["ACV"].place, Some(Place::new(SETTINGS, 6, 1)));
        assert_eq!(found.tables[0].form(), "lookup(\"rates\", product, units)");
        assert_eq!(found.queries[0].kind, "tx.amount > 1");
        assert_eq!(found.lists["unit_types"][0].name, "USD");
    }

    /// While a line is typed, the file is no TOML; everything else in it is still known.
    #[test]
    fn a_line_that_is_not_finished_hides_no_other_name() {
        let found = names(&TEXT.replace("amount = \"ACV\"", "amount = \"AC"));
        assert!(found.columns.contains_key("TCV"), "{:?}", found.columns);
        assert_eq!((found.tables.len(), found.queries.len()), (1, 1));
    }
}
