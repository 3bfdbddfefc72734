//! A customer's directory on disk, read into memory: definitions and rows.
//!
//! The engine reads no disk; this module does, for the command line and for `serve --workspace`.
//! Not understanding what is in the files. Source: FORMAT section 1.

mod encoding;
#[cfg(feature = "parquet")]
mod parquet;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_domain::diagnostic::{Diagnostic, Place};
use accredit_domain::transaction::Record;
use accredit_domain::transaction::read::{self, Malformed};
use accredit_workspace::Files;

/// A directory or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {message}\n  Help: {help}", path.display(), shown(*at))]
pub(crate) struct Unreadable {
    /// Which.
    pub(crate) path: PathBuf,
    /// Line and column, where something in the file is wrong.
    at: Option<(u64, u64)>,
    code: &'static str,
    message: String,
    /// What to do about it.
    help: String,
}

impl Unreadable {
    /// The same as a finding about the directory `dir`.
    pub(crate) fn finding(self, dir: &Path) -> Diagnostic {
        let inside = self.path.strip_prefix(dir).ok().filter(|path| !path.as_os_str().is_empty());
        let parts: Vec<_> = inside.iter().flat_map(|path| path.iter()).collect();
        let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
        let file = if parts.is_empty() { self.path.display().to_string() } else { parts.join("/") };
        let (line, column) = self.at.unwrap_or_default();
        let [line, column] = [line, column].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Diagnostic::error(self.code, Place::new(file, line, column), self.message).help(self.help)
    }

    /// A finding about a file of the directory `dir` as an error.
    fn of(finding: Diagnostic, dir: &Path) -> Unreadable {
        let Diagnostic { code, place, message, help, .. } = finding;
        let at =
            Some((u64::from(place.line), u64::from(place.column))).filter(|(line, _)| *line > 0);
        let help = help.unwrap_or_default();
        Unreadable { path: dir.join(place.file), at, code, message, help }
    }
}

fn shown(at: Option<(u64, u64)>) -> String {
    at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}

fn unreadable(path: &Path, message: impl ToString) -> Unreadable {
    let help = "make it a file that can be read, or name another".to_owned();
    Unreadable {
        path: path.to_owned(),
        at: None,
        code: "CR050",
        message: message.to_string(),
        help,
    }
}

/// A directory as it was found, whatever is wrong with a file of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files; one that is no text with `\u{fffd}` where it is none.
    pub(crate) files: Files,
    /// What is wrong with files as such: they are no text (CR052).
    pub(crate) findings: Vec<Diagnostic>,
}

/// The folders of definitions.
const FOLDERS: [&str; 3] = ["organization", "plans", "policies"];

/// The definition files of `dir`: everything but rows, with `/` in their paths.
///
/// # Errors
/// The first file that cannot be read, or that `dir` is no directory.
pub(crate) fn definitions(dir: &Path) -> Result<Files, Unreadable> {
    whole(dir, found(dir)?)
}

/// The same with findings instead of an error about a single file.
pub(crate) fn found(dir: &Path) -> Result<Found, Unreadable> {
    let mut found = Found::default();
    collect(dir, dir, false, &mut found)?;
    for folder in FOLDERS.map(|folder| dir.join(folder)).iter().filter(|path| path.is_dir()) {
        collect(dir, folder, true, &mut found)?;
    }
    Ok(found)
}

/// The files of `dir` that neither [`definitions`] nor [`rows`] reads, for their names alone.
pub(crate) fn strays(dir: &Path, files: &Files) -> Result<Vec<String>, Unreadable> {
    let mut strays = Vec::new();
    let mut folders: Vec<PathBuf> = sorted(dir)?.into_iter().filter(|path| path.is_dir()).collect();
    while let Some(folder) = folders.pop() {
        for path in sorted(&folder)? {
            let name = path.strip_prefix(dir).map_err(|error| unreadable(&path, error))?;
            let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
            let row = parts.len() == 2 && parts.first().is_some_and(|part| part == "transactions");
            if path.is_dir() {
                // What is deeper is no mistake of somebody who writes a policy.
                if parts.len() < DEPTH_MAX {
                    folders.push(path);
                }
            } else if !row && !files.contains_key(&parts.join("/")) {
                strays.push(parts.join("/"));
            }
        }
    }
    strays.sort();
    Ok(strays)
}

/// Folders within folders that are looked through for misnamed files.
const DEPTH_MAX: usize = 4;

/// Every case file below `dir`.
pub(crate) fn case_files(dir: &Path) -> Result<Found, Unreadable> {
    let mut found = Found::default();
    collect(dir, dir, true, &mut found)?;
    found.files.retain(|path, _| path.ends_with(".cases.md"));
    found.findings.retain(|finding| finding.place.file.ends_with(".cases.md"));
    Ok(found)
}

