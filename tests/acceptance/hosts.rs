//! Several hosts on one database: one decides, all take webhooks, and any of them may be killed.

mod equal;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use postgres_cluster::Cluster;

use crate::company;
use crate::sender::{Sender, signed_headers};
use crate::server::{Server, comparable, run};

const LEASE: [&str; 2] = ["--lease", "2s"];

fn start_hosts(store: &str, workspace: &std::path::Path, count: usize) -> Vec<Server> {
    (0..count).map(|_| Server::start_host(store, workspace, &LEASE, &[])).collect()
}

/// Whether a host said last that it decides.
fn decides(host: &Server) -> bool {
    let log = host.log.lock().unwrap();
    log.lines()
        .rev()
        .find(|line| line.ends_with(" decides"))
        .is_some_and(|line| line.contains("this host decides"))
}

/// The place of the host that decides.
fn decider(hosts: &[Server]) -> usize {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(place) = hosts.iter().position(decides) {
            return place;
        }
        assert!(Instant::now() < end, "no host decides");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends every deal on four lanes to one host after the other until one has acknowledged it, and calls `at`
/// once so many are. Hosts that were killed are gone from the list.
fn send_all(
    hosts: &Mutex<Vec<std::sync::Arc<Server>>>,
    deals: &[String],
    at: (usize, &(dyn Fn() + Sync)),
) {
    let (count, is_called) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let (count, is_called) = (&count, &is_called);
            scope.spawn(move || {
                for (index, deal) in deals.iter().enumerate().filter(|(index, _)| index % 4 == lane)
                {
                    let id = format!("msg_{index}");
                    let mut tries = index;
                    loop {
                        let host = {
                            let hosts = hosts.lock().unwrap();
                            Arc::clone(&hosts[tries % hosts.len()])
                        };
                        tries += 1;
                        if host.hook(&id, deal).is_ok_and(|reply| reply.status == 202) {
                            break;
                        }
                        assert!(tries < index + 2000, "`{id}` is never acknowledged");
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    let done = count.fetch_add(1, Ordering::Relaxed) + 1;
                    if done >= at.0 && !is_called.swap(true, Ordering::AcqRel) {
                        (at.1)();
                    }
                }
            });
        }
    });
}

#[test]
fn a_host_that_is_killed_under_load_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let deals = company::deals(600);

    let alone = Server::start_file(&dir.path().join("alone.redb"), &workspace, &[], &[]);
    for (index, deal) in deals.iter().enumerate() {
        assert_eq!(alone.hook(&format!("msg_{index}"), deal).unwrap().status, 202);
    }
    alone.settle();
    let expected = comparable(&alone.credits(""));
    drop(alone);

    let cluster = Cluster::start();
    let store = cluster.new_database();
    let hosts = start_hosts(&store, &workspace, 3);
    let hosts: Vec<_> = hosts.into_iter().map(Arc::new).collect();
    let hosts = Mutex::new(hosts);

    let kill_decider = || {
        let mut hosts = hosts.lock().unwrap();
        let place = hosts.iter().position(|host| decides(host)).expect("a host decides");
        let killed = hosts.remove(place);
        killed.signal("KILL");
    };
    send_all(&hosts, &deals, (200, &kill_decider));

    let hosts = hosts.into_inner().unwrap();
    assert_eq!(hosts.len(), 2);
    for host in &hosts {
        // Answered by the host that decides, whichever is asked.
        host.wait("another host decides", || host.get("/v1/status").status == 200);
        host.settle();
        assert_eq!(host.get("/v1/status").json()["dead_letters"], 0);
        assert_eq!(comparable(&host.credits("")), expected);
    }
    let receipts = hosts[0].hook("msg_7", &deals[7]).unwrap().json();
    assert_eq!(
        receipts["duplicate"], true,
        "what the killed host acknowledged is known: {receipts}"
    );

    for host in hosts {
        host.signal("TERM");
        drop(host);
    }
    let (code, told, error) = run(&["verify", "--data", &store]);
    assert_eq!(code, 0, "{told} {error}");
}

