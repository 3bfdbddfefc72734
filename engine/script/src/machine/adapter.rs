//! The table of functions as Rhai knows it, and Rhai's values as values of scripts.
//!
//! Not what a function does (`api`): each form that is registered here calls the table. Called by
//! `sandbox` when an engine is made, and wherever a value enters or leaves Rhai.
//!
//! **Architecture invariant:** no other file registers a function, and no other file looks into a
//! value of Rhai.
//!
//! Arrays and maps are Rhai's while a script runs. What asks only for their size, an item or a key
//! has a form of its own here, which copies nothing; so has `push`, which changes an array in its
//! place, and so have the assignments such as `+=`.

mod callbacks;
pub(crate) mod switch;

use std::any::TypeId;
use std::cmp::Ordering;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use jiff::civil::Date;
use rhai::{
    Array, Dynamic, Engine, EvalAltResult, Expr, FnPtr, FuncRegistration, INT, ImmutableString,
    Map, Position, RhaiNativeFunc, Variant,
};
use rust_decimal::Decimal;

use crate::api::fields::{self, LISTED_FIELDS, read_column, read_field};
use crate::api::signature::Signature;
use crate::api::{self, ScriptFunction, lists};
use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptError, ScriptValue};
use crate::{EarnedView, PayeeView, PersonView, ReceiverView, Share, StandingView, TotalsView};
use accredit_domain::credit::Credit;
use accredit_domain::hold::Hold;
use accredit_domain::transaction::Transaction;

/// What a function gives back to Rhai.
type Answer<T = Dynamic> = Result<T, Box<EvalAltResult>>;

/// Marks the message of an error that was raised by a cell that does not parse.
const BAD_VALUE_TAG: i32 = 1;

/// Makes every function of the table and every field known to `engine`, and nothing else.
pub(crate) fn register_table(engine: &mut Engine) {
    for function in api::all_functions() {
        register_function(engine, function);
    }
    register_assignments(engine);
    register_text_forms(engine);
    register_in_place_forms(engine);
    callbacks::register_callbacks(engine);

    register_types(engine);
    register_fields(engine);

    engine.register_iterator::<Array>();
    engine.register_iterator::<Range<INT>>();
    engine.register_iterator::<RangeInclusive<INT>>();
}

/// The value of a script that a value of Rhai is.
pub(crate) fn from_dynamic(value: &Dynamic) -> ScriptValue {
    // The commonest kinds come first: every argument of every call passes here.
    if let Ok(number) = value.as_decimal() {
        ScriptValue::Number(number)
    } else if let Ok(text) = value.as_immutable_string_ref() {
        ScriptValue::Text(Arc::from(text.as_str()))
    } else if let Ok(whole) = value.as_int() {
        ScriptValue::Whole(whole)
    } else if let Ok(flag) = value.as_bool() {
        ScriptValue::Bool(flag)
    } else if value.is_unit() {
        ScriptValue::Unit
    } else if let Ok(letter) = value.as_char() {
        ScriptValue::from(letter.to_string())
    } else if let Ok(items) = value.as_array_ref() {
        ScriptValue::Array(items.iter().map(from_dynamic).collect())
    } else if let Ok(entries) = value.as_map_ref() {
        let entries =
            entries.iter().map(|(key, item)| (Arc::from(key.as_str()), from_dynamic(item)));
        ScriptValue::Map(entries.collect())
    } else {
        from_variant(value)
    }
}

fn from_variant(value: &Dynamic) -> ScriptValue {
    if let Some(date) = variant::<Date>(value) {
        ScriptValue::Date(date)
    } else if let Some(tx) = variant(value) {
        ScriptValue::Transaction(tx)
    } else if let Some(credit) = variant(value) {
        ScriptValue::Credit(credit)
    } else if let Some(to) = variant(value) {
        ScriptValue::Receiver(to)
    } else if let Some(share) = variant(value) {
        ScriptValue::Share(share)
    } else if let Some(hold) = variant(value) {
        ScriptValue::Hold(hold)
    } else if let Some(payee) = variant(value) {
        ScriptValue::Payee(payee)
    } else if let Some(totals) = variant(value) {
        ScriptValue::Totals(totals)
    } else if let Some(earned) = variant(value) {
        ScriptValue::Earned(earned)
    } else if let Some(standing) = variant(value) {
        ScriptValue::Standing(standing)
    } else if let Some(person) = variant(value) {
        ScriptValue::Person(person)
    } else if let Some(range) = variant(value) {
        ScriptValue::Range(range)
    } else if let Some(range) = variant(value) {
        ScriptValue::RangeInclusive(range)
    } else {
        ScriptValue::Unknown
    }
}

fn variant<T: Variant + Clone>(value: &Dynamic) -> Option<T> {
    value.read_lock::<T>().map(|inner| inner.clone())
}

