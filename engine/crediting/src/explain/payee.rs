//! Why not: what one person got of a transaction in a plan, and why nothing more.
//!
//! Answers the questions of an enquiry: does the plan let the deal in, does a condition keep it out,
//! does a name on it mean this person, does a relationship reach them, is the credit held or a
//! duplicate. Picks, out of the steps of a decision made again, those that speak of the person. Not
//! whether it was published, which the host knows. Called by `accredit explain --payee` and by the
//! payee's own endpoint. Source: DOMAIN 2.16.
//!
//! **Architecture invariant:** read off the steps of the pipeline that decided; amounts of other
//! people's credits are not shown, and without a credit there is at least one finding.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use crate::pipeline::{self, DecidedPlan, ExplainLevel};
use crate::stage::{DecisionInputs, ExplanationStep, StepEffect, TrimmedCredit};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{Credit, CreditStatus};
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::keys::{DefinedName, ParticipantKey};
use accredit_domain::note::NoteStage;
use accredit_domain::organization::{ParticipantId, Recipient};
use accredit_domain::plan::{Measure, Plan, selects_recipient};
use accredit_domain::transaction::{NameColumns, Transaction};
use accredit_script::Machine;
use accredit_workspace::Ruleset;
use utoipa::ToSchema;

/// What one person got of a transaction in a plan, and why nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyNot {
    /// Natural key of the transaction.
    pub transaction: String,
    /// Id of the plan.
    pub plan: String,
    /// Participant id, or the requested name if no participant has it.
    pub payee: String,
    /// Whether anything counts for them.
    pub credited: bool,
    /// Why nothing, or nothing more, in the order of the steps.
    pub findings: Vec<PayeeFinding>,
    /// Their credits, held and suppressed ones too.
    pub credits: Vec<PostedCredit>,
    /// The ruleset that it was recomputed with.
    pub ruleset: String,
}

/// One reason why the payee got nothing, or less than others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayeeFinding {
    /// `filter`, `crediting`, `value`, `hold`, `duplication`, `rollup`, `maximum`, `release`.
    pub stage: String,
    /// `filtered`, `condition`, `inactive`, `no_position`, `not_named`, `not_target`, `not_reached`,
    /// `not_receiver`, `not_rolled`, `nothing`, `held`, `suppressed`, or the code of a note.
    pub code: String,
    /// The rule, if one is to blame.
    pub rule: Option<String>,
    /// The expression that was false, or the policy that refused.
    pub condition: Option<String>,
    /// The policy that refused, if one did.
    pub policy: Option<String>,
    /// The file of the expression or policy.
    pub file: Option<String>,
    /// The line of the file at which it came to its answer, from 1.
    pub line: Option<u32>,
    /// What it read, or what was compared, with the values seen.
    pub seen: BTreeMap<String, String>,
    /// The reason in one sentence, addressed to the payee.
    pub message: String,
}

/// Decides `transaction` in `plan` again and says what `payee` got: a participant's id, or a name
/// that means one person on the date.
pub fn explain_plan_for_payee(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    payee: &str,
) -> WhyNot {
    let decided =
        pipeline::decide_plan(ruleset, plan, transaction, inputs, machine, ExplainLevel::Steps);
    let date = transaction.incentive_date().ok();
    let who = find_payee(ruleset, payee, date);
    let id = who.map(|who| ruleset.organization.participant_id(who));
    let mine = |payee: Option<ParticipantKey>| {
        payee.as_deref().is_some_and(|payee| id.as_deref() == Some(payee))
    };
    let credits: Vec<&Credit> =
        decided.credits.iter().filter(|credit| mine(credit.payee)).collect();
    let entries = decided.to_entries().into_iter().filter(|entry| mine(entry.payee));
    let entries: Vec<PostedCredit> = entries.collect();

    let findings = match who {
        None => {
            vec![new_finding(
                "crediting",
                "unknown_payee",
                format!("`{payee}` means no one person"),
            )]
        }
        Some(_) if !credits.is_empty() => {
            let waiting = credits.iter().copied().filter_map(waiting_finding);
            trimmed_findings(&decided, &credits).into_iter().chain(waiting).collect()
        }
        Some(who) => AskingPayee::new(ruleset, plan, who, &decided, transaction).drop_findings(),
    };

    WhyNot {
        transaction: transaction.id.to_string(),
        plan: plan.id.to_string(),
        payee: id.as_deref().unwrap_or(payee).to_owned(),
        credited: credits.iter().any(|credit| credit.is_active()),
        findings,
        credits: entries,
        ruleset: ruleset.hash.to_string(),
    }
}

