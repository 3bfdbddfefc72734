//! Definition files and their activations: immutable versions by content, one active set.
//!
//! Not the changes that wait for approval (`changes`), and not the choice of deals to decide again
//! (`recredit`). Called by the host's door. Source: DESIGN section 5, DOMAIN 2.17.
//!
//! **Architecture invariant:** a version is never overwritten; an activation and what follows from
//! it for credits that exist are one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::alerts::{self, RaisedAlert};
use super::terms::{ActivationRow, ChangeTerms};
use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};
use accredit_domain::events::EventKind;
use accredit_domain::files::Files;
use accredit_domain::keys::PeriodKey;
use accredit_domain::limits::MoneyEffect;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

/// The door of files that were saved in a watched directory.
pub const WATCH: &str = "watch";

/// The content hash of a file: 32 hexadecimal digits.
pub fn content_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(32).collect()
}

/// The hash of a whole set of files. Unlike the hash of a ruleset it covers case files as well: two
/// who change different ones of them are seen to meet.
pub fn set_hash(files: &Files) -> String {
    let lines = files.iter().map(|(path, text)| format!("{path}\0{}\n", content_hash(text)));
    content_hash(&lines.collect::<String>())
}

/// What an activation means for transactions that are credited already (DOMAIN D16).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Effective {
    /// Nothing: the new rules decide what is not credited yet.
    #[default]
    Now,
    /// Those of open periods are decided again.
    Recredit,
    /// Those whose incentive date is this day or later are decided again; what differs in a
    /// finalized period is taken back and posted anew in an open one.
    From(Date),
}

impl PartialSchema for Effective {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.pattern(Some("^(now|recredit|from:[0-9]{4}-[0-9]{2}-[0-9]{2})$"));
        text.description(Some("`now`, `recredit` or `from:2026-01-31`.")).into()
    }
}

impl ToSchema for Effective {}

impl Effective {
    /// `now`, `recredit` or `from:2026-01-31`.
    pub fn parse(text: &str) -> Option<Effective> {
        match text {
            "now" => Some(Effective::Now),
            "recredit" => Some(Effective::Recredit),
            text => text.strip_prefix("from:")?.parse().ok().map(Effective::From),
        }
    }

    /// Whether a transaction of this incentive date is decided again; one that has none is.
    pub fn covers_date(self, date: Option<Date>) -> bool {
        match self {
            Effective::Now => false,
            Effective::Recredit => true,
            Effective::From(first) => date.is_none_or(|date| date >= first),
        }
    }
}

impl Effective {
    /// The date from which it reaches into finalized periods as well; none for the other choices.
    pub fn reach_date(self) -> Option<Date> {
        match self {
            Effective::From(first) => Some(first),
            Effective::Now | Effective::Recredit => None,
        }
    }
}

impl std::fmt::Display for Effective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Effective::Now => f.write_str("now"),
            Effective::Recredit => f.write_str("recredit"),
            Effective::From(date) => write!(f, "from:{date}"),
        }
    }
}

impl From<Effective> for String {
    fn from(effective: Effective) -> String {
        effective.to_string()
    }
}

impl TryFrom<String> for Effective {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Effective, String> {
        Effective::parse(&text)
            .ok_or_else(|| format!("`{text}` is not a valid choice for `effective`"))
    }
}

/// An activation: a whole set of files became what decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ActivationRow", into = "ActivationRow")]
pub struct Activation {
    /// Its number, from 1; 0 until it is recorded.
    pub sequence: u64,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// What the change said.
    pub terms: ChangeTerms,
    /// Hash of the ruleset that it made.
    pub ruleset: String,
    /// The paths that were to change.
    pub files: Vec<String>,
    /// Paths that changed, with the hash of their new content, or none where the file is gone.
    pub changed: BTreeMap<String, Option<String>>,
    /// How many cases ran, all of which passed.
    pub cases: usize,
    /// The plans with what `Ruleset::plan_hashes` says of them.
    pub plans: BTreeMap<String, String>,
    /// Plans with the periods in which it changes what credits are worth.
    pub restated: BTreeMap<String, BTreeSet<PeriodKey>>,
    /// What it moved, where money moved.
    pub money: Option<MoneyEffect>,
    /// The stored change that it carries out, if there was one.
    pub change: Option<u64>,
    /// Who activated that change: under four eyes, its second person.
    pub approved_by: Option<String>,
}

