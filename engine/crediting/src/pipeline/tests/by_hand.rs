//! Credits by hand: what rolls from them, and what takes them back.

use super::*;
use accredit_domain::keys::DefinedName;
use accredit_domain::transaction::{CreditAct, ManualCredit};

/// The credits of 7 that ann was given by hand, and that were taken back on another day if `is_reversed`.
fn given(is_reversed: bool) -> Vec<PostedCredit> {
    let act = |date: &str| CreditAct {
        date: date.parse().unwrap(),
        who: "root".to_owned(),
        reason_code: DefinedName::from("Manual Override"),
        comment: None,
    };
    let credit = ManualCredit {
        key: "manual:1".into(),
        plan: "reps".into(),
        incentive_date: "2026-03-15".parse().unwrap(),
        position: "ann".into(),
        payee: None,
        credit_type: "credit".into(),
        unit_type: "USD".into(),
        amount: Decimal::from(7),
        rolls_up: true,
        given: act("2026-03-20"),
        reversed: is_reversed.then(|| act("2026-03-21")),
    };

    let ruleset = ruleset();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&credit.to_record().unwrap()));
    let mut machine = Machine::new(&ruleset.programs);
    let inputs = DecisionInputs::default();
    let decided = super::super::decide_all_plans(&ruleset, &deal, &inputs, &mut machine);
    decided.into_iter().flat_map(|decision| decision.credits).collect()
}

/// An entry that takes back what a manager was credited could name the source of that credit as its
/// own: nobody could follow it to the act that took it back.
#[test]
fn what_takes_a_credit_back_rolls_from_what_takes_its_source_back() {
    let before = given(false);
    let [own, rolled] = &before[..] else { panic!("{before:?}") };
    assert_eq!((own.source, rolled.source), (None, Some(own.id)));

    let after = given(true);
    let [first, second, own_back, rolled_back] = &after[..] else { panic!("{after:?}") };
    assert_eq!((first.id, second.id), (own.id, rolled.id), "what was given stays");
    assert_eq!((own_back.reverses, own_back.source), (Some(own.id), None));
    assert_eq!((rolled_back.reverses, rolled_back.source), (Some(rolled.id), Some(own_back.id)));
    let amounts = after.iter().map(|row| row.amount.to_string()).collect::<Vec<_>>();
    assert_eq!(amounts, ["7.00", "7.00", "-7.00", "-7.00"]);
}
