//! Tables, attributes and the expressions that read them.

use rust_decimal::Decimal;

use super::scripts::{either, number, op, text};
use super::{CUTS, calendar};
use crate::oracle::features::{Feature, on};
use crate::oracle::random::Random;
use crate::oracle::rewards::{Formula, Worth};
use crate::oracle::scripts::Expr;
use crate::oracle::tables::{Attribute, Due, Key, Table, TableRow};
use crate::oracle::world::{Span, Test, Value, World, day};

/// Cells of first and second keys: stages, titles, kinds, grades, levels and numbers of units.
const KEYS: [[&str; 10]; 2] = [
    ["Won", "WON", " won ", "Won", "Won", "Lost", "Rep", "gold", "1.5", "2"],
    ["Rep", "rep", "Manager", "direct", "indirect", "booking", "gold", "Silver", "1", "2.5"],
];

const TWO: [&str; 2] = ["one", "two"];
const ONE: [&str; 1] = ["one"];
const RATES: &[Values] = &[("rate", "number", &["1", "5%", "0.5", "2", "12.5%", "0.333"])];
const MARKS: &[Values] =
    &[("factor", "number", &["1", "5%", "2.5"]), ("label", "text", &["A", "b", ""])];
const DESKS: &[Values] = &[("who", "text", &["P0", "Name 1", "P0;u1", "u0[0.5]", "Ace", "West"])];
const BONUS: &[Values] = &[("amount", "number", &["10", "100", "33.33", "250", "0", "1.5"])];

/// Tables of some worlds, and attributes of some of those.
pub(super) fn tables(r: &mut Random, world: &mut World) {
    if !on(Feature::Tables) || !r.one_in(3) {
        return;
    }
    let range = |r: &mut Random| r.one_in(2).then_some("least");
    let rows = [
        Shape { name: "rates", keys: &TWO, range: range(r), values: RATES },
        Shape { name: "marks", keys: &ONE, range: None, values: MARKS },
        Shape { name: "desks", keys: &ONE, range: range(r), values: DESKS },
        Shape { name: "bonus", keys: &ONE, range: None, values: BONUS },
    ];
    for shape in rows {
        let table = table(r, world, &shape);
        world.tables.push(table);
    }
    world.tables.push(steps(r, world));
    if !r.one_in(3) {
        attributes(r, world);
    }
}

/// What a table is like.
struct Shape {
    name: &'static str,
    keys: &'static [&'static str],
    range: Option<&'static str>,
    values: &'static [Values],
}

/// A column, its type, and what its cells may be.
type Values = (&'static str, &'static str, &'static [&'static str]);

/// Rows of which never two count at once: one that would is left out.
fn table(r: &mut Random, world: &World, shape: &Shape) -> Table {
    let count = shape.keys.len();
    let mut rows: Vec<TableRow> = Vec::new();
    for _ in 0..2 + r.below(7) {
        let key = |r: &mut Random, n: usize| match r.below(3) {
            0 => r.word(&["*", "", " * "]).to_owned(),
            _ => cell(r, world, n),
        };
        let row = TableRow {
            keys: (0..count).map(|n| key(r, n)).collect(),
            bound: match shape.range.is_some() && r.one_in(2) {
                true => r.word(&["0", "1", "100", "-50", "100.01"]).to_owned(),
                false => String::new(),
            },
            values: shape.values.iter().map(|(_, _, all)| r.word(all).to_owned()).collect(),
            span: if r.one_in(3) { super::span(r, 2) } else { Span::default() },
        };
        if r.one_in(3) {
            // Where two rows name different keys, the one that names both settles it.
            for other in rows.clone() {
                let both = TableRow { bound: String::new(), span: Span::default(), ..row.clone() };
                let joined = joined(&row, &other).filter(|_| clash(&row, &other));
                let both = joined.map(|keys| TableRow { keys, ..both });
                rows.extend(both.filter(|both| fits(&rows, both)));
            }
        }
        if fits(&rows, &row) {
            rows.push(row);
        }
    }
    if rows.is_empty() || r.one_in(2) {
        let keys = vec!["*".to_owned(); count];
        let values = shape.values.iter().map(|(_, _, all)| all[0].to_owned()).collect();
        let row = TableRow { keys, bound: String::new(), values, span: Span::default() };
        if fits(&rows, &row) {
            rows.push(row);
        }
    }
    let values = shape.values.iter().map(|(name, kind, _)| (*name, *kind)).collect();
    let (name, range, keys) = (shape.name, shape.range, shape.keys.to_vec());
    Table { name, keys, range, values, rows }
}

