//! What a data file takes for a credit once it is compacted, and how long two reads of a payee take.
//!
//! Measured on the data file that an import left, through its server.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::Outcome;
use crate::import::Server;
use crate::report::{Figure, Finding, thousands};

/// How often each read is done.
const READS: usize = 51;

/// A manager who has hundreds of credits in this month of a company with a million deals.
const OF_PAYEE: &str = "/v1/credits?payee=m7&period=2026-03";

/// Reads from the data file of an import, then compacts it.
pub(crate) fn measure(
    outcome: &mut Outcome,
    binary: &Path,
    (folder, data): (&Path, &Path),
    (deals, credits): (usize, u64),
) {
    let server = Server::start(binary, folder, data);
    let reads = [
        ("reads/statement", "a payee's statement of 160 credits", "&limit=160"),
        (
            "reads/page",
            "first page of credits by payee, period, status",
            "&status=active&limit=100",
        ),
    ];
    for (key, what, rest) in reads {
        let (milliseconds, rows) = read_time(&server, &format!("{OF_PAYEE}{rest}"));
        outcome.findings.push(Finding {
            key: key.to_owned(),
            what: format!("{what}, of {} deals", thousands(deals)),
            rival: "the clock, over HTTP".to_owned(),
            figure: Figure::Milliseconds,
            value: milliseconds,
            spread: None,
            detail: format!("{rows} rows, median of {READS}"),
        });
    }
    server.stop();

    let grown = file_bytes(data);
    let compacted = Command::new(binary).arg("compact").arg("--data").arg(data).status();
    assert!(compacted.unwrap().success(), "`compact` failed");
    let bytes = file_bytes(data);
    outcome.findings.push(Finding {
        key: "import/bytes".to_owned(),
        what: format!("compacted data file after the import of {} deals", thousands(deals)),
        rival: "the number of credits".to_owned(),
        figure: Figure::BytesPerCredit,
        value: bytes as f64 / credits as f64,
        spread: None,
        detail: format!("{} MB, before {} MB", bytes / 1_000_000, grown / 1_000_000),
    });
}

fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// The median time of a read in milliseconds, and how many rows it gives.
fn read_time(server: &Server, path: &str) -> (f64, usize) {
    let agent = ureq::Agent::new_with_defaults();
    let mut rows = 0;
    let mut times: Vec<f64> = (0..READS)
        .map(|_| {
            let started = Instant::now();
            let text = server.get(&agent, path);
            let took = started.elapsed().as_secs_f64() * 1000.0;
            rows = text.matches("\"id\":").count();
            took
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[READS / 2], rows)
}
