//! The day on which rewards read entries of a deal that moved.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::rewarded_entries;
use super::*;
use accredit_workspace::{Files, Ruleset};

/// The days on which rewards read entries of `reps` and `late`, whose deal is of 20 January now.
fn rewarded_days(rows: &[&PostedCredit]) -> Vec<String> {
    let plan = |more: &str| {
        format!(
            "name = \"Reps\"\n{more}[[direct]]\nname = \"Booking\"\n[[direct.results]]\nname = \"Credit\"\n"
        )
    };
    let settings = "[workspace]\nname = \"Small\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
        amount = \"amount\"\nowner = \"owner\"\n";
    let files = [
        ("accredit.toml", settings.to_owned()),
        ("organization/participants.csv", "id,title\nsam,Rep\n".to_owned()),
        ("plans/reps.toml", plan("")),
        ("plans/late.toml", plan("late = \"posted\"\n")),
    ];
    let files: Files = files.map(|(path, text)| (path.to_owned(), Arc::from(text))).into();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));

    let rows = rows.iter().map(|row| (*row).clone()).collect();
    let rewarded = rewarded_entries(rows, Some(date(2026, 1, 20)), &ruleset);
    rewarded.iter().map(|row| format!("{} {}", row.amount, row.incentive_date)).collect()
}

/// A deal that moves within its own month posts nothing, and its entry counts on the new day: whose
/// team it is in is asked on that day. An entry that was taken back and what takes it back stay on
/// the day of then, or they would no longer cancel out for each team.
#[test]
fn an_entry_of_a_moved_deal_counts_on_the_day_that_the_deal_has_now() {
    let stands = row("a", "2026-01-10", "92.00");
    assert_eq!(rewarded_days(&[&stands]), ["92.00 2026-01-20"]);

    let former = row("b", "2026-01-10", "100.00");
    let (origin, reverses) = (CreditOrigin::Retro, Some(former.id));
    let back = PostedCredit { origin, reverses, ..row("b", "2026-01-10", "-100.00") };
    let days = rewarded_days(&[&former, &back, &stands]);
    assert_eq!(days, ["100.00 2026-01-10", "-100.00 2026-01-10", "92.00 2026-01-20"]);

    let held = with_status(row("c", "2026-01-10", "5.00"), "held");
    let elsewhere = row("d", "2026-02-10", "7.00");
    let by_posting = PostedCredit { plan: "late".into(), ..row("e", "2026-01-10", "8.00") };
    let days = rewarded_days(&[&held, &elsewhere, &by_posting]);
    assert_eq!(days, ["7.00 2026-02-10", "8.00 2026-01-10"]);
}
