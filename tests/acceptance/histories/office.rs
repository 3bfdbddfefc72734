//! What a server does with its ledger, act by act, without HTTP and threads: an office.
//!
//! The ledger is a real one, in memory. Every act is the operation that a route of the server calls.
//! What waits is decided before the next act.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use accredit_crediting::pipeline;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{
    Actor, Decision, EarnedReward, FrozenRewards, HoldAction, PayeeBalance, ResolutionAction,
};
use accredit_domain::keys::RulesetHash;
use accredit_domain::transaction::{Decoder, read};
use accredit_ledger::Ledger;
use accredit_ledger::definitions::{Activation, Effective};
use accredit_ledger::query::CreditQuery;
use accredit_ledger::runs::{RunRules, RunState};
use accredit_ledger::scope::ReadScope;
use accredit_ledger::terms::ChangeTerms;
use accredit_operations::activation::{self, ChangeRequest};
use accredit_operations::adjust::{self, AdjustOrder, AdjustmentSubject};
use accredit_operations::calculations;
use accredit_operations::context::{Context, Surroundings};
use accredit_operations::decide::run::{self, RunChanges};
use accredit_operations::decide::{batch, recredit, redrive};
use accredit_operations::error::OperationError;
use accredit_operations::intake::{IMPORT, IntakeMachine};
use accredit_operations::periods::{self, PeriodAct, PeriodOrder};
use accredit_operations::release::{self, PublishOrder, ReleaseKind};
use accredit_operations::rewards::{self, RewardPlace};
use accredit_operations::runs::{self, RunOrder};
use accredit_operations::void::{self, VoidOrder};
use accredit_operations::{candidate, effect, explain};
use accredit_seams::connector::Connector;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::memory::MemoryStore;
use accredit_workspace::{Files, Ruleset};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

/// The business date of every office: all periods of the histories are over.
const TODAY: &str = "2026-12-10";

/// A clock that moves by a second whenever it is read, and nothing else.
struct Surround(AtomicI64);

impl Surroundings for Surround {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1000, Ordering::SeqCst)
    }

    fn business_date(&self, _zone: &str) -> Date {
        TODAY.parse().unwrap()
    }

    fn connector(&self, _name: &str) -> Option<&'static dyn Connector> {
        None
    }

    fn connectors(&self) -> &'static [&'static dyn Connector] {
        &[]
    }

    fn secrets_of<'a>(
        &'a self,
        _ledger: &Ledger,
        _ruleset: &Ruleset,
    ) -> Result<Box<dyn FnOnce() + 'a>, OperationError> {
        Ok(Box::new(|| ()))
    }

    fn note_activation(&self) {}

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn note_commit(&self, _decisions: &[(String, Vec<Decision>)], _took: Duration) {}

    fn note_refusal(&self) {}
}

/// The files of a workspace.
pub(crate) fn files_of(texts: &[(&str, String)]) -> Files {
    texts.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_str()))).collect()
}

/// A ruleset out of files that have no error.
pub(crate) fn ruleset_of(files: &Files) -> Arc<Ruleset> {
    let (ruleset, findings) = Ruleset::read(files, &Default::default());
    Arc::new(ruleset.unwrap_or_else(|| panic!("refused: {findings:#?}")))
}

fn by() -> Actor {
    Actor { who: "test".to_owned(), approved: None }
}

/// A decision without the ruleset that made it, and the day.
fn without_rules(decision: &Decision) -> Decision {
    let ruleset = RulesetHash::from("");
    let credits = decision.credits.iter().cloned();
    let credits = credits.map(|credit| PostedCredit { ruleset, ..credit }).collect();
    Decision { ruleset, as_of: None, credits, ..decision.clone() }
}

/// Money by payee and unit type.
pub(crate) type Money = BTreeMap<(String, String), Decimal>;

/// A ledger with its ruleset, and how many deliveries came.
pub(crate) struct Office {
    pub(crate) context: Context,
    machines: IntakeMachine,
    sent: usize,
}

impl Office {
    pub(crate) fn open(ruleset: &Arc<Ruleset>) -> Office {
        let ledger = Ledger::open(Arc::new(MemoryStore::default())).unwrap();
        let files = ruleset.files.keys().cloned().collect();
        let row = Activation {
            ruleset: ruleset.hash.to_string(),
            at_ms: 1,
            files,
            plans: ruleset.plan_hashes(),
            ..Activation::default()
        };
        ledger.record_activation(&ruleset.files, row).unwrap();

        let surroundings = Box::new(Surround(AtomicI64::new(1_000_000)));
        let context = Context::new(ledger, Arc::clone(ruleset), surroundings).unwrap();
        run::record_last_run(&context, TODAY.parse().unwrap());
        Office { context, machines: IntakeMachine::default(), sent: 0 }
    }

