//! The events in a body: where each begins, what is kept of it, and which id it has.
//!
//! Not fetching (`deal`) and not verifying (`signature`). Called when a request was authentic.

use std::borrow::Cow;

use accredit_seams::connector::SentEvent;
use accredit_webhook_checks::ids;
use accredit_webhook_checks::members::JsonMembers;
use serde_json::value::RawValue;

/// Events that a request is split into: HubSpot sends at most 100.
const EVENTS_MAX: usize = 1_000;
/// Digits of an id or a time that are used as they are.
const DIGITS_MAX: usize = 20;
/// What HubSpot calls deals in events of every object.
const DEAL_TYPE_ID: &str = "0-3";
/// The member that differs between attempts. With it, an event that was sent again would contradict
/// the one that is kept.
const ATTEMPT: &str = "attemptNumber";

/// What tells one event from another. The number of the event alone does not: it comes again, and
/// events of one batch can share it.
const IDENTITY: [&str; 8] = [
    "portalId",
    "appId",
    "subscriptionType",
    "objectId",
    "propertyName",
    "propertyValue",
    "occurredAt",
    "eventId",
];
/// What tells events apart that have no `objectId`: changes of associations, and merges.
const IDENTITY_OF_PAIRS: [&str; 6] = [
    "fromObjectId",
    "toObjectId",
    "associationType",
    "associationRemoved",
    "primaryObjectId",
    "mergedObjectIds",
];

/// The events of a body.
pub(crate) fn split_body(body: &[u8]) -> Vec<SentEvent<'_>> {
    let text = std::str::from_utf8(body).ok();
    let parts = text.and_then(|text| serde_json::from_str::<Vec<&RawValue>>(text).ok());

    match parts {
        Some(parts) if (1..=EVENTS_MAX).contains(&parts.len()) => {
            parts.into_iter().map(|part| kept_event(part.get())).collect()
        }
        // A single object is what a workflow sends, and everything else is for the dead letters.
        _ => match text.map(kept_event) {
            Some(event) => vec![event],
            None => vec![SentEvent { id: unknown_id(body), body: Cow::Borrowed(body) }],
        },
    }
}

/// What is kept of one event.
fn kept_event(text: &str) -> SentEvent<'_> {
    let Some(event) = CrmEvent::read(text) else {
        return SentEvent { id: unknown_id(text.as_bytes()), body: Cow::Borrowed(text.as_bytes()) };
    };
    let body = event.members.without(ATTEMPT);
    SentEvent { id: event.id(&body), body: Cow::Owned(body.into_bytes()) }
}

fn unknown_id(body: &[u8]) -> String {
    format!("event-{}", ids::hashed_id(&[body]))
}

/// An event as HubSpot writes it.
pub(crate) struct CrmEvent<'b> {
    members: JsonMembers<'b>,
}

impl<'b> CrmEvent<'b> {
    /// The event; none where the text is not an object.
    pub(crate) fn read(text: &'b str) -> Option<Self> {
        Some(CrmEvent { members: JsonMembers::read(text)? })
    }

    /// Whether the deal was added to it.
    pub(crate) fn is_complete(&self) -> bool {
        self.members.raw("event").is_some() && self.members.raw("object").is_some()
    }

    /// What happened to a deal, `creation` or `propertyChange`; none where it is about something else.
    pub(crate) fn deal_action(&self) -> Option<String> {
        let subscription = self.members.text("subscriptionType")?;
        let (object, action) = subscription.split_once('.')?;
        let is_deal = match object {
            "deal" => true,
            "object" => self.members.text("objectTypeId").as_deref() == Some(DEAL_TYPE_ID),
            _ => false,
        };
        is_deal.then(|| action.to_owned())
    }

    /// The digits of a member that is an id.
    pub(crate) fn object_id(&self, name: &str) -> Option<&'b str> {
        self.members.digits(name).filter(|digits| digits.len() <= DIGITS_MAX)
    }

    /// The id of the event, of whose text `kept` is left.
    fn id(&self, kept: &str) -> String {
        let known = ["subscriptionType", "occurredAt", "eventId"];
        if !known.iter().all(|name| self.members.raw(name).is_some()) {
            return unknown_id(kept.as_bytes());
        }

        let names = IDENTITY.iter().chain(&IDENTITY_OF_PAIRS);
        let parts: Vec<&[u8]> =
            names.map(|name| self.members.raw(name).unwrap_or_default().as_bytes()).collect();

        // A person reads the object and the time; the hash tells events apart.
        let mut id = self.object_kind();
        for name in ["objectId", "occurredAt"] {
            if let Some(digits) = self.object_id(name) {
                id.push('-');
                id.push_str(digits);
            }
        }
        id.push('-');
        id.push_str(&ids::hashed_id(&parts));
        id
    }

    /// What the event is about, for its id.
    fn object_kind(&self) -> String {
        if self.deal_action().is_some() {
            return "deal".to_owned();
        }
        let subscription = self.members.text("subscriptionType").unwrap_or_default();
        let kind = subscription.split('.').next().unwrap_or_default();
        let plain = kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let usable = plain && !kind.is_empty() && kind.len() <= DIGITS_MAX;
        if usable { kind.to_owned() } else { "event".to_owned() }
    }
}
