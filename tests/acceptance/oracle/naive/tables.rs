//! Tables, attributes and people by name: what `lookup`, `find`, `who` and brackets come to.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::scripts::{Answer, Found, reach};
use super::teams;
use crate::oracle::tables::{Key, NUMBERS, Table, TableRow};
use crate::oracle::world::World;

const ERROR: &str = "policy_error";

/// Whether a cell names a key; others match anything.
fn names(cell: &str) -> bool {
    !matches!(cell.trim(), "" | "*")
}

/// A key as it is compared.
fn folded(key: &Found) -> Option<String> {
    Some(match key {
        Found::Text(text) => text.trim().to_lowercase(),
        Found::Number(number) => number.normalize().to_string(),
        Found::Nothing => String::new(),
        _ => return None,
    })
}

/// A number of a cell, at times written in percent.
pub(super) fn cell(text: &str) -> Decimal {
    match text.trim().strip_suffix('%') {
        Some(digits) => digits.trim().parse::<Decimal>().unwrap() / Decimal::from(100),
        None => text.trim().parse().unwrap(),
    }
}

fn bound(row: &TableRow) -> Option<Decimal> {
    (!row.bound.trim().is_empty()).then(|| cell(&row.bound))
}

fn named(row: &TableRow) -> usize {
    row.keys.iter().filter(|key| names(key)).count()
}

/// The rows whose keys match on a day.
fn matching<'a>(table: &'a Table, keys: &[Found], date: Date) -> Option<Vec<&'a TableRow>> {
    let keys: Vec<String> = keys.iter().map(folded).collect::<Option<_>>()?;
    let fits = |row: &&TableRow| {
        let mut cells = row.keys.iter().zip(&keys);
        row.span.has(date)
            && cells.all(|(cell, key)| !names(cell) || cell.trim().to_lowercase() == *key)
    };
    Some(table.rows.iter().filter(fits).collect())
}

/// The row that counts: with the most named keys, of those with the largest bound that is not above
/// the number.
fn row<'a>(
    table: &'a Table,
    keys: &[Found],
    number: Option<Decimal>,
    date: Date,
) -> Option<Option<&'a TableRow>> {
    let fits = |row: &&TableRow| bound(row).is_none_or(|bound| number.is_some_and(|n| bound <= n));
    let rows = matching(table, keys, date)?.into_iter().filter(fits);
    Some(rows.max_by_key(|row| (named(row), bound(row))))
}

