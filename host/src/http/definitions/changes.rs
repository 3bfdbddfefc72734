//! Several files in one change: previewed, made, kept, approved, withdrawn; and the way back.
//!
//! Not one file at a time (`definitions`).

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::limits::{Limits, MoneyEffect};
use accredit_ledger::changes::{Proposal, ProposalState as Standing};
use accredit_ledger::definitions::Effective;
use accredit_ledger::terms::ChangeTerms;
use accredit_operations::activation::proposals::{self, ChangedText};
use accredit_operations::activation::sent;
use accredit_operations::activation::{ActivationOutcome, ChangeRequest};
use accredit_operations::principal::Principal;
use accredit_operations::shadow;
use accredit_workspace::Files;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::access::{approved, sessions};
use crate::http::act_body::{ActBody, SentAct};
use crate::http::definitions::conditions;
use crate::http::definitions::files::check_path;
use crate::http::definitions::policies::ActivationView;
use crate::http::problem::Problem;
use crate::http::views::{ListView, SignOffView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;
use crate::server::tasks::{self, FinalAnswer, TaskRequest};

/// A change as it is sent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangeBody {
    /// The ruleset that must be in force, as `GET /v1/definitions` names it.
    base: Option<String>,
    /// All files that `base` had, as `GET /v1/definitions` names them.
    set: Option<String>,
    /// The ruleset that a preview said it makes.
    ruleset: Option<String>,
    /// Path to text; null removes the file.
    pub(crate) files: BTreeMap<String, Option<String>>,
    /// Whether `files` is everything: what is not in it goes.
    whole: bool,
    /// What it means for existing credits; by default `now`.
    #[schema(value_type = Option<Effective>)]
    effective: Option<String>,
    /// The reason.
    comment: Option<String>,
    /// Labels to find it by.
    tags: Vec<String>,
    /// The highest permitted change of credits and of rewards, in all.
    max_total: Option<Decimal>,
    /// The highest permitted change of credits and of rewards, for each payee.
    max_payee: Option<Decimal>,
    /// Why people with credits or rewards may go.
    force: Option<String>,
    /// Whether it is only kept.
    draft: bool,
}

impl ActBody for ChangeBody {
    const EXPECTED: &'static str = "expected a JSON object with `files`, and optionally `base`, \
        `set`, `ruleset`, `whole`, `effective`, `comment`, `tags`, `max_total`, `max_payee`, \
        `force`, `draft`";

    /// Every file of it defines something.
    fn checked(self) -> Result<ChangeBody, Problem> {
        self.files.keys().try_for_each(|path| check_path(path))?;
        Ok(self)
    }
}

/// Limits that can be kept: nothing moves less than nothing.
fn checked_limits(
    max_total: Option<Decimal>,
    max_payee: Option<Decimal>,
) -> Result<Limits, Problem> {
    let given = [("max_total", max_total), ("max_payee", max_payee)];
    let below = given.iter().find(|(_, most)| most.is_some_and(|most| most < Decimal::ZERO));
    match below {
        Some((name, _)) => {
            Err(Problem::bad_request(format!("`{name}` must be an amount of at least 0")))
        }
        None => Ok(Limits { max_total, max_payee }),
    }
}

impl ChangeBody {
    /// The files that it changes, seen from `current`; what stays the same is left out.
    pub(crate) fn changed_files(&self, current: &Files) -> BTreeMap<String, Option<Arc<str>>> {
        let mut files: BTreeMap<String, Option<Arc<str>>> = BTreeMap::new();
        for (path, text) in &self.files {
            let text = text.as_deref().map(Arc::from);
            if current.get(path) != text.as_ref() {
                files.insert(path.clone(), text);
            }
        }
        let gone = current.keys().filter(|path| self.whole && !self.files.contains_key(*path));
        files.extend(gone.map(|path| (path.clone(), None)));
        files
    }

    /// The change that it asks for.
    pub(crate) fn change_request(
        &self,
        current: &Files,
        caller: &Principal,
    ) -> Result<ChangeRequest, Problem> {
        let terms = ChangeTerms {
            why: self.comment.clone(),
            effective: conditions::parse_effective(self.effective.as_deref())?,
            tags: self.tags.clone(),
            limits: checked_limits(self.max_total, self.max_payee)?,
            force: conditions::parse_reason(self.force.as_deref())?,
            ..conditions::terms_by_caller(caller)
        };

        Ok(ChangeRequest {
            files: self.changed_files(current),
            terms,
            base: self.base.clone(),
            set: self.set.clone(),
            makes: self.ruleset.clone(),
            ..ChangeRequest::default()
        })
    }
}

