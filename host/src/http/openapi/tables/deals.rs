//! Operations on deals: how they come in, what cannot be read or decided, and why it was credited so.

use accredit_domain::note::Note;
use accredit_operations::reconcile::Reconciliation;

use crate::http::intake::dead_letters::{
    DeadLetterListParams, DeadLetterView, RedriveParams, RedrivenLetterAnswer,
    RedrivenLettersAnswer,
};
use crate::http::intake::deals::{DealListParams, DealRowView};
use crate::http::intake::fetches::{
    FetchListParams, FetchRetryParams, FetchView, RetriedFetchAnswer, RetriedFetchesAnswer,
};
use crate::http::intake::hooks::{DeliveryAnswer, EventsAnswer};
use crate::http::intake::imports::{ImportAnswer, ImportParams};
use crate::http::intake::parked::RedriveAnswer;
use crate::http::intake::quarantine::{
    QuarantineListParams, QuarantineVerifyParams, QuarantinedRequestView,
};
use crate::http::intake::reconciliation::ReconciliationParams;
use crate::http::intake::transactions::{
    CaseParams, RecordedTransactionView, TransactionExplanationView, VoidReason, VoidedDealView,
};
use crate::http::openapi::operation::{Content, Operation, delete, get, in_group, post};
use crate::http::openapi::schemas::SchemaOf;
use crate::http::results::adjustments::{AdjustmentRequest, AdjustmentView, MadeAdjustmentView};
use crate::http::results::exports::SPREADSHEET;
use crate::server::quarantine::QuarantineOutcome;

pub(super) fn operations() -> Vec<Operation> {
    let arrived = vec![
        get("/v1/transactions", "listDeals", "Lists recorded deals in order of first receipt.")
            .query::<DealListParams>()
            .ok_export::<DealRowView<'static>>(),
        post("/v1/transactions", "importDeals", "Imports rows in bulk.")
            .query::<ImportParams>()
            .header("Idempotency-Key", "A key of your choice: the same one again is taken once.")
            .header("Content-Encoding", "`gzip`, if the body is packed.")
            .content(rows(), true)
            .answers(
                202,
                "All rows are stored.",
                vec![Content::Json(SchemaOf::new::<ImportAnswer>())],
            )
            .refuses(&["media_type", "no_natural_key", "idempotency_conflict", "outside_scope"]),
        post(
            "/v1/reconciliation",
            "compareList",
            "Compares a list of closed deals with the recorded ones.",
        )
        .header("Content-Encoding", "`gzip`, if the body is packed.")
        .query::<ReconciliationParams>()
        .content(rows(), false)
        .ok::<Reconciliation>()
        .refuses(&["media_type", "no_natural_key", "not_found", "unavailable"]),
        post("/hooks/{source}", "receiveDelivery", "Takes a signed delivery of a source.")
            .content(delivery(), true)
            .answers(
                202,
                "The delivery is stored.",
                vec![
                    Content::Json(SchemaOf::new::<DeliveryAnswer>()),
                    Content::Json(SchemaOf::new::<EventsAnswer>()),
                ],
            )
            .answers(
                200,
                "What the system of the source expects, where it expects something else.",
                Vec::new(),
            )
            .says_rate(202)
            .says_rate(200)
            .refuses(&["unauthentic", "not_found", "media_type", "unavailable"]),
    ];

    in_group("Deals", arrived.into_iter().chain(recorded()).chain(waiting()).collect())
}

