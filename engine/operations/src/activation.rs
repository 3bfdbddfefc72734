//! The one door by which a new ruleset comes into force: API, watcher and first start all use it.
//!
//! Not reading of a disk (`watch`) and not checking (the engine). What keeps a sound ruleset out all
//! the same is in `guards`; what waits for a second person, in `proposals`.
//!
//! **Architecture invariant:** an activation is checked, then committed, then one pointer is
//! stored; a refused one changes nothing and stays visible.

mod guards;
pub mod people;
pub mod proposals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use accredit_cases as cases;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::limits::Limits;
use accredit_ledger::changes::Proposal;
use accredit_ledger::definitions::{Activation, Effective, Refusal};
use accredit_seams::store::Error as StoreError;
use accredit_workspace::{Files, Ruleset};

use crate::context::Context;
use crate::error::Error;
use crate::zone;

/// How often an activation of unknown outcome is looked up, and the pause before each look.
const UNKNOWN_LOOKS: u32 = 20;
const UNKNOWN_PAUSE: Duration = Duration::from_millis(250);

/// How often a change is checked again because something else came into force meanwhile.
const ACTIVATION_CHECKS_MAX: usize = 8;

/// A wish to change files of the workspace, all together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// New text by path; none removes the file.
    pub files: BTreeMap<String, Option<Arc<str>>>,
    /// Who wants it.
    pub who: String,
    /// Why, if said.
    pub why: Option<String>,
    /// `api`, `watch` or `start`.
    pub source: &'static str,
    /// The ruleset that the caller has seen, where another one would be a surprise.
    pub base: Option<String>,
    /// The hash of all files that the caller has seen, case files included.
    pub set: Option<String>,
    /// The ruleset that it was seen to make.
    pub makes: Option<String>,
    /// What it means for transactions that are credited already.
    pub effective: Effective,
    /// Labels to find it by.
    pub tags: Vec<String>,
    /// Whether it brings back an earlier set.
    pub rollback: bool,
    /// More money than this must not move.
    pub limits: Limits,
    /// Why people with credits or rewards may go all the same, if somebody says so.
    pub force: Option<String>,
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
}

/// What became of a change that nobody refused.
#[derive(Debug)]
pub enum Done {
    /// In force.
    Active(Activated),
    /// It waits for a second person.
    Waiting(Box<Proposal>),
}

/// A set of files that check and all cases find sound.
pub struct Checked {
    /// What it means.
    pub ruleset: Ruleset,
    /// How many cases ran.
    pub cases: usize,
}

/// Brings a change into force, or keeps it until a second person approves where that is asked.
pub fn submit(
    context: &Context,
    change: &Change,
    allowed: impl Fn(&Files) -> Result<(), Error>,
) -> Result<Done, Error> {
    if context.four_eyes {
        return crate::activation::proposals::keep_waiting(context, change, allowed)
            .map(|kept| Done::Waiting(Box::new(kept)));
    }
    activate(context, change, allowed).map(Done::Active)
}

/// Brings a change into force, if `allowed` still holds when its turn has come.
pub fn activate(
    context: &Context,
    change: &Change,
    allowed: impl Fn(&Files) -> Result<(), Error>,
) -> Result<Activated, Error> {
    let (checked, _turn) = judged(context, change, &allowed)?;
    put_in_force(context, checked, change)
}

