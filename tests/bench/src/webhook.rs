//! Durable acknowledgements a second: the real server, deciding in the background, against the bare loop;
//! then while deals are imported, and while rules are swapped.

pub mod load;
pub mod server;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use load::Round;
use server::Server;

/// Connections, and requests of a round over them.
const SIZES: [(usize, usize); 4] = [(1, 600), (16, 5_000), (64, 10_000), (256, 12_000)];

const ROUNDS: usize = 5;

/// Between two swaps.
const SWAP_EVERY: Duration = Duration::from_millis(250);

/// Compares accredit and the bare loop, with files in `folder`; `deals` are imported in between.
pub fn compare(binary: &str, folder: &Path, deals: usize) {
    let bare = Server::bare(folder);
    for size in SIZES {
        if !asked("alone", size.0) {
            continue;
        }
        let ours = Server::accredit(binary, &new_folder(folder, &format!("alone-{}", size.0)));
        compare_alone(&ours, &bare, size);
    }
    for size in [SIZES[1], SIZES[3]] {
        if !asked("import", size.0) {
            continue;
        }
        let ours = Server::accredit(binary, &new_folder(folder, &format!("import-{}", size.0)));
        compare_importing(&ours, &bare, size, deals);
    }
    for size in [SIZES[1], SIZES[3]] {
        if !asked("swap", size.0) {
            continue;
        }
        let ours = Server::accredit(binary, &new_folder(folder, &format!("swap-{}", size.0)));
        compare_swapping(&ours, size);
    }
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

fn print(what: &str, ours: &[Round], rival: &[Round]) {
    let (a, b) = (medians(ours), medians(rival));
    let each = ours.iter().zip(rival).map(|(a, b)| a.rate / b.rate);
    let (low, high) = each.fold((f64::INFINITY, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
    println!(
        "{what}: {:.2} of its rate ({low:.2}-{high:.2}), p50 {:.2} x, p99 {:.2} x ({:.0}/s, {:.2}/{:.2} ms, \
         {:.0} us of processor each against {:.0}/s, {:.2}/{:.2} ms, {:.0} us)",
        a.rate / b.rate,
        a.p50_ms / b.p50_ms,
        a.p99_ms / b.p99_ms,
        a.rate,
        a.p50_ms,
        a.p99_ms,
        a.cpu_us,
        b.rate,
        b.p50_ms,
        b.p99_ms,
        b.cpu_us,
    );
}

/// Nothing else goes on; between rounds everything is decided, so that the rival has the machine alone.
fn compare_alone(ours: &Server, bare: &Server, size: (usize, usize)) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    round(ours, "warm", (size.0, 200));
    round(bare, &format!("warm{}", size.0), (size.0, 200));
    for number in 0..ROUNDS {
        let name = format!("alone{}_{number}", size.0);
        a.push(round(ours, &name, size));
        ours.wait_decided();
        b.push(round(bare, &name, size));
    }
    print(&format!("webhook, {} clients", size.0), &a, &b);
}

/// While deals are imported: a round counts if the import was not over at its end.
fn compare_importing(ours: &Server, bare: &Server, size: (usize, usize), deals: usize) {
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
            println!("  round {}: {rate:.0}/s, p99 {p99_ms:.2} ms, {recorded} deals recorded", a.len());
            a.push(done);
        }
    });
    ours.wait_decided();
    println!("  {deals} deals imported and decided after {:.1} s", start.elapsed().as_secs_f64());
    print(&format!("webhook, {} clients, during an import of {deals}", size.0), &a, &b);
}

/// While a plan is replaced again and again: against the same server without.
fn compare_swapping(ours: &Server, size: (usize, usize)) {
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
    let worst = delays.last().copied().unwrap_or_default();
    println!("  {} swaps, visible at most {:.1} ms after their answer", delays.len(), worst.as_secs_f64() * 1000.0);
    print(&format!("webhook, {} clients, a swap every {SWAP_EVERY:?}, against none", size.0), &with, &without);
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
