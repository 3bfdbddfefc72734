//! The settings that may be a word, an expression, a policy or a saved query: values, holds,
//! duplicates, and the places a recipient comes from.
//!
//! Not the tables they stand in (`plan` and `rule`). Called by both, and by `settings` for queries.
//! Source: FORMAT section 3, "the nearest word wins".
//!
//! **Architecture invariant:** a text is a listed word, `policy:`, `query:` or Rhai, in that order;
//! whatever looks like a misspelt word is reported and never compiled.

use std::collections::BTreeMap;

use super::policies::Policies;
use super::report::{Report, hint};
use super::toml::{Item, Text, choice};
use accredit_domain::calendar::{Calendar, Length, PeriodKind};
use accredit_domain::plan::{DuplicateSetting, HoldSetting};
use accredit_domain::policy::{Kind, ProgramId, Returns, Use};

/// What expressions may refer to by name.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    /// The policies that may be named.
    pub(super) policies: &'a Policies,
    /// Saved queries by name.
    pub(super) queries: &'a BTreeMap<String, ProgramId>,
}

/// An expression, policy or saved query where `place` says; a whole number is an expression too.
pub(super) fn expression(item: &Item<'_>, place: Use, names: Names<'_>) -> Option<ProgramId> {
    if let Some(number) = item.as_integer() {
        return Some(names.policies.expression(place, &number.to_string(), item.place().into()));
    }

    let text = item.text()?;
    if text.text.trim().is_empty() {
        item.refuse("an expression that is not blank");
        return None;
    }

    if let Some(name) = text.text.strip_prefix("policy:") {
        return names.policies.find(item.report(), policy_kind(place), (name.trim(), &text.place));
    }
    if let Some(name) = text.text.strip_prefix("query:") {
        return query(item.report(), (name.trim(), &text), place, names);
    }

    if let Some(prefix) = prefix(&text.text) {
        let message = format!("`{prefix}:` is not a word that may stand here");
        let help = hint(prefix, "word", &["policy", "query"]);
        item.report().error("CR024", text.place, message, &help);
        return None;
    }

    Some(names.policies.expression(place, &text.text, text.origin))
}

fn query(
    report: &Report,
    (name, text): (&str, &Text),
    place: Use,
    names: Names<'_>,
) -> Option<ProgramId> {
    if place.returns() != Returns::Bool {
        let message = format!("`{}` cannot stand here", text.text);
        let help = "a saved query answers true or false; name a policy or write an expression";
        report.error("CR024", text.place.clone(), message, help);
        return None;
    }

    let found = names.queries.get(name).copied();
    if found.is_none() {
        let known = names.queries.keys().map(String::as_str);
        report.unknown("CR025", text.place.clone(), ("query", name), known);
    }

    found
}

/// The kind of policy that `policy:NAME` means where an expression may stand.
fn policy_kind(place: Use) -> Kind {
    match place {
        Use::Filter | Use::Condition | Use::IndirectCondition => Kind::Filter,
        Use::Value | Use::Maximum | Use::IndirectMaximum => Kind::Value,
        Use::IndirectValue => Kind::Rollup,
        Use::Hold => Kind::Hold,
        Use::Duplicates => Kind::Duplication,
        Use::Reward => Kind::Reward,
    }
}

