//! What scripts may do, what they may not, and what each costs: tables of texts and outcomes.
//!
//! Not the plans that call them. Called by nobody.
//!
//! **Architecture invariant:** tests go through `check` and `Machine`, never through Rhai.

mod beginners;
mod callbacks;
mod checking;
mod compiled;
mod constants;
mod doubts;
mod existing;
mod extremes;
mod habits;
mod hostile;
mod language;
mod lookups;
mod mutated;
mod results;
mod shared;
mod switch;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use rust_decimal::Decimal;

use super::{
    CheckContext, ExistingCredits, Machine, ReceiverView, ReferenceData, ScriptAnswer,
    ScriptArguments, ScriptFault,
};
use accredit_domain::calendar::{Calendar, Validity};
use accredit_domain::credit::posted::{CreditKind, CreditOrigin};
use accredit_domain::credit::{Credit, CreditStatus};
use accredit_domain::diagnostic::Place;
use accredit_domain::exchange::{ExchangeRates, ExchangeSettings};
use accredit_domain::money::Units;
use accredit_domain::organization::{PositionId, Recipient};
use accredit_domain::policy::{ExpressionUse, PolicyKind, Program, ProgramForm, Programs};
use accredit_domain::transaction::{
    Cell, ColumnType, Decoder, Field, Fields, NameColumns, Record, Transaction,
};

/// Runs `source` in this form with the transaction, credit and receiver of the fixture.
fn run(form: ProgramForm, source: &str) -> Result<ScriptAnswer, ScriptFault> {
    let mut programs = Programs::default();
    let id = programs.add(program(form, source));
    let (tx, credit, to) = (transaction(), credit(), receiver());
    let own = [Credit::clone(&credit), Credit::clone(&credit)];
    let existing = ExistingCredits { own: &own, ..ExistingCredits::default() };
    let arguments = ScriptArguments { credit: Some(&credit), to: Some(&to), existing, ..seen(&tx) };

    let answer = Machine::new(&programs).run(id, &arguments);
    // A machine that counts runs the interpreter alone, which defines the language.
    let interpreted = Machine::with_coverage(&programs).run(id, &arguments);
    assert_eq!(shown(answer.clone()), shown(interpreted), "compiled and interpreted: {source}");
    answer
}

fn expression(place: ExpressionUse, source: &str) -> Result<ScriptAnswer, ScriptFault> {
    run(ProgramForm::Expression(place), source)
}

fn policy(kind: PolicyKind, source: &str) -> Result<ScriptAnswer, ScriptFault> {
    run(ProgramForm::Policy(kind), source)
}

/// The answer in a few letters, or `message @line:column`.
fn shown(result: Result<ScriptAnswer, ScriptFault>) -> String {
    match result {
        Ok(ScriptAnswer::Nothing) => "()".to_owned(),
        Ok(ScriptAnswer::Bool(flag)) => flag.to_string(),
        Ok(ScriptAnswer::Number(number)) => number.to_string(),
        Ok(ScriptAnswer::Text(text)) => format!("{text:?}"),
        Ok(answer) => format!("{answer:?}"),
        Err(fault) => {
            let bad = if fault.bad_value { " (bad value)" } else { "" };
            format!("{}{bad} @{}:{}", fault.message, fault.place.line, fault.place.column)
        }
    }
}

fn program(form: ProgramForm, source: &str) -> Program {
    let origin = Place::new("file", 1, 1);
    let (source, name) = (Arc::from(source), Arc::from("test"));
    Program { form, source, name, origin: origin.into(), constants: Vec::new() }
}

