//! Which deals other rules may decide differently: a test that costs less than deciding.
//!
//! Not deciding (`pipeline`) and not what a difference is worth (`impact`). Two rulesets are compared
//! once; then a deal is asked for the names that lead to its recipients, and for its date. Called
//! wherever recorded deals are decided by other rules. Source: DESIGN section 5.
//!
//! **Architecture invariant:** it errs to one side: of a deal that is not affected in a plan both
//! rulesets make the same decision, for the same inputs, apart from the name of the ruleset.

mod reads;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use accredit_domain::keys::{PlanKey, TeamKey};
use accredit_domain::organization::Recipient;
use accredit_domain::organization::difference::OrganizationDifference;
use accredit_domain::plan::{Assign, Plan, Relationship};
use accredit_domain::transaction::{Field, NameColumns, Transaction, Value};
use accredit_script::{Machine, ScriptAnswer};
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use self::reads::PlanReads;
use crate::stage::{DecisionInputs, ScriptContext, adjust, names};

/// Deals that a worker takes at a time.
const BLOCK_DEALS: usize = 256;

/// What can differ in one plan.
#[derive(Debug)]
enum PlanChange {
    /// Any deal may be decided differently.
    Everything,
    /// Deals that read what differs.
    ByReads(PlanReads),
}

/// How two rulesets differ, plan by plan.
#[derive(Debug)]
pub struct RulesetChange {
    organization: OrganizationDifference,
    plans: BTreeMap<PlanKey, PlanChange>,
}

impl RulesetChange {
    /// Compares two rulesets.
    pub fn between(before: &Ruleset, after: &Ruleset) -> RulesetChange {
        let of_plan = |plan: &Plan| match PlanReads::of_change(before, after, plan) {
            Some(reads) => PlanChange::ByReads(reads),
            None => PlanChange::Everything,
        };
        let plans = after.plans.iter().map(|(id, plan)| (*id, of_plan(plan)));
        let organization =
            OrganizationDifference::between(&before.organization, &after.organization);
        RulesetChange { organization, plans: plans.collect() }
    }

    /// Whether any deal may be decided differently in a plan, whatever the deal says.
    pub fn affects_everything(&self, plan: &str) -> bool {
        !matches!(self.plans.get(plan), Some(PlanChange::ByReads(_)))
    }
}

/// The question about single deals, with the two rulesets at hand that were compared.
#[derive(Clone, Copy)]
struct DealQuestion<'a> {
    change: &'a RulesetChange,
    before: &'a Ruleset,
    after: &'a Ruleset,
}

