//! What `accredit calculate` writes: formats, files, messages beside them, and what is left behind when
//! it does not come to its end.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::company;
use crate::server::{binary, run};

/// Text that is hostile to a format: quotes, commas, line ends, formulas, letters of other scripts.
const DEALS: &str = "id,date,amount,owner\n\
    =1+2,2026-01-05,100.10,ann\n\"a,\"\"b\"\"\",2026-01-05,200,bob\n\"two\nlines\",2026-01-06,1,ann\n\
    Müller 株,2026-01-07,-5,bob\n@x,2026-02-01,7.77,ann\n";

fn workspace(dir: &Path) -> String {
    let workspace = company::write(dir);
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(50));
    company::put(&workspace, "transactions/deals.csv", DEALS);
    workspace.to_str().unwrap().to_owned()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

/// A deal on a day that no period holds was parked in JSON, and left out by every other format and by
/// workers: "0 parked", and nobody heard of it.
#[test]
fn a_deal_that_no_period_holds_is_parked_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(dir.path());
    let workspace = Path::new(&path);
    let settings = fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    let calendar = "[calendar]\nkind = \"4-5-4\"\nyears = { 2026 = 2026-01-04 }\n";
    company::put(workspace, "accredit.toml", &format!("{settings}\n{calendar}"));
    let deals = "id,date,amount,owner\nA,2026-02-05,1,ann\nB,2027-06-01,1,ann\n";
    company::put(workspace, "transactions/deals.csv", deals);

    for format in ["json", "csv", "ndjson"] {
        let (code, _, error) =
            run(&["calculate", &path, "--period", "2026-P02", "--format", format]);
        assert_eq!(code, 0, "{error}");
        assert!(error.contains("2026-P02: 2 transactions,"), "{format}: {error}");
        assert!(error.contains("1 parked"), "{format}: {error}");
    }
}

#[test]
fn every_format_has_the_same_credits() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(dir.path());
    let calculated = |more: &[&str]| {
        let verb = [&["calculate", &path, "--period", "2026"], more].concat();
        let (code, out, error) = run(&verb);
        assert_eq!(code, 0, "{error}");
        out
    };

    let all: Vec<Json> = serde_json::from_str(&calculated(&[])).unwrap();
    let credits = all.iter().flat_map(|one| one["credits"].as_array().unwrap());
    let credits: Vec<&Json> = credits.collect();
    assert_eq!(credits.len(), 15);

    let lines = calculated(&["--format", "ndjson"]);
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().collect::<Vec<_>>(), credits);

    let csv = calculated(&["--format", "csv"]);
    let mut csv = csv::Reader::from_reader(csv.as_bytes());
    let header = csv.headers().unwrap().clone();
    for (row, credit) in csv.records().map(Result::unwrap).zip(&credits) {
        for (column, cell) in header.iter().zip(&row) {
            let cell = cell.strip_prefix('\'').unwrap_or(cell);
            let shown = match &credit[column] {
                Json::Null => String::new(),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, shown, "{column}");
        }
    }

    let uncredited = calculated(&["--format", "ndjson", "--show", "uncredited"]);
    let listed = all.iter().flat_map(|one| one["uncredited"].as_array().unwrap());
    let uncredited = uncredited.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    assert!(uncredited.eq(listed.cloned()));
}

#[test]
fn a_file_has_the_bytes_of_standard_output_in_the_format_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(dir.path());
    let out = tempfile::tempdir().unwrap();
    let verb = ["calculate", &path, "--period", "2026-01", "--plan", "reps"];
    let summary = "reps 2026-01: 4 transactions, 12 credits, 0 uncredited, 0 parked\n";

    for (name, format) in
        [("c.csv", "csv"), ("c.NDJSON", "ndjson"), ("c.jsonl", "ndjson"), ("c.json", "json")]
    {
        let (code, printed, error) = run(&[&verb[..], &["--format", format]].concat());
        assert_eq!((code, error.as_str()), (0, summary));
        assert!(!printed.is_empty());

        let file = out.path().join(name);
        let file = file.to_str().unwrap();
        let (code, nothing, error) = run(&[&verb[..], &["--out", file]].concat());
        assert_eq!((code, nothing.as_str(), error.as_str()), (0, "", summary));
        assert_eq!(fs::read_to_string(file).unwrap(), printed);

        let (code, dash, error) =
            run(&[&verb[..], &["--out", "-", "--format", format, "--quiet"]].concat());
        assert_eq!((code, error.as_str()), (0, ""));
        assert_eq!(dash, printed);
    }
    assert_eq!(names(out.path()), ["c.NDJSON", "c.csv", "c.json", "c.jsonl"]);

    let table = out.path().join("c.csv");
    let table = table.to_str().unwrap();
    let (code, _, _) = run(&[&verb[..], &["--out", table, "--format", "table"]].concat());
    assert_eq!(code, 0);
    assert!(fs::read_to_string(table).unwrap().starts_with('┌'));
}

