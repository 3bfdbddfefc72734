//! `accredit migrate`: every row of a data file in a database, and back.

use std::path::Path;

use postgres_cluster::Cluster;

use crate::company;
use crate::server::{Server, comparable, run};

fn dump(data: &str) -> String {
    let (code, rows, error) = run(&["dump", "--data", data]);
    assert_eq!(code, 0, "{error}");
    rows
}

fn migrate(from: &str, to: &str) -> (i32, String) {
    let (code, told, error) = run(&["migrate", "--from", from, "--to", to]);
    (code, format!("{told}{error}"))
}

#[test]
fn rows_go_into_a_database_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let file = path("a.redb");
    let server = Server::start_file(Path::new(&file), &workspace, &[], &[]);
    for (index, deal) in company::deals(120).iter().enumerate() {
        assert_eq!(server.hook(&format!("msg_{index}"), deal).unwrap().status, 202);
    }
    server.settle();
    let expected = comparable(&server.credits(""));

    let cluster = Cluster::start();
    let store = cluster.new_database();
    let (code, told) = migrate(&format!("redb:{file}"), &store);
    assert!(code == 1 && told.contains("in use by another process"), "{told}");
    assert_eq!(server.stop(), 0);

    let (code, told) = migrate(&format!("redb:{file}"), &store);
    assert_eq!(code, 0, "{told}");
    assert!(!told.contains(postgres_cluster::PASSWORD), "{told}");
    assert_eq!(dump(&store), dump(&file));

    let (code, told) = migrate(&file, &store);
    assert!(code == 1 && told.contains("already has rows"), "{told}");
    let back = path("b.redb");
    let (code, told) = migrate(&store, &format!("redb:{back}"));
    assert_eq!(code, 0, "{told}");
    assert_eq!(dump(&back), dump(&file));
    let (code, told) = migrate(&store, &back);
    assert!(code == 1 && told.contains("already exists"), "{told}");

    // A host goes on where the server on the file ended; what it goes on receiving would not be copied.
    let host = Server::start_host(&store, &workspace, &["--lease", "2s"], &[]);
    assert_eq!(comparable(&host.credits("")), expected);
    let duplicate = host.hook("msg_3", &company::deals(120)[3]).unwrap().json();
    assert_eq!(duplicate["duplicate"], true, "{duplicate}");
    let (code, told) = migrate(&store, &path("c.redb"));
    assert!(code == 1 && told.contains("stop all its hosts"), "{told}");
    let backups = path("backups");
    let (code, _, error) = run(&["backup", "--data", &store, "--out", &backups]);
    assert_eq!(code, 0, "{error}");
    let (code, _, error) = run(&["compact", "--data", &store]);
    assert!(code == 1 && error.contains("VACUUM"), "{error}");
    assert_eq!(host.stop(), 0);
}

/// A part of the rows would look like all of them.
#[test]
fn a_copy_that_was_cut_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let cluster = Cluster::start();
    let store = cluster.new_database();
    let (code, told) = migrate("redb:nowhere.redb", &store);
    assert!(code == 1 && told.contains("does not exist"), "{told}");

    let host = Server::start_host(&store, &workspace, &["--lease", "2s"], &[]);
    assert_eq!(host.stop(), 0);
    let cut = "INSERT INTO accredit_store (name, version, commits) VALUES ('copy', 1, 0)";
    assert!(cluster.run_sql("acme0", cut).0);
    let (code, _, error) = run(&["verify", "--data", &store]);
    assert!(code == 1 && error.contains("`accredit migrate` has not ended"), "{error}");
}
