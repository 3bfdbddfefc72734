//! Tables, attributes and people: what `lookup`, `find` and `who` give, and what is refused on saving.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::checking::found;
use super::{credit, known, program, receiver, seen, shown, transaction};
use crate::{
    CheckContext, Machine, PayeeView, ReferenceData, RewardArguments, ScriptArguments, TotalsView,
};
use accredit_domain::calendar::Validity;
use accredit_domain::declared::{DeclaredKind, DeclaredValue};
use accredit_domain::organization::attributes::AttributeBearer;
use accredit_domain::organization::{Entity, Member, Organization, PositionVersion, TeamVersion};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramForm, Programs};
use accredit_domain::tables::keyed::KeyedRow;
use accredit_domain::tables::{LookupTable, TableShape, Tables};

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn shape(keys: &[&str], ranges: &[&str], values: &[(&str, DeclaredKind)]) -> TableShape {
    let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
    let values = values.iter().map(|(name, kind)| (Arc::from(*name), *kind)).collect();
    TableShape { keys: names(keys), ranges: names(ranges), values }
}

fn shapes() -> [(&'static str, TableShape); 4] {
    let rate = ("rate", DeclaredKind::Number);
    [
        ("rates", shape(&["stage"], &["amount"], &[rate])),
        ("regions", shape(&["stage"], &[], &[("note", DeclaredKind::Text), rate])),
        ("target", shape(&[], &[], &[rate])),
        (
            "steps",
            shape(
                &["title"],
                &[],
                &[("rate", DeclaredKind::Number), ("up_to", DeclaredKind::Number)],
            ),
        ),
    ]
}

fn row(
    key: Option<&str>,
    bound: Option<&str>,
    values: &[&str],
) -> KeyedRow<Vec<Option<DeclaredValue>>> {
    let kind = |text: &&str| {
        DeclaredKind::Number.read_value(text).or_else(|| DeclaredKind::Text.read_value(text))
    };
    KeyedRow {
        keys: key.map(|key| (key != "*").then(|| Arc::from(key))).into_iter().collect(),
        slots: bound.map(|bound| Some(number(bound))).into_iter().collect(),
        validity: Validity::default(),
        content: values.iter().map(kind).collect(),
    }
}

/// A deal of 1234.50 that is won on 31 January 2022: 5 % from 1,000 on, else 2 %.
fn tables() -> Tables {
    let [rates, regions, target, _] = shapes().map(|(_, shape)| shape);
    let in_january = Validity::from_inclusive(None, Some(date(2022, 1, 31)));
    let dated = KeyedRow { validity: in_january, ..row(None, None, &["0.7"]) };
    let rates = LookupTable::new(
        rates,
        vec![row(Some("won"), Some("1000"), &["0.05"]), row(Some("*"), Some("0"), &["0.02"])],
    );
    let regions = LookupTable::new(regions, vec![row(Some("won"), None, &["", "0.5"])]);
    let target = LookupTable::new(target, vec![dated]);
    let all = [("rates", rates), ("regions", regions), ("target", target)];
    let lookups = all.into_iter().map(|(name, table)| (Arc::from(name), table));
    Tables { lookups: lookups.collect(), ..Tables::default() }
}

/// Bob sits in M1, below TOP, and is a member of North; Ann has no position; M1 and TOP are called
/// `the desk`.
fn organization() -> Organization {
    let mut organization = Organization::default();
    let always = Validity::default();
    let top = organization.add_position("TOP");
    let seat = organization.add_position("M1");
    for (position, title, manager) in [(top, "Head", None), (seat, "Manager", Some(top))] {
        let version = PositionVersion { validity: always, title: title.into(), manager };
        organization.add_version(position, version);
        let id = organization.position_id(position);
        organization.add_alias(&id, Entity::Position(position), always);
        organization.add_alias("the desk", Entity::Position(position), always);
    }

    let bob = organization.add_participant("Bob", "Bob", always);
    let ann = organization.add_participant("ann", "Ann Lee", always);
    organization.assign_participant(seat, bob, always);
    organization.add_alias("Bob", Entity::Participant(bob), always);
    organization.add_alias("Ann Lee", Entity::Participant(ann), always);

    let north = organization.teams.add("north");
    let version =
        TeamVersion { validity: always, name: "North".into(), parent: None, manager: None };
    organization.teams.add_version(north, version);
    let member = Member { participant: bob, weight: Decimal::ONE, validity: always };
    organization.teams.add_member(north, member);

    let attributes = &mut organization.attributes;
    attributes.declare("level", DeclaredKind::Number);
    attributes.declare("hired", DeclaredKind::Date);
    let level = DeclaredValue::Number(3.into());
    attributes.add(AttributeBearer::Position(seat), "level", level, always);
    let hired = DeclaredValue::Date(date(2021, 6, 16));
    attributes.add(AttributeBearer::Participant(bob), "hired", hired, always);
    organization
}

fn reference() -> Arc<ReferenceData> {
    let (organization, tables) = (Arc::new(organization()), Arc::new(tables()));
    let without = ReferenceData::clone(super::reference());
    Arc::new(ReferenceData { organization, tables, ..without })
}

/// Runs the body of a crediting policy; `to_text` shows numbers.
fn run(form: ProgramForm, source: &str) -> String {
    let mut programs = Programs::default();
    let id = programs.add(program(form, source));
    let (tx, credit, to, reference) = (transaction(), credit(), receiver(), reference());
    let (credit, to) = (Some(&*credit), Some(&to));
    let arguments = ScriptArguments { reference: &reference, credit, to, ..seen(&tx) };
    shown(Machine::new(&programs).run(id, &arguments))
}

fn value(source: &str) -> String {
    run(ProgramForm::Expression(ExpressionUse::IndirectValue), source)
}

fn text(source: &str) -> String {
    let source = format!("fn credit(tx) {{ {source} }}");
    run(ProgramForm::Policy(PolicyKind::Crediting), &source)
}

#[test]
fn lookup_gives_a_value_or_a_map_or_says_what_is_missing() {
    assert_eq!(value("lookup(\"rates\", tx.deal_stage, tx.amount)"), "0.05");
    assert_eq!(value("lookup(\"rates\", \" WON \", 999.99)"), "0.02");
    assert_eq!(value("lookup(\"rates\", (), 999)"), "0.02", "nothing is matched by `*` alone");
    assert_eq!(value("lookup(\"target\")"), "0.7");
    assert_eq!(value("lookup(\"regions\", \"Won\").rate"), "0.5");
    assert_eq!(text("to_text(lookup(\"regions\", \"Won\").note ?? \"none\")"), "\"none\"");
    let missing = value("lookup(\"rates\", \"Lost\", -1)");
    assert!(
        missing.starts_with("`rates` has no row for stage `Lost`, amount -1 on 2022-01-31"),
        "{missing}"
    );
    assert_eq!(value("find(\"rates\", \"Lost\", -1) ?? 7"), "7");
    assert_eq!(value("find(\"rates\", \"Lost\", 1) ?? 7"), "0.02");
}

/// Arguments of a wrong kind that only a run sees.
#[test]
fn wrong_arguments_are_errors_of_the_call() {
    let begins = |source: &str, expected: &str| {
        let shown = value(source);
        assert!(shown.starts_with(expected), "{source}: {shown}");
    };
    begins("lookup(\"rate\", 1)", "there is no table `rate`");
    begins("lookup(\"rates\", 1)", "`rates` takes 2 arguments after its name, not 1");
    begins(
        "lookup(\"rates\", [1], 1)",
        "the key `stage` of `rates` is a text or a number, this is array",
    );
    begins("lookup(\"rates\", tx.date, 1)", "the key `stage` of `rates`");
    begins(
        "lookup(\"rates\", \"Won\", ())",
        "the range `amount` of `rates` needs a number, this is ()",
    );
    begins("lookup(\"rates\", \"Won\", \"9\")", "the range `amount` of `rates` needs a number");
    begins("lookup(7)", "`lookup` cannot be used with number");
    begins("who(7).payee", "`who` cannot be used with number");
    let long = format!("lookup(\"rates\", \"{}\", -1)", "x".repeat(2000));
    assert!(value(&long).len() < 250, "a message shows the beginning of a key");
}

#[test]
fn attributes_are_those_of_the_person_and_the_position() {
    assert_eq!(value("to[\"level\"] + 1"), "4");
    assert_eq!(value("to.level"), "1", "behind a dot it is the field");
    assert_eq!(value("days_between(to[\"hired\"], tx.date)"), "229");
    assert_eq!(value("credit[\"level\"] ?? 9"), "9", "P1 has none");
    assert!(value("to[\"levle\"]").starts_with("there is no field or attribute `levle`"));
    assert!(value("to[\"title\"]").starts_with("`title` is a field: write .title"));
}

#[test]
fn who_gives_a_person_nobody_or_an_error() {
    assert_eq!(text("who(\"BOB\").position"), "\"M1\"");
    assert_eq!(text("who(\"m1\").payee + who(\"m1\").title"), "\"BobManager\"");
    assert_eq!(text("who(who(\"Bob\").manager).title"), "\"Head\"");
    assert_eq!(text("who(\"Bob\").teams[0]"), "\"north\"");
    assert_eq!(text("to_text(who(\"Bob\")[\"level\"])"), "\"3\"");
    assert_eq!(text("who(\"Ann Lee\").position ?? \"none\""), "\"none\"");
    assert_eq!(text("if who(\"Carl\") == () { \"nobody\" } else { \"\" }"), "\"nobody\"");
    assert_eq!(text("who(who(\"TOP\").payee)"), "()");
    let several = text("who(\"the desk\").payee");
    assert!(several.starts_with("`the desk` means `TOP` and `M1` on 2022-01-31"), "{several}");
}

#[test]
fn a_reward_reads_on_the_last_day_of_its_period() {
    let pay = |source: &str, last_day: Date| {
        let mut programs = Programs::default();
        let id = programs.add(program(ProgramForm::Expression(ExpressionUse::Reward), source));
        let payee = Arc::new(PayeeView {
            id: Arc::from("Bob"),
            name: Arc::from("Bob"),
            position: Some("M1".into()),
            title: Some("Manager".into()),
            team: None,
            period: Arc::from("2022-01"),
            unit_type: Arc::from("USD"),
            last_day: Some(last_day),
            reference: reference(),
        });
        let by_credit_type = BTreeMap::new();
        let totals =
            Arc::new(TotalsView { credited: Decimal::ONE_HUNDRED, by_credit_type, count: 1 });
        let (earned, paid, standing) = (Arc::default(), Arc::default(), Arc::default());
        let seen = RewardArguments {
            payee: &payee,
            totals: &totals,
            quota: None,
            earned: &earned,
            paid: &paid,
            standing: &standing,
        };
        let paid = Machine::new(&programs).run_reward(id, &seen);
        paid.map_or_else(|fault| fault.message, |amount| amount.to_string())
    };
    let january = date(2022, 1, 31);
    assert_eq!(pay("totals.credited * lookup(\"target\")", january), "70.0");
    assert_eq!(
        pay("payee[\"level\"] + days_between(payee[\"hired\"], date(2021, 6, 17))", january),
        "4"
    );
    let february = pay("lookup(\"target\")", date(2022, 2, 28));
    assert!(february.starts_with("`target` has no row on 2022-02-28"), "{february}");
}

fn knows() -> CheckContext {
    let tables = shapes().map(|(name, shape)| (name.to_owned(), shape));
    let attributes = [
        ("level".to_owned(), DeclaredKind::Number),
        ("hired".to_owned(), DeclaredKind::Date),
        ("key_account".to_owned(), DeclaredKind::Bool),
    ];
    CheckContext { tables: tables.into(), attributes: attributes.into(), ..known() }
}

#[test]
fn calls_are_checked_when_they_are_saved() {
    let check = |source: &str, expected: &[&str]| {
        let form = ProgramForm::Expression(ExpressionUse::IndirectValue);
        let findings = found(form, source, &knows());
        let begins = findings.len() == expected.len()
            && findings.iter().zip(expected).all(|(found, begin)| found.starts_with(begin));
        assert!(begins, "{source}: {findings:?}");
    };
    check("lookup(\"rates\", tx.deal_stage, tx.amount)", &[]);
    check("lookup(\"rates\", to.title, to[\"level\"])", &[]);
    check("find(\"target\") ?? 1", &[]);
    check("lookup(\"regions\", tx.deal_stage).rate", &[]);
    check("if to[\"key_account\"] { 1 } else { 2 }", &[]);
    check("to[\"level\"] * 2 + days_between(to[\"hired\"], tx.date)", &[]);
    check(
        "lookup(\"rate\", tx.deal_stage)",
        &["CR025 1:8 there is no table `rate`; did you mean `rates`?"],
    );
    check("lookup(tx.deal_stage, 1)", &["CR004 1:8 `lookup` needs the name of a table"]);
    check("lookup(\"rates\", 1)", &["CR004 1:1 `rates` takes 2 arguments after its name, not 1"]);
    check("lookup(\"rates\", tx.date, 1)", &["CR004 1:17 the key `stage` of `rates` is a text"]);
    check(
        "lookup(\"rates\", \"Won\", \"1\")",
        &["CR004 1:24 the range `amount` of `rates` is a number"],
    );
    check("lookup(\"steps\", \"Won\")", &["CR004 1:1 the table `steps` holds tiers"]);
    check("\"rates\".lookup(1, 2)", &["CR004 1:9 `lookup` does not stand behind a dot"]);
    check("to[\"levle\"]", &["CR002 1:4 there is no attribute `levle`; did you mean `level`?"]);
    check(
        "to[\"title\"]",
        &["CR002 1:4 there is no attribute `title`; write .title for the field"],
    );
    check("to.hired", &["CR002 1:4 to has no field `hired`; write [\"hired\"] for the attribute"]);
    check("if to[\"hired\"] > 1 { 1 } else { 2 }", &["CR010 1:18 cannot compare date with number"]);
    check("who(tx.deal_stage).level", &["CR002 1:20 who has no field `level`"]);
    check("len(who(tx.date).teams)", &["CR004 1:5 `who` cannot be used with date"]);
    check("lookup(\"regions\", \"x\")", &["CR011 1:1 the result must be a number, this is map"]);
    check("who(tx.deal_stage)", &["CR011 1:1 the result must be a number, this is person"]);
}

/// A constant of the policy may hold the name of the table; an intake policy has no date yet.
#[test]
fn a_table_may_be_named_by_a_constant_and_not_by_an_intake_policy() {
    let source = "const RATES = \"rates\";\nfn value(tx, to) { lookup(RATES, tx.deal_stage, 1) }";
    let value = ProgramForm::Policy(PolicyKind::Value);
    assert_eq!(found(value, source, &knows()), [""; 0]);
    let intake = ProgramForm::Policy(PolicyKind::Intake);
    let source = "fn map(payload) { #{ id: lookup(\"target\") } }";
    let findings = found(intake, source, &knows());
    assert!(findings[0].starts_with("CR003 1:26 `lookup` cannot be called here"), "{findings:?}");
}
