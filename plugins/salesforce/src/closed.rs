//! Opportunities that were won in some days, from a query of the REST API.
//!
//! Not the request itself (the host makes it). Called for a reconciliation of `salesforce-outbound`; what
//! a flow sends has a shape of its own, which no list has.

use std::collections::BTreeMap;

use accredit_seams::connector::{
    ClosedDealsError, ClosedPage, ClosedRequest, ClosedSpan, DecodeError, FetchAuthorization,
    FetchRequest, SettingError, SettingKey, SettingKind, SourceSettings, TokenEndpoint,
};
use accredit_webhook_checks::json::{self, member_text};
use accredit_webhook_checks::settings::api_url;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::record_id::RecordId;

/// The setting that says where the API of the organization is.
const API_URL: &str = "api_url";

/// The setting that says where tokens are given.
const TOKEN_URL: &str = "token_url";

/// The setting that lists further fields of opportunities.
const FIELDS: &str = "fields";

/// The version of the API.
const API_PATH: &str = "/services/data/v62.0/";

/// The fields that a message has at least.
const OWN_FIELDS: [&str; 7] =
    ["Id", "Name", "Amount", "CloseDate", "StageName", "OwnerId", "LastModifiedDate"];

/// How REST writes UTC at the end of a time; SOAP writes `Z`.
const REST_UTC: &str = "+0000";

pub(crate) const HOSTS: &[&str] = &[
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
    "*.develop.my.salesforce.com",
    "*.scratch.my.salesforce.com",
    "login.salesforce.com",
    "test.salesforce.com",
];

pub(crate) const KEYS: [SettingKey; 3] = [
    SettingKey {
        name: API_URL,
        kind: SettingKind::Text,
        meaning: "the address of the organization, such as `https://acme.my.salesforce.com`, for the \
                  list of closed deals",
    },
    SettingKey {
        name: TOKEN_URL,
        kind: SettingKind::Text,
        meaning: "where tokens are given; `/services/oauth2/token` at `api_url` unless said",
    },
    SettingKey {
        name: FIELDS,
        kind: SettingKind::Texts,
        meaning: "further fields of opportunities in the list, such as `CurrencyIsoCode`",
    },
];

/// Whether the list can be asked for with these settings; it needs none of them.
pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    api_url(settings, API_URL)?;
    api_url(settings, TOKEN_URL)?;

    let is_field = |field: &&String| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
        field.starts_with(|first: char| first.is_ascii_alphabetic()) && field.bytes().all(is_plain)
    };
    match settings.texts(FIELDS).iter().find(|field| !is_field(field)) {
        None => Ok(()),
        Some(wrong) => Err(SettingError {
            key: Some(FIELDS),
            message: format!("`{wrong}` is no name of a field"),
            help: "write names as the API has them, such as `CurrencyIsoCode` or `Team__c`"
                .to_owned(),
        }),
    }
}

/// Where a client gets tokens in its own name.
pub(crate) fn token_endpoint(settings: &SourceSettings) -> Option<TokenEndpoint> {
    let url = match settings.text(TOKEN_URL) {
        Some(url) => url.to_owned(),
        None => format!("{}/services/oauth2/token", settings.text(API_URL)?.trim_end_matches('/')),
    };
    Some(TokenEndpoint { url, scope: None })
}

/// The request for a page; the cursor is the path that the page before named.
pub(crate) fn closed_request(
    span: &ClosedSpan,
    cursor: Option<&str>,
    settings: &SourceSettings,
) -> ClosedRequest {
    let wrong = |error: String| ClosedDealsError::Settings(error);
    let api = api_url(settings, API_URL).map_err(|error| wrong(error.to_string()))?;
    let api = api.ok_or_else(|| wrong("the setting `api_url` is missing".to_owned()))?;

    let url = match cursor {
        // The next page is a path of the same organization, or nowhere.
        Some(path) if path.starts_with("/services/data/") && path.bytes().all(is_of_path) => {
            format!("{api}{path}")
        }
        Some(_) => return Err(wrong("the next page of Salesforce is no path of its API".into())),
        None => {
            let mut fields = OWN_FIELDS.map(str::to_owned).to_vec();
            fields.extend(settings.texts(FIELDS).iter().cloned());
            let (first, last) = (&span.first_day, &span.last_day);
            let query = format!(
                "SELECT {} FROM Opportunity WHERE IsWon = true AND CloseDate >= {first} AND \
                 CloseDate <= {last} ORDER BY Id",
                fields.join(",")
            );
            format!("{api}{API_PATH}query?q={}", utf8_percent_encode(&query, NON_ALPHANUMERIC))
        }
    };
    Ok(FetchRequest {
        url,
        authorization: FetchAuthorization::Bearer,
        headers: vec![("accept", "application/json")],
        body: None,
    })
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte)
}

