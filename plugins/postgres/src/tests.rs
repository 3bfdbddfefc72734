//! The store on a real PostgreSQL: what every store must do, what is refused, and what recovers by itself.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use accredit_seams::store::StoreTable;
use accredit_seams::store::conformance::check_store;
use postgres_cluster::Cluster;

use super::*;

fn settings(address: &str) -> PostgresSettings {
    PostgresSettings::parse(address).unwrap()
}

fn open(address: &str) -> PostgresStore {
    PostgresStore::open(settings(address)).unwrap()
}

fn claim(seconds: u64) -> LeaseClaim {
    LeaseClaim { address: "http://here".to_owned(), duration: Duration::from_secs(seconds) }
}

fn refusal(address: &str) -> String {
    let opened = PostgresStore::open(settings(address));
    opened.err().expect("it is refused").to_string()
}

fn row(table: StoreTable, key: &str, value: &str) -> WriteBatch {
    let mut batch = WriteBatch::default();
    batch.put_row(table, key, value);
    batch
}

fn get(store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    store.snapshot().unwrap().get(StoreTable::Keys, key.as_bytes()).unwrap()
}

#[test]
fn postgres_conforms() {
    let cluster = Cluster::start();
    let address = cluster.new_database();
    let store = open(&address);
    check_store(&*store.open_handle(HandlePurpose::Alone)).unwrap();
    drop(store);

    let again = open(&address).open_handle(HandlePurpose::Alone);
    assert_eq!(get(&*again, "b").as_deref(), Some(&b"second"[..]), "it is kept");

    // Inside another runtime, as in a server, and dropped there.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = cluster.new_database();
    runtime.block_on(async {
        check_store(&*open(&address).open_handle(HandlePurpose::Alone)).unwrap()
    });
}

