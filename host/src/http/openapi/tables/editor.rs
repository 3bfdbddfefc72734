//! Operations on files as they are typed in an editor.

use crate::http::editor::assistance::{EditorItemsView, EditorNameView, EditorPlaceRequest};
use crate::http::editor::findings::{EditorCheckRequest, EditorCheckView};
use crate::http::editor::trials::{EditorRunRequest, EditorRunView};
use crate::http::openapi::operation::{Operation, in_group, post};

pub(super) fn operations() -> Vec<Operation> {
    let typed = |operation: Operation| operation.refuses(&["not_a_definition", "unavailable"]);
    let editor = vec![
        typed(
            post("/v1/editor/check", "checkTypedFiles", "Checks files as they are typed.")
                .body::<EditorCheckRequest>()
                .ok::<EditorCheckView>(),
        ),
        typed(
            post("/v1/editor/complete", "completeTypedFile", "Offers what may be written.")
                .body::<EditorPlaceRequest>()
                .ok::<EditorItemsView>(),
        ),
        typed(
            post("/v1/editor/hover", "showTypedName", "Shows what a name means.")
                .body::<EditorPlaceRequest>()
                .ok::<EditorNameView>(),
        ),
        typed(
            post("/v1/editor/run", "runTypedFiles", "Decides a deal by files as they are typed.")
                .body::<EditorRunRequest>()
                .ok::<EditorRunView>()
                .refuses(&["not_found"]),
        ),
        typed(
            post("/v1/editor/case", "writeTypedCase", "Writes such a decision as a case.")
                .body::<EditorRunRequest>()
                .ok_text("text/markdown")
                .refuses(&["not_found", "check_failed", "no_case"]),
        ),
    ];
    in_group("Editors", editor)
}
