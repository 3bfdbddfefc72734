//! Calendars of every kind. Expectations come from DOMAIN 2.11 and 3.7 and from counting weeks by
//! hand.

use crate::keys::PeriodKey;
use jiff::civil::{Date, date};

use super::{
    Calendar, HoldLength, ListedPeriod, LockedPeriods, Period, PeriodKind, PeriodList, PeriodPhase,
    Validity,
};

#[test]
fn holds_of_domain_3_7() {
    let from = date(2022, 1, 12);
    let check =
        |length: HoldLength, expected: Date| assert_eq!(length.date_after(from), Some(expected));
    check(HoldLength::Days(30), date(2022, 2, 11));
    check(HoldLength::Months(1), date(2022, 2, 12));
    check(HoldLength::Months(3), date(2022, 4, 12));
    check(HoldLength::Months(12), date(2023, 1, 12));
    assert_eq!(HoldLength::Months(1).date_after(date(2022, 1, 31)), Some(date(2022, 2, 28)));
    let next = Calendar::default().next_period_start(from, PeriodKind::Quarter);
    assert_eq!(next, Some(date(2022, 4, 1)));
}

#[test]
fn periods_and_their_ids() {
    let check = |starts, day: Date, kind, id: &str, first: Date, end: Date| {
        let calendar = Calendar::of_months(starts);
        let period = calendar.period_on(day, kind).unwrap();
        assert_eq!((period.id.as_str(), period.first, period.end), (id, first, end));
        assert_eq!(calendar.find(id), Some(period));
    };
    use PeriodKind::{Leaf, Quarter, Year};
    let day = date(2017, 3, 31);
    check(1, day, Leaf, "2017-03", date(2017, 3, 1), date(2017, 4, 1));
    check(1, day, Quarter, "2017-Q1", date(2017, 1, 1), date(2017, 4, 1));
    check(1, day, Year, "2017", date(2017, 1, 1), date(2018, 1, 1));
    check(4, day, Quarter, "2017-Q4", date(2017, 1, 1), date(2017, 4, 1));
    check(4, day, Year, "2017", date(2016, 4, 1), date(2017, 4, 1));
    check(4, date(2017, 4, 1), Quarter, "2018-Q1", date(2017, 4, 1), date(2017, 7, 1));
    check(2, date(2017, 1, 31), Quarter, "2017-Q4", date(2016, 11, 1), date(2017, 2, 1));
    check(12, date(2017, 12, 5), Year, "2018", date(2017, 12, 1), date(2018, 12, 1));
    for wrong in ["2017-13", "2017-Q5", "17", "2017-3", "x", "", "2017-P03"] {
        assert_eq!(Calendar::default().find(wrong), None, "{wrong}");
    }
}

/// INV-L2: every day of forty years is in exactly the period that names it.
#[test]
fn leaf_periods_neither_overlap_nor_leave_gaps() {
    for year_starts in 1..=12 {
        let calendar = Calendar::of_months(year_starts);
        let mut day = date(2000, 1, 1);
        for kind in [PeriodKind::Leaf, PeriodKind::Quarter, PeriodKind::Year] {
            while day < date(2040, 1, 1) {
                let period = calendar.period_on(day, kind).unwrap();
                assert!(period.contains(day));
                let after = calendar.period_on(period.end, kind).unwrap();
                assert_eq!(after.first, period.end);
                day = period.end;
            }
            day = date(2000, 1, 1);
        }
    }
}

#[test]
fn validity_is_half_open_inside_and_inclusive_outside() {
    let june = Validity::from_inclusive(Some(date(2022, 6, 1)), Some(date(2022, 6, 30)));
    assert!(june.contains(date(2022, 6, 30)) && !june.contains(date(2022, 7, 1)));
    let july = Validity::from_inclusive(Some(date(2022, 7, 1)), None);
    assert!(!june.overlaps(&july) && june.overlaps(&Validity::default()));
}

