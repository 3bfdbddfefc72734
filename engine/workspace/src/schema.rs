//! The keys of `accredit.toml` and of plans as one table, and the JSON Schemas written from it.
//!
//! Not reading: the readers ask for their keys themselves, and a test compares what they ask for
//! with this table. Called by `accredit schema`. Source: FORMAT sections 2, 3 and 6.
//!
//! **Architecture invariant:** the readers, this table, the files in `scripts/schema/` and
//! `scripts/directory.md` know the same keys; tests hold it so.

mod output;
mod tables;

use serde_json::{Map, Value as Json, json};

pub use tables::SECTIONS;

/// A table of a TOML file.
#[derive(Debug)]
pub struct SchemaSection {
    /// What other tables call it.
    pub name: &'static str,
    /// Its keys, in the order of FORMAT.
    pub keys: &'static [SchemaKey],
    /// What may stand behind other keys; none where there may be none.
    pub others: Option<SchemaKind>,
}

/// A key of a table.
#[derive(Debug)]
pub struct SchemaKey {
    /// The name as it is written in the file.
    pub name: &'static str,
    /// Whether it may not be left out.
    pub needed: bool,
    /// What may stand behind it.
    pub kind: SchemaKind,
    /// What it says, one line.
    pub about: &'static str,
}

/// What may stand behind a key.
#[derive(Debug, Clone, Copy)]
pub enum SchemaKind {
    /// Any text.
    Text,
    /// Text of at most so many characters.
    Short(u32),
    /// A flag: `true` or `false`.
    Flag,
    /// A whole number between two bounds.
    Whole(i64, i64),
    /// A day without quotes.
    Day,
    /// An expression, `policy:NAME` or `query:NAME`; a whole number is one too.
    Expression,
    /// One of the given words.
    Words(&'static [&'static str]),
    /// A table of this section.
    Table(&'static str),
    /// A list of values of the given kind.
    List(&'static SchemaKind),
    /// A table whose keys are the author's own names.
    Named(&'static SchemaKind),
    /// A value of any of these kinds.
    Any(&'static [SchemaKind]),
}

/// The documents that have a schema.
pub const DOCUMENTS: [&str; 4] = ["settings", "plan", "credit", "calculation"];

/// The JSON Schema (2020-12) of a document of [`DOCUMENTS`].
pub fn document_schema(document: &str) -> Option<Json> {
    let (title, body) = match document {
        "settings" => ("accredit.toml", section_schema("settings")?),
        "plan" => ("plans/*.toml", section_schema("plan")?),
        "credit" => ("a credit", output::credit_schema()),
        "calculation" => ("what `accredit calculate --plan` gives", output::calculation_schema()),
        _ => return None,
    };

    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    if let Json::Object(body) = body {
        schema.extend(body);
    }

    Some(Json::Object(schema))
}

fn section_schema(name: &str) -> Option<Json> {
    let section = SECTIONS.iter().find(|section| section.name == name)?;

    let properties = section.keys.iter().map(|key| {
        let mut value = kind_schema(key.kind);
        if let Json::Object(value) = &mut value {
            value.insert("description".to_owned(), json!(key.about));
        }
        (key.name.to_owned(), value)
    });

    let needed = section.keys.iter().filter(|key| key.needed).map(|key| key.name);

    Some(json!({
        "type": "object",
        "additionalProperties": section.others.map_or(json!(false), kind_schema),
        "properties": properties.collect::<Map<_, _>>(),
        "required": needed.collect::<Vec<_>>(),
    }))
}

fn kind_schema(of: SchemaKind) -> Json {
    match of {
        SchemaKind::Text => json!({ "type": "string" }),
        SchemaKind::Short(characters) => json!({ "type": "string", "maxLength": characters }),
        SchemaKind::Flag => json!({ "type": "boolean" }),
        SchemaKind::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        SchemaKind::Day => json!({ "type": "string", "format": "date" }),
        SchemaKind::Expression => json!({ "type": ["string", "integer"] }),
        SchemaKind::Words(words) => json!({ "enum": words }),
        SchemaKind::Table(name) => section_schema(name).unwrap_or_default(),
        SchemaKind::List(item) => json!({ "type": "array", "items": kind_schema(*item) }),
        SchemaKind::Named(value) => {
            json!({ "type": "object", "additionalProperties": kind_schema(*value) })
        }
        SchemaKind::Any(kinds) => {
            json!({ "anyOf": kinds.iter().map(|of| kind_schema(*of)).collect::<Vec<_>>() })
        }
    }
}
