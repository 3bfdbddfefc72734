//! `accredit eval` of a reward policy: on the totals and the quota of one payee in a period, or on values
//! that are given.
//!
//! Not what is paid: nothing is rounded, exchanged, divided among members or kept below a maximum.
//! Called by `eval`. Source: FORMAT section 5 (`reward`), scripts/README.md.
//!
//! **Architecture invariant:** what a policy sees without given values is what a calculation shows
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::calculation::books;
use accredit_crediting::explain::find_payee;
use accredit_crediting::reward::{self, ClaimContext};
use accredit_domain::calendar::{Period, Validity};
use accredit_domain::keys::DefinedName;
use accredit_domain::plan::reward::{PayoutFormula, Reward, RewardRecipient};
use accredit_domain::plan::{Measure, Plan, Selector};
use accredit_domain::policy::Program;
use accredit_script::{Machine, PayeeView, ScriptAnswer, TotalsView, trace};
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{EvalArguments, TrialRun, TrialSubject, nothing_found, print_trial};
use crate::cli::print::output::DataFormat;
use crate::cli::results::calculate::LoadedDirectory;

/// What a reward policy is tried with.
#[derive(Debug, clap::Args)]
pub(super) struct RewardTrialArguments {
    /// For a reward policy: the payee whose totals and quota it sees, as an id, name, alias or
    /// team.
    #[arg(long, value_name = "NAME")]
    payee: Option<String>,
    /// For a reward policy: the period whose credits are summed.
    #[arg(long, requires = "payee")]
    period: Option<String>,
    /// The value of `totals.credited`, instead of the credited amount.
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    credited: Option<Decimal>,
    /// The total of a credit type, instead of the credited amount; may be repeated.
    #[arg(long, value_name = "TYPE=AMOUNT")]
    total: Vec<String>,
    /// The quota, instead of the period's quota.
    #[arg(long, value_name = "AMOUNT")]
    quota: Option<Decimal>,
    /// The unit of the credits, where the payee has several.
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
}

/// The payee that a reward policy was run on. Amounts are decimals as text.
#[derive(Debug, Serialize)]
pub(super) struct TrialPayee {
    /// The id of the participant or team.
    payee: String,
    /// Id of the plan whose credits were summed; null where the amounts were given.
    plan: Option<String>,
    /// Id of the period; blank without one.
    period: String,
    /// The unit of the amounts.
    unit_type: String,
    /// What the policy sees as `totals.credited`.
    credited: String,
    /// The total of each credit type.
    totals: BTreeMap<String, String>,
    /// The quota of the period.
    quota: Option<String>,
}

/// Runs a reward policy; exit 3 when there is nothing to run it on.
pub(super) fn run_reward(
    arguments: &EvalArguments,
    loaded: &LoadedDirectory,
    program: &Program,
) -> u8 {
    let (plan, seen) = match reward_context(arguments, loaded, program) {
        Ok(found) => found,
        Err(message) => return nothing_found(&message),
    };
    let mut programs = loaded.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let answer = Machine::new(&programs).run_reward(id, &seen.reward_arguments());
    let steps = match arguments.explain {
        true => trace::trace_reward(program, &seen.reward_arguments()).unwrap_or_default(),
        false => Vec::new(),
    };

    let (who, totals) = (&seen.payee, &seen.totals);
    let quota = seen.quota.map(|quota| quota.to_string());

    if arguments.format != DataFormat::Json {
        let quota = quota.as_deref().unwrap_or("none");
        let credited = format!("{} {}", totals.credited, who.unit_type);
        eprintln!("{} {}: credited {credited}, quota {quota}", who.id, who.period);
    }

    let types = totals.by_credit_type.iter();
    let types = types.map(|(name, total)| (name.to_string(), total.to_string()));

    let trial = TrialRun {
        about: TrialSubject::Payee(TrialPayee {
            payee: who.id.to_string(),
            plan,
            period: who.period.to_string(),
            unit_type: who.unit_type.to_string(),
            credited: totals.credited.to_string(),
            totals: types.collect(),
            quota,
        }),
        answer: answer.map(|answer| trace::show_answer(&ScriptAnswer::Number(answer)).into()),
        steps,
    };

    print_trial(arguments, program, &trial)
}

