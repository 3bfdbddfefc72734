//! What is credited: every rule in a sentence, with its holds, duplicates and limits.
//!
//! Not what credits are worth (`pay`). Called by `page`.

use super::markdown::Page;
use super::wording::{Wording, limited_to, listed, policy_name};
use accredit_domain::plan::{
    Assign, DirectResult, DirectRule, DuplicateSetting, HoldSetting, IndirectResult, IndirectRule,
    MaximumScope, Members, ResultBase, RuleBase,
};
use accredit_domain::transaction::{Field, NameColumns};

/// The rules of the plan.
pub(super) fn write_crediting(page: &mut Page, words: Wording<'_>) {
    page.heading(2, "What is credited");
    if words.plan.direct.is_empty() {
        page.text("The plan has no rule of its own for deals.");
    }

    for rule in &words.plan.direct {
        write_rule(page, words, &rule.rule, &recipients_words(words, rule));
        let results: Vec<String> =
            rule.results.iter().map(|result| direct_words(words, result)).collect();
        page.list(&results);
    }

    if words.plan.indirect.is_empty() {
        return;
    }
    page.heading(2, "How credit rolls on");
    for rule in &words.plan.indirect {
        write_rule(page, words, &rule.rule, &receivers_words(words, rule));
        let results: Vec<String> =
            rule.results.iter().map(|result| indirect_words(words, result)).collect();
        page.list(&results);
    }
}

/// The name of a rule, what its author says, when it applies and to whom.
fn write_rule(page: &mut Page, words: Wording<'_>, rule: &RuleBase, who: &str) {
    page.heading(3, &rule.name);
    if !rule.description.trim().is_empty() {
        page.text(&rule.description);
    }

    let when = match rule.condition {
        Some(condition) => format!("If {}, ", words.condition(condition)),
        None => "Always: ".to_owned(),
    };
    page.text(&format!("{when}{who}{}.", limited_to(rule.validity)));
}

/// Who a direct rule credits, from the first source that names a recipient.
fn recipients_words(words: Wording<'_>, rule: &DirectRule) -> String {
    let fields = &words.ruleset.settings.fields;
    let columns = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        listed(&names)
    };
    let mapped = |names: NameColumns| columns(fields.names.get(&names).map_or(&[], Vec::as_slice));

    let sources = rule.assign.iter().map(|assign| match assign {
        Assign::Owner => format!("the owner of the deal ({})", mapped(NameColumns::Owner)),
        Assign::Team => format!("the team of the deal ({})", mapped(NameColumns::Team)),
        Assign::Columns(names) => format!("the names in {}", columns(names)),
        Assign::Preassigned => {
            let column = fields.mapped.get(&Field::Preassigned).cloned().unwrap_or_default();
            format!("the position that the deal names (`{column}`)")
        }
        Assign::Territory(None) => "the team in whose territory the deal is".to_owned(),
        Assign::Territory(Some(team)) => {
            let team = words.ruleset.organization.team_id(*team);
            format!("the team of {team} or below it in whose territory the deal is")
        }
        Assign::Policy(policy) => {
            let name = words.program(*policy).map(policy_name).unwrap_or_default();
            format!("the recipients that the policy {name} names")
        }
    });

    let sources: Vec<String> = sources.collect();
    let mut text = format!("credit goes to {}", sources.join(", or else to "));
    text.push_str(match rule.members {
        None => "",
        Some(Members::Equal) => "; of a team its members in equal parts",
        Some(Members::Weight) => "; of a team its members by their weights",
        Some(Members::Full) => "; of a team each member with the whole",
        Some(Members::Manager) => "; of a team its manager",
    });
    if rule.required {
        text.push_str("; a deal without a recipient raises an alert");
    }
    text
}

fn receivers_words(words: Wording<'_>, rule: &IndirectRule) -> String {
    let relationship = words.ruleset.settings.relationship_name(rule.relationship);
    let receivers = words.selection(&rule.receivers);
    let sources: Vec<String> = rule.sources.iter().map(|plan| format!("`{plan}`")).collect();
    let own = rule.sources.iter().all(|source| *source == words.plan.id);
    let sources = match own {
        true => String::new(),
        false => format!(" of the plans {}", listed(&sources)),
    };
    format!("direct credits{sources} roll along `{relationship}` to {receivers}")
}

fn direct_words(words: Wording<'_>, result: &DirectResult) -> String {
    let units = &words.ruleset.settings.units;
    let value = match result.value {
        Some(value) => words.value(value),
        None => "the deal's amount".to_owned(),
    };
    let mut text = format!(
        "**{}**: {value} in {}, as `{}` credit",
        result.output.name,
        units.name(result.unit),
        result.credit_type,
    );
    if result.rollable {
        text.push_str("; it may roll on");
    }
    if result.rollable_on_reporting {
        text.push_str("; it may roll from a manager along other relationships");
    }
    text.push_str(&output_words(words, &result.output, ""));
    text
}

fn indirect_words(words: Wording<'_>, result: &IndirectResult) -> String {
    let units = &words.ruleset.settings.units;
    let value = match result.value {
        Some(value) => words.value(value),
        None => "the amount of the credit that rolls".to_owned(),
    };
    let unit =
        result.unit.map_or_else(|| "its unit".to_owned(), |unit| units.name(unit).to_owned());
    let credit_type = match &result.credit_type {
        Some(credit_type) => format!("as `{credit_type}` credit"),
        None => "as credit of the same type".to_owned(),
    };

    let scope = match result.maximum_scope {
        MaximumScope::Receiver => " for each receiver",
        MaximumScope::Item => " for all receivers of a deal together",
    };
    let output = output_words(words, &result.output, scope);
    format!("**{}**: {value} in {unit}, {credit_type}{output}", result.output.name)
}

/// The limit, the hold, duplicates and the reason code of a result.
fn output_words(words: Wording<'_>, output: &ResultBase, scope: &str) -> String {
    let mut text = String::new();
    if let Some(maximum) = output.maximum {
        text.push_str(&format!("; at most {}{scope}", words.value(maximum)));
    }

    match &output.hold {
        HoldSetting::Fixed(accredit_domain::hold::Hold::None) => (),
        HoldSetting::Fixed(hold) => text.push_str(&format!("; held {}", words.hold(hold))),
        HoldSetting::Program(hold) => text.push_str(&format!("; held for {}", words.value(*hold))),
    }

    text.push_str(&match &output.duplicates {
        DuplicateSetting::Fixed(true) => "; a second equal credit of a deal is kept".to_owned(),
        DuplicateSetting::Fixed(false) => "; a second equal credit of a deal is dropped".to_owned(),
        DuplicateSetting::Program(program) => {
            format!("; a second equal credit of a deal is kept if {}", words.condition(*program))
        }
    });

    if let Some(code) = &output.reason_code {
        text.push_str(&format!("; with the reason code {code}"));
    }
    text.push('.');
    text
}
