//! The one door by which a new ruleset comes into force: API, watcher and first start all use it.
//!
//! Not reading of a disk (`watch`) and not checking (the engine). What keeps a sound ruleset out all
//! the same is in `guards`; what waits for a second person, in `proposals`; an activation that became
//! durable after its answer, in `follow`.
//!
//! **Architecture invariant:** an activation is checked, then committed, then one pointer is
//! stored; a refused one changes nothing and stays visible.

mod follow;
mod guards;
pub(crate) mod people;
pub(crate) mod proposals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use accredit_cases as cases;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::limits::{Limits, MoneyEffect};
use accredit_ledger::changes::Proposal;
use accredit_ledger::definitions::{Activation, Effective, Refusal};
use accredit_seams::store::Error as StoreError;
use accredit_workspace::{Files, Ruleset};

use crate::http::problem::Problem;
use crate::operations::zone;
use crate::server::secrets::{self, Secrets};
use crate::server::state::Service;

/// How often an activation of unknown outcome is looked up, and the pause before each look.
const UNKNOWN_LOOKS: u32 = 20;
const UNKNOWN_PAUSE: Duration = Duration::from_millis(250);

/// How often a change is checked again because something else came into force meanwhile.
const ACTIVATION_CHECKS_MAX: usize = 8;

/// A wish to change files of the workspace, all together or not at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// New text by path; none removes the file.
    pub(crate) files: BTreeMap<String, Option<Arc<str>>>,
    /// Who wants it.
    pub(crate) who: String,
    /// Why, if said.
    pub(crate) why: Option<String>,
    /// `api`, `watch` or `start`.
    pub(crate) source: &'static str,
    /// The ruleset that the caller has seen, where another one would be a surprise.
    pub(crate) base: Option<String>,
    /// The hash of all files that the caller has seen, case files included.
    pub(crate) set: Option<String>,
    /// The ruleset that it was seen to make.
    pub(crate) makes: Option<String>,
    /// What it means for transactions that are credited already.
    pub(crate) effective: Effective,
    /// Labels to find it by.
    pub(crate) tags: Vec<String>,
    /// Whether it brings back an earlier set.
    pub(crate) rollback: bool,
    /// More money than this must not move.
    pub(crate) limits: Limits,
    /// Why people with credits or rewards may go all the same, if somebody says so.
    pub(crate) force: Option<String>,
    /// The kept change that it carries out.
    pub(crate) proposal: Option<u64>,
    /// Who activates that change.
    pub(crate) approved_by: Option<String>,
}

/// A change that is in force.
#[derive(Debug, Clone)]
pub(crate) struct Activated {
    /// Hash of the ruleset.
    pub(crate) ruleset: Arc<str>,
    /// Number of the activation.
    pub(crate) activation: u64,
    /// What it moves.
    pub(crate) money: MoneyEffect,
}

/// What became of a change that nobody refused.
#[derive(Debug)]
pub(crate) enum Done {
    /// In force.
    Active(Activated),
    /// It waits for a second person.
    Waiting(Box<Proposal>),
}

/// A set of files that check and all cases find sound.
pub(crate) struct Checked {
    /// What it means.
    pub(crate) ruleset: Ruleset,
    /// How many cases ran.
    pub(crate) cases: usize,
    /// What it moves, once it was compared with what is in force.
    pub(crate) money: MoneyEffect,
}

/// A change that is not.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Check or a case found errors.
    Diagnostics(Vec<Diagnostic>),
    /// Something else is there than the caller saw, or it could not be stored.
    Problem(Problem),
}

impl Service {
    /// Brings a change into force, or keeps it until a second person approves where that is asked.
    pub(crate) fn submit(
        &self,
        change: &Change,
        allowed: impl Fn(&Files) -> Result<(), Problem>,
    ) -> Result<Done, Refused> {
        if self.config.four_eyes {
            return self.keep_waiting(change, allowed).map(|kept| Done::Waiting(Box::new(kept)));
        }
        self.activate(change, allowed).map(Done::Active)
    }

    /// Brings a change into force, if `allowed` still holds when its turn has come.
    pub(crate) fn activate(
        &self,
        change: &Change,
        allowed: impl Fn(&Files) -> Result<(), Problem>,
    ) -> Result<Activated, Refused> {
        let (checked, _turn) = self.judged(change, &allowed)?;
        self.put_in_force(checked, change)
    }

    /// The change checked and guarded, and the turn in which that holds.
    ///
    /// A check may take long: it is made before the turn, on what is in force by then, and made again
    /// where something else has come into force meanwhile.
    pub(super) fn judged(
        &self,
        change: &Change,
        allowed: &dyn Fn(&Files) -> Result<(), Problem>,
    ) -> Result<(Checked, MutexGuard<'_, ()>), Refused> {
        for _ in 0..ACTIVATION_CHECKS_MAX {
            let current = self.ruleset.load_full();
            self.expected(&current, change).map_err(Refused::Problem)?;
            allowed(&current.files).map_err(Refused::Problem)?;

            let columns = self.columns()?;
            let files = changed(&current.files, &change.files);
            let candidate = self.candidate(&files, change.files.keys());

            let turn = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            let moved = !Arc::ptr_eq(&current, &self.ruleset.load_full());
            if moved || columns != self.columns()? {
                continue;
            }

            // Once more with the turn: a proposal may have been thrown away while this one waited.
            allowed(&current.files).map_err(Refused::Problem)?;
            let judged = self.judge(&current, candidate, change);
            if judged.is_err() {
                self.metrics.reload("refused");
            }
            return judged.map(|checked| (checked, turn));
        }

        let detail = format!(
            "the definitions changed {ACTIVATION_CHECKS_MAX} times while this change was checked \
             (ACTIVATION_CHECKS_MAX); send it again"
        );
        Err(Refused::Problem(Problem::conflict("base_moved", detail)))
    }

