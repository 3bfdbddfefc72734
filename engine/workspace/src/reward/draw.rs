//! `[[draw]]` of a plan: draws that are recovered, and guarantees.
//!
//! Not what a draw pays (`crediting::reward`). Called by `reward`. Source: REWARDS section 6.
//!
//! **Architecture invariant:** a draw covers rewards that exist, each once.

use std::collections::HashSet;
use std::sync::Arc;

use accredit_domain::diagnostic::{Code, did_you_mean};
use accredit_domain::plan::Selector;
use accredit_domain::plan::reward::{Draw, Reward};
use accredit_domain::policy::ExpressionUse;
use accredit_domain::transaction::numbers;
use rust_decimal::Decimal;

use crate::plan::{PlanScope, read_validity};
use crate::rule::check_unique_name;
use crate::selector::read_selectors;
use crate::setting::read_expression;
use crate::toml::{PlacedText, TomlItem, TomlTable};

/// Reads the draws of a plan in file order. `names` are those of its rewards; a draw without targets
/// has those of the plan.
pub(super) fn read(
    root: &mut TomlTable<'_>,
    names: &mut HashSet<String>,
    (rewards, targets): (&[Reward], &[Selector]),
    scope: PlanScope<'_>,
) -> Vec<Draw> {
    let tables = root.take_tables("draw").into_iter();
    tables.filter_map(|table| read_draw(table, names, (rewards, targets), scope)).collect()
}

fn read_draw(
    mut table: TomlTable<'_>,
    names: &mut HashSet<String>,
    (rewards, plan_targets): (&[Reward], &[Selector]),
    scope: PlanScope<'_>,
) -> Option<Draw> {
    let name = table.take_needed_text("name");
    if let Some(name) = &name {
        check_unique_name(table.report(), name, names, "draw");
    }

    // For people alone, and asked for so that it is no unknown key.
    let _description = table.take_text("description");
    let amount = match table.take("amount") {
        Some(item) => read_expression(&item, ExpressionUse::PayeeNumber, scope.names),
        None => {
            let message = "the draw has no `amount`".to_owned();
            let help = "add the amount of a period, such as `amount = \"3000\"`";
            table.report().error(Code::CR023, table.place(), message, help);
            None
        }
    };

    let recoverable = table.take_flag("recoverable");
    let covers = table.take("covers").map(|item| read_covers(&item, rewards));
    let most = table.take_text("recover_at_most");
    let recover_at_most = most.as_ref().and_then(|text| read_amount(&table, text));

    if let (Some(text), false) = (&most, recoverable) {
        let message = "`recover_at_most` limits what is recovered, but the draw is a guarantee";
        let help = "add `recoverable = true`, or leave it out";
        table.report().error(Code::CR024, text.place.clone(), message.to_owned(), help);
    }

    let validity = read_validity(&mut table);
    let own_targets = table.has_key("targets");
    let targets = read_selectors(&mut table, "targets", scope);
    table.finish();

    Some(Draw {
        name: Arc::from(name?.text),
        amount: amount?,
        recoverable,
        covers: covers.map(|covers| covers.unwrap_or_default()),
        recover_at_most,
        validity,
        targets: if own_targets { targets } else { plan_targets.to_vec() },
    })
}

/// The names of the rewards that a draw covers.
fn read_covers(item: &TomlItem<'_>, rewards: &[Reward]) -> Option<Vec<Arc<str>>> {
    let mut covers: Vec<Arc<str>> = Vec::new();

    for text in item.expect_texts()? {
        let known = rewards.iter().find(|reward| *reward.name == *text.text);
        match known {
            Some(reward) if !covers.contains(&reward.name) => covers.push(Arc::clone(&reward.name)),
            Some(_) => {}
            None => {
                let names = rewards.iter().map(|reward| &*reward.name);
                let message = format!("there is no reward `{}` in the plan", text.text);
                let help = did_you_mean(&text.text, names).unwrap_or_else(|| {
                    "name rewards of this plan, or leave `covers` out to cover all of them".into()
                });
                item.report().error(Code::CR025, text.place, message, &help);
            }
        }
    }

    Some(covers)
}

fn read_amount(table: &TomlTable<'_>, text: &PlacedText) -> Option<Decimal> {
    let amount = numbers::parse_number(&text.text).filter(|amount| *amount > Decimal::ZERO);
    if amount.is_none() {
        let message = format!("`{}` is not an amount", text.text);
        let help = "write a number above 0, such as \"1000\"";
        table.report().error(Code::CR024, text.place.clone(), message, help);
    }
    amount
}
