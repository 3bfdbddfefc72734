//! The audit trail: what its rows say, and that no change of it stays hidden.
//!
//! Source: RELIABILITY section 5 and section 7, T40.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::audit::{TrailMark, hash_row};
use accredit_ledger::dump::{check_dump_trail, restore_dump};
use accredit_seams::store::Store;
use accredit_seams::store::memory::MemoryStore;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Host, deal};
use crate::audit_export::{EXPORT_COLUMNS, check_export, export_row};
use crate::checkpoint::{CheckpointSigner, folder, new_key};
use crate::cli::remote::verify::with_data_file;
use crate::plugins;
use crate::server::config::{CheckpointPlan, Config};
use crate::tabular;

/// A key for checkpoints, and a way to start servers that write them into a folder.
fn signed(folder: PathBuf, rows: u64) -> (Arc<CheckpointSigner>, impl Fn(&mut Config) + Clone) {
    let key = new_key("acme/accredit").unwrap();
    let signer = Arc::new(CheckpointSigner::from_text(key.expose_secret()).unwrap());
    let given = Arc::clone(&signer);
    let also = move |config: &mut Config| {
        config.credentials.audit_key = Some(Arc::clone(&given));
        let (folder, every) = (folder.clone(), None);
        config.checkpoints = Some(CheckpointPlan { folder, every, rows });
    };
    (signer, also)
}

