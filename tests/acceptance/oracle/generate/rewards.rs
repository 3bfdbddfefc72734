//! What the credits of a plan are worth, and what is expected of whom.

use rust_decimal::Decimal;

use super::{calendar, tables};
use crate::oracle::features::{Feature, on};
use crate::oracle::naive::periods;
use crate::oracle::random::Random;
use crate::oracle::rewards::{Draw, Formula, Quota, Reward, Tier, To, Worth};
use crate::oracle::tables::Due;
use crate::oracle::world::{Pays, Plan, Span, World, day};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Rewards of some worlds, and the period in which they are compared beside the year.
pub(super) fn rewards(r: &mut Random, world: &mut World) {
    if !on(Feature::Rewards) || !r.one_in(3) {
        return;
    }
    world.period = Some(calendar::period(r, &world.calendar));
    if r.one_in(3) {
        busy(r, world);
    }
    if world.units.len() > 1 {
        for person in &mut world.people {
            let unit = r.word(&["EUR", "EUR", "JPY", "USD", "PTS"]).to_owned();
            person.currency = r.one_in(2).then_some(unit);
        }
    }
    for n in 0..world.plans.len() {
        let pays = r.one_in(3).then(|| program(r, world));
        let count = *r.pick(&[1, 1, 2]);
        let (teams, default) = (world.plans[n].teams, pays.is_some());
        world.plans[n].pays = pays;
        world.plans[n].by =
            *r.pick(&[Pays::Month, Pays::Month, Pays::Month, Pays::Quarter, Pays::Year]);
        let mut all: Vec<Reward> =
            (0..count).map(|place| reward(r, world, teams, default, place)).collect();
        for reward in &mut all {
            to_date(r, world.plans[n].by, reward);
        }
        world.plans[n].quota = r.one_in(5).then(|| (tables::due(r, world), r.one_in(3)));
        world.plans[n].prorate = r.one_in(5);
        world.plans[n].posted = r.one_in(6);
        world.plans[n].rewards = all;
        draws(r, world, n);
    }
    for n in 0..world.plans.len() {
        if !r.one_in(3) {
            quotas(r, world, n);
        }
    }
}

/// More deals of one owner or of several over the year, returns among them, and where periods are
/// finalized some that change afterwards.
fn busy(r: &mut Random, world: &mut World) {
    let days = ["2022-01-12", "2022-02-28", "2022-03-31", "2022-06-30", "2022-10-01"];
    let late = world.transactions.iter().any(|tx| tx.received.is_some());
    let owner = r.pick(&world.seats).id.clone();
    for (n, date) in days.iter().enumerate().take(2 + r.below(4)) {
        let mut tx = super::transaction(r, world, 20 + n);
        let first: &[&str] = if r.one_in(2) { &["-250"] } else { &["500", "-100"] };
        let all = if n == 0 { first } else { &["500", "-100", "1000", "120"] };
        tx.amount = r.word(all).to_owned();
        tx.date = (*date).to_owned();
        let other = r.pick(&world.seats).id.clone();
        tx.owners = [if r.one_in(3) { other } else { owner.clone() }, String::new()];
        tx.stage = "Won".to_owned();
        tx.received = late.then(|| day("2022-01-15").max(day(date)));
        world.transactions.push(tx.clone());
        if late && r.one_in(2) {
            tx.amount = r.word(&["-250", "500", "300", "0"]).to_owned();
            tx.received = Some(day("2022-12-20"));
            world.transactions.push(tx);
        }
    }
    world.transactions.sort_by_key(|tx| tx.received);
}

