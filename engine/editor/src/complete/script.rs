//! What may be written in a script or an expression.

use accredit_domain::policy::PolicyKind;
use accredit_script::api::{ScriptFunction, all_functions};
use accredit_script::kind::ValueKind;

use super::CompletionKind::{
    Attribute, Column, Constant, Field, Function, Keyword, OwnFunction, Table, Value, Variable,
};
use super::{CompletionScope, ProposedItem};
use crate::describe;
use crate::field_docs::{fields_of, find_field, find_value, kind_in_words};
use crate::names::DeclaredName;
use crate::people_names::{self, BearerName, NameBearer, ids_of};
use crate::script_spot::{
    ScriptSpot, TextUse, entry_parameters, is_name_sign, local_names, script_names,
};
use crate::table_rows;

/// Where a script stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum ScriptHome {
    /// In a file of a policy of this kind; in `policies/shared/` of none.
    Policy(Option<PolicyKind>),
    /// In quotes of this sign, where these variables are in scope.
    Expression(&'static [&'static str], char),
}

impl ScriptHome {
    /// A text in double quotes as it is written here.
    fn quoted(self, text: &str) -> String {
        match self {
            ScriptHome::Expression(_, '"') => format!("\\\"{text}\\\""),
            _ => format!("\"{text}\""),
        }
    }
}

/// Words of the language, with what they do.
const KEYWORDS: &[(&str, &str)] = &[
    ("let", "A variable: `let x = 1;`."),
    ("const", "A fixed value, outside of functions: `const LIMIT = 50000;`."),
    ("fn", "A function: `fn big(tx) { … }`. It sees only its parameters and constants."),
    ("if", "`if a && !b { … } else { … }`. Without `else` it gives `()`."),
    ("else", "The other branch of an `if`."),
    (
        "switch",
        "`switch tx.product { \"A\" | \"B\" => 0.1, _ => 0 }` takes the first arm that fits.",
    ),
    ("for", "`for credit in existing { … }`."),
    ("while", "`while n < 3 { … }`."),
    ("in", "`x in [\"A\", \"B\"]`, and `for x in items`."),
    ("return", "Answers at once: `return x;`."),
    ("throw", "Parks the deal with a message: `throw \"no rep\";`."),
    ("break", "Ends a loop."),
    ("continue", "Goes on with the next item of a loop."),
    ("true", "Yes."),
    ("false", "No."),
];

/// Words that only a file has.
const FILE_KEYWORDS: [&str; 2] = ["const", "fn"];

/// What may be written at a place of a script.
pub(super) fn proposals(
    scope: &CompletionScope<'_>,
    spot: &ScriptSpot,
    home: ScriptHome,
) -> Vec<ProposedItem> {
    match spot {
        ScriptSpot::Text(used, _) => text_proposals(scope, used),
        ScriptSpot::Member(value, _) => member_proposals(scope, value, home),
        ScriptSpot::Name(_) => name_proposals(scope, home),
    }
}

fn declared_items(names: &[DeclaredName], kind: super::CompletionKind) -> Vec<ProposedItem> {
    let items = names.iter().map(|one| ProposedItem::new(&one.name, kind).detail(&one.kind));
    items.collect()
}

/// Names of the organisation.
pub(super) fn bearer_items(names: Vec<BearerName>) -> Vec<ProposedItem> {
    let items = names.into_iter();
    items.map(|one| ProposedItem::new(one.name, Value).detail(one.about)).collect()
}

