//! Stands in for parts of the engine that are being written: the ledger, the pipeline, machines and
//! reading of a workspace. Everything in this file goes away when they are merged.
#![allow(missing_docs, dead_code, reason = "replaced by the engine")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use accredit_engine::calendar::Calendar;
use accredit_engine::decision::{CreditRow, Decision, Note, Outcome, Resolution};
use accredit_engine::diagnostic::{Diagnostic, Place};
use accredit_engine::policy::{ProgramId, Programs};
use accredit_engine::transaction::{Fields, Record, Transaction, Value};
use accredit_engine::workspace::{Files, Ruleset, Settings, Source};
use jiff::civil::Date;

// ---- machines, pipeline, workspace -------------------------------------------------------------

pub(crate) struct Machine;

impl Machine {
    pub(crate) fn new(_: &Programs) -> Self {
        Machine
    }
}

pub(crate) fn map_intake(
    _: &mut Machine,
    _: ProgramId,
    _: &serde_json::Value,
) -> Result<Vec<Record>, String> {
    Err("intake policies are not in this build".to_owned())
}

pub(crate) struct Inputs {
    pub(crate) as_of: Option<Date>,
    pub(crate) resolutions: Vec<Resolution>,
}

pub(crate) fn decide_all(
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    inputs: &Inputs,
) -> Vec<Vec<Decision>> {
    transactions.iter().map(|transaction| vec![decide(ruleset, transaction, inputs)]).collect()
}

fn decide(ruleset: &Ruleset, transaction: &Transaction, inputs: &Inputs) -> Decision {
    use accredit_engine::credit::CreditId;
    let text = |column: &str| match transaction.get(column) {
        Value::Text(text) => text.to_string(),
        _ => String::new(),
    };
    let id = CreditId::of(&transaction.id, &["stub"], 0).to_string();
    let action =
        inputs.resolutions.iter().rev().find(|r| r.credit == id).map(|r| r.action.as_str());
    let held = match action {
        Some(action) => action == "hold",
        None => text("hold") == "yes",
    };
    let credit = CreditRow {
        id,
        transaction: transaction.id.to_string(),
        incentive_date: "2026-01-15".to_owned(),
        plan: "stub".to_owned(),
        rule: "rule".to_owned(),
        result: "result".to_owned(),
        kind: "direct".to_owned(),
        position: text("owner"),
        payee: Some(text("owner")),
        team: None,
        relationship: None,
        via: None,
        level: None,
        source: None,
        share: None,
        period: "2026-01".to_owned(),
        credit_type: "booking".to_owned(),
        unit_type: "USD".to_owned(),
        amount: text("amount"),
        status: if held { "held" } else { "active" }.to_owned(),
        release_date: None,
        reason: held.then(|| "manual".to_owned()),
        reason_code: None,
        origin: "calculated".to_owned(),
        reverses: None,
        ruleset: ruleset.hash.to_string(),
    };
    Decision {
        plan: "stub".to_owned(),
        transaction: transaction.id.to_string(),
        period: Some("2026-01".to_owned()),
        outcome: Outcome::Credited,
        credits: vec![credit],
        reasons: Vec::<Note>::new(),
        alerts: Vec::new(),
        log: Vec::new(),
    }
}

pub(crate) fn read_ruleset(
    files: &Files,
    _: &BTreeSet<String>,
) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let broken = files.iter().filter(|(_, text)| text.contains("syntax error"));
    let mut diagnostics: Vec<_> = broken
        .map(|(path, _)| {
            Diagnostic::error("CR001", Place::new(path.as_str(), 1, 1), "syntax error")
        })
        .collect();
    if !files.contains_key("accredit.toml") {
        diagnostics.push(Diagnostic::error("CR023", Place::file("accredit.toml"), "missing file"));
    }
    if !diagnostics.is_empty() {
        return (None, diagnostics);
    }
    let mut hasher = blake3::Hasher::new();
    files.iter().for_each(|(path, text)| {
        hasher.update(path.as_bytes()).update(text.as_bytes());
    });
    let fields = Fields { id: vec!["id".to_owned()], ..Fields::default() };
    let settings = Settings {
        name: "Stub".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: accredit_engine::money::Unit { index: 0, scale: 2 },
        units: accredit_engine::money::Units::default(),
        credit_types: vec![],
        reason_codes: vec![],
        relationship_types: vec![],
        fields: Arc::new(fields),
        calendar: Calendar::default(),
        queries: BTreeMap::new(),
        sources: BTreeMap::from([(
            "crm".to_owned(),
            Source { connector: "standard-webhooks".to_owned(), intake: None },
        )]),
    };
    let hash = hasher.finalize().to_hex();
    let ruleset = Ruleset {
        hash: Arc::from(format!("rs_{}", hash.get(..32).unwrap_or_default())),
        settings,
        organization: Default::default(),
        plans: BTreeMap::new(),
        programs: Programs::default(),
        policies: BTreeMap::new(),
        files: files.clone(),
    };
    (Some(ruleset), diagnostics)
}

