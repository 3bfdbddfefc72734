//! Where policies have a say: the nearest word wins, and what each kind is asked and may answer.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::names::{self, Named};
use super::rolling::Path;
use super::scripts::{self, Answer, Found, Names, of_plan, reach, run, seen};
use super::{Case, Row, Status, payee, periods, settings};
use crate::oracle::scripts::Kind;
use crate::oracle::world::{Hold, Keep, Outcome, Plan, Test, Tx, Value, World};

const ERROR: &str = "policy_error";

/// Whether the plan lets the transaction in.
pub(super) fn lets_in(world: &World, plan: &Plan, tx: &Tx) -> Answer<bool> {
    let test = match (plan.filter, of_plan(world, plan, Kind::Filter)) {
        (Test::Always, Some(place)) => {
            reach("script: filter by plan");
            Test::Policy(place)
        }
        (written, _) => written,
    };
    settings::holds_true((world, plan), test, tx)
}

pub(super) fn includes((world, plan): (&World, &Plan), place: usize, tx: &Tx) -> Answer<bool> {
    match run((world, plan, tx), place, Vec::new())? {
        Found::Bool(included) => {
            reach(if included { "script: filter lets in" } else { "script: filter keeps out" });
            Ok(included)
        }
        _ => Err(ERROR),
    }
}

/// Whether an expression is true of the transaction.
pub(super) fn is_so((world, plan): (&World, &Plan), place: usize, tx: &Tx) -> Answer<bool> {
    match scripts::inline((world, plan, tx), place, Vec::new())? {
        Found::Bool(flag) => Ok(flag),
        _ => Err(ERROR),
    }
}

/// What a crediting policy answers: a text, names with weights, or nobody.
pub(super) enum Whom {
    Text(String),
    Shares(Vec<(String, Option<Decimal>)>),
}

/// Whom a crediting policy names: that of the plan, or one by name.
pub(super) fn whom(case: Case<'_>, named: Option<usize>) -> Answer<Whom> {
    reach(if named.is_some() { "script: crediting by name" } else { "script: crediting by plan" });
    let place = named.or_else(|| of_plan(case.world, case.plan, Kind::Crediting)).unwrap();
    match run((case.world, case.plan, case.tx), place, Vec::new())? {
        Found::Text(text) => {
            reach("script: crediting text");
            Ok(Whom::Text(text))
        }
        Found::Nothing => {
            reach("script: crediting nobody");
            Ok(Whom::Shares(Vec::new()))
        }
        Found::Array(items) => {
            reach("script: crediting shares");
            let mut shares = Vec::new();
            for item in items {
                let Found::Share(who, weight) = item else { return Err(ERROR) };
                if weight.is_some_and(|weight| weight < Decimal::ZERO) {
                    return Err(ERROR);
                }
                shares.push((who, weight));
            }
            // The names of a share are read once the whole answer is one.
            let mut all = Vec::new();
            for (who, weight) in shares {
                all.extend(each(&who, weight)?);
            }
            Ok(Whom::Shares(all))
        }
        _ => Err(ERROR),
    }
}

/// A share's text may name several: without weights of their own they have equal parts of its
/// weight, the first with what division leaves; their own weights are parts of it.
fn each(who: &str, weight: Option<Decimal>) -> Answer<Vec<(String, Option<Decimal>)>> {
    let mut parts = names::parts(who)?;
    let Some(weight) = weight else { return Ok(parts) };
    let count = Decimal::from(parts.len());
    let own = parts.iter().filter(|(_, own)| own.is_some()).count();
    if own != 0 && own != parts.len() {
        return Err("mixed_weights");
    }
    let part = weight / count;
    for (place, (_, own)) in parts.iter_mut().enumerate() {
        *own = Some(match own {
            Some(own) => weight * *own,
            None if place == 0 => weight - part * (count - Decimal::ONE),
            None => part,
        });
    }
    Ok(parts)
}

/// A policy, or an expression of a result: how it is run, and its place.
type Program = (fn((&World, &Plan, &Tx), usize, Names) -> Answer, usize);

/// What the whole deal is worth.
pub(super) fn deal(case: Case<'_>, result: &Outcome, named: &[Named]) -> Answer<Decimal> {
    let program: Program = match (result.value, of_plan(case.world, case.plan, Kind::Value)) {
        (Value::Policy(place), _) => {
            reach("script: value by name");
            (run, place)
        }
        (Value::Default, Some(place)) => {
            reach("script: value by plan");
            (run, place)
        }
        (Value::Inline(place), _) => (scripts::inline, place),
        _ => return settings::value(result, case.tx, None).map(Option::unwrap),
    };
    let first = named.iter().find(|named| !named.takers.is_empty()).unwrap();
    let taker = first.takers.iter().find(|(seat, _)| !seat.is_empty()).unwrap();
    let to = scripts::recipient(case, &taker.0, first.team.as_ref());
    match (program.0)((case.world, case.plan, case.tx), program.1, vec![("to", to)])? {
        Found::Number(value) => Ok(value),
        _ => Err(ERROR),
    }
}

/// What a candidate gets, and what else a rollup policy says about it.
#[derive(Default)]
pub(super) struct Worth {
    pub(super) amount: Decimal,
    pub(super) credit_type: Option<String>,
    pub(super) hold: Option<Hold>,
    pub(super) maximum: Option<Decimal>,
    /// A policy said it, in the result's unit.
    pub(super) by_policy: bool,
}

