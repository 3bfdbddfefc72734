//! A SOAP message of Salesforce, `notifications` of the namespace `outbound`.
//!
//! Not the decision whether its organization is allowed (`outbound`). Called by `outbound`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use accredit_seams::connector::{DecodeError, SentEvent};
use accredit_webhook_checks::ids;
use roxmltree::{Document, Node};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::record_id::RecordId;
use crate::sobject::{self, FieldValue};

/// The namespace of SOAP 1.1.
pub(crate) const SOAP_NAMESPACE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// The namespace of Outbound Messages.
pub(crate) const OUTBOUND_NAMESPACE: &str = "http://soap.sforce.com/2005/09/outbound";

/// Notifications in a message, as Salesforce's description of the service limits them.
const NOTIFICATIONS_MAX: usize = 100;

/// A message whose organization is known.
pub(crate) struct OutboundMessage<'d> {
    pub(crate) organization: RecordId,
    document: &'d Document<'d>,
    notifications: Node<'d, 'd>,
}

/// What is kept of a notification: JSON, because the message around it has a session.
#[derive(Serialize)]
struct KeptNotification<'a> {
    organization: String,
    action: &'a str,
    notification: &'a str,
    #[serde(rename = "type")]
    object_type: Option<&'a str>,
    object: BTreeMap<String, FieldValue>,
}

/// What is kept of a message or notification of another shape, without sessions.
#[derive(Serialize)]
struct KeptProblem<'a> {
    problem: &'a str,
    xml: &'a str,
}

/// What tells the two from each other.
#[derive(Deserialize)]
struct KeptEvent<'a> {
    #[serde(borrow)]
    problem: Option<Cow<'a, str>>,
    notification: Option<IgnoredAny>,
}

/// Checks that what was kept is a notification; the same text.
///
/// # Errors
/// Why it is none.
pub(crate) fn check_kept(text: &str) -> Result<&str, DecodeError> {
    let foreign = || DecodeError("the event is no notification of Salesforce".to_owned());
    let kept: KeptEvent<'_> = serde_json::from_str(text).map_err(|_| foreign())?;
    match kept {
        KeptEvent { problem: Some(problem), .. } => Err(DecodeError(problem.into_owned())),
        // A list of the same values is read as such an object as well.
        KeptEvent { notification: Some(_), .. } if text.trim_start().starts_with('{') => Ok(text),
        _ => Err(foreign()),
    }
}

impl<'d> OutboundMessage<'d> {
    /// Reads the message in a document; none where it is another one or has no clear organization.
    pub(crate) fn read(document: &'d Document<'d>) -> Option<OutboundMessage<'d>> {
        let envelope = document.root_element();
        envelope.has_tag_name((SOAP_NAMESPACE, "Envelope")).then_some(())?;
        let body = only_child(envelope, SOAP_NAMESPACE, "Body")?;
        let notifications = only_child(body, OUTBOUND_NAMESPACE, "notifications")?;
        let organization = only_text(notifications, "OrganizationId")?;
        let organization = RecordId::parse(organization.trim())?;
        Some(OutboundMessage { organization, document, notifications })
    }

    /// An event for each notification; one event, which becomes a dead letter, where their number
    /// is wrong.
    pub(crate) fn events(&self) -> Vec<SentEvent<'static>> {
        let is_notification = |node: &Node| node.has_tag_name((OUTBOUND_NAMESPACE, "Notification"));
        let children = self.notifications.children();
        let notifications: Vec<Node> = children.filter(is_notification).collect();
        if notifications.is_empty() || notifications.len() > NOTIFICATIONS_MAX {
            let found = notifications.len();
            let problem =
                format!("a message has 1 to {NOTIFICATIONS_MAX} notifications, not {found}");
            return vec![self.problem_event(&problem, self.document.root_element())];
        }

        let action = only_text(self.notifications, "ActionId").unwrap_or_default();
        let event = |notification: &Node<'d, 'd>| self.event(action.trim(), *notification);
        notifications.iter().map(event).collect()
    }

    fn event(&self, action: &str, notification: Node<'d, 'd>) -> SentEvent<'static> {
        let id = only_text(notification, "Id").filter(|id| !id.trim().is_empty());
        let object = only_child(notification, OUTBOUND_NAMESPACE, "sObject");
        let (Some(id), Some(object)) = (id, object) else {
            return self
                .problem_event("a notification has one `Id` and one `sObject`", notification);
        };

        let id = id.trim();
        let object_type = object.attribute((sobject::INSTANCE_NAMESPACE, "type"));
        let kept = KeptNotification {
            organization: self.organization.to_string(),
            action,
            notification: id,
            object_type: object_type.map(|name| name.rsplit(':').next().unwrap_or(name)),
            object: sobject::read_fields(object),
        };
        let body = to_json(&kept);

        // A notification that is sent again has the latest data of its record. Other data is
        // another event: under the same id it would be a conflict, and the latest state would not
        // count.
        let content = ids::hashed_id(&[&body]);
        let (action, notification) = (readable_id(action), readable_id(id));
        let id = format!("{}-{action}-{notification}-{content}", self.organization);
        SentEvent { id, body: body.into() }
    }

    /// An event that is kept as a dead letter, with the XML of `element` but without sessions.
    fn problem_event(&self, problem: &str, element: Node<'d, 'd>) -> SentEvent<'static> {
        let xml = without_sessions(self.document.input_text(), element);
        let body = to_json(&KeptProblem { problem, xml: &xml });
        let id = format!("{}-{}", self.organization, ids::hashed_id(&[&body]));
        SentEvent { id, body: body.into() }
    }
}

/// The event of a body that is no message: nothing of the body is kept, because a session could be
/// anywhere in it.
pub(crate) fn unreadable_event(body: &[u8]) -> SentEvent<'static> {
    let kept = KeptProblem { problem: "the body is no Outbound Message", xml: "" };
    SentEvent { id: ids::hashed_id(&[body]), body: to_json(&kept).into() }
}

/// A part of an event's id: as written where it is an id of Salesforce, else hashed.
fn readable_id(text: &str) -> String {
    RecordId::parse(text).map_or_else(|| ids::hashed_id(&[text.as_bytes()]), |id| id.to_string())
}

fn to_json(kept: &impl Serialize) -> Vec<u8> {
    // Texts, lists and maps with text as keys can always be written.
    serde_json::to_vec(kept).unwrap_or_default()
}

/// The child of that name; none where it is missing or comes twice: one could be checked and the
/// other read.
fn only_child<'d>(parent: Node<'d, 'd>, namespace: &str, name: &str) -> Option<Node<'d, 'd>> {
    let mut found = parent.children().filter(|child| child.has_tag_name((namespace, name)));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The text of the only child of that name, which has no elements inside.
fn only_text(parent: Node<'_, '_>, name: &str) -> Option<String> {
    let child = only_child(parent, OUTBOUND_NAMESPACE, name)?;
    let plain = !child.children().any(|node| node.is_element());
    plain.then(|| sobject::read_text(child))
}

/// The text of an element with every session and comment inside it left out.
fn without_sessions(text: &str, element: Node<'_, '_>) -> String {
    let mut kept = String::new();
    let range = element.range();
    let mut start = range.start;
    let is_left_out = |node: &Node| node.is_comment() || sobject::is_session(*node);
    for left_out in element.descendants().filter(is_left_out).map(|node| node.range()) {
        // One may be inside another.
        if left_out.start >= start {
            kept.push_str(text.get(start..left_out.start).unwrap_or_default());
            start = left_out.end;
        }
    }
    kept.push_str(text.get(start..range.end).unwrap_or_default());
    kept
}