/// What a change would change, in files, rules and money; nothing is written.
pub(crate) async fn preview_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    sent: SentAct<ChangeBody>,
) -> Result<Response, Problem> {
    let SentAct { body: sent, bytes } = sent;
    let asked = task_request("preview", &caller, &headers, &bytes);

    let shown = service.answer_as_task(asked, move |service| {
        let current = service.context.ruleset.load_full();
        let terms = ChangeTerms {
            effective: conditions::parse_effective(sent.effective.as_deref())?,
            limits: checked_limits(sent.max_total, sent.max_payee)?,
            ..ChangeTerms::default()
        };
        let change = ChangeRequest {
            files: sent.changed_files(&current.files),
            terms,
            base: sent.base,
            ..ChangeRequest::default()
        };

        let preview = sent::preview_change(&service.context, &current, &change)?;
        FinalAnswer::ok_view(&preview)
    });

    shown.await
}

/// A request whose work grows with the recorded transactions.
fn task_request<'a>(
    what: &'static str,
    caller: &Principal,
    headers: &HeaderMap,
    body: &'a [u8],
) -> TaskRequest<'a> {
    TaskRequest { what, who: caller.name.clone(), body, wait: tasks::requested_wait(headers) }
}

/// Makes a change, or keeps it where it is a draft or needs a second person.
pub(crate) async fn make_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    sent: SentAct<ChangeBody>,
) -> Result<Response, Problem> {
    let SentAct { body: sent, bytes } = sent;
    let asked = task_request("change", &caller, &headers, &bytes);

    let done = service.answer_as_task(asked, move |service| {
        let current = service.context.ruleset.load_full();
        let change = sent.change_request(&current.files, &caller)?;
        let done = sent::make_change(&service.context, &current, change, sent.draft)?;
        conditions::outcome_answer(&done, None)
    });

    done.await
}

/// A change in a list of changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ChangeView {
    /// One that is kept.
    Kept(Box<KeptChangeView>),
    /// One that was carried out.
    Activated(Box<ActivationView>),
}

/// A change that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptChangeView {
    /// Its number, from 1.
    id: u64,
    /// The instant at which it was made.
    #[schema(format = DateTime)]
    at: String,
    /// The user who made it.
    who: String,
    /// The reason as it was given.
    why: Option<String>,
    /// `api`, `watch` or `start`.
    source: String,
    /// The hash of the ruleset that it was made for.
    base: String,
    /// The hash of the ruleset that it makes; null where it could not be built.
    ruleset: Option<String>,
    /// The hash of the new text by path; null where the file is removed.
    files: BTreeMap<String, Option<String>>,
    /// What it means for credits that exist: `now`, `recredit` or `from:2026-01-31`.
    effective: Effective,
    /// Labels to find it by.
    tags: Vec<String>,
    /// Whether it brings back an earlier set.
    rollback: bool,
    /// More money than this it must not move.
    limits: Limits,
    /// The reason for removing people with credits or rewards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    force: Option<String>,
    /// The money that it moved by the transactions of when it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    money: Option<MoneyEffect>,
    /// What became of it so far; `shadow` while it runs beside the rules in force.
    state: KeptChangeStateView,
    /// Who approved it; null where no person did.
    approved: Option<SignOffView>,
    /// The diagnostics of check.
    diagnostics: Value,
}

/// The state of a kept change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum KeptChangeStateView {
    /// As it is kept.
    Kept(Standing),
    /// `shadow`.
    Shadow(&'static str),
}

impl KeptChangeView {
    /// The view of a kept change; `shadow` is the number of the one that runs.
    fn new(proposal: Proposal, shadow: Option<u64>) -> KeptChangeView {
        let state = match shadow {
            Some(running) if running == proposal.id => KeptChangeStateView::Shadow("shadow"),
            _ => KeptChangeStateView::Kept(proposal.state),
        };

        KeptChangeView {
            id: proposal.id,
            at: format_rfc3339(proposal.at_ms),
            who: proposal.terms.who,
            why: proposal.terms.why,
            source: proposal.terms.source,
            base: proposal.base,
            ruleset: proposal.ruleset,
            files: proposal.files,
            effective: proposal.terms.effective,
            tags: proposal.terms.tags,
            rollback: proposal.terms.rollback,
            limits: proposal.terms.limits,
            force: proposal.terms.force,
            money: proposal.money,
            state,
            approved: proposal.approved.map(SignOffView::new),
            diagnostics: proposal.diagnostics,
        }
    }
}

