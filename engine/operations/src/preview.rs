//! What a change would change: files, rules, and money.
//!
//! Not activation (`door`) and not the deciding (`replay`). Called by `http::changes` and by
//! `accredit preview`. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a preview writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_workspace::Files;
use serde_json::{Value, json};

use crate::rules::{self, RuleDefinition};

/// What makes `old` into `new`: new text by path, none for a file that goes.
#[must_use]
pub fn diff_files(old: &Files, new: &Files) -> BTreeMap<String, Option<Arc<str>>> {
    let gone = old.keys().filter(|path| !new.contains_key(*path));
    let mut changes: BTreeMap<_, _> = gone.map(|path| (path.clone(), None)).collect();
    for (path, text) in new {
        if old.get(path) != Some(text) {
            changes.insert(path.clone(), Some(Arc::clone(text)));
        }
    }
    changes
}

/// A unified diff of a file.
#[must_use]
pub fn unified_diff(path: &str, old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let (from, to) = (format!("a/{path}"), format!("b/{path}"));
    diff.unified_diff().header(&from, &to).to_string()
}

/// What differs between two sets of files: `files` with a text diff each, and `rules`.
pub fn describe_changes(old: &Files, new: &Files) -> Value {
    let differences = diff_files(old, new);
    let files = differences.iter().map(|(path, text)| {
        let before = old.get(path).map_or("", AsRef::as_ref);
        let after = text.as_deref().unwrap_or("");
        json!({
            "path": path,
            "part": definition_part(path),
            "what": change_kind(old.contains_key(path), text.is_some()),
            "diff": unified_diff(path, before, after),
        })
    });
    json!({ "files": files.collect::<Vec<_>>(), "rules": rule_changes(old, new) })
}

/// What a file belongs to.
fn definition_part(path: &str) -> &'static str {
    match path.split('/').next() {
        _ if path.ends_with(".cases.md") => "cases",
        Some("plans") => "plans",
        Some("policies") => "policies",
        Some("organization") => "organization",
        _ => "settings",
    }
}

fn change_kind(before: bool, after: bool) -> &'static str {
    match (before, after) {
        (false, _) => "added",
        (true, true) => "changed",
        (true, false) => "removed",
    }
}

fn rule_changes(old: &Files, new: &Files) -> Vec<Value> {
    let keyed = |files: &Files| -> BTreeMap<(String, String), RuleDefinition> {
        let rules = rules::all_rules(files).into_iter();
        rules.map(|rule| ((rule.plan.clone(), rule.name.clone()), rule)).collect()
    };

    let (old, new) = (keyed(old), keyed(new));
    let mut changes = Vec::new();
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        let Some(rule) = after.or(before) else { continue };

        let fields: Vec<&String> = match (before, after) {
            (Some(before), Some(after)) => {
                let keys = before.body.keys().chain(after.body.keys());
                let keys: std::collections::BTreeSet<_> = keys.collect();
                keys.into_iter()
                    .filter(|key| before.body.get(*key) != after.body.get(*key))
                    .collect()
            }
            _ => Vec::new(),
        };

        changes.push(json!({
            "plan": rule.plan,
            "rule": rule.name,
            "kind": rule.kind,
            "what": change_kind(before.is_some(), after.is_some()),
            "keys": fields,
        }));
    }

    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_new_changed_and_gone() {
        let files = |rows: &[(&str, &str)]| -> Files {
            rows.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect()
        };
        let changes = diff_files(
            &files(&[("same", "1"), ("changed", "1"), ("gone", "1")]),
            &files(&[("same", "1"), ("changed", "2"), ("new", "1")]),
        );
        let expected = [("changed", Some("2")), ("gone", None), ("new", Some("1"))];
        let got: Vec<_> = changes.iter().map(|(p, t)| (p.as_str(), t.as_deref())).collect();
        assert_eq!(got, expected);
    }
}
