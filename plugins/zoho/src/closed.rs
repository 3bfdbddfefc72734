//! Deals that were won in some days, from the search of Zoho's API.
//!
//! Not the request itself (the host makes it). Called for a reconciliation.

use accredit_seams::connector::{
    ClosedDealsError, ClosedPage, ClosedRequest, ClosedSpan, DecodeError, FetchAuthorization,
    FetchRequest, SettingError, SourceSettings,
};
use accredit_webhook_checks::json::{self, RawMembers, member_text};
use accredit_webhook_checks::settings::api_url;

use crate::notification::payload_text;
use crate::settings::API_URL;

/// The setting that lists the stages of deals that are won.
pub(crate) const WON_STAGES: &str = "won_stages";

/// The stage of a deal that is won, as Zoho comes.
const WON_STAGE: &str = "Closed Won";

/// Deals of a page, and of a search: Zoho gives no more.
const PAGE: u32 = 200;
const RESULTS_MAX: u32 = 2_000;

/// Whether the stages can be asked for.
pub(crate) fn check_stages(settings: &SourceSettings) -> Result<(), SettingError> {
    let stages = settings.texts(WON_STAGES);
    let is_empty = stages.is_empty() && settings.values.contains_key(WON_STAGES);
    // A comma or a parenthesis would end the criterion.
    let is_plain =
        |stage: &String| !stage.is_empty() && !stage.contains([',', '(', ')', '\\', ':']);
    if is_empty || !stages.iter().all(is_plain) {
        return Err(SettingError {
            key: Some(WON_STAGES),
            message: "`won_stages` is not a list of stages".to_owned(),
            help: "write the stages in which a deal is won, such as [\"Closed Won\"], without \
                   commas, colons and parentheses, or leave `won_stages` out"
                .to_owned(),
        });
    }
    Ok(())
}

/// The request for a page; the cursor is its number.
pub(crate) fn closed_request(
    span: &ClosedSpan,
    cursor: Option<&str>,
    settings: &SourceSettings,
) -> ClosedRequest {
    let wrong = |error: String| ClosedDealsError::Settings(error);
    let api = api_url(settings, "api_url").map_err(|error| wrong(error.to_string()))?;
    let api = api.unwrap_or(API_URL);
    let page = cursor.unwrap_or("1");
    if page.is_empty() || !page.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("the next page of Zoho is no number".to_owned()));
    }

    let stages = settings.texts(WON_STAGES);
    let stages = if stages.is_empty() { WON_STAGE.to_owned() } else { stages.join(",") };
    let (first, last) = (&span.first_day, &span.last_day);
    let criteria = format!("((Closing_Date:between:{first},{last})and(Stage:in:{stages}))");
    Ok(FetchRequest {
        url: format!(
            "{api}/crm/v8/Deals/search?criteria={}&per_page={PAGE}&page={page}",
            escaped(&criteria)
        ),
        authorization: FetchAuthorization::Scheme("Zoho-oauthtoken"),
        headers: vec![("accept", "application/json")],
        body: None,
    })
}

/// A text inside a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The deals of a page, each as an event that was completed with it. A search without a result has no body.
pub(crate) fn closed_page(answer: &str) -> Result<ClosedPage, DecodeError> {
    if answer.trim().is_empty() {
        return Ok(ClosedPage { events: Vec::new(), next: None });
    }
    let wrong = || DecodeError("the answer of Zoho is not a page of deals".to_owned());
    let answer = json::check_body(answer.as_bytes())?;
    let members = json::object_members(answer).ok_or_else(wrong)?;

    let deals = members.get("data").and_then(|deals| json::array_items(deals.get()));
    let mut events = Vec::new();
    for deal in deals.ok_or_else(wrong)? {
        let fields = json::object_members(deal.get()).ok_or_else(wrong)?;
        let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let id = member_text(&fields, "id").filter(is_id).ok_or_else(wrong)?;
        let event = format!(
            "{{\"affected_fields\":[],\"affected_values\":[],\"ids\":[\"{id}\"],\
             \"module\":\"Deals\",\"operation\":\"update\",\"server_time\":null}}"
        );
        events.push(payload_text(&event, deal.get()));
    }
    let info = members.get("info").and_then(|info| json::object_members(info.get()));
    Ok(ClosedPage { events, next: next_page(&info.ok_or_else(wrong)?)? })
}