/// What a candidate gets; nothing where the policy says that there is none.
pub(super) fn candidate(
    case: Case<'_>,
    result: &Outcome,
    (source, path): (&Row, &Path),
    rows: &[Row],
) -> Answer<Option<Worth>> {
    let program: Program = match (result.value, of_plan(case.world, case.plan, Kind::Rollup)) {
        (Value::Policy(place), _) => {
            reach("script: rollup by name");
            (run, place)
        }
        (Value::Default, Some(place)) => {
            reach("script: rollup by plan");
            (run, place)
        }
        (Value::Inline(place), _) => (scripts::inline, place),
        _ => {
            let amount = settings::value(result, case.tx, Some(source))?;
            return Ok(amount.map(|amount| Worth { amount, ..Worth::default() }));
        }
    };
    let Found::Map(mut to) = scripts::recipient(case, &path.receiver, path.team.as_ref()) else {
        return Err(ERROR);
    };
    if case.plan.teams {
        to.retain(|(field, _)| *field != "team");
        to.push(("team", Found::Text(path.receiver.clone())));
    }
    to.retain(|(field, _)| !["relationship", "via", "level"].contains(field));
    to.push(("relationship", Found::Text(path.relationship.clone())));
    to.push(("via", Found::Text(path.via.clone())));
    to.push(("level", Found::Number(path.level.into())));
    let names = vec![
        ("credit", seen(case, source)),
        ("to", Found::Map(to)),
        ("existing", scripts::existing(case, rows)),
    ];
    match (program.0)((case.world, case.plan, case.tx), program.1, names)? {
        Found::Number(amount) => Ok(Some(Worth { amount, by_policy: true, ..Worth::default() })),
        Found::Nothing => {
            reach("script: rollup nothing");
            Ok(None)
        }
        Found::Map(entries) => map(case.world, entries).map(Some),
        _ => Err(ERROR),
    }
}

fn map(world: &World, entries: Vec<(&'static str, Found)>) -> Answer<Worth> {
    let mut worth = Worth { by_policy: true, ..Worth::default() };
    let mut amount = None;
    for (key, value) in entries {
        match (key, value) {
            (_, Found::Nothing) => (),
            ("amount", Found::Number(value)) => amount = Some(value),
            ("maximum", Found::Number(value)) => {
                reach("script: map with a maximum");
                worth.maximum = Some(value);
            }
            ("credit_type", Found::Text(value)) if world.credit_types.contains(&value) => {
                reach("script: map with a credit type");
                worth.credit_type = Some(value);
            }
            ("hold", Found::Hold(value)) => {
                reach("script: map with a hold");
                worth.hold = Some(value);
            }
            _ => return Err(ERROR),
        }
    }
    worth.amount = amount.ok_or(ERROR)?;
    Ok(worth)
}

/// Status, date of release and reason of a credit: by what is wished for, by what is written, or by
/// the plan's policy.
pub(super) fn held(
    case: Case<'_>,
    written: &Hold,
    wish: Option<Hold>,
    row: &Row,
) -> (Status, Option<Date>, &'static str) {
    let of_plan = of_plan(case.world, case.plan, Kind::Hold);
    let hold = match (wish, written, of_plan) {
        // What stands on the result is nearer than what a rollup policy says.
        (Some(wish), Hold::None, _) => Ok(wish),
        (_, Hold::Policy(place), _) => {
            reach("script: hold by name");
            asked(case, *place, row)
        }
        (_, Hold::None, Some(place)) => {
            reach("script: hold by plan");
            asked(case, place, row)
        }
        (_, Hold::Never, Some(_)) => {
            reach("script: hold beaten by a word");
            Ok(Hold::None)
        }
        (_, written, _) => Ok(written.clone()),
    };
    match hold {
        Ok(Hold::Until(id)) if periods::meant(case.leaves, &id).is_empty() => {
            reach("script: hold until no period");
            (Status::Held, None, ERROR)
        }
        Ok(hold) => settings::held(case, &hold, row.amount),
        Err(_) => (Status::Held, None, ERROR),
    }
}

fn asked(case: Case<'_>, place: usize, row: &Row) -> Answer<Hold> {
    let names = vec![("credit", seen(case, row))];
    match run((case.world, case.plan, case.tx), place, names)? {
        Found::Hold(hold) => Ok(hold),
        _ => Err(ERROR),
    }
}

/// Whether a duplicate is kept.
pub(super) fn kept(case: Case<'_>, keep: Keep, row: &Row, rows: &[Row]) -> Answer<bool> {
    let place = match (keep, of_plan(case.world, case.plan, Kind::Duplication)) {
        (Keep::Policy(place), _) => {
            reach("script: duplication by name");
            place
        }
        (Keep::No, Some(place)) => {
            reach("script: duplication by plan");
            place
        }
        (Keep::Never, Some(_)) => {
            reach("script: duplication beaten by a word");
            return Ok(false);
        }
        _ => {
            let direct = row.rolled.is_none();
            return Ok(settings::kept(keep, row.amount, direct, super::existing(rows)));
        }
    };
    let names = vec![("credit", seen(case, row)), ("existing", scripts::existing(case, rows))];
    match run((case.world, case.plan, case.tx), place, names)? {
        Found::Bool(kept) => {
            reach(if kept { "script: duplicate kept" } else { "script: duplicate suppressed" });
            Ok(kept)
        }
        _ => Err(ERROR),
    }
}

/// A credit without an amount that is final, a status or a type.
pub(super) fn blank(case: Case<'_>, receiver: &str) -> Row {
    Row {
        plan: case.plan.id.clone(),
        transaction: case.tx.id.clone(),
        date: case.date,
        rule: String::new(),
        result: String::new(),
        payee: payee(case, receiver),
        receiver: receiver.to_owned(),
        of_team: case.plan.teams,
        team: None,
        rolled: None,
        share: None,
        credit_type: String::new(),
        unit: String::new(),
        amount: Decimal::ZERO,
        status: Status::Active,
        release: None,
        reason: "",
        rollable: false,
        on_reporting: false,
    }
}
