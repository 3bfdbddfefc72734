//! The directory on disk: read as a whole, compared, and watched for changes.
//!
//! Not activation (`door`): a changed file goes through the same door as a request. Files that were
//! refused stay wanted, and go in together with the next change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accredit_workspace::{Files, definition};
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};

use crate::directory::definitions;
use crate::door::{Change, Done, Refused};
use crate::service::Service;

/// Changes within this time are one change: editors write a file in several steps.
const SETTLE: Duration = Duration::from_millis(200);

/// Keeps watching until it is dropped.
pub(crate) type Watching = Debouncer<RecommendedWatcher, RecommendedCache>;

/// The files of a directory that define something, and the cases beside them.
///
/// # Errors
/// What cannot be read.
pub(crate) fn read(directory: &Path) -> Result<Files, String> {
    let mut files = definitions(directory).map_err(|error| error.to_string())?;
    files.retain(|path, _| definition(path) || path.ends_with(".cases.md"));
    Ok(files)
}

/// What makes `old` into `new`.
pub(crate) fn differences(old: &Files, new: &Files) -> BTreeMap<String, Option<Arc<str>>> {
    let gone = old.keys().filter(|path| !new.contains_key(*path));
    let mut changes: BTreeMap<_, _> = gone.map(|path| (path.clone(), None)).collect();
    for (path, text) in new {
        if old.get(path) != Some(text) {
            changes.insert(path.clone(), Some(Arc::clone(text)));
        }
    }
    changes
}

/// Watches the workspace's directory; `read` is what was read of it at start.
///
/// # Errors
/// When the system cannot watch it.
pub(crate) fn start(service: &Arc<Service>, read: Files) -> Result<Watching, String> {
    let directory = service.config.workspace.clone().unwrap_or_default();
    let mut watched = Watched {
        service: Arc::clone(service),
        directory: directory.clone(),
        read,
        wanted: BTreeMap::new(),
    };
    let cannot = |error| format!("`{}` cannot be watched: {error}", directory.display());
    let changed = move |_: DebounceEventResult| watched.changed();
    let mut debouncer = new_debouncer(SETTLE, None, changed).map_err(cannot)?;
    debouncer.watch(&directory, RecursiveMode::Recursive).map_err(cannot)?;
    Ok(debouncer)
}

struct Watched {
    service: Arc<Service>,
    directory: std::path::PathBuf,
    /// The directory as it was last read.
    read: Files,
    /// Changes that were not accepted yet.
    wanted: BTreeMap<String, Option<Arc<str>>>,
}

impl Watched {
    fn changed(&mut self) {
        let now = match read(&self.directory) {
            Ok(now) => now,
            Err(message) => {
                tracing::warn!(error.cause = %message, "directory not read");
                return;
            }
        };
        let changes = differences(&self.read, &now);
        if changes.is_empty() {
            return;
        }
        self.read = now;
        self.wanted.extend(changes);
        let change = Change {
            files: self.wanted.clone(),
            who: "watch".to_owned(),
            source: "watch",
            ..Change::default()
        };
        match self.service.submit(&change, |_| Ok(())) {
            Ok(done) => {
                if let Done::Waiting(kept) = done {
                    eprintln!("change {} waits until somebody approves it", kept.id);
                }
                self.wanted.clear();
            }
            Err(Refused::Diagnostics(findings)) => {
                for finding in findings {
                    let place = &finding.place;
                    eprintln!(
                        "{}:{}:{}: {} {}",
                        place.file, place.line, place.column, finding.code, finding.message
                    );
                }
            }
            Err(Refused::Problem(problem)) => {
                eprintln!("refused: {}; the version in force stays", problem.detail());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_new_changed_and_gone() {
        let files = |rows: &[(&str, &str)]| -> Files {
            rows.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect()
        };
        let changes = differences(
            &files(&[("same", "1"), ("changed", "1"), ("gone", "1")]),
            &files(&[("same", "1"), ("changed", "2"), ("new", "1")]),
        );
        let expected = [("changed", Some("2")), ("gone", None), ("new", Some("1"))];
        let got: Vec<_> = changes.iter().map(|(p, t)| (p.as_str(), t.as_deref())).collect();
        assert_eq!(got, expected);
    }
}
