//! A customer's directory on disk, read into memory: definitions and rows.
//!
//! The engine reads no disk; this module does, for the command line and for `serve --workspace`.
//! Not understanding what is in the files. Source: FORMAT section 1.

#[cfg(feature = "parquet")]
mod parquet;
mod strays;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_engine::diagnostic::{Diagnostic, Place};
use accredit_engine::transaction::{Record, read};
use accredit_engine::workspace::Files;

/// A directory or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{message}", path.display(), place(*line))]
pub(crate) struct Unreadable {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) message: String,
    /// The line, where it is known; else 0.
    pub(crate) line: u64,
}

impl Unreadable {
    /// As a finding of `check` about the directory `dir`.
    pub(crate) fn finding(&self, code: &'static str, dir: &Path) -> Diagnostic {
        let path = self.path.strip_prefix(dir).unwrap_or(&self.path);
        let path = if path.as_os_str().is_empty() { &self.path } else { path };
        let line = u32::try_from(self.line).unwrap_or(0);
        let place = Place::new(path.display().to_string(), line, u32::from(line > 0));
        Diagnostic::error(code, place, &self.message)
    }
}

fn unreadable(path: &Path, message: impl ToString) -> Unreadable {
    Unreadable { path: path.to_owned(), message: message.to_string(), line: 0 }
}

fn place(line: u64) -> String {
    if line > 0 { format!("line {line}: ") } else { String::new() }
}

/// A directory as it was found, whatever is wrong with a file of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files; one that is no text with `\u{fffd}` where it is none.
    pub(crate) files: Files,
    /// What is wrong with files as such: no text (CR052), or nothing reads them (CR050).
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
        Some(finding) => Err(Unreadable {
            line: u64::from(finding.place.line),
            ..unreadable(&dir.join(&finding.place.file), finding.message)
        }),
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
                found.findings.extend(strays::no_text(&name, &bytes));
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                found.files.insert(name, Arc::from(text));
            }
            _ if deep => found.findings.extend(strays::unread(&name)),
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
    for file in sorted(path)?.iter().filter(|file| file.is_file()) {
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
            return Err(unreadable(path, expected));
        }
    };
    let records = records
        .map_err(|error| Unreadable { line: error.line, ..unreadable(path, error.message) })?;
    for (column, _) in records.iter().flat_map(|record| &record.cells) {
        if !rows.columns.contains(column) {
            rows.columns.insert(column.clone());
        }
    }
    rows.records.extend(records);
    Ok(())
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
