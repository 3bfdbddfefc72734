//! Amounts and dates beyond every limit: each deal has an outcome, and the ones beside it theirs.

use super::*;
use accredit_domain::credit::posted::OTHER_YEAR;
use accredit_domain::decision::{Decision, DecisionOutcome};

/// One deal in a plan with one rule; `more` are lines of its result, `policy` the hold policy.
fn outcome(amount: &str, more: &str, policy: &str) -> Decision {
    let plan = format!(
        "name = \"Reps\"\nsplit = \"full\"\n[[direct]]\nname = \"Booking\"\n\
         [[direct.results]]\nname = \"Credit\"\n{more}\n"
    );
    let settings = format!("{SETTINGS}[columns]\nTerms = \"number\"\n");
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", &settings),
        file("organization/participants.csv", PEOPLE),
        file("plans/reps.toml", &plan),
        file("policies/hold/terms.rhai", policy),
    ]);
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));
    let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
    let cells = vec![
        cell("id", "D1"),
        cell("date", "2026-03-15"),
        cell("amount", amount),
        cell("owner", "ann;bob"),
        cell("Terms", "20260131"),
    ];
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let deal = Arc::new(decoder.decode(&Record { cells }));
    let mut machine = Machine::new(&ruleset.programs);
    super::super::decide_all_plans(&ruleset, &deal, &DecisionInputs::default(), &mut machine)
        .remove(0)
}

const NO_HOLD: &str = "fn hold(tx, credit) { no_hold() }";

/// The reason that a deal parks with, as `code: message`.
#[track_caller]
fn check_parked(amount: &str, more: &str, expected: &str) {
    let decided = outcome(amount, more, NO_HOLD);
    assert_eq!(decided.outcome, DecisionOutcome::Parked, "{amount} {more}: {:?}", decided.credits);
    let reason = &decided.reasons[0];
    assert_eq!(format!("{}: {}", reason.code, reason.message), expected, "{amount} {more}");
}

/// Twelve deals of 1e28 each stopped the thread that adds up what is credited: each was decided, and
/// their sum does not fit a decimal.
#[test]
fn an_amount_beyond_the_limit_parks_its_deal() {
    let most = "an amount is at most 1000000000000000 (AMOUNT_MAX)";
    for amount in ["79228162514264337593543950335", "-1000000000000001", "1e28"] {
        let shown = Decimal::from_scientific(amount).or_else(|_| amount.parse()).unwrap();
        let expected = format!("bad_value: `amount`: {shown} is too large: {most}");
        check_parked(amount, "", &expected);
    }
    let value = "value = \"tx.amount * 1000000000000000000\"";
    let expected = format!("policy_error: 10000000000000000000 is too large: {most}");
    check_parked("10", value, &expected);
    assert_eq!(outcome("1000000000000000", "", NO_HOLD).outcome, DecisionOutcome::Credited);
    assert_eq!(outcome("-1000000000000000", "", NO_HOLD).outcome, DecisionOutcome::Credited);
}

/// 1 + 1e28 by hand is as absurd as delivered.
#[test]
fn an_adjustment_beyond_the_limit_parks_its_deal() {
    let plain = decide("100", &[]);
    for change in [
        AmountChange::To(Decimal::MAX),
        AmountChange::By(Decimal::MAX),
        AmountChange::By(Decimal::MIN),
    ] {
        assert_eq!(decide("100", &[of_credit(&plain[0], change)]), [], "{change:?}");
        assert_eq!(decide("100", &[of_deal(change)]), [], "{change:?}");
    }
}

/// A maximum of 0.01665 paid 0.02, which is above it.
#[test]
fn a_maximum_is_rounded_toward_zero() {
    let check = |amount: &str, maximum: &str, expected: &[&str]| {
        let decided = outcome(amount, &format!("maximum = \"{maximum}\""), NO_HOLD);
        let amounts: Vec<String> =
            decided.credits.iter().map(|credit| credit.amount.to_string()).collect();
        assert_eq!(amounts, expected, "{amount} at most {maximum}");
    };
    check("100", "0.01665", &["0.01", "0.01"]);
    check("100", "49.995", &["49.99", "49.99"]);
    check("-100", "49.995", &["-49.99", "-49.99"]);
    check("-100", "-49.995", &["-49.99", "-49.99"]);
    check("100", "0.009", &[]);
    check("49.995", "49.996", &["49.99", "49.99"]);
    check("49.995", "50", &["50.00", "50.00"]);
}

/// A hold of a plan that is possible on most days has no line of a policy to blame: it says why it
/// cannot end.
#[test]
fn a_hold_of_a_plan_beyond_the_calendar_says_why() {
    let decided = outcome("100", "hold = \"years:200\"", NO_HOLD);
    let reasons: Vec<_> = decided.credits.iter().map(|row| row.reason.as_deref()).collect();
    assert_eq!(reasons, [Some("policy_error"); 2]);
    let note = &decided.log[0];
    assert_eq!((note.code, note.line), (NoteCode::PolicyError, None));
    assert!(note.message.contains("the hold would end beyond the calendar"), "{}", note.message);
}

/// Money of another fiscal year waits for a person, who has to hear of it.
#[test]
fn a_hold_that_would_end_in_another_year_is_told() {
    let decided = outcome("100", "hold = \"date:2027-01-10\"", NO_HOLD);
    let holds = decided.credits.iter().map(|row| (row.reason.as_deref(), row.release_date));
    assert_eq!(holds.collect::<Vec<_>>(), [(Some(OTHER_YEAR), None); 2]);
    let codes: Vec<NoteCode> = decided.log.iter().map(|note| note.code).collect();
    assert_eq!(codes, [NoteCode::ReleaseInOtherYear; 2]);
    assert!(decided.log[0].message.contains("2027-01-10"), "{}", decided.log[0].message);

    let within = outcome("100", "hold = \"date:2026-12-10\"", NO_HOLD);
    assert!(within.log.is_empty(), "{:?}", within.log);
}

/// Terms of 20,260,131 days, a date in the wrong column, ended the calculation for all deals.
#[test]
fn a_hold_beyond_the_calendar_holds_its_credit() {
    let check = |body: &str, expected: Option<&str>| {
        let policy = format!("fn hold(tx, credit) {{ {body} }}");
        let decided = outcome("100", "hold = \"policy:terms\"", &policy);
        let reasons: Vec<Option<&str>> =
            decided.credits.iter().map(|credit| credit.reason.as_deref()).collect();
        assert_eq!(reasons, [expected, expected], "{body}: {:?}", decided.log);
        if expected == Some("policy_error") {
            let message = &decided.log[0].message;
            assert!(message.contains("beyond the calendar"), "{body}: {message}");
        }
    };
    check("hold_for(tx[\"Terms\"], \"days\")", Some("policy_error"));
    check("hold_for(tx[\"Terms\"], \"years\")", Some("policy_error"));
    check("hold_for(2147483647, \"months\")", Some("policy_error"));
    check("hold_for(200, \"years\")", Some("policy_error"));
    check("hold_for(0, \"days\")", None);
    check("hold_until(date(1000, 1, 1))", None);
}
