//! What the name under the cursor means, as a hint in Markdown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::EditorWorkspace;
use crate::describe;
use crate::edited_text::edited_text;
use crate::field_docs::{find_field, find_value, kind_in_words};
use crate::names::{DeclaredNames, declared_names};
use crate::subject::{NamedSubject, subject_at};
use crate::text::{TextPosition, TextRange};

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoverText {
    /// What the name means, in Markdown.
    pub contents: String,
    /// The part of the file that is meant.
    pub range: TextRange,
}

/// What the name at a place means; none where nothing is known of it.
pub fn hover(workspace: &EditorWorkspace, path: &str, at: TextPosition) -> Option<HoverText> {
    let edited = edited_text(workspace, path, at)?;
    let names = declared_names(workspace);
    let placed = subject_at(workspace, &names, &edited)?;
    let contents = page_of(workspace, &names, &placed.subject)?;

    let line = placed.range.start.line.saturating_add(edited.lines_before);
    let range = TextRange::in_line(line, placed.range.start.column, placed.range.end.column);
    Some(HoverText { contents, range })
}

fn page_of(
    workspace: &EditorWorkspace,
    names: &DeclaredNames,
    subject: &NamedSubject,
) -> Option<String> {
    Some(match subject {
        NamedSubject::Function(function) => describe::function_page(function),

        NamedSubject::Own(own) => {
            let text = workspace.files.get(&own.place.file).map_or("", AsRef::as_ref);
            let head = describe::script_block(&describe::head_of(text, own.place.line));
            format!("{head}\n\n{}", describe::comment_above(text, own.place.line))
        }

        NamedSubject::Field(value, name) => {
            let (_, _, kind, about) = find_field(value, name)?;
            let form = describe::script_block(&format!("{value}.{name}: {}", kind_in_words(*kind)));
            let columns = describe::mapped_columns(names, name).filter(|_| value == "tx");
            let columns = columns.map(|columns| format!("\n\nColumn {columns}."));
            format!("{form}\n\n{about}{}", columns.unwrap_or_default())
        }

        NamedSubject::Value(name) => find_value(name)?.to_owned(),

        NamedSubject::Column(name) => match names.columns.contains_key(name) {
            true => describe::column_page(names, name),
            false => return None,
        },

        NamedSubject::Attribute(name) => {
            let declared = names.attributes.iter().find(|one| one.name == *name);
            let kind = declared.map_or("text", |one| one.kind.as_str());
            format!("Attribute `{name}`, {kind}, of `organization/attributes.csv`.")
        }

        NamedSubject::Table(name) => {
            let table = names.tables.iter().find(|table| table.name == *name)?;
            describe::table_page(workspace, table)
        }

        NamedSubject::Query(name) => {
            let query = names.queries.iter().find(|query| query.name == *name)?;
            format!("Saved query `{name}`\n\n{}", describe::script_block(&query.kind))
        }

        NamedSubject::Policy(kind, name) => {
            describe::policy_text(workspace, *kind, name)?;
            describe::policy_page(workspace, *kind, name)
        }

        NamedSubject::Plan(name) => format!("Plan `{name}`, `plans/{name}.toml`."),
        NamedSubject::Key(key) => describe::key_page(key),
        NamedSubject::Listed(list, name) => {
            let word = list.trim_end_matches('s').replace('_', " ");
            format!("`{name}`: a {word} of `accredit.toml`.")
        }
    })
}
