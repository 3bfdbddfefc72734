//! Backups of a server that is working: each is a moment of its ledger, and a server starts from it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::company;
use crate::sender::{Sender, signed_headers, within};
use crate::server::{Server, TOKEN, comparable, run};

/// Backups that are made while deals come in.
const BACKUPS: usize = 10;

fn import(server: &Server, deals: &[String]) {
    let reply = server.post("/v1/transactions", "application/x-ndjson", &deals.join("\n"));
    assert!(reply.status < 300, "{}", reply.body);
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A copy that was made while commits went on could have a deal without its credits, or rows of two
/// moments.
#[test]
fn backups_under_load_open_verify_and_have_one_moment_each() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let folder = dir.path().join("backups");
    let options = ["--backups", path_text(&folder), "--backup-every", "never"];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &options, &[]);

    let deals = company::deals(6000);
    let stop = AtomicBool::new(false);
    let made: Vec<Value> = std::thread::scope(|scope| {
        let loading = scope.spawn(|| {
            for part in deals.chunks(60).take_while(|_| !stop.load(Ordering::Relaxed)) {
                import(&server, part);
            }
        });
        let made = (0..BACKUPS).map(|_| {
            let reply = server.post("/v1/backups", "application/json", "");
            assert_eq!(reply.status, 201, "{}", reply.body);
            reply.json()
        });
        let made = made.collect();
        stop.store(true, Ordering::Relaxed);
        loading.join().unwrap();
        made
    });

    let listed = server.get("/v1/backups").json();
    assert_eq!(listed["data"], json!(made));
    let counts: BTreeSet<u64> =
        made.iter().filter_map(|one| one["content"]["counts"]["transactions"].as_u64()).collect();
    assert!(counts.len() > 2, "deals came in between two backups: {counts:?}");

    for one in &made {
        let backup = folder.join(one["file"].as_str().unwrap());
        let (code, out, talk) = run(&["verify", "--data", path_text(&backup)]);
        assert_eq!(code, 0, "{talk}{out}");
        let verified: Value = serde_json::from_str(&out).unwrap();
        let decided = one["content"]["counts"]["transactions"].as_u64();
        assert_eq!(verified["decisions"].as_u64(), decided, "each deal has its decision");
        let head = one["content"]["audit_head"].as_str().unwrap();
        let kept = ["audit", "verify", "--data", path_text(&backup), "--head", head];
        assert_eq!(run(&kept).0, 0);
    }
}

/// Webhooks of four senders until `is_over`: how long each waited for its commit.
fn acknowledged_times(
    server: &Server,
    next: &AtomicUsize,
    is_over: impl Fn() -> bool + Sync,
) -> Vec<Duration> {
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (mut sender, mut own) = (Sender::new(&server.url), Vec::new());
                while !is_over() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let body = format!(
                        r#"{{"id":"W{number}","date":"2026-03-15","amount":"100","owner":"ann"}}"#
                    );
                    let headers = signed_headers(&format!("w{number}"), body.as_bytes());
                    let begun = Instant::now();
                    let answer = sender.post("/hooks/crm", &headers, body.as_bytes()).unwrap();
                    own.push(begun.elapsed());
                    assert_eq!(answer.status, 202, "{}", answer.body);
                }
                all.lock().unwrap().extend(own);
            });
        }
    });
    all.into_inner().unwrap()
}

