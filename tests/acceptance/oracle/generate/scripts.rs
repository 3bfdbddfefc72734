//! Policies: small programs of every kind, the plans' own and those that are named.

use rust_decimal::Decimal;

use super::calendar;
use super::tables::{self, Sees};
use crate::oracle::random::Random;
use crate::oracle::scripts::{Body, Expr, Helper, Kind, Script, Step};
use crate::oracle::world::{Assign, Hold, Keep, Outcome, Plan, Test, Value, World};

const KINDS: [Kind; 6] =
    [Kind::Filter, Kind::Crediting, Kind::Value, Kind::Hold, Kind::Duplication, Kind::Rollup];

pub(super) fn number(text: &str) -> Expr {
    Expr::Number(text.parse::<Decimal>().unwrap())
}

pub(super) fn text(text: &str) -> Expr {
    Expr::Text(text.to_owned())
}

pub(super) fn op(op: &'static str, left: Expr, right: Expr) -> Expr {
    Expr::Op(op, Box::new(left), Box::new(right))
}

pub(super) fn either(test: Expr, yes: Expr, no: Expr) -> Expr {
    Expr::If(Box::new(test), Box::new(yes), Box::new(no))
}

/// One script a kind and at times two; plans and results use them.
pub(super) fn policies(r: &mut Random, world: &mut World) {
    for kind in KINDS {
        let missing = if kind == Kind::Rollup { 5 } else { 2 };
        if !r.one_in(missing) {
            for _ in 0..1 + r.below(2) {
                let script = script(r, world, kind);
                world.policies.push(script);
            }
        }
    }
    let mut plans = std::mem::take(&mut world.plans);
    for plan in &mut plans {
        used(r, world, plan);
    }
    world.plans = plans;
}

fn some(r: &mut Random, world: &World, kind: Kind) -> Option<usize> {
    let all = world.policies.iter().enumerate().filter(|(_, script)| script.kind == kind);
    let all: Vec<usize> = all.map(|(place, _)| place).collect();
    if all.is_empty() { None } else { Some(*r.pick(&all)) }
}

/// Lets a plan, its rules and its results use what there is.
fn used(r: &mut Random, world: &World, plan: &mut Plan) {
    for kind in KINDS {
        let often = if kind == Kind::Filter { 4 } else { 2 };
        plan.policies.extend(some(r, world, kind).filter(|_| r.one_in(often)));
    }
    let of_plan = |kind| plan.policies.iter().any(|place| world.policies[*place].kind == kind);
    if plan.filter == Test::Always && r.one_in(6) {
        plan.filter = some(r, world, Kind::Filter).map_or(plan.filter, Test::Policy);
    }
    let crediting = of_plan(Kind::Crediting);
    for rule in &mut plan.direct {
        let named = some(r, world, Kind::Crediting).filter(|_| r.one_in(2)).map(Some);
        let word = named.or_else(|| (crediting && r.one_in(2)).then_some(None));
        match word.map(Assign::Policy) {
            Some(word) if r.one_in(2) || rule.assign.is_empty() => rule.assign = vec![word],
            Some(word) => rule.assign.insert(r.below(rule.assign.len() + 1), word),
            None => (),
        }
        condition(r, world, &mut rule.test);
        for result in &mut rule.results {
            outcome(r, world, result, Kind::Value);
        }
    }
    for rule in &mut plan.indirect {
        condition(r, world, &mut rule.test);
        for result in &mut rule.results {
            outcome(r, world, result, Kind::Rollup);
        }
    }
}

fn condition(r: &mut Random, world: &World, test: &mut Test) {
    if *test == Test::Always && r.one_in(8) {
        *test = some(r, world, Kind::Filter).map_or(*test, Test::Policy);
    }
}

fn outcome(r: &mut Random, world: &World, result: &mut Outcome, kind: Kind) {
    if r.one_in(if kind == Kind::Rollup { 2 } else { 3 }) {
        result.value = some(r, world, kind).map_or(result.value, Value::Policy);
    }
    match r.below(6) {
        0 => result.hold = Hold::Never,
        1 | 2 => {
            let hold = some(r, world, Kind::Hold).map(Hold::Policy);
            result.hold = hold.unwrap_or_else(|| result.hold.clone());
        }
        3 => result.hold = Hold::None,
        _ => (),
    }
    match r.below(6) {
        0 => result.duplicates = Keep::Never,
        1 | 2 => {
            let keep = some(r, world, Kind::Duplication).map(Keep::Policy);
            result.duplicates = keep.unwrap_or(result.duplicates);
        }
        3 => result.duplicates = Keep::No,
        _ => (),
    }
}

