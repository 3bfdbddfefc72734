//! Releases of calculations: what payees may see, and since when it is certain.
//!
//! A release copies the credits and rewards of a calculation to the statements of its payees; what
//! is decided later stays invisible to them until the next one. Not the release of a held credit
//! (`resolutions`) and not the rules of when (the host's). Called by the host. Source: DOMAIN 2.14,
//! 3.8, INV-V1, INV-V2.
//!
//! **Architecture invariant:** a payee's rows are stored under the payee's own key: no read that is
//! given one payee can come by those of another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::alerts::RaisedAlert;
use super::audit::AuditChain;
use super::outbox::reward_events;
use super::record::natural_key;
use super::republished::FormerStatement;
use super::{Ledger, LedgerResult, alerts, approvals, codec, frozen_rewards, lock_mutex, periods};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Approval, EarnedReward, FrozenRewards, PayeeBalance};
use accredit_domain::keys::{PeriodKey, RulesetHash};
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};
use utoipa::ToSchema;

/// One act of releasing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseAct {
    /// The business date, ISO.
    #[schema(format = Date)]
    pub date: String,
    /// Who released: a token's name.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The revision of the calculation that was published.
    pub revision: u32,
    /// Whether the release was forced.
    pub forced: bool,
    /// The reason as it was given.
    pub reason: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub approved: Option<Approval>,
}

/// What payees may rely on of a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseStatus {
    /// Credits were released: amounts may still change.
    #[default]
    Pending,
    /// Rewards were released: amounts are certain.
    Confirmed,
    /// What was released was taken back from the statements.
    Deleted,
}

/// What was released of a plan in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Id of the plan.
    pub plan: String,
    /// Period id, of the kind that the plan is calculated by.
    pub period: String,
    /// What payees may rely on.
    pub status: ReleaseStatus,
    /// How often it was published.
    pub publications: u32,
    /// The last release of credits.
    pub credits: Option<ReleaseAct>,
    /// The release of rewards.
    pub rewards: Option<ReleaseAct>,
    /// Whose statements it is in.
    pub payees: BTreeSet<String>,
    /// What the sender of the last act named the request by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_key: Option<String>,
}

impl Release {
    /// The act that payees see the result of.
    pub fn last_act(&self) -> Option<&ReleaseAct> {
        self.rewards.as_ref().or(self.credits.as_ref())
    }
}

/// What one payee sees of a plan in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// Whether it may still change.
    pub status: ReleaseStatus,
    /// The revision of the calculation that was published.
    pub revision: u32,
    /// Business date of the release, ISO.
    pub released: String,
    /// The ruleset that computed the rewards; blank in statements of earlier versions of the program.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub ruleset: RulesetHash,
    /// The credits of the payee.
    pub credits: Vec<PostedCredit>,
    /// Credits of teams that the payee is a member of, in a plan that measures teams.
    pub team_credits: Vec<PostedCredit>,
    /// The rewards of the payee.
    pub rewards: Vec<EarnedReward>,
    /// What the payee owes at the end of the period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<PayeeBalance>,
    /// What it said before it was published again; none of one that was published once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerStatement>,
}

/// A release with everything that is written with it.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// The release as it becomes.
    pub release: Release,
    /// What each payee sees, by participant id.
    pub statements: BTreeMap<String, Statement>,
    /// What becomes certain: leaf period, transaction, rows; of a release of rewards.
    pub confirmed: Vec<(String, String, Vec<PostedCredit>)>,
    /// The rewards that become certain; of a release of rewards.
    pub frozen: Option<FrozenRewards>,
    /// What is paid: payee, transaction, credit type; of a release of rewards.
    pub paid: BTreeSet<(String, String, String)>,
    /// Alerts that the release raises.
    pub alerts: Vec<RaisedAlert>,
    /// What the audit trail calls it.
    pub what: &'static str,
}

/// Whether a statement names no ruleset.
fn is_unknown(ruleset: &RulesetHash) -> bool {
    ruleset.is_empty()
}

fn release_key(plan: &str, period: &str) -> Vec<u8> {
    codec::parts_key(&[plan, period])
}

/// What the keys of what is certain of a plan in a leaf period begin with.
pub(super) fn confirmed_prefix(plan: &str, leaf: &str) -> Vec<u8> {
    codec::parts_key(&[plan, leaf])
}

fn confirmed_key(plan: &str, leaf: &str, transaction: &str) -> Vec<u8> {
    [confirmed_prefix(plan, leaf), natural_key(transaction)].concat()
}

