#![doc = include_str!("../README.md")]

mod closed;
mod fetch;
mod notification;
mod sample;
mod settings;

use std::borrow::Cow;

use accredit_seams::connector::{
    AcceptedAnswer, ClosedPage, ClosedRequest, ClosedSpan, Connector, DecodeError, FetchRequest,
    OverloadAnswer, RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent,
    SentRequest, SettingError, SettingKey, SourceSettings, SourceStarter, StarterPolicy,
    TokenEndpoint,
};
use accredit_webhook_checks::secret;

/// Characters of a token that Zoho keeps and sends back.
const TOKEN_CHARACTERS_MAX: usize = 50;

/// How long a notification may wait for room: Zoho promises no further attempt.
const PATIENCE_MS: u32 = 5_000;

/// The connector `zoho`: notifications of Zoho CRM.
#[derive(Debug, Clone, Copy)]
pub struct Zoho;

impl Connector for Zoho {
    fn name(&self) -> &'static str {
        "zoho"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        settings::KEYS
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        settings::check_settings(settings)
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "",
            placeholders: &[],
            policy: Some(StarterPolicy {
                name: "zoho-deals",
                script: include_str!("../../../scripts/intake/zoho-deals.rhai"),
                cases: include_str!("../../../scripts/intake/zoho-deals.cases.md"),
            }),
            next_steps: concat!(
                "Enable notifications with the token that `accredit serve` prints, and renew \
                    the channel before it expires.\n",
                "Set ACCREDIT_API_CLIENT_ID_…, ACCREDIT_API_CLIENT_SECRET_… and \
                    ACCREDIT_API_REFRESH_TOKEN_… to those of a client of the API console: tokens last \
                    an hour and are renewed with them.\n",
            ),
        }
    }

    fn secret_origin(&self, _settings: &SourceSettings) -> SecretOrigin {
        SecretOrigin::Token
    }

    fn check_secret(
        &self,
        secret: &str,
        _settings: &SourceSettings,
    ) -> Result<(), RejectedDelivery> {
        secret::check_token(secret)?;
        if secret.chars().count() > TOKEN_CHARACTERS_MAX {
            return Err(RejectedDelivery(
                "a secret has more than 50 characters, and Zoho keeps no more of a token",
            ));
        }
        Ok(())
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        notification::verify_token(request.body, settings.texts(settings::CHANNELS), secrets)
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        _settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        notification::split_notification(request.body)
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        notification::checked_payload(body).map(|payload| vec![payload])
    }

    fn accepted_answer(&self) -> Option<AcceptedAnswer> {
        Some(AcceptedAnswer { status: 200, content_type: "application/json", body: "{}" })
    }

    fn overload_answer(&self) -> OverloadAnswer {
        OverloadAnswer { patience_ms: PATIENCE_MS, ..OverloadAnswer::default() }
    }

    fn needed_fetch(
        &self,
        payload: &str,
        settings: &SourceSettings,
    ) -> Result<Option<FetchRequest>, DecodeError> {
        fetch::needed_fetch(payload, settings)
    }

    fn complete_event(&self, payload: &str, fetched: &str) -> Result<String, DecodeError> {
        fetch::complete_event(payload, fetched)
    }

    fn api_hosts(&self) -> &'static [&'static str] {
        settings::HOSTS
    }

    fn token_endpoint(&self, settings: &SourceSettings) -> Option<TokenEndpoint> {
        settings::token_url(settings).map(|url| TokenEndpoint { url, scope: None })
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
        sample::sample_request(deal, settings, secret)
    }
}