impl DealQuestion<'_> {
    /// Whether the two rulesets may decide a deal differently in a plan. `machine` runs the programs of
    /// the later ruleset.
    fn affects_deal(
        &self,
        plan: &str,
        transaction: &Arc<Transaction>,
        inputs: &DecisionInputs,
        machine: &mut Machine,
    ) -> bool {
        let Some(PlanChange::ByReads(reads)) = self.change.plans.get(plan) else { return true };
        let Some(plan) = self.after.plans.get(plan) else { return true };

        // A credit given by hand is looked up by ids that its row has.
        if transaction.manual_credit().is_some() {
            return !self.change.organization.is_empty() || reads.differs_somewhere();
        }

        // Without a date nothing is looked up, and the deal is parked or left out.
        let Ok(date) = transaction.incentive_date() else { return false };

        if reads.tables_differ_on(date)
            || (reads.rates_differ && self.exchanges(reads, transaction))
        {
            return true;
        }
        if !self.change.organization.is_on(date) {
            return false;
        }
        if self.change.organization.concerns_everyone() || reads.people {
            return true;
        }

        let transaction = adjust::adjust_transaction(inputs, transaction);
        let sources = self.after.plans_before(plan).into_iter();
        let sources = sources.filter_map(|id| self.after.plans.get(&id));
        let mut plans = sources.chain([plan]);
        plans.any(|plan| self.concerns_recipients(plan, &transaction, date, machine))
    }

    /// Whether an amount of the deal may be exchanged.
    fn exchanges(&self, reads: &PlanReads, transaction: &Transaction) -> bool {
        let named = transaction.field_value(Field::Currency);
        reads.exchanges || named.is_some_and(|value| !matches!(value, Value::Blank))
    }

    /// Whether the organisation differs in what a deal of `date` is resolved to in a plan, or in what
    /// is known of those or reached from them.
    fn concerns_recipients(
        &self,
        plan: &Plan,
        transaction: &Arc<Transaction>,
        date: Date,
        machine: &mut Machine,
    ) -> bool {
        let assigned = plan.direct.iter().flat_map(|rule| &rule.assign);
        let mut related = Vec::new();
        for rule in &plan.indirect {
            related.extend(match rule.relationship {
                Relationship::RelatedPerson => Some(NameColumns::RelatedPerson),
                Relationship::RelatedPosition => Some(NameColumns::RelatedPosition),
                _ => None,
            });
        }

        related
            .into_iter()
            .any(|column| self.concerns_text(&transaction.joined_names(column), date))
            || assigned
                .into_iter()
                .any(|assign| self.concerns_assigned(plan, assign, transaction, date, machine))
    }

    fn concerns_assigned(
        &self,
        plan: &Plan,
        assign: &Assign,
        transaction: &Arc<Transaction>,
        date: Date,
        machine: &mut Machine,
    ) -> bool {
        let concerns = |text: &str| self.concerns_text(text, date);
        let concerns_value = |value: Value| match value {
            Value::Text(text) | Value::Bad(text) => concerns(&text),
            Value::Number(number) => concerns(&number.to_string()),
            Value::Date(date) => concerns(&date.to_string()),
            Value::Bool(flag) => concerns(&flag.to_string()),
            Value::Blank => false,
        };

        match assign {
            Assign::Owner => concerns(&transaction.joined_names(NameColumns::Owner)),
            Assign::Team => concerns(&transaction.joined_names(NameColumns::Team)),
            Assign::Columns(columns) => {
                columns.iter().any(|column| concerns_value(transaction.get(column)))
            }
            Assign::Preassigned => {
                transaction.field_value(Field::Preassigned).is_some_and(concerns_value)
            }
            Assign::Territory(_) => self.concerns_territory(plan, assign, transaction, date),

            Assign::Policy(program) => {
                let seen = ScriptContext::default().to_arguments(self.after, plan, transaction);
                match machine.run(*program, &seen) {
                    Ok(ScriptAnswer::Text(text)) => concerns(&text),
                    Ok(ScriptAnswer::Shares(shares)) => {
                        shares.iter().any(|share| concerns(&share.who))
                    }
                    Ok(_) => false,
                    // A limit of time may be met once and not again.
                    Err(_) => true,
                }
            }
        }
    }

    /// Whether a deal lies in other territories, or in those of teams that differ.
    fn concerns_territory(
        &self,
        plan: &Plan,
        assign: &Assign,
        transaction: &Transaction,
        date: Date,
    ) -> bool {
        let place = |known: &Plan| {
            let mut all = known.direct.iter().flat_map(|rule| &rule.assign);
            all.position(|one| std::ptr::eq(one, assign))
        };
        let before = self.before.plans.get(&plan.id).zip(place(plan)).and_then(|(known, place)| {
            known.direct.iter().flat_map(|rule| &rule.assign).nth(place)
        });
        let (Some(Assign::Territory(earlier)), Assign::Territory(later)) = (before, assign) else {
            return true;
        };

        let found = |ruleset: &Ruleset, within| {
            let organization = &ruleset.organization;
            let teams = &organization.teams;
            organization.territories.find_teams(transaction, date, within, teams)
        };
        let ids = |ruleset: &Ruleset, teams: &[_]| -> Vec<TeamKey> {
            teams.iter().map(|team| ruleset.organization.team_id(*team)).collect()
        };

        let (one, two) = (found(self.before, *earlier), found(self.after, *later));
        if ids(self.before, &one) != ids(self.after, &two) {
            return true;
        }
        two.into_iter().any(|team| {
            let organization = &self.after.organization;
            self.change.organization.concerns_recipient(organization, Recipient::Team(team), date)
        })
    }

    /// Whether one of the names in a text is concerned.
    fn concerns_text(&self, text: &str, date: Date) -> bool {
        // What cannot be understood parks the deal, and it does not matter who is there.
        let Ok(named) = names::parse_shares(text) else { return false };
        named.iter().any(|share| {
            self.change.organization.concerns_name(&self.after.organization, &share.who, date)
        })
    }
}

/// Asks of every deal whether it is affected in the plans that are `asked` of it: given are its place
/// and a plan's id. The answers come in order of the deals, each with the plans that are affected.
pub fn affected_plans(
    change: &RulesetChange,
    (before, after): (&Ruleset, &Ruleset),
    transactions: &[Arc<Transaction>],
    inputs: &DecisionInputs,
    asked: &(dyn Fn(usize, &str) -> bool + Sync),
) -> Vec<Vec<PlanKey>> {
    let question = DealQuestion { change, before, after };
    let blocks: Vec<&[Arc<Transaction>]> = transactions.chunks(BLOCK_DEALS).collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Vec<Vec<PlanKey>>)>> = Mutex::new(Vec::new());

    let work = |machine: &mut Machine| {
        while let Some((index, block)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            blocks.get(index).map(|block| (index, *block))
        } {
            let places = (index * BLOCK_DEALS..).zip(block);
            let answers = places.map(|(place, transaction)| {
                let asked = after.plans.keys().filter(|plan| asked(place, plan));
                let affected =
                    asked.filter(|plan| may_affect(question, (plan, transaction), inputs, machine));
                affected.copied().collect()
            });
            let answers = answers.collect();
            if let Ok(mut done) = done.lock() {
                done.push((index, answers));
            }
        }
    };

    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, Into::into);
        for _ in 0..threads.clamp(1, blocks.len().max(1)) {
            let builder =
                thread::Builder::new().stack_size(crate::calculation::workers::WORKER_STACK_BYTES);
            // A worker that cannot be started is a worker less: the others take its blocks.
            if builder.spawn_scoped(scope, || after.with_machine(work)).is_err() {
                after.with_machine(work);
            }
        }
    });

    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().flat_map(|(_, answers)| answers).collect()
}

/// Whether a deal may be affected; what fails inside the engine is decided again.
fn may_affect(
    question: DealQuestion<'_>,
    (plan, transaction): (&str, &Arc<Transaction>),
    inputs: &DecisionInputs,
    machine: &mut Machine,
) -> bool {
    let asked = catch_unwind(AssertUnwindSafe(|| {
        question.affects_deal(plan, transaction, inputs, machine)
    }));
    asked.unwrap_or_else(|_| {
        *machine = Machine::new(&question.after.programs);
        true
    })
}
