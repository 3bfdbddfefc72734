//! `plugin.toml`: what a bundle is called, what it needs, what can be set, which files it has.
//!
//! Not the files themselves (`archive`). Called by `archive` and `install`.
//!
//! **Architecture invariant:** a path that is accepted lies in `plans/` or `policies/<kind>/` and
//! begins with the bundle's name, so that no bundle can write anywhere else.

use std::collections::BTreeMap;

use accredit_domain::policy::PolicyKind;
use semver::{Version, VersionReq};
use serde::Deserialize;

use super::BundleError;

/// The manifest's name in the bundle's directory.
pub(crate) const MANIFEST: &str = "plugin.toml";

/// What a bundle says about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Lower-case letters, digits and `-`.
    pub(crate) name: String,
    /// The version of the bundle.
    pub(crate) version: Version,
    /// Which versions of accredit it works with.
    pub(crate) engine: VersionReq,
    /// A description for people.
    #[serde(default)]
    pub(crate) description: String,
    /// Constants of its policies that a customer may set.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, BundleSetting>,
    /// Its files; absent, all that lie in `plans/` and `policies/`.
    pub(crate) files: Option<Vec<String>>,
}

/// A constant that a customer may set; what the policies say is the default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundleSetting {
    /// What may stand there.
    #[serde(rename = "type")]
    pub(crate) kind: SettingKind,
    /// A description for people.
    #[serde(default)]
    pub(crate) description: String,
}

/// What a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SettingKind {
    /// A decimal.
    Number,
    /// A text.
    Text,
    /// `true` or `false`.
    Bool,
}

impl SettingKind {
    /// The word for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SettingKind::Number => "number",
            SettingKind::Text => "text",
            SettingKind::Bool => "bool",
        }
    }
}

impl Manifest {
    /// Reads `plugin.toml`.
    pub(crate) fn read(text: &str) -> Result<Manifest, BundleError> {
        let manifest: Manifest = toml::from_str(text)
            .map_err(|error| BundleError::new(format!("{MANIFEST}: {error}")))?;
        let sign = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';

        let name = &manifest.name;
        let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
        if !begins || !name.chars().all(sign) || name.ends_with('-') {
            let message = format!("`{name}` is not a name: use lower-case letters, digits and `-`");
            return Err(BundleError::new(message));
        }
        Ok(manifest)
    }

    /// Whether the program is one that the bundle works with.
    pub(crate) fn check_program(&self, program: &str) -> Result<(), BundleError> {
        let version = Version::parse(program);
        if version.is_ok_and(|version| self.engine.matches(&version)) {
            return Ok(());
        }
        let (name, version, engine) = (&self.name, &self.version, &self.engine);
        let message = format!("{name} {version} needs accredit {engine}, this is {program}");
        Err(BundleError::new(message))
    }

    /// Whether the bundle may have a file at `path`.
    pub(crate) fn owns_path(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let (file, definition) = match parts.as_slice() {
            ["plans", file] => (*file, ".toml"),
            ["policies", kind, file] if PolicyKind::parse(kind).is_some() => (*file, ".rhai"),
            _ => return false,
        };

        let stem = file.strip_suffix(".cases.md").or_else(|| file.strip_suffix(definition));
        let rest = stem.and_then(|stem| stem.strip_prefix(self.name.as_str()));
        let sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        rest.is_some_and(|rest| {
            (rest.is_empty() || rest.starts_with('-')) && rest.chars().all(sign)
        })
    }
}

#[cfg(test)]
mod tests {
    use accredit_fuzz::{Mutator, fuzz_target};

    use super::*;

    #[test]
    fn a_changed_manifest_is_read_or_refused() {
        let seeds = ["name = \"acme-splits\"\nversion = \"1.2.0\"\nengine = \">=0.1, <2\"\n\
                      description = \"Splits\"\nfiles = [\"policies/crediting/acme-splits.rhai\"]\n\
                      [settings.RATE]\ntype = \"number\"\n"];
        fuzz_target!(|bytes: &[u8]| {
            let text = Mutator::new(bytes).changed_text(&seeds);
            match Manifest::read(&text) {
                Ok(manifest) => assert!(!manifest.owns_path("../accredit.toml")),
                Err(error) => {
                    assert!(error.to_string().contains(|sign: char| sign.is_alphabetic()))
                }
            }
        });
    }

    #[test]
    fn a_bundle_owns_files_that_begin_with_its_name_and_no_other_place() {
        let text = "name = \"acme\"\nversion = \"1.0.0\"\nengine = \"*\"\n";
        let manifest = Manifest::read(text).unwrap();
        let check =
            |path: &str, expected: bool| assert_eq!(manifest.owns_path(path), expected, "{path}");
        check("plans/acme.toml", true);
        check("plans/acme-x_1.cases.md", true);
        check("policies/hold/acme-x.rhai", true);
        for path in [
            "plans/acmex.toml",
            "plans/other.toml",
            "plans/acme-x.rhai",
            "policies/holds/acme-x.rhai",
            "policies/hold/acme-/../../../x.rhai",
            "policies/hold/../acme-x.rhai",
            "policies/hold/acme-..\\x.rhai",
            "/plans/acme.toml",
            "plans/acme-x.toml/",
            "accredit.toml",
            "plugins.lock.toml",
        ] {
            check(path, false);
        }
    }
}
