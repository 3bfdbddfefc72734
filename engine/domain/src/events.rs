//! Kinds of events that other systems are told of, and who wants which.
//!
//! Not the events themselves and not their sending: the ledger records them with their effect, the host
//! sends them. A destination is a system that receives events; `accredit.toml` names it.

use std::collections::BTreeSet;

/// What the types of events begin with in a CloudEvent.
const TYPE_PREFIX: &str = "com.accredit.";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Credits of a deal count from now on.
    CreditCreated,
    /// Credits of a deal wait for their release.
    CreditHeld,
    /// Credits of a deal were held and count from now on.
    CreditReleased,
    /// Credits of a deal no longer count, or an entry that takes them back was posted.
    CreditReversed,
    /// A reward became certain with the release of its calculation.
    RewardPaid,
    /// A reward that was certain was taken out of the statements.
    RewardWithdrawn,
    /// Another set of definitions decides.
    PolicyActivated,
    /// A run of a calculation ended.
    CalculationFinished,
    /// Something needs a person.
    AlertRaised,
    /// A destination is tried.
    DestinationTested,
}

impl EventKind {
    /// Every kind that happens by itself.
    pub const ALL: [EventKind; 9] = [
        EventKind::CreditCreated,
        EventKind::CreditHeld,
        EventKind::CreditReleased,
        EventKind::CreditReversed,
        EventKind::RewardPaid,
        EventKind::RewardWithdrawn,
        EventKind::PolicyActivated,
        EventKind::CalculationFinished,
        EventKind::AlertRaised,
    ];

    /// Its name in settings, such as `credit.created`.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::CreditCreated => "credit.created",
            EventKind::CreditHeld => "credit.held",
            EventKind::CreditReleased => "credit.released",
            EventKind::CreditReversed => "credit.reversed",
            EventKind::RewardPaid => "reward.paid",
            EventKind::RewardWithdrawn => "reward.withdrawn",
            EventKind::PolicyActivated => "policy.activated",
            EventKind::CalculationFinished => "calculation.finished",
            EventKind::AlertRaised => "alert.raised",
            EventKind::DestinationTested => "destination.tested",
        }
    }

    /// Its type in a CloudEvent, such as `com.accredit.credit.created`.
    pub fn event_type(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// The kinds that a word of the settings means: a name, `credit.*` for all of a group, or `*`; none
    /// where it means nothing.
    pub fn named(word: &str) -> Vec<EventKind> {
        let group = word.strip_suffix('*');
        let is_meant = |kind: &&EventKind| match group {
            Some("") => true,
            Some(group) => group.ends_with('.') && kind.name().starts_with(group),
            None => kind.name() == word,
        };
        EventKind::ALL.iter().filter(is_meant).copied().collect()
    }
}

/// Which destinations want which kinds of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRoutes(Vec<(String, BTreeSet<EventKind>)>);

impl EventRoutes {
    /// The routes to destinations, each with the kinds that it wants.
    pub fn new(routes: impl IntoIterator<Item = (String, BTreeSet<EventKind>)>) -> EventRoutes {
        EventRoutes(routes.into_iter().collect())
    }

    /// Whether a destination wants one of these kinds.
    pub fn wants_any(&self, kinds: &[EventKind]) -> bool {
        self.0.iter().any(|(_, wanted)| kinds.iter().any(|kind| wanted.contains(kind)))
    }

    /// The names of the destinations that want a kind.
    pub fn destinations_of(&self, kind: EventKind) -> impl Iterator<Item = &str> {
        let wanting = self.0.iter().filter(move |(_, wanted)| wanted.contains(&kind));
        wanting.map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_settings_mean_kinds() {
        assert_eq!(EventKind::named("credit.held"), [EventKind::CreditHeld]);
        assert_eq!(EventKind::named("credit.*").len(), 4);
        assert_eq!(EventKind::named("*"), EventKind::ALL);
        for nothing in
            ["", "credit", "credit*", "cred*", "credit.heldd", "destination.tested", ".*"]
        {
            assert_eq!(EventKind::named(nothing), [], "{nothing}");
        }
    }
}