/// What is written can be read: credits as the deals of another directory, out of one file.
#[test]
fn written_credits_are_read_as_deals_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(&dir.path().join("first"));
    let other = company::write(&dir.path().join("second"));
    let settings = "[workspace]\nname = \"Second\"\n\n[fields]\nid = \"id\"\n\
                    date = \"incentive_date\"\namount = \"amount\"\nowner = [\"payee\"]\n";
    company::put(&other, "accredit.toml", settings);

    let mut read = Vec::new();
    for format in ["csv", "ndjson", "parquet"] {
        let file = dir.path().join(format!("credits.{format}"));
        let file = file.to_str().unwrap();
        let (code, _, error) = run(&["calculate", &path, "--period", "2026", "--out", file]);
        assert_eq!(code, 0, "{error}");

        let verb = ["calculate", other.to_str().unwrap(), "--period", "2026"];
        let (code, out, error) = run(&[&verb[..], &["--transactions", file]].concat());
        assert_eq!(code, 0, "{error}");
        let all: Vec<Json> = serde_json::from_str(&out).unwrap();
        let credits = all.iter().flat_map(|one| one["credits"].as_array().unwrap());
        let credits = credits.map(|credit| {
            ["transaction", "incentive_date", "payee", "amount"].map(|key| credit[key].to_string())
        });
        read.push(credits.collect::<Vec<_>>());
    }
    assert_eq!(read[0].iter().filter(|credit| credit[2] == "\"ann\"").count(), 3);
    assert!(read.iter().all(|credits| *credits == read[0]));
}

#[test]
fn what_cannot_be_written_is_said_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(dir.path());
    let refused = |more: &[&str], code: i32, words: &str| {
        let verb = [&["calculate", &path, "--period", "2026-01"], more].concat();
        let (actual, out, error) = run(&verb);
        assert_eq!((actual, out.as_str()), (code, ""), "{error}");
        assert!(error.contains(words), "{error}");
    };

    refused(&["--out", "credits.xls"], 2, "does not say its format: write --format");
    refused(&["--format", "ndjson", "--show", "credits,parked"], 2, "has one list");
    refused(&["--format", "parquet", "--show", "parked"], 2, "has the credits");
    refused(&["--out", "/nowhere/c.csv"], 1, "/nowhere/c.csv cannot be written");
    refused(&["--out", dir.path().to_str().unwrap(), "--format", "csv"], 1, "a directory");
    // A full disk is an error also behind a pipe and on a device.
    refused(&["--out", "/dev/full", "--format", "csv"], 1, "/dev/full cannot be written");
    assert!(!Path::new("credits.xls").exists());
}

/// Thousands of deals, more than are calculated while a test looks the other way.
fn large_workspace(dir: &Path) -> String {
    let path = workspace(dir);
    let mut deals = String::from("id,date,amount,owner\n");
    for number in 0..20_000 {
        deals.push_str(&format!("D{number},2026-01-05,{number}.50,ann\n"));
    }
    company::put(Path::new(&path), "transactions/deals.csv", &deals);
    path
}

fn spawn(verb: &[&str]) -> Child {
    let mut command = Command::new(binary());
    command.args(verb).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// An interrupted run left half a file, which looked like a whole one.
#[test]
fn an_interrupted_run_leaves_the_former_file_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = large_workspace(dir.path());
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("credits.csv");
    fs::write(&file, "former\n").unwrap();

    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let verb = ["calculate", &path, "--period", "2026", "--out", file.to_str().unwrap()];
        let mut child = spawn(&verb);

        // The new file is begun under another name.
        let since = Instant::now();
        while names(out.path()).len() < 2 {
            assert!(since.elapsed() < Duration::from_secs(60), "no file was begun");
            assert_eq!(child.try_wait().unwrap(), None, "it ended too soon");
            thread::sleep(Duration::from_millis(5));
        }

        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(names(out.path()), ["credits.csv"], "{signal}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "former\n");
    }
}

