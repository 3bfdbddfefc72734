//! People, positions, teams: who is there to be credited.

use super::{CUTS, TITLES, span};
use crate::oracle::features::{Feature, on};
use crate::oracle::random::Random;
use crate::oracle::world::day;
use crate::oracle::world::{Alias, Area, Edge, Member, Person, Seat, Sitting, Span, Team, World};

pub(super) fn person(r: &mut Random, n: usize, shared_ids: bool) -> Person {
    let id = if shared_ids { format!("P{n}") } else { format!("u{n}") };
    let name = if r.one_in(8) { "Sam Twin".to_owned() } else { format!("Name {n}") };
    let email = if r.one_in(2) { format!("u{n}@x.org") } else { String::new() };
    Person { id, name, email, currency: None }
}

pub(super) fn seats(r: &mut Random, count: usize, shared_ids: bool) -> Vec<Seat> {
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
pub(super) fn follow(seats: &[Seat]) -> Vec<Sitting> {
    let sit = |s: &Seat| Sitting { seat: s.id.clone(), person: s.id.clone(), span: s.span };
    seats.iter().map(sit).collect()
}

pub(super) fn sittings(r: &mut Random, people: &[Person], seats: &[Seat]) -> Vec<Sitting> {
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

pub(super) fn edges(r: &mut Random, kinds: &[String], seats: &[Seat]) -> Vec<Edge> {
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

pub(super) fn aliases(r: &mut Random, people: &[Person], seats: &[Seat]) -> Vec<Alias> {
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

/// Teams with members; some have a second version, some lie in another.
pub(super) fn teams(r: &mut Random, world: &mut World) {
    if !on(Feature::Teams) || r.one_in(3) {
        return;
    }
    let count = 1 + r.below(4);
    let names = ["West", "East", "North", "Ace"];
    for (n, name) in names.into_iter().enumerate().take(count) {
        let id = format!("W{n}");
        let parent = |r: &mut Random| {
            if r.one_in(10) {
                // Anybody, so that there are circles.
                let other = r.below(count);
                return (other != n).then(|| format!("W{other}"));
            }
            (n + 1 < count && !r.one_in(3)).then(|| format!("W{}", n + 1 + r.below(count - n - 1)))
        };
        let manager = |r: &mut Random| (!r.one_in(3)).then(|| r.pick(&world.seats).id.clone());
        let name = if r.one_in(8) { "West" } else { name }.to_owned();
        let (parent_id, manager_id) = (parent(r), manager(r));
        let first =
            Team { id, name, parent: parent_id, manager: manager_id, span: Span::default() };
        if r.one_in(5) {
            let cut = day(r.word(&CUTS));
            let from = Some(cut.tomorrow().unwrap());
            let (parent, manager) = (parent(r), manager(r));
            let second = Team { parent, manager, span: Span { from, to: None }, ..first.clone() };
            world.teams.push(Team { span: Span { from: None, to: Some(cut) }, ..first });
            world.teams.push(second);
        } else {
            let span = if r.one_in(6) { span(r, 2) } else { Span::default() };
            world.teams.push(Team { span, ..first });
        }
        for person in &world.people {
            if r.one_in(world.people.len().min(3)) {
                let weight = r.word(&["60000", "40000", "1", "0", "", "0.5"]).to_owned();
                let (team, person) = (format!("W{n}"), person.id.clone());
                world.members.push(Member { team, person, weight, span: span(r, 8) });
            }
        }
        if r.one_in(4) {
            let alias = r.word(&["Ace", "The Team"]).to_owned();
            world.aliases.push(Alias { kind: "team", id: format!("W{n}"), alias });
        }
    }
    team_edges(r, world, count);
    if on(Feature::Territories) && r.one_in(2) {
        areas(r, world, count);
    }
}

fn team_edges(r: &mut Random, world: &mut World, count: usize) {
    if world.kinds.is_empty() || count < 2 {
        return;
    }
    for _ in 0..r.below(4) {
        let kind = r.pick(&world.kinds).clone();
        let (source, target) = (format!("W{}", r.below(count)), format!("W{}", r.below(count)));
        let same = |e: &Edge| e.kind == kind && e.source == source && e.target == target;
        if source != target && !world.edges.iter().any(same) {
            world.edges.push(Edge { kind, source, target, span: span(r, 8) });
        }
    }
}

/// Rows of territories: field, value and the end of a range.
const AREAS: [(&str, &str, &str); 16] = [
    ("product", "Pump", ""),
    ("product", " valve ", ""),
    ("product", "P", "Q"),
    ("geography", "NY", ""),
    ("geography", "pa", ""),
    ("geography", "A", "N"),
    ("postal_code", "02139", ""),
    ("postal_code", "02100", "02199"),
    ("postal_code", "0", "99999"),
    ("postal_code", "K1A", "K1"),
    ("postal_code", "A", "L"),
    ("units", "1.50", ""),
    ("units", "0", "10"),
    ("stage", "won", ""),
    ("date", "2022-01-01", "2022-06-30"),
    ("date", "2022-01-12", ""),
];

fn areas(r: &mut Random, world: &mut World, count: usize) {
    for n in 0..count {
        for _ in 0..r.below(4) {
            let (field, value, through) = *r.pick(&AREAS);
            if field == "date" && world.us_dates {
                continue;
            }
            world.areas.push(Area {
                team: format!("W{n}"),
                field: field.to_owned(),
                value: value.to_owned(),
                through: through.to_owned(),
                span: span(r, 8),
            });
        }
    }
}
