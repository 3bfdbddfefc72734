//! Operations that show how the server is, and what was done.

use accredit_ledger::integrity::TrailReport;
use accredit_operations::verify::{Verification, VerifyParams};

use crate::http::openapi::operation::{Content, Operation, get, in_group, post};
use crate::http::openapi::schemas::SchemaOf;
use crate::http::ops::audit::{AuditListParams, AuditRowView, AuditVerifyParams};
use crate::http::ops::status::{LivenessView, ReadinessView, StatusView, VersionView};
use crate::http::ops::tasks::TaskView;
use crate::server::backups::BackupSummary;

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        get("/v1/status", "getStatus", "Shows counts, what waits, and the ruleset in force.")
            .ok::<StatusView>(),
        get("/v1/tasks/{id}", "getTask", "Shows an answer that was not there in time.")
            .number("id")
            .ok::<TaskView>()
            .refuses(&["not_found"]),
        get("/v1/audit", "listAudit", "Lists who did what, newest first; exports oldest first.")
            .query::<AuditListParams>()
            .ok_export::<AuditRowView>(),
        get(
            "/v1/audit/checkpoint",
            "getCheckpoint",
            "Shows a signed checkpoint of the audit trail.",
        )
        .ok_text("text/plain")
        .refuses(&["no_audit_key", "not_found"]),
        get("/v1/audit/verify", "verifyAudit", "Checks whether the audit trail is whole.")
            .query::<AuditVerifyParams>()
            .ok::<TrailReport>(),
        get("/v1/verify", "verifyDecisions", "Makes recorded decisions again and compares them.")
            .query::<VerifyParams>()
            .may_take_long()
            .ok::<Verification>(),
        get("/v1/backups", "listBackups", "Lists the backups.")
            .ok_list::<BackupSummary>()
            .refuses(&["no_backups"]),
        post("/v1/backups", "makeBackup", "Makes a backup now.")
            .may_take_long()
            .answers(
                201,
                "The backup is made.",
                vec![Content::Json(SchemaOf::new::<BackupSummary>())],
            )
            .refuses(&["no_backups"]),
        get("/livez", "getLiveness", "Answers if the process runs.").ok::<LivenessView>(),
        get("/readyz", "getReadiness", "Answers if the server can take requests.")
            .ok::<ReadinessView>()
            .refuses(&["unavailable"]),
        get("/healthz", "getHealth", "Another name for `/readyz`.")
            .ok::<ReadinessView>()
            .refuses(&["unavailable"]),
        get("/metrics", "getMetrics", "Shows the metrics in OpenMetrics format.")
            .ok_text("application/openmetrics-text"),
        get("/version", "getVersion", "Shows the name and version of the program.")
            .ok::<VersionView>(),
    ];
    in_group("Operation", operations)
}
