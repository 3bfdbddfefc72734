//! From where a request comes, for the rows of the audit trail that it leads to.
//!
//! Not carrying it to other threads (`server::origin`). Called by `http::bearer` alone.

use accredit_ledger::audit::AuditOrigin;
use axum::extract::Request;
use axum::http::{HeaderName, header};

use crate::http::access::peers::PeerAddress;
use crate::http::request_id::REQUEST_ID;

/// Characters of a header that are kept.
const HEADER_CHARACTERS: usize = 100;

/// The origin of a request by this way of access.
pub(crate) fn origin_of(request: &Request, via: String) -> AuditOrigin {
    let peer = request.extensions().get::<PeerAddress>();
    AuditOrigin {
        via,
        peer: peer.map(|PeerAddress(address)| address.to_string()),
        request: visible_text(request, &REQUEST_ID),
        program: visible_text(request, &header::USER_AGENT),
    }
}

/// What a header says, so far as it is visible text; a sender may write anything.
fn visible_text(request: &Request, name: &HeaderName) -> Option<String> {
    let text = request.headers().get(name)?.to_str().ok()?;
    let text: String = text.chars().filter(|sign| !sign.is_control()).collect();
    let text: String = text.trim().chars().take(HEADER_CHARACTERS).collect();
    Some(text).filter(|text| !text.is_empty())
}