fn fields() -> Arc<Fields> {
    let mapped =
        [(Field::Date, "close_date"), (Field::Amount, "close_value"), (Field::Customer, "account")];
    let types = [
        ("close_date", ColumnType::iso_date()),
        ("close_value", ColumnType::NUMBER),
        ("Units", ColumnType::NUMBER),
        ("discount", ColumnType::NUMBER),
        ("signed", ColumnType::iso_date()),
        ("renewal", ColumnType::Bool),
    ];
    Arc::new(Fields {
        id: vec!["opportunity_id".to_owned()],
        mapped: mapped.into_iter().map(|(field, column)| (field, column.to_owned())).collect(),
        names: BTreeMap::from([(NameColumns::Owner, vec!["Rep #1".to_owned()])]),
        types: types.into_iter().map(|(column, kind)| (column.to_owned(), kind)).collect(),
        ..Fields::default()
    })
}

fn known() -> CheckContext {
    let columns = ["deal_stage", "Rep #1", "engine"];
    let columns: BTreeSet<String> = columns.into_iter().map(str::to_owned).collect();
    CheckContext { fields: fields(), columns, open: false, ..CheckContext::default() }
}

/// 100 yen are one dollar, and there is no rate for a point.
fn exchange() -> ExchangeSettings {
    let mut units = Units::default();
    let (usd, yen) = (units.add("USD", 2), units.add("JPY", 0));
    units.add("EUR", 2);
    let mut rates = ExchangeRates::default();
    rates.add((yen, usd), Decimal::new(1, 2), Validity::default());
    rates.add((usd, yen), Decimal::from(100), Validity::default());
    ExchangeSettings { units, rates, home: usd }
}

/// No tables and no people, calendar months, and the rates above.
pub(crate) fn reference() -> &'static Arc<ReferenceData> {
    static REFERENCE: LazyLock<Arc<ReferenceData>> = LazyLock::new(|| {
        Arc::new(ReferenceData {
            organization: Arc::default(),
            tables: Arc::default(),
            calendar: Calendar::default(),
            exchange: exchange(),
        })
    });
    &REFERENCE
}

/// A transaction as a filter sees it.
fn seen(tx: &Arc<Transaction>) -> ScriptArguments<'_> {
    ScriptArguments::of_transaction(tx, reference(), NameColumns::Owner)
}

fn transaction() -> Arc<Transaction> {
    transaction_on("2022-01-31")
}

/// The same deal, closed on another day.
pub(crate) fn transaction_on(day: &str) -> Arc<Transaction> {
    let cells = [
        ("opportunity_id", "OPP-1"),
        ("close_date", day),
        ("close_value", "1234.50"),
        ("account", "Acme"),
        ("deal_stage", "Won"),
        ("Rep #1", "Ann Lee"),
        ("Units", ""),
        ("discount", "abc"),
        ("signed", ""),
        ("renewal", "yes"),
    ];
    let cell = |(column, cell): (&str, &str)| (column.to_owned(), Cell::Text(cell.to_owned()));
    let record = Record { cells: cells.into_iter().map(cell).collect() };
    Arc::new(Decoder::new(fields()).decode(&record))
}

fn credit() -> Arc<Credit> {
    Arc::new(Credit {
        recipient: Recipient::Position(PositionId(0)),
        title: Some("Sales Agent".into()),
        unit: exchange().home,
        rollable: true,
        rollable_on_reporting: false,
        source: None,
        amount: "100.50".parse().unwrap(),
        incentive_date: "2022-01-31".parse().unwrap(),
        plan: "reps".into(),
        rule: "Booking".into(),
        result: "Booking credit".into(),
        kind: CreditKind::Direct,
        position: Some("P1".into()),
        payee: None,
        team: None,
        relationship: None,
        via: None,
        level: None,
        share: Some(Decimal::ONE),
        period: "2022-01".into(),
        credit_type: "booking".into(),
        unit_type: "USD".into(),
        status: CreditStatus::Active,
        release_date: None,
        reason: None,
        reason_code: None,
        origin: CreditOrigin::Calculated,
        reverses: None,
    })
}

fn receiver() -> ReceiverView {
    ReceiverView {
        position: Some("M1".into()),
        title: Some("Manager".into()),
        payee: Some("Bob".into()),
        team: None,
        relationship: Some("Reporting".into()),
        via: Some("P1".into()),
        level: Some(1),
    }
}
