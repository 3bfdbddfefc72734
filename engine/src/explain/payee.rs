//! What came of a transaction for one person: the credits, or where the person was dropped.
//!
//! Not another reading of the rules: it picks, out of the steps of a decision made again, those
//! that speak of the person. Called by `accredit explain --payee` and by the server. Source: DOMAIN
//! 2.16 (triage of enquiries).
//!
//! **Architecture invariant:** without a credit there is at least one drop.

use std::sync::Arc;

use serde::Serialize;

use crate::decision::{CreditRow, Outcome};
use crate::organization::{ParticipantId, Recipient};
use crate::pipeline::{self, Decided, Explain, row};
use crate::plan::{Measure, Plan};
use crate::script::Machine;
use crate::stage::{Inputs, Says, Step};
use crate::transaction::Transaction;
use crate::workspace::Ruleset;

/// What came of one transaction in one plan for one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyNot {
    /// Natural key.
    pub transaction: String,
    /// Plan id.
    pub plan: String,
    /// Participant id.
    pub payee: String,
    /// What became of the transaction in the plan.
    pub outcome: Outcome,
    /// The person's credits, held and suppressed ones among them.
    pub credits: Vec<CreditRow>,
    /// Without a credit, where the person was dropped: a line for each rule that could have
    /// credited them, or one for the whole plan.
    pub drops: Vec<Dropped>,
    /// The ruleset that it was recomputed with.
    pub ruleset: String,
}

/// Where somebody was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The stage.
    pub stage: String,
    /// `filter`, `dates`, `no_position`, `inactive`, `condition`, `alias`, `target`, `unreached`,
    /// `receiver`, `nothing`, `not_rolled`, or a code of FORMAT section 4.
    pub code: String,
    /// The rule; none where the whole plan is meant.
    pub rule: Option<String>,
    /// What happened, to the person.
    pub message: String,
}

/// Decides `transaction` in `plan` again and says what came of it for `payee`.
pub fn for_payee(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    payee: ParticipantId,
    inputs: &Inputs,
    machine: &mut Machine,
) -> WhyNot {
    let decided =
        pipeline::decide_plan(ruleset, plan, transaction, inputs, machine, Explain::Steps);
    let person = Person::new(ruleset, plan, payee, &decided);
    let own = decided.credits.iter().filter(|credit| {
        credit.payee == Some(payee)
            || (credit.recipient.team().is_some() && person.seats.contains(&credit.recipient))
    });
    let credits: Vec<CreditRow> = own.map(|credit| row::row(ruleset, credit)).collect();
    let drops = if credits.is_empty() { person.drops(&decided) } else { Vec::new() };
    WhyNot {
        transaction: transaction.id.to_string(),
        plan: plan.id.to_string(),
        payee: ruleset.organization.participant_id(payee).to_string(),
        outcome: decided.outcome,
        credits,
        drops,
        ruleset: ruleset.hash.to_string(),
    }
}

/// Who asks, on the day of the deal.
struct Person<'a> {
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    id: ParticipantId,
    /// Positions held and teams joined.
    seats: Vec<Recipient>,
}

