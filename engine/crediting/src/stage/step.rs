//! A step of an explanation: what happened, by which rule, and which recipients it concerns.
//!
//! Not deciding: steps are recorded only on request. Written by the stages and the pipeline, read
//! by `explain`. Source: DESIGN section 6.
//!
//! **Architecture invariant:** an explanation for one person reads [`StepEffect`], never the
//! message.

use accredit_domain::keys::DefinedName;
use accredit_domain::note::NoteStage;
use std::fmt;

use accredit_domain::organization::Recipient;
use accredit_domain::policy::{Program, ProgramForm};
use accredit_script::{ScriptArguments, check, trace};

/// A step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationStep {
    /// The stage that took the step, such as `crediting`.
    pub stage: NoteStage,
    /// What happened, with the values seen.
    pub message: String,
    /// The rule that was at work; none where the whole plan is meant.
    pub rule: Option<DefinedName>,
    /// What the step means for which recipients.
    pub says: StepEffect,
    /// The program that refused, if one did.
    pub refusal: Option<ProgramRefusal>,
}

/// A program that refused, with what it read: "`tx.amount > 5` is false (tx.amount = 3)".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRefusal {
    /// The expression, or the name of the policy.
    pub condition: String,
    /// Whether it is the name of a policy.
    pub policy: bool,
    /// The author's file, relative to the directory.
    pub file: String,
    /// The line of the file at which the program came to its answer, from 1.
    pub line: Option<u32>,
    /// What it read, with the values seen.
    pub seen: Vec<(String, String)>,
    /// A value that differs from what it was compared with only by case or space, in words.
    pub near_miss: Option<String>,
}

impl ProgramRefusal {
    /// Of a program that has answered false or nothing to these arguments.
    pub fn new(program: &Program, arguments: &ScriptArguments<'_>) -> ProgramRefusal {
        let policy = matches!(program.form, ProgramForm::Policy(_));
        let condition = if policy { &program.name } else { &program.source };
        let way = trace::trace_answer(program, arguments);
        ProgramRefusal {
            condition: condition.trim().to_owned(),
            policy,
            file: program.origin.place.file.clone(),
            line: way.line,
            seen: way.reads,
            near_miss: check::near_miss(program, arguments.tx),
        }
    }

    /// Where the program refused and what it saw: "policy crediting/x, line 3, tx.amount = 5".
    pub fn site_text(&self) -> String {
        let mut parts = vec![format!("policy {}", self.condition)];
        parts.extend(self.line.map(|line| format!("line {line}")));
        parts.extend(self.seen.iter().map(|(name, value)| format!("{name} = {value}")));
        parts.join(", ")
    }
}

impl fmt::Display for ProgramRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.policy { "policy " } else { "" };
        write!(f, "{what}`{}` is false", self.condition)?;
        if let Some(line) = self.line.filter(|_| self.policy) {
            write!(f, " in line {line}")?;
        }
        let seen: Vec<String> =
            self.seen.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        if !seen.is_empty() {
            write!(f, " ({})", seen.join(", "))?;
        }
        self.near_miss.iter().try_for_each(|near_miss| write!(f, "; {near_miss}"))
    }
}

/// What a step says about recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEffect {
    /// The step is informational and ends nothing.
    Info,
    /// Which text names the recipients of the rule.
    NameSource,
    /// The rule credits only these.
    OnlyThese(Vec<Recipient>),
    /// The part of a team goes only to these.
    TeamMembers(Vec<Recipient>),
    /// The rule credits no one, for the reason with this code.
    Rejected(String),
    /// These get nothing of the rule, for the reason with this code.
    RejectedFor(String, Vec<Recipient>),
    /// A maximum left this recipient a part of a credit.
    CreditTrimmed(TrimmedCredit),
    /// A credit was made; two credits may read alike.
    CreditMade,
}

/// A credit that a maximum cut, with both amounts as text at the unit's scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrimmedCredit {
    /// The recipient of the credit.
    pub who: Recipient,
    /// What it would be without the maximum.
    pub wanted: String,
    /// The amount that the maximum leaves.
    pub left: String,
    /// The unit type of both.
    pub unit_type: String,
}

impl ExplanationStep {
    /// A step of the whole plan that ends it.
    pub fn plan_end(stage: NoteStage, code: &str, message: String) -> ExplanationStep {
        ExplanationStep {
            stage,
            message,
            rule: None,
            says: StepEffect::Rejected(code.to_owned()),
            refusal: None,
        }
    }
}