pub(crate) fn run_cases(_: &Files, _: &str) -> Vec<Diagnostic> {
    Vec::new()
}

pub(crate) fn explain(decision: &Decision, credit: Option<&str>) -> serde_json::Value {
    let credits = decision.credits.iter().filter(|row| credit.is_none_or(|id| row.id == id));
    serde_json::json!({
        "plan": decision.plan,
        "outcome": decision.outcome,
        "credits": credits.collect::<Vec<_>>(),
        "reasons": decision.reasons,
        "log": decision.log,
    })
}

// ---- the ledger --------------------------------------------------------------------------------

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) received_ms: i64,
    pub(crate) transactions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) sequence: u64,
    pub(crate) duplicate: bool,
    pub(crate) conflict: bool,
    pub(crate) transactions: Vec<String>,
}

#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Activation {
    pub(crate) ruleset: String,
    pub(crate) at_ms: i64,
    pub(crate) who: String,
    pub(crate) why: Option<String>,
    pub(crate) source: String,
    pub(crate) files: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) activation: Activation,
    pub(crate) diagnostics: serde_json::Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) record: Record,
    pub(crate) sequence: u64,
    pub(crate) superseded: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// Deliveries that are done, with the reason of those that are dead letters.
    pub(crate) done: Vec<(u64, Option<String>)>,
    pub(crate) versions: Vec<Version>,
    /// Decisions a transaction, all plans.
    pub(crate) decisions: Vec<(String, Vec<Decision>)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    pub(crate) version: u32,
    pub(crate) superseded: u32,
    pub(crate) decisions: Vec<Decision>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub(crate) payee: Option<String>,
    pub(crate) position: Option<String>,
    pub(crate) periods: Option<Vec<String>>,
    pub(crate) status: Option<String>,
    pub(crate) transaction: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<CreditRow>,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    pub(crate) sequence: u64,
    pub(crate) source: String,
    pub(crate) delivery: String,
    pub(crate) received_ms: i64,
    pub(crate) reason: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(String);

#[derive(Default)]
struct Inner {
    files: Option<Files>,
    activations: Vec<Activation>,
    refusals: Vec<Refusal>,
    deliveries: Vec<(Delivery, State)>,
    conflicts: u64,
    transactions: BTreeMap<String, Stored>,
    resolutions: Vec<Resolution>,
    meta: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, PartialEq)]
enum State {
    Pending,
    Done,
    Dead(String),
    Conflict,
}

#[derive(Default)]
pub(crate) struct Ledger(Mutex<Inner>);

type Kept<T> = Result<T, StoreError>;

