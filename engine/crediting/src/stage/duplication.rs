//! Duplication: of two credits to one recipient for one transaction, period and credit type, the
//! first survives unless duplicates are allowed.
//!
//! Called by the pipeline for every credit as it is made. Source: seed 002, DOMAIN 2.9, 3.6 d,
//! decisions D4, D5.
//!
//! **Architecture invariant:** a duplicate is never dropped: it is listed as suppressed, names its
//! survivor, and counts nowhere.

use crate::stage::{DealCase, ParkReason, ScriptContext, as_condition};
use accredit_domain::credit::{Credit, CreditStatus};
use accredit_domain::note::NoteStage;
use accredit_domain::plan::DuplicateSetting;

/// Suppresses `credit` when an earlier one is the same and duplicates are not allowed.
///
/// # Errors
/// [`ParkReason`] when the policy gives no answer.
pub fn suppress_duplicate(
    case: &mut DealCase<'_>,
    setting: &DuplicateSetting,
    credit: &mut Credit,
) -> Result<(), ParkReason> {
    // The credit that was there first survives, which is why the order of rules matters.
    let is_survivor = |known: &Credit| known.is_duplicate_of(credit);
    if !case.earlier_credits().any(is_survivor) {
        return Ok(());
    }

    let allowed = match setting {
        DuplicateSetting::Fixed(allowed) => *allowed,
        DuplicateSetting::Program(program) => {
            let seen = ScriptContext { credit: Some(credit), ..ScriptContext::default() };
            let answer = case.run_with_existing(*program, seen);
            as_condition(NoteStage::Duplication, answer)?
        }
    };
    // Its id is made only where something shows it.
    if allowed && case.trace.is_none() {
        return Ok(());
    }
    let survivor = case.earlier_credits().find(|known| is_survivor(known));
    let Some(survivor) = survivor.map(|known| case.credit_id(known)) else { return Ok(()) };

    if allowed {
        case.trace_step(NoteStage::Duplication, || {
            format!("a duplicate of {survivor}, which is allowed")
        });
        return Ok(());
    }

    credit.status = CreditStatus::Suppressed;
    credit.reason = Some(format!("duplicate_of:{survivor}"));

    let who = case.recipient_id(credit.recipient);
    case.trace_step(NoteStage::Duplication, || {
        format!("the credit to `{who}` is a duplicate of {survivor}")
    });
    Ok(())
}