/// The value of Rhai that a value of a script is.
pub(crate) fn to_dynamic(value: ScriptValue) -> Dynamic {
    match value {
        ScriptValue::Unit | ScriptValue::Unknown => Dynamic::UNIT,
        ScriptValue::Bool(flag) => flag.into(),
        ScriptValue::Whole(whole) => whole.into(),
        ScriptValue::Number(number) => number.into(),
        ScriptValue::Text(text) => ImmutableString::from(&*text).into(),
        ScriptValue::Date(date) => Dynamic::from(date),
        ScriptValue::Share(share) => Dynamic::from(share),
        ScriptValue::Hold(hold) => Dynamic::from(hold),
        ScriptValue::Array(items) => {
            Dynamic::from_array(items.into_iter().map(to_dynamic).collect())
        }
        ScriptValue::Map(entries) => {
            let entries = entries.into_iter().map(|(key, item)| ((&*key).into(), to_dynamic(item)));
            Dynamic::from_map(entries.collect::<Map>())
        }
        ScriptValue::Range(range) => Dynamic::from(range),
        ScriptValue::RangeInclusive(range) => Dynamic::from(range),
        ScriptValue::Transaction(tx) => Dynamic::from(tx),
        ScriptValue::Credit(credit) => Dynamic::from(credit),
        ScriptValue::Receiver(to) => Dynamic::from(to),
        ScriptValue::Payee(payee) => Dynamic::from(payee),
        ScriptValue::Totals(totals) => Dynamic::from(totals),
        ScriptValue::Earned(earned) => Dynamic::from(earned),
        ScriptValue::Standing(standing) => Dynamic::from(standing),
        ScriptValue::Person(person) => Dynamic::from(person),
    }
}

/// The number that an expression is, where it is written out.
pub(crate) fn literal_number(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::IntegerConstant(whole, _) => Some(Decimal::from(*whole)),
        Expr::DynamicConstant(value, _) => from_dynamic(value).as_number(),
        _ => None,
    }
}

/// The name that Rhai gave to a function without one: `|x| …`.
pub(crate) fn function_name(value: &Dynamic) -> Option<String> {
    value.read_lock::<FnPtr>().map(|function| function.fn_name().to_owned())
}

/// Whether an error of Rhai was raised by a cell that does not parse.
pub(crate) fn is_bad_value(error: &EvalAltResult) -> bool {
    matches!(error, EvalAltResult::ErrorRuntime(message, _) if message.tag() == BAD_VALUE_TAG)
}

/// The error of a function as Rhai carries it to the place of the call.
fn raised(error: ScriptError) -> Box<EvalAltResult> {
    let mut message = Dynamic::from(error.message);
    if error.bad_value {
        message.set_tag(BAD_VALUE_TAG);
    }
    EvalAltResult::ErrorRuntime(message, Position::NONE).into()
}

fn answered(outcome: Outcome) -> Answer {
    outcome.map(to_dynamic).map_err(raised)
}

/// Registers a function for the kinds of its signatures, which Rhai finds at once, and for values
/// of any kind, which the table refuses where they do not fit.
fn register_function(engine: &mut Engine, function: &'static ScriptFunction) {
    for arity in function.arities {
        register_form(engine, function, &vec![TypeId::of::<Dynamic>(); *arity]);
    }
    for form in function.signatures.iter().flat_map(typed_forms) {
        register_form(engine, function, &form);
    }
    if OPERATORS_ON_NUMBERS.contains(&function.name) {
        for form in typed_products([ValueKind::Number; 2].into_iter()) {
            register_form(engine, function, &form);
        }
    }
}

/// Operators that mostly get two numbers.
const OPERATORS_ON_NUMBERS: [&str; 11] =
    ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="];

/// The types of Rhai that the parameters of a signature may have; none for an operator.
fn typed_forms(signature: &Signature) -> Vec<Vec<TypeId>> {
    if signature.parameters.is_empty() {
        return Vec::new();
    }
    typed_products(signature.parameters.iter().map(|parameter| parameter.kind))
}

fn typed_products(kinds: impl Iterator<Item = ValueKind>) -> Vec<Vec<TypeId>> {
    kinds.fold(vec![Vec::new()], |forms, kind| {
        let longer = |form: &Vec<TypeId>, last| form.iter().copied().chain([last]).collect();
        let types = types_of_kind(kind);
        forms.iter().flat_map(|form| types.iter().map(move |last| longer(form, *last))).collect()
    })
}

fn types_of_kind(kind: ValueKind) -> Vec<TypeId> {
    match kind {
        ValueKind::Text => vec![TypeId::of::<ImmutableString>()],
        ValueKind::Number => vec![TypeId::of::<Decimal>(), TypeId::of::<INT>()],
        ValueKind::Date => vec![TypeId::of::<Date>()],
        ValueKind::Array => vec![TypeId::of::<Array>()],
        ValueKind::Map => vec![TypeId::of::<Map>()],
        ValueKind::Transaction => vec![TypeId::of::<Arc<Transaction>>()],
        ValueKind::Credit => {
            vec![TypeId::of::<Arc<Credit>>(), TypeId::of::<Arc<ReceiverView>>()]
        }
        _ => vec![TypeId::of::<Dynamic>()],
    }
}

