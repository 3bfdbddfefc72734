#![doc = include_str!("../README.md")]

mod body;
mod signature;

use accredit_seams::connector::{Connector, DecodeError, Payload, Rejected, Verified};
pub use signature::sign;

/// The connector `standard-webhooks`: signatures as standardwebhooks.com describes them.
#[derive(Debug, Clone, Copy)]
pub struct StandardWebhooks;

impl Connector for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn accepts(&self, secret: &str) -> Result<(), Rejected> {
        let key = signature::key(secret)?;
        if key.len() < signature::KEY_BYTES_MIN {
            return Err(Rejected("a secret has fewer than 16 bytes, so it could be guessed"));
        }
        Ok(())
    }

    fn verify(&self, payload: &Payload<'_>) -> Result<Verified, Rejected> {
        signature::verify(payload)
    }

    fn decode(&self, body: &[u8]) -> Result<Vec<serde_json::Value>, DecodeError> {
        body::decode(body).map(|json| vec![json])
    }
}
