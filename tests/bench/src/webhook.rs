//! Durable acknowledgements a second: the real server, deciding in the background, against the bare loop;
//! then while deals are imported, and while rules are swapped.

pub mod load;
pub mod server;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use load::Round;
use server::Server;

use crate::Outcome;
use crate::report::{Figure, Finding};
use crate::settings::Settings;

/// Connections, and requests of a round over them.
const SIZES: [(usize, usize); 4] = [(1, 600), (16, 5_000), (64, 10_000), (256, 12_000)];

const ROUNDS: usize = 5;

/// Between two swaps.
const SWAP_EVERY: Duration = Duration::from_millis(250);

/// Compares accredit and the bare loop.
pub fn compare(binary: &str, settings: &Settings, outcome: &mut Outcome) {
    let deals = settings.deals.max(if settings.quick { 20_000 } else { 200_000 });
    outcome.findings.extend(compare_all(binary, settings.folder.path(), deals));
}

/// Compares with files in `folder`; `deals` are imported in between.
pub fn compare_all(binary: &str, folder: &Path, deals: usize) -> Vec<Finding> {
    let bare = Server::bare(folder);
    let start = |part: &str, clients: usize| {
        Server::accredit(binary, &new_folder(folder, &format!("{part}-{clients}")))
    };
    let mut findings = Vec::new();
    for size in SIZES.into_iter().filter(|size| asked("alone", size.0)) {
        findings.extend(compare_alone(&start("alone", size.0), &bare, size));
    }
    for size in [SIZES[1], SIZES[3]].into_iter().filter(|size| asked("import", size.0)) {
        findings.extend(compare_importing(&start("import", size.0), &bare, size, deals));
    }
    for size in [SIZES[1], SIZES[3]].into_iter().filter(|size| asked("swap", size.0)) {
        findings.extend(compare_swapping(&start("swap", size.0), size));
    }
    findings
}

/// Whether a part was asked for: `BENCH_WEBHOOK` names parts and numbers of clients, as in `alone,16`.
fn asked(part: &str, clients: usize) -> bool {
    let Ok(wanted) = std::env::var("BENCH_WEBHOOK") else { return true };
    let wanted: Vec<&str> = wanted.split(',').collect();
    let clients = clients.to_string();
    let is_number = |word: &&str| word.parse::<usize>().is_ok();
    let parts = wanted.iter().all(|word| is_number(word)) || wanted.contains(&part);
    parts && (!wanted.iter().any(is_number) || wanted.contains(&&*clients))
}

