//! Conservation: whatever happens to a deal, its credits sum to what it is worth, to the last cent.
//!
//! Random deals go through four plans whose pools are worked out here in whole numbers, by the
//! stated rule of rounding (halves away from zero), without the engine. Then something happens to
//! each deal, before or after its period was finalized: another amount, other owners, an
//! adjustment, a released hold, or it is void. What is posted then, with what took back frozen rows,
//! must sum to the new pool; and what rolled up to the percentage of each direct credit that the
//! rollup gives. Not the parts of each recipient, which the laws of splits check in every run.
//!
//! `ACCREDIT_CONSERVATION_DEALS` is how many deals, `ACCREDIT_CONSERVATION_SEED` the number of the
//! first.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use accredit_crediting::calculation;
use accredit_crediting::posting::{PostingRules, post_credits, rows_to_freeze};
use accredit_crediting::stage::adjust::{Adjustment, AdjustmentTarget, AmountChange};
use accredit_crediting::stage::{CreditResolution, DecisionInputs};
use accredit_domain::calendar::LockedPeriods;
use accredit_domain::credit::CreditStatus;
use accredit_domain::credit::posted::{CreditKind, PostedCredit};
use accredit_domain::decision::{DecisionOutcome, HoldAction};
use accredit_domain::transaction::{Cell, Decoder, Record, Transaction};
use accredit_script::Machine;
use accredit_workspace::{Files, Ruleset};
use rust_decimal::Decimal;

const SETTINGS: &str = "reason_codes = [\"Split Correction\"]\n[workspace]\nname = \"Small\"\n\
    [fields]\nid = \"id\"\ndate = \"date\"\namount = \"amount\"\nowner = \"owner\"\n";

/// How a plan shares a deal, what it is worth there, and what rolls up.
struct PlanCase {
    id: &'static str,
    text: &'static str,
    /// The value of a deal as a multiple of its amount, in ten-thousandths.
    value: i128,
    /// What a manager gets of a direct credit, in ten-thousandths.
    rolled: i128,
}

