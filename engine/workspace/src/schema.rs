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
pub struct Section {
    /// What other tables call it.
    pub name: &'static str,
    /// Its keys, in the order of FORMAT.
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Whether it may not be left out.
    pub needed: bool,
    /// What may stand behind it.
    pub kind: Kind,
    /// What it says, one line.
    pub about: &'static str,
}

/// What may stand behind a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
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
    /// One of these words.
    Words(&'static [&'static str]),
    /// A table of this section.
    Table(&'static str),
    /// A list of these.
    List(&'static Kind),
    /// A table whose keys are the author's own names.
    Named(&'static Kind),
    /// A value of any of these kinds.
    Any(&'static [Kind]),
}

/// The documents that have a schema.
pub const DOCUMENTS: [&str; 4] = ["settings", "plan", "credit", "calculation"];

/// The JSON Schema (2020-12) of a document of [`DOCUMENTS`].
pub fn schema(document: &str) -> Option<Json> {
    let (title, body) = match document {
        "settings" => ("accredit.toml", section("settings")?),
        "plan" => ("plans/*.toml", section("plan")?),
        "credit" => ("a credit", output::credit()),
        "calculation" => ("what `accredit calculate --plan` gives", output::calculation()),
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

fn section(name: &str) -> Option<Json> {
    let section = SECTIONS.iter().find(|section| section.name == name)?;

    let properties = section.keys.iter().map(|key| {
        let mut value = kind(key.kind);
        if let Json::Object(value) = &mut value {
            value.insert("description".to_owned(), json!(key.about));
        }
        (key.name.to_owned(), value)
    });

    let needed = section.keys.iter().filter(|key| key.needed).map(|key| key.name);

    Some(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
        "required": needed.collect::<Vec<_>>(),
    }))
}

fn kind(of: Kind) -> Json {
    match of {
        Kind::Text => json!({ "type": "string" }),
        Kind::Short(characters) => json!({ "type": "string", "maxLength": characters }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Day => json!({ "type": "string", "format": "date" }),
        Kind::Expression => json!({ "type": ["string", "integer"] }),
        Kind::Words(words) => json!({ "enum": words }),
        Kind::Table(name) => section(name).unwrap_or_default(),
        Kind::List(item) => json!({ "type": "array", "items": kind(*item) }),
        Kind::Named(value) => json!({ "type": "object", "additionalProperties": kind(*value) }),
        Kind::Any(kinds) => {
            json!({ "anyOf": kinds.iter().map(|of| kind(*of)).collect::<Vec<_>>() })
        }
    }
}
