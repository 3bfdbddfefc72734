//! Random small customers, each from one number.

use rust_decimal::Decimal;

use super::world::{Alias, Assign, Cap, Direct, Edge, Hold, Indirect, Outcome, Person, Plan};
use super::world::{Random, Seat, Sitting, Span, Split, Test, Tx, Value, World, day};

const TITLES: [&str; 4] = ["Rep", "Senior Rep", "Manager", "Engineer"];
const CUTS: [&str; 4] = ["2022-01-12", "2022-01-31", "2022-06-30", "2022-09-30"];
const DATES: [&str; 13] = [
    "2022-01-01",
    "2022-01-12",
    "2022-01-13",
    "2022-01-31",
    "2022-02-28",
    "2022-03-31",
    "2022-06-30",
    "2022-07-01",
    "2022-10-01",
    "2022-12-15",
    "2022-12-31",
    "2021-12-31",
    "2023-01-01",
];
const AMOUNTS: [&str; 14] = [
    "100", "100.01", "1000", "0", "-100", "-100.01", "0.01", "-0.01", "10.005", "0.015",
    "99999.99", "7", "33.3333", "",
];

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let r = &mut random;
    let count = *r.pick(&[1, 2, 3, 4, 5, 6, 8, 12, 30]);
    let simple = r.one_in(3);
    let shared_ids = simple || r.one_in(2);
    let kinds: Vec<String> =
        ["Overlay", "Rolldown"].iter().take(r.below(3)).map(|kind| (*kind).to_owned()).collect();
    let types = if r.one_in(2) { vec!["booking", "overlay"] } else { vec!["booking"] };
    let people: Vec<Person> = (0..count).map(|n| person(r, n, shared_ids)).collect();
    let seats = seats(r, count, shared_ids);
    let sittings = if simple { follow(&seats) } else { sittings(r, &people, &seats) };
    let mut world = World {
        scale: *r.pick(&[2, 2, 2, 0, 3]),
        year_starts: *r.pick(&[1, 1, 1, 7, 2]),
        us_dates: r.one_in(3),
        simple,
        edges: edges(r, &kinds, &seats),
        aliases: aliases(r, &people, &seats),
        kinds,
        credit_types: types.into_iter().map(str::to_owned).collect(),
        people,
        seats,
        sittings,
        plan: Plan {
            span: span(r, 6),
            targets: vec!["*".to_owned()],
            filter: *r.pick(&[Test::Always, Test::Always, Test::Won, Test::Over(0)]),
            split: *r.pick(&[Split::Refuse, Split::Equal, Split::Full, Split::First]),
            total_one: r.one_in(4),
            across_years: r.one_in(3),
            direct: Vec::new(),
            indirect: Vec::new(),
        },
        transactions: Vec::new(),
        as_of: None,
    };
    if r.one_in(3) {
        let days = ["2022-01-12", "2022-02-11", "2022-06-30", "2022-12-31", "2023-07-01"];
        world.as_of = Some(day(r.word(&days)));
    }
    world.plan.targets = if !r.one_in(3) { vec!["*".to_owned()] } else { selectors(r, &world) };
    rules(r, &mut world);
    world.transactions = (0..1 + r.below(6)).map(|n| transaction(r, &world, n)).collect();
    if r.one_in(10) {
        let again = transaction(r, &world, 0);
        world.transactions.push(again);
    }
    world
}

fn span(r: &mut Random, rare: usize) -> Span {
    let mut cut = || r.one_in(rare).then(|| day(r.word(&CUTS)));
    let (from, to) = (cut(), cut());
    match (from, to) {
        (Some(from), Some(to)) if to < from => Span { from: Some(to), to: Some(from) },
        _ => Span { from, to },
    }
}

fn person(r: &mut Random, n: usize, shared_ids: bool) -> Person {
    let id = if shared_ids { format!("P{n}") } else { format!("u{n}") };
    let name = if r.one_in(8) { "Sam Twin".to_owned() } else { format!("Name {n}") };
    Person { id, name, email: if r.one_in(2) { format!("u{n}@x.org") } else { String::new() } }
}

