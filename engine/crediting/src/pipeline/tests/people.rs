//! Whom cells name: spellings, blanks, several columns, weights; and what a manager's plan sees.

use super::*;
use accredit_domain::decision::{Decision, DecisionOutcome};

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
    super::super::decide_all_plans(&ruleset, &deal, &DecisionInputs::default(), &mut machine)
}

/// A deal that the sellers' plan filters out was `uncredited: no_rule` in the managers'.
#[test]
fn a_deal_that_the_sources_filter_out_is_not_in_the_plan() {
    let of = |amount: &str| {
        let all = decisions("", &[("amount", amount)]);
        all.into_iter().find(|one| one.plan == "managers").unwrap()
    };
    let small = of("20");
    assert_eq!(
        (small.outcome, small.reasons.len(), small.period),
        (DecisionOutcome::Filtered, 0, None)
    );
    assert_eq!(of("100").outcome, DecisionOutcome::Credited);
}