#[test]
fn a_file_that_cannot_be_finished_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(dir.path());
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("credits.csv");

    // Files of this process may have one kilobyte.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash"]).arg(binary());
    command.args(["calculate", &path, "--period", "2026", "--out", file.to_str().unwrap()]);
    let output = command.output().unwrap();

    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("credits.csv cannot be written"), "{error}");
    assert!(names(out.path()).is_empty());
}

/// Thousands of deals in several files, each of them twice: the later row has another amount, and in some
/// another date.
fn workspace_with_versions(dir: &Path) -> String {
    let path = workspace(dir);
    let mut files =
        [String::from("id,date,amount,owner\n"), String::from("id,date,amount,owner\n")];
    for number in 0..4_000 {
        let day = number % 28 + 1;
        let later = number * 7 % 28 + 1;
        files[0].push_str(&format!("D{number},2026-01-{day:02},{number}.50,ann\n"));
        files[1].push_str(&format!("D{number},2026-02-{later:02},{number}.75,bob\n"));
    }
    company::put(Path::new(&path), "transactions/deals-1.csv", &files[0]);
    company::put(Path::new(&path), "transactions/deals-2.csv", &files[1]);
    path
}

/// Eight thousand rows in a hundred kilobytes go through temporary files, and nobody sees that in the
/// results.
#[test]
fn a_small_memory_changes_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace_with_versions(dir.path());
    let out = tempfile::tempdir().unwrap();

    for format in ["csv", "ndjson", "parquet"] {
        let mut written = Vec::new();
        for memory in ["4GiB", "1MB", "100kb", "1B"] {
            let file = out.path().join(format!("credits.{format}"));
            let verb = ["calculate", &path, "--period", "2026", "--memory", memory, "--out"];
            let (code, _, error) = run(&[&verb[..], &[file.to_str().unwrap()]].concat());
            assert_eq!(code, 0, "{error}");
            assert!(error.contains("reps 2026-02: 4001 transactions"), "{error}");
            written.push((fs::read(&file).unwrap(), error));
            assert_eq!(names(out.path()), [format!("credits.{format}")]);
            fs::remove_file(&file).unwrap();
        }
        assert!(written[0].0.len() > 10_000 && written.iter().all(|one| *one == written[0]));
    }
}

#[test]
fn a_memory_that_cannot_be_kept_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace_with_versions(dir.path());
    let calculate =
        |more: &[&str]| run(&[&["calculate", &path, "--period", "2026"], more].concat());

    for size in ["much", "512", "0MB", "1.5GB"] {
        let (code, out, error) = calculate(&["--format", "csv", "--memory", size]);
        assert_eq!((code, out.as_str()), (2, ""), "{error}");
        assert!(error.contains(size) && error.contains("--memory <SIZE>"), "{error}");
    }

    let (code, _, error) = calculate(&["--format", "json", "--memory", "1MB"]);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("note: --memory has no effect"), "{error}");

    // Files of this process may have 50 kilobytes: the disk is full before the first credit is written.
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("credits.csv");
    let script = "trap '' XFSZ; ulimit -f 50; exec \"$@\"";
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash"]).arg(binary());
    command.args(["calculate", &path, "--period", "2026", "--memory", "100KB"]);
    let output = command.args(["--out", file.to_str().unwrap()]).output().unwrap();

    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let place = format!("a temporary file of deals in {} cannot be written", out.path().display());
    assert!(error.contains(&place) && error.contains("a larger --memory"), "{error}");
    assert!(names(out.path()).is_empty());
}

/// `accredit calculate … | head -1` is no error.
#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let path = workspace(dir.path());

    for format in ["csv", "ndjson", "json", "table"] {
        let mut child = spawn(&["calculate", &path, "--period", "2026", "--format", format]);
        drop(child.stdout.take());
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{error}");
        assert!(!error.contains("error") && !error.contains("panicked"), "{error}");
    }
}