fn text_proposals(scope: &CompletionScope<'_>, used: &TextUse) -> Vec<ProposedItem> {
    let names = scope.names;
    let list = |key: &str| names.lists.get(key).map(Vec::as_slice).unwrap_or_default();

    match used {
        TextUse::Column(value) => match value.as_str() {
            "credit" | "to" | "payee" | "who" => declared_items(&names.attributes, Attribute),
            "totals" => declared_items(list("credit_types"), Value),
            _ => column_items(scope).collect(),
        },
        TextUse::Table => {
            let tables = names.tables.iter().map(|table| {
                let about = describe::table_page(scope.workspace, table);
                ProposedItem::new(&table.name, Table).detail(table.form()).about(about)
            });
            tables.collect()
        }

        TextUse::TableKey(table, index) => {
            let table = names.tables.iter().find(|known| known.name == *table);
            let column = table.and_then(|table| table.keys.get(*index));
            let (Some(table), Some(column)) = (table, column) else { return Vec::new() };

            let values = table_rows::values_of(scope.workspace, &table.path(), column);
            let detail = format!("{column} of {}", table.name);
            let items = values.into_iter();
            items.map(|value| ProposedItem::new(value, Value).detail(&detail)).collect()
        }

        TextUse::Unit => declared_items(list("unit_types"), Value),
        TextUse::Recipient => bearer_items(people_names::recipient_names(scope.workspace)),
        TextUse::Compared(value, field) => compared_items(scope, value, field),
        TextUse::Word(words) => words.iter().map(|word| ProposedItem::new(*word, Value)).collect(),
        TextUse::Other => Vec::new(),
    }
}

/// What the field of a value may be equal to.
fn compared_items(scope: &CompletionScope<'_>, value: &str, field: &str) -> Vec<ProposedItem> {
    let list = |key: &str| scope.names.lists.get(key).map(Vec::as_slice).unwrap_or_default();
    let ids = |bearer| bearer_items(ids_of(scope.workspace, bearer));

    match (value, field) {
        // A column of a deal has what the CRM writes.
        ("tx", _) => Vec::new(),
        (_, "position") => ids(NameBearer::Position),
        (_, "payee") | ("payee", "id") => ids(NameBearer::Person),
        (_, "team") => ids(NameBearer::Team),
        (_, "title") => bearer_items(people_names::titles_of(scope.workspace)),
        (_, "credit_type") => declared_items(list("credit_types"), Value),
        (_, "unit_type") => declared_items(list("unit_types"), Value),
        _ => Vec::new(),
    }
}

/// Columns by name, for brackets.
fn column_items<'a>(scope: &'a CompletionScope<'_>) -> impl Iterator<Item = ProposedItem> + 'a {
    scope.names.columns.values().map(|column| {
        let about = describe::column_page(scope.names, &column.name);
        ProposedItem::new(&column.name, Column).detail(&column.kind).about(about)
    })
}

/// Names in brackets, in place of the dot that is typed.
fn in_brackets(home: ScriptHome, item: ProposedItem) -> ProposedItem {
    let text = format!("[{}]", home.quoted(&item.label));
    ProposedItem { label: format!("[\"{}\"]", item.label), ..item }.insert(text).instead_of_dot()
}

fn member_proposals(
    scope: &CompletionScope<'_>,
    value: &str,
    home: ScriptHome,
) -> Vec<ProposedItem> {
    let names = scope.names;
    let mut items = Vec::new();

    let fields = fields_of(value).filter(|(_, field, ..)| {
        // A field without a column cannot be read.
        let is_own = ["id", "period", "default_credit"].contains(field);
        value != "tx" || is_own || names.fields.iter().any(|known| known.field == *field)
    });
    items.extend(fields.map(|(owner, field, kind, about)| {
        let mapped = describe::mapped_columns(names, field).filter(|_| *owner == "tx");
        let about = match mapped {
            Some(columns) => format!("{about}\n\nColumn {columns}."),
            None => (*about).to_owned(),
        };
        ProposedItem::new(*field, Field).detail(kind_in_words(*kind)).about(about)
    }));

    match value {
        "tx" => {
            // A column that is mapped under its own name is there as a field.
            let is_field = |item: &ProposedItem| {
                let mut fields = names.fields.iter();
                let is_own = |name: &str| find_field("tx", name).is_some();
                fields.any(|field| field.field == item.label && is_own(&field.field))
            };
            let columns = column_items(scope).filter(|item| !is_field(item));
            items.extend(columns.map(|item| in_brackets(home, item)));
        }
        "credit" | "to" | "payee" | "who" => {
            let attributes = declared_items(&names.attributes, Attribute);
            items.extend(attributes.into_iter().map(|item| in_brackets(home, item)));
        }
        "totals" => {
            let types = names.lists.get("credit_types").map(Vec::as_slice).unwrap_or_default();
            let types = declared_items(types, Field).into_iter();
            items.extend(types.map(|item| {
                let is_name = item.label.chars().all(is_name_sign);
                let item = item.detail("number").about("What was credited of this type.");
                if is_name { item } else { in_brackets(home, item) }
            }));
        }
        _ => (),
    }

    let methods = all_functions().filter(|function| is_method_of(function, value));
    let methods = methods.filter(|function| find_field(value, function.name).is_none());
    items.extend(methods.map(function_item));
    items
}

