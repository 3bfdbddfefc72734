//! A customer's directory on disk, read into memory: definitions and rows.
//!
//! The engine reads no disk; this module does, for the command line and for `serve --workspace`.
//! Not understanding what is in the files. Source: FORMAT section 1.

pub(crate) mod deals;
pub(crate) mod watch;

mod damaged;
mod encoding;
pub(crate) mod formats;
mod natural;
mod parquet;
pub(crate) mod piped;
#[cfg(test)]
mod tests;
mod walk;
mod xlsx;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::transaction::Record;
use accredit_domain::transaction::read::{FileLayout, MalformedBody, TextFormat};
use accredit_workspace::Files;

use self::formats::RowFormat;
use self::walk::OtherEntries;

/// A directory or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {message}\n  Help: {help}", path.display(), line_suffix(*at))]
pub(crate) struct DirectoryError {
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// Line and column, where something in the file is wrong.
    at: Option<(u64, u64)>,
    code: Code,
    message: String,
    /// What to do about it.
    help: String,
}

impl DirectoryError {
    /// The same as a finding about the directory `dir`.
    pub(crate) fn into_finding(self, dir: &Path) -> Diagnostic {
        let inside = self.path.strip_prefix(dir).ok().filter(|path| !path.as_os_str().is_empty());
        let parts: Vec<_> = inside.iter().flat_map(|path| path.iter()).collect();
        let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
        let file = if parts.is_empty() { self.path.display().to_string() } else { parts.join("/") };

        let (line, column) = self.at.unwrap_or_default();
        let [line, column] = [line, column].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Diagnostic::error(self.code, Place::new(file, line, column), self.message)
            .with_help(self.help)
    }

    /// A finding about a file of the directory `dir` as an error.
    fn from_finding(finding: Diagnostic, dir: &Path) -> DirectoryError {
        let Diagnostic { code, place, message, help, .. } = finding;
        let at =
            Some((u64::from(place.line), u64::from(place.column))).filter(|(line, _)| *line > 0);
        let help = help.unwrap_or_default();
        DirectoryError { path: dir.join(place.file), at, code, message, help }
    }
}

fn line_suffix(at: Option<(u64, u64)>) -> String {
    at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}

fn read_failure(path: &Path, message: impl ToString) -> DirectoryError {
    let help = "make it a file that can be read, or name another".to_owned();
    DirectoryError {
        path: path.to_owned(),
        at: None,
        code: Code::CR050,
        message: message.to_string(),
        help,
    }
}

/// A directory as it was found, even if some files have errors.
#[derive(Debug, Default)]
pub(crate) struct FoundFiles {
    /// The files; one that is no text with `\u{fffd}` where it is none.
    pub(crate) files: Files,
    /// What is wrong with files as such: they are no text (CR052).
    pub(crate) findings: Vec<Diagnostic>,
}

/// The folders of definitions.
const FOLDERS: [&str; 4] = ["organization", "plans", "policies", "tables"];

/// The definition files of `dir`: everything but rows, with `/` in their paths.
///
/// # Errors
/// The first file that cannot be read, or that `dir` is no directory.
pub(crate) fn read_definitions(dir: &Path) -> Result<Files, DirectoryError> {
    require_text(dir, find_definitions(dir)?)
}

/// The same with findings instead of an error about a single file.
pub(crate) fn find_definitions(dir: &Path) -> Result<FoundFiles, DirectoryError> {
    let mut found = FoundFiles::default();
    collect_files(dir, dir, false, &mut found)?;
    for folder in FOLDERS.map(|folder| dir.join(folder)).iter().filter(|path| path.is_dir()) {
        collect_files(dir, folder, true, &mut found)?;
    }
    Ok(found)
}

/// The files of `dir` that neither [`read_definitions`] nor [`read_rows`] reads, for their names
/// alone.
pub(crate) fn stray_files(dir: &Path, files: &Files) -> Result<Vec<String>, DirectoryError> {
    let mut strays = Vec::new();
    for path in walk::walk_files(dir, dir, STRAY_DEPTH_MAX, OtherEntries::RefusedIf(&|_| false))? {
        let name = name_in(dir, &path)?;
        let row = name.starts_with("transactions/") && name.matches('/').count() == 1;
        let in_folder = name.contains('/');
        if in_folder && !row && !files.contains_key(&name) {
            strays.push(name);
        }
    }
    Ok(strays)
}

/// Folders within folders that are looked through for misnamed files: what is deeper is no mistake of
/// a person who writes a policy.
const STRAY_DEPTH_MAX: usize = 4;

