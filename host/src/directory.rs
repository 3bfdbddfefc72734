//! A customer's directory on disk, read into memory: definitions and rows.
//!
//! The engine reads no disk; this module does, for the command line and for `serve --workspace`.
//! Not understanding what is in the files. Source: FORMAT section 1.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_engine::transaction::{Record, read};
use accredit_engine::workspace::Files;

/// A directory or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub(crate) struct Unreadable {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) message: String,
}

fn unreadable(path: &Path, message: impl ToString) -> Unreadable {
    Unreadable { path: path.to_owned(), message: message.to_string() }
}

/// The definition files of `dir`: everything but rows, with `/` in their paths.
pub(crate) fn definitions(dir: &Path) -> Result<Files, Unreadable> {
    let mut files = Files::new();
    for folder in ["", "organization", "plans", "policies"] {
        let path = dir.join(folder);
        if folder.is_empty() {
            collect(dir, dir, false, &mut files)?;
        } else if path.is_dir() {
            collect(dir, &path, true, &mut files)?;
        }
    }
    Ok(files)
}

/// Every case file below `dir`.
pub(crate) fn case_files(dir: &Path) -> Result<Files, Unreadable> {
    let mut files = Files::new();
    collect(dir, dir, true, &mut files)?;
    files.retain(|path, _| path.ends_with(".cases.md"));
    Ok(files)
}

fn collect(root: &Path, dir: &Path, deep: bool, files: &mut Files) -> Result<(), Unreadable> {
    for path in sorted(dir)? {
        if path.is_dir() {
            if deep {
                collect(root, &path, deep, files)?;
            }
            continue;
        }
        let wanted = ["toml", "csv", "rhai", "md"];
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !extension.is_some_and(|extension| wanted.contains(&extension)) {
            continue;
        }
        let name = path.strip_prefix(root).map_err(|error| unreadable(&path, error))?;
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let readme = !deep && extension == Some("md");
        if !readme {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
            let text = String::from_utf8(bytes).map_err(|_| unreadable(&path, "not UTF-8 text"))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            files.insert(parts.join("/"), Arc::from(text));
        }
    }
    Ok(())
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
    });
    paths.sort();
    Ok(paths)
}

/// The rows of `path`, a file or a directory of files, in order of file names.
pub(crate) fn rows(path: &Path) -> Result<Vec<Record>, Unreadable> {
    if !path.is_dir() {
        return file_rows(path);
    }
    let mut records = Vec::new();
    for file in sorted(path)?.iter().filter(|file| file.is_file()) {
        records.extend(file_rows(file)?);
    }
    Ok(records)
}

fn file_rows(path: &Path) -> Result<Vec<Record>, Unreadable> {
    let body = fs::read(path).map_err(|error| unreadable(path, error))?;
    let rows = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => read::csv(&body),
        Some("ndjson" | "jsonl") => read::ndjson(&body),
        Some("json") => read::json(&body),
        Some("parquet") => return Err(unreadable(path, "parquet files are not supported yet")),
        _ => return Err(unreadable(path, "expected a .csv or .ndjson file of transactions")),
    };
    rows.map_err(|error| unreadable(path, error))
}

/// The columns of rows.
pub(crate) fn columns(records: &[Record]) -> BTreeSet<String> {
    let cells = records.iter().flat_map(|record| &record.cells);
    let mut columns = BTreeSet::new();
    for (column, _) in cells {
        if !columns.contains(column) {
            columns.insert(column.clone());
        }
    }
    columns
}
