//! Corrections of frozen periods: what they would pay by what is known now, less what they paid.
//!
//! Not where a correction counts (`book` finds the earliest open period). Called by `book`. Source:
//! REWARDS section 1.
//!
//! **Architecture invariant:** paid and corrected, a frozen period comes to what a clean run of it
//! pays, reward by reward and payee by payee.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::history::EarnedBy;
use super::pay::reward_id;
use accredit_domain::decision::{EarnedReward, RewardOrigin};
use accredit_domain::keys::{DefinedName, ParticipantKey, PeriodKey, RewardId, TeamKey};

/// What a correction is about: reward, payee, team, the unit of the credits and that of the amount.
type CorrectionKey = (DefinedName, ParticipantKey, Option<TeamKey>, DefinedName, DefinedName);

fn key_of(row: &EarnedReward) -> CorrectionKey {
    let units = (row.credited_unit_type, row.unit_type);
    (row.reward, row.payee, row.team, units.0, units.1)
}

/// Whether a row is part of what its period earned: carried amounts only wait, manual ones are
/// nobody's rule.
pub(super) fn is_earned(row: &EarnedReward) -> bool {
    matches!(row.origin, RewardOrigin::Calculated | RewardOrigin::Draw)
}

/// A claim that could not be computed: its reward or draw, the person or team, and the unit of the
/// credits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FailedClaim {
    reward: String,
    is_team: bool,
    id: String,
    unit: String,
}

impl FailedClaim {
    /// That of a person or a team, whichever `by` is.
    pub(super) fn new(reward: &str, by: &EarnedBy) -> FailedClaim {
        FailedClaim {
            reward: reward.to_owned(),
            is_team: by.is_team,
            id: by.id.to_string(),
            unit: by.unit.to_string(),
        }
    }

    /// The claim that a row is of.
    pub(super) fn of_row(row: &EarnedReward) -> FailedClaim {
        FailedClaim::new(&row.reward, &EarnedBy::of_row(row))
    }
}

/// What must be added to the rows that were `paid` for `period`, corrections of it included, so that
/// they come to `clean`. What was paid on `failed` claims stays; other payees are corrected all the
/// same.
pub(super) fn corrections(
    period: &PeriodKey,
    clean: &[EarnedReward],
    paid: &[&EarnedReward],
    failed: &BTreeSet<FailedClaim>,
) -> Vec<EarnedReward> {
    let mut due: BTreeMap<CorrectionKey, (Decimal, EarnedReward)> = BTreeMap::new();

    for row in paid {
        // A payee who earns nothing any more has no credit that counts.
        let nothing = EarnedReward {
            credited: row.credited.saturating_sub(row.credited),
            attainment: None,
            credits: Vec::new(),
            ..(*row).clone()
        };
        let (amount, _) = due.entry(key_of(row)).or_insert((Decimal::ZERO, nothing));
        *amount = amount.saturating_sub(row.amount);
    }

    for row in clean {
        let (amount, known) = due.entry(key_of(row)).or_insert((Decimal::ZERO, row.clone()));
        *amount = amount.saturating_add(row.amount);
        *known = row.clone();
    }

    let differing = due
        .into_values()
        .filter(|(amount, row)| !amount.is_zero() && !failed.contains(&FailedClaim::of_row(row)));
    let rows = differing.map(|(amount, row)| EarnedReward {
        amount,
        origin: RewardOrigin::Retro,
        corrects: Some(*period),
        ..row
    });
    rows.collect()
}

/// A correction as it counts in the period `target`.
pub(super) fn post_in(row: EarnedReward, target: &str) -> EarnedReward {
    let corrects = row.corrects.as_deref().unwrap_or("");
    let team = row.team.as_deref().unwrap_or("");
    let units = (&row.credited_unit_type, &row.unit_type);
    let parts =
        [&*row.plan, target, &row.reward, &row.payee, team, units.0, units.1, "retro", corrects];

    EarnedReward { id: RewardId::from(reward_id(&parts)), period: PeriodKey::from(target), ..row }
}