    fn columns(&self) -> Result<BTreeSet<String>, Refused> {
        let columns = self.ledger.columns();
        columns.map_err(|error| Refused::Problem(Problem::internal(&error)))
    }

    /// What was found about the change, where no guard keeps it out; writes nothing but a refusal.
    fn judge(
        &self,
        current: &Ruleset,
        candidate: Result<Checked, Refused>,
        change: &Change,
    ) -> Result<Checked, Refused> {
        let refused = match candidate {
            Ok(checked) => {
                let moved = self.guard(current, &checked.ruleset, change);
                let money = moved.map_err(Refused::Problem)?.effect();
                return Ok(Checked { money, ..checked });
            }
            Err(Refused::Diagnostics(diagnostics)) => diagnostics,
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
        let activation = self.row(&current.hash, change);
        let kept = self.ledger.refuse(&Refusal { activation, diagnostics });
        kept.map_err(|error| Refused::Problem(Problem::internal(&error)))?;

        Err(Refused::Diagnostics(refused))
    }

    /// The ruleset of `files`, if it is sound and this build can serve it; writes nothing.
    pub(crate) fn candidate<'a>(
        &self,
        files: &Files,
        changed: impl Iterator<Item = &'a String>,
    ) -> Result<Checked, Refused> {
        // Columns that were received are known; before any was, a column may have any name.
        let columns = self.columns()?;
        let checked = check(files, &columns, changed).map_err(Refused::Diagnostics)?;
        match self.unusable(&checked.ruleset) {
            None => Ok(checked),
            Some(message) => Err(Refused::Problem(Problem::unprocessable("not_usable", message))),
        }
    }

    fn put_in_force(&self, checked: Checked, change: &Change) -> Result<Activated, Refused> {
        let ruleset = Arc::new(checked.ruleset);
        let secrets = secrets::secrets(&self.ledger, &self.credentials.load(), &ruleset);
        let secrets = secrets.map_err(|error| Refused::Problem(Problem::internal(&error)))?;

        let plans = ruleset.plan_hashes();
        let restated = self.restated(&self.ruleset.load(), &ruleset);
        let restated = restated.map_err(|error| Refused::Problem(Problem::internal(&error)))?;

        let money = checked.money;
        let row = Activation {
            cases: checked.cases,
            plans,
            restated,
            money: (!money.is_none()).then(|| money.clone()),
            ..self.row(&ruleset.hash, change)
        };
        let row = self.record_activation(&ruleset, row);
        let row = row.map_err(|error| Refused::Problem(Problem::internal(&error)))?;

        let hash = Arc::clone(&ruleset.hash);
        self.swap(ruleset, secrets, row.sequence);

        self.metrics.reload("activated");
        if money.is_none() {
            tracing::info!(
                ruleset.hash = %hash, activation.source = change.source, "ruleset in force"
            );
        } else {
            tracing::warn!(
                ruleset.hash = %hash,
                activation.source = change.source,
                activation.effective = %change.effective,
                activation.money = %money,
                "ruleset in force, and it moves money"
            );
        }
        self.orders.wake();

        Ok(Activated { ruleset: hash, activation: row.sequence, money })
    }

    /// Makes a ruleset that is recorded the one that the next transaction takes.
    pub(super) fn swap(&self, ruleset: Arc<Ruleset>, secrets: Secrets, activation: u64) {
        self.secrets.store(Arc::new(secrets));
        // Asked for before anybody can see the new rules, so that nobody finds everything done.
        self.redrives.ask();
        self.ruleset.store(ruleset);
        self.activation.store(activation, Ordering::Release);
        // Once more: a try that began in between used the rules from before.
        self.redrives.ask();
    }

    /// Records an activation; where the store cannot tell whether it did, it is looked up.
    fn record_activation(
        &self,
        ruleset: &Ruleset,
        row: Activation,
    ) -> Result<Activation, StoreError> {
        let (hash, at_ms) = (row.ruleset.clone(), row.at_ms);
        let error = match self.ledger.activate(&ruleset.files, row) {
            Err(error @ StoreError::Unknown(_)) => error,
            other => return other,
        };

        for _ in 0..UNKNOWN_LOOKS {
            std::thread::sleep(UNKNOWN_PAUSE);
            let Ok(mut activations) = self.ledger.activations() else { continue };
            let last = activations.pop();
            let last = last.filter(|last| (&last.ruleset, last.at_ms) == (&hash, at_ms));
            return last.ok_or(error);
        }
        Err(error)
    }

    /// Why a ruleset without errors cannot be served by this build.
    fn unusable(&self, ruleset: &Ruleset) -> Option<String> {
        ruleset.settings.sources.values().find_map(|source| {
            let name = &source.connector;
            let unknown = crate::plugins::connector(name).is_none();
            unknown.then(|| format!("`{name}` is no connector of this build"))
        })
    }

    fn row(&self, ruleset: &str, change: &Change) -> Activation {
        Activation {
            ruleset: ruleset.to_owned(),
            at_ms: self.clock.now_ms(),
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
pub(crate) fn check<'a>(
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
    let money = MoneyEffect::default();
    if sound { Ok(Checked { ruleset, cases, money }) } else { Err(diagnostics) }
}

/// The files with the changes laid over them.
pub(crate) fn changed(files: &Files, changes: &BTreeMap<String, Option<Arc<str>>>) -> Files {
    let mut files = files.clone();
    for (path, text) in changes {
        match text {
            Some(text) => files.insert(path.clone(), Arc::clone(text)),
            None => files.remove(path),
        };
    }
    files
}
