//! Opportunities that were won in some days, from the Web API.
//!
//! Not the request itself (the host makes it). Called for a reconciliation.

use accredit_seams::connector::{
    ClosedDealsError, ClosedPage, ClosedRequest, ClosedSpan, DecodeError, FetchAuthorization,
    FetchRequest, SourceSettings,
};
use accredit_webhook_checks::json::{self, member_text};
use accredit_webhook_checks::settings::api_url;

use crate::context::payload_text;
use crate::fetch::{API_PATH, is_guid};
use crate::settings::DEAL_TABLE;

/// Rows of a page. A row has hundreds of columns, and an answer is bounded.
const PREFER: &str = concat!(
    "odata.maxpagesize=200,",
    r#"odata.include-annotations="OData.Community.Display.V1.FormattedValue""#
);

/// The request for a page; the cursor is the address that the page before named.
pub(crate) fn closed_request(
    span: &ClosedSpan,
    cursor: Option<&str>,
    settings: &SourceSettings,
) -> ClosedRequest {
    let wrong = |error: &dyn std::fmt::Display| ClosedDealsError::Settings(error.to_string());
    let api = api_url(settings, "api_url").map_err(|error| wrong(&error))?;
    let api = api.ok_or_else(|| wrong(&"the setting `api_url` is missing"))?;
    let begin = format!("{api}{API_PATH}{}?", DEAL_TABLE.1);
    let url = match cursor {
        // The address goes to the same table of the same environment, or nowhere.
        Some(next) if next.starts_with(&begin) && next.bytes().all(|b| b.is_ascii_graphic()) => {
            next.to_owned()
        }
        Some(_) => return Err(wrong(&"the next page is at another address than `api_url`")),
        None => {
            let (first, last) = (&span.first_day, &span.last_day);
            format!(
                "{begin}$filter=statecode%20eq%201%20and%20actualclosedate%20ge%20{first}%20and\
                 %20actualclosedate%20le%20{last}"
            )
        }
    };
    let headers = vec![
        ("accept", "application/json"),
        ("odata-maxversion", "4.0"),
        ("odata-version", "4.0"),
        ("prefer", PREFER),
    ];
    Ok(FetchRequest { url, authorization: FetchAuthorization::Bearer, headers, body: None })
}

/// The rows of a page, each as an event that was completed with it.
pub(crate) fn closed_page(answer: &str) -> Result<ClosedPage, DecodeError> {
    let wrong = || DecodeError("the answer of the Web API is not a page of rows".to_owned());
    let answer = json::check_body(answer.as_bytes())?;
    let members = json::object_members(answer).ok_or_else(wrong)?;
    let rows = members.get("value").and_then(|rows| json::array_items(rows.get()));

    let mut events = Vec::new();
    for row in rows.ok_or_else(wrong)? {
        let fields = json::object_members(row.get()).ok_or_else(wrong)?;
        let id =
            member_text(&fields, "opportunityid").filter(|id| is_guid(id)).ok_or_else(wrong)?;
        let context = format!(
            "{{\"MessageName\":\"Update\",\"PrimaryEntityName\":\"{}\",\"PrimaryEntityId\":\"{id}\"}}",
            DEAL_TABLE.0
        );
        events.push(payload_text(false, &context, row.get()));
    }
    Ok(ClosedPage { events, next: member_text(&members, "@odata.nextLink") })
}
