//! Installing, upgrading and removing: judged on the directory as it would be, then written as one.
//!
//! Not the server's door: a running server takes the files like any others. Called by
//! `cli::bundle`.
//!
//! **Architecture invariant:** when something cannot be written, everything is put back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use accredit_cases::{self as cases, CaseOptions};
use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::{Files, Ruleset};

use super::archive::{Archive, SignatureState, case_files, run_cases};
use super::lock::{BundleLock, InstalledBundle, LOCK, edited_files, text_hash};
use super::{BundleError, io_failure, settings};
use crate::directory;

/// How a bundle is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstallRequest {
    /// In the place of another version, not for the first time.
    pub(crate) upgrade: bool,
    /// Even over edited files, and an older version too.
    pub(crate) force: bool,
    /// Constants to set.
    pub(crate) settings: BTreeMap<String, String>,
}

/// Installs or upgrades `archive` in the directory `dir`; the paths written.
pub(crate) fn install_bundle(
    dir: &Path,
    archive: &Archive,
    wish: &InstallRequest,
) -> Result<Vec<String>, BundleError> {
    let manifest = &archive.manifest;
    manifest.check_program(env!("CARGO_PKG_VERSION"))?;

    let lock = BundleLock::read(dir)?;
    let old = lock.find(&manifest.name);
    check_upgrade(dir, archive, old, wish)?;

    for path in archive.files.keys() {
        let (known, there) = (lock.owner_of(path), dir.join(path).exists());
        let stranger = known.is_none_or(|owner| owner.name != manifest.name);
        if stranger && there && (known.is_some() || !wish.force) {
            let owner = known.map_or("", |owner| owner.name.as_str());
            let of = if owner.is_empty() { String::new() } else { format!(" and is {owner}'s") };
            return Err(BundleError::new(format!("`{path}` already exists{of}")));
        }
    }

    let mut wanted = old.map(|old| old.settings.clone()).unwrap_or_default();
    wanted.retain(|name, _| manifest.settings.contains_key(name));
    wanted.extend(wish.settings.clone());

    let before = read_definitions(dir)?;
    let mut base = before.clone();
    base.retain(|path, _| old.is_none_or(|old| !old.files.contains_key(path)));

    let files = configured_files(archive, &base, &wanted)?;
    let mut after = base;
    after.extend(files.clone());
    check_directory(dir, &before, &after)?;

    let hashes = files.iter().map(|(path, text)| (path.clone(), text_hash(text)));

    let (signed, verified) = match &archive.signed {
        SignatureState::No => (None, false),
        SignatureState::By(key) => (Some(key.clone()), false),
        SignatureState::Verified(key) => (Some(key.clone()), true),
    };

    let installed = InstalledBundle {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        description: manifest.description.clone(),
        digest: archive.digest.clone(),
        signed,
        verified,
        settings: wanted,
        files: hashes.collect(),
    };

    let mut change: BTreeMap<String, Option<String>> = BTreeMap::new();
    change.extend(old.iter().flat_map(|old| old.files.keys().map(|path| (path.clone(), None))));
    change.extend(files.iter().map(|(path, text)| (path.clone(), Some(text.to_string()))));
    change.insert(LOCK.to_owned(), lock.with_bundle(&manifest.name, Some(installed)).to_toml()?);
    write_changes(dir, &change)?;

    Ok(files.into_keys().collect())
}

/// Removes the bundle `name` from the directory `dir`; the paths removed.
pub(crate) fn remove_bundle(
    dir: &Path,
    name: &str,
    force: bool,
) -> Result<Vec<String>, BundleError> {
    let lock = BundleLock::read(dir)?;
    let old = lock.find(name);
    let old = old.ok_or_else(|| BundleError::new(format!("the bundle {name} is not installed")))?;

    check_unedited(dir, old, force)?;

    let before = read_definitions(dir)?;
    let mut after = before.clone();
    after.retain(|path, _| !old.files.contains_key(path));

    if !force {
        check_directory(dir, &before, &after)?;
    }

    let mut change: BTreeMap<String, Option<String>> =
        old.files.keys().map(|path| (path.clone(), None)).collect();
    change.insert(LOCK.to_owned(), lock.with_bundle(name, None).to_toml()?);
    write_changes(dir, &change)?;

    Ok(old.files.keys().cloned().collect())
}

fn check_upgrade(
    dir: &Path,
    archive: &Archive,
    old: Option<&InstalledBundle>,
    wish: &InstallRequest,
) -> Result<(), BundleError> {
    let (name, version) = (&archive.manifest.name, &archive.manifest.version);
    match (old, wish.upgrade) {
        (None, false) => Ok(()),
        (None, true) => Err(BundleError::new(format!("the bundle {name} is not installed"))),
        (Some(old), false) => {
            let known = &old.version;
            Err(BundleError::new(format!("{name} {known} is installed; `upgrade` replaces it")))
        }

        (Some(old), true) if old.version >= *version && !wish.force => {
            let known = &old.version;
            Err(BundleError::new(format!("{name} {known} is installed, which is not older")))
        }

        (Some(old), true) => check_unedited(dir, old, wish.force),
    }
}