#[test]
fn every_byte_can_be_in_a_key_and_a_prefix() {
    let cluster = Cluster::start();
    let store = open(&cluster.new_database()).open_handle(HandlePurpose::Alone);
    let keys: [&[u8]; 6] = [b"", b"\0", b"a\xff", b"a\xff\xff", b"b", b"\xff\xff"];
    let mut batch = WriteBatch::default();
    for key in keys {
        batch.put_row(StoreTable::Keys, key, key);
    }
    // A row of every table, one that is large, and one that is empty.
    for (table, name) in StoreTable::ALL {
        batch.put_row(table, name, "");
    }
    batch.put_row(StoreTable::Blocks, "large", vec![7; 9 << 20]);
    store.commit(&batch).unwrap();

    let snapshot = store.snapshot().unwrap();
    let scan = |prefix: &[u8]| {
        let rows = snapshot.scan_prefix(StoreTable::Keys, prefix, b"", usize::MAX).unwrap();
        rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(scan(b"").len(), 7);
    assert_eq!(scan(b"a\xff"), [b"a\xff".to_vec(), b"a\xff\xff".to_vec()]);
    assert_eq!(scan(b"\xff"), [b"\xff\xff".to_vec()]);
    let large = snapshot.get(StoreTable::Blocks, b"large").unwrap();
    assert_eq!(large.map(|value| value.len()), Some(9 << 20));
    assert_eq!(snapshot.row_count(StoreTable::AlertAssignees).unwrap(), 1);
}

/// Each of many writers adds one to a number that all of them read first.
#[test]
fn no_commit_of_several_processes_is_lost() {
    let cluster = Cluster::start();
    let address = cluster.new_database();
    let stores: Vec<PostgresStore> = (0..3).map(|_| open(&address)).collect();
    let key = b"sum";

    std::thread::scope(|scope| {
        for store in &stores {
            for _ in 0..2 {
                let handle = store.open_handle(HandlePurpose::Alone);
                scope.spawn(move || {
                    for _ in 0..40 {
                        add_one(&*handle, key);
                    }
                });
            }
        }
    });

    let sum = get(&*stores[0].open_handle(HandlePurpose::Alone), "sum").unwrap();
    assert_eq!(String::from_utf8(sum).unwrap(), "240");
}

fn add_one(store: &dyn Store, key: &[u8]) {
    loop {
        let known = store.snapshot().unwrap().get(StoreTable::Keys, key).unwrap();
        let number: u32 =
            known.as_ref().map_or(0, |text| String::from_utf8_lossy(text).parse().unwrap());
        let mut batch = WriteBatch::default();
        batch.expect_row(StoreTable::Keys, key, known);
        batch.put_row(StoreTable::Keys, key, (number + 1).to_string());
        match store.commit(&batch) {
            Ok(()) => return,
            Err(StoreError::Conflict) => (),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_lease_that_another_process_took_fences_the_one_before() {
    let cluster = Cluster::start();
    let address = cluster.new_database();
    let (first, second) = (open(&address), open(&address));

    let DecidingLease::Held(term) = first.claim_lease(&claim(2)).unwrap() else { panic!() };
    assert_eq!(first.claim_lease(&claim(2)).unwrap(), DecidingLease::Held(term), "renewed");
    let elsewhere = DecidingLease::Elsewhere("http://here".to_owned());
    assert_eq!(second.claim_lease(&claim(2)).unwrap(), elsewhere);

    let decider = first.open_handle(HandlePurpose::Term(term));
    decider.commit(&row(StoreTable::Keys, "a", "1")).unwrap();
    let other =
        second.open_handle(HandlePurpose::Following).commit(&row(StoreTable::Keys, "a", "2"));
    assert!(matches!(other, Err(StoreError::Elsewhere(_))), "{other:?}");
    let mut shared = row(StoreTable::Inbox, "a", "2");
    shared.is_shared = true;
    second.open_handle(HandlePurpose::Following).commit(&shared).unwrap();

    // The first process is paused for longer than its lease; nothing is lost as long as nobody takes it.
    std::thread::sleep(Duration::from_millis(2100));
    let follower = second.open_handle(HandlePurpose::Following);
    let unheld = follower.commit(&row(StoreTable::Keys, "b", "0"));
    assert!(
        matches!(unheld, Err(StoreError::Elsewhere(_))),
        "also while nobody decides: {unheld:?}"
    );
    decider.commit(&row(StoreTable::Keys, "b", "1")).unwrap();
    let DecidingLease::Held(next) = second.claim_lease(&claim(9)).unwrap() else { panic!() };
    assert!(next > term);
    let late = decider.commit(&row(StoreTable::Keys, "b", "2"));
    assert!(matches!(late, Err(StoreError::Elsewhere(_))), "{late:?}");
    assert_eq!(get(&*decider, "b").as_deref(), Some(&b"1"[..]));

    second.release_lease(next).unwrap();
    let DecidingLease::Held(last) = first.claim_lease(&claim(9)).unwrap() else { panic!() };
    assert!(last > next, "a lease that was released is taken at once, in a new term");
    assert!(decider.commit(&row(StoreTable::Keys, "b", "3")).is_err(), "an old term stays over");
}

/// The database crashes again and again under commits: each is there if it was told so, and each is there
/// once. Rows are added at numbers that must be free, so that a doubled commit would show.
#[test]
fn a_database_that_crashes_under_commits_loses_and_doubles_none() {
    let mut cluster = Cluster::start();
    let store = open(&cluster.new_database());
    let (handle, stop) = (store.open_handle(HandlePurpose::Alone), AtomicBool::new(false));

    let (told, unknown) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (mut told, mut unknown) = (Vec::new(), Vec::new());
            for number in 0_u32.. {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let key = number.to_be_bytes();
                let mut batch = WriteBatch::default();
                batch.expect_row(StoreTable::Keys, key, None);
                batch.put_row(StoreTable::Keys, key, "x");
                batch.put_row(StoreTable::Blocks, key, vec![7; 3000]);
                match handle.commit(&batch) {
                    Ok(()) => told.push(number),
                    Err(StoreError::Conflict) => panic!("commit {number} was made twice"),
                    Err(StoreError::Unknown(_)) => unknown.push(number),
                    Err(_) => (),
                }
            }
            (told, unknown)
        });
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(400));
            cluster.stop_at_once();
            cluster.start_again();
        }
        std::thread::sleep(Duration::from_millis(400));
        stop.store(true, Ordering::Release);
        writing.join().unwrap()
    });

    assert!(told.len() > 100, "{} commits", told.len());
    let snapshot = handle.snapshot().unwrap();
    for table in [StoreTable::Keys, StoreTable::Blocks] {
        let rows = snapshot.scan_prefix(table, b"", b"", usize::MAX).unwrap();
        let rows = rows.into_iter().map(|(key, _)| u32::from_be_bytes(key.try_into().unwrap()));
        let found: Vec<u32> = rows.filter(|number| !unknown.contains(number)).collect();
        assert_eq!(found, told);
    }
    handle.check_health().unwrap();
}

/// What a proxy does with the next `COMMIT`s.
const PASS: u8 = 0;
const CUT_BEFORE: u8 = 1;
const CUT_BEHIND: u8 = 2;

/// A proxy that cuts a connection in front of a `COMMIT`, or behind it so that its answer is lost; its port.
fn start_proxy(to: u16, plan: Arc<AtomicU8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let (mut answers, mut back) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
            let plan = Arc::clone(&plan);
            std::thread::spawn(move || pass_questions(client, server, &plan));
        }
    });
    port
}

