//! Whom cells name: spellings, blanks, several columns, weights; and what a manager's plan sees.

use super::*;
use accredit_domain::decision::{Decision, Outcome};

const SETTINGS: &str = "[workspace]\nname = \"Small\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
    amount = \"amount\"\nowner = \"owner\"\n[columns]\nsdr = \"text\"\nse = \"text\"\n";

const PEOPLE: &str = "id,name,email,manager\nann,Ann Lee,ann@example.com,mia\nzoe,Zo\u{eb} Day,,mia\n\
    ilk,\u{130}lker I\u{15f}\u{131}k,,mia\nmia,Mia,,\n";

/// The decisions about one deal of 100 in a plan of sellers and in one of their managers.
fn decisions(rule: &str, cells: &[(&str, &str)]) -> Vec<Decision> {
    let sellers = format!(
        "name = \"Sellers\"\nsplit = \"equal\"\nfilter = 'tx.amount > 50'\n[[direct]]\nname = \"Booking\"\n\
         {rule}\n[[direct.results]]\nname = \"Credit\"\nrollable = true\n"
    );
    let managers = "name = \"Managers\"\n[[indirect]]\nname = \"Manager\"\nrelationship = \"Reporting\"\n\
        sources = [\"sellers\"]\n[[indirect.results]]\nname = \"Credit\"\n";
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", SETTINGS),
        file("organization/participants.csv", PEOPLE),
        file("plans/managers.toml", managers),
        file("plans/sellers.toml", &sellers),
    ]);
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));
    let usual = [("id", "D1"), ("date", "2026-01-31"), ("amount", "100"), ("owner", "ann")];
    let kept = usual.iter().filter(|(column, _)| cells.iter().all(|(other, _)| other != column));
    let cell =
        |(column, text): &(&str, &str)| ((*column).to_owned(), Cell::Text((*text).to_owned()));
    let record = Record { cells: kept.chain(cells).map(cell).collect() };
    let deal = Arc::new(Decoder::new(Arc::clone(&ruleset.settings.fields)).decode(&record));
    let mut machine = Machine::new(&ruleset.programs);
    let decided = super::super::decide(&ruleset, &deal, &Inputs::default(), &mut machine);
    decided.iter().map(|decided| row::decision(&ruleset, decided)).collect()
}

/// Who got how much of the sellers' plan; then the codes of reasons and of alerts.
fn told(rule: &str, cells: &[(&str, &str)]) -> String {
    let all = decisions(rule, cells);
    let sellers = all.iter().find(|one| one.plan == "sellers").unwrap();
    let credits = sellers.credits.iter();
    let credits = credits.map(|row| format!("{} {}", row.payee.as_deref().unwrap(), row.amount));
    let reasons = sellers.reasons.iter().map(|note| note.code.clone());
    let alerts = sellers.alerts.iter().map(|note| format!("!{}", note.code));
    credits.chain(reasons).chain(alerts).collect::<Vec<_>>().join(", ")
}

/// Names as other systems write them matched nobody.
#[test]
fn owners_are_found_in_every_spelling() {
    let check = |owner: &str, who: &str| {
        assert_eq!(told("", &[("owner", owner)]), format!("{who} 100.00"), "{owner:?}");
    };
    check("Zoe\u{308} Day", "zoe");
    check(" ZO\u{cb}\u{a0}DAY\u{a0}", "zoe");
    check("ilker i\u{15f}ik", "ilk");
    check("\u{130}LKER I\u{15e}IK", "ilk");
    check("Ann <ann@example.com>", "ann");
    check("Lee, Ann <ANN@EXAMPLE.COM>", "ann");
}

/// Thirteen deals without a specialist were thirteen alerts.
#[test]
fn a_blank_cell_names_nobody_and_is_an_alert_only_where_it_is_required() {
    let field = "assign = \"field:sdr\"";
    assert_eq!(told(field, &[("sdr", " ")]), "nobody");
    assert_eq!(told(&format!("{field}\nrequired = true"), &[("sdr", "")]), "unmatched, !unmatched");
    assert_eq!(told("", &[("owner", "")]), "unmatched, !unmatched");
    assert_eq!(told("required = false", &[("owner", "")]), "nobody");
    assert_eq!(told(field, &[("sdr", "nobody here")]), "unmatched, !unmatched");
}

#[test]
fn several_columns_are_joined_as_owner_columns_are() {
    let both = "assign = \"field:sdr;se\"";
    assert_eq!(told(both, &[("sdr", "ann"), ("se", "zoe")]), "ann 50.00, zoe 50.00");
    assert_eq!(told(both, &[("sdr", ""), ("se", "zoe")]), "zoe 100.00");
    assert_eq!(told(both, &[("sdr", "ann[0.2]"), ("se", "zoe[0.8]")]), "ann 20.00, zoe 80.00");
    assert_eq!(told(both, &[("sdr", ""), ("se", "")]), "nobody");
}

/// `ann[40];zoe[60]` on 100 was 4,000 and 6,000, and nobody was told.
#[test]
fn weights_that_do_not_sum_to_one_are_an_alert() {
    let check = |owner: &str, expected: &str| assert_eq!(told("", &[("owner", owner)]), expected);
    check("ann[40];zoe[60]", "ann 4000.00, zoe 6000.00, !weights");
    check("ann[0.4];zoe[0.4]", "ann 40.00, zoe 40.00, !weights");
    check("ann[0.4];zoe[0.6]", "ann 40.00, zoe 60.00");
    check("ann[1];zoe[0.2]", "ann 100.00, zoe 20.00");
    let decisions = decisions("", &[("owner", "ann[40];zoe[60]")]);
    let alert = decisions.iter().flat_map(|one| &one.alerts).find(|note| note.code == "weights");
    assert!(alert.unwrap().message.contains("percent?"), "{alert:?}");
}

/// A deal that the sellers' plan filters out was `uncredited: no_rule` in the managers'.
#[test]
fn a_deal_that_the_sources_filter_out_is_not_in_the_plan() {
    let of = |amount: &str| {
        let all = decisions("", &[("amount", amount)]);
        all.into_iter().find(|one| one.plan == "managers").unwrap()
    };
    let small = of("20");
    assert_eq!((small.outcome, small.reasons.len(), small.period), (Outcome::Filtered, 0, None));
    assert_eq!(of("100").outcome, Outcome::Credited);
}
