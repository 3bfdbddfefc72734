//! The disk fails at every operation in turn, and it fills up: nothing acknowledged is lost, readiness
//! is true, and the server recovers by itself.
//!
//! Some operations in the ordinary run; `ACCREDIT_FAULTS=0` looks at every single one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use accredit_redb::RedbStore;
use accredit_redb::failing::FailingDisk;

use super::{Host, deal};

/// Between two operations at which a disk fails.
fn stride() -> u32 {
    let faults = std::env::var("ACCREDIT_FAULTS").ok().and_then(|text| text.parse().ok());
    match faults {
        Some(0) => 1,
        Some(faults) => 200 / faults + 1,
        None => 17,
    }
}

fn host_on(disk: &FailingDisk) -> Host {
    let disk = disk.clone();
    Host::start_on(move |_| {
        let handle = disk.clone();
        Arc::new(RedbStore::with_backends(move || handle.clone()).unwrap())
    })
}

fn ready(host: &Host) -> bool {
    host.call("GET", "/readyz", &[], b"").status == 200
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// After one EIO the server answered 503 until it was restarted, and said that it was ready.
#[test]
fn one_error_at_any_operation_loses_nothing_and_heals() {
    let mut after = 0;
    let mut rounds = 0;
    loop {
        let disk = FailingDisk::default();
        let host = host_on(&disk);
        disk.fail_once_after(after);

        let mut taken = BTreeSet::new();
        for number in 0..6 {
            let id = format!("D-{number}");
            if host.deliver(&format!("msg_{number}"), &deal(&id, "100", "")).status == 202 {
                taken.insert(id);
            }
        }
        assert!(taken.len() >= 5, "operation {after}: one error cost more than one delivery");
        for id in &taken {
            assert_eq!(host.credits(id).len(), 1, "operation {after}: {id}");
        }
        eventually("it is ready", || ready(&host));

        rounds += 1;
        if !disk.has_failed() {
            break;
        }
        after += stride();
    }
    assert!(rounds > 2, "{rounds} rounds");
}

/// A full disk needed a restart after there was room again; meanwhile the server was ready.
#[test]
fn a_full_disk_is_no_readiness_until_there_is_room() {
    let disk = FailingDisk::default();
    let host = host_on(&disk);
    host.deliver("msg_0", &deal("D-0", "100", ""));
    assert_eq!(host.credits("D-0").len(), 1);

    disk.limit_bytes(Some(disk.file_bytes()));
    let large = |number: u32| {
        let padding = format!(",\"hold\":\"{}\"", "x".repeat(500_000));
        deal(&format!("L-{number}"), "1", &padding)
    };
    let mut taken = 0;
    let refused = loop {
        let reply = host.deliver(&format!("large_{taken}"), &large(taken));
        if reply.status != 202 {
            break reply;
        }
        taken += 1;
        assert!(taken < 40, "the disk does not fill");
    };
    refused.problem(503, "unavailable");

    eventually("it is not ready", || !ready(&host));
    // What is stored may be larger than a delivery; the state holds until there is room.
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!ready(&host));
    let status = host.get("/v1/status");
    assert_eq!(status["faults"][0]["part"], "store", "{status}");

    disk.limit_bytes(None);
    let freed = Instant::now();
    eventually("it is ready again without traffic", || ready(&host));
    assert!(freed.elapsed() < Duration::from_secs(10));
    for number in 0..taken {
        assert_eq!(host.credits(&format!("L-{number}")).len(), 1, "acknowledged: {number}");
    }
    let again = host.deliver(&format!("large_{taken}"), &large(taken));
    assert_eq!(again.status, 202, "{}", again.text);
}

/// Readiness is sampled while the disk fails again and again: never ready while acknowledged
/// deliveries do not move.
#[test]
fn readiness_is_never_true_while_nothing_moves() {
    let disk = FailingDisk::default();
    let host = host_on(&disk);
    let (url, ended) = (host.running().url.clone(), Arc::new(AtomicBool::new(false)));
    let (service, stop) = (Arc::clone(&host.running().service), Arc::clone(&ended));
    let sampler = std::thread::spawn(move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = config.build().into();
        let mut oldest: Option<(u64, Instant)> = None;
        let mut samples = 0;
        while !stop.load(Ordering::Relaxed) {
            if let Ok(found) = service.context.ledger.oldest_pending() {
                oldest = found.map(|found| match oldest {
                    Some((known, since)) if known == found => (known, since),
                    _ => (found, Instant::now()),
                });
            }
            let is_ready = agent.get(format!("{url}/readyz")).call().unwrap().status() == 200;
            let stalled = oldest.map_or(Duration::ZERO, |(_, since)| since.elapsed());
            assert!(
                !is_ready || stalled < Duration::from_secs(7),
                "ready, but stalled {stalled:?}"
            );
            samples += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        samples
    });

    for number in 0..10 {
        host.deliver(&format!("msg_{number}"), &deal(&format!("D-{number}"), "100", ""));
        disk.fail_once_after(number * 3);
    }
    // Every read fails: what was acknowledged cannot be decided.
    host.deliver("msg_last", &deal("LAST", "100", ""));
    disk.limit_bytes(Some(0));
    disk.fail_once_after(0);
    host.deliver("msg_lost", &deal("LOST", "100", ""));
    std::thread::sleep(Duration::from_secs(8));
    disk.limit_bytes(None);
    eventually("it is ready again", || ready(&host));
    assert_eq!(host.credits("LAST").len(), 1);
    ended.store(true, Ordering::Relaxed);
    assert!(sampler.join().unwrap() > 50);
}
