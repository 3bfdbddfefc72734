//! The names in a deal that lead to its recipients: with them, the deals that a change of the organisation
//! concerns are found without reading the others.
//!
//! Not what a name means (`organization`), and not the question whether a deal is affected.
//!
//! **Architecture invariant:** a deal without [`LeadingNames::Others`] is affected by the organisation
//! through one of its names alone, whatever people adjust, hold or release.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use accredit_domain::organization::fold_name;
use accredit_domain::plan::{Assign, IndirectRule, Plan, Relationship};
use accredit_domain::policy::ProgramId;
use accredit_domain::transaction::{Field, NameColumns, Transaction, Value};
use accredit_script::check::FieldReads;
use accredit_script::{Machine, ScriptAnswer, field_reads};
use accredit_workspace::Ruleset;

use crate::stage::{ScriptContext, names};

/// What leads to the recipients of a deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeadingNames {
    /// These names alone, folded.
    Names(BTreeSet<String>),
    /// Other things as well: a territory, the amount, a policy that failed, the row of a manual credit.
    Others,
}

/// What leads to the recipients of each of these deals in any plan.
pub fn leading_names(ruleset: &Ruleset, transactions: &[Arc<Transaction>]) -> Vec<LeadingNames> {
    let plans = ruleset.plans.values();
    let assigned = plans.flat_map(|plan| &plan.direct).flat_map(|rule| &rule.assign);
    let policies = assigned.filter_map(|assign| match assign {
        Assign::Policy(program) => Some(*program),
        _ => None,
    });
    let by_amount = policies.filter(|program| may_read_amount(ruleset, *program)).collect();
    let rules = LeadingRules { ruleset, by_amount };
    super::ask_each(ruleset, transactions, &|_, deal, machine| {
        let names = catch_unwind(AssertUnwindSafe(|| rules.names_in(deal, machine)));
        // What fails inside the engine must not keep other deals from being decided.
        names.unwrap_or_else(|_| {
            *machine = Machine::new(&ruleset.programs);
            LeadingNames::Others
        })
    })
}

/// Whether a program may see the amount of a deal, which people adjust.
fn may_read_amount(ruleset: &Ruleset, program: ProgramId) -> bool {
    let Some(program) = ruleset.programs.get(program) else { return true };
    let FieldReads { names, any, by_variable, .. } = field_reads(program);
    let column = ruleset.settings.fields.mapped.get(&Field::Amount);
    let is_named =
        names.contains("amount") || column.is_some_and(|column| names.contains(&**column));
    any || by_variable || is_named
}

/// How recipients are found in the plans of a ruleset.
struct LeadingRules<'a> {
    ruleset: &'a Ruleset,
    /// Policies whose answer may depend on the amount.
    by_amount: BTreeSet<ProgramId>,
}

impl LeadingRules<'_> {
    fn names_in(&self, deal: &Arc<Transaction>, machine: &mut Machine) -> LeadingNames {
        if deal.manual_credit().is_some() {
            return LeadingNames::Others;
        }

        let mut names = BTreeSet::new();
        for plan in self.ruleset.plans.values() {
            let mut texts = related_texts(&plan.indirect, deal);
            for assign in plan.direct.iter().flat_map(|rule| &rule.assign) {
                match self.texts_of(plan, assign, deal, machine) {
                    Some(found) => texts.extend(found),
                    None => return LeadingNames::Others,
                }
            }
            // What cannot be understood parks the deal, and it does not matter who is there.
            let shares = texts.iter().flat_map(|text| names::parse_shares(text));
            names.extend(shares.flatten().map(|share| fold_name(&share.who)));
        }
        LeadingNames::Names(names)
    }

    fn texts_of(
        &self,
        plan: &Plan,
        assign: &Assign,
        deal: &Arc<Transaction>,
        machine: &mut Machine,
    ) -> Option<Vec<String>> {
        match assign {
            Assign::Policy(program) if !self.by_amount.contains(program) => {
                answered_texts((self.ruleset, plan), *program, deal, machine)
            }
            _ if names_amount(assign, deal) => None,
            _ => assigned_texts(assign, deal),
        }
    }
}

/// The texts with recipients that a crediting policy answers; none when it fails: a limit of time may be met
/// once and not again.
pub(super) fn answered_texts(
    (ruleset, plan): (&Ruleset, &Plan),
    policy: ProgramId,
    deal: &Arc<Transaction>,
    machine: &mut Machine,
) -> Option<Vec<String>> {
    let seen = ScriptContext::default().to_arguments(ruleset, plan, deal);
    match machine.run(policy, &seen).ok()? {
        ScriptAnswer::Text(text) => Some(vec![text.to_string()]),
        ScriptAnswer::Shares(shares) => {
            Some(shares.iter().map(|share| share.who.to_string()).collect())
        }
        _ => Some(Vec::new()),
    }
}

/// The texts of a deal that name recipients by way of `assign`; none where a policy or a territory finds
/// them.
pub(super) fn assigned_texts(assign: &Assign, transaction: &Transaction) -> Option<Vec<String>> {
    let texts = match assign {
        Assign::Owner => vec![transaction.joined_names(NameColumns::Owner)],
        Assign::Team => vec![transaction.joined_names(NameColumns::Team)],
        Assign::Columns(columns) => {
            let values = columns.iter().map(|column| transaction.get(column));
            values.filter_map(text_of).collect()
        }
        Assign::Preassigned => {
            let value = transaction.field_value(Field::Preassigned);
            value.and_then(text_of).into_iter().collect()
        }
        Assign::Territory(_) | Assign::Policy(_) => return None,
    };
    Some(texts)
}

/// Whether the amount of a deal names recipients by way of `assign`.
fn names_amount(assign: &Assign, transaction: &Transaction) -> bool {
    let amount = transaction.column_of(Field::Amount);
    match assign {
        Assign::Columns(columns) => columns.iter().any(|column| amount == Some(&**column)),
        Assign::Preassigned => {
            amount.is_some() && transaction.column_of(Field::Preassigned) == amount
        }
        _ => false,
    }
}

/// The texts of a deal that name the persons and positions of related orders.
pub(super) fn related_texts(rules: &[IndirectRule], transaction: &Transaction) -> Vec<String> {
    let columns = rules.iter().filter_map(|rule| match rule.relationship {
        Relationship::RelatedPerson => Some(NameColumns::RelatedPerson),
        Relationship::RelatedPosition => Some(NameColumns::RelatedPosition),
        _ => None,
    });
    columns.map(|column| transaction.joined_names(column)).collect()
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Bad(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Date(date) => Some(date.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Blank => None,
    }
}
