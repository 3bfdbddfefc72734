//! The paths along which a direct credit rolls: the reference roll of the domain.

use super::{Case, Row, Status, exists, names, payee, teams};

#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) receiver: String,
    pub(super) relationship: String,
    pub(super) via: String,
    pub(super) level: u32,
    pub(super) team: Option<String>,
}

/// Receivers with their distances.
type Reached = Vec<(String, u32)>;

/// Ancestors bottom-up, each with its distance.
fn ancestors(case: Case<'_>, id: &str) -> Reached {
    if case.plan.teams {
        return teams::above(case, id);
    }
    let world = case.world;
    let mut found: Reached = Vec::new();
    let mut walked: Vec<String> = Vec::new();
    let mut at = id.to_owned();
    loop {
        // The row of the day, or the last one that is over: who has left leads on to their manager.
        let rows = world.seats.iter().filter(|seat| seat.id == at);
        let of_day = rows.clone().find(|seat| seat.span.has(case.date));
        let over = rows.filter(|seat| seat.span.to.is_some_and(|to| to < case.date));
        let seat = of_day.or_else(|| over.max_by_key(|seat| seat.span.to));
        let Some(seat) = seat.filter(|_| !walked.contains(&at)) else { return found };
        walked.push(at);
        if walked.len() > 1 && seat.span.has(case.date) {
            found.push((seat.id.clone(), walked.len() as u32 - 1));
        }
        let Some(manager) = seat.manager.clone() else { return found };
        at = manager;
    }
}

/// Everything reachable inside one named type, nearest first.
fn reach(case: Case<'_>, kind: &str, id: &str) -> Reached {
    let mut found: Reached = Vec::new();
    let mut front = vec![id.to_owned()];
    let mut level = 0;
    while !front.is_empty() {
        level += 1;
        let mut next: Vec<String> = Vec::new();
        for at in &front {
            for edge in &case.world.edges {
                let live = edge.kind == kind && edge.source == *at && edge.span.has(case.date);
                let new = edge.target != id && !found.iter().any(|f| f.0 == edge.target);
                if live && new && exists(case, &edge.target) {
                    found.push((edge.target.clone(), level));
                    next.push(edge.target.clone());
                }
            }
        }
        front = next;
    }
    found
}

/// The other members of the holder's teams, each with the team.
fn mates(case: Case<'_>, position: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let Some(holder) = payee(case, position) else { return found };
    for team in case.world.teams.iter().filter(|team| team.span.has(case.date)) {
        let members = teams::members(case, &team.id);
        if !members.iter().any(|member| member.person == holder) {
            continue;
        }
        for member in members.iter().filter(|member| member.person != holder) {
            for seat in teams::positions(case, &member.person) {
                found.push((seat, team.id.clone()));
            }
        }
    }
    found
}

/// The positions that the text names, by the one grammar of names; an ambiguous one parks, and
/// so does somebody without a position.
fn related(case: Case<'_>, text: &str) -> Result<Reached, &'static str> {
    let mut found: Reached = Vec::new();
    for name in text.replace("||", ";").split(';') {
        let (seats, person_named) = names::meant(case, name);
        match seats.as_slice() {
            [] if person_named => return Err("no_position"),
            [] => (),
            [only] => found.push((only.clone(), 1)),
            _ => return Err("ambiguous_alias"),
        }
    }
    Ok(found)
}

/// Every path from the root, in the order of the reference roll.
pub(super) fn paths(case: Case<'_>, root: &Row) -> Result<Vec<Path>, &'static str> {
    if !root.rollable || root.status != Status::Active {
        return Ok(Vec::new());
    }
    let start = root.receiver.as_str();
    let mut all: Vec<Path> = Vec::new();
    let mut add = |receiver: String, level, team, relationship: &str, via: &str| {
        let known = all.iter().any(|p| p.receiver == receiver && p.relationship == relationship);
        if !known {
            let (relationship, via) = (relationship.to_owned(), via.to_owned());
            all.push(Path { receiver, relationship, via, level, team });
        }
    };
    let above = ancestors(case, start);
    let reporting = if case.plan.teams { "Parent Team" } else { "Reporting" };
    for (receiver, level) in &above {
        add(receiver.clone(), *level, None, reporting, start);
    }
    if !case.plan.teams {
        for (place, name) in
            ["Related Order (Person)", "Related Order (Position)"].iter().enumerate()
        {
            let wanted = |rule: &&crate::oracle::world::Indirect| {
                rule.relationship == *name
                    && rule.span.has(case.date)
                    && sees(case, rule, &root.plan)
            };
            if !case.plan.indirect.iter().any(|rule| wanted(&rule)) {
                continue;
            }
            for (receiver, level) in related(case, &case.tx.related[place])? {
                add(receiver, level, None, name, start);
            }
        }
        for (receiver, team) in mates(case, start) {
            add(receiver, 1, Some(team), "Team", start);
        }
    }
    for kind in &case.world.kinds {
        for (receiver, level) in reach(case, kind, start) {
            add(receiver, level, None, kind, start);
        }
    }
    if root.on_reporting {
        for (ancestor, _) in &above {
            for kind in &case.world.kinds {
                for (receiver, level) in reach(case, kind, ancestor) {
                    add(receiver, level, None, kind, ancestor);
                }
            }
        }
    }
    Ok(all)
}

/// Whether the rule takes credits from the plan.
pub(super) fn sees(case: Case<'_>, rule: &crate::oracle::world::Indirect, plan: &str) -> bool {
    if rule.sources.is_empty() {
        return plan == case.plan.id;
    }
    rule.sources.iter().any(|source| source == plan)
}
