//! Operations that describe the API itself.

use serde_json::json;

use crate::http::openapi::operation::{Content, Operation, get, in_group};

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        get("/openapi.json", "getOpenApi", "Shows this document.")
            .answers(200, "The document.", vec![Content::Written(json!({"type": "object"}))])
            .says_rate(200)
            .cached(),
        get("/docs", "getDocs", "Shows this document as a page.")
            .ok_text("text/html")
            .says_rate(200)
            .cached(),
        get("/docs/style.css", "getDocsStyle", "The style of that page.")
            .ok_text("text/css")
            .says_rate(200)
            .cached(),
        get("/problems/{code}", "getProblem", "Explains a kind of problem, in Markdown.")
            .ok_text("text/markdown")
            .says_rate(200)
            .refuses(&["not_found"]),
    ];
    in_group("Documents", operations)
}
