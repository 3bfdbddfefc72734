//! A notification as Zoho sends it when a deal is won.

use accredit_seams::connector::{RejectedDelivery, SampleDeal, SampleRequest, SourceSettings};
use serde_json::json;

use crate::settings::CHANNELS;

/// The channel of a sample where the settings list none.
const CHANNEL: &str = "1000000068001";

pub(crate) fn sample_request(
    deal: &SampleDeal<'_>,
    settings: &SourceSettings,
    secret: &str,
) -> Result<SampleRequest, RejectedDelivery> {
    let amount: serde_json::Number =
        deal.amount.parse().map_err(|_| RejectedDelivery("the amount is not a number"))?;
    let channel = settings.texts(CHANNELS).first().map_or(CHANNEL, String::as_str);

    let body = json!({
        "server_time": deal.sent_ms,
        "affected_values": [{
            "record_id": deal.id,
            "values": {
                "Stage": "Closed Won",
                "Amount": amount,
                "Closing_Date": deal.closed_day,
                "Deal_Name": deal.name,
                "Owner": {"name": deal.owner},
            },
        }],
        "query_params": {},
        "module": "Deals",
        "resource_uri": "https://www.zohoapis.com/crm/v8/Deals",
        "ids": [deal.id],
        "affected_fields": [
            {deal.id: ["Stage", "Amount", "Closing_Date", "Deal_Name", "Owner"]},
        ],
        "operation": "update",
        "channel_id": channel,
        "token": secret,
    });

    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("user-agent".to_owned(), "Zoho CRM Notification/v8".to_owned()),
    ];
    Ok(SampleRequest { query: String::new(), headers, body: body.to_string().into_bytes() })
}
