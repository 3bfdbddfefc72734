//! The connector `salesforce-outbound`: Outbound Messages, which are SOAP.
//!
//! Not the SOAP message itself (`envelope`). Called by the host.

use std::borrow::Cow;

use accredit_seams::connector::{
    AcceptedAnswer, ClosedPage, ClosedRequest, ClosedSpan, Connector, DecodeError, OverloadAnswer,
    RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent, SentRequest,
    SettingError, SettingKey, SettingKind, SourceSettings, SourceStarter, StarterPolicy,
    TokenEndpoint,
};
use accredit_webhook_checks::{json, secret};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::envelope::{self, OutboundMessage};
use crate::record_id::RecordId;
use crate::{closed, markup, sample};

/// The setting that lists the organizations whose messages are taken.
const ORGANIZATIONS: &str = "organizations";

/// The parameter of the URL that holds the secret.
const KEY_PARAMETER: &str = "key";

/// What Salesforce needs to hear, once for all notifications of a message. Anything else is a
/// failure to it, and it sends the message again.
const ACKNOWLEDGEMENT: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>",
    "<notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\">",
    "<Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>",
);

/// The connector `salesforce-outbound`: Outbound Messages of allowed organizations, with a secret
/// in the URL.
#[derive(Debug, Clone, Copy)]
pub struct SalesforceOutbound;

impl Connector for SalesforceOutbound {
    fn name(&self) -> &'static str {
        "salesforce-outbound"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        &[
            SettingKey {
                name: ORGANIZATIONS,
                kind: SettingKind::Texts,
                meaning: "the organizations whose messages are taken, ids of 15 or 18 characters",
            },
            closed::KEYS[0],
            closed::KEYS[1],
            closed::KEYS[2],
        ]
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        closed::check_settings(settings)?;
        let help = "write the id from Company Information in Salesforce's setup, such as \
                    `organizations = [\"00D7F00000107XsUAI\"]`";
        let organizations = settings.texts(ORGANIZATIONS);
        if organizations.is_empty() {
            let key = settings.values.contains_key(ORGANIZATIONS).then_some(ORGANIZATIONS);
            let message = "no organization is allowed".to_owned();
            return Err(SettingError { key, message, help: help.to_owned() });
        }

        let is_wrong =
            |text: &&String| !RecordId::parse(text).is_some_and(RecordId::is_organization);
        let Some(wrong) = organizations.iter().find(is_wrong) else { return Ok(()) };
        let message = format!("`{wrong}` is not the id of an organization");
        Err(SettingError { key: Some(ORGANIZATIONS), message, help: help.to_owned() })
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "organizations = [\"00D000000000000EAA\"]\n",
            placeholders: &["00D000000000000EAA"],
            policy: Some(StarterPolicy {
                name: "salesforce-outbound",
                script: include_str!("../../../scripts/intake/salesforce-outbound.rhai"),
                cases: include_str!("../../../scripts/intake/salesforce-outbound.cases.md"),
            }),
            next_steps: concat!(
                "Set `organizations` to the id of your Salesforce organization.\n",
                "The endpoint URL is https://…/hooks/NAME?key=SECRET, with the secret that \
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
        // The secret comes first: nobody without it makes us read XML.
        let matched = secret::verify_query(request.query, KEY_PARAMETER, secrets)?;

        let document = markup::parse_document(request.body)
            .ok_or(RejectedDelivery("the body is no XML, has a DTD or exceeds a limit"))?;
        let message = OutboundMessage::read(&document)
            .ok_or(RejectedDelivery("the body is no Outbound Message of one organization"))?;
        let mut allowed = settings.texts(ORGANIZATIONS).iter();
        if allowed.any(|text| RecordId::parse(text) == Some(message.organization)) {
            Ok(matched)
        } else {
            Err(RejectedDelivery("the organization is not in `organizations`"))
        }
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        _settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        let unreadable = || vec![envelope::unreadable_event(request.body)];
        let Some(document) = markup::parse_document(request.body) else { return unreadable() };
        OutboundMessage::read(&document).map_or_else(unreadable, |message| message.events())
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        envelope::check_kept(json::check_body(body)?).map(|text| vec![Cow::Borrowed(text)])
    }

    fn accepted_answer(&self) -> Option<AcceptedAnswer> {
        let content_type = "text/xml; charset=utf-8";
        Some(AcceptedAnswer { status: 200, content_type, body: ACKNOWLEDGEMENT })
    }

    /// 503: Salesforce keeps a message for 24 hours and sends it again at intervals of its own.
    fn overload_answer(&self) -> OverloadAnswer {
        OverloadAnswer { status: 503, retry_after_s: None, patience_ms: 0 }
    }

    fn api_hosts(&self) -> &'static [&'static str] {
        closed::HOSTS
    }

    fn token_endpoint(&self, settings: &SourceSettings) -> Option<TokenEndpoint> {
        closed::token_endpoint(settings)
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
        secret::check_token(secret)?;
        let organization = settings.texts(ORGANIZATIONS).first();
        let organization = organization.ok_or(RejectedDelivery("no organization is allowed"))?;
        let query = format!("{KEY_PARAMETER}={}", utf8_percent_encode(secret, NON_ALPHANUMERIC));
        let headers = vec![
            ("content-type".to_owned(), "text/xml; charset=utf-8".to_owned()),
            ("soapaction".to_owned(), "\"\"".to_owned()),
        ];
        let body = sample::message(deal, organization).into_bytes();
        Ok(SampleRequest { query, headers, body })
    }
}