fn cell(r: &mut Random, world: &World, n: usize) -> String {
    match r.below(8) {
        0 if n == 0 => r.pick(&world.people).id.clone(),
        0 | 1 => r.pick(&world.seats).title.clone(),
        _ => r.word(&KEYS[n]).to_owned(),
    }
}

fn folded(cell: &str) -> Option<String> {
    let cell = cell.trim().to_lowercase();
    (!matches!(cell.as_str(), "" | "*")).then_some(cell)
}

/// The keys that are named by one of two rows; none where no deal matches both.
pub(super) fn joined(one: &TableRow, other: &TableRow) -> Option<Vec<String>> {
    let both = one.keys.iter().zip(&other.keys);
    both.map(|(a, b)| match (folded(a), folded(b)) {
        (Some(x), Some(y)) if x != y => None,
        (None, _) => Some(b.clone()),
        (Some(_), _) => Some(a.clone()),
    })
    .collect()
}

fn named(row: &TableRow) -> Vec<bool> {
    row.keys.iter().map(|cell| folded(cell).is_some()).collect()
}

fn share_a_day(one: Span, other: Span) -> bool {
    let before = |a: Span, b: Span| a.to.zip(b.from).is_some_and(|(to, from)| to < from);
    !before(one, other) && !before(other, one)
}

/// Whether two rows may count for one deal with neither before the other.
pub(super) fn clash(one: &TableRow, other: &TableRow) -> bool {
    let (a, b) = (named(one), named(other));
    let count = |all: &[bool]| all.iter().filter(|named| **named).count();
    joined(one, other).is_some()
        && share_a_day(one.span, other.span)
        && count(&a) == count(&b)
        && (a != b || one.bound == other.bound)
}

/// Whether the row clashes with none, or only where another row comes before both.
fn fits(rows: &[TableRow], row: &TableRow) -> bool {
    let settled = |other: &TableRow| {
        let keys = joined(row, other);
        let keys = keys.map(|keys| keys.iter().map(|cell| folded(cell)).collect::<Vec<_>>());
        named(row) != named(other)
            && rows.iter().any(|third| {
                let own: Vec<_> = third.keys.iter().map(|cell| folded(cell)).collect();
                Some(own) == keys && third.bound.is_empty() && third.span == Span::default()
            })
    };
    rows.iter().all(|other| !clash(row, other) || settled(other))
}

/// A table of tiers: for everybody, for one value of the first key, for one of the second as well.
fn steps(r: &mut Random, world: &World) -> Table {
    let all = ["title", "title", "payee", "position", "team", "unit_type", "level", "grade"];
    let mut keys = vec![r.word_of(&all)];
    let second = r.word_of(&["credit_type", "title", "grade", "level", "unit_type"]);
    if r.one_in(2) && !keys.contains(&second) {
        keys.push(second);
    }
    let value = |r: &mut Random, key: &str| match key {
        "payee" => r.pick(&world.people).id.clone(),
        "position" => r.pick(&world.seats).id.clone(),
        "team" => r.word(&["W0", "w1"]).to_owned(),
        "unit_type" => r.word(&["USD", "eur"]).to_owned(),
        "credit_type" => r.pick(&world.credit_types).clone(),
        "level" => r.word(&["1", "2", "2.5"]).to_owned(),
        "grade" => r.word(&["gold", "Silver"]).to_owned(),
        _ => r.word(&["Rep", "rep", "Manager", "Engineer"]).to_owned(),
    };
    let mut patterns: Vec<Vec<String>> = Vec::new();
    let first = value(r, keys[0]);
    for count in 0..=keys.len() {
        if count == 0 && r.one_in(4) {
            continue;
        }
        let cell = |r: &mut Random, n: usize| match n {
            n if n >= count => r.word(&["*", ""]).to_owned(),
            0 => first.clone(),
            _ => value(r, keys[n]),
        };
        patterns.push((0..keys.len()).map(|n| cell(r, n)).collect());
    }
    let mut rows: Vec<TableRow> = Vec::new();
    for pattern in patterns {
        let cut = r.one_in(3).then(|| day(r.word(&CUTS)));
        let spans = match cut {
            None => vec![Span::default()],
            Some(cut) => {
                let after = Span { from: Some(cut.tomorrow().unwrap()), to: None };
                let before = Span { from: None, to: Some(cut) };
                if r.one_in(3) { vec![after] } else { vec![before, after] }
            }
        };
        for span in spans {
            rows.extend(tiers(r, &pattern, span));
        }
    }
    let values = vec![("up_to", "number"), ("rate", "number")];
    Table { name: "steps", keys, range: None, values, rows }
}