/// The files, if all of them are text.
fn whole(dir: &Path, found: Found) -> Result<Files, Unreadable> {
    match found.findings.into_iter().find(Diagnostic::is_error) {
        Some(finding) => Err(Unreadable::of(finding, dir)),
        None => Ok(found.files),
    }
}

fn collect(root: &Path, dir: &Path, deep: bool, found: &mut Found) -> Result<(), Unreadable> {
    for path in sorted(dir)? {
        if path.is_dir() {
            if deep {
                collect(root, &path, deep, found)?;
            }
            continue;
        }
        let name = path.strip_prefix(root).map_err(|error| unreadable(&path, error))?;
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.join("/");
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("md") if !deep => (),
            Some("toml" | "csv" | "rhai" | "md") => {
                let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
                let text = String::from_utf8_lossy(&bytes);
                found.findings.extend(encoding::no_text(&name, &bytes));
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                found.files.insert(name, Arc::from(text));
            }
            _ => (),
        }
    }
    Ok(())
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let entries = fs::read_dir(dir).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unreadable(dir, "there is no such directory"),
        io::ErrorKind::NotADirectory => {
            unreadable(dir, "this is a file; give the directory in which accredit.toml stands")
        }
        _ => unreadable(dir, error),
    })?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
    });
    paths.sort();
    Ok(paths)
}

/// Rows, and the columns that their files name.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// In order of file names.
    pub(crate) records: Vec<Record>,
    /// Those of headers and of rows.
    pub(crate) columns: BTreeSet<String>,
}

/// The rows of `path`, a file or a directory of files.
pub(crate) fn rows(path: &Path) -> Result<Rows, Unreadable> {
    let mut rows = Rows::default();
    if !path.is_dir() {
        file_rows(path, &mut rows)?;
        return Ok(rows);
    }
    let note = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "md");
    for file in sorted(path)?.iter().filter(|file| file.is_file() && !note(file)) {
        file_rows(file, &mut rows)?;
    }
    Ok(rows)
}

fn file_rows(path: &Path, rows: &mut Rows) -> Result<(), Unreadable> {
    if path.extension().is_some_and(|extension| extension == "parquet") {
        return parquet_rows(path, rows);
    }
    let body = fs::read(path).map_err(|error| unreadable(path, error))?;
    let records = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => {
            rows.columns.extend(read::csv_columns(&body));
            read::csv(&body)
        }
        Some("ndjson" | "jsonl") => read::ndjson(&body),
        Some("json") => read::json(&body),
        _ => {
            let expected = "expected a .csv, .ndjson or .parquet file of transactions";
            let help = "export it in one of these formats, or move it out of the folder";
            return Err(Unreadable { help: help.to_owned(), ..unreadable(path, expected) });
        }
    };
    let records = records.map_err(|error| malformed(path, &body, error))?;
    for (column, _) in records.iter().flat_map(|record| &record.cells) {
        if !rows.columns.contains(column) {
            rows.columns.insert(column.clone());
        }
    }
    rows.records.extend(records);
    Ok(())
}

fn malformed(path: &Path, body: &[u8], error: Malformed) -> Unreadable {
    if let Some(finding) = encoding::no_text("", body) {
        return Unreadable { path: path.to_owned(), ..Unreadable::of(finding, path) };
    }
    let help = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => "put a cell that contains a comma in quotes; a blank cell needs its comma",
        Some("json") => "write one JSON object, or an array of them",
        _ => "write one JSON object a line",
    };
    let help = match error.message.as_str() {
        message if message.contains("header twice") => "rename one of the two",
        message if message.contains("its quote") => {
            "close the quote, and write a quote inside a quoted cell twice"
        }
        _ => help,
    };
    let at = Some((error.line, error.column));
    let (path, help) = (path.to_owned(), help.to_owned());
    Unreadable { path, at, code: "CR030", message: error.message, help }
}

#[cfg(feature = "parquet")]
fn parquet_rows(path: &Path, rows: &mut Rows) -> Result<(), Unreadable> {
    let (columns, records) = parquet::read(path).map_err(|error| unreadable(path, error))?;
    rows.columns.extend(columns);
    rows.records.extend(records);
    Ok(())
}

#[cfg(not(feature = "parquet"))]
fn parquet_rows(path: &Path, _: &mut Rows) -> Result<(), Unreadable> {
    let message = "this program was built without the feature `parquet`: build it with \
                   `cargo build --release --features parquet`, or export the rows as CSV";
    Err(unreadable(path, message))
}

#[cfg(all(test, not(feature = "parquet")))]
mod tests {
    use super::*;

    #[test]
    fn parquet_is_refused_by_the_name_of_its_feature() {
        let refused = rows(Path::new("deals.parquet")).unwrap_err().to_string();
        assert!(refused.contains("--features parquet"), "{refused}");
    }
}
