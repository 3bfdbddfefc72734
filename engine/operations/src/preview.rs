//! What a change would change: files, rules, and money.
//!
//! Not activation (`door`) and not the deciding (`replay`). Called by `http::changes` and by
//! `accredit preview`. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a preview writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_workspace::Files;
use serde::Serialize;
use utoipa::ToSchema;

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

/// What differs between two sets of files. Its fields are in the order of the alphabet, as they are
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DefinitionChanges {
    /// Every file that differs.
    pub files: Vec<FileDifference>,
    /// Every rule that differs.
    pub rules: Vec<RuleDifference>,
}

/// A file that differs between two sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileDifference {
    /// A unified diff of its text.
    pub diff: String,
    /// What it belongs to: `cases`, `plans`, `policies`, `organization` or `settings`.
    pub part: &'static str,
    /// Its path.
    pub path: String,
    /// `added`, `changed` or `removed`.
    pub what: &'static str,
}

/// A rule that differs between two sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleDifference {
    /// The keys of a changed rule that differ; none of one that is added or removed.
    pub keys: Vec<String>,
    /// `direct`, `indirect` or `reward`.
    pub kind: &'static str,
    /// Id of the plan.
    pub plan: String,
    /// The name of the rule.
    pub rule: String,
    /// `added`, `changed` or `removed`.
    pub what: &'static str,
}

/// What differs between two sets of files, and between the rules in them.
pub fn describe_changes(old: &Files, new: &Files) -> DefinitionChanges {
    let differences = diff_files(old, new);
    let files = differences.iter().map(|(path, text)| {
        let before = old.get(path).map_or("", AsRef::as_ref);
        let after = text.as_deref().unwrap_or("");
        FileDifference {
            diff: unified_diff(path, before, after),
            part: definition_part(path),
            path: path.clone(),
            what: change_kind(old.contains_key(path), text.is_some()),
        }
    });
    DefinitionChanges { files: files.collect(), rules: rule_changes(old, new) }
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

fn rule_changes(old: &Files, new: &Files) -> Vec<RuleDifference> {
    let keyed = |files: &Files| -> BTreeMap<(String, String), RuleDefinition> {
        let rules = rules::all_rules(files).into_iter();
        rules.map(|rule| ((rule.plan.clone(), rule.name.clone()), rule)).collect()
    };

    let (old, new) = (keyed(old), keyed(new));
    let mut changes = Vec::new();
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        let Some(rule) = after.or(before) else { continue };

        let keys = match (before, after) {
            (Some(before), Some(after)) => differing_keys(before, after),
            _ => Vec::new(),
        };

        changes.push(RuleDifference {
            keys,
            kind: rule.kind,
            plan: rule.plan.clone(),
            rule: rule.name.clone(),
            what: change_kind(before.is_some(), after.is_some()),
        });
    }

    changes
}

/// The keys whose values differ between two versions of a rule.
fn differing_keys(before: &RuleDefinition, after: &RuleDefinition) -> Vec<String> {
    let keys: BTreeSet<&String> = before.body.keys().chain(after.body.keys()).collect();
    let differing = keys.into_iter().filter(|key| before.body.get(*key) != after.body.get(*key));
    differing.cloned().collect()
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

    /// Changes were JSON objects put together key by key; as types they are the same bytes.
    #[test]
    fn changes_are_written_with_sorted_keys() {
        let plan = |rate: &str| {
            let rule = format!("[[direct]]\nname = \"A\"\ntest = \"{rate}\"\n");
            Files::from([("plans/p.toml".to_owned(), Arc::from(rule))])
        };
        let changes = describe_changes(&plan("true"), &plan("false"));
        let written = serde_json::to_string(&changes).unwrap();

        let diff = serde_json::to_string(&changes.files[0].diff).unwrap();
        let file = r#""part":"plans","path":"plans/p.toml","what":"changed""#;
        let rule = r#"{"keys":["test"],"kind":"direct","plan":"p","rule":"A","what":"changed"}"#;
        let expected = format!(r#"{{"files":[{{"diff":{diff},{file}}}],"rules":[{rule}]}}"#);
        assert_eq!(written, expected);
    }
}
