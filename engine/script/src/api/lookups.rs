//! `lookup`, `find` and `who`: tables and people on the date of the run, and attributes in brackets.
//!
//! Not which row of a table counts (`domain::tables`), and not whom a name means
//! (`domain::organization`). Called by scripts.
//!
//! **Architecture invariant:** what is not found is an error that names the table, the keys and the
//! date, or `()` where the author asked with `find`; it is never a value of zero.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::signature::{Parameter, Signature, call, named};
use super::{CREDIT_FIELDS, PAYEE_FIELDS, RECEIVER_FIELDS, ScriptFunction, refuse_arguments};
use crate::kind::ValueKind;
use crate::surroundings::{self, ReferenceData};
use crate::value::{Outcome, ScriptValue, raise};
use crate::{PayeeView, PersonView, ReceiverView};
use accredit_domain::credit::Credit;
use accredit_domain::declared::DeclaredValue;
use accredit_domain::keys::{DefinedName, ParticipantKey, PositionKey};
use accredit_domain::organization::attributes::AttributeBearer;
use accredit_domain::organization::persons::NamedPerson;
use accredit_domain::tables::{LookupTable, TABLE_KEYS_MAX, TABLE_RANGES_MAX};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[LOOKUP, FIND, WHO];

/// Functions whose first argument is the name of a table.
pub(crate) const TABLE_FUNCTIONS: [&str; 2] = ["lookup", "find"];

/// Functions that read on a date, which an intake policy does not have.
pub(crate) const DATED_FUNCTIONS: [&str; 3] = ["lookup", "find", "who"];

/// The name of a table, and as many keys and ranges as one may have.
const TABLE_ARITIES: &[usize] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];

const _: () = assert!(TABLE_ARITIES.len() == 1 + TABLE_KEYS_MAX + TABLE_RANGES_MAX);

/// The forms that a reader and an editor need to see; more keys and ranges follow in the same way.
const TABLE_FORMS: &[Signature] = &[
    call(&[TABLE], ValueKind::Any),
    call(&[TABLE, named("key", ValueKind::Any)], ValueKind::Any),
    call(&[TABLE, named("key", ValueKind::Any), named("second", ValueKind::Any)], ValueKind::Any),
    call(
        &[
            TABLE,
            named("key", ValueKind::Any),
            named("second", ValueKind::Any),
            named("third", ValueKind::Any),
        ],
        ValueKind::Any,
    ),
];

const TABLE: Parameter = named("table", ValueKind::Text);

const LOOKUP: ScriptFunction = ScriptFunction {
    name: "lookup",
    signatures: TABLE_FORMS,
    page: "The value of the row of `tables/NAME.csv` that counts on the incentive date, in a reward \
           on the last day of the period; a map where the table has several columns of values. \
           After the name of the table come its keys, then its ranges, as many as it has. No row is \
           an error.",
    arities: TABLE_ARITIES,
    call: |values| match find_value("lookup", values)? {
        Ok(value) => Ok(value),
        Err(missing) => raise(missing),
    },
};

const FIND: ScriptFunction = ScriptFunction {
    name: "find",
    signatures: TABLE_FORMS,
    page: "The same as `lookup`, and () where the table has no row.",
    arities: TABLE_ARITIES,
    call: |values| Ok(find_value("find", values)?.unwrap_or(ScriptValue::Unit)),
};

const WHO: ScriptFunction = ScriptFunction {
    name: "who",
    signatures: &[call(&[named("name", ValueKind::MaybeText)], ValueKind::MaybePerson)],
    page: "The person that a name, id or alias means on the incentive date, with `position`, \
           `title`, `payee`, `manager` and `teams`, and attributes in brackets: \
           `who(name)[\"level\"]`. It is () where the name means nobody, and an error where it \
           means several.",
    arities: &[1],
    call: |values| match values {
        [ScriptValue::Text(name)] => surroundings::on_date(|data, date| who(data, date, name)),
        // The payee of a vacant position is nobody.
        [ScriptValue::Unit] => Ok(ScriptValue::Unit),
        _ => refuse_arguments("who", values),
    },
};

/// The fields of a person.
pub(crate) const PERSON_FIELDS: &[&str] = &["position", "title", "payee", "manager", "teams"];

