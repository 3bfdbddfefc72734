//! Operations on definitions: files, policies, rules, and changes of several at once.

use accredit_domain::organization::aliases::Alias;
use accredit_operations::activation::sent::ChangePreview;
use accredit_operations::chart::OrganizationChart;
use accredit_operations::lineage::LineageGraph;
use serde_json::{Value, json};

use crate::http::definitions::aliases::AliasListParams;
use crate::http::definitions::changes::{
    ChangeBody, ChangeView, KeptChangeView, ReadChangeView, RollbackRequest,
};
use crate::http::definitions::files::{DiffParams, FileListView, FileVersionView, RestoreRequest};
use crate::http::definitions::organization::ChartParams;
use crate::http::definitions::policies::{ActivationView, PolicyView};
use crate::http::definitions::rules::{CopiedRuleView, CopyRequest, RuleTagView};
use crate::http::definitions::shadow::{ShadowParams, ShadowStart, ShadowView};
use crate::http::openapi::operation::{Content, Operation, delete, get, in_group, post, put};
use crate::http::openapi::schemas::SchemaOf;

pub(super) fn files() -> Vec<Operation> {
    let files = vec![
        get("/v1/definitions", "listFiles", "Lists the files in force.").ok::<FileListView>(),
        get("/v1/definitions/{path}", "getFile", "Shows the text of a file.")
            .ok_text("text/plain")
            .cached()
            .refuses(&["not_found"]),
        put("/v1/definitions/{path}", "putFile", "Writes a file.")
            .content(vec![Content::Text("text/plain")], true)
            .changes()
            .with_answer_header(200, "ETag", "The version that was written.")
            .told_by_headers()
            .refuses(&["not_a_definition"]),
        delete("/v1/definitions/{path}", "removeFile", "Removes a file.")
            .changes()
            .told_by_headers()
            .refuses(&["not_found", "not_a_definition"]),
        get("/v1/definitions/{path}/versions", "listFileVersions", "Lists the versions of a file.")
            .ok_list::<FileVersionView>()
            .refuses(&["not_found"]),
        get("/v1/definitions/{path}/diff", "diffFile", "Shows what differs between two versions.")
            .query::<DiffParams>()
            .ok_text("text/x-diff")
            .refuses(&["not_found"]),
        post("/v1/definitions/{path}/restore", "restoreFile", "Brings an earlier version back.")
            .body::<RestoreRequest>()
            .changes()
            .with_answer_header(200, "ETag", "The version that is in force.")
            .told_by_headers()
            .refuses(&["not_found", "not_a_definition"]),
        get("/v1/policies", "listPolicies", "Lists policies that are in force or were refused.")
            .ok_list::<PolicyView>(),
        get(
            "/v1/policies/{kind}/{name}",
            "getPolicy",
            "Shows the script of a policy, or its state.",
        )
        .ok_text("text/plain")
        .ok::<PolicyView>()
        .cached()
        .refuses(&["not_found"]),
        put("/v1/policies/{kind}/{name}", "putPolicy", "Writes the script of a policy.")
            .content(vec![Content::Text("text/plain")], true)
            .changes()
            .with_answer_header(200, "ETag", "The version that was written.")
            .told_by_headers()
            .refuses(&["not_found"]),
        get("/v1/aliases", "listAliases", "Lists aliases and what they mean.")
            .query::<AliasListParams>()
            .ok_page::<Alias>(),
        get("/v1/organization", "getOrganization", "Shows the organisation on a day.")
            .query::<ChartParams>()
            .ok::<OrganizationChart>(),
        get("/v1/lineage", "getLineage", "Shows what feeds what, from columns to rewards.")
            .ok::<LineageGraph>(),
    ];
    in_group("Definitions", files)
}

/// A rule: the keys of its kind, with its kind and its plan beside them.
fn rule(sent: bool) -> Value {
    let kind = json!({"type": "string", "enum": ["direct", "indirect", "reward"]});
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "The keys of a rule as in a plan, with its kind and plan.",
        "required": if sent { json!([]) } else { json!(["kind", "name", "plan"]) },
        "properties": {"kind": kind, "name": text, "plan": text},
        "additionalProperties": true,
    })
}

/// A page of rules.
fn rule_page() -> Value {
    json!({
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": rule(false)},
            "next_cursor": {"type": "null"},
        },
    })
}

