//! Running: each case through the pipeline, over the cores, results in order.
//!
//! Not reading (`sheet`) and not writing of tables (`update`). Called by `cases`.
//!
//! **Architecture invariant:** the number of threads changes nothing that comes out.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::actions;
use super::compare::TableComparison;
use super::delivered;
use super::document::{CaseDefinition, CaseTable};
use super::reach::ReachedFiles;
use super::rows::TableSubject;
use super::sheet::{CaseTrial, ExampleRows, PreparedFile};
use super::update::TableEdit;
use super::{CaseFileRun, CaseOptions, CaseOutcome, CaseRun};
use accredit_crediting::calculation::{self, books};
use accredit_crediting::explain::explain_in_plan;
use accredit_crediting::reward::{self, PlanRewards};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::calendar::Period;
use accredit_domain::decision::Decision;
use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::{Record, Transaction};
use accredit_script::Machine;
use accredit_workspace::{Files, Ruleset};

/// Cases that a worker takes at a time.
const BLOCK_CASES: usize = 32;

/// Stack of a worker: the deepest legal script needs a part of it.
const WORKER_STACK_BYTES: usize = 16 << 20;

/// Transactions whose steps are shown with one failure.
const TRACES_MAX: usize = 3;

/// Runs every case of `files` (path and text) on top of `base`.
pub(super) fn run_files<'a>(
    base: &'a Files,
    files: &[(&'a str, &'a str)],
    options: &CaseOptions,
) -> CaseRun {
    let read =
        |_: &mut (), file: &(&'a str, &'a str)| PreparedFile::prepare_file(base, options, *file);

    let sheets = map_on_threads(options.threads, files, || (), read);

    let mut blocks: Vec<(usize, &PreparedFile<'_>, Range<usize>)> = Vec::new();
    for (index, sheet) in sheets.iter().enumerate() {
        let Ok(sheet) = sheet else { continue };
        let count = sheet.trials.len();
        // Cases of one file go to several workers, in blocks that share a ruleset and its machine.
        let starts = (0..count).step_by(BLOCK_CASES);
        blocks.extend(starts.map(|start| (index, sheet, start..count.min(start + BLOCK_CASES))));
    }

    let worker = || CaseWorker { options, cached: None };
    let outcomes = map_on_threads(options.threads, &blocks, worker, |worker, (_, sheet, range)| {
        let trials = sheet.trials.get(range.clone()).unwrap_or_default();
        let mut reached = ReachedFiles::default();
        let wanted = trials.iter().filter(|trial| worker.matches_filter(sheet, trial));
        let wanted: Vec<&CaseTrial> = wanted.collect();
        let outcomes: Vec<CaseOutcome> =
            wanted.into_iter().map(|trial| worker.run_trial(sheet, trial, &mut reached)).collect();

        if options.traced {
            worker.release_machine(&mut reached);
        }
        (outcomes, reached)
    });

    let mut run = CaseRun::default();
    for ((path, _), sheet) in files.iter().zip(&sheets) {
        let outcomes = sheet.as_ref().map(|_| Vec::new()).map_err(Clone::clone);
        run.files.push(CaseFileRun { path: (*path).to_owned(), outcomes });
    }

    // Results are sorted into the order of the cases, so the order of the workers does not matter.
    for ((index, ..), (outcomes, reached)) in blocks.iter().zip(outcomes) {
        let file = run.files.get_mut(*index).map(|file| &mut file.outcomes);
        if let Some(Ok(known)) = file {
            known.extend(outcomes);
        }
        run.reached.merge(reached);
    }

    if options.traced {
        sheets.iter().flatten().for_each(|sheet| sheet.add_reached(&mut run.reached));
        run.reached.add_unreached(base);
    }

    run
}

/// Does something with every item on several workers; results in order of the items.
fn map_on_threads<T: Sync, W, R: Send>(
    threads: usize,
    items: &[T],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));

    let all = || {
        let mut state = worker();
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            let result = work(&mut state, item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };

    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
            // A worker that cannot be started is a worker less: the others take its work.
            if builder.spawn_scoped(scope, all).is_err() {
                all();
            }
        }
    });

    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// One thread's programs, compiled once as long as cases share a ruleset.
struct CaseWorker<'w> {
    options: &'w CaseOptions,
    cached: Option<CachedMachine<'w>>,
}

struct CachedMachine<'w> {
    sheet: &'w PreparedFile<'w>,
    trial: &'w CaseTrial,
    ruleset: Arc<Ruleset>,
    machine: Machine,
}

