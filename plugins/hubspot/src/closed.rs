//! Deals that were won in some days, by the search of HubSpot's API.
//!
//! Not the request itself (the host makes it). Called for a reconciliation.

use accredit_seams::connector::{
    ClosedPage, ClosedRequest, ClosedSpan, DecodeError, FetchAuthorization, FetchRequest,
    SourceSettings,
};
use accredit_webhook_checks::json;
use accredit_webhook_checks::members::JsonMembers;
use serde_json::{Value, json};

use crate::deal;

/// Deals of a page: the most that the search gives.
const PAGE: u32 = 200;

/// Deals that the search gives for one question, whatever page is asked for.
const RESULTS_MAX: u64 = 10_000;

/// The request for a page.
pub(crate) fn closed_request(
    span: &ClosedSpan,
    cursor: Option<&str>,
    settings: &SourceSettings,
) -> ClosedRequest {
    let mut body = json!({
        "filterGroups": [{"filters": [
            {"propertyName": "hs_is_closed_won", "operator": "EQ", "value": "true"},
            {
                "propertyName": "closedate",
                "operator": "BETWEEN",
                "value": span.from_ms.to_string(),
                "highValue": span.until_ms.saturating_sub(1).to_string(),
            },
        ]}],
        // An order of its own keeps pages apart while deals change.
        "sorts": [{"propertyName": "createdate", "direction": "ASCENDING"}],
        "properties": deal::property_names(settings),
        "limit": PAGE,
    });
    if let (Some(cursor), Some(members)) = (cursor, body.as_object_mut()) {
        members.insert("after".to_owned(), Value::from(cursor));
    }
    Ok(FetchRequest {
        url: format!("{}/crm/v3/objects/deals/search", deal::api_url(settings)),
        authorization: FetchAuthorization::Bearer,
        headers: vec![("accept", "application/json")],
        body: Some(body.to_string()),
    })
}

/// The deals of a page, each as an event that was completed with it.
pub(crate) fn closed_page(answer: &str) -> Result<ClosedPage, DecodeError> {
    let wrong = || DecodeError("the answer of HubSpot is not a page of deals".to_owned());
    let answer = json::check_body(answer.as_bytes())?.trim();
    let members = JsonMembers::read(answer).ok_or_else(wrong)?;
    let total: u64 = members.digits("total").and_then(|digits| digits.parse().ok()).unwrap_or(0);
    if total > RESULTS_MAX {
        return Err(DecodeError(format!(
            "HubSpot has {total} such deals and lists {RESULTS_MAX} at most: ask for fewer days"
        )));
    }

    let deals = members.raw("results").and_then(json::array_items).ok_or_else(wrong)?;
    let mut events = Vec::with_capacity(deals.len());
    for deal in deals {
        let id = JsonMembers::read(deal.get()).and_then(|deal| deal.digits("id"));
        let event = format!(
            "{{\"subscriptionType\":\"deal.propertyChange\",\"objectId\":{}}}",
            id.ok_or_else(wrong)?
        );
        events.push(deal::complete_event(&event, deal.get())?);
    }

    let next = members.raw("paging").and_then(JsonMembers::read);
    let next = next.and_then(|paging| paging.raw("next").and_then(JsonMembers::read));
    let next = next.and_then(|next| next.text("after").map(|after| after.into_owned()));
    Ok(ClosedPage { events, next })
}
