//! The whole process: deals as CSV in, credits as CSV out, starting and writing included.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Outcome;
use crate::proof::{position_lines, prove_csv};
use crate::report::{Figure, Finding, thousands};
use crate::rounds::{Ratio, Side, Spent, Times, alternate, time_with_cpu};
use crate::settings::{Settings, cpu_of_ended, peak_memory};

const ROUNDS: usize = 5;

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
    let bytes = settings.bytes_per_deal(|folder| measure_memory(&programs[0], folder, &out));
    let deals = settings.fitting_deals("whole process", settings.deals, bytes);
    let folder = settings.company(deals);

    let memory = prove_equal(&programs, &folder, &out, deals);
    let tenth = settings.company(deals / 10);
    let mut sides: Vec<Side<'_>> = Vec::new();
    for program in &programs {
        let (folder, out) = (&folder, &out);
        sides.push(Box::new(move || run(program, folder, out)));
    }
    // The same program over a tenth of the deals, to see whether time grows with their number.
    sides.push(Box::new(|| run(&programs[0], &tenth, &out)));
    let mut times = alternate(ROUNDS, &mut sides);
    drop(sides);

    let tenth = times.pop().unwrap();
    report(outcome, &programs, (&times, &memory), deals);
    report_growth(outcome, &times[0], &tenth, deals);
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

/// A Python rival that is asked for `verb`.
pub fn python_command(python: &Path, script: &str, verb: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("rivals").join(script));
    command.arg(verb).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn duckdb(python: &Path) -> Program {
    let python: PathBuf = python.to_owned();
    let command = move |folder: &Path, out: &Path| {
        let mut command = python_command(&python, "duckdb_rival.py", "write");
        command.args([folder, out]).arg("2");
        command
    };
    Program { key: "duckdb", name: "DuckDB", command: Box::new(command) }
}

fn polars(python: &Path) -> Program {
    let python: PathBuf = python.to_owned();
    let command = move |folder: &Path, out: &Path| {
        let mut command = python_command(&python, "polars_rival.py", "write");
        command.args([folder, out]).env("POLARS_MAX_THREADS", "2");
        command
    };
    Program { key: "polars", name: "polars", command: Box::new(command) }
}

/// Runs a program once; what it took from its start to its end.
fn run(program: &Program, folder: &Path, out: &Path) -> Spent {
    let mut command = (program.command)(folder, out);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    time_with_cpu(cpu_of_ended, || {
        assert!(command.status().unwrap().success(), "{} failed", program.name);
    })
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
    let size = thousands(deals);
    let what = format!("CSV in, CSV out, {size} deals, 2 threads");
    let ours = &times[0];
    for (program, rival) in programs.iter().zip(times).skip(2) {
        let detail = ours.medians_text(rival);
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
        detail: ours.medians_text(&times[1]),
    });

    let a_deal = |bytes: u64| bytes as f64 / deals as f64;
    let others = programs.iter().zip(memory).skip(2);
    let others: Vec<String> =
        others.map(|(program, bytes)| format!("{} {:.0}", program.name, a_deal(*bytes))).collect();
    outcome.findings.push(Finding {
        key: "whole/bytes".to_owned(),
        what: format!("most memory of the whole process, {size} deals, 2 threads"),
        rival: "the number of deals".to_owned(),
        figure: Figure::BytesPerDeal,
        value: a_deal(memory[0]),
        spread: None,
        detail: others.join(", "),
    });
}

/// How much longer a deal takes among `deals` than among a tenth of them.
fn report_growth(outcome: &mut Outcome, all: &Times, tenth: &Times, deals: usize) {
    let Ratio { median, low, high } = all.ratio_to(tenth);
    outcome.findings.push(Finding {
        key: "whole/linear".to_owned(),
        what: format!("CSV in, CSV out, {} deals, 2 threads", thousands(deals)),
        rival: format!("{} deals", thousands(deals / 10)),
        figure: Figure::Growth,
        value: median / 10.0,
        spread: Some((low / 10.0, high / 10.0)),
        detail: all.medians_text(tenth),
    });
}
