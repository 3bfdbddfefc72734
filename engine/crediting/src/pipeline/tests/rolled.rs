//! What a rollup policy says of a credit, and what its result says itself.

use super::*;
use accredit_domain::credit::CreditStatus;

/// Everything that a rollup policy may say of a credit.
const POLICY: &str = "fn roll(tx, credit, to, existing) {
    #{ amount: credit.amount, hold: hold_for(10, \"days\"), maximum: 30, credit_type: \"second\" }
}";

/// Status, day of release, amount and credit type of max's credit, where `more` are lines of its result.
fn rolled(more: &str) -> (CreditStatus, String, String, String) {
    let plan = format!(
        "name = \"Reps\"\nsplit = \"full\"\n[[direct]]\nname = \"Booking\"\n\
         [[direct.results]]\nname = \"Credit\"\ncredit_type = \"first\"\nrollable = true\n\
         [[indirect]]\nname = \"Managers\"\nrelationship = \"Reporting\"\n\
         [[indirect.results]]\nname = \"Rolled\"\nvalue = \"policy:all\"\n{more}\n"
    );
    let settings = format!("credit_types = [\"first\", \"second\", \"third\"]\n{SETTINGS}");
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", &settings),
        file("organization/participants.csv", PEOPLE),
        file("plans/reps.toml", &plan),
        file("policies/rollup/all.rhai", POLICY),
    ]);
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));

    let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
    let cells = [("id", "D1"), ("date", "2026-03-15"), ("amount", "100"), ("owner", "ann")];
    let cells = cells.map(|(column, text)| cell(column, text)).to_vec();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&Record { cells }));
    let mut machine = Machine::new(&ruleset.programs);
    let inputs = DecisionInputs::default();
    let decision = super::super::decide_all_plans(&ruleset, &deal, &inputs, &mut machine).remove(0);

    let row = &decision.credits[1];
    let day = row.release_date.map(|day| day.to_string()).unwrap_or_default();
    (row.status, day, row.amount.to_string(), row.credit_type.to_string())
}

/// A result with a hold of its own took that of the policy, and one without took none.
#[test]
fn what_a_result_says_itself_counts_before_what_its_policy_says() {
    use CreditStatus::{Active, Held};
    let expected = |status, day: &str, amount: &str, kind: &str| {
        (status, day.to_owned(), amount.to_owned(), kind.to_owned())
    };
    assert_eq!(rolled(""), expected(Held, "2026-03-25", "30.00", "second"));
    assert_eq!(rolled("hold = \"days:5\""), expected(Held, "2026-03-20", "30.00", "second"));
    assert_eq!(rolled("hold = \"none\""), expected(Active, "", "30.00", "second"));
    assert_eq!(rolled("maximum = \"70\""), expected(Held, "2026-03-25", "70.00", "second"));
    let third = expected(Held, "2026-03-25", "30.00", "third");
    assert_eq!(rolled("credit_type = \"third\""), third);
}
