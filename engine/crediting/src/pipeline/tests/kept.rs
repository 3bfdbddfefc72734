//! Plans whose direct credits are known: the rollup alone runs, and what cannot be told from the record
//! is decided in full.

use super::*;
use accredit_domain::decision::Decision;

/// The decision of a deal of 100 by two reps, changed by `change` as if it had been recorded so, rolled.
fn rolled(shows_digits: bool, change: &dyn Fn(&mut Decision)) -> Vec<String> {
    let ruleset = ruleset();
    let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
    let cells = [("id", "D1"), ("date", "2026-03-15"), ("amount", "100"), ("owner", "ann;bob")];
    let cells = cells.map(|(column, text)| cell(column, text)).to_vec();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&Record { cells }));

    let inputs = DecisionInputs::default();
    let mut machine = Machine::new(&ruleset.programs);
    let mut decided = super::super::decide_all_plans(&ruleset, &deal, &inputs, &mut machine);
    let mut recorded = decided.pop().unwrap();
    change(&mut recorded);

    let known = KnownDecision { recorded: &recorded, shows_digits };
    let plans = PlanSelection { wanted: &|_| true, known: &|_| Some(known) };
    let rolled = super::super::decide_selected_plans(&ruleset, &deal, &inputs, &mut machine, plans);
    let rows = rolled.into_iter().flat_map(|decision| decision.credits);
    rows.map(|row| row.amount.to_string()).collect()
}

fn set_amount(cents: i64) -> impl Fn(&mut Decision) {
    move |decision| decision.credits[0].amount = Decimal::new(cents, 2)
}

const IN_FULL: [&str; 4] = ["50.00", "50.00", "50.00", "50.00"];

/// No rule makes 41.23 of this deal: it is there since no direct rule was asked.
#[test]
fn only_the_rollup_runs() {
    for shows_digits in [true, false] {
        let change = |decision: &mut Decision| {
            decision.credits[0].amount = Decimal::new(41_23, 2);
            decision.credits[1].amount = Decimal::new(30_01, 2);
        };
        assert_eq!(rolled(shows_digits, &change), ["41.23", "30.01", "41.23", "30.01"]);
    }
}

/// 41.20 may have been 41.2, which a text of the amount shows.
#[test]
fn digits_that_are_not_known_matter_where_they_are_shown() {
    assert_eq!(rolled(false, &set_amount(41_20))[..2], ["41.20", "50.00"]);
    assert_eq!(rolled(true, &set_amount(41_20)), IN_FULL);
    assert_eq!(rolled(true, &set_amount(0)), IN_FULL);
}

/// Rows that were posted elsewhere, of a rule that is gone, or of a position by an id of before are not
/// those that were made.
#[test]
fn what_is_not_recorded_as_it_was_made_is_decided_in_full() {
    let changes: [&dyn Fn(&mut Decision); 6] = [
        &|decision| decision.credits[0].origin = CreditOrigin::Late,
        &|decision| decision.credits[0].period = "2026-04".into(),
        &|decision| decision.credits[0].rule = "Gone".into(),
        &|decision| decision.credits[0].position = Some("ANN".into()),
        &|decision| decision.credits.swap(1, 2),
        &|decision| decision.outcome = DecisionOutcome::Parked,
    ];
    for (index, change) in changes.iter().enumerate() {
        let other = |decision: &mut Decision| {
            set_amount(41_23)(decision);
            change(decision);
        };
        assert_eq!(rolled(false, &other), IN_FULL, "change {index}");
    }
}

/// What a plan whose rule credits nothing below 1,000 makes of a deal of 100, recorded on another
/// day under other rules, with `note` in its log.
fn uncredited_again(note: &Note) -> Decision {
    let rule = "name = \"Booking\"";
    let ruleset =
        ruleset_of(&PLAN.replace(rule, &format!("{rule}\ncondition = \"tx.amount >= 1000\"")));
    let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
    let cells = [("id", "D1"), ("date", "2026-03-15"), ("amount", "100"), ("owner", "ann;bob")];
    let cells = cells.map(|(column, text)| cell(column, text)).to_vec();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&Record { cells }));

    let mut inputs = DecisionInputs::default();
    let mut machine = Machine::new(&ruleset.programs);
    let mut decided = super::super::decide_all_plans(&ruleset, &deal, &inputs, &mut machine);
    let mut recorded = decided.pop().unwrap();
    assert_eq!(recorded.outcome, DecisionOutcome::Uncredited);
    recorded.ruleset = RulesetHash::from("0000");
    recorded.log.push(note.clone());

    inputs.as_of = Some(jiff::civil::date(2026, 4, 2));
    let known = KnownDecision { recorded: &recorded, shows_digits: true };
    let plans = PlanSelection { wanted: &|_| true, known: &|_| Some(known) };
    let again = super::super::decide_selected_plans(&ruleset, &deal, &inputs, &mut machine, plans);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].ruleset, RulesetHash::from(&ruleset.hash));
    again.into_iter().next().unwrap()
}

/// No rule says this note: it is there since no rule was asked. A copy under the old day would
/// differ from what a full run records.
#[test]
fn a_decision_without_credits_is_copied_under_the_day_and_the_rules_of_now() {
    let note = Note {
        transaction: "D1".to_owned(),
        plan: "reps".to_owned(),
        stage: NoteStage::Crediting,
        code: NoteCode::Condition,
        message: "no rule says this".to_owned(),
        policy: None,
        file: None,
        line: None,
        column: None,
    };
    let again = uncredited_again(&note);
    assert_eq!(again.as_of, Some(jiff::civil::date(2026, 4, 2)));
    assert_eq!(again.log.last(), Some(&note));
}
