//! A crediting policy of ten lines, run deal by deal: accredit beside native Rust, scripting
//! languages and rule engines. The result of each run is included: a list of names with exact
//! weights, as the host goes on with it.
//!
//! The processor time of the one thread counts. Every side gets a deal in the form that it takes
//! fastest, and its answers are proved equal to those of native Rust over all deals before a figure
//! is printed.

#[cfg(feature = "zen-engine")]
mod decisions;
#[cfg(feature = "rivals")]
mod expressions;
mod native;
mod ours;
#[cfg(feature = "rivals")]
mod scripts;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accredit_domain::transaction::Transaction;
use rust_decimal::Decimal;

use crate::Outcome;
use crate::engine_pipeline::with_engine;
use crate::report::{Figure, Finding};
use crate::rounds::{Side, Spent, Times, alternate, process_time, thread_time};
use crate::settings::Settings;

const DEALS: usize = 20_000;
const QUICK_DEALS: usize = 5_000;
const ROUNDS: usize = 7;

/// A round of one side lasts at least this long, so that it is longer than a look at the clock.
const ROUND_TIME: Duration = Duration::from_millis(100);

/// A deal as each side may read it.
#[cfg_attr(not(feature = "rivals"), expect(dead_code, reason = "some sides read it only there"))]
pub struct Deal {
    pub first: Arc<str>,
    pub second: Arc<str>,
    pub city: Arc<str>,
    pub quantity: Decimal,
    /// The quantity for languages without decimals.
    pub whole_quantity: i32,
    pub tx: Arc<Transaction>,
}

/// A recipient with its weight, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub who: Arc<str>,
    pub weight: Option<Decimal>,
}

impl Part {
    pub fn alone(who: impl Into<Arc<str>>) -> Part {
        Part { who: who.into(), weight: None }
    }

    /// A part with a weight in tenths.
    #[cfg(feature = "rivals")]
    pub fn tenths(who: impl Into<Arc<str>>, tenths: i64) -> Part {
        Part { who: who.into(), weight: Some(Decimal::new(tenths, 1)) }
    }
}

/// What runs the policy.
pub trait Policy {
    /// Its answer for one deal.
    type Answer;

    /// Gives the answer for each deal to `take`, in order.
    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Self::Answer));

    /// An answer as all sides compare it.
    fn parts(answer: Self::Answer) -> Vec<Part>;
}

/// A side with its name, its key and how often a round repeats its deals.
struct Contestant<'a> {
    key: &'static str,
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

/// A side whose answers equal `expected`.
fn contestant<'a, P: Policy + 'a>(
    (key, name): (&'static str, &'static str),
    mut policy: P,
    deals: &'a [Deal],
    expected: &[Vec<Part>],
) -> Contestant<'a> {
    let mut number = 0;
    policy.run(deals, &mut |answer| {
        assert_eq!(P::parts(answer), expected[number], "{name} disagrees on deal {number}");
        number += 1;
    });
    assert_eq!(number, deals.len(), "{name} left deals out");
    let run = move || policy.run(deals, &mut |answer| drop(black_box(answer)));
    Contestant { key, name, run: Box::new(run) }
}

/// Proves the answers equal, then measures every side in alternating rounds.
pub fn compare(settings: &Settings, outcome: &mut Outcome) {
    let count = if settings.quick { QUICK_DEALS } else { DEALS };
    let folder = settings.company(count);
    let (ruleset, transactions) = crate::engine_pipeline::read_company(&folder);
    let deals = read_deals(&folder, transactions);

    let mut expected = Vec::with_capacity(deals.len());
    native::Native.run(&deals, &mut |answer| expected.push(answer));

    let policy = std::fs::read_to_string(folder.join("policies/crediting/two-reps.rhai")).unwrap();
    let mut sides = vec![
        contestant(("native", "native Rust"), native::Native, &deals, &expected),
        contestant(
            ("compiled", "accredit"),
            ours::Accredit::compiled(&policy, &ruleset.reference),
            &deals,
            &expected,
        ),
    ];
    match ours::Accredit::not_compiled(&ruleset.reference) {
        Some(side) => {
            sides.push(contestant(
                ("interpreted", "accredit, not compiled"),
                side,
                &deals,
                &expected,
            ));
        }
        None => outcome.skip("a policy that is not compiled: every candidate is"),
    }
    add_rivals(&mut sides, outcome, (&policy, &deals, &expected));

    let repeats: Vec<u32> = sides.iter_mut().map(|side| repeats(&mut side.run)).collect();
    let mut rounds: Vec<Side<'_>> = Vec::new();
    let names: Vec<(&str, &str)> = sides.iter().map(|side| (side.key, side.name)).collect();
    for (side, repeats) in sides.iter_mut().zip(&repeats) {
        rounds.push(Box::new(|| {
            divided(thread_time(|| (0..*repeats).for_each(|_| (side.run)())), *repeats)
        }));
    }
    let times = alternate(ROUNDS, &mut rounds);
    report(&names, &times, deals.len(), outcome);
    compare_decisions(settings, &folder, deals.len(), outcome);
}

