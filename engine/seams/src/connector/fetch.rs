//! What an event leaves out, and where the CRM has it; where a token for that comes from.

/// A request to the API of a CRM, made after the event was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The URL, `https` outside of tests; its host is from the settings, never from the event.
    pub url: String,
    /// How the source's token is sent.
    pub authorization: FetchAuthorization,
    /// Further headers.
    pub headers: Vec<(&'static str, &'static str)>,
    /// A body of JSON, which makes it a `POST`; without one it is a `GET`.
    pub body: Option<String>,
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

/// Where a CRM gives tokens for its API by OAuth 2.0: a refresh token or the secret of a client is
/// exchanged for a token that lasts an hour or so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEndpoint {
    /// The URL that tokens are asked of by `POST`.
    pub url: String,
    /// What the token is for, where the CRM wants to be told.
    pub scope: Option<String>,
}
