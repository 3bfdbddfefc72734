//! One transaction of a directory with everything that a program may see beside it: what `eval` and
//! `repl` look at.
//!
//! Not a decision: the credits that a program sees come from `engine::explain`, which decides. Called
//! by `eval` and `repl`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::explain::explain_in_plan;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::calendar::PeriodKind;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::transaction::{NameColumns, Record, Transaction, read};
use accredit_script::{CreditView, Machine, ReceiverView, ScriptArguments, TransactionView};
use accredit_workspace::{Ruleset, known_columns};
use rust_decimal::Decimal;
use serde_json::Value as Json;

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
    pub(crate) tx: Arc<TransactionView>,
    /// The credit in question.
    pub(crate) credit: Option<Arc<CreditView>>,
    /// The recipient or receiver.
    pub(crate) to: Option<Arc<ReceiverView>>,
    /// Earlier credits.
    pub(crate) existing: Vec<Arc<CreditView>>,
}

impl FixtureContext {
    /// What a program sees of it.
    pub(crate) fn script_arguments(&self) -> ScriptArguments<'_> {
        ScriptArguments {
            tx: &self.tx,
            credit: self.credit.as_ref(),
            to: self.to.as_ref(),
            existing: &self.existing,
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
        let calendar = &self.ruleset.settings.calendar;
        let date = transaction.incentive_date().ok();
        let period = date.and_then(|date| calendar.period_on(date, PeriodKind::Leaf));

        let plan = wanted.plan.and_then(|plan| self.ruleset.plans.get(plan));
        let names = plan.map_or(NameColumns::Owner, |plan| plan.measure.default_names());

        let tx = Arc::new(TransactionView {
            transaction: Arc::clone(transaction),
            period: period.map(|period| Arc::from(period.id)),
            default_credit: Arc::from(transaction.joined_names(names)),
            exchange: Arc::clone(&self.ruleset.exchange),
            reference: Arc::clone(&self.ruleset.reference),
        });

        let rows = self.credit_rows(transaction, wanted.plan);
        let is = |row: &Json, key: &str, value: &str| row[key] == *value;
        let kind = if wanted.rolled { "indirect" } else { "direct" };
        let place = rows.iter().position(|row| match wanted.credit {
            Some(id) => is(row, "id", id),
            None => is(row, "kind", kind),
        });

        // Where nothing rolled, the first credit stands for the candidate.
        let place = place.or_else(|| (wanted.rolled && !rows.is_empty()).then_some(0));
        let row = place.and_then(|place| rows.get(place));
        let source = row.and_then(|row| rows.iter().find(|other| other["id"] == row["source"]));

        let view = |row: &Json| Arc::new(self.credit_view(row, transaction));
        let before = rows.iter().take(place.unwrap_or(0));
        let credit = if wanted.rolled { source.or(row) } else { row };

        FixtureContext {
            tx,
            credit: credit.map(view),
            to: row.map(|row| Arc::new(receiver_view(&self.credit_view(row, transaction)))),
            existing: before.map(view).collect(),
        }
    }

    /// The credits of the first plan that credits it, as rows.
    fn credit_rows(&self, transaction: &Arc<Transaction>, plan: Option<&str>) -> Vec<Json> {
        let mut machine = Machine::new(&self.ruleset.programs);
        let inputs = DecisionInputs::default();
        let plans = self.ruleset.plans.values();
        let mut plans = plans.filter(|known| plan.is_none_or(|plan| plan == &*known.id));
        let credits = plans.find_map(|plan| {
            let explained =
                explain_in_plan(&self.ruleset, plan, transaction, &inputs, &mut machine);
            (!explained.credits.is_empty()).then_some(explained.credits)
        });

        let credits = credits.unwrap_or_default();
        credits.iter().filter_map(|row| serde_json::to_value(row).ok()).collect()
    }

    /// A row as scripts see it.
    fn credit_view(&self, row: &Json, transaction: &Transaction) -> CreditView {
        let text = |key: &str| row[key].as_str().map(Arc::<str>::from);
        let needed = |key: &str| text(key).unwrap_or_else(|| Arc::from(""));

        let organization = &self.ruleset.organization;
        let position = row["position"].as_str().and_then(|id| organization.find_position(id));
        let version = position.zip(transaction.incentive_date().ok());
        let version = version.and_then(|(position, date)| organization.version_on(position, date));
        let number = |key: &str| row[key].as_str().and_then(|text| text.parse::<Decimal>().ok());

        CreditView {
            amount: number("amount").unwrap_or_default(),
            unit_type: needed("unit_type"),
            credit_type: needed("credit_type"),
            kind: if row["kind"] == "indirect" { "indirect" } else { "direct" },
            position: text("position"),
            title: version.map(|version| Arc::clone(&version.title)),
            payee: text("payee"),
            team: text("team"),
            rule: needed("rule"),
            result: needed("result"),
            period: needed("period"),
            relationship: text("relationship"),
            via: text("via"),
            level: row["level"].as_u64().and_then(|level| u32::try_from(level).ok()),
            weight: number("share"),
        }
    }
}

fn receiver_view(credit: &CreditView) -> ReceiverView {
    ReceiverView {
        position: credit.position.clone(),
        title: credit.title.clone(),
        payee: credit.payee.clone(),
        team: credit.team.clone(),
        relationship: credit.relationship.clone(),
        via: credit.via.clone(),
        level: credit.level,
    }
}
