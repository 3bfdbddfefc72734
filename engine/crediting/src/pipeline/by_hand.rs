//! A credit that a person gave without a deal: one direct credit, rolled up on request, and the
//! entries that take it back.
//!
//! No filter, rule, maximum, hold or duplication asks about it: a person decided. What rolls from it
//! goes through the indirect rules as for deals. Source: REWARDS section 7.
//!
//! **Architecture invariant:** a credit that was taken back and its reversal are decided together, so
//! that both always sum to nothing.

use std::collections::HashMap;
use std::sync::Arc;

use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::CreditOrigin;
use accredit_domain::credit::{Credit, CreditSource};
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::hold::Hold;
use accredit_domain::keys::{DefinedName, PeriodKey};
use accredit_domain::money;
use accredit_domain::note::{NoteCode, NoteStage};
use accredit_domain::organization::Recipient;
use accredit_domain::plan::{DuplicateSetting, HoldSetting, Plan, ResultBase};
use accredit_domain::transaction::{MANUAL_RESULT, ManualCredit, REVERSAL_RESULT, Transaction};
use accredit_script::{Machine, SharedCredits};
use accredit_workspace::Ruleset;

use super::draft::{add_credit, blank_credit};
use super::{
    DecidedPlan, ExplainLevel, inherit_credits, park_for_reason, park_for_source, roll_credits,
};
use crate::stage::{DealCase, DecisionInputs, ParkReason, StepEffect};

const STAGE: NoteStage = NoteStage::Crediting;