const PLANS: [PlanCase; 4] = [
    PlanCase {
        id: "equal",
        text: r#"name = "Equal"
targets = ["title:Rep"]
split = "equal"
[[direct]]
name = "Booking"
[[direct.results]]
name = "Booking credit"
rollable = true
hold = 'if tx.amount > 500 { hold_indefinitely("large") } else { no_hold() }'
[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#,
        value: 10_000,
        rolled: 10_000,
    },
    PlanCase {
        id: "margin",
        text: r#"name = "Margin"
targets = ["title:Rep"]
split = "equal"
policies = { rollup = "half" }
[[direct]]
name = "Margin"
[[direct.results]]
name = "Margin credit"
value = "tx.amount * 0.0725"
rollable = true
[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#,
        value: 725,
        rolled: 5_000,
    },
    PlanCase {
        id: "thirds",
        text: r#"name = "Thirds"
targets = ["title:Rep"]
split = "equal"
policies = { crediting = "thirds", rollup = "part" }
[[direct]]
name = "Shares"
assign = "policy"
[[direct.results]]
name = "Shared credit"
rollable = true
hold = 'if tx.amount < 0 { hold_for(1, "months") } else { no_hold() }'
[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#,
        value: 10_000,
        rolled: 3_333,
    },
    PlanCase {
        id: "double",
        text: r#"name = "Double"
targets = ["title:Rep"]
split = "equal"
policies = { crediting = "halves" }
[[direct]]
name = "Halves"
assign = "policy"
[[direct.results]]
name = "Credit"
value = "tx.amount * 2"
"#,
        value: 20_000,
        rolled: 0,
    },
];

const POLICIES: [(&str, &str); 4] = [
    ("rollup/half", "fn roll(tx, credit, to, existing) { credit.amount * 0.5 }\n"),
    ("rollup/part", "fn roll(tx, credit, to, existing) { credit.amount * 0.3333 }\n"),
    (
        "crediting/thirds",
        "fn credit(tx) { [share(\"r0\", 0.3333), share(\"r1\", 0.3333), share(\"r5\", 0.3334)] }\n",
    ),
    (
        "crediting/halves",
        "fn credit(tx) {\n    if tx.amount > 100 { return \"r3\"; }\n    \
         [share(\"r2\", 0.125), share(\"r4\", 0.875)]\n}\n",
    ),
];

fn ruleset() -> Ruleset {
    let mut people =
        "id,title,manager\ndee,Director,\nmax,Manager,dee\nmia,Manager,dee\n".to_owned();
    for rep in 0..6 {
        // The last one reports to the director.
        let manager = ["max", "max", "mia", "mia", "max", "dee"][rep];
        let _ = writeln!(people, "r{rep},Rep,{manager}");
    }
    let mut files = Files::from([
        ("accredit.toml".to_owned(), Arc::from(SETTINGS)),
        ("organization/participants.csv".to_owned(), Arc::from(people)),
    ]);
    for plan in &PLANS {
        files.insert(format!("plans/{}.toml", plan.id), Arc::from(plan.text));
    }
    for (path, text) in POLICIES {
        files.insert(format!("policies/{path}.rhai"), Arc::from(text));
    }
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    ruleset.unwrap_or_else(|| panic!("{findings:#?}"))
}

/// How many managers are above a rep.
fn managers_above(position: &str) -> i128 {
    if position.ends_with('5') { 1 } else { 2 }
}

/// Random numbers of one deal.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_add(0x9E37_79B9_7F4A_7C15))
    }

    fn roll(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// A version of a deal: its amount in ten-thousandths, and who owns it.
#[derive(Debug, Clone)]
struct Version {
    amount: i128,
    owner: String,
}

const DATE: &str = "2026-03-15";
const LEAF: &str = "2026-03";

impl Version {
    fn random(dice: &mut Dice) -> Version {
        let size = [100, 10_000, 10_000_000, 10_000_000_000_000][dice.roll(4) as usize];
        let amount = i128::from(dice.roll(size));
        let amount = if dice.roll(8) == 0 { -amount } else { amount };
        // Weights are those of one; names without weights share by the plan.
        let owner = match dice.roll(6) {
            0 => "r0".to_owned(),
            1 => "r0;r1".to_owned(),
            2 => "r0;r2;r5".to_owned(),
            3 => "r0;r1;r2;r3;r4;r5".to_owned(),
            4 => "r1[0.3];r2[0.7]".to_owned(),
            _ => {
                let first = dice.roll(10_001);
                format!("r3[0.{first:04}];r5[0.{:04}]", 10_000 - first).replace("0.10000", "1")
            }
        };
        Version { amount, owner }
    }

    fn decoded(&self, ruleset: &Ruleset, id: &str) -> Arc<Transaction> {
        let cell = |column: &str, text: String| (column.to_owned(), Cell::Text(text));
        let cells = vec![
            cell("id", id.to_owned()),
            cell("date", DATE.to_owned()),
            cell("amount", Decimal::from_i128_with_scale(self.amount, 4).to_string()),
            cell("owner", self.owner.clone()),
        ];
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        Arc::new(decoder.decode(&Record { cells }))
    }
}

/// A product of ten-thousandths in cents: halves away from zero.
fn cents(amount: i128, rate: i128) -> i128 {
    let product = amount * rate;
    let half = if product < 0 { -500_000 } else { 500_000 };
    (product + half) / 1_000_000
}

fn cents_of(amount: Decimal) -> i128 {
    let mut amount = amount;
    amount.rescale(2);
    amount.mantissa()
}

/// Rows by plan.
type Rows = BTreeMap<String, Vec<PostedCredit>>;

fn decide(
    ruleset: &Ruleset,
    machine: &mut Machine,
    deal: &Arc<Transaction>,
    inputs: &DecisionInputs,
) -> Rows {
    let decided = calculation::decide_deal(ruleset, deal, inputs, machine).decisions.into_iter();
    let rows = decided.map(|decision| {
        let parked = decision.outcome == DecisionOutcome::Parked;
        assert!(!parked, "`{}` is parked: {:?}", decision.plan, decision.reasons);
        (decision.plan.to_string(), decision.credits)
    });
    rows.collect()
}

/// The rows of a plan when `current` is decided over `frozen`.
fn post(
    ruleset: &Ruleset,
    locked: &LockedPeriods,
    frozen: &[PostedCredit],
    current: Vec<PostedCredit>,
) -> Vec<PostedCredit> {
    let calendar = &ruleset.settings.calendar;
    let rules = PostingRules { calendar, locked, across_years: &|_| true };
    post_credits(frozen, current, &rules).unwrap()
}

/// The sum of what counts or will count of a kind, in cents.
fn sum_of(rows: &[PostedCredit], kind: CreditKind) -> i128 {
    let counts = [CreditStatus::Active, CreditStatus::Held];
    let rows = rows.iter().filter(|row| row.kind == kind && counts.contains(&row.status));
    rows.map(|row| cents_of(row.amount)).sum()
}

/// What was done to direct credits by hand, in cents, by credit.
type ByHand = BTreeMap<(String, String), i128>;

/// Compares the posted rows with what the deal is worth; `amount` is none for a void deal.
fn check(what: &str, standing: &Rows, current: &Rows, amount: Option<i128>, changed: &ByHand) {
    for plan in &PLANS {
        let rows = standing.get(plan.id).map(Vec::as_slice).unwrap_or_default();
        let more: i128 =
            changed.iter().filter(|((of, _), _)| of == plan.id).map(|(_, cents)| cents).sum();
        let pool = amount.map_or(0, |amount| cents(amount, plan.value) + more);
        let direct = sum_of(rows, CreditKind::Direct);
        assert_eq!(direct, pool, "{what}: direct credits of `{}`: {rows:#?}", plan.id);

        // Each direct credit as it is decided now gives each manager above the same part, once it is
        // not held any more.
        let decided = current.get(plan.id).map(Vec::as_slice).unwrap_or_default();
        let decided =
            decided.iter().filter(|row| row.kind == CreditKind::Direct && row.is_active());
        let rolled: i128 = decided
            .map(|row| {
                let position = row.position.as_deref().unwrap_or_default();
                // Cents are hundred ten-thousandths.
                cents(cents_of(row.amount) * 100, plan.rolled) * managers_above(position)
            })
            .sum();
        let indirect = sum_of(rows, CreditKind::Indirect);
        assert_eq!(indirect, rolled, "{what}: what rolled up of `{}`: {rows:#?}", plan.id);
    }
}

/// What happens to a deal.
struct Happening {
    what: &'static str,
    /// Its version then; none when it is void.
    now: Option<Arc<Transaction>>,
    inputs: DecisionInputs,
    /// What it is worth then, in ten-thousandths.
    amount: Option<i128>,
    by_hand: ByHand,
}

impl Happening {
    fn new(what: &'static str, now: Arc<Transaction>, amount: i128) -> Happening {
        let (inputs, by_hand) = (DecisionInputs::default(), ByHand::new());
        Happening { what, now: Some(now), inputs, amount: Some(amount), by_hand }
    }
}

/// Something that happens to a deal after it was decided.
fn happen(
    dice: &mut Dice,
    ruleset: &Ruleset,
    (id, first): (&str, &Version),
    decided: &Rows,
) -> Happening {
    let same = |what| Happening::new(what, first.decoded(ruleset, id), first.amount);
    match dice.roll(6) {
        0 => Happening { now: None, amount: None, ..same("void") },
        1 => {
            let other = Version::random(dice);
            Happening::new("another version", other.decoded(ruleset, id), other.amount)
        }
        2 => {
            let other = Version { owner: Version::random(dice).owner, ..first.clone() };
            Happening::new("other owners", other.decoded(ruleset, id), other.amount)
        }
        3 => {
            let to = i128::from(dice.roll(100_000));
            let change = AmountChange::To(Decimal::from_i128_with_scale(to, 4));
            let target = AdjustmentTarget::Transaction(Arc::from(id));
            let mut happened = Happening { amount: Some(to), ..same("an adjusted deal") };
            happened.inputs.adjustments.push(Adjustment { target, change, reason_code: None });
            happened
        }
        4 => adjust_credit(dice, decided, same("an adjusted credit")),
        _ => {
            let mut happened = same("released holds");
            let held = decided.values().flatten().filter(|row| row.is_held());
            happened.inputs.resolutions = held.map(release_of).collect();
            happened.inputs.as_of = Some("2026-06-01".parse().unwrap());
            happened
        }
    }
}

/// An amount that a person adds to a direct credit of some plan, where there is one.
fn adjust_credit(dice: &mut Dice, decided: &Rows, mut happened: Happening) -> Happening {
    let plan = PLANS[dice.roll(4) as usize].id;
    let mut rows = decided.get(plan).into_iter().flatten();
    if let Some(row) = rows.find(|row| row.kind == CreditKind::Direct) {
        let by = i128::from(dice.roll(1_000_000)) - 500_000;
        let change = AmountChange::By(Decimal::from_i128_with_scale(by, 4));
        let (target, code) = (AdjustmentTarget::Credit(row.id), Arc::from("Split Correction"));
        happened.inputs.adjustments.push(Adjustment { target, change, reason_code: Some(code) });
        // What comes out is rounded, not what is added.
        let before = cents_of(row.amount);
        let more = cents(before * 100 + by, 10_000) - before;
        happened.by_hand.insert((plan.to_owned(), row.id.to_string()), more);
    }
    happened
}

fn release_of(row: &PostedCredit) -> CreditResolution {
    let date = "2026-04-10".parse().unwrap();
    CreditResolution { credit: row.id, action: HoldAction::Release, date, reason: String::new() }
}

/// One deal: decided, perhaps frozen, changed, and looked at after each step.
fn live(ruleset: &Ruleset, machine: &mut Machine, seed: u64) -> &'static str {
    let mut dice = Dice::new(seed);
    let (id, first) = (format!("D{seed}"), Version::random(&mut dice));
    let deal = first.decoded(ruleset, &id);
    let decided = decide(ruleset, machine, &deal, &DecisionInputs::default());
    let name = format!("ACCREDIT_CONSERVATION_SEED={seed} {first:?}");
    check(&name, &decided, &decided, Some(first.amount), &ByHand::new());

    let mut locked = LockedPeriods::default();
    let is_frozen = dice.roll(2) == 0;
    if is_frozen {
        locked.finalized.insert(LEAF.into());
    }
    let frozen = |plan: &str| -> Vec<PostedCredit> {
        let rows = decided.get(plan).map(Vec::as_slice).unwrap_or_default();
        rows_to_freeze(rows, LEAF).filter(|_| is_frozen).cloned().collect()
    };

    let Happening { what, now, inputs, amount, by_hand } =
        happen(&mut dice, ruleset, (&id, &first), &decided);
    let current = now.map_or_else(Rows::new, |now| decide(ruleset, machine, &now, &inputs));
    let standing: Rows = PLANS
        .iter()
        .map(|plan| {
            let rows = current.get(plan.id).cloned().unwrap_or_default();
            (plan.id.to_owned(), post(ruleset, &locked, &frozen(plan.id), rows))
        })
        .collect();
    let state = if is_frozen { "frozen" } else { "open" };
    check(&format!("{name}, {state}, {what}"), &standing, &current, amount, &by_hand);
    what
}

fn number(name: &str, short: u64) -> u64 {
    std::env::var(name).map_or(short, |text| text.parse().expect(name))
}

#[test]
fn credits_sum_to_what_a_deal_is_worth_whatever_happens_to_it() {
    let deals = number("ACCREDIT_CONSERVATION_DEALS", 3_000);
    let seed = number("ACCREDIT_CONSERVATION_SEED", 1);
    println!("ACCREDIT_CONSERVATION_SEED={seed} ACCREDIT_CONSERVATION_DEALS={deals}");

    let (ruleset, next, begun) = (ruleset(), AtomicU64::new(0), Instant::now());
    let work = || {
        let mut machine = Machine::new(&ruleset.programs);
        let mut lived = BTreeMap::<&str, u64>::new();
        loop {
            let first = next.fetch_add(100, Ordering::Relaxed);
            if first >= deals {
                return lived;
            }
            for number in first..deals.min(first + 100) {
                *lived.entry(live(&ruleset, &mut machine, seed + number)).or_default() += 1;
            }
        }
    };

    let lived = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        let mut all = BTreeMap::<&str, u64>::new();
        for thread in threads {
            for (what, count) in thread.join().unwrap() {
                *all.entry(what).or_default() += count;
            }
        }
        all
    });

    assert_eq!(lived.values().sum::<u64>(), deals);
    assert!(deals < 100 || lived.len() == 6, "{lived:?}");
    println!("{deals} deals without a deviation in {:?}: {lived:?}", begun.elapsed());
}
