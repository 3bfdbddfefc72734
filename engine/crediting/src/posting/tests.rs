//! Goldens of DOMAIN 3.9, D11 and D14, derived by hand, and the laws over histories of changes.

mod moved;
mod noted;

use rust_decimal::Decimal;
use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{PostingRules, credit_of, laws, post_credits, rows_to_freeze, rows_to_keep};
use accredit_domain::calendar::{Calendar, LockedPeriods};
use accredit_domain::credit::posted::{CreditKind, CreditOrigin, PostedCredit};
use accredit_domain::credit::{CreditId, CreditStatus};

/// An active credit of the deal D1 to `rule`'s only recipient, as the pipeline would make it.
fn row(rule: &str, day: &str, amount: &str) -> PostedCredit {
    let mut row = PostedCredit {
        id: CreditId([0; 16]),
        transaction: "D1".into(),
        incentive_date: day.parse().unwrap(),
        plan: "reps".into(),
        rule: rule.into(),
        result: "Credit".into(),
        kind: CreditKind::Direct,
        position: Some("SR1".into()),
        payee: Some("sam".into()),
        team: None,
        relationship: None,
        via: None,
        level: None,
        source: None,
        share: Some(Decimal::ONE),
        period: day[..7].into(),
        credit_type: "credit".into(),
        unit_type: "USD".into(),
        amount: amount.parse().unwrap(),
        status: CreditStatus::Active,
        release_date: None,
        reason: None,
        reason_code: None,
        origin: CreditOrigin::Calculated,
        reverses: None,
        ruleset: "rs".into(),
    };
    row.id = row.entry_id(0);
    row
}

fn with_status(row: PostedCredit, status: &str) -> PostedCredit {
    PostedCredit { status: status.parse().unwrap(), ..row }
}

/// The books after some finalizations: what was frozen, and which periods were.
#[derive(Debug, Default)]
struct Books {
    frozen: Vec<PostedCredit>,
    locked: LockedPeriods,
}

/// Posts by a calendar of months, in a plan that does not let holds end in another year.
fn post(
    frozen: &[PostedCredit],
    current: Vec<PostedCredit>,
    locked: &LockedPeriods,
) -> Result<Vec<PostedCredit>, String> {
    let calendar = Calendar::default();
    let rules = PostingRules { calendar: &calendar, locked, across_years: &|_| false };
    post_credits(frozen, current, &rules)
}

impl Books {
    fn rows(&self, current: &[&PostedCredit]) -> Vec<PostedCredit> {
        let current = current.iter().copied().cloned().collect();
        post(&self.frozen, current, &self.locked).unwrap()
    }

    fn finalize(&mut self, leaf: &str, current: &[&PostedCredit]) {
        self.freeze(leaf, current);
        self.locked.closed.remove(leaf);
        self.locked.finalized.insert(leaf.into());
    }

    fn close(&mut self, leaf: &str, current: &[&PostedCredit]) {
        self.freeze(leaf, current);
        self.locked.closed.insert(leaf.into());
    }

    fn reopen(&mut self, leaf: &str) {
        self.locked.closed.remove(leaf);
        self.frozen = rows_to_keep(&self.frozen, &self.locked);
    }

    fn freeze(&mut self, leaf: &str, current: &[&PostedCredit]) {
        let rows = self.rows(current);
        self.frozen.extend(rows_to_freeze(&rows[self.frozen.len()..], leaf).cloned());
    }

    /// What stands, a line a row: period, amount, status, origin, and which row is reversed.
    fn check(&self, current: &[&PostedCredit], expected: &[&str]) {
        let rows = self.rows(current);
        let place = |id: &CreditId| rows.iter().position(|row| row.id == *id).unwrap();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| {
                let (period, amount) = (&row.period, &row.amount);
                let reverses = row.reverses.as_ref().map(|id| format!(" reverses {}", place(id)));
                let reverses = reverses.unwrap_or_default();
                format!("{period} {amount} {} {}{reverses}", row.status, row.origin)
            })
            .collect();
        assert_eq!(lines, expected);
        for row in &rows {
            let base =
                current.iter().copied().chain(&self.frozen).any(|it| it.id == credit_of(row));
            assert!(base, "{} leads to no credit", row.id);
        }
    }
}

