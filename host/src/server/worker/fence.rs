//! What had arrived before something was asked for is decided before it is done.
//!
//! Not a wait for an empty inbox: under traffic that never pauses there is none.
//!
//! **Architecture invariant:** a release, an adjustment or a finalization waits for a number of
//! deliveries that does not grow.

use accredit_operations::error::Error;
use accredit_seams::store::Error as StoreError;

use super::Worker;

impl Worker {
    /// Decides every delivery that has arrived by now.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        let fence = self.service.ledger.last_received()?;

        while self.service.ledger.oldest_pending()?.is_some_and(|oldest| oldest <= fence) {
            if !self.step() {
                let why = "deliveries that came before could not be decided";
                return Err(StoreError::Failed(why.to_owned()));
            }
        }
        Ok(())
    }

    /// The same for somebody who waits: what could not be decided refuses what was asked for.
    pub(super) fn catch_up_or_refuse(&mut self) -> Result<(), Error> {
        self.catch_up().map_err(|error| {
            tracing::error!(error.cause = %error, "deliveries that came before are not decided");
            let detail = "deliveries that came before could not be decided; nothing was done";
            Error::unavailable(detail)
        })
    }
}
