//! A deal tried on files as they are typed: what each plan decides about it and why; and the same as a
//! case.
//!
//! Not a recorded decision (`intake::transactions`) and not the effect on recorded deals
//! (`definitions::changes`).

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_crediting::explain::Explanation;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::transaction::read;
use accredit_editor::checked::{self, EditorFinding};
use accredit_editor::trial::DealTrial;
use accredit_operations::explain;
use accredit_operations::principal::Principal;
use accredit_workspace::Ruleset;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::editor::edited_files::{EditedFiles, check_paths, editor_turn, lay_over};
use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// A deal to try, and the files to try it on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditorRunRequest {
    /// Path to text, laid over the files in force; null takes a file away.
    #[serde(default)]
    files: BTreeMap<String, Option<String>>,
    /// The deal as a source would deliver it: its columns. Either this or `transaction`.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    deal: Option<Map<String, Value>>,
    /// The natural key of a recorded deal, whose manual releases and amounts count as well.
    transaction: Option<String>,
    /// The only plan; absent, all of them.
    plan: Option<String>,
    /// The business date; today by default.
    #[schema(value_type = Option<String>, format = Date)]
    as_of: Option<Date>,
}

impl ActBody for EditorRunRequest {
    const EXPECTED: &'static str = "expected a JSON object with `deal` or `transaction`, and \
        optionally `files`, `plan`, `as_of`";

    fn checked(self) -> Result<EditorRunRequest, Problem> {
        check_paths(&self.files)?;
        if self.deal.is_some() == self.transaction.is_some() {
            let detail = "give either a `deal` or the id of a recorded `transaction`";
            return Err(Problem::bad_request(detail));
        }
        Ok(self)
    }
}

/// What becomes of a deal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditorRunView {
    /// Whether no finding about the files is an error; otherwise nothing was decided.
    checks: bool,
    /// The hash of the ruleset that decided; null where none did.
    ruleset: Option<String>,
    /// What each plan decides, with its steps, in the order in which plans are decided.
    plans: Vec<Explanation>,
    /// What is wrong with the files, at most 500 findings.
    diagnostics: Vec<EditorFinding>,
}

/// A ruleset in force, or one that is only tried.
enum TriedRuleset {
    InForce(Arc<Ruleset>),
    Typed(Box<Ruleset>),
}

impl AsRef<Ruleset> for TriedRuleset {
    fn as_ref(&self) -> &Ruleset {
        match self {
            TriedRuleset::InForce(ruleset) => ruleset,
            TriedRuleset::Typed(ruleset) => ruleset,
        }
    }
}

/// Decides a deal by files as they are typed.
pub(crate) async fn run_deal(
    State(service): State<Arc<Service>>,
    caller: Option<Extension<Principal>>,
    sent: SentAct<EditorRunRequest>,
) -> ViewResult<EditorRunView> {
    refuse_recorded(&sent.body, caller.is_some())?;
    let turn = editor_turn().await?;
    let run = service.run_blocking(move |service| {
        let _turn = turn;
        let (ruleset, diagnostics) = tried_ruleset(service, &sent.body.files)?;
        let Some(ruleset) = ruleset else {
            let plans = Vec::new();
            return Ok(EditorRunView { checks: false, ruleset: None, plans, diagnostics });
        };

        let ruleset = ruleset.as_ref();
        let plans = trial_of(service, &sent.body)?.decide(ruleset);
        let plans = plans.map_err(|_| Problem::not_found("plan"))?;
        let ruleset = Some(ruleset.hash.to_string());
        Ok(EditorRunView { checks: true, ruleset, plans, diagnostics })
    });
    run.await.map(ViewJson)
}

/// A deal and what comes of it as Markdown, for the end of a case file.
pub(crate) async fn write_case(
    State(service): State<Arc<Service>>,
    caller: Option<Extension<Principal>>,
    sent: SentAct<EditorRunRequest>,
) -> Result<Response, Problem> {
    refuse_recorded(&sent.body, caller.is_some())?;
    let turn = editor_turn().await?;
    let written = service.run_blocking(move |service| {
        let _turn = turn;
        let (ruleset, diagnostics) = tried_ruleset(service, &sent.body.files)?;
        let Some(ruleset) = ruleset else {
            let detail = "check found errors, so nothing can be decided";
            let problem = Problem::unprocessable("check_failed", detail);
            return Err(problem.with_error_views(&diagnostics));
        };

        let written = trial_of(service, &sent.body)?.write_case(ruleset.as_ref());
        written.map_err(|message| Problem::unprocessable("no_case", message))
    });
    let text = written.await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

/// A recorded deal is shown to those alone whom the server knows.
fn refuse_recorded(sent: &EditorRunRequest, is_known: bool) -> Result<(), Problem> {
    if is_known || sent.transaction.is_none() {
        return Ok(());
    }
    let detail = "a recorded `transaction` needs a token, a key or a session; send a `deal`";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail))
}

/// The ruleset of these files, if they are sound, and what is wrong with them.
fn tried_ruleset(
    service: &Service,
    files: &EditedFiles,
) -> Result<(Option<TriedRuleset>, Vec<EditorFinding>), Problem> {
    let laid = lay_over(service, files)?;
    if laid.changed.is_empty() {
        return Ok((Some(TriedRuleset::InForce(laid.current)), Vec::new()));
    }
    let (ruleset, findings) = checked::check_changed(&laid.workspace, &laid.changed);
    Ok((ruleset.map(|ruleset| TriedRuleset::Typed(Box::new(ruleset))), findings))
}

/// The deal that a request names.
fn trial_of(service: &Service, sent: &EditorRunRequest) -> Result<DealTrial, Problem> {
    let as_of = Some(sent.as_of.unwrap_or_else(|| service.context.business_date()));
    let plan = sent.plan.clone();

    if let Some(id) = &sent.transaction {
        let stored = service.context.ledger.find_transaction(id)?;
        let stored = stored.ok_or_else(|| Problem::not_found("transaction"))?;
        let resolutions = service.context.ledger.transaction_resolutions(id)?;
        let inputs = explain::decision_inputs(as_of, &resolutions)?;
        return Ok(DealTrial { record: stored.record, inputs, plan });
    }

    let deal = Value::Object(sent.deal.clone().unwrap_or_default()).to_string();
    let rows = read::read_json(deal.as_bytes());
    let rows = rows.map_err(|error| Problem::bad_request(format!("`deal`: {}", error.message)))?;
    let record = rows.into_iter().next();
    let record = record.ok_or_else(|| Problem::bad_request("`deal` has no columns"))?;
    let inputs = DecisionInputs { as_of, ..DecisionInputs::default() };
    Ok(DealTrial { record, inputs, plan })
}
