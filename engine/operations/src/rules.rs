//! The rules of plans one by one: found, shown as JSON, and edited in the plan's own text, so that
//! comments and order stay.
//!
//! Not what a rule means (the engine reads the text again) and not activation (`door`). Called by
//! `http::rules` and by preview. Source: seed 003 (Rules Library), FORMAT section 3.
//!
//! **Architecture invariant:** what an edit does not name keeps its bytes.

mod json;

use std::collections::{BTreeMap, BTreeSet};

use accredit_workspace::Files;
use jiff::civil::Date;
use serde_json::{Map, Value};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

/// The sorts of rules, by the key of their tables.
pub const KINDS: [&str; 3] = ["direct", "indirect", "reward"];

/// One rule as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The plan's id.
    pub plan: String,
    /// `direct`, `indirect` or `reward`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its keys.
    pub body: Map<String, Value>,
}

/// The path of a plan's file.
pub fn path(plan: &str) -> String {
    format!("plans/{plan}.toml")
}

/// Every rule of every plan, by plan, then kind, in file order.
pub fn all(files: &Files) -> Vec<Rule> {
    let plans = files.iter().filter_map(|(path, text)| {
        let plan = path.strip_prefix("plans/")?.strip_suffix(".toml")?;
        Some((plan, text.parse::<DocumentMut>().ok()?))
    });

    let mut rules = Vec::new();
    for (plan, document) in plans {
        for kind in KINDS {
            let tables = document.get(kind).map(json::tables).unwrap_or_default();
            for body in tables {
                let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
                rules.push(Rule { plan: plan.to_owned(), kind, name: name.to_owned(), body });
            }
        }
    }

    rules
}

/// What rules are searched by; every part that is given must fit.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Every tag that a rule must have.
    #[serde(default)]
    tag: Vec<String>,
    text: Option<String>,
    plan: Option<String>,
    kind: Option<String>,
    relationship: Option<String>,
    active_on: Option<Date>,
}

impl Wanted {
    /// Whether a rule fits.
    pub fn fits(&self, rule: &Rule) -> bool {
        let of = |key: &str| rule.body.get(key).and_then(Value::as_str).unwrap_or_default();
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };

        let tags = rule.body.get("tags").and_then(Value::as_array);
        let has = |tag: &String| tags.is_some_and(|tags| tags.contains(&Value::from(tag.as_str())));
        let contains = |text: &String| {
            let all = Value::Object(rule.body.clone()).to_string().to_lowercase();
            all.contains(&text.to_lowercase())
        };

        let date = |key: &str| of(key).parse::<Date>().ok();
        let active = |day: &Date| {
            date("from").is_none_or(|from| from <= *day) && date("to").is_none_or(|to| *day <= to)
        };

        same(&self.plan, &rule.plan)
            && same(&self.kind, rule.kind)
            && same(&self.relationship, of("relationship"))
            && self.tag.iter().all(has)
            && self.text.as_ref().is_none_or(contains)
            && self.active_on.as_ref().is_none_or(active)
    }
}

/// How many rules have each tag, by tag.
pub fn tags(rules: &[Rule]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for rule in rules {
        let tags = rule.body.get("tags").and_then(Value::as_array).into_iter().flatten();
        let own: BTreeSet<&str> = tags.filter_map(Value::as_str).collect();
        for tag in own {
            *counts.entry(tag.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Why a plan's text could not be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uneditable {
    /// No such rule.
    #[error("there is no such rule")]
    Missing,
    /// The name is taken.
    #[error("there is a rule `{0}` already")]
    Taken(String),
    /// Something that TOML or the layout of the file does not allow.
    #[error("{0}")]
    Other(String),
}

fn parse(text: &str) -> Result<DocumentMut, Uneditable> {
    text.parse().map_err(|error: toml_edit::TomlError| Uneditable::Other(error.to_string()))
}

/// The tables with the rule of this name in them, and its place among them.
fn find<'a>(
    document: &'a mut DocumentMut,
    name: &str,
) -> Result<(&'a mut ArrayOfTables, usize), Uneditable> {
    let named = |table: &Table| table.get("name").and_then(Item::as_str) == Some(name);

    let mut found = None;
    for kind in KINDS {
        match document.get(kind) {
            Some(Item::ArrayOfTables(tables)) => {
                if let Some(index) = tables.iter().position(named) {
                    found = Some((kind, index));
                    break;
                }
            }

            Some(item)
                if json::tables(item)
                    .iter()
                    .any(|rule| rule.get("name").and_then(Value::as_str) == Some(name)) =>
            {
                let message = format!("`{name}` is written on one line; edit the plan's file");
                return Err(Uneditable::Other(message));
            }

            _ => (),
        }
    }

    let (kind, index) = found.ok_or(Uneditable::Missing)?;
    match document.get_mut(kind) {
        Some(Item::ArrayOfTables(tables)) => Ok((tables, index)),
        _ => Err(Uneditable::Missing),
    }
}

/// The plan's text with this rule as `body` says; a new one goes behind the others of `kind`.
pub fn put(
    text: &str,
    name: &str,
    kind: Option<&str>,
    body: &Map<String, Value>,
) -> Result<String, Uneditable> {
    let mut document = parse(text)?;

    let new_name = body.get("name").and_then(Value::as_str).unwrap_or(name).to_owned();
    if new_name != name && find(&mut document, &new_name).is_ok() {
        return Err(Uneditable::Taken(new_name));
    }

    let mut body = body.clone();
    body.insert("name".to_owned(), Value::from(new_name));

    match find(&mut document, name) {
        Ok((tables, index)) => {
            let table = tables.get_mut(index).ok_or(Uneditable::Missing)?;
            json::update(table, &body)?;
        }
        Err(Uneditable::Missing) => {
            let kind = kind.filter(|kind| KINDS.contains(kind)).ok_or_else(|| {
                Uneditable::Other("a new rule needs its `kind`: direct or indirect".to_owned())
            })?;
            append(&mut document, kind, &body)?;
        }
        Err(other) => return Err(other),
    }

    Ok(document.to_string())
}

fn append(
    document: &mut DocumentMut,
    kind: &str,
    body: &Map<String, Value>,
) -> Result<(), Uneditable> {
    let mut table = Table::new();
    json::update(&mut table, body)?;

    let tables = document.entry(kind).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Item::ArrayOfTables(tables) = tables else {
        let message = format!("`{kind}` is written on one line; edit the plan's file");
        return Err(Uneditable::Other(message));
    };

    table.decor_mut().set_prefix("\n");
    tables.push(table);
    Ok(())
}

/// The plan's text without this rule.
pub fn remove(text: &str, name: &str) -> Result<String, Uneditable> {
    let mut document = parse(text)?;
    let (tables, index) = find(&mut document, name)?;
    tables.remove(index);
    Ok(document.to_string())
}

/// The plan's text with a copy of this rule under a new name, right behind it.
pub fn copy(text: &str, name: &str, new_name: &str) -> Result<String, Uneditable> {
    let mut document = parse(text)?;
    if find(&mut document, new_name).is_ok() {
        return Err(Uneditable::Taken(new_name.to_owned()));
    }
    let (tables, index) = find(&mut document, name)?;
    let mut copy = tables.get(index).ok_or(Uneditable::Missing)?.clone();
    json::unplace(&mut copy);
    copy.insert("name", toml_edit::value(new_name));
    // A remark above the original is about the original.
    copy.decor_mut().set_prefix("\n");
    tables.insert(index + 1, copy);
    Ok(document.to_string())
}

#[cfg(test)]
mod tests;
