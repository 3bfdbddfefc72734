//! The stages of a decision, and what they share: one transaction in one plan, being decided.
//!
//! A stage is a file here: `crediting` finds recipients and makes direct credits, `maximum` trims,
//! `adjust` applies manual amounts, `hold` holds, `duplication` suppresses, `rollup` finds
//! receivers over relationships. None of them orders anything: `pipeline` does. Source: FORMAT
//! section 4.
//!
//! **Architecture invariant:** a stage that cannot decide returns a [`ParkReason`]; nothing is
//! skipped.

pub mod adjust;
pub mod crediting;
pub mod duplication;
pub mod hold;
pub mod maximum;
pub mod names;
pub mod rollup;
mod step;

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use accredit_domain::credit::{self, Credit, CreditId, CreditIds};
use accredit_domain::decision::HoldAction;
use accredit_domain::exchange::NoExchange;
use accredit_domain::keys::{DefinedName, PeriodKey, RecipientKey};
use accredit_domain::money::Unit;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::organization::{Recipient, TeamId};
use accredit_domain::plan::{Plan, Relationship};
use accredit_domain::policy::ProgramId;
use accredit_domain::transaction::Transaction;
use accredit_script::{
    ExistingCredits, Machine, ReceiverView, ScriptAnswer, ScriptArguments, ScriptFault,
    SharedCredits,
};
use accredit_workspace::Ruleset;

pub use self::step::{ExplanationStep, ProgramRefusal, StepEffect, TrimmedCredit};
pub use adjust::Adjustment;

/// What people and the calendar add to a decision: releases, manual holds, adjustments, the
/// business date.
#[derive(Debug, Clone, Default)]
pub struct DecisionInputs {
    /// Holds that end on or before this day are released; absent, nothing has been released.
    pub as_of: Option<Date>,
    /// What people decided about credits of this transaction, oldest first.
    pub resolutions: Vec<CreditResolution>,
    /// Manual amounts of this transaction and its credits, oldest first.
    pub adjustments: Vec<Adjustment>,
}

/// A release or a manual hold of one credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditResolution {
    /// Id of the credit.
    pub credit: CreditId,
    /// Whether it is released or held.
    pub action: HoldAction,
    /// The business date of the decision.
    pub date: Date,
    /// The reason of a hold.
    pub reason: String,
}

/// Why no decision can be made about a transaction in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkReason {
    /// The stage that stopped.
    pub stage: NoteStage,
    /// One of the codes of FORMAT section 4.
    pub code: NoteCode,
    /// The reason in one sentence.
    pub message: String,
    /// The script's complaint, when a script was running.
    pub fault: Option<ScriptFault>,
}

impl ParkReason {
    /// A park for a reason of ours.
    pub fn new(stage: NoteStage, code: NoteCode, message: impl Into<String>) -> Self {
        ParkReason { stage, code, message: message.into(), fault: None }
    }

    /// A park because a script gave no answer.
    pub fn from_fault(stage: NoteStage, fault: ScriptFault) -> Self {
        let code = if fault.bad_value { NoteCode::BadValue } else { NoteCode::PolicyError };
        ParkReason { stage, code, message: fault.message.clone(), fault: Some(fault) }
    }

    /// The alert that goes with it, if it is one that plans can ask for.
    pub fn alert_code(&self) -> NoteCode {
        match self.code {
            NoteCode::AmbiguousAlias => NoteCode::Ambiguous,
            code => code,
        }
    }
}

/// One transaction in one plan, being decided.
pub struct DealCase<'a> {
    /// The rules, the organisation and the settings that decide.
    pub ruleset: &'a Ruleset,
    /// The plan that is decided.
    pub plan: &'a Plan,
    /// The decoded row of the deal, with manual amounts.
    pub tx: Arc<Transaction>,
    /// The incentive date of the transaction.
    pub date: Date,
    /// The leaf period of that date.
    pub period: PeriodKey,
    /// The currency of the deal; none where its amounts are in the unit of each result.
    pub currency: Option<Unit>,
    /// Releases, manual holds, business date.
    pub inputs: &'a DecisionInputs,
    /// The machine that runs scripts.
    pub machine: &'a mut Machine,
    /// Credits of this transaction in the plans that this one takes credits from, by plan.
    pub inherited: Vec<&'a [Credit]>,
    /// Credits made so far, in order.
    pub credits: Vec<Credit>,
    /// The same as values of scripts, for those that ask.
    pub shared: SharedCredits,
    /// Why nothing came of a rule.
    pub reasons: Vec<Note>,
    /// Warnings: all go to the log, those that the plan asks for become alerts.
    pub warnings: Vec<Note>,
    /// The rule that is at work.
    pub rule: Option<DefinedName>,
    /// The explanation, if it was requested.
    pub trace: Option<Vec<ExplanationStep>>,
}

