//! Schemas of the views as the document has them: collected, corrected and named for readers.
//!
//! Not the schemas of single types, which are derived beside them. A derived schema says less than an
//! answer keeps: it does not tell a field that is null from one that is left out, and knows no decimals
//! as text. These are corrected here for all types alike.
//!
//! **Architecture invariant:** in an answer every field is there, unless its schema says neither `required`
//! nor null: those are left out where there is nothing to say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// Where schemas are referred to.
const PREFIX: &str = "#/components/schemas/";

/// Decimals as text.
const DECIMAL_PATTERN: &str = r"^-?[0-9]+(\.[0-9]+)?$";

/// Whether a schema is of something sent or of something answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaUse {
    /// In the body of a request.
    Request,
    /// In the body of an answer.
    Answer,
}

/// A type that has a schema, without the type.
#[derive(Clone, Copy)]
pub(super) struct SchemaOf {
    name: fn() -> std::borrow::Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl SchemaOf {
    /// The schema of a type.
    pub(super) fn new<T: ToSchema>() -> SchemaOf {
        SchemaOf { name: T::name, schema: T::schema, collect: T::schemas }
    }

    /// Its fields with their schemas, and the names of those that are needed.
    pub(super) fn fields(self) -> (Map<String, Value>, Vec<String>) {
        let mut schema = plain_json(&(self.schema)());
        correct_types(&mut schema);
        let needed = strings(schema.get("required"));
        let fields = schema.get("properties").and_then(Value::as_object);
        let mut fields = fields.cloned().unwrap_or_default();

        let mut named = Vec::new();
        (self.collect)(&mut named);
        let named: BTreeMap<String, Value> =
            named.iter().map(|(name, schema)| (name.clone(), plain_json(schema))).collect();
        for field in fields.values_mut() {
            change(field, &mut |part| {
                if let Some(known) = referred_name(part).and_then(|name| named.get(name)) {
                    *part = known.clone();
                }
            });
        }
        (fields, needed)
    }
}

/// The schemas that the document refers to.
#[derive(Default)]
pub(super) struct Schemas {
    found: BTreeMap<String, Value>,
    sent: BTreeSet<String>,
    /// Names that two unlike types have.
    pub(super) conflicts: Vec<String>,
}

impl Schemas {
    /// A reference to the schema of a type, which is kept with all that it refers to.
    pub(super) fn refer_to(&mut self, of: SchemaOf, used: SchemaUse) -> Value {
        let mut named = Vec::new();
        (of.collect)(&mut named);
        let name = (of.name)().into_owned();
        named.push((name.clone(), (of.schema)()));

        for (name, schema) in named {
            let json = plain_json(&schema);
            if self.found.get(&name).is_some_and(|known| *known != json) {
                self.conflicts.push(name.clone());
            }
            self.found.insert(name, json);
        }
        if used == SchemaUse::Request {
            self.sent.insert(name.clone());
        }
        json!({"$ref": format!("{PREFIX}{}", shown_name(&name))})
    }

    /// Names of the document that two unlike types share.
    #[cfg(test)]
    pub(super) fn shared_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.found.keys().map(|name| shown_name(name)).collect();
        names.sort();
        let same = names.windows(2).filter(|pair| pair.first() == pair.last());
        same.flatten().cloned().collect()
    }

