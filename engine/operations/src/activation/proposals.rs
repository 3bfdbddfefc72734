//! Changes that are kept: drafts, and those that wait for a second person's approval.
//!
//! Called by the HTTP handlers and by the door itself where four eyes are asked for.
//!
//! **Architecture invariant:** no person approves their own change, and what is approved is
//! activated through the same door, against the ruleset that it was made for.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use accredit_ledger::changes::{Proposal, ProposalState};
use accredit_ledger::definitions::content_hash;
use accredit_ledger::terms::ChangeTerms;
use accredit_workspace::Files;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Activated, ChangeRequest};
use crate::activation::guards;
use crate::candidate::{self, with_changes};
use crate::context::Context;
use crate::error::OperationError;
use crate::shadow;

fn can_be_activated(kept: &Proposal) -> Result<(), OperationError> {
    if kept.can_be_activated() {
        return Ok(());
    }
    let detail = match kept.state {
        ProposalState::Draft => "check found errors in it: fix them and send it again",
        ProposalState::Withdrawn => "it was withdrawn",
        _ => "it was activated already",
    };
    Err(OperationError::conflict("not_waiting", detail))
}

/// Keeps a sound change until another person approves it.
pub(super) fn keep_waiting(
    context: &Context,
    change: &ChangeRequest,
    allowed: impl Fn(&Files) -> Result<(), OperationError>,
) -> Result<Proposal, OperationError> {
    let (checked, _turn) = super::validate_in_turn(context, change, &allowed)?;
    let ruleset = Some(checked.ruleset.hash.to_string());
    let money = (!checked.money.is_none()).then_some(checked.money);
    let kept =
        Proposal { ruleset, money, state: ProposalState::Waiting, ..proposal_of(context, change) };
    Ok(context.ledger.store_proposal(kept, &change.files)?)
}

/// Keeps a change without activating it, sound or not.
pub fn keep_draft(context: &Context, change: &ChangeRequest) -> Result<Proposal, OperationError> {
    let _turn = context.door.lock().unwrap_or_else(PoisonError::into_inner);
    let current = context.ruleset.load_full();
    guards::check_base(&current, change)?;

    let files = with_changes(&current.files, &change.files);
    let mut kept = proposal_of(context, change);

    match candidate::build_candidate(context, &files, change.files.keys()) {
        Ok(checked) => {
            kept.state = ProposalState::Checked;
            kept.ruleset = Some(checked.ruleset.hash.to_string());
        }
        Err(OperationError::Check(found)) => {
            kept.diagnostics = serde_json::to_value(found).unwrap_or_default();
        }
        Err(refused) => return Err(refused),
    }

    Ok(context.ledger.store_proposal(kept, &change.files)?)
}

fn proposal_of(context: &Context, change: &ChangeRequest) -> Proposal {
    let current = context.ruleset.load();
    Proposal {
        at_ms: context.now_ms(),
        terms: change.terms.clone(),
        base: current.hash.to_string(),
        replaces: Some(hashes_of(&current.files, change.files.keys())),
        ..Proposal::default()
    }
}

/// The paths with the hash of what `files` has there, or none where it has nothing.
fn hashes_of<'a>(
    files: &Files,
    paths: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, Option<String>> {
    let hash = |path: &String| files.get(path).map(|text| content_hash(text));
    paths.map(|path| (path.clone(), hash(path))).collect()
}

/// Refuses a kept change one of whose files was changed since: the ruleset has the same hash where only cases
/// were changed, and the approval would take the place of what nobody saw.
fn check_replaced_files(kept: &Proposal, files: &Files) -> Result<(), OperationError> {
    let Some(replaces) = &kept.replaces else { return Ok(()) };
    if hashes_of(files, replaces.keys()) == *replaces {
        return Ok(());
    }
    let detail = "a file of it has changed since, perhaps a case file; send the change again";
    Err(OperationError::conflict("base_moved", detail))
}

