//! Teams on a date: what they are called, who is above them, and who of their members is credited.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Case, exists, selected};
use crate::oracle::world::{Member, Members, Team, World};

/// The version of the team on the day.
pub(super) fn active<'a>(case: Case<'a>, id: &str) -> Option<&'a Team> {
    case.world.teams.iter().find(|team| team.id == id && team.span.has(case.date))
}

/// Rows of members of the team on the day, in file order.
pub(super) fn members<'a>(case: Case<'a>, team: &str) -> Vec<&'a Member> {
    if active(case, team).is_none() {
        return Vec::new();
    }
    let all = case.world.members.iter();
    all.filter(|member| member.team == team && member.span.has(case.date)).collect()
}

/// Whether the person is a member of the team on the day.
pub(super) fn has_member(world: &World, team: &str, person: &str, date: Date) -> bool {
    let mut all = world.members.iter();
    all.any(|row| row.team == team && row.person == person && row.span.has(date))
}

/// Teams above, nearest first, each once, with their distances; the way leads over those that are
/// over.
pub(super) fn above(case: Case<'_>, team: &str) -> Vec<(String, u32)> {
    let mut all: Vec<(String, u32)> = Vec::new();
    let mut walked = vec![team.to_owned()];
    while let Some(parent) = latest(case, walked.last().unwrap()).and_then(|it| it.parent.clone()) {
        if walked.contains(&parent) || latest(case, &parent).is_none() {
            break;
        }
        if active(case, &parent).is_some() {
            all.push((parent.clone(), walked.len() as u32));
        }
        walked.push(parent);
    }
    all
}

/// The version of the team on the day, or the last one that is over.
fn latest<'a>(case: Case<'a>, id: &str) -> Option<&'a Team> {
    let over = case.world.teams.iter().filter(|team| team.id == id);
    let over = over.filter(|team| team.span.to.is_some_and(|to| to < case.date));
    active(case, id).or_else(|| over.max_by_key(|team| team.span.to))
}

/// Every team on the day that the name means, in file order.
pub(super) fn called(case: Case<'_>, name: &str) -> Vec<String> {
    let name = name.trim().to_lowercase();
    let same = |other: &str| !other.is_empty() && other.trim().to_lowercase() == name;
    let mut all: Vec<String> = Vec::new();
    for team in case.world.teams.iter().filter(|team| team.span.has(case.date)) {
        let mut aliases = case.world.aliases.iter();
        let aliased = aliases.any(|a| a.kind == "team" && a.id == team.id && same(&a.alias));
        if same(&team.id) || same(&team.name) || aliased {
            all.push(team.id.clone());
        }
    }
    all
}

/// Every position that the person holds on the day.
pub(super) fn positions(case: Case<'_>, person: &str) -> Vec<String> {
    let sittings = case.world.sittings.iter();
    let held = sittings.filter(|s| s.person == person && s.span.has(case.date));
    held.map(|s| s.seat.clone()).filter(|seat| exists(case, seat)).collect()
}

/// Who is credited for a team, with weights; a blank name takes a part that nobody gets; nobody is
/// an empty list.
pub(super) type Takers = Result<Vec<(String, Decimal)>, &'static str>;

/// Who is credited for a team that an individual plan finds.
pub(super) fn takers(case: Case<'_>, mode: Option<Members>, team: &str) -> Takers {
    let is_target = |seat: &String| selected(case, &case.plan.targets, seat);
    let mode = match mode {
        None => return Ok(Vec::new()),
        Some(Members::Manager) => {
            let manager = active(case, team).and_then(|team| team.manager.clone());
            let manager = manager.filter(is_target);
            return Ok(manager.into_iter().map(|seat| (seat, Decimal::ONE)).collect());
        }
        Some(mode) => mode,
    };
    let mut all: Vec<(String, Decimal)> = Vec::new();
    for member in members(case, team) {
        let held = positions(case, &member.person);
        // Where each person has a position of the same id, who has none is not there that day.
        if case.world.simple && held.is_empty() {
            continue;
        }
        let targets: Vec<String> = held.into_iter().filter(is_target).collect();
        let seat = match targets.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            _ => return Err("ambiguous_alias"),
        };
        let weight = match (mode, member.weight.as_str()) {
            (Members::Weight, weight) if !weight.is_empty() => weight.parse().unwrap(),
            _ => Decimal::ONE,
        };
        match all.iter_mut().find(|(known, _)| *known == seat && !seat.is_empty()) {
            Some((_, sum)) if mode == Members::Weight => *sum += weight,
            Some(_) => (),
            None => all.push((seat, weight)),
        }
    }
    if all.iter().all(|(seat, _)| seat.is_empty()) {
        all.clear();
    }
    Ok(all)
}