/// What one case decided on, and what it decided.
struct TrialDecisions {
    inputs: DecisionInputs,
    transactions: Vec<Arc<Transaction>>,
    decisions: Vec<Decision>,
    /// Of the case's period, where it has one.
    rewards: PlanRewards,
}

impl<'w> CaseWorker<'w> {
    fn matches_filter(&self, sheet: &PreparedFile<'_>, trial: &CaseTrial) -> bool {
        let Some(filter) = self.options.filter.as_deref() else { return true };
        let name = trial_name(sheet, trial).unwrap_or_default();
        name.contains(filter) || sheet.path.contains(filter)
    }

    fn run_trial(
        &mut self,
        sheet: &'w PreparedFile<'w>,
        trial: &'w CaseTrial,
        reached: &mut ReachedFiles,
    ) -> CaseOutcome {
        let mut outcome = CaseOutcome {
            name: trial_name(sheet, trial).unwrap_or_default(),
            line: trial_line(sheet, trial),
            ..CaseOutcome::default()
        };

        let Some(case) = sheet.file.cases.get(trial.case) else { return outcome };

        let began = self.options.clock.map(|clock| clock());
        match self.decide_trial(sheet, trial, case, reached) {
            Ok(decided) => {
                self.compare_tables(sheet, (trial, case), &decided, &mut outcome);
                outcome.decisions = decided.decisions;
            }
            Err(failures) => outcome.failures = failures,
        }

        // The engine reads no clock: the caller hands one in, if times are wanted.
        let ended = self.options.clock.map(|clock| clock());
        outcome.took = ended.zip(began).map(|(ended, began)| ended.saturating_sub(began));
        outcome
    }

    /// The decisions of a case, by plan, then incentive date and natural key.
    fn decide_trial(
        &mut self,
        sheet: &'w PreparedFile<'w>,
        trial: &'w CaseTrial,
        case: &CaseDefinition,
        reached: &mut ReachedFiles,
    ) -> Result<TrialDecisions, Vec<Diagnostic>> {
        let records = trial.records.as_ref().map_err(|error| vec![error.clone()])?;
        check_can_fail(sheet, trial, case)?;

        let ruleset = sheet.ruleset_of_trial(trial)?;
        let wrong = |index: usize, message: String, help: Option<String>| {
            let line = case.lines.get(index).copied().flatten().unwrap_or(case.line);
            let place = Place::new(sheet.path, line, 1);
            vec![Diagnostic { help, ..Diagnostic::error(Code::CR041, place, message) }]
        };

        let period = match &case.period {
            Some(id) => {
                let period = ruleset.settings.calendar.find(id);
                let help = "write the id of one, such as 2022-03 or 2022-Q1".to_owned();
                let message = format!("there is no period `{id}`");
                Some(period.ok_or_else(|| wrong(0, message, Some(help)))?)
            }
            None => None,
        };

        if let Some(plan) = case.plan.as_ref().filter(|p| !ruleset.plans.contains_key(p.as_str())) {
            let help = did_you_mean(plan, ruleset.plans.keys().map(|known| &**known));
            return Err(wrong(1, format!("there is no plan `{plan}`"), help));
        }

        let machine = self.machine_for_trial(sheet, trial, ruleset, reached);
        let mut records = records.clone();
        for body in sheet.delivered_bodies(trial) {
            records.extend(delivered::records_of_body(sheet.path, body, ruleset, machine)?);
        }
        let records = &records;

        let transactions = calculation::latest_versions(ruleset, records, case.as_of);
        let actions = actions::parse_actions(sheet.path, case)?;
        let mut inputs = DecisionInputs { as_of: case.as_of, ..DecisionInputs::default() };

        let trial = TrialRules {
            ruleset,
            plan: case.plan.as_deref(),
            records,
            transactions: &transactions,
            replayed: !ruleset.settings.calendar.locks_before(case.as_of).is_empty(),
        };

        let mut decisions = trial.decide(&inputs, machine, period.as_ref());
        // An action means credits that the one before it may have made or moved.
        for action in actions {
            let found = action.resolve_credits(sheet.path, &decisions)?;
            inputs.resolutions.extend(found);
            decisions = trial.decide(&inputs, machine, period.as_ref());
        }

        let rewards = match &period {
            Some(period) => trial.rewards_in(period, &inputs, machine, &decisions),
            None => PlanRewards::default(),
        };
        if trial.replayed {
            inputs.as_of = books::calculation_inputs(ruleset, case.as_of).as_of;
        }

        Ok(TrialDecisions { inputs, transactions, decisions, rewards })
    }

