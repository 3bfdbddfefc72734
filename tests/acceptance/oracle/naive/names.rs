//! Who is meant by a text that names recipients.

use rust_decimal::Decimal;

use super::policies::{self, Whom};
use super::{Case, Codes, exists, scripts, selected, teams, territories};
use crate::oracle::scripts::Kind;
use crate::oracle::world::{Assign, Direct, Split};

/// One of those who are named, known or not.
#[derive(Debug, Clone)]
pub(super) struct Named {
    key: String,
    pub(super) weight: Option<Decimal>,
    /// The team, if one was found.
    pub(super) team: Option<String>,
    /// Positions or, in a team plan, the team itself; none when nobody is credited.
    pub(super) takers: Vec<(String, Decimal)>,
    /// Why it cannot be said who of a team is credited.
    fault: Option<&'static str>,
}

/// All who are named by the first of `assign` that finds somebody; empty when none does.
pub(super) fn named(case: Case<'_>, rule: &Direct) -> Result<Vec<Named>, Codes> {
    let of_plan = scripts::of_plan(case.world, case.plan, Kind::Crediting);
    let default = [match of_plan {
        Some(_) => Assign::Policy(None),
        None if case.plan.teams => Assign::Team,
        None => Assign::Owner,
    }];
    let assign = if rule.assign.is_empty() { &default } else { rule.assign.as_slice() };
    for assign in assign {
        let tx = case.tx;
        let all = match assign {
            Assign::Owner => text(case, rule, &tx.owners.join(";"), false)?,
            Assign::Team => text(case, rule, &tx.team, true)?,
            Assign::Preassigned => text(case, rule, &tx.positions, false)?,
            Assign::Desk => text(case, rule, &tx.desk, false)?,
            Assign::Territory(under) => territory(case, rule, under.as_deref())?,
            Assign::Policy(place) => match policies::whom(case, *place) {
                Err(code) => return Err(vec![code]),
                Ok(Whom::Text(names)) => text(case, rule, &names, false)?,
                Ok(Whom::Shares(shares)) => listed(case, rule, shares, false)?,
            },
        };
        if finds(case, &all) {
            return Ok(all);
        }
    }
    Ok(Vec::new())
}

fn finds(case: Case<'_>, all: &[Named]) -> bool {
    let weighted = all.iter().all(|named| named.weight.is_some());
    if case.plan.split == Split::First && !weighted {
        return all.first().is_some_and(|first| !first.takers.is_empty());
    }
    finds_anybody(all)
}

fn finds_anybody(all: &[Named]) -> bool {
    all.iter().any(|named| !named.takers.is_empty())
}

fn territory(case: Case<'_>, rule: &Direct, under: Option<&str>) -> Result<Vec<Named>, Codes> {
    let mut all = Vec::new();
    for team in territories::winners(case, under) {
        all.push(of_team(case, rule, team));
    }
    shareable(case, all, Codes::new())
}

/// The names of a text; with `only_teams` they are names of teams.
fn text(case: Case<'_>, rule: &Direct, text: &str, only_teams: bool) -> Result<Vec<Named>, Codes> {
    let parts = parts(text).map_err(|code| vec![code])?;
    listed(case, rule, parts, only_teams)
}

/// A text taken apart: names, each with its weight.
pub(super) fn parts(text: &str) -> Result<Vec<(String, Option<Decimal>)>, &'static str> {
    let mut parts: Vec<(String, Option<Decimal>)> = Vec::new();
    for part in text.replace("||", ";").split(';') {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (name, weight) = match part.strip_suffix(']').and_then(|part| part.rsplit_once('[')) {
            Some((name, weight)) => {
                let weight: Result<Decimal, _> = weight.trim().parse();
                let known = !name.trim().is_empty();
                let weight = weight.ok().filter(|weight| known && *weight >= Decimal::ZERO);
                (name.trim(), Some(weight.ok_or("policy_error")?))
            }
            None => (part, None),
        };
        parts.push((name.to_owned(), weight));
    }
    Ok(parts)
}

/// Those who are named one by one; with `only_teams` they are names of teams.
fn listed(
    case: Case<'_>,
    rule: &Direct,
    parts: Vec<(String, Option<Decimal>)>,
    only_teams: bool,
) -> Result<Vec<Named>, Codes> {
    let mut all: Vec<Named> = Vec::new();
    let mut codes: Codes = Vec::new();
    for (name, weight) in parts {
        let name = name.trim();
        let found = if only_teams || case.plan.teams {
            resolve_team(case, rule, name)
        } else {
            resolve(case, rule, name)
        };
        let found = found.unwrap_or_else(|code| {
            codes.push(code);
            nobody(format!("text {}", name.to_lowercase()))
        });
        match all.iter_mut().find(|known| known.key == found.key) {
            Some(known) => match (&mut known.weight, weight) {
                (Some(sum), Some(weight)) => *sum += weight,
                (None, None) => (),
                _ => codes.push("mixed_weights"),
            },
            None => all.push(Named { weight, ..found }),
        }
    }
    shareable(case, all, codes)
}

