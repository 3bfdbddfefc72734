//! Operations of payees on what is their own, and of managers on what is of those who report to them.

use accredit_operations::progress::TierProgress;
use accredit_operations::republished::StatementDifference;

use crate::http::live::LiveNewsView;
use crate::http::me::lists::{
    OwnBalanceView, OwnCreditView, OwnListParams, OwnPeriodView, OwnRewardView,
};
use crate::http::me::own_credit::OwnExplainedCreditView;
use crate::http::me::profile::{CallerView, ReportParams, ReportView};
use crate::http::me::questions::OwnWhyNotView;
use crate::http::me::what_if::{WhatIfRequest, WhatIfView};
use crate::http::openapi::operation::{Content, Operation, get, in_group, post};
use crate::http::openapi::schemas::SchemaOf;
use crate::http::results::enquiries::{EnquiryView, MessageRequest};
use crate::http::results::payees::{EnquiryRequest, StatementView, WhyNotParams};

/// The names of the same nine operations for the caller and for one who reports to the caller.
struct Subject {
    paths: [&'static str; 9],
    ids: [&'static str; 9],
}

const OWN: Subject = Subject {
    paths: [
        "/v1/me/statements",
        "/v1/me/statements/changes",
        "/v1/me/credits",
        "/v1/me/rewards",
        "/v1/me/balances",
        "/v1/me/progress",
        "/v1/me/periods",
        "/v1/me/why-not",
        "/v1/me/enquiries",
    ],
    ids: [
        "listOwnStatements",
        "listOwnStatementChanges",
        "listOwnCredits",
        "listOwnRewards",
        "listOwnBalances",
        "listOwnProgress",
        "listOwnPeriods",
        "explainOwn",
        "listOwnEnquiries",
    ],
};

const OF_REPORT: Subject = Subject {
    paths: [
        "/v1/me/reports/{payee}/statements",
        "/v1/me/reports/{payee}/statements/changes",
        "/v1/me/reports/{payee}/credits",
        "/v1/me/reports/{payee}/rewards",
        "/v1/me/reports/{payee}/balances",
        "/v1/me/reports/{payee}/progress",
        "/v1/me/reports/{payee}/periods",
        "/v1/me/reports/{payee}/why-not",
        "/v1/me/reports/{payee}/enquiries",
    ],
    ids: [
        "listReportStatements",
        "listReportStatementChanges",
        "listReportCredits",
        "listReportRewards",
        "listReportBalances",
        "listReportProgress",
        "listReportPeriods",
        "explainReport",
        "listReportEnquiries",
    ],
};

fn of_subject(subject: &Subject) -> Vec<Operation> {
    let [statements, changes, credits, rewards, balances, progress, periods, why, enquiries] =
        subject.paths;
    let [
        of_statements,
        of_changes,
        of_credits,
        of_rewards,
        of_balances,
        of_progress,
        of_periods,
        of_why,
        of_enquiries,
    ] = subject.ids;
    let operations = vec![
        get(statements, of_statements, "Lists published statements.")
            .query::<OwnListParams>()
            .ok_list::<StatementView>()
            .or_files(),
        get(changes, of_changes, "Lists what differs from the statements before.")
            .query::<OwnListParams>()
            .ok_list::<StatementDifference>(),
        get(credits, of_credits, "Lists published credits.")
            .query::<OwnListParams>()
            .ok_export::<OwnCreditView>(),
        get(rewards, of_rewards, "Lists published rewards.")
            .query::<OwnListParams>()
            .ok_export::<OwnRewardView>(),
        get(balances, of_balances, "Lists what is owed at the end of published periods.")
            .query::<OwnListParams>()
            .ok_export::<OwnBalanceView>(),
        get(progress, of_progress, "Lists how far published rewards are in their tiers.")
            .query::<OwnListParams>()
            .ok_page::<TierProgress>(),
        get(periods, of_periods, "Lists periods of which something is published.")
            .ok_list::<OwnPeriodView>(),
        get(why, of_why, "Shows why a deal credited one so.")
            .query::<WhyNotParams>()
            .ok::<OwnWhyNotView>()
            .refuses(&["ruleset_not_rebuilt"]),
        get(enquiries, of_enquiries, "Lists enquiries.").ok_list::<EnquiryView>(),
    ];
    // A day, where it is read, may be none; one who does not report to the caller is not found.
    operations.into_iter().map(|one| one.refuses(&["not_found", "bad_request"])).collect()
}

pub(super) fn operations() -> Vec<Operation> {
    let more = vec![
        get("/v1/me", "getCaller", "Shows who the caller is.").ok::<CallerView>(),
        get(
            "/v1/live",
            "getNews",
            "Shows whether anything changed, once or as a stream of events.",
        )
        .ok::<LiveNewsView>(),
        get("/v1/me/credits/{id}", "getOwnCredit", "Shows a published credit of the caller.")
            .ok::<OwnExplainedCreditView>()
            .refuses(&["not_found", "ruleset_not_rebuilt"]),
        post("/v1/me/what-if", "imagineDeal", "Shows what a deal would bring the caller.")
            .body::<WhatIfRequest>()
            .ok::<WhatIfView>()
            .refuses(&["not_found", "bad_amount", "bad_column"]),
        post("/v1/me/enquiries", "openOwnEnquiry", "Takes a question of the caller.")
            .body::<EnquiryRequest>()
            .answers(
                201,
                "The question is kept.",
                vec![Content::Json(SchemaOf::new::<EnquiryView>())],
            )
            .refuses(&["not_found", "unknown_kind", "bad_text", "bad_amount", "other_transaction"]),
        get("/v1/me/enquiries/{id}", "getOwnEnquiry", "Shows an enquiry of the caller.")
            .number("id")
            .ok::<EnquiryView>()
            .refuses(&["not_found"]),
        post("/v1/me/enquiries/{id}/messages", "addOwnMessage", "Adds a message of the caller.")
            .number("id")
            .body::<MessageRequest>()
            .ok::<EnquiryView>()
            .refuses(&["not_found", "bad_text", "enquiry_closed"]),
        get("/v1/me/reports", "listReports", "Lists those who report to the caller.")
            .query::<ReportParams>()
            .ok_list::<ReportView>()
            .refuses(&["not_found"]),
    ];
    let all = more.into_iter().chain(of_subject(&OWN)).chain(of_subject(&OF_REPORT));
    in_group("Own", all.collect())
}