fn weeks(weeks: [i64; 3], years: &[(&str, Date)]) -> Calendar {
    let years: Vec<(String, Date)> =
        years.iter().map(|(name, first)| ((*name).to_owned(), *first)).collect();
    Calendar::of_periods(PeriodList::from_weeks(weeks, &years).unwrap())
}

/// Three retail years; the second has 53 weeks.
fn retail(pattern: [i64; 3]) -> Calendar {
    let years =
        [("2022", date(2022, 1, 30)), ("2023", date(2023, 1, 29)), ("2024", date(2024, 2, 4))];
    weeks(pattern, &years)
}

#[test]
fn weeks_by_hand() {
    let check = |pattern, id: &str, first: Date, end: Date| {
        let calendar = retail(pattern);
        let period = Period { id: id.into(), first, end };
        assert_eq!(calendar.find(id), Some(period), "{id}");
        let kinds = [PeriodKind::Leaf, PeriodKind::Quarter, PeriodKind::Year];
        let holds =
            |day| kinds.into_iter().any(|kind| calendar.period_on(day, kind) == Some(period));
        assert!(holds(first) && holds(end.yesterday().unwrap()) && !holds(end), "{id}");
    };
    check([4, 4, 5], "2022-P01", date(2022, 1, 30), date(2022, 2, 27));
    check([4, 4, 5], "2022-P03", date(2022, 3, 27), date(2022, 5, 1));
    check([4, 5, 4], "2022-P02", date(2022, 2, 27), date(2022, 4, 3));
    check([5, 4, 4], "2022-P01", date(2022, 1, 30), date(2022, 3, 6));
    check([4, 4, 5], "2022-Q1", date(2022, 1, 30), date(2022, 5, 1));
    check([4, 4, 5], "2022-P12", date(2022, 12, 25), date(2023, 1, 29));
    check([4, 4, 5], "2022", date(2022, 1, 30), date(2023, 1, 29));
    // The 53rd week belongs to P12, Q4 and the year.
    check([4, 4, 5], "2023-P12", date(2023, 12, 24), date(2024, 2, 4));
    check([4, 5, 4], "2023-P12", date(2023, 12, 31), date(2024, 2, 4));
    check([4, 4, 5], "2023-Q4", date(2023, 10, 29), date(2024, 2, 4));
    check([4, 4, 5], "2023", date(2023, 1, 29), date(2024, 2, 4));
    // The last year has 52 weeks.
    check([4, 4, 5], "2024", date(2024, 2, 4), date(2025, 2, 2));
}

/// INV-L2: every day of the list is in exactly the leaf that names it, and none outside is.
#[test]
fn weeks_neither_overlap_nor_leave_gaps() {
    for pattern in [[4, 4, 5], [4, 5, 4], [5, 4, 4]] {
        let calendar = retail(pattern);
        let all =
            Period { id: PeriodKey::default(), first: date(2022, 1, 30), end: date(2025, 2, 2) };
        let leaves = calendar.leaf_periods(&all);
        assert_eq!(leaves.len(), 36);
        assert_eq!((leaves[0].first, leaves[35].end), (all.first, all.end));
        assert!(leaves.windows(2).all(|pair| pair[0].end == pair[1].first));
        let lengths = leaves.iter().map(|leaf| (leaf.end - leaf.first).get_days());
        let odd: Vec<i32> = lengths.filter(|days| *days != 28 && *days != 35).collect();
        assert_eq!(odd, if pattern[2] == 5 { vec![42] } else { vec![] });
        for day in [date(2022, 1, 29), date(2025, 2, 2)] {
            assert_eq!(calendar.period_on(day, PeriodKind::Leaf), None);
        }
        let quarter = calendar.find("2023-Q4").unwrap();
        let ids: Vec<String> =
            calendar.leaf_periods(&quarter).into_iter().map(|leaf| leaf.id.into()).collect();
        assert_eq!(ids, ["2023-P10", "2023-P11", "2023-P12"]);
        assert_eq!(
            calendar.next_period_start(date(2022, 2, 1), PeriodKind::Quarter),
            Some(date(2022, 5, 1))
        );
    }
}

