//! Inputs of an author one after the other: expressions, variables that stay, functions of a policy.
//!
//! Not what decides: nothing here is part of a ruleset. Called by `accredit repl` and by `trace`.
//!
//! **Architecture invariant:** an input runs under the limits of a policy, and one that fails leaves
//! every variable as it was.

use std::sync::Arc;

use rhai::{AST, Dynamic, Scope};

use crate::machine::adapter::{from_dynamic, to_dynamic};
use crate::sandbox::{self, Constants};
use crate::trace::show_value;
use crate::value::ScriptValue;
use crate::{ScriptArguments, fault};
use accredit_domain::policy::Program;

/// Variables that one session may hold.
const VARIABLES_MAX: usize = 100;

/// Names that a variable may not have: inputs see a deal by them.
const RESERVED_NAMES: [&str; 3] = ["tx", "credit", "to"];

/// Variables of a session, and the policy whose functions its inputs may call.
#[derive(Debug, Default)]
pub struct Workbench {
    variables: Vec<(String, ScriptValue)>,
    functions: AST,
    constants: Arc<Constants>,
}

impl Workbench {
    /// Whether an input may use this name: a variable, or a constant of the open policy.
    pub fn knows_variable(&self, name: &str) -> bool {
        self.constants.contains_key(name) || self.variables.iter().any(|(known, _)| known == name)
    }

    /// Whether an input may call this function of the open policy.
    pub fn knows_function(&self, name: &str) -> bool {
        self.functions.iter_functions().any(|function| function.name == name)
    }

    /// Lets inputs call the functions of a policy, instead of those of another one; its functions as
    /// an author would call them.
    ///
    /// # Errors
    /// Why the policy does not compile.
    pub fn open_policy(&mut self, program: &Program) -> Result<Vec<String>, String> {
        let (engine, deadline) = sandbox::new_engine();
        let ast = engine.compile(&*program.source);
        let ast = ast.map_err(|error| fault::parse_message(error.err_type()))?;

        let mut scope = Scope::new();
        deadline.start();
        let top = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast);
        drop(top.map_err(|error| fault::error_message(error.unwrap_inner()))?);
        let constants = scope.iter_raw();
        let constants: Constants =
            constants.map(|(name, _, value)| (name.to_owned(), value.clone())).collect();

        self.constants = Arc::new(constants);
        self.functions = ast.clone_functions_only();
        let functions = self.functions.iter_functions();
        let mut calls: Vec<String> = functions
            .map(|function| format!("{}({})", function.name, function.params.join(", ")))
            .collect();
        calls.sort();
        Ok(calls)
    }

    /// Keeps the value of an expression under a name, and shows it.
    ///
    /// # Errors
    /// Why it has none, or why nothing can have this name.
    pub fn set_variable(
        &mut self,
        name: &str,
        source: &str,
        arguments: &ScriptArguments<'_>,
    ) -> Result<String, String> {
        if RESERVED_NAMES.contains(&name) || self.constants.contains_key(name) {
            return Err(format!("`{name}` has a meaning already; use another name"));
        }

        let value = self.evaluate_value(source, arguments)?;
        let text = show_value(&value);

        // A name that is there is given another value, which needs no room.
        let full = self.variables.len() >= VARIABLES_MAX;

        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None if full => {
                return Err(format!("more than {VARIABLES_MAX} variables (VARIABLES_MAX)"));
            }
            None => self.variables.push((name.to_owned(), value)),
        }

        Ok(text)
    }

    /// The value of an expression that may use `tx`, where they are there `credit` and `to`, the
    /// variables before it, and the functions of the open policy.
    ///
    /// # Errors
    /// Why it has none.
    pub fn evaluate(
        &self,
        source: &str,
        arguments: &ScriptArguments<'_>,
    ) -> Result<String, String> {
        self.evaluate_value(source, arguments).map(|value| show_value(&value))
    }

    fn evaluate_value(
        &self,
        source: &str,
        arguments: &ScriptArguments<'_>,
    ) -> Result<ScriptValue, String> {
        let (mut engine, deadline) = sandbox::new_engine();
        let parsed = engine.compile_expression(source);
        let ast = parsed.map_err(|error| fault::parse_message(error.err_type()))?;

        let ast = self.functions.merge(&ast);
        // Functions see the constants of their policy as they do when it decides.
        engine.set_default_tag(Dynamic::from(Arc::clone(&self.constants)));

        let mut scope = Scope::new();
        scope.push_dynamic("tx", to_dynamic(ScriptValue::Transaction(Arc::clone(arguments.tx))));
        if let Some(credit) = arguments.credit {
            scope.push_dynamic("credit", to_dynamic(ScriptValue::Credit(Arc::new(credit.clone()))));
        }
        if let Some(to) = arguments.to {
            scope.push_dynamic("to", to_dynamic(ScriptValue::Receiver(Arc::new(*to))));
        }
        for (name, value) in &self.variables {
            scope.push_dynamic(name.clone(), to_dynamic(value.clone()));
        }

        let _surroundings = arguments.open_surroundings();
        deadline.start();
        let value = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast);
        let value = value.map_err(|error| fault::error_message(error.unwrap_inner()))?;
        Ok(from_dynamic(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{reference, transaction_on};
    use accredit_domain::transaction::NameColumns;

    /// A session keeps a deal under a name and then looks at another one: what is not a cell of the
    /// kept deal is still read from it.
    #[test]
    fn a_deal_that_is_kept_reads_its_own_period() {
        let (kept, other) = (transaction_on("2022-01-31"), transaction_on("2022-05-02"));
        let seen = |tx| ScriptArguments::of_transaction(tx, reference(), NameColumns::Owner);

        let mut workbench = Workbench::default();
        workbench.set_variable("kept", "tx", &seen(&kept)).unwrap();

        let read = "[kept.period, kept.date, tx.period]";
        let answer = workbench.evaluate(read, &seen(&other));
        assert_eq!(answer.as_deref(), Ok("[\"2022-01\", 2022-01-31, \"2022-05\"]"));
    }
}
