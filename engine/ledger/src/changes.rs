//! Changes that are kept beside the active set: drafts, and those that wait for a second person.
//!
//! Not activations (`definitions`): a change that was carried out is one. Called by the host's
//! door. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a change names the set that it was made for; its files are versions
//! by content like every other.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::definitions::{Activation, Effective, content_hash};
use super::{Ledger, Result, code, lock, next_number};
use accredit_domain::limits::{Limits, MoneyEffect};
use accredit_seams::store::{Batch, Error, Snapshot, Table};

/// Where a kept change stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Check or a case finds errors.
    #[default]
    Draft,
    /// Check and the cases find none.
    Checked,
    /// Waits for a second person.
    Waiting,
    /// Was carried out: see its activation.
    Active,
    /// Withdrawn, and never active.
    Withdrawn,
}

/// A change that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who made it: a token's name.
    pub who: String,
    /// The reason as it was given.
    pub why: Option<String>,
    /// Which door.
    pub source: String,
    /// The ruleset that it was made for.
    pub base: String,
    /// The ruleset that it makes, where it could be built.
    pub ruleset: Option<String>,
    /// Paths with the hash of their new content, or none where the file goes.
    pub files: BTreeMap<String, Option<String>>,
    /// What it means for transactions that are credited already.
    pub effective: Effective,
    /// Labels to search by.
    pub tags: Vec<String>,
    /// Whether it brings back an earlier set.
    pub rollback: bool,
    /// More money than this it must not move, whenever it is activated.
    #[serde(default)]
    pub limits: Limits,
    /// Why people with credits or rewards may go, if somebody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
    /// What it moved by the deals of when it was kept; none where nothing moved or it was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyEffect>,
    /// What became of it so far.
    pub state: State,
    /// Who approved it, and when.
    pub approved: Option<(String, i64)>,
    /// What check found, as `accredit check` says it.
    pub diagnostics: serde_json::Value,
}

/// Adds to the commit of an activation what became of the change that it carries out.
pub(super) fn carried_out(
    snapshot: &dyn Snapshot,
    batch: &mut Batch,
    activation: &Activation,
) -> Result<()> {
    let Some(id) = activation.change else { return Ok(()) };

    let row = snapshot.get(Table::Changes, &code::key(id))?;
    let kept: Option<Proposal> = row.map(|row| code::from_json(&row)).transpose()?;
    let mut kept = kept.ok_or(Error::Conflict)?;

    // Somebody else activated or withdrew it in the meantime.
    if !kept.can_be_activated() {
        return Err(Error::Conflict);
    }

    kept.state = State::Active;
    kept.approved = activation.approved_by.clone().map(|who| (who, activation.at_ms));

    batch.put(Table::Changes, code::key(id), code::json(&kept)?);
    Ok(())
}

impl Proposal {
    /// Whether check found nothing, and nobody activated it or threw it away.
    pub fn can_be_activated(&self) -> bool {
        matches!(self.state, State::Checked | State::Waiting)
    }
}

impl Ledger {
    /// Keeps a new change with its texts; gives it with its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn propose(
        &self,
        mut proposal: Proposal,
        files: &BTreeMap<String, Option<Arc<str>>>,
    ) -> Result<Proposal> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();

        proposal.id = next_number(&*snapshot, Table::Changes)?;
        for (path, text) in files {
            let hash = text.as_ref().map(|text| content_hash(text));
            if let (Some(hash), Some(text)) = (&hash, text) {
                batch.put(Table::Sources, hash.as_str(), text.as_bytes());
            }
            // Texts are kept by content: a file of several changes is stored once.
            proposal.files.insert(path.clone(), hash);
        }

        batch.put(Table::Changes, code::key(proposal.id), code::json(&proposal)?);

        let detail = serde_json::json!({
            "change": proposal.id,
            "base": proposal.base,
            "why": proposal.why,
            "effective": proposal.effective,
        });

        let who = &proposal.who;
        self.append_audit(&*snapshot, &mut batch, proposal.at_ms, who, "proposed", detail)?;
        self.commit(&batch)?;

        Ok(proposal)
    }

    /// Notes what became of a kept change that was not carried out, and in the trail who did `what`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn update(&self, proposal: &Proposal, who: &str, what: &str, at_ms: i64) -> Result<()> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();
        batch.put(Table::Changes, code::key(proposal.id), code::json(proposal)?);
        let detail = serde_json::json!({"change": proposal.id, "state": proposal.state});
        self.append_audit(&*snapshot, &mut batch, at_ms, who, what, detail)?;
        self.commit(&batch)
    }

    /// A kept change.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn proposal(&self, id: u64) -> Result<Option<Proposal>> {
        let row = self.snapshot()?.get(Table::Changes, &code::key(id))?;
        row.map(|row| code::from_json(&row)).transpose()
    }

    /// Every kept change, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn proposals(&self) -> Result<Vec<Proposal>> {
        let rows = self.snapshot()?.scan(Table::Changes, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| code::from_json(row)).collect()
    }

    /// The texts of a kept change.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn texts(&self, proposal: &Proposal) -> Result<BTreeMap<String, Option<Arc<str>>>> {
        let mut texts = BTreeMap::new();
        for (path, hash) in &proposal.files {
            let text = hash.as_ref().map(|hash| self.source(hash)).transpose()?.flatten();
            texts.insert(path.clone(), text);
        }
        Ok(texts)
    }
}
