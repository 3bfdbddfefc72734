//! What may be written at a place of files as they are typed, what the name there means, and where it is
//! defined.
//!
//! None of these checks anything, so that they do not wait behind those that do.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_editor::complete::{CompletionItem, complete};
use accredit_editor::definition::{DefinitionSite, definition};
use accredit_editor::hover::{HoverText, hover};
use accredit_editor::text::TextPosition;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::editor::edited_files::{check_paths, hint_turn, lay_over};
use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// A place in a file as it is typed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditorPlaceRequest {
    /// Path to text, laid over the files in force; null takes a file away.
    #[serde(default)]
    files: BTreeMap<String, Option<String>>,
    /// The path of the file with the place.
    path: String,
    /// Line of the place, from 1.
    #[schema(minimum = 1)]
    line: u32,
    /// Column of the place in characters, from 1.
    #[schema(minimum = 1)]
    column: u32,
}

impl ActBody for EditorPlaceRequest {
    const EXPECTED: &'static str =
        "expected a JSON object with `path`, `line`, `column`, and optionally `files`";

    fn checked(self) -> Result<EditorPlaceRequest, Problem> {
        check_paths(&self.files)?;
        if self.line == 0 || self.column == 0 {
            return Err(Problem::bad_request("`line` and `column` count from 1"));
        }
        Ok(self)
    }
}

impl EditorPlaceRequest {
    fn position(&self) -> TextPosition {
        TextPosition { line: self.line, column: self.column }
    }
}

/// What may be written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditorItemsView {
    /// The nearest first, at most 200.
    items: Vec<CompletionItem>,
}

/// Offers what may be written at a place.
pub(crate) async fn list_items(
    State(service): State<Arc<Service>>,
    sent: SentAct<EditorPlaceRequest>,
) -> ViewResult<EditorItemsView> {
    let turn = hint_turn().await?;
    let found = service.run_blocking(move |service| {
        let _turn = turn;
        let laid = lay_over(service, &sent.body.files)?;
        let items = complete(&laid.workspace, &sent.body.path, sent.body.position());
        Ok(EditorItemsView { items })
    });
    found.await.map(ViewJson)
}

/// What is known of the name at a place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditorNameView {
    /// What it means; null where nothing is known of it.
    hover: Option<HoverText>,
    /// Where it is defined; null where that is in no file.
    definition: Option<DefinitionSite>,
}

/// Tells what the name at a place means and where it is defined.
pub(crate) async fn show_name(
    State(service): State<Arc<Service>>,
    sent: SentAct<EditorPlaceRequest>,
) -> ViewResult<EditorNameView> {
    let turn = hint_turn().await?;
    let found = service.run_blocking(move |service| {
        let _turn = turn;
        let laid = lay_over(service, &sent.body.files)?;
        let (path, at) = (sent.body.path.as_str(), sent.body.position());
        Ok(EditorNameView {
            hover: hover(&laid.workspace, path, at),
            definition: definition(&laid.workspace, path, at),
        })
    });
    found.await.map(ViewJson)
}
