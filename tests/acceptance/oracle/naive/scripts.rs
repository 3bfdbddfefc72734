//! Policies evaluated step by step: a list of names with their values, and nothing clever.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::tables::{self, Whose};
use super::{Case, Row, periods, settings};
use crate::oracle::scripts::{Body, Expr, Kind, Script, Step};
use crate::oracle::world::{Hold, Plan, Tx, World};

thread_local! {
    static REACHED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

pub(super) fn reach(what: &'static str) {
    REACHED.with_borrow_mut(|all| all.insert(what));
}

/// What policies did since this was asked last.
pub(crate) fn reached() -> Vec<&'static str> {
    REACHED.with_borrow_mut(std::mem::take).into_iter().collect()
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Number(Decimal),
    Text(String),
    Bool(bool),
    Nothing,
    Day(Date),
    Array(Vec<Found>),
    Share(String, Option<Decimal>),
    Hold(Hold),
    /// A map, a credit or a receiver.
    Map(Vec<(&'static str, Found)>),
}

/// Something, or the code that parks.
pub(super) type Answer<T = Found> = Result<T, &'static str>;

const ERROR: &str = "policy_error";

/// What a policy or an expression sees of the transaction.
struct Scene<'a> {
    world: &'a World,
    /// None of an expression.
    script: Option<&'a Script>,
    teams: bool,
    tx: &'a Tx,
}

pub(super) type Names = Vec<(&'static str, Found)>;

/// The plan's policy of a kind.
pub(super) fn of_plan(world: &World, plan: &Plan, kind: Kind) -> Option<usize> {
    plan.policies.iter().copied().find(|place| world.policies[*place].kind == kind)
}

/// Runs the policy with everything beside the transaction that it sees.
pub(super) fn run((world, plan, tx): (&World, &Plan, &Tx), place: usize, seen: Names) -> Answer {
    let script = &world.policies[place];
    let scene = Scene { world, script: Some(script), teams: plan.teams, tx };
    let found = function(&scene, seen, &script.body);
    if found.is_err() {
        reach(match script.kind {
            Kind::Filter => "script: filter fails",
            Kind::Crediting => "script: crediting fails",
            Kind::Value => "script: value fails",
            Kind::Hold => "script: hold fails",
            Kind::Duplication => "script: duplication fails",
            Kind::Rollup => "script: rollup fails",
        });
    }
    found
}

/// What an expression of a rule or a result comes to.
pub(super) fn inline((world, plan, tx): (&World, &Plan, &Tx), place: usize, seen: Names) -> Answer {
    let scene = Scene { world, script: None, teams: plan.teams, tx };
    reach("an expression of tables or people");
    expr(&scene, &seen, &world.inlines[place])
}

/// A credit as policies see it.
pub(super) fn seen(case: Case<'_>, row: &Row) -> Found {
    let rolled = row.rolled.as_ref();
    let text = |text: &str| Found::Text(text.to_owned());
    let or_nothing =
        |text: Option<&String>| text.map_or(Found::Nothing, |text| Found::Text(text.clone()));
    let [position, title] = place(case, &row.receiver);
    let period = periods::leaf(case.leaves, row.date).unwrap();
    Found::Map(vec![
        ("amount", Found::Number(row.amount)),
        ("unit_type", text(&row.unit)),
        ("credit_type", text(&row.credit_type)),
        ("kind", text(if rolled.is_some() { "indirect" } else { "direct" })),
        ("position", position),
        ("title", title),
        ("payee", or_nothing(row.payee.as_ref())),
        ("team", or_nothing(row.team.as_ref())),
        ("rule", text(&row.rule)),
        ("result", text(&row.result)),
        ("period", text(&period.id)),
        ("relationship", or_nothing(rolled.map(|rolled| &rolled.relationship))),
        ("via", or_nothing(rolled.map(|rolled| &rolled.via))),
        ("level", rolled.map_or(Found::Nothing, |rolled| Found::Number(rolled.level.into()))),
        ("weight", row.share.map_or(Found::Nothing, Found::Number)),
    ])
}

/// Every credit that counts, in order.
pub(super) fn existing(case: Case<'_>, rows: &[Row]) -> Found {
    let counts = rows.iter().filter(|row| !row.status.is_suppressed());
    Found::Array(counts.map(|row| seen(case, row)).collect())
}

/// The first recipient of a direct rule as policies see it.
pub(super) fn recipient(case: Case<'_>, receiver: &str, team: Option<&String>) -> Found {
    let or_nothing = |text: Option<String>| text.map_or(Found::Nothing, Found::Text);
    let [position, title] = place(case, receiver);
    Found::Map(vec![
        ("position", position),
        ("title", title),
        ("payee", or_nothing(super::payee(case, receiver))),
        ("team", or_nothing(team.cloned())),
        ("relationship", Found::Nothing),
        ("via", Found::Nothing),
        ("level", Found::Nothing),
    ])
}

/// Position and title; a team has neither.
fn place(case: Case<'_>, receiver: &str) -> [Found; 2] {
    if case.plan.teams {
        return [Found::Nothing, Found::Nothing];
    }
    let on_the_day =
        |seat: &&crate::oracle::world::Seat| seat.id == receiver && seat.span.has(case.date);
    let title = case.world.seats.iter().find(on_the_day).map(|seat| seat.title.clone());
    [Found::Text(receiver.to_owned()), Found::Text(title.unwrap_or_default())]
}

fn function(scene: &Scene<'_>, mut names: Names, body: &Body) -> Answer {
    if let Some(found) = steps(scene, &mut names, &body.steps)? {
        return Ok(found);
    }
    expr(scene, &names, &body.last)
}

/// The value that was returned, if one was.
fn steps(scene: &Scene<'_>, names: &mut Names, all: &[Step]) -> Answer<Option<Found>> {
    for step in all {
        match step {
            Step::Let(name, value) => {
                let value = expr(scene, names, value)?;
                names.push((name, value));
            }
            Step::Set(name, value) => {
                let value = expr(scene, names, value)?;
                let known = names.iter_mut().rev().find(|(known, _)| known == name);
                known.unwrap().1 = value;
            }
            Step::ReturnIf(test, value) => {
                if truth(scene, names, test)? {
                    return expr(scene, names, value).map(Some);
                }
            }
            Step::ThrowIf(test) => {
                if truth(scene, names, test)? {
                    reach("script: throw");
                    return Err(ERROR);
                }
            }
            Step::If(test, inner) => {
                if truth(scene, names, test)?
                    && let Some(found) = block(scene, names, inner)?
                {
                    return Ok(Some(found));
                }
            }
            Step::Each(name, inner) => {
                let Found::Array(items) = look(scene, names, "existing") else { return Err(ERROR) };
                for item in items {
                    reach("script: for");
                    names.push((name, item));
                    let found = block(scene, names, inner)?;
                    names.pop();
                    if found.is_some() {
                        return Ok(found);
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Steps whose own names end with them.
fn block(scene: &Scene<'_>, names: &mut Names, all: &[Step]) -> Answer<Option<Found>> {
    let count = names.len();
    let found = steps(scene, names, all);
    names.truncate(count);
    found
}

fn truth(scene: &Scene<'_>, names: &Names, test: &Expr) -> Answer<bool> {
    match expr(scene, names, test)? {
        Found::Bool(flag) => Ok(flag),
        _ => Err(ERROR),
    }
}

/// The value of a name: the last that was given, else a constant.
fn look(scene: &Scene<'_>, names: &Names, name: &str) -> Found {
    if let Some((_, found)) = names.iter().rev().find(|(known, _)| *known == name) {
        return found.clone();
    }
    let constants = &scene.script.unwrap().constants;
    let (_, constant) = constants.iter().find(|(known, _)| *known == name).unwrap();
    reach("script: const");
    expr(scene, names, constant).unwrap()
}

fn expr(scene: &Scene<'_>, names: &Names, of: &Expr) -> Answer {
    Ok(match of {
        Expr::Number(number) => Found::Number(*number),
        Expr::Text(text) => Found::Text(text.clone()),
        Expr::Bool(flag) => Found::Bool(*flag),
        Expr::Nothing => Found::Nothing,
        Expr::Name(name) => look(scene, names, name),
        Expr::Field("tx", field) => return of_transaction(scene, field),
        Expr::Field(name, field) => {
            let Found::Map(fields) = look(scene, names, name) else { return Err(ERROR) };
            fields.into_iter().find(|(known, _)| known == field).unwrap().1
        }
        Expr::Column(column) => return of_transaction(scene, column),
        Expr::Has(field) => Found::Bool(match of_transaction(scene, field) {
            Ok(Found::Text(text)) => !text.trim().is_empty(),
            found => found.is_ok(),
        }),
        Expr::Len(name) => {
            let Found::Array(items) = look(scene, names, name) else { return Err(ERROR) };
            reach("script: len");
            Found::Number(items.len().into())
        }
        Expr::Attribute(of, name) => {
            let Found::Map(fields) = expr(scene, names, of)? else { return Err(ERROR) };
            tables::attribute(scene.world, &whose(&fields), name, day(scene)?)
        }
        Expr::Dot(of, field) => return field_of(expr(scene, names, of)?, field),
        Expr::Maybe(of, field) => match expr(scene, names, of)? {
            Found::Nothing => Found::Nothing,
            found => return field_of(found, field),
        },
        Expr::Op("??", left, right) => match expr(scene, names, left)? {
            Found::Nothing => return expr(scene, names, right),
            found => found,
        },
        Expr::Op("&&", left, right) => {
            Found::Bool(truth(scene, names, left)? && truth(scene, names, right)?)
        }
        Expr::Op("||", left, right) => {
            Found::Bool(truth(scene, names, left)? || truth(scene, names, right)?)
        }
        Expr::Op(op, left, right) => {
            return operate(op, expr(scene, names, left)?, expr(scene, names, right)?);
        }
        Expr::If(test, yes, no) => {
            let taken = if truth(scene, names, test)? { yes } else { no };
            return expr(scene, names, taken);
        }
        Expr::Call(name, arguments) => {
            let arguments: Answer<Vec<Found>> =
                arguments.iter().map(|argument| expr(scene, names, argument)).collect();
            return call(scene, name, arguments?);
        }
        Expr::Array(items) => {
            let items: Answer<Vec<Found>> =
                items.iter().map(|item| expr(scene, names, item)).collect();
            Found::Array(items?)
        }
        Expr::Map(entries) => {
            let mut all = Vec::new();
            for (key, value) in entries {
                all.push((*key, expr(scene, names, value)?));
            }
            Found::Map(all)
        }
    })
}

fn field_of(found: Found, field: &str) -> Answer {
    match found {
        Found::Map(all) => Ok(all.into_iter().find(|(known, _)| *known == field).unwrap().1),
        _ => Err(ERROR),
    }
}

/// The day on which tables, attributes and people are read.
fn day(scene: &Scene<'_>) -> Answer<Date> {
    settings::date(scene.tx).map_err(|_| ERROR)
}

/// Whose attributes a credit, a receiver or a person has: of a team only where the team is credited,
/// since a person may be in several.
fn whose(fields: &[(&'static str, Found)]) -> Whose {
    let text = |name: &str| match fields.iter().find(|(known, _)| *known == name) {
        Some((_, Found::Text(text))) => Some(text.clone()),
        _ => None,
    };
    let teams = text("team").into_iter().collect();
    Whose { person: text("payee"), position: text("position"), teams }
}

/// A column, or a field by the name that the settings give it.
fn of_transaction(scene: &Scene<'_>, field: &str) -> Answer {
    let tx = scene.tx;
    let default = if scene.teams { tx.team.clone() } else { owners(tx) };
    Ok(match field {
        "amount" => Found::Number(settings::number(&tx.amount)?),
        "units" => Found::Number(settings::number(&tx.units)?),
        "date" => Found::Day(settings::date(tx).map_err(|code| match code {
            "no_period" => ERROR,
            code => code,
        })?),
        "period" => {
            let leaves = periods::leaves(&scene.world.calendar);
            Found::Text(periods::leaf(&leaves, settings::date(tx)?).unwrap().id.clone())
        }
        "id" => Found::Text(tx.id.clone()),
        "stage" => Found::Text(tx.stage.clone()),
        "desk" => Found::Text(tx.desk.clone()),
        "owner" => Found::Text(tx.owners[0].clone()),
        "owner 2" => Found::Text(tx.owners[1].clone()),
        "region" => Found::Text(tx.team.clone()),
        "default_credit" => Found::Text(default),
        other => unreachable!("{other}"),
    })
}

/// The columns of owners in order, joined.
fn owners(tx: &Tx) -> String {
    let filled = tx.owners.iter().filter(|owner| !owner.trim().is_empty());
    filled.cloned().collect::<Vec<_>>().join(";")
}

fn operate(op: &str, left: Found, right: Found) -> Answer {
    let order = match (&left, &right) {
        (Found::Number(a), Found::Number(b)) => {
            let number = match op {
                "+" => Some(a + b),
                "-" => Some(a - b),
                "*" => Some(a * b),
                "/" if b.is_zero() => return Err(ERROR),
                "/" => Some(a / b),
                _ => None,
            };
            if let Some(number) = number {
                return Ok(Found::Number(number));
            }
            a.cmp(b)
        }
        (Found::Text(a), Found::Text(b)) if op == "+" => return Ok(Found::Text(format!("{a}{b}"))),
        (Found::Text(a), Found::Text(b)) => a.cmp(b),
        (Found::Day(a), Found::Day(b)) => a.cmp(b),
        // What is absent equals only what is absent.
        (Found::Nothing, _) | (_, Found::Nothing) if matches!(op, "==" | "!=") => {
            reach("script: absent");
            return Ok(Found::Bool((left == right) == (op == "==")));
        }
        _ => {
            reach("script: unlike kinds");
            return Err(ERROR);
        }
    };
    Ok(Found::Bool(match op {
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        other => unreachable!("{other}"),
    }))
}

fn call(scene: &Scene<'_>, name: &'static str, arguments: Vec<Found>) -> Answer {
    let mut helpers = scene.script.iter().flat_map(|script| &script.helpers);
    if let Some(helper) = helpers.find(|helper| helper.name == name) {
        reach("script: helper");
        let names = helper.parameters.iter().copied().zip(arguments).collect();
        return function(scene, names, &helper.body);
    }
    reach(name);
    Ok(match (name, arguments.as_slice()) {
        ("share", [Found::Text(who), ..]) if who.trim().is_empty() => return Err(ERROR),
        ("share", [Found::Text(who)]) => Found::Share(who.clone(), None),
        ("share", [Found::Text(who), Found::Number(weight)]) => {
            Found::Share(who.clone(), Some(*weight))
        }
        ("lookup" | "find", [Found::Text(table), rest @ ..]) => {
            return tables::look_up(scene.world, (name, table), rest, day(scene)?);
        }
        ("who", [Found::Text(who)]) => return tables::who(scene.world, who, day(scene)?),
        ("len", [Found::Array(items)]) => Found::Number(items.len().into()),
        ("number", [Found::Text(text)]) => Found::Number(text.trim().parse().map_err(|_| ERROR)?),
        ("abs", [Found::Number(number)]) => Found::Number(number.abs()),
        ("min", [Found::Number(a), Found::Number(b)]) => Found::Number(*a.min(b)),
        ("max", [Found::Number(a), Found::Number(b)]) => Found::Number(*a.max(b)),
        ("add_days", [Found::Day(day), Found::Number(count)]) => {
            let mut day = *day;
            for _ in 0..count.to_string().parse::<i32>().unwrap() {
                day = day.tomorrow().unwrap();
            }
            Found::Day(day)
        }
        ("no_hold", []) => Found::Hold(Hold::None),
        ("hold_indefinitely", _) => Found::Hold(Hold::Indefinite),
        ("hold_until", [Found::Day(day)]) => Found::Hold(Hold::On(*day)),
        ("hold_until_period", [Found::Text(id)]) => Found::Hold(Hold::Until(id.clone())),
        ("hold_until_next", [Found::Text(kind)]) => Found::Hold(match kind.as_str() {
            "month" => Hold::NextMonth,
            "quarter" => Hold::NextQuarter,
            "year" => Hold::NextYear,
            _ => return Err(ERROR),
        }),
        ("hold_for", [Found::Number(count), Found::Text(unit)]) => {
            if !count.fract().is_zero() || count.is_sign_negative() {
                return Err(ERROR);
            }
            let count = count.trunc().normalize().to_string().parse().unwrap();
            Found::Hold(match unit.as_str() {
                "days" => Hold::Days(count),
                "months" => Hold::Months(count),
                "quarters" => Hold::Quarters(count),
                "years" => Hold::Years(count),
                _ => return Err(ERROR),
            })
        }
        _ => return Err(ERROR),
    })
}
