//! The only place that orders things: one transaction in one plan, from filter to rolled credits.
//!
//! Not batches (`calculation`) and not storing (`ledger`). Pure: the same ruleset, transaction and
//! inputs give the same decision. Called by calculations, by the server's worker and by case files.
//! Source: FORMAT section 4, DOMAIN 2.5 to 2.10.
//!
//! **Architecture invariant:** every transaction that a plan lets in is credited, uncredited with a
//! reason, or parked with a reason; and the laws of `credit::laws` hold after every stage.

pub mod row;

use std::sync::Arc;

use crate::calendar::PeriodKind;
use crate::credit::{Credit, CreditId, Rolled, Status, laws};
use crate::decision::{Note, Outcome};
use crate::money::{self, Shares};
use crate::plan::{DirectResult, DirectRule, IndirectResult, IndirectRule, Plan, selects};
use crate::policy::ProgramId;
use crate::script::{Answer, Arguments, Machine, TransactionView};
use crate::stage::rollup::Candidate;
use crate::stage::{
    Case, Inputs, Park, Seen, Step, crediting, duplication, hold, maximum, note, rollup,
};
use crate::transaction::{Field, Names, Transaction, Unreadable};
use crate::workspace::Ruleset;

/// What was decided about one transaction in one plan, in terms of its ruleset.
#[derive(Debug)]
pub struct Decided {
    /// The plan.
    pub plan: Arc<str>,
    /// The transaction's natural key.
    pub transaction: Arc<str>,
    /// Incentive date, once it is known.
    pub date: Option<jiff::civil::Date>,
    /// Leaf period of the incentive date, once it is known.
    pub period: Option<Arc<str>>,
    /// What became of it.
    pub outcome: Outcome,
    /// Credits in order.
    pub credits: Vec<Credit>,
    /// Why not credited, or why parked.
    pub reasons: Vec<Note>,
    /// Warnings; those that the plan asks for are alerts.
    pub warnings: Vec<Note>,
    /// The explanation, when it was asked for.
    pub trace: Vec<Step>,
}

/// Whether an explanation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// No: costs nothing.
    No,
    /// Every step with the values seen.
    Steps,
}

/// Decides one transaction in every plan of the ruleset, plans in order of their ids.
pub fn decide(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
) -> Vec<Decided> {
    let plans = ruleset.plans.values();
    plans.map(|plan| decide_plan(ruleset, plan, transaction, inputs, machine, Explain::No)).collect()
}

/// Decides one transaction in one plan.
pub fn decide_plan(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
    explain: Explain,
) -> Decided {
    let mut decided = Decided {
        plan: Arc::clone(&plan.id),
        transaction: Arc::clone(&transaction.id),
        date: None,
        period: None,
        outcome: Outcome::Filtered,
        credits: Vec::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        trace: Vec::new(),
    };
    match admit(ruleset, plan, transaction, inputs, machine) {
        Ok(None) => (),
        Ok(Some(mut case)) => {
            case.trace = (explain == Explain::Steps).then(Vec::new);
            decided.date = Some(case.date);
            decided.period = Some(Arc::clone(&case.period));
            let result = credit(&mut case);
            decided.reasons = std::mem::take(&mut case.reasons);
            decided.warnings = std::mem::take(&mut case.warnings);
            decided.trace = case.trace.take().unwrap_or_default();
            let credits = std::mem::take(&mut case.credits);
            match result {
                Err(park) => parked(&mut decided, park),
                Ok(()) if credits.is_empty() => decided.outcome = Outcome::Uncredited,
                Ok(()) => {
                    decided.outcome = Outcome::Credited;
                    decided.credits = credits;
                    decided.reasons.clear();
                }
            }
        }
        Err(park) => parked(&mut decided, park),
    }
    decided
}