fn pass_questions(mut client: TcpStream, mut server: TcpStream, plan: &AtomicU8) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let asked = &bytes[..length];
        let ends = asked.windows(7).any(|part| part == b"COMMIT\0");
        let cut = if ends { plan.swap(PASS, Ordering::AcqRel) } else { PASS };
        if cut == CUT_BEHIND {
            client.shutdown(Shutdown::Both).unwrap();
        }
        if cut != CUT_BEFORE && server.write_all(asked).is_err() {
            break;
        }
        if cut != PASS {
            std::thread::sleep(Duration::from_millis(50));
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

/// The connection is cut in front of `COMMIT` and behind it: the caller sees a commit that succeeded, which
/// was made once.
#[test]
fn a_commit_whose_answer_was_lost_is_looked_up() {
    let cluster = Cluster::start();
    let plan = Arc::new(AtomicU8::new(PASS));
    let port = start_proxy(cluster.port(), Arc::clone(&plan));
    let address = cluster.new_database();
    let through = address.replace(&format!(":{}/", cluster.port()), &format!(":{port}/"));
    let handle = open(&through).open_handle(HandlePurpose::Alone);

    for (number, cut) in [CUT_BEHIND, CUT_BEFORE, PASS].into_iter().cycle().take(12).enumerate() {
        plan.store(cut, Ordering::Release);
        let mut batch = WriteBatch::default();
        let key = u32::try_from(number).unwrap().to_be_bytes();
        // A commit that is made twice finds its own row.
        batch.expect_row(StoreTable::Keys, key, None);
        batch.put_row(StoreTable::Keys, key, "x");
        handle.commit(&batch).unwrap();
        assert_eq!(plan.load(Ordering::Acquire), PASS, "the cut of commit {number} was made");
        let rows = handle.snapshot().unwrap().row_count(StoreTable::Keys).unwrap();
        assert_eq!(rows, number as u64 + 1);
    }
    handle.check_health().unwrap();
}

#[test]
fn what_cannot_be_used_says_what_to_do() {
    let mut cluster = Cluster::start();
    let address = cluster.new_database();
    let port = cluster.port();
    let secret = postgres_cluster::PASSWORD;

    let wrong = address.replace(secret, "wrong-one");
    let told = refusal(&wrong);
    assert!(
        told.contains("refuses the user or the password") && !told.contains("wrong-one"),
        "{told}"
    );
    let told = refusal(&address.replace("/acme0", "/nowhere"));
    assert!(told.contains("create it with `createdb`") && !told.contains(secret), "{told}");
    let told = refusal(&format!("{address}?sslmode=verify-full"));
    assert!(told.contains("sslmode=disable"), "{told}");
    let missing = PostgresStore::open_existing(settings(&address)).err().unwrap().to_string();
    assert!(missing.contains("has no tables of accredit"), "{missing}");

    let store = open(&address);
    let handle = store.open_handle(HandlePurpose::Alone);
    let sql = |text: &str| assert!(cluster.run_sql("acme0", text).0, "{text}");
    sql("UPDATE accredit_store SET version = 2");
    assert!(refusal(&address).contains("start a later version"));
    let refused = handle.commit(&row(StoreTable::Keys, "a", "1")).unwrap_err().to_string();
    assert!(refused.contains("start a later version"), "{refused}");
    assert!(handle.snapshot().is_err(), "a host of the earlier version reads nothing either");
    sql("UPDATE accredit_store SET version = 1");
    store.begin_copy().unwrap();
    assert!(refusal(&address).contains("`accredit migrate` has not ended"));
    store.end_copy().unwrap();

    sql("ALTER DATABASE acme0 SET default_transaction_read_only = on");
    assert!(refusal(&address).contains("is read-only"), "{}", refusal(&address));
    // In another database: this one only reads now.
    assert!(cluster.run_sql("postgres", "ALTER DATABASE acme0 RESET ALL").0);
    sql("ALTER DATABASE acme0 SET synchronous_commit = off");
    assert!(refusal(&address).contains("synchronous_commit"));
    // In another database, whose commits survive the crash below: this one's may not.
    assert!(cluster.run_sql("postgres", "ALTER DATABASE acme0 RESET synchronous_commit").0);
    open(&address);

    cluster.stop_at_once();
    let began = Instant::now();
    let told = refusal(&address);
    assert!(told.contains("cannot be reached") && told.contains(&port.to_string()), "{told}");
    let refused = handle.commit(&row(StoreTable::Keys, "a", "1"));
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(handle.check_health().unwrap_err().to_string().contains("tries again by itself"));

    cluster.start_again();
    handle.probe_writing().unwrap();
    handle.check_health().unwrap();
    handle.commit(&row(StoreTable::Keys, "a", "1")).unwrap();
}

/// Threads that each have a snapshot and want another one waited for each other.
#[test]
fn snapshots_inside_others_do_not_wait_for_connections() {
    let cluster = Cluster::start();
    let store = open(&format!("{}?connections=2", cluster.new_database()));
    let handle = store.open_handle(HandlePurpose::Alone);
    std::thread::scope(|scope| {
        for number in 0..12 {
            let handle = &handle;
            scope.spawn(move || {
                for _ in 0..20 {
                    let outer = handle.snapshot().unwrap();
                    let inner = handle.snapshot().unwrap();
                    let key = format!("{number}");
                    handle.commit(&row(StoreTable::Keys, &key, "x")).unwrap();
                    assert!(outer.row_count(StoreTable::Keys).unwrap() <= 12);
                    assert!(inner.row_count(StoreTable::Keys).unwrap() <= 12);
                }
            });
        }
    });
    let backends = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'accredit'";
    let count: usize = cluster.run_sql("acme0", backends).1.parse().unwrap();
    assert!(count <= 2 * 2 + 2, "{count} connections");
    drop(handle);
}
