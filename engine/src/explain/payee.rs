//! Why not: what one person got of a transaction in a plan, and why nothing more.
//!
//! Answers the questions of an enquiry in order: does the plan let the deal in, does a condition keep
//! it out, does a name on it mean this person, does a relationship reach them, is the credit held or
//! a duplicate. Not whether it was published, which the host knows. Called by `accredit explain
//! --payee` and by the payee's own endpoint. Source: DOMAIN 2.16.
//!
//! **Architecture invariant:** read off the steps of the pipeline that decided; of other people's
//! credits nothing is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use crate::credit::{Credit, Status};
use crate::decision::{CreditRow, Outcome};
use crate::organization::{ParticipantId, PositionId, Recipient};
use crate::pipeline::{self, Decided, Explain, row};
use crate::plan::{Measure, Plan, selects};
use crate::policy::ProgramId;
use crate::script::{Arguments, Machine, TransactionView, trace};
use crate::stage::Inputs;
use crate::transaction::{Names, Transaction};
use crate::workspace::Ruleset;

/// What one person got of a transaction in a plan, and why nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyNot {
    /// Natural key.
    pub transaction: String,
    /// Plan id.
    pub plan: String,
    /// Participant id, or the name as it was asked when it means nobody.
    pub payee: String,
    /// Whether anything counts for them.
    pub credited: bool,
    /// Why nothing, or nothing more, in the order of the steps.
    pub findings: Vec<Finding>,
    /// Their credits, held and suppressed ones too.
    pub credits: Vec<CreditRow>,
    /// The ruleset that it was recomputed with.
    pub ruleset: String,
}

/// One reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `filter`, `crediting`, `value`, `hold`, `duplication`, `rollup`, `maximum`, `release`.
    pub stage: String,
    /// `filtered`, `condition`, `unmatched`, `not_named`, `not_reached` and so on.
    pub code: String,
    /// The rule, if one is to blame.
    pub rule: Option<String>,
    /// The expression that was false.
    pub condition: Option<String>,
    /// What it read, or what was compared, with the values seen.
    pub seen: BTreeMap<String, String>,
    /// For people.
    pub message: String,
}

/// Decides `transaction` in `plan` again and says what `payee` got: a participant's id, or a name
/// that means one person on the date.
pub fn for_payee(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
    payee: &str,
) -> WhyNot {
    let decided =
        pipeline::decide_plan(ruleset, plan, transaction, inputs, machine, Explain::Steps);
    let date = decided.date.or_else(|| transaction.date().ok());
    let who = find(ruleset, payee, date);
    let mine = |credit: &&Credit| credit.payee.is_some() && credit.payee == who;
    let credits: Vec<&Credit> = decided.credits.iter().filter(mine).collect();
    let mut asking = Asking { ruleset, plan, transaction, decided: &decided, findings: Vec::new() };
    match who {
        None => asking.say("crediting", "unknown_payee", format!("`{payee}` means no one person")),
        Some(who) => asking.ask(who, date, &credits),
    }
    let findings = asking.findings;
    WhyNot {
        transaction: transaction.id.to_string(),
        plan: plan.id.to_string(),
        payee: who.map_or_else(
            || payee.to_owned(),
            |who| ruleset.organization.participant_id(who).to_string(),
        ),
        credited: credits.iter().any(|credit| credit.status == Status::Active),
        findings,
        credits: credits.iter().map(|credit| row::row(ruleset, credit)).collect(),
        ruleset: ruleset.hash.to_string(),
    }
}

/// The participant with this id, or the one person whom the name means on the date.
fn find(ruleset: &Ruleset, payee: &str, date: Option<Date>) -> Option<ParticipantId> {
    let organization = &ruleset.organization;
    if let Some(known) = organization.find_participant(payee) {
        return Some(known);
    }
    let date = date?;
    let positions = organization.resolve(payee, date).positions;
    match positions.as_slice() {
        [position] => organization.holder(*position, date),
        _ => None,
    }
}