/// Decides all deals of the company on one thread, with the crediting policy compiled and not compiled.
fn compare_decisions(settings: &Settings, folder: &Path, count: usize, outcome: &mut Outcome) {
    let Some(source) = ours::find_not_compiled() else { return };
    let other = settings.folder.path().join("company-not-compiled");
    crate::company::write_company(&other, count);
    std::fs::write(other.join("policies/crediting/two-reps.rhai"), source).unwrap();

    with_engine(folder, |compiled| {
        with_engine(&other, |interpreted| {
            compiled.decide(1);
            interpreted.decide(1);
            assert_eq!(compiled.prove(), interpreted.prove(), "the two companies disagree");

            let times = alternate(
                ROUNDS,
                &mut [
                    Box::new(|| process_time(|| compiled.decide(1))),
                    Box::new(|| process_time(|| interpreted.decide(1))),
                ],
            );
            let what = "the whole decision, 8 credits a deal, on a core";
            let named = [("all policies compiled", "compiled"), ("crediting not compiled", "not")];
            for ((rival, key), times) in named.iter().zip(&times) {
                let key = format!("policy/decision/{key}");
                outcome.findings.push(rate_of(&key, (what, rival), times, count));
            }
        });
    });
}

#[cfg(feature = "rivals")]
#[cfg_attr(feature = "zen-engine", expect(unused_variables, reason = "nothing is skipped"))]
fn add_rivals<'a>(
    sides: &mut Vec<Contestant<'a>>,
    outcome: &mut Outcome,
    (policy, deals, expected): (&str, &'a [Deal], &[Vec<Part>]),
) {
    let lua = scripts::Lua::new();
    sides.push(contestant(("luajit", "LuaJIT"), lua, deals, expected));
    let quickjs = scripts::QuickJs::new();
    sides.push(contestant(("quickjs", "QuickJS"), quickjs, deals, expected));
    let rhai = scripts::PlainRhai::new(policy);
    sides.push(contestant(("rhai", "plain Rhai"), rhai, deals, expected));
    let cel = expressions::Cel::new();
    sides.push(contestant(("cel", "cel"), cel, deals, expected));
    let zen = expressions::Zen::new();
    sides.push(contestant(("zen-expression", "zen-expression"), zen, deals, expected));

    #[cfg(feature = "zen-engine")]
    {
        let decision = decisions::ZenEngine::new();
        sides.push(contestant(("zen-engine", "zen-engine"), decision, deals, expected));
    }
    #[cfg(not(feature = "zen-engine"))]
    outcome.skip("zen-engine: built without the feature `zen-engine`");
}

#[cfg(not(feature = "rivals"))]
fn add_rivals<'a>(
    _: &mut Vec<Contestant<'a>>,
    outcome: &mut Outcome,
    _: (&str, &'a [Deal], &[Vec<Part>]),
) {
    outcome.skip("rivals of a single policy: built without the feature `rivals`");
}

/// The time of one of `repeats` runs.
fn divided(spent: Spent, repeats: u32) -> Spent {
    Spent { wall: spent.wall / repeats, ..spent }
}

/// How often the deals are run for a round that is long enough.
fn repeats(run: &mut dyn FnMut()) -> u32 {
    run();
    let once = thread_time(&mut *run).wall.max(Duration::from_nanos(1));
    u32::try_from(ROUND_TIME.as_nanos() / once.as_nanos()).unwrap_or(u32::MAX).max(1)
}

/// Accredit against every other side, and the rate of the policy that is not compiled.
fn report(names: &[(&str, &str)], times: &[Times], count: usize, outcome: &mut Outcome) {
    let nanoseconds = |times: &Times| times.median() * 1e9 / count as f64;
    let place = |key: &str| names.iter().position(|(known, _)| *known == key);
    let ours = &times[place("compiled").unwrap()];

    for ((key, name), rival) in names.iter().zip(times).filter(|((key, _), _)| *key != "compiled") {
        let detail = format!("{:.0} ns against {:.0} ns", nanoseconds(ours), nanoseconds(rival));
        let what = "a policy of ten lines";
        let key = format!("policy/{key}");
        let ratio = ours.ratio_to(rival);
        if key == "policy/native" {
            outcome.findings.push(Finding::of_ratio(&key, what, name, ratio, detail));
            continue;
        }
        let ratio = rival.ratio_to(ours);
        outcome.findings.push(Finding {
            figure: Figure::Speedup,
            ..Finding::of_ratio(&key, what, name, ratio, detail)
        });
    }

    if let Some(place) = place("interpreted") {
        let what = "a policy of ten lines that is not compiled, on a core";
        outcome.findings.push(rate_of("policy/rate", (what, "no rival"), &times[place], count));
    }
}

/// Millions of deals a second.
fn rate_of(key: &str, (what, rival): (&str, &str), times: &Times, count: usize) -> Finding {
    let rate = |seconds: f64| count as f64 / seconds / 1e6;
    let each: Vec<f64> = times.0.iter().map(|time| rate(time.wall.as_secs_f64())).collect();
    let low = each.iter().copied().fold(f64::INFINITY, f64::min);
    let high = each.iter().copied().fold(0.0, f64::max);
    Finding {
        key: key.to_owned(),
        what: what.to_owned(),
        rival: rival.to_owned(),
        figure: Figure::MillionsASecond,
        value: rate(times.median()),
        spread: Some((low, high)),
        detail: format!("{:.0} ns a deal", times.median() * 1e9 / count as f64),
    }
}

/// The deals of the company in the forms that the sides read.
fn read_deals(folder: &Path, transactions: Vec<Arc<Transaction>>) -> Vec<Deal> {
    let text = std::fs::read_to_string(folder.join("transactions/deals.csv")).unwrap();
    let rows = text.lines().skip(1).zip(transactions);
    let deal = |(row, tx): (&str, Arc<Transaction>)| {
        let cells: Vec<&str> = row.split(',').collect();
        Deal {
            first: cells[3].into(),
            second: cells[4].into(),
            quantity: cells[5].parse().unwrap(),
            whole_quantity: cells[5].parse().unwrap(),
            city: cells[7].into(),
            tx,
        }
    };
    rows.map(deal).collect()
}