impl DealCase<'_> {
    /// Natural key of the transaction.
    pub fn transaction_id(&self) -> &Arc<str> {
        &self.tx.id
    }

    /// Adds a step to the explanation; costs nothing without an explanation.
    pub fn trace_step(&mut self, stage: NoteStage, message: impl FnOnce() -> String) {
        self.trace_effect(stage, || (StepEffect::Info, message()));
    }

    /// Adds a step that concerns certain recipients.
    pub fn trace_effect(&mut self, stage: NoteStage, said: impl FnOnce() -> (StepEffect, String)) {
        if let Some(trace) = &mut self.trace {
            let (says, message) = said();
            trace.push(ExplanationStep { stage, message, rule: self.rule, says, refusal: None });
        }
    }

    /// Adds a step that a program answered false or nothing, with the values seen.
    pub fn trace_refusal(
        &mut self,
        stage: NoteStage,
        (program, seen): (ProgramId, ScriptContext<'_>),
        said: impl FnOnce(&ProgramRefusal) -> (StepEffect, String),
    ) {
        let Some(program) = self.ruleset.programs.get(program) else { return };

        if let Some(trace) = &mut self.trace {
            let arguments = seen.to_arguments(self.ruleset, self.plan, &self.tx);
            let refusal = ProgramRefusal::new(program, &arguments);
            let (says, message) = said(&refusal);

            let (rule, refusal) = (self.rule, Some(refusal));
            trace.push(ExplanationStep { stage, message, rule, says, refusal });
        }
    }

    /// A note about this transaction in this plan.
    pub fn build_note(&self, stage: NoteStage, code: NoteCode, message: impl Into<String>) -> Note {
        build_note(self.transaction_id(), &self.plan.id, stage, code, message)
    }

    /// Records why nothing came of a rule.
    pub fn add_reason(&mut self, stage: NoteStage, code: NoteCode, message: String) {
        self.trace_effect(stage, || (StepEffect::Rejected(code.to_string()), message.clone()));
        let note = self.build_note(stage, code, message);
        self.reasons.push(note);
    }

    /// Records why a rule gave no credit to these recipients. It concerns no others.
    pub fn add_reason_for(
        &mut self,
        stage: NoteStage,
        code: NoteCode,
        message: String,
        who: Vec<Recipient>,
    ) {
        self.trace_effect(stage, || {
            (StepEffect::RejectedFor(code.to_string(), who), message.clone())
        });
        let note = self.build_note(stage, code, message);
        self.reasons.push(note);
    }

    /// What is wrong with what a program answered, at the beginning of its text.
    pub fn fault_of(&self, program: ProgramId, message: impl Into<String>) -> ScriptFault {
        let message = message.into();
        match self.ruleset.programs.get(program) {
            Some(program) => ScriptFault {
                message,
                policy: Arc::clone(&program.name),
                place: program.origin.place.clone(),
                bad_value: false,
            },
            None => ScriptFault { message, ..ScriptFault::default() },
        }
    }

    /// Records a warning that a program is to blame for.
    pub fn warn_of_fault(&mut self, stage: NoteStage, code: NoteCode, fault: &ScriptFault) {
        self.trace_effect(stage, || (StepEffect::Info, fault.message.clone()));
        let note = self.build_note(stage, code, fault.message.clone());
        self.warnings.push(note_at_fault(note, fault));
    }

    /// Records a warning.
    pub fn warn(&mut self, stage: NoteStage, code: NoteCode, message: String) {
        self.warn_with_effect(stage, code, message, StepEffect::Info);
    }

    /// Records a warning that concerns certain recipients.
    pub fn warn_with_effect(
        &mut self,
        stage: NoteStage,
        code: NoteCode,
        message: String,
        says: StepEffect,
    ) {
        self.trace_effect(stage, || (says, message.clone()));
        let note = self.build_note(stage, code, message);
        self.warnings.push(note);
    }

    /// Runs a program of this plan.
    ///
    /// # Errors
    /// The script's fault.
    pub fn run_program(
        &mut self,
        program: ProgramId,
        seen: ScriptContext<'_>,
    ) -> Result<ScriptAnswer, ScriptFault> {
        self.machine.run(program, &seen.to_arguments(self.ruleset, self.plan, &self.tx))
    }

    /// Runs a program that returns true or false; absent means `absent`.
    ///
    /// # Errors
    /// [`ParkReason`] when the script gives no answer.
    pub fn run_condition(
        &mut self,
        stage: NoteStage,
        program: ProgramId,
        seen: ScriptContext<'_>,
    ) -> Result<bool, ParkReason> {
        as_condition(stage, self.run_program(program, seen))
    }

    /// Runs a program that returns a number.
    ///
    /// # Errors
    /// [`ParkReason`] when the script gives no answer.
    pub fn run_number(
        &mut self,
        stage: NoteStage,
        program: ProgramId,
        seen: ScriptContext<'_>,
    ) -> Result<Decimal, ParkReason> {
        match self
            .run_program(program, seen)
            .map_err(|fault| ParkReason::from_fault(stage, fault))?
        {
            ScriptAnswer::Number(number) => Ok(number),
            _ => Err(ParkReason::new(stage, NoteCode::PolicyError, "expected a number")),
        }
    }

    /// `amount` of one unit in another, at the rate of the incentive date (DOMAIN 3.10).
    ///
    /// # Errors
    /// [`ParkReason`] when both are currencies and there is no rate.
    pub fn exchange_amount(
        &mut self,
        stage: NoteStage,
        amount: Decimal,
        (from, to): (Unit, Unit),
    ) -> Result<Decimal, ParkReason> {
        let (units, date) = (&self.ruleset.settings.units, self.date);
        let (one, other) = (units.name(from), units.name(to));

        // At the rate of the incentive date, so that the same deal is worth the same whenever it is
        // decided.
        match self.ruleset.rates.exchange(amount, (from, to), date) {
            Ok(exchanged) => {
                if exchanged != amount {
                    self.trace_step(stage, || {
                        format!("{amount} {one} is {exchanged} {other} on {date}")
                    });
                }
                Ok(exchanged)
            }
            Err(NoExchange::NoRate) => {
                let message = format!("no exchange rate from {one} to {other} on {date}");
                Err(ParkReason::new(stage, NoteCode::BadValue, message))
            }
            Err(NoExchange::TooLarge) => {
                let message = format!("{amount} {one} is too large to be exchanged");
                Err(ParkReason::new(stage, NoteCode::BadValue, message))
            }
        }
    }

    /// Every credit so far that counts: those of the plan's sources first, then its own.
    pub fn earlier_credits(&self) -> impl Iterator<Item = &Credit> {
        let all = self.inherited_credits().chain(&self.credits);
        all.filter(|credit| credit.counts_as_existing())
    }

    /// The credits that the plan takes from others.
    pub fn inherited_credits(&self) -> impl Iterator<Item = &Credit> {
        self.inherited.iter().copied().flatten()
    }

    /// The id of a credit that was made, is about to be made, or is taken from another plan.
    pub fn credit_id(&self, credit: &Credit) -> CreditId {
        let of_plan = self.inherited.iter().copied();
        let list = of_plan
            .chain([&*self.credits])
            .find(|list| list.first().is_some_and(|first| first.plan == credit.plan));
        let mut ids = CreditIds::of_transaction(self.transaction_id());
        credit::find_id(&mut ids, credit, list.unwrap_or_default())
    }

    /// Runs a program that sees every credit so far that counts.
    ///
    /// # Errors
    /// The script's fault.
    pub fn run_with_existing(
        &mut self,
        program: ProgramId,
        seen: ScriptContext<'_>,
    ) -> Result<ScriptAnswer, ScriptFault> {
        // Lent to the program, which cannot change them.
        let inherited = std::mem::take(&mut self.inherited);
        let credits = std::mem::take(&mut self.credits);
        let shared = std::mem::take(&mut self.shared);

        let existing = ExistingCredits { taken: &inherited, own: &credits, shared: Some(&shared) };
        let answer = self.run_program(program, ScriptContext { existing, ..seen });

        (self.inherited, self.credits, self.shared) = (inherited, credits, shared);
        answer
    }

    /// A recipient or receiver as scripts see it, with the team through which it was found.
    pub fn receiver_view(
        &self,
        recipient: Recipient,
        team: Option<TeamId>,
        rolled: Option<(Relationship, Recipient, u32)>,
    ) -> ReceiverView {
        let organization = &self.ruleset.organization;
        let settings = &self.ruleset.settings;
        let position = recipient.position();
        let known = position.and_then(|position| organization.position_on(position, self.date));

        ReceiverView {
            position: position.map(|position| organization.position_id(position)),
            title: position.map(|_| known.map(|known| known.title).unwrap_or_default()),
            payee: known.and_then(|known| known.payee),
            team: team.or(recipient.team()).map(|team| organization.team_id(team)),
            relationship: rolled.map(|(kind, ..)| settings.relationship_name(kind)),
            via: rolled.map(|(_, via, _)| organization.recipient_id(via)),
            level: rolled.map(|(.., level)| level),
        }
    }

    /// The title of a position, blank where it has none; none for a team.
    pub fn position_title(&self, recipient: Recipient) -> Option<DefinedName> {
        let known = self.ruleset.organization.position_on(recipient.position()?, self.date);
        Some(known.map(|known| known.title).unwrap_or_default())
    }

    /// The id of a recipient, for messages.
    pub fn recipient_id(&self, recipient: Recipient) -> RecipientKey {
        self.ruleset.organization.recipient_id(recipient)
    }
}

