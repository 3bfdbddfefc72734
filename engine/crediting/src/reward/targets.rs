//! Who is among some targets on the days of a period.
//!
//! Not what the targets are for. Called by claims, quotas and draws. Source: REWARDS sections 3, 4.
//!
//! **Architecture invariant:** a person counts once a day, however many positions make them a
//! target.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use accredit_domain::calendar::Period;
use accredit_domain::organization::{Organization, ParticipantId, PositionId, Recipient, TeamId};
use accredit_domain::plan::{Selector, selects_recipient};

/// The people and teams that are targets on some day of a period.
#[derive(Debug, Default)]
pub(super) struct TargetDays {
    people: BTreeMap<ParticipantId, TargetPerson>,
    teams: BTreeSet<TeamId>,
}

/// A person who is a target.
#[derive(Debug, Default)]
struct TargetPerson {
    /// The positions that make the person a target, each with the first day on which it does so
    /// under each of its titles.
    seats: Vec<(PositionId, Date)>,
    /// Days on which the person is a target, as ranges from a day until before another.
    ranges: Vec<(Date, Date)>,
}

impl TargetDays {
    /// The targets among all positions and teams on the days of `period`.
    pub(super) fn find(
        organization: &Organization,
        selectors: &[Selector],
        period: &Period,
    ) -> TargetDays {
        let mut found = TargetDays::default();
        // Members of a team come and go on any day, and no list of change days knows them.
        let by_team = selectors.iter().any(|selector| matches!(selector, Selector::Team(_)));

        for (position, _) in organization.positions() {
            let days = match by_team {
                true => days_of(period).collect(),
                false => organization.change_days(position, period),
            };

            let ends = days.iter().skip(1).copied().chain([period.end]);
            for (first, end) in days.iter().copied().zip(ends) {
                let Some(holder) = organization.holder_on(position, first) else { continue };
                let recipient = Recipient::Position(position);
                let title_on = |day| organization.version_on(position, day).map(|it| &it.title);
                let title = title_on(first);
                if title.is_none() || !selects_recipient(selectors, organization, recipient, first)
                {
                    continue;
                }

                let person = found.people.entry(holder).or_default();
                person.ranges.push((first, end));
                let is_same =
                    |(seat, day): &(_, Date)| *seat == position && title_on(*day) == title;
                if !person.seats.iter().any(is_same) {
                    person.seats.push((position, first));
                }
            }
        }

        for (team, _) in organization.teams.iter() {
            let is_target = |day: Date| {
                let exists = organization.teams.version_on(team, day).is_some();
                exists && selects_recipient(selectors, organization, Recipient::Team(team), day)
            };
            if days_of(period).any(is_target) {
                found.teams.insert(team);
            }
        }

        found
    }

    /// The people, each with the positions that make them targets.
    pub(super) fn people(&self) -> impl Iterator<Item = (ParticipantId, &[(PositionId, Date)])> {
        self.people.iter().map(|(id, person)| (*id, person.seats.as_slice()))
    }

    /// The teams.
    pub(super) fn teams(&self) -> impl Iterator<Item = TeamId> {
        self.teams.iter().copied()
    }

    /// Whether a person is a target on any day.
    pub(super) fn has_person(&self, person: ParticipantId) -> bool {
        self.people.contains_key(&person)
    }

    /// Whether a team is a target on any day.
    pub(super) fn has_team(&self, team: TeamId) -> bool {
        self.teams.contains(&team)
    }

    /// On how many days a person is a target.
    pub(super) fn days_of(&self, person: ParticipantId) -> u32 {
        let Some(person) = self.people.get(&person) else { return 0 };
        let mut ranges = person.ranges.clone();
        ranges.sort();

        let mut days = 0;
        let mut counted: Option<Date> = None;
        for (first, end) in ranges {
            // Two positions held on one day are one day.
            let first = counted.map_or(first, |counted| first.max(counted));
            days += days_between(first, end);
            counted = Some(counted.map_or(end, |counted| end.max(counted)));
        }
        days
    }
}

/// The days of a period, in order.
fn days_of(period: &Period) -> impl Iterator<Item = Date> {
    let end = period.end;
    let days = std::iter::successors(Some(period.first), |day| day.tomorrow().ok());
    days.take_while(move |day| *day < end)
}

/// The number of days from `first` until before `end`; 0 where `end` is not later.
pub(super) fn days_between(first: Date, end: Date) -> u32 {
    let days = first.until(end).map(|span| span.get_days()).unwrap_or_default();
    u32::try_from(days).unwrap_or_default()
}