/// Every case file below `dir`, and the folders of customers in it: their cases need the files around
/// them, and are left out.
pub(crate) fn case_files(dir: &Path) -> Result<(FoundFiles, Vec<String>), DirectoryError> {
    let mut found = FoundFiles::default();
    collect_files(dir, dir, true, &mut found)?;

    let settings = found.files.keys().filter_map(|path| path.strip_suffix("/accredit.toml"));
    let customers: Vec<String> = settings.map(str::to_owned).collect();
    let is_customers = |path: &str| {
        let mut below = customers.iter().filter_map(|folder| path.strip_prefix(folder.as_str()));
        below.any(|rest| rest.starts_with('/'))
    };

    let is_wanted = |path: &str| path.ends_with(".cases.md") && !is_customers(path);
    found.files.retain(|path, _| is_wanted(path));
    found.findings.retain(|finding| is_wanted(&finding.place.file));
    Ok((found, customers))
}

/// The files, if all of them are text.
fn require_text(dir: &Path, found: FoundFiles) -> Result<Files, DirectoryError> {
    match found.findings.into_iter().find(Diagnostic::is_error) {
        Some(finding) => Err(DirectoryError::from_finding(finding, dir)),
        None => Ok(found.files),
    }
}

fn collect_files(
    root: &Path,
    dir: &Path,
    deep: bool,
    found: &mut FoundFiles,
) -> Result<(), DirectoryError> {
    let definition = |path: &Path| match path.extension().and_then(|ending| ending.to_str()) {
        Some("md") => deep,
        Some("toml" | "csv" | "rhai") => true,
        _ => false,
    };

    let depth = if deep { walk::DEPTH_MAX } else { 1 };

    // What else stands beside the folders of the format is the customer's own business.
    let others = if deep && dir != root {
        OtherEntries::Refused
    } else {
        OtherEntries::RefusedIf(&definition)
    };
    for path in files_below(root, dir, depth, others)?.into_iter().filter(|path| definition(path)) {
        let name = name_in(root, &path)?;
        let bytes = fs::read(&path).map_err(|error| read_failure(&path, error))?;
        let text = String::from_utf8_lossy(&bytes);
        found.findings.extend(encoding::no_text(&name, &bytes));
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        found.files.insert(name, Arc::from(text));
    }

    Ok(())
}

/// The files below `dir`, which must be a directory.
fn files_below(
    root: &Path,
    dir: &Path,
    depth: usize,
    others: OtherEntries<'_>,
) -> Result<Vec<PathBuf>, DirectoryError> {
    if dir.is_file() {
        let message = "this is a file; give the directory that contains accredit.toml";
        return Err(read_failure(dir, message));
    }
    walk::walk_files(root, dir, depth, others)
}

/// The name of a file below `root`, with `/` between folders.
fn name_in(root: &Path, path: &Path) -> Result<String, DirectoryError> {
    let name = path.strip_prefix(root).map_err(|error| read_failure(path, error))?;
    let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
    Ok(parts.join("/"))
}

/// Rows, and the columns that their files name.
#[derive(Debug, Default)]
pub(crate) struct DirectoryRows {
    /// In natural order of file names: `export-9` before `export-10`.
    pub(crate) records: Vec<Record>,
    /// Those of headers and of rows.
    pub(crate) columns: BTreeSet<String>,
    /// The files in the same order.
    pub(crate) sources: Vec<RowFile>,
}

/// A file of rows.
#[derive(Debug)]
pub(crate) struct RowFile {
    /// Its name in the directory of rows, or as it was given.
    pub(crate) name: String,
    /// The columns of its header; JSON has none.
    pub(crate) columns: Vec<String>,
    /// The line of each of its rows.
    pub(crate) lines: Vec<u64>,
    /// The delimiter, where it was found out.
    pub(crate) detected: Option<char>,
}

impl DirectoryRows {
    fn add(&mut self, record: Record) {
        for (column, _) in &record.cells {
            if !self.columns.contains(column) {
                self.columns.insert(column.clone());
            }
        }
        self.records.push(record);
    }

    /// Every row with its file and its line.
    pub(crate) fn placed_rows(&self) -> impl Iterator<Item = (&str, u64, &Record)> {
        let places = self
            .sources
            .iter()
            .flat_map(|source| source.lines.iter().map(|line| (source.name.as_str(), *line)));
        places.zip(&self.records).map(|((file, line), record)| (file, line, record))
    }
}

