//! Plans: which deals, whom, how much, and who above.

use rust_decimal::Decimal;

use super::{DATES, calendar, span};
use crate::oracle::features::{Feature, on};
use crate::oracle::random::Random;
use crate::oracle::world::{Assign, Calendar, Cap, Direct, Hold, Indirect, Keep, Members, Outcome};
use crate::oracle::world::{Pays, Plan, Split, Test, Value, World, day};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

const TESTS: [Test; 10] = [
    Test::Always,
    Test::Always,
    Test::Always,
    Test::Always,
    Test::Always,
    Test::Won,
    Test::Query,
    Test::Over(0),
    Test::Over(50),
    Test::Rows(50),
];

/// One to three plans; an earlier one may take credits from a later one.
pub(super) fn plans(r: &mut Random, world: &mut World) {
    let mut ids = vec!["alpha", "sales", "zeta"];
    let count = *r.pick(&[1, 1, 1, 2, 2, 3]);
    for _ in 0..count {
        let id = ids.remove(r.below(ids.len())).to_owned();
        let teams = !world.teams.is_empty() && r.one_in(3);
        let mut plan = Plan {
            id,
            by: Pays::Month,
            teams,
            span: span(r, 8),
            targets: vec!["*".to_owned()],
            filter: *r.pick(&[Test::Always, Test::Always, Test::Won, Test::Query, Test::Over(0)]),
            split: *r.pick(&[Split::Refuse, Split::Equal, Split::Equal, Split::Full, Split::First]),
            total_one: r.one_in(10),
            across_years: r.one_in(3),
            policies: Vec::new(),
            direct: Vec::new(),
            indirect: Vec::new(),
            pays: None,
            rewards: Vec::new(),
            quota: None,
            prorate: false,
            posted: false,
            draws: Vec::new(),
            carry: false,
        };
        if r.one_in(3) {
            plan.targets = selectors(r, world, teams);
        }
        rules(r, world, &mut plan);
        world.plans.push(plan);
    }
    if on(Feature::Sources) {
        sources(r, &mut world.plans);
    }
}

fn sources(r: &mut Random, plans: &mut [Plan]) {
    for n in 0..plans.len() {
        let later: Vec<String> = plans[n + 1..]
            .iter()
            .filter(|other| other.teams == plans[n].teams)
            .map(|other| other.id.clone())
            .collect();
        let own = plans[n].id.clone();
        for rule in &mut plans[n].indirect {
            if later.is_empty() || r.one_in(3) {
                continue;
            }
            rule.sources = vec![r.pick(&later).clone()];
            if r.one_in(2) {
                rule.sources.push(own.clone());
            }
        }
    }
}

fn selectors(r: &mut Random, world: &World, teams: bool) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..1 + r.below(3) {
        let seat = r.pick(&world.seats);
        let word = if teams || (!world.teams.is_empty() && r.one_in(5)) {
            format!("team:{}", r.pick(&world.teams).id)
        } else {
            match r.below(6) {
                0 | 1 => format!("position:{}", seat.id),
                2 => format!("participant:{}", r.pick(&world.people).id),
                _ => format!("title:{}", seat.title),
            }
        };
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all
}

fn hold(r: &mut Random, calendar: &Calendar) -> Hold {
    let count = *r.pick(&[0, 1, 2, 3]);
    match r.below(36) {
        0 => Hold::Days(*r.pick(&[0, 1, 16, 17, 30, 400])),
        1 => Hold::Months(count),
        2 => Hold::Quarters(count),
        3 => Hold::Years(count),
        4 => Hold::On(day(r.word(&DATES))),
        5 => Hold::NextQuarter,
        6 => Hold::Indefinite,
        7 => Hold::NextMonth,
        8 => Hold::NextYear,
        9 => Hold::Until(calendar::period(r, calendar)),
        10 => Hold::Large(*r.pick(&[0, 50, 100])),
        11 => Hold::DaysAfter(*r.pick(&[0, 10, 40])),
        12 => Hold::Units,
        _ => Hold::None,
    }
}

