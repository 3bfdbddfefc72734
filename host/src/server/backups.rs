//! Backups of the data file while the server uses it: made, checked, listed, and the oldest removed.
//!
//! Not the copying (the ledger's `backup`). A backup is a data file and, beside it, a summary in JSON of
//! what it has; `accredit restore` compares the two.
//!
//! **Architecture invariant:** a file has the name of a backup only once it was read again and is on the
//! disk; the newest backups are never removed for a copy that failed.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use accredit_ledger::Ledger;
use accredit_ledger::backup::CopySummary;
use accredit_seams::store::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::plugins;
use crate::server::clock::format_rfc3339;
use crate::server::config::BackupPlan;
use crate::server::state::Service;

/// What the names of backups begin and end with; a time between them puts them in order.
const NAME_START: &str = "accredit-";
const NAME_END: &str = ".redb";

/// What the folder of a backup begins with while it is made.
const PART_START: &str = ".backup-";

/// What is added to the name of a backup for its summary.
const SUMMARY_END: &str = ".json";

/// How often the server looks whether a backup is due.
const TICK: Duration = Duration::from_millis(250);

/// After a backup that failed, the next one is tried so much later.
const RETRY: Duration = Duration::from_secs(300);

/// The summary beside a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupSummary {
    /// The name of the file.
    pub(crate) file: String,
    /// The instant at which it was begun: what was committed before is in it.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    /// The version of the program that made it.
    pub(crate) version: String,
    /// Bytes of the file.
    pub(crate) bytes: u64,
    /// What it has.
    pub(crate) content: CopySummary,
}

/// Makes a backup for `who`, with rows of the audit trail for it and for those that are removed.
///
/// # Errors
/// Why there is none. When only the trail cannot be written, the backup is there.
pub(crate) fn make_noted_backup(
    ledger: &Ledger,
    (who, now_ms): (&str, i64),
    plan: &BackupPlan,
) -> Result<BackupSummary, StoreError> {
    let (summary, removed) = make_backup(ledger, now_ms, plan)?;
    let BackupSummary { file, bytes, content, .. } = &summary;
    let detail = json!({ "file": file, "bytes": bytes, "blake3": content.blake3 });
    ledger.note_act(now_ms, (who, "backup_made", detail))?;
    for file in removed {
        ledger.note_act(now_ms, (who, "backup_removed", json!({ "file": file })))?;
    }
    Ok(summary)
}

/// Makes a backup, and removes the oldest ones beyond those that are kept; gives its summary and their
/// names.
///
/// # Errors
/// Why there is none; the folder is then as it was.
pub(crate) fn make_backup(
    ledger: &Ledger,
    now_ms: i64,
    plan: &BackupPlan,
) -> Result<(BackupSummary, Vec<String>), StoreError> {
    // Two at a time would take one name.
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);

    let folder = &plan.folder;
    let cannot = |error: &dyn std::fmt::Display| {
        StoreError::Failed(format!("no backup in `{}`: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(|error| cannot(&error))?;

    let file = new_name(folder, now_ms);
    let part = tempfile::Builder::new().prefix(PART_START).tempdir_in(folder);
    let part = part.map_err(|error| cannot(&error))?;
    let part_file = part.path().join("part.redb");

    let content = ledger.copy_into(plugins::open_store(&part_file)?)?;
    // Commits leave room behind that a copy does not need.
    plugins::compact_store(&part_file)?;
    let bytes = fs::metadata(&part_file).map_err(|error| cannot(&error))?.len();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let at = format_rfc3339(now_ms);
    let summary = BackupSummary { file: file.clone(), at, version, bytes, content };

    // The summary first: a backup without one could not be compared.
    let text = serde_json::to_vec_pretty(&summary).map_err(|error| cannot(&error))?;
    let part_summary = part.path().join("part.json");
    let write = || {
        let mut out = File::create(&part_summary)?;
        out.write_all(&text)?;
        out.sync_all()?;
        // The secrets of sources are in it, as in the data file.
        for path in [&part_file, &part_summary] {
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
        }
        File::open(&part_file)?.sync_all()?;
        fs::rename(&part_summary, summary_path(&folder.join(&file)))?;
        fs::rename(&part_file, folder.join(&file))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| cannot(&error))?;

    let removed = remove_oldest(folder, plan.keep, &file);
    Ok((summary, removed))
}

/// A name that no backup has: two in one second get numbers.
fn new_name(folder: &Path, now_ms: i64) -> String {
    let stamp: String = format_rfc3339(now_ms)
        .chars()
        .take_while(|sign| *sign != '.')
        .filter(|sign| sign.is_ascii_alphanumeric())
        .collect();
    let stamp = stamp.trim_end_matches('Z');
    (0..)
        .map(|number| match number {
            0 => format!("{NAME_START}{stamp}Z{NAME_END}"),
            _ => format!("{NAME_START}{stamp}Z-{number}{NAME_END}"),
        })
        .find(|name| !folder.join(name).exists())
        .unwrap_or_default()
}

/// The path of the summary beside a backup.
pub(crate) fn summary_path(backup: &Path) -> PathBuf {
    let mut path = backup.as_os_str().to_owned();
    path.push(SUMMARY_END);
    PathBuf::from(path)
}

/// The backups of a folder, oldest first.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn list_backups(folder: &Path) -> std::io::Result<Vec<BackupSummary>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }

    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if !name.starts_with(NAME_START) || !name.ends_with(NAME_END) {
            continue;
        }
        let summary = fs::read(summary_path(&path)).ok();
        let summary = summary.and_then(|text| serde_json::from_slice(&text).ok());
        found.extend(summary.filter(|summary: &BackupSummary| summary.file == name));
    }
    found.sort_by(|one, other| (&one.at, &one.file).cmp(&(&other.at, &other.file)));
    Ok(found)
}

