//! Hold: until when a credit waits, and whether it has been released since.
//!
//! Arithmetic runs from the incentive date. Not the act of releasing (`release`), whose results
//! come in as inputs. Called by the pipeline. Source: DOMAIN 2.10, 3.7, decisions D10, D12, D13.
//!
//! **Architecture invariant:** a hold that cannot be decided is a hold without a date: an error
//! here never pays early and never loses the credit.

use jiff::civil::Date;

use crate::stage::{DealCase, ScriptContext};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::OTHER_YEAR;
use accredit_domain::credit::{Credit, CreditStatus};
use accredit_domain::decision::HoldAction;
use accredit_domain::hold::{Hold, HoldEnd};
use accredit_domain::note::{NoteCode, NoteStage};
use accredit_domain::plan::HoldSetting;
use accredit_domain::policy::ProgramId;
use accredit_script::{ScriptAnswer, ScriptFault};

const STAGE: NoteStage = NoteStage::Hold;

/// A hold, and the program that asked for it, if one did.
pub type RequestedHold = (Hold, Option<ProgramId>);

/// Holds `credit` as `setting` (or the rollup policy's own `wish`) says, then applies what was
/// released.
pub fn apply_hold(
    case: &mut DealCase<'_>,
    setting: &HoldSetting,
    wish: Option<RequestedHold>,
    credit: &mut Credit,
) {
    let wanted = match wish {
        Some(wish) => Ok(wish),
        None => requested_hold(case, setting, credit),
    };

    // Said once people's decisions are applied: what they released waits for no one.
    let mut lost_date = None;
    match wanted.and_then(|wish| end(case, &wish)) {
        Ok(HoldEnd::Now) => (),
        Ok(HoldEnd::On(date)) => lost_date = hold_until(case, credit, date),
        Ok(HoldEnd::OnRelease(reason)) => {
            credit.status = CreditStatus::Held;
            credit.reason = Some(reason);
        }
        // A hold that cannot be decided holds, visibly, instead of paying or parking the deal.
        Err(fault) => {
            credit.status = CreditStatus::Held;
            credit.reason = Some("policy_error".to_owned());
            case.warn_of_fault(STAGE, NoteCode::PolicyError, &fault);
        }
    }

    apply_resolutions(case, credit);

    if let Some(date) = lost_date.filter(|_| credit.reason.as_deref() == Some(OTHER_YEAR)) {
        let message = format!(
            "the hold would end on {date}, in another fiscal year than {}: held without a date",
            case.date
        );
        case.warn(STAGE, NoteCode::ReleaseInOtherYear, message);
    }
}

fn requested_hold(
    case: &mut DealCase<'_>,
    setting: &HoldSetting,
    credit: &Credit,
) -> Result<RequestedHold, ScriptFault> {
    let hold = match setting {
        HoldSetting::Fixed(hold) => hold.clone(),
        HoldSetting::Program(program) => {
            let seen = ScriptContext { credit: Some(credit), ..ScriptContext::default() };
            return match case.run_program(*program, seen)? {
                ScriptAnswer::Hold(hold) => Ok((hold, Some(*program))),
                _ => Err(case.fault_of(*program, "expected a hold")),
            };
        }
    };

    Ok((hold, None))
}

/// When the hold ends; a policy's line is blamed where it cannot end.
fn end(case: &DealCase<'_>, (hold, program): &RequestedHold) -> Result<HoldEnd, ScriptFault> {
    let end = hold.end(&case.ruleset.settings.calendar, case.date);

    // A hold written in a plan was read already: only a policy has a line to blame.
    end.map_err(|message| match program {
        Some(program) => case.fault_of(*program, message),
        None => ScriptFault { message, ..ScriptFault::default() },
    })
}

/// Holds a credit until a day. A hold that would end in another fiscal year is one without a date,
/// unless the plan allows it; the day that it lost is returned.
fn hold_until(case: &mut DealCase<'_>, credit: &mut Credit, date: Date) -> Option<Date> {
    credit.status = CreditStatus::Held;
    let calendar = &case.ruleset.settings.calendar;
    let other_year = calendar.period_on(date, PeriodKind::Year).map(|year| year.id)
        != calendar.period_on(case.date, PeriodKind::Year).map(|year| year.id);

    // Money of another fiscal year waits for a person, unless the plan says otherwise.
    if other_year && !case.plan.hold_across_years {
        credit.reason = Some(OTHER_YEAR.to_owned());
        return Some(date);
    }

    credit.release_date = Some(date);
    credit.reason = Some(format!("until {date}"));
    case.trace_step(STAGE, || format!("held until {date}"));

    if case.inputs.as_of.is_some_and(|as_of| date <= as_of) {
        activate_credit(credit);
        case.trace_step(STAGE, || format!("released on {date}"));
    }
    None
}

/// Applies what people decided about this credit: the last word counts.
fn apply_resolutions(case: &mut DealCase<'_>, credit: &mut Credit) {
    // Most deals have none, and then no id is made.
    if case.inputs.resolutions.is_empty() {
        return;
    }
    let id = case.credit_id(credit);
    let last = case.inputs.resolutions.iter().rev().find(|resolution| resolution.credit == id);

    match last.map(|resolution| (resolution.action, resolution)) {
        None => (),
        // What is not held needs no release, and its amount and date stay as decided.
        Some((HoldAction::Release, _)) if credit.status != CreditStatus::Held => (),
        Some((HoldAction::Release, resolution)) => {
            let date = resolution.date;
            credit.release_date = Some(date);
            activate_credit(credit);
            case.trace_step(STAGE, || format!("released by hand on {date}"));
        }
        Some((HoldAction::Hold, resolution)) => {
            credit.status = CreditStatus::Held;
            credit.release_date = None;
            credit.reason = Some(resolution.reason.clone());
            let date = resolution.date;
            case.trace_step(STAGE, || format!("held by hand on {date}"));
        }
    }
}

fn activate_credit(credit: &mut Credit) {
    credit.status = CreditStatus::Active;
    credit.reason = None;
}