fn reward(r: &mut Random, world: &World, teams: bool, default: bool, n: usize) -> Reward {
    let types = &world.credit_types;
    let to = if teams { [To::Members, To::TeamManagers] } else { [To::Credited, To::UserManagers] };
    let credit_types = match r.below(4) {
        0 => types.clone(),
        1 if types.len() == 1 => Vec::new(),
        _ => vec![r.pick(types).clone()],
    };
    let worth = match r.below(8) {
        0..4 => tiers(r),
        4 if default => Worth::Default,
        4 | 5 => Worth::Policy(program(r, world)),
        _ => Worth::Value(formula(r, world)),
    };
    Reward {
        name: format!("Bonus {n}"),
        to: (!r.one_in(3)).then(|| *r.pick(&to)),
        worth: tables::worth(r, world, &credit_types, worth),
        credit_types,
        maximum: r.one_in(4).then(|| formula(r, world)),
        to_date: None,
        of_span: false,
        everyone: r.one_in(6),
        span: if r.one_in(4) { super::span(r, 2) } else { Span::default() },
        targets: if r.one_in(5) { targets(r, world, teams) } else { Vec::new() },
    }
}

/// Draws, and amounts below zero that are carried.
fn draws(r: &mut Random, world: &mut World, n: usize) {
    // Rows without credits, for everybody or with a quota of the plan, have no first period that the
    // documents name: what they owe has no beginning.
    let plan = &world.plans[n];
    let endless = plan.quota.is_some() || plan.rewards.iter().any(|reward| reward.everyone);
    world.plans[n].carry = !endless && r.one_in(3);
    if !r.one_in(3) {
        return;
    }
    let leaves = periods::leaves(&world.calendar);
    let year = periods::meant(&leaves, "2022")[0].first;
    let first = leaves[0].first;
    let teams = world.plans[n].teams;
    for place in 0..1 + r.below(2) {
        let draw = Draw {
            name: format!("Draw {place}"),
            amount: match r.below(3) {
                0 => tables::due(r, world),
                _ => Due::Fixed(decimal(r.word(&["30", "100", "33.33"]))),
            },
            recoverable: !r.one_in(3),
            covers: if r.one_in(3) { vec!["Bonus 0".to_owned()] } else { Vec::new() },
            most: r.one_in(3).then(|| r.word_of(&["10", "25.5"])),
            from: if r.one_in(4) { first } else { day(r.word(&super::CUTS)).max(year) },
            to: r.one_in(5).then(|| day(r.word(&["2022-08-31", "2022-12-15", "2022-11-10"]))),
            targets: if r.one_in(4) { targets(r, world, teams) } else { Vec::new() },
        };
        let needless = !draw.recoverable && draw.most.is_some();
        let most = draw.most.filter(|_| !needless);
        let to = draw.to.filter(|to| draw.from <= *to);
        world.plans[n].draws.push(Draw { most, to, ..draw });
    }
}

/// Who of the plan is meant by a reward.
fn targets(r: &mut Random, world: &World, teams: bool) -> Vec<String> {
    if teams {
        return vec![format!("team:{}", r.pick(&world.teams).id)];
    }
    vec![match r.below(3) {
        0 => format!("participant:{}", r.pick(&world.people).id),
        1 => format!("position:{}", r.pick(&world.seats).id),
        _ => format!("title:{}", r.pick(&world.seats).title),
    }]
}

/// Sums over a longer span than the plan's own.
fn to_date(r: &mut Random, by: Pays, reward: &mut Reward) {
    let spans: &[Pays] = match by {
        Pays::Month => &[Pays::Quarter, Pays::Year],
        Pays::Quarter => &[Pays::Year],
        Pays::Year => return,
    };
    if r.one_in(3) {
        reward.to_date = Some(*r.pick(spans));
        reward.of_span = r.one_in(3);
    }
}

const RATES: [&str; 8] = ["0.10", "20%", "7.5 %", "0.333", "1", "0", "0.0125", "150%"];

