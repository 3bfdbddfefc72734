//! Expressions as nodes.
//!
//! Not calls (`calls`) and not what is behind a dot or a bracket (`chains`). Called by `statements`.
//!
//! **Architecture invariant:** what does not depend on a run is computed here, once; what would be
//! an error stays a node, for the interpreter to report.

use std::sync::Arc;

use rhai::{CustomExpr, Dynamic, Expr, Position};

use super::variables::{FunctionLowering, NamePlace};
use super::{Lowered, refuse, unknown};
use crate::compile::node::{ArmNode, Node, SwitchNode};
use crate::machine::adapter;
use crate::machine::adapter::switch::{SwitchArm, label_value, switch_parts};
use crate::value::ScriptValue;

impl FunctionLowering<'_, '_> {
    pub(super) fn lower(&mut self, expr: &Expr) -> Lowered {
        self.weight = self.weight.saturating_add(1);

        Ok(match expr {
            Expr::Unit(_) => Node::Constant(ScriptValue::Unit),
            Expr::BoolConstant(flag, _) => Node::Constant((*flag).into()),
            Expr::IntegerConstant(whole, _) => Node::Constant((*whole).into()),
            Expr::StringConstant(text, _) => Node::Constant(text.as_str().into()),
            Expr::CharConstant(letter, _) => Node::Constant(letter.to_string().into()),
            Expr::DynamicConstant(value, at) => Node::Constant(constant_value(value, *at)?),
            Expr::InterpolatedString(parts, _) => Node::Text(self.lower_each(parts.iter())?),
            Expr::Array(items, _) => array_node(self.lower_each(items.iter())?),

            Expr::Map(entries, _) => {
                let entries = entries.0.iter().map(|(key, value)| {
                    self.lower(value).map(|value| (Arc::from(key.as_str()), value))
                });
                Node::Map(entries.collect::<Lowered<_>>()?)
            }

            Expr::Variable(name, _, at) => return self.lower_name(&name.1, *at),
            Expr::And(terms, _) => Node::And(self.lower_terms(terms)?),
            Expr::Or(terms, _) => Node::Or(self.lower_terms(terms)?),
            Expr::Coalesce(terms, _) => Node::Coalesce(self.lower_terms(terms)?),
            Expr::FnCall(call, at) => return self.lower_call(call, *at),
            Expr::Stmt(block) => Node::Block(self.lower_block(block.statements())?),
            Expr::Dot(..) | Expr::Index(..) => return self.lower_chain(expr),
            Expr::Custom(custom, at) => return self.lower_custom(custom, *at),
            Expr::ThisPtr(at) => return refuse("`this`", *at),
            other => {
                return refuse("an expression that only the interpreter knows", other.position());
            }
        })
    }

    fn lower_name(&mut self, name: &str, at: Position) -> Lowered {
        let Some(known) = self.find_name(name) else {
            return match self.program.constants.get(name) {
                Some(value) => Ok(Node::Constant(value.clone())),
                None => Err(unknown(name, at)),
            };
        };
        Ok(match known.place {
            NamePlace::Cell(cell) => Node::Cell(cell),
            NamePlace::Slot(slot) => {
                self.need_value(slot);
                Node::Slot(slot)
            }
        })
    }

    /// Values of which none can see what the next one changes.
    pub(super) fn lower_each<'e>(
        &mut self,
        items: impl Iterator<Item = &'e Expr>,
    ) -> Lowered<Box<[Node]>> {
        items.map(|item| self.lower_argument(item)).collect()
    }

    pub(super) fn lower_argument(&mut self, item: &Expr) -> Lowered {
        self.arguments += 1;
        let lowered = self.lower(item);
        self.arguments -= 1;
        lowered
    }

    /// The terms of `&&`, `||` or `??`, which are computed one after the other.
    fn lower_terms(&mut self, terms: &[Expr]) -> Lowered<Box<[Node]>> {
        self.lower_each(terms.iter())
    }

    /// `switch`, which is the only syntax of ours.
    fn lower_custom(&mut self, custom: &CustomExpr, at: Position) -> Lowered {
        let Some((value, arms)) = switch_parts(custom) else {
            return refuse("a syntax that only the interpreter knows", at);
        };

        let value = self.lower(value)?;
        let arms = arms.iter().map(|arm| self.lower_arm(arm));
        let arms = arms.collect::<Lowered<Box<[ArmNode]>>>()?;
        Ok(Node::Switch(Box::new(SwitchNode::new(value, arms))))
    }

    fn lower_arm(&mut self, arm: &SwitchArm<'_>) -> Lowered<ArmNode> {
        let labels = arm.labels.iter().map(|label| {
            // Each label that is compared counts as an operation.
            self.weight = self.weight.saturating_add(1);
            match label_value(label) {
                Some(known) => Ok(known),
                None => refuse("a label that is not written out", label.start_position()),
            }
        });
        let labels = labels.collect::<Lowered<Box<[ScriptValue]>>>()?;

        let guard = arm.guard.map(|guard| self.lower(guard)).transpose()?;
        Ok(ArmNode { labels, guard, body: self.lower(arm.body)? })
    }
}

impl SwitchNode {
    fn new(value: Node, arms: Box<[ArmNode]>) -> SwitchNode {
        let labels = || arms.iter().flat_map(|arm| arm.labels.iter());
        let all_texts = labels().all(|label| label.as_text().is_some());
        let is_plain = all_texts && arms.iter().all(|arm| arm.guard.is_none());

        let texts = is_plain.then(|| {
            let numbered = arms.iter().enumerate();
            let labelled =
                numbered.flat_map(|(arm, node)| node.labels.iter().map(move |label| (label, arm)));
            let texts = labelled.filter_map(|(label, arm)| Some((label.as_text()?.clone(), arm)));
            // Of two arms with the same label the first one is taken.
            let backwards: Vec<_> = texts.collect::<Vec<_>>().into_iter().rev().collect();
            backwards.into_iter().collect()
        });
        let other = arms.iter().position(|arm| arm.labels.is_empty());
        SwitchNode { value, arms, texts, other }
    }
}

/// An array; one whose items are all known is made here.
fn array_node(items: Box<[Node]>) -> Node {
    let known = items.iter().map(|item| match item {
        Node::Constant(value) => Some(value.clone()),
        _ => None,
    });
    match known.collect::<Option<Vec<ScriptValue>>>().map(ScriptValue::Array) {
        Some(array) if crate::compile::run::is_bounded(&array) => Node::Constant(array),
        _ => Node::Array(items),
    }
}

fn constant_value(value: &Dynamic, at: Position) -> Lowered<ScriptValue> {
    match adapter::from_dynamic(value) {
        ScriptValue::Unknown => refuse("a value that only the interpreter knows", at),
        known => Ok(known),
    }
}
