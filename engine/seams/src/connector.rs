//! The seam to a CRM: what a connector must answer about one request of one source.
//!
//! Not receiving (the host has the socket, the inbox and the secrets) and not deciding. Implemented
//! by crates in `plugins/`, called by the host's intake (verify, split, answer), by its worker (decode)
//! and by its fetcher (fetch).
//!
//! **Architecture invariant:** a connector is pure: the time, the secrets, the settings and the bytes
//! are given to it, so every answer can be repeated from what the inbox kept. It opens no socket.

mod answer;
mod closed;
mod fetch;
mod request;
mod sample;
mod settings;
mod starter;

use std::borrow::Cow;

pub use answer::{AcceptedAnswer, OverloadAnswer};
pub use closed::{ClosedDealsError, ClosedPage, ClosedRequest, ClosedSpan};
pub use fetch::{FetchAuthorization, FetchRequest, TokenEndpoint};
pub use request::{SentEvent, SentHeaders, SentRequest, optional_header, required_header};
pub use sample::{SampleDeal, SampleRequest};
pub use settings::{SettingError, SettingKey, SettingKind, SettingValue, SourceSettings};
pub use starter::{SourceStarter, StarterPolicy};

/// One way in: how requests are authentic, what they carry, and how they are answered.
pub trait Connector: Send + Sync {
    /// The name that `connector` in `[sources.<source>]` refers to.
    fn name(&self) -> &'static str;

    /// The settings of `[sources.<source>]` that are this connector's own.
    fn setting_keys(&self) -> &'static [SettingKey] {
        &[]
    }

    /// Whether a source with these settings can work: keys are known and have their kinds by then.
    ///
    /// # Errors
    /// Which setting is missing or wrong, and what to write.
    fn check_settings(&self, _settings: &SourceSettings) -> Result<(), SettingError> {
        Ok(())
    }

    /// What a new source of this connector begins with.
    fn starter(&self) -> SourceStarter {
        SourceStarter::default()
    }

    /// How a source comes by its first secret.
    fn secret_origin(&self, settings: &SourceSettings) -> SecretOrigin;

    /// Whether `secret` can verify anything; asked once, when the server starts.
    ///
    /// # Errors
    /// Why it cannot, without the secret.
    fn check_secret(&self, secret: &str, settings: &SourceSettings)
    -> Result<(), RejectedDelivery>;

    /// Whether the request is authentic, judged on its raw bytes and the active secrets, several while
    /// rotating; which secret matched, from 0.
    ///
    /// # Errors
    /// Why it is not authentic; for our log, never for the sender.
    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery>;

    /// Whether requests are signed, so that one holds nothing which would authenticate another one. Such a
    /// request may be kept while its secret is mended.
    fn signs_requests(&self, _settings: &SourceSettings) -> bool {
        false
    }

    /// The events in an authentic request, each with an id of its own: the same for each attempt to
    /// deliver it, another one for every other event. What must not be kept is left out of their bodies.
    ///
    /// A body of no known shape is one event: the worker finds out and keeps it as a dead letter.
    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>>;

    /// The payloads in the body of an event, each one JSON value as text, for one call of the intake
    /// policy; without a policy each is one transaction or an array of them.
    ///
    /// # Errors
    /// Why the body has no known shape; the delivery becomes a dead letter.
    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError>;

    /// What the sender wants to hear once its events are durable; none where any 2xx will do.
    fn accepted_answer(&self) -> Option<AcceptedAnswer> {
        None
    }

    /// What the sender is told when nothing can be stored at the moment.
    fn overload_answer(&self) -> OverloadAnswer {
        OverloadAnswer::default()
    }

    /// What has to be fetched from the CRM before a payload says all of its deal; none where it does.
    ///
    /// # Errors
    /// Why that cannot be told; the delivery becomes a dead letter.
    fn needed_fetch(
        &self,
        _payload: &str,
        _settings: &SourceSettings,
    ) -> Result<Option<FetchRequest>, DecodeError> {
        Ok(None)
    }

    /// The body of the event with what was fetched for its payload: one that
    /// [`decode_event`](Connector::decode_event) reads, and that needs no fetch.
    ///
    /// # Errors
    /// Why the answer of the CRM has no known shape.
    fn complete_event(&self, _payload: &str, _fetched: &str) -> Result<String, DecodeError> {
        Err(DecodeError("this connector fetches nothing".to_owned()))
    }

    /// The hosts of this CRM's API and of its tokens. A token goes to one of them unless an administrator
    /// names others: who writes settings must not be able to send it anywhere else. `*` stands for one
    /// label of a name, and `crm*` for a label that begins so.
    fn api_hosts(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where tokens for the API are renewed; none where the settings do not say, or where the CRM has none
    /// that expire.
    fn token_endpoint(&self, _settings: &SourceSettings) -> Option<TokenEndpoint> {
        None
    }

    /// The request for a page of the deals that were won in some days; `cursor` is of the page before.
    ///
    /// # Errors
    /// Where this connector lists no deals, or its settings do not say how.
    fn closed_deals_request(
        &self,
        _span: &ClosedSpan,
        _cursor: Option<&str>,
        _settings: &SourceSettings,
    ) -> ClosedRequest {
        Err(ClosedDealsError::NotSupported)
    }

    /// The deals in the CRM's answer to such a request.
    ///
    /// # Errors
    /// Why the answer has no known shape, or cannot be complete.
    fn closed_deals_page(
        &self,
        _span: &ClosedSpan,
        _answer: &str,
    ) -> Result<ClosedPage, DecodeError> {
        Err(DecodeError(ClosedDealsError::NotSupported.to_string()))
    }

    /// A request as the vendor would send it when this deal is closed, signed with `secret`.
    ///
    /// # Errors
    /// Why it cannot be signed, without the secret.
    fn sample_request(
        &self,
        deal: &SampleDeal<'_>,
        settings: &SourceSettings,
        secret: &str,
    ) -> Result<SampleRequest, RejectedDelivery>;
}

/// How a source comes by its first secret, where none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretOrigin {
    /// The server makes a key as Standard Webhooks writes it, `whsec_` and base64, for both sides.
    WebhookKey,
    /// The server makes random characters that a CRM can be told.
    Token,
    /// The server makes `user:password`.
    UserPassword,
    /// The sender made it: it must be given.
    Given,
}

/// Why a request is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RejectedDelivery(pub &'static str);

/// A signature that is well formed, of a time that is near, and of another secret: the only reason that
/// another secret could change.
pub const NO_SIGNATURE_MATCHES: RejectedDelivery = RejectedDelivery("no signature matches");

/// Why a body has no known shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);
