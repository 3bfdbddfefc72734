//! The directory on disk: read as a whole, compared, and watched for changes.
//!
//! Not activation (`activation`): a changed file goes through the same door as a request. Files that
//! were refused stay wanted, and go in together with the next change.
//!
//! **Architecture invariant:** a directory that is deleted, renamed or replaced is watched again when
//! it is there, and until then the server is not ready.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use accredit_domain::limits::Limits;
use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::definitions::WATCH;
use accredit_ledger::terms::ChangeTerms;
use accredit_operations::activation::{self, ActivationOutcome, ChangeRequest};
use accredit_operations::error::OperationError;
use accredit_operations::preview::diff_files;
use accredit_workspace::{Files, is_definition};
use notify_debouncer_full::notify::event::ModifyKind;
use notify_debouncer_full::notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer,
};

use crate::directory::read_definitions;
use crate::server::health::ServerPart;
use crate::server::state::Service;

/// Changes within this time are one change: editors write a file in several steps.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// How often it is looked whether the directory is still the one that is watched.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A directory that has come anew is read when nothing in it changed for this long: half a copy must
/// not come into force.
const COPY_QUIET: Duration = Duration::from_millis(600);

/// What the thread that watches is told.
enum WatchSignal {
    /// Something in the directory has changed.
    Changed,
    /// The directory itself is gone or was renamed; another one may have its number by now.
    Replaced,
    /// The watcher stops.
    Stop,
}

