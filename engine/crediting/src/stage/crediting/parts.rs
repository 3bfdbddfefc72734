//! What each recipient gets of a value: first every name its share, then every member of a team its
//! part of the team's.
//!
//! Not maximum, hold or duplication. Called by the pipeline for each result. Source: DOMAIN 2.8, 3.4,
//! decision D9.
//!
//! **Architecture invariant:** both divisions lose nothing: names sum to round(value × Σ weights),
//! and unless each gets the whole, members sum to what their team got.

use accredit_domain::note::{NoteCode, NoteStage};
use rust_decimal::Decimal;

use super::{NamedPart, Recipients};
use crate::stage::ParkReason;
use accredit_domain::credit::laws;
use accredit_domain::money::{self, Shares};
use accredit_domain::organization::{Recipient, TeamId};

/// The part that one recipient gets.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipientPart {
    /// The position or team that is credited.
    pub recipient: Recipient,
    /// The team through which a position was found.
    pub team: Option<TeamId>,
    /// How much, at the unit's scale.
    pub amount: Decimal,
    /// The multiplier, to show.
    pub share: Decimal,
}

impl Recipients {
    /// Divides `value` over them at `scale` decimals; a position that is reached twice has one part.
    ///
    /// # Errors
    /// [`ParkReason`] when the value or a weight is too large to be divided exactly.
    pub fn divide_value(
        &self,
        value: Decimal,
        scale: u8,
    ) -> Result<Vec<RecipientPart>, ParkReason> {
        let amounts = split_value(value, &self.shares, scale)?;
        let mut parts: Vec<RecipientPart> = Vec::new();

        for (index, (named, amount)) in self.named.iter().zip(amounts).enumerate() {
            let share = self.shares.shown_weight(index);
            match named {
                NamedPart::Nobody => (),
                NamedPart::Recipient(recipient) => {
                    let team = recipient.team();
                    merge_part(
                        &mut parts,
                        RecipientPart { recipient: *recipient, team, amount, share },
                    )?;
                }

                NamedPart::Team(passed) => {
                    // Divided twice, so that rounding moves cents within a team and never between
                    // names.
                    let amounts = split_value(amount, &passed.shares, scale)?;
                    for (member, amount) in amounts.into_iter().enumerate() {
                        let Some(Some(position)) = passed.positions.get(member) else { continue };
                        let recipient = Recipient::Position(*position);
                        // To show only: the product of two weights may have more digits than an
                        // amount.
                        let share = share.checked_mul(passed.shares.shown_weight(member));
                        let share = share.map(money::shown_multiplier).ok_or_else(too_large)?;
                        let team = Some(passed.team);
                        merge_part(&mut parts, RecipientPart { recipient, team, amount, share })?;
                    }
                }
            }
        }

        Ok(parts)
    }
}

fn split_value(value: Decimal, shares: &Shares, scale: u8) -> Result<Vec<Decimal>, ParkReason> {
    let wrong = |message: String| ParkReason::new(NoteStage::Value, NoteCode::PolicyError, message);
    let amounts =
        money::split_exactly(value, shares, scale).map_err(|error| wrong(error.to_string()))?;
    laws::check_split(value, shares, &amounts, scale).map_err(wrong)?;
    Ok(amounts)
}

/// One position reached twice is one part, in the place of the first; it is a team's only when each
/// way led through a team.
fn merge_part(parts: &mut Vec<RecipientPart>, part: RecipientPart) -> Result<(), ParkReason> {
    let Some(known) = parts.iter_mut().find(|known| known.recipient == part.recipient) else {
        parts.push(part);
        return Ok(());
    };
    known.amount = known.amount.checked_add(part.amount).ok_or_else(too_large)?;
    let share = known.share.checked_add(part.share).ok_or_else(too_large)?;
    known.share = share.normalize();
    known.team = known.team.filter(|_| part.team.is_some());
    Ok(())
}

