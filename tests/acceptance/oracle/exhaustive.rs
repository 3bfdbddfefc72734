//! Every organisation of up to four people in up to three levels, with every split of up to three.

use super::world::{Assign, Calendar, Direct, Keep, Member, Members, Team};
use super::world::{
    Cap, Hold, Indirect, Outcome, Pays, Person, Plan, Seat, Sitting, Span, Split, Test,
};
use super::world::{Tx, UnitType, Value, World};

const AMOUNTS: [&str; 5] = ["100", "100.01", "-100", "0.01", "-0.015"];
const WEIGHTS: [[&str; 3]; 2] = [["0.3333", "0.3333", "0.3334"], ["0.6", "0.6", "0.5"]];

/// The managers of `count` people, each somebody later in the list.
fn organizations(count: usize) -> Vec<Vec<Option<usize>>> {
    let mut all: Vec<Vec<Option<usize>>> = vec![Vec::new()];
    for n in 0..count {
        let mut next = Vec::new();
        for known in &all {
            for manager in (n + 1..count).map(Some).chain([None]) {
                next.push(known.iter().copied().chain([manager]).collect());
            }
        }
        all = next;
    }
    all.retain(|managers| (0..count).all(|n| depth(managers, n) <= 3));
    all
}

fn depth(managers: &[Option<usize>], n: usize) -> usize {
    managers[n].map_or(1, |manager| 1 + depth(managers, manager))
}

/// Every world: organisations by splits, duplicates, holds and maxima.
pub(crate) fn worlds() -> Vec<World> {
    let mut all = Vec::new();
    for managers in (1..=4).flat_map(organizations) {
        for split in [Split::Refuse, Split::Equal, Split::Full, Split::First] {
            for variant in 0..12 {
                all.push(world(&managers, split, variant));
            }
        }
    }
    all
}

fn outcome(variant: usize) -> Outcome {
    Outcome {
        name: "Credit".to_owned(),
        value: Value::Default,
        cap: None,
        per_item: variant >= 8,
        hold: Hold::None,
        rollable: true,
        on_reporting: false,
        duplicates: if variant.is_multiple_of(2) { Keep::Yes } else { Keep::No },
        credit_type: None,
        unit: None,
    }
}

fn world(managers: &[Option<usize>], split: Split, variant: usize) -> World {
    let count = managers.len();
    let id = |n: usize| format!("P{n}");
    let span = Span::default();
    let seat =
        |n: usize| Seat { id: id(n), title: "Rep".to_owned(), manager: managers[n].map(id), span };
    let person = |n: usize| Person {
        id: id(n),
        name: format!("N {n}"),
        email: String::new(),
        currency: None,
    };
    let direct = Outcome {
        hold: if variant % 4 == 3 { Hold::Days(30) } else { Hold::None },
        ..outcome(variant)
    };
    let indirect = Outcome { cap: (variant >= 4).then_some(Cap::Amount), ..outcome(variant) };
    World {
        scale: 2,
        units: vec![UnitType { name: "USD".to_owned(), scale: None }],
        rates: Vec::new(),
        calendar: Calendar::Months(1),
        finalized: Vec::new(),
        closed: Vec::new(),
        us_dates: false,
        simple: true,
        kinds: Vec::new(),
        credit_types: vec!["booking".to_owned()],
        people: (0..count).map(person).collect(),
        seats: (0..count).map(seat).collect(),
        sittings: (0..count).map(|n| Sitting { seat: id(n), person: id(n), span }).collect(),
        edges: Vec::new(),
        aliases: Vec::new(),
        teams: Vec::new(),
        members: Vec::new(),
        areas: Vec::new(),
        tables: Vec::new(),
        attributes: Vec::new(),
        inlines: Vec::new(),
        policies: Vec::new(),
        plans: vec![Plan {
            id: "sales".to_owned(),
            teams: false,
            span,
            targets: vec!["*".to_owned()],
            filter: Test::Always,
            split,
            total_one: false,
            by: Pays::Month,
            across_years: false,
            policies: Vec::new(),
            direct: vec![direct_rule(direct)],
            indirect: vec![indirect_rule(indirect)],
            pays: None,
            rewards: Vec::new(),
            quota: None,
            prorate: false,
            posted: false,
            draws: Vec::new(),
            carry: false,
        }],
        quotas: Vec::new(),
        period: None,
        transactions: transactions(count),
        as_of: None,
    }
}