#[test]
fn nothing_is_finalized_nothing_is_posted() {
    let current = row("a", "2022-01-12", "100.00");
    assert_eq!(Books::default().rows(&[&current]), [current]);
}

/// A manual credit and its reversal are frozen in different months, then both belong to another
/// payee. The reversal names the credit, as a correction names its former entry: taken for one, it
/// would count twice.
#[test]
fn a_frozen_reversal_of_a_manual_credit_is_corrected_like_any_entry() {
    let origin = CreditOrigin::Manual;
    let credit = PostedCredit { origin, ..row("", "2022-01-12", "50.00") };
    let (result, reverses) = ("Reversal".into(), Some(credit.id));
    let amount = Decimal::new(-5000, 2);
    let mut reversal = PostedCredit { result, reverses, amount, ..credit.clone() };
    reversal.id = reversal.entry_id(0);

    let mut books = Books::default();
    books.finalize("2022-01", &[&credit]);
    let frozen = "2022-01 50.00 active manual";
    books.check(&[&credit, &reversal], &[frozen, "2022-02 -50.00 active manual reverses 0"]);
    books.finalize("2022-02", &[&credit, &reversal]);
    let both = [frozen, "2022-02 -50.00 active manual reverses 0"];
    books.check(&[&credit, &reversal], &both);

    let payee = Some("bob".into());
    let (credit, reversal) = (PostedCredit { payee, ..credit }, PostedCredit { payee, ..reversal });
    let corrected = [
        both[0],
        both[1],
        "2022-03 -50.00 active retro reverses 0",
        "2022-03 50.00 active retro",
        "2022-03 50.00 active retro reverses 1",
        "2022-03 -50.00 active retro",
    ];
    books.check(&[&credit, &reversal], &corrected);
    books.finalize("2022-03", &[&credit, &reversal]);
    books.check(&[&credit, &reversal], &corrected);
}

/// DOMAIN 3.9: 100 in a finalized January becomes 92 while March is open.
#[test]
fn a_changed_amount_is_reversed_and_posted_anew_in_the_open_period() {
    let (before, after) = (row("a", "2022-01-12", "100.00"), row("a", "2022-01-12", "92.00"));
    let mut books = Books::default();
    for month in ["2022-01", "2022-02"] {
        books.finalize(month, &[&before]);
    }
    books.check(&[&before], &["2022-01 100.00 active calculated"]);
    let first = "2022-01 100.00 active calculated";
    let (back, again) = ("2022-03 -100.00 active retro reverses 0", "2022-03 92.00 active retro");
    books.check(&[&after], &[first, back, again]);
    let rows = books.rows(&[&after]);
    let ordinals = [0, 1, 2].map(|ordinal| before.entry_id(ordinal));
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), ordinals);
    // March is finalized too, then the deal becomes 90, and then 100 again.
    books.finalize("2022-03", &[&after]);
    books.check(&[&after], &[first, back, again]);
    let (back_2, third) = ("2022-04 -92.00 active retro reverses 2", "2022-04 90.00 active retro");
    books.check(&[&row("a", "2022-01-12", "90.00")], &[first, back, again, back_2, third]);
    let third = "2022-04 100.00 active retro";
    books.check(&[&before], &[first, back, again, back_2, third]);
}

/// DOMAIN 3.9: the date moves from a finalized January to February.
#[test]
fn a_moved_date_is_reversed_where_it_was_and_posted_where_it_is() {
    let (before, after) = (row("a", "2022-01-12", "100.00"), row("a", "2022-02-12", "100.00"));
    let mut books = Books::default();
    books.finalize("2022-01", &[&before]);
    let first = "2022-01 100.00 active calculated";
    books.check(
        &[&after],
        &[first, "2022-02 -100.00 active retro reverses 0", "2022-02 100.00 active retro"],
    );
    // To April: the reversal is dated in February, the new entry in April.
    let later = row("a", "2022-04-12", "100.00");
    let back = "2022-02 -100.00 active retro reverses 0";
    books.check(&[&later], &[first, back, "2022-04 100.00 active retro"]);
    // April is finalized before February: the reversal stays due, with its id.
    let id = books.rows(&[&later])[1].id;
    books.finalize("2022-04", &[&later]);
    books.check(&[&later], &[first, "2022-04 100.00 active retro", back]);
    assert_eq!(books.rows(&[&later])[2].id, id);
}