/// A backup reads the whole file while the writer commits: those who wait for a commit may wait twice as
/// long. The figure is printed, and must hold where the environment asks for a campaign.
#[test]
fn the_writer_is_not_held_up_by_backups() {
    let seconds = std::env::var("ACCREDIT_BACKUP_SECONDS").ok();
    let seconds: u64 = seconds.map_or(2, |text| text.parse().expect("ACCREDIT_BACKUP_SECONDS"));
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let folder = dir.path().join("backups");
    let options = ["--backups", path_text(&folder), "--backup-every", "never"];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &options, &[]);
    import(&server, &company::deals(500 * seconds as usize));
    server.settle_patiently(Duration::from_secs(600));

    let next = AtomicUsize::new(0);
    let span = Duration::from_secs(seconds);
    let phase = || {
        let begun = Instant::now();
        acknowledged_times(&server, &next, || begun.elapsed() >= span)
    };
    // The first commits of a file are slower than all others.
    phase();
    let mut without = phase();
    let done = AtomicBool::new(false);
    let (mut with, took) = std::thread::scope(|scope| {
        let backups = scope.spawn(|| {
            let begun = Instant::now();
            let mut took = Vec::new();
            for number in 1..=BACKUPS {
                let one = Instant::now();
                let reply = server.post("/v1/backups", "application/json", "");
                assert_eq!(reply.status, 201, "{}", reply.body);
                took.push(one.elapsed());
                let due = span * u32::try_from(number).unwrap() / BACKUPS as u32;
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
            }
            done.store(true, Ordering::Relaxed);
            took
        });
        let times = acknowledged_times(&server, &next, || done.load(Ordering::Relaxed));
        (times, backups.join().unwrap())
    });

    let (calm, busy) = (within(&mut without, 990), within(&mut with, 990));
    let ratio = busy.as_secs_f64() / calm.as_secs_f64();
    eprintln!(
        "99 % within {calm:?} without and {busy:?} with {BACKUPS} backups in {span:?}: {ratio:.2} times; \
         {} and {} commits waited for, a backup takes {:?} at most",
        without.len(),
        with.len(),
        took.iter().max().unwrap()
    );
    assert!(seconds < 30 || ratio <= 2.0, "{ratio:.2} times as long with backups");
}

/// A machine is lost. The last backup is restored on another one, the senders send again what they sent
/// since, and nothing is missing or there twice.
#[test]
fn a_server_starts_from_a_restored_backup() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let folder = dir.path().join("backups");
    let data = dir.path().join("a.redb");
    let options =
        ["--backups", path_text(&folder), "--backup-every", "never", "--backup-keep", "1"];
    let server = Server::start_with(&data, &workspace, &options, &[]);
    let deals = company::deals(900);
    import(&server, &deals[..700]);
    server.settle();

    let verb = ["backup", "--server", &server.url, "--token", TOKEN];
    assert_eq!(run(&verb).0, 0);
    let (code, out, talk) = run(&verb);
    assert_eq!(code, 0, "{talk}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "one backup and its summary");
    import(&server, &deals[700..]);
    server.settle();
    let expected = comparable(&server.credits(""));
    server.kill();
    std::fs::remove_file(&data).unwrap();

    let backup = folder.join(summary["file"].as_str().unwrap());
    let restored = dir.path().join("b.redb");
    let restore = ["restore", path_text(&backup), "--data", path_text(&restored)];
    let (code, _, talk) = run(&restore);
    assert_eq!(code, 0, "{talk}");
    assert_ne!(run(&restore).0, 0, "a file that is there is left alone");
    let other = Server::start(&restored, &workspace);
    import(&other, &deals);
    other.settle();
    assert!(comparable(&other.credits("")) == expected);

    // A copy that is not what its summary says is refused.
    let text = path_text(&backup).to_owned() + ".json";
    let changed = std::fs::read_to_string(&text).unwrap().replace("\"rows\": ", "\"rows\": 1");
    std::fs::write(&text, changed).unwrap();
    let third = dir.path().join("c.redb");
    let (code, _, talk) = run(&["restore", path_text(&backup), "--data", path_text(&third)]);
    assert!(code == 1 && talk.contains("summary") && !third.exists(), "{talk}");
}

#[test]
fn a_file_is_backed_up_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let data = dir.path().join("a.redb");
    let server = Server::start(&data, &workspace);
    import(&server, &company::deals(20));
    server.settle();
    assert_eq!(server.post("/v1/backups", "application/json", "").status, 409, "it has no folder");
    assert_eq!(server.stop(), 0);

    let folder = dir.path().join("backups");
    let verb = ["backup", "--data", path_text(&data), "--out", path_text(&folder)];
    let (code, out, talk) = run(&verb);
    assert_eq!(code, 0, "{talk}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(summary["content"]["counts"]["transactions"], 20);
}