/// A script with a constant and a helper, whether they are used or not.
fn script(r: &mut Random, world: &World, kind: Kind) -> Script {
    let limit = number(r.word(&["0", "50", "100", "500"]));
    let rate = number(r.word(&["0.5", "0.25", "1.5", "0.333", "2"]));
    let half = either(
        op(">", Expr::Name("number"), Expr::Name("LIMIT")),
        op("*", Expr::Name("number"), Expr::Name("RATE")),
        Expr::Name("number"),
    );
    let part = Helper {
        name: "part",
        parameters: &["number"],
        body: Body { steps: Vec::new(), last: half },
    };
    let mut body = match kind {
        Kind::Filter => Body { steps: Vec::new(), last: about_tx(r, world) },
        Kind::Crediting => crediting(r, world),
        Kind::Value => Body { steps: Vec::new(), last: worth(r, world) },
        Kind::Hold => hold(r, world),
        Kind::Duplication => duplication(r, world),
        Kind::Rollup => rollup(r, world),
    };
    if r.one_in(12) {
        body.steps.insert(0, Step::ThrowIf(op("==", Expr::Column("stage"), text("Lost"))));
    }
    let constants = vec![("LIMIT", limit), ("RATE", rate), ("STAGE", text("Won"))];
    Script { kind, constants, helpers: vec![part], body }
}

/// Something true or false of the transaction; some of it cannot be read on every row.
fn about_tx(r: &mut Random, world: &World) -> Expr {
    if !world.tables.is_empty() && r.one_in(4) {
        return tables::test(r, world, Sees::Nothing);
    }
    let amount = || Expr::Field("tx", "amount");
    let won = op("==", Expr::Column("stage"), Expr::Name("STAGE"));
    match r.below(9) {
        0 => op(">", amount(), Expr::Name("LIMIT")),
        1 => op(">=", amount(), number("-100")),
        2 | 3 => won,
        4 => Expr::Has("units"),
        5 => op("||", won, op("<", amount(), Expr::Name("LIMIT"))),
        6 => op("&&", Expr::Has("units"), op(">", Expr::Column("units"), number("1"))),
        7 => op("!=", Expr::Column("stage"), text("")),
        _ => op(">", Expr::Column("units"), number("0.75")),
    }
}

/// A number with the sign of the deal's amount.
fn worth(r: &mut Random, world: &World) -> Expr {
    let amount = || Expr::Field("tx", "amount");
    if !world.tables.is_empty() && r.one_in(2) {
        return op("*", amount(), tables::factor(r, world, Sees::To));
    }
    match r.below(9) {
        0 => amount(),
        1 => Expr::Call("part", vec![amount()]),
        2 => op("*", amount(), Expr::Name("RATE")),
        3 => op("/", amount(), number(r.word(&["3", "4", "7"]))),
        4 => op("*", amount(), Expr::Column("units")),
        5 => either(about_tx(r, world), amount(), op("*", amount(), Expr::Name("RATE"))),
        6 => Expr::Call("min", vec![amount(), number("250")]),
        7 => either(
            op("==", Expr::Field("to", r.word_of(&["position", "title"])), text("Rep")),
            amount(),
            op("*", amount(), number("0.9")),
        ),
        _ => op("*", Expr::Call("max", vec![amount(), number("-10")]), number("0.1")),
    }
}

/// A text that names recipients.
fn names(r: &mut Random, world: &World) -> Expr {
    if !world.tables.is_empty() && r.one_in(3) {
        return tables::names(r, world);
    }
    match r.below(7) {
        0 => Expr::Column("desk"),
        1 => Expr::Column("owner 2"),
        2 => op("+", op("+", Expr::Column("owner"), text(";")), Expr::Column("desk")),
        3 => Expr::Text(super::names(r, world)),
        _ => Expr::Field("tx", "default_credit"),
    }
}