/// The rows of `path`, a file or a directory of files, which lie as `layout` says.
pub(crate) fn read_rows(path: &Path, layout: &FileLayout) -> Result<DirectoryRows, DirectoryError> {
    let mut rows = DirectoryRows::default();
    for (file, name) in row_files(path)? {
        file_rows(&file, name, layout, &mut rows, &mut |_| Ok(()))?;
    }
    Ok(rows)
}

/// What is done behind each row with the rows that were read: some may be taken out.
type AfterRow<'a> = dyn FnMut(&mut DirectoryRows) -> Result<(), DirectoryError> + 'a;

/// The files of rows at `path`, a file or a directory of files, in natural order of their names, each
/// with the name that people know it by.
fn row_files(path: &Path) -> Result<Vec<(PathBuf, String)>, DirectoryError> {
    if !path.is_dir() {
        return Ok(vec![(path.to_owned(), path.display().to_string())]);
    }

    // The folder of a customer's directory may link to its other folders.
    let workspace = path.parent().filter(|parent| parent.join("accredit.toml").is_file());
    let mut files = walk::walk_files(workspace.unwrap_or(path), path, 1, OtherEntries::Refused)?;
    files.retain(|file| file.extension().is_none_or(|extension| extension != "md"));
    files.sort_by_cached_key(|file| natural::sort_key(file));

    let named = files.into_iter().map(|file| {
        let name = name_in(path, &file)?;
        Ok((file, name))
    });
    named.collect()
}

fn file_rows(
    path: &Path,
    name: String,
    layout: &FileLayout,
    rows: &mut DirectoryRows,
    after_row: &mut AfterRow<'_>,
) -> Result<(), DirectoryError> {
    let Some((format, packed)) = formats::of_name(path) else {
        let expected = "expected a file of transactions: .csv, .ndjson, .json, .xlsx or .parquet, \
                        or one of the first three with .gz behind it";
        let help = "export it in one of these formats, or move it out of the folder";
        return Err(DirectoryError { help: help.to_owned(), ..read_failure(path, expected) });
    };

    if format == RowFormat::Parquet {
        return parquet_rows(path, name, rows, after_row);
    }

    let mut body = fs::read(path).map_err(|error| read_failure(path, error))?;
    if packed {
        let unpacked = formats::unpacked_file(&body).map_err(MalformedBody::from);
        body = unpacked.map_err(|error| read_failure(path, error.message))?;
    }
    let malformed = |error| malformed_rows(path, format, &body, error);
    let most = formats::UNPACKED_BYTES_MAX;
    let opened = formats::Body::open_body(format, &body, layout, most);
    let mut opened = opened.map_err(|error| malformed(error.into()))?;
    let detected = opened.detected_delimiter();
    let (columns, read) = opened.rows().map_err(malformed)?;

    rows.columns.extend(columns.iter().cloned());
    let mut lines = Vec::new();
    for row in read {
        let row = row.map_err(malformed)?;
        lines.push(row.line);
        rows.add(row.record);
        after_row(rows)?;
    }
    rows.sources.push(RowFile { name, columns, lines, detected });
    Ok(())
}

fn malformed_rows(
    path: &Path,
    format: RowFormat,
    body: &[u8],
    error: MalformedBody,
) -> DirectoryError {
    let text = format != RowFormat::Xlsx;
    if let Some(finding) = text.then(|| encoding::no_text("", body)).flatten() {
        return DirectoryError {
            path: path.to_owned(),
            ..DirectoryError::from_finding(finding, path)
        };
    }

    let help = error.help.unwrap_or_else(|| {
        let help = match format {
            RowFormat::Text(TextFormat::Ndjson) => "write one JSON object a line",
            RowFormat::Text(TextFormat::Json) => "write one JSON object, or an array of them",
            _ => "save it again in the program that made it, or export it as CSV",
        };
        help.to_owned()
    });

    let (path, at) = (path.to_owned(), Some((error.line, error.column)));
    DirectoryError { path, at, code: Code::CR030, message: error.message, help }
}

fn parquet_rows(
    path: &Path,
    name: String,
    rows: &mut DirectoryRows,
    after_row: &mut AfterRow<'_>,
) -> Result<(), DirectoryError> {
    let (columns, read) = parquet::read(path).map_err(|error| read_failure(path, error))?;
    rows.columns.extend(columns.iter().cloned());

    let mut lines = Vec::new();
    for (line, record) in (1..).zip(read) {
        lines.push(line);
        rows.add(record.map_err(|error| read_failure(path, error))?);
        after_row(rows)?;
    }
    rows.sources.push(RowFile { name, columns, lines, detected: None });
    Ok(())
}
