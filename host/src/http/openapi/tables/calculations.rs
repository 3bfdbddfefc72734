//! Operations on calculations, rewards and periods.

use accredit_crediting::simulation::Simulation;
use accredit_domain::decision::{EarnedReward, PayeeBalance};

use super::credits::KEY;
use crate::http::act_body::ForcedReason;
use crate::http::openapi::operation::{Operation, delete, get, in_group, post};
use crate::http::results::calculations::{
    CalculationListParams, CalculationListView, CalculationsView, ReleaseRequest, ReleaseView,
    RemovedReleaseView,
};
use crate::http::results::manual_rewards::{ManualRewardRequest, ManualRewardView};
use crate::http::results::periods::{ChangedPeriodView, PeriodView};
use crate::http::results::rewards::RewardListParams;
use crate::http::results::runs::{RunRequest, RunView};
use crate::http::results::simulations::SimulationRequest;
use crate::http::results::statements::StatementRowView;

pub(super) fn operations() -> Vec<Operation> {
    let calculations = vec![
        get("/v1/calculations", "listCalculations", "Lists every plan in each of its periods.")
            .query::<CalculationListParams>()
            .ok::<CalculationListView>(),
        get("/v1/calculations/{plan}/{period}", "getCalculation", "Shows a calculation.")
            .ok::<CalculationsView>()
            .refuses(&["not_found", "other_period"]),
        delete(
            "/v1/calculations/{plan}/{period}",
            "deleteRelease",
            "Takes back what was published.",
        )
        .query::<ForcedReason>()
        .optional_body::<ForcedReason>()
        .ok::<RemovedReleaseView>()
        .four_eyes()
        .refuses(&["not_found", "reason_needed", "calculation_certain", "other_period"])
        .refuses(&["run_under_way"]),
        post("/v1/calculations/{plan}/{period}/run", "runCalculation", "Decides the deals again.")
            .body::<RunRequest>()
            .header("Prefer", "`wait=5` or `respond-async`: how long the answer may take.")
            .ok::<RunView>()
            .with_answer_header(200, "Location", "The run.")
            .answers(
                202,
                "It is not done yet, or waits for another person.",
                vec![crate::http::openapi::operation::Content::Json(
                    crate::http::openapi::schemas::SchemaOf::new::<RunView>(),
                )],
            )
            .four_eyes()
            .refuses(&["not_found", "other_period", "unknown_mode", "run_under_way"])
            .refuses(&["run_cancelled", "run_failed", "ruleset_not_rebuilt", "period_finalized"]),
        post(
            "/v1/calculations/{plan}/{period}/release",
            "releaseCalculation",
            "Shows it to its payees.",
        )
        .header("Idempotency-Key", KEY)
        .body::<ReleaseRequest>()
        .may_take_long()
        .ok::<ReleaseView>()
        .four_eyes()
        .refuses(&["not_found", "other_period", "unknown_release", "reason_needed"])
        .refuses(&["already_confirmed", "before_period_end", "run_under_way"])
        .refuses(&["idempotency_conflict"]),
        post("/v1/simulations", "simulatePeriod", "Projects the rest of a period.")
            .body::<SimulationRequest>()
            .may_take_long()
            .ok::<Simulation>()
            .refuses(&["not_found", "other_period", "no_simulation"]),
    ];
    in_group("Calculations", calculations.into_iter().chain(runs()).chain(rewards()).collect())
}

fn runs() -> Vec<Operation> {
    vec![
        get("/v1/runs", "listRuns", "Lists runs of calculations, newest first.")
            .ok_list::<RunView>(),
        get("/v1/runs/{id}", "getRun", "Shows how far a run is.")
            .number("id")
            .ok::<RunView>()
            .refuses(&["not_found"]),
        post("/v1/runs/{id}/cancel", "cancelRun", "Ends a run; what it has decided stays.")
            .number("id")
            .ok::<RunView>()
            .refuses(&["not_found"]),
    ]
}

fn rewards() -> Vec<Operation> {
    vec![
        get("/v1/rewards", "listRewards", "Lists rewards.")
            .query::<RewardListParams>()
            .ok_export::<EarnedReward>(),
        post("/v1/rewards", "addReward", "Adds a reward by hand, or takes one back.")
            .header("Idempotency-Key", KEY)
            .body::<ManualRewardRequest>()
            .ok::<ManualRewardView>()
            .four_eyes()
            .refuses(&["not_found", "reason_code_needed", "unknown_reason_code", "bad_amount"])
            .refuses(&["unknown_payee", "unknown_unit_type", "other_period", "no_open_period"])
            .refuses(&["already_reversed", "idempotency_conflict"]),
        get("/v1/rewards/manual", "listManualRewards", "Lists rewards that people added.")
            .ok_list::<ManualRewardView>(),
        get("/v1/balances", "listBalances", "Lists what payees owe at the end of each period.")
            .query::<RewardListParams>()
            .ok_export::<PayeeBalance>(),
        get("/v1/statements", "listStatementRows", "Lists what is published to payees.")
            .query::<RewardListParams>()
            .ok_export::<StatementRowView>(),
    ]
}

pub(super) fn periods() -> Vec<Operation> {
    let act = |operation: Operation| {
        operation
            .optional_body::<ForcedReason>()
            .may_take_long()
            .ok::<ChangedPeriodView>()
            .four_eyes()
            .refuses(&["not_found", "reason_needed", "period_finalized", "period_not_over"])
            .refuses(&["earlier_periods_open", "run_under_way"])
    };
    let periods = vec![
        get("/v1/periods", "listPeriods", "Lists periods with their states.")
            .ok_list::<PeriodView>(),
        act(post("/v1/periods/{id}/close", "closePeriod", "Closes a period.")),
        act(post("/v1/periods/{id}/reopen", "reopenPeriod", "Opens a closed period again.")),
        act(post("/v1/periods/{id}/finalize", "finalizePeriod", "Finalizes a period for ever.")),
    ];
    in_group("Periods", periods)
}