fn outcome(r: &mut Random, n: usize, world: &World, direct: bool) -> Outcome {
    let types = &world.credit_types;
    let factor = decimal(r.word(&["0.5", "0.1", "0.333", "1.5"]));
    let value = match (r.below(16), direct) {
        (0 | 1, _) => Value::Amount(factor),
        (2 | 3, false) => Value::Credit(factor),
        (4, _) => Value::Step(*r.pick(&[0, 100, 500]), factor),
        (5, false) => Value::Above(*r.pick(&[0, 50, 100])),
        (5, true) => Value::Units(factor),
        _ => Value::Default,
    };
    let cap = match r.below(8) {
        0 => Some(Cap::Amount),
        1 => Some(Cap::Fixed(decimal(r.word(&["50", "80", "1", "0", "100"])))),
        _ => None,
    };
    let stated = world.units.len() > 1 && r.one_in(2);
    let unit = stated.then(|| r.pick(&world.units).name.clone());
    let typed = (direct && types.len() > 1) || r.one_in(4);
    Outcome {
        name: format!("Credit {n}"),
        value,
        cap,
        per_item: r.one_in(2),
        hold: hold(r, &world.calendar),
        rollable: !r.one_in(5),
        on_reporting: r.one_in(2),
        duplicates: match r.below(10) {
            0..4 => Keep::Yes,
            4 => Keep::Indirect,
            5 => Keep::Over(*r.pick(&[0, 50, 100])),
            6 => Keep::Few(1 + r.below(4)),
            _ => Keep::No,
        },
        credit_type: typed.then(|| r.pick(types).clone()),
        unit,
    }
}

fn assign(r: &mut Random, world: &World, teams: bool) -> Assign {
    let area = !world.areas.is_empty() && r.one_in(3);
    match r.below(6) {
        _ if area && r.one_in(3) => Assign::Territory(Some(r.pick(&world.teams).id.clone())),
        _ if area => Assign::Territory(None),
        0 => Assign::Preassigned,
        1 => Assign::Desk,
        2 if !world.teams.is_empty() => Assign::Team,
        _ if teams => Assign::Team,
        _ => Assign::Owner,
    }
}

fn direct(r: &mut Random, world: &World, teams: bool, n: usize) -> Direct {
    let count = if on(Feature::Lists) && r.one_in(3) { 2 + r.below(2) } else { 1 };
    let mut all: Vec<Assign> = Vec::new();
    for _ in 0..count {
        let word = assign(r, world, teams);
        if !all.contains(&word) {
            all.push(word);
        }
    }
    if r.one_in(6) {
        all.clear();
    }
    let modes = [Members::Equal, Members::Weight, Members::Full, Members::Manager];
    let members = !world.teams.is_empty() && !teams && !r.one_in(5);
    Direct {
        name: format!("Direct {n}"),
        span: span(r, 10),
        test: *r.pick(&TESTS),
        assign: all,
        members: members.then(|| *r.pick(&modes)),
        results: (0..1 + r.below(2)).map(|n| outcome(r, n, world, true)).collect(),
    }
}

fn relationship(r: &mut Random, world: &World, teams: bool) -> String {
    if !world.kinds.is_empty() && r.one_in(2) {
        return r.pick(&world.kinds).clone();
    }
    match r.below(6) {
        _ if teams => "Parent Team",
        0 => "Related Order (Person)",
        1 => "Related Order (Position)",
        2 if !world.teams.is_empty() => "Team",
        _ => "Reporting",
    }
    .to_owned()
}

fn rules(r: &mut Random, world: &World, plan: &mut Plan) {
    for n in 0..1 + r.below(3) {
        plan.direct.push(direct(r, world, plan.teams, n));
    }
    for n in 0..r.below(5) {
        let all = r.one_in(2);
        let relationship = relationship(r, world, plan.teams);
        plan.indirect.push(Indirect {
            name: format!("Indirect {n}"),
            span: span(r, 10),
            test: *r.pick(&TESTS),
            relationship,
            receivers: if all { vec!["*".to_owned()] } else { selectors(r, world, plan.teams) },
            sources: Vec::new(),
            results: (0..1 + r.below(2)).map(|n| outcome(r, n, world, false)).collect(),
        });
    }
    fixed_values(r, plan);
}

/// A value that is the same for sales and returns, only where no maximum sums over both signs.
fn fixed_values(r: &mut Random, plan: &mut Plan) {
    let capped = plan.indirect.iter().flat_map(|rule| &rule.results).any(|x| x.cap.is_some());
    if capped || !r.one_in(4) {
        return;
    }
    for rule in &mut plan.direct {
        for result in &mut rule.results {
            result.value = Value::Fixed(decimal(r.word(&["50", "33.335", "0", "-12.5"])));
        }
    }
}
