//! Commits at which the program ends by itself, as in a power cut: tests choose one and start it again.
//!
//! Compiled with the feature `crash-points` alone, which no release has. `ACCREDIT_CRASH_AT` names a
//! site and the number of its commit, such as `after-inbox:3`. Not a store: every call goes on to the
//! one inside.
//!
//! **Architecture invariant:** every answer is that of the store inside; only the end of the process is
//! added.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};

/// The variable that names a site and the number of its commit.
const VARIABLE: &str = "ACCREDIT_CRASH_AT";

/// A kind of commit, and how it is told by its batch.
type CommitKind = (&'static str, fn(&WriteBatch) -> bool);

/// Every kind; each has a site before its commits and one after them.
static COMMIT_KINDS: &[CommitKind] = &[
    ("inbox", |batch| changes_table(batch, StoreTable::Inbox)),
    ("decisions", |batch| {
        changes_table(batch, StoreTable::Pending) && changes_table(batch, StoreTable::Deals)
    }),
    // How far an activation's decisions are, without the activation that asks for them.
    ("decided-again", |batch| {
        changes_meta(batch, b"recredit") && !changes_table(batch, StoreTable::Activations)
    }),
    ("activations", |batch| changes_table(batch, StoreTable::Activations)),
    ("kept-changes", |batch| changes_table(batch, StoreTable::Changes)),
    ("resolutions", |batch| changes_table(batch, StoreTable::Resolutions)),
    ("periods", |batch| changes_table(batch, StoreTable::Periods)),
    ("publications", |batch| changes_table(batch, StoreTable::Published)),
    ("payments", |batch| changes_table(batch, StoreTable::Paid)),
    ("manual-credits", |batch| changes_table(batch, StoreTable::ManualCredits)),
    ("manual-rewards", |batch| changes_table(batch, StoreTable::ManualRewards)),
    ("runs", |batch| changes_table(batch, StoreTable::Runs)),
    ("begun-imports", |batch| changes_meta(batch, b"import/")),
    // The answer that is kept under the key of a request.
    ("kept-answers", |batch| changes_meta(batch, b"request/")),
];

fn changes_table(batch: &WriteBatch, table: StoreTable) -> bool {
    batch.changes.iter().any(|change| change.table == table)
}

fn changes_meta(batch: &WriteBatch, prefix: &[u8]) -> bool {
    let mut changes = batch.changes.iter();
    changes.any(|change| change.table == StoreTable::Meta && change.key.starts_with(prefix))
}

/// The names of all sites.
fn site_names() -> Vec<String> {
    let kinds = COMMIT_KINDS.iter();
    kinds.flat_map(|(kind, _)| [format!("before-{kind}"), format!("after-{kind}")]).collect()
}

/// The commit at which the program ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CrashPoint {
    kind: CommitKind,
    is_after: bool,
    /// The number of the commit among those of its kind, from 1.
    number: u64,
}

impl CrashPoint {
    /// What the environment names; none where the variable is not set.
    ///
    /// # Errors
    /// When there is no such site, or no number.
    pub(crate) fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<CrashPoint>, String> {
        let Some(text) = variable(VARIABLE) else { return Ok(None) };
        let point = CrashPoint::parse(text.trim()).ok_or_else(|| {
            let sites = site_names().join(", ");
            format!(
                "`{VARIABLE}` is `{text}`; expected SITE:N with N from 1, and a site of {sites}"
            )
        })?;
        Ok(Some(point))
    }

    fn parse(text: &str) -> Option<CrashPoint> {
        let (site, number) = text.split_once(':')?;
        let (side, name) = site.split_once('-')?;
        let is_after = match side {
            "before" => false,
            "after" => true,
            _ => return None,
        };
        let kind = *COMMIT_KINDS.iter().find(|(kind, _)| *kind == name)?;
        let number = number.parse().ok().filter(|number| *number > 0)?;
        Some(CrashPoint { kind, is_after, number })
    }

    /// The store, watched for the commit.
    pub(crate) fn watch_store(self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(WatchedStore { store, point: self, count: AtomicU64::new(0) })
    }
}

/// A store that ends the program at a commit.
struct WatchedStore {
    store: Arc<dyn Store>,
    point: CrashPoint,
    /// How many commits of the kind came this far.
    count: AtomicU64,
}

impl WatchedStore {
    /// Ends the program where this is the commit.
    fn count_commit(&self, batch: &WriteBatch, is_after: bool) {
        let CrashPoint { kind: (kind, is_of_kind), number, .. } = self.point;
        if is_after != self.point.is_after || !is_of_kind(batch) {
            return;
        }
        if self.count.fetch_add(1, Ordering::SeqCst) + 1 == number {
            let side = if is_after { "after" } else { "before" };
            eprintln!("{VARIABLE}={side}-{kind}:{number}: the program ends here");
            std::process::abort();
        }
    }
}

impl Store for WatchedStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.store.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        self.count_commit(batch, false);
        self.store.commit(batch)?;
        self.count_commit(batch, true);
        Ok(())
    }

    fn shared_commit_count(&self) -> Result<Option<u64>, StoreError> {
        self.store.shared_commit_count()
    }

    fn check_health(&self) -> Result<(), StoreError> {
        self.store.check_health()
    }

    fn probe_writing(&self) -> Result<(), StoreError> {
        self.store.probe_writing()
    }
}

#[cfg(test)]
mod tests {
    use accredit_seams::store::conformance::check_store;
    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn point_of(text: &str) -> Result<Option<CrashPoint>, String> {
        CrashPoint::from_variables(|name| (name == VARIABLE).then(|| text.to_owned()))
    }

    #[test]
    fn every_site_is_understood_and_nothing_else() {
        for site in site_names() {
            let point = point_of(&format!("{site}:12")).unwrap().unwrap();
            let is_after = site.starts_with("after-");
            assert_eq!((point.is_after, point.number), (is_after, 12), "{site}");
            assert!(site.ends_with(point.kind.0), "{site}");
        }
        for wrong in
            ["inbox:1", "after-inbox", "after-inbox:0", "after-inbox:x", "after-:1", "on-inbox:1"]
        {
            let message = point_of(wrong).unwrap_err();
            assert!(
                message.contains(wrong) && message.contains("before-kept-answers"),
                "{message}"
            );
        }
        assert!(CrashPoint::from_variables(|_| None).unwrap().is_none());
    }

    #[test]
    fn a_store_that_is_watched_for_another_commit_is_a_store() {
        let point = point_of("after-inbox:1000000").unwrap().unwrap();
        check_store(&*point.watch_store(Arc::new(MemoryStore::default()))).unwrap();
    }
}