#[test]
fn what_is_gone_is_reversed_and_what_comes_late_is_late() {
    let (old, new) = (row("a", "2022-01-12", "100.00"), row("b", "2022-01-12", "7.00"));
    let mut books = Books::default();
    books.finalize("2022-01", &[&old]);
    books.check(
        &[&new],
        &[
            "2022-01 100.00 active calculated",
            "2022-02 -100.00 active retro reverses 0",
            "2022-02 7.00 active late",
        ],
    );
    let id = books.rows(&[&new])[2].id;
    assert_eq!(id, new.id);
}

/// D11, D14: a held credit is not frozen; it goes from open period to open period until it is
/// released, and is dated where it is then.
#[test]
fn a_held_credit_is_carried_until_it_is_released() {
    let active = row("a", "2022-01-12", "100.00");
    let held = with_status(active.clone(), "held");
    let mut books = Books::default();
    books.check(&[&held], &["2022-01 100.00 held calculated"]);
    books.finalize("2022-01", &[&held]);
    books.check(&[&held], &["2022-02 100.00 held late"]);
    books.finalize("2022-02", &[&held]);
    books.check(&[&held], &["2022-03 100.00 held late"]);
    books.check(&[&active], &["2022-03 100.00 active late"]);
    // Released while its own period is open, it stays there (D11).
    let mut books = Books::default();
    books.finalize("2022-01", &[&active]);
    books.check(&[&active], &["2022-01 100.00 active calculated"]);
    // Held again after that: taken back, and seen to wait.
    books.check(
        &[&held],
        &[
            "2022-01 100.00 active calculated",
            "2022-02 -100.00 active retro reverses 0",
            "2022-02 100.00 held retro",
        ],
    );
}

/// A suppressed duplicate is frozen as such; only when it comes alive is there anything to post.
#[test]
fn a_suppressed_credit_that_counts_now_is_a_new_entry() {
    let active = row("a", "2022-01-12", "100.00");
    let suppressed = with_status(active.clone(), "suppressed");
    let mut books = Books::default();
    books.finalize("2022-01", &[&suppressed]);
    let first = "2022-01 100.00 suppressed calculated";
    books.check(&[&suppressed], &[first]);
    books.check(&[&with_status(row("a", "2022-01-12", "3.00"), "void")], &[first]);
    books.check(&[&active], &[first, "2022-02 100.00 active retro"]);
    books.finalize("2022-02", &[&active]);
    let again = "2022-02 100.00 active retro";
    books.check(&[&suppressed], &[first, again, "2022-03 -100.00 active retro reverses 1"]);
}

#[test]
fn whatever_a_row_says_of_money_is_compared() {
    let before = row("a", "2022-01-12", "100.00");
    let mut books = Books::default();
    books.finalize("2022-01", &[&before]);
    let count = |change: &dyn Fn(&mut PostedCredit)| {
        let mut after = before.clone();
        change(&mut after);
        books.rows(&[&after]).len()
    };
    assert_eq!(count(&|row| row.payee = Some("pete".into())), 3);
    assert_eq!(count(&|row| row.payee = None), 3);
    assert_eq!(count(&|row| row.unit_type = "EUR".into()), 3);
    assert_eq!(count(&|row| row.credit_type = "overlay".into()), 3);
    assert_eq!(count(&|row| row.amount = Decimal::from(100)), 1);
    assert_eq!(count(&|row| row.incentive_date = date(2022, 1, 13)), 1);
    assert_eq!(count(&|row| row.reason_code = Some("Advance".into())), 1);
    assert_eq!(count(&|row| row.ruleset = "rs_2".into()), 1);
}

#[test]
fn a_calendar_that_ends_refuses_the_posting() {
    let leaves = LockedPeriods::of_finalized(["2199-12".into()].into());
    let current = vec![row("a", "2199-12-12", "1.00")];
    let refused = post(&[], current, &leaves).unwrap_err();
    assert!(refused.contains("no period is open from 2199-12-12 on"), "{refused}");
}

