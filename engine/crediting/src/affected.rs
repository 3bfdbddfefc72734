//! Which deals other rules may decide differently: a test that costs less than deciding.
//!
//! Not deciding (`pipeline`) and not what a difference is worth (`impact`). Two rulesets are compared
//! once; then a deal is asked for the names that lead to its recipients, and for its date. Called
//! wherever recorded deals are decided by other rules. Source: DESIGN section 5.
//!
//! **Architecture invariant:** it errs to one side: of a deal that is not affected in a plan both
//! rulesets make the same decision, for the same inputs, apart from the name of the ruleset.

mod leading;
mod reads;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use accredit_domain::keys::{PlanKey, TeamKey};
use accredit_domain::organization::difference::OrganizationDifference;
use accredit_domain::organization::{Organization, Recipient};
use accredit_domain::plan::{Assign, Plan};
use accredit_domain::transaction::{Field, Transaction, Value};
use accredit_script::Machine;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

pub use self::leading::{LeadingNames, leading_names};
use self::leading::{answered_texts, assigned_texts, related_texts};
use self::reads::PlanReads;
use crate::stage::{DecisionInputs, adjust, names};

/// Deals that a worker takes at a time.
const BLOCK_DEALS: usize = 256;

/// The stages that may come out differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AffectedStages {
    /// The rollup alone: the direct credits are the same.
    Rollup,
    /// Any of them.
    All,
}

/// The deals that two rulesets may decide differently in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeExtent {
    /// None.
    NoDeal,
    /// Those with a name that is concerned, and those to whose recipients other things lead.
    NamedDeals,
    /// Any.
    AnyDeal,
}

/// What can differ in one plan; none in place of what it reads where any deal may be affected.
#[derive(Debug)]
struct PlanChange {
    /// What differs for whole decisions.
    whole: Option<PlanReads>,
    /// What differs for direct credits.
    direct: Option<PlanReads>,
    /// Whether something that sees its direct credits may show the digits of an amount.
    shows_digits: bool,
}

/// How two rulesets differ, plan by plan.
#[derive(Debug)]
pub struct RulesetChange {
    organization: OrganizationDifference,
    /// The same without what only the rollup follows.
    entities: OrganizationDifference,
    plans: BTreeMap<PlanKey, PlanChange>,
}

impl RulesetChange {
    /// Compares two rulesets.
    pub fn between(before: &Ruleset, after: &Ruleset) -> RulesetChange {
        let of_plan = |plan: &Plan| PlanChange {
            whole: PlanReads::of_change(before, after, plan),
            direct: PlanReads::of_direct_change(before, after, plan),
            shows_digits: reads::may_show_digits(after, plan),
        };
        let plans = after.plans.iter().map(|(id, plan)| (*id, of_plan(plan)));
        let (organization, entities) = organization_differences(before, after);
        RulesetChange { organization, entities, plans: plans.collect() }
    }

    /// Whether any deal may be decided differently in a plan, whatever the deal says.
    pub fn affects_everything(&self, plan: &str) -> bool {
        self.plans.get(plan).is_none_or(|change| change.whole.is_none())
    }

    /// Whether a plan may make the same direct credits of a deal as before.
    pub fn may_keep_credits(&self, plan: &str) -> bool {
        let change = self.plans.get(plan);
        change.is_some_and(|change| change.whole.is_some() || change.direct.is_some())
    }

    /// How far the two may decide deals differently in a plan, by what is known without reading them.
    pub fn extent(&self, plan: &str) -> ChangeExtent {
        let whole = self.plans.get(plan).and_then(|change| change.whole.as_ref());
        let Some(reads) = whole else { return ChangeExtent::AnyDeal };
        if reads.differs_somewhere() {
            return ChangeExtent::AnyDeal;
        }
        if self.organization.is_empty() {
            return ChangeExtent::NoDeal;
        }
        match self.organization.concerns_everyone() || reads.people {
            true => ChangeExtent::AnyDeal,
            false => ChangeExtent::NamedDeals,
        }
    }

    /// Whether a folded name may lead to another recipient on some day; `organization` is that of either.
    pub fn concerns_name(&self, organization: &Organization, name: &str) -> bool {
        self.organization.ever_concerns_name(organization, name)
    }

