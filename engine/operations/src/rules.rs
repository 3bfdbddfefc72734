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
pub struct RuleDefinition {
    /// The plan's id.
    pub plan: String,
    /// `direct`, `indirect` or `reward`.
    pub kind: &'static str,
    /// The name of the rule, unique in the plan.
    pub name: String,
    /// The keys of the rule, as JSON.
    pub body: Map<String, Value>,
}

/// The path of a plan's file.
pub fn plan_path(plan: &str) -> String {
    format!("plans/{plan}.toml")
}

/// Every rule of every plan, by plan, then kind, in file order.
pub fn all_rules(files: &Files) -> Vec<RuleDefinition> {
    let plans = files.iter().filter_map(|(path, text)| {
        let plan = path.strip_prefix("plans/")?.strip_suffix(".toml")?;
        Some((plan, text.parse::<DocumentMut>().ok()?))
    });

    let mut rules = Vec::new();
    for (plan, document) in plans {
        for kind in KINDS {
            let tables = document.get(kind).map(json::item_tables).unwrap_or_default();
            for body in tables {
                let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
                rules.push(RuleDefinition {
                    plan: plan.to_owned(),
                    kind,
                    name: name.to_owned(),
                    body,
                });
            }
        }
    }

    rules
}

/// What rules are searched by; every part that is given must fit.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSearch {
    /// Every tag that a rule must have.
    #[serde(default)]
    tag: Vec<String>,
    text: Option<String>,
    plan: Option<String>,
    kind: Option<String>,
    relationship: Option<String>,
    active_on: Option<Date>,
}

impl RuleSearch {
    /// Whether a rule fits.
    pub fn matches_rule(&self, rule: &RuleDefinition) -> bool {
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
pub fn count_tags(rules: &[RuleDefinition]) -> BTreeMap<String, usize> {
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
pub enum RuleEditError {
    /// The rule does not exist.
    #[error("rule not found")]
    Missing,
    /// The name is taken.
    #[error("rule `{0}` already exists")]
    Taken(String),
    /// Something that TOML or the layout of the file does not allow.
    #[error("{0}")]
    Other(String),
}

fn parse_document(text: &str) -> Result<DocumentMut, RuleEditError> {
    text.parse().map_err(|error: toml_edit::TomlError| RuleEditError::Other(error.to_string()))
}

/// The tables with the rule of this name in them, and its place among them.
fn find_rule<'a>(
    document: &'a mut DocumentMut,
    name: &str,
) -> Result<(&'a mut ArrayOfTables, usize), RuleEditError> {
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
                if json::item_tables(item)
                    .iter()
                    .any(|rule| rule.get("name").and_then(Value::as_str) == Some(name)) =>
            {
                let message = format!("`{name}` is written on one line; edit the plan's file");
                return Err(RuleEditError::Other(message));
            }

            _ => (),
        }
    }

    let (kind, index) = found.ok_or(RuleEditError::Missing)?;
    match document.get_mut(kind) {
        Some(Item::ArrayOfTables(tables)) => Ok((tables, index)),
        _ => Err(RuleEditError::Missing),
    }
}

/// The plan's text with this rule as `body` says; a new one goes behind the others of `kind`.
pub fn put_rule(
    text: &str,
    name: &str,
    kind: Option<&str>,
    body: &Map<String, Value>,
) -> Result<String, RuleEditError> {
    let mut document = parse_document(text)?;

    let new_name = body.get("name").and_then(Value::as_str).unwrap_or(name).to_owned();
    if new_name != name && find_rule(&mut document, &new_name).is_ok() {
        return Err(RuleEditError::Taken(new_name));
    }

    let mut body = body.clone();
    body.insert("name".to_owned(), Value::from(new_name));

    match find_rule(&mut document, name) {
        Ok((tables, index)) => {
            let table = tables.get_mut(index).ok_or(RuleEditError::Missing)?;
            json::update_table(table, &body)?;
        }
        Err(RuleEditError::Missing) => {
            let kind = kind.filter(|kind| KINDS.contains(kind)).ok_or_else(|| {
                RuleEditError::Other("a new rule needs its `kind`: direct or indirect".to_owned())
            })?;
            append_rule(&mut document, kind, &body)?;
        }
        Err(other) => return Err(other),
    }

    Ok(document.to_string())
}

fn append_rule(
    document: &mut DocumentMut,
    kind: &str,
    body: &Map<String, Value>,
) -> Result<(), RuleEditError> {
    let mut table = Table::new();
    json::update_table(&mut table, body)?;

    let tables = document.entry(kind).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Item::ArrayOfTables(tables) = tables else {
        let message = format!("`{kind}` is written on one line; edit the plan's file");
        return Err(RuleEditError::Other(message));
    };

    table.decor_mut().set_prefix("\n");
    tables.push(table);
    Ok(())
}

/// The plan's text without this rule.
pub fn remove_rule(text: &str, name: &str) -> Result<String, RuleEditError> {
    let mut document = parse_document(text)?;
    let (tables, index) = find_rule(&mut document, name)?;
    tables.remove(index);
    Ok(document.to_string())
}

/// The plan's text with a copy of this rule under a new name, right behind it.
pub fn copy_rule(text: &str, name: &str, new_name: &str) -> Result<String, RuleEditError> {
    let mut document = parse_document(text)?;
    if find_rule(&mut document, new_name).is_ok() {
        return Err(RuleEditError::Taken(new_name.to_owned()));
    }
    let (tables, index) = find_rule(&mut document, name)?;
    let mut copy = tables.get(index).ok_or(RuleEditError::Missing)?.clone();
    json::forget_position(&mut copy);
    copy.insert("name", toml_edit::value(new_name));
    // A remark above the original is about the original.
    copy.decor_mut().set_prefix("\n");
    tables.insert(index + 1, copy);
    Ok(document.to_string())
}

#[cfg(test)]
mod tests;
