#![doc = include_str!("../README.md")]

mod events;
mod pointer;
mod proof;
mod sample;
mod settings;

use std::borrow::Cow;

use accredit_seams::connector::{
    Connector, DecodeError, RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent,
    SentRequest, SettingError, SettingKey, SourceSettings, SourceStarter, StarterPolicy,
};
use accredit_webhook_checks::{json, secret};

use crate::settings::Proof;

/// The connector `generic`: any sender of JSON.
#[derive(Debug, Clone, Copy)]
pub struct GenericJson;

impl Connector for GenericJson {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        settings::KEYS
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        settings::check_settings(settings)
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "auth = \"bearer\"\nid_pointer = \"/event_id\"\n",
            placeholders: &[],
            policy: Some(StarterPolicy {
                name: "generic-deals",
                script: include_str!("../../../scripts/intake/generic-deals.rhai"),
                cases: include_str!("../../../scripts/intake/generic-deals.cases.md"),
            }),
            next_steps: "Give the secret that `accredit serve` prints to the sender, or choose \
                another `auth`.\n",
        }
    }

    fn secret_origin(&self, settings: &SourceSettings) -> SecretOrigin {
        match settings::read_proof(settings) {
            Ok(Proof::Basic) => SecretOrigin::UserPassword,
            _ => SecretOrigin::Token,
        }
    }

    fn check_secret(
        &self,
        secret: &str,
        settings: &SourceSettings,
    ) -> Result<(), RejectedDelivery> {
        match settings::read_proof(settings) {
            Ok(Proof::Basic) => secret::check_user_password(secret),
            Ok(Proof::Signature(_)) => proof::check_key(secret),
            _ => secret::check_token(secret),
        }
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        proof::verify_request(request, settings, secrets)
    }

    fn signs_requests(&self, settings: &SourceSettings) -> bool {
        settings.text("auth") == Some("hmac")
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        events::split_request(request, settings)
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        json::check_body(body).map(|text| vec![Cow::Borrowed(text)])
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
