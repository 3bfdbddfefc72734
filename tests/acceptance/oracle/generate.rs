//! Random small customers, each from one number.

mod calendar;
mod company;
mod rewards;
mod rules;
mod scripts;
mod tables;

use super::features::{Feature, on};
use super::random::Random;
use super::world::{Span, Tx, UnitType, World, day};

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
const AMOUNTS: [&str; 17] = [
    "100", "100.01", "1000", "0", "-100", "-100.01", "0.01", "-0.01", "10.005", "0.015",
    "99999.99", "7", "33.3333", "250", "1234.56", "500", "",
];

pub(crate) fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let r = &mut random;
    let count = *r.pick(&[1, 2, 3, 4, 5, 6, 8, 12, 30]);
    let simple = r.one_in(3);
    let shared_ids = simple || r.one_in(2);
    let kinds: Vec<String> =
        ["Overlay", "Rolldown"].iter().take(r.below(3)).map(|kind| (*kind).to_owned()).collect();
    let types = if r.one_in(2) { vec!["booking", "overlay"] } else { vec!["booking"] };
    let people: Vec<_> = (0..count).map(|n| company::person(r, n, shared_ids)).collect();
    let seats = company::seats(r, count, shared_ids);
    let sittings =
        if simple { company::follow(&seats) } else { company::sittings(r, &people, &seats) };
    let scale = *r.pick(&[2, 2, 2, 0, 3]);
    let dollar = UnitType { name: "USD".to_owned(), scale: r.one_in(2).then_some(scale) };
    let mut world = World {
        scale,
        units: vec![dollar],
        rates: Vec::new(),
        calendar: calendar::calendar(r),
        finalized: Vec::new(),
        closed: Vec::new(),
        us_dates: r.one_in(3),
        simple,
        edges: company::edges(r, &kinds, &seats),
        aliases: company::aliases(r, &people, &seats),
        teams: Vec::new(),
        members: Vec::new(),
        areas: Vec::new(),
        tables: Vec::new(),
        attributes: Vec::new(),
        inlines: Vec::new(),
        kinds,
        credit_types: types.into_iter().map(str::to_owned).collect(),
        people,
        seats,
        sittings,
        policies: Vec::new(),
        plans: Vec::new(),
        quotas: Vec::new(),
        period: None,
        transactions: Vec::new(),
        as_of: None,
    };
    if r.one_in(3) {
        let days = ["2022-01-12", "2022-02-11", "2022-06-30", "2022-12-31", "2023-07-01"];
        world.as_of = Some(day(r.word(&days)));
    }
    company::teams(r, &mut world);
    calendar::finalized(r, &mut world);
    calendar::money(r, &mut world);
    rules::plans(r, &mut world);
    tables::tables(r, &mut world);
    if on(Feature::Policies) && r.one_in(3) {
        scripts::policies(r, &mut world);
    }
    tables::inlines(r, &mut world);
    world.transactions = (0..1 + r.below(6)).map(|n| transaction(r, &world, n)).collect();
    if r.one_in(10) {
        let again = transaction(r, &world, 0);
        world.transactions.push(again);
    }
    if on(Feature::Finalized) && (!world.finalized.is_empty() || r.one_in(10)) {
        arrivals(r, &mut world);
    }
    void(r, &mut world);
    rewards::rewards(r, &mut world);
    world
}

/// Some deals of one version are void.
fn void(r: &mut Random, world: &mut World) {
    for n in 0..world.transactions.len() {
        let same = world.transactions.iter().filter(|tx| tx.id == world.transactions[n].id);
        if same.count() == 1 && r.one_in(20) {
            world.transactions[n].void = true;
        }
    }
}