    fn machine_for_trial(
        &mut self,
        sheet: &'w PreparedFile<'w>,
        trial: &'w CaseTrial,
        ruleset: &Arc<Ruleset>,
        reached: &mut ReachedFiles,
    ) -> &mut Machine {
        let same = |desk: &CachedMachine<'_>| Arc::ptr_eq(&desk.ruleset, ruleset);
        if !self.cached.as_ref().is_some_and(same) {
            self.release_machine(reached);
        }

        let traced = self.options.traced;
        let desk = self.cached.get_or_insert_with(|| {
            let programs = &ruleset.programs;
            let machine =
                if traced { Machine::with_coverage(programs) } else { Machine::new(programs) };
            CachedMachine { sheet, trial, ruleset: Arc::clone(ruleset), machine }
        });

        &mut desk.machine
    }

    /// Puts away the machine, with what it counted.
    fn release_machine(&mut self, reached: &mut ReachedFiles) {
        if let Some(desk) = self.cached.take() {
            reached.add_covered(
                desk.sheet,
                desk.sheet.definition_blocks(desk.trial),
                desk.machine.collect_coverage(),
            );
        }
    }

    fn compare_tables(
        &mut self,
        sheet: &PreparedFile<'_>,
        (trial, case): (&CaseTrial, &CaseDefinition),
        decided: &TrialDecisions,
        outcome: &mut CaseOutcome,
    ) {
        let tables = case.tables.iter().enumerate().filter(|(_, table)| !table.is_actions());
        let example = trial.example;
        let tables = tables.filter(|(index, _)| example.is_none_or(|one| one.table == *index));

        for (_, table) in tables {
            let subject = TableSubject::of_table(table);
            let place = Place::new(sheet.path, example.map_or(table.line, |_| outcome.line), 1);
            let (given, header) =
                table.header.split_at(table.arrow_index().map_or(0, |arrow| arrow + 1));
            let expected = expected_rows(table, example, given.len());

            if subject == TableSubject::Rewards && case.period.is_none() {
                let message = "a table of rewards needs a line `period: ID`".to_owned();
                outcome.failures.push(Diagnostic::error(Code::CR041, place, message));
                continue;
            }

            let mut actual = subject.actual_rows(&decided.decisions, header, &expected);
            actual.extend(subject.reward_rows(&decided.rewards, header, &expected));
            let (line, any_order) =
                (example.map_or(table.row_line(0), |_| outcome.line), case.any_order);
            let comparison = TableComparison { subject, header, line, expected, actual, any_order };

            if comparison.is_same() {
                continue;
            }

            let row = example.and_then(|example| table.rows.get(example.row));
            let given = row.and_then(|row| row.get(..given.len())).unwrap_or_default();
            outcome.edits.push(TableEdit::for_comparison(&comparison, given));

            let message = format!("case `{}`: the {} differ", outcome.name, subject.plural_name());
            let help = format!(
                "{}{}",
                comparison.render_difference(),
                self.render_traces(&comparison, decided)
            );
            outcome.failures.push(Diagnostic::error(Code::CR040, place, message).with_help(help));
        }
    }

    /// How the transactions of rows that differ were decided, step by step.
    fn render_traces(
        &mut self,
        comparison: &TableComparison<'_>,
        decided: &TrialDecisions,
    ) -> String {
        let Some(desk) = &mut self.cached else { return String::new() };
        let about = comparison.differing_rows();

        let alone = decided.transactions.len() == 1;
        let wanted = |transaction: &&Arc<Transaction>| {
            alone || about.iter().any(|(id, _)| *id == &*transaction.id)
        };

        let mut text = String::new();
        for transaction in decided.transactions.iter().filter(wanted).take(TRACES_MAX) {
            let plans = about.iter().filter(|(id, _)| alone || *id == &*transaction.id);
            let plans: Vec<&str> = plans.map(|(_, plan)| *plan).filter(|p| !p.is_empty()).collect();
            let ruleset = &desk.ruleset;

            for plan in ruleset.plans.values() {
                if !plans.is_empty() && !plans.contains(&&*plan.id) {
                    continue;
                }

                let why =
                    explain_in_plan(ruleset, plan, transaction, &decided.inputs, &mut desk.machine);
                let outcome = format!("{:?}", why.outcome).to_lowercase();
                let id = Some(&*why.transaction).filter(|id| !id.is_empty()).unwrap_or("(no id)");
                text.push_str(&format!("{id} in plan {}: {outcome}\n", why.plan));

                for step in &why.steps {
                    text.push_str(&format!("  {:12} {}\n", step.stage, step.message));
                }
                for reason in &why.reasons {
                    let (stage, code) = (&reason.stage, &reason.code);
                    text.push_str(&format!("  {stage:12} {code}: {}\n", reason.message));
                }
            }
        }

        text
    }
}