    /// Rows arrive and are decided.
    pub(crate) fn deliver(&mut self, rows: &[Value]) {
        self.sent += 1;
        let records = read::read_json(&serde_json::to_vec(rows).unwrap()).unwrap();
        let delivery = Delivery {
            source: IMPORT.to_owned(),
            id: format!("msg_{}", self.sent),
            received_ms: 0,
            body: serde_json::to_vec(&records).unwrap(),
            transactions: Vec::new(),
        };
        self.context.ledger.receive_deliveries(&[delivery]).unwrap();
        let mut decide =
            || batch::decide_batch(&self.context, &mut self.machines, (512, 1 << 20)).unwrap();
        while decide().deliveries > 0 {}
        let dead = self.context.ledger.dead_letters(0, 1).unwrap();
        assert!(dead.is_empty(), "a row was not understood: {dead:?}");
    }

    /// Makes a deal void, if it ever came.
    pub(crate) fn void_if_known(&self, deal: &str) {
        if self.context.ledger.find_transaction(deal).unwrap().is_some() {
            self.void(deal);
        }
    }

    pub(crate) fn void(&self, deal: &str) {
        let order =
            VoidOrder { transaction: deal.to_owned(), reason: "cancelled".to_owned(), by: by() };
        void::void_deal(&self.context, order).unwrap();
    }