fn seats(r: &mut Random, count: usize, shared_ids: bool) -> Vec<Seat> {
    let name = |n: usize| if shared_ids { format!("P{n}") } else { format!("S{n}") };
    let mut all = Vec::new();
    for n in 0..count {
        let manager = |r: &mut Random| {
            let above = count - n - 1;
            (above > 0 && !r.one_in(4)).then(|| name(n + 1 + r.below(above.min(4))))
        };
        let title = |r: &mut Random| r.word(&TITLES).to_owned();
        let whole = Seat {
            id: name(n),
            title: title(r),
            manager: manager(r),
            span: if r.one_in(6) { span(r, 2) } else { Span::default() },
        };
        if r.one_in(4) && whole.span == Span::default() {
            let cut = day(r.word(&CUTS));
            let first = Seat { span: Span { from: None, to: Some(cut) }, ..whole.clone() };
            let from = Some(cut.tomorrow().unwrap());
            let (title, manager) = (title(r), manager(r));
            all.push(first);
            all.push(Seat { title, manager, span: Span { from, to: None }, ..whole });
        } else {
            all.push(whole);
        }
    }
    if r.one_in(2) {
        all.reverse();
    }
    all
}

/// Everybody in the position of the same id.
fn follow(seats: &[Seat]) -> Vec<Sitting> {
    let sit = |s: &Seat| Sitting { seat: s.id.clone(), person: s.id.clone(), span: s.span };
    seats.iter().map(sit).collect()
}

fn sittings(r: &mut Random, people: &[Person], seats: &[Seat]) -> Vec<Sitting> {
    let mut all = Vec::new();
    let mut ids: Vec<&String> = seats.iter().map(|seat| &seat.id).collect();
    ids.sort();
    ids.dedup();
    let digits = |id: &str| id.get(1..).unwrap().parse::<usize>().unwrap();
    for seat in ids {
        let own = people[digits(seat)].id.clone();
        let sit = |person, span| Sitting { seat: seat.clone(), person, span };
        match r.below(10) {
            0 => (),
            1 => all.push(sit(own, span(r, 2))),
            2 => {
                let cut = day(r.word(&CUTS));
                let from = Some(cut.tomorrow().unwrap());
                let other = r.pick(people).id.clone();
                all.push(sit(own, Span { from: None, to: Some(cut) }));
                all.push(sit(other, Span { from, to: None }));
            }
            _ => all.push(sit(own, Span::default())),
        }
    }
    all
}

fn edges(r: &mut Random, kinds: &[String], seats: &[Seat]) -> Vec<Edge> {
    let mut all: Vec<Edge> = Vec::new();
    if kinds.is_empty() || seats.len() < 2 {
        return all;
    }
    for _ in 0..r.below(seats.len().min(8) + 3) {
        let (kind, span) = (r.pick(kinds).clone(), span(r, 8));
        let (source, target) = (r.pick(seats).id.clone(), r.pick(seats).id.clone());
        let same = |e: &Edge| e.kind == kind && e.source == source && e.target == target;
        if source != target && !all.iter().any(same) {
            all.push(Edge { kind, source, target, span });
        }
    }
    all
}

fn aliases(r: &mut Random, people: &[Person], seats: &[Seat]) -> Vec<Alias> {
    let mut all: Vec<Alias> = Vec::new();
    for _ in 0..r.below(4) {
        let (kind, id) = if r.one_in(2) {
            ("participant", r.pick(people).id.clone())
        } else {
            ("position", r.pick(seats).id.clone())
        };
        let alias = r.word(&["Ace", "Best One", "The Desk"]).to_owned();
        if !all.iter().any(|a| a.kind == kind && a.id == id && a.alias == alias) {
            all.push(Alias { kind, id, alias });
        }
    }
    all
}

fn selectors(r: &mut Random, world: &World) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..1 + r.below(3) {
        let seat = r.pick(&world.seats);
        let word = if r.one_in(3) {
            format!("position:{}", seat.id)
        } else {
            format!("title:{}", seat.title)
        };
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all
}

fn hold(r: &mut Random) -> Hold {
    let count = *r.pick(&[0, 1, 2, 3]);
    match r.below(24) {
        0 => Hold::Days(*r.pick(&[0, 1, 16, 17, 30, 400])),
        1 => Hold::Months(count),
        2 => Hold::Quarters(count),
        3 => Hold::Years(count),
        4 => Hold::On(day(r.word(&DATES))),
        5 => Hold::NextQuarter,
        6 => Hold::Indefinite,
        _ => Hold::None,
    }
}

