//! Operations for payees and for those who answer them.

use crate::http::openapi::operation::{Content, Operation, get, in_group, post};
use crate::http::openapi::schemas::SchemaOf;
use crate::http::results::alerts::{AlertListParams, AlertView};
use crate::http::results::enquiries::{
    AnswerRequest, AssignRequest, EnquiryListParams, EnquiryView, MessageRequest,
};
use crate::http::results::notes::NoteListParams;
use crate::http::results::payees::{
    EnquiryRequest, StatementParams, StatementView, WhyNotParams, WhyNotView,
};
use accredit_ledger::notes::NoteRow;

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        get("/v1/payees/{id}/statements", "listStatements", "Lists what is published of a payee.")
            .query::<StatementParams>()
            .ok_list::<StatementView>()
            .refuses(&["not_found"]),
        get(
            "/v1/payees/{id}/why-not",
            "explainToPayee",
            "Shows why a payee got what they got of a deal.",
        )
        .query::<WhyNotParams>()
        .ok::<WhyNotView>()
        .refuses(&["not_found", "ruleset_not_rebuilt"]),
        get("/v1/payees/{id}/enquiries", "listPayeeEnquiries", "Lists the enquiries of a payee.")
            .ok_list::<EnquiryView>()
            .refuses(&["not_found"]),
        post("/v1/payees/{id}/enquiries", "openEnquiry", "Takes a question from a payee.")
            .body::<EnquiryRequest>()
            .answers(
                201,
                "The question is kept.",
                vec![Content::Json(SchemaOf::new::<EnquiryView>())],
            )
            .refuses(&["not_found", "unknown_kind", "bad_text", "bad_amount", "other_transaction"]),
        post(
            "/v1/payees/{id}/enquiries/{number}/messages",
            "addPayeeMessage",
            "Adds a message from the payee.",
        )
        .number("number")
        .body::<MessageRequest>()
        .ok::<EnquiryView>()
        .refuses(&["not_found", "bad_text", "enquiry_closed"]),
        get("/v1/enquiries", "listEnquiries", "Lists enquiries, oldest first.")
            .query::<EnquiryListParams>()
            .ok_list::<EnquiryView>()
            .refuses(&["unknown_state"]),
    ];
    in_group("Payees", operations.into_iter().chain(answering()).chain(alerts()).collect())
}

/// What is done to an enquiry.
fn answering() -> Vec<Operation> {
    let enquiry = |operation: Operation| {
        operation.number("id").ok::<EnquiryView>().refuses(&["not_found", "enquiry_closed"])
    };
    vec![
        get("/v1/enquiries/{id}", "getEnquiry", "Shows an enquiry.")
            .number("id")
            .ok::<EnquiryView>()
            .refuses(&["not_found"]),
        enquiry(post(
            "/v1/enquiries/{id}/assign",
            "assignEnquiry",
            "Assigns an enquiry to a person.",
        ))
        .body::<AssignRequest>()
        .refuses(&["bad_text"]),
        enquiry(post("/v1/enquiries/{id}/messages", "addMessage", "Adds a message to an enquiry."))
            .body::<MessageRequest>()
            .refuses(&["bad_text"]),
        enquiry(post("/v1/enquiries/{id}/answer", "answerEnquiry", "Answers an enquiry."))
            .body::<AnswerRequest>()
            .refuses(&["unknown_state", "bad_text", "already_answered"]),
        enquiry(post("/v1/enquiries/{id}/close", "closeEnquiry", "Ends the conversation.")),
    ]
}

/// What a person should look at.
fn alerts() -> Vec<Operation> {
    vec![
        get("/v1/alerts", "listAlerts", "Lists open alerts.")
            .query::<AlertListParams>()
            .ok_page::<AlertView>(),
        post("/v1/alerts/{id}/assign", "assignAlert", "Assigns an open alert to a person.")
            .body::<AssignRequest>()
            .ok::<AlertView>()
            .refuses(&["not_found", "enquiry_closed"]),
        get("/v1/log", "listLog", "Lists every warning of decisions.")
            .query::<NoteListParams>()
            .ok_page::<NoteRow>(),
    ]
}