/// What rows are known by in the trail.
pub(super) fn hash_of_rows(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in rows.iter().flat_map(|(key, row)| [key, row]) {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}

/// What a release with its statements is known by in the trail.
pub(super) fn hash_of_release(release: &[u8], statements: &BTreeMap<Vec<u8>, Vec<u8>>) -> String {
    let mut rows = statements.clone();
    // No key of a statement is empty.
    rows.insert(Vec::new(), release.to_vec());
    hash_of_rows(&rows)
}

fn read_release(
    snapshot: &dyn Snapshot,
    plan: &str,
    period: &str,
) -> LedgerResult<Option<Release>> {
    let row = snapshot.get(StoreTable::Releases, &release_key(plan, period))?;
    row.map(|row| codec::from_json(&row)).transpose()
}

/// Takes everything that a release published out of the statements.
fn withdraw_statements(batch: &mut WriteBatch, known: &Release) {
    for payee in &known.payees {
        batch.delete_row(
            StoreTable::Published,
            codec::parts_key(&[payee, &known.period, &known.plan]),
        );
    }
}

fn withdraw_confirmed(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    leaves: &BTreeSet<PeriodKey>,
    known: &Release,
) -> LedgerResult<()> {
    for leaf in leaves {
        let prefix = codec::parts_key(&[&known.plan, leaf]);
        for (key, _) in snapshot.scan_prefix(StoreTable::Confirmed, &prefix, b"", usize::MAX)? {
            batch.delete_row(StoreTable::Confirmed, key);
        }
    }

    for payee in &known.payees {
        for (key, _) in
            snapshot.scan_prefix(StoreTable::Paid, &codec::parts_key(&[payee]), b"", usize::MAX)?
        {
            if key.ends_with(&codec::parts_key(&[&known.plan, &known.period])) {
                batch.delete_row(StoreTable::Paid, key);
            }
        }
    }

    Ok(())
}

impl Ledger {
    /// Publishes a release in one commit: the release, its statements in place of those before,
    /// what became certain, its alerts and its audit row.
    pub fn publish_release(&self, publication: &Publication, act: &ReleaseAct) -> LedgerResult<()> {
        let release = &publication.release;

        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        let known = read_release(&*snapshot, &release.plan, &release.period)?;
        let events = self.event_writer(act.at_ms);
        let paid = reward_events::paid_rewards(&*snapshot, known.as_ref())?;
        reward_events::add_paid(&events, &mut batch, (release, &publication.statements), &paid)?;

        // A publication replaces the one before it as a whole: no payee keeps an old statement.
        if let Some(known) = &known {
            withdraw_statements(&mut batch, known);
        }

        let (plan, period) = (release.plan.as_str(), release.period.as_str());
        let mut statements = BTreeMap::new();
        for (payee, statement) in &publication.statements {
            let key = codec::parts_key(&[payee, period, plan]);
            let before = snapshot.get(StoreTable::Published, &key)?;
            let before = before.map(|row| codec::from_json::<Statement>(&row)).transpose()?;
            let former = before.as_ref().map(FormerStatement::of);
            let row = codec::to_json(&Statement { former, ..statement.clone() })?;
            batch.put_row(StoreTable::Published, key.clone(), row.clone());
            statements.insert(key, row);
        }

        let mut certain: BTreeMap<&str, BTreeMap<Vec<u8>, Vec<u8>>> = BTreeMap::new();
        for (leaf, transaction, rows) in &publication.confirmed {
            let (key, row) = (confirmed_key(plan, leaf, transaction), codec::pack_row(rows)?);
            batch.put_row(StoreTable::Confirmed, key.clone(), row.clone());
            certain.entry(leaf).or_default().insert(key, row);
        }
        let certain: BTreeMap<&str, String> =
            certain.iter().map(|(leaf, rows)| (*leaf, hash_of_rows(rows))).collect();

        if let Some(frozen) = &publication.frozen {
            frozen_rewards::freeze_rewards(&*snapshot, &mut batch, frozen)?;
        }

        for (payee, transaction, kind) in &publication.paid {
            let key = codec::parts_key(&[payee, transaction, kind, plan, period]);
            batch.put_row(StoreTable::Paid, key, "");
        }

        alerts::append_alerts(&*snapshot, &mut batch, &publication.alerts)?;
        alerts::add_alert_events(&events, &mut batch, &publication.alerts)?;

        let row = codec::to_json(release)?;
        let detail = serde_json::json!({
            "plan": plan, "period": period, "status": release.status, "revision": act.revision,
            "forced": act.forced, "reason": act.reason,
            "record": hash_of_release(&row, &statements), "confirmed": certain,
            "before": known.map(|known| known.status), "after": release.status,
        });

        batch.put_row(StoreTable::Releases, release_key(plan, period), row);

        let what = publication.what;
        let mut chain = AuditChain::from_snapshot(&*snapshot)?;
        chain.append_row(&mut batch, act.at_ms, (&act.who, what), detail)?;
        let approved = act.approved.as_ref();
        approvals::record_approval(&*snapshot, &mut batch, &mut chain, approved, act.at_ms)?;
        self.commit_changes(&batch)
    }

    /// Takes a calculation back from every statement; false when nothing is published. The audit
    /// trail keeps what was, and the reason of one that was forced.
    pub fn unpublish_release(
        &self,
        (plan, period): (&str, &str),
        leaves: &BTreeSet<PeriodKey>,
        (who, at_ms): (&str, i64),
        (reason, approved): (Option<&str>, Option<&Approval>),
    ) -> LedgerResult<bool> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;

        let known = read_release(&*snapshot, plan, period)?
            .filter(|known| known.status != ReleaseStatus::Deleted);
        let Some(known) = known else { return Ok(false) };
        let mut batch = WriteBatch::default();

        let paid = reward_events::paid_rewards(&*snapshot, Some(&known))?;
        reward_events::add_withdrawn(&self.event_writer(at_ms), &mut batch, &paid)?;
        withdraw_statements(&mut batch, &known);
        withdraw_confirmed(&*snapshot, &mut batch, leaves, &known)?;
        // What is finalized never changes, whether it is shown or not.
        let finalized = periods::finalized_leaves(&*snapshot)?;
        if !leaves.iter().all(|leaf| finalized.contains(leaf.as_str())) {
            frozen_rewards::thaw_rewards(&mut batch, plan, period);
        }

        let status = known.status;
        // The row stays, so that the trail's last word about the calculation can be compared with
        // it.
        let deleted = Release {
            status: ReleaseStatus::Deleted,
            credits: None,
            rewards: None,
            payees: BTreeSet::new(),
            request_key: None,
            ..known
        };

        let row = codec::to_json(&deleted)?;
        let detail = serde_json::json!({
            "plan": plan, "period": period, "status": status, "reason": reason,
            "before": status, "after": ReleaseStatus::Deleted,
            "record": hash_of_release(&row, &BTreeMap::new()),
        });

        batch.put_row(StoreTable::Releases, release_key(plan, period), row);
        let mut chain = AuditChain::from_snapshot(&*snapshot)?;
        chain.append_row(&mut batch, at_ms, (who, "calculation_deleted"), detail)?;
        approvals::record_approval(&*snapshot, &mut batch, &mut chain, approved, at_ms)?;

        self.commit_changes(&batch)?;
        Ok(true)
    }

    /// What was released of a plan in a period.
    pub fn find_release(&self, plan: &str, period: &str) -> LedgerResult<Option<Release>> {
        read_release(&*self.snapshot()?, plan, period)
    }

    /// Every release, by plan and period.
    pub fn list_releases(&self) -> LedgerResult<Vec<Release>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Releases, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }

    /// What is published of one payee, in one period or in all, by period and plan. A payee who is
    /// not known has nothing published, like one who is.
    pub fn payee_statements(
        &self,
        payee: &str,
        period: Option<&str>,
    ) -> LedgerResult<Vec<Statement>> {
        let prefix = match period {
            Some(period) => codec::parts_key(&[payee, period]),
            None => codec::parts_key(&[payee]),
        };
        let rows = self.snapshot()?.scan_prefix(StoreTable::Published, &prefix, b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }

    /// What became certain with the release of rewards of `plan` in the leaf period `leaf`.
    pub fn confirmed_credits(
        &self,
        plan: &str,
        leaf: &str,
        transaction: &str,
    ) -> LedgerResult<Vec<PostedCredit>> {
        let key = confirmed_key(plan, leaf, transaction);
        let row = self.snapshot()?.get(StoreTable::Confirmed, &key)?;
        row.map_or_else(|| Ok(Vec::new()), |row| codec::unpack_row(&row))
    }

    /// Plans and periods in which a payee was paid for a transaction and credit type.
    pub fn paid_periods(
        &self,
        (payee, transaction, kind): (&str, &str, &str),
    ) -> LedgerResult<Vec<(String, String)>> {
        let prefix = codec::parts_key(&[payee, transaction, kind]);
        let rows = self.snapshot()?.scan_prefix(StoreTable::Paid, &prefix, b"", usize::MAX)?;
        let rows = rows.iter().map(|(key, _)| {
            let rest = key.get(prefix.len()..).unwrap_or_default();
            let mut parts = rest.split(|byte| *byte == 0);
            let mut part =
                || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
            (part(), part())
        });

        Ok(rows.collect())
    }
}
