//! Counts the instructions of five small workloads, and fails when one needs more than it did.
//!
//! Time differs from run to run and from machine to machine; instructions hardly do, so a workload
//! that became 5 % slower is found on a busy machine too. Valgrind counts them: it shows every
//! program the same processor, on one thread at a time. The counts of the last version are in
//! `baseline.toml`; `ACCREDIT_UPDATE_INSTRUCTIONS=1` writes the new ones.
//!
//! `instructions ACCREDIT` counts all, given the path of the binary; `instructions --run NAME` is
//! what Valgrind runs.

mod baseline;
mod company;
mod valgrind;
mod workloads;

use std::process::ExitCode;

use self::baseline::Baseline;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--run", name] => workloads::run(name),
        [accredit] => return count_all(accredit),
        _ => {
            eprintln!("usage: instructions ACCREDIT (the path of the binary)");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Counts every workload, compares and reports.
fn count_all(accredit: &str) -> ExitCode {
    let counts = valgrind::count_all(accredit);
    if std::env::var_os("ACCREDIT_UPDATE_INSTRUCTIONS").is_some() {
        baseline::write(&Baseline::of_this_machine(counts));
        return ExitCode::SUCCESS;
    }

    let baseline = baseline::read();
    let verdicts = baseline.compare(&counts);
    verdicts.iter().for_each(|verdict| println!("{verdict}"));

    if let Some(why) = baseline.not_comparable() {
        println!("skipped: {why}");
        return ExitCode::SUCCESS;
    }
    if verdicts.iter().all(|verdict| verdict.holds()) {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "A workload needs more instructions than tests/instructions/baseline.toml allows. If it \
         has to, write the new counts: ACCREDIT_UPDATE_INSTRUCTIONS=1 tests/instructions/run"
    );
    ExitCode::FAILURE
}