    /// Closes, reopens or finalizes a period; whether that was possible.
    pub(crate) fn period(&self, id: &str, act: PeriodAct) -> bool {
        let order = PeriodOrder {
            period: id.to_owned(),
            act,
            force: true,
            reason: Some("test".to_owned()),
            by: by(),
        };
        match periods::change_period(&self.context, order, &mut || Ok(())) {
            Ok(_) => true,
            Err(OperationError::Conflict(_)) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    pub(crate) fn finalize(&self, id: &str) {
        assert!(self.period(id, PeriodAct::Finalize));
    }

    /// Releases the rewards of a plan in a period.
    pub(crate) fn confirm(&self, plan: &str, period: &str) {
        let wanted = calculations::release_scope(&self.context, plan, period).unwrap();
        let order = PublishOrder {
            what: ReleaseKind::Rewards,
            force: true,
            reason: Some("test".to_owned()),
            request_key: None,
            by: by(),
        };
        release::publish_calculation(&self.context, &wanted, order).unwrap();
    }

    /// Releases or holds every credit of a deal that can be.
    pub(crate) fn resolve(&self, deal: &str, action: HoldAction) {
        let query = CreditQuery {
            transaction: Some(deal.to_owned()),
            limit: 100,
            ..CreditQuery::within(ReadScope::All)
        };
        for credit in self.context.ledger.credit_page(&query).unwrap().rows {
            let order = accredit_operations::resolve::ResolveOrder {
                credit: credit.id.to_string(),
                action,
                who: "test".to_owned(),
                comment: None,
                approved: None,
            };
            match accredit_operations::resolve::resolve_credit(&self.context, order) {
                // One that was decided again meanwhile may be gone.
                Ok(_) | Err(OperationError::Conflict(_) | OperationError::NotFound(_)) => (),
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// Raises the amount of a deal.
    pub(crate) fn adjust(&self, deal: &str, amount: i64) {
        let order = AdjustOrder {
            subject: AdjustmentSubject::Transaction(deal.to_owned()),
            action: ResolutionAction::AdjustBy,
            amount: Some(amount.into()),
            reason_code: None,
            who: "test".to_owned(),
            comment: None,
            approved: None,
        };
        match adjust::adjust_amount(&self.context, order) {
            Ok(_) | Err(OperationError::NotFound(_)) => (),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// What a change would move in rewards, by payee and unit; none where it is refused.
    pub(crate) fn preview(&self, files: &Files, effective: Effective) -> Option<Money> {
        let current = self.context.ruleset.load_full();
        let all = candidate::with_changes(&current.files, &changed(files));
        let (ruleset, _) = Ruleset::read(&all, &Default::default());
        let moved = effect::money_change(&self.context, &current, &ruleset?, effective).unwrap();
        let lines = moved.money_effect().rewards.biggest.into_iter();
        let money = lines.map(|line| ((line.name, line.unit_type), line.difference));
        Some(money.filter(|(_, moved)| !moved.is_zero()).collect())
    }

    /// Brings a change into force and does all that it asks for; whether it was accepted.
    pub(crate) fn change(&self, files: &Files, effective: Effective) -> bool {
        let terms = ChangeTerms {
            who: "test".to_owned(),
            source: "api".to_owned(),
            effective,
            force: Some("test".to_owned()),
            ..ChangeTerms::default()
        };
        let request = ChangeRequest { files: changed(files), terms, ..ChangeRequest::default() };
        match activation::activate_change(&self.context, &request, |_| Ok(())) {
            Ok(_) => (),
            Err(OperationError::Check(_) | OperationError::Conflict(_)) => return false,
            Err(error) => panic!("{error:?}"),
        }
        self.settle();
        true
    }

    /// Decides again what an activation asked for.
    fn settle(&self) {
        redrive::redrive_when_asked(&self.context).unwrap();
        while let Some(wish) = self.context.ledger.pending_recredit().unwrap() {
            recredit::decide_some(&self.context, wish).unwrap();
        }
    }

    /// Whether what another ruleset decided last is what the rules in force decide, but for what is final.
    pub(crate) fn check_rules_in_force(
        &self,
        is_final: &dyn Fn(&Decision) -> bool,
    ) -> Result<(), String> {
        let ruleset = self.context.ruleset.load_full();
        let ledger = &self.context.ledger;
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut from = 0;
        while let Some((stored, next)) = ledger.records_from(from).unwrap() {
            from = next;
            for deal in stored {
                let resolutions = ledger.transaction_resolutions(&deal.id).unwrap();
                let today = Some(TODAY.parse().unwrap());
                let inputs = explain::decision_inputs(today, &resolutions).unwrap();
                let transaction = Arc::new(decoder.decode(&deal.record));
                let decide = |machine: &mut _| {
                    pipeline::decide_all_plans(&ruleset, &transaction, &inputs, machine)
                };
                let anew: Vec<Decision> =
                    ruleset.with_machine(decide).iter().map(without_rules).collect();

                let others = deal.decisions.iter().filter(|one| one.ruleset != ruleset.hash);
                for other in others.filter(|one| !is_final(one)) {
                    if !anew.contains(&without_rules(other)) {
                        return Err(format!("other rules decided {other:#?}, now {anew:#?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs a calculation to its end.
    pub(crate) fn run(&self, plan: &str, period: &str, mode: &str, rules: Option<RunRules>) {
        let order = RunOrder {
            plan: plan.to_owned(),
            period: period.to_owned(),
            mode: mode.to_owned(),
            selected: Default::default(),
            payees: Default::default(),
            rules,
            dry_run: false,
            who: "test".to_owned(),
        };
        let begun = runs::begin_run(&self.context, order.checked().unwrap()).unwrap();
        let scope = calculations::calculation_scope(&self.context, plan, period).unwrap();
        let mut left = run::look_up(&self.context, &begun, &scope.leaves).unwrap();

        let (mut known, mut changes) = (begun, RunChanges::default());
        while !left.is_empty() {
            let some = run::next_few(&self.context, &mut left).unwrap();
            known = run::decide_step(&self.context, &known, &some, &mut changes).unwrap();
        }
        known.state = RunState::Done;
        self.context.ledger.store_run(&known).unwrap();
        self.context.runs.with_active(Vec::clear);
    }

    /// All reward rows: of one plan after the other, in order of periods.
    pub(crate) fn rewards(&self) -> Vec<EarnedReward> {
        let start = RewardPlace::default();
        let found = rewards::rewards_from(
            &self.context,
            &ReadScope::All,
            (None, None),
            (&start, usize::MAX),
            |_| true,
        );
        found.unwrap().0
    }

    /// The rows of all periods of the year, those that nothing has happened in included.
    pub(crate) fn year(&self) -> Vec<EarnedReward> {
        let ruleset = self.context.ruleset.load_full();
        let year = ruleset.settings.calendar.find("2026").unwrap();
        let plans = ruleset.plans.keys();
        let rows = plans.flat_map(|plan| {
            rewards::rewards_in(&self.context, &ruleset, plan, &year).unwrap().rows
        });
        rows.collect()
    }

    /// All balances.
    pub(crate) fn balances(&self) -> Vec<PayeeBalance> {
        let start = RewardPlace::default();
        let found = rewards::balances_from(
            &self.context,
            &ReadScope::All,
            (None, None),
            (&start, usize::MAX),
            |_| true,
        );
        found.unwrap().0
    }

    /// What is frozen of all plans.
    pub(crate) fn frozen(&self) -> Vec<FrozenRewards> {
        let ruleset = self.context.ruleset.load_full();
        let plans = ruleset.plans.keys();
        plans.flat_map(|plan| self.context.ledger.frozen_rewards(plan).unwrap()).collect()
    }

    /// What is paid in all, by payee and unit.
    pub(crate) fn paid(&self) -> Money {
        let mut sums = Money::new();
        for row in self.rewards() {
            let key = (row.payee.to_string(), row.unit_type.to_string());
            *sums.entry(key).or_default() += row.amount;
        }
        sums.retain(|_, sum| !sum.is_zero());
        sums
    }
}

/// Files as a change has them: one without text goes away.
fn changed(files: &Files) -> BTreeMap<String, Option<Arc<str>>> {
    let one = |(path, text): (&String, &Arc<str>)| {
        let text = (!text.is_empty()).then(|| Arc::clone(text));
        (path.clone(), text)
    };
    files.iter().map(one).collect()
}
