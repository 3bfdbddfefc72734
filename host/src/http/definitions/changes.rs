//! Several files in one change: previewed, made, kept, approved, withdrawn; and the way back.
//!
//! Not one file at a time (`definitions`).

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::limits::Limits;
use accredit_ledger::changes::{Proposal, ProposalState as Standing};
use accredit_ledger::definitions::{Activation, Effective};
use accredit_ledger::terms::ChangeTerms;
use accredit_operations::activation::people;
use accredit_operations::activation::proposals;
use accredit_operations::activation::{self, ActivationOutcome, ChangeRequest};
use accredit_operations::candidate;
use accredit_operations::effect;
use accredit_operations::preview;
use accredit_operations::replay::{self, ReplayImpact};
use accredit_operations::shadow;
use accredit_workspace::Files;
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::JsonResult;
use crate::http::act_body::{ActBody, SentAct};
use crate::http::definitions::conditions;
use crate::http::definitions::files::check_path;
use crate::http::definitions::policies;
use crate::http::problem::Problem;
use crate::server::clock::format_rfc3339;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, FinalAnswer, TaskRequest};

/// A change as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangeBody {
    base: Option<String>,
    /// All files that `base` had, as `GET /v1/definitions` names them.
    set: Option<String>,
    /// The ruleset that a preview said it makes.
    ruleset: Option<String>,
    pub(crate) files: BTreeMap<String, Option<String>>,
    /// Whether `files` is everything: what is not in it goes.
    whole: bool,
    effective: Option<String>,
    comment: Option<String>,
    tags: Vec<String>,
    max_total: Option<Decimal>,
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
        caller: &Caller,
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
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    sent: SentAct<ChangeBody>,
) -> Result<Response, Problem> {
    let SentAct { body: sent, bytes } = sent;
    let asked = task_request("preview", &caller, &headers, &bytes);

    let shown = service.answer_as_task(asked, move |service| {
        let current = service.context.ruleset.load_full();
        if sent.base.as_ref().is_some_and(|base| **base != *current.hash) {
            let detail = format!("`{}` is now in force", current.hash);
            return Err(Problem::conflict("base_moved", detail));
        }

        let effective = conditions::parse_effective(sent.effective.as_deref())?;
        let changes = sent.changed_files(&current.files);
        let files = candidate::with_changes(&current.files, &changes);
        let checked = candidate::build_candidate(&service.context, &files, changes.keys())?;

        let ReplayImpact { impact, booked } =
            replay::change_impact(&service.context, &current, &checked.ruleset, effective)?;
        let moved = effect::money_change(&service.context, &current, &checked.ruleset, effective)?;
        let limits = checked_limits(sent.max_total, sent.max_payee)?;

        let unfinished = service.context.ledger.pending_recredit()?.is_some()
            || service.context.ledger.pending_count(1)? > 0;

        Ok(FinalAnswer::ok_json(json!({
            "base": *current.hash,
            "unfinished": unfinished,
            "ruleset": *checked.ruleset.hash,
            "effective": effective,
            "cases": checked.cases,
            "changes": preview::describe_changes(&current.files, &files),
            "impact": impact.to_report(),
            "booked": booked.to_report(),
            "people": people::people_report(&service.context, &current, &checked.ruleset)?,
            "money": moved.money_effect(),
            "stop_loss": moved.exceeded_limit(&limits),
        })))
    });

    shown.await
}

/// A request whose work grows with the recorded transactions.
fn task_request<'a>(
    what: &'static str,
    caller: &Caller,
    headers: &HeaderMap,
    body: &'a [u8],
) -> TaskRequest<'a> {
    TaskRequest { what, who: caller.name.clone(), body, wait: tasks::requested_wait(headers) }
}

/// Makes a change, or keeps it where it is a draft or needs a second person.
pub(crate) async fn make_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    sent: SentAct<ChangeBody>,
) -> Result<Response, Problem> {
    let SentAct { body: sent, bytes } = sent;
    let asked = task_request("change", &caller, &headers, &bytes);

    let done = service.answer_as_task(asked, move |service| {
        let current = service.context.ruleset.load_full();
        let mut change = sent.change_request(&current.files, &caller)?;
        if sent.draft {
            let kept = proposals::keep_draft(&service.context, &change)?;
            return Ok(conditions::outcome_answer(
                &ActivationOutcome::Waiting(Box::new(kept)),
                None,
            ));
        }

        // Without files, but with an effective choice, credits are decided again by what is in force.
        let asks_nothing = change.files.is_empty() && change.terms.effective == Effective::Now;
        if asks_nothing && change.base.as_deref().is_none_or(|b| *b == *current.hash) {
            let detail =
                "these files are already in force; set `effective` to decide credits again";
            return Err(Problem::conflict("nothing_changes", detail));
        }

        // `whole` was read against this ruleset and no other.
        change.base.get_or_insert_with(|| current.hash.to_string());

        let done = activation::submit_change(&service.context, &change, |_| Ok(()))?;
        Ok(conditions::outcome_answer(&done, None))
    });

    done.await
}

