//! Deals that were won in some days, from the list of Pipedrive's API.
//!
//! Not the request itself (the host makes it). Called for a reconciliation.

use accredit_seams::connector::{
    ClosedDealsError, ClosedPage, ClosedRequest, ClosedSpan, DecodeError, FetchAuthorization,
    FetchRequest, SettingError, SettingKey, SettingKind, SourceSettings,
};
use accredit_webhook_checks::json::{self, member_text};
use accredit_webhook_checks::settings;
use jiff::Timestamp;

/// Where the API is.
const DEFAULT_API: &str = "https://api.pipedrive.com";

/// Deals of a page: the most that the list gives.
const PAGE: u32 = 500;

/// Characters of a cursor.
const CURSOR_CHARACTERS_MAX: usize = 500;

pub(crate) const HOSTS: &[&str] = &["api.pipedrive.com", "*.pipedrive.com"];

pub(crate) const KEYS: &[SettingKey] = &[SettingKey {
    name: "api_url",
    kind: SettingKind::Text,
    meaning: "the address of the account, such as `https://acme.pipedrive.com`; \
              `https://api.pipedrive.com` unless said",
}];

pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    settings::api_url(settings, "api_url").map(|_| ())
}

/// The request for a page.
///
/// The list cannot be asked for the day on which deals were won. One that was won in the days has changed
/// since they began, so what changed earlier is left out there, and the rest here.
pub(crate) fn closed_request(
    span: &ClosedSpan,
    cursor: Option<&str>,
    settings: &SourceSettings,
) -> ClosedRequest {
    let wrong = |error: String| ClosedDealsError::Settings(error);
    let api = settings::api_url(settings, "api_url").map_err(|error| wrong(error.to_string()))?;
    let api = api.unwrap_or(DEFAULT_API);
    let since = Timestamp::from_millisecond(span.from_ms).unwrap_or_default();
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut url = format!(
        "{api}/api/v2/deals?status=won&sort_by=id&sort_direction=asc&limit={PAGE}&updated_since={since}"
    );
    if let Some(cursor) = cursor {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~=+/".contains(&byte);
        if cursor.len() > CURSOR_CHARACTERS_MAX || !cursor.bytes().all(is_plain) {
            return Err(wrong("the cursor of Pipedrive has other characters than expected".into()));
        }
        let escaped = cursor.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        url.push_str("&cursor=");
        url.push_str(&escaped);
    }
    Ok(FetchRequest {
        url,
        authorization: FetchAuthorization::Header("x-api-token"),
        headers: vec![("accept", "application/json")],
        body: None,
    })
}

/// The deals of a page that were won in the days, each as an event of the webhook.
pub(crate) fn closed_page(span: &ClosedSpan, answer: &str) -> Result<ClosedPage, DecodeError> {
    let wrong = || DecodeError("the answer of Pipedrive is not a page of deals".to_owned());
    let answer = json::check_body(answer.as_bytes())?;
    let members = json::object_members(answer).ok_or_else(wrong)?;
    let data = members.get("data").ok_or_else(wrong)?;
    // An account without such deals.
    let deals = match data.get() {
        "null" => Vec::new(),
        data => json::array_items(data).ok_or_else(wrong)?,
    };

    let mut events = Vec::new();
    for deal in deals {
        let fields = json::object_members(deal.get()).ok_or_else(wrong)?;
        let id = fields.get("id").and_then(|id| json::plain_text(id)).ok_or_else(wrong)?;
        let won = member_text(&fields, "won_time").or_else(|| member_text(&fields, "close_time"));
        let won_ms = won.as_deref().and_then(moment_ms);
        // A time that cannot be read is left to the comparison, which names the deal.
        if won_ms.is_some_and(|at| !(span.from_ms..span.until_ms).contains(&at)) {
            continue;
        }
        let id = serde_json::Value::from(id.as_ref());
        let (deal, meta) = (deal.get(), r#""action":"change","entity":"deal","version":"2.0""#);
        events.push(format!(
            "{{\"data\":{deal},\"meta\":{{{meta},\"entity_id\":{id},\"timestamp\":null}},\"previous\":null}}"
        ));
    }

    let more = members.get("additional_data").and_then(|more| json::object_members(more.get()));
    let next = more.and_then(|more| member_text(&more, "next_cursor"));
    Ok(ClosedPage { events, next: next.filter(|next| !next.is_empty()) })
}

/// A time of the API: with an offset, or as `2026-01-31 12:00:00` in UTC.
fn moment_ms(text: &str) -> Option<i64> {
    let moment: Result<Timestamp, _> = text.parse();
    let moment = moment.or_else(|_| format!("{}Z", text.replace(' ', "T")).parse());
    moment.ok().map(|moment| moment.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> ClosedSpan {
        ClosedSpan {
            first_day: "2026-03-01".to_owned(),
            last_day: "2026-03-31".to_owned(),
            from_ms: 1_772_323_200_000,
            until_ms: 1_775_001_600_000,
        }
    }

    #[test]
    fn a_page_has_the_deals_of_the_days() {
        let deal = |id: u32, won: &str| {
            format!("{{\"id\":{id},\"value\":100.10,\"status\":\"won\",\"won_time\":{won}}}")
        };
        let deals = [
            deal(1, "\"2026-03-01T00:00:00Z\""),
            deal(2, "\"2026-03-31 23:59:59\""),
            deal(3, "\"2026-04-01T00:00:00Z\""),
            deal(4, "\"2026-02-28T23:59:59Z\""),
            deal(5, "null"),
        ]
        .join(",");
        let answer = format!(
            "{{\"success\":true,\"data\":[{deals}],\"additional_data\":{{\"next_cursor\":\"ab+/=\"}}}}"
        );
        let page = closed_page(&span(), &answer).unwrap();
        assert_eq!(page.events.len(), 3, "{:?}", page.events);
        assert!(page.events[0].contains("\"value\":100.10"), "digits are kept: {:?}", page.events);
        let next = page.next.unwrap();
        let request = closed_request(&span(), Some(&next), &SourceSettings::default()).unwrap();
        assert!(request.url.ends_with("&updated_since=2026-03-01T00:00:00Z&cursor=ab%2B%2F%3D"));
        assert!(closed_request(&span(), Some("a&x=1"), &SourceSettings::default()).is_err());

        let last = "{\"success\":true,\"data\":null,\"additional_data\":{\"next_cursor\":null}}";
        assert_eq!(closed_page(&span(), last), Ok(ClosedPage { events: Vec::new(), next: None }));
        for wrong in ["", "[]", "{}", "{\"data\":{}}", "{\"data\":[{}]}"] {
            assert!(closed_page(&span(), wrong).is_err(), "{wrong}");
        }
    }
}
