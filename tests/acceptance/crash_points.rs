//! The program ends at a commit of each kind, just before it or just after it, and is started again: the
//! credits, statements and payments are those of a server that nothing disturbed.
//!
//! `ACCREDIT_CRASH_SEEDS` is how many seeds each site has, `ACCREDIT_CRASH_SEED_FIRST` the first of them, and
//! `ACCREDIT_CRASH_SITE` names one site. A seed draws the order of the acts and the number of the commit.

mod acts;
mod client;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use crate::kills::{Random, number};
use crate::restart::assert_same_credits;
use crate::server::{binary, run};
use acts::{draw_acts, write_workspace};
use client::{Outcome, PatientClient};

/// Kinds of commits, with the numbers of those that the acts reach in every order. The first activation
/// fills the data file, and is before the server listens.
const KINDS: [(&str, u64, u64); 14] = [
    ("inbox", 1, 12),
    ("decisions", 1, 5),
    ("decided-again", 1, 3),
    ("activations", 2, 4),
    ("kept-changes", 1, 2),
    ("resolutions", 1, 3),
    ("periods", 1, 2),
    ("publications", 1, 3),
    ("payments", 1, 1),
    ("manual-credits", 1, 3),
    ("manual-rewards", 1, 2),
    ("runs", 1, 4),
    ("begun-imports", 1, 2),
    ("kept-answers", 1, 9),
];

/// Servers at a time: most of the time a run waits for a disk.
const LANES: usize = 4;

/// Where the program ends.
#[derive(Debug, Clone)]
struct Site {
    name: String,
    first: u64,
    last: u64,
}

fn all_sites() -> Vec<Site> {
    let sides = KINDS.iter().flat_map(|kind| ["before", "after"].map(|side| (side, kind)));
    let site = |(side, (kind, first, last)): (&str, &(&str, u64, u64))| Site {
        name: format!("{side}-{kind}"),
        first: *first,
        last: *last,
    };
    sides.map(site).collect()
}

/// What a server without a crash makes of the acts of a seed.
fn undisturbed(folder: &Path, workspace: &Path, seed: u64) -> Outcome {
    let data = folder.join(format!("quiet-{seed}.redb"));
    let mut client = PatientClient::start(&data, workspace, None);
    draw_acts(seed).iter().for_each(|act| client.perform(act));
    client.finish()
}

/// Lets the program end once at a site, and compares what is there in the end.
fn crash_once(folder: &Path, workspace: &Path, (site, seed): (&Site, u64), expected: &Outcome) {
    // Neighbouring seeds would draw alike.
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..5).for_each(|_| _ = random.below(2));
    let number = site.first + random.below(site.last - site.first + 1);
    let point = format!("{}:{number}", site.name);

    let data = folder.join(format!("{}-{seed}.redb", site.name));
    let mut client = PatientClient::start(&data, workspace, Some(&point));
    draw_acts(seed).iter().for_each(|act| client.perform(act));
    let found = client.finish();
    assert_eq!(client.crashes(), 1, "{point} was not reached");

    assert_same_credits(&found.credits, &expected.credits);
    for (found, expected) in found.parts.iter().zip(&expected.parts) {
        assert_eq!(found, expected, "after {point}");
    }
    client.stop();

    // Every decision is as its ruleset decides it, and every row of the trail follows from the one before.
    let data = data.to_str().unwrap();
    for verb in [&["verify", "--data", data][..], &["audit", "verify", "--data", data]] {
        let (code, out, error) = run(verb);
        assert_eq!(code, 0, "{point}: {verb:?}: {out}{error}");
    }
    std::fs::remove_file(data).unwrap();
}

/// The sites that the program under test has, as it lists them where it is given another one.
fn sites_of_program(folder: &Path) -> BTreeSet<String> {
    let mut command = Command::new(binary());
    command.arg("serve").arg("--data").arg(folder.join("none/at-all.redb"));
    let output = command.env("ACCREDIT_CRASH_AT", "nowhere:1").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && message.contains("`ACCREDIT_CRASH_AT` is `nowhere:1`"),
        "the program has no crash points; build it with the features of tests/selection.sh: {message}"
    );
    let words = message.split(|c: char| !c.is_alphanumeric() && c != '-');
    let sites = words.filter(|word| word.starts_with("before-") || word.starts_with("after-"));
    sites.map(str::to_owned).collect()
}

/// Formerly a release of credits whose answer was lost was published a second time when its sender repeated
/// it, and an import that was cut off before its row of the trail never had one.
#[test]
fn a_crash_at_any_commit_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = write_workspace(folder.path());
    let mut sites = all_sites();
    let names: BTreeSet<String> = sites.iter().map(|site| site.name.clone()).collect();
    assert_eq!(names, sites_of_program(folder.path()), "a site without a test");
    if let Ok(only) = std::env::var("ACCREDIT_CRASH_SITE") {
        sites.retain(|site| site.name == only);
        assert_eq!(sites.len(), 1, "ACCREDIT_CRASH_SITE={only}");
    }

    let (seeds, first) =
        (number("ACCREDIT_CRASH_SEEDS", 1), number("ACCREDIT_CRASH_SEED_FIRST", 1));
    let seeds: Vec<(u64, OnceLock<Outcome>)> =
        (first..first + seeds).map(|seed| (seed, OnceLock::new())).collect();
    let runs: Vec<_> =
        seeds.iter().flat_map(|seed| sites.iter().map(move |site| (site, seed))).collect();

    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let lane = || {
        while let Some((site, (seed, quiet))) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = catch_unwind(AssertUnwindSafe(|| {
                let expected = quiet.get_or_init(|| undisturbed(folder.path(), &workspace, *seed));
                crash_once(folder.path(), &workspace, (site, *seed), expected);
            }));
            if done.is_err() {
                let repeat = format!(
                    "ACCREDIT_CRASH_SITE={} ACCREDIT_CRASH_SEED_FIRST={seed} cargo test -p acceptance \
                     crash_points::",
                    site.name
                );
                eprintln!("{repeat}");
                failed.lock().unwrap().push(repeat);
            }
        }
    };
    thread::scope(|scope| (0..LANES).for_each(|_| _ = scope.spawn(lane)));

    let failed = failed.into_inner().unwrap();
    let equal = runs.len() - failed.len();
    println!("{equal} of {} runs are equal, at {} sites", runs.len(), sites.len());
    assert!(failed.is_empty(), "{failed:#?}");
}