#[test]
fn years_that_are_no_years_of_weeks() {
    let check = |years: &[(&str, Date)], row: usize| {
        let years: Vec<(String, Date)> =
            years.iter().map(|(name, first)| ((*name).to_owned(), *first)).collect();
        assert_eq!(PeriodList::from_weeks([4, 4, 5], &years).unwrap_err().row, row);
    };
    check(&[("2022", date(2022, 1, 30)), ("2023", date(2023, 1, 30))], 0);
    check(&[("2022", date(2022, 1, 30)), ("2023", date(2022, 1, 30))], 0);
    check(
        &[("2022", date(2022, 1, 30)), ("2023", date(2023, 1, 29)), ("2024", date(2024, 1, 1))],
        1,
    );
    check(&[("9999", date(9999, 12, 1))], 0);
}

#[test]
fn a_tree_of_periods() {
    let row = |id: &str, parent: &str, days: Option<(Date, Date)>| {
        let parent = Some(parent.to_owned()).filter(|parent| !parent.is_empty());
        let days = Validity { from: days.map(|days| days.0), until: days.map(|days| days.1) };
        ListedPeriod { id: id.to_owned(), parent, days }
    };
    let rows = [
        row("late", "year", Some((date(2022, 7, 1), date(2023, 1, 1)))),
        row("year", "", None),
        row("early", "half", Some((date(2022, 1, 1), date(2022, 7, 1)))),
        row("half", "year", Some((date(2022, 1, 1), date(2022, 7, 1)))),
    ];
    let calendar = Calendar::of_periods(PeriodList::from_tree_rows(&rows).unwrap());
    let id = |day, kind| calendar.period_on(day, kind).map(|period| period.id);
    let kinds = [PeriodKind::Leaf, PeriodKind::Quarter, PeriodKind::Year];
    let ids = |day| kinds.map(|kind| id(day, kind).unwrap());
    assert_eq!(ids(date(2022, 6, 30)), ["early", "half", "year"]);
    assert_eq!(ids(date(2022, 7, 1)), ["late", "year", "year"]);
    assert_eq!(
        calendar.next_period_start(date(2022, 6, 30), PeriodKind::Quarter),
        Some(date(2022, 7, 1))
    );
    assert_eq!(calendar.find("year").unwrap().end, date(2023, 1, 1));
    assert_eq!(calendar.leaf_periods(&calendar.find("year").unwrap()).len(), 2);
}

#[test]
fn states_of_a_period() {
    let calendar = Calendar::default();
    let january = calendar.find("2022-01").unwrap();
    let calendar = calendar.with_finalized(&january, date(2022, 3, 4));
    let check = |id: &str, day, state| {
        assert_eq!(calendar.period_phase(&calendar.find(id).unwrap(), day), state, "{id} on {day}");
    };
    check("2022-01", date(2021, 12, 31), PeriodPhase::Future);
    check("2022-01", date(2022, 1, 1), PeriodPhase::Open);
    check("2022-01", date(2022, 1, 31), PeriodPhase::Open);
    check("2022-01", date(2022, 2, 1), PeriodPhase::Ended);
    check("2022-01", date(2022, 3, 4), PeriodPhase::Ended);
    check("2022-01", date(2022, 3, 5), PeriodPhase::Finalized);
    check("2022-Q1", date(2022, 4, 1), PeriodPhase::Ended);
    let quarter = calendar.find("2022-Q1").unwrap();
    let all = calendar.clone().with_finalized(&quarter, date(2022, 4, 8));
    assert_eq!(all.period_phase(&quarter, date(2022, 4, 8)), PeriodPhase::Ended);
    assert_eq!(all.period_phase(&quarter, date(2022, 4, 9)), PeriodPhase::Finalized);
    // January keeps its earlier day; on one day the earlier period comes first.
    let days: Vec<_> =
        all.finalizations_before(None).into_iter().map(|(day, p)| (day, p.id)).collect();
    let april = date(2022, 4, 8);
    let expected = [(date(2022, 3, 4), "2022-01"), (april, "2022-02"), (april, "2022-03")];
    assert_eq!(days, expected.map(|(day, id)| (day, PeriodKey::from(id))));
    assert_eq!(all.finalizations_before(Some(april)).len(), 1);
}

