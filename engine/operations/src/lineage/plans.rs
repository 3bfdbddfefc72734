//! What feeds what in one plan: its filter, its rules with their results, its credit types, rewards and
//! draws, and the plans that it takes credits from.
//!
//! Not what a program reads (`lineage`). Called by `lineage` alone.

use std::collections::BTreeSet;

use accredit_domain::plan::reward::{PayoutFormula, Reward, TIER_KEYS, TierLimit};
use accredit_domain::plan::{
    Assign, DirectRule, DuplicateSetting, HoldSetting, IndirectRule, Plan, Relationship,
    ResultBase, RuleBase,
};
use accredit_domain::transaction::{Field, NameColumns};

use super::{GraphInMaking, LineageNode};

impl GraphInMaking<'_> {
    /// Everything of a plan.
    pub(super) fn add_plan(&mut self, plan: &Plan) {
        let file = plan_file(plan);
        let node = self.keep_node(LineageNode {
            id: plan_id(&plan.id),
            kind: "plan",
            name: plan.name.clone(),
            plan: Some(plan.id.to_string()),
            file: Some(file),
            line: None,
        });

        let fields = &self.ruleset.settings.fields;
        self.add_columns(&fields.id, &node, "identity of the deal");
        let dates = fields.mapped.get(&Field::Date).into_iter().chain(&fields.date_fallbacks);
        self.add_columns(dates, &node, "incentive date");
        if let Some(filter) = plan.filter {
            self.add_program(filter, &node, "filter", false);
        }

        for rule in &plan.direct {
            self.add_direct_rule(plan, rule);
        }
        for rule in &plan.indirect {
            self.add_indirect_rule(plan, rule);
        }
        for reward in &plan.rewards {
            self.add_reward(plan, reward);
        }
        for draw in &plan.draws {
            let node = self.part_node(plan, "draw", &draw.name);
            self.add_program(draw.amount, &node, "amount", false);
            for reward in plan.rewards.iter().map(|reward| &reward.name) {
                let covers = draw.covers.as_ref().is_none_or(|covered| covered.contains(reward));
                if covers {
                    self.add_edge(&part_id("reward", plan, reward), &node, "covered reward");
                }
            }
        }
    }

    /// A node of a part of a plan; its id.
    fn part_node(&mut self, plan: &Plan, kind: &'static str, name: &str) -> String {
        let file = plan_file(plan);
        let text = self.ruleset.files.get(&file);
        let line = text.and_then(|text| line_of_name(text, name));
        self.keep_node(LineageNode {
            id: part_id(kind, plan, name),
            kind,
            name: name.to_owned(),
            plan: Some(plan.id.to_string()),
            file: Some(file),
            line,
        })
    }

    /// A rule with its condition; its id.
    fn add_rule(&mut self, plan: &Plan, rule: &RuleBase) -> String {
        let node = self.part_node(plan, "rule", &rule.name);
        self.add_edge(&plan_id(&plan.id), &node, "deals that the plan lets in");
        if let Some(condition) = rule.condition {
            self.add_program(condition, &node, "condition", false);
        }
        node
    }

    fn add_direct_rule(&mut self, plan: &Plan, rule: &DirectRule) {
        let node = self.add_rule(plan, &rule.rule);
        self.add_recipients(rule, &node);

        for result in &rule.results {
            let output = self.add_output(plan, (&rule.rule, &node), &result.output);
            match result.value {
                Some(value) => self.add_program(value, &output, "value", false),
                None => {
                    let amount = self.ruleset.settings.fields.mapped.get(&Field::Amount);
                    self.add_columns(amount, &output, "value");
                }
            }
            self.add_credit_type(plan, &output, &result.credit_type);
        }
    }

    fn add_indirect_rule(&mut self, plan: &Plan, rule: &IndirectRule) {
        let node = self.add_rule(plan, &rule.rule);
        let fields = &self.ruleset.settings.fields;
        let names = match rule.relationship {
            Relationship::RelatedPerson => Some(NameColumns::RelatedPerson),
            Relationship::RelatedPosition => Some(NameColumns::RelatedPosition),
            _ => None,
        };
        if let Some(names) = names {
            self.add_columns(fields.names.get(&names).into_iter().flatten(), &node, "receivers");
            self.add_aliases(&node, "receivers");
        }

        let own = BTreeSet::from([plan.id]);
        let sources = if rule.sources.is_empty() { &own } else { &rule.sources };
        let mut types = BTreeSet::new();
        for source in sources.iter().filter_map(|id| self.ruleset.plans.get(id)) {
            if source.id != plan.id {
                self.add_edge(&plan_id(&source.id), &plan_id(&plan.id), "its credits roll here");
            }
            let rolls = |rolls: bool| rolls.then_some("credits that roll");
            for direct in &source.direct {
                for result in &direct.results {
                    if let Some(why) = rolls(result.rollable || result.rollable_on_reporting) {
                        let name = result_name(&direct.rule, &result.output);
                        self.add_edge(&part_id("result", source, &name), &node, why);
                        types.insert(result.credit_type);
                    }
                }
            }
        }

        for result in &rule.results {
            let output = self.add_output(plan, (&rule.rule, &node), &result.output);
            if let Some(value) = result.value {
                self.add_program(value, &output, "value", false);
            }
            // Without a type of its own it has that of the credit which rolls.
            let own = result.credit_type.map(|own| BTreeSet::from([own]));
            for credit_type in own.as_ref().unwrap_or(&types) {
                self.add_credit_type(plan, &output, credit_type);
            }
        }
    }

    /// A result with its settings; its id.
    fn add_output(
        &mut self,
        plan: &Plan,
        (rule, rule_node): (&RuleBase, &str),
        output: &ResultBase,
    ) -> String {
        let node = self.part_node(plan, "result", &result_name(rule, output));
        self.add_edge(rule_node, &node, "result");
        if let Some(maximum) = output.maximum {
            self.add_program(maximum, &node, "maximum", false);
        }
        if let HoldSetting::Program(hold) = output.hold {
            self.add_program(hold, &node, "hold", false);
        }
        if let DuplicateSetting::Program(duplicates) = output.duplicates {
            self.add_program(duplicates, &node, "duplicates", false);
        }
        node
    }

    fn add_credit_type(&mut self, plan: &Plan, output: &str, credit_type: &str) {
        let node = self.part_node(plan, "credit_type", credit_type);
        self.add_edge(output, &node, "credits");
    }

    /// What names the recipients of a rule.
    fn add_recipients(&mut self, rule: &DirectRule, node: &str) {
        let fields = &self.ruleset.settings.fields;
        let named = |names: NameColumns| fields.names.get(&names).into_iter().flatten();
        for assign in &rule.assign {
            match assign {
                Assign::Owner => self.add_columns(named(NameColumns::Owner), node, "recipients"),
                Assign::Team => self.add_columns(named(NameColumns::Team), node, "recipients"),
                Assign::Columns(columns) => self.add_columns(columns, node, "recipients"),
                Assign::Preassigned => {
                    self.add_columns(fields.mapped.get(&Field::Preassigned), node, "recipients");
                }
                Assign::Territory(_) => self.add_territories(node),
                Assign::Policy(policy) => self.add_program(*policy, node, "recipients", false),
            }
            // A territory names a team by itself; everything else is a name that has to be known.
            if !matches!(assign, Assign::Territory(_)) {
                self.add_aliases(node, "recipients");
            }
        }
    }

    fn add_territories(&mut self, node: &str) {
        let fields = &self.ruleset.settings.fields;
        for column in self.ruleset.organization.territories.column_names() {
            let field = Field::ALL.into_iter().find(|(_, key)| *key == column);
            let mapped = field.and_then(|(field, _)| fields.mapped.get(&field));
            let column = mapped.cloned().unwrap_or_else(|| column.to_owned());
            self.add_columns([&column], node, "recipients");
        }
    }

    /// A reward with the credits and the quotas that it counts, and what it is worth.
    fn add_reward(&mut self, plan: &Plan, reward: &Reward) {
        let node = self.part_node(plan, "reward", &reward.name);
        for credit_type in &reward.credit_types {
            let credits = self.part_node(plan, "credit_type", credit_type);
            self.add_edge(&credits, &node, "credits that count");
        }

        let mut of_quota = false;
        match &reward.worth {
            PayoutFormula::Tiers(tiers) => {
                let share =
                    |limit: &Option<TierLimit>| matches!(limit, Some(TierLimit::OfQuota(_)));
                of_quota = tiers.tiers.iter().any(|tier| share(&tier.up_to));
            }
            PayoutFormula::TableTiers(named) => {
                self.add_edge(&format!("table:{}", named.table), &node, "rates");
                if let Some(table) = self.ruleset.tables.tiers.get(&named.table) {
                    of_quota = table.asks_for_quota();
                    for key in table.keys.iter().filter(|key| !TIER_KEYS.contains(&&***key)) {
                        self.add_edge(&format!("attribute:{key}"), &node, "rates");
                    }
                }
            }
            PayoutFormula::Program(value) => self.add_program(*value, &node, "value", false),
        }
        if let Some(maximum) = reward.maximum {
            self.add_program(maximum, &node, "maximum", false);
        }

        let why = if of_quota { "rates" } else { "attainment" };
        if self.ruleset.quotas.has_quota(&plan.id) {
            let file = "organization/quotas.csv";
            let quotas = self.add_node("quotas", file, Some(file), None);
            self.add_edge(&quotas, &node, why);
        }
        if let Some(quota) = plan.quota {
            self.add_program(quota, &node, "quota", false);
        }
    }
}

fn plan_file(plan: &Plan) -> String {
    format!("plans/{}.toml", plan.id)
}

fn plan_id(plan: &str) -> String {
    format!("plan:{plan}")
}

fn part_id(kind: &str, plan: &Plan, name: &str) -> String {
    format!("{kind}:{}/{name}", plan.id)
}

/// A result is known by its rule as well: two rules may have results of one name.
fn result_name(rule: &RuleBase, output: &ResultBase) -> String {
    format!("{}/{}", rule.name, output.name)
}

/// The line on which a plan gives something this name, from 1; the last part of the name of a result.
fn line_of_name(text: &str, name: &str) -> Option<u32> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let names = |line: &str| {
        let value = line.trim().strip_prefix("name")?.trim_start().strip_prefix('=')?.trim();
        Some(value == format!("\"{name}\"") || value == format!("'{name}'"))
    };
    let found = text.lines().position(|line| names(line) == Some(true))?;
    u32::try_from(found + 1).ok()
}
