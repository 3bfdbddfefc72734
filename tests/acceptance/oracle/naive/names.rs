//! Who is meant by a text that names recipients.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Codes, exists, selected};
use crate::oracle::world::{Assign, Direct, Split, Tx, World};

/// One of those who are named, known or not.
#[derive(Debug, Clone)]
pub(super) struct Named {
    key: String,
    pub(super) position: Option<String>,
    pub(super) weight: Option<Decimal>,
}

/// All who are named by the first column that finds somebody; empty when none does.
pub(super) fn named(
    world: &World,
    rule: &Direct,
    tx: &Tx,
    date: Date,
) -> Result<Vec<Named>, Codes> {
    for assign in &rule.assign {
        let text = match assign {
            Assign::Owner => tx.owners.join(";"),
            Assign::Preassigned => tx.positions.clone(),
            Assign::Desk => tx.desk.clone(),
        };
        let all = read(world, &text, date)?;
        if finds(world, &all) {
            return Ok(all);
        }
    }
    Ok(Vec::new())
}

fn finds(world: &World, all: &[Named]) -> bool {
    let weighted = all.iter().all(|named| named.weight.is_some());
    if world.plan.split == Split::First && !weighted {
        return all.first().is_some_and(|first| first.position.is_some());
    }
    finds_anybody(all)
}

fn finds_anybody(all: &[Named]) -> bool {
    all.iter().any(|named| named.position.is_some())
}

fn read(world: &World, text: &str, date: Date) -> Result<Vec<Named>, Codes> {
    let mut all: Vec<Named> = Vec::new();
    let mut codes: Codes = Vec::new();
    for part in text.replace("||", ";").split(';') {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (name, weight) = match part.strip_suffix(']').and_then(|part| part.rsplit_once('[')) {
            Some((name, weight)) => (name.trim(), Some(weight.trim().parse().unwrap())),
            None => (part, None),
        };
        let found = match resolve(world, name, date) {
            Ok((key, position)) => Named { key, position, weight },
            Err(code) => {
                codes.push(code);
                Named { key: name.to_lowercase(), position: None, weight }
            }
        };
        match all.iter_mut().find(|known| known.key == found.key) {
            Some(known) => match (&mut known.weight, found.weight) {
                (Some(sum), Some(weight)) => *sum += weight,
                (None, None) => (),
                _ => codes.push("mixed_weights"),
            },
            None => all.push(found),
        }
    }
    // Where nobody is known, how to share is not asked.
    if codes.is_empty() && !finds_anybody(&all) {
        return Ok(all);
    }
    let weights: Vec<Decimal> = all.iter().filter_map(|named| named.weight).collect();
    if !weights.is_empty() && weights.len() < all.len() {
        codes.push("mixed_weights");
    }
    if world.plan.split == Split::Refuse && all.len() > 1 {
        codes.push("several_recipients");
    }
    let total: Decimal = weights.iter().sum();
    if world.plan.total_one && !weights.is_empty() && total != Decimal::ONE {
        codes.push("policy_error");
    }
    if codes.is_empty() { Ok(all) } else { Err(codes) }
}

/// What the name means: a key that is the same for names that mean the same, and the target.
fn resolve(
    world: &World,
    name: &str,
    date: Date,
) -> Result<(String, Option<String>), &'static str> {
    let name = name.trim().to_lowercase();
    let same = |other: &str| !other.is_empty() && other.trim().to_lowercase() == name;
    let aliased = |kind: &str, id: &str| {
        world.aliases.iter().any(|a| a.kind == kind && a.id == id && same(&a.alias))
    };
    let mut seats: Vec<String> = Vec::new();
    for seat in &world.seats {
        if same(&seat.id) || aliased("position", &seat.id) {
            seats.push(seat.id.clone());
        }
    }
    let mut person_named = false;
    for person in &world.people {
        let own = same(&person.id) || same(&person.name) || same(&person.email);
        if !own && !aliased("participant", &person.id) {
            continue;
        }
        // Outside the dates of his own rows a participant is nobody, like a position.
        if world.simple && !exists(world, &person.id, date) {
            continue;
        }
        person_named = true;
        for sitting in &world.sittings {
            if sitting.person == person.id && sitting.span.has(date) {
                seats.push(sitting.seat.clone());
            }
        }
    }
    seats.retain(|seat| exists(world, seat, date));
    seats.sort();
    seats.dedup();
    let is_target = |seat: &&String| selected(world, &world.plan.targets, seat, date);
    let targets: Vec<&String> = seats.iter().filter(is_target).collect();
    match (targets.as_slice(), seats.as_slice()) {
        ([only], _) => Ok((format!("position {only}"), Some((*only).clone()))),
        ([], []) if person_named => Err("no_position"),
        // Two names of one outsider are one, though nobody is credited.
        ([], [only]) => Ok((format!("position {only}"), None)),
        ([], _) => Ok((format!("text {name}"), None)),
        _ => Err("ambiguous_alias"),
    }
}
