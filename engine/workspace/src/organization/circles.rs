//! Positions that report to each other in a cycle on some day.
//!
//! Not the report of it (`consistency`). Source: DOMAIN 2.3 (INV-H1).
//!
//! **Architecture invariant:** a chain of any length is followed once a day, in any order of its
//! rows.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use super::{CellOrigin, DatedEntry};
use accredit_domain::organization::{Organization, PositionId};
use accredit_domain::work;

/// Every cycle of positions that report to each other on some day.
///
/// A cycle begins on the day its last version does, so it is enough to follow each version upwards
/// on its own first day; what was followed on a day is not followed again.
pub(super) fn find_cycles(
    organization: &Organization,
    versions: &[DatedEntry<PositionId>],
) -> Vec<(CellOrigin, Vec<PositionId>)> {
    let doubtful = cycle_candidates(organization);
    let mut followed: HashSet<(Date, PositionId)> = HashSet::new();
    let mut known: BTreeSet<Vec<PositionId>> = BTreeSet::new();
    let mut found = Vec::new();

    for version in versions.iter().filter(|version| doubtful.contains(&version.what)) {
        let date = version.validity.from.unwrap_or(Date::MIN);
        let Some(circle) = follow_cycle(organization, (version.what, date), &mut followed) else {
            continue;
        };

        let members: BTreeSet<PositionId> = circle.iter().copied().collect();
        // A cycle is found from each of its members, and reported once.
        if known.insert(members.iter().copied().collect()) {
            work::add_steps(versions.len());
            let there = |other: &&DatedEntry<PositionId>| {
                members.contains(&other.what) && other.validity.contains(date)
            };
            let origins = versions.iter().filter(there).map(|other| other.origin);
            let latest = origins.max_by_key(|origin| origin.offset);
            found.push((latest.unwrap_or(version.origin), circle));
        }
    }

    found
}

/// The cycle in which the path upwards from a position ends on a day; none if the path ends or
/// joins an earlier path.
fn follow_cycle(
    organization: &Organization,
    (from, date): (PositionId, Date),
    followed: &mut HashSet<(Date, PositionId)>,
) -> Option<Vec<PositionId>> {
    let manager = |position| {
        let manager = organization.version_on(position, date)?.manager?;
        organization.version_on(manager, date).map(|_| manager)
    };

    let mut path = Vec::new();
    let mut places: HashMap<PositionId, usize> = HashMap::new();
    let mut current = Some(from);

    while let Some(position) = current {
        work::add_steps(1);
        if let Some(first) = places.get(&position) {
            return path.get(*first..).map(<[PositionId]>::to_vec);
        }

        if work::is_spent() || !followed.insert((date, position)) {
            return None;
        }

        places.insert(position, path.len());
        path.push(position);
        current = manager(position);
    }

    None
}

/// Positions that may be in a cycle on some day: what is left when those are taken out, again and
/// again, whose managers of all days are out, or that have none.
fn cycle_candidates(organization: &Organization) -> HashSet<PositionId> {
    let mut reports: HashMap<PositionId, Vec<PositionId>> = HashMap::new();
    let mut managers: HashMap<PositionId, usize> = HashMap::new();
    for (position, seat) in organization.positions() {
        let above = seat.versions.iter().filter_map(|version| version.manager);
        let above: BTreeSet<PositionId> = above.collect();
        work::add_steps(above.len());
        managers.insert(position, above.len());
        above.into_iter().for_each(|manager| reports.entry(manager).or_default().push(position));
    }

    let free = managers.iter().filter(|(_, count)| **count == 0).map(|(position, _)| *position);
    let mut out: Vec<PositionId> = free.collect();
    while let Some(position) = out.pop() {
        managers.remove(&position);
        for below in reports.remove(&position).into_iter().flatten() {
            work::add_steps(1);
            let count = managers.get_mut(&below);
            let last = count.is_some_and(|count| {
                *count = count.saturating_sub(1);
                *count == 0
            });
            if last {
                out.push(below);
            }
        }
    }

    managers.into_keys().collect()
}
