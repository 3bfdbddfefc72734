//! Functions of the table that call a function of the script for each item of an array.
//!
//! Not what such a function may return (`api::callbacks`). Called by `run`.
//!
//! **Architecture invariant:** items are looked at in their order, and no further than the
//! interpreter looks.

use super::super::node::{ItemFunction, Node};
use super::{Computed, Exit, Run, bounded, decided};
use crate::api::callbacks::{passes, sort_keys, sum_parts};
use crate::value::ScriptValue;

impl<'a> Run<'a, '_> {
    pub(super) fn each_item(
        &mut self,
        function: ItemFunction,
        items: &'a Node,
        each: usize,
    ) -> Computed {
        let ScriptValue::Array(items) = self.value(items)? else { return Err(Exit::Undecided) };
        let mut answer_for = |item: &ScriptValue| {
            self.stack.push(item.clone());
            self.enter(each)
        };

        let value = match function {
            ItemFunction::Any => {
                for item in &items {
                    if decided(passes("any", &answer_for(item)?))? {
                        return Ok(true.into());
                    }
                }
                false.into()
            }
            ItemFunction::All => {
                for item in &items {
                    if !decided(passes("all", &answer_for(item)?))? {
                        return Ok(false.into());
                    }
                }
                true.into()
            }
            ItemFunction::Filter => {
                let mut kept = Vec::new();
                for item in items {
                    if decided(passes("filter", &answer_for(&item)?))? {
                        kept.push(item);
                    }
                }
                ScriptValue::Array(kept)
            }
            ItemFunction::Map => {
                ScriptValue::Array(items.iter().map(answer_for).collect::<Computed<_>>()?)
            }
            ItemFunction::SumBy => {
                let parts: Vec<ScriptValue> =
                    items.iter().map(answer_for).collect::<Computed<_>>()?;
                decided(sum_parts(&parts))?
            }
            ItemFunction::SortBy => {
                let keys: Vec<ScriptValue> =
                    items.iter().map(answer_for).collect::<Computed<_>>()?;
                let keys = decided(sort_keys(&keys))?;
                let mut keyed: Vec<_> = keys.into_iter().zip(items).collect();
                keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
                ScriptValue::Array(keyed.into_iter().map(|(_, item)| item).collect())
            }
        };
        bounded(value)
    }
}
