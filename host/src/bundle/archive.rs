//! A bundle as one file: JSON with the manifest, the texts, their digest and, perhaps, a signature.
//!
//! Not installing. Called by `cli::bundle` and `install`.
//!
//! **Architecture invariant:** an archive that was read is whole: its digest and its signature are
//! right, its paths are its own and every definition has cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use accredit_cases::{self as cases, CaseOptions};
use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::Files;
use serde::{Deserialize, Serialize};

use super::manifest::{MANIFEST, Manifest};
use super::{BundleError, io_failure, settings, sign};
use crate::directory;

/// The format of this program.
const FORMAT: u32 = 1;

/// Bytes of an archive.
const ARCHIVE_BYTES_MAX: u64 = 8 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveDocument {
    accredit_bundle: u32,
    manifest: String,
    files: BTreeMap<String, String>,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// Whether a person vouches for a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignatureState {
    /// The bundle has no signature.
    No,
    /// The person with this key.
    By(String),
    /// The owner of the key that was asked for.
    Verified(String),
}

impl std::fmt::Display for SignatureState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SignatureState::No => f.write_str("not signed"),
            SignatureState::By(key) => write!(f, "signed by {key}, not verified"),
            SignatureState::Verified(key) => write!(f, "signed by {key}, verified"),
        }
    }
}

/// A bundle that is whole.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    /// `plugin.toml`.
    pub(crate) manifest: Manifest,
    /// Its files.
    pub(crate) files: Files,
    /// The hash of the content.
    pub(crate) digest: String,
    /// Who vouches for it.
    pub(crate) signed: SignatureState,
}

impl Archive {
    /// Reads the bundle at `path`; with `verify` only one that is signed with that public key.
    pub(crate) fn read(path: &Path, verify: Option<&str>) -> Result<Archive, BundleError> {
        let size = fs::metadata(path).map_err(|error| io_failure(path, error))?.len();
        if size > ARCHIVE_BYTES_MAX {
            return Err(io_failure(path, format!("more than {ARCHIVE_BYTES_MAX} bytes")));
        }

        let text = fs::read_to_string(path).map_err(|error| io_failure(path, error))?;
        let written: ArchiveDocument = serde_json::from_str(&text)
            .map_err(|error| io_failure(path, format!("not a bundle: {error}")))?;

        if written.accredit_bundle != FORMAT {
            let message = format!("format {} is not known", written.accredit_bundle);
            return Err(io_failure(path, message));
        }

        let files = written.files.into_iter().map(|(path, text)| (path, Arc::from(text)));
        let files: Files = files.collect();

        if packed_digest(&written.manifest, &files) != written.digest {
            return Err(io_failure(path, "the content is not what was packed: its digest differs"));
        }

        let signed = check_signature(&written.digest, written.key, written.signature, verify)
            .map_err(|message| io_failure(path, message))?;
        let manifest = Manifest::read(&written.manifest)?;
        check_complete(&manifest, &files)?;

        Ok(Archive { manifest, files, digest: written.digest, signed })
    }

    /// Name and version, for messages.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.manifest.name, self.manifest.version)
    }
}

fn check_signature(
    digest: &str,
    key: Option<String>,
    signature: Option<String>,
    verify: Option<&str>,
) -> Result<SignatureState, String> {
    let wanted = verify.map(sign::public_key);
    match (key, signature, wanted) {
        (None, None, None) => Ok(SignatureState::No),
        (None, None, Some(_)) => Err("not signed".to_owned()),

        (Some(key), Some(signature), wanted) => {
            if !sign::verify_signature(&key, &signature, digest) {
                return Err("the signature is wrong".to_owned());
            }
            match wanted {
                None => Ok(SignatureState::By(key)),
                Some(wanted) if wanted == key => Ok(SignatureState::Verified(key)),
                Some(_) => Err(format!("signed by another key, {key}")),
            }
        }

        _ => Err("a signature without a key, or a key without a signature".to_owned()),
    }
}

