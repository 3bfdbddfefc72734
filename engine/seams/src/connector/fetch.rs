//! What an event leaves out, and where the CRM has it.

/// A request to the API of a CRM, made after the event was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The URL, `https` outside of tests; its host is from the settings, never from the event.
    pub url: String,
    /// How the source's token is sent.
    pub authorization: FetchAuthorization,
    /// Further headers.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// How the token of a source is sent to the API of its CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchAuthorization {
    /// `Authorization: Bearer TOKEN`.
    Bearer,
    /// `Authorization: SCHEME TOKEN`.
    Scheme(&'static str),
    /// A header of its own, `NAME: TOKEN`.
    Header(&'static str),
}
