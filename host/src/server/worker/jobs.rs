//! What people ask the worker for: what had arrived before is decided first, then the operation is
//! done.
//!
//! Not the operations themselves (`accredit_operations`) and not the requests (`http`).

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use accredit_domain::calendar::Period;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Approved, Resolution};
use accredit_ledger::periods::Said;
use accredit_ledger::query::CreditQuery;
use accredit_ledger::releases::Release;
use accredit_operations::adjust::{self, Adjust, Subject};
use accredit_operations::calculations::Wanted;
use accredit_operations::decide::{redrive, run};
use accredit_operations::error::Error;
use accredit_operations::periods;
use accredit_operations::release::{self, Wish};
use accredit_operations::resolve::{self, Resolve};

use super::Worker;

impl Worker {
    /// Resolves a credit; one that is not known yet may still be in the inbox.
    pub(crate) fn resolve_known(&mut self, order: Resolve) -> Result<PostedCredit, Error> {
        self.know(&order.credit)?;
        resolve::resolve(&self.service.context, order)
    }

    /// Adjusts a credit or a transaction; one that is not known yet may still be in the inbox.
    pub(crate) fn adjust(&mut self, order: Adjust) -> Result<Resolution, Error> {
        match &order.subject {
            Subject::Credit(id) => self.know(id)?,
            Subject::Transaction(_) => self.catch_up_or_refuse()?,
        }
        adjust::adjust(&self.service.context, order)
    }

    /// Releases every held credit that `wanted` selects, in one decision; gives their ids.
    pub(crate) fn release_all(
        &mut self,
        query: &CreditQuery,
        wanted: &dyn Fn(&PostedCredit) -> bool,
        by: (&str, Option<&str>, Option<&Approved>),
    ) -> Result<Vec<CreditId>, Error> {
        self.catch_up_or_refuse()?;
        resolve::release_all(&self.service.context, query, wanted, by)
    }

    /// Publishes a calculation; the release as it is then.
    pub(crate) fn publish(&mut self, wanted: &Wanted, wish: &Wish) -> Result<Release, Error> {
        self.catch_up_or_refuse()?;
        self.new_day();
        release::publish(&self.service.context, wanted, wish)
    }

    /// Freezes a leaf period, with everything that was acknowledged until now.
    pub(crate) fn finalize(&mut self, leaf: &Period, said: &Said) -> Result<usize, Error> {
        self.catch_up()?;
        Ok(periods::finalize(&self.service.context, leaf, said)?)
    }

    /// Finalizes what the calendar in force lists, once its day is over.
    pub(super) fn finalize_listed(&mut self) {
        let listed = periods::listed(&self.service.context).unwrap_or_default();
        for (leaf, said) in listed {
            // A panic over one period must not keep the worker from its other work.
            let done = catch_unwind(AssertUnwindSafe(|| self.finalize(&leaf, &said)));
            match done {
                Ok(Ok(_)) => (),
                Ok(Err(error)) => {
                    tracing::error!(error.cause = %error, period = leaf.id, "not finalized");
                }
                Err(_) => tracing::error!(period = leaf.id, "finalizing panicked"),
            }
        }
    }

    /// Refuses a selection of transactions that names some which nobody delivered.
    pub(crate) fn check_selected(&mut self, selected: &BTreeSet<String>) -> Result<(), Error> {
        self.catch_up_or_refuse()?;
        run::check_selected(&self.service.context, selected)
    }

    /// Decides again what is parked or held by an error; how many deals that were.
    pub(crate) fn redrive_parked(&mut self) -> Result<usize, Error> {
        Ok(redrive::redrive_parked(&self.service.context)?)
    }

    /// Decides what has arrived, unless the credit is known already.
    fn know(&mut self, credit: &str) -> Result<(), Error> {
        if self.service.context.ledger.credit(credit)?.is_some() {
            return Ok(());
        }
        self.catch_up_or_refuse()
    }
}