/// What the policy sees, and of which plan.
fn reward_context(
    arguments: &EvalArguments,
    loaded: &LoadedDirectory,
    program: &Program,
) -> Result<(Option<String>, ClaimContext), String> {
    let (asked, ruleset) = (&arguments.reward, &loaded.ruleset);
    let given = asked.credited.is_some() || !asked.total.is_empty() || asked.quota.is_some();
    let payee = asked.payee.as_deref().unwrap_or_default();

    if payee.is_empty() && !given {
        return Err("a reward policy needs --payee and --period, or --credited, --total, \
                    --quota"
            .to_owned());
    }

    let period = asked.period.as_deref().map(|id| {
        let found = ruleset.settings.calendar.find(id);
        found.ok_or_else(|| format!("there is no period `{id}`"))
    });
    let period = period.transpose()?;
    let payee = match &period {
        Some(period) => payee_in_period(ruleset, payee, period)?,
        None => payee_of_any_period(ruleset, payee)?,
    };
    let found =
        period.as_ref().and_then(|it| credited_context(arguments, loaded, program, (&payee, it)));

    let (plan, types, mut seen) = match found {
        Some((plan, types, seen)) => (Some(plan), types, seen),
        None if given => (None, Vec::new(), blank_context(ruleset, &payee, period.as_ref())),
        None if period.is_none() => return Err("name the period with --period".to_owned()),
        None => {
            let period = period.map(|period| period.id).unwrap_or_default();
            return Err(format!("`{payee}` has no credits that count in {period}"));
        }
    };

    if let Some(credited) = asked.credited.filter(|_| asked.total.is_empty()) {
        let counting = if types.is_empty() { &ruleset.settings.credit_types } else { &types };
        split_is_clear(credited, counting, program)?;
    }

    replace_totals(ruleset, asked, &types, &mut seen)?;

    Ok((plan, seen))
}

/// The id of a payee or team that a name means on the last day of a period: a position means its
/// holder.
fn payee_in_period(ruleset: &Ruleset, name: &str, period: &Period) -> Result<String, String> {
    let organization = &ruleset.organization;
    let last = last_day(period);
    let payee = find_payee(ruleset, name, Some(last));
    let payee = payee.map(|payee| Arc::from(organization.participant_id(payee)));
    let team = || {
        let teams = organization.teams.resolve_name(name, last);
        teams.first().map(|team| Arc::<str>::from(organization.team_id(*team)))
    };

    if let Some(id) = payee.or_else(team) {
        return Ok(id.to_string());
    }

    match organization.resolve_name(name, last).positions.as_slice() {
        [] => Ok(name.to_owned()),
        [position] => {
            let position = organization.position_id(*position);
            Err(format!("nobody holds the position `{position}` on {last}; name a payee"))
        }

        several => {
            let positions = several.iter().map(|one| organization.position_id(*one).to_string());
            let positions = positions.collect::<Vec<_>>().join("`, `");
            Err(format!("`{name}` means the positions `{positions}`; name a payee"))
        }
    }
}

/// A payee without a period: a position has no holder then, so it is refused with the names of
/// those who held it.
fn payee_of_any_period(ruleset: &Ruleset, name: &str) -> Result<String, String> {
    let organization = &ruleset.organization;
    let Some(position) = organization.find_position(name) else { return Ok(name.to_owned()) };

    if organization.find_participant(name).is_some() {
        return Ok(name.to_owned());
    }

    let holders = organization.all_holders(position).into_iter();
    let holders: Vec<String> =
        holders.map(|holder| organization.participant_id(holder).to_string()).collect();

    match holders.as_slice() {
        [] => Err(format!("`{name}` is a position that nobody has held; name a payee")),
        [one] => Err(format!("`{name}` is a position; its payee is `{one}`: write --payee {one}")),
        _ => {
            let holders = holders.join("`, `");
            Err(format!(
                "`{name}` is a position, held by `{holders}`; name one of them, or add --period"
            ))
        }
    }
}

fn last_day(period: &Period) -> Date {
    period.end.yesterday().unwrap_or(period.first)
}

/// The plan, the credit types that count, and what the policy sees of a payee: of the first reward
/// that is paid by it, or of any credits where none is yet.
fn credited_context(
    arguments: &EvalArguments,
    loaded: &LoadedDirectory,
    program: &Program,
    (payee, period): (&str, &Period),
) -> Option<(String, Vec<DefinedName>, ClaimContext)> {
    let ruleset = &loaded.ruleset;
    let books = books::build_books(ruleset, &loaded.records, None, 1);
    let plans = ruleset.plans.values();
    let plans: Vec<&Plan> =
        plans.filter(|plan| arguments.plan.as_deref().is_none_or(|id| id == &*plan.id)).collect();

    let by_it = |reward: &&Reward| match reward.worth {
        PayoutFormula::Program(id) => {
            let known = ruleset.programs.get(id);
            known.is_some_and(|known| known.origin.place.file == program.origin.place.file)
        }
        PayoutFormula::Tiers(_) | PayoutFormula::TableTiers(_) => false,
    };

    let used = plans.iter().any(|plan| plan.rewards.iter().any(|reward| by_it(&reward)));
    plans.into_iter().find_map(|plan| {
        let credits = books.calculation_of(&plan.id, period).credits;
        let rewards: Vec<Reward> = if used {
            plan.rewards.iter().filter(by_it).cloned().collect()
        } else {
            let types = credits.iter().map(|credit| credit.credit_type.as_str());
            vec![stand_in(plan, types.collect(), program)]
        };

        rewards.into_iter().find_map(|reward| {
            let all = reward::claim_contexts(ruleset, plan, &reward, period, &credits);
            let wanted = arguments.reward.unit.as_deref();
            let mine = all.into_iter().find(|seen| {
                *seen.payee.id == *payee && wanted.is_none_or(|unit| unit == &*seen.payee.unit_type)
            });
            mine.map(|seen| (plan.id.to_string(), reward.credit_types, seen))
        })
    })
}