/// The records of a page, each as a notification with that record would be kept.
pub(crate) fn closed_page(answer: &str) -> Result<ClosedPage, DecodeError> {
    let wrong = || DecodeError("the answer of Salesforce is not a page of records".to_owned());
    let answer = json::check_body(answer.as_bytes())?;
    let members = json::object_members(answer).ok_or_else(wrong)?;

    let records = members.get("records").and_then(|records| json::array_items(records.get()));
    let mut events = Vec::new();
    for record in records.ok_or_else(wrong)? {
        let fields = json::object_members(record.get()).ok_or_else(wrong)?;
        let id = member_text(&fields, "Id");
        if id.is_none_or(|id| RecordId::parse(&id).is_none()) {
            return Err(wrong());
        }
        let mut object = BTreeMap::new();
        for (name, value) in &fields {
            if name != "attributes" {
                object.insert(name.as_str(), as_in_a_message(value.get()).ok_or_else(wrong)?);
            }
        }
        let kept = serde_json::json!({
            "action": "", "notification": "", "organization": "", "type": "Opportunity",
            "object": object,
        });
        events.push(kept.to_string());
    }

    match members.get("done").map(|done| done.get()) {
        Some("true") => Ok(ClosedPage { events, next: None }),
        Some("false") => {
            let next = member_text(&members, "nextRecordsUrl").ok_or_else(wrong)?;
            Ok(ClosedPage { events, next: Some(next) })
        }
        _ => Err(wrong()),
    }
}

/// A field as an Outbound Message has it: every value is text with the same digits, a blank one null, and
/// times end alike, so that a deal that came by webhook is the same in the list.
fn as_in_a_message(value: &str) -> Option<Value> {
    if value == "null" {
        return Some(Value::Null);
    }
    if value.starts_with('"') {
        let text: String = serde_json::from_str(value).ok()?;
        let is_time = text.contains('T') && text.ends_with(REST_UTC);
        let time = text.strip_suffix(REST_UTC).filter(|_| is_time).map(|time| format!("{time}Z"));
        return Some(Value::from(time.unwrap_or(text)));
    }
    if value.starts_with(['{', '[']) {
        return serde_json::from_str(value).ok();
    }
    Some(Value::from(value))
}

#[cfg(test)]
mod tests {
    use accredit_seams::connector::SettingValue;

    use super::*;

    fn settings(more: &[(&str, SettingValue)]) -> SourceSettings {
        let api = SettingValue::Text("https://acme.my.salesforce.com".to_owned());
        let values = more.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let values = values.chain([(API_URL.to_owned(), api)]).collect();
        SourceSettings { url: None, values }
    }

    fn span() -> ClosedSpan {
        ClosedSpan {
            first_day: "2026-03-01".to_owned(),
            last_day: "2026-03-31".to_owned(),
            from_ms: 0,
            until_ms: 0,
        }
    }

    #[test]
    fn a_query_is_of_the_won_opportunities_of_the_days() {
        let fields = SettingValue::Texts(vec!["CurrencyIsoCode".to_owned()]);
        let with_more = settings(&[(FIELDS, fields)]);
        let url = closed_request(&span(), None, &with_more).unwrap().url;
        assert!(
            url.starts_with("https://acme.my.salesforce.com/services/data/v62.0/query?q=SELECT")
        );
        assert!(
            url.contains("%2CLastModifiedDate%2CCurrencyIsoCode%20FROM%20Opportunity"),
            "{url}"
        );
        assert!(url.contains("CloseDate%20%3E%3D%202026%2D03%2D01"), "{url}");

        let next = Some("/services/data/v62.0/query/01gD0000002HU6KIAW-2000");
        let url = closed_request(&span(), next, &with_more).unwrap().url;
        assert!(url.ends_with("salesforce.com/services/data/v62.0/query/01gD0000002HU6KIAW-2000"));
        for elsewhere in ["https://a.example/", "//a.example/", "/services/data/x?y", "/other"] {
            assert!(closed_request(&span(), Some(elsewhere), &with_more).is_err(), "{elsewhere}");
        }
        let none = SourceSettings::default();
        assert!(closed_request(&span(), None, &none).is_err());
        assert_eq!(token_endpoint(&none), None);
        let endpoint = token_endpoint(&with_more).unwrap();
        assert_eq!(endpoint.url, "https://acme.my.salesforce.com/services/oauth2/token");
        for wrong in ["", "1x", "Id FROM User", "Name,Id"] {
            let fields = SettingValue::Texts(vec![wrong.to_owned()]);
            assert!(check_settings(&settings(&[(FIELDS, fields)])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_record_is_what_a_message_would_have() {
        let answer = r#"{"totalSize": 1, "done": false, "nextRecordsUrl": "/services/data/v62.0/query/01g-2",
            "records": [{"attributes": {"type": "Opportunity", "url": "/x"}, "Id": "0067F000003pmdWQAQ",
                "Amount": 120000.10, "Name": null, "LastModifiedDate": "2017-04-03T10:00:00.000+0000"}]}"#;
        let page = closed_page(answer).unwrap();
        assert_eq!(page.next.as_deref(), Some("/services/data/v62.0/query/01g-2"));
        let expected = concat!(
            r#"{"action":"","notification":"","object":{"Amount":"120000.10","Id":"0067F000003pmdWQAQ","#,
            r#""LastModifiedDate":"2017-04-03T10:00:00.000Z","Name":null},"organization":"","#,
            r#""type":"Opportunity"}"#
        );
        assert_eq!(page.events, [expected]);
        let last = r#"{"done": true, "records": []}"#;
        assert_eq!(closed_page(last), Ok(ClosedPage { events: Vec::new(), next: None }));
        for wrong in ["", "[]", "{}", r#"{"done":true}"#, r#"{"done":false,"records":[]}"#] {
            assert!(closed_page(wrong).is_err(), "{wrong}");
        }
        assert!(closed_page(r#"{"done":true,"records":[{"Id":"x"}]}"#).is_err());
    }
}