/// Removes the oldest backups beyond those that are kept, never the one that was just made: a clock that
/// was once ahead makes others seem newer. Gives the names of those that are gone.
fn remove_oldest(folder: &Path, keep: usize, made: &str) -> Vec<String> {
    let Ok(mut backups) = list_backups(folder) else { return Vec::new() };
    backups.retain(|backup| backup.file != made);
    let keep = keep.saturating_sub(1);
    let beyond = backups.len().saturating_sub(keep);
    let mut gone = Vec::new();
    for old in backups.into_iter().take(beyond) {
        let path = folder.join(&old.file);
        let removed = fs::remove_file(&path).and_then(|()| fs::remove_file(summary_path(&path)));
        match removed {
            Ok(()) => gone.push(old.file),
            Err(error) => tracing::warn!(
                error.cause = %error, backup = old.file, "an old backup was not removed"
            ),
        }
    }
    gone
}

/// Removes what backups left that a stop interrupted.
fn remove_interrupted(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PART_START) {
            // What cannot be removed takes room, and is tried again at the next start.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Makes backups by the plan of the server until it stops.
pub(crate) fn run(service: &Service) {
    let planned = service.config.backups.as_ref();
    if let Some(plan) = planned {
        remove_interrupted(&plan.folder);
    }
    let Some((plan, every)) = planned.and_then(|plan| Some((plan, plan.every?))) else {
        while !service.stopping.load(std::sync::atomic::Ordering::Acquire) {
            std::thread::sleep(TICK);
        }
        return;
    };

    let mut next = Instant::now() + until_next(service, plan, every);
    while !service.stopping.load(std::sync::atomic::Ordering::Acquire) {
        if Instant::now() >= next {
            next = Instant::now() + if back_up(service, plan) { every } else { RETRY.min(every) };
        }
        std::thread::sleep(TICK);
    }
}

/// How long until the first backup after a start: a restart neither delays nor repeats one.
fn until_next(service: &Service, plan: &BackupPlan, every: Duration) -> Duration {
    let backups = list_backups(&plan.folder).unwrap_or_default();
    let last = backups.last().and_then(|last| last.at.parse::<jiff::Timestamp>().ok());
    let Some(last) = last else { return Duration::ZERO };
    let age_ms = service.clock.now_ms().saturating_sub(last.as_millisecond());
    every.saturating_sub(Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)))
}

/// Makes a backup, and counts it.
///
/// # Errors
/// Why there is none.
pub(crate) fn make_counted_backup(
    service: &Service,
    who: &str,
    plan: &BackupPlan,
) -> Result<BackupSummary, StoreError> {
    let now_ms = service.clock.now_ms();
    let made = make_noted_backup(&service.context.ledger, (who, now_ms), plan);
    service.metrics.own_work.count_backup(made.is_ok().then_some(now_ms / 1000));
    made
}

fn back_up(service: &Service, plan: &BackupPlan) -> bool {
    match make_counted_backup(service, "serve", plan) {
        Ok(summary) => {
            tracing::info!(backup.file = summary.file, backup.bytes = summary.bytes, "backed up");
            true
        }
        Err(error) => {
            tracing::error!(error.cause = %error, "the backup failed");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    #[test]
    fn the_newest_backups_stay_and_each_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(Arc::new(MemoryStore::default())).unwrap();
        let folder_path = folder.path().join("backups");
        let plan = BackupPlan { folder: folder_path.clone(), every: None, keep: 2 };

        let mut made = Vec::new();
        for (number, seconds) in [0, 0, 5, 9].into_iter().enumerate() {
            ledger.set_meta(&format!("key {number}"), b"1").unwrap();
            let now_ms = 1_767_225_600_000 + seconds * 1000;
            made.push(make_noted_backup(&ledger, ("ann", now_ms), &plan).unwrap());
        }
        let names: Vec<&str> = made.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(names[0], "accredit-20260101T000000Z.redb");
        assert_eq!(names[1], "accredit-20260101T000000Z-1.redb");
        assert_eq!(list_backups(&folder_path).unwrap(), made[2..]);
        let left = fs::read_dir(&folder_path).unwrap().count();
        assert_eq!(left, 4, "two backups with their summaries, and nothing else");

        // A clock that goes back: the new backup seems old, and stays.
        let late = make_backup(&ledger, 1_700_000_000_000, &plan).unwrap().0;
        let listed = list_backups(&folder_path).unwrap();
        assert_eq!(listed, [late, made[3].clone()]);

        let path = folder_path.join(names[3]);
        let copy = Ledger::open(plugins::open_store_read_only(&path).unwrap()).unwrap();
        assert_eq!(copy.summarize_rows().unwrap(), made[3].content);
        assert_eq!(copy.get_meta("key 3").unwrap().unwrap(), b"1");
    }

    #[test]
    fn a_backup_that_fails_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        let ledger = Ledger::open(Arc::new(MemoryStore::default())).unwrap();
        let plan = BackupPlan { folder: blocked.join("sub"), every: None, keep: 1 };
        assert!(make_backup(&ledger, 0, &plan).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
