//! Imports as they are sent to the real server: packed, as spreadsheets, too large, many at once.
//!
//! Not how their rows are read (`files`), and not their memory (`health`).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::company;
use crate::server::Server;

const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A server without deals.
fn started() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("acme");
    let settings = "[workspace]\nname = \"Acme\"\n\n[fields]\nid = \"id\"\ndate = \"date\"\n\
                    amount = \"amount\"\nowner = \"owner\"\n\n[sources.crm]\n\
                    connector = \"standard-webhooks\"\n";
    company::put(&workspace, "accredit.toml", settings);
    company::put(&workspace, "organization/participants.csv", "id,title\nann,Rep\nbob,Rep\n");
    let plan = "name = \"Deals\"\n[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"R\"\n";
    company::put(&workspace, "plans/deals.toml", plan);
    let server = Server::start(&folder.path().join("acme.redb"), &workspace);
    (folder, server)
}

/// Amounts that were credited.
fn amounts(server: &Server) -> Vec<String> {
    server.settle();
    let credits = server.credits("");
    let mut amounts: Vec<String> =
        credits.iter().map(|credit| credit["amount"].as_str().unwrap().to_owned()).collect();
    amounts.sort();
    amounts
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

/// Nothing had ever sent a packed body or a spreadsheet to a server.
#[test]
fn packed_bodies_and_spreadsheets_are_imported() {
    let (_folder, server) = started();
    let gzip = [("content-type", "text/csv"), ("content-encoding", "gzip")];
    let body = packed(b"id,date,amount,owner\nA,2026-01-10,7,ann\nB,2026-01-11,8,bob\n");
    let reply = server.import(&gzip, &body);
    assert_eq!(reply.status, 202, "{}", reply.body);
    assert_eq!(reply.json()["rows"], 2);
    assert_eq!(amounts(&server), ["7.00", "8.00"]);

    let reply = server.import(&gzip, b"id,date\n");
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(reply.body.contains("not gzip"), "{}", reply.body);

    let sheet = include_bytes!("../fixtures/formats/deals.xlsx");
    let reply = server.import(&[("content-type", SHEET)], sheet);
    assert_eq!(reply.status, 202, "{}", reply.body);
    assert_eq!(reply.json()["rows"], 2);
    let gzip = [("content-type", SHEET), ("content-encoding", "gzip")];
    let reply = server.import(&gzip, &packed(sheet));
    assert_eq!(reply.status, 202, "{}", reply.body);
    // The other row has another id than the deal of the first import.
    assert_eq!(amounts(&server), ["0.10", "200.00", "8.00"]);

    let reply = server.import(&[("content-type", SHEET)], b"no spreadsheet");
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert_eq!(server.stop(), 0);
}

/// A body of some kilobytes was unpacked into whatever memory there was, if it was a spreadsheet.
#[test]
fn what_is_too_large_packed_or_unpacked_is_refused_by_name() {
    let (_folder, server) = started();
    let check = |headers: &[(&str, &str)], body: &[u8], code: &str, detail: &str| {
        let reply = server.import(headers, body);
        let problem = format!("/problems/{code}");
        assert_eq!(reply.json()["type"].as_str(), Some(&*problem), "{}", reply.body);
        assert!(reply.body.contains(detail), "{}", reply.body);
    };

    let zeros = packed(&vec![b'\n'; (64 << 20) + 1]);
    let gzip = [("content-type", "text/csv"), ("content-encoding", "gzip")];
    check(&gzip, &zeros, "too_large", "67108864");
    check(&[("content-type", SHEET)], &vec![0; (16 << 20) + 1], "too_large", "16777216");

    let long = "x".repeat(1 << 20);
    let json = format!("[{{\"id\":\"A\"}},{{\"id\":\"B\",\"note\":\"{long}\"}}]");
    let kind = [("content-type", "application/json")];
    check(&kind, json.as_bytes(), "bad_request", "the row has more than 1048576 bytes");
    let csv = format!("id,note\nA,\nB,{long}\n");
    let kind = [("content-type", "text/csv")];
    check(&kind, csv.as_bytes(), "bad_request", "the row has more than 1048576 bytes");
    assert_eq!(server.get("/v1/status").json()["counts"]["transactions"], 0);
    assert_eq!(server.stop(), 0);
}

/// Every import that arrived was read at once, each with all of its rows in memory.
#[test]
fn imports_that_arrive_together_are_all_taken() {
    let (_folder, server) = started();
    let note = "x".repeat(100);
    std::thread::scope(|scope| {
        for import in 0..6 {
            let (server, note) = (&server, &note);
            scope.spawn(move || {
                let row = |n| format!("{import}-{n},2026-01-10,1,ann,{note}\n");
                let rows = (0..1500).map(row).collect::<String>();
                let body = format!("id,date,amount,owner,note\n{rows}");
                let kind = if import % 2 == 0 { "text/csv" } else { "text/csv; header=present" };
                let reply = server.import(&[("content-type", kind)], body.as_bytes());
                assert_eq!(reply.status, 202, "{}", reply.body);
                assert_eq!(reply.json()["deliveries"], 6);
            });
        }
    });
    server.settle();
    assert_eq!(server.get("/v1/status").json()["counts"]["transactions"], 9000);
    assert_eq!(server.stop(), 0);
}
