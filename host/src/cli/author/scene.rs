//! One transaction of a directory with everything that a program may see beside it: what `eval` and
//! `repl` look at.
//!
//! Not a decision: the credits that a program sees come from `engine::explain`, which decides. Called
//! by `eval` and `repl`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::pipeline::{self, DecidedPlan, ExplainLevel};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::credit::Credit;
use accredit_domain::credit::posted::CreditKind;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::money;
use accredit_domain::transaction::{NameColumns, Record, Transaction, read};
use accredit_script::{ExistingCredits, Machine, ReceiverView, ReferenceData, ScriptArguments};
use accredit_workspace::{Ruleset, known_columns};

use crate::cli::print::output::EXIT_FAILED;
use crate::cli::print::report;
use crate::directory;

/// A directory, read and understood.
pub(crate) struct ScriptFixture {
    /// What decides.
    pub(crate) ruleset: Ruleset,
    /// The latest version of every transaction.
    pub(crate) transactions: Vec<Arc<Transaction>>,
    /// Every column that is known.
    pub(crate) columns: BTreeSet<String>,
}

/// One transaction with its credit, receiver and earlier credits.
pub(crate) struct FixtureContext {
    /// The transaction.
    pub(crate) tx: Arc<Transaction>,
    /// The columns of its default credit in the plan.
    pub(crate) default_names: NameColumns,
    /// What programs read of the ruleset.
    pub(crate) reference: Arc<ReferenceData>,
    /// The credit in question.
    pub(crate) credit: Option<Credit>,
    /// The recipient or receiver.
    pub(crate) to: Option<ReceiverView>,
    /// Earlier credits.
    pub(crate) existing: Vec<Credit>,
}

impl FixtureContext {
    /// What a program sees of it.
    pub(crate) fn script_arguments(&self) -> ScriptArguments<'_> {
        ScriptArguments {
            tx: &self.tx,
            default_names: self.default_names,
            reference: &self.reference,
            credit: self.credit.as_ref(),
            to: self.to.as_ref(),
            existing: ExistingCredits { own: &self.existing, ..ExistingCredits::default() },
        }
    }
}

/// What is asked for beside the transaction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FixtureRequest<'a> {
    /// Only credits of this plan.
    pub(crate) plan: Option<&'a str>,
    /// This credit, instead of the first direct one.
    pub(crate) credit: Option<&'a str>,
    /// Whether a candidate that rolled is wanted, with its receiver.
    pub(crate) rolled: bool,
}

impl ScriptFixture {
    /// Reads the directory; prints what is wrong and gives the exit code otherwise.
    pub(crate) fn read_directory(
        dir: &Path,
        transactions: Option<PathBuf>,
    ) -> Result<ScriptFixture, u8> {
        let own = dir.join("transactions");
        let path = transactions.or_else(|| own.is_dir().then_some(own));

        let read = || {
            let files = directory::read_definitions(dir)?;
            let layout = accredit_workspace::transaction_layout(&files);
            let rows =
                path.as_deref().map(|path| directory::read_rows(path, &layout)).transpose()?;
            let rows = rows.unwrap_or_default();
            Ok::<_, directory::DirectoryError>((files, rows))
        };

        let (files, rows) = read().map_err(|error| {
            eprintln!("error: {error}");
            EXIT_FAILED
        })?;
        let (ruleset, found) = Ruleset::read(&files, &rows.columns);

        let Some(ruleset) = ruleset else {
            let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
            eprint!("{}", report::render_report(&files, &errors));
            return Err(EXIT_FAILED);
        };

        let transactions = calculation::latest_versions(&ruleset, &rows.records, None);
        let columns = known_columns(&ruleset.settings.fields, &rows.columns);

        Ok(ScriptFixture { ruleset, transactions, columns })
    }

    /// The transaction with this natural key, or the one that this JSON object is.
    ///
    /// # Errors
    /// What to tell the user.
    pub(crate) fn find_transaction(&self, wanted: &str) -> Result<Arc<Transaction>, String> {
        if wanted.trim_start().starts_with(['{', '[']) {
            let records: Vec<Record> =
                read::read_json(wanted.as_bytes()).map_err(|error| error.message)?;
            let found =
                calculation::latest_versions(&self.ruleset, &records, None).into_iter().next();
            return found.ok_or_else(|| "there is no transaction in it".to_owned());
        }

        let mut known = self.transactions.iter();
        let found = known.find(|transaction| &*transaction.id == wanted).cloned();
        found.ok_or_else(|| format!("there is no transaction `{wanted}`"))
    }

    /// The transaction with its credit, receiver and earlier credits.
    pub(crate) fn script_context(
        &self,
        transaction: &Arc<Transaction>,
        wanted: FixtureRequest<'_>,
    ) -> FixtureContext {
        let plan = wanted.plan.and_then(|plan| self.ruleset.plans.get(plan));
        let names = plan.map_or(NameColumns::Owner, |plan| plan.measure.default_names());

        let decided = self.decided_plan(transaction, wanted.plan);
        let entries = decided.as_ref().map(DecidedPlan::to_entries).unwrap_or_default();
        let credits = decided.map(|decided| decided.credits).unwrap_or_default();
        let kind = if wanted.rolled { CreditKind::Indirect } else { CreditKind::Direct };
        let place = entries.iter().position(|entry| match wanted.credit {
            Some(id) => entry.id.to_string() == id,
            None => entry.kind == kind,
        });

        // Where nothing rolled, the first credit stands for the candidate.
        let place = place.or_else(|| (wanted.rolled && !credits.is_empty()).then_some(0));
        let source = place.and_then(|place| entries.get(place)).and_then(|entry| entry.source);
        let source = entries.iter().position(|entry| Some(entry.id) == source);

        // Programs see amounts as they are shown.
        let shown = |credit: &Credit| {
            let amount = money::at_scale(credit.amount, credit.unit.scale);
            Credit { amount, ..credit.clone() }
        };
        let at = |place: Option<usize>| place.and_then(|place| credits.get(place)).map(shown);
        let credit = at(place);

        FixtureContext {
            tx: Arc::clone(transaction),
            default_names: names,
            reference: Arc::clone(&self.ruleset.reference),
            to: credit.as_ref().map(receiver_view),
            credit: if wanted.rolled { at(source).or(credit) } else { credit },
            existing: credits.iter().take(place.unwrap_or(0)).map(shown).collect(),
        }
    }

    /// What the first plan that credits it decides.
    fn decided_plan(
        &self,
        transaction: &Arc<Transaction>,
        plan: Option<&str>,
    ) -> Option<DecidedPlan> {
        let mut machine = Machine::new(&self.ruleset.programs);
        let inputs = DecisionInputs::default();

        let plans = self.ruleset.plans.values();
        let mut plans = plans.filter(|known| plan.is_none_or(|plan| plan == &*known.id));
        plans.find_map(|plan| {
            let no = ExplainLevel::No;
            let decided =
                pipeline::decide_plan(&self.ruleset, plan, transaction, &inputs, &mut machine, no);
            (!decided.credits.is_empty()).then_some(decided)
        })
    }
}

fn receiver_view(credit: &Credit) -> ReceiverView {
    ReceiverView {
        position: credit.position,
        title: credit.title,
        payee: credit.payee,
        team: credit.team,
        relationship: credit.relationship,
        via: credit.via,
        level: credit.level,
    }
}
