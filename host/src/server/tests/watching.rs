//! The watched directory goes away and comes again.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{HOLD, Host, PLAN};

fn wait(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_directory_that_comes_again_is_watched_again() {
    // After a new copy, a rename or another release behind a link the server was deaf for good.
    let host = Host::start_watching(true);
    let directory = host.directory();
    let at = |name: &str| host.folder.path().join(name);
    let ready = || host.call("GET", "/readyz", &[], b"").status;
    let ruleset = || host.get("/v1/status")["ruleset"].clone();
    let change = |plan: &str| fs::write(directory.join("plans/sellers.toml"), plan).unwrap();
    let changed = |name: &str| PLAN.replace("Sellers", name);

    // Renamed: an error while it is gone, then all as before.
    assert_eq!(ready(), 200);
    fs::rename(&directory, at("away")).unwrap();
    wait("not ready without a directory", || ready() == 503);
    fs::rename(at("away"), &directory).unwrap();
    wait("ready again", || ready() == 200);

    // Deleted and copied anew, with another plan.
    let first = ruleset();
    copy(&directory, &at("copy"));
    fs::write(at("copy/plans/sellers.toml"), changed("Copied")).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    copy(&at("copy"), &directory);
    wait("the copy is in force", || ruleset() != first);
    let second = ruleset();
    change(&changed("After the copy"));
    wait("a file of the copy is watched", || ruleset() != second);

    // A link whose release is exchanged, and the old release removed.
    fs::rename(&directory, at("v1")).unwrap();
    symlink(at("v1"), &directory).unwrap();
    copy(&at("v1"), &at("v2"));
    fs::write(at("v2/policies/hold/asked.rhai"), format!("{HOLD}\n// 2\n")).unwrap();
    let third = ruleset();
    symlink(at("v2"), at("next")).unwrap();
    fs::rename(at("next"), &directory).unwrap();
    fs::remove_dir_all(at("v1")).unwrap();
    wait("the other release is in force", || ruleset() != third);
    let fourth = ruleset();
    change(&changed("Of the second release"));
    wait("a file behind the link is watched", || ruleset() != fourth);
    wait("ready at the end", || ready() == 200);
}