fn outcome(r: &mut Random, n: usize, types: &[String], direct: bool) -> Outcome {
    let factor = decimal(r.word(&["0.5", "0.1", "0.333", "1.5"]));
    let value = match (r.below(6), direct) {
        (0, _) => Value::Amount(factor),
        (1, false) => Value::Credit(factor),
        _ => Value::Default,
    };
    let cap = match r.below(8) {
        0 => Some(Cap::Amount),
        1 => Some(Cap::Fixed(decimal(r.word(&["50", "80", "1", "0", "100"])))),
        _ => None,
    };
    let typed = (direct && types.len() > 1) || r.one_in(4);
    Outcome {
        name: format!("Credit {n}"),
        value,
        cap,
        per_item: r.one_in(2),
        hold: hold(r),
        rollable: !r.one_in(5),
        on_reporting: r.one_in(2),
        duplicates: r.one_in(2),
        credit_type: typed.then(|| r.pick(types).clone()),
    }
}

fn rules(r: &mut Random, world: &mut World) {
    let tests =
        [Test::Always, Test::Always, Test::Always, Test::Won, Test::Over(0), Test::Over(50)];
    let columns = [Assign::Owner, Assign::Owner, Assign::Preassigned, Assign::Desk];
    for n in 0..1 + r.below(3) {
        let assign = vec![*r.pick(&columns)];
        let results = (0..1 + r.below(2)).map(|n| outcome(r, n, &world.credit_types, true));
        let results = results.collect();
        let (span, test) = (span(r, 10), *r.pick(&tests));
        world.plan.direct.push(Direct { name: format!("Direct {n}"), span, test, assign, results });
    }
    for n in 0..r.below(5) {
        let results = (0..1 + r.below(2)).map(|n| outcome(r, n, &world.credit_types, false));
        let results = results.collect();
        let named = (!world.kinds.is_empty() && r.one_in(2)).then(|| r.pick(&world.kinds).clone());
        let all = r.one_in(2);
        let receivers = if all { vec!["*".to_owned()] } else { selectors(r, world) };
        world.plan.indirect.push(Indirect {
            name: format!("Indirect {n}"),
            span: span(r, 10),
            test: *r.pick(&tests),
            relationship: named.unwrap_or_else(|| "Reporting".to_owned()),
            receivers,
            results,
        });
    }
    fixed_values(r, world);
}

/// A value that is the same for sales and returns, only where no maximum sums over both signs.
fn fixed_values(r: &mut Random, world: &mut World) {
    let capped = world.plan.indirect.iter().flat_map(|rule| &rule.results).any(|x| x.cap.is_some());
    if capped || !r.one_in(4) {
        return;
    }
    for rule in &mut world.plan.direct {
        for result in &mut rule.results {
            result.value = Value::Fixed(decimal(r.word(&["50", "33.335", "0", "-12.5"])));
        }
    }
}

fn name(r: &mut Random, world: &World) -> String {
    let person = r.pick(&world.people);
    let name = match r.below(16) {
        0 => "zoe".to_owned(),
        1 => "Zed Nobody".to_owned(),
        2 => "Ace".to_owned(),
        3 => "Best One".to_owned(),
        4 | 5 => r.pick(&world.seats).id.clone(),
        6 if !person.email.is_empty() => person.email.clone(),
        7 | 8 => person.name.clone(),
        _ => person.id.clone(),
    };
    match r.below(5) {
        0 => name.to_uppercase(),
        1 => format!(" {} ", name.to_lowercase()),
        _ => name,
    }
}

fn names(r: &mut Random, world: &World) -> String {
    let count = *r.pick(&[0, 1, 1, 1, 2, 2, 3, 4]);
    let weights: &[&str] = match r.below(4) {
        0 => &["0.5", "0.3", "0.2"],
        1 => &["0.6", "1", "0.3333", "0.125"],
        _ => &[],
    };
    let mut text = String::new();
    for place in 0..count {
        if place > 0 {
            text.push_str(r.word(&[";", "||", " ; ", ";;"]));
        }
        text.push_str(&name(r, world));
        if !weights.is_empty() && !r.one_in(25) {
            text.push_str(&format!("[{}]", weights[place % weights.len()]));
        }
    }
    text
}

fn transaction(r: &mut Random, world: &World, n: usize) -> Tx {
    let date = match r.below(40) {
        0 => String::new(),
        1 => "soon".to_owned(),
        _ => (r.word(&DATES)).to_owned(),
    };
    let amount = if r.one_in(40) { "12x".to_owned() } else { r.word(&AMOUNTS).to_owned() };
    let second = if r.one_in(6) { names(r, world) } else { String::new() };
    Tx {
        id: format!("T{n}"),
        date,
        amount,
        owners: [names(r, world), second],
        desk: names(r, world),
        positions: names(r, world),
        stage: r.word(&["Won", "Won", "Won", "Won", "Won", "Lost", ""]).to_owned(),
        units: (if r.one_in(25) { "x" } else { r.word(&["", "1.5"]) }).to_owned(),
    }
}
