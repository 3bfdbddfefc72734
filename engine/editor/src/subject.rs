//! The name that stands at a place, and what it is a name of.
//!
//! Not what it means (`describe`) and not where it is defined (`definition`). Called by both.

use accredit_domain::policy::PolicyKind;
use accredit_script::api::{ScriptFunction, find_function};
use accredit_script::shared::DefinedName;
use accredit_workspace::schema::SchemaKey;

use crate::EditorWorkspace;
use crate::edited_text::{EditedText, TextKind};
use crate::field_docs::{find_field, find_value};
use crate::names::DeclaredNames;
use crate::script_spot::{ScriptSpot, TextUse, is_name_sign, script_names, script_spot, unescaped};
use crate::text::{TextRange, count_characters, line_of, split_line};
use crate::toml_spot::{key_of, toml_spot};

/// What a name is a name of.
#[derive(Debug, Clone)]
pub(crate) enum NamedSubject {
    /// A function of the language.
    Function(&'static ScriptFunction),
    /// A function or constant of a script of the directory.
    Own(DefinedName),
    /// A field of a value: the value, and its name.
    Field(String, String),
    /// A value that scripts see.
    Value(String),
    /// A column of deals.
    Column(String),
    /// An attribute of people, positions or teams.
    Attribute(String),
    /// A lookup table.
    Table(String),
    /// A saved query.
    Query(String),
    /// A policy: of the directory, or `standard/NAME`.
    Policy(PolicyKind, String),
    /// A plan.
    Plan(String),
    /// A key of a TOML file.
    Key(&'static SchemaKey),
    /// A name of a list of `accredit.toml`: the list, and the name.
    Listed(&'static str, String),
}

/// A subject with the part of the text that names it.
#[derive(Debug, Clone)]
pub(crate) struct PlacedSubject {
    /// What it is.
    pub(crate) subject: NamedSubject,
    /// Where it is named, in the text around the place.
    pub(crate) range: TextRange,
}

/// The subject at the place of a text.
pub(crate) fn subject_at(
    workspace: &EditorWorkspace,
    names: &DeclaredNames,
    edited: &EditedText<'_>,
) -> Option<PlacedSubject> {
    match edited.kind {
        TextKind::Script(_) => {
            let line = line_of(edited.text, edited.at.line);
            script_subject(workspace, names, edited, line)
        }
        TextKind::Plan | TextKind::Settings => toml_subject(workspace, names, edited),
        TextKind::Cases | TextKind::Rows => None,
    }
}

/// A part of a line around the place: up to where its beginning, its end, and the text.
struct LinePart<'a> {
    text: &'a str,
    range: TextRange,
}

/// The signs around the place for which `is_inside` holds.
fn part_around<'a>(
    edited: &EditedText<'_>,
    line: &'a str,
    is_inside: impl Fn(char) -> bool,
) -> LinePart<'a> {
    let (before, after) = split_line(line, edited.at.column);
    let start = before.trim_end_matches(&is_inside).len();
    let length = after.len() - after.trim_start_matches(&is_inside).len();
    let text = line.get(start..before.len() + length).unwrap_or_default();

    let from = count_characters(line.get(..start).unwrap_or_default()).saturating_add(1);
    let to = from.saturating_add(count_characters(text));
    LinePart { text, range: TextRange::in_line(edited.at.line, from, to) }
}

/// The subject in a line of a script; `line` has no escapes.
fn script_subject(
    workspace: &EditorWorkspace,
    names: &DeclaredNames,
    edited: &EditedText<'_>,
    line: &str,
) -> Option<PlacedSubject> {
    let (before, _) = split_line(line, edited.at.column);
    if let ScriptSpot::Text(used, _) = script_spot(before)? {
        let part = part_around(edited, line, |sign| sign != '"');
        let name = part.text.trim_end().to_owned();
        let subject = text_subject(names, used, name)?;
        return Some(PlacedSubject { subject, range: part.range });
    }

    let part = part_around(edited, line, is_name_sign);
    let name = part.text.to_owned();
    let (head, _) = split_line(line, part.range.start.column);
    let subject = match script_spot(head)? {
        ScriptSpot::Member(value, _) => member_subject(names, &value, &name),
        _ => name_subject(workspace, edited, &name),
    };
    Some(PlacedSubject { subject: subject?, range: part.range })
}

fn text_subject(names: &DeclaredNames, used: TextUse, name: String) -> Option<NamedSubject> {
    match used {
        TextUse::Column(value) => match value.as_str() {
            "credit" | "to" | "payee" | "who" => Some(NamedSubject::Attribute(name)),
            "totals" => Some(NamedSubject::Listed("credit_types", name)),
            _ if find_field("tx", &name).is_some() && !names.columns.contains_key(&name) => {
                Some(NamedSubject::Field("tx".to_owned(), name))
            }
            _ => Some(NamedSubject::Column(name)),
        },
        TextUse::Table => Some(NamedSubject::Table(name)),
        TextUse::Unit => Some(NamedSubject::Listed("unit_types", name)),
        TextUse::Compared(_, field) => match field.as_str() {
            "credit_type" => Some(NamedSubject::Listed("credit_types", name)),
            "unit_type" => Some(NamedSubject::Listed("unit_types", name)),
            _ => None,
        },
        TextUse::TableKey(..) | TextUse::Recipient | TextUse::Word(_) | TextUse::Other => None,
    }
}