/// When each row arrived; some deals come again, changed.
fn arrivals(r: &mut Random, world: &mut World) {
    let days = ["2022-01-20", "2022-02-15", "2022-03-10", "2022-04-20", "2022-08-01"];
    for n in 0..world.transactions.len() {
        if r.one_in(2) {
            let mut again = world.transactions[n].clone();
            match r.below(5) {
                // Cancelled by its source: a plan that asks for the stage loses it.
                4 => again.stage = "Lost".to_owned(),
                0 | 1 => again.amount = r.word(&AMOUNTS).to_owned(),
                2 => again.date = r.word(&DATES).to_owned(),
                _ => again.owners = [names(r, world), String::new()],
            }
            world.transactions.push(again);
        }
    }
    let mut received: Vec<_> = world.transactions.iter().map(|_| day(r.word(&days))).collect();
    received.sort();
    for (tx, day) in world.transactions.iter_mut().zip(received) {
        tx.received = Some(day);
    }
}

fn span(r: &mut Random, rare: usize) -> Span {
    let mut cut = || r.one_in(rare).then(|| day(r.word(&CUTS)));
    let (from, to) = (cut(), cut());
    match (from, to) {
        (Some(from), Some(to)) if to < from => Span { from: Some(to), to: Some(from) },
        _ => Span { from, to },
    }
}

fn name(r: &mut Random, world: &World) -> String {
    let person = r.pick(&world.people);
    let name = match r.below(24) {
        0 => "zoe".to_owned(),
        1 => "Zed Nobody".to_owned(),
        2 => "Ace".to_owned(),
        3 => "Best One".to_owned(),
        4 | 5 => r.pick(&world.seats).id.clone(),
        9 | 10 if !world.teams.is_empty() => team(r, world),
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
    let count = *r.pick(&[0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4]);
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
        if !weights.is_empty() && !r.one_in(40) {
            text.push_str(&format!("[{}]", weights[place % weights.len()]));
        }
    }
    text
}

fn team(r: &mut Random, world: &World) -> String {
    let team = r.pick(&world.teams);
    match r.below(4) {
        0 => "The Team".to_owned(),
        1 => team.id.clone(),
        _ => team.name.clone(),
    }
}

fn region(r: &mut Random, world: &World) -> String {
    if world.teams.is_empty() {
        return String::new();
    }
    let mut all: Vec<String> = (0..*r.pick(&[0, 1, 1, 1, 2])).map(|_| team(r, world)).collect();
    if r.one_in(6) {
        all.push(name(r, world));
    }
    all.join(";")
}

fn related(r: &mut Random, world: &World) -> String {
    if r.one_in(2) { String::new() } else { name(r, world) }
}

fn transaction(r: &mut Random, world: &World, n: usize) -> Tx {
    let date = match r.below(80) {
        0 => String::new(),
        1 => "soon".to_owned(),
        _ => (r.word(&DATES)).to_owned(),
    };
    let amount = if r.one_in(80) { "12x".to_owned() } else { r.word(&AMOUNTS).to_owned() };
    let second = if r.one_in(6) { names(r, world) } else { String::new() };
    let currencies = ["", "", "USD", "USD", "EUR", "EUR", "JPY", "XXX"];
    let several = world.units.len() > 1 && !r.one_in(3);
    Tx {
        id: format!("T{n}"),
        date,
        amount,
        owners: [names(r, world), second],
        team: region(r, world),
        desk: names(r, world),
        related: [related(r, world), related(r, world)],
        positions: names(r, world),
        stage: r.word(&["Won", "Won", "Won", "Won", "Won", "Lost", ""]).to_owned(),
        units: (if r.one_in(60) { "x" } else { r.word(&["", "1.5", "0.5"]) }).to_owned(),
        product: r.word(&["Pump", "VALVE", "Pipe", ""]).to_owned(),
        geography: r.word(&["NY", "PA", "Nevada", "CA", ""]).to_owned(),
        postal: r.word(&["02139", "02199", "90210", "K1A 0B1", "2139", ""]).to_owned(),
        currency: if several { r.word(&currencies).to_owned() } else { String::new() },
        received: None,
        void: false,
    }
}
