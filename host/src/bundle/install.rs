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

use accredit_cases::{self as cases, Options};
use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::{Files, Ruleset};

use super::archive::{Archive, Signed, case_files, run_cases};
use super::lock::{Installed, LOCK, Lock, edited, hash};
use super::{Refused, failed, settings};
use crate::directory;

/// How a bundle is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// In the place of another version, not for the first time.
    pub(crate) upgrade: bool,
    /// Even over edited files, and an older version too.
    pub(crate) force: bool,
    /// Constants to set.
    pub(crate) settings: BTreeMap<String, String>,
}

/// Installs or upgrades `archive` in the directory `dir`; the paths written.
pub(crate) fn install(dir: &Path, archive: &Archive, wish: &Wish) -> Result<Vec<String>, Refused> {
    let manifest = &archive.manifest;
    manifest.fits(env!("CARGO_PKG_VERSION"))?;

    let lock = Lock::read(dir)?;
    let old = lock.find(&manifest.name);
    allowed(dir, archive, old, wish)?;

    for path in archive.files.keys() {
        let (known, there) = (lock.owner(path), dir.join(path).exists());
        let stranger = known.is_none_or(|owner| owner.name != manifest.name);
        if stranger && there && (known.is_some() || !wish.force) {
            let owner = known.map_or("", |owner| owner.name.as_str());
            let of = if owner.is_empty() { String::new() } else { format!(" and is {owner}'s") };
            return Err(Refused::new(format!("`{path}` is there already{of}")));
        }
    }

    let mut wanted = old.map(|old| old.settings.clone()).unwrap_or_default();
    wanted.retain(|name, _| manifest.settings.contains_key(name));
    wanted.extend(wish.settings.clone());

    let before = definitions(dir)?;
    let mut base = before.clone();
    base.retain(|path, _| old.is_none_or(|old| !old.files.contains_key(path)));

    let files = proven(archive, &base, &wanted)?;
    let mut after = base;
    after.extend(files.clone());
    judge(dir, &before, &after)?;

    let hashes = files.iter().map(|(path, text)| (path.clone(), hash(text)));

    let (signed, verified) = match &archive.signed {
        Signed::No => (None, false),
        Signed::By(key) => (Some(key.clone()), false),
        Signed::Verified(key) => (Some(key.clone()), true),
    };

    let installed = Installed {
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
    change.insert(LOCK.to_owned(), lock.with(&manifest.name, Some(installed)).text()?);
    write(dir, &change)?;

    Ok(files.into_keys().collect())
}

/// Removes the bundle `name` from the directory `dir`; the paths removed.
pub(crate) fn remove(dir: &Path, name: &str, force: bool) -> Result<Vec<String>, Refused> {
    let lock = Lock::read(dir)?;
    let old = lock.find(name);
    let old = old.ok_or_else(|| Refused::new(format!("the bundle {name} is not installed")))?;

    unedited(dir, old, force)?;

    let before = definitions(dir)?;
    let mut after = before.clone();
    after.retain(|path, _| !old.files.contains_key(path));

    if !force {
        judge(dir, &before, &after)?;
    }

    let mut change: BTreeMap<String, Option<String>> =
        old.files.keys().map(|path| (path.clone(), None)).collect();
    change.insert(LOCK.to_owned(), lock.with(name, None).text()?);
    write(dir, &change)?;

    Ok(old.files.keys().cloned().collect())
}

fn allowed(
    dir: &Path,
    archive: &Archive,
    old: Option<&Installed>,
    wish: &Wish,
) -> Result<(), Refused> {
    let (name, version) = (&archive.manifest.name, &archive.manifest.version);
    match (old, wish.upgrade) {
        (None, false) => Ok(()),
        (None, true) => Err(Refused::new(format!("the bundle {name} is not installed"))),
        (Some(old), false) => {
            let known = &old.version;
            Err(Refused::new(format!("{name} {known} is installed; `upgrade` replaces it")))
        }

        (Some(old), true) if old.version >= *version && !wish.force => {
            let known = &old.version;
            Err(Refused::new(format!("{name} {known} is installed, which is not older")))
        }

        (Some(old), true) => unedited(dir, old, wish.force),
    }
}

fn unedited(dir: &Path, bundle: &Installed, force: bool) -> Result<(), Refused> {
    let edited = edited(dir, bundle);
    if edited.is_empty() || force {
        return Ok(());
    }
    let files = edited.join("`, `");
    Err(Refused::new(format!("`{files}` was edited since; --force gives the edits up")))
}

/// The bundle's files as they will stand: its cases pass with its own constants, and say what comes
/// out with the customer's.
fn proven(
    archive: &Archive,
    base: &Files,
    wanted: &BTreeMap<String, String>,
) -> Result<Files, Refused> {
    let mut merged = base.clone();
    merged.extend(archive.files.clone());

    // The cases were written for the constants as packed, so these are tried first.
    let failures = run_cases(&merged, &archive.files);
    if !failures.is_empty() {
        return Err(Refused::found("cases of the bundle fail here", failures, &merged));
    }

    let mut files = settings::apply(&archive.manifest, &archive.files, wanted)?;
    if files == archive.files {
        return Ok(files);
    }

    merged.extend(files.clone());

    // Settings change what comes out, so the cases are rewritten to it.
    let run = cases::run_all(&merged, &case_files(&files), &Options::default());
    let mut rewritten = Files::new();

    for file in &run.files {
        let outcomes = file.outcomes.iter().flatten();
        let edits: Vec<_> = outcomes.flat_map(|outcome| outcome.edits.clone()).collect();
        if let Some(text) = files.get(&file.path) {
            rewritten.insert(file.path.clone(), Arc::from(cases::apply(text, &edits)));
        }
    }

    files.extend(rewritten);
    merged.extend(files.clone());

    let failures = run_cases(&merged, &files);
    if failures.is_empty() {
        return Ok(files);
    }

    Err(Refused::found("cases of the bundle fail with these settings", failures, &merged))
}

/// Refuses a change that adds an error to the directory.
fn judge(dir: &Path, before: &Files, after: &Files) -> Result<(), Refused> {
    let columns = columns(dir);
    let known: Vec<Diagnostic> = Ruleset::read(before, &columns).1;
    let mut found = Ruleset::read(after, &columns).1;

    // Errors that the directory has already are not the bundle's.
    found.retain(|one| one.is_error() && !known.contains(one));
    if found.is_empty() {
        return Ok(());
    }
    Err(Refused::found("the directory would have errors that it has not now", found, after))
}

fn definitions(dir: &Path) -> Result<Files, Refused> {
    if !dir.join("accredit.toml").is_file() {
        return Err(failed(dir, "not a customer's directory: there is no accredit.toml"));
    }
    directory::definitions(dir).map_err(|error| Refused::new(error.to_string()))
}

/// Columns of the rows beside the definitions, as `accredit check` knows them.
fn columns(dir: &Path) -> BTreeSet<String> {
    let own = dir.join("transactions");
    let read = || {
        let layout = accredit_workspace::layout(&directory::definitions(dir)?);
        directory::rows(&own, &layout)
    };
    let rows = own.is_dir().then(read).and_then(Result::ok);
    rows.unwrap_or_default().columns
}

/// Writes texts and removes files below `dir`, all of them or none.
fn write(dir: &Path, change: &BTreeMap<String, Option<String>>) -> Result<(), Refused> {
    let read = |path: &Path| match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, error)),
    };

    let old = change.keys().map(|path| Ok((path, read(&dir.join(path))?)));
    let old: Vec<(&String, Option<Vec<u8>>)> = old.collect::<Result<_, Refused>>()?;

    for (path, text) in change {
        let bytes = text.as_ref().map(|text| text.as_bytes());
        if let Err(error) = put(&dir.join(path), bytes) {
            for (path, bytes) in &old {
                // What fails here fails like the first, which is reported.
                let _ = put(&dir.join(path), bytes.as_deref());
            }
            return Err(error);
        }
    }

    Ok(())
}

/// Replaces one file, or removes it.
fn put(path: &Path, bytes: Option<&[u8]>) -> Result<(), Refused> {
    let fail = |error: std::io::Error| failed(path, error);
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
