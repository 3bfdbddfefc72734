//! Small directories: what defaults to what, and what hardly anything was written into.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{good, read};
use crate::{Files, Ruleset};
use accredit_domain::calendar::HoldLength;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::hold::Hold;
use accredit_domain::plan::{Assign, DuplicateSetting, HoldSetting, Selector, Split};

pub(super) const SETTINGS: &str = "\
[workspace]
name = \"Small\"
[fields]
id = \"id\"
date = \"closed\"
owner = \"rep\"
";

/// A person, so that a plan can credit anybody.
pub(super) const PEOPLE: &str = "id,name\nann,Ann\n";

const PLAN: &str = "\
name = \"Small\"
[[direct]]
name = \"Booking\"
[[direct.results]]
name = \"Credit\"
";

fn small(settings: &str, plan: &str) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(settings));
    files.insert("plans/p.toml".to_owned(), Arc::from(plan));
    files.insert("organization/participants.csv".to_owned(), Arc::from(PEOPLE));
    Ruleset::read(&files, &BTreeSet::new())
}

#[test]
fn everything_else_has_a_default() {
    let (ruleset, findings) = small(SETTINGS, PLAN);
    assert_eq!(findings, []);
    let ruleset = ruleset.unwrap();
    let settings = &ruleset.settings;
    assert_eq!((settings.units.name(settings.currency), settings.currency.scale), ("USD", 2));
    assert_eq!(settings.time_zone, "UTC");
    let plan = &ruleset.plans["p"];
    assert_eq!((plan.split, plan.targets.as_slice()), (Split::Refuse, &[Selector::All][..]));
    assert_eq!(plan.alerts.len(), 6);
    assert_eq!(plan.direct[0].assign, [Assign::Owner]);
    let result = &plan.direct[0].results[0];
    assert_eq!(&*result.credit_type, "credit");
    assert_eq!((result.value, result.rollable), (None, false));
    assert_eq!(result.output.hold, HoldSetting::Fixed(Hold::None));
    assert_eq!(result.output.duplicates, DuplicateSetting::Fixed(false));
}

#[test]
fn while_no_transaction_was_seen_a_column_may_have_any_name() {
    let plan = PLAN.replace("name = \"Booking\"", "name = \"Booking\"\nassign = \"field:any\"");
    let row = "condition = [{ if = \"what\", is = \"=\", value = \"x\" }]\n[[direct.results]]";
    let plan = plan.replace("[[direct.results]]", row);
    let (ruleset, findings) = small(SETTINGS, &plan);
    assert_eq!(findings, []);
    assert_eq!(
        ruleset.unwrap().plans["p"].direct[0].assign,
        [Assign::Columns(vec!["any".to_owned()])]
    );
}

#[test]
fn holds() {
    let holds = [
        ("none", HoldSetting::Fixed(Hold::None)),
        ("indefinite", HoldSetting::Fixed(Hold::Indefinitely(String::new()))),
        ("days:0", HoldSetting::Fixed(Hold::None)),
        ("quarters:2", HoldSetting::Fixed(Hold::For(HoldLength::Months(6)))),
        ("years:1", HoldSetting::Fixed(Hold::For(HoldLength::Months(12)))),
        ("date:2017-03-31", HoldSetting::Fixed(Hold::Until(jiff::civil::date(2017, 3, 31)))),
        ("period:2017-04", HoldSetting::Fixed(Hold::Until(jiff::civil::date(2017, 4, 1)))),
    ];
    for (text, hold) in holds {
        let (ruleset, findings) = small(SETTINGS, &format!("{PLAN}hold = \"{text}\"\n"));
        assert_eq!(findings, [], "{text}");
        assert_eq!(ruleset.unwrap().plans["p"].direct[0].results[0].output.hold, hold, "{text}");
    }
}

