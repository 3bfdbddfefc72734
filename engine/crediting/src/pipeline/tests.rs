//! Amounts set by hand: what indirect credits see of them, and that a reset leaves nothing.

mod by_hand;
mod cells;
mod held;
mod kept;
mod limits;
mod people;
mod rolled;

use std::collections::BTreeSet;

use proptest::prelude::*;

use rust_decimal::Decimal;

use super::*;
use crate::stage::adjust::{Adjustment, AdjustmentTarget, AmountChange};
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::transaction::{Cell, Decoder, Record};
use accredit_workspace::{Files, Ruleset};

const SETTINGS: &str = "reason_codes = [\"Manual Override\"]\n[workspace]\nname = \"Small\"\n\
    [fields]\nid = \"id\"\ndate = \"date\"\namount = \"amount\"\nowner = \"owner\"\n";

const PEOPLE: &str = "id,title,manager\nann,Rep,max\nbob,Rep,max\nmax,Manager,\n";

const PLAN: &str = r#"
name = "Reps"
targets = ["title:Rep"]
split = "equal"
[[direct]]
name = "Booking"
[[direct.results]]
name = "Booking credit"
rollable = true
maximum = "80"
[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#;

fn ruleset() -> Ruleset {
    ruleset_of(PLAN)
}

fn ruleset_of(plan: &str) -> Ruleset {
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", SETTINGS),
        file("organization/participants.csv", PEOPLE),
        file("plans/reps.toml", plan),
    ]);
    Ruleset::read(&files, &BTreeSet::new()).0.unwrap()
}

fn decide(amount: &str, adjustments: &[Adjustment]) -> Vec<PostedCredit> {
    let adjustments = adjustments.to_vec();
    decide_with(amount, &DecisionInputs { adjustments, ..DecisionInputs::default() })
}

fn decide_with(amount: &str, inputs: &DecisionInputs) -> Vec<PostedCredit> {
    let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
    let cells = vec![
        cell("id", "D1"),
        cell("date", "2026-03-15"),
        cell("amount", amount),
        cell("owner", "ann;bob"),
    ];
    let ruleset = ruleset();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&Record { cells }));
    let mut machine = Machine::new(&ruleset.programs);
    let decided = super::decide_all_plans(&ruleset, &deal, inputs, &mut machine);
    decided.into_iter().flat_map(|decision| decision.credits).collect()
}

fn amounts(rows: &[PostedCredit]) -> Vec<(&str, String, &str)> {
    let who = |row: &'_ PostedCredit| row.position.unwrap_or_default();
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| (row.kind, who(row)));
    rows.iter()
        .map(|row| (row.kind.as_str(), row.amount.to_string(), row.origin.as_str()))
        .collect()
}

fn owned<const N: usize>(
    rows: [(&'static str, &str, &'static str); N],
) -> Vec<(&'static str, String, &'static str)> {
    rows.map(|(kind, amount, origin)| (kind, amount.to_owned(), origin)).to_vec()
}

fn of_credit(row: &PostedCredit, change: AmountChange) -> Adjustment {
    let target = AdjustmentTarget::Credit(row.id);
    Adjustment { target, change, reason_code: Some(Arc::from("Manual Override")) }
}

fn of_deal(change: AmountChange) -> Adjustment {
    Adjustment { target: AdjustmentTarget::Transaction(Arc::from("D1")), change, reason_code: None }
}

/// 100 split equally is 50 each, and max gets 50 of each. Ann gets 60.006 by hand, which is 60.01 in
/// dollars; max sees the new amount.
#[test]
fn an_adjusted_credit_rolls_as_it_is_now() {
    let plain = decide("100", &[]);
    let expected = [
        ("direct", "50.00", "calculated"),
        ("direct", "50.00", "calculated"),
        ("indirect", "50.00", "calculated"),
        ("indirect", "50.00", "calculated"),
    ];
    assert_eq!(amounts(&plain), owned(expected));
    let to = of_credit(&plain[0], AmountChange::To(Decimal::new(60_006, 3)));
    let adjusted = decide("100", &[to]);
    let expected = [
        ("direct", "60.01", "manual"),
        ("direct", "50.00", "calculated"),
        ("indirect", "60.01", "calculated"),
        ("indirect", "50.00", "calculated"),
    ];
    assert_eq!(amounts(&adjusted), owned(expected));
    assert_eq!(adjusted[0].reason_code.as_deref(), Some("Manual Override"));
    let ids = |rows: &[PostedCredit]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&adjusted), ids(&plain), "an adjustment renamed a credit");
    // This is after the maximum of 80: a manual amount is not capped.
    let by = of_credit(&plain[1], AmountChange::By(Decimal::from(50)));
    assert_eq!(decide("100", &[by])[1].amount, Decimal::from(100));
}

/// A deal of 100 that is 40 by hand is 20 each; one whose amount cannot be read can be set, and not
/// raised.
#[test]
fn an_adjusted_deal_is_worth_that_everywhere() {
    let to = of_deal(AmountChange::To(Decimal::from(40)));
    let rows = decide("100", std::slice::from_ref(&to));
    assert_eq!(rows.iter().map(|row| row.amount.to_string()).collect::<Vec<_>>(), ["20.00"; 4]);
    assert_eq!(rows[0].origin, CreditOrigin::Calculated);
    assert_eq!(decide("much", &[to]).len(), 4);
    assert_eq!(decide("much", &[of_deal(AmountChange::By(Decimal::ONE))]), []);
    let both = [
        of_deal(AmountChange::By(Decimal::from(20))),
        of_deal(AmountChange::By(Decimal::from(40))),
    ];
    assert_eq!(decide("100", &both)[0].amount, Decimal::from(70), "adjustments were added up");
}

proptest! {
    /// Adjust, then reset, is never adjusted; and adjusting twice is adjusting once.
    #[test]
    fn a_reset_leaves_nothing(
        amount in 0_i64..200,
        steps in prop::collection::vec((0_usize..5, any::<bool>(), -500_i64..500), 0..8),
    ) {
        let amount = amount.to_string();
        let plain = decide(&amount, &[]);
        let adjustment = |(index, to, cents): &(usize, bool, i64)| {
            let cents = Decimal::new(*cents, 2);
            let change = if *to { AmountChange::To(cents) } else { AmountChange::By(cents) };
            plain.get(*index).map_or_else(|| of_deal(change), |row| of_credit(row, change))
        };
        let mut adjustments: Vec<Adjustment> = steps.iter().map(adjustment).collect();
        let once = decide(&amount, &adjustments);
        let twice: Vec<_> = adjustments.iter().chain(&adjustments).cloned().collect();
        prop_assert_eq!(&decide(&amount, &twice), &once);
        let resets: Vec<Adjustment> = adjustments
            .iter()
            .map(|one| Adjustment { change: AmountChange::Reset, ..one.clone() })
            .collect();
        adjustments.extend(resets);
        prop_assert_eq!(decide(&amount, &adjustments), plain);
    }
}