/// The participant with this id, or the one person whom the name means on the date.
pub fn find_payee(ruleset: &Ruleset, payee: &str, date: Option<Date>) -> Option<ParticipantId> {
    let organization = &ruleset.organization;
    if let Some(known) = organization.find_participant(payee) {
        return Some(known);
    }
    let date = date?;
    match organization.resolve_name(payee, date).positions.as_slice() {
        [position] => organization.holder_on(*position, date),
        _ => None,
    }
}

/// Credits of the payee that a maximum reduced, with both amounts.
fn trimmed_findings(decided: &DecidedPlan, credits: &[&Credit]) -> Vec<PayeeFinding> {
    let mut found = Vec::new();

    for step in &decided.trace {
        let own = |who: &Recipient| credits.iter().any(|credit| credit.recipient == *who);
        match &step.says {
            StepEffect::CreditTrimmed(cut) if own(&cut.who) => found.push(trimmed_to(step, cut)),
            StepEffect::RejectedFor(code, who) if code == "over_maximum" && who.iter().any(own) => {
                found.push(step_finding(step, code, step.message.clone()));
            }
            _ => (),
        }
    }
    found
}

fn trimmed_to(step: &ExplanationStep, cut: &TrimmedCredit) -> PayeeFinding {
    let TrimmedCredit { wanted, left, unit_type, .. } = cut;
    let rule = step.rule.as_deref().unwrap_or_default();
    let message = format!("rule `{rule}`: the maximum leaves {left} of {wanted} {unit_type}");
    let amounts = [("before the maximum", wanted), ("after the maximum", left)];
    let seen = amounts.map(|(name, amount)| (name.to_owned(), amount.clone()));
    PayeeFinding { seen: seen.into(), ..step_finding(step, "over_maximum", message) }
}

/// Why a credit of the payee does not count.
fn waiting_finding(credit: &Credit) -> Option<PayeeFinding> {
    let reason = credit.reason.clone().unwrap_or_default();
    let amount = credit.amount;
    let (stage, code, message) = match credit.status {
        CreditStatus::Active => return None,
        CreditStatus::Held => match credit.release_date {
            Some(date) => ("hold", "held", format!("{amount} is held until {date}")),
            None => ("hold", "held", format!("{amount} is held: {reason}")),
        },
        CreditStatus::Suppressed => {
            ("duplication", "suppressed", format!("{amount} is a duplicate: {reason}"))
        }
        CreditStatus::Void => ("release", "void", format!("{amount} was taken back")),
    };

    let rule = Some(credit.rule.to_string());
    Some(PayeeFinding { rule, ..new_finding(stage, code, message) })
}

fn new_finding(stage: &str, code: &str, message: String) -> PayeeFinding {
    let (stage, code) = (stage.to_owned(), code.to_owned());
    PayeeFinding { stage, code, message, ..PayeeFinding::default() }
}

/// Who asks, on the day of the deal.
struct AskingPayee<'a> {
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    decided: &'a DecidedPlan,
    transaction: &'a Transaction,
    date: Option<Date>,
    id: ParticipantId,
    /// Positions held and teams joined.
    seats: Vec<Recipient>,
    /// Whether one of them is a target.
    target: bool,
}

