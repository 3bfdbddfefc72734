//! Changes that are kept: drafts, and those that wait for a second person's approval.
//!
//! Called by the HTTP handlers and by the door itself where four eyes are asked for.
//!
//! **Architecture invariant:** nobody approves their own change, and what is approved is activated
//! through the same door, against the ruleset that it was made for.

use std::sync::PoisonError;

use accredit_ledger::changes::{Proposal, State};
use accredit_workspace::Files;

use super::{Activated, Change, Refused, changed};
use crate::http::problem::Problem;
use crate::server::state::Service;

fn failed(error: accredit_seams::store::Error) -> Refused {
    Refused::Problem(Problem::internal(&error))
}

fn can_be_activated(kept: &Proposal) -> Result<(), Problem> {
    if kept.can_be_activated() {
        return Ok(());
    }
    let detail = match kept.state {
        State::Draft => "check found errors in it: send it again, mended",
        State::Withdrawn => "it was withdrawn",
        _ => "it was activated already",
    };
    Err(Problem::conflict("not_waiting", detail))
}

impl Service {
    /// Keeps a sound change until somebody else approves it.
    pub(super) fn keep_waiting(
        &self,
        change: &Change,
        allowed: impl Fn(&Files) -> Result<(), Problem>,
    ) -> Result<Proposal, Refused> {
        let (checked, _turn) = self.judged(change, &allowed)?;
        let ruleset = Some(checked.ruleset.hash.to_string());
        let money = (!checked.money.is_none()).then_some(checked.money);
        let kept = Proposal { ruleset, money, state: State::Waiting, ..self.proposal(change) };
        self.ledger.propose(kept, &change.files).map_err(failed)
    }

    /// Keeps a change without activating it, sound or not.
    pub(crate) fn draft(&self, change: &Change) -> Result<Proposal, Refused> {
        let _turn = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.ruleset.load_full();
        self.expected(&current, change).map_err(Refused::Problem)?;

        let files = changed(&current.files, &change.files);
        let mut kept = self.proposal(change);

        match self.candidate(&files, change.files.keys()) {
            Ok(checked) => {
                kept.state = State::Checked;
                kept.ruleset = Some(checked.ruleset.hash.to_string());
            }
            Err(Refused::Diagnostics(found)) => {
                kept.diagnostics = serde_json::to_value(found).unwrap_or_default();
            }
            Err(refused) => return Err(refused),
        }

        self.ledger.propose(kept, &change.files).map_err(failed)
    }

    fn proposal(&self, change: &Change) -> Proposal {
        Proposal {
            at_ms: self.clock.now_ms(),
            who: change.who.clone(),
            why: change.why.clone(),
            source: change.source.to_owned(),
            base: self.ruleset.load().hash.to_string(),
            effective: change.effective,
            tags: change.tags.clone(),
            rollback: change.rollback,
            limits: change.limits,
            force: change.force.clone(),
            ..Proposal::default()
        }
    }

    /// Activates a kept change; `who` approves it where four eyes are asked for.
    pub(crate) fn carry_out(&self, id: u64, who: &str) -> Result<Activated, Refused> {
        let refused = |problem: Problem| Err(Refused::Problem(problem));
        let Some(kept) = self.ledger.proposal(id).map_err(failed)? else {
            return refused(Problem::not_found("change"));
        };

        can_be_activated(&kept).map_err(Refused::Problem)?;
        if self.config.four_eyes && kept.who == who {
            let detail = format!("`{who}` made this change; somebody else approves it");
            return refused(Problem::new(axum::http::StatusCode::FORBIDDEN, "four_eyes", detail));
        }

        let why = match (&kept.why, self.config.four_eyes) {
            (Some(why), true) => Some(format!("{why} (approved by {who})")),
            (None, true) => Some(format!("approved by {who}")),
            (why, false) => why.clone(),
        };

        let change = Change {
            files: self.ledger.texts(&kept).map_err(failed)?,
            who: kept.who.clone(),
            why,
            source: "api",
            base: Some(kept.base.clone()),
            effective: kept.effective,
            tags: kept.tags.clone(),
            rollback: kept.rollback,
            limits: kept.limits,
            force: kept.force.clone(),
            proposal: Some(id),
            approved_by: Some(who.to_owned()),
            ..Change::default()
        };

        // Somebody may have thrown it away while this one waited for its turn.
        let still = |_: &Files| {
            let kept = self.ledger.proposal(id).map_err(|error| Problem::internal(&error))?;
            kept.as_ref().map_or_else(|| Err(Problem::not_found("change")), can_be_activated)
        };

        let activated = self.activate(&change, still)?;
        self.end_shadow_of(id, who).map_err(Refused::Problem)?;
        Ok(activated)
    }

    /// Throws a kept change away.
    pub(crate) fn withdraw(&self, id: u64, who: &str) -> Result<Proposal, Problem> {
        let _turn = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.ledger.proposal(id).map_err(|error| Problem::internal(&error))?;
        let mut kept = kept.ok_or_else(|| Problem::not_found("change"))?;

        if kept.state == State::Withdrawn {
            return Ok(kept);
        }
        if kept.state == State::Active {
            return Err(Problem::conflict("active", "the change was carried out already"));
        }

        kept.state = State::Withdrawn;
        let update = self.ledger.update(&kept, who, "withdrawn", self.clock.now_ms());
        update.map_err(|error| Problem::internal(&error))?;
        self.end_shadow_of(id, who)?;

        Ok(kept)
    }
}
