//! Files as an editor has them, laid over those in force; and the turn of a request that checks them.
//!
//! Not checking them. Called by the handlers beside it.
//!
//! **Architecture invariant:** what is laid over is seen by its request alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use accredit_editor::EditorWorkspace;
use accredit_operations::candidate::with_changes;
use accredit_workspace::Ruleset;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::http::definitions::files::check_path;
use crate::http::problem::Problem;
use crate::plugins;
use crate::server::state::Service;

/// Requests of editors that are worked on at the same time: each checks a whole directory.
const EDITORS_AT_ONCE: usize = 2;

/// How long a request of an editor waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(5);

static TURNS: Semaphore = Semaphore::const_new(EDITORS_AT_ONCE);

/// Requests that check nothing and are worked on at the same time: a person who types waits for them.
const HINTS_AT_ONCE: usize = 4;

static HINT_TURNS: Semaphore = Semaphore::const_new(HINTS_AT_ONCE);

/// Path to text; null takes the file away.
pub(crate) type EditedFiles = BTreeMap<String, Option<String>>;

/// Every file of it defines something.
pub(crate) fn check_paths(files: &EditedFiles) -> Result<(), Problem> {
    files.keys().try_for_each(|path| check_path(path))
}

/// The turn of a request; it is held where the work is done, also when the client has gone.
///
/// # Errors
/// When others have it for too long.
pub(crate) async fn editor_turn() -> Result<SemaphorePermit<'static>, Problem> {
    turn_of(&TURNS).await
}

/// The turn of a request that checks nothing.
///
/// # Errors
/// When others have it for too long.
pub(crate) async fn hint_turn() -> Result<SemaphorePermit<'static>, Problem> {
    turn_of(&HINT_TURNS).await
}

async fn turn_of(turns: &'static Semaphore) -> Result<SemaphorePermit<'static>, Problem> {
    let busy = || Problem::unavailable("too many editors ask at once");
    let turn = tokio::time::timeout(TURN_WAIT, turns.acquire()).await;
    turn.map_err(|_| busy())?.map_err(|_| busy())
}

/// The files in force with those of an editor laid over them.
pub(crate) struct LaidOver {
    /// What the editor sees.
    pub(crate) workspace: EditorWorkspace,
    /// The paths whose text differs from the one in force.
    pub(crate) changed: BTreeSet<String>,
    /// What is in force.
    pub(crate) current: Arc<Ruleset>,
}

/// Lays files over those in force.
///
/// # Errors
/// When the data cannot be read.
pub(crate) fn lay_over(service: &Service, files: &EditedFiles) -> Result<LaidOver, Problem> {
    let current = service.context.ruleset.load_full();

    let changes = files.iter().map(|(path, text)| (path.clone(), text.as_deref().map(Arc::from)));
    let mut changes: BTreeMap<String, Option<Arc<str>>> = changes.collect();
    changes.retain(|path, text| current.files.get(path) != text.as_ref());

    let workspace = EditorWorkspace {
        files: with_changes(&current.files, &changes),
        columns: service.context.ledger.known_columns()?,
        connectors: plugins::connectors(),
    };
    Ok(LaidOver { workspace, changed: changes.into_keys().collect(), current })
}
