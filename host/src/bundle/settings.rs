//! What a customer sets in a bundle: the literals of top-level constants.
//!
//! Not a language of templates: a policy with its default is a policy like any other. Called by
//! `archive` (does every setting exist?) and `install`.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_workspace::Files;
use rust_decimal::Decimal;

use super::BundleError;
use super::manifest::{BundleSetting, Manifest, SettingKind};

/// The files with the constants that `wanted` names set.
pub(super) fn apply_settings(
    manifest: &Manifest,
    files: &Files,
    wanted: &BTreeMap<String, String>,
) -> Result<Files, BundleError> {
    let mut files = files.clone();
    for (name, value) in wanted {
        let Some(setting) = manifest.settings.get(name) else {
            let known: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("{} has no setting `{name}`; known: {known}", manifest.name);
            return Err(BundleError::new(message));
        };

        let literal = setting_literal(setting, value).ok_or_else(|| {
            BundleError::new(format!("`{value}` does not fit the setting `{name}`"))
        })?;
        set_constant(&mut files, name, &literal);
    }

    Ok(files)
}

/// Whether some policy has the constant `name`.
pub(super) fn has_constant(files: &Files, name: &str) -> bool {
    policy_files(files)
        .any(|(_, text)| text.lines().any(|line| split_constant(line, name).is_some()))
}

fn policy_files(files: &Files) -> impl Iterator<Item = (&String, &Arc<str>)> {
    files.iter().filter(|(path, _)| path.ends_with(".rhai"))
}

fn set_constant(files: &mut Files, name: &str, literal: &str) {
    let changed: Vec<(String, Arc<str>)> = policy_files(files)
        .map(|(path, text)| {
            let lines = text.split_inclusive('\n').map(|line| match split_constant(line, name) {
                Some((before, after)) => format!("{before}{literal}{after}"),
                None => line.to_owned(),
            });
            (path.clone(), Arc::from(lines.collect::<String>()))
        })
        .collect();
    files.extend(changed);
}

/// The text before and after the literal of `const NAME = literal;`, on its own line.
fn split_constant<'l>(line: &'l str, name: &str) -> Option<(&'l str, &'l str)> {
    let rest = line.strip_prefix("const ")?.trim_start().strip_prefix(name)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let (_, after) = value.rsplit_once(';')?;
    let start = line.len() - value.len();
    let end = line.len() - after.len() - 1;
    Some((line.get(..start)?, line.get(end..)?))
}

/// The value as written in a script.
fn setting_literal(setting: &BundleSetting, value: &str) -> Option<String> {
    match setting.kind {
        SettingKind::Number => {
            let number: Decimal = value.trim().parse().ok()?;
            Some(number.to_string())
        }
        SettingKind::Bool => matches!(value, "true" | "false").then(|| value.to_owned()),
        SettingKind::Text => {
            let plain = !value.chars().any(char::is_control);
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            plain.then(|| format!("\"{escaped}\""))
        }
    }
}
