//! The whole process: deals as CSV in, credits as CSV out, starting and writing included.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::proof::{position_lines, prove_csv};
use crate::report::{Figure, Finding};
use crate::rounds::{Ratio, Side, Times, alternate};
use crate::settings::{Settings, peak_memory};

const ROUNDS: usize = 5;

/// Deals with which it is found out how much memory a deal needs.
const PROBE_DEALS: usize = 5_000;

/// How often the memory of a process is read while it runs.
const GLANCE: Duration = Duration::from_millis(2);

/// A program that writes the credits of a company.
struct Program {
    key: &'static str,
    name: &'static str,
    /// The command over the company's folder, with the file to write.
    command: Box<dyn Fn(&Path, &Path) -> Command>,
}

/// Proves the files equal, then compares times and memory.
pub fn compare(settings: &Settings, outcome: &mut Outcome) {
    let Some(accredit) = &settings.accredit else {
        outcome.skip("the whole process: no accredit binary was named");
        return;
    };
    let mut programs = vec![calculate(accredit, 2), calculate(accredit, 1), native()];
    match &settings.python {
        Some(python) => programs.extend([duckdb(python), polars(python)]),
        None => {
            outcome.skip("the whole process of DuckDB and polars: no Python with both packages")
        }
    }

    let out = settings.folder.path().join("credits.csv");
    let probe = measure_memory(&programs[0], &settings.company(PROBE_DEALS), &out);
    let bytes = probe / PROBE_DEALS as u64;
    let deals = settings.fitting_deals("whole process", settings.deals, bytes);
    let folder = settings.company(deals);

    let memory = prove_equal(&programs, &folder, &out, deals);
    let mut sides: Vec<Side<'_>> = Vec::new();
    for program in &programs {
        let (folder, out) = (&folder, &out);
        sides.push(Box::new(move || run(program, folder, out)));
    }
    let times = alternate(ROUNDS, &mut sides);
    drop(sides);
    report(outcome, &programs, (&times, &memory), deals);
}

fn calculate(binary: &Path, threads: usize) -> Program {
    let binary = binary.to_owned();
    let command = move |folder: &Path, out: &Path| {
        let mut command = Command::new(&binary);
        command.arg("calculate").arg(folder).args(["--period", "2026", "--format", "csv"]);
        command.args(["--threads", &threads.to_string()]);
        command.stdout(File::create(out).unwrap());
        command
    };
    Program { key: "accredit", name: "accredit", command: Box::new(command) }
}

fn native() -> Program {
    let command = |folder: &Path, out: &Path| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("write").args([folder, out]).arg("2");
        command
    };
    Program { key: "native", name: "native Rust", command: Box::new(command) }
}

fn python_command(python: &Path, script: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("rivals").join(script));
    command.arg("write").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn duckdb(python: &Path) -> Program {
    let python: PathBuf = python.to_owned();
    let command = move |folder: &Path, out: &Path| {
        let mut command = python_command(&python, "duckdb_rival.py");
        command.args([folder, out]).arg("2");
        command
    };
    Program { key: "duckdb", name: "DuckDB", command: Box::new(command) }
}

fn polars(python: &Path) -> Program {
    let python: PathBuf = python.to_owned();
    let command = move |folder: &Path, out: &Path| {
        let mut command = python_command(&python, "polars_rival.py");
        command.args([folder, out]).env("POLARS_MAX_THREADS", "2");
        command
    };
    Program { key: "polars", name: "polars", command: Box::new(command) }
}

/// Runs a program once; the time from its start to its end.
fn run(program: &Program, folder: &Path, out: &Path) -> Duration {
    let mut command = (program.command)(folder, out);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let time = start.elapsed();
    assert!(status.success(), "{} failed", program.name);
    time
}

/// Runs a program once; the most memory that it had, in bytes.
fn measure_memory(program: &Program, folder: &Path, out: &Path) -> u64 {
    let mut command = (program.command)(folder, out);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    loop {
        // The reading is 0 once the process has ended.
        peak = peak.max(peak_memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{} failed", program.name);
            return peak;
        }
        std::thread::sleep(GLANCE);
    }
}

/// Proves that all programs write the same rows; the memory of each.
fn prove_equal(programs: &[Program], folder: &Path, out: &Path, deals: usize) -> Vec<u64> {
    let positions = position_lines(folder);
    let mut reference = None;
    let mut memory = Vec::new();
    for program in programs {
        memory.push(measure_memory(program, folder, out));
        let proof = prove_csv(out, &positions);
        let expected = *reference.get_or_insert(proof);
        assert_eq!(proof, expected, "{} writes other rows than accredit", program.name);
    }
    let rows = reference.map_or(0, |proof| proof.rows());
    println!("whole process: all sides write the same {rows} rows of {deals} deals");
    memory
}

fn report(
    outcome: &mut Outcome,
    programs: &[Program],
    (times, memory): (&[Times], &[u64]),
    deals: usize,
) {
    let what = format!("CSV in, CSV out, {deals} deals, 2 threads");
    let ours = &times[0];
    for (program, rival) in programs.iter().zip(times).skip(2) {
        let detail = format!("{:.2} s to {:.2} s", ours.median(), rival.median());
        let key = format!("whole/{}", program.key);
        let ratio = ours.ratio_to(rival);
        outcome.findings.push(Finding::of_ratio(&key, &what, program.name, ratio, detail));
    }

    let Ratio { median, low, high } = times[1].ratio_to(ours);
    outcome.findings.push(Finding {
        key: "whole/threads".to_owned(),
        what,
        rival: "1 thread".to_owned(),
        figure: Figure::Speedup,
        value: median,
        spread: Some((low, high)),
        detail: format!("{:.2} s to {:.2} s", ours.median(), times[1].median()),
    });

    let a_deal = |bytes: u64| bytes as f64 / deals as f64;
    let others = programs.iter().zip(memory).skip(2);
    let others: Vec<String> =
        others.map(|(program, bytes)| format!("{} {:.0}", program.name, a_deal(*bytes))).collect();
    outcome.findings.push(Finding {
        key: "whole/bytes".to_owned(),
        what: format!("most memory of the whole process, {deals} deals, 2 threads"),
        rival: "the number of deals".to_owned(),
        figure: Figure::BytesPerDeal,
        value: a_deal(memory[0]),
        spread: None,
        detail: others.join(", "),
    });
}