/// One to three tiers, by amounts or by shares of the quota.
fn tiers(r: &mut Random) -> Worth {
    let limits = if r.one_in(3) {
        ["50%", "100 %", "150.5%"]
    } else {
        *r.pick(&[["50", "100", "150.01"], ["100", "1000", "10000"], ["0.01", "33.34", "200.02"]])
    };
    let skip = r.below(2);
    let mut all: Vec<Tier> = Vec::new();
    for limit in limits.into_iter().skip(skip).take(r.below(3)) {
        all.push(Tier { up_to: Some(limit), rate: r.word(&RATES) });
    }
    if all.is_empty() || !r.one_in(3) {
        all.push(Tier { up_to: None, rate: r.word(&RATES) });
    }
    Worth::Tiers(all, *r.pick(&[None, Some(false), Some(true), Some(true)]))
}

/// What a policy may say: an expression cannot throw.
fn program(r: &mut Random, world: &World) -> Formula {
    if r.one_in(8) { Formula::Throws(*r.pick(&[0, 50, 100, 500])) } else { formula(r, world) }
}

fn formula(r: &mut Random, world: &World) -> Formula {
    let factor = decimal(r.word(&["0.5", "0.1", "0.333", "1.5", "-0.25"]));
    let limit = *r.pick(&[0, 50, 100, 500]);
    let other = match r.below(16) {
        0 => Formula::Fixed(decimal(r.word(&["50", "33.335", "0", "-12.5"]))),
        1 if world.credit_types.len() > 1 => Formula::Type("overlay", factor),
        1 | 2 => Formula::Type("booking", factor),
        3 => Formula::Above(limit, factor),
        4 => Formula::Attained(factor),
        5 => Formula::Reached(factor),
        6 => Formula::Rep(factor),
        7 => Formula::Team(factor),
        8 => Formula::Dollars(factor),
        11 => Formula::Capped(decimal(r.word(&["40", "0.5"]))),
        12 => Formula::OfFirst(factor),
        13 => Formula::OfYear(decimal(r.word(&["20", "33.335"]))),
        14 => Formula::Placed(factor),
        15 => Formula::Deals(factor),
        _ => Formula::Share(factor),
    };
    tables::formula(r, world, other)
}

/// Rows for a plan; no two mean the same target and period.
fn quotas(r: &mut Random, world: &mut World, n: usize) {
    let mut known: Vec<(String, String, String)> = Vec::new();
    for _ in 0..1 + r.below(5) {
        let meant = target(r, world, &world.plans[n]);
        let period = match (r.below(4), &world.period) {
            (0, _) => "2022".to_owned(),
            (1, Some(period)) => period.clone(),
            _ => calendar::period(r, &world.calendar),
        };
        let credit_type =
            if r.one_in(4) { r.pick(&world.credit_types).clone() } else { String::new() };
        let key = (meant.clone(), period.clone(), credit_type.clone());
        if known.contains(&key) {
            continue;
        }
        known.push(key);
        // A bare id is a position, or else a person; of a plan for teams a team.
        let bare = match meant.split_once(':') {
            Some(("position", id)) => Some(id),
            Some(("participant", id)) if !world.seats.iter().any(|s| s.id == id) => Some(id),
            Some(("team", id)) if world.plans[n].teams => Some(id),
            _ => None,
        };
        let target = match bare {
            Some(id) if r.one_in(2) => id.to_owned(),
            _ => meant.clone(),
        };
        let amount = r.word(&["100", "50", "1000", "33.3", "0.01", "7"]).to_owned();
        let plan = world.plans[n].id.clone();
        world.quotas.push(Quota { plan, target, period, amount, credit_type });
    }
}

fn target(r: &mut Random, world: &World, plan: &Plan) -> String {
    let team = |r: &mut Random| format!("team:{}", r.pick(&world.teams).id);
    match r.below(8) {
        0 => "*".to_owned(),
        _ if plan.teams => team(r),
        1 | 2 if !world.teams.is_empty() => team(r),
        3 => format!("participant:{}", r.pick(&world.people).id),
        4 | 5 => format!("title:{}", r.pick(&world.seats).title),
        _ => format!("position:{}", r.pick(&world.seats).id),
    }
}
