//! From where an act came: the way of access, the peer, the request; carried by the thread that does
//! the act, and written into every row of the trail that its commits add.
//!
//! Not who did it: every row says that by itself. The host sets it once around the work of a request;
//! no operation between the request and the commit has to know it.
//!
//! **Architecture invariant:** an origin ends with the work that it was set around, a panic included.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The way of access of what no request asked for.
const BY_ITSELF: &str = "server";

/// From where an act came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditOrigin {
    /// The way of access: `token`, `key:ID`, `session:ID`, `public` before a sign-in, or `server` for
    /// what the server does by itself.
    pub via: String,
    /// The address of the peer of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub peer: Option<String>,
    /// The id of the request, as answers and log lines have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request: Option<String>,
    /// The program that sent it, as it names itself: `accredit/0.1.0` is the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub program: Option<String>,
}

impl Default for AuditOrigin {
    fn default() -> AuditOrigin {
        AuditOrigin { via: BY_ITSELF.to_owned(), peer: None, request: None, program: None }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<AuditOrigin>> = const { RefCell::new(None) };
}

/// Puts back what was set before, also when the work panics.
struct Restored(Option<AuditOrigin>);

impl Drop for Restored {
    fn drop(&mut self) {
        CURRENT.with(|current| *current.borrow_mut() = self.0.take());
    }
}

/// Does `work` as something that came from `origin`; none for what the server does by itself.
pub fn act_from<T>(origin: Option<AuditOrigin>, work: impl FnOnce() -> T) -> T {
    let before = CURRENT.with(|current| current.replace(origin));
    let _restored = Restored(before);
    work()
}

/// The origin of what this thread does now.
pub(super) fn current_origin() -> AuditOrigin {
    CURRENT.with(|current| current.borrow().clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_peer(peer: &str) -> Option<AuditOrigin> {
        Some(AuditOrigin { peer: Some(peer.to_owned()), ..AuditOrigin::default() })
    }

    #[test]
    fn an_origin_ends_with_its_work() {
        assert_eq!(current_origin().via, "server");
        let inner = act_from(from_peer("1"), || {
            let fell = std::panic::catch_unwind(|| act_from(from_peer("2"), || panic!("fell")));
            assert!(fell.is_err());
            assert_eq!(act_from(None, current_origin), AuditOrigin::default());
            current_origin()
        });
        assert_eq!(inner.peer.as_deref(), Some("1"));
        assert_eq!(current_origin(), AuditOrigin::default());
    }
}