/// Characters of a key that a message shows.
const KEY_SHOWN_CHARS: usize = 80;

/// The value of the row that counts; else why there is none, in words.
fn find_value(function: &str, values: &[ScriptValue]) -> Outcome<Result<ScriptValue, String>> {
    let [ScriptValue::Text(name), arguments @ ..] = values else {
        return refuse_arguments(function, values);
    };

    surroundings::on_date(|data, date| {
        let Some(table) = data.tables.lookups.get(name) else {
            return raise(format!("there is no table `{name}`"));
        };

        let given = arguments.len();
        if given != table.shape.argument_count() {
            let needed = table.shape.argument_count();
            return raise(format!("`{name}` takes {needed} arguments after its name, not {given}"));
        }

        let (keys, ranges) = arguments.split_at(table.shape.keys.len());
        let keys = read_keys(name, table, keys)?;
        let ranges = read_ranges(name, table, ranges)?;
        let given: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        Ok(match table.find_row(&given, &ranges, date) {
            Some(row) => Ok(row_value(table, row)),
            None => Err(missing_row(name, table, (&given, &ranges), date)),
        })
    })
}

/// Keys as texts: a number without zeros at its end, and blank for nothing.
fn read_keys(name: &str, table: &LookupTable, given: &[ScriptValue]) -> Outcome<Vec<Arc<str>>> {
    let columns = table.shape.keys.iter().zip(given);
    let keys = columns.map(|(column, value)| match (value, value.as_number()) {
        (ScriptValue::Text(text), _) => Ok(Arc::clone(text)),
        (ScriptValue::Unit, _) => Ok(Arc::from("")),
        (_, Some(number)) => Ok(DeclaredValue::Number(number).to_key()),
        (other, None) => {
            let kind = other.kind_word();
            raise(format!("the key `{column}` of `{name}` is a text or a number, this is {kind}"))
        }
    });
    keys.collect()
}

fn read_ranges(name: &str, table: &LookupTable, given: &[ScriptValue]) -> Outcome<Vec<Decimal>> {
    let columns = table.shape.ranges.iter().zip(given);
    let ranges = columns.map(|(column, value)| match value.as_number() {
        Some(number) => Ok(number),
        None => {
            let kind = value.kind_word();
            raise(format!("the range `{column}` of `{name}` needs a number, this is {kind}"))
        }
    });
    ranges.collect()
}

/// The value of a row, or a map of its values.
fn row_value(table: &LookupTable, row: &[Option<DeclaredValue>]) -> ScriptValue {
    if let [only] = row {
        return declared_value(only.as_ref());
    }
    let columns = table.shape.values.iter().zip(row);
    let entries: BTreeMap<Arc<str>, ScriptValue> = columns
        .map(|((name, _), value)| (Arc::clone(name), declared_value(value.as_ref())))
        .collect();
    ScriptValue::Map(entries)
}

fn declared_value(value: Option<&DeclaredValue>) -> ScriptValue {
    match value {
        None => ScriptValue::Unit,
        Some(DeclaredValue::Text(text)) => ScriptValue::Text(Arc::clone(text)),
        Some(DeclaredValue::Number(number)) => ScriptValue::Number(*number),
        Some(DeclaredValue::Date(date)) => ScriptValue::Date(*date),
        Some(DeclaredValue::Bool(flag)) => ScriptValue::Bool(*flag),
    }
}

fn missing_row(
    name: &str,
    table: &LookupTable,
    (keys, ranges): (&[&str], &[Decimal]),
    date: Date,
) -> String {
    let shown = |key: &str| key.chars().take(KEY_SHOWN_CHARS).collect::<String>();
    let keys = table.shape.keys.iter().zip(keys);
    let keys = keys.map(|(column, key)| format!("{column} `{}`", shown(key)));
    let ranges = table.shape.ranges.iter().zip(ranges);
    let ranges = ranges.map(|(column, number)| format!("{column} {number}"));
    let given = keys.chain(ranges).collect::<Vec<_>>().join(", ");
    let given = if given.is_empty() { String::new() } else { format!(" for {given}") };
    format!("`{name}` has no row{given} on {date}: add one, or ask with find(…)")
}

