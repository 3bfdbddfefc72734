//! Hold: until when a credit waits, and whether it has been released since.
//!
//! Arithmetic runs from the incentive date. Not the act of releasing (`release`), whose results
//! come in as inputs. Called by the pipeline. Source: DOMAIN 2.10, 3.7, decisions D10, D12, D13.
//!
//! **Architecture invariant:** a hold that cannot be decided is a hold without a date: an error
//! here never pays early and never loses the credit.

use jiff::civil::Date;

use crate::stage::{Case, Seen};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::{Credit, Status};
use accredit_domain::decision::HoldAction;
use accredit_domain::hold::{Hold, HoldEnd};
use accredit_domain::plan::HoldSetting;
use accredit_domain::policy::ProgramId;
use accredit_script::{Answer, Fault};

const STAGE: &str = "hold";

/// A hold, and the program that asked for it, if one did.
pub type Wish = (Hold, Option<ProgramId>);

/// Holds `credit` as `setting` (or the rollup policy's own `wish`) says, then applies what was
/// released.
pub fn apply(case: &mut Case<'_>, setting: &HoldSetting, wish: Option<Wish>, credit: &mut Credit) {
    let wanted = match wish {
        Some(wish) => Ok(wish),
        None => wanted(case, setting, credit),
    };

    match wanted.and_then(|wish| end(case, &wish)) {
        Ok(HoldEnd::Now) => (),
        Ok(HoldEnd::On(date)) => held(case, credit, date),
        Ok(HoldEnd::OnRelease(reason)) => {
            credit.status = Status::Held;
            credit.reason = Some(reason);
        }
        // A hold that cannot be decided holds, visibly, instead of paying or parking the deal.
        Err(fault) => {
            credit.status = Status::Held;
            credit.reason = Some("policy_error".to_owned());
            case.warn_of(STAGE, "policy_error", &fault);
        }
    }

    resolve(case, credit);
}

fn wanted(case: &mut Case<'_>, setting: &HoldSetting, credit: &Credit) -> Result<Wish, Fault> {
    let hold = match setting {
        HoldSetting::Fixed(hold) => hold.clone(),
        HoldSetting::Program(program) => {
            let view = case.view(credit);
            let seen = Seen { credit: Some(&view), to: None, existing: &[] };
            return match case.run(*program, seen)? {
                Answer::Hold(hold) => Ok((hold, Some(*program))),
                _ => Err(case.blame(*program, "expected a hold")),
            };
        }
    };

    Ok((hold, None))
}

/// When the hold ends; a policy's line is blamed where it cannot end.
fn end(case: &Case<'_>, (hold, program): &Wish) -> Result<HoldEnd, Fault> {
    let end = hold.end(&case.ruleset.settings.calendar, case.date);

    // A hold written in a plan was read already: only a policy has a line to blame.
    end.map_err(|message| match program {
        Some(program) => case.blame(*program, message),
        None => Fault { message, ..Fault::default() },
    })
}

fn held(case: &mut Case<'_>, credit: &mut Credit, date: Date) {
    credit.status = Status::Held;
    let calendar = &case.ruleset.settings.calendar;
    let other_year = calendar.period(date, PeriodKind::Year).map(|year| year.id)
        != calendar.period(case.date, PeriodKind::Year).map(|year| year.id);

    // Money of another fiscal year waits for a person, unless the plan says otherwise.
    if other_year && !case.plan.hold_across_years {
        credit.reason = Some("release_in_other_year".to_owned());
        let message = format!(
            "the hold would end on {date}, in another fiscal year than {}: held without a date",
            case.date
        );
        case.warn(STAGE, "release_in_other_year", message);
        return;
    }

    credit.release_date = Some(date);
    credit.reason = Some(format!("until {date}"));
    case.step(STAGE, || format!("held until {date}"));

    if case.inputs.as_of.is_some_and(|as_of| date <= as_of) {
        activate(credit);
        case.step(STAGE, || format!("released on {date}"));
    }
}

/// Applies what people decided about this credit: the last word counts.
fn resolve(case: &mut Case<'_>, credit: &mut Credit) {
    let id = credit.id;
    let last = case.inputs.resolutions.iter().rev().find(|resolution| resolution.credit == id);

    match last.map(|resolution| (resolution.action, resolution)) {
        None => (),
        // What is not held needs no release, and its amount and date stay as decided.
        Some((HoldAction::Release, _)) if credit.status != Status::Held => (),
        Some((HoldAction::Release, resolution)) => {
            let date = resolution.date;
            credit.release_date = Some(date);
            activate(credit);
            case.step(STAGE, || format!("released by hand on {date}"));
        }
        Some((HoldAction::Hold, resolution)) => {
            credit.status = Status::Held;
            credit.release_date = None;
            credit.reason = Some(resolution.reason.clone());
            let date = resolution.date;
            case.step(STAGE, || format!("held by hand on {date}"));
        }
    }
}

fn activate(credit: &mut Credit) {
    credit.status = Status::Active;
    credit.reason = None;
}
