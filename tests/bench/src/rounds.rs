//! Rounds that alternate between all sides, and what is made of their times: medians, ratios, spreads.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Rounds of a comparison of two sides in one process.
pub const DUEL_ROUNDS: usize = 7;

/// What one run of a side took.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// From start to end.
    pub wall: Duration,
    /// Of all cores together, in steps of 10 ms; none where it cannot be told.
    pub cpu: Option<Duration>,
}

/// Less processor time than this is mostly the clock's step.
const CPU_MIN: f64 = 0.1;

/// The times of one side, a round each.
#[derive(Debug, Clone)]
pub struct Times(pub Vec<Spent>);

impl Times {
    /// The median in seconds.
    pub fn median(&self) -> f64 {
        middle(self.0.iter().map(|spent| spent.wall.as_secs_f64()).collect())
    }

    /// The median of processor time in seconds, if it can be told.
    fn median_cpu(&self) -> Option<f64> {
        let cpu: Option<Vec<f64>> =
            self.0.iter().map(|spent| Some(spent.cpu?.as_secs_f64())).collect();
        cpu.map(middle).filter(|seconds| *seconds >= CPU_MIN)
    }

    /// The medians of this side and of `rival` in words. Other work on the machine changes processor time
    /// less than it changes the time from start to end.
    pub fn medians_text(&self, rival: &Times) -> String {
        let seconds = |seconds: f64| {
            if seconds < 1.0 {
                format!("{:.1} ms", seconds * 1000.0)
            } else {
                format!("{seconds:.2} s")
            }
        };
        let wall = format!("{} to {}", seconds(self.median()), seconds(rival.median()));
        match (self.median_cpu(), rival.median_cpu()) {
            (Some(a), Some(b)) => {
                format!("{wall}; processors {} to {}, {:.2} ×", seconds(a), seconds(b), a / b)
            }
            _ => wall,
        }
    }

    /// How many times as long this side takes as `rival`: the ratio of the medians, and the smallest and
    /// largest ratio within a round.
    pub fn ratio_to(&self, rival: &Times) -> Ratio {
        let pairs = self.0.iter().zip(&rival.0);
        let each: Vec<f64> =
            pairs.map(|(a, b)| a.wall.as_secs_f64() / b.wall.as_secs_f64()).collect();
        Ratio {
            median: self.median() / rival.median(),
            low: each.iter().copied().fold(f64::INFINITY, f64::min),
            high: each.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// A ratio of medians with the spread over the rounds.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    /// The ratio of the medians.
    pub median: f64,
    /// The smallest ratio within a round.
    pub low: f64,
    /// The largest ratio within a round.
    pub high: f64,
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A side of a comparison: does its work once and gives what it took.
pub type Side<'a> = Box<dyn FnMut() -> Spent + 'a>;

/// Runs all sides in turn, `rounds` times, and gives the times of each.
pub fn alternate(rounds: usize, sides: &mut [Side<'_>]) -> Vec<Times> {
    let mut times = vec![Times(Vec::with_capacity(rounds)); sides.len()];
    for _ in 0..rounds {
        for (side, times) in sides.iter_mut().zip(&mut times) {
            times.0.push(side());
        }
    }
    times
}

/// The time that `work` takes; processor time is left out.
pub fn time(work: impl FnMut()) -> Spent {
    time_with_cpu(|| None, work)
}

/// The time that `work` takes, and by how much the processor time that `cpu` reads grows meanwhile.
pub fn time_with_cpu(cpu: impl Fn() -> Option<Duration>, mut work: impl FnMut()) -> Spent {
    let (before, start) = (cpu(), Instant::now());
    work();
    let wall = start.elapsed();
    let spent = cpu().zip(before).and_then(|(after, before)| after.checked_sub(before));
    Spent { wall, cpu: spent }
}

/// The processor time that `work` takes on this thread, in place of the time from start to end:
/// what else runs on the machine hardly changes it.
pub fn thread_time(work: impl FnOnce()) -> Spent {
    clocked(ClockId::ThreadCPUTime, work)
}

/// The processor time that `work` takes on all threads of this process, in place of the time from
/// start to end.
pub fn process_time(work: impl FnOnce()) -> Spent {
    clocked(ClockId::ProcessCPUTime, work)
}

fn clocked(clock: ClockId, work: impl FnOnce()) -> Spent {
    let now = || {
        let time = clock_gettime(clock);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    };
    let start = now();
    work();
    Spent { wall: now() - start, cpu: None }
}

/// Runs both sides in turn and gives their median times.
pub fn duel(mut ours: impl FnMut(), mut rival: impl FnMut()) -> (Duration, Duration) {
    let times =
        alternate(DUEL_ROUNDS, &mut [Box::new(|| time(&mut ours)), Box::new(|| time(&mut rival))]);
    (Duration::from_secs_f64(times[0].median()), Duration::from_secs_f64(times[1].median()))
}

/// Prints the outcome of a duel over `count` pieces of work.
pub fn print(what: &str, count: usize, ours: Duration, rival: Duration, name: &str) {
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{what}: {:.2} x the time of {name} ({:.0}/s against {:.0}/s, medians of {DUEL_ROUNDS} rounds \
         of {count})",
        ours.as_secs_f64() / rival.as_secs_f64(),
        rate(ours),
        rate(rival),
    );
}