impl Ledger {
    pub(crate) fn open(_: &Path) -> Kept<Self> {
        Ok(Ledger::default())
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn files(&self) -> Kept<Option<Files>> {
        Ok(self.inner().files.clone())
    }

    pub(crate) fn activate(&self, files: &Files, activation: Activation) -> Kept<()> {
        let mut inner = self.inner();
        inner.files = Some(files.clone());
        inner.activations.push(activation);
        Ok(())
    }

    pub(crate) fn activations(&self) -> Kept<Vec<Activation>> {
        Ok(self.inner().activations.clone())
    }

    pub(crate) fn refuse(&self, refusal: Refusal) -> Kept<()> {
        self.inner().refusals.push(refusal);
        Ok(())
    }

    pub(crate) fn refusals(&self) -> Kept<Vec<Refusal>> {
        Ok(self.inner().refusals.clone())
    }

    pub(crate) fn meta(&self, key: &str) -> Kept<Option<Vec<u8>>> {
        Ok(self.inner().meta.get(key).cloned())
    }

    pub(crate) fn set_meta(&self, key: &str, value: &[u8]) -> Kept<()> {
        self.inner().meta.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    pub(crate) fn receive(&self, deliveries: &[Delivery]) -> Kept<Vec<Receipt>> {
        let mut inner = self.inner();
        let mut receipts = Vec::new();
        for delivery in deliveries {
            let same = |(other, state): &&(Delivery, State)| {
                *state != State::Conflict
                    && other.source == delivery.source
                    && other.id == delivery.id
            };
            let position = inner.deliveries.iter().position(|row| same(&row));
            let first = position.and_then(|at| inner.deliveries.get(at));
            let receipt = match first {
                None => {
                    inner.deliveries.push((delivery.clone(), State::Pending));
                    Receipt {
                        sequence: inner.deliveries.len() as u64,
                        duplicate: false,
                        conflict: false,
                        transactions: delivery.transactions.clone(),
                    }
                }
                Some((first, _)) => {
                    let conflict = first.body != delivery.body;
                    let transactions = first.transactions.clone();
                    if conflict {
                        inner.conflicts += 1;
                        inner.deliveries.push((delivery.clone(), State::Conflict));
                    }
                    let sequence = position.unwrap_or(0) as u64 + 1;
                    Receipt { sequence, duplicate: true, conflict, transactions }
                }
            };
            receipts.push(receipt);
        }
        Ok(receipts)
    }

    pub(crate) fn pending(&self, limit: usize) -> Kept<Vec<(u64, Delivery)>> {
        let inner = self.inner();
        let rows = (1u64..).zip(&inner.deliveries);
        let rows = rows.filter(|(_, (_, state))| *state == State::Pending).take(limit);
        Ok(rows.map(|(sequence, (delivery, _))| (sequence, delivery.clone())).collect())
    }

    pub(crate) fn record(&self, batch: &Batch) -> Kept<()> {
        let mut inner = self.inner();
        for (sequence, dead) in &batch.done {
            if let Some(row) = inner.deliveries.get_mut(*sequence as usize - 1) {
                row.1 = dead.clone().map_or(State::Done, State::Dead);
            }
        }
        for version in &batch.versions {
            let stored = inner.transactions.entry(version.id.clone()).or_insert_with(|| Stored {
                record: version.record.clone(),
                version: 0,
                superseded: 0,
                decisions: Vec::new(),
            });
            if version.superseded {
                stored.superseded += 1;
            } else {
                stored.version += 1;
                stored.record = version.record.clone();
            }
        }
        for (id, decisions) in &batch.decisions {
            if let Some(stored) = inner.transactions.get_mut(id) {
                stored.decisions.clone_from(decisions);
            }
        }
        Ok(())
    }

    pub(crate) fn credits(&self, query: &Query) -> Kept<Page> {
        let inner = self.inner();
        let all = inner.transactions.values().flat_map(|stored| &stored.decisions);
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        let rows = all.flat_map(|decision| &decision.credits).filter(|row| {
            is(&query.payee, row.payee.as_deref().unwrap_or(""))
                && is(&query.position, &row.position)
                && is(&query.status, &row.status)
                && is(&query.transaction, &row.transaction)
                && is(&query.plan, &row.plan)
                && query.periods.as_ref().is_none_or(|periods| periods.contains(&row.period))
        });
        let skip = query.cursor.as_ref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let mut rows: Vec<_> = rows.skip(skip).take(query.limit + 1).cloned().collect();
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        Ok(Page { rows, next: more.then(|| (skip + query.limit).to_string()) })
    }

    pub(crate) fn credit(&self, id: &str) -> Kept<Option<CreditRow>> {
        let inner = self.inner();
        let mut all = inner.transactions.values().flat_map(|stored| &stored.decisions);
        Ok(all.find_map(|decision| decision.credits.iter().find(|row| row.id == id)).cloned())
    }

    pub(crate) fn transaction(&self, id: &str) -> Kept<Option<Stored>> {
        Ok(self.inner().transactions.get(id).cloned())
    }

    pub(crate) fn resolve(&self, resolution: Resolution) -> Kept<()> {
        self.inner().resolutions.push(resolution);
        Ok(())
    }

    /// Of all credits of a transaction, in order.
    pub(crate) fn resolutions(&self, transaction: &str) -> Kept<Vec<Resolution>> {
        let inner = self.inner();
        let prefix = accredit_engine::credit::transaction_prefix(transaction);
        let of = |r: &&Resolution| {
            let id = accredit_engine::credit::CreditId::parse(&r.credit);
            id.is_some_and(|id| id.prefix() == prefix)
        };
        Ok(inner.resolutions.iter().filter(of).cloned().collect())
    }

    pub(crate) fn due_holds(&self, _: Date) -> Kept<Vec<String>> {
        Ok(Vec::new())
    }

    pub(crate) fn parked(&self) -> Kept<Vec<Note>> {
        Ok(Vec::new())
    }

    pub(crate) fn dead_letters(&self) -> Kept<Vec<DeadLetter>> {
        let inner = self.inner();
        let rows = (1u64..).zip(&inner.deliveries);
        let dead = rows.filter_map(|(sequence, (delivery, state))| match state {
            State::Dead(reason) => Some(DeadLetter {
                sequence,
                source: delivery.source.clone(),
                delivery: delivery.id.clone(),
                received_ms: delivery.received_ms,
                reason: reason.clone(),
            }),
            _ => None,
        });
        Ok(dead.collect())
    }

    /// Back into the inbox; false when it is no dead letter.
    pub(crate) fn redrive(&self, sequence: u64) -> Kept<bool> {
        let mut inner = self.inner();
        let index = usize::try_from(sequence).unwrap_or(0).wrapping_sub(1);
        Ok(match inner.deliveries.get_mut(index) {
            Some(row) if matches!(row.1, State::Dead(_)) => {
                row.1 = State::Pending;
                true
            }
            _ => false,
        })
    }

    pub(crate) fn counts(&self) -> Kept<BTreeMap<String, u64>> {
        let inner = self.inner();
        let pending = inner.deliveries.iter().filter(|row| row.1 == State::Pending).count();
        Ok(BTreeMap::from([
            ("deliveries".to_owned(), inner.deliveries.len() as u64),
            ("conflicts".to_owned(), inner.conflicts),
            ("pending".to_owned(), pending as u64),
            ("transactions".to_owned(), inner.transactions.len() as u64),
        ]))
    }
}
