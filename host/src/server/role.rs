//! What the bearer of a token may do, from reading to everything.
//!
//! Not which route takes which role (`http::roles`).

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Read, and preview.
    Reader,
    /// Also make changes of definitions.
    Author,
    /// Also approve changes of others.
    Approver,
    /// All rights.
    Admin,
}

impl Role {
    /// The role with this name.
    pub(crate) fn parse(name: &str) -> Option<Role> {
        match name {
            "reader" => Some(Role::Reader),
            "author" => Some(Role::Author),
            "approver" => Some(Role::Approver),
            "admin" => Some(Role::Admin),
            _ => None,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Author => "author",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }
}