    /// Whether something that sees the direct credits of a plan may show the digits of an amount: they
    /// are recorded with the decimals of their unit, and may have been made with fewer.
    pub fn shows_digits(&self, plan: &str) -> bool {
        self.plans.get(plan).is_none_or(|change| change.shows_digits)
    }
}

/// How two organisations differ, and the same without what only the rollup follows. Each takes tens of
/// milliseconds for thousands of people, and a change of rules does not wait for what cannot differ.
fn organization_differences(
    before: &Ruleset,
    after: &Ruleset,
) -> (OrganizationDifference, OrganizationDifference) {
    if before.has_organization_of(after) {
        return (OrganizationDifference::default(), OrganizationDifference::default());
    }
    let (one, two) = (&*before.organization, &*after.organization);
    thread::scope(|scope| {
        let builder = thread::Builder::new();
        let entities =
            builder.spawn_scoped(scope, || OrganizationDifference::of_entities(one, two));
        let organization = OrganizationDifference::between(one, two);
        // Without a thread it is done here.
        let entities = entities.ok().and_then(|entities| entities.join().ok());
        (organization, entities.unwrap_or_else(|| OrganizationDifference::of_entities(one, two)))
    })
}

/// The question about single deals, with the two rulesets at hand that were compared.
#[derive(Clone, Copy)]
struct DealQuestion<'a> {
    change: &'a RulesetChange,
    before: &'a Ruleset,
    after: &'a Ruleset,
}

impl DealQuestion<'_> {
    /// The stages that the two rulesets may decide differently for a deal in a plan; none where the
    /// decision is the same. `machine` runs the programs of the later ruleset.
    fn affected_stages(
        &self,
        plan: &str,
        transaction: &Arc<Transaction>,
        inputs: &DecisionInputs,
        machine: &mut Machine,
    ) -> Option<AffectedStages> {
        let change = self.change.plans.get(plan).zip(self.after.plans.get(plan));
        let Some((change, plan)) = change else { return Some(AffectedStages::All) };

        let RulesetChange { organization, entities, .. } = self.change;
        let whole = StageQuestion { deal: *self, organization, direct_only: false };
        let mut affects = |question: StageQuestion<'_>, reads: &Option<PlanReads>| {
            let reads = reads.as_ref();
            reads.is_none_or(|reads| question.affects(plan, reads, (transaction, inputs), machine))
        };

        if !affects(whole, &change.whole) {
            return None;
        }
        // What a program looks up by itself may lead anywhere.
        let people = change.direct.as_ref().is_some_and(|reads| reads.people);
        let organization = if people { organization } else { entities };
        let direct = StageQuestion { deal: *self, organization, direct_only: true };
        match affects(direct, &change.direct) {
            true => Some(AffectedStages::All),
            false => Some(AffectedStages::Rollup),
        }
    }
}

/// The question about whole decisions, or about direct credits only.
#[derive(Clone, Copy)]
struct StageQuestion<'a> {
    deal: DealQuestion<'a>,
    organization: &'a OrganizationDifference,
    direct_only: bool,
}