/// Whether the plan says how to share among those who are named.
fn shareable(case: Case<'_>, all: Vec<Named>, mut codes: Codes) -> Result<Vec<Named>, Codes> {
    // Of names without weights the first is taken, and only its members are asked for.
    let only_first = case.plan.split == Split::First && all.iter().all(|n| n.weight.is_none());
    let taken = if only_first { 1 } else { all.len() };
    codes.extend(all.iter().take(taken).filter_map(|named| named.fault));
    // Where nobody is known, how to share is not asked.
    if codes.is_empty() && !finds_anybody(&all) {
        return Ok(all);
    }
    let weights: Vec<Decimal> = all.iter().filter_map(|named| named.weight).collect();
    if !weights.is_empty() && weights.len() < all.len() {
        codes.push("mixed_weights");
    }
    if case.plan.split == Split::Refuse && all.len() > 1 {
        codes.push("several_recipients");
    }
    let total: Decimal = weights.iter().sum();
    if case.plan.total_one && !weights.is_empty() && total != Decimal::ONE {
        codes.push("policy_error");
    }
    if codes.is_empty() { Ok(all) } else { Err(codes) }
}

fn nobody(key: String) -> Named {
    Named { key, weight: None, team: None, takers: Vec::new(), fault: None }
}

fn resolve_team(case: Case<'_>, rule: &Direct, name: &str) -> Result<Named, &'static str> {
    let all = teams::called(case, name);
    if !case.plan.teams {
        return match all.as_slice() {
            [] => Ok(nobody(format!("text {}", name.trim().to_lowercase()))),
            [only] => Ok(of_team(case, rule, only.clone())),
            _ => Err("ambiguous_alias"),
        };
    }
    let is_target = |team: &&String| super::receives(case, &case.plan.targets, team);
    let targets: Vec<&String> = all.iter().filter(is_target).collect();
    match (targets.as_slice(), all.as_slice()) {
        ([only], _) => Ok(of_team(case, rule, (*only).clone())),
        ([], [only]) => Ok(nobody(format!("team {only}"))),
        ([], _) => Ok(nobody(format!("text {}", name.trim().to_lowercase()))),
        _ => Err("ambiguous_alias"),
    }
}

/// A team as one who is named.
fn of_team(case: Case<'_>, rule: &Direct, team: String) -> Named {
    let takers = if !case.plan.teams {
        teams::takers(case, rule.members, &team)
    } else if super::receives(case, &case.plan.targets, &team) {
        Ok(vec![(team.clone(), Decimal::ONE)])
    } else {
        Ok(Vec::new())
    };
    let (takers, fault) = match takers {
        Ok(takers) => (takers, None),
        Err(code) => (Vec::new(), Some(code)),
    };
    Named { team: Some(team.clone()), takers, fault, ..nobody(format!("team {team}")) }
}

/// Positions that the name means on the day, and whether it means a person.
pub(super) fn meant(case: Case<'_>, name: &str) -> (Vec<String>, bool) {
    let world = case.world;
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
        if world.simple && !exists(case, &person.id) {
            continue;
        }
        person_named = true;
        seats.extend(teams::positions(case, &person.id));
    }
    seats.retain(|seat| exists(case, seat));
    seats.sort();
    seats.dedup();
    (seats, person_named)
}

/// What the name means: a key that is the same for names that mean the same, and the target.
fn resolve(case: Case<'_>, rule: &Direct, name: &str) -> Result<Named, &'static str> {
    let (seats, person_named) = meant(case, name);
    if seats.is_empty() && !person_named {
        return resolve_team(case, rule, name);
    }
    let is_target = |seat: &&String| selected(case, &case.plan.targets, seat);
    let targets: Vec<&String> = seats.iter().filter(is_target).collect();
    let position = |seat: &String| format!("position {seat}");
    match (targets.as_slice(), seats.as_slice()) {
        ([only], _) => {
            Ok(Named { takers: vec![((*only).clone(), Decimal::ONE)], ..nobody(position(only)) })
        }
        ([], []) => Err("no_position"),
        // Two names of one outsider are one, though nobody is credited.
        ([], [only]) => Ok(nobody(position(only))),
        ([], _) => Ok(nobody(format!("text {}", name.trim().to_lowercase()))),
        _ => Err("ambiguous_alias"),
    }
}