/// A case without a transaction expects something: otherwise it would pass with any rules.
fn check_can_fail(
    sheet: &PreparedFile<'_>,
    trial: &CaseTrial,
    case: &CaseDefinition,
) -> Result<(), Vec<Diagnostic>> {
    let given = trial.records.as_ref().is_ok_and(|records| !records.is_empty())
        || sheet.delivered_bodies(trial).next().is_some();

    let expected = case.tables.iter().any(|table| !table.is_actions() && !table.rows.is_empty());
    if given || expected {
        return Ok(());
    }

    let message =
        format!("case `{}` has no transaction and an empty table, so it can never fail", case.name);

    let help = "add a `csv transactions` block with the deal that the case is about";
    let place = Place::new(sheet.path, case.line, 1);
    Err(vec![Diagnostic::error(Code::CR041, place, message).with_help(help)])
}

/// The rules and rows of a case.
struct TrialRules<'a> {
    ruleset: &'a Ruleset,
    /// The plan that the case is about; none for all plans.
    plan: Option<&'a str>,
    records: &'a [Record],
    transactions: &'a [Arc<Transaction>],
    /// Whether periods are closed or finalized: then a decision depends on what each of them froze.
    replayed: bool,
}

impl TrialRules<'_> {
    fn plans(&self) -> impl Iterator<Item = &Plan> {
        let plans = self.ruleset.plans.values();
        plans.filter(|plan| self.plan.is_none_or(|wanted| *wanted == *plan.id))
    }

    /// The decisions of the plans, in one period or in all.
    fn decide(
        &self,
        inputs: &DecisionInputs,
        machine: &mut Machine,
        period: Option<&Period>,
    ) -> Vec<Decision> {
        if self.replayed {
            let books = books::build_resolved_books(self.ruleset, self.records, inputs, 1);
            return self
                .plans()
                .flat_map(|plan| books.period_decisions(&plan.id, period))
                .collect();
        }

        let decided = self.transactions.iter();
        let decided: Vec<_> =
            decided.map(|tx| calculation::decide_deal(self.ruleset, tx, inputs, machine)).collect();
        let decisions = self.plans().flat_map(|plan| {
            calculation::period_decisions(self.ruleset, &plan.id, period, &decided)
        });
        decisions.collect()
    }

    /// What the plans pay in a period, of which these are the `decisions`.
    fn rewards_in(
        &self,
        period: &Period,
        inputs: &DecisionInputs,
        machine: &mut Machine,
        decisions: &[Decision],
    ) -> PlanRewards {
        let mut rewards = PlanRewards::default();
        if self.replayed {
            let books = books::build_resolved_books(self.ruleset, self.records, inputs, 1);
            self.plans().for_each(|plan| rewards.append(books.rewards_of(&plan.id, period)));
            return rewards;
        }

        // Rewards may follow from credits of earlier periods, which the case does not list.
        let remembers = self.plans().any(|plan| reward::needs_history(self.ruleset, plan));
        let all = remembers.then(|| self.decide(inputs, machine, None));
        let decisions = all.as_deref().unwrap_or(decisions);

        for plan in self.plans() {
            let mine = decisions.iter().filter(|decision| decision.plan == *plan.id);
            let credits = mine.flat_map(|decision| &decision.credits);
            rewards.append(reward::compute_rewards(self.ruleset, plan, period, credits));
        }
        rewards
    }
}

fn expected_rows(table: &CaseTable, example: Option<ExampleRows>, given: usize) -> Vec<&[String]> {
    let (first, count) = example.map_or((0, usize::MAX), |example| (example.row, example.count));
    let rows = table.rows.iter().skip(first).take(count);
    rows.map(|row| row.get(given..).unwrap_or_default()).collect()
}

fn trial_name(sheet: &PreparedFile<'_>, trial: &CaseTrial) -> Option<String> {
    let case = sheet.file.cases.get(trial.case)?;
    let Some(example) = trial.example else { return Some(case.name.clone()) };
    let cells = case.tables.get(example.table)?.rows.get(example.row)?;
    let given = cells.iter().find(|cell| !cell.is_empty());
    Some(format!("{}: {}", case.name, given.map_or("", String::as_str)))
}

fn trial_line(sheet: &PreparedFile<'_>, trial: &CaseTrial) -> u32 {
    let Some(case) = sheet.file.cases.get(trial.case) else { return 0 };
    let example = trial.example.and_then(|one| Some(case.tables.get(one.table)?.row_line(one.row)));
    example.unwrap_or(case.line)
}
