//! A power cut in the middle of a stream loses nothing that was acknowledged and doubles nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::company;
use crate::server::{Server, comparable};

/// Cuts per run; a longer campaign sets `ACCREDIT_CUTS`.
fn cuts() -> usize {
    std::env::var("ACCREDIT_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(3)
}

#[test]
fn kill_and_resend_gives_the_credits_of_an_undisturbed_run() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let deals = company::deals(400);

    let quiet = Server::start(&dir.path().join("quiet.redb"), &workspace);
    for (index, deal) in deals.iter().enumerate() {
        assert_eq!(quiet.hook(&format!("msg_{index}"), deal).unwrap().status, 202);
    }
    quiet.settle();
    let expected = comparable(&quiet.credits(""));
    drop(quiet);

    let data = dir.path().join("cut.redb");
    let acknowledged: Mutex<Vec<bool>> = Mutex::new(vec![false; deals.len()]);
    for cut in 0..cuts() {
        let server = Server::start(&data, &workspace);
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for lane in 0..4 {
                let (server, deals, acknowledged, count) = (&server, &deals, &acknowledged, &count);
                scope.spawn(move || {
                    for (index, deal) in deals.iter().enumerate().filter(|(i, _)| i % 4 == lane) {
                        if acknowledged.lock().unwrap()[index] {
                            continue;
                        }
                        if count.load(Ordering::Relaxed) > 30 + 40 * cut {
                            return;
                        }
                        let id = format!("msg_{index}");
                        if server.hook(&id, deal).is_ok_and(|reply| reply.status == 202) {
                            acknowledged.lock().unwrap()[index] = true;
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        // Somewhere between acknowledged and decided.
        std::thread::sleep(Duration::from_millis(3 * cut as u64));
        server.kill();
    }
    let server = Server::start(&data, &workspace);
    for (index, deal) in deals.iter().enumerate() {
        if !acknowledged.lock().unwrap()[index] {
            assert_eq!(server.hook(&format!("msg_{index}"), deal).unwrap().status, 202);
        }
    }
    server.settle();
    redrive_dead_letters(&server);
    assert_same_credits(&comparable(&server.credits("")), &expected);
    assert_eq!(server.stop(), 0);
}

/// Tries deliveries again that were set aside, as an administrator would: one that was being decided
/// at three cuts looks like one that ends the server.
pub(crate) fn redrive_dead_letters(server: &Server) {
    let dead = server.get("/v1/dead-letters").json();
    for letter in dead["data"].as_array().unwrap() {
        assert!(letter["reason"].as_str().unwrap().contains("ATTEMPTS_MAX"), "{letter}");
        let path = format!("/v1/dead-letters/{}/redrive", letter["sequence"]);
        assert_eq!(server.post(&path, "application/json", "").status, 202, "{letter}");
    }
    server.settle();
}

/// Fails with the credits that only one side has.
pub(crate) fn assert_same_credits(found: &[String], expected: &[String]) {
    // The comparison of each with each is for a failure alone.
    if found == expected {
        return;
    }
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|credit| !other.contains(credit)).take(3).cloned().collect()
    };
    let (more, missing) = (only(found, expected), only(expected, found));
    let (count, wanted) = (found.len(), expected.len());
    panic!("{count} credits instead of {wanted}; too many: {more:#?}; missing: {missing:#?}");
}
