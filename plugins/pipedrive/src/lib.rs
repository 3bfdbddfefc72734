#![doc = include_str!("../README.md")]

mod closed;
mod event;
mod first_version;

use std::borrow::Cow;

use accredit_seams::connector::{
    ClosedPage, ClosedRequest, ClosedSpan, Connector, DecodeError, OverloadAnswer,
    RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent, SentRequest,
    SettingError, SettingKey, SourceSettings, SourceStarter, StarterPolicy,
};
use accredit_webhook_checks::{ids, json, secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value, json};

/// How long a request waits for room: Pipedrive waits ten seconds, then counts a failure, and ten
/// failures ban the webhook for half an hour in which its events are lost.
const PATIENCE_MS: u32 = 8_000;

/// The connector `pipedrive`: webhooks of both versions, with a user and a password.
#[derive(Debug, Clone, Copy)]
pub struct Pipedrive;

impl Connector for Pipedrive {
    fn name(&self) -> &'static str {
        "pipedrive"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        closed::KEYS
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        closed::check_settings(settings)
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "",
            placeholders: &[],
            policy: Some(StarterPolicy {
                name: "pipedrive-deals",
                script: include_str!("../../../scripts/intake/pipedrive-deals.rhai"),
                cases: include_str!("../../../scripts/intake/pipedrive-deals.cases.md"),
            }),
            next_steps: "Give the user and the password that `accredit serve` prints to the \
                webhook in Pipedrive.\n",
        }
    }

    fn secret_origin(&self, _settings: &SourceSettings) -> SecretOrigin {
        SecretOrigin::UserPassword
    }

    fn check_secret(
        &self,
        secret: &str,
        _settings: &SourceSettings,
    ) -> Result<(), RejectedDelivery> {
        secret::check_user_password(secret)
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        _settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        secret::verify_basic(request.headers, secrets)
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        _settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        vec![event::without_attempt(request.body)]
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        event::payload(json::check_body(body)?).map(|payload| vec![payload])
    }

    fn overload_answer(&self) -> OverloadAnswer {
        OverloadAnswer { status: 503, retry_after_s: None, patience_ms: PATIENCE_MS }
    }

    fn api_hosts(&self) -> &'static [&'static str] {
        closed::HOSTS
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
        span: &ClosedSpan,
        answer: &str,
    ) -> Result<ClosedPage, DecodeError> {
        closed::closed_page(span, answer)
    }

    fn sample_request(
        &self,
        deal: &SampleDeal<'_>,
        _settings: &SourceSettings,
        secret: &str,
    ) -> Result<SampleRequest, RejectedDelivery> {
        secret::check_user_password(secret)?;
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), "Pipedrive Webhooks".to_owned()),
            ("authorization".to_owned(), format!("Basic {}", STANDARD.encode(secret))),
        ];
        let body = sample_body(deal).to_string().into_bytes();
        Ok(SampleRequest { query: String::new(), headers, body })
    }
}

/// A change of a deal from open to won.
fn sample_body(deal: &SampleDeal<'_>) -> Value {
    // Ids and amounts are numbers in Pipedrive; what is none stays text.
    let number = |text: &str| {
        serde_json::from_str::<Number>(text).map_or_else(|_| Value::from(text), Value::Number)
    };
    let moment = jiff::Timestamp::from_millisecond(deal.sent_ms).unwrap_or_default();
    let won = format!("{}T12:00:00Z", deal.closed_day);

    json!({
        "data": {
            "id": number(deal.id),
            "title": deal.name,
            "value": number(deal.amount),
            "currency": "USD",
            "owner_id": number(deal.owner),
            "status": "won",
            "won_time": won,
            "close_time": won,
            "update_time": moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "custom_fields": {},
        },
        "previous": {"status": "open", "won_time": null, "close_time": null},
        "meta": sample_meta(deal, moment),
    })
}

/// What is said about the change.
fn sample_meta(deal: &SampleDeal<'_>, moment: jiff::Timestamp) -> Value {
    let event = ids::hashed_id(&[deal.id.as_bytes(), &deal.sent_ms.to_le_bytes()]);
    json!({
        "action": "change",
        "entity": "deal",
        "entity_id": deal.id,
        "id": event,
        "correlation_id": event,
        "company_id": "1",
        "user_id": "1",
        "webhook_id": "1",
        "webhook_owner_id": "1",
        "permitted_user_ids": ["1"],
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "type": "general",
        "version": "2.0",
        "change_source": "app",
        "is_bulk_edit": false,
        "attempt": 1,
        "host": "example.pipedrive.com",
    })
}
