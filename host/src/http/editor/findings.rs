//! What is wrong with files as they are typed.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_editor::checked::{self, EditorFinding};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::editor::edited_files::{check_paths, editor_turn, lay_over};
use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// Files to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditorCheckRequest {
    /// Path to text, laid over the files in force; null takes a file away.
    files: BTreeMap<String, Option<String>>,
}

impl ActBody for EditorCheckRequest {
    const EXPECTED: &'static str = "expected a JSON object with `files`, path to text";

    fn checked(self) -> Result<EditorCheckRequest, Problem> {
        check_paths(&self.files).map(|()| self)
    }
}

/// What check found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditorCheckView {
    /// Whether no finding is an error.
    checks: bool,
    /// The hash of the ruleset that the files define; null where a finding is an error.
    ruleset: Option<String>,
    /// What is wrong, by file and place, at most 500 findings.
    diagnostics: Vec<EditorFinding>,
}

/// Checks files as they are typed.
pub(crate) async fn check_files(
    State(service): State<Arc<Service>>,
    sent: SentAct<EditorCheckRequest>,
) -> ViewResult<EditorCheckView> {
    let turn = editor_turn().await?;
    let checked = service.run_blocking(move |service| {
        let _turn = turn;
        let laid = lay_over(service, &sent.body.files)?;
        let (ruleset, diagnostics) = checked::check_changed(&laid.workspace, &laid.changed);
        let ruleset = ruleset.map(|ruleset| ruleset.hash.to_string());
        Ok(EditorCheckView { checks: ruleset.is_some(), ruleset, diagnostics })
    });
    checked.await.map(ViewJson)
}
