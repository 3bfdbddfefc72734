//! What may be written in `accredit.toml` and in plans.

use accredit_domain::policy::PolicyKind;
use accredit_script::library::LIBRARY;
use accredit_workspace::schema::{SECTIONS, SchemaKind};

use super::CompletionKind::{Column, Key, Plan, Policy, Query, Table, Value};
use super::script::{ScriptHome, bearer_items};
use super::{CompletionKind, CompletionScope, ProposedItem, script_proposals};
use crate::describe;
use crate::edited_text::TextKind;
use crate::names::DeclaredName;
use crate::people_names::{self, BearerName, NameBearer, ids_of};
use crate::script_spot::{is_name_sign, script_spot, unescaped};
use crate::toml_spot::{QuotedText, TomlSpot, named_values, section_of, toml_spot};

/// What a target or an assignment may begin with.
const TARGETS: &[(&str, &str)] = &[
    ("*", "everyone"),
    ("title:", "positions with this title"),
    ("position:", "one position"),
    ("participant:", "one participant"),
    ("team:", "one team"),
];

const ASSIGNMENTS: &[(&str, &str)] = &[
    ("owner", "the seller, from the columns of `owner`"),
    ("team", "the team or territory, from the columns of `team`"),
    ("related_person", "the columns of `related_person`"),
    ("related_position", "the columns of `related_position`"),
    ("preassigned", "positions named on the deal, with weights"),
    ("policy", "the plan's crediting policy"),
    ("field:", "a column that names recipients"),
];

/// What may be written, with what of it is typed.
pub(super) fn toml_proposals(scope: &CompletionScope<'_>) -> (String, Vec<ProposedItem>) {
    let Some(spot) = toml_spot(scope.edited) else { return (String::new(), Vec::new()) };
    let word = word_before(scope.before);

    if spot.in_header {
        let typed = scope.before.trim_start().trim_start_matches('[').to_owned();
        return (typed, header_items(scope.edited.kind));
    }
    match (&spot.quoted, &spot.key) {
        (Some(quoted), Some(_)) => quoted_proposals(scope, &spot, quoted),
        (None, Some(_)) => (word, bare_values(scope, &spot)),
        (_, None) => (word, key_items(&spot)),
    }
}

/// The letters of a bare key or value before the place.
fn word_before(before: &str) -> String {
    let is_key_sign = |sign: char| is_name_sign(sign) || sign == '-';
    let start = before.trim_end_matches(is_key_sign).len();
    before.get(start..).unwrap_or_default().to_owned()
}

fn key_items(spot: &TomlSpot) -> Vec<ProposedItem> {
    let Some(section) = spot.section() else { return Vec::new() };
    let keys = section.keys.iter().filter(|key| !spot.used.iter().any(|used| used == key.name));
    let keys = keys.map(|key| {
        ProposedItem::new(key.name, Key)
            .detail(describe::schema_kind_in_words(key.kind))
            .about(describe::key_page(key))
            .insert(format!("{} = ", key.name))
    });
    keys.collect()
}

/// Names of tables, for brackets.
fn header_items(kind: TextKind) -> Vec<ProposedItem> {
    let root = if kind == TextKind::Settings { "settings" } else { "plan" };
    let mut items = Vec::new();
    let mut open = vec![(String::new(), root)];

    while let Some((path, name)) = open.pop() {
        let Some(section) = SECTIONS.iter().find(|section| section.name == name) else { continue };
        for key in section.keys {
            let named = named_values(key.kind);
            let inner = section_of(key.kind).or_else(|| section_of(named?));
            let is_table = inner.is_some() || named.is_some();
            // A condition's rows and tiers are written in one line.
            if !is_table || ["condition", "tiers", "id", "date"].contains(&key.name) {
                continue;
            }

            let path = format!("{path}{}", key.name);
            let label = match (named, inner) {
                (Some(_), Some(_)) => format!("{path}.NAME"),
                _ => path.clone(),
            };
            items.push(ProposedItem::new(label, Key).about(describe::key_page(key)));
            if let (Some(inner), None) = (inner, named) {
                open.push((format!("{path}."), inner.name));
            }
        }
    }
    items.sort_by(|one, other| one.label.cmp(&other.label));
    items
}

/// Values without quotes.
fn bare_values(scope: &CompletionScope<'_>, spot: &TomlSpot) -> Vec<ProposedItem> {
    let mut items = Vec::new();
    if spot.value_kind().is_some_and(is_flag) {
        items.extend(["true", "false"].map(|word| ProposedItem::new(word, Value)));
    }
    let quoted = text_items(scope, spot).into_iter();
    items.extend(quoted.map(|item| {
        let text = format!("\"{}\"", item.label);
        item.insert(text)
    }));
    items
}

fn is_flag(kind: SchemaKind) -> bool {
    match kind {
        SchemaKind::Flag => true,
        SchemaKind::Any(kinds) => kinds.iter().any(|kind| is_flag(*kind)),
        _ => false,
    }
}

/// Values in quotes: an expression, or one of the texts that the key knows.
fn quoted_proposals(
    scope: &CompletionScope<'_>,
    spot: &TomlSpot,
    quoted: &QuotedText,
) -> (String, Vec<ProposedItem>) {
    let line = quoted.before.rsplit('\n').next().unwrap_or_default();
    let texts = text_items(scope, spot);

    let Some(place) = spot.expression_use() else { return (line.to_owned(), texts) };
    let code = unescaped(line);
    let home = ScriptHome::Expression(place.scope_variables(), quoted.quote);
    let Some(found) = script_spot(&code) else { return (String::new(), Vec::new()) };
    let (typed, mut items) = script_proposals(scope, &found, home);

    // `policy:NAME` is the whole of its text.
    let is_first = quoted.before.chars().all(|sign| is_name_sign(sign) || ":-/".contains(sign));
    if is_first {
        items.splice(0..0, texts);
        return (line.to_owned(), items);
    }
    (typed, items)
}

