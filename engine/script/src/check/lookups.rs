//! Calls of `lookup` and `find`, and attributes in brackets: the table, its keys and ranges, and the
//! attribute exist, and what is given can be a key or a number.
//!
//! Not whether a row is found, which only a run knows. Called by `calls` and `expressions`.
//!
//! **Architecture invariant:** the name of a table is written out, so that a call is checked whole.

use rhai::{Expr, FnCallExpr, Position};

use super::calls::arguments_in_words;
use super::expressions::expression_start;
use super::walk::ProgramWalk;
use crate::api::lookups::{DATED_FUNCTIONS, TABLE_FUNCTIONS};
use crate::kind::ValueKind;
use accredit_domain::declared::DeclaredKind;
use accredit_domain::diagnostic::{Code, did_you_mean};
use accredit_domain::policy::{PolicyKind, ProgramForm};
use accredit_domain::tables::TableShape;

impl ProgramWalk<'_> {
    /// The kind of a call of `lookup` or `find`; nothing where it is no such call.
    pub(super) fn visit_table_call(
        &mut self,
        call: &FnCallExpr,
        kinds: &[ValueKind],
        at: Position,
    ) -> Option<ValueKind> {
        let name = call.name.as_str();
        if !TABLE_FUNCTIONS.contains(&name) || !self.own_arities(name).is_empty() {
            return None;
        }

        self.check_dated_call(name, at);
        let Some(table) = self.named_table(name, call, at) else { return Some(ValueKind::Any) };
        let Some(shape) = self.known.tables.get(&table).cloned() else {
            self.report_unknown_table(&table, call, at);
            return Some(ValueKind::Any);
        };

        if shape.holds_tiers() {
            let message = format!("the table `{table}` holds tiers, which belong together");
            let help = format!("a reward names it: tiers = \"table:{table}\"");
            self.report_with_help(Code::CR004, at, message, Some(help));
            return Some(ValueKind::Any);
        }

        self.check_table_arguments(&table, &shape, (call, kinds), at);
        Some(kind_of_row(&shape, name == "find"))
    }

    /// Functions that read on a date have none in an intake policy: there is no deal yet.
    pub(super) fn check_dated_call(&mut self, name: &str, at: Position) {
        let intake = self.program.form == ProgramForm::Policy(PolicyKind::Intake);
        if intake && DATED_FUNCTIONS.contains(&name) {
            let message =
                format!("`{name}` cannot be called here: there is no deal with a date yet");
            let help = "call it where the deal is credited, on the columns of the deal";
            self.report_with_help(Code::CR003, at, message, Some(help.to_owned()));
        }
    }

    /// A call behind a dot, where the table's name cannot be judged.
    pub(super) fn refuse_table_method(&mut self, name: &str, at: Position) -> ValueKind {
        let message = format!("`{name}` does not stand behind a dot");
        let help = format!("write {name}(\"TABLE\", key, …)");
        self.report_with_help(Code::CR004, at, message, Some(help));
        ValueKind::Any
    }

    /// The name of the table, where it is written out; else that is reported.
    fn named_table(&mut self, name: &str, call: &FnCallExpr, at: Position) -> Option<String> {
        let first = call.args.first();
        let written = first.map(|first| self.constant_value(first).unwrap_or(first));
        if let Some(Expr::StringConstant(table, _)) = written {
            return Some(table.to_string());
        }

        let message = format!("`{name}` needs the name of a table, written out");
        let help = format!("write {name}(\"TABLE\", key, …)");
        let at = first.map_or(at, expression_start);
        self.report_with_help(Code::CR004, at, message, Some(help));
        None
    }

    fn report_unknown_table(&mut self, table: &str, call: &FnCallExpr, at: Position) {
        let near = did_you_mean(table, self.known.tables.keys().map(String::as_str));
        let help = near.unwrap_or_else(|| format!("declare it in accredit.toml: [tables.{table}]"));
        let at = call.args.first().map_or(at, expression_start);
        self.report_with_help(Code::CR025, at, format!("there is no table `{table}`"), Some(help));
    }

    fn check_table_arguments(
        &mut self,
        table: &str,
        shape: &TableShape,
        (call, kinds): (&FnCallExpr, &[ValueKind]),
        at: Position,
    ) {
        let name = call.name.as_str();
        let columns: Vec<&str> =
            shape.keys.iter().chain(&shape.ranges).map(AsRef::as_ref).collect();
        let help = || {
            let given = columns.iter().map(|column| format!(", {column}")).collect::<String>();
            Some(format!("write {name}(\"{table}\"{given})"))
        };

        let given = call.args.len().saturating_sub(1);
        if given != columns.len() {
            let message = format!(
                "`{table}` takes {} after its name, not {given}",
                arguments_in_words(columns.len())
            );
            self.report_with_help(Code::CR004, at, message, help());
            return;
        }

        let arguments = call.args.iter().zip(kinds).skip(1).zip(&columns);
        for (index, ((argument, kind), column)) in arguments.enumerate() {
            let is_key = index < shape.keys.len();
            let fits = match kind.when_there() {
                ValueKind::Any | ValueKind::Number => true,
                ValueKind::Text | ValueKind::Unit => is_key,
                _ => false,
            };
            if !fits {
                let (what, needed) = match is_key {
                    true => ("key", "a text or a number"),
                    false => ("range", "a number"),
                };
                let kind = kind.word();
                let message =
                    format!("the {what} `{column}` of `{table}` is {needed}, this is {kind}");
                self.report_with_help(Code::CR004, expression_start(argument), message, help());
            }
        }
    }

    /// An attribute in brackets: `to["level"]`.
    pub(super) fn visit_attribute(
        &mut self,
        fields: &[&str],
        name: &str,
        at: Position,
    ) -> ValueKind {
        if let Some(kind) = self.known.attributes.get(name) {
            return maybe_kind(*kind);
        }

        let message = format!("there is no attribute `{name}`");
        let help = match fields.contains(&name) {
            true => Some(format!("write .{name} for the field")),
            false => did_you_mean(name, self.known.attributes.keys().map(String::as_str))
                .or_else(|| Some("add it to organization/attributes.csv".to_owned())),
        };
        self.report_with_help(Code::CR002, at, message, help);
        ValueKind::Any
    }
}

/// What a call gives: the one value of a row, or a map of several.
fn kind_of_row(shape: &TableShape, or_nothing: bool) -> ValueKind {
    match shape.values.as_slice() {
        [(_, kind)] if or_nothing => maybe_kind(*kind),
        [(_, kind)] => maybe_kind(*kind).when_there(),
        _ if or_nothing => ValueKind::Any,
        _ => ValueKind::Map,
    }
}

fn maybe_kind(kind: DeclaredKind) -> ValueKind {
    match kind {
        DeclaredKind::Text => ValueKind::MaybeText,
        DeclaredKind::Number => ValueKind::MaybeNumber,
        DeclaredKind::Date => ValueKind::MaybeDate,
        DeclaredKind::Bool => ValueKind::MaybeBool,
    }
}
