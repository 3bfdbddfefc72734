//! Where two decisions part: the first outcome, credit or amount that differs.
//!
//! Called by `impact`.

use rust_decimal::Decimal;

use super::{Difference, outcome, recipient};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, Outcome};
use accredit_domain::keys::{DefinedName, PeriodKey};
use accredit_domain::money::add_to_total;

/// The first thing that differs between two decisions about one transaction in one plan; the
/// ruleset that decided is no difference.
pub(super) fn difference(
    plan: &str,
    before: Option<&Decision>,
    after: Option<&Decision>,
) -> Option<Difference> {
    let transaction = String::from(before.or(after)?.transaction.clone());
    let plan = plan.to_owned();
    let told = |what: &str, rule: Option<&str>, message: String| {
        let (what, rule) = (what.to_owned(), rule.map(str::to_owned));
        Some(Difference {
            transaction: transaction.clone(),
            plan: plan.clone(),
            what,
            rule,
            message,
        })
    };

    let (old, new) = (outcome(before), outcome(after));
    if old != new {
        let why = after.and_then(|decision| decision.reasons.first());
        let why = why.map(|note| format!(": {}", note.message)).unwrap_or_default();
        return told("outcome", None, format!("{}, now {}{why}", word(old), word(new)));
    }

    let credits = |side: Option<&Decision>| -> Vec<PostedCredit> {
        side.map(|decision| decision.credits.clone()).unwrap_or_default()
    };
    let (old, new) = (credits(before), credits(after));
    // Credits are compared by id, which is the same as long as rule, recipient and path are.
    for credit in &old {
        let Some(now) = new.iter().find(|now| now.id == credit.id) else {
            let message = format!("{} no longer gets {}", name(credit), money(credit));
            return told("removed", Some(&credit.rule), message);
        };
        if let Some((what, message)) = changed(credit, now) {
            return told(what, Some(&credit.rule), format!("{}: {message}", name(credit)));
        }
    }

    let added: Vec<&PostedCredit> =
        new.iter().filter(|now| old.iter().all(|known| known.id != now.id)).collect();
    // Corrections of finalized periods come in pairs, which mean something only together.
    if added.iter().any(|row| row.reverses.is_some()) {
        let rule = added.first().map(|row| row.rule.as_str());
        return told("amount", rule, corrected(&added));
    }

    let added = added.first()?;
    let message = format!("{} gets {}", name(added), money(added));
    told("added", Some(&added.rule), message)
}

fn changed(old: &PostedCredit, new: &PostedCredit) -> Option<(&'static str, String)> {
    let pairs = [
        ("amount", money(old), money(new)),
        ("status", old.status.to_string(), new.status.to_string()),
        ("payee", recipient(old), recipient(new)),
        ("detail", old.period.to_string(), new.period.to_string()),
        ("detail", old.credit_type.to_string(), new.credit_type.to_string()),
        ("detail", text(&old.release_date), text(&new.release_date)),
        ("detail", text(&old.reason), text(&new.reason)),
        ("detail", text(&old.reason_code), text(&new.reason_code)),
    ];

    let parted = pairs.into_iter().find(|(_, old, new)| old != new);
    if let Some((what, old, new)) = parted {
        return Some((what, format!("{old}, now {new}")));
    }

    // The ruleset's hash differs on every row of a change, and is no difference of the credit.
    let same = PostedCredit { ruleset: old.ruleset.clone(), ..new.clone() };
    (same != *old).then(|| ("detail", "reached in another way".to_owned()))
}

/// Corrections of finalized periods in a line: every amount that is posted, and what they come to
/// for each recipient, rule and period: "mia by `R`: -500.00 and +700.00, +200.00 USD in 2022-02".
fn corrected(posted: &[&PostedCredit]) -> String {
    let key = |row: &PostedCredit| (name(row), row.period.clone(), row.unit_type.clone());

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

fn text(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn name(credit: &PostedCredit) -> String {
    format!("{} by `{}`", recipient(credit), credit.rule)
}

fn money(credit: &PostedCredit) -> String {
    format!("{} {}", credit.amount, credit.unit_type)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Filtered => "not in the plan",
        Outcome::Credited => "credited",
        Outcome::Uncredited => "uncredited",
        Outcome::Parked => "parked",
    }
}