/// A reward for anyone who was credited, of every credit type.
fn stand_in(plan: &Plan, types: BTreeSet<&str>, program: &Program) -> Reward {
    let to = if plan.measure == Measure::Team {
        RewardRecipient::Members
    } else {
        RewardRecipient::Credited
    };
    Reward {
        name: Arc::clone(&program.name),
        credit_types: types.into_iter().map(DefinedName::from).collect(),
        to,
        worth: PayoutFormula::Tiers(accredit_domain::plan::reward::Tiers {
            tiers: Vec::new(),
            retroactive: false,
        }),
        maximum: None,
        validity: Validity::default(),
        targets: vec![Selector::All],
        to_date: None,
        whole_span_quota: false,
        everyone: false,
    }
}

/// What is seen of a person without credits: the person on the last day of the period.
fn blank_context(ruleset: &Ruleset, payee: &str, period: Option<&Period>) -> ClaimContext {
    let organization = &ruleset.organization;
    let person = organization.find_participant(payee);

    let seat = person.zip(period).and_then(|(person, period)| {
        let last = last_day(period);
        let seat = organization.positions_held_by(person, last).into_iter().next()?;
        Some((seat, organization.version_on(seat, last)?))
    });

    let name = person.map_or_else(|| Arc::from(payee), |it| organization.participant_name(it));
    let team = organization.teams.find(payee).map(|team| Arc::from(organization.team_id(team)));
    let settings = &ruleset.settings;
    let types = settings.credit_types.iter().map(|name| (Arc::clone(name.shared()), Decimal::ZERO));

    ClaimContext {
        payee: Arc::new(PayeeView {
            id: Arc::from(payee),
            name,
            position: seat.map(|(seat, _)| organization.position_id(seat)),
            title: seat.map(|(_, version)| version.title),
            team: team.filter(|_| person.is_none()),
            period: Arc::from(period.map_or("", |period| period.id.as_str())),
            unit_type: Arc::from(settings.units.name(settings.currency)),
            last_day: period.map(last_day),
            reference: Arc::clone(&ruleset.reference),
        }),
        totals: Arc::new(TotalsView {
            credited: Decimal::ZERO,
            by_credit_type: types.collect(),
            count: 0,
        }),
        quota: None,
        earned: Arc::default(),
        paid: Arc::default(),
        standing: Arc::default(),
    }
}

/// Puts given values in the place of those that were found.
fn replace_totals(
    ruleset: &Ruleset,
    asked: &RewardTrialArguments,
    types: &[DefinedName],
    seen: &mut ClaimContext,
) -> Result<(), String> {
    let declared = &ruleset.settings.credit_types;
    let mut totals = TotalsView::clone(&seen.totals);

    for given in &asked.total {
        let (name, amount) = given.split_once('=').ok_or("a total is written TYPE=AMOUNT")?;
        let amount: Decimal = amount.parse().map_err(|_| format!("`{amount}` is not an amount"))?;
        if !declared.is_empty() && !declared.iter().any(|known| **known == *name) {
            return Err(format!("there is no credit type `{name}`"));
        }
        totals.by_credit_type.insert(Arc::from(name), amount);
    }

    if !asked.total.is_empty() {
        let counts = |name: &Arc<str>| types.is_empty() || types.iter().any(|one| *one == **name);
        let sum = totals.by_credit_type.iter().filter(|(name, _)| counts(name));
        totals.credited = sum
            .map(|(_, amount)| *amount)
            .fold(Decimal::ZERO, |sum, amount| sum.saturating_add(amount));
    } else if let Some(credited) = asked.credited {
        // The whole is of the only type that counts.
        let only = if types.is_empty() { declared.as_slice() } else { types };
        let others = totals.by_credit_type.keys().map(DefinedName::from).collect::<Vec<_>>();
        if let [one] = if only.is_empty() { others.as_slice() } else { only } {
            totals.by_credit_type.insert(Arc::clone(one.shared()), credited);
        }
    }

    totals.credited = asked.credited.unwrap_or(totals.credited);
    seen.totals = Arc::new(totals);
    seen.quota = asked.quota.or(seen.quota);

    Ok(())
}

/// Whether one amount is all that the policy reads: where a single type counts, or where it reads
/// `totals.credited` alone.
fn split_is_clear(
    credited: Decimal,
    counting: &[DefinedName],
    program: &Program,
) -> Result<(), String> {
    let lines = program.source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.map(|line| format!("{line}\n")).collect();
    let code = code.replace("(payee, totals, quota)", "");
    let mut reads = code.split("totals").skip(1);

    if counting.len() < 2 || reads.all(|rest| rest.starts_with(".credited")) {
        return Ok(());
    }

    let example = counting.iter().map(|name| format!(" --total {name}=AMOUNT"));
    let example: String = example.collect();

    Err(format!(
        "--credited {credited} does not name its credit type, and {} count: write{example}",
        counting.len()
    ))
}
