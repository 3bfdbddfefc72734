//! Ratios of accredit to its rivals. Machines are noisy: rounds alternate, medians are compared.

mod bare;
mod cases;
mod native;
mod pipeline;
mod webhook;

use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

fn main() {
    let accredit =
        std::env::args().nth(1).expect("the path of the accredit binary, or `none`, or `cases`");
    cases::compare();
    if accredit == "cases" {
        return;
    }
    pipeline::compare();
    if accredit != "none" {
        webhook::compare(&accredit);
    }
}

/// Runs both sides in turn and gives their median times.
fn duel(mut ours: impl FnMut(), mut rival: impl FnMut()) -> (Duration, Duration) {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let (mut a, mut b): (Vec<Duration>, Vec<Duration>) =
        (0..ROUNDS).map(|_| (time(&mut ours), time(&mut rival))).unzip();
    a.sort();
    b.sort();
    (a[ROUNDS / 2], b[ROUNDS / 2])
}

fn print(what: &str, count: usize, ours: Duration, rival: Duration, name: &str) {
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{what}: {:.2} x the time of {name} ({:.0}/s against {:.0}/s, medians of {ROUNDS} rounds of {count})",
        ours.as_secs_f64() / rival.as_secs_f64(),
        rate(ours),
        rate(rival),
    );
}
