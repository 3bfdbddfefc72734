//! The one door by which a new ruleset comes into force: API, watcher and first start all use it.
//!
//! Not reading of a disk (`watch`) and not checking (the engine). What keeps a sound ruleset out all
//! the same is in `guards`; what waits for a second person, in `proposals`; an activation that became
//! durable after its answer, in `follow`.
//!
//! **Architecture invariant:** an activation is checked, then committed, then one pointer is
//! stored; a refused one changes nothing and stays visible.

pub mod follow;
mod guards;
pub mod people;
pub mod proposals;
pub mod sent;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use accredit_domain::limits::MoneyEffect;
use accredit_ledger::changes::Proposal;
use accredit_ledger::definitions::{Activation, ChangeRefusal};
use accredit_ledger::terms::ChangeTerms;
use accredit_seams::store::StoreError;
use accredit_workspace::destinations::routes_to;
use accredit_workspace::{Files, Ruleset};

use crate::candidate::{self, CheckedRuleset, with_changes};
use crate::context::Context;
use crate::error::OperationError;
use crate::rewards;

/// How often an activation of unknown outcome is looked up, and the pause before each look.
const UNKNOWN_LOOKS: u32 = 20;
const UNKNOWN_PAUSE: Duration = Duration::from_millis(250);

/// How often a change is checked again because something else came into force meanwhile.
const ACTIVATION_CHECKS_MAX: usize = 8;

/// A request to change files of the workspace, all together or not at all.
#[derive(Debug, Clone, Default)]
pub struct ChangeRequest {
    /// New text by path; none removes the file.
    pub files: BTreeMap<String, Option<Arc<str>>>,
    /// Who makes it, why, and what it may do.
    pub terms: ChangeTerms,
    /// The ruleset that the caller has seen, where another one would be a surprise.
    pub base: Option<String>,
    /// The hash of all files that the caller has seen, case files included.
    pub set: Option<String>,
    /// The ruleset that it was seen to make.
    pub makes: Option<String>,
    /// The kept change that it carries out.
    pub proposal: Option<u64>,
    /// Who activates that change.
    pub approved_by: Option<String>,
}

/// A change that is in force.
#[derive(Debug, Clone)]
pub struct Activated {
    /// Hash of the ruleset.
    pub ruleset: Arc<str>,
    /// Number of the activation.
    pub activation: u64,
    /// The money that the change moves, by payee and unit.
    pub money: MoneyEffect,
}

/// The outcome of an accepted change.
#[derive(Debug)]
pub enum ActivationOutcome {
    /// The change is in force.
    Active(Box<Activated>),
    /// It waits for a second person.
    Waiting(Box<Proposal>),
}

/// Brings a change into force, or keeps it until a second person approves where that is asked.
pub fn submit_change(
    context: &Context,
    change: &ChangeRequest,
    allowed: impl Fn(&Files) -> Result<(), OperationError>,
) -> Result<ActivationOutcome, OperationError> {
    if context.four_eyes {
        return proposals::keep_waiting(context, change, allowed)
            .map(|kept| ActivationOutcome::Waiting(Box::new(kept)));
    }
    activate_change(context, change, allowed)
        .map(|active| ActivationOutcome::Active(Box::new(active)))
}

/// Brings a change into force, if `allowed` still holds when its turn has come.
pub fn activate_change(
    context: &Context,
    change: &ChangeRequest,
    allowed: impl Fn(&Files) -> Result<(), OperationError>,
) -> Result<Activated, OperationError> {
    let (checked, _turn) = validate_in_turn(context, change, &allowed)?;
    put_in_force(context, checked, change)
}

/// The change checked and guarded, and the turn in which that holds.
///
/// A check may take long: it is made before the turn, on what is in force by then, and made again
/// where something else has come into force meanwhile.
pub(super) fn validate_in_turn<'a>(
    context: &'a Context,
    change: &ChangeRequest,
    allowed: &dyn Fn(&Files) -> Result<(), OperationError>,
) -> Result<(CheckedRuleset, MutexGuard<'a, ()>), OperationError> {
    for _ in 0..ACTIVATION_CHECKS_MAX {
        let current = context.ruleset.load_full();
        guards::check_base(&current, change)?;
        allowed(&current.files)?;

        let columns = candidate::known_columns(context)?;
        let files = with_changes(&current.files, &change.files);
        let candidate = candidate::build_candidate(context, &files, change.files.keys());

        let turn = context.door.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = !Arc::ptr_eq(&current, &context.ruleset.load_full());
        if moved || columns != candidate::known_columns(context)? {
            continue;
        }

        // Once more with the turn: a proposal may have been thrown away while this one waited.
        allowed(&current.files)?;
        let judged = validate_candidate(context, &current, candidate, change);
        if judged.is_err() {
            context.surroundings.note_refusal();
        }
        return judged.map(|checked| (checked, turn));
    }

    let detail = format!(
        "the definitions changed {ACTIVATION_CHECKS_MAX} times while this change was checked \
             (ACTIVATION_CHECKS_MAX); send it again"
    );
    Err(OperationError::conflict("base_moved", detail))
}