/// One name, at times of nobody, of several or blank.
fn name(r: &mut Random, world: &World) -> Expr {
    match r.below(8) {
        0 => Expr::Field("tx", "default_credit"),
        1 => Expr::Column("desk"),
        2 => text("Zed Nobody"),
        _ => Expr::Text(super::name(r, world)),
    }
}

fn crediting(r: &mut Random, world: &World) -> Body {
    let mut steps = Vec::new();
    if r.one_in(3) {
        let others = if r.one_in(3) { Expr::Nothing } else { names(r, world) };
        steps.push(Step::ReturnIf(about_tx(r, world), others));
    }
    let last = match r.below(9) {
        0..3 => names(r, world),
        3 => {
            steps.push(Step::Let("first", Expr::Column("desk")));
            either(op("==", Expr::Name("first"), text("")), names(r, world), Expr::Name("first"))
        }
        4 => {
            let weight = r.word(&["[0.5];", "[1.5];", "[-1];", "[x];"]);
            let first = op("+", Expr::Column("desk"), text(weight));
            op("+", op("+", first, Expr::Column("owner")), text("[0.25]"))
        }
        _ => Expr::Array(shares(r, world)),
    };
    Body { steps, last }
}

fn shares(r: &mut Random, world: &World) -> Vec<Expr> {
    let mode = r.below(3);
    let mut all = Vec::new();
    for _ in 0..*r.pick(&[0, 1, 1, 1, 2, 2, 2, 3]) {
        let mut share = vec![name(r, world)];
        match mode {
            _ if r.one_in(30) => (),
            0 => (),
            _ if r.one_in(12) => share.push(op("/", Expr::Field("tx", "amount"), number("500"))),
            1 => share.push(number(r.word(&["0.5", "0.3", "0.2", "1", "0"]))),
            _ => share.push(Expr::Name("RATE")),
        }
        all.push(Expr::Call("share", share));
    }
    all
}

/// Something true or false of a credit; some of it direct or indirect credits do not have.
fn about_credit(r: &mut Random, world: &World, of: &'static str) -> Expr {
    let field = |field| Expr::Field(of, field);
    match r.below(11) {
        0 | 1 => op(">", field("amount"), Expr::Name("LIMIT")),
        2 | 3 => op("==", field("kind"), text("indirect")),
        4 => op("==", field("credit_type"), text(&world.credit_types[0])),
        5 => op("!=", field("rule"), text("Direct 0")),
        6 => op("==", field("result"), text("Credit 0")),
        7 => op("==", field("unit_type"), text("USD")),
        8 => {
            let level = op(">", field("level"), number("1"));
            if r.one_in(4) {
                level
            } else {
                op("&&", op("==", field("kind"), text("indirect")), level)
            }
        }
        9 => op("==", field("position"), Expr::Text(r.pick(&world.seats).id.clone())),
        _ => match r.below(4) {
            0 => op("==", field("title"), text("Rep")),
            1 => op("==", field("relationship"), text("Reporting")),
            2 => op("<", field("weight"), number("0.6")),
            _ => op("<", field("period"), text("2022-03")),
        },
    }
}

fn constructor(r: &mut Random, world: &World) -> Expr {
    let count = r.word(&["0", "1", "2", "30"]);
    let small = r.word(&["0", "1", "2"]);
    match r.below(12) {
        0 => Expr::Call("no_hold", Vec::new()),
        1 => Expr::Call("hold_for", vec![number(count), text("days")]),
        2 => Expr::Call("hold_for", vec![number(small), text("months")]),
        3 => Expr::Call("hold_for", vec![number(small), text("quarters")]),
        4 => Expr::Call("hold_for", vec![number(small), text("years")]),
        5 => {
            let later = vec![Expr::Field("tx", "date"), number(count)];
            Expr::Call("hold_until", vec![Expr::Call("add_days", later)])
        }
        6 => {
            let id = calendar::period(r, &world.calendar);
            Expr::Call("hold_until_period", vec![Expr::Text(id)])
        }
        7 => {
            let kind = r.word(&["month", "quarter", "year"]);
            Expr::Call("hold_until_next", vec![text(kind)])
        }
        8 => Expr::Call("hold_indefinitely", vec![text("by hand")]),
        9 => Expr::Call("hold_for", vec![Expr::Column("units"), text("days")]),
        10 => Expr::Call("hold_until_period", vec![Expr::Column("stage")]),
        _ => Expr::Call("no_hold", Vec::new()),
    }
}