/// Step 1: the filter, then the dates, then everything that must be readable.
fn admit<'a>(
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    transaction: &Arc<Transaction>,
    inputs: &'a Inputs,
    machine: &'a mut Machine,
) -> Result<Option<Case<'a>>, Park> {
    let default_credit: Arc<str> = Arc::from(transaction.names(Names::Owner));
    let mut view =
        TransactionView { transaction: Arc::clone(transaction), period: None, default_credit };
    if let Some(filter) = plan.filter {
        let shared = Arc::new(view);
        if !included(machine, filter, &shared)? {
            return Ok(None);
        }
        let default_credit = Arc::clone(&shared.default_credit);
        view = TransactionView { transaction: Arc::clone(transaction), period: None, default_credit };
    }
    let date = transaction.date().map_err(|why| unreadable(&why, "no_period"))?;
    if !plan.validity.contains(date) {
        return Ok(None);
    }
    let Some(period) = ruleset.settings.calendar.period(date, PeriodKind::Month) else {
        return Err(Park::new("filter", "no_period", format!("no period holds {date}")));
    };
    if let Some(why) = transaction.bad_value() {
        return Err(unreadable(&why, "bad_value"));
    }
    if transaction.id.is_empty() {
        let key = ruleset.settings.fields.id.join("`, `");
        return Err(Park::new("filter", "bad_value", format!("the natural key `{key}` is blank")));
    }
    let period: Arc<str> = Arc::from(period.id);
    view.period = Some(Arc::clone(&period));
    Ok(Some(Case {
        ruleset,
        plan,
        tx: Arc::new(view),
        date,
        period,
        inputs,
        machine,
        credits: Vec::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        trace: None,
    }))
}

fn included(
    machine: &mut Machine,
    filter: ProgramId,
    tx: &Arc<TransactionView>,
) -> Result<bool, Park> {
    let arguments = Arguments { tx, credit: None, to: None, existing: &[] };
    match machine.run(filter, &arguments).map_err(|fault| Park::fault("filter", fault))? {
        Answer::Bool(included) => Ok(included),
        _ => Err(Park::new("filter", "policy_error", "expected true or false")),
    }
}

fn unreadable(why: &Unreadable, blank_code: &'static str) -> Park {
    match why {
        Unreadable::Bad { column, cell, expected } => {
            let message = format!("`{column}` holds `{cell}`, which is not a {expected}");
            Park::new("filter", "bad_value", message)
        }
        Unreadable::Blank(column) => {
            Park::new("filter", blank_code, format!("`{column}` is blank"))
        }
        Unreadable::Unmapped => Park::new("filter", blank_code, "no column is mapped to it"),
    }
}

fn parked(decided: &mut Decided, park: Park) {
    let (transaction, plan) = (&decided.transaction, &decided.plan);
    let mut reason = note(transaction, plan, park.stage, park.code, park.message.clone());
    if let Some(fault) = &park.fault {
        reason.policy = (!fault.policy.is_empty()).then(|| fault.policy.to_string());
        reason.file = Some(fault.place.file.clone());
        reason.line = Some(fault.place.line);
        reason.column = Some(fault.place.column);
    }
    let alert = Note { code: park.alert().to_owned(), ..reason.clone() };
    decided.trace.push(Step { stage: park.stage, message: format!("parked: {}", park.message) });
    decided.warnings.push(alert);
    decided.reasons = vec![reason];
    decided.credits.clear();
    decided.outcome = Outcome::Parked;
}

/// Steps 2 to 4.
fn credit(case: &mut Case<'_>) -> Result<(), Park> {
    let plan = case.plan;
    for rule in &plan.direct {
        direct(case, rule)?;
    }
    if plan.direct.iter().all(|rule| !rule.rule.validity.contains(case.date)) {
        let message = format!("no direct rule is active on {}", case.date);
        case.reason("crediting", "no_rule", message);
    }
    let roots: Vec<Credit> = case
        .credits
        .iter()
        .filter(|credit| credit.rollable && credit.status == Status::Active)
        .cloned()
        .collect();
    for root in &roots {
        roll(case, root)?;
    }
    laws::check(&case.credits).map_err(|broken| Park::new("rollup", "policy_error", broken))
}