fn member_subject(names: &DeclaredNames, value: &str, name: &str) -> Option<NamedSubject> {
    if find_field(value, name).is_some() {
        return Some(NamedSubject::Field(value.to_owned(), name.to_owned()));
    }
    if value == "tx" && names.columns.contains_key(name) {
        return Some(NamedSubject::Column(name.to_owned()));
    }
    if value == "totals" {
        return Some(NamedSubject::Listed("credit_types", name.to_owned()));
    }
    find_function(name).map(NamedSubject::Function)
}

fn name_subject(
    workspace: &EditorWorkspace,
    edited: &EditedText<'_>,
    name: &str,
) -> Option<NamedSubject> {
    if let TextKind::Script(_) = edited.kind {
        let own = script_names(workspace, edited.path, edited.text);
        if let Some(own) = own.into_iter().find(|own| own.name == name) {
            return Some(NamedSubject::Own(own));
        }
    }
    if find_value(name).is_some() {
        return Some(NamedSubject::Value(name.to_owned()));
    }
    find_function(name).filter(|_| !name.is_empty()).map(NamedSubject::Function)
}

fn toml_subject(
    workspace: &EditorWorkspace,
    names: &DeclaredNames,
    edited: &EditedText<'_>,
) -> Option<PlacedSubject> {
    let line = line_of(edited.text, edited.at.line);
    let spot = toml_spot(edited)?;

    let Some(quoted) = &spot.quoted else {
        let part = part_around(edited, line, |sign| is_name_sign(sign) || sign == '-');
        let start = EditedText { at: part.range.start, ..edited.clone() };
        let spot = toml_spot(&start)?;
        let key = spot.key.is_none().then(|| key_of(spot.section()?, part.text))?;
        return Some(PlacedSubject { subject: NamedSubject::Key(key?), range: part.range });
    };

    // The place may be anywhere in the text: its beginning says what it is.
    let sign = quoted.quote;
    let part = part_around(edited, line, |other| other != sign);
    let is_reference = |sign: char| is_name_sign(sign) || ":-/ ().#".contains(sign);
    let word = part.text.trim();
    let name_of = |prefix: &str| {
        let name = word.strip_prefix(prefix)?;
        let name = name.split('(').next().unwrap_or(name).trim();
        Some(name.to_owned()).filter(|_| word.chars().all(is_reference))
    };

    let key = spot.key.as_deref().unwrap_or_default();
    let section = spot.section().map_or("", |section| section.name);
    let subject = if let Some(name) = name_of("policy:") {
        Some(NamedSubject::Policy(spot.policy_kind()?, name))
    } else if let Some(name) = name_of("query:") {
        Some(NamedSubject::Query(name))
    } else if let Some(name) = name_of("table:") {
        Some(NamedSubject::Table(name))
    } else if section == "policies" {
        Some(NamedSubject::Policy(spot.policy_kind()?, name_of("")?))
    } else {
        named_by_key(section, key, word)
    };
    if let Some(subject) = subject {
        return Some(PlacedSubject { subject, range: part.range });
    }

    spot.expression_use()?;
    script_subject(workspace, names, edited, &expression_line(line, edited, &quoted.before)?)
}

/// What the text of a key names, of keys whose texts are names.
fn named_by_key(section: &str, key: &str, word: &str) -> Option<NamedSubject> {
    let name = word.to_owned();
    match (section, key) {
        (_, "credit_type") => Some(NamedSubject::Listed("credit_types", name)),
        (_, "reason_code") => Some(NamedSubject::Listed("reason_codes", name)),
        (_, "unit_type") => Some(NamedSubject::Listed("unit_types", name)),
        (_, "relationship") => Some(NamedSubject::Listed("relationship_types", name)),
        ("indirect", "sources") => Some(NamedSubject::Plan(name)),
        ("fields" | "key" | "dated", _) | ("row", "if" | "and" | "or") => {
            Some(NamedSubject::Column(name))
        }
        _ => None,
    }
}

/// The line of an expression: the text in front of it in the file is blank, so that columns stay.
fn expression_line(line: &str, edited: &EditedText<'_>, before: &str) -> Option<String> {
    let typed = before.rsplit('\n').next().unwrap_or_default();
    let head = edited.at.column.saturating_sub(1).checked_sub(count_characters(typed))?;
    let (_, code) = split_line(line, head.saturating_add(1));
    let blanks = " ".repeat(usize::try_from(head).ok()?);
    Some(blanks + &unescaped(code))
}
