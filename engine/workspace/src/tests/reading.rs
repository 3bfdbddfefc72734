//! What a good directory reads as.

use jiff::civil::date;

use super::{good, observed, read};
use crate::{Ruleset, known_columns};
use accredit_domain::calendar::{Calendar, HoldLength, PeriodKind, Validity};
use accredit_domain::diagnostic::Place;
use accredit_domain::hold::Hold;
use accredit_domain::organization::RelationshipId;
use accredit_domain::plan::{
    Assign, DuplicateSetting, HoldSetting, MaximumScope, Plan, Relationship, Selector, Split,
};
use accredit_domain::policy::{ExpressionUse, PolicyKind, Program, ProgramForm, ProgramId};
use accredit_domain::transaction::dates::{DateFormat, DateFormats, WorkspaceZone};
use accredit_domain::transaction::{ColumnType, Field, IdForm, NameColumns};

fn ruleset() -> Ruleset {
    let (ruleset, findings) = read(&good());
    assert_eq!(findings, []);
    ruleset.unwrap()
}

fn plan(ruleset: &Ruleset) -> &Plan {
    &ruleset.plans["ae"]
}

fn program(ruleset: &Ruleset, id: Option<ProgramId>) -> &Program {
    ruleset.programs.get(id.unwrap()).unwrap()
}

#[test]
fn settings() {
    let ruleset = ruleset();
    let settings = &ruleset.settings;
    assert_eq!(settings.name, "Acme");
    assert_eq!(settings.units.find("JPY").unwrap().scale, 0);
    assert_eq!(settings.currency, settings.units.find("USD").unwrap());
    assert_eq!(settings.calendar, Calendar::of_months(7));
    let fields = &settings.fields;
    assert_eq!(fields.id, ["opportunity_id"]);
    assert_eq!(fields.mapped[&Field::Date], "close_date");
    let us = ColumnType::Date(DateFormat::from_setting("%m/%d/%Y").into());
    assert_eq!(*fields.column_type("close_date"), us);
    assert_eq!(*fields.column_type("Invoice Date"), us);
    assert_eq!(*fields.column_type("close_value"), ColumnType::NUMBER);
    assert_eq!(*fields.column_type("loaded_on"), ColumnType::iso_date());
    assert_eq!(*fields.column_type("Renewal"), ColumnType::Bool);
    assert_eq!(fields.names[&NameColumns::RelatedPosition], ["desk"]);
    let won = program(&ruleset, Some(settings.queries["won"]));
    assert_eq!(won.form, ProgramForm::Expression(ExpressionUse::Filter));
    assert_eq!(won.origin.place, Place::new("accredit.toml", 37, 8));
    let intake = program(&ruleset, settings.sources["crm"].intake);
    assert_eq!(&*intake.name, "intake/from-crm");
    assert_eq!(ruleset.policies.len(), 5);
    assert!(known_columns(fields, &observed()).contains("Quantity"));
}

/// The keys that say how cells are written.
#[test]
fn formats_of_columns() {
    let read_with = |from: &str, to: &str| {
        let mut files = good();
        let text = files["accredit.toml"].replace(from, to);
        files.insert("accredit.toml".to_owned(), text.into());
        let (ruleset, findings) = read(&files);
        let findings: Vec<_> = findings.iter().filter(|found| found.is_error()).collect();
        assert!(findings.is_empty(), "{findings:?}");
        ruleset.unwrap().settings.fields.clone()
    };
    let fields = read_with("", "");
    assert_eq!(fields.blanks, ["NULL", "N/A"]);
    assert_eq!(*fields.column_type("Stage"), ColumnType::ExactText);
    assert!(matches!(fields.column_type("Discount"), ColumnType::Number(Some(_))));

    let id = "id = { fields = [\"order\", \"line\"], as = \"salesforce\" }";
    let fields = read_with("id = [\"opportunity_id\"]", id);
    assert_eq!(
        (fields.id.as_slice(), fields.id_form),
        (&["order", "line"].map(String::from)[..], IdForm::Salesforce)
    );

    let dates = "{ fields = [\"original\", \"close_date\"], formats = [\"iso\", \"%m/%d/%Y\"] }";
    let fields = read_with("{ field = \"close_date\", format = \"%m/%d/%Y\" }", dates);
    let formats = ["iso", "%m/%d/%Y"].map(DateFormat::from_setting).to_vec();
    assert_eq!(fields.mapped[&Field::Date], "original");
    assert_eq!(fields.date_fallbacks, ["close_date"]);
    assert_eq!(
        *fields.column_type("original"),
        ColumnType::Date(DateFormats::from_formats(formats.clone()))
    );
    assert_eq!(
        *fields.column_type("close_date"),
        ColumnType::Date(DateFormats::from_formats(formats))
    );

    let clock = "updated = { field = \"changed\", format = \"epoch_ms\" }\nreceived";
    let fields = read_with("received", clock);
    assert_eq!(fields.clock, Some(DateFormat::EpochMillis.into()));

    let zone = read_with("time_zone = \"UTC\"", "time_zone = \"America/New_York\"").zone.clone();
    assert_eq!(Some(zone), WorkspaceZone::from_name("America/New_York"));

    let fields = read_with("Quantity = \"number\"", "close_value = { number = \"$1,234.56\" }");
    assert!(matches!(fields.column_type("close_value"), ColumnType::Number(Some(_))));
}