fn tiers(r: &mut Random, pattern: &[String], span: Span) -> Vec<TableRow> {
    let limits = *r.pick(&[["50", "100"], ["0.01", "33.34"], ["100", "1000"], ["50%", "100%"]]);
    let ends = match r.below(3) {
        0 => vec![""],
        1 => vec![limits[0], ""],
        _ => vec![limits[0], limits[1], ""],
    };
    let ends = if ends.len() > 1 && r.one_in(3) { ends[..ends.len() - 1].to_vec() } else { ends };
    let rates = ["0.10", "20%", "7.5%", "1", "0.333", "0", "50%"];
    let row = |end: &str, rate: &str| TableRow {
        keys: pattern.to_vec(),
        bound: String::new(),
        values: vec![end.to_owned(), rate.to_owned()],
        span,
    };
    ends.into_iter().map(|end| row(end, r.word(&rates))).collect()
}

/// Levels, which are numbers, and grades, which are texts.
fn attributes(r: &mut Random, world: &mut World) {
    let mut ids: Vec<(&'static str, String)> = Vec::new();
    let people = world.people.iter().map(|person| ("participant", person.id.clone()));
    ids.extend(people);
    ids.extend(world.seats.iter().map(|seat| ("position", seat.id.clone())));
    ids.extend(world.teams.iter().map(|team| ("team", team.id.clone())));
    ids.sort();
    ids.dedup();
    for (kind, id) in ids {
        for name in ["level", "grade"] {
            if !r.one_in(3) {
                continue;
            }
            let values = if name == "level" { ["1", "2", "2.50"] } else { ["gold", "Silver", "x"] };
            let mut add = |r: &mut Random, span| {
                let (value, id) = (r.word(&values).to_owned(), id.clone());
                world.attributes.push(Attribute { kind, id, name, value, span });
            };
            if r.one_in(2) {
                let cut = day(r.word(&CUTS));
                add(r, Span { from: None, to: Some(cut) });
                add(r, Span { from: Some(cut.tomorrow().unwrap()), to: None });
            } else {
                let span = if r.one_in(3) { super::span(r, 2) } else { Span::default() };
                add(r, span);
            }
        }
    }
}

/// What an expression sees beside the transaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sees {
    Nothing,
    /// `to` of a direct result.
    To,
    /// `to` and `credit`.
    Both,
}

/// Whether some row has the attribute.
fn has(world: &World, name: &str) -> bool {
    world.attributes.iter().any(|row| row.name == name)
}

fn attribute(of: Expr, name: &'static str) -> Expr {
    Expr::Attribute(Box::new(of), name)
}

/// Something that is known of a receiver or of a credit.
fn of_receiver(r: &mut Random, world: &World, sees: Sees, name: &'static str) -> Expr {
    let field = |name| if name == "level" { text("1") } else { Expr::Column("stage") };
    match sees {
        Sees::Nothing => field(name),
        _ if !has(world, name) => field(name),
        Sees::To => attribute(Expr::Name("to"), name),
        Sees::Both => attribute(Expr::Name(r.word_of(&["to", "credit"])), name),
    }
}

