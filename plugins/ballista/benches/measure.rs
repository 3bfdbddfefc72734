//! What Ballista adds to a deal: the time of runs beside that of one process, for two numbers of
//! deals.
//!
//! The difference of the two is what deals cost; the rest is what a run costs. It compares no
//! results: the test does.
//!
//! `cargo bench --bench measure -- [DEALS]` measures so many deals (50,000), and four times as many.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "measurements stop at the first surprise"
)]

#[path = "../tests/cluster/company.rs"]
#[allow(dead_code, reason = "a measurement compares no results")]
mod company;
#[path = "../tests/cluster/processes.rs"]
#[allow(dead_code, reason = "a measurement kills no executor")]
mod processes;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use company::Company;
use processes::{Cluster, product};

/// Workers that the processes of the test may hold; none is held here.
const STAGES: [&str; 0] = [];

/// How often each is measured; the median counts.
const ROUNDS: usize = 3;

fn main() {
    // Cargo adds an option of its own.
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let deals: usize = asked.unwrap_or(50_000);
    let sizes = [deals, 4 * deals];
    let companies = sizes.map(Company::write);

    let print = |name: &str, times: [Duration; 2]| {
        let [few, many] = times.map(|time| time.as_secs_f64());
        let of_deal = (many - few) / (3 * deals) as f64;
        let of_run = few - of_deal * deals as f64;
        println!("{name:44} {:8.1} µs a deal {of_run:7.2} s a run", of_deal * 1e6);
    };
    for (name, format) in [("credits", "ndjson"), ("credits and rewards", "json")] {
        let calculate = |company: &Company| median(|| calculate(company, format));
        print(&format!("calculate, one thread: {name}"), companies.each_ref().map(calculate));
    }
    for executors in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(folder.path(), executors);
        for (name, has_rewards) in [("credits", false), ("credits and rewards", true)] {
            let run = |company: &Company| median(|| run(&cluster, company, has_rewards));
            let title = format!("executors with one core each, {executors}: {name}");
            print(&title, companies.each_ref().map(run));
        }
    }
}

fn median(once: impl Fn()) -> Duration {
    let time = |_| {
        let begun = Instant::now();
        once();
        begun.elapsed()
    };
    let mut times: Vec<Duration> = (0..ROUNDS).map(time).collect();
    times.sort();
    times[ROUNDS / 2]
}

fn calculate(company: &Company, format: &str) {
    let mut calculate = Command::new(product());
    calculate.arg("calculate").arg(company.directory());
    calculate.args(["--period", "2026", "--quiet", "--threads", "1", "--format", format]);
    assert!(calculate.stdout(Stdio::null()).status().unwrap().success());
}

fn run(cluster: &Cluster, company: &Company, has_rewards: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut options = company.options();
    options.extend(["--id", "deal", "--period", "2026", "--parts", "4"].map(str::to_owned));
    options.extend(["--credits".to_owned(), path("credits"), "--notes".to_owned(), path("notes")]);
    if has_rewards {
        options.extend(["--rewards".to_owned(), path("rewards")]);
    }
    let ended = cluster.start_run(&options).wait();
    assert!(ended.is_success, "{}", ended.errors);
}
