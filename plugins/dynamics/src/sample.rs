//! A request as Dataverse sends it when an opportunity is won.

use std::fmt::Write;

use accredit_seams::connector::{RejectedDelivery, SampleDeal, SampleRequest, SourceSettings};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::settings::{DEAL_TABLE, KEY_PARAMETER, SenderProof, sender_proof};

/// The namespace of types that are not JSON's own.
const NAMESPACE: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// The state of an opportunity that is won.
const STATE_WON: u8 = 1;

/// Ids of the environment that the sample comes from.
const ORGANIZATION: &str = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";
const STEP: &str = "75417616-4ea2-e711-8122-000d3aa2331c";

pub(crate) fn sample_request(
    deal: &SampleDeal<'_>,
    settings: &SourceSettings,
    secret: &str,
) -> Result<SampleRequest, RejectedDelivery> {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-ms-dynamics-organization".to_owned(), "org.crm4.dynamics.com".to_owned()),
        ("x-ms-dynamics-entity-name".to_owned(), DEAL_TABLE.0.to_owned()),
        ("x-ms-dynamics-request-name".to_owned(), "Update".to_owned()),
    ];
    let query = match sender_proof(settings) {
        Some(SenderProof::Key) => format!("{KEY_PARAMETER}={}", percent_encoded(secret)),
        Some(SenderProof::Header(name)) => {
            headers.push((name.to_owned(), secret.to_owned()));
            String::new()
        }
        None => return Err(RejectedDelivery("the settings do not name a header")),
    };

    let body = won_context(deal)?.to_string().into_bytes();
    Ok(SampleRequest { query, headers, body })
}

/// The context of the update that wins a deal, with a post image of the columns that count.
fn won_context(deal: &SampleDeal<'_>) -> Result<Json, RejectedDelivery> {
    let amount: serde_json::Number =
        deal.amount.parse().map_err(|_| RejectedDelivery("the amount is not a number"))?;
    let closed = day_noon_ms(deal.closed_day).ok_or(RejectedDelivery("the day is not a day"))?;
    let closed = format!("/Date({closed})/");

    let column = |key: &str, value: Json| json!({"key": key, "value": value});
    let typed =
        |kind: &str, value: Json| json!({"__type": format!("{kind}:{NAMESPACE}"), "Value": value});
    let state = typed("OptionSetValue", json!(STATE_WON));
    let owner = json!({
        "__type": format!("EntityReference:{NAMESPACE}"),
        "Id": deal.owner,
        "KeyAttributes": [],
        "LogicalName": "systemuser",
        "Name": null,
        "RowVersion": null,
    });
    let changed = vec![
        column("opportunityid", json!(deal.id)),
        column("statecode", state.clone()),
        column("actualclosedate", json!(closed)),
    ];
    let image = vec![
        column("opportunityid", json!(deal.id)),
        column("name", json!(deal.name)),
        column("statecode", state),
        column("actualvalue", typed("Money", Json::Number(amount))),
        column("actualclosedate", json!(closed)),
        column("ownerid", owner),
        column("modifiedon", json!(format!("/Date({})/", deal.sent_ms))),
    ];

    let operation = format!("00000001-0000-4000-8000-{:012x}", deal.sent_ms);
    Ok(json!({
        "CorrelationId": operation,
        "Depth": 1,
        "InputParameters": [{"key": "Target", "value": row_of(deal.id, changed)}],
        "MessageName": "Update",
        "Mode": 1,
        "OperationCreatedOn": format!("/Date({}+0000)/", deal.sent_ms),
        "OperationId": operation,
        "OrganizationId": ORGANIZATION,
        "OwningExtension": {"Id": STEP, "LogicalName": "sdkmessageprocessingstep"},
        "ParentContext": null,
        "PostEntityImages": [{"key": "image", "value": row_of(deal.id, image)}],
        "PreEntityImages": [],
        "PrimaryEntityId": deal.id,
        "PrimaryEntityName": DEAL_TABLE.0,
        "RequestId": operation,
        "Stage": 40,
    }))
}

/// A row with some of its columns.
fn row_of(id: &str, columns: Vec<Json>) -> Json {
    json!({
        "__type": format!("Entity:{NAMESPACE}"),
        "Attributes": columns,
        "FormattedValues": [],
        "Id": id,
        "LogicalName": DEAL_TABLE.0,
    })
}

/// Noon of a day in UTC, milliseconds since 1970. Dataverse writes the beginning of the day where the
/// user is, which a sample cannot know; noon is the same day nearly everywhere.
fn day_noon_ms(day: &str) -> Option<i64> {
    let day: Date = day.parse().ok()?;
    TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).ok().map(|start| start.as_millisecond())
}

/// A value of a query.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