/// A key of a look-up.
fn key(r: &mut Random, world: &World, (sees, n): (Sees, usize)) -> Expr {
    match r.below(9) {
        _ if n == 0 && r.one_in(2) => Expr::Column("stage"),
        0 => Expr::Column("stage"),
        1 | 2 if sees != Sees::Nothing => Expr::Field("to", "title"),
        3 => Expr::Column("units"),
        4 if sees != Sees::Nothing => Expr::Field("to", "title"),
        5 if sees == Sees::Both => Expr::Field("credit", r.word_of(&["kind", "credit_type"])),
        6 => of_receiver(r, world, sees, "level"),
        7 => of_receiver(r, world, sees, "grade"),
        8 => Expr::Column("desk"),
        _ => Expr::Text(cell(r, world, n)),
    }
}

fn call(r: &mut Random, world: &World, function: &'static str, name: &str, sees: Sees) -> Expr {
    let table = world.tables.iter().find(|table| table.name == name).unwrap();
    let mut arguments = vec![text(name)];
    for n in 0..table.keys.len() {
        arguments.push(key(r, world, (sees, n)));
    }
    if table.range.is_some() {
        let amount = Expr::Field("tx", "amount");
        arguments.push(if r.one_in(4) { Expr::Column("units") } else { amount });
    }
    Expr::Call(function, arguments)
}

/// A factor above zero, at times a fault.
pub(super) fn factor(r: &mut Random, world: &World, sees: Sees) -> Expr {
    let or = |found, other: &str| op("??", found, number(other));
    match r.below(8) {
        0 | 1 => call(r, world, "lookup", "rates", sees),
        2 => or(call(r, world, "find", "rates", sees), "0.25"),
        3 => Expr::Dot(Box::new(call(r, world, "lookup", "marks", sees)), "factor"),
        4 => {
            let found = call(r, world, "find", "marks", sees);
            or(Expr::Maybe(Box::new(found), "factor"), "0.75")
        }
        5 if has(world, "level") && sees != Sees::Nothing => of_receiver(r, world, sees, "level"),
        6 if has(world, "level") && sees != Sees::Nothing => {
            or(of_receiver(r, world, sees, "level"), "1.5")
        }
        _ => or(call(r, world, "find", "rates", sees), "0.5"),
    }
}

/// Something true or false.
pub(super) fn test(r: &mut Random, world: &World, sees: Sees) -> Expr {
    let who = |r: &mut Random| {
        let name = match r.below(4) {
            0 => Expr::Column("desk"),
            1 => Expr::Column("owner"),
            _ => Expr::Text(super::name(r, world)),
        };
        Expr::Call("who", vec![name])
    };
    match r.below(8) {
        0 => op("!=", call(r, world, "find", "rates", sees), Expr::Nothing),
        1 => {
            let found = call(r, world, "find", "marks", sees);
            op("==", Expr::Maybe(Box::new(found), "label"), text("A"))
        }
        2 if has(world, "grade") && sees != Sees::Nothing => {
            op("==", of_receiver(r, world, sees, "grade"), text("gold"))
        }
        3 => op("==", who(r), Expr::Nothing),
        4 => op("!=", Expr::Maybe(Box::new(who(r)), "manager"), Expr::Nothing),
        5 if has(world, "grade") => op("!=", attribute(who(r), "grade"), text("gold")),
        6 => {
            let teams = Expr::Dot(Box::new(who(r)), "teams");
            op(">", Expr::Call("len", vec![teams]), number("0"))
        }
        _ => {
            let field = r.word_of(&["title", "position", "payee"]);
            let value = cell(r, world, 1);
            op("==", Expr::Maybe(Box::new(who(r)), field), Expr::Text(value))
        }
    }
}

/// A text that names recipients.
pub(super) fn names(r: &mut Random, world: &World) -> Expr {
    let found = |r: &mut Random| call(r, world, "find", "desks", Sees::Nothing);
    match r.below(3) {
        0 => call(r, world, "lookup", "desks", Sees::Nothing),
        1 => op("??", found(r), Expr::Column("owner")),
        _ => {
            let who = Expr::Call("who", vec![Expr::Column("desk")]);
            let field = r.word_of(&["position", "manager"]);
            op("??", Expr::Maybe(Box::new(who), field), Expr::Field("tx", "default_credit"))
        }
    }
}