/// Every change: those that are kept with their states, then those that were carried out, newest
/// first; the last of them is `active`, the others `retired`.
pub(crate) async fn list_changes(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<ChangeView>> {
    let rows = service.run_blocking(|service| {
        let proposals = service.context.ledger.list_proposals()?;
        let activations = service.context.ledger.list_activations()?;
        let shadow = shadow::running_change(&service.context);

        let waiting = proposals.into_iter().rev();
        let waiting = waiting.filter(|one| one.state != Standing::Active);
        let waiting = waiting.map(|one| KeptChangeView::new(one, shadow));

        let last = activations.len();
        let done = activations.into_iter().enumerate().rev();
        let done = done.map(|(index, one)| ActivationView::of_change(one, index + 1 == last));
        let done = done.map(|one| ChangeView::Activated(Box::new(one)));

        Ok(waiting.map(|one| ChangeView::Kept(Box::new(one))).chain(done).collect())
    });

    Ok(ViewJson(ListView::whole(rows.await?)))
}

/// A change that is kept, with its texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadChangeView {
    #[serde(flatten)]
    kept: KeptChangeView,
    /// Every file of it, before and after, by path. Secrets are in no file: they are settings of the server.
    texts: Vec<ChangedText>,
}

/// One kept change, with the texts that its approver reads.
pub(crate) async fn show_change(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> ViewResult<ReadChangeView> {
    let row = service.run_blocking(move |service| {
        let row = service.context.ledger.find_proposal(id)?;
        let row = row.ok_or_else(|| Problem::not_found("change"))?;
        let texts = proposals::changed_texts(&service.context, &row)?;
        let kept = KeptChangeView::new(row, shadow::running_change(&service.context));
        Ok(ReadChangeView { kept, texts })
    });
    row.await.map(ViewJson)
}

/// Activates a kept change; under four eyes this is its approval, by another person.
pub(crate) async fn approve_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let body = id.to_be_bytes();
    let asked = task_request("approval", &caller, &headers, &body);
    let is_proved = sessions::is_by_provider(&service, &headers);
    let done = service.answer_as_task(asked, move |service| {
        let kept = service.context.ledger.find_proposal(id)?;
        // A person's own change is refused below, with its own reason.
        let kept = kept.filter(|kept| {
            service.config.four_eyes
                && kept.state == Standing::Waiting
                && kept.terms.who != caller.name
        });
        if let Some(kept) = kept {
            approved::check_two_people(service, (&kept.terms.who, &caller.name), is_proved)?;
        }
        let active = proposals::carry_out(&service.context, id, &caller.name)?;
        conditions::outcome_answer(&ActivationOutcome::Active(Box::new(active)), None)
    });
    done.await
}

/// Throws a kept change away.
pub(crate) async fn withdraw_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<u64>,
) -> ViewResult<KeptChangeView> {
    let row = service.run_blocking(move |service| {
        Ok(proposals::withdraw_proposal(&service.context, id, &caller.name)?)
    });
    Ok(ViewJson(KeptChangeView::new(row.await?, None)))
}

/// Which earlier set is brought back, and how.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RollbackRequest {
    /// The ruleset to restore; by default the one before.
    to: Option<String>,
    /// What it means for existing credits; by default `now`.
    #[schema(value_type = Option<Effective>)]
    effective: Option<String>,
    /// Why.
    comment: Option<String>,
    /// The highest permitted change of credits and of rewards, in all.
    max_total: Option<Decimal>,
    /// The highest permitted change of credits and of rewards, for each payee.
    max_payee: Option<Decimal>,
    /// The reason to remove people who have credits or rewards.
    force: Option<String>,
}

impl ActBody for RollbackRequest {
    const EXPECTED: &'static str = "expected a JSON object with `to`, `effective`, `comment`, \
        `max_total`, `max_payee`, `force`";

    fn without_body() -> Option<RollbackRequest> {
        Some(RollbackRequest::default())
    }
}

/// Activates an earlier set of files: the one before, or the one whose ruleset is named.
pub(crate) async fn roll_back(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    sent: SentAct<RollbackRequest>,
) -> Result<Response, Problem> {
    let SentAct { body: back, bytes } = sent;
    let asked = task_request("rollback", &caller, &headers, &bytes);
    let done = service.answer_as_task(asked, move |service| {
        let terms = ChangeTerms {
            why: back.comment,
            effective: conditions::parse_effective(back.effective.as_deref())?,
            limits: checked_limits(back.max_total, back.max_payee)?,
            force: conditions::parse_reason(back.force.as_deref())?,
            ..conditions::terms_by_caller(&caller)
        };

        let done = sent::roll_back(&service.context, back.to, terms)?;
        conditions::outcome_answer(&done, None)
    });

    done.await
}