fn too_large() -> ParkReason {
    ParkReason::new(NoteStage::Value, NoteCode::PolicyError, money::Overflow.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PassedPart;
    use super::*;
    use accredit_domain::organization::PositionId;

    /// A team of as many members as there are weights.
    fn team(id: u32, first: u32, shares: Shares, count: u32) -> NamedPart {
        let positions = (first..first + count).map(PositionId).map(Some).collect();
        NamedPart::Team(PassedPart { team: TeamId(id), positions, shares })
    }

    fn decimals() -> impl Strategy<Value = Vec<Decimal>> {
        prop::collection::vec(
            (1_i64..200_000, 0_u32..4).prop_map(|(m, s)| Decimal::new(m, s)),
            1..7,
        )
    }

    fn sum(parts: &[RecipientPart]) -> Decimal {
        parts.iter().map(|part| part.amount).sum()
    }

    proptest! {
        /// Members get what their team would get alone, to the last cent, and a return mirrors its
        /// sale (3.4 d2); regardless of other names beside the team.
        #[test]
        fn members_sum_to_their_team(
            value in (-10_000_000_i64..10_000_000, 0_u32..5).prop_map(|(m, s)| Decimal::new(m, s)),
            weights in decimals(),
            names in decimals(),
            equal in any::<bool>(),
            scale in 0_u8..4,
        ) {
            let count = u32::try_from(weights.len()).unwrap();
            let inner = if equal { Shares::Equal(weights.len()) } else { Shares::Parts(weights) };
            let others = (1..names.len()).map(|index| {
                NamedPart::Recipient(Recipient::Position(PositionId(1000 + u32::try_from(index).unwrap())))
            });
            let named: Vec<NamedPart> =
                std::iter::once(team(0, 0, inner, count)).chain(others).collect();
            let recipients = Recipients { named, shares: Shares::Weights(names) };
            let parts = recipients.divide_value(value, scale).unwrap();
            let alone = money::split_exactly(value, &recipients.shares, scale).unwrap();
            let members: Vec<RecipientPart> =
                parts.iter().filter(|part| part.team.is_some()).cloned().collect();
            prop_assert_eq!(members.len(), count as usize);
            prop_assert_eq!(sum(&members), alone[0]);
            prop_assert_eq!(sum(&parts), alone.iter().sum::<Decimal>());
            let mirrored = recipients.divide_value(-value, scale).unwrap();
            prop_assert!(parts.iter().zip(&mirrored).all(|(a, b)| a.amount == -b.amount));
        }

        /// Two teams that share members: one part a position, and nothing is lost.
        #[test]
        fn a_position_in_two_teams_has_one_part(
            cents in 0_i64..1_000_000,
            one in 1_u32..6,
            two in 1_u32..6,
            first in 0_u32..6,
        ) {
            let both = vec![
                team(0, 0, Shares::Equal(one as usize), one),
                team(1, first, Shares::Equal(two as usize), two),
            ];
            let recipients = Recipients { named: both, shares: Shares::Equal(2) };
            let value = Decimal::new(cents, 2);
            let parts = recipients.divide_value(value, 2).unwrap();
            let mut positions: Vec<Recipient> = parts.iter().map(|part| part.recipient).collect();
            positions.sort();
            positions.dedup();
            prop_assert_eq!(positions.len(), parts.len());
            prop_assert_eq!(sum(&parts), value);
            let first_of = |index: u32| if index < one { TeamId(0) } else { TeamId(1) };
            for part in &parts {
                let Recipient::Position(PositionId(index)) = part.recipient else { continue };
                prop_assert_eq!(part.team, Some(first_of(index)));
            }
        }
    }

    #[test]
    fn shares_are_shown_cut_to_ten_decimals() {
        let named = vec![team(0, 0, Shares::Parts(vec![2.into(), 1.into()]), 2), NamedPart::Nobody];
        let recipients = Recipients { named, shares: Shares::Equal(2) };
        let parts = recipients.divide_value(Decimal::from(100), 2).unwrap();
        let shown: Vec<String> =
            parts.iter().map(|part| format!("{} {}", part.amount, part.share)).collect();
        // 0.5 × 0.6666666666 and 0.5 × 0.3333333333, each cut to ten decimals.
        assert_eq!(shown, ["33.33 0.3333333333", "16.67 0.1666666666"]);
    }
}
