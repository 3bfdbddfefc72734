#![doc = include_str!("../README.md")]

mod sample;
mod signature;

use std::borrow::Cow;

use accredit_seams::connector::{
    Connector, DecodeError, RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent,
    SentRequest, SourceSettings, SourceStarter, StarterPolicy,
};
use accredit_webhook_checks::members::JsonMembers;
use accredit_webhook_checks::{ids, json};
pub use signature::sign_event;

/// How many deliveries of an event are still open: the only part of it that differs between attempts.
/// With it, an event that was sent again would contradict the one that is kept.
const OPEN_DELIVERIES: &str = "pending_webhooks";

/// Bytes of an event's id: Stripe promises at most 255.
const ID_BYTES_MAX: usize = 255;

/// The connector `stripe`: webhooks of Stripe.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

impl Connector for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "",
            placeholders: &[],
            policy: Some(StarterPolicy {
                name: "stripe-invoices",
                script: include_str!("../../../scripts/intake/stripe-invoices.rhai"),
                cases: include_str!("../../../scripts/intake/stripe-invoices.cases.md"),
            }),
            next_steps: "Set ACCREDIT_SECRET_… to the signing secret of the endpoint in Stripe.\n",
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
        signature::check_secret(secret)
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        _settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        signature::verify_signature(request, secrets)
    }

    fn signs_requests(&self, _settings: &SourceSettings) -> bool {
        true
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        _settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        let text = std::str::from_utf8(request.body).ok();
        let Some(members) = text.and_then(JsonMembers::read) else {
            let id = unknown_id(request.body);
            return vec![SentEvent { id, body: Cow::Borrowed(request.body) }];
        };

        let body = members.without(OPEN_DELIVERIES);
        let id = members.text("id").filter(|id| is_event_id(id));
        let id = id.map_or_else(|| unknown_id(body.as_bytes()), Cow::into_owned);
        vec![SentEvent { id, body: Cow::Owned(body.into_bytes()) }]
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        let text = json::check_body(body)?;
        if text.trim_start().starts_with('{') {
            Ok(vec![Cow::Borrowed(text)])
        } else {
            Err(DecodeError("not an event of Stripe: the body is not a JSON object".to_owned()))
        }
    }

    fn sample_request(
        &self,
        deal: &SampleDeal<'_>,
        _settings: &SourceSettings,
        secret: &str,
    ) -> Result<SampleRequest, RejectedDelivery> {
        let body = sample::paid_invoice(deal)?;
        let signature = sign_event(secret, deal.sent_ms.div_euclid(1000), &body)?;
        let headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("stripe-signature", signature),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(SampleRequest { query: String::new(), headers, body })
    }
}

fn is_event_id(id: &str) -> bool {
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    plain && id.starts_with("evt_") && id.len() <= ID_BYTES_MAX
}

fn unknown_id(body: &[u8]) -> String {
    format!("event-{}", ids::hashed_id(&[body]))
}