/// Step 2: one direct rule.
fn direct(case: &mut Case<'_>, rule: &DirectRule) -> Result<(), Park> {
    let name = &rule.rule.name;
    if !rule.rule.validity.contains(case.date) {
        case.step("crediting", || format!("rule `{name}` is not active on that date"));
        return Ok(());
    }
    if let Some(condition) = rule.rule.condition
        && !case.test("crediting", condition, Seen::default())?
    {
        case.reason("crediting", "condition", format!("rule `{name}`: its condition is false"));
        return Ok(());
    }
    let Some(recipients) = crediting::recipients(case, rule)? else { return Ok(()) };
    let first = recipients.positions.iter().flatten().next().copied();
    for result in &rule.results {
        let to = first.map(|position| case.receiver(position, None));
        let value = match result.value {
            Some(program) => {
                case.number("value", program, Seen { to: to.as_ref(), ..Seen::default() })?
            }
            None => amount_of(case)?,
        };
        case.step("value", || format!("rule `{name}`: the deal is worth {value}"));
        let scale = result.unit.scale;
        let amounts = money::split(value, &recipients.shares, scale)
            .map_err(|error| Park::new("value", "policy_error", error.to_string()))?;
        laws::check_split(value, &recipients.shares, &amounts, scale)
            .map_err(|broken| Park::new("value", "policy_error", broken))?;
        for (index, position) in recipients.positions.iter().enumerate() {
            let (Some(position), Some(amount)) = (position, amounts.get(index)) else { continue };
            let mut credit = blank_credit(case, &rule.rule.name, &result.output.name, *position, None);
            credit.unit = result.unit;
            credit.amount = *amount;
            credit.share = Some(recipients.shares.weight(index));
            finish_direct(case, result, credit, &recipients.shares)?;
        }
    }
    Ok(())
}

fn amount_of(case: &Case<'_>) -> Result<rust_decimal::Decimal, Park> {
    case.tx.transaction.amount().map_err(|why| match why {
        Unreadable::Blank(column) => {
            let message = format!("`{column}` is blank, and the value of the deal is its amount");
            Park::new("value", "policy_error", message)
        }
        Unreadable::Unmapped => {
            let message = "no column is mapped to `amount` in [fields]";
            Park::new("value", "policy_error", message)
        }
        bad => unreadable(&bad, "policy_error"),
    })
}

/// Maximum, hold and duplication of a direct credit.
fn finish_direct(
    case: &mut Case<'_>,
    result: &DirectResult,
    mut credit: Credit,
    shares: &Shares,
) -> Result<(), Park> {
    credit.credit_type = Arc::clone(&result.credit_type);
    credit.reason_code = result.output.reason_code.clone();
    credit.rollable = result.rollable;
    credit.rollable_on_reporting = result.rollable_on_reporting;
    if let Some(program) = result.output.maximum {
        let to = case.receiver(credit.position, None);
        let cap = case.number("maximum", program, Seen { to: Some(&to), ..Seen::default() })?;
        if !capped(case, &mut credit, cap.abs()) {
            return Ok(());
        }
    }
    hold::apply(case, &result.output.hold, None, &mut credit);
    duplication::apply(case, &result.output.duplicates, &mut credit)?;
    let position = case.position_id(credit.position);
    case.step("crediting", || {
        let (amount, status) = (credit.amount, credit.status.name());
        let share = shares_text(shares, credit.share);
        format!("rule `{}`: {amount} to `{position}`{share}, {status}", credit.rule)
    });
    case.credits.push(credit);
    Ok(())
}

fn shares_text(shares: &Shares, share: Option<rust_decimal::Decimal>) -> String {
    match (shares, share) {
        (Shares::Equal(1), _) | (_, None) => String::new(),
        (_, Some(share)) => format!(" (a share of {share})"),
    }
}

