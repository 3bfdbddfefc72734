//! Health of the real binary: the data file that is gone, SIGTERM, and memory.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::server::{self, Server};

const SETTINGS: &str = "credit_types = [\"booking\"]
[workspace]
name = \"Acme\"
[fields]
id = \"id\"
date = \"closed\"
amount = \"amount\"
owner = \"owner\"
[sources.crm]
connector = \"standard-webhooks\"
";

const PLAN: &str = "name = \"Sellers\"
targets = [\"*\"]
[[direct]]
name = \"Booking\"
  [[direct.results]]
  name = \"Booking credit\"
  credit_type = \"booking\"
";

fn workspace(folder: &Path) -> PathBuf {
    let write = |path: &str, text: &str| {
        let path = folder.join("acme").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("accredit.toml", SETTINGS);
    write("plans/sellers.toml", PLAN);
    write("organization/participants.csv", "id,name,title,manager,from,to\nann,Ann,Seller,,,\n");
    folder.join("acme")
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// `serve` with arguments of its own that ends by itself: exit code and what it says.
fn refused(data: &Path, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    arguments.extend(more);
    let (code, _, said) = server::run(&arguments);
    (code, said)
}

/// The data file was deleted under the server: deliveries were acknowledged into nothing, and the next
/// start began an empty ledger without a word.
#[test]
fn a_data_file_that_is_gone_is_noticed_and_not_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(folder.path());
    let data = folder.path().join("acme.redb");

    // Without a directory there is nothing that a new file could be filled from.
    let (code, said) = refused(&data, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("--workspace"), "{said}");
    assert!(!data.exists());

    let running = Server::start(&data, &workspace);
    assert_eq!(running.get("/readyz").status, 200);
    fs::rename(&data, folder.path().join("elsewhere")).unwrap();
    let reply = running.get("/readyz");
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert!(reply.body.contains("is gone"), "{}", reply.body);
    let import = running.post(
        "/v1/transactions",
        "text/csv",
        "id,closed,amount,owner\nD,2026-01-01,1,ann\n",
    );
    assert_eq!(import.status, 503, "{}", import.body);
    fs::rename(folder.path().join("elsewhere"), &data).unwrap();
    eventually("it is ready again", || running.get("/readyz").status == 200);

    fs::remove_file(&data).unwrap();
    assert_eq!(running.stop(), 0);
    let (code, said) = refused(&data, &["--create", "--workspace", workspace.to_str().unwrap()]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("acme.redb.made"), "{said}");

    fs::remove_file(folder.path().join("acme.redb.made")).unwrap();
    fs::write(&data, "").unwrap();
    assert_eq!(Server::start(&data, &workspace).stop(), 0);
}

/// A stop waited half a minute for bodies that never came.
#[test]
fn sigterm_takes_five_seconds_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let running = Server::start(&folder.path().join("acme.redb"), &workspace(folder.path()));
    let address = running.url.trim_start_matches("http://").to_owned();
    let mut stalled: Vec<TcpStream> = Vec::new();
    for head in
        ["POST /hooks/crm HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{", "POST /ho", ""]
    {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stalled.push(stream);
    }
    let rows: String = (0..20_000).map(|n| format!("D-{n},2026-01-10,1,ann\n")).collect();
    let import =
        running.post("/v1/transactions", "text/csv", &format!("id,closed,amount,owner\n{rows}"));
    assert_eq!(import.status, 202, "{}", import.body);

    let asked = Instant::now();
    assert_eq!(running.stop(), 0);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    for mut stream in stalled {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
}

/// What the data segment of the server may be.
const MEMORY: &str = "--data=536870912";

/// A server with `MEMORY`; none on a system that cannot limit it.
fn start_limited(folder: &std::path::Path) -> Option<Server> {
    let running = Server::start(&folder.join("acme.redb"), &workspace(folder));
    let limited =
        Command::new("prlimit").args(["--pid", &running.id().to_string(), MEMORY]).status();
    let is_limited = limited.is_ok_and(|status| status.success());

    // Only Linux can limit it, and there a test that limits nothing would prove nothing.
    assert!(is_limited || !cfg!(target_os = "linux"), "prlimit of util-linux is needed");
    is_limited.then_some(running)
}

/// Bytes of the largest import.
const IMPORT_BYTES_MAX: usize = 64 << 20;

/// The largest import with this header, of rows that `row` makes of their numbers.
fn largest(header: &str, row: impl Fn(usize) -> String) -> String {
    let mut body = String::with_capacity(IMPORT_BYTES_MAX);
    body.push_str(header);
    for number in 0.. {
        let row = row(number);
        if body.len() + row.len() > IMPORT_BYTES_MAX {
            break;
        }
        body.push_str(&row);
    }
    body.push_str(&"\n".repeat(IMPORT_BYTES_MAX - body.len()));
    body
}

/// An import of 6 MiB was acknowledged, and the server died of its memory, again at every start. One
/// of the largest bodies ended it while it was read.
#[test]
fn the_largest_bodies_fit_into_512_mib() {
    let folder = tempfile::tempdir().unwrap();
    let Some(running) = start_limited(folder.path()) else { return };

    let note = "x".repeat(1500);
    let csv = largest("id,closed,amount,owner,note\n", |n| {
        format!("C{n},2026-01-10,{},ann,{note}\n", n % 900)
    });
    let import = running.import(&[("content-type", "text/csv")], csv.as_bytes());
    assert_eq!(import.status, 202, "{}", import.body);
    assert!(import.json()["rows"].as_u64().unwrap() > 40_000, "{}", import.body);
    let more = format!("{csv}\n");
    let import = running.import(&[("content-type", "text/csv")], more.as_bytes());
    assert_eq!(import.status, 413, "{}", import.body);
    drop((csv, more));

    let ndjson = largest("", |n| {
        let deal = format!("\"closed\":\"2026-01-10\",\"amount\":{},\"owner\":\"ann\"", n % 900);
        format!("{{\"id\":\"N{n}\",{deal},\"note\":\"{note}\"}}\n")
    });
    let kind = [("content-type", "application/x-ndjson")];
    let import = running.import(&kind, ndjson.as_bytes());
    assert_eq!(import.status, 202, "{}", import.body);

    // As many deals as a webhook's body can hold.
    for number in 0..3 {
        let rows = (0..16_000).map(|n| {
            format!("{{\"id\":\"W{number}-{n}\",\"closed\":\"2026-01-10\",\"amount\":1,\"owner\":\"ann\"}}")
        });
        let body = format!("[{}]", rows.collect::<Vec<_>>().join(","));
        let reply = running.hook(&format!("msg_{number}"), &body[..]).unwrap();
        assert!(body.len() > 900_000 && reply.status == 202, "{}: {}", body.len(), reply.body);
    }

    let started = Instant::now();
    loop {
        let status = running.get("/v1/status").json();
        if status["counts"]["transactions"].as_i64().unwrap() >= 10_000 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{status}");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(running.get("/readyz").status, 200);
    assert_eq!(running.stop(), 0);
}

/// A change with 375,000 people ended a server with 512 MiB, and every request under way with it.
#[test]
fn definitions_that_do_not_fit_into_memory_are_refused_and_the_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(running) = start_limited(folder.path()) else { return };

    let preview = |people: usize| {
        let rows = (0..people).map(|n| format!("p{n},Person {n}\n")).collect::<String>();
        let text = format!("id,name\nann,Ann\n{rows}");
        let files = serde_json::json!({ "organization/participants.csv": text });
        let body = serde_json::json!({ "files": files }).to_string();
        running.post("/v1/preview", "application/json", &body)
    };

    for people in [400_000, 2_500_000] {
        let refused = preview(people);
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.body.contains("/problems/not_enough_memory"), "{}", refused.body);
        assert!(refused.body.contains("give the server more"), "{}", refused.body);
    }

    assert_eq!(preview(10).status, 200);
    assert_eq!(running.get("/readyz").status, 200);
    assert_eq!(running.stop(), 0);
}
