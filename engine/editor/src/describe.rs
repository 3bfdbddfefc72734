//! What names mean, as short pages in Markdown.
//!
//! Not which name stands at a place (`subject`). Called by completions and by hints.

use accredit_domain::policy::PolicyKind;
use accredit_script::api::ScriptFunction;
use accredit_script::library;
use accredit_workspace::schema::{SchemaKey, SchemaKind};

use crate::EditorWorkspace;
use crate::names::{DeclaredNames, NamedTable};
use crate::table_rows::table_preview;
use crate::text::line_of;

/// Rows of a table that a hint shows.
const ROWS_SHOWN: usize = 8;

/// A script in Markdown.
pub(crate) fn script_block(text: &str) -> String {
    format!("```rhai\n{}\n```", text.trim_end())
}

/// What a function of the language does, with its forms.
pub(crate) fn function_page(function: &ScriptFunction) -> String {
    format!("{}\n\n{}", script_block(&function.forms().join("\n")), function.page)
}

/// The columns of a mapped field, in words.
pub(crate) fn mapped_columns(names: &DeclaredNames, field: &str) -> Option<String> {
    let mapped = names.fields.iter().find(|known| known.field == field)?;
    let columns = mapped.columns.iter().map(|column| format!("`{column}`"));
    Some(columns.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
}

/// What a column of deals is.
pub(crate) fn column_page(names: &DeclaredNames, column: &str) -> String {
    let fields = names.fields.iter().filter(|field| field.columns.iter().any(|one| one == column));
    let fields: Vec<String> = fields.map(|field| format!("`{}`", field.field)).collect();
    let kind = names.columns.get(column).map_or("text", |column| column.kind.as_str());

    let mapped = match fields.as_slice() {
        [] => String::new(),
        fields => format!(" Mapped in [fields] as {}.", fields.join(", ")),
    };
    format!("Column `{column}` of deals, {kind}.{mapped}")
}

/// The columns of a table and its first rows.
pub(crate) fn table_page(workspace: &EditorWorkspace, table: &NamedTable) -> String {
    let values = table.values.iter().map(|(name, kind)| format!("`{name}` ({kind})"));
    let values: Vec<String> = values.collect();
    let rows = table_preview(workspace, &table.path(), ROWS_SHOWN);
    format!("{}\n\nGives {}.\n\n{rows}", script_block(&table.form()), values.join(", "))
        .trim_end()
        .to_owned()
}

/// The lines of a comment right above a line of a script.
pub(crate) fn comment_above(text: &str, line: u32) -> String {
    let count = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    let above: Vec<&str> = text.lines().take(count).collect();
    let comment = above.iter().rev().map(|line| line.trim());
    let comment = comment.take_while(|line| line.starts_with("//"));
    let mut lines: Vec<&str> = comment.map(|line| line.trim_start_matches('/').trim()).collect();
    lines.reverse();
    lines.join("\n")
}

/// The head of a function or constant: its line without what the function does.
pub(crate) fn head_of(text: &str, line: u32) -> String {
    let head = line_of(text, line).trim();
    match head.starts_with("fn ") {
        true => head.split('{').next().unwrap_or(head).trim().to_owned(),
        false => head.trim_end_matches(';').to_owned(),
    }
}

/// The comment at the beginning of a script.
fn opening_comment(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with("//"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches('/').trim()).collect();
    lines.join("\n")
}

/// The text of the policy `NAME` or `standard/NAME` of a kind.
pub(crate) fn policy_text<'a>(
    workspace: &'a EditorWorkspace,
    kind: PolicyKind,
    name: &str,
) -> Option<&'a str> {
    match name.strip_prefix("standard/") {
        Some(name) => library::find_standard_source(kind, name),
        None => workspace.files.get(&policy_path(kind, name)).map(AsRef::as_ref),
    }
}

/// The path of a policy of the directory.
pub(crate) fn policy_path(kind: PolicyKind, name: &str) -> String {
    format!("policies/{}/{name}.rhai", kind.as_str())
}

/// What a policy says of itself.
pub(crate) fn policy_page(workspace: &EditorWorkspace, kind: PolicyKind, name: &str) -> String {
    let about = policy_text(workspace, kind, name).map(opening_comment).unwrap_or_default();
    format!("{} policy `{name}`\n\n{about}", kind.as_str()).trim_end().to_owned()
}

/// What may stand behind a key, in words.
pub(crate) fn schema_kind_in_words(kind: SchemaKind) -> String {
    let many = |kinds: &[SchemaKind]| {
        let words: Vec<String> = kinds.iter().map(|kind| schema_kind_in_words(*kind)).collect();
        words.join(" or ")
    };
    match kind {
        SchemaKind::Text => "text".to_owned(),
        SchemaKind::Short(characters) => format!("text of at most {characters} characters"),
        SchemaKind::Flag => "true or false".to_owned(),
        SchemaKind::Whole(least, most) => format!("whole number from {least} to {most}"),
        SchemaKind::Day => "day".to_owned(),
        SchemaKind::Expression => "expression, policy:NAME or query:NAME".to_owned(),
        SchemaKind::Words(words) => words.join(" | "),
        SchemaKind::Table(name) => format!("table: {name}"),
        SchemaKind::List(item) => format!("list of {}", schema_kind_in_words(*item)),
        SchemaKind::Named(value) => format!("names with {}", schema_kind_in_words(*value)),
        SchemaKind::Any(kinds) => many(kinds),
    }
}

/// What a key means.
pub(crate) fn key_page(key: &SchemaKey) -> String {
    let needed = if key.needed { " Needed." } else { "" };
    format!("`{}`: {}.{needed}\n\n{}", key.name, key.about, schema_kind_in_words(key.kind))
}
