//! What a change of definitions says: who makes it, why, and what it may do. A request, a kept change
//! and an activation have these terms inside, and their stored rows are laid out here.
//!
//! Not the files of a change. Called by `definitions` and `changes`. Source: DESIGN section 5.
//!
//! **Architecture invariant:** rows keep the names and the order of their fields; a new field is read
//! as its default from rows that do not have it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::changes::{Proposal, ProposalState};
use super::definitions::{Activation, Effective};
use accredit_domain::keys::PeriodKey;
use accredit_domain::limits::{Limits, MoneyEffect};

/// What a change says beside its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeTerms {
    /// The token or person that made it.
    pub who: String,
    /// The reason as it was given.
    pub why: Option<String>,
    /// Which door it came through: `start`, `api` or `watch`.
    pub source: String,
    /// What it means for transactions that are credited already.
    pub effective: Effective,
    /// Labels to find it by.
    pub tags: Vec<String>,
    /// Whether it brings back an earlier set. An activation does not keep it.
    pub rollback: bool,
    /// More money than this it must not move, whenever it is activated. An activation does not keep it.
    pub limits: Limits,
    /// The reason given for removing people with credits or rewards, if the removal is forced.
    pub force: Option<String>,
}

/// An activation as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct ActivationRow {
    sequence: u64,
    at_ms: i64,
    who: String,
    why: Option<String>,
    source: String,
    ruleset: String,
    files: Vec<String>,
    changed: BTreeMap<String, Option<String>>,
    #[serde(default)]
    effective: Effective,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    cases: usize,
    #[serde(default)]
    plans: BTreeMap<String, String>,
    #[serde(default)]
    restated: BTreeMap<String, BTreeSet<PeriodKey>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    force: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    money: Option<MoneyEffect>,
    #[serde(default)]
    change: Option<u64>,
    #[serde(default)]
    approved_by: Option<String>,
}

impl From<Activation> for ActivationRow {
    fn from(activation: Activation) -> ActivationRow {
        // All fields by name, so that a new one is not left out unnoticed.
        let ChangeTerms { who, why, source, effective, tags, rollback: _, limits: _, force } =
            activation.terms;

        ActivationRow {
            sequence: activation.sequence,
            at_ms: activation.at_ms,
            who,
            why,
            source,
            ruleset: activation.ruleset,
            files: activation.files,
            changed: activation.changed,
            effective,
            tags,
            cases: activation.cases,
            plans: activation.plans,
            restated: activation.restated,
            force,
            money: activation.money,
            change: activation.change,
            approved_by: activation.approved_by,
        }
    }
}

impl From<ActivationRow> for Activation {
    fn from(row: ActivationRow) -> Activation {
        let terms = ChangeTerms {
            who: row.who,
            why: row.why,
            source: row.source,
            effective: row.effective,
            tags: row.tags,
            rollback: false,
            limits: Limits::default(),
            force: row.force,
        };

        Activation {
            sequence: row.sequence,
            at_ms: row.at_ms,
            terms,
            ruleset: row.ruleset,
            files: row.files,
            changed: row.changed,
            cases: row.cases,
            plans: row.plans,
            restated: row.restated,
            money: row.money,
            change: row.change,
            approved_by: row.approved_by,
        }
    }
}

/// A kept change as it is stored and shown.
#[derive(Serialize, Deserialize)]
pub(super) struct ProposalRow {
    id: u64,
    at_ms: i64,
    who: String,
    why: Option<String>,
    source: String,
    base: String,
    ruleset: Option<String>,
    files: BTreeMap<String, Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<BTreeMap<String, Option<String>>>,
    effective: Effective,
    tags: Vec<String>,
    rollback: bool,
    #[serde(default)]
    limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    force: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    money: Option<MoneyEffect>,
    state: ProposalState,
    approved: Option<(String, i64)>,
    diagnostics: serde_json::Value,
}

impl From<Proposal> for ProposalRow {
    fn from(proposal: Proposal) -> ProposalRow {
        let ChangeTerms { who, why, source, effective, tags, rollback, limits, force } =
            proposal.terms;

        ProposalRow {
            id: proposal.id,
            at_ms: proposal.at_ms,
            who,
            why,
            source,
            base: proposal.base,
            ruleset: proposal.ruleset,
            files: proposal.files,
            replaces: proposal.replaces,
            effective,
            tags,
            rollback,
            limits,
            force,
            money: proposal.money,
            state: proposal.state,
            approved: proposal.approved,
            diagnostics: proposal.diagnostics,
        }
    }
}

impl From<ProposalRow> for Proposal {
    fn from(row: ProposalRow) -> Proposal {
        let terms = ChangeTerms {
            who: row.who,
            why: row.why,
            source: row.source,
            effective: row.effective,
            tags: row.tags,
            rollback: row.rollback,
            limits: row.limits,
            force: row.force,
        };

        Proposal {
            id: row.id,
            at_ms: row.at_ms,
            terms,
            base: row.base,
            ruleset: row.ruleset,
            files: row.files,
            replaces: row.replaces,
            money: row.money,
            state: row.state,
            approved: row.approved,
            diagnostics: row.diagnostics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as builds before `ChangeTerms` wrote them: the trail has the hash of an activation's row, so
    /// a field that moves would show as a changed record.
    #[test]
    fn rows_of_changes_keep_their_bytes() {
        let activation = concat!(
            r#"{"sequence":3,"at_ms":1767225600000,"who":"eva","why":"new rate","source":"api","#,
            r#""ruleset":"rs1","files":["plans/p.toml"],"changed":{"plans/p.toml":"ab"},"#,
            r#""effective":"from:2026-01-31","tags":["q1"],"cases":4,"plans":{"p":"h"},"#,
            r#""restated":{"p":["2026-01"]},"force":"left","change":2,"approved_by":"ann"}"#,
        );
        let kept: Activation = serde_json::from_str(activation).unwrap();
        assert_eq!(kept.terms.effective.to_string(), "from:2026-01-31");
        assert_eq!(serde_json::to_string(&kept).unwrap(), activation);

        let proposal = concat!(
            r#"{"id":2,"at_ms":1767225600000,"who":"eva","why":null,"source":"watch","base":"rs0","#,
            r#""ruleset":"rs1","files":{"plans/p.toml":null},"effective":"recredit","tags":[],"#,
            r#""rollback":true,"limits":{"max_total":"12.50","max_payee":null},"force":"left","#,
            r#""state":"waiting","approved":["ann",5],"diagnostics":[]}"#,
        );
        let kept: Proposal = serde_json::from_str(proposal).unwrap();
        assert!(kept.terms.rollback);
        assert_eq!(serde_json::to_string(&kept).unwrap(), proposal);
    }
}