/// Holds and releases of credits, and other acts that the trail has rows of.
fn act(host: &Host, deals: usize) {
    for number in 0..deals {
        host.deliver(&format!("m{number}"), &deal(&format!("D-{number}"), "100", ""));
    }
    host.drained();
    for number in 0..deals {
        let credit = host.credits(&format!("D-{number}"))[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/credits/{credit}/hold");
        assert_eq!(host.api("POST", &path, &[], r#"{"comment":"why"}"#).status, 200);
    }
}

fn rows_of(host: &Host, what: &str) -> Vec<Value> {
    let page = host.get(&format!("/v1/audit?what={what}&limit=1000"));
    page["data"].as_array().unwrap().clone()
}

#[test]
fn rows_say_from_where_an_act_came_and_what_was_before_and_after() {
    let host = Host::start();
    let start = &rows_of(&host, "activated")[0];
    assert_eq!(start["origin"], json!({"via": "server"}));
    assert_eq!(start["detail"]["before"], Value::Null);
    assert_eq!(start["detail"]["after"], start["detail"]["ruleset"]);

    host.deliver("m1", &deal("D-1", "100", r#","hold":"yes""#));
    let credit = host.credits("D-1")[0]["id"].as_str().unwrap().to_owned();
    let headers = &[("x-request-id", "req-of-a-test")];
    let path = format!("/v1/credits/{credit}/release");
    assert_eq!(host.api("POST", &path, headers, "").status, 200);
    let released = &rows_of(&host, "released")[0];
    assert_eq!(released["origin"]["via"], "token");
    assert_eq!(released["origin"]["peer"], "127.0.0.1");
    assert_eq!(released["origin"]["request"], "req-of-a-test");
    assert!(released["origin"]["program"].as_str().unwrap().starts_with("ureq/"), "{released}");
    assert_eq!(released["detail"]["before"], json!({"status": "held", "amount": "100.00"}));
    assert_eq!(released["detail"]["after"], json!({"status": "active", "amount": "100.00"}));

    let wanted = json!({"name": "robot", "role": "admin"}).to_string();
    let key = host.api("POST", "/v1/keys", &[], &wanted).json();
    let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
    let with_key = |method: &str, path: &str, body: &str| {
        host.call(method, path, &[("authorization", &bearer)], body.as_bytes())
    };
    assert_eq!(with_key("POST", "/v1/periods/2025-12/close", r#"{"force":false}"#).status, 200);
    let closed = &rows_of(&host, "closed")[0];
    assert_eq!(closed["who"], "robot");
    assert_eq!(closed["origin"]["via"], format!("key:{}", key["id"].as_str().unwrap()));
    assert_eq!(closed["detail"]["before"], "open");
    assert_eq!(closed["detail"]["after"], "closed");

    let id = key["id"].as_str().unwrap();
    assert_eq!(host.api("POST", &format!("/v1/keys/{id}/rotate"), &[], "").status, 200);
    let rotated = &rows_of(&host, "key_rotated")[0]["detail"];
    assert_eq!(rotated["before"]["secrets_until_ms"], json!([null]));
    assert_eq!(rotated["after"]["secrets_until_ms"].as_array().unwrap().len(), 2);
    assert_eq!(rotated["after"]["role"], "admin");
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

/// Redrives, imports, verifying the quarantine and runs changed data and left no row.
#[test]
fn acts_that_are_no_single_commit_have_rows() {
    let host = Host::start();
    assert_eq!(host.api("POST", "/v1/parked/redrive", &[], "").status, 200);
    assert_eq!(host.api("POST", "/v1/dead-letters/redrive?source=crm", &[], "").status, 202);
    assert_eq!(host.api("POST", "/v1/quarantine/verify", &[], "").status, 200);
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "first")];
    for _ in 0..2 {
        assert_eq!(
            host.api("POST", "/v1/transactions", &headers, &deal("I-1", "5", "")).status,
            202
        );
    }
    host.drained();
    let path = "/v1/calculations/sellers/2026-01/run";
    assert!(host.api("POST", path, &[], r#"{"mode":"full"}"#).status < 300);

    for (what, key, value) in [
        ("parked_redriven", "decided", json!(0)),
        ("dead_letters_redriven", "source", json!("crm")),
        ("quarantine_verified", "accepted", json!(0)),
        ("imported", "delivery", json!("first")),
        ("run_begun", "plan", json!("sellers")),
    ] {
        let rows = rows_of(&host, what);
        assert_eq!(rows.len(), 1, "{what}: {rows:?}");
        assert_eq!(rows[0]["detail"][key], value, "{what}");
        assert_eq!(rows[0]["who"], "admin");
        assert_eq!(rows[0]["origin"]["peer"], "127.0.0.1", "{what}");
    }
}

#[test]
fn checkpoints_are_written_and_a_rewritten_trail_raises_an_alert() {
    let outside = tempfile::tempdir().unwrap();
    let (signer, also) = signed(outside.path().join("kept"), 3);
    let kept = outside.path().join("kept");
    let read = || {
        let (read, refused) = folder::read_checkpoints(&kept, &[signer.verifier()]).unwrap();
        assert_eq!(refused, []);
        read.into_iter().map(|(_, checkpoint)| checkpoint).collect::<Vec<_>>()
    };

    let mut host = Host::start_with(also.clone());
    let waited = |rows: u64| {
        let started = std::time::Instant::now();
        while !kept.exists() || read().last().is_none_or(|last| last.rows < rows) {
            assert!(started.elapsed().as_secs() < 20, "no checkpoint of {rows} rows");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    waited(1);
    act(&host, 3);
    waited(4);
    let shown = host.api("GET", "/v1/audit/checkpoint", &[], "");
    let shown = crate::checkpoint::read_checkpoint(&shown.text, &[signer.verifier()]).unwrap();
    assert_eq!((shown.rows, shown.origin.as_str()), (4, "acme/accredit"));
    assert_eq!(host.api("POST", "/v1/parked/redrive", &[], "").status, 200);
    host.stop();
    assert_eq!(read().last().unwrap().rows, 5, "the last one is written at the stop");

    // Nothing new: no other checkpoint.
    let count = read().len();
    host.run();
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
    host.stop();
    assert_eq!(read().len(), count);

    // The whole file is rewritten so that it agrees with itself.
    let data = host.folder.path().join("acme.redb");
    let dump = dumped(&data);
    let rows = trail_of(&dump);
    let forged = with_trail(&dump, &rehashed(rows, |row| row["who"] = json!("mallory")), true);
    std::fs::remove_file(&data).unwrap();
    restore_dump(plugins::open_store(&data).unwrap(), &mut forged.as_bytes()).unwrap();
    host.run();
    let started = std::time::Instant::now();
    let alert = || {
        let alerts = host.get("/v1/alerts");
        alerts.to_string().contains("checkpoint_differs")
    };
    while !alert() {
        assert!(started.elapsed().as_secs() < 20, "no alert");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let problems = host.get("/v1/audit/verify")["problems"].to_string();
    assert!(problems.contains("rows were rewritten"), "{problems}");
    assert!(read().len() >= count, "what was signed stays");
}

#[test]
fn without_a_key_there_is_no_checkpoint() {
    let host = Host::start();
    host.api("GET", "/v1/audit/checkpoint", &[], "").problem(409, "no_audit_key");
}

/// The trail of a server as an export, in both formats.
fn exports(host: &Host) -> [String; 2] {
    ["application/x-ndjson", "text/csv"].map(|kind| {
        let reply = host.api("GET", "/v1/audit", &[("accept", kind)], "");
        assert_eq!(reply.status, 200);
        reply.text
    })
}

#[test]
fn an_export_is_verified_without_the_server() {
    let host = Host::start();
    act(&host, 30);
    let whole = host.get("/v1/audit/verify");
    for text in exports(&host) {
        let checked = check_export(text.as_bytes(), None, &[]).unwrap();
        assert_eq!(checked.problems, Vec::<String>::new());
        assert_eq!(json!(checked.head), whole["head"]);
        assert_eq!(json!(checked.rows), whole["rows"]);

        // A column that shows something else than the row is found.
        let changed = text.replacen("admin", "other", 1);
        assert!(!check_export(changed.as_bytes(), None, &[]).unwrap().problems.is_empty());
        let cut: String = text.lines().take(9).map(|line| format!("{line}\n")).collect();
        let head = whole["head"].as_str();
        assert!(!check_export(cut.as_bytes(), head, &[]).unwrap().problems.is_empty());
    }
    assert!(check_export(&b"a,b\n1,2\n"[..], None, &[]).is_err());

    // Pages hold what the export holds.
    let (mut cursor, mut sequences) = (String::new(), Vec::new());
    loop {
        let page = host.get(&format!("/v1/audit?limit=7{cursor}"));
        let rows = page["data"].as_array().unwrap();
        sequences.extend(rows.iter().map(|row| row["sequence"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<u64> = (1..=whole["rows"].as_u64().unwrap()).rev().collect();
    assert_eq!(sequences, expected);
}

/// A data file as a dump.
fn dumped(data: &Path) -> String {
    let mut out = Vec::new();
    with_data_file(data, |ledger| ledger.dump("0", false, &mut out)).unwrap();
    String::from_utf8(out).unwrap()
}

/// The stored rows of the trail in a dump, by number.
fn trail_of(dump: &str) -> BTreeMap<u64, String> {
    let lines = dump.lines().filter(|line| line.contains(r#""table":"audit""#));
    let rows = lines.map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let row = line["value"].as_str().unwrap().to_owned();
        let parsed: Value = serde_json::from_str(&row).unwrap();
        (parsed["sequence"].as_u64().unwrap(), row)
    });
    rows.collect()
}

/// The dump with another trail, so that every seal and hash of the file is right; with the head of the
/// trail as well, where the one who changed it knows of that.
fn with_trail(dump: &str, rows: &BTreeMap<u64, String>, is_head_known: bool) -> String {
    use base64::Engine as _;

    let mut lines: Vec<String> = Vec::new();
    let mut is_written = false;
    for line in dump.lines() {
        if line.contains(r#""table":"audit""#) {
            for (number, row) in rows.iter().filter(|_| !is_written) {
                let key = number.to_be_bytes();
                // As a dump writes them: bytes that are text are text.
                let key = match std::str::from_utf8(&key) {
                    Ok(text) => json!(text),
                    Err(_) => {
                        let text = base64::engine::general_purpose::STANDARD.encode(key);
                        json!({ "base64": text })
                    }
                };
                lines.push(json!({"table": "audit", "key": key, "value": row}).to_string());
            }
            is_written = true;
        } else if line.contains(r#""key":"audit_head""#) && is_head_known {
            let head = rows.values().last().map(|row| hash_row(row.as_bytes())).unwrap_or_default();
            lines.push(json!({"table": "meta", "key": "audit_head", "value": head}).to_string());
        } else if !line.starts_with(r#"{"rows":"#) {
            lines.push(line.to_owned());
        }
    }
    let count = lines.len() - 1;
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    format!("{text}{}\n", json!({"rows": count, "skipped": 0, "blake3": hash}))
}

/// A whole trail written anew, each row changed by `change` and following from the one before.
fn rehashed(rows: BTreeMap<u64, String>, change: impl Fn(&mut Value)) -> BTreeMap<u64, String> {
    let mut previous = String::new();
    let anew = rows.into_iter().map(|(number, row)| {
        let mut row: Value = serde_json::from_str(&row).unwrap();
        change(&mut row);
        row["previous"] = json!(previous);
        let row = row.to_string();
        previous = hash_row(row.as_bytes());
        (number, row)
    });
    anew.collect()
}

/// One way of changing a trail; none where it would change nothing.
fn mutated(
    rows: &BTreeMap<u64, String>,
    (kind, mut pick): (usize, impl FnMut(u64) -> u64),
) -> Option<BTreeMap<u64, String>> {
    let (mut changed, count) = (rows.clone(), rows.len() as u64);
    let place = pick(count) + 1;
    match kind {
        // A byte of a row, wherever it stands.
        0 => {
            let mut bytes = rows[&place].clone().into_bytes();
            let at = usize::try_from(pick(bytes.len() as u64)).unwrap();
            bytes[at] ^= 1 << pick(7);
            changed.insert(place, String::from_utf8(bytes).ok()?);
        }
        // A field, in JSON that is as good as before.
        1 => {
            let mut row: Value = serde_json::from_str(&rows[&place]).unwrap();
            let field =
                ["who", "what", "at_ms", "detail", "origin"][usize::try_from(pick(5)).unwrap()];
            row[field] = if field == "at_ms" { json!(pick(1 << 40)) } else { json!("other") };
            changed.insert(place, row.to_string());
        }
        2 => drop(changed.remove(&place)),
        // A row is taken out, and those behind it move up.
        3 => {
            changed =
                (1..count).map(|at| (at, rows[&(at + u64::from(at >= place))].clone())).collect();
        }
        // A row is put in, and those behind it move down.
        4 => {
            let copy = rows[&(pick(count) + 1)].clone();
            let moved = (place..=count).map(|at| (at + 1, rows[&at].clone()));
            changed.extend(moved.collect::<Vec<_>>());
            changed.insert(place, copy);
        }
        // Two rows change places.
        5 => {
            let other = pick(count) + 1;
            changed.insert(place, rows[&other].clone());
            changed.insert(other, rows[&place].clone());
        }
        // The last rows are gone.
        _ => changed.retain(|number, _| *number < place),
    }
    (changed != *rows).then_some(changed)
}

/// What `audit verify` finds of a dump: in the data file that is restored from it, in the dump, and in
/// the exports of both formats.
fn problems_of(dump: &str, rows: &BTreeMap<u64, String>, marks: &[TrailMark]) -> [usize; 4] {
    let store = Arc::new(MemoryStore::default());
    restore_dump(Arc::clone(&store) as Arc<dyn Store>, &mut dump.as_bytes()).unwrap();
    let file = Ledger::open(store).unwrap().check_trail(None, marks).unwrap();
    let dump = check_dump_trail(&mut dump.as_bytes(), None, marks).unwrap();
    let shown: Vec<Value> = rows.values().map(|row| export_row(row.as_bytes())).collect();
    let lines: String = shown.iter().map(|row| format!("{row}\n")).collect();
    let head = tabular::csv_header(&EXPORT_COLUMNS).unwrap();
    let csv = [head, tabular::csv_rows(&EXPORT_COLUMNS, &shown).unwrap()].concat();
    let exports = [lines.as_bytes(), &csv].map(|text| check_export(text, None, marks).unwrap());
    let [lines, csv] = exports.map(|report| report.problems.len());
    [file.problems.len(), dump.problems.len(), lines, csv]
}

/// RELIABILITY section 7, T40: 500 changes by one who can write the data file and knows its seals and
/// hashes, half of whom know of the kept head as well. Each is found by its checkpoints.
#[test]
fn every_change_of_a_trail_is_found() {
    let outside = tempfile::tempdir().unwrap();
    let (signer, also) = signed(outside.path().to_owned(), 7);
    let mut host = Host::start_with(also);
    act(&host, 24);
    host.stop();
    let dump = dumped(&host.folder.path().join("acme.redb"));
    let rows = trail_of(&dump);
    let (kept, _) = folder::read_checkpoints(outside.path(), &[signer.verifier()]).unwrap();
    let marks: Vec<TrailMark> = kept
        .into_iter()
        .map(|(name, kept)| TrailMark { rows: kept.rows, head: kept.head, name })
        .collect();
    assert_eq!(marks.last().unwrap().rows, rows.len() as u64);
    assert_eq!(with_trail(&dump, &rows, true).lines().count(), dump.lines().count());
    assert_eq!(problems_of(&with_trail(&dump, &rows, true), &rows, &marks), [0; 4]);

    let mut seed = 40_u64;
    let mut pick = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut tried, mut hidden) = (0, 0);
    while tried < 500 {
        let Some(changed) = mutated(&rows, (tried % 7, &mut pick)) else { continue };
        let forged = with_trail(&dump, &changed, tried % 2 == 0);
        let found = problems_of(&forged, &changed, &marks);
        assert!(found.iter().all(|found| *found > 0), "change {tried}: {found:?}");
        hidden += usize::from(problems_of(&forged, &changed, &[])[1] == 0);
        tried += 1;
    }
    assert!(hidden > 0, "the chain alone shows no end that was cut off or written anew");

    // A whole trail written anew agrees with itself, and with none of the checkpoints.
    let anew = rehashed(rows, |row| row["at_ms"] = json!(1));
    let forged = with_trail(&dump, &anew, true);
    assert_eq!(problems_of(&forged, &anew, &[])[1..], [0; 3]);
    let found = problems_of(&forged, &anew, &marks);
    assert!(found.iter().all(|found| *found >= marks.len()), "{found:?}");
}
