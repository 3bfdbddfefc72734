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

use super::definitions::{Activation, content_hash};
use super::terms::{ChangeTerms, ProposalRow};
use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};
use accredit_domain::limits::MoneyEffect;
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};
use utoipa::ToSchema;

/// Where a kept change stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProposalState {
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
#[serde(from = "ProposalRow", into = "ProposalRow")]
pub struct Proposal {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// What it says.
    pub terms: ChangeTerms,
    /// The ruleset that it was made for.
    pub base: String,
    /// The ruleset that it makes, where it could be built.
    pub ruleset: Option<String>,
    /// Paths with the hash of their new content, or none where the file goes.
    pub files: BTreeMap<String, Option<String>>,
    /// The same paths with the hash of the content that it takes the place of, or none where the file is new;
    /// none for a change that was kept before this was.
    pub replaces: Option<BTreeMap<String, Option<String>>>,
    /// What it moved by the deals of when it was kept; none where nothing moved or it was not compared.
    pub money: Option<MoneyEffect>,
    /// What became of it so far.
    pub state: ProposalState,
    /// Who approved it, and when.
    pub approved: Option<(String, i64)>,
    /// What check found, as `accredit check` says it.
    pub diagnostics: serde_json::Value,
}

/// Adds to the commit of an activation what became of the change that it carries out.
pub(super) fn record_proposal_outcome(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    activation: &Activation,
) -> LedgerResult<()> {
    let Some(id) = activation.change else { return Ok(()) };

    let row = snapshot.get(StoreTable::Changes, &codec::number_key(id))?;
    let kept: Option<Proposal> = row.map(|row| codec::from_json(&row)).transpose()?;
    let mut kept = kept.ok_or(StoreError::Conflict)?;

    // Another user activated or withdrew it in the meantime.
    if !kept.can_be_activated() {
        return Err(StoreError::Conflict);
    }

    kept.state = ProposalState::Active;
    kept.approved = activation.approved_by.clone().map(|who| (who, activation.at_ms));

    batch.put_row(StoreTable::Changes, codec::number_key(id), codec::to_json(&kept)?);
    Ok(())
}

impl Proposal {
    /// Whether it has no errors and was neither activated nor withdrawn.
    pub fn can_be_activated(&self) -> bool {
        matches!(self.state, ProposalState::Checked | ProposalState::Waiting)
    }
}

impl Ledger {
    /// Keeps a new change with its texts; gives it with its number.
    pub fn store_proposal(
        &self,
        mut proposal: Proposal,
        files: &BTreeMap<String, Option<Arc<str>>>,
    ) -> LedgerResult<Proposal> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        proposal.id = next_number(&*snapshot, StoreTable::Changes)?;
        for (path, text) in files {
            let hash = text.as_ref().map(|text| content_hash(text));
            if let (Some(hash), Some(text)) = (&hash, text) {
                batch.put_row(StoreTable::Sources, hash.as_str(), text.as_bytes());
            }
            // Texts are kept by content: a file of several changes is stored once.
            proposal.files.insert(path.clone(), hash);
        }

        batch.put_row(
            StoreTable::Changes,
            codec::number_key(proposal.id),
            codec::to_json(&proposal)?,
        );

        let detail = serde_json::json!({
            "change": proposal.id,
            "base": proposal.base,
            "ruleset": proposal.ruleset,
            "why": proposal.terms.why,
            "effective": proposal.terms.effective,
        });

        let who = &proposal.terms.who;
        self.append_audit(&*snapshot, &mut batch, proposal.at_ms, who, "proposed", detail)?;
        self.commit_changes(&batch)?;

        Ok(proposal)
    }

    /// Notes what became of a kept change that was not carried out, and in the trail who did `what`.
    pub fn update_proposal(
        &self,
        proposal: &Proposal,
        who: &str,
        what: &str,
        at_ms: i64,
    ) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();
        batch.put_row(
            StoreTable::Changes,
            codec::number_key(proposal.id),
            codec::to_json(proposal)?,
        );
        let detail = serde_json::json!({"change": proposal.id, "state": proposal.state});
        self.append_audit(&*snapshot, &mut batch, at_ms, who, what, detail)?;
        self.commit_changes(&batch)
    }

    /// A kept change.
    pub fn find_proposal(&self, id: u64) -> LedgerResult<Option<Proposal>> {
        let row = self.snapshot()?.get(StoreTable::Changes, &codec::number_key(id))?;
        row.map(|row| codec::from_json(&row)).transpose()
    }

    /// Every kept change, oldest first.
    pub fn list_proposals(&self) -> LedgerResult<Vec<Proposal>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Changes, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }

    /// The texts of a kept change.
    pub fn proposal_texts(
        &self,
        proposal: &Proposal,
    ) -> LedgerResult<BTreeMap<String, Option<Arc<str>>>> {
        let mut texts = BTreeMap::new();
        for (path, hash) in &proposal.files {
            let text = hash.as_ref().map(|hash| self.find_file_text(hash)).transpose()?.flatten();
            texts.insert(path.clone(), text);
        }
        Ok(texts)
    }
}