/// A deal of January with two credits moved to March: once February, where they were reversed, was
/// finalized too, the same rows stood in another order, and `verify` called them different.
#[test]
fn finalizing_the_earliest_open_period_moves_no_row() {
    let (a, b) = (row("a", "2022-01-12", "100.00"), row("b", "2022-01-12", "50.00"));
    let mut books = Books::default();
    books.finalize("2022-01", &[&a, &b]);

    let moved = [row("a", "2022-03-12", "100.00"), row("b", "2022-03-12", "50.00")];
    let moved = [&moved[0], &moved[1]];
    let before = books.rows(&moved);
    let periods: Vec<&str> = before.iter().map(|row| row.period.as_str()).collect();
    let months = ["2022-01", "2022-01", "2022-02", "2022-02", "2022-03", "2022-03"];
    assert_eq!(periods, months);

    for leaf in ["2022-02", "2022-03"] {
        books.finalize(leaf, &moved);
        assert_eq!(books.rows(&moved), before, "{leaf}");
    }
}

/// A closed month took whatever came late, so that what people had checked changed under them.
#[test]
fn a_closed_month_takes_nothing_and_takes_home_what_came_late() {
    let (before, after) = (row("a", "2022-01-12", "100.00"), row("a", "2022-01-12", "92.00"));
    let late = row("b", "2022-01-20", "50.00");
    let mut books = Books::default();
    books.close("2022-01", &[&before]);

    let corrected = [
        "2022-01 100.00 active calculated",
        "2022-02 -100.00 active retro reverses 0",
        "2022-02 92.00 active retro",
        "2022-02 50.00 active late",
    ];
    books.check(&[&after, &late], &corrected);

    let home = ["2022-01 92.00 active calculated", "2022-01 50.00 active calculated"];
    let mut reopened = Books { frozen: books.frozen.clone(), locked: books.locked.clone() };
    reopened.reopen("2022-01");
    reopened.check(&[&after, &late], &home);

    // What a finalized month takes back cannot go home.
    books.finalize("2022-02", &[&after, &late]);
    books.reopen("2022-01");
    books.check(&[&after, &late], &corrected);
}

/// A credit of December that was held without a date and released in January, after December was
/// finalized, was paid in the new year without a word.
#[test]
fn a_release_into_another_fiscal_year_is_held() {
    let held = with_status(row("a", "2022-12-12", "100.00"), "held");
    let released =
        PostedCredit { release_date: Some(date(2023, 1, 10)), ..row("a", "2022-12-12", "100.00") };

    let mut books = Books::default();
    books.check(&[&released], &["2022-12 100.00 active calculated"]);

    let mut paid = Books::default();
    paid.finalize("2022-12", &[&released]);
    paid.check(&[&released], &["2022-12 100.00 active calculated"]);

    books.finalize("2022-12", &[&held]);
    let rows = books.rows(&[&released]);
    books.check(&[&released], &["2023-01 100.00 held late"]);
    assert_eq!(rows[0].reason.as_deref(), Some("release_in_other_year"));
    assert_eq!(rows[0].release_date, None);

    let calendar = Calendar::default();
    let (locked, across_years) = (&books.locked, &|_: &PostedCredit| true);
    let rules = PostingRules { calendar: &calendar, locked, across_years };
    let allowed = post_credits(&[], vec![released.clone()], &rules).unwrap();
    assert!(allowed[0].is_active());

    // In its own year it counts, in whichever month it stands.
    let spring =
        PostedCredit { release_date: Some(date(2022, 3, 10)), ..row("a", "2022-02-12", "100.00") };
    let mut books = Books::default();
    books.finalize("2022-02", &[]);
    books.check(&[&spring], &["2022-03 100.00 active late"]);
}