/// What `lookup` or `find` gives on a day; the arguments come behind the name.
pub(super) fn look_up(
    world: &World,
    (function, name): (&'static str, &str),
    arguments: &[Found],
    date: Date,
) -> Answer {
    let table = world.tables.iter().find(|table| table.name == name).unwrap();
    let (keys, numbers) = arguments.split_at(table.keys.len());
    let number = match numbers {
        [] => None,
        [Found::Number(number)] => Some(*number),
        _ => return Err(ERROR),
    };
    let Some(found) = row(table, keys, number, date).ok_or(ERROR)? else {
        reach(if function == "find" { "table: found nothing" } else { "table: no row" });
        return if function == "find" { Ok(Found::Nothing) } else { Err(ERROR) };
    };
    told(table, found, keys.len());
    let value = |(kind, text): (&str, &String)| match kind {
        _ if text.trim().is_empty() => Found::Nothing,
        "number" => Found::Number(cell(text)),
        _ => Found::Text(text.clone()),
    };
    let columns = table.values.iter().zip(&found.values);
    let mut all: Vec<(&'static str, Found)> =
        columns.map(|((column, kind), text)| (*column, value((kind, text)))).collect();
    if all.len() == 1 {
        return Ok(all.remove(0).1);
    }
    reach("table: several values");
    Ok(Found::Map(all))
}

/// Notes what made a row count.
fn told(table: &Table, found: &TableRow, keys: usize) {
    let count = named(found);
    reach(if count == 0 { "table: any key" } else { "table: a named key" });
    for (is_so, what) in [
        (count > 1, "table: two named keys"),
        (0 < count && count < keys, "table: one of two keys"),
        (table.range.is_some() && !found.bound.is_empty(), "table: a lower bound"),
        (found.span.from.is_some() || found.span.to.is_some(), "table: dates"),
    ] {
        if is_so {
            reach(what);
        }
    }
}

/// The tiers of a table on a day, up to which and at what rate; none where no row matches.
pub(super) fn tiers<'a>(
    table: &'a Table,
    keys: &[Found],
    date: Date,
) -> Option<Vec<(Option<&'a str>, &'a str)>> {
    let rows = matching(table, keys, date)?;
    let most = rows.iter().map(|row| named(row)).max()?;
    let best = rows.into_iter().filter(|row| named(row) == most);
    let end = |text: &'a String| (!text.is_empty()).then_some(text.as_str());
    Some(best.map(|row| (end(&row.values[0]), row.values[1].as_str())).collect())
}

/// Whose attribute is asked for: a person, a position, teams.
#[derive(Debug, Clone, Default)]
pub(super) struct Whose {
    pub(super) person: Option<String>,
    pub(super) position: Option<String>,
    pub(super) teams: Vec<String>,
}

/// The attribute on a day: the person's own, else that of the position, else that of the team.
pub(super) fn attribute(world: &World, whose: &Whose, name: &str, date: Date) -> Found {
    let person = whose.person.iter().map(|id| ("participant", id, "attribute: of a person"));
    let position = whose.position.iter().map(|id| ("position", id, "attribute: of a position"));
    let team = whose.teams.iter().map(|id| ("team", id, "attribute: of a team"));
    for (kind, id, what) in person.chain(position).chain(team) {
        let mut all = world.attributes.iter();
        let found = all.find(|row| {
            row.kind == kind && row.id == *id && row.name == name && row.span.has(date)
        });
        if let Some(row) = found {
            reach(what);
            return match NUMBERS.contains(&name) {
                true => Found::Number(cell(&row.value)),
                false => Found::Text(row.value.clone()),
            };
        }
    }
    reach("attribute: none");
    Found::Nothing
}

/// Whom a name means on a day, with what is known; nothing where it means nobody.
pub(super) fn who(world: &World, name: &str, date: Date) -> Answer {
    let name = name.trim().to_lowercase();
    let same = |other: &str| !other.is_empty() && other.trim().to_lowercase() == name;
    let aliased = |kind: &str, id: &str| {
        world.aliases.iter().any(|a| a.kind == kind && a.id == id && same(&a.alias))
    };
    let there = |id: &str| world.seats.iter().any(|seat| seat.id == id && seat.span.has(date));
    let people = world.people.iter().filter(|person| {
        let own = same(&person.id) || same(&person.name) || same(&person.email);
        (own || aliased("participant", &person.id)) && (!world.simple || there(&person.id))
    });
    let people: Vec<&String> = people.map(|person| &person.id).collect();
    let today = || world.sittings.iter().filter(|s| s.span.has(date) && there(&s.seat));
    let mut seats: Vec<&String> =
        world.seats.iter().map(|seat| &seat.id).filter(|id| there(id)).collect();
    seats.retain(|id| {
        let held = || today().any(|s| s.seat == **id && people.contains(&&s.person));
        same(id) || aliased("position", id) || held()
    });
    seats.sort();
    seats.dedup();
    let holder = |seat: &String| today().find(|s| s.seat == *seat).map(|s| &s.person);
    let (person, seat) = match (people.as_slice(), seats.as_slice()) {
        ([], []) => {
            reach("who: nobody");
            return Ok(Found::Nothing);
        }
        ([person], []) => (Some(*person), None),
        // Where positions are meant, only they are counted, as for those who are credited.
        (_, [seat]) => (holder(seat), Some(*seat)),
        _ => {
            reach("who: several");
            return Err(ERROR);
        }
    };
    reach(match (person, seat) {
        (Some(_), Some(_)) => "who: a person in a position",
        (Some(_), None) => "who: a person without a position",
        _ => "who: a vacant position",
    });
    let row = world.seats.iter().find(|row| Some(&row.id) == seat && row.span.has(date));
    let or_nothing =
        |text: Option<&String>| text.map_or(Found::Nothing, |t| Found::Text(t.clone()));
    let in_team = |team: &&crate::oracle::world::Team| {
        let member = |person: &String| teams::has_member(world, &team.id, person, date);
        team.span.has(date) && person.is_some_and(member)
    };
    let of = world.teams.iter().filter(in_team);
    Ok(Found::Map(vec![
        ("position", or_nothing(seat)),
        ("title", or_nothing(row.map(|row| &row.title))),
        ("payee", or_nothing(person)),
        ("manager", or_nothing(row.and_then(|row| row.manager.as_ref()))),
        ("teams", Found::Array(of.map(|team| Found::Text(team.id.clone())).collect())),
    ]))
}

/// A payee as rewards, quotas and draws see it, on a day.
#[derive(Debug, Clone)]
pub(super) struct Payee {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) position: Option<String>,
    /// Where teams are measured.
    pub(super) team: Option<String>,
    pub(super) unit: String,
}

/// A key of a payee; attributes are those of the day.
pub(super) fn key(world: &World, payee: &Payee, key: Key, date: Date) -> Found {
    let text = |text: &Option<String>| text.clone().map_or(Found::Nothing, Found::Text);
    let whose = Whose {
        person: payee.team.is_none().then(|| payee.id.clone()),
        position: payee.position.clone(),
        teams: payee.team.iter().cloned().collect(),
    };
    match key {
        Key::Id => Found::Text(payee.id.clone()),
        Key::Title => text(&payee.title),
        Key::Position => text(&payee.position),
        Key::Team => text(&payee.team),
        Key::Unit => Found::Text(payee.unit.clone()),
        Key::Level => attribute(world, &whose, "level", date),
        Key::Grade => attribute(world, &whose, "grade", date),
    }
}