impl StageQuestion<'_> {
    fn affects(
        &self,
        plan: &Plan,
        reads: &PlanReads,
        (transaction, inputs): (&Arc<Transaction>, &DecisionInputs),
        machine: &mut Machine,
    ) -> bool {
        // A credit given by hand is looked up by ids that its row has.
        if transaction.manual_credit().is_some() {
            return self.direct_only || !self.organization.is_empty() || reads.differs_somewhere();
        }

        // Without a date nothing is looked up, and the deal is parked or left out.
        let Ok(date) = transaction.incentive_date() else { return false };

        if reads.tables_differ_on(date)
            || (reads.rates_differ && self.exchanges(reads, transaction))
        {
            return true;
        }
        if !self.organization.is_on(date) {
            return false;
        }
        if self.organization.concerns_everyone() || reads.people {
            return true;
        }

        let transaction = adjust::adjust_transaction(inputs, transaction);
        // What a plan inherits is compared where its direct credits are kept.
        let sources =
            if self.direct_only { Vec::new() } else { self.deal.after.plans_before(plan) };
        let sources = sources.iter().filter_map(|id| self.deal.after.plans.get(id));
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
        let related = match self.direct_only {
            true => Vec::new(),
            false => related_texts(&plan.indirect, transaction),
        };
        let mut assigned = plan.direct.iter().flat_map(|rule| &rule.assign);
        related.iter().any(|text| self.concerns_text(text, date))
            || assigned
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
        if let Some(texts) = assigned_texts(assign, transaction) {
            return texts.iter().any(|text| concerns(text));
        }

        let Assign::Policy(program) = assign else {
            return self.concerns_territory(plan, assign, transaction, date);
        };
        let texts = answered_texts((self.deal.after, plan), *program, transaction, machine);
        texts.is_none_or(|texts| texts.iter().any(|text| concerns(text)))
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
        let before =
            self.deal.before.plans.get(&plan.id).zip(place(plan)).and_then(|(known, place)| {
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

        let (one, two) = (found(self.deal.before, *earlier), found(self.deal.after, *later));
        if ids(self.deal.before, &one) != ids(self.deal.after, &two) {
            return true;
        }
        two.into_iter().any(|team| {
            let organization = &self.deal.after.organization;
            self.organization.concerns_recipient(organization, Recipient::Team(team), date)
        })
    }

    /// Whether one of the names in a text is concerned.
    fn concerns_text(&self, text: &str, date: Date) -> bool {
        // What cannot be understood parks the deal, and it does not matter who is there.
        let Ok(named) = names::parse_shares(text) else { return false };
        named.iter().any(|share| {
            self.organization.concerns_name(&self.deal.after.organization, &share.who, date)
        })
    }
}

/// A plan that a change affects, and how far.
pub type AffectedPlan = (PlanKey, AffectedStages);

/// Asks of every deal whether it is affected in the plans that are `asked` of it: given are its place
/// and a plan's id. The answers come in order of the deals, each with the plans that are affected.
pub fn affected_plans(
    change: &RulesetChange,
    (before, after): (&Ruleset, &Ruleset),
    transactions: &[Arc<Transaction>],
    inputs: &DecisionInputs,
    asked: &(dyn Fn(usize, &str) -> bool + Sync),
) -> Vec<Vec<AffectedPlan>> {
    let question = DealQuestion { change, before, after };
    ask_each(after, transactions, &|place, transaction, machine| {
        let asked = after.plans.keys().filter(|plan| asked(place, plan));
        let affected = asked.filter_map(|plan| {
            let stages = may_affect(question, (plan, transaction), inputs, machine)?;
            Some((*plan, stages))
        });
        affected.collect()
    })
}

/// The answers about all deals in their order, each given its place. Workers take blocks of them, with the
/// machines of `ruleset` and the stack that its programs may need.
fn ask_each<T: Send>(
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    ask: &(dyn Fn(usize, &Arc<Transaction>, &mut Machine) -> T + Sync),
) -> Vec<T> {
    let blocks: Vec<&[Arc<Transaction>]> = transactions.chunks(BLOCK_DEALS).collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Vec<T>)>> = Mutex::new(Vec::new());

    let work = |machine: &mut Machine| {
        while let Some((index, block)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            blocks.get(index).map(|block| (index, *block))
        } {
            let places = (index * BLOCK_DEALS..).zip(block);
            let answers = places.map(|(place, deal)| ask(place, deal, machine)).collect();
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
            if builder.spawn_scoped(scope, || ruleset.with_machine(work)).is_err() {
                ruleset.with_machine(work);
            }
        }
    });

    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().flat_map(|(_, answers)| answers).collect()
}

/// The stages that may be affected; what fails inside the engine is decided again.
fn may_affect(
    question: DealQuestion<'_>,
    (plan, transaction): (&str, &Arc<Transaction>),
    inputs: &DecisionInputs,
    machine: &mut Machine,
) -> Option<AffectedStages> {
    let asked = catch_unwind(AssertUnwindSafe(|| {
        question.affected_stages(plan, transaction, inputs, machine)
    }));
    asked.unwrap_or_else(|_| {
        *machine = Machine::new(&question.after.programs);
        Some(AffectedStages::All)
    })
}