#[test]
fn broken_books_are_refused() {
    let (a, b) = (row("a", "2022-01-12", "100.00"), row("b", "2022-01-12", "100.00"));
    let january = LockedPeriods::of_finalized(["2022-01".into()].into());
    let frozen = [a.clone()];
    let (clean, calendar) = (laws::counted_sums([&a]).unwrap(), Calendar::default());
    let rules = PostingRules { calendar: &calendar, locked: &january, across_years: &|_| false };
    let check = |rows: &[PostedCredit], expected: &str| {
        let broken = laws::check_posting(&clean, &frozen, rows, &rules).unwrap_err();
        assert!(broken.contains(expected), "{broken}");
    };
    check(&[], "finalized stays");
    check(&[row("a", "2022-01-12", "99.00")], "finalized stays");
    check(&[a.clone(), b.clone()], "finalized stays");
    let later = |row: &PostedCredit| PostedCredit { period: "2022-02".into(), ..row.clone() };
    check(&[a.clone(), later(&a)], "one id");
    check(&[a.clone(), later(&b)], "sums of a clean run");
    // A reversal that nothing explains.
    let origin = CreditOrigin::Retro;
    let stray = PostedCredit { reverses: Some(a.id), origin, ..later(&b) };
    let none = post(&[a.clone(), stray], vec![a.clone()], &january);
    assert!(none.unwrap_err().contains("sums of a clean run"));
}

const RULES: [&str; 3] = ["a", "b", "c"];

/// What a credit is at some moment: absent, or a month, an amount and a status.
type State = Option<(i8, u8, &'static str)>;

fn state() -> impl Strategy<Value = State> {
    let status = prop::sample::select(vec!["active", "active", "active", "held", "suppressed"]);
    prop::option::weighted(0.8, (1_i8..=5, 0_u8..4, status))
}

/// What happens to a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Close,
    Reopen,
    Finalize,
}

/// One thing that happens: the deal is decided anew, then something may happen to a month.
fn event() -> impl Strategy<Value = (Vec<State>, Option<(i8, Act)>)> {
    let act = prop::sample::select(vec![Act::Close, Act::Close, Act::Reopen, Act::Finalize]);
    (prop::collection::vec(state(), RULES.len()), prop::option::of((1_i8..=6, act)))
}

fn decided(states: &[State]) -> Vec<PostedCredit> {
    let rows = RULES.iter().zip(states);
    let made = rows.filter_map(|(rule, state)| {
        let (month, amount, status) = (*state)?;
        let day: Date = date(2022, month, 12);
        Some(with_status(row(rule, &day.to_string(), &format!("{amount}.50")), status))
    });
    made.collect()
}

proptest! {
    /// INV-R1 and INV-L1 over any history: after every event the sums are those of a clean run, rows
    /// of locked periods are as they were, and posting again changes nothing. Once every period is
    /// open again, every credit stands where it was decided.
    #[test]
    fn histories(events in prop::collection::vec(event(), 1..12)) {
        let mut books = Books::default();
        let mut seen: BTreeMap<String, Vec<PostedCredit>> = BTreeMap::new();
        for (states, month) in events {
            let decided = decided(&states);
            let current: Vec<&PostedCredit> = decided.iter().collect();
            let rows = books.rows(&current);
            prop_assert_eq!(laws::counted_sums(&rows), laws::counted_sums(&decided));
            prop_assert_eq!(&rows, &books.rows(&current));
            for (period, then) in &seen {
                let now: Vec<_> = rows.iter().filter(|row| row.period == *period).cloned().collect();
                prop_assert_eq!(&now, then, "{} changed", period);
            }
            let held = |rows: &[PostedCredit]| rows.iter().filter(|row| row.is_held()).count();
            prop_assert_eq!(held(&rows), held(&decided));

            let Some((month, act)) = month else { continue };
            let leaf = format!("2022-{month:02}");
            let is_final = books.locked.finalized.contains(leaf.as_str());
            let is_closed = books.locked.closed.contains(leaf.as_str());
            match (act, is_final, is_closed) {
                (_, true, _) | (Act::Close, _, true) | (Act::Reopen, _, false) => continue,
                (Act::Close, ..) => books.close(&leaf, &current),
                (Act::Finalize, ..) => books.finalize(&leaf, &current),
                (Act::Reopen, ..) => books.reopen(&leaf),
            }

            let now = books.rows(&current);
            seen.remove(&leaf);
            if books.locked.contains(&leaf) {
                let rows = now.iter().filter(|row| row.period == leaf).cloned().collect();
                seen.insert(leaf, rows);
            }
            if books.locked.is_empty() {
                prop_assert_eq!(&now, &decided);
            }
        }
    }
}
