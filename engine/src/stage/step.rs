//! A step of an explanation: what happened, by which rule, and whom it concerns.
//!
//! Not deciding: steps are written down only when somebody asks. Written by the stages and the
//! pipeline, read by `explain`. Source: DESIGN section 6.
//!
//! **Architecture invariant:** whoever asks after one person reads [`Says`], never the message.

use std::sync::Arc;

use crate::organization::Recipient;

/// A step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stage.
    pub stage: &'static str,
    /// What happened, with the values seen.
    pub message: String,
    /// The rule that was at work; none where the whole plan is meant.
    pub rule: Option<Arc<str>>,
    /// What it says about whom.
    pub says: Says,
}

/// What a step says about recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Nothing that ends anything.
    Course,
    /// Which text names the recipients of the rule.
    Names,
    /// The rule means these and nobody else.
    Only(Vec<Recipient>),
    /// The part of a team goes to these and nobody else.
    Members(Vec<Recipient>),
    /// Nobody gets anything of the rule, for the reason with this code.
    Ends(String),
    /// These get nothing of the rule, for the reason with this code.
    EndsFor(String, Vec<Recipient>),
}

impl Step {
    /// A step of the whole plan that ends it.
    pub fn end(stage: &'static str, code: &str, message: String) -> Step {
        Step { stage, message, rule: None, says: Says::Ends(code.to_owned()) }
    }
}