pub(super) fn rules() -> Vec<Operation> {
    let text = || json!({"type": "string"});
    let rules = vec![
        get("/v1/rules", "listRules", "Searches rules.")
            .query_part(
                "tag",
                json!({"type": "array", "items": text()}),
                "Tags that it has, all of them.",
            )
            .query_part("text", text(), "What its keys contain.")
            .query_part("plan", text(), "Id of a plan.")
            .query_part("kind", text(), "`direct`, `indirect` or `reward`.")
            .query_part("relationship", text(), "The relationship of an indirect rule.")
            .query_part(
                "active_on",
                json!({"type": "string", "format": "date"}),
                "A day on which it holds.",
            )
            .answers(200, "The rules that fit.", vec![Content::Written(rule_page())]),
        get("/v1/tags", "listRuleTags", "Lists the tags of rules.").ok_list::<RuleTagView>(),
        get("/v1/rules/{plan}/{name}", "getRule", "Shows a rule.")
            .answers(200, "The rule.", vec![Content::Written(rule(false))])
            .cached()
            .refuses(&["not_found"]),
        put("/v1/rules/{plan}/{name}", "putRule", "Creates or replaces a rule.")
            .content(vec![Content::Written(rule(true))], true)
            .changes()
            .told_by_headers()
            .refuses(&["not_found", "not_editable", "name_taken"]),
        delete("/v1/rules/{plan}/{name}", "removeRule", "Removes a rule that has no credits.")
            .changes()
            .told_by_headers()
            .refuses(&["not_found", "not_editable"]),
        post("/v1/rules/{plan}/{name}/copy", "copyRule", "Copies a rule.")
            .body::<CopyRequest>()
            .changes()
            .told_by_headers()
            .without_answer(200)
            .answers(
                201,
                "The copy is in force.",
                vec![Content::Json(SchemaOf::new::<CopiedRuleView>())],
            )
            .refuses(&["not_found", "not_editable", "name_taken"]),
    ];
    in_group("Definitions", rules)
}

pub(super) fn changes() -> Vec<Operation> {
    let change = |operation: Operation| {
        operation.may_take_long().changes().refuses(&["not_enough_memory", "not_a_definition"])
    };
    let approve = |operation: Operation| {
        change(operation.number("id")).refuses(&["not_found", "four_eyes", "active"])
    };
    let changes = vec![
        get("/v1/changes", "listChanges", "Lists kept changes and those carried out.")
            .ok_list::<ChangeView>(),
        change(
            post("/v1/changes", "makeChange", "Changes several files at once.")
                .body::<ChangeBody>(),
        ),
        post("/v1/preview", "previewChange", "Shows the effects of a change.")
            .body::<ChangeBody>()
            .may_take_long()
            .ok::<ChangePreview>()
            .refuses(&["base_moved", "check_failed", "not_a_definition", "not_enough_memory"]),
        get("/v1/changes/{id}", "getChange", "Shows a kept change with its texts.")
            .number("id")
            .ok::<ReadChangeView>()
            .refuses(&["not_found"]),
        delete("/v1/changes/{id}", "withdrawChange", "Withdraws a kept change.")
            .number("id")
            .ok::<KeptChangeView>()
            .refuses(&["not_found", "active", "not_waiting"]),
        approve(post("/v1/changes/{id}/approve", "approveChange", "Activates a kept change.")),
        approve(post("/v1/changes/{id}/activate", "activateChange", "Activates a kept change.")),
        change(
            post("/v1/rollback", "rollBack", "Restores an earlier set of files.")
                .optional_body::<RollbackRequest>(),
        )
        .refuses(&["not_found", "no_earlier"]),
        get("/v1/activations", "listActivations", "Lists activations, newest first.")
            .ok_list::<ActivationView>(),
        get("/v1/shadow", "getShadow", "Shows what the shadow came to so far.")
            .query::<ShadowParams>()
            .ok::<ShadowView>()
            .refuses(&["not_found"]),
        post("/v1/shadow", "startShadow", "Lets a change run beside the rules in force.")
            .content(
                vec![
                    Content::Json(SchemaOf::new::<ShadowStart>()),
                    Content::Json(SchemaOf::new::<ChangeBody>()),
                ],
                true,
            )
            .ok::<ShadowView>()
            .refuses(&[
                "not_found",
                "not_checked",
                "base_moved",
                "other_ruleset",
                "nothing_changes",
            ])
            .refuses(&["not_a_definition", "check_failed", "not_enough_memory"]),
        delete("/v1/shadow", "stopShadow", "Ends the shadow and shows its result.")
            .ok::<ShadowView>()
            .refuses(&["not_found"]),
    ];
    in_group("Definitions", changes)
}
