//! The name of a ruleset's content.
//!
//! Not a guard against tampering by the customer: it tells one state of a directory from another.
//! Called by `Ruleset::read` once everything is read.
//!
//! **Architecture invariant:** the hash covers everything that can change a decision, and nothing
//! else: no line endings, case files or transactions.

use std::collections::BTreeMap;

use super::shared::SHARED;
use super::{Files, SETTINGS, is_definition, plan_files, plan_id, policy_path};
use accredit_domain::keys::RulesetHash;
use accredit_domain::policy::{PolicyKind, Programs};

/// The version of what policies may say and what it means; another version, another hash.
pub const POLICY_LANGUAGE: &str = "1";

/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 32;

/// `rs_` and the hash of the definition files and of the standard policies that are used.
pub(super) fn ruleset_hash(files: &Files, programs: &Programs) -> RulesetHash {
    let mut hasher = blake3::Hasher::new();

    let mut add = |part: &str| {
        // Lengths keep the end of one part from passing as the beginning of the next.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };

    add(POLICY_LANGUAGE);
    for (path, text) in files.iter().filter(|(path, _)| is_definition(path)) {
        add(path);
        // A checkout of another system has other line ends, and decides the same.
        add(&text.replace("\r\n", "\n"));
    }

    for part in standard_sources(programs) {
        add(&part);
    }

    RulesetHash::from(format!("rs_{}", hash_digits(&hasher)))
}

fn hash_digits(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().chars().take(HASH_DIGITS).collect()
}

/// Name and source of every standard policy that is used, in turn.
fn standard_sources(programs: &Programs) -> Vec<String> {
    let standard =
        programs.iter().filter(|(_, program)| program.origin.place.file.starts_with("scripts/"));
    let mut standard: Vec<(&str, &str)> =
        standard.map(|(_, program)| (program.name.as_ref(), program.source.as_ref())).collect();
    standard.sort_unstable();
    let parts = standard.into_iter();
    parts.flat_map(|(name, source)| [name.to_owned(), source.replace("\r\n", "\n")]).collect()
}

/// A hash for each plan, over everything that can change its decisions: settings, organisation, its
/// own file, the policies that it may name, and the other plans where it takes credits from some.
///
/// It errs to one side: plans of equal hash decide alike; a policy whose name merely occurs in a
/// plan's text counts as used.
pub(super) fn plan_hashes(files: &Files, programs: &Programs) -> BTreeMap<String, String> {
    let settings = files.get(SETTINGS).map_or("", AsRef::as_ref);
    let mut all = plan_files(files).map(|(_, id, text)| (id, text)).collect::<Vec<_>>();
    all.sort_unstable();
    let standard = standard_sources(programs);

    let one = |id: &str, text: &str| {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &str| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };

        // The language of policies is a part of what they mean.
        add(POLICY_LANGUAGE);
        let mut words = toml_strings(settings);
        // Any part of another plan can affect a plan that takes credits from it.
        if text.contains("sources") {
            for (id, text) in &all {
                add(id);
                add(text);
                words.extend(toml_strings(text));
            }
        } else {
            words.extend(toml_strings(text));
        }

        add(id);
        add(text);
        standard.iter().for_each(|part| add(part));

        for (path, text) in files {
            let policy = policy_path(path);
            let used = policy.is_some_and(|(kind, name)| {
                // Intake policies make rows, and decide nothing of what a plan makes of them.
                // Any policy may call what is shared.
                let named = || words.iter().any(|word| word.contains(name));
                kind == SHARED || (kind != "intake" && named())
            });
            let shared = is_definition(path) && policy.is_none() && plan_id(path).is_none();
            if shared || used {
                add(path);
                add(&text.replace("\r\n", "\n"));
            }
        }

        (id.to_owned(), hash_digits(&hasher))
    };

    all.iter().map(|(id, text)| one(id, text)).collect()
}

/// A hash for each plan, over everything that can change its rewards: settings, organisation,
/// quotas, exchange rates, its own file without the rules, and policies for rewards and quotas.
///
/// It errs to one side, as [`plan_hashes`] does.
pub(super) fn reward_hashes(files: &Files, programs: &Programs) -> BTreeMap<String, String> {
    let standard = standard_sources(programs);

    let one = |id: &str, text: &str| {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &str| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };

        add(POLICY_LANGUAGE);
        add(&without_rules(text));
        standard.iter().for_each(|part| add(part));

        for (path, text) in files {
            let policy = policy_path(path);
            let shared = is_definition(path) && policy.is_none() && plan_id(path).is_none();
            // A quota is a number that rewards are worked out with.
            let pays = |kind: &str| ["reward", "quota", SHARED].contains(&kind);
            if shared || policy.is_some_and(|(kind, _)| pays(kind)) {
                add(path);
                add(&text.replace("\r\n", "\n"));
            }
        }

        (id.to_owned(), hash_digits(&hasher))
    };

    plan_files(files).map(|(_, id, text)| one(id, text)).collect()
}

/// What a plan's file says besides its rules; all of it where it cannot be read.
fn without_rules(text: &str) -> String {
    let Ok(mut plan) = text.parse::<toml::Table>() else { return text.to_owned() };
    plan.remove("direct");
    plan.remove("indirect");
    plan.to_string()
}

/// What a plan's file says besides how credits are paid; all of it where it cannot be read.
pub(super) fn without_pay(text: &str) -> String {
    let Ok(mut plan) = text.parse::<toml::Table>() else { return text.to_owned() };
    remove_pay(&mut plan);
    plan.to_string()
}

/// The same without how direct credits roll.
pub(super) fn without_rollup(text: &str) -> String {
    let Ok(mut plan) = text.parse::<toml::Table>() else { return text.to_owned() };
    remove_pay(&mut plan);
    plan.remove("indirect");
    // Only results of indirect rules take the plan's own policy of this kind.
    if let Some(toml::Value::Table(policies)) = plan.get_mut("policies") {
        policies.remove(PolicyKind::Rollup.as_str());
    }
    plan.to_string()
}

fn remove_pay(plan: &mut toml::Table) {
    for key in ["reward", "draw", "late", "quota", "prorate", "carry_negative"] {
        plan.remove(key);
    }
}

/// Every string in a TOML file, unescaped. If the file is not valid TOML, the file itself.
fn toml_strings(text: &str) -> Vec<String> {
    fn walk(value: &toml::Value, into: &mut Vec<String>) {
        match value {
            toml::Value::String(text) => into.push(text.clone()),
            toml::Value::Array(items) => items.iter().for_each(|item| walk(item, into)),
            toml::Value::Table(table) => table.values().for_each(|value| walk(value, into)),
            _ => (),
        }
    }

    let mut found = Vec::new();

    match text.parse::<toml::Table>() {
        Ok(table) => table.values().for_each(|value| walk(value, &mut found)),
        Err(_) => found.push(text.to_owned()),
    }

    found
}
