//! Operations on credits, and on requests that wait for a second person.

use accredit_domain::credit::posted::PostedCredit;
use accredit_operations::holds::HoldFilter;

use crate::http::openapi::operation::{Operation, delete, get, in_group, post};
use crate::http::results::adjustments::{AdjustmentRequest, AdjustmentView, MadeAdjustmentView};
use crate::http::results::approvals::{ApprovalListParams, ApprovedRequestView, RequestView};
use crate::http::results::credits::{CreditListParams, ExplainedCreditView, ResolveRequest};
use crate::http::results::holds::ReleasedHoldsView;
use crate::http::results::manual_credits::{ManualCreditRequest, ManualCreditView};

/// What the header of a key is described by.
pub(super) const KEY: &str =
    "A key of your choice: the same request with it is carried out once within a day.";

pub(super) fn operations() -> Vec<Operation> {
    let credits = vec![
        get("/v1/credits", "listCredits", "Lists credits.")
            .query::<CreditListParams>()
            .ok_export::<PostedCredit>(),
        post("/v1/credits", "addCredit", "Gives a credit without a deal, or takes one back.")
            .header("Idempotency-Key", KEY)
            .body::<ManualCreditRequest>()
            .ok::<ManualCreditView>()
            .four_eyes()
            .refuses(&["not_found", "reason_code_needed", "unknown_reason_code", "bad_amount"])
            .refuses(&["unknown_payee", "unknown_position", "position_needed", "team_plan"])
            .refuses(&["unknown_credit_type", "unknown_unit_type", "bad_incentive_date"])
            .refuses(&["other_period", "not_manual", "already_reversed", "credit_not_decided"])
            .refuses(&["idempotency_conflict", "no_open_period"]),
        get(
            "/v1/credits/manual",
            "listManualCredits",
            "Lists the acts by which people gave credits.",
        )
        .ok_list::<ManualCreditView>(),
        get("/v1/credits/{id}", "getCredit", "Shows a credit.")
            .ok::<PostedCredit>()
            .refuses(&["not_found"]),
        get("/v1/credits/{id}/explain", "explainCredit", "Shows why a credit is what it is.")
            .ok::<ExplainedCreditView>()
            .refuses(&["not_found", "ruleset_not_rebuilt"]),
        post("/v1/credits/{id}/release", "releaseCredit", "Ends the hold of a credit.")
            .header("Idempotency-Key", KEY)
            .optional_body::<ResolveRequest>()
            .ok::<PostedCredit>()
            .four_eyes()
            .refuses(&["not_found", "not_held", "period_closed", "period_finalized"])
            .refuses(&["ruleset_not_rebuilt", "idempotency_conflict"]),
        post("/v1/credits/{id}/hold", "holdCredit", "Holds a credit.")
            .header("Idempotency-Key", KEY)
            .optional_body::<ResolveRequest>()
            .ok::<PostedCredit>()
            .four_eyes()
            .refuses(&["not_found", "not_active", "period_closed", "period_finalized"])
            .refuses(&["ruleset_not_rebuilt", "idempotency_conflict"]),
        get(
            "/v1/credits/{id}/adjustments",
            "listCreditAdjustments",
            "Lists the adjustments of a credit.",
        )
        .ok_list::<AdjustmentView>()
        .refuses(&["not_found"]),
        post(
            "/v1/credits/{id}/adjustments",
            "adjustCredit",
            "Sets the amount of a credit by hand.",
        )
        .body::<AdjustmentRequest>()
        .ok::<MadeAdjustmentView>()
        .four_eyes()
        .refuses(&["not_found", "unknown_action", "bad_amount", "reason_code_needed"])
        .refuses(&["unknown_reason_code", "manual_credit", "ruleset_not_rebuilt"])
        .refuses(&["period_closed", "period_finalized"]),
        post("/v1/holds/release", "releaseHolds", "Releases every held credit that fits.")
            .header("Idempotency-Key", KEY)
            .body::<HoldFilter>()
            .may_take_long()
            .ok::<ReleasedHoldsView>()
            .four_eyes()
            .refuses(&["not_found", "filter_needed", "ruleset_not_rebuilt"])
            .refuses(&["idempotency_conflict"]),
    ];
    in_group("Credits", credits)
}

pub(super) fn approvals() -> Vec<Operation> {
    let approvals = vec![
        get(
            "/v1/approvals",
            "listApprovals",
            "Lists requests that wait, or waited, for a second person.",
        )
        .query::<ApprovalListParams>()
        .ok_list::<RequestView>(),
        get("/v1/approvals/{id}", "getApproval", "Shows a request.")
            .number("id")
            .ok::<RequestView>()
            .refuses(&["not_found"]),
        delete("/v1/approvals/{id}", "withdrawApproval", "Withdraws or refuses a request.")
            .number("id")
            .ok::<RequestView>()
            .refuses(&["not_found", "not_waiting"]),
        post(
            "/v1/approvals/{id}/approve",
            "approveRequest",
            "Carries out what another person asked for.",
        )
        .number("id")
        .may_take_long()
        .ok::<ApprovedRequestView>()
        .refuses(&["not_found", "not_waiting", "four_eyes", "not_granted"])
        .refuses(&["not_held", "not_active", "period_closed", "period_finalized"])
        .refuses(&["ruleset_not_rebuilt", "already_confirmed", "before_period_end"])
        .refuses(&["calculation_certain", "period_not_over", "earlier_periods_open"])
        .refuses(&["run_under_way", "already_reversed", "credit_not_decided", "no_open_period"])
        .refuses(&["manual_credit", "idempotency_conflict", "unknown_reason_code", "bad_amount"])
        .refuses(&["other_period", "bad_incentive_date", "position_needed", "team_plan"])
        .refuses(&["unknown_payee", "unknown_position", "unknown_credit_type"])
        .refuses(&["unknown_unit_type", "unknown_mode", "not_manual"]),
    ];
    in_group("Approvals", approvals)
}
