#![doc = include_str!("../README.md")]

mod closed;
mod context;
mod fetch;
mod sample;
mod settings;

use std::borrow::Cow;

use accredit_seams::connector::{
    ClosedPage, ClosedRequest, ClosedSpan, Connector, DecodeError, FetchRequest, OverloadAnswer,
    RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent, SentRequest,
    SettingError, SettingKey, SourceSettings, SourceStarter, StarterPolicy, TokenEndpoint,
};
use accredit_webhook_checks::secret;

use crate::settings::SenderProof;

/// How long Dataverse may wait for room. It gives up after a minute and tries once more, so a minute
/// of overload would lose the event.
const PATIENCE_MS: u32 = 20_000;

/// The connector `dynamics`: webhooks that Dataverse sends.
#[derive(Debug, Clone, Copy)]
pub struct Dynamics;

impl Connector for Dynamics {
    fn name(&self) -> &'static str {
        "dynamics"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        settings::KEYS
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        settings::check_settings(settings)
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "api_url = \"https://ORG.crm.dynamics.com\"\n",
            placeholders: &["//ORG."],
            policy: Some(StarterPolicy {
                name: "dynamics-opportunities",
                script: include_str!("../../../scripts/intake/dynamics-opportunities.rhai"),
                cases: include_str!("../../../scripts/intake/dynamics-opportunities.cases.md"),
            }),
            next_steps: concat!(
                "Set `api_url` to the address of your environment, and `token_url` to \
                    https://login.microsoftonline.com/TENANT/oauth2/v2.0/token.\n",
                "Set ACCREDIT_API_CLIENT_ID_… and ACCREDIT_API_CLIENT_SECRET_… to those of an app \
                    registration that may read the environment: tokens last an hour and are renewed \
                    with them.\n",
                "The endpoint URL is https://…/hooks/NAME?code=SECRET, with the secret that \
                    `accredit serve` prints.\n",
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
        secret::check_token(secret)
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        match settings::sender_proof(settings) {
            Some(SenderProof::Key) => {
                secret::verify_query(request.query, settings::KEY_PARAMETER, secrets)
            }
            Some(SenderProof::Header(name)) => {
                secret::verify_header(request.headers, name, secrets)
            }
            None => Err(RejectedDelivery("the settings do not say how the sender proves itself")),
        }
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        _settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        vec![context::kept_event(request)]
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        context::checked_payload(body).map(|payload| vec![Cow::Borrowed(payload)])
    }

    fn overload_answer(&self) -> OverloadAnswer {
        // Any other status than 502, 503 and 504 is final there, and `retry-after` is not read.
        OverloadAnswer { status: 503, retry_after_s: None, patience_ms: PATIENCE_MS }
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
        &[
            "*.crm*.dynamics.com",
            "*.crm.dynamics.cn",
            "*.crm.microsoftdynamics.us",
            "login.microsoftonline.com",
            "login.microsoftonline.us",
            "login.partner.microsoftonline.cn",
        ]
    }

    fn token_endpoint(&self, settings: &SourceSettings) -> Option<TokenEndpoint> {
        let url = settings.text("token_url")?.to_owned();
        let api = settings.text("api_url")?.trim_end_matches('/');
        Some(TokenEndpoint { url, scope: Some(format!("{api}/.default")) })
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