/// What a program sees beside the transaction.
#[derive(Clone, Copy, Default)]
pub struct ScriptContext<'a> {
    /// The credit in question.
    pub credit: Option<&'a Credit>,
    /// The recipient or receiver.
    pub to: Option<&'a ReceiverView>,
    /// Credits of the same transaction that earlier rules made.
    pub existing: ExistingCredits<'a>,
}

impl<'a> ScriptContext<'a> {
    /// Adds the transaction and the rules, and builds the arguments of the script.
    pub fn to_arguments(
        self,
        ruleset: &'a Ruleset,
        plan: &Plan,
        tx: &'a Arc<Transaction>,
    ) -> ScriptArguments<'a> {
        let names = plan.measure.default_names();
        let arguments = ScriptArguments::of_transaction(tx, &ruleset.reference, names);
        let ScriptContext { credit, to, existing } = self;
        ScriptArguments { credit, to, existing, ..arguments }
    }
}

/// What a program that returns true or false has answered.
///
/// # Errors
/// [`ParkReason`] when it gave no such answer.
pub fn as_condition(
    stage: NoteStage,
    answer: Result<ScriptAnswer, ScriptFault>,
) -> Result<bool, ParkReason> {
    match answer.map_err(|fault| ParkReason::from_fault(stage, fault))? {
        ScriptAnswer::Bool(flag) => Ok(flag),
        _ => Err(ParkReason::new(stage, NoteCode::PolicyError, "expected true or false")),
    }
}

/// A note without a script's place.
pub fn build_note(
    transaction: &str,
    plan: &str,
    stage: NoteStage,
    code: NoteCode,
    message: impl Into<String>,
) -> Note {
    Note {
        transaction: transaction.to_owned(),
        plan: plan.to_owned(),
        stage,
        code,
        message: message.into(),
        policy: None,
        file: None,
        line: None,
        column: None,
    }
}

/// A note with the place of the script that is to blame, if one is.
pub fn note_at_fault(note: Note, fault: &ScriptFault) -> Note {
    if fault.place.file.is_empty() {
        return note;
    }
    Note {
        policy: (!fault.policy.is_empty()).then(|| fault.policy.to_string()),
        file: Some(fault.place.file.clone()),
        line: Some(fault.place.line),
        column: Some(fault.place.column),
        ..note
    }
}
