//! How much memory the process may still take, as the system reports it.
//!
//! Read before work that is large because its input is: running out of memory ends the process, and
//! with it every other request. Only Linux reports it; elsewhere nothing is refused.

use std::fs;
use std::path::Path;

/// Bytes that the process may still take: the smallest of its own limit (`RLIMIT_DATA`), the limit
/// of its control group and the free memory of the machine. None where nothing is reported.
pub(crate) fn available_memory() -> Option<u64> {
    let status = read("/proc/self/status");
    let own = own_limit(&read("/proc/self/limits"), &status);
    let group = group_limit(Path::new("/sys/fs/cgroup"), &status);
    let machine = in_kilobytes(&read("/proc/meminfo"), "MemAvailable:");

    [own, group, machine].into_iter().flatten().min()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// What the soft limit of the data segment leaves; none where it is unlimited.
fn own_limit(limits: &str, status: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max data size"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let used = in_kilobytes(status, "VmData:")?;
    Some(limit.saturating_sub(used))
}

/// What a control group of version 2 leaves; none where it has no limit. The process counts alone:
/// the group's own count includes cached files, which the system gives back.
fn group_limit(group: &Path, status: &str) -> Option<u64> {
    let limit: u64 = fs::read_to_string(group.join("memory.max")).ok()?.trim().parse().ok()?;
    Some(limit.saturating_sub(in_kilobytes(status, "RssAnon:")?))
}

/// The bytes of a line such as `VmData:   1024 kB`.
fn in_kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_limit_is_what_is_left_of_it() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max data size             536870912            unlimited            bytes\n";
        let status = "Name:\taccredit\nVmData:\t  262144 kB\n";
        assert_eq!(own_limit(limits, status), Some(256 << 20));
        assert_eq!(own_limit(limits, "VmData:\t 1048576 kB\n"), Some(0), "it is used up");

        let unlimited = limits.replace("536870912", "unlimited");
        assert_eq!(own_limit(&unlimited, status), None);
        assert_eq!(own_limit("", status), None);
    }

    #[test]
    fn a_group_without_a_limit_limits_nothing() {
        let group = tempfile::tempdir().unwrap();
        let status = "RssAnon:\t    1 kB\n";
        assert_eq!(group_limit(group.path(), status), None);

        fs::write(group.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(group_limit(group.path(), status), None);

        fs::write(group.path().join("memory.max"), "5000\n").unwrap();
        assert_eq!(group_limit(group.path(), status), Some(5000 - 1024));
    }
}