/// Whether a function may stand behind a dot of this value.
fn is_method_of(function: &ScriptFunction, value: &str) -> bool {
    let mut methods = function.signatures.iter().filter(|signature| signature.follows_dot());
    methods.any(|signature| {
        let kind = signature.parameters.first().map_or(ValueKind::Any, |first| first.kind);
        match (value, kind) {
            (_, ValueKind::Any) => true,
            ("tx", kind) => kind == ValueKind::Transaction,
            ("credit", kind) => kind == ValueKind::Credit,
            ("existing", kind) => matches!(kind, ValueKind::Array | ValueKind::Credits),
            ("to" | "payee" | "standing" | "totals" | "earned" | "paid", _) => false,
            (_, kind) => !matches!(kind, ValueKind::Transaction | ValueKind::Credit),
        }
    })
}

fn function_item(function: &ScriptFunction) -> ProposedItem {
    let detail = function.forms().into_iter().next().unwrap_or_default();
    ProposedItem::new(function.name, Function)
        .detail(detail)
        .about(describe::function_page(function))
}

fn name_proposals(scope: &CompletionScope<'_>, home: ScriptHome) -> Vec<ProposedItem> {
    let mut items: Vec<ProposedItem> = Vec::new();
    let (values, is_file): (&[&str], bool) = match home {
        ScriptHome::Policy(kind) => (entry_parameters(kind), true),
        ScriptHome::Expression(variables, _) => (variables, false),
    };

    if is_file {
        let locals = local_names(scope.edited.text, scope.edited.at.line).into_iter();
        items.extend(locals.map(|name| {
            let about = find_value(&name).unwrap_or_default();
            ProposedItem::new(name, Variable).about(about)
        }));
        let names = script_names(scope.workspace, scope.edited.path, scope.edited.text);
        items.extend(names.into_iter().map(|one| {
            let text = if one.place.file == scope.edited.path {
                scope.edited.text
            } else {
                scope.workspace.files.get(&one.place.file).map_or("", AsRef::as_ref)
            };
            let kind = if one.function { OwnFunction } else { Constant };
            let about = describe::comment_above(text, one.place.line);
            let detail = describe::head_of(text, one.place.line);
            ProposedItem::new(one.name, kind).detail(detail).about(about)
        }));
    } else {
        items.extend(values.iter().map(|name| {
            ProposedItem::new(*name, Variable).about(find_value(name).unwrap_or_default())
        }));
    }

    let calls = all_functions().filter(|function| {
        let is_name = function.name.chars().all(is_name_sign);
        is_name && function.signatures.iter().any(|signature| !signature.follows_dot())
    });
    items.extend(calls.map(function_item));

    let words = KEYWORDS.iter().filter(|(word, _)| is_file || !FILE_KEYWORDS.contains(word));
    items.extend(words.map(|(word, about)| ProposedItem::new(*word, Keyword).about(*about)));

    // A parameter that a file has under another name is still known by what it means.
    let mut known = std::collections::BTreeSet::new();
    items.retain(|item| known.insert(item.label.clone()));
    items
}
