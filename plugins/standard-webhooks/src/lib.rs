#![doc = include_str!("../README.md")]

mod body;
mod signature;

use std::borrow::Cow;

use accredit_seams::connector::{Connector, DecodeError, RejectedDelivery, SentHeaders};
use accredit_seams::delivery::Delivery;
pub use signature::sign_delivery;

/// The connector `standard-webhooks`: signatures as standardwebhooks.com describes them.
#[derive(Debug, Clone, Copy)]
pub struct StandardWebhooks;

impl Connector for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn check_secret(&self, secret: &str) -> Result<(), RejectedDelivery> {
        let key = signature::decode_secret(secret)?;
        if key.len() < signature::KEY_BYTES_MIN {
            return Err(RejectedDelivery(
                "a secret has fewer than 16 bytes, so it could be guessed",
            ));
        }
        Ok(())
    }

    fn verify_delivery(
        &self,
        delivery: &mut Delivery,
        headers: &SentHeaders<'_>,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        signature::verify_signature(delivery, headers, secrets)
    }

    fn decode_body<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        body::check_body(body).map(|text| vec![Cow::Borrowed(text)])
    }
}
