//! The files below a folder, by walkdir: regular ones, and links to what lies inside the directory.
//!
//! Not reading them. Called by `directory`.
//!
//! **Architecture invariant:** a walk ends: every folder is entered once, however many links point
//! to it, and nothing is opened that could block, such as a pipe.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{DirectoryError, read_failure};

/// Folders within folders that are walked through.
pub(super) const DEPTH_MAX: usize = 16;

/// What is done about links that point outside and about what is no file.
#[derive(Clone, Copy)]
pub(super) enum OtherEntries<'a> {
    /// They are refused under any name.
    Refused,
    /// They are refused where this function wants their names, else passed over.
    RefusedIf(&'a dyn Fn(&Path) -> bool),
}

/// A walk below a customer's directory.
struct DirectoryWalk<'a> {
    others: OtherEntries<'a>,
    /// The directory, without links.
    root: PathBuf,
    /// Folders that were entered, without links.
    entered: BTreeSet<PathBuf>,
    /// What was found, by the names under which it was found.
    files: Vec<PathBuf>,
}

/// The files of `dir`, which is `root` or lies in it, in order of their names; `depth` 1 means those
/// that stand in it. Hidden ones are left out.
///
/// # Errors
/// The first entry that is no file, no folder and no link inside `root`, or that cannot be listed.
pub(super) fn walk_files(
    root: &Path,
    dir: &Path,
    depth: usize,
    others: OtherEntries<'_>,
) -> Result<Vec<PathBuf>, DirectoryError> {
    let whole = root.canonicalize().map_err(|error| missing_path(root, &error))?;
    let mut walk =
        DirectoryWalk { others, root: whole, entered: BTreeSet::new(), files: Vec::new() };
    let mut waiting = vec![(dir.to_owned(), depth)];

    // Links wait until the folders themselves were entered, under their own names.
    while let Some((folder, depth)) = waiting.pop() {
        waiting.extend(walk.enter_folder(&folder, depth)?);
    }

    walk.files.sort();
    Ok(walk.files)
}

impl DirectoryWalk<'_> {
    /// Finds the files of a folder; links to folders are returned, with the depth that is left.
    fn enter_folder(
        &mut self,
        folder: &Path,
        depth: usize,
    ) -> Result<Vec<(PathBuf, usize)>, DirectoryError> {
        let whole = self.resolve_inside(folder)?;
        if self.entered.contains(&whole) {
            return Ok(Vec::new());
        }

        let mut links = Vec::new();

        // The folder itself may be a link: it is walked under its true name, and named as it was.
        let entries = WalkDir::new(&whole).min_depth(1).max_depth(depth);
        for entry in entries.into_iter().filter_entry(|entry| !is_hidden(entry)) {
            let entry = entry.map_err(|error| {
                let place = error.path().unwrap_or(folder).to_owned();
                read_failure(&place, error)
            })?;
            let name = entry.path().strip_prefix(&whole).unwrap_or(entry.path());
            let path = folder.join(name);
            let kind = entry.file_type();

            if kind.is_symlink() {
                match self.resolve_inside(&path) {
                    Ok(target) if target.is_dir() => {
                        links.push((path, depth.saturating_sub(entry.depth())));
                    }
                    Ok(target) => self.add(path, target.is_file())?,
                    Err(error) if self.refuses_other(&path) => return Err(error),
                    Err(_) => (),
                }
            } else if kind.is_dir() {
                self.entered.insert(entry.into_path());
            } else {
                self.add(path, kind.is_file())?;
            }
        }

        self.entered.insert(whole);
        links.retain(|(_, depth)| *depth > 0);
        links.reverse();

        Ok(links)
    }

    fn add(&mut self, path: PathBuf, regular: bool) -> Result<(), DirectoryError> {
        if regular {
            self.files.push(path);
        } else if self.refuses_other(&path) {
            return Err(read_failure(&path, "this is a pipe or a device, not a file"));
        }
        Ok(())
    }

    fn refuses_other(&self, path: &Path) -> bool {
        match self.others {
            OtherEntries::Refused => true,
            OtherEntries::RefusedIf(wanted) => wanted(path),
        }
    }

    /// Where a path leads, which must lie inside the directory.
    fn resolve_inside(&self, path: &Path) -> Result<PathBuf, DirectoryError> {
        let whole = path.canonicalize().map_err(|error| missing_path(path, &error))?;
        if whole.starts_with(&self.root) {
            return Ok(whole);
        }
        Err(read_failure(path, "this link points outside the directory"))
    }
}

fn missing_path(path: &Path, error: &io::Error) -> DirectoryError {
    match error.kind() {
        io::ErrorKind::NotFound if path.is_symlink() => {
            read_failure(path, "this link points to nothing")
        }
        io::ErrorKind::NotFound => read_failure(path, "the directory does not exist"),
        _ => read_failure(path, error),
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_walk_ends_whatever_links_there_are() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("policies/hold")).unwrap();
        fs::create_dir_all(at("shared/value")).unwrap();
        fs::write(at("policies/hold/a.rhai"), "").unwrap();
        fs::write(at("shared/value/b.rhai"), "").unwrap();

        // Two links to their own folder: the check ran without end.
        symlink(".", at("policies/one")).unwrap();
        symlink(at("policies"), at("policies/two")).unwrap();
        symlink("../shared/value", at("policies/value")).unwrap();
        symlink("hold/a.rhai", at("policies/c.rhai")).unwrap();

        let found =
            walk_files(dir.path(), &at("policies"), DEPTH_MAX, OtherEntries::Refused).unwrap();
        let expected = ["policies/c.rhai", "policies/hold/a.rhai", "policies/value/b.rhai"];
        assert_eq!(found, expected.map(at));

        let refused = |what: &str| {
            let error = walk_files(dir.path(), &at("policies"), DEPTH_MAX, OtherEntries::Refused)
                .unwrap_err()
                .to_string();
            assert!(error.contains(what), "{error}");
        };

        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), at("policies/out")).unwrap();
        refused("policies/out: this link points outside the directory");
        fs::remove_file(at("policies/out")).unwrap();

        // Reading a pipe without a writer blocks forever.
        let made = std::process::Command::new("mkfifo").arg(at("policies/hold/p.rhai")).status();
        assert!(made.unwrap().success());
        refused("policies/hold/p.rhai: this is a pipe or a device, not a file");
    }
}