/// Packs the bundle in `dir` into `out`, signed with the key in the file `sign`.
pub(crate) fn pack_bundle(
    dir: &Path,
    out: &Path,
    sign: Option<&Path>,
) -> Result<Archive, BundleError> {
    let path = dir.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|error| io_failure(&path, error))?;
    let manifest = Manifest::read(&text)?;
    let mut files =
        directory::read_definitions(dir).map_err(|error| BundleError::new(error.to_string()))?;

    // The manifest and other files of the top folder are no part of what is installed.
    files.retain(|path, _| path.contains('/'));

    if let Some(named) = &manifest.files {
        if let Some(missing) = named.iter().find(|path| !files.contains_key(*path)) {
            return Err(BundleError::new(format!(
                "`{missing}` is named in {MANIFEST} but missing"
            )));
        }
        files.retain(|path, _| named.contains(path));
    }

    check_complete(&manifest, &files)?;

    let failures = run_cases(&files, &files);
    if !failures.is_empty() {
        return Err(BundleError::with_findings("cases of the bundle fail", failures, &files));
    }

    let digest = packed_digest(&text, &files);
    let keys = sign.map(sign::read_key).transpose()?;
    let (key, signature) = keys.map(|key| sign::sign_digest(&key, &digest)).unzip();
    let texts = files.iter().map(|(path, text)| (path.clone(), text.to_string()));

    let written = ArchiveDocument {
        accredit_bundle: FORMAT,
        manifest: text,
        files: texts.collect(),
        digest: digest.clone(),
        key: key.clone(),
        signature,
    };

    let json = serde_json::to_string_pretty(&written).map_err(|error| io_failure(out, error))?;
    fs::write(out, json + "\n").map_err(|error| io_failure(out, error))?;

    let signed = key.map_or(SignatureState::No, SignatureState::By);
    Ok(Archive { manifest, files, digest, signed })
}

/// What no bundle may lack.
fn check_complete(manifest: &Manifest, files: &Files) -> Result<(), BundleError> {
    let name = &manifest.name;
    if let Some(path) = files.keys().find(|path| !manifest.owns_path(path)) {
        let message = format!(
            "`{path}` cannot be in the bundle {name}: expected plans/{name}-… or \
             policies/KIND/{name}-…, with .toml, .rhai or .cases.md"
        );
        return Err(BundleError::new(message));
    }

    let definitions = files.keys().filter(|path| !path.ends_with(".cases.md"));
    let mut count = 0;

    for path in definitions {
        count += 1;
        let stem = path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
        if !files.contains_key(&format!("{stem}.cases.md")) {
            return Err(BundleError::new(format!("`{path}` has no cases beside it")));
        }
    }

    if count == 0 {
        return Err(BundleError::new(format!("the bundle {name} has no policy and no plan")));
    }

    match manifest.settings.keys().find(|setting| !settings::has_constant(files, setting)) {
        Some(setting) => {
            let message = format!("no policy has `const {setting} = …;`, which is a setting");
            Err(BundleError::new(message))
        }
        None => Ok(()),
    }
}

/// What the cases of `files` find on top of `base`.
pub(super) fn run_cases(base: &Files, files: &Files) -> Vec<Diagnostic> {
    let run = cases::run_case_files(base, &case_files(files), &CaseOptions::default());
    let found = run.files.into_iter().map(|file| match file.outcomes {
        Ok(outcomes) => outcomes.into_iter().flat_map(|outcome| outcome.failures).collect(),
        Err(errors) => errors,
    });
    found.flat_map(|failures: Vec<Diagnostic>| failures).collect()
}

/// Path and text of every case file.
pub(super) fn case_files(files: &Files) -> Vec<(&str, &str)> {
    let files = files.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    files.map(|(path, text)| (path.as_str(), text.as_ref())).collect()
}

/// Names manifest and files; lengths keep the end of one part from passing for the next.
pub(crate) fn packed_digest(manifest: &str, files: &Files) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        // With its length: parts that are cut elsewhere give another digest.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };

    add(manifest);
    for (path, text) in files {
        add(path);
        add(text);
    }
    hasher.finalize().to_hex().to_string()
}
