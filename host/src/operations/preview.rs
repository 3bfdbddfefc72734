//! What a change would change: files, rules, and money.
//!
//! Not activation (`door`) and not the deciding (`replay`). Called by `http::changes` and by
//! `accredit preview`. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a preview writes nothing.

use std::collections::BTreeMap;

use accredit_workspace::Files;
use serde_json::{Value, json};

use crate::http::definitions::files::unified;
use crate::operations::rules::{self, Rule};

/// What differs between two sets of files: `files` with a text diff each, and `rules`.
pub(crate) fn changes(old: &Files, new: &Files) -> Value {
    let differences = crate::directory::watch::differences(old, new);
    let files = differences.iter().map(|(path, text)| {
        let before = old.get(path).map_or("", AsRef::as_ref);
        let after = text.as_deref().unwrap_or("");
        json!({
            "path": path,
            "part": part(path),
            "what": what(old.contains_key(path), text.is_some()),
            "diff": unified(path, before, after),
        })
    });
    json!({ "files": files.collect::<Vec<_>>(), "rules": rule_changes(old, new) })
}

/// What a file belongs to.
fn part(path: &str) -> &'static str {
    match path.split('/').next() {
        _ if path.ends_with(".cases.md") => "cases",
        Some("plans") => "plans",
        Some("policies") => "policies",
        Some("organization") => "organization",
        _ => "settings",
    }
}

fn what(before: bool, after: bool) -> &'static str {
    match (before, after) {
        (false, _) => "added",
        (true, true) => "changed",
        (true, false) => "removed",
    }
}

fn rule_changes(old: &Files, new: &Files) -> Vec<Value> {
    let keyed = |files: &Files| -> BTreeMap<(String, String), Rule> {
        let rules = rules::all(files).into_iter();
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
            "what": what(before.is_some(), after.is_some()),
            "keys": fields,
        }));
    }

    changes
}
