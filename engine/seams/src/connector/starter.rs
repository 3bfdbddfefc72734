//! What a new source begins with: settings, and an intake policy with its cases.

/// What `accredit new source` writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceStarter {
    /// Lines of `[sources.<source>]` behind `connector` and `intake`, each with its line break.
    pub settings: &'static str,
    /// Parts of values in `settings` that a person has to replace, such as an id or a host of no one.
    pub placeholders: &'static [&'static str],
    /// The intake policy for the payloads of this connector; none where the shape is the customer's.
    pub policy: Option<StarterPolicy>,
    /// What is left to do, a sentence a line.
    pub next_steps: &'static str,
}

/// An intake policy of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StarterPolicy {
    /// Its name in the library, `hubspot-events`.
    pub name: &'static str,
    /// Its script.
    pub script: &'static str,
    /// Its cases.
    pub cases: &'static str,
}