fn new_folder(folder: &Path, name: &str) -> std::path::PathBuf {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn round(server: &Server, name: &str, (clients, requests): (usize, usize)) -> Round {
    let requests = load::write_requests(name, requests);
    let (count, before) = (requests.len(), server.cpu_seconds());
    let mut round = load::send_all(server.address, clients, requests);
    round.cpu_us = (server.cpu_seconds() - before) * 1e6 / count as f64;
    assert_eq!(round.failed, 0, "{name}: requests failed");
    round
}

/// The round whose figures are the medians of each.
fn medians(rounds: &[Round]) -> Round {
    let middle = |figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Round {
        rate: middle(|round| round.rate),
        p50_ms: middle(|round| round.p50_ms),
        p99_ms: middle(|round| round.p99_ms),
        cpu_us: middle(|round| round.cpu_us),
        failed: 0,
    }
}

/// The rate and the 99th percentile of both sides, printed and as findings under `key`.
fn findings(key: &str, what: &str, rival: &str, ours: &[Round], theirs: &[Round]) -> Vec<Finding> {
    let (a, b) = (medians(ours), medians(theirs));
    let show = |one: &Round| {
        let Round { rate, p50_ms, p99_ms, cpu_us, .. } = one;
        format!(
            "{rate:.0}/s, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, {cpu_us:.0} us of processor each"
        )
    };
    let detail = format!("{} against {}", show(&a), show(&b));

    let finding = |name: &str, figure: Figure, of: fn(&Round) -> f64| {
        let each = ours.iter().zip(theirs).map(|(a, b)| of(a) / of(b));
        let spread =
            each.fold((f64::INFINITY, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
        Finding {
            key: format!("{key}/{name}"),
            what: format!("{what}, {name}"),
            rival: rival.to_owned(),
            figure,
            value: of(&a) / of(&b),
            spread: Some(spread),
            detail: detail.clone(),
        }
    };
    let found = vec![
        finding("rate", Figure::Speedup, |round| round.rate),
        finding("p99", Figure::TimeRatio, |round| round.p99_ms),
    ];
    println!(
        "{what}: {:.2} of the rate, {:.2} of the p99 of {rival} ({detail})",
        found[0].value, found[1].value
    );
    found
}

const BARE: &str = "a bare axum and redb loop";

/// Nothing else goes on; between rounds everything is decided, so that the rival has the machine alone.
fn compare_alone(ours: &Server, bare: &Server, size: (usize, usize)) -> Vec<Finding> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    round(ours, "warm", (size.0, 200));
    round(bare, &format!("warm{}", size.0), (size.0, 200));
    for number in 0..ROUNDS {
        let name = format!("alone{}_{number}", size.0);
        a.push(round(ours, &name, size));
        ours.wait_decided();
        b.push(round(bare, &name, size));
    }
    let (key, what) = (format!("webhook/alone/{}", size.0), format!("webhook, {} clients", size.0));
    findings(&key, &what, BARE, &a, &b)
}

/// While deals are imported: a round counts if the import was not over at its end.
fn compare_importing(
    ours: &Server,
    bare: &Server,
    size: (usize, usize),
    deals: usize,
) -> Vec<Finding> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        b.push(round(bare, &format!("before{}_{number}", size.0), size));
    }

    let start = Instant::now();
    let is_sent = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            ours.import("I", deals);
            is_sent.store(true, Ordering::Release);
        });

        std::thread::sleep(Duration::from_millis(200));
        while a.len() < 40 {
            let before_end = !is_sent.load(Ordering::Acquire);
            let done = round(ours, &format!("during{}_{}", size.0, a.len()), size);
            let recorded = if before_end { 0 } else { ours.deals() };
            if recorded >= deals as u64 {
                break;
            }
            let Round { rate, p99_ms, .. } = done;
            println!(
                "  round {}: {rate:.0}/s, p99 {p99_ms:.2} ms, {recorded} deals recorded",
                a.len()
            );
            a.push(done);
        }
    });
    ours.wait_decided();
    println!("  {deals} deals imported and decided after {:.1} s", start.elapsed().as_secs_f64());
    let key = format!("webhook/import/{}", size.0);
    let what = format!("webhook, {} clients, while {deals} deals are imported", size.0);
    findings(&key, &what, BARE, &a, &b)
}

/// While a plan is replaced again and again: against the same server without.
fn compare_swapping(ours: &Server, size: (usize, usize)) -> Vec<Finding> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut delays = Vec::new();
    for number in 0..ROUNDS {
        without.push(round(ours, &format!("steady{}_{number}", size.0), size));
        ours.wait_decided();

        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let swaps = scope.spawn(|| swap_until(ours, &is_over, number));
            with.push(round(ours, &format!("swap{}_{number}", size.0), size));
            is_over.store(true, Ordering::Release);
            delays.extend(swaps.join().unwrap());
        });
        ours.wait_decided();
    }
    delays.sort();
    let worst = delays.last().copied().unwrap_or_default().as_secs_f64() * 1000.0;
    println!("  {} swaps, visible at most {worst:.1} ms after their answer", delays.len());

    let key = format!("webhook/swap/{}", size.0);
    let what = format!("webhook, {} clients, a swap every {SWAP_EVERY:?}", size.0);
    let mut found = findings(&key, &what, "the same server without swaps", &with, &without);
    found.push(Finding {
        key: format!("{key}/visible"),
        what: format!("{what}, until it is visible"),
        rival: "its answer".to_owned(),
        figure: Figure::Milliseconds,
        value: worst,
        spread: None,
        detail: format!("the slowest of {} swaps", delays.len()),
    });
    found
}

/// Swaps until it is over; how long after each answer the new rules were seen to be in force.
fn swap_until(ours: &Server, is_over: &AtomicBool, number: usize) -> Vec<Duration> {
    let mut delays = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let before = ours.ruleset();
        ours.activate(&format!("tx.amount * {}", number * 1000 + delays.len() + 2));
        let start = Instant::now();
        while ours.ruleset() == before {}
        delays.push(start.elapsed());
        std::thread::sleep(SWAP_EVERY);
    }
    delays
}
