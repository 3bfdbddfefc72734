//! Runs workloads under Valgrind and reads the number of instructions that it counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::{company, workloads};

/// The deals of the workload that is the whole binary.
const CALCULATED_DEALS: usize = 500;

/// Functions of the C library choose their variant by the processor: never by what is newer than AVX2.
const C_LIBRARY: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM";

/// The count of every workload by its name; `accredit` is the path of the binary.
pub fn count_all(accredit: &str) -> BTreeMap<String, u64> {
    let own = std::env::current_exe().unwrap();
    let mut counts: BTreeMap<String, u64> = workloads::NAMES
        .iter()
        .map(|name| {
            // Only the work counts, not what prepares it.
            let toggle = format!("--toggle-collect=*{}*", workloads::COUNTED);
            let count = count(&own, &["--run", name], &[&toggle]);
            ((*name).to_owned(), count)
        })
        .collect();

    let directory = tempfile::tempdir().unwrap();
    company::write(directory.path(), CALCULATED_DEALS);
    let directory = directory.path().to_str().unwrap();
    let arguments = [
        "calculate",
        directory,
        "--plan",
        "reps",
        "--period",
        "2026",
        "--format",
        "csv",
        "--threads",
        "1",
    ];
    counts.insert("calculate".to_owned(), count(Path::new(accredit), &arguments, &[]));
    counts
}

/// The instructions of one run of a program.
fn count(program: &Path, arguments: &[&str], options: &[&str]) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(options)
        .arg(program)
        .args(arguments)
        .env("GLIBC_TUNABLES", C_LIBRARY)
        .output()
        .unwrap_or_else(|error| panic!("valgrind cannot be run: {error}"));

    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {report}", program.display());
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.unwrap_or_else(|| panic!("no count in: {report}"));
    let count = collected.trim().parse().unwrap();
    assert!(count > 0, "nothing was counted of {} {arguments:?}", program.display());
    count
}
