//! Data files as an operator meets them: looked at without being written, dumped and restored,
//! flipped, and left behind by processes that were killed.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::company;
use crate::server::{Server, comparable, run};

/// A data file with decided deals, left by a server that stopped or was killed, and its credits.
fn data_file(dir: &Path, is_killed: bool) -> (PathBuf, Vec<String>) {
    let (data, workspace) = (dir.join("a.redb"), company::write(dir));
    let server = Server::start(&data, &workspace);
    for (number, deal) in company::deals(60).iter().enumerate() {
        assert_eq!(server.hook(&format!("m{number}"), deal).unwrap().status, 202);
    }
    server.settle();
    let path = "/v1/calculations/reps/2026-01/release";
    let body = json!({"what": "credits"}).to_string();
    assert_eq!(server.post(path, "application/json", &body).status, 200);
    let credits = comparable(&server.credits(""));
    if is_killed {
        server.kill();
    } else {
        assert_eq!(server.stop(), 0);
    }
    (data, credits)
}

/// `verify` opened the file to be written, and refused a copy without write permission.
#[test]
fn a_file_is_looked_at_without_being_written() {
    for is_killed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (data, _) = data_file(dir.path(), is_killed);
        let before = std::fs::read(&data).unwrap();
        let mut permissions = std::fs::metadata(&data).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&data, permissions).unwrap();

        let name = data.to_str().unwrap();
        for verb in [&["verify", "--data", name][..], &["audit", "verify", "--data", name]] {
            let (code, out, talk) = run(verb);
            assert_eq!(code, 0, "killed: {is_killed}, {verb:?}: {out} {talk}");
        }
        assert_eq!(std::fs::read(&data).unwrap(), before, "killed: {is_killed}");
    }
}

#[test]
fn a_dump_is_the_whole_file_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, credits) = data_file(dir.path(), true);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (name, dump, again) = (data.to_str().unwrap(), path("dump"), path("again.redb"));

    let (code, out, talk) = run(&["dump", "--data", name, "--out", &dump]);
    assert_eq!((code, out.as_str()), (0, ""), "{talk}");
    let (code, printed, _) = run(&["dump", "--data", name]);
    assert_eq!((code, printed), (0, std::fs::read_to_string(&dump).unwrap()));
    assert_ne!(run(&["dump", "--data", name, "--out", &dump]).0, 0, "a dump is not overwritten");

    let (code, _, talk) = run(&["restore", "--data", &again, &dump]);
    assert_eq!(code, 0, "{talk}");
    assert_ne!(run(&["restore", "--data", &again, &dump]).0, 0, "a file is not overwritten");
    let (code, out, talk) = run(&["verify", "--data", &again]);
    assert_eq!(code, 0, "{out} {talk}");
    let server = Server::start(Path::new(&again), &dir.path().join("workspace"));
    assert_eq!(comparable(&server.credits("")), credits);
    drop(server);

    let text = std::fs::read_to_string(&dump).unwrap();
    std::fs::write(&dump, &text[..text.len() / 2]).unwrap();
    let (code, _, talk) = run(&["restore", "--data", &path("part.redb"), &dump]);
    assert!(code == 1 && talk.contains("dump"), "{talk}");
    assert!(!dir.path().join("part.redb").exists(), "no part of a file is left");
}

#[test]
fn a_compacted_file_is_smaller_and_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (data, credits) = data_file(dir.path(), true);
    let (name, bytes) = (data.to_str().unwrap(), || std::fs::metadata(&data).unwrap().len());
    let before = bytes();

    let (code, out, talk) = run(&["compact", "--data", name]);
    assert_eq!((code, out.as_str()), (0, ""), "{talk}");
    assert!(bytes() < before && talk.contains(&bytes().to_string()), "{before}: {talk}");
    assert_eq!(run(&["verify", "--data", name]).0, 0);

    let server = Server::start(&data, &dir.path().join("workspace"));
    assert_eq!(comparable(&server.credits("")), credits);
    // A file that a server has open is not touched.
    let (code, _, talk) = run(&["compact", "--data", name]);
    assert!(code == 1 && talk.contains("in use"), "{talk}");
    let missing = dir.path().join("none.redb");
    assert_eq!(run(&["compact", "--data", missing.to_str().unwrap()]).0, 1);
    assert!(!missing.exists());
}

/// `verify` panicked on some flipped bytes, with another exit code than that of damage.
#[test]
fn verbs_on_a_damaged_file_say_so_and_end_with_one() {
    let flips = std::env::var("ACCREDIT_FLIPS").ok().and_then(|flips| flips.parse().ok());
    let dir = tempfile::tempdir().unwrap();
    let (data, _) = data_file(dir.path(), false);
    let bytes = std::fs::read(&data).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
    let name = data.to_str().unwrap();

    let (mut seed, mut damaged, mut done) = (3_u64, 0, 0);
    // Most bits of a file belong to no row that these verbs read: a few flips may all miss.
    while done < flips.unwrap_or(12) || damaged == 0 {
        done += 1;
        assert!(done < 1000, "no flip met anything");
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let place = used[usize::try_from(seed >> 33).unwrap() % used.len()];
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (seed >> 61);
        std::fs::write(&data, flipped).unwrap();
        for verb in [
            &["verify", "--data", name][..],
            &["audit", "verify", "--data", name],
            &["dump", "--data", name],
        ] {
            let (code, _, talk) = run(verb);
            assert!(code == 0 || code == 1, "{place}: {code} {talk}");
            assert!(code == 0 || talk.contains("damaged"), "{place}: {talk}");
            assert!(!talk.contains("panicked"), "{place}: {talk}");
            damaged += usize::from(code == 1);
        }
    }
}
