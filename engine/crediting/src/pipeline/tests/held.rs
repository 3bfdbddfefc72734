//! Holds and releases by hand: the last word counts, and what is not held is not released.

use super::*;
use crate::stage::CreditResolution;
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::HoldAction;

/// What becomes of ann's credit of 50 after these acts, on the first, the second and so on of April.
fn resolved(credit: CreditId, actions: &[HoldAction]) -> PostedCredit {
    let resolutions = (1..).zip(actions).map(|(day, action)| CreditResolution {
        credit,
        action: *action,
        date: jiff::civil::date(2026, 4, day),
        reason: "asked".to_owned(),
    });
    let resolutions = resolutions.collect();
    let inputs = DecisionInputs { resolutions, ..DecisionInputs::default() };
    let rows = decide_with("100", &inputs);
    rows.into_iter().find(|row| row.id == credit).unwrap()
}

/// A release of a credit that waits for nothing gave it a date of release.
#[test]
fn the_last_word_about_a_hold_counts() {
    let plain = decide("100", &[]).remove(0);
    assert_eq!((plain.status, plain.release_date), (CreditStatus::Active, None));
    assert_eq!(resolved(plain.id, &[HoldAction::Release]), plain, "it was not held");

    let held = resolved(plain.id, &[HoldAction::Release, HoldAction::Hold]);
    assert_eq!((held.status, held.release_date), (CreditStatus::Held, None));
    assert_eq!(held.reason.as_deref(), Some("asked"));

    // The hold by hand is no hold of the plan: once it is taken back, nothing waits.
    assert_eq!(resolved(plain.id, &[HoldAction::Hold, HoldAction::Release]), plain);
}