fn register_form(engine: &mut Engine, function: &'static ScriptFunction, types: &[TypeId]) {
    let call = function.call;
    engine.register_raw_fn(function.name, types, move |_, arguments| {
        answered(match arguments {
            [] => call(&[]),
            [x] => call(&[from_dynamic(x)]),
            [x, y] => call(&[from_dynamic(x), from_dynamic(y)]),
            more => call(&more.iter().map(|value| from_dynamic(value)).collect::<Vec<_>>()),
        })
    });
}

/// `x += y` and its like: the operator, whose value takes the place of the left one.
fn register_assignments(engine: &mut Engine) {
    for (sign, assignment) in [("+", "+="), ("-", "-="), ("*", "*="), ("/", "/="), ("%", "%=")] {
        let Some(operator) = api::find_function(sign) else { continue };
        engine.register_fn(assignment, |x: &mut Dynamic, y: Dynamic| -> Answer<()> {
            *x = answered((operator.call)(&[from_dynamic(x), from_dynamic(&y)]))?;
            Ok(())
        });
    }
}

/// Comparisons of two texts, which copy neither of them.
fn register_text_forms(engine: &mut Engine) {
    let mut register = |sign: &str, holds: fn(Ordering) -> bool| {
        engine.register_fn(sign, move |x: &str, y: &str| holds(x.cmp(y)));
    };
    register("==", Ordering::is_eq);
    register("!=", Ordering::is_ne);
    register("<", Ordering::is_lt);
    register("<=", Ordering::is_le);
    register(">", Ordering::is_gt);
    register(">=", Ordering::is_ge);
}

/// Forms of arrays and maps that copy nothing.
fn register_in_place_forms(engine: &mut Engine) {
    register_pure(engine, "len", |array: &mut Array| length(array.len()));
    register_pure(engine, "len", |map: &mut Map| length(map.len()));
    register_pure(engine, "is_empty", |array: &mut Array| array.is_empty());
    register_pure(engine, "is_empty", |map: &mut Map| map.is_empty());
    register_pure(engine, "has", |map: &mut Map, key: &str| map.contains_key(key));
    register_pure(engine, "contains", |map: &mut Map, key: &str| map.contains_key(key));
    register_pure(engine, "contains", |array: &mut Array, item: Dynamic| {
        answered(lists::contains_item(array.iter().map(from_dynamic), &from_dynamic(&item)))
    });

    engine.register_fn("push", |array: &mut Array, item: Dynamic| array.push(item));
}

fn length(length: usize) -> Dynamic {
    to_dynamic(lists::whole_length(length))
}

/// Registers a function that reads its first argument without changing it, so that it may be called
/// on a constant.
fn register_pure<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
    engine: &mut Engine,
    name: &'static str,
    function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
) {
    FuncRegistration::new(name).with_purity(true).register_into_engine(engine, function);
}

/// The names of types in messages.
fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Date>("date");
    engine.register_type_with_name::<Arc<Share>>("share");
    engine.register_type_with_name::<Arc<Hold>>("hold");
    engine.register_type_with_name::<Arc<Transaction>>("transaction");
    engine.register_type_with_name::<Arc<Credit>>("credit");
    engine.register_type_with_name::<Arc<ReceiverView>>("receiver");
    engine.register_type_with_name::<Arc<PayeeView>>("payee");
    engine.register_type_with_name::<Arc<TotalsView>>("totals");
    engine.register_type_with_name::<Arc<EarnedView>>("earned");
    engine.register_type_with_name::<Arc<StandingView>>("standing");
    engine.register_type_with_name::<Arc<PersonView>>("person");
}

/// Fields behind a dot, and texts in brackets.
fn register_fields(engine: &mut Engine) {
    for name in fields::transaction_fields() {
        register_field(engine, name, ScriptValue::Transaction);
    }

    let [credit, receiver, payee, standing, date, person] = LISTED_FIELDS;
    credit.iter().for_each(|name| register_field(engine, name, ScriptValue::Credit));
    receiver.iter().for_each(|name| register_field(engine, name, ScriptValue::Receiver));
    payee.iter().for_each(|name| register_field(engine, name, ScriptValue::Payee));
    standing.iter().for_each(|name| register_field(engine, name, ScriptValue::Standing));
    date.iter().for_each(|name| register_field(engine, name, ScriptValue::Date));
    person.iter().for_each(|name| register_field(engine, name, ScriptValue::Person));

    // Rhai looks here also for names behind a dot that it does not know.
    register_brackets(engine, ScriptValue::Transaction);
    register_brackets(engine, ScriptValue::Totals);
    register_brackets(engine, ScriptValue::Earned);
    register_brackets(engine, ScriptValue::Credit);
    register_brackets(engine, ScriptValue::Receiver);
    register_brackets(engine, ScriptValue::Payee);
    register_brackets(engine, ScriptValue::Person);
}

fn register_brackets<V: Variant + Clone>(engine: &mut Engine, value: fn(V) -> ScriptValue) {
    engine.register_indexer_get(move |view: &mut V, name: &str| {
        answered(read_column(&value(view.clone()), name))
    });
}

fn register_field<V: Variant + Clone>(
    engine: &mut Engine,
    name: &'static str,
    value: fn(V) -> ScriptValue,
) {
    engine.register_get(name, move |view: &mut V| answered(read_field(&value(view.clone()), name)));
}
