//! What each recipient gets of a value: first every name its share, then every member of a team its
//! part of the team's.
//!
//! Not maximum, hold or duplication. Called by the pipeline for each result. Source: DOMAIN 2.8, 3.4,
//! decision D9.
//!
//! **Architecture invariant:** both divisions lose nothing: names sum to round(value × Σ weights),
//! and unless each gets the whole, members sum to what their team got.

use rust_decimal::Decimal;

use super::{Named, Recipients};
use crate::credit::laws;
use crate::money::{self, Shares};
use crate::organization::{Recipient, TeamId};
use crate::stage::Park;

/// What one recipient gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Who.
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
    /// [`Park`] when the value or a weight is too large to be divided exactly.
    pub fn parts(&self, value: Decimal, scale: u8) -> Result<Vec<Part>, Park> {
        let amounts = divide(value, &self.shares, scale)?;
        let mut parts: Vec<Part> = Vec::new();
        for (index, (named, amount)) in self.named.iter().zip(amounts).enumerate() {
            let share = self.shares.weight(index);
            match named {
                Named::Nobody => (),
                Named::Recipient(recipient) => {
                    let team = recipient.team();
                    add(&mut parts, Part { recipient: *recipient, team, amount, share })?;
                }
                Named::Team(passed) => {
                    let amounts = divide(amount, &passed.shares, scale)?;
                    for (member, amount) in amounts.into_iter().enumerate() {
                        let Some(position) = passed.positions.get(member) else { continue };
                        let recipient = Recipient::Position(*position);
                        let share = share.checked_mul(passed.shares.weight(member));
                        let share = share.map(money::shown).ok_or_else(too_large)?;
                        let team = Some(passed.team);
                        add(&mut parts, Part { recipient, team, amount, share })?;
                    }
                }
            }
        }
        Ok(parts)
    }
}

fn divide(value: Decimal, shares: &Shares, scale: u8) -> Result<Vec<Decimal>, Park> {
    let wrong = |message: String| Park::new("value", "policy_error", message);
    let amounts = money::split(value, shares, scale).map_err(|error| wrong(error.to_string()))?;
    laws::check_split(value, shares, &amounts, scale).map_err(wrong)?;
    Ok(amounts)
}

/// One position reached twice is one part, in the place of the first; it is a team's only when each
/// way led through a team.
fn add(parts: &mut Vec<Part>, part: Part) -> Result<(), Park> {
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

fn too_large() -> Park {
    Park::new("value", "policy_error", money::Overflow.to_string())
}