/// Decides a manual credit in one plan: its own, or one that takes credits from that one.
pub(super) fn decide_manual_credit(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    explain: ExplainLevel,
    done: &[DecidedPlan],
) -> DecidedPlan {
    let mut decided = DecidedPlan::new(ruleset, plan, transaction, inputs);
    let Some(credit) = transaction.manual_credit() else { return decided };
    let is_own = credit.plan == *plan.id;
    let takes = plan.source_plans().iter().any(|source| credit.plan == *source);
    let concerned = is_own || (credit.rolls_up && takes);
    if !concerned {
        return decided;
    }

    let date = credit.incentive_date;
    let Some(period) = ruleset.settings.calendar.period_on(date, PeriodKind::Leaf) else {
        let message = format!("no period holds {date}");
        let park = ParkReason::new(NoteStage::Filter, NoteCode::NoPeriod, message);
        park_for_reason(&mut decided, park);
        return decided;
    };

    let period = period.id;
    decided.decision.period = Some(PeriodKey::from(&period));
    let mut case = DealCase {
        ruleset,
        plan,
        tx: Arc::clone(transaction),
        date,
        period,
        currency: None,
        inputs,
        machine,
        inherited: Vec::new(),
        credits: Vec::new(),
        shared: SharedCredits::default(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        rule: None,
        trace: (explain == ExplainLevel::Steps).then(Vec::new),
    };

    if let Some(source) = inherit_credits(&mut case, done) {
        park_for_source(&mut decided, source);
        return decided;
    }
    for message in credit.describe_acts() {
        case.trace_step(STAGE, || message);
    }

    let result = match is_own {
        true => add_manual_credit(&mut case, credit),
        false => Ok(()),
    };
    let result = result.and_then(|()| roll_credits(&mut case));
    let result = result.and_then(|()| add_reversals(&mut case, credit));

    decided.decision.log.append(&mut case.warnings);
    decided.trace = case.trace.take().unwrap_or_default();
    let credits = std::mem::take(&mut case.credits);
    match result {
        Err(park) => park_for_reason(&mut decided, park),
        // A plan whose rules make nothing of it does not have it.
        Ok(()) if credits.is_empty() => decided.decision.period = None,
        Ok(()) => {
            decided.decision.outcome = DecisionOutcome::Credited;
            decided.credits = credits;
        }
    }
    decided
}

/// Makes the credit itself.
///
/// # Errors
/// [`ParkReason`] when the workspace has no such position, credit type or unit any more.
fn add_manual_credit(case: &mut DealCase<'_>, given: &ManualCredit) -> Result<(), ParkReason> {
    let ruleset = case.ruleset;
    let missing = |what: &str, name: &str| {
        let message = format!("the manual credit names the {what} `{name}`, which is gone");
        ParkReason::new(STAGE, NoteCode::BadValue, message)
    };

    let position = ruleset.organization.find_position(&given.position);
    let position = position.ok_or_else(|| missing("position", &given.position))?;
    let unit = ruleset.settings.units.find(&given.unit_type);
    let unit = unit.ok_or_else(|| missing("unit type", &given.unit_type))?;
    let credit_type = ruleset.settings.find_credit_type(&given.credit_type);
    let credit_type = credit_type.ok_or_else(|| missing("credit type", &given.credit_type))?;

    let output = ResultBase {
        name: DefinedName::from(MANUAL_RESULT),
        maximum: None,
        hold: HoldSetting::Fixed(Hold::None),
        own_hold: true,
        duplicates: DuplicateSetting::Fixed(true),
        reason_code: Some(given.given.reason_code),
    };
    let no_rule = DefinedName::default();
    let receiver = (Recipient::Position(position), None);
    let measure = (unit, credit_type);
    let mut credit = blank_credit(case, (no_rule, &output), receiver, measure, None);

    credit.amount = money::at_scale(given.amount, unit.scale);
    credit.origin = CreditOrigin::Manual;
    credit.rollable = given.rolls_up;
    credit.rollable_on_reporting = given.rolls_up;
    // A person who was named is paid, and not the holder of the position.
    if let Some(payee) = &given.payee {
        let known = ruleset.organization.find_participant(payee);
        let known = known.ok_or_else(|| missing("participant", payee))?;
        credit.payee = Some(ruleset.organization.participant_id(known));
    }

    let (amount, who) = (credit.amount, case.recipient_id(credit.recipient));
    case.trace_effect(STAGE, || (StepEffect::CreditMade, format!("manual: {amount} to `{who}`")));
    add_credit(case, credit);
    Ok(())
}

/// Adds the opposite of every entry, if the credit was taken back.
///
/// # Errors
/// [`ParkReason`] when an entry has no source that was taken back, which breaks a law.
fn add_reversals(case: &mut DealCase<'_>, given: &ManualCredit) -> Result<(), ParkReason> {
    let Some(act) = &given.reversed else { return super::check_credits(case) };

    // Of a source plan the direct credit was taken back there.
    let reversals = case.inherited_credits().filter(|credit| credit.is_direct());
    let pairs = reversals.filter_map(|credit| {
        let reversed = CreditSource::Taken(credit.reverses?);
        Some((reversed, CreditSource::Taken(case.credit_id(credit))))
    });
    let mut opposites: HashMap<CreditSource, CreditSource> = pairs.collect();

    for (place, credit) in case.credits.clone().into_iter().enumerate() {
        if !credit.counts_as_existing() {
            continue;
        }
        let reversed = case.credit_id(&credit);
        let source = credit.source.map(|source| opposites.get(&source).copied());
        let source = match source {
            Some(None) => {
                let message = format!("law broken (reversal): {reversed} has no source");
                return Err(ParkReason::new(STAGE, NoteCode::PolicyError, message));
            }
            Some(source) => source,
            None => None,
        };

        let result = match credit.is_by_hand() {
            true => DefinedName::from(REVERSAL_RESULT),
            false => credit.result,
        };
        let opposite = Credit {
            result,
            source,
            amount: money::negated(credit.amount),
            reason_code: Some(act.reason_code),
            reverses: Some(reversed),
            ..credit
        };
        opposites.insert(CreditSource::Own(place), CreditSource::Own(case.credits.len()));

        let (amount, who) = (opposite.amount, case.recipient_id(opposite.recipient));
        case.trace_effect(STAGE, || {
            let message = format!("manual: {amount} to `{who}` takes back {reversed}");
            (StepEffect::CreditMade, message)
        });
        add_credit(case, opposite);
    }

    super::check_credits(case)
}
