//! What a sample of a closed opportunity looks like, as SOAP and as JSON.
//!
//! Not requests: secrets and headers are those of the connectors, which call it.

use accredit_seams::connector::SampleDeal;
use accredit_webhook_checks::ids;
use serde_json::{Number, Value, json};

use crate::envelope::{OUTBOUND_NAMESPACE, SOAP_NAMESPACE};
use crate::sobject::INSTANCE_NAMESPACE;

/// The action of a sample.
const ACTION: &str = "04k000000000001AAA";

/// The stage of an opportunity that is won, as Salesforce comes.
const STAGE: &str = "Closed Won";

/// Digits that are the same for one deal at one moment.
pub(crate) fn event_seed(deal: &SampleDeal<'_>) -> String {
    ids::hashed_id(&[deal.id.as_bytes(), &deal.sent_ms.to_le_bytes()])
}

/// An Outbound Message with one notification.
pub(crate) fn message(deal: &SampleDeal<'_>, organization: &str) -> String {
    let modified = moment_text(deal.sent_ms);
    let fields: String = [
        ("Id", deal.id),
        ("Amount", deal.amount),
        ("CloseDate", deal.closed_day),
        ("LastModifiedDate", &modified),
        ("Name", deal.name),
        ("OwnerId", deal.owner),
        ("StageName", STAGE),
    ]
    .iter()
    .map(|(name, value)| format!("<sf:{name}>{}</sf:{name}>", escaped(value)))
    .collect();

    let notification: String = "04l".chars().chain(event_seed(deal).chars().take(12)).collect();
    let organization = escaped(organization);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"\
         {SOAP_NAMESPACE}\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"{INSTANCE_NAMESPACE}\"><soapenv:Body>\
         <notifications xmlns=\"{OUTBOUND_NAMESPACE}\">\
         <OrganizationId>{organization}</OrganizationId><ActionId>{ACTION}</ActionId>\
         <SessionId xsi:nil=\"true\"/>\
         <EnterpriseUrl>https://example.my.salesforce.com/services/Soap/c/60.0</EnterpriseUrl>\
         <PartnerUrl>https://example.my.salesforce.com/services/Soap/u/60.0</PartnerUrl>\
         <Notification><Id>{notification}</Id><sObject xsi:type=\"sf:Opportunity\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">{fields}</sObject></Notification>\
         </notifications></soapenv:Body></soapenv:Envelope>"
    )
}

/// A record as Apex serializes it, with the id of the event.
pub(crate) fn record(deal: &SampleDeal<'_>, event: &str) -> String {
    let amount: Result<Number, _> = serde_json::from_str(deal.amount);
    json!({
        "eventId": event,
        "Id": deal.id,
        "Name": deal.name,
        "Amount": amount.map_or_else(|_| Value::from(deal.amount), Value::Number),
        "CloseDate": deal.closed_day,
        "LastModifiedDate": moment_text(deal.sent_ms),
        "OwnerId": deal.owner,
        "StageName": STAGE,
    })
    .to_string()
}

/// A moment as Salesforce writes it, in UTC with three decimals.
fn moment_text(milliseconds: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Text as it is written in an element. Characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            '\t' | '\n' | '\r' | ' '.. => escaped.push(character),
            _ => {}
        }
    }
    escaped
}
