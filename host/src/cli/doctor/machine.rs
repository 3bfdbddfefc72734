//! What can be seen on this machine: settings, secrets, data file, disk, backups and directory.

use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::Finding;
use crate::cli::run::hosts::database_address;
use crate::directory::watch::read_directory;
use crate::plugins;
use crate::server::backups;
use crate::server::credentials::CredentialSources;

/// A process needs so many open files: connections, and some of its own.
const FILES_MIN: u64 = 2048;

/// A disk should have so many times the size of the data file free: compacting and backups write a copy.
const ROOM_TIMES: u64 = 2;

/// Bytes that a disk should have free at least.
const ROOM_BYTES_MIN: u64 = 512 << 20;

/// A newest backup that is older than this is worth a warning.
const BACKUP_AGE_MAX: Duration = Duration::from_hours(48);

/// Tokens, secrets and limits of the process.
pub(super) fn check_settings() -> Vec<Finding> {
    let sources = CredentialSources::from_environment();
    let mut findings = vec![match sources.read() {
        Ok(_) => Finding::ok("settings", "tokens and secrets can be read"),
        Err(error) => Finding::error("settings", error),
    }];

    for path in sources.files() {
        let Ok(metadata) = fs::metadata(path) else { continue };
        if is_open_to_others(&metadata) {
            let found =
                format!("`{0}` can be read by every user: `chmod o-rwx {0}`", path.display());
            findings.push(Finding::warning("secrets", found));
        }
    }

    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    findings.push(match limit {
        Some(limit) if limit < FILES_MIN => {
            let found = format!("{limit} open files are allowed: `ulimit -n {FILES_MIN}`");
            Finding::warning("open files", found)
        }
        _ => Finding::ok("open files", "enough are allowed"),
    });
    findings
}

fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o007 != 0
}

/// The data file and the disk that it is on.
pub(super) fn check_data(data: &Path) -> Vec<Finding> {
    if let Some(address) = data.to_str().filter(|data| plugins::is_database_address(data)) {
        return vec![check_database(address)];
    }
    let shown = data.display();
    let metadata = match fs::metadata(data) {
        Ok(metadata) => metadata,
        Err(error) => {
            let found = format!("`{shown}`: {error}; check whether its disk is mounted");
            return vec![Finding::error("data file", found)];
        }
    };

    let mut findings = Vec::new();
    if is_open_to_others(&metadata) {
        let found = format!("`{shown}` can be read by every user: `chmod o-rwx {shown}`");
        findings.push(Finding::warning("data file", found));
    }
    findings.push(match plugins::open_store(data) {
        Ok(_) => Finding::ok("data file", format!("`{shown}` opens")),
        Err(error) if error.to_string().contains("in use") => {
            Finding::ok("data file", format!("`{shown}` is in use by a server"))
        }
        Err(error) => {
            let found = format!("`{shown}` does not open: {error}; restore it from a backup");
            Finding::error("data file", found)
        }
    });
    findings.push(check_disk(data, metadata.len()));
    findings
}

/// Whether a database can be used.
fn check_database(address: &str) -> Finding {
    let opened = database_address(address).and_then(|address| {
        plugins::open_database(&address, false).map_err(|error| error.to_string())?;
        Ok(address)
    });
    match opened {
        Ok(address) => Finding::ok("database", format!("`{address}` can be used")),
        Err(error) => Finding::error("database", error),
    }
}

/// Whether the disk has room for what grows, and for a copy.
fn check_disk(data: &Path, size: u64) -> Finding {
    let wanted = size.saturating_mul(ROOM_TIMES).max(ROOM_BYTES_MIN);
    let folder = data.parent().filter(|folder| !folder.as_os_str().is_empty());
    match rustix::fs::statvfs(folder.unwrap_or(Path::new("."))) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let found = format!("{} MiB are free, and {} MiB are wanted", free >> 20, wanted >> 20);
            if free < wanted { Finding::warning("disk", found) } else { Finding::ok("disk", found) }
        }
        Err(error) => Finding::warning("disk", format!("it cannot be looked at: {error}")),
    }
}

/// The backups in a folder.
pub(super) fn check_backups(folder: &Path) -> Vec<Finding> {
    let shown = folder.display();
    let found = match backups::list_backups(folder) {
        Ok(found) => found,
        Err(error) => return vec![Finding::error("backups", format!("`{shown}`: {error}"))],
    };
    let Some(last) = found.last() else {
        let found = format!("`{shown}` has no backup: `accredit backup --server URL` makes one");
        return vec![Finding::warning("backups", found)];
    };

    let made: Option<jiff::Timestamp> = last.at.parse().ok();
    let age = made.map(|made| jiff::Timestamp::now().duration_since(made).unsigned_abs());
    let is_old = age.is_none_or(|age| age > BACKUP_AGE_MAX);
    let found = format!("{} backups, the newest of {}", found.len(), last.at);
    vec![if is_old { Finding::warning("backups", found) } else { Finding::ok("backups", found) }]
}

/// Whether the customer's directory can be read.
pub(super) fn check_workspace(folder: &Path) -> Finding {
    match read_directory(folder) {
        Ok(files) => {
            let found = format!(
                "`{}` has {} files; `accredit check` reads them",
                folder.display(),
                files.len()
            );
            Finding::ok("workspace", found)
        }
        Err(error) => Finding::error("workspace", error),
    }
}
