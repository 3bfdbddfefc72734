//! Where the name under the cursor is defined: in a script, in the file of a table, policy or plan, or in
//! `accredit.toml`.

use accredit_domain::diagnostic::Place;
use serde::Serialize;
use utoipa::ToSchema;

use crate::EditorWorkspace;
use crate::describe;
use crate::edited_text::{EditedText, edited_text};
use crate::names::{DeclaredName, DeclaredNames, declared_names};
use crate::script_spot::script_names;
use crate::subject::{NamedSubject, subject_at};
use crate::text::{TextPosition, TextRange, marked_range};

/// A part of a file that defines something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DefinitionSite {
    /// Path of the file.
    pub file: String,
    /// The name in it.
    pub range: TextRange,
}

/// Where the name at a place is defined; none where that is in no file of the directory.
pub fn definition(
    workspace: &EditorWorkspace,
    path: &str,
    at: TextPosition,
) -> Option<DefinitionSite> {
    let edited = edited_text(workspace, path, at)?;
    let names = declared_names(workspace);
    let placed = subject_at(workspace, &names, &edited)?;
    let mut place = place_of(workspace, &names, &edited, &placed.subject)?;

    // A function of a block stands in the file of the block.
    if place.file == edited.path && edited.lines_before > 0 {
        place = Place::new(path, place.line.saturating_add(edited.lines_before), place.column);
    }
    let text = workspace.files.get(&place.file)?;
    let range = marked_range(text, &place);
    Some(DefinitionSite { file: place.file, range })
}

fn declared(names: &[DeclaredName], name: &str) -> Option<Place> {
    names.iter().find(|one| one.name == name)?.place.clone()
}

fn place_of(
    workspace: &EditorWorkspace,
    names: &DeclaredNames,
    edited: &EditedText<'_>,
    subject: &NamedSubject,
) -> Option<Place> {
    match subject {
        NamedSubject::Own(own) => Some(own.place.clone()),
        NamedSubject::Field(value, name) if value == "tx" => {
            let field = names.fields.iter().find(|field| field.field == *name)?;
            Some(field.place.clone())
        }
        NamedSubject::Column(name) => names.columns.get(name)?.place.clone(),
        NamedSubject::Attribute(name) => declared(&names.attributes, name),
        NamedSubject::Query(name) => declared(&names.queries, name),
        NamedSubject::Listed(list, name) => declared(names.lists.get(list)?, name),

        NamedSubject::Table(name) => {
            let table = names.tables.iter().find(|table| table.name == *name)?;
            let rows = table.path();
            match workspace.files.contains_key(&rows) {
                true => Some(Place::new(rows, 1, 1)),
                false => Some(table.place.clone()),
            }
        }

        NamedSubject::Policy(kind, name) => {
            let path = describe::policy_path(*kind, name);
            let text = workspace.files.get(&path)?;
            let functions = script_names(workspace, &path, text);
            let entry = functions.into_iter().find(|one| {
                one.function && one.name == kind.entry_point() && one.place.file == path
            });
            Some(entry.map_or_else(|| Place::new(path, 1, 1), |entry| entry.place))
        }
        NamedSubject::Plan(name) => Some(Place::new(format!("plans/{name}.toml"), 1, 1)),

        NamedSubject::Value(name) => parameter_place(edited, name),
        NamedSubject::Function(_) | NamedSubject::Field(..) | NamedSubject::Key(_) => None,
    }
}

/// Where the function around the place takes a parameter of this name.
fn parameter_place(edited: &EditedText<'_>, name: &str) -> Option<Place> {
    let count = usize::try_from(edited.at.line).ok()?;
    let lines = (1..).zip(edited.text.lines().take(count));
    let (line, head) = lines.filter(|(_, line)| line.trim_start().starts_with("fn ")).last()?;
    let bracket = head.find('(')?;
    let offset = head.get(bracket..)?.find(name)?.checked_add(bracket)?;
    let column = crate::text::count_characters(head.get(..offset)?).saturating_add(1);
    Some(Place::new(edited.path, line, column))
}