fn check_unedited(dir: &Path, bundle: &InstalledBundle, force: bool) -> Result<(), BundleError> {
    let edited = edited_files(dir, bundle);
    if edited.is_empty() || force {
        return Ok(());
    }
    let files = edited.join("`, `");
    Err(BundleError::new(format!("`{files}` was edited since; --force discards the edits")))
}

/// The bundle's files as they will stand: its cases pass with its own constants, and say what comes
/// out with the customer's.
fn configured_files(
    archive: &Archive,
    base: &Files,
    wanted: &BTreeMap<String, String>,
) -> Result<Files, BundleError> {
    let mut merged = base.clone();
    merged.extend(archive.files.clone());

    // The cases were written for the constants as packed, so these are tried first.
    let failures = run_cases(&merged, &archive.files);
    if !failures.is_empty() {
        return Err(BundleError::with_findings("cases of the bundle fail here", failures, &merged));
    }

    let mut files = settings::apply_settings(&archive.manifest, &archive.files, wanted)?;
    if files == archive.files {
        return Ok(files);
    }

    merged.extend(files.clone());

    // Settings change what comes out, so the cases are rewritten to it.
    let run = cases::run_case_files(&merged, &case_files(&files), &CaseOptions::default());
    let mut rewritten = Files::new();

    for file in &run.files {
        let outcomes = file.outcomes.iter().flatten();
        let edits: Vec<_> = outcomes.flat_map(|outcome| outcome.edits.clone()).collect();
        if let Some(text) = files.get(&file.path) {
            rewritten.insert(file.path.clone(), Arc::from(cases::apply_edits(text, &edits)));
        }
    }

    files.extend(rewritten);
    merged.extend(files.clone());

    let failures = run_cases(&merged, &files);
    if failures.is_empty() {
        return Ok(files);
    }

    Err(BundleError::with_findings(
        "cases of the bundle fail with these settings",
        failures,
        &merged,
    ))
}

/// Refuses a change that adds an error to the directory.
fn check_directory(dir: &Path, before: &Files, after: &Files) -> Result<(), BundleError> {
    let columns = row_columns(dir);
    let known: Vec<Diagnostic> = Ruleset::read(before, &columns).1;
    let mut found = Ruleset::read(after, &columns).1;

    // Errors that the directory has already are not the bundle's.
    found.retain(|one| one.is_error() && !known.contains(one));
    if found.is_empty() {
        return Ok(());
    }
    Err(BundleError::with_findings("the directory would have new errors", found, after))
}

fn read_definitions(dir: &Path) -> Result<Files, BundleError> {
    if !dir.join("accredit.toml").is_file() {
        return Err(io_failure(dir, "not a customer's directory: there is no accredit.toml"));
    }
    directory::read_definitions(dir).map_err(|error| BundleError::new(error.to_string()))
}

/// Columns of the rows beside the definitions, as `accredit check` knows them.
fn row_columns(dir: &Path) -> BTreeSet<String> {
    let own = dir.join("transactions");
    let read = || {
        let layout = accredit_workspace::transaction_layout(&directory::read_definitions(dir)?);
        directory::read_rows(&own, &layout)
    };
    let rows = own.is_dir().then(read).and_then(Result::ok);
    rows.unwrap_or_default().columns
}

/// Writes texts and removes files below `dir`, all of them or none.
fn write_changes(dir: &Path, change: &BTreeMap<String, Option<String>>) -> Result<(), BundleError> {
    let read = |path: &Path| match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_failure(path, error)),
    };

    let old = change.keys().map(|path| Ok((path, read(&dir.join(path))?)));
    let old: Vec<(&String, Option<Vec<u8>>)> = old.collect::<Result<_, BundleError>>()?;

    for (path, text) in change {
        let bytes = text.as_ref().map(|text| text.as_bytes());
        if let Err(error) = replace_file(&dir.join(path), bytes) {
            for (path, bytes) in &old {
                // What fails here fails like the first, which is reported.
                let _ = replace_file(&dir.join(path), bytes.as_deref());
            }
            return Err(error);
        }
    }

    Ok(())
}

/// Replaces one file, or removes it.
fn replace_file(path: &Path, bytes: Option<&[u8]>) -> Result<(), BundleError> {
    let fail = |error: std::io::Error| io_failure(path, error);
    let Some(bytes) = bytes else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(fail(error)),
            _ => Ok(()),
        };
    };

    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(fail)?;

    // A reader sees the old file or the new one, never half of it.
    let file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    fs::write(file.path(), bytes).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;

    Ok(())
}