/// A change that was refused: it stays visible until one of the same files is activated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRefusal {
    /// The requested change and its author; its ruleset is the one that stayed.
    pub activation: Activation,
    /// What is wrong with it, as `accredit check` says it.
    pub diagnostics: serde_json::Value,
}

/// The hash of the ruleset in force; none before the first activation.
fn last_ruleset(snapshot: &dyn Snapshot) -> LedgerResult<Option<String>> {
    let last = snapshot.last_row(StoreTable::Activations)?;
    let last = last.map(|(_, row)| codec::from_json::<Activation>(&row)).transpose()?;
    Ok(last.map(|last| last.ruleset))
}

impl Ledger {
    /// The files that are active; none before the first activation.
    pub fn active_files(&self) -> LedgerResult<Option<Files>> {
        let snapshot = self.snapshot()?;
        if snapshot.last_row(StoreTable::Activations)?.is_none() {
            return Ok(None);
        }

        let mut files = Files::new();

        for (path, hash) in snapshot.scan_prefix(StoreTable::Active, b"", b"", usize::MAX)? {
            if let Some(source) = snapshot.get(StoreTable::Sources, &hash)? {
                let text = String::from_utf8_lossy(&source);
                files.insert(String::from_utf8_lossy(&path).into_owned(), Arc::from(text));
            }
        }

        Ok(Some(files))
    }

    /// The files that were active under a ruleset, as they last were: case files change without
    /// another ruleset. None when it never was.
    pub fn files_of(&self, ruleset: &str) -> LedgerResult<Option<Files>> {
        let snapshot = self.snapshot()?;

        let mut files: BTreeMap<String, String> = BTreeMap::new();
        let mut last = None;

        for activation in self.list_activations()? {
            for (path, hash) in activation.changed {
                match hash {
                    Some(hash) => files.insert(path, hash),
                    None => files.remove(&path),
                };
            }
            if activation.ruleset == ruleset {
                last = Some(files.clone());
            }
        }

        let Some(files) = last else { return Ok(None) };

        let mut found = Files::new();
        for (path, hash) in files {
            if let Some(source) = snapshot.get(StoreTable::Sources, hash.as_bytes())? {
                found.insert(path, Arc::from(String::from_utf8_lossy(&source)));
            }
        }

        Ok(Some(found))
    }

    /// Makes `files` the active set, in one commit with the record of who, when and why; gives
    /// the record with its number.
    ///
    /// # Errors
    /// When nothing was written, or when it is unknown whether it was.
    pub fn record_activation(
        &self,
        files: &Files,
        mut activation: Activation,
    ) -> LedgerResult<Activation> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        let mut changed = BTreeMap::new();

        let active = snapshot.scan_prefix(StoreTable::Active, b"", b"", usize::MAX)?;
        for (path, _) in &active {
            let name = String::from_utf8_lossy(path).into_owned();
            if !files.contains_key(&name) {
                batch.delete_row(StoreTable::Active, path.clone());
                changed.insert(name, None);
            }
        }

        for (path, text) in files {
            let hash = content_hash(text);
            let known = active.iter().find(|(known, _)| *known == path.as_bytes());
            if known.is_none_or(|(_, known)| *known != hash.as_bytes()) {
                batch.put_row(StoreTable::Sources, hash.as_str(), text.as_bytes());
                batch.put_row(StoreTable::Active, path.as_str(), hash.as_str());
                changed.insert(path.clone(), Some(hash));
            }
        }

        // A file that is active now was not refused: what was said of its last version is over.
        for path in changed.keys() {
            batch.delete_row(StoreTable::Refusals, path.as_str());
        }

        activation.sequence = next_number(&*snapshot, StoreTable::Activations)?;
        let before = last_ruleset(&*snapshot)?;
        activation.changed = changed;
        let key = codec::number_key(activation.sequence);
        let row = codec::to_json(&activation)?;

