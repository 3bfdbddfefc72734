//! The settings that may be a word, an expression, a policy or a saved query: values, holds,
//! duplicates, and the places a recipient comes from.
//!
//! Not the tables they stand in (`plan` and `rule`). Called by both, and by `settings` for queries.
//! Source: FORMAT section 3, "the nearest word wins".
//!
//! **Architecture invariant:** a text is a listed word, `policy:`, `query:` or Rhai, in that order;
//! anything that looks like a misspelt word is reported and never compiled.

use std::collections::BTreeMap;

use super::policies::Policies;
use super::report::{Findings, suggest_names};
use super::toml::{PlacedText, TomlItem, parse_choice};
use accredit_domain::calendar::{Calendar, PeriodKind};
use accredit_domain::diagnostic::Code;
use accredit_domain::hold::{HOLD_WORDS, Hold, HoldRefusal};
use accredit_domain::plan::{DuplicateSetting, HoldSetting};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramId, ReturnType};

/// What expressions may refer to by name.
#[derive(Clone, Copy)]
pub(super) struct NamedPrograms<'a> {
    /// The policies that may be named.
    pub(super) policies: &'a Policies,
    /// Saved queries by name.
    pub(super) queries: &'a BTreeMap<String, ProgramId>,
}

/// An expression, policy or saved query where `place` says; a whole number is an expression too.
pub(super) fn read_expression(
    item: &TomlItem<'_>,
    place: ExpressionUse,
    names: NamedPrograms<'_>,
) -> Option<ProgramId> {
    if let Some(number) = item.as_integer() {
        return Some(names.policies.add_expression(
            place,
            &number.to_string(),
            item.place().into(),
        ));
    }

    let text = item.expect_text()?;
    if text.text.trim().is_empty() {
        item.refuse("an expression that is not blank");
        return None;
    }

    if let Some(name) = text.text.strip_prefix("policy:") {
        return names.policies.find_policy(
            item.report(),
            policy_kind(place),
            (name.trim(), &text.place),
        );
    }
    if let Some(name) = text.text.strip_prefix("query:") {
        return find_query(item.report(), (name.trim(), &text), place, names);
    }

    if let Some(prefix) = word_prefix(&text.text) {
        let message = format!("`{prefix}:` is not allowed here");
        let help = suggest_names(prefix, "word", &["policy", "query"]);
        item.report().error(Code::CR024, text.place, message, &help);
        return None;
    }

    Some(names.policies.add_expression(place, &text.text, text.origin))
}

fn find_query(
    report: &Findings,
    (name, text): (&str, &PlacedText),
    place: ExpressionUse,
    names: NamedPrograms<'_>,
) -> Option<ProgramId> {
    if place.return_type() != ReturnType::Bool {
        let message = format!("`{}` is not allowed here", text.text);
        let help = "a saved query answers true or false; name a policy or write an expression";
        report.error(Code::CR024, text.place.clone(), message, help);
        return None;
    }

    let found = names.queries.get(name).copied();
    if found.is_none() {
        let known = names.queries.keys().map(String::as_str);
        report.report_unknown(Code::CR025, text.place.clone(), ("query", name), known);
    }

    found
}

/// The kind of policy that `policy:NAME` means where an expression may stand.
fn policy_kind(place: ExpressionUse) -> PolicyKind {
    match place {
        ExpressionUse::Filter | ExpressionUse::Condition | ExpressionUse::IndirectCondition => {
            PolicyKind::Filter
        }
        ExpressionUse::Value | ExpressionUse::Maximum | ExpressionUse::IndirectMaximum => {
            PolicyKind::Value
        }
        ExpressionUse::IndirectValue => PolicyKind::Rollup,
        ExpressionUse::Hold => PolicyKind::Hold,
        ExpressionUse::Duplicates => PolicyKind::Duplication,
        ExpressionUse::Reward => PolicyKind::Reward,
        ExpressionUse::PayeeNumber => PolicyKind::Quota,
    }
}

/// The word before a colon: `day` of `day:30`. No expression of Rhai begins with one.
fn word_prefix(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(':')?;
    (is_word(word) && !rest.starts_with(':')).then_some(word)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// How long a credit is held.
pub(super) fn read_hold(
    item: &TomlItem<'_>,
    calendar: &Calendar,
    names: NamedPrograms<'_>,
) -> Option<HoldSetting> {
    let text = item.expect_text()?;
    if text.text.is_empty() {
        item.refuse("text that is not blank");
        return None;
    }

    // `30 days` is what people write first; it must not be read as an expression that makes no
    // sense.
    if let Some((count, unit)) = text.text.split_once(' ')
        && let Some(unit) = HOLD_WORDS
            .iter()
            .find(|known| known.trim_end_matches('s') == unit.trim_end_matches('s'))
        && count.parse::<u32>().is_ok()
    {
        let help = format!("write `{unit}:{count}`");
        return refuse_hold(item, &text, &HoldRefusal { message: None, help });
    }

    let word = word_prefix(&text.text).or(Some(text.text.as_str()).filter(|text| is_word(text)));
    let argument = text.text.split_once(':').map(|(_, rest)| rest.trim());

    let word = match (word, argument) {
        (None, _) | (Some("policy" | "query"), Some(_)) => {
            return read_expression(item, ExpressionUse::Hold, names).map(HoldSetting::Program);
        }
        (Some(word), _) => word,
    };

    match Hold::parse(word, argument, calendar) {
        Some(Ok(hold)) => Some(HoldSetting::Fixed(hold)),
        Some(Err(refusal)) => refuse_hold(item, &text, &refusal),
        None => {
            let message = format!("`{}` is not a hold", text.text);
            let words: Vec<&str> = HOLD_WORDS.into_iter().chain(["policy", "query"]).collect();
            item.report().error(
                Code::CR024,
                text.place,
                message,
                &suggest_names(word, "hold", &words),
            );
            None
        }
    }
}

fn refuse_hold(
    item: &TomlItem<'_>,
    text: &PlacedText,
    refusal: &HoldRefusal,
) -> Option<HoldSetting> {
    let not_a_hold = || format!("`{}` is not a hold", text.text);
    let message = refusal.message.clone().unwrap_or_else(not_a_hold);
    item.report().error(Code::CR024, text.place.clone(), message, &refusal.help);
    None
}

/// Whether duplicates are kept.
pub(super) fn read_duplicates(
    item: &TomlItem<'_>,
    names: NamedPrograms<'_>,
) -> Option<DuplicateSetting> {
    if let Some(flag) = item.as_flag() {
        return Some(DuplicateSetting::Fixed(flag));
    }
    if item.as_text().is_none() {
        item.refuse("true, false or an expression in quotes");
        return None;
    }
    read_expression(item, ExpressionUse::Duplicates, names).map(DuplicateSetting::Program)
}

/// The period that a plan's calculations have.
pub(super) fn parse_period_kind(report: &Findings, text: &PlacedText) -> Option<PeriodKind> {
    let words =
        [("month", PeriodKind::Leaf), ("quarter", PeriodKind::Quarter), ("year", PeriodKind::Year)];
    parse_choice(report, text, &words)
}