    /// A reference to the schema of a page of rows.
    pub(super) fn refer_to_page(&mut self, rows: &Value) -> Value {
        let row = rows.pointer("/$ref").and_then(Value::as_str).unwrap_or_default();
        let name = format!("{}Page", row.trim_start_matches(PREFIX));
        let page = json!({
            "type": "object",
            "description": "A page of a list.",
            "required": ["data", "next_cursor"],
            "properties": {
                "data": {"type": "array", "items": rows, "description": "The rows of the page."},
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "Where the next page begins; null behind the last one.",
                },
            },
        });
        self.found.insert(name.clone(), page);
        json!({"$ref": format!("{PREFIX}{name}")})
    }

    /// All schemas as the document has them, with that of problems.
    pub(super) fn into_components(self, problem: Value) -> Value {
        let sent = self.reachable_from(&self.sent);
        let texts: BTreeMap<String, Value> = self.found.iter().filter_map(plain_text).collect();

        let mut components = BTreeMap::new();
        let found: Vec<(String, Value)> =
            self.found.iter().map(|(name, schema)| (name.clone(), schema.clone())).collect();
        for (name, mut schema) in found.into_iter().chain([("Problem".to_owned(), problem)]) {
            if texts.contains_key(&name) {
                continue;
            }
            merge_parts(&mut schema, &self.found);
            let used = if sent.contains(&name) { SchemaUse::Request } else { SchemaUse::Answer };
            correct_words(&mut schema, used);
            inline_texts(&mut schema, &texts);
            correct_types(&mut schema);
            if used == SchemaUse::Answer {
                require_what_is_there(&mut schema);
            }
            rename_references(&mut schema);
            components.insert(shown_name(&name), schema);
        }
        json!(components)
    }

    /// The names of these schemas and of all that they refer to.
    fn reachable_from(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let mut waiting: Vec<String> = names.iter().cloned().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if seen.insert(name.clone())
                && let Some(schema) = self.found.get(&name)
            {
                visit(schema, &mut |part| waiting.extend(referred_name(part).map(str::to_owned)));
            }
        }
        seen
    }
}