fn direct_rule(result: Outcome) -> Direct {
    Direct {
        name: "Direct".to_owned(),
        span: Span::default(),
        test: Test::Always,
        assign: vec![Assign::Owner],
        members: None,
        results: vec![result],
    }
}

fn indirect_rule(result: Outcome) -> Indirect {
    Indirect {
        name: "Indirect".to_owned(),
        span: Span::default(),
        test: Test::Always,
        relationship: "Reporting".to_owned(),
        receivers: vec!["*".to_owned()],
        sources: Vec::new(),
        results: vec![result],
    }
}

const MODES: [Option<Members>; 5] = [
    None,
    Some(Members::Equal),
    Some(Members::Weight),
    Some(Members::Full),
    Some(Members::Manager),
];

/// Every team of up to four people, with every way to credit it and every split; nobody, people
/// and the team are named.
pub(crate) fn teams() -> Vec<World> {
    let mut all = Vec::new();
    for count in 1..=4 {
        for chosen in 0..1 << count {
            for mode in MODES {
                for split in [Split::Refuse, Split::Equal, Split::Full, Split::First] {
                    all.push(with_team(count, chosen, mode, split));
                }
            }
        }
    }
    all
}

/// A team of those people whose bits are set; the last one is its manager, and everybody's.
fn with_team(count: usize, chosen: usize, mode: Option<Members>, split: Split) -> World {
    let last = count - 1;
    let managers: Vec<Option<usize>> = (0..count).map(|n| (n < last).then_some(last)).collect();
    let mut world = world(&managers, split, 0);
    let span = Span::default();
    let team = "West".to_owned();
    let manager = Some(format!("P{last}"));
    world.teams.push(Team { id: team.clone(), name: String::new(), parent: None, manager, span });
    for n in (0..count).filter(|n| chosen & (1 << n) != 0) {
        let (team, person, weight) = (team.clone(), format!("P{n}"), format!("{}", n * 3));
        world.members.push(Member { team, person, weight, span });
    }
    world.plans[0].direct[0].members = mode;
    let mate = world.plans[0].indirect[0].clone();
    let (name, relationship) = ("Mate".to_owned(), "Team".to_owned());
    world.plans[0].indirect.push(Indirect { name, relationship, ..mate });
    let texts = ["West", "West;P0", "P0;West", "West[0.6];P0[0.5]", "West;nobody", "P0"];
    world.transactions.clear();
    for text in texts {
        for amount in ["100.01", "-0.05"] {
            world.transactions.push(Tx {
                id: format!("T{:03}", world.transactions.len()),
                date: "2022-01-12".to_owned(),
                amount: amount.to_owned(),
                owners: [text.to_owned(), String::new()],
                stage: "Won".to_owned(),
                ..Tx::default()
            });
        }
    }
    world
}

/// Every ordered choice of one to three people, without weights and with each set of them.
fn transactions(count: usize) -> Vec<Tx> {
    let mut choices: Vec<Vec<usize>> = (0..count).map(|n| vec![n]).collect();
    for length in 1..3 {
        let longer: Vec<Vec<usize>> =
            choices.iter().filter(|c| c.len() == length).flat_map(|c| more(c, count)).collect();
        choices.extend(longer);
    }
    let mut all = Vec::new();
    for choice in &choices {
        for weights in [None, Some(&WEIGHTS[0]), Some(&WEIGHTS[1])] {
            let one = |(place, n): (usize, &usize)| match weights {
                None => format!("P{n}"),
                Some(weights) => format!("P{n}[{}]", weights[place]),
            };
            let names: Vec<String> = choice.iter().enumerate().map(one).collect();
            let number = all.len();
            all.push(Tx {
                id: format!("T{number:03}"),
                date: "2022-01-12".to_owned(),
                amount: AMOUNTS[number % AMOUNTS.len()].to_owned(),
                owners: [names.join(";"), String::new()],
                stage: "Won".to_owned(),
                ..Tx::default()
            });
        }
    }
    all
}

fn more(choice: &[usize], count: usize) -> Vec<Vec<usize>> {
    let others = (0..count).filter(|n| !choice.contains(n));
    others.map(|n| choice.iter().copied().chain([n]).collect()).collect()
}