/// Whom a name means; nothing for nobody.
fn who(data: &ReferenceData, date: Date, name: &str) -> Outcome {
    match data.organization.person_named(name, date) {
        Ok(None) => Ok(ScriptValue::Unit),
        Ok(Some(found)) => Ok(ScriptValue::Person(Arc::new(person_view(data, date, found)))),
        Err(ambiguous) => {
            let ids: Vec<String> = ambiguous.0.iter().map(|id| format!("`{id}`")).collect();
            let name: String = name.chars().take(KEY_SHOWN_CHARS).collect();
            raise(format!("`{name}` means {} on {date}: write one of these ids", ids.join(" and ")))
        }
    }
}

fn person_view(data: &ReferenceData, date: Date, found: NamedPerson) -> PersonView {
    let organization = &data.organization;
    let version = found.position.and_then(|position| organization.version_on(position, date));
    let manager = version.and_then(|version| version.manager);
    let teams = found.participant.map(|person| organization.teams.teams_of(person, date));
    PersonView {
        position: found.position.map(|position| organization.position_id(position)),
        title: version.map(|version| version.title),
        payee: found.participant.map(|person| organization.participant_id(person)),
        manager: manager.map(|manager| organization.position_id(manager)),
        teams: teams.unwrap_or_default().iter().map(|team| organization.team_id(*team)).collect(),
    }
}

/// The field `name` of a person; none for other names.
pub(super) fn person_field(person: &PersonView, name: &str) -> Option<ScriptValue> {
    Some(match name {
        "position" => ScriptValue::optional_text(person.position.as_ref().map(PositionKey::shared)),
        "title" => ScriptValue::optional_text(person.title.as_ref().map(DefinedName::shared)),
        "payee" => ScriptValue::optional_text(person.payee.as_ref().map(ParticipantKey::shared)),
        "manager" => ScriptValue::optional_text(person.manager.as_ref().map(PositionKey::shared)),
        "teams" => {
            let teams =
                person.teams.iter().map(|team| ScriptValue::Text(Arc::clone(team.shared())));
            ScriptValue::Array(teams.collect())
        }
        _ => return None,
    })
}

/// The ids of a person, a position and a team; each may be missing.
type BearerIds<'a> = [Option<&'a str>; 3];

pub(super) fn credit_attribute(credit: &Credit, name: &str) -> Outcome {
    let bearers = [credit.payee.as_deref(), credit.position.as_deref(), credit.team.as_deref()];
    attribute(CREDIT_FIELDS, bearers, name)
}

pub(super) fn receiver_attribute(to: &ReceiverView, name: &str) -> Outcome {
    let bearers = [to.payee.as_deref(), to.position.as_deref(), to.team.as_deref()];
    attribute(RECEIVER_FIELDS, bearers, name)
}

pub(super) fn person_attribute(person: &PersonView, name: &str) -> Outcome {
    let bearers = [person.payee.as_deref(), person.position.as_deref(), None];
    attribute(PERSON_FIELDS, bearers, name)
}

pub(super) fn payee_attribute(payee: &PayeeView, name: &str) -> Outcome {
    // Where teams are measured, the payee is the team.
    let person = payee.team.is_none().then_some(&*payee.id);
    attribute(PAYEE_FIELDS, [person, payee.position.as_deref(), payee.team.as_deref()], name)
}

/// The attribute `name` of a person, else of the position, else of the team. A name behind a dot
/// that is no field comes here as well.
fn attribute(fields: &[&str], [person, position, team]: BearerIds<'_>, name: &str) -> Outcome {
    surroundings::on_date(|data, date| {
        let organization = &data.organization;
        if organization.attributes.kind_of(name).is_none() {
            return raise(match fields.contains(&name) {
                true => format!("`{name}` is a field: write .{name}"),
                false => format!("there is no field or attribute `{name}`"),
            });
        }

        let person = person.and_then(|id| organization.find_participant(id));
        let position = position.and_then(|id| organization.find_position(id));
        let team = team.and_then(|id| organization.teams.find(id));
        let bearers = [
            person.map(AttributeBearer::Participant),
            position.map(AttributeBearer::Position),
            team.map(AttributeBearer::Team),
        ];
        let found = organization.attribute_on(bearers.into_iter().flatten(), name, date);
        Ok(declared_value(found))
    })
}