        // In the same commit, so that no activation is visible without its consequences.
        super::calculations::count_restatements(&*snapshot, &mut batch, &activation.restated)?;
        super::recredit::request_recredit(&*snapshot, &mut batch, &activation)?;
        super::recredit::ask_redrive(&mut batch, &activation)?;
        super::changes::record_proposal_outcome(&*snapshot, &mut batch, &activation)?;
        self.add_activation_events(&*snapshot, &mut batch, &activation)?;

        let terms = &activation.terms;
        let detail = serde_json::json!({
            "activation": activation.sequence,
            "ruleset": activation.ruleset,
            "before": before,
            "after": activation.ruleset,
            "effective": terms.effective,
            "why": terms.why,
            "source": terms.source,
            "cases": activation.cases,
            "change": activation.change,
            "force": terms.force,
            "money": activation.money,
            "approved_by": activation.approved_by,
            "record": super::audit::hash_row(&row),
        });

        batch.put_row(StoreTable::Activations, key, row);
        self.append_audit(
            &*snapshot,
            &mut batch,
            activation.at_ms,
            &terms.who,
            "activated",
            detail,
        )?;

        self.commit_changes(&batch)?;

        Ok(activation)
    }

    /// Adds the events of an activation to its commit, with the alert that it raises.
    fn add_activation_events(
        &self,
        snapshot: &dyn Snapshot,
        batch: &mut WriteBatch,
        activation: &Activation,
    ) -> LedgerResult<()> {
        let events = self.event_writer(activation.at_ms);
        let alert = unattended_alert(activation);
        alerts::append_alerts(snapshot, batch, &alert)?;
        alerts::add_alert_events(&events, batch, &alert)?;

        let terms = &activation.terms;
        let data = serde_json::json!({
            "activation": activation.sequence,
            "ruleset": activation.ruleset,
            "effective": terms.effective,
            "who": terms.who,
            "why": terms.why,
            "source": terms.source,
            "changed": activation.changed,
            "money": activation.money,
            "approved_by": activation.approved_by,
        });
        let subject = activation.sequence.to_string();
        events.add_event(batch, EventKind::PolicyActivated, &subject, &data)
    }

    /// The number of the last activation, 0 before the first.
    pub fn last_activation(&self) -> LedgerResult<u64> {
        let last = self.snapshot()?.last_row(StoreTable::Activations)?;
        Ok(last.map_or(0, |(key, _)| codec::key_number(&key)))
    }

    /// Every activation, oldest first.
    pub fn list_activations(&self) -> LedgerResult<Vec<Activation>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Activations, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }

    /// The text of a version of a file, by its content hash.
    pub fn find_file_text(&self, hash: &str) -> LedgerResult<Option<Arc<str>>> {
        let source = self.snapshot()?.get(StoreTable::Sources, hash.as_bytes())?;
        Ok(source.map(|source| Arc::from(String::from_utf8_lossy(&source))))
    }

    /// Keeps a refused change visible, under each of its files.
    pub fn record_refusal(&self, refusal: &ChangeRefusal) -> LedgerResult<()> {
        let mut batch = WriteBatch::default();
        for path in &refusal.activation.files {
            batch.put_row(StoreTable::Refusals, path.as_str(), codec::to_json(refusal)?);
        }
        self.commit_changes(&batch)
    }

    /// Refused changes that nothing has replaced, by path.
    pub fn list_refusals(&self) -> LedgerResult<Vec<ChangeRefusal>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Refusals, b"", b"", usize::MAX)?;
        let mut refusals: Vec<ChangeRefusal> =
            rows.iter().map(|(_, row)| codec::from_json(row)).collect::<LedgerResult<_>>()?;
        refusals.dedup();
        Ok(refusals)
    }
}

/// The alert of an activation that moves money without a direct request: a file saved in a watched
/// directory has no reader for an answer.
fn unattended_alert(activation: &Activation) -> Option<RaisedAlert> {
    let money = activation.money.as_ref().filter(|_| activation.terms.source == WATCH)?;
    let (sequence, files) = (activation.sequence, activation.files.join(", "));
    let message = format!(
        "{files} in the watched directory changed, in force since activation {sequence}: {money}"
    );
    Some(RaisedAlert {
        activation: Some(sequence),
        effective: Some(activation.terms.effective),
        money: Some(money.clone()),
        ..RaisedAlert::new("activation", "definitions_changed", message)
    })
}