/// Keeps watching until it is dropped.
pub(crate) struct WatchHandle {
    signals: Sender<WatchSignal>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        // A thread that has ended already hears nothing.
        let _ = self.signals.send(WatchSignal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The files of a directory that define something, and the cases beside them.
///
/// # Errors
/// What cannot be read.
pub(crate) fn read_directory(directory: &Path) -> Result<Files, String> {
    let mut files = read_definitions(directory).map_err(|error| error.to_string())?;
    files.retain(|path, _| is_definition(path) || path.ends_with(".cases.md"));
    Ok(files)
}

/// Watches the workspace's directory; `read` is what was read of it at start.
///
/// # Errors
/// When the system cannot watch it.
pub(crate) fn start_watching(service: &Arc<Service>, read: Files) -> Result<WatchHandle, String> {
    let directory = service.config.workspace.clone().unwrap_or_default();
    let (signals, queue) = channel();

    let mut watched = DirectoryWatcher {
        service: Arc::clone(service),
        directory: directory.clone(),
        read,
        wanted: BTreeMap::new(),
        signals: signals.clone(),
        place: None,
        events: None,
    };

    watched.watch_current()?;

    let thread = std::thread::Builder::new().name("watcher".to_owned());
    let thread = thread.spawn(move || watched.run(&queue));
    let thread = thread.map_err(|error| watch_failure(&directory, &error))?;

    Ok(WatchHandle { signals, thread: Some(thread) })
}

fn watch_failure(directory: &Path, error: &dyn std::fmt::Display) -> String {
    format!("`{}` cannot be watched: {error}", directory.display())
}

/// Whether something was changed: reading the directory is an event as well.
pub(crate) fn is_written(events: &DebounceEventResult) -> bool {
    let written = |event: &DebouncedEvent| !matches!(event.kind, EventKind::Access(_));
    events.as_ref().map_or(true, |events| events.iter().any(written))
}

/// Whether the watched directory itself was removed or renamed.
pub(crate) fn is_replaced(events: &DebounceEventResult, root: &Path) -> bool {
    let Ok(events) = events else { return true };
    events.iter().any(|event| {
        let gone =
            matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        gone && event.paths.iter().any(|path| path == root)
    })
}

/// A directory on a disk, independent of the path to it: one that was copied anew is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectoryIdentity {
    /// The path with all links resolved.
    pub(crate) path: PathBuf,
    /// Device and number, where the system has them.
    number: Option<(u64, u64)>,
    /// When it was made, where the system knows: numbers of removed directories are used again.
    made: Option<SystemTime>,
}

impl DirectoryIdentity {
    /// What `directory` leads to now.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be looked at.
    pub(crate) fn identity_of(directory: &Path) -> std::io::Result<DirectoryIdentity> {
        let path = directory.canonicalize()?;
        let metadata = path.metadata()?;
        Ok(DirectoryIdentity { number: number(&metadata), made: metadata.created().ok(), path })
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<(u64, u64)> {
    None
}

struct DirectoryWatcher {
    service: Arc<Service>,
    directory: PathBuf,
    /// The directory as it was last read.
    read: Files,
    /// Changes that were not accepted yet.
    wanted: BTreeMap<String, Option<Arc<str>>>,
    signals: Sender<WatchSignal>,
    /// The directory that is watched; none while there is none.
    place: Option<DirectoryIdentity>,
    /// Tells of changes in it, until it is dropped.
    events: Option<Debouncer<RecommendedWatcher, RecommendedCache>>,
}

impl DirectoryWatcher {
    fn run(&mut self, queue: &Receiver<WatchSignal>) {
        loop {
            let signal = queue.recv_timeout(LOOK_EVERY);
            if matches!(signal, Ok(WatchSignal::Stop) | Err(RecvTimeoutError::Disconnected)) {
                return;
            }
            if matches!(signal, Ok(WatchSignal::Replaced)) {
                self.place = None;
            }

            // What is watched may be gone, renamed, or no longer what the link points to.
            match DirectoryIdentity::identity_of(&self.directory) {
                Ok(place) if self.place.as_ref() == Some(&place) => {
                    if signal.is_ok() {
                        self.apply_changes();
                    }
                }
                Ok(_) => self.watch_anew(),
                Err(error) => self.report_lost(&error),
            }
        }
    }

    fn report_lost(&mut self, error: &dyn std::fmt::Display) {
        self.events = None;
        self.place = None;
        let reason = watch_failure(&self.directory, error);
        let reason = format!("{reason}; put it back, or start without `--watch`");
        self.service.health.report(ServerPart::Watcher, reason);
    }

    /// Watches the directory that has come in place of the other, once it is wholly there.
    fn watch_anew(&mut self) {
        if let Err(error) = self.watch_current() {
            return self.report_lost(&error);
        }

        let before = read_directory(&self.directory);
        std::thread::sleep(COPY_QUIET);

        if before.is_err() || before != read_directory(&self.directory) {
            // It is looked at again in a moment.
            self.place = None;
            return;
        }
        self.service.health.clear(ServerPart::Watcher);
        self.apply_changes();
    }

    fn watch_current(&mut self) -> Result<(), String> {
        let place = DirectoryIdentity::identity_of(&self.directory);
        let place = place.map_err(|error| watch_failure(&self.directory, &error))?;
        let signals = self.signals.clone();
        let root = place.path.clone();

        let changed = move |events: DebounceEventResult| {
            let signal = if is_replaced(&events, &root) {
                WatchSignal::Replaced
            } else if is_written(&events) {
                WatchSignal::Changed
            } else {
                return;
            };

            // The receiver is gone once the server stops.
            let _ = signals.send(signal);
        };

        let cannot = |error| watch_failure(&self.directory, &error);
        let mut events = new_debouncer(DEBOUNCE, None, changed).map_err(cannot)?;
        events.watch(&place.path, RecursiveMode::Recursive).map_err(cannot)?;

        self.events = Some(events);
        self.place = Some(place);

        Ok(())
    }

    fn apply_changes(&mut self) {
        let now = match read_directory(&self.directory) {
            Ok(now) => now,
            Err(message) => {
                self.service.health.report(ServerPart::Watcher, message);
                return;
            }
        };

        self.service.health.clear(ServerPart::Watcher);

        let changes = diff_files(&self.read, &now);
        if changes.is_empty() {
            return;
        }

        self.read = now;

        // Changes that were refused before are asked for again, with the new ones.
        self.wanted.extend(changes);

        // A second person reads what a change moves before approving it: no limit is needed then.
        let limited = !self.service.config.four_eyes;
        let limits = if limited { self.service.config.watch_limits } else { Limits::default() };
        let (who, source) = (WATCH.to_owned(), WATCH.to_owned());
        let terms = ChangeTerms { who, source, limits, ..ChangeTerms::default() };
        let files = self.wanted.clone();
        let change = ChangeRequest { files, terms, ..ChangeRequest::default() };

        match activation::submit_change(&self.service.context, &change, |_| Ok(())) {
            Ok(done) => {
                if let ActivationOutcome::Waiting(kept) = done {
                    eprintln!("change {} is waiting for approval", kept.id);
                }
                self.wanted.clear();
            }

            Err(OperationError::Check(findings)) => {
                for finding in findings {
                    let place = &finding.place;
                    eprintln!(
                        "{}:{}:{}: {} {}",
                        place.file, place.line, place.column, finding.code, finding.message
                    );
                }
            }

            Err(error) => self.refused(&error.to_string()),
        }
    }

    /// Tells that a sound change was kept out, where people look who save files: on stderr, in the log
    /// and as an alert.
    fn refused(&self, detail: &str) {
        let directory = self.directory.display();
        let files = self.wanted.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let message = format!(
            "{files} in the watched directory: refused, and the version in force stays: {detail}; \
                see the amounts with `accredit preview {directory}`, and put it in force with `accredit \
             apply {directory}`"
        );

        eprintln!("{message}");
        tracing::warn!(activation.source = WATCH, activation.refused = detail, "change refused");

        let alert = RaisedAlert::new("activation", "definitions_refused", message);
        let context = &self.service.context;
        if let Err(error) = context.ledger.raise_alert(&alert, context.now_ms()) {
            tracing::error!(error.cause = %error, "the alert of a refused change was not stored");
        }
    }
}