fn policy_items(scope: &CompletionScope<'_>, kind: PolicyKind, prefix: &str) -> Vec<ProposedItem> {
    let folder = format!("policies/{}/", kind.as_str());
    let own =
        scope.workspace.files.keys().filter_map(|path| {
            path.strip_prefix(&folder)?.strip_suffix(".rhai").map(str::to_owned)
        });
    let standard = LIBRARY.iter().filter(|(known, ..)| *known == kind);
    let standard = standard.map(|(_, name, _)| format!("standard/{name}"));
    let items = own.chain(standard).map(|name| {
        let about = describe::policy_page(scope.workspace, kind, &name);
        ProposedItem::new(format!("{prefix}{name}"), Policy)
            .detail(format!("{} policy", kind.as_str()))
            .about(about)
    });
    items.collect()
}

fn named_items(names: &[DeclaredName], kind: CompletionKind, prefix: &str) -> Vec<ProposedItem> {
    let items = names
        .iter()
        .map(|one| ProposedItem::new(format!("{prefix}{}", one.name), kind).detail(&one.kind));
    items.collect()
}

fn word_items(words: &[(&str, &str)]) -> Vec<ProposedItem> {
    words.iter().map(|(word, about)| ProposedItem::new(*word, Value).about(*about)).collect()
}

/// The names behind the beginning of a target that is typed, such as `position:`.
fn target_items(scope: &CompletionScope<'_>) -> Vec<ProposedItem> {
    let typed = scope.before.rsplit(['"', '\'']).next().unwrap_or_default();
    let Some((kind, _)) = typed.split_once(':') else { return Vec::new() };
    let names = match kind {
        "title" => people_names::titles_of(scope.workspace),
        "position" => ids_of(scope.workspace, NameBearer::Position),
        "participant" => ids_of(scope.workspace, NameBearer::Person),
        "team" => ids_of(scope.workspace, NameBearer::Team),
        _ => return Vec::new(),
    };
    let names =
        names.into_iter().map(|one| BearerName { name: format!("{kind}:{}", one.name), ..one });
    bearer_items(names.collect())
}

/// The words of a kind.
fn words_of(kind: SchemaKind) -> Vec<&'static str> {
    match kind {
        SchemaKind::Words(words) => words.to_vec(),
        SchemaKind::List(item) => words_of(*item),
        SchemaKind::Named(value) => words_of(*value),
        SchemaKind::Any(kinds) => kinds.iter().flat_map(|kind| words_of(*kind)).collect(),
        _ => Vec::new(),
    }
}

/// Texts that a key may have, without quotes.
fn text_items(scope: &CompletionScope<'_>, spot: &TomlSpot) -> Vec<ProposedItem> {
    let names = scope.names;
    let key = spot.key.as_deref().unwrap_or_default();
    let section = spot.section().map_or("", |section| section.name);
    let list = |key: &str| names.lists.get(key).map(Vec::as_slice).unwrap_or_default();

    let words = spot.value_kind().map(words_of).unwrap_or_default().into_iter();
    let mut items: Vec<ProposedItem> = words.map(|word| ProposedItem::new(word, Value)).collect();

    if let Some(kind) = spot.policy_kind() {
        let prefix = if section == "policies" { "" } else { "policy:" };
        items.extend(policy_items(scope, kind, prefix));
    }
    if spot.expression_use().is_some_and(|place| place.scope_variables().contains(&"tx")) {
        items.extend(named_items(&names.queries, Query, "query:"));
    }

    match (section, key) {
        (_, "credit_type") => items.extend(named_items(list("credit_types"), Value, "")),
        (_, "unit_type" | "currency") if section != "fields" => {
            items.extend(named_items(list("unit_types"), Value, ""));
        }
        (_, "reason_code") => items.extend(named_items(list("reason_codes"), Value, "")),
        (_, "relationship") => {
            let built_in = ["Reporting", "Related Order (Person)", "Related Order (Position)"];
            let built_in = built_in.into_iter().chain(["Team", "Parent Team"]);
            items.extend(built_in.map(|word| ProposedItem::new(word, Value)));
            items.extend(named_items(list("relationship_types"), Value, ""));
        }
        ("plan" | "reward" | "draw", "targets") => {
            items.extend(word_items(TARGETS));
            items.extend(target_items(scope));
        }
        ("direct", "assign") => items.extend(word_items(ASSIGNMENTS)),
        ("indirect", "sources") => {
            let plans = scope.workspace.files.keys().filter_map(|path| {
                path.strip_prefix("plans/")?.strip_suffix(".toml").map(str::to_owned)
            });
            items.extend(plans.map(|plan| ProposedItem::new(plan, Plan)));
        }
        ("reward", "tiers") => {
            items.extend(names.tables.iter().map(|table| {
                let about = describe::table_page(scope.workspace, table);
                ProposedItem::new(format!("table:{}", table.name), Table).about(about)
            }));
        }
        ("source", "connector") => {
            let connectors = scope.workspace.connectors.iter();
            items.extend(connectors.map(|one| ProposedItem::new(one.name(), Value)));
        }
        ("fields" | "key" | "dated", _) | ("row", "if" | "and" | "or") => {
            items.extend(names.columns.values().map(|column| {
                ProposedItem::new(&column.name, Column)
                    .detail(&column.kind)
                    .about(describe::column_page(names, &column.name))
            }));
        }
        _ => (),
    }
    items
}