/// The periods of a kind that are a part of a longer one; a shorter one is no whole period.
#[test]
fn periods_of_a_kind_within_another() {
    let calendar = Calendar::default();
    let within = |asked: &str, kind| -> Vec<String> {
        let asked = calendar.find(asked).unwrap();
        calendar.periods_within(&asked, kind).into_iter().map(|period| period.id.into()).collect()
    };
    assert_eq!(within("2026-Q1", PeriodKind::Leaf), ["2026-01", "2026-02", "2026-03"]);
    assert_eq!(within("2026", PeriodKind::Quarter), ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]);
    assert_eq!(within("2026-Q1", PeriodKind::Quarter), ["2026-Q1"]);
    assert!(within("2026-01", PeriodKind::Quarter).is_empty());
    assert!(within("2026-03", PeriodKind::Year).is_empty());
}

/// A period that is closed and finalized takes no entries from the earlier of both days on.
#[test]
fn closed_and_finalized_days() {
    let calendar = Calendar::default();
    let [january, february] = ["2026-01", "2026-02"].map(|id| calendar.find(id).unwrap());
    let calendar = calendar
        .with_closed(&january, date(2026, 2, 5))
        .with_closed(&february, date(2026, 3, 5))
        .with_finalized(&january, date(2026, 2, 20));

    let locked = |day| calendar.locked_before(Some(day));
    assert_eq!(locked(date(2026, 2, 5)), LockedPeriods::default());
    assert_eq!(locked(date(2026, 2, 6)).closed, ["2026-01".into()].into());
    assert_eq!(locked(date(2026, 2, 21)).finalized, ["2026-01".into()].into());
    assert_eq!(locked(date(2026, 3, 6)).closed, ["2026-02".into()].into());

    // A quarter is closed once each of its months is closed or finalized.
    let phase = |id: &str, day| calendar.period_phase(&calendar.find(id).unwrap(), day);
    assert_eq!(phase("2026-02", date(2026, 3, 5)), PeriodPhase::Ended);
    assert_eq!(phase("2026-02", date(2026, 3, 6)), PeriodPhase::Closed);
    assert_eq!(phase("2026-01", date(2026, 2, 6)), PeriodPhase::Closed);
    assert_eq!(phase("2026-01", date(2026, 2, 21)), PeriodPhase::Finalized);
    assert_eq!(phase("2026-Q1", date(2026, 4, 1)), PeriodPhase::Ended);
    let march = calendar.find("2026-03").unwrap();
    let quarter = calendar.clone().with_closed(&march, date(2026, 4, 5));
    let whole = quarter.find("2026-Q1").unwrap();
    assert_eq!(quarter.period_phase(&whole, date(2026, 4, 6)), PeriodPhase::Closed);

    let locks = calendar.locks_before(None).into_iter().map(|(day, leaf)| (day, leaf.id));
    let expected = [(date(2026, 2, 5), "2026-01"), (date(2026, 3, 5), "2026-02")];
    assert_eq!(locks.collect::<Vec<_>>(), expected.map(|(day, id)| (day, PeriodKey::from(id))));
}

#[test]
fn the_earliest_open_period() {
    let calendar = retail([4, 4, 5]);
    let locked = LockedPeriods {
        finalized: ["2022-P01", "2022-P12"].map(PeriodKey::from).into(),
        closed: ["2022-P02"].map(PeriodKey::from).into(),
    };
    let open = |day| calendar.open_from(day, &locked).map(|period| period.id);
    assert_eq!(open(date(2022, 1, 30)).unwrap(), "2022-P03");
    assert_eq!(open(date(2022, 12, 25)).unwrap(), "2023-P01");
    assert_eq!(open(date(2022, 5, 1)).unwrap(), "2022-P04");
    assert_eq!(open(date(2022, 1, 1)), None);
}