/// Cuts a credit to its headroom; false when nothing is left of it, which is no credit.
fn capped(case: &mut Case<'_>, credit: &mut Credit, headroom: rust_decimal::Decimal) -> bool {
    let wanted = credit.amount;
    let headroom = money::round(headroom, credit.unit.scale);
    let trimmed = maximum::trim(wanted, headroom);
    if trimmed == wanted {
        return true;
    }
    credit.amount = trimmed;
    maximum::warn(case, credit, wanted);
    if trimmed.is_zero() {
        let position = case.position_id(credit.position);
        let message = format!("rule `{}`: the maximum leaves nothing for `{position}`", credit.rule);
        case.reason("maximum", "over_maximum", message);
        return false;
    }
    true
}

/// Step 3: everybody whom a direct credit reaches.
fn roll(case: &mut Case<'_>, root: &Credit) -> Result<(), Park> {
    let plan = case.plan;
    for candidate in rollup::candidates(case, root)? {
        let mut any = false;
        for rule in plan.indirect.iter().filter(|r| r.relationship == candidate.relationship) {
            any |= indirect(case, root, &candidate, rule)?;
        }
        if !any {
            let position = case.position_id(candidate.position);
            case.step("rollup", || format!("`{position}` is reached and has no rule for it"));
        }
    }
    Ok(())
}

/// Step 4: one candidate and one rule; whether the candidate holds the rule.
fn indirect(
    case: &mut Case<'_>,
    root: &Credit,
    candidate: &Candidate,
    rule: &IndirectRule,
) -> Result<bool, Park> {
    let organization = &case.ruleset.organization;
    let receives = selects(&rule.receivers, organization, candidate.position, case.date);
    if !receives || !rule.rule.validity.contains(case.date) {
        return Ok(false);
    }
    let rolled = (candidate.relationship, candidate.via, candidate.level);
    let to = case.receiver(candidate.position, Some(rolled));
    let source = case.view(root);
    let seen = Seen { credit: Some(&source), to: Some(&to), existing: &[] };
    if let Some(condition) = rule.rule.condition
        && !case.test("rollup", condition, seen)?
    {
        let name = &rule.rule.name;
        case.step("rollup", || format!("rule `{name}` for `{}`: its condition is false", to.position));
        return Ok(true);
    }
    for result in &rule.results {
        let origin = Rolled {
            source: root.id,
            relationship: candidate.relationship,
            via: candidate.via,
            level: candidate.level,
        };
        let (name, result_name) = (&rule.rule.name, &result.output.name);
        let mut credit = blank_credit(case, name, result_name, candidate.position, Some(origin));
        credit.unit = result.unit.unwrap_or(root.unit);
        credit.amount = root.amount;
        let credit_type = result.credit_type.as_ref().unwrap_or(&root.credit_type);
        credit.credit_type = Arc::clone(credit_type);
        credit.reason_code = result.output.reason_code.clone();
        finish_indirect(case, result, credit, seen)?;
    }
    Ok(true)
}