/// The change checked and guarded, and the turn in which that holds.
///
/// A check may take long: it is made before the turn, on what is in force by then, and made again
/// where something else has come into force meanwhile.
pub(super) fn judged<'a>(
    context: &'a Context,
    change: &Change,
    allowed: &dyn Fn(&Files) -> Result<(), Error>,
) -> Result<(Checked, MutexGuard<'a, ()>), Error> {
    for _ in 0..ACTIVATION_CHECKS_MAX {
        let current = context.ruleset.load_full();
        crate::activation::guards::expected(&current, change)?;
        allowed(&current.files)?;

        let columns = known_columns(context)?;
        let files = changed(&current.files, &change.files);
        let candidate = candidate(context, &files, change.files.keys());

        let turn = context.door.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = !Arc::ptr_eq(&current, &context.ruleset.load_full());
        if moved || columns != known_columns(context)? {
            continue;
        }

        // Once more with the turn: a proposal may have been thrown away while this one waited.
        allowed(&current.files)?;
        let judged = judge(context, &current, candidate, change);
        if judged.is_err() {
            context.surroundings.refused();
        }
        return judged.map(|checked| (checked, turn));
    }

    let detail = format!(
        "the definitions changed {ACTIVATION_CHECKS_MAX} times while this change was checked \
             (ACTIVATION_CHECKS_MAX); send it again"
    );
    Err(Error::conflict("base_moved", detail))
}

fn known_columns(context: &Context) -> Result<BTreeSet<String>, Error> {
    Ok(context.ledger.columns()?)
}

/// What was found about the change, where no guard keeps it out; writes nothing but a refusal.
fn judge(
    context: &Context,
    current: &Ruleset,
    candidate: Result<Checked, Error>,
    change: &Change,
) -> Result<Checked, Error> {
    let refused = match candidate {
        Ok(checked) => {
            crate::activation::guards::guard(context, current, &checked.ruleset, change)?;
            return Ok(checked);
        }
        Err(Error::Check(diagnostics)) => diagnostics,
        Err(problem) => return Err(problem),
    };

    tracing::warn!(
        activation.source = change.source,
        activation.errors = refused.len(),
        ruleset.hash = %current.hash,
        "change refused; the ruleset in force stays"
    );

    // The refusal is kept, so that the author sees later what was wrong.
    let diagnostics = serde_json::to_value(&refused).unwrap_or_default();
    let activation = activation_row(context, &current.hash, change);
    let kept = context.ledger.refuse(&Refusal { activation, diagnostics });
    kept?;

    Err(Error::Check(refused))
}

/// The ruleset of `files`, if it is sound and this build can serve it; writes nothing.
pub fn candidate<'a>(
    context: &Context,
    files: &Files,
    changed: impl Iterator<Item = &'a String>,
) -> Result<Checked, Error> {
    // Columns that were received are known; before any was, a column may have any name.
    let columns = known_columns(context)?;
    let checked = check(files, &columns, changed).map_err(Error::Check)?;
    match unusable(context, &checked.ruleset) {
        None => Ok(checked),
        Some(message) => Err(Error::invalid("not_usable", message)),
    }
}

fn put_in_force(context: &Context, checked: Checked, change: &Change) -> Result<Activated, Error> {
    let ruleset = Arc::new(checked.ruleset);
    let use_secrets = context.surroundings.secrets_of(&context.ledger, &ruleset)?;

    let plans = ruleset.plan_hashes();
    let restated = crate::rewards::restated(context, &context.ruleset.load(), &ruleset)?;

    let row = Activation {
        cases: checked.cases,
        plans,
        restated,
        ..activation_row(context, &ruleset.hash, change)
    };
    let row = record_activation(context, &ruleset, row)?;

    let hash = Arc::clone(&ruleset.hash);
    use_secrets();
    // Asked for before anybody can see the new rules, so that nobody finds everything done.
    context.redrives.ask();
    context.ruleset.store(ruleset);
    // Once more: a try that began in between used the rules from before.
    context.redrives.ask();

    tracing::info!(ruleset.hash = %hash, activation.source = change.source, "ruleset in force");
    context.surroundings.activated();

    Ok(Activated { ruleset: hash, activation: row.sequence })
}

/// Records an activation; where the store cannot tell whether it did, it is looked up.
fn record_activation(
    context: &Context,
    ruleset: &Ruleset,
    row: Activation,
) -> Result<Activation, StoreError> {
    let (hash, at_ms) = (row.ruleset.clone(), row.at_ms);
    let error = match context.ledger.activate(&ruleset.files, row) {
        Err(error @ StoreError::Unknown(_)) => error,
        other => return other,
    };

    for _ in 0..UNKNOWN_LOOKS {
        std::thread::sleep(UNKNOWN_PAUSE);
        let Ok(mut activations) = context.ledger.activations() else { continue };
        let last = activations.pop();
        let last = last.filter(|last| (&last.ruleset, last.at_ms) == (&hash, at_ms));
        return last.ok_or(error);
    }
    Err(error)
}