impl Person<'_> {
    fn new<'a>(
        ruleset: &'a Ruleset,
        plan: &'a Plan,
        id: ParticipantId,
        decided: &Decided,
    ) -> Person<'a> {
        let organization = &ruleset.organization;
        let date = decided.date.filter(|date| organization.exists(id, *date));
        let positions = date.map(|date| organization.held_by(id, date)).unwrap_or_default();
        let teams = date.map(|date| organization.teams.of(id, date)).unwrap_or_default();
        let positions = positions.into_iter().map(Recipient::Position);
        let seats = positions.chain(teams.into_iter().map(Recipient::Team)).collect();
        Person { ruleset, plan, id, seats }
    }

    fn drops(&self, decided: &Decided) -> Vec<Dropped> {
        if matches!(decided.outcome, Outcome::Filtered | Outcome::Parked) {
            let last = decided.trace.iter().rev().find_map(ended);
            return last.into_iter().collect();
        }
        if let Some(homeless) = self.homeless(decided) {
            return vec![homeless];
        }
        let mut rules: Vec<&Option<Arc<str>>> = Vec::new();
        for step in decided.trace.iter().filter(|step| step.says != Says::Course) {
            if !rules.contains(&&step.rule) {
                rules.push(&step.rule);
            }
        }
        // What is said of the whole plan comes last: rules are nearer to the person.
        rules.sort_by_key(|rule| rule.is_none());
        let mut drops: Vec<Dropped> = Vec::new();
        for rule in rules {
            let steps = decided.trace.iter().filter(|step| step.rule == *rule);
            for drop in self.of_rule(steps, decided) {
                if !drops.contains(&drop) {
                    drops.push(drop);
                }
            }
        }
        if drops.is_empty() {
            let (stage, code) = ("crediting".to_owned(), "nobody".to_owned());
            let message = "no rule of the plan could credit you".to_owned();
            drops.push(Dropped { stage, code, rule: None, message });
        }
        drops
    }

    /// Nobody can be credited who sits nowhere on the day.
    fn homeless(&self, decided: &Decided) -> Option<Dropped> {
        let date = decided.date?;
        let team = self.plan.measure == Measure::Team;
        if self.seats.iter().any(|seat| seat.team().is_some() == team) {
            return None;
        }
        let message = match (self.ruleset.organization.exists(self.id, date), team) {
            (false, _) => format!("you do not take part on {date}"),
            (true, false) => format!("you hold no position on {date}"),
            (true, true) => format!("you are a member of no team on {date}"),
        };
        let (stage, code) = ("crediting".to_owned(), "no_position".to_owned());
        Some(Dropped { stage, code, rule: None, message })
    }

    /// Where one rule dropped the person.
    fn of_rule<'s>(
        &self,
        steps: impl Iterator<Item = &'s Step>,
        decided: &Decided,
    ) -> Vec<Dropped> {
        let (mut lead, mut named, mut reached) = (None, false, false);
        let (mut missed, mut passed, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            match &step.says {
                Says::Course => (),
                Says::Names => (lead, named) = (Some(step.message.as_str()), false),
                Says::Only(who) => {
                    named = true;
                    if self.among(who) {
                        reached = true;
                    } else {
                        missed.push(self.missed(step, lead, decided));
                    }
                }
                Says::Members(who) if self.among(who) => reached = true,
                Says::Members(_) => passed.push(self.unlisted(step, "members")),
                // Who was named says more than that nobody was found.
                Says::Ends(code) if code == "unmatched" && named => (),
                Says::Ends(_) => ends.extend(ended(step)),
                Says::EndsFor(_, who) if !self.among(who) => (),
                Says::EndsFor(code, who) => {
                    reached = true;
                    ends.push(self.told(step, code, who));
                }
            }
        }
        if !reached {
            missed.append(&mut ends);
            return missed;
        }
        if ends.is_empty() { passed } else { ends }
    }

    fn among(&self, who: &[Recipient]) -> bool {
        self.seats.iter().any(|seat| who.contains(seat))
    }

    /// A rule that means others.
    fn missed(&self, step: &Step, lead: Option<&str>, decided: &Decided) -> Dropped {
        if step.stage != "crediting" {
            return self.unlisted(step, "unreached");
        }
        let date = decided.date.unwrap_or_default();
        let teams = self.plan.measure == Measure::Team;
        let aliases = self.ruleset.organization.aliases_of(self.id, date, teams);
        let lead = lead.unwrap_or(&step.message);
        let message = format!("{lead}; none of your aliases ({}) matches", aliases.join(", "));
        dropped(step, "alias", message)
    }

    /// A list on which the person is not.
    fn unlisted(&self, step: &Step, code: &str) -> Dropped {
        let seats: Vec<String> = self.seats.iter().map(|seat| self.seat(*seat)).collect();
        let message = format!("{}; not your {}", step.message, seats.join(" or "));
        dropped(step, code, message)
    }

    /// Something that was said about a seat of the person.
    fn told(&self, step: &Step, code: &str, who: &[Recipient]) -> Dropped {
        let own = self.seats.iter().filter(|seat| who.contains(seat));
        let own: Vec<String> = own.map(|seat| self.seat(*seat)).collect();
        dropped(step, code, format!("{}; that is your {}", step.message, own.join(" or ")))
    }

    fn seat(&self, seat: Recipient) -> String {
        let kind = if seat.team().is_some() { "team" } else { "position" };
        format!("{kind} `{}`", self.ruleset.organization.recipient_id(seat))
    }
}

fn ended(step: &Step) -> Option<Dropped> {
    match &step.says {
        Says::Ends(code) => Some(dropped(step, code, step.message.clone())),
        _ => None,
    }
}

fn dropped(step: &Step, code: &str, message: String) -> Dropped {
    let (stage, rule) = (step.stage.to_owned(), step.rule.as_ref().map(ToString::to_string));
    Dropped { stage, code: code.to_owned(), rule, message }
}
