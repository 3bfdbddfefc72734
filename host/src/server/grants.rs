//! What a key or a person may do, as an administrator granted it and as it is kept.
//!
//! Not the key or the person (`keys`, `people`).

use accredit_domain::decision::Approval;
use accredit_operations::principal::{Principal, Role};
use serde::{Deserialize, Serialize};

/// What a key or a person may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessGrant {
    /// The name in the audit trail.
    pub(crate) name: String,
    /// The name of the role.
    pub(crate) role: String,
    /// The participant of a payee.
    pub(crate) participant: Option<String>,
    /// What the natural keys begin with that a source may send.
    pub(crate) scope: Option<String>,
}

impl AccessGrant {
    /// Whether a second person has to agree, where four eyes are asked for: it is more than reading.
    pub(crate) fn is_elevated(&self) -> bool {
        let reads = [Role::Payee, Role::Auditor, Role::Reader];
        Role::parse(&self.role).is_none_or(|role| !reads.contains(&role))
    }

    /// The caller to whom it is granted; none where the role lacks what it is bound to, or has too much.
    pub(crate) fn principal(&self) -> Option<Principal> {
        let role = Role::parse(&self.role)?;
        match (role, &self.participant, &self.scope) {
            (Role::Payee, Some(participant), None) => {
                Some(Principal::of_payee(&*self.name, participant))
            }
            (Role::Source, None, Some(scope)) => Some(Principal::of_source(&*self.name, scope)),
            (role, None, None) => Principal::of_staff(&*self.name, role),
            _ => None,
        }
    }
}

/// Who changes what may be done, and when.
#[derive(Debug, Clone)]
pub(crate) struct GrantActor {
    /// A caller's name.
    pub(crate) who: String,
    /// Who approved it, where a second person had to.
    pub(crate) approved: Option<Approval>,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
}