/// The number of the next page, where there is one.
fn next_page(info: &RawMembers<'_>) -> Result<Option<String>, DecodeError> {
    let wrong = || DecodeError("the answer of Zoho does not say whether there is more".to_owned());
    match info.get("more_records").ok_or_else(wrong)?.get() {
        "false" => return Ok(None),
        "true" => (),
        _ => return Err(wrong()),
    }
    let page = info.get("page").and_then(|page| page.get().parse::<u32>().ok());
    let page = page.ok_or_else(wrong)?;
    if page.saturating_mul(PAGE) >= RESULTS_MAX {
        return Err(DecodeError(format!(
            "Zoho has more than {RESULTS_MAX} such deals and lists no more: ask for fewer days"
        )));
    }
    Ok(Some((page + 1).to_string()))
}

#[cfg(test)]
mod tests {
    use accredit_seams::connector::SettingValue;

    use super::*;

    fn span() -> ClosedSpan {
        ClosedSpan {
            first_day: "2026-03-01".to_owned(),
            last_day: "2026-03-31".to_owned(),
            from_ms: 0,
            until_ms: 0,
        }
    }

    fn with_stages(stages: &[&str]) -> SourceSettings {
        let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        let values = [(WON_STAGES.to_owned(), SettingValue::Texts(stages))];
        SourceSettings { url: None, values: values.into() }
    }

    #[test]
    fn a_search_names_days_and_stages() {
        let url = closed_request(&span(), None, &with_stages(&["Won", "Won & paid"])).unwrap().url;
        assert_eq!(
            url,
            "https://www.zohoapis.com/crm/v8/Deals/search?criteria=%28%28Closing_Date%3Abetween%3A\
             2026-03-01%2C2026-03-31%29and%28Stage%3Ain%3AWon%2CWon%20%26%20paid%29%29\
             &per_page=200&page=1"
        );
        let next = closed_request(&span(), Some("3"), &SourceSettings::default()).unwrap().url;
        assert!(next.ends_with("Stage%3Ain%3AClosed%20Won%29%29&per_page=200&page=3"), "{next}");
        assert!(closed_request(&span(), Some("1&x=2"), &SourceSettings::default()).is_err());

        assert_eq!(check_stages(&with_stages(&["Won"])), Ok(()));
        for stages in [&[][..], &[""], &["a,b"], &["a)or(Id:equals:1"]] {
            assert!(check_stages(&with_stages(stages)).is_err(), "{stages:?}");
        }
    }

    #[test]
    fn a_page_says_whether_there_is_more() {
        let page = |more: &str, number: u32| {
            closed_page(&format!(
                "{{\"data\":[{{\"id\":\"7\",\"Amount\":100.10}}],\
                 \"info\":{{\"more_records\":{more},\"page\":{number},\"count\":1}}}}"
            ))
        };
        let first = page("true", 1).unwrap();
        assert_eq!(first.next.as_deref(), Some("2"));
        assert!(
            first.events[0].contains("\"Amount\":100.10"),
            "digits are kept: {:?}",
            first.events
        );
        assert_eq!(page("false", 2).unwrap().next, None);
        assert!(page("true", 10).unwrap_err().0.contains("fewer days"));
        assert_eq!(closed_page(""), Ok(ClosedPage { events: Vec::new(), next: None }));
        for wrong in ["[]", "{}", "{\"data\":[{}]}", "{\"data\":[]}", "{\"data\":[{\"id\":\"x\"}]}"]
        {
            assert!(closed_page(wrong).is_err(), "{wrong}");
        }
    }
}
