//! Tokens, secrets and the certificate read again while the server runs: when one of their files
//! changes, or on SIGHUP.
//!
//! Not what they are (`credentials`, `tls`). Started by the server.
//!
//! **Architecture invariant:** what cannot be used changes nothing: the server keeps the present
//! ones and logs the reason.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use crate::server::secrets;
use crate::server::state::Service;

/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a file is recognised by: its path, size and last change.
type FileStamps = Vec<(PathBuf, Option<(u64, SystemTime)>)>;

/// Reads them again whenever there is reason to, until the task is ended.
pub(crate) fn start_rotation(service: &Arc<Service>) -> JoinHandle<()> {
    service.show_certificate();
    let service = Arc::clone(service);
    tokio::spawn(async move {
        let kind = tokio::signal::unix::SignalKind::hangup();
        let mut hangup = tokio::signal::unix::signal(kind).ok();
        let mut known = file_stamps(service.config.sources.files());
        let mut known_tls = file_stamps(service.tls_paths());

        loop {
            let asked = match &mut hangup {
                Some(hangup) => tokio::select! {
                    asked = hangup.recv() => asked.is_some(),
                    () = tokio::time::sleep(LOOK_EVERY) => false,
                },
                None => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    false
                }
            };

            let current = file_stamps(service.config.sources.files());
            if asked || current != known {
                known = current;
                apply_credentials(&service);
            }
            let current = file_stamps(service.tls_paths());
            if asked || current != known_tls {
                known_tls = current;
                apply_certificate(&service);
            }
        }
    })
}

fn file_stamps<'a>(files: impl Iterator<Item = &'a Path>) -> FileStamps {
    let stamp = |path: &Path| {
        let found = std::fs::metadata(path).ok();
        found.and_then(|found| Some((found.len(), found.modified().ok()?)))
    };
    files.map(|path| (path.to_owned(), stamp(path))).collect()
}

fn apply_credentials(service: &Service) {
    match service.reload_credentials() {
        Ok(()) => tracing::info!("tokens and secrets were reloaded"),
        Err(error) => {
            tracing::error!(error.cause = %error, "tokens and secrets stay as they were");
        }
    }
}

/// A certificate and its key are two files that do not change at once: the first look may find the old one
/// of one of them, and the next one both.
fn apply_certificate(service: &Service) {
    let Some(tls) = &service.tls else { return };
    match tls.reload(service.clock.now_ms() / 1000) {
        Ok(()) => {
            service.metrics.network.count_certificate("reloaded");
            tracing::info!("the certificate was reloaded");
        }
        Err(error) => {
            service.metrics.network.count_certificate("refused");
            tracing::error!(error.cause = %error, "the certificate stays as it was");
        }
    }
    service.show_certificate();
}

impl Service {
    /// The files of the certificate, if there are any.
    fn tls_paths(&self) -> impl Iterator<Item = &Path> {
        self.tls.iter().flat_map(|tls| tls.files().paths())
    }

    /// Tells monitoring when the certificate in force ends, and the log what is wrong with it.
    pub(crate) fn show_certificate(&self) {
        let Some(state) = self.certificate_state() else { return };
        self.metrics.network.set_certificate_end(state.ends_s);
        if let Some(fault) = state.fault {
            tracing::error!(tls.fault = fault, "the certificate needs a look");
        }
    }

    /// Reads tokens and secrets again and puts them in force, all of them or none.
    ///
    /// # Errors
    /// Why what is there cannot be used.
    pub(crate) fn reload_credentials(&self) -> Result<(), String> {
        // An activation puts secrets in force as well: one at a time.
        let _turn = self.context.door.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let given = self.config.sources.read()?;
        let tokens = secrets::load_tokens(&self.context.ledger, &given)?;
        let active =
            secrets::load_secrets(&self.context.ledger, &given, &self.context.ruleset.load())?;
        let (before, after) = (self.credentials.load().audit_view(), given.audit_view());
        let detail = serde_json::json!({ "before": before, "after": after });
        let said = ("serve", "credentials_reloaded", detail);
        // The host that decides is given the same ones, and its trail has that.
        if !self.role.is_following() {
            let noted = self.context.ledger.note_act(self.clock.now_ms(), said);
            noted.map_err(|error| format!("the audit trail cannot be written: {error}"))?;
        }

        self.tokens.store(Arc::new(tokens));
        self.secrets.store(Arc::new(active));
        self.credentials.store(Arc::new(given));
        Ok(())
    }
}
