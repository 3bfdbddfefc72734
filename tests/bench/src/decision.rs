//! The decision alone: deals in memory to credits in memory, loading and writing left out.

use std::path::Path;

use crate::Outcome;
use crate::postgres::{self, Cluster};
use crate::report::{Figure, Finding, thousands};
use crate::rounds::{Ratio, Side, Times, alternate};
use crate::settings::Settings;
use crate::whole::python_command;
use crate::worker::{Worker, plain_words};

const ROUNDS: usize = 5;

/// More deals tell nothing new, and every rival would have to hold them.
const DEALS_MAX: usize = 1_000_000;

/// A side with the number of threads that it is run on.
struct Contender {
    key: &'static str,
    name: &'static str,
    threads: usize,
    worker: usize,
}

/// Proves all sides equal, then compares their times on one thread and on two.
pub fn compare(settings: &Settings, outcome: &mut Outcome) {
    let wanted = settings.deals.min(DEALS_MAX);
    let bytes = settings.bytes_per_deal(peak_of_engine);
    let deals = settings.fitting_deals("decision alone", wanted, bytes);
    let folder = settings.company(deals);

    let mut workers = vec![
        Worker::of_this_program("accredit", &folder),
        Worker::of_this_program("native", &folder),
    ];
    let mut contenders: Vec<Contender> = Vec::new();
    let mut enter = |key, name, worker, threads: &[usize]| {
        let entries = threads.iter().map(|&threads| Contender { key, name, threads, worker });
        contenders.extend(entries);
    };
    enter("accredit", "accredit", 0, &[1, 2]);
    enter("native", "native Rust", 1, &[1, 2]);

    if let Some(python) = &settings.python {
        enter("duckdb", "DuckDB", workers.len(), &[1, 2]);
        workers.push(python_worker(python, "duckdb_rival.py", 2, &folder));
        for threads in [1, 2] {
            enter("polars", "polars", workers.len(), &[threads]);
            workers.push(python_worker(python, "polars_rival.py", threads, &folder));
        }
    } else {
        outcome.skip("DuckDB and polars: no Python with both packages");
    }
    // Declared after the workers and stopped after them, below.
    let cluster = match postgres::find_programs() {
        Ok(()) => Some(Cluster::start(&settings.folder.path().join("postgres"))),
        Err(missing) => {
            outcome.skip(&missing);
            None
        }
    };
    if let Some(cluster) = &cluster {
        enter("postgres", "PostgreSQL", workers.len(), &[1, 2]);
        workers.push(cluster.worker(&folder));
    }

    prove_equal(&mut workers, &contenders, deals);
    let times = run(&mut workers, &contenders);
    report(outcome, &contenders, &times, deals);
    drop(workers);
}

/// The most memory that the engine needs for the deals in `folder` and their credits.
fn peak_of_engine(folder: &Path) -> u64 {
    let mut worker = Worker::of_this_program("accredit", folder);
    let _ = worker.decide(1);
    worker.peak_memory()
}

fn python_worker(python: &Path, script: &str, threads: usize, folder: &Path) -> Worker {
    let mut command = python_command(python, script, "decide");
    command.arg(folder).env("POLARS_MAX_THREADS", threads.to_string());
    let mut worker = Worker::start("a Python rival", &mut command, plain_words);
    worker.wait_ready();
    worker
}

fn prove_equal(workers: &mut [Worker], contenders: &[Contender], deals: usize) {
    let mut reference = None;
    for contender in contenders {
        let worker = &mut workers[contender.worker];
        let _ = worker.decide(contender.threads);
        let proof = worker.prove();
        let expected = *reference.get_or_insert(proof);
        let Contender { name, threads, .. } = contender;
        assert_eq!(proof, expected, "{name} on {threads} threads differs from accredit");
    }
    let rows = reference.map_or(0, |proof| proof.rows());
    println!("decision alone: all sides make the same {rows} credits of {deals} deals");
}

fn run(workers: &mut [Worker], contenders: &[Contender]) -> Vec<Times> {
    let workers: Vec<_> = workers.iter_mut().map(std::cell::RefCell::new).collect();
    let side = |contender: &Contender| -> Side<'_> {
        let (worker, threads) = (&workers[contender.worker], contender.threads);
        Box::new(move || worker.borrow_mut().decide(threads))
    };
    let mut sides: Vec<Side<'_>> = contenders.iter().map(side).collect();
    alternate(ROUNDS, &mut sides)
}

fn report(outcome: &mut Outcome, contenders: &[Contender], times: &[Times], deals: usize) {
    let named = |key: &str, threads: usize| {
        let mut all = contenders.iter().zip(times);
        all.find(|(it, _)| it.key == key && it.threads == threads).map(|(_, times)| times).unwrap()
    };
    let size = thousands(deals);

    let rivals: Vec<_> =
        contenders.iter().zip(times).filter(|(contender, _)| contender.key != "accredit").collect();
    let by_threads = [1, 2].into_iter().flat_map(|threads| {
        rivals.iter().filter(move |(contender, _)| contender.threads == threads)
    });
    for (contender, rival) in by_threads {
        let Contender { key, name, threads, .. } = contender;
        let ours = named("accredit", *threads);
        let detail = ours.medians_text(rival);
        let what = format!("decision alone, {size} deals, {}", threads_text(*threads));
        let key = format!("decision/{key}/{threads}");
        outcome.findings.push(Finding::of_ratio(&key, &what, name, ours.ratio_to(rival), detail));
    }

    let (one, two) = (named("accredit", 1), named("accredit", 2));
    let Ratio { median, low, high } = one.ratio_to(two);
    outcome.findings.push(Finding {
        key: "decision/threads".to_owned(),
        what: format!("decision alone, {size} deals, 2 threads"),
        rival: "1 thread".to_owned(),
        figure: Figure::Speedup,
        value: median,
        spread: Some((low, high)),
        detail: two.medians_text(one),
    });
}

fn threads_text(threads: usize) -> String {
    if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") }
}
