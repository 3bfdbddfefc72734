//! What may be written at a place: names that are declared, functions and fields of the language, keys and
//! words of the schema, each with what it means.
//!
//! Not snippets, which editors bring. Called by `accredit lsp` and by the routes under `/v1/editor`.

mod plan;
mod rows;
mod script;

use serde::Serialize;
use utoipa::ToSchema;

use crate::EditorWorkspace;
use crate::edited_text::{EditedText, TextKind, edited_text};
use crate::names::{DeclaredNames, declared_names};
use crate::script_spot::{ScriptSpot, script_spot};
use crate::text::{TextPosition, TextRange, count_characters, line_of, split_line};

/// Items of one answer: a list of more is not read.
pub const ITEMS_MAX: usize = 200;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// A field of a value.
    Field,
    /// A column of deals.
    Column,
    /// An attribute of people, positions or teams.
    Attribute,
    /// A parameter or variable.
    Variable,
    /// A function of this script or of `policies/shared/`.
    OwnFunction,
    /// A constant.
    Constant,
    /// A function of the language.
    Function,
    /// A word of the language.
    Keyword,
    /// A lookup table.
    Table,
    /// A saved query.
    Query,
    /// A policy.
    Policy,
    /// A plan.
    Plan,
    /// A key of a TOML file.
    Key,
    /// A word or a value.
    Value,
}

/// Something that may be written at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CompletionItem {
    /// What it is called.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// Its type or signature, one line.
    pub detail: String,
    /// What it means, in Markdown; blank where nothing is said.
    pub documentation: String,
    /// The text that is written.
    pub insert: String,
    /// The part of the file that the text replaces.
    pub range: TextRange,
}

/// An item before it is known what it replaces.
#[derive(Debug, Clone)]
struct ProposedItem {
    label: String,
    kind: CompletionKind,
    detail: String,
    documentation: String,
    /// The text, if it is not the label.
    insert: Option<String>,
    /// Characters before the word that it replaces as well: the dot before a column in brackets.
    also_before: u32,
}

impl ProposedItem {
    fn new(label: impl Into<String>, kind: CompletionKind) -> ProposedItem {
        ProposedItem {
            label: label.into(),
            kind,
            detail: String::new(),
            documentation: String::new(),
            insert: None,
            also_before: 0,
        }
    }

    fn detail(self, detail: impl Into<String>) -> ProposedItem {
        ProposedItem { detail: detail.into(), ..self }
    }

    fn about(self, documentation: impl Into<String>) -> ProposedItem {
        ProposedItem { documentation: documentation.into(), ..self }
    }

    fn insert(self, text: impl Into<String>) -> ProposedItem {
        ProposedItem { insert: Some(text.into()), ..self }
    }

    /// As it is written in place of the dot before it.
    fn instead_of_dot(self) -> ProposedItem {
        ProposedItem { also_before: 1, ..self }
    }
}

/// What the parts of this module look at.
struct CompletionScope<'a> {
    workspace: &'a EditorWorkspace,
    names: &'a DeclaredNames,
    edited: &'a EditedText<'a>,
    /// The line of the place up to it.
    before: &'a str,
}

/// What may be written at a place of a file, the nearest first.
pub fn complete(workspace: &EditorWorkspace, path: &str, at: TextPosition) -> Vec<CompletionItem> {
    let Some(edited) = edited_text(workspace, path, at) else { return Vec::new() };
    let line = line_of(edited.text, edited.at.line);
    let (before, _) = split_line(line, edited.at.column);
    let names = declared_names(workspace);
    let scope = CompletionScope { workspace, names: &names, edited: &edited, before };

    let (typed, proposed) = match edited.kind {
        TextKind::Script(kind) => match script_spot(before) {
            Some(spot) => script_proposals(&scope, &spot, script::ScriptHome::Policy(kind)),
            None => return Vec::new(),
        },
        TextKind::Settings | TextKind::Plan => plan::toml_proposals(&scope),
        TextKind::Cases => rows::case_proposals(&scope),
        TextKind::Rows => rows::row_proposals(&scope),
    };
    place_items(&edited, &typed, proposed)
}

/// What may be written in a script, with what of it is typed.
fn script_proposals(
    scope: &CompletionScope<'_>,
    spot: &ScriptSpot,
    home: script::ScriptHome,
) -> (String, Vec<ProposedItem>) {
    let (ScriptSpot::Text(_, typed) | ScriptSpot::Member(_, typed) | ScriptSpot::Name(typed)) =
        spot;
    (typed.clone(), script::proposals(scope, spot, home))
}

/// The items that go on from what is typed, with what they replace.
fn place_items(
    edited: &EditedText<'_>,
    typed: &str,
    proposed: Vec<ProposedItem>,
) -> Vec<CompletionItem> {
    let line = edited.at.line + edited.lines_before;
    let end = edited.at.column;
    let start = end.saturating_sub(count_characters(typed)).max(1);

    let wanted = typed.to_lowercase();
    // A column that the settings name "" cannot be written.
    let fits =
        |item: &ProposedItem| !item.label.is_empty() && item.label.to_lowercase().contains(&wanted);
    let begins = |item: &ProposedItem| {
        let label = item.label.trim_start_matches(['[', '"']).to_lowercase();
        label.starts_with(&wanted)
    };
    let mut proposed: Vec<ProposedItem> = proposed.into_iter().filter(fits).collect();
    // The order of the proposals is kept otherwise: what is nearest comes first.
    proposed.sort_by_key(|item| !begins(item));
    proposed.truncate(ITEMS_MAX);

    let items = proposed.into_iter().map(|item| CompletionItem {
        insert: item.insert.unwrap_or_else(|| item.label.clone()),
        range: TextRange::in_line(line, start.saturating_sub(item.also_before).max(1), end),
        label: item.label,
        kind: item.kind,
        detail: item.detail,
        documentation: item.documentation,
    });
    items.collect()
}

#[cfg(test)]
mod tests;