impl AskingPayee<'_> {
    fn new<'a>(
        ruleset: &'a Ruleset,
        plan: &'a Plan,
        id: ParticipantId,
        decided: &'a DecidedPlan,
        transaction: &'a Transaction,
    ) -> AskingPayee<'a> {
        let organization = &ruleset.organization;
        let date = transaction.incentive_date().ok();
        let day = date.filter(|date| organization.exists_on(id, *date));
        let positions =
            day.map(|date| organization.positions_held_by(id, date)).unwrap_or_default();
        let teams = day.map(|date| organization.teams.teams_of(id, date)).unwrap_or_default();
        let positions = positions.into_iter().map(Recipient::Position);
        let seats: Vec<_> = positions.chain(teams.into_iter().map(Recipient::Team)).collect();

        let is_target = |date| {
            let mut positions = seats.iter();
            positions.any(|seat| selects_recipient(&plan.targets, organization, *seat, date))
        };

        let target = day.is_some_and(is_target);
        AskingPayee { ruleset, plan, decided, transaction, date, id, seats, target }
    }

    fn drop_findings(&self) -> Vec<PayeeFinding> {
        if matches!(
            self.decided.decision.outcome,
            DecisionOutcome::Filtered | DecisionOutcome::Parked
        ) {
            let last = self.decided.trace.iter().rev().find_map(ended_finding);
            return last.into_iter().collect();
        }

        // For a person without a position, or a member of a credited team, this is the only
        // finding.
        if let Some(whole) = self.without_position().or_else(|| self.team_finding()) {
            return vec![whole];
        }

        let mut rules: Vec<&Option<DefinedName>> = Vec::new();
        let course = |says: &StepEffect| {
            matches!(says, StepEffect::Info | StepEffect::CreditTrimmed(_) | StepEffect::CreditMade)
        };
        // Steps that only inform say nothing of why a person was left out.
        for step in self.decided.trace.iter().filter(|step| !course(&step.says)) {
            if !rules.contains(&&step.rule) {
                rules.push(&step.rule);
            }
        }
        // Reasons that concern the whole plan come last: rules are nearer to the person.
        rules.sort_by_key(|rule| rule.is_none());

        let mut drops: Vec<PayeeFinding> = Vec::new();
        for rule in rules {
            let steps = self.decided.trace.iter().filter(|step| step.rule == *rule);
            for drop in self.rule_findings(steps) {
                if !drops.contains(&drop) {
                    drops.push(drop);
                }
            }
        }

        if self.target && drops.iter().any(|drop| drop.code != "not_rolled") {
            // To a target the direct rules say it: that nothing rolls only follows.
            drops.retain(|drop| drop.code != "not_rolled");
        }

        if drops.is_empty() {
            let message = "no rule of the plan could credit you".to_owned();
            drops.push(new_finding("crediting", "nobody", message));
        }
        drops
    }

    /// A payee without a position on the day cannot be credited.
    fn without_position(&self) -> Option<PayeeFinding> {
        let date = self.date?;
        let team = self.plan.measure == Measure::Team;
        if self.seats.iter().any(|seat| seat.team().is_some() == team) {
            return None;
        }
        let message = if team {
            format!("the plan measures teams: you are a member of none on {date}")
        } else {
            format!("you hold no position on {date}")
        };
        Some(new_finding("crediting", "no_position", message))
    }

    /// The credit of a team belongs to no single member.
    fn team_finding(&self) -> Option<PayeeFinding> {
        let mut credits = self.decided.credits.iter().map(|credit| credit.recipient);
        let own = credits.find(|who| who.team().is_some() && self.seats.contains(who))?;
        let message =
            format!("the plan measures teams: the credit is that of your {}", self.seat_text(own));
        Some(new_finding("crediting", "team_plan", message))
    }

    /// Where one rule dropped the person.
    fn rule_findings<'s>(
        &self,
        steps: impl Iterator<Item = &'s ExplanationStep>,
    ) -> Vec<PayeeFinding> {
        let (mut lead, mut named, mut reached) = (None, false, false);
        let (mut missed, mut passed, mut ends) = (Vec::new(), Vec::new(), Vec::new());

        for step in steps {
            match &step.says {
                StepEffect::Info | StepEffect::CreditTrimmed(_) | StepEffect::CreditMade => (),
                StepEffect::NameSource => (lead, named) = (Some(step.message.as_str()), false),
                StepEffect::OnlyThese(who) => {
                    named = true;
                    if self.is_among(who) {
                        reached = true;
                    } else {
                        missed.extend(self.missed_finding(step, lead));
                    }
                }

                StepEffect::TeamMembers(who) if self.is_among(who) => reached = true,
                StepEffect::TeamMembers(_) => {
                    passed.push(self.unlisted_finding(step, "not_member"))
                }

                // The name on the deal says more than "no recipient found".
                StepEffect::Rejected(code) if code == "unmatched" && named => (),
                StepEffect::Rejected(_) => ends.extend(ended_finding(step)),
                StepEffect::RejectedFor(_, who) if !self.is_among(who) => (),
                StepEffect::RejectedFor(code, who) => {
                    reached = true;
                    ends.push(self.seat_finding(step, code, who));
                }
            }
        }

        if !reached {
            missed.append(&mut ends);
            return missed;
        }
        // A step that concerns the person is more helpful than a report that others were named.
        if ends.is_empty() { passed } else { ends }
    }

    fn is_among(&self, who: &[Recipient]) -> bool {
        self.seats.iter().any(|seat| who.contains(seat))
    }

    /// A rule that means others.
    fn missed_finding(&self, step: &ExplanationStep, lead: Option<&str>) -> Option<PayeeFinding> {
        let date = self.date?;

        if step.stage != NoteStage::Crediting {
            return self.unreached_finding(step, date);
        }

        if !self.target {
            let seats = self.seats_text();
            let message = format!("your {seats} is not among the plan's targets on {date}");
            return Some(new_finding("crediting", "not_target", message));
        }

        let teams = self.plan.measure == Measure::Team;
        let aliases = self.ruleset.organization.aliases_of(self.id, date, teams);

        let lead = lead.unwrap_or(&step.message);
        let message = format!("{lead}; none of your aliases ({}) matches", aliases.join(", "));

        let mut seen = BTreeMap::from([("their names".to_owned(), aliases.join("; "))]);
        for (label, names) in [("owner", NameColumns::Owner), ("team", NameColumns::Team)] {
            let text = self.transaction.joined_names(names);
            if !text.is_empty() {
                seen.insert(label.to_owned(), text);
            }
        }

        Some(PayeeFinding { seen, ..step_finding(step, "not_named", message) })
    }

    /// A credit that rolls to others: of no interest to a target who could not receive it anyhow.
    fn unreached_finding(&self, step: &ExplanationStep, date: Date) -> Option<PayeeFinding> {
        let organization = &self.ruleset.organization;
        let rules = self.plan.indirect.iter();
        let mut rules = rules.filter(|rule| Some(&rule.rule.name) == step.rule.as_ref());
        let receives = rules.any(|rule| {
            let mut seats = self.seats.iter();
            seats.any(|seat| selects_recipient(&rule.receivers, organization, *seat, date))
        });

        match (receives, self.target) {
            (true, _) => Some(self.unlisted_finding(step, "not_reached")),
            (false, true) => None,
            (false, false) => {
                let rule = step.rule.as_deref().unwrap_or_default();
                let seats = self.seats_text();
                let message = format!("rule `{rule}`: your {seats} is not among its receivers");
                Some(step_finding(step, "not_receiver", message))
            }
        }
    }

    /// A list on which the person is not.
    fn unlisted_finding(&self, step: &ExplanationStep, code: &str) -> PayeeFinding {
        step_finding(step, code, format!("{}; not your {}", step.message, self.seats_text()))
    }

    /// The seats that the plan measures.
    fn seats_text(&self) -> String {
        let team = self.plan.measure == Measure::Team;
        let seats = self.seats.iter().filter(|seat| seat.team().is_some() == team);
        let seats: Vec<String> = seats.map(|seat| self.seat_text(*seat)).collect();
        seats.join(" or ")
    }

    /// Something that was said about a seat of the person.
    fn seat_finding(&self, step: &ExplanationStep, code: &str, who: &[Recipient]) -> PayeeFinding {
        let own = self.seats.iter().filter(|seat| who.contains(seat));
        let own: Vec<String> = own.map(|seat| self.seat_text(*seat)).collect();
        step_finding(step, code, format!("{}; that is your {}", step.message, own.join(" or ")))
    }

    fn seat_text(&self, seat: Recipient) -> String {
        let kind = if seat.team().is_some() { "team" } else { "position" };
        format!("{kind} `{}`", self.ruleset.organization.recipient_id(seat))
    }
}

fn ended_finding(step: &ExplanationStep) -> Option<PayeeFinding> {
    match &step.says {
        StepEffect::Rejected(code) => Some(step_finding(step, code, step.message.clone())),
        _ => None,
    }
}

fn step_finding(step: &ExplanationStep, code: &str, message: String) -> PayeeFinding {
    let refusal = step.refusal.as_ref();
    PayeeFinding {
        rule: step.rule.as_ref().map(ToString::to_string),
        condition: refusal.map(|refusal| refusal.condition.clone()),
        policy: refusal.filter(|it| it.policy).map(|refusal| refusal.condition.clone()),
        file: refusal.map(|refusal| refusal.file.clone()),
        line: refusal.and_then(|refusal| refusal.line),
        seen: refusal.map(|refusal| refusal.seen.iter().cloned().collect()).unwrap_or_default(),
        ..new_finding(step.stage.as_str(), code, message)
    }
}

#[cfg(test)]
mod tests;