/// Activates a kept change; `who` approves it where four eyes are asked for.
pub fn carry_out(context: &Context, id: u64, who: &str) -> Result<Activated, OperationError> {
    let Some(kept) = context.ledger.find_proposal(id)? else {
        return Err(OperationError::not_found("change"));
    };

    can_be_activated(&kept)?;
    if context.four_eyes && kept.terms.who == who {
        let detail = format!("`{who}` made this change; another person must approve it");
        return Err(OperationError::forbidden("four_eyes", detail));
    }

    let why = match (&kept.terms.why, context.four_eyes) {
        (Some(why), true) => Some(format!("{why} (approved by {who})")),
        (None, true) => Some(format!("approved by {who}")),
        (why, false) => why.clone(),
    };

    let change = ChangeRequest {
        files: context.ledger.proposal_texts(&kept)?,
        terms: ChangeTerms { why, source: "api".to_owned(), ..kept.terms.clone() },
        base: Some(kept.base.clone()),
        proposal: Some(id),
        approved_by: Some(who.to_owned()),
        ..ChangeRequest::default()
    };

    // A person may have thrown it away while this one waited for its turn.
    let still = |files: &Files| {
        check_replaced_files(&kept, files)?;
        let kept = context.ledger.find_proposal(id)?;
        kept.as_ref().map_or_else(|| Err(OperationError::not_found("change")), can_be_activated)
    };

    let activated = super::activate_change(context, &change, still)?;
    shadow::end_of(context, id, who)?;
    Ok(activated)
}

/// A file of a kept change, before it and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangedText {
    /// Its path.
    pub path: String,
    /// The text in the set that the change was made for; null where the file is new.
    pub before: Option<String>,
    /// The text that the change brings; null where the file goes.
    pub after: Option<String>,
}

/// The texts of a kept change beside those of the set that it was made for, by path.
///
/// # Errors
/// When the data cannot be read, or a text is not there any more.
pub fn changed_texts(
    context: &Context,
    kept: &Proposal,
) -> Result<Vec<ChangedText>, OperationError> {
    let before = texts_before(context, kept)?;

    let texts = context.ledger.proposal_texts(kept)?.into_iter();
    let changed = texts.map(|(path, after)| {
        let before = before.get(&path).map(ToString::to_string);
        ChangedText { path, before, after: after.map(|text| text.to_string()) }
    });
    Ok(changed.collect())
}

/// The files that a kept change takes the place of; of one that an earlier version kept, all files of the
/// set that it was made for.
fn texts_before(context: &Context, kept: &Proposal) -> Result<Files, OperationError> {
    let Some(replaces) = &kept.replaces else {
        // Kept by an earlier version: the set is found by its ruleset, which knows no case files.
        let current = context.ruleset.load_full();
        if *kept.base == *current.hash {
            return Ok(current.files.clone());
        }
        let files = context.ledger.files_of(&kept.base)?;
        return files.ok_or_else(|| OperationError::not_found("set that the change was made for"));
    };

    let mut files = Files::new();
    for (path, hash) in replaces {
        let Some(hash) = hash else { continue };
        let text = context.ledger.find_file_text(hash)?;
        let text = text.ok_or_else(|| OperationError::not_found("text before the change"))?;
        files.insert(path.clone(), text);
    }
    Ok(files)
}

/// Throws a kept change away.
pub fn withdraw_proposal(
    context: &Context,
    id: u64,
    who: &str,
) -> Result<Proposal, OperationError> {
    let _turn = context.door.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = context.ledger.find_proposal(id)?;
    let mut kept = kept.ok_or_else(|| OperationError::not_found("change"))?;

    if kept.state == ProposalState::Withdrawn {
        return Ok(kept);
    }
    if kept.state == ProposalState::Active {
        return Err(OperationError::conflict("active", "the change was carried out already"));
    }

    kept.state = ProposalState::Withdrawn;
    let update = context.ledger.update_proposal(&kept, who, "withdrawn", context.now_ms());
    update?;
    shadow::end_of(context, id, who)?;

    Ok(kept)
}