/// Why a ruleset without errors cannot be served by this build.
fn unusable(context: &Context, ruleset: &Ruleset) -> Option<String> {
    ruleset.settings.sources.values().find_map(|source| {
        let name = &source.connector;
        let unknown = context.surroundings.connector(name).is_none();
        unknown.then(|| format!("`{name}` is no connector of this build"))
    })
}

fn activation_row(context: &Context, ruleset: &str, change: &Change) -> Activation {
    Activation {
        ruleset: ruleset.to_owned(),
        at_ms: context.now_ms(),
        who: change.who.clone(),
        why: change.why.clone(),
        source: change.source.to_owned(),
        files: change.files.keys().cloned().collect(),
        effective: change.effective,
        tags: change.tags.clone(),
        change: change.proposal,
        force: change.force.clone(),
        approved_by: change.approved_by.clone(),
        ..Activation::default()
    }
}

/// How many cases there are, and what they find: a change may break the case of a file that it
/// leaves alone.
fn run_cases(files: &Files, columns: &BTreeSet<String>) -> (usize, Vec<Diagnostic>) {
    let cases = files.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    let cases: Vec<(&str, &str)> =
        cases.map(|(path, text)| (path.as_str(), text.as_ref())).collect();
    let options = cases::Options { columns: columns.clone(), ..cases::Options::default() };
    let run = cases::run_all(files, &cases, &options);
    let count = run.files.iter().flat_map(|file| &file.outcomes).map(Vec::len).sum();
    let found = run.files.into_iter().map(|file| match file.outcomes {
        Ok(outcomes) => outcomes.into_iter().flat_map(|outcome| outcome.failures).collect(),
        Err(errors) => errors,
    });
    (count, found.flat_map(|failures: Vec<Diagnostic>| failures).collect())
}

/// The ruleset of `files`, if check and, when anything `changed`, the cases find no error.
pub fn check<'a>(
    files: &Files,
    columns: &BTreeSet<String>,
    changed: impl Iterator<Item = &'a String>,
) -> Result<Checked, Vec<Diagnostic>> {
    let changed: BTreeSet<&str> = changed.map(String::as_str).collect();
    let touched = |one: &Diagnostic| changed.contains(one.place.file.as_str());

    let (mut ruleset, mut diagnostics) = Ruleset::read(files, columns);

    if ruleset.is_none() {
        // A file in force may read a column that nobody has delivered yet: that is for check to
        // say about a file that changes, not a reason to keep others from changing.
        let (any_column, findings) = Ruleset::read(files, &BTreeSet::new());
        diagnostics.retain(|one| touched(one) || findings.contains(one));
        if !diagnostics.iter().any(Diagnostic::is_error) {
            ruleset = any_column;
        }
    }

    let Some(ruleset) = ruleset else { return Err(diagnostics) };

    // Without a change these are files that were activated, whose cases held then.
    let mut cases = 0;
    if !changed.is_empty() {
        diagnostics.extend(zone::unknown(&ruleset));
        let (count, findings) = run_cases(files, columns);
        diagnostics.extend(findings);
        cases = count;
    }

    let sound = !diagnostics.iter().any(Diagnostic::is_error);
    if sound { Ok(Checked { ruleset, cases }) } else { Err(diagnostics) }
}

/// The files with the changes laid over them.
pub fn changed(files: &Files, changes: &BTreeMap<String, Option<Arc<str>>>) -> Files {
    let mut files = files.clone();
    for (path, text) in changes {
        match text {
            Some(text) => files.insert(path.clone(), Arc::clone(text)),
            None => files.remove(path),
        };
    }
    files
}