/// What was found about the change, where no guard keeps it out; writes nothing but a refusal.
fn validate_candidate(
    context: &Context,
    current: &Ruleset,
    candidate: Result<CheckedRuleset, OperationError>,
    change: &ChangeRequest,
) -> Result<CheckedRuleset, OperationError> {
    let refused = match candidate {
        Ok(checked) => {
            let moved = guards::enforce_limits(context, current, &checked.ruleset, change)?;
            return Ok(CheckedRuleset { money: moved.money_effect(), ..checked });
        }
        Err(OperationError::Check(diagnostics)) => diagnostics,
        Err(problem) => return Err(problem),
    };

    tracing::warn!(
        activation.source = change.terms.source,
        activation.errors = refused.len(),
        ruleset.hash = %current.hash,
        "change refused; the ruleset in force stays"
    );

    // The refusal is kept, so that the author sees later what was wrong.
    let diagnostics = serde_json::to_value(&refused).unwrap_or_default();
    let activation = activation_row(context, &current.hash, change);
    let kept = context.ledger.record_refusal(&ChangeRefusal { activation, diagnostics });
    kept?;

    Err(OperationError::Check(refused))
}

fn put_in_force(
    context: &Context,
    checked: CheckedRuleset,
    change: &ChangeRequest,
) -> Result<Activated, OperationError> {
    let ruleset = Arc::new(checked.ruleset);
    let use_secrets = context.surroundings.secrets_of(&context.ledger, &ruleset)?;

    let plans = ruleset.plan_hashes();
    let restated = rewards::restated_periods(
        context,
        &context.ruleset.load(),
        (&ruleset, change.terms.effective),
    )?;

    let money = checked.money;
    let row = Activation {
        cases: checked.cases,
        plans,
        restated,
        money: (!money.is_none()).then(|| money.clone()),
        ..activation_row(context, &ruleset.hash, change)
    };
    let row = record_activation(context, &ruleset, row)?;

    let hash = ruleset.hash;
    use_secrets();
    swap_ruleset(context, ruleset, row.sequence);

    if money.is_none() {
        tracing::info!(ruleset.hash = %hash, activation.source = change.terms.source, "ruleset in force");
    } else {
        tracing::warn!(
            ruleset.hash = %hash,
            activation.source = change.terms.source,
            activation.effective = %change.terms.effective,
            activation.money = %money,
            "ruleset in force, and it moves money"
        );
    }
    context.surroundings.note_activation();

    Ok(Activated { ruleset: hash.into(), activation: row.sequence, money })
}

/// Makes a ruleset that is recorded the one that the next transaction takes.
fn swap_ruleset(context: &Context, ruleset: Arc<Ruleset>, activation: u64) {
    // Requested before the new rules are visible, so that no reader sees the work as finished.
    context.redrives.add_request();
    let routes = routes_to(&ruleset.settings.destinations);
    context.put_in_force(ruleset);
    // Behind it: an event for a destination that the ruleset does not name yet would be a dead letter.
    context.ledger.route_events(routes);
    context.activation.store(activation, Ordering::Release);
    // Once more: a try that began in between used the rules from before.
    context.redrives.add_request();
}

/// Records an activation; where the store cannot tell whether it did, it is looked up.
fn record_activation(
    context: &Context,
    ruleset: &Ruleset,
    row: Activation,
) -> Result<Activation, StoreError> {
    let (hash, at_ms) = (row.ruleset.clone(), row.at_ms);
    let error = match context.ledger.record_activation(&ruleset.files, row) {
        Err(error @ StoreError::Unknown(_)) => error,
        other => return other,
    };

    for _ in 0..UNKNOWN_LOOKS {
        std::thread::sleep(UNKNOWN_PAUSE);
        let Ok(mut activations) = context.ledger.list_activations() else { continue };
        let last = activations.pop();
        let last = last.filter(|last| (&last.ruleset, last.at_ms) == (&hash, at_ms));
        return last.ok_or(error);
    }
    Err(error)
}

fn activation_row(context: &Context, ruleset: &str, change: &ChangeRequest) -> Activation {
    Activation {
        ruleset: ruleset.to_owned(),
        at_ms: context.now_ms(),
        terms: change.terms.clone(),
        files: change.files.keys().cloned().collect(),
        change: change.proposal,
        approved_by: change.approved_by.clone(),
        ..Activation::default()
    }
}
