//! `plugins.lock.toml`: which bundles a customer's directory has, with the hash of every file.
//!
//! Not a definition: nothing that decides reads it. Called by `install` and `cli::bundle`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{BundleError, io_failure};

/// The file's name in a customer's directory.
pub(crate) const LOCK: &str = "plugins.lock.toml";

const HEAD: &str = "# Written by `accredit bundle`; kept with the directory, not edited.\n\n";

/// Every bundle of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundleLock {
    /// In order of their names.
    #[serde(default)]
    pub(crate) bundle: Vec<InstalledBundle>,
}

/// One bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstalledBundle {
    pub(crate) name: String,
    pub(crate) version: Version,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    pub(crate) digest: String,
    /// The public key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed: Option<String>,
    /// Whether that key was asked for when it was installed.
    pub(crate) verified: bool,
    /// What the customer set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, String>,
    /// Hash of every file as it was written.
    pub(crate) files: BTreeMap<String, String>,
}

impl BundleLock {
    /// The lock of the directory `dir`; an empty one when there is none.
    pub(crate) fn read(dir: &Path) -> Result<BundleLock, BundleError> {
        let path = dir.join(LOCK);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| io_failure(&path, error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BundleLock::default()),
            Err(error) => Err(io_failure(&path, error)),
        }
    }

    /// The file's text; none when there is no bundle.
    pub(crate) fn to_toml(&self) -> Result<Option<String>, BundleError> {
        if self.bundle.is_empty() {
            return Ok(None);
        }
        let text = toml::to_string(self).map_err(|error| BundleError::new(error.to_string()))?;
        Ok(Some(format!("{HEAD}{text}")))
    }

    /// The bundle with this name.
    pub(crate) fn find(&self, name: &str) -> Option<&InstalledBundle> {
        self.bundle.iter().find(|bundle| bundle.name == name)
    }

    /// The bundle that a file belongs to.
    pub(crate) fn owner_of(&self, path: &str) -> Option<&InstalledBundle> {
        self.bundle.iter().find(|bundle| bundle.files.contains_key(path))
    }

    /// The same with `bundle` in the place of the one of the same name, or without that.
    pub(crate) fn with_bundle(&self, name: &str, bundle: Option<InstalledBundle>) -> BundleLock {
        let rest = self.bundle.iter().filter(|known| known.name != name).cloned();
        let mut all: Vec<InstalledBundle> = rest.chain(bundle).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        BundleLock { bundle: all }
    }
}

/// The hash of a file's text, independent of line endings.
pub(crate) fn text_hash(text: &str) -> String {
    blake3::hash(text.replace("\r\n", "\n").as_bytes()).to_hex().to_string()
}

/// The files of a bundle that are not as they were written; a missing one among them.
pub(crate) fn edited_files(dir: &Path, bundle: &InstalledBundle) -> Vec<String> {
    let files = bundle.files.iter().filter(|(path, written)| {
        fs::read_to_string(dir.join(path)).map_or(true, |text| text_hash(&text) != **written)
    });
    files.map(|(path, _)| path.clone()).collect()
}