fn hold(r: &mut Random, world: &World) -> Body {
    let test = if r.one_in(2) { about_tx(r, world) } else { about_credit(r, world, "credit") };
    let (one, other) = (constructor(r, world), constructor(r, world));
    if r.one_in(2) {
        return Body { steps: vec![Step::ReturnIf(test, one)], last: other };
    }
    Body { steps: Vec::new(), last: either(test, one, other) }
}

/// A number or a truth found in one pass over the earlier credits.
fn pass(r: &mut Random, world: &World) -> Vec<Step> {
    let of = |field| (Expr::Field("other", field), Expr::Field("credit", field));
    let (theirs, own) = of(r.word_of(&["rule", "credit_type", "kind", "position", "amount"]));
    let same = match r.below(3) {
        0 => about_credit(r, world, "other"),
        _ => op("==", theirs, own),
    };
    let more = if r.one_in(2) { number("1") } else { Expr::Field("other", "amount") };
    let add = Step::Set("total", op("+", Expr::Name("total"), more));
    vec![Step::Let("total", number("0")), Step::Each("other", vec![Step::If(same, vec![add])])]
}

fn duplication(r: &mut Random, world: &World) -> Body {
    match r.below(5) {
        0 => {
            let few = op("<", Expr::Len("existing"), number(r.word(&["2", "3", "4"])));
            Body { steps: Vec::new(), last: few }
        }
        1 => Body { steps: Vec::new(), last: about_credit(r, world, "credit") },
        2 => {
            let test = about_credit(r, world, "other");
            let found = Step::ReturnIf(test, Expr::Bool(r.one_in(2)));
            let steps = vec![Step::Each("other", vec![found])];
            Body { steps, last: Expr::Bool(r.one_in(2)) }
        }
        _ => {
            let steps = pass(r, world);
            let enough = number(r.word(&["1", "2", "100", "150"]));
            Body { steps, last: op("<", Expr::Name("total"), enough) }
        }
    }
}

fn rollup(r: &mut Random, world: &World) -> Body {
    let amount = || Expr::Field("credit", "amount");
    let mut steps = Vec::new();
    let what = match r.below(7) {
        0 => Expr::Call("part", vec![amount()]),
        1 => op("/", amount(), Expr::Field("to", "level")),
        2 => {
            steps = pass(r, world);
            either(op("<", Expr::Name("total"), number("3")), amount(), number("0"))
        }
        3 => {
            steps.push(Step::ReturnIf(about_credit(r, world, "credit"), Expr::Nothing));
            amount()
        }
        4 => {
            let far = op(">", Expr::Field("to", "level"), number("1"));
            let via = op("==", Expr::Field("to", "relationship"), text("Reporting"));
            steps.push(Step::ReturnIf(op("&&", via, far), Expr::Nothing));
            op("*", amount(), Expr::Name("RATE"))
        }
        5 if !world.tables.is_empty() => op("*", amount(), tables::factor(r, world, Sees::Both)),
        6 if !world.tables.is_empty() => {
            steps.push(Step::ReturnIf(tables::test(r, world, Sees::Both), number("5")));
            amount()
        }
        _ => op("*", amount(), Expr::Name("RATE")),
    };
    if r.one_in(3) {
        return Body { steps, last: what };
    }
    steps.push(Step::Let("amount", what));
    let mut entries = vec![("amount", Expr::Name("amount"))];
    if r.one_in(2) {
        entries.push(("maximum", number(r.word(&["40", "80", "0", "-60", "1000"]))));
    }
    if r.one_in(2) {
        entries.push(("hold", constructor(r, world)));
    }
    if r.one_in(2) {
        let known = r.pick(&world.credit_types).clone();
        let other = if r.one_in(8) { Expr::Column("stage") } else { Expr::Text(known) };
        entries.push(("credit_type", other));
    }
    if r.one_in(20) {
        entries[0].1 = Expr::Nothing;
    }
    Body { steps, last: Expr::Map(entries) }
}