/// The word before a colon: `day` of `day:30`. No expression of Rhai begins with one.
fn prefix(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(':')?;
    (is_word(word) && !rest.starts_with(':')).then_some(word)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Words that stand alone or before a colon in `hold`.
const HOLD_WORDS: [&str; 11] = [
    "none",
    "indefinite",
    "days",
    "months",
    "quarters",
    "years",
    "date",
    "period",
    "next",
    "policy",
    "query",
];

/// How long a credit is held.
pub(super) fn hold(item: &Item<'_>, calendar: &Calendar, names: Names<'_>) -> Option<HoldSetting> {
    let text = item.text()?;

    match text.text.as_str() {
        "none" => return Some(HoldSetting::None),
        "indefinite" => return Some(HoldSetting::Indefinite),
        "" => {
            item.refuse("text that is not blank");
            return None;
        }
        _ => {}
    }

    // `30 days` is what people write first; it must not be read as an expression that makes no
    // sense.
    if let Some((count, unit)) = text.text.split_once(' ')
        && let Some(unit) = HOLD_WORDS
            .iter()
            .find(|known| known.trim_end_matches('s') == unit.trim_end_matches('s'))
        && count.parse::<u32>().is_ok()
    {
        return refuse_hold(item, &text, &format!("`{unit}:{count}`"));
    }

    let word = prefix(&text.text).or(Some(text.text.as_str()).filter(|text| is_word(text)));
    let Some(word) = word else {
        return expression(item, Use::Hold, names).map(HoldSetting::Program);
    };

    let argument = text.text.split_once(':').map(|(_, rest)| rest.trim());

    match (word, argument) {
        ("policy" | "query", Some(_)) => {
            expression(item, Use::Hold, names).map(HoldSetting::Program)
        }
        ("days" | "months" | "quarters" | "years", Some(count)) => {
            length(item, &text, (word, count))
        }
        ("date", Some(day)) => accredit_domain::transaction::dates::day(day)
            .map(HoldSetting::Until)
            .or_else(|| refuse_hold(item, &text, "a day such as `date:2017-03-31`")),
        ("period", Some(id)) => calendar
            .find(id)
            .map(|period| HoldSetting::Until(period.first))
            .or_else(|| refuse_hold(item, &text, "a period's id such as `period:2017-04`")),
        ("next", Some(kind)) => PeriodKind::parse(kind)
            .map(HoldSetting::Next)
            .or_else(|| refuse_hold(item, &text, "`next:month`, `next:quarter` or `next:year`")),
        _ => {
            let message = format!("`{}` is not a hold", text.text);
            item.report().error("CR024", text.place, message, &hint(word, "hold", &HOLD_WORDS));
            None
        }
    }
}

/// A hold of so many days, months, quarters or years.
fn length(item: &Item<'_>, text: &Text, (unit, count): (&str, &str)) -> Option<HoldSetting> {
    let is_count = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
    if !is_count {
        return refuse_hold(item, text, "a count from 0, such as `days:30`");
    }

    let length = count.parse().ok().and_then(|count: i32| Length::parse(count, unit));
    match length.filter(|length| length.is_possible_hold()) {
        Some(Length::Days(0) | Length::Months(0)) => Some(HoldSetting::None),
        Some(length) => Some(HoldSetting::For(length)),
        None => {
            let message = format!("a hold of {count} {unit} would always end beyond the calendar");
            let help = "write fewer, or `indefinite` for a hold that somebody releases";
            item.report().error("CR024", text.place.clone(), message, help);
            None
        }
    }
}

fn refuse_hold(item: &Item<'_>, text: &Text, wanted: &str) -> Option<HoldSetting> {
    let message = format!("`{}` is not a hold", text.text);
    item.report().error("CR024", text.place.clone(), message, &format!("write {wanted}"));
    None
}

/// Whether duplicates are kept.
pub(super) fn duplicates(item: &Item<'_>, names: Names<'_>) -> Option<DuplicateSetting> {
    if let Some(flag) = item.as_flag() {
        return Some(DuplicateSetting::Fixed(flag));
    }
    if item.as_text().is_none() {
        item.refuse("true, false or an expression in quotes");
        return None;
    }
    expression(item, Use::Duplicates, names).map(DuplicateSetting::Program)
}

/// The period that a plan's calculations have.
pub(super) fn period(report: &Report, text: &Text) -> Option<PeriodKind> {
    let words = [
        ("month", PeriodKind::Month),
        ("quarter", PeriodKind::Quarter),
        ("year", PeriodKind::Year),
    ];
    choice(report, text, &words)
}