/// Value, rounding, duplication, maximum and hold of a candidate.
fn finish_indirect(
    case: &mut Case<'_>,
    result: &IndirectResult,
    mut credit: Credit,
    seen: Seen<'_>,
) -> Result<(), Park> {
    let (mut wish, mut own_maximum) = (None, None);
    if let Some(program) = result.value {
        let existing = case.existing();
        let seen = Seen { existing: &existing, ..seen };
        match case.run(program, seen).map_err(|fault| Park::fault("rollup", fault))? {
            Answer::Number(amount) => credit.amount = amount,
            Answer::Rolled(rolled) => {
                credit.amount = rolled.amount;
                own_maximum = rolled.maximum;
                wish = rolled.hold;
                if let Some(kind) = rolled.credit_type {
                    credit.credit_type = credit_type(case, &kind)?;
                }
            }
            _ => {
                let position = case.position_id(credit.position);
                case.step("rollup", || format!("rule `{}`: nothing for `{position}`", credit.rule));
                return Ok(());
            }
        }
    }
    credit.amount = money::round(credit.amount, credit.unit.scale);
    duplication::apply(case, &result.output.duplicates, &mut credit)?;
    if credit.status != Status::Suppressed {
        let cap = match (own_maximum, result.output.maximum) {
            (Some(cap), _) => Some(cap),
            (None, Some(program)) => Some(case.number("maximum", program, seen)?),
            (None, None) => None,
        };
        if let Some(cap) = cap {
            let scope = result.maximum_scope;
            let used = maximum::used(case, &credit.rule, &credit.result, scope, credit.position);
            if !capped(case, &mut credit, cap.abs() - used) {
                return Ok(());
            }
        }
        hold::apply(case, &result.output.hold, wish, &mut credit);
    }
    let position = case.position_id(credit.position);
    case.step("rollup", || {
        let (amount, status) = (credit.amount, credit.status.name());
        format!("rule `{}`: {amount} to `{position}`, {status}", credit.rule)
    });
    case.credits.push(credit);
    Ok(())
}

fn credit_type(case: &Case<'_>, name: &str) -> Result<Arc<str>, Park> {
    let known = case.ruleset.settings.credit_types.iter().find(|known| ***known == *name);
    known.cloned().ok_or_else(|| {
        let message = format!("`{name}` is not one of the workspace's credit types");
        Park::new("rollup", "policy_error", message)
    })
}

/// A credit with everything but its amount, type and status known.
fn blank_credit(
    case: &mut Case<'_>,
    rule: &Arc<str>,
    result: &Arc<str>,
    position: crate::organization::PositionId,
    rolled: Option<Rolled>,
) -> Credit {
    let organization = &case.ruleset.organization;
    let settings = &case.ruleset.settings;
    let position_id = organization.position_id(position);
    let transaction = Arc::clone(case.transaction());
    let relationship = rolled.as_ref().map(|r| settings.relationship_name(r.relationship));
    let via = rolled.as_ref().map(|r| organization.position_id(r.via));
    let source = rolled.as_ref().map(|r| r.source.to_string());
    let parts = [
        &*case.plan.id,
        rule,
        result,
        &position_id,
        relationship.as_deref().unwrap_or(""),
        via.as_deref().unwrap_or(""),
        source.as_deref().unwrap_or(""),
    ];
    let id = CreditId::of(&transaction, &parts, 0);
    let payee = organization.holder(position, case.date);
    if payee.is_none() {
        let message = format!("`{position_id}` is vacant on {}", case.date);
        case.warn("crediting", "vacant", message);
    }
    Credit {
        id,
        transaction,
        incentive_date: case.date,
        plan: Arc::clone(&case.plan.id),
        rule: Arc::clone(rule),
        result: Arc::clone(result),
        rolled,
        position,
        payee,
        share: None,
        period: Arc::clone(&case.period),
        credit_type: Arc::from(""),
        unit: settings.currency,
        amount: rust_decimal::Decimal::ZERO,
        status: Status::Active,
        release_date: None,
        reason: None,
        reason_code: None,
        rollable: false,
        rollable_on_reporting: false,
    }
}

/// Whether two versions of a transaction are the same content, and if not which one is later by
/// the source's clock: `Less` means that `new` is older than `old` (FORMAT section 2, `updated`).
pub fn compare_versions(old: &Transaction, new: &Transaction) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    if old.content() == new.content() {
        return Ordering::Equal;
    }
    let order = match (old.field(Field::Updated), new.field(Field::Updated)) {
        (Some(old), Some(new)) => new.cmp(&old),
        _ => Ordering::Greater,
    };
    // Equal clocks and different content: the larger content wins, so that every order of arrival
    // ends at the same version.
    order.then_with(|| new.content().cmp(&old.content()))
}