fn plain_json(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let texts = list.and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The name of the schema that an object refers to.
fn referred_name(part: &Value) -> Option<&str> {
    part.get("$ref")?.as_str()?.strip_prefix(PREFIX)
}

/// A name without what is of use in the code alone.
fn shown_name(name: &str) -> String {
    // Of a generic type: the list first, then its rows.
    let name = match name.strip_prefix("ListView_") {
        Some(row) => format!("{}Page", shown_name(row)),
        None => name.to_owned(),
    };
    name.strip_suffix("View").map(str::to_owned).unwrap_or(name)
}

/// Looks at every object of a schema.
fn visit(schema: &Value, look: &mut impl FnMut(&Value)) {
    match schema {
        Value::Object(fields) => {
            look(schema);
            fields.values().for_each(|part| visit(part, look));
        }
        Value::Array(parts) => parts.iter().for_each(|part| visit(part, look)),
        _ => (),
    }
}

/// Changes every object of a schema, the outer ones first.
fn change(schema: &mut Value, make: &mut impl FnMut(&mut Value)) {
    if schema.is_object() {
        make(schema);
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(|part| change(part, make)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| change(part, make)),
        _ => (),
    }
}

/// A schema that is only text, such as that of a key: it is written where it is used.
fn plain_text((name, schema): (&String, &Value)) -> Option<(String, Value)> {
    let fields = schema.as_object()?;
    let is_text = fields.get("type").is_some_and(|kind| kind == "string");
    (is_text && !fields.contains_key("enum")).then(|| (name.clone(), schema.clone()))
}

fn inline_texts(schema: &mut Value, texts: &BTreeMap<String, Value>) {
    change(schema, &mut |part| {
        let nullable = part.get("oneOf").and_then(Value::as_array).and_then(|parts| {
            let other = parts.iter().find_map(referred_name)?;
            let has_null = parts.iter().any(is_null_schema);
            (has_null && parts.len() == 2).then(|| other.to_owned())
        });
        let name = nullable.clone().or_else(|| referred_name(part).map(str::to_owned));
        let Some(text) = name.and_then(|name| texts.get(&name)).and_then(Value::as_object) else {
            return;
        };
        let mut text = text.clone();
        if nullable.is_some() {
            text.insert("type".to_owned(), json!(["string", "null"]));
        }
        if let Some(fields) = part.as_object_mut() {
            fields.remove("oneOf");
            fields.remove("$ref");
            for (key, value) in text {
                // What the field says about itself is more than what its type says.
                fields.entry(key).or_insert(value);
            }
        }
    });
}

/// A comment without what leads to other parts of the code.
fn for_readers(text: &str) -> String {
    let text = text.replace("[`", "`").replace("`]", "`");
    match text.split_once(" (FORMAT section") {
        Some((before, rest)) => {
            let after = rest.split_once(')').map_or("", |(_, after)| after);
            format!("{before}{after}")
        }
        None => text,
    }
}

/// What is of use in the code alone goes; what a part says about a field is said by the field.
fn correct_words(schema: &mut Value, used: SchemaUse) {
    change(schema, &mut |part| {
        let Some(fields) = part.as_object_mut() else { return };
        // The keys of every object are text.
        fields.remove("propertyNames");
        let is_plain = fields.get("default").is_some_and(|value| value.is_boolean());
        if used == SchemaUse::Answer || !is_plain {
            fields.remove("default");
        }
        if let Some(about) = fields.get_mut("description")
            && let Some(text) = about.as_str()
        {
            *about = Value::from(for_readers(text));
        }

        let parts = fields.get_mut("oneOf").and_then(Value::as_array_mut);
        let parts = parts.filter(|parts| parts.iter().any(is_null_schema));
        let told = parts.into_iter().flatten().find_map(|part| {
            part.get("$ref")?;
            part.as_object_mut()?.remove("description")
        });
        if let Some(about) = told {
            fields.entry("description").or_insert(about);
        }
    });
}

/// Decimals are text; of alternatives without a mark, more than one may fit.
fn correct_types(schema: &mut Value) {
    change(schema, &mut |part| {
        let Some(fields) = part.as_object_mut() else { return };

        if fields.get("format").is_some_and(|format| format == "double") {
            let nullable = fields.get("type").is_some_and(Value::is_array);
            let kind = if nullable { json!(["string", "null"]) } else { json!("string") };
            fields.insert("type".to_owned(), kind);
            fields.insert("format".to_owned(), json!("decimal"));
            fields.insert("pattern".to_owned(), json!(DECIMAL_PATTERN));
        }

        // Generators of clients know a length better than a schema that nothing fits.
        let places = fields.get("prefixItems").and_then(Value::as_array).map(Vec::len);
        if let Some(places) = places.filter(|_| fields.get("items") == Some(&Value::Bool(false))) {
            fields.remove("items");
            fields.insert("minItems".to_owned(), json!(places));
            fields.insert("maxItems".to_owned(), json!(places));
        }

        let alternatives = fields.get("oneOf").and_then(Value::as_array);
        if alternatives.is_some_and(|parts| !parts.iter().any(is_null_schema))
            && let Some(parts) = fields.remove("oneOf")
        {
            fields.insert("anyOf".to_owned(), parts);
        }
    });
}

/// Fields that are written beside others are fields of the same object.
fn merge_parts(schema: &mut Value, known: &BTreeMap<String, Value>) {
    change(schema, &mut |part| {
        let Some(fields) = part.as_object_mut() else { return };
        let Some(Value::Array(parts)) = fields.remove("allOf") else { return };

        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts {
            let mut part = match referred_name(&part).and_then(|name| known.get(name)) {
                Some(known) => known.clone(),
                None => part,
            };
            merge_parts(&mut part, known);
            required.extend(strings(part.get("required")));
            if let Some(Value::Object(more)) = part.get("properties") {
                properties.extend(more.clone());
            }
        }
        fields.insert("type".to_owned(), json!("object"));
        fields.insert("properties".to_owned(), Value::Object(properties));
        fields.insert("required".to_owned(), json!(required));
    });
}

/// Whether a schema is that of null.
fn is_null_schema(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

/// Whether a schema takes null.
fn takes_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let kinds = schema.get("type").and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.iter().any(is_null))
        || schema
            .get("oneOf")
            .and_then(Value::as_array)
            .is_some_and(|parts| parts.iter().any(|part| part.get("type").is_some_and(is_null)))
}

/// A field of an answer that may be null is always there: what is left out is marked as not null.
fn require_what_is_there(schema: &mut Value) {
    change(schema, &mut |part| {
        let Some(fields) = part.as_object_mut() else { return };
        let Some(properties) = fields.get("properties").and_then(Value::as_object) else { return };
        let mut required: BTreeSet<String> = strings(fields.get("required")).into_iter().collect();
        let there = properties.iter().filter(|(_, schema)| takes_null(schema));
        required.extend(there.map(|(name, _)| name.clone()));
        if !required.is_empty() {
            fields.insert("required".to_owned(), json!(required));
        }
    });
}

fn rename_references(schema: &mut Value) {
    change(schema, &mut |part| {
        let Some(name) = referred_name(part).map(shown_name) else { return };
        if let Some(fields) = part.as_object_mut() {
            fields.insert("$ref".to_owned(), Value::from(format!("{PREFIX}{name}")));
        }
    });
}