#[test]
fn plan_settings() {
    let ruleset = ruleset();
    let plan = plan(&ruleset);
    assert_eq!(plan.name, "Account executives");
    let year = Validity { from: Some(date(2017, 1, 1)), until: Some(date(2018, 1, 1)) };
    assert_eq!(plan.validity, year);
    assert_eq!(plan.period, PeriodKind::Quarter);
    assert_eq!(plan.split, Split::Equal);
    assert!(plan.require_total_one && !plan.hold_across_years);
    assert!(plan.alerts.iter().eq(["policy_error", "vacant"].iter()));
    assert_eq!(plan.targets[0], Selector::Title("sales agent".to_owned()));
    assert_eq!(plan.filter, Some(ruleset.settings.queries["won"]));
}

#[test]
fn direct_rules() {
    let ruleset = ruleset();
    let plan = plan(&ruleset);
    let [booking, rows, column] = plan.direct.as_slice() else { panic!("three direct rules") };
    assert_eq!(booking.assign, [Assign::Owner]);
    assert_eq!(booking.rule.tags, ["core"]);
    let condition = program(&ruleset, booking.rule.condition);
    assert_eq!(condition.origin.place, Place::new("plans/ae.toml", 18, 14));
    let result = &booking.results[0];
    assert_eq!(result.unit, ruleset.settings.units.find("JPY").unwrap());
    assert_eq!(result.output.hold, HoldSetting::Fixed(Hold::For(HoldLength::Days(30))));
    assert_eq!(result.output.duplicates, DuplicateSetting::Fixed(true));
    assert_eq!(result.output.reason_code.as_deref(), Some("Advance"));
    assert!(result.rollable && result.rollable_on_reporting);
    let other = &booking.results[1];
    assert_eq!(other.unit, ruleset.settings.currency);
    assert_eq!(&*program(&ruleset, other.output.maximum).source, "500");
    let HoldSetting::Program(hold) = other.output.hold else { panic!("the plan's hold policy") };
    assert_eq!(&*program(&ruleset, Some(hold)).name, "hold/big");

    let [Assign::Policy(policy)] = rows.assign[..] else { panic!("the plan's crediting policy") };
    let policy = program(&ruleset, Some(policy));
    assert_eq!(policy.form, ProgramForm::Policy(PolicyKind::Crediting));
    assert_eq!(&*policy.name, "crediting/standard/owner");
    let HoldSetting::Program(hold) = rows.results[0].output.hold else { panic!("an expression") };
    assert_eq!(program(&ruleset, Some(hold)).origin.place, Place::new("plans/ae.toml", 49, 1));

    assert_eq!(column.assign, [Assign::Columns(vec!["deal_stage".to_owned()])]);
    let condition = program(&ruleset, column.rule.condition);
    assert_eq!(condition.form, ProgramForm::Policy(PolicyKind::Filter));
    // The fiscal year 2017 begins in July 2016.
    assert_eq!(column.results[0].output.hold, HoldSetting::Fixed(Hold::Until(date(2016, 10, 1))));
}

#[test]
fn rows_are_an_expression() {
    let ruleset = ruleset();
    let rows = program(&ruleset, plan(&ruleset).direct[1].rule.condition);
    assert_eq!(
        &*rows.source,
        "tx[\"deal_stage\"] == \"Won \\\"big\\\"\" || tx.amount > 100.5 \
         && tx[\"loaded_on\"] >= date(\"2017-03-01\") && tx[\"Renewal\"] != true \
         && tx[\"deal_stage\"].contains(\"W\")"
    );
}

