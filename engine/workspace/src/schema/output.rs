//! The schemas of what comes out: credits, rewards and calculations.
//!
//! Not the rows themselves (`decision`, `calculation`). Called by `schema`. Source: FORMAT section 6.
//!
//! **Architecture invariant:** a credit has the fields of [`CREDIT_FIELDS`] and a reward those of
//! [`REWARD_COLUMNS`], a balance those of [`BALANCE_COLUMNS`], each always there.

use serde_json::{Map, Value as Json, json};

use accredit_domain::credit::fields::{CREDIT_FIELDS, CellKind};
use accredit_domain::decision::{BALANCE_COLUMNS, REWARD_COLUMNS};

/// A number as text.
const NUMBER: &str = "^-?[0-9]+(\\.[0-9]+)?$";

/// The JSON Schema of a credit.
pub(super) fn credit_schema() -> Json {
    let properties =
        CREDIT_FIELDS.iter().map(|field| (field.name.to_owned(), cell_schema(field.kind)));
    object_schema(properties.collect())
}

fn cell_schema(kind: CellKind) -> Json {
    match kind {
        CellKind::Text => json!({ "type": "string" }),
        CellKind::OptionalText => json!({ "type": ["string", "null"] }),
        CellKind::Date => json!({ "type": "string", "format": "date" }),
        CellKind::Number => json!({ "type": "string", "pattern": NUMBER }),
        CellKind::OptionalCount => json!({ "type": ["integer", "null"], "minimum": 1 }),
        CellKind::Word(words) => json!({ "enum": words }),
    }
}

/// The JSON Schema of a calculation of one plan.
pub(super) fn calculation_schema() -> Json {
    let notes = json!({ "type": "array", "items": note_schema() });
    let properties = json!({
        "plan": { "type": "string" },
        "period": { "type": "string" },
        "revision": { "type": "integer", "minimum": 1 },
        "ruleset": { "type": "string" },
        "transactions": { "type": "integer", "minimum": 0 },
        "credits": { "type": "array", "items": credit_schema() },
        "uncredited": notes,
        "parked": notes,
        "alerts": notes,
        "log": notes,
        "rewards": { "type": "array", "items": reward_schema() },
        "balances": { "type": "array", "items": balance_schema() },
    });

    let Json::Object(properties) = properties else { return Json::Null };
    let mut schema = object_schema(properties);
    // Only of periods that were paid and are corrected elsewhere.
    if let Some(Json::Object(properties)) = schema.get_mut("properties") {
        let rewards = json!({ "type": "array", "items": reward_schema() });
        properties.insert("corrections".to_owned(), rewards);
    }
    schema
}

/// The JSON Schema of a reward.
fn reward_schema() -> Json {
    let cell = |column: &str| match column {
        "team" | "corrects" => json!({ "type": ["string", "null"] }),
        "origin" => json!({ "enum": ["calculated", "draw", "carried", "retro", "manual"] }),
        "credited" | "amount" => json!({ "type": "string", "pattern": NUMBER }),
        "quota" | "attainment" => json!({ "type": ["string", "null"], "pattern": NUMBER }),
        "credits" => json!({ "type": "array", "items": { "type": "string" } }),
        _ => json!({ "type": "string" }),
    };
    object_schema(REWARD_COLUMNS.iter().map(|name| ((*name).to_owned(), cell(name))).collect())
}

/// The JSON Schema of a balance.
fn balance_schema() -> Json {
    let cell = |column: &str| match column {
        "opening" | "change" | "balance" => json!({ "type": "string", "pattern": NUMBER }),
        _ => json!({ "type": "string" }),
    };
    object_schema(BALANCE_COLUMNS.iter().map(|name| ((*name).to_owned(), cell(name))).collect())
}

fn note_schema() -> Json {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": ["integer", "null"], "minimum": 0 });
    let optional = || json!({ "type": ["string", "null"] });

    let properties = [
        ("transaction", text()),
        ("plan", text()),
        ("stage", text()),
        ("code", text()),
        ("message", text()),
        ("policy", optional()),
        ("file", optional()),
        ("line", number()),
        ("column", number()),
    ];

    object_schema(properties.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect())
}

/// An object that always has all of its properties.
fn object_schema(properties: Map<String, Json>) -> Json {
    let needed: Vec<String> = properties.keys().cloned().collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": needed,
    })
}
