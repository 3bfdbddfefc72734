//! Changes as people send them: previewed, made, kept as a draft, and the way back to an earlier set.
//!
//! Not their files one by one (`rules`) and not the door itself (`activation`). Called by the host.
//! Source: DESIGN section 5.

use accredit_crediting::impact::ImpactReport;
use accredit_domain::diagnostic::{Diagnostic, Severity};
use accredit_domain::limits::MoneyEffect;
use accredit_ledger::definitions::Effective;
use accredit_ledger::terms::ChangeTerms;
use accredit_workspace::Ruleset;
use serde::Serialize;
use utoipa::ToSchema;

use super::people::{self, PeopleReport};
use super::{ActivationOutcome, ChangeRequest, proposals, submit_change};
use crate::candidate::{self, with_changes};
use crate::context::Context;
use crate::coverage::{self, PolicyCoverage};
use crate::effect;
use crate::error::OperationError;
use crate::preview::{self, DefinitionChanges};
use crate::replay::{self, ReplayImpact};

/// What a change would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangePreview {
    /// The hash of the ruleset in force.
    pub base: String,
    /// Whether the server still decides, so that amounts will differ.
    pub unfinished: bool,
    /// The hash of the ruleset that the change makes.
    pub ruleset: String,
    /// What the change means for credits that exist: `now`, `recredit` or `from:2026-01-31`.
    pub effective: Effective,
    /// What is odd in the files that change, or became odd elsewhere by the change, and keeps nothing out; at
    /// most 500.
    pub warnings: Vec<Diagnostic>,
    /// How many more there are.
    pub warnings_left_out: usize,
    /// How many cases ran, all of which passed.
    pub cases: usize,
    /// What the cases reach of the policies that it brings; null where it brings none.
    pub coverage: Option<PolicyCoverage>,
    /// The files and rules that differ.
    pub changes: DefinitionChanges,
    /// What the recorded transactions would be credited.
    pub impact: ImpactReport,
    /// What an activation would change in the books at once.
    pub booked: ImpactReport,
    /// Who would be removed with credits, and who would be paid less.
    pub people: PeopleReport,
    /// The money that the change would move.
    pub money: MoneyEffect,
    /// The limit that is exceeded, in words.
    pub stop_loss: Option<String>,
}

/// Warnings that a preview lists at most.
const WARNINGS_MAX: usize = 500;

/// What a change whose files were compared with `current` would change; nothing is written.
///
/// # Errors
/// [`OperationError::Conflict`] when another ruleset is in force than its base,
/// [`OperationError::Check`] when check or a case finds errors.
pub fn preview_change(
    context: &Context,
    current: &Ruleset,
    change: &ChangeRequest,
) -> Result<ChangePreview, OperationError> {
    if change.base.as_ref().is_some_and(|base| **base != *current.hash) {
        let detail = format!("`{}` is now in force", current.hash);
        return Err(OperationError::conflict("base_moved", detail));
    }

    let files = with_changes(&current.files, &change.files);
    let checked = candidate::build_candidate(context, &files, change.files.keys())?;
    let (new, effective) = (&checked.ruleset, change.terms.effective);

    let ReplayImpact { impact, booked } = replay::change_impact(context, current, new, effective)?;
    let moved = effect::money_change(context, current, new, effective)?;

    let mut warnings = warnings_of(context, current, change, checked.warnings)?;
    let warnings_left_out = warnings.len().saturating_sub(WARNINGS_MAX);
    warnings.truncate(WARNINGS_MAX);

    let ledger = &context.ledger;
    let unfinished = ledger.pending_recredit()?.is_some() || ledger.pending_count()? > 0;

    Ok(ChangePreview {
        base: current.hash.to_string(),
        unfinished,
        ruleset: new.hash.to_string(),
        effective,
        cases: checked.cases,
        coverage: coverage::policy_coverage(context, &files, &change.files)?,
        changes: preview::describe_changes(&current.files, &files),
        impact: impact.to_report(),
        booked: booked.to_report(),
        people: people::people_report(context, current, new)?,
        money: moved.money_effect(),
        stop_loss: moved.exceeded_limit(&change.terms.limits),
        warnings,
        warnings_left_out,
    })
}

/// The warnings of a change among what was found: those of its files, and those of others that were not there
/// before, such as a quota whose plan goes.
fn warnings_of(
    context: &Context,
    current: &Ruleset,
    change: &ChangeRequest,
    mut found: Vec<Diagnostic>,
) -> Result<Vec<Diagnostic>, OperationError> {
    let touched = |one: &Diagnostic| change.files.contains_key(&one.place.file);
    found.retain(|one| one.severity == Severity::Warning);

    if !found.iter().all(touched) {
        let (_, before) = Ruleset::read(&current.files, &candidate::known_columns(context)?);
        found.retain(|one| touched(one) || !before.contains(one));
    }

    found.sort();
    Ok(found)
}

/// Makes a change whose files were compared with `current`, or keeps it where it is a draft or needs
/// a second person.
///
/// # Errors
/// [`OperationError::Conflict`] when nothing would change, and as [`submit_change`].
pub fn make_change(
    context: &Context,
    current: &Ruleset,
    mut change: ChangeRequest,
    draft: bool,
) -> Result<ActivationOutcome, OperationError> {
    if draft {
        let kept = proposals::keep_draft(context, &change)?;
        return Ok(ActivationOutcome::Waiting(Box::new(kept)));
    }

    // Without files, but with an effective choice, credits are decided again by what is in force.
    let asks_nothing = change.files.is_empty() && change.terms.effective == Effective::Now;
    if asks_nothing && change.base.as_deref().is_none_or(|base| *base == *current.hash) {
        let detail = "these files are already in force; set `effective` to decide credits again";
        return Err(OperationError::conflict("nothing_changes", detail));
    }

    // A change of all files was read against this ruleset and no other.
    change.base.get_or_insert_with(|| current.hash.to_string());
    submit_change(context, &change, |_| Ok(()))
}

/// Brings an earlier set of files back: the one before, or the one of the ruleset `to`.
///
/// # Errors
/// [`OperationError::Conflict`] when there is no earlier set or it is in force already,
/// [`OperationError::NotFound`] when `to` never was, and as [`submit_change`].
pub fn roll_back(
    context: &Context,
    to: Option<String>,
    terms: ChangeTerms,
) -> Result<ActivationOutcome, OperationError> {
    let current = context.ruleset.load_full();
    let to = to.map_or_else(|| earlier_ruleset(context, &current), Ok)?;
    let files = context.ledger.files_of(&to)?;
    let files = files.ok_or_else(|| OperationError::not_found("earlier set"))?;

    let why = terms.why.unwrap_or_else(|| format!("back to {to}"));
    let change = ChangeRequest {
        files: preview::diff_files(&current.files, &files),
        terms: ChangeTerms { why: Some(why), rollback: true, ..terms },
        base: Some(current.hash.to_string()),
        ..ChangeRequest::default()
    };

    if change.files.is_empty() {
        let detail = "this version is already in force";
        return Err(OperationError::conflict("nothing_changes", detail));
    }
    submit_change(context, &change, |_| Ok(()))
}

/// The ruleset that was in force before this one.
fn earlier_ruleset(context: &Context, current: &Ruleset) -> Result<String, OperationError> {
    let activations = context.ledger.list_activations()?;
    let mut others = activations.into_iter().rev().map(|one| one.ruleset);
    let other = others.find(|ruleset| **ruleset != *current.hash);
    other.ok_or_else(|| OperationError::conflict("no_earlier", "there is no earlier version"))
}
