//! Where two decisions part: the first outcome, credit or amount that differs.
//!
//! Called by `impact`.

use rust_decimal::Decimal;

use super::{DecisionDifference, outcome_of, recipient_text};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::{DefinedName, PeriodKey};
use accredit_domain::money::add_to_total;

/// The first thing that differs between two decisions about one transaction in one plan; the
/// ruleset that decided is no difference.
pub(super) fn first_difference(
    plan: &str,
    before: Option<&Decision>,
    after: Option<&Decision>,
) -> Option<DecisionDifference> {
    let transaction = String::from(before.or(after)?.transaction.clone());
    let plan = plan.to_owned();
    let told = |what: &str, rule: Option<&str>, message: String| {
        let (what, rule) = (what.to_owned(), rule.map(str::to_owned));
        Some(DecisionDifference {
            transaction: transaction.clone(),
            plan: plan.clone(),
            what,
            rule,
            message,
        })
    };

    let (old, new) = (outcome_of(before), outcome_of(after));
    if old != new {
        let why = after.and_then(|decision| decision.reasons.first());
        let why = why.map(|note| format!(": {}", note.message)).unwrap_or_default();
        return told(
            "outcome",
            None,
            format!("{}, now {}{why}", outcome_word(old), outcome_word(new)),
        );
    }

    let credits = |side: Option<&Decision>| -> Vec<PostedCredit> {
        side.map(|decision| decision.credits.clone()).unwrap_or_default()
    };
    let (old, new) = (credits(before), credits(after));
    // Credits are compared by id, which is the same as long as rule, recipient and path are.
    for credit in &old {
        let Some(now) = new.iter().find(|now| now.id == credit.id) else {
            let message = format!("{} no longer gets {}", credit_name(credit), amount_text(credit));
            return told("removed", Some(&credit.rule), message);
        };
        if let Some((what, message)) = changed_value(credit, now) {
            return told(what, Some(&credit.rule), format!("{}: {message}", credit_name(credit)));
        }
    }

    let added: Vec<&PostedCredit> =
        new.iter().filter(|now| old.iter().all(|known| known.id != now.id)).collect();
    // Corrections of finalized periods come in pairs, which mean something only together.
    if added.iter().any(|row| row.reverses.is_some()) {
        let rule = added.first().map(|row| row.rule.as_str());
        return told("amount", rule, describe_corrections(&added));
    }

    let added = added.first()?;
    let message = format!("{} gets {}", credit_name(added), amount_text(added));
    told("added", Some(&added.rule), message)
}

fn changed_value(old: &PostedCredit, new: &PostedCredit) -> Option<(&'static str, String)> {
    let pairs = [
        ("amount", amount_text(old), amount_text(new)),
        ("status", old.status.to_string(), new.status.to_string()),
        ("payee", recipient_text(old), recipient_text(new)),
        ("detail", old.period.to_string(), new.period.to_string()),
        ("detail", old.credit_type.to_string(), new.credit_type.to_string()),
        ("detail", text_or_none(&old.release_date), text_or_none(&new.release_date)),
        ("detail", text_or_none(&old.reason), text_or_none(&new.reason)),
        ("detail", text_or_none(&old.reason_code), text_or_none(&new.reason_code)),
    ];

    let parted = pairs.into_iter().find(|(_, old, new)| old != new);
    if let Some((what, old, new)) = parted {
        return Some((what, format!("{old}, now {new}")));
    }

    // The ruleset's hash differs on every row of a change, and is no difference of the credit.
    let same = PostedCredit { ruleset: old.ruleset, ..new.clone() };
    (same != *old).then(|| ("detail", "reached in another way".to_owned()))
}

/// Corrections of finalized periods in a line: every posted amount, and the sums for each
/// recipient, rule and period: "mia by `R`: -500.00 and +700.00, +200.00 USD in 2022-02".
fn describe_corrections(posted: &[&PostedCredit]) -> String {
    let key = |row: &PostedCredit| (credit_name(row), row.period, row.unit_type);

    let mut groups: Vec<(_, Vec<Decimal>)> = Vec::new();
    for row in posted {
        match groups.iter_mut().find(|(known, _)| *known == key(row)) {
            Some((_, amounts)) => amounts.push(row.amount),
            None => groups.push((key(row), vec![row.amount])),
        }
    }

    let line =
        |((name, period, unit), amounts): &((String, PeriodKey, DefinedName), Vec<Decimal>)| {
            let parts: Vec<String> = amounts.iter().map(|amount| format!("{amount:+}")).collect();
            let mut sum = Decimal::ZERO;
            amounts.iter().for_each(|amount| add_to_total(&mut sum, *amount));
            match parts.as_slice() {
                [only] => format!("{name}: {only} {unit} in {period}"),
                all => format!("{name}: {}, {sum:+} {unit} in {period}", all.join(" and ")),
            }
        };
    let lines: Vec<String> = groups.iter().map(line).collect();
    lines.join("; ")
}

fn text_or_none(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn credit_name(credit: &PostedCredit) -> String {
    format!("{} by `{}`", recipient_text(credit), credit.rule)
}

fn amount_text(credit: &PostedCredit) -> String {
    format!("{} {}", credit.amount, credit.unit_type)
}

fn outcome_word(outcome: DecisionOutcome) -> &'static str {
    match outcome {
        DecisionOutcome::Filtered => "not in the plan",
        DecisionOutcome::Credited => "credited",
        DecisionOutcome::Uncredited => "uncredited",
        DecisionOutcome::Parked => "parked",
    }
}
