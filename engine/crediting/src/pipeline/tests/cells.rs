//! What cells of currencies, moments and stages do to a decision.

use super::*;
use accredit_domain::decision::{Decision, DecisionOutcome};

const SETTINGS: &str = "unit_types = [\"USD\", \"EUR\", { name = \"JPY\", scale = 0 }]\n\
    [workspace]\nname = \"Small\"\ntime_zone = \"America/New_York\"\n\
    [fields]\nid = \"id\"\ndate = \"date\"\namount = \"amount\"\nowner = \"owner\"\n\
    currency = \"currency\"\nproduct = \"stage\"\nupdated = \"changed\"\n";

const RATES: &str = "from_unit,to_unit,rate\nJPY,USD,0.01\nEUR,USD,1.1\n";

/// One deal of 10,000 in a plan with this condition, with these cells beside the usual ones.
fn decision(
    condition: &str,
    cells: &[(&str, &str)],
) -> (Decision, Vec<crate::stage::ExplanationStep>) {
    let plan = format!(
        "name = \"Reps\"\n[[direct]]\nname = \"Booking\"\ncondition = '{condition}'\n\
         [[direct.results]]\nname = \"Credit\"\nunit_type = \"USD\"\n"
    );
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", SETTINGS),
        file("organization/participants.csv", PEOPLE),
        file("organization/exchange_rates.csv", RATES),
        file("plans/reps.toml", &plan),
    ]);
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));
    let usual = [("id", "D1"), ("date", "2026-01-31"), ("amount", "10000"), ("owner", "ann")];
    let kept = usual.iter().filter(|(column, _)| cells.iter().all(|(other, _)| other != column));
    let cells = kept.chain(cells);
    let cell =
        |(column, text): &(&str, &str)| ((*column).to_owned(), Cell::Text((*text).to_owned()));
    let record = Record { cells: cells.map(cell).collect() };
    let deal = Arc::new(Decoder::new(Arc::clone(&ruleset.settings.fields)).decode(&record));
    let mut machine = Machine::new(&ruleset.programs);
    let inputs = DecisionInputs::default();
    let plan = &ruleset.plans["reps"];
    let decided = super::super::decide_plan(
        &ruleset,
        plan,
        &deal,
        &inputs,
        &mut machine,
        ExplainLevel::Steps,
    );
    (row::stored_decision(&ruleset, &decided), decided.trace)
}

/// A CRM sends `2026-02-01T03:30:00Z` for a deal of the evening of 31 January in New York: it counted
/// in February.
#[test]
fn a_moment_counts_in_the_period_of_the_time_zone() {
    let check = |date: &str, day: &str| {
        let (decision, _) = decision("true", &[("date", date), ("currency", "USD")]);
        assert_eq!(decision.credits[0].incentive_date.to_string(), day, "{date}");
        assert_eq!(decision.period.as_deref(), Some(&day[..7]), "{date}");
    };
    check("2026-02-01T03:30:00Z", "2026-01-31");
    check("2026-02-01T05:00:00Z", "2026-02-01");
    check("2026-02-01T03:30:00", "2026-02-01");
    check("2026-02-01", "2026-02-01");
}

/// `eur` was no unit type and parked; a blank one became dollars, without a warning.
#[test]
fn a_currency_has_no_case_and_a_blank_one_is_told() {
    let check = |currency: &str, amount: &str, alerts: &[&str]| {
        let (decision, _) = decision("true", &[("currency", currency)]);
        let codes: Vec<&str> = decision.alerts.iter().map(|note| note.code.as_str()).collect();
        let amounts: Vec<String> =
            decision.credits.iter().map(|row| row.amount.to_string()).collect();
        assert_eq!((amounts, codes.as_slice()), (vec![amount.to_owned()], alerts), "{currency}");
    };
    check("eur", "11000.00", &[]);
    check(" Jpy ", "100.00", &[]);
    check("USD", "10000.00", &[]);
    check("", "10000.00", &["no_currency"]);
    let (unknown, _) = decision("true", &[("currency", "EURO")]);
    assert_eq!(unknown.outcome, DecisionOutcome::Parked);
}

/// 10,000 yen were more than 5,000 and 4,000 dollars were not.
#[test]
fn amounts_are_compared_in_one_unit() {
    let condition = "tx.amount_in(\"USD\") > 5000";
    let check = |currency: &str, amount: &str, outcome: DecisionOutcome| {
        let (decision, _) = decision(condition, &[("currency", currency), ("amount", amount)]);
        assert_eq!(decision.outcome, outcome, "{amount} {currency}: {:?}", decision.reasons);
    };
    check("JPY", "10000", DecisionOutcome::Uncredited);
    check("JPY", "500001", DecisionOutcome::Credited);
    check("USD", "4000", DecisionOutcome::Uncredited);
    check("eur", "4600", DecisionOutcome::Credited);
    check("", "5001", DecisionOutcome::Credited);
    let (without_rate, _) = decision("tx.amount_in(\"EUR\") > 5", &[("currency", "JPY")]);
    assert_eq!(without_rate.reasons[0].code.as_str(), "bad_value", "{:?}", without_rate.reasons);
    let (unknown, _) = decision("tx.amount_in(\"EURO\") > 5", &[("currency", "JPY")]);
    assert_eq!(unknown.reasons[0].code.as_str(), "policy_error", "{:?}", unknown.reasons);
}

/// A deal whose stage was `WON` was not credited, and the explanation showed two words that look
/// alike.
#[test]
fn an_explanation_tells_of_a_difference_in_case() {
    let check = |condition: &str, stage: &str, expected: Option<&str>| {
        let (_, steps) = decision(condition, &[("stage", stage), ("currency", "USD")]);
        let refusal = steps.iter().find_map(|step| step.refusal.as_ref()).unwrap();
        assert_eq!(refusal.near_miss.as_deref(), expected, "{condition} {stage}");
        assert_eq!(refusal.to_string().contains("only by case"), expected.is_some());
    };
    let told = Some("`WON` differs from `Won` only by case or space");
    check("tx.product == \"Won\"", "WON", told);
    check("tx[\"stage\"] in [\"Lost\", \"Won\"]", "WON", told);
    let spaces = Some("`Closed  won` differs from `Closed Won` only by case or space");
    check("tx.product == \"Closed Won\"", "Closed  won", spaces);
    check("tx.product == \"Won\"", "Lost", None);
    check("tx.product == \"Won\" && tx.amount < 0", "Won", None);
    check("tx.product == \"Won\" && tx.product != \"WON\"", "WON", None);
    // Spaces at the ends of a cell are no difference.
    let (decision, _) = decision("tx.product == \"Won\"", &[("stage", "\u{a0}Won ")]);
    assert_eq!(decision.outcome, DecisionOutcome::Credited);
}

/// `12/31/2025 10:00 PM` has no order in time that could be seen from its text.
#[test]
fn a_clock_that_cannot_be_read_parks() {
    let (decision, _) = decision("true", &[("changed", "12/31/2025 10:00 PM")]);
    let reason = &decision.reasons[0];
    assert_eq!((decision.outcome, reason.code.as_str()), (DecisionOutcome::Parked, "bad_value"));
    let message = "`changed` holds `12/31/2025 10:00 PM`, which is not a date and time";
    assert_eq!(reason.message, message);
}