/// One question under way.
struct Asking<'a> {
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    transaction: &'a Arc<Transaction>,
    decided: &'a Decided,
    findings: Vec<Finding>,
}

impl Asking<'_> {
    fn say(&mut self, stage: &str, code: &str, message: String) {
        let (stage, code) = (stage.to_owned(), code.to_owned());
        self.findings.push(Finding { stage, code, message, ..Finding::default() });
    }

    fn ask(&mut self, who: ParticipantId, date: Option<Date>, credits: &[&Credit]) {
        match self.decided.outcome {
            Outcome::Filtered => return self.filtered(date),
            Outcome::Parked => {
                for reason in &self.decided.reasons {
                    let message = format!("it waits to be mended: {}", reason.message);
                    self.say(&reason.stage, &reason.code, message);
                }
                return;
            }
            Outcome::Credited | Outcome::Uncredited => (),
        }
        credits.iter().for_each(|credit| self.waits(credit));
        let Some(date) = date.filter(|_| credits.is_empty()) else { return };
        if self.plan.measure == Measure::Team {
            let message = "the plan measures teams: its credits go to them".to_owned();
            return self.say("crediting", "team_plan", message);
        }
        let positions = self.ruleset.organization.held_by(who, date);
        if positions.is_empty() {
            let message = format!("they hold no position on {date}");
            return self.say("crediting", "no_position", message);
        }
        self.direct(who, &positions, date);
        self.indirect(&positions, date);
    }

    fn filtered(&mut self, date: Option<Date>) {
        let plan = self.plan;
        if let (Some(filter), true) = (plan.filter, date.is_none_or(|d| plan.validity.contains(d)))
        {
            let message = "the plan's filter does not let it in".to_owned();
            return self.condition("filter", "filtered", filter, None, message);
        }
        let message = match date {
            Some(date) => format!("the plan is not in force on {date}"),
            None => "the plan does not let it in".to_owned(),
        };
        self.say("filter", "filtered", message);
    }

    /// Why a credit of theirs does not count.
    fn waits(&mut self, credit: &Credit) {
        let reason = credit.reason.clone().unwrap_or_default();
        let (amount, rule) = (credit.amount, credit.rule.to_string());
        let (stage, code, message) = match credit.status {
            Status::Active => return,
            Status::Held => match credit.release_date {
                Some(date) => ("hold", "held", format!("{amount} is held until {date}")),
                None => ("hold", "held", format!("{amount} is held: {reason}")),
            },
            Status::Suppressed => {
                ("duplication", "suppressed", format!("{amount} is a duplicate: {reason}"))
            }
            Status::Void => ("release", "void", format!("{amount} was taken back")),
        };
        self.say(stage, code, message);
        if let Some(last) = self.findings.last_mut() {
            last.rule = Some(rule);
        }
    }

    /// Why no direct rule credits them.
    fn direct(&mut self, who: ParticipantId, positions: &[PositionId], date: Date) {
        let (plan, organization) = (self.plan, &self.ruleset.organization);
        let is_target = |position: &PositionId| {
            selects(&plan.targets, organization, Recipient::Position(*position), date)
        };
        if !positions.iter().any(is_target) {
            let ids = self.ids(positions);
            let message = format!("{ids} is not among the plan's targets on {date}");
            self.say("crediting", "not_target", message);
            return;
        }
        for rule in &plan.direct {
            let name = rule.rule.name.to_string();
            if !rule.rule.validity.contains(date) {
                self.say(
                    "crediting",
                    "no_rule",
                    format!("rule `{name}` is not in force on {date}"),
                );
                continue;
            }
            let is_false = format!("rule `{name}`: its condition is false");
            match rule.rule.condition.filter(|_| self.stepped(&is_false)) {
                Some(program) => {
                    self.condition("crediting", "condition", program, Some(name), is_false);
                }
                None => self.not_named(who, &name, date),
            }
        }
        for warning in &self.decided.warnings {
            if warning.code == "unmatched" {
                self.say(&warning.stage, &warning.code, warning.message.clone());
            }
        }
    }

    /// A rule that looked for recipients and did not find them.
    fn not_named(&mut self, who: ParticipantId, rule: &str, date: Date) {
        let mut known: Vec<String> =
            vec![self.ruleset.organization.participant_id(who).to_string()];
        known.extend(self.ruleset.organization.aliases_of(who, date));
        known.sort();
        known.dedup();
        let mut seen = BTreeMap::from([("their names".to_owned(), known.join("; "))]);
        for (label, names) in [("owner", Names::Owner), ("team", Names::Team)] {
            let text = self.transaction.names(names);
            if !text.is_empty() {
                seen.insert(label.to_owned(), text);
            }
        }
        let message = format!("rule `{rule}`: nobody whom it names is this person");
        self.findings.push(Finding {
            stage: "crediting".to_owned(),
            code: "not_named".to_owned(),
            rule: Some(rule.to_owned()),
            condition: None,
            seen,
            message,
        });
    }

    /// Why no indirect rule credits them.
    fn indirect(&mut self, positions: &[PositionId], date: Date) {
        let (plan, organization) = (self.plan, &self.ruleset.organization);
        let receives = plan.indirect.iter().any(|rule| {
            positions.iter().any(|position| {
                selects(&rule.receivers, organization, Recipient::Position(*position), date)
            })
        });
        if !receives {
            return;
        }
        let ids: Vec<String> = positions
            .iter()
            .map(|position| format!("`{}`", organization.position_id(*position)))
            .collect();
        let told: Vec<(String, String)> = self
            .decided
            .trace
            .iter()
            .filter(|step| matches!(step.stage, "rollup" | "maximum"))
            .filter(|step| ids.iter().any(|id| step.message.contains(id)))
            .map(|step| (step.stage.to_owned(), step.message.clone()))
            .collect();
        if told.is_empty() {
            let message = format!("no credit that rolls reaches {} on {date}", ids.join(", "));
            self.say("rollup", "not_reached", message);
        }
        for (stage, message) in told {
            let code =
                if message.contains("condition is false") { "condition" } else { "no_credit" };
            self.say(&stage, code, message);
        }
    }

    fn stepped(&self, message: &str) -> bool {
        self.decided.trace.iter().any(|step| step.message == message)
    }

    fn ids(&self, positions: &[PositionId]) -> String {
        let id = |position: &PositionId| self.ruleset.organization.position_id(*position);
        let ids: Vec<String> = positions.iter().map(|one| format!("`{}`", id(one))).collect();
        ids.join(", ")
    }

    /// An expression that was false, with what it read.
    fn condition(
        &mut self,
        stage: &str,
        code: &str,
        program: ProgramId,
        rule: Option<String>,
        message: String,
    ) {
        let Some(program) = self.ruleset.programs.get(program) else { return };
        let tx = Arc::new(TransactionView {
            transaction: Arc::clone(self.transaction),
            period: self.decided.period.clone(),
            default_credit: Arc::from(self.transaction.names(self.plan.measure.default_names())),
        });
        let arguments = Arguments { tx: &tx, credit: None, to: None, existing: &[] };
        let steps = trace::steps(program, &arguments).unwrap_or_default();
        let seen = steps.into_iter().flat_map(|step| step.reads).collect();
        let is_policy = !program.name.is_empty();
        let text = if is_policy { program.name.to_string() } else { program.source.to_string() };
        self.findings.push(Finding {
            stage: stage.to_owned(),
            code: code.to_owned(),
            rule,
            condition: Some(text.trim().to_owned()),
            seen,
            message,
        });
    }
}

#[cfg(test)]
mod tests;
