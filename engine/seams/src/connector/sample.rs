//! A request as a vendor sends it when a deal is closed, for trying a source out.

/// A deal that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleDeal<'a> {
    /// Its id, as the vendor's field of that name could have it.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its amount as digits, such as `1200.50`.
    pub amount: &'a str,
    /// Who owns it: a name, an id or a mail address.
    pub owner: &'a str,
    /// The day on which it was closed, `2026-01-31`.
    pub closed_day: &'a str,
    /// When the request is sent, milliseconds since 1970.
    pub sent_ms: i64,
}

/// A signed request: `POST` to the URL of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRequest {
    /// The part behind `?`; empty where there is none.
    pub query: String,
    /// Names and values of its headers, the type of the body among them; settings may name some.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}