#[test]
fn a_rule_may_have_fifty_tags() {
    let plan = |count: usize| {
        let tags = vec!["\"t\""; count].join(", ");
        PLAN.replace("name = \"Booking\"", &format!("name = \"Booking\"\ntags = [{tags}]"))
    };
    assert_eq!(small(SETTINGS, &plan(50)).1, []);
    let findings = small(SETTINGS, &plan(51)).1;
    assert_eq!(findings[0].code, "CR027");
    assert_eq!((findings[0].place.line, findings[0].place.column), (4, 8));
}

#[test]
fn a_field_without_a_column_is_warned_of() {
    let settings = SETTINGS.replace("owner = \"rep\"\n", "");
    let (ruleset, findings) = small(&settings, PLAN);
    assert!(ruleset.is_some());
    let codes: Vec<_> = findings.iter().map(|it| (it.code.as_str(), it.is_error())).collect();
    assert_eq!(codes, [("CR025", false)]);
}

#[test]
fn syntax_is_reported_in_every_file_at_once() {
    let (ruleset, findings) = small("[workspace\n", "name = \n");
    assert!(ruleset.is_none());
    let places: Vec<_> =
        findings.iter().map(|it| (it.code.as_str(), it.place.file.as_str())).collect();
    assert_eq!(places, [("CR020", "accredit.toml"), ("CR020", "plans/p.toml")]);
    let (ruleset, findings) = Ruleset::read(&Files::new(), &BTreeSet::new());
    assert!(ruleset.is_none());
    assert_eq!((findings.len(), findings[0].code.as_str()), (1, "CR023"));
}

/// Reading is total: whatever is cut off, it returns, and no ruleset comes without a reason.
#[test]
fn any_beginning_of_any_file_is_read() {
    for (path, text) in good() {
        for end in (0..text.len()).step_by(5).filter(|end| text.is_char_boundary(*end)) {
            let mut files = good();
            files.insert(path.clone(), Arc::from(&text[..end]));
            let (ruleset, findings) = read(&files);
            let stopped = findings.iter().any(Diagnostic::is_error);
            assert_eq!(ruleset.is_none(), stopped, "{path} cut off at {end}");
        }
    }
}

/// Ten thousand people in one file, each with a manager, are read in a moment.
#[test]
fn a_large_organisation() {
    let mut people = String::from("id,name,title,manager,from,to\n");
    for index in 0..10_000 {
        let manager = if index == 0 { String::new() } else { format!("p{}", index / 8) };
        people.push_str(&format!("p{index},Person {index},Agent,{manager},2022-01-01,\n"));
    }
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(SETTINGS));
    files.insert("organization/participants.csv".to_owned(), Arc::from(people));
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    assert_eq!(findings, []);
    assert_eq!(ruleset.unwrap().organization.positions().count(), 10_000);
}

#[test]
fn columns_that_are_declared_and_not_read_are_hints() {
    let hints = |settings: &str, plan: &str| -> Vec<String> {
        let (ruleset, findings) = small(settings, plan);
        assert_eq!(findings, []);
        let hints = ruleset.unwrap().unused_declarations();
        hints
            .into_iter()
            .map(|h| format!("{}:{} {}", h.place.line, h.place.column, h.message))
            .collect()
    };
    let settings =
        format!("{SETTINGS}product = \"sku\"\n[columns]\nseats = \"number\"\nrep = \"text\"\n");
    let unread = ["7:1 nothing reads the field `product`", "9:1 nothing reads the column `seats`"];
    assert_eq!(hints(&settings, PLAN), unread);
    // Read by a filter, by name and by mapped name; by a rule's column; by a computed name.
    let filtered = format!("filter = 'tx.product == \"A\" && tx[\"seats\"] > 1'\n{PLAN}");
    assert_eq!(hints(&settings, &filtered), [""; 0]);
    let column = PLAN.replace("name = \"Booking\"", "name = \"Booking\"\nassign = \"field:seats\"");
    assert_eq!(hints(&settings, &column), [unread[0]]);
    let computed = format!("filter = 'tx[\"se\" + \"ats\"] > 1'\n{PLAN}");
    assert_eq!(hints(&settings, &computed), [""; 0]);
}