#[test]
fn indirect_rules() {
    let ruleset = ruleset();
    let [manager, mentor] = plan(&ruleset).indirect.as_slice() else { panic!("two rules") };
    assert_eq!(manager.relationship, Relationship::Reporting);
    assert_eq!(manager.receivers, [Selector::All]);
    let result = &manager.results[0];
    assert_eq!(&*program(&ruleset, result.value).name, "rollup/shrink");
    assert_eq!(result.maximum_scope, MaximumScope::Item);
    assert_eq!(result.output.hold, HoldSetting::Fixed(Hold::Next(PeriodKind::Quarter)));
    assert_eq!((result.unit, result.credit_type.as_ref()), (None, None));
    assert_eq!(mentor.relationship, Relationship::Named(RelationshipId(1)));
    let value = program(&ruleset, mentor.results[0].value);
    assert_eq!(value.form, ProgramForm::Expression(ExpressionUse::IndirectValue));
    assert_eq!(mentor.results[0].output.hold, HoldSetting::Fixed(Hold::None));
}

#[test]
fn organization() {
    let ruleset = ruleset();
    let organization = &ruleset.organization;
    let rep = organization.find_position("REP-1").unwrap();
    let manager = organization.find_position("MGR-1").unwrap();
    let engineer = organization.find_position("SE-1").unwrap();
    let (june, july) = (date(2022, 6, 30), date(2022, 7, 1));
    assert_eq!(organization.holder_on(rep, june), organization.find_participant("sam"));
    assert_eq!(organization.holder_on(rep, july), organization.find_participant("pete"));
    assert_eq!(&*organization.version_on(rep, july).unwrap().title, "Senior Agent");
    assert_eq!(organization.ancestors_of(rep, june), [(manager, 1)]);
    assert_eq!(organization.reachable_positions(RelationshipId(0), rep, june), [(engineer, 1)]);
    for name in ["s. stone", "SAM", "sam@acme.test", "rep-1"] {
        assert_eq!(organization.resolve_name(name, june).positions, [rep], "{name}");
    }
    assert_eq!(organization.resolve_name("the engineer", june).positions, [engineer]);
    assert_eq!(organization.resolve_name("pierce, pete", july).positions, [rep]);
}

#[test]
fn without_positions_everybody_sits_in_one_of_the_same_id() {
    let mut files = good();
    files.retain(|path, _| path == "accredit.toml" || path.starts_with("tables/"));
    let people = "id,name,title,manager,from,to\nann,Ann,Manager,,,\n\
                  bob,Bob,Agent,ann,,2022-06-30\n\
                  bob,Bob,Senior,ann,2022-07-01,\n";
    files.insert("organization/participants.csv".to_owned(), people.into());
    files.insert("policies/intake/from-crm.rhai".to_owned(), "fn map(payload) { payload }".into());
    let (ruleset, findings) = read(&files);
    assert_eq!(findings, []);
    let ruleset = ruleset.unwrap();
    let organization = &ruleset.organization;
    let bob = organization.find_position("bob").unwrap();
    let day = date(2022, 8, 1);
    assert_eq!(organization.holder_on(bob, day), organization.find_participant("bob"));
    assert_eq!(&*organization.version_on(bob, day).unwrap().title, "Senior");
    assert_eq!(organization.resolve_name("Bob", day).positions, [bob]);
}

#[test]
fn the_hash_names_what_decides() {
    let hash = |change: &dyn Fn(&mut crate::Files)| {
        let mut files = good();
        change(&mut files);
        read(&files).0.unwrap().hash.to_string()
    };
    let plain = hash(&|_| {});
    assert_eq!((plain.len(), &plain[..3]), (35, "rs_"));
    let same = hash(&|files| {
        files.insert("plans/ae.cases.md".to_owned(), "# changed".into());
        files.insert("README.md".to_owned(), "notes".into());
        for text in files.values_mut() {
            *text = text.replace('\n', "\r\n").into();
        }
    });
    assert_eq!(plain, same);
    let other = hash(&|files| {
        files.insert("policies/value/new.rhai".to_owned(), "fn value(tx, to) { 1 }".into());
    });
    assert_ne!(plain, other);
}
