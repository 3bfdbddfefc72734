//! A plan as its file.

use std::fmt::Write;

use super::{quoted, rewards, scripts, tables};
use crate::oracle::world::{Assign, Cap, Direct, Hold, Indirect, Keep, Members, Outcome, Plan};
use crate::oracle::world::{Pays, Span, Split, Test, Value, World};

fn dates(text: &mut String, span: Span) {
    for (key, date) in [("from", span.from), ("to", span.to)] {
        if let Some(date) = date {
            writeln!(text, "{key} = {date}").unwrap();
        }
    }
}

fn test((world, text): (&World, &mut String), key: &str, test: Test) {
    match test {
        Test::Always => Ok(()),
        Test::Policy(place) => writeln!(text, "{key} = 'policy:{}'", scripts::name(place)),
        Test::Inline(place) => writeln!(text, "{key} = '{}'", scripts::inline(world, place)),
        Test::Over(limit) => writeln!(text, "{key} = 'tx.amount > {limit}'"),
        Test::Won => writeln!(text, "{key} = 'tx[\"stage\"] == \"Won\"'"),
        Test::Query => writeln!(text, "{key} = 'query:won'"),
        Test::Rows(limit) => writeln!(
            text,
            "{key} = [{{ if = \"stage\", is = \"=\", value = \"Won\" }}, \
             {{ or = \"amount\", is = \">\", value = \"{limit}\" }}, \
             {{ and = \"stage\", is = \"=\", value = \"Lost\" }}]"
        ),
    }
    .unwrap();
}

pub(super) fn text(world: &World, plan: &Plan) -> String {
    let split = match plan.split {
        Split::Refuse => "refuse",
        Split::Equal => "equal",
        Split::Full => "full",
        Split::First => "first",
    };
    let mut text = format!("name = \"Sales\"\nsplit = \"{split}\"\n");
    if plan.teams {
        text.push_str("measure = \"team\"\n");
    }
    writeln!(text, "targets = {}", quoted(&plan.targets)).unwrap();
    let by = match plan.by {
        Pays::Month => "month",
        Pays::Quarter => "quarter",
        Pays::Year => "year",
    };
    writeln!(text, "period = \"{by}\"").unwrap();
    tables::quota(&mut text, plan);
    if plan.prorate {
        text.push_str("prorate = true\n");
    }
    if plan.carry {
        text.push_str("carry_negative = true\n");
    }
    if plan.posted {
        text.push_str("late = \"posted\"\n");
    }
    writeln!(text, "require_total_one = {}", plan.total_one).unwrap();
    writeln!(text, "hold_across_years = {}", plan.across_years).unwrap();
    dates(&mut text, plan.span);
    test((world, &mut text), "filter", plan.filter);
    let of_kind = |place: &usize| {
        format!("{} = \"{}\"", world.policies[*place].kind.name(), scripts::name(*place))
    };
    let pays = rewards::default_policy(plan).map(|name| format!("reward = \"{name}\""));
    let policies: Vec<String> = plan.policies.iter().map(of_kind).chain(pays).collect();
    if !policies.is_empty() {
        writeln!(text, "policies = {{ {} }}", policies.join(", ")).unwrap();
    }
    for rule in &plan.direct {
        direct((world, &mut text), rule);
    }
    for rule in &plan.indirect {
        indirect((world, &mut text), rule);
    }
    rewards::text(&mut text, plan);
    rewards::draws(&mut text, plan);
    text
}

fn direct((world, text): (&World, &mut String), rule: &Direct) {
    let word = |assign: &Assign| match assign {
        Assign::Owner => "owner".to_owned(),
        Assign::Team => "team".to_owned(),
        Assign::Territory(None) => "territory".to_owned(),
        Assign::Territory(Some(team)) => format!("territory:{team}"),
        Assign::Preassigned => "preassigned".to_owned(),
        Assign::Desk => "field:desk".to_owned(),
        Assign::Policy(None) => "policy".to_owned(),
        Assign::Policy(Some(place)) => format!("policy:{}", scripts::name(*place)),
    };
    writeln!(text, "\n[[direct]]\nname = \"{}\"", rule.name).unwrap();
    dates(text, rule.span);
    test((world, text), "condition", rule.test);
    let words: Vec<String> = rule.assign.iter().map(word).collect();
    match words.as_slice() {
        [] => (),
        [only] => writeln!(text, "assign = \"{only}\"").unwrap(),
        all => writeln!(text, "assign = {}", quoted(all)).unwrap(),
    }
    let members = match rule.members {
        None => None,
        Some(Members::Equal) => Some("equal"),
        Some(Members::Weight) => Some("weight"),
        Some(Members::Full) => Some("full"),
        Some(Members::Manager) => Some("manager"),
    };
    if let Some(members) = members {
        writeln!(text, "members = \"{members}\"").unwrap();
    }
    for result in &rule.results {
        writeln!(text, "[[direct.results]]").unwrap();
        outcome((world, text), result);
        writeln!(text, "rollable = {}", result.rollable).unwrap();
        writeln!(text, "rollable_on_reporting = {}", result.on_reporting).unwrap();
    }
}