/// Expressions of rules and results in place of what they have.
pub(super) fn inlines(r: &mut Random, world: &mut World) {
    if world.tables.is_empty() {
        return;
    }
    let mut plans = std::mem::take(&mut world.plans);
    for plan in &mut plans {
        let rules = plan.direct.iter_mut().map(|rule| (&mut rule.test, &mut rule.results, true));
        let above = plan.indirect.iter_mut().map(|rule| (&mut rule.test, &mut rule.results, false));
        for (condition, results, direct) in rules.chain(above) {
            if *condition == Test::Always && r.one_in(8) {
                *condition = Test::Inline(world.inlines.len());
                let expr = test(r, world, Sees::Nothing);
                world.inlines.push(expr);
            }
            for result in results.iter_mut().filter(|result| result.value == Value::Default) {
                if !r.one_in(3) {
                    continue;
                }
                let sees = if direct { Sees::To } else { Sees::Both };
                let amount = Expr::Field(if direct { "tx" } else { "credit" }, "amount");
                let whole = op("*", amount.clone(), factor(r, world, sees));
                let expr =
                    if r.one_in(4) { either(test(r, world, sees), amount, whole) } else { whole };
                result.value = Value::Inline(world.inlines.len());
                world.inlines.push(expr);
            }
        }
    }
    world.plans = plans;
}

const OF_PAYEES: [Key; 7] =
    [Key::Id, Key::Title, Key::Position, Key::Team, Key::Unit, Key::Level, Key::Grade];

fn of_payee(r: &mut Random, world: &World) -> Key {
    let key = *r.pick(&OF_PAYEES);
    match key {
        Key::Level if !has(world, "level") => Key::Title,
        Key::Grade if !has(world, "grade") => Key::Title,
        key => key,
    }
}

/// A formula of tables, attributes and people, where the world has them.
pub(super) fn formula(r: &mut Random, world: &World, other: Formula) -> Formula {
    if world.tables.is_empty() || !r.one_in(4) {
        return other;
    }
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    let factor = amount(r.word(&["0.5", "0", "33.335"]));
    match r.below(6) {
        0 => Formula::Row(of_payee(r, world)),
        1 if has(world, "level") => Formula::Level,
        2 if has(world, "grade") => Formula::Gold(factor),
        3 => {
            let names = ["P0", "Name 1", "Sam Twin", "Ace", "Zed Nobody", "u0@x.org", "Best One"];
            Formula::Who(r.word_of(&names), factor)
        }
        _ => Formula::Found(of_payee(r, world), factor),
    }
}

/// Tiers of the table, where it fits the credit types of the reward.
pub(super) fn worth(r: &mut Random, world: &World, types: &[String], other: Worth) -> Worth {
    let Some(table) = world.tables.iter().find(|table| table.name == "steps") else { return other };
    let known = |name| !table.keys.contains(&name) || has(world, name);
    let one = types.len() == 1 || (types.is_empty() && world.credit_types.len() == 1);
    let fits = (one || !table.keys.contains(&"credit_type")) && known("level") && known("grade");
    if !fits || r.one_in(2) {
        return other;
    }
    Worth::Table(*r.pick(&[None, Some(false), Some(true)]))
}

/// An amount by payee and period.
pub(super) fn due(r: &mut Random, world: &World) -> Due {
    let amount =
        |r: &mut Random| r.word(&["100", "50", "33.335", "7", "0.01"]).parse::<Decimal>().unwrap();
    let tables = !world.tables.is_empty();
    match r.below(6) {
        0 => Due::Rep(amount(r), amount(r)),
        1 => Due::Period(calendar::period(r, &world.calendar), amount(r), amount(r)),
        2 if tables => Due::Row(of_payee(r, world)),
        3 if tables => Due::Found(of_payee(r, world), amount(r)),
        4 if has(world, "level") => Due::Level(amount(r)),
        _ => Due::Fixed(amount(r)),
    }
}