/// Changes, keys and sessions are the decider's; what another host is asked about them is passed on, and
/// each host knows of them soon.
#[test]
fn what_one_host_is_told_all_of_them_know() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let cluster = Cluster::start();
    let store = cluster.new_database();
    let hosts = start_hosts(&store, &workspace, 3);
    let first = decider(&hosts);
    let (one, other) = (&hosts[(first + 1) % 3], &hosts[(first + 2) % 3]);

    let policies = one.get("/v1/policies").json();
    let known = policies["data"][0].clone();
    let (kind, name) = (known["kind"].as_str().unwrap(), known["name"].as_str().unwrap());
    let path = format!("/v1/policies/{kind}/{name}");
    let source = one.get(&path).body;
    let changed = format!("{source}\n// changed through a host that does not decide\n");
    let reply = one.put_policy(kind, name, &changed);
    assert!(matches!(reply.status, 200 | 201), "{}", reply.body);
    for host in &hosts {
        host.wait("each host has the change in force", || {
            host.get(&path).body.contains("a host that does not decide")
        });
    }

    let key = r#"{"name":"robot","role":"auditor"}"#;
    let made = one.post("/v1/keys", "application/json", key);
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, secret) = (made.json()["id"].clone(), made.json()["key"].clone());
    let secret = secret.as_str().unwrap().to_owned();
    for host in &hosts {
        host.wait("each host knows the key", || {
            host.get_with_token("/v1/credits", &secret).status == 200
        });
    }
    assert!(matches!(
        other.delete(&format!("/v1/keys/{}", id.as_str().unwrap())).status,
        200 | 204
    ));
    for host in &hosts {
        host.wait("each host has forgotten the key", || {
            host.get_with_token("/v1/credits", &secret).status == 401
        });
    }

    // A host that stops in an orderly way lets another one decide at once.
    let mut hosts = hosts;
    let stopped = hosts.remove(first);
    let began = Instant::now();
    assert_eq!(stopped.stop(), 0);
    decider(&hosts);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// How long each store takes load; a campaign sets `ACCREDIT_STORE_SECONDS`.
fn load_seconds() -> u64 {
    std::env::var("ACCREDIT_STORE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Sends new deals to the hosts for a while on 16 connections each, and waits until all are decided; how many
/// were acknowledged and decided a second.
fn measure(hosts: &[Server], seconds: u64) -> (usize, f64, f64) {
    let (began, count) = (Instant::now(), AtomicUsize::new(0));
    let end = began + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        for (place, host) in hosts.iter().enumerate() {
            for lane in 0..16 {
                let count = &count;
                scope.spawn(move || {
                    let mut sender = Sender::new(&host.url);
                    for number in 0.. {
                        if Instant::now() >= end {
                            break;
                        }
                        let id = format!("{place}-{lane}-{number}");
                        let body = format!(
                            "{{\"id\":\"D{id}\",\"date\":\"2026-03-15\",\"amount\":100,\"owner\":\"ann\"}}"
                        );
                        let headers = signed_headers(&id, body.as_bytes());
                        let answer = sender.post("/hooks/crm", &headers, body.as_bytes()).unwrap();
                        assert!(matches!(answer.status, 202 | 503), "{}", answer.body);
                        count.fetch_add(usize::from(answer.status == 202), Ordering::Relaxed);
                    }
                });
            }
        }
    });
    let taken = began.elapsed().as_secs_f64();
    let host = &hosts[0];
    host.settle_patiently(Duration::from_secs(120 + 20 * seconds));
    let decided = began.elapsed().as_secs_f64();

    let count = count.into_inner();
    let transactions = host.get("/v1/status").json()["counts"]["transactions"].as_u64().unwrap();
    assert_eq!(transactions, count as u64, "each deal that was acknowledged is decided once");
    (count, count as f64 / taken, count as f64 / decided)
}

/// What a database costs beside a data file, in one run; the figures are printed.
#[test]
fn each_store_decides_all_that_it_acknowledged_under_load() {
    let seconds = load_seconds();
    let cluster = Cluster::start();
    for (name, count) in [("a data file", 0), ("a database, 1 host", 1), ("a database, 3 hosts", 3)]
    {
        let dir = tempfile::tempdir().unwrap();
        let workspace = company::write(dir.path());
        let hosts = match count {
            0 => vec![Server::start_file(&dir.path().join("a.redb"), &workspace, &[], &[])],
            count => start_hosts(&cluster.new_database(), &workspace, count),
        };
        let (total, taken, decided) = measure(&hosts, seconds);
        eprintln!("{name}: {total} webhooks, {taken:.0} a second, {decided:.0} decided a second");
        assert!(total > 20, "{name}: {total}");
    }
}
