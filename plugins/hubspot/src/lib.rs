#![doc = include_str!("../README.md")]

mod closed;
mod deal;
mod event;
mod settings;
mod signature;

use std::borrow::Cow;

use accredit_seams::connector::{
    ClosedPage, ClosedRequest, ClosedSpan, Connector, DecodeError, FetchRequest, OverloadAnswer,
    RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent, SentRequest,
    SettingError, SettingKey, SourceSettings, SourceStarter, StarterPolicy, TokenEndpoint,
};
use accredit_webhook_checks::{json, secret};
pub use signature::{SignedParts, sign_request};

/// The connector `hubspot`: webhooks of an app of HubSpot.
#[derive(Debug, Clone, Copy)]
pub struct Hubspot;

impl Connector for Hubspot {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        settings::SETTING_KEYS
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        settings::check_settings(settings)
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "url = \"https://accredit.example.com/hooks/NAME\"\n",
            placeholders: &["accredit.example.com"],
            policy: Some(StarterPolicy {
                name: "hubspot-events",
                script: include_str!("../../../scripts/intake/hubspot-events.rhai"),
                cases: include_str!("../../../scripts/intake/hubspot-events.cases.md"),
            }),
            next_steps: concat!(
                "Set `url` to the target URL as it is written in HubSpot, and WON_STAGES in the \
                    policy to your stages.\n",
                "Set ACCREDIT_SECRET_… to the client secret of the app, and \
                    ACCREDIT_API_TOKEN_… to its access token.\n",
            ),
        }
    }

    fn secret_origin(&self, _settings: &SourceSettings) -> SecretOrigin {
        SecretOrigin::Given
    }

    fn check_secret(
        &self,
        secret: &str,
        _settings: &SourceSettings,
    ) -> Result<(), RejectedDelivery> {
        secret::check_token(secret)
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        signature::verify_signature(request, settings, secrets)
    }

    fn signs_requests(&self, _settings: &SourceSettings) -> bool {
        true
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        _settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        event::split_body(request.body)
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        let text = json::check_body(body)?;
        if text.trim_start().starts_with('{') {
            Ok(vec![Cow::Borrowed(text)])
        } else {
            Err(deal::not_an_event())
        }
    }

    /// 503 and not 429: its documentation repeats both, but its staff named codes of 4xx that are not
    /// repeated. It waits five seconds for an answer and gives up after ten attempts in a day, so two
    /// seconds of patience cost less than an attempt.
    fn overload_answer(&self) -> OverloadAnswer {
        OverloadAnswer { status: 503, retry_after_s: Some(30), patience_ms: 2_000 }
    }

    fn needed_fetch(
        &self,
        payload: &str,
        settings: &SourceSettings,
    ) -> Result<Option<FetchRequest>, DecodeError> {
        deal::needed_fetch(payload, settings)
    }

    fn complete_event(&self, payload: &str, fetched: &str) -> Result<String, DecodeError> {
        deal::complete_event(payload, fetched)
    }

    fn api_hosts(&self) -> &'static [&'static str] {
        &["api.hubapi.com"]
    }

    fn token_endpoint(&self, settings: &SourceSettings) -> Option<TokenEndpoint> {
        let url = settings.text(settings::TOKEN_URL).unwrap_or(settings::DEFAULT_TOKEN_URL);
        Some(TokenEndpoint { url: url.to_owned(), scope: None })
    }

    fn closed_deals_request(
        &self,
        span: &ClosedSpan,
        cursor: Option<&str>,
        settings: &SourceSettings,
    ) -> ClosedRequest {
        closed::closed_request(span, cursor, settings)
    }

    fn closed_deals_page(
        &self,
        _span: &ClosedSpan,
        answer: &str,
    ) -> Result<ClosedPage, DecodeError> {
        closed::closed_page(answer)
    }

    fn sample_request(
        &self,
        deal: &SampleDeal<'_>,
        settings: &SourceSettings,
        secret: &str,
    ) -> Result<SampleRequest, RejectedDelivery> {
        let url = settings.url.as_deref().ok_or(RejectedDelivery("the source has no URL"))?;
        let id: u64 =
            deal.id.parse().map_err(|_| RejectedDelivery("the id of a deal is a number"))?;

        // An event has neither name nor amount: they come with the deal that is fetched.
        let body = serde_json::json!([{
            "eventId": deal.sent_ms.rem_euclid(1 << 32),
            "subscriptionId": 12345,
            "portalId": 62515,
            "appId": 54321,
            "occurredAt": deal.sent_ms,
            "subscriptionType": "deal.propertyChange",
            "attemptNumber": 0,
            "objectId": id,
            "propertyName": "dealstage",
            "propertyValue": "closedwon",
            "changeSource": "CRM_UI",
        }]);
        let (body, timestamp) = (body.to_string().into_bytes(), deal.sent_ms.to_string());

        let parts = SignedParts { method: "POST", url, body: &body, timestamp: &timestamp };
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-hubspot-signature-v3", sign_request(secret, &parts)?),
            ("x-hubspot-request-timestamp", timestamp),
        ];
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(SampleRequest { query: query.to_owned(), headers, body })
    }
}