/// Deals that are recorded, one by one.
fn recorded() -> Vec<Operation> {
    vec![
        get("/v1/transactions/{id}", "getDeal", "Shows a deal with its decisions.")
            .ok::<RecordedTransactionView>()
            .refuses(&["not_found"]),
        delete("/v1/transactions/{id}", "voidDeal", "Makes a deal void.")
            .query::<VoidReason>()
            .optional_body::<VoidReason>()
            .ok::<VoidedDealView>()
            .four_eyes()
            .refuses(&["not_found", "reason_needed"])
            .refuses(&["manual_credit", "ruleset_not_rebuilt", "period_finalized"]),
        get(
            "/v1/transactions/{id}/explain",
            "explainDeal",
            "Shows why a deal was credited as it was.",
        )
        .ok::<TransactionExplanationView>()
        .refuses(&["not_found", "ruleset_not_rebuilt"]),
        get(
            "/v1/transactions/{id}/case",
            "getDealAsCase",
            "Shows a decision as a case, in Markdown.",
        )
        .query::<CaseParams>()
        .ok_text("text/markdown")
        .refuses(&["not_found", "no_case", "ruleset_not_rebuilt"]),
        get(
            "/v1/transactions/{id}/adjustments",
            "listDealAdjustments",
            "Lists the adjustments of a deal and of its credits.",
        )
        .ok_list::<AdjustmentView>()
        .refuses(&["not_found"]),
        post(
            "/v1/transactions/{id}/adjustments",
            "adjustDeal",
            "Sets the amount of a deal by hand.",
        )
        .body::<AdjustmentRequest>()
        .ok::<MadeAdjustmentView>()
        .four_eyes()
        .refuses(&["not_found", "unknown_action", "bad_amount", "reason_code_needed"])
        .refuses(&["unknown_reason_code", "manual_credit", "ruleset_not_rebuilt"]),
    ]
}

/// What waits for a person.
fn waiting() -> Vec<Operation> {
    vec![
        get("/v1/dead-letters", "listDeadLetters", "Lists deliveries that cannot be read.")
            .query::<DeadLetterListParams>()
            .ok_page::<DeadLetterView>(),
        post(
            "/v1/dead-letters/{sequence}/redrive",
            "redriveDeadLetter",
            "Tries a dead letter again.",
        )
        .number("sequence")
        .answers(
            202,
            "It is tried again.",
            vec![Content::Json(SchemaOf::new::<RedrivenLetterAnswer>())],
        )
        .refuses(&["not_found"]),
        post("/v1/dead-letters/redrive", "redriveDeadLetters", "Tries all dead letters again.")
            .query::<RedriveParams>()
            .answers(
                202,
                "They are tried again.",
                vec![Content::Json(SchemaOf::new::<RedrivenLettersAnswer>())],
            ),
        get("/v1/fetches", "listFetches", "Lists events that wait for their deal from the CRM.")
            .query::<FetchListParams>()
            .ok_page::<FetchView>(),
        post("/v1/fetches/{id}/retry", "retryFetch", "Tries to fetch a deal at once.")
            .answers(
                202,
                "It is tried at once.",
                vec![Content::Json(SchemaOf::new::<RetriedFetchAnswer>())],
            )
            .refuses(&["not_found"]),
        post("/v1/fetches/retry", "retryFetches", "Tries to fetch all deals at once.")
            .query::<FetchRetryParams>()
            .answers(
                202,
                "They are tried at once.",
                vec![Content::Json(SchemaOf::new::<RetriedFetchesAnswer>())],
            ),
        get("/v1/quarantine", "listQuarantine", "Lists requests whose signature did not match.")
            .query::<QuarantineListParams>()
            .ok_page::<QuarantinedRequestView>(),
        post("/v1/quarantine/verify", "verifyQuarantine", "Verifies such requests again.")
            .query::<QuarantineVerifyParams>()
            .ok::<QuarantineOutcome>(),
        get("/v1/parked", "listParked", "Lists deals that could not be decided.").ok_list::<Note>(),
        post("/v1/parked/redrive", "redriveParked", "Decides all parked deals again.")
            .may_take_long()
            .ok::<RedriveAnswer>(),
    ]
}

/// The forms of rows of deals.
fn rows() -> Vec<Content> {
    let about = "A deal: the columns of `[fields]` and `[columns]`.";
    let deal = serde_json::json!({"type": "object", "description": about});
    let records = serde_json::json!({"anyOf": [{"type": "array", "items": deal}, deal]});
    vec![
        Content::Written(records),
        Content::Text("text/csv"),
        Content::Text("application/x-ndjson"),
        Content::Bytes(SPREADSHEET),
    ]
}

/// What a source sends: its connector knows the form.
fn delivery() -> Vec<Content> {
    vec![Content::Written(
        serde_json::json!({"description": "What the source's system sends, as it was signed."}),
    )]
}