fn kept_change_json(proposal: &Proposal, shadow: Option<u64>) -> Value {
    let mut row = serde_json::to_value(proposal).unwrap_or_default();
    if let Some(row) = row.as_object_mut() {
        row.insert("at".to_owned(), Value::from(format_rfc3339(proposal.at_ms)));
        row.remove("at_ms");
        if shadow == Some(proposal.id) {
            row.insert("state".to_owned(), Value::from("shadow"));
        }
        let approved = proposal.approved.as_ref();
        let approved = approved.map(|(who, at)| json!({ "who": who, "at": format_rfc3339(*at) }));
        row.insert("approved".to_owned(), approved.unwrap_or_default());
    }
    row
}

fn activation_json(activation: &Activation, active: bool) -> Value {
    let mut row = policies::activation_row(activation);
    if let Some(row) = row.as_object_mut() {
        let state = if active { "active" } else { "retired" };
        row.insert("state".to_owned(), Value::from(state));
        row.insert("activation".to_owned(), Value::from(activation.sequence));
        row.insert("changed".to_owned(), json!(activation.changed));
    }
    row
}

/// Every change: those that are kept with their states, then those that were carried out, newest
/// first; the last of them is `active`, the others `retired`.
pub(crate) async fn list_changes(State(service): State<Arc<Service>>) -> JsonResult {
    let rows = service.run_blocking(|service| {
        let proposals = service.context.ledger.list_proposals()?;
        let activations = service.context.ledger.list_activations()?;
        let shadow = shadow::running_change(&service.context);

        let waiting = proposals.iter().rev();
        let waiting = waiting.filter(|one| one.state != Standing::Active);

        let last = activations.len();
        let done = activations.iter().enumerate().rev();
        let done = done.map(|(index, one)| activation_json(one, index + 1 == last));

        Ok(waiting.map(|one| kept_change_json(one, shadow)).chain(done).collect())
    });

    Ok(crate::http::list_page(rows.await?))
}

/// One kept change.
pub(crate) async fn show_change(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> JsonResult {
    let row = service.run_blocking(move |service| {
        let row = service.context.ledger.find_proposal(id)?;
        let row = row.ok_or_else(|| Problem::not_found("change"))?;
        Ok(kept_change_json(&row, shadow::running_change(&service.context)))
    });
    row.await.map(Json)
}

/// Activates a kept change; under four eyes this is its approval, by another person.
pub(crate) async fn approve_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let body = id.to_be_bytes();
    let asked = task_request("approval", &caller, &headers, &body);
    let done = service.answer_as_task(asked, move |service| {
        let active = proposals::carry_out(&service.context, id, &caller.name)?;
        Ok(conditions::outcome_answer(&ActivationOutcome::Active(Box::new(active)), None))
    });
    done.await
}

/// Throws a kept change away.
pub(crate) async fn withdraw_change(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> JsonResult {
    let row = service.run_blocking(move |service| {
        Ok(proposals::withdraw_proposal(&service.context, id, &caller.name)?)
    });
    Ok(Json(kept_change_json(&row.await?, None)))
}

/// Which earlier set is brought back, and how.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RollbackRequest {
    to: Option<String>,
    effective: Option<String>,
    comment: Option<String>,
    max_total: Option<Decimal>,
    max_payee: Option<Decimal>,
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
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    sent: SentAct<RollbackRequest>,
) -> Result<Response, Problem> {
    let SentAct { body: back, bytes } = sent;
    let asked = task_request("rollback", &caller, &headers, &bytes);
    let done = service.answer_as_task(asked, move |service| {
        let current = service.context.ruleset.load_full();

        let to = match &back.to {
            Some(to) => to.clone(),
            None => {
                let activations = service.context.ledger.list_activations()?;
                let mut others = activations.into_iter().rev().map(|one| one.ruleset);
                let other = others.find(|ruleset| **ruleset != *current.hash);
                other
                    .ok_or_else(|| Problem::conflict("no_earlier", "there is no earlier version"))?
            }
        };

        let files = service.context.ledger.files_of(&to)?;
        let files = files.ok_or_else(|| Problem::not_found("earlier set"))?;

        let terms = ChangeTerms {
            why: Some(back.comment.unwrap_or_else(|| format!("back to {to}"))),
            effective: conditions::parse_effective(back.effective.as_deref())?,
            rollback: true,
            limits: checked_limits(back.max_total, back.max_payee)?,
            force: conditions::parse_reason(back.force.as_deref())?,
            ..conditions::terms_by_caller(&caller)
        };

        let change = ChangeRequest {
            files: preview::diff_files(&current.files, &files),
            terms,
            base: Some(current.hash.to_string()),
            ..ChangeRequest::default()
        };

        if change.files.is_empty() {
            return Err(Problem::conflict("nothing_changes", "this version is already in force"));
        }

        let done = activation::submit_change(&service.context, &change, |_| Ok(()))?;
        Ok(conditions::outcome_answer(&done, None))
    });

    done.await
}