fn indirect((world, text): (&World, &mut String), rule: &Indirect) {
    writeln!(text, "\n[[indirect]]\nname = \"{}\"", rule.name).unwrap();
    writeln!(text, "relationship = \"{}\"", rule.relationship).unwrap();
    writeln!(text, "receivers = {}", quoted(&rule.receivers)).unwrap();
    if !rule.sources.is_empty() {
        writeln!(text, "sources = {}", quoted(&rule.sources)).unwrap();
    }
    dates(text, rule.span);
    test((world, text), "condition", rule.test);
    for result in &rule.results {
        writeln!(text, "[[indirect.results]]").unwrap();
        outcome((world, text), result);
        if result.per_item {
            writeln!(text, "maximum_scope = \"item\"").unwrap();
        }
    }
}

fn outcome((world, text): (&World, &mut String), result: &Outcome) {
    writeln!(text, "name = \"{}\"", result.name).unwrap();
    match result.value {
        Value::Default => (),
        Value::Policy(place) => {
            writeln!(text, "value = 'policy:{}'", scripts::name(place)).unwrap();
        }
        Value::Inline(place) => {
            writeln!(text, "value = '{}'", scripts::inline(world, place)).unwrap();
        }
        Value::Amount(factor) => writeln!(text, "value = \"tx.amount * {factor}\"").unwrap(),
        Value::Credit(factor) => writeln!(text, "value = \"credit.amount * {factor}\"").unwrap(),
        Value::Fixed(value) => writeln!(text, "value = \"{value}\"").unwrap(),
        Value::Units(factor) => writeln!(text, "value = 'tx[\"units\"] * {factor}'").unwrap(),
        Value::Step(limit, factor) => {
            let low = format!("tx.amount * {factor}");
            writeln!(text, "value = 'if tx.amount > {limit} {{ tx.amount }} else {{ {low} }}'")
                .unwrap();
        }
        Value::Above(limit) => writeln!(text, "value = 'policy:above-{limit}'").unwrap(),
    }
    match result.cap {
        None => (),
        Some(Cap::Amount) => writeln!(text, "maximum = \"tx.amount\"").unwrap(),
        Some(Cap::Fixed(value)) => writeln!(text, "maximum = \"{value}\"").unwrap(),
    }
    if let Some(hold) = hold(&result.hold) {
        writeln!(text, "hold = '{hold}'").unwrap();
    }
    if let Some(credit_type) = &result.credit_type {
        writeln!(text, "credit_type = \"{credit_type}\"").unwrap();
    }
    if let Some(unit) = &result.unit {
        writeln!(text, "unit_type = \"{unit}\"").unwrap();
    }
    match result.duplicates {
        Keep::No => (),
        Keep::Never => writeln!(text, "duplicates = false").unwrap(),
        Keep::Policy(place) => {
            writeln!(text, "duplicates = 'policy:{}'", scripts::name(place)).unwrap();
        }
        Keep::Yes => writeln!(text, "duplicates = true").unwrap(),
        Keep::Indirect => {
            writeln!(text, "duplicates = 'credit.kind == \"indirect\"'").unwrap();
        }
        Keep::Over(limit) => writeln!(text, "duplicates = 'credit.amount > {limit}'").unwrap(),
        Keep::Few(limit) => writeln!(text, "duplicates = 'existing.len() < {limit}'").unwrap(),
    }
}

fn hold(hold: &Hold) -> Option<String> {
    let when = |test: &str, days: i32| {
        format!("if {test} {{ hold_for({days}, \"days\") }} else {{ no_hold() }}")
    };
    Some(match hold {
        Hold::None => return None,
        Hold::Never => "none".to_owned(),
        Hold::Policy(place) => format!("policy:{}", scripts::name(*place)),
        Hold::Indefinite => "indefinite".to_owned(),
        Hold::Days(count) => format!("days:{count}"),
        Hold::Months(count) => format!("months:{count}"),
        Hold::Quarters(count) => format!("quarters:{count}"),
        Hold::Years(count) => format!("years:{count}"),
        Hold::On(date) => format!("date:{date}"),
        Hold::Until(id) => format!("period:{id}"),
        Hold::NextMonth => "next:month".to_owned(),
        Hold::NextQuarter => "next:quarter".to_owned(),
        Hold::NextYear => "next:year".to_owned(),
        Hold::Large(limit) => when(&format!("credit.amount > {limit}"), 30),
        Hold::DaysAfter(days) => format!("hold_until(add_days(tx.date, {days}))"),
        Hold::Units => when("tx[\"units\"] > 1", 10),
    })
}
