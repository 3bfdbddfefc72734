#![doc = include_str!("../README.md")]

mod signature;

use std::borrow::Cow;

use accredit_seams::connector::{
    Connector, DecodeError, RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent,
    SentRequest, SourceSettings, SourceStarter,
};
use accredit_webhook_checks::json;
pub use signature::sign_delivery;

/// The connector `standard-webhooks`: signatures as standardwebhooks.com describes them.
#[derive(Debug, Clone, Copy)]
pub struct StandardWebhooks;

impl Connector for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "",
            placeholders: &[],
            policy: None,
            next_steps: "Give the secret that `accredit serve` prints to the sender.\n",
        }
    }

    fn secret_origin(&self, _settings: &SourceSettings) -> SecretOrigin {
        SecretOrigin::WebhookKey
    }

    fn check_secret(
        &self,
        secret: &str,
        _settings: &SourceSettings,
    ) -> Result<(), RejectedDelivery> {
        let key = signature::decode_secret(secret)?;
        if key.len() < signature::KEY_BYTES_MIN {
            return Err(RejectedDelivery(
                "a secret has fewer than 16 bytes, so it could be guessed",
            ));
        }
        Ok(())
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
        let id = signature::delivery_id(request.headers).unwrap_or_default().to_owned();
        vec![SentEvent { id, body: Cow::Borrowed(request.body) }]
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        json::check_body(body).map(|text| vec![Cow::Borrowed(text)])
    }

    fn sample_request(
        &self,
        deal: &SampleDeal<'_>,
        _settings: &SourceSettings,
        secret: &str,
    ) -> Result<SampleRequest, RejectedDelivery> {
        // The columns of a new directory, and the usual other name of the day.
        let body = serde_json::json!({
            "id": deal.id,
            "name": deal.name,
            "amount": deal.amount,
            "owner": deal.owner,
            "closed": deal.closed_day,
            "date": deal.closed_day,
        });
        let body = body.to_string().into_bytes();
        let (id, seconds) = (format!("msg_{}_{}", deal.id, deal.sent_ms), deal.sent_ms / 1000);
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("webhook-signature".to_owned(), sign_delivery(secret, &id, seconds, &body)?),
            ("webhook-timestamp".to_owned(), seconds.to_string()),
            ("webhook-id".to_owned(), id),
        ];
        Ok(SampleRequest { query: String::new(), headers, body })
    }
}
