//! What a program answers on every way through it, and conditions and calculations on the way.
//!
//! Not kinds of single expressions (`expressions`). Called by the walk.
//!
//! **Architecture invariant:** only what certainly faults when it is reached is an error here.

use rhai::{Expr, FnCallExpr, Position, ScriptFuncDef, Stmt};

use super::entry;
use super::expressions::expression_start;
use super::kinds::expected_in_words;
use super::unreachable::is_endless;
use super::walk::{ProgramWalk, Tail};
use crate::api::lookups::DATED_FUNCTIONS;
use crate::kind::ValueKind;
use crate::machine::adapter::literal_number;
use crate::{api, trace};
use accredit_domain::diagnostic::{Code, did_you_mean};
use accredit_domain::policy::ReturnType;

/// Keys of the map that a rollup policy may return, and their kinds.
const ROLLED: [(&str, ValueKind, &str); 4] = [
    ("amount", ValueKind::Number, "a number"),
    ("credit_type", ValueKind::Text, "text"),
    ("hold", ValueKind::Hold, "a hold or a date"),
    ("maximum", ValueKind::Number, "a number"),
];

impl ProgramWalk<'_> {
    /// A way to the end of the program that gives nothing, where something is needed.
    pub(super) fn report_missing_result(&mut self, tail: Tail, at: Position) {
        let returns = self.program.form.return_type();
        if self.is_result && matches!(tail, Tail::Result) && !ValueKind::Unit.fits(returns) {
            let expected = expected_in_words(returns);
            let message = format!("the result must be {expected}, but there is none");
            let help = "end every path with a value: give each `if` an `else`, and add a last \
                line after a loop";
            self.report_with_help(Code::CR011, at, message, Some(help.to_owned()));
        }
    }

    /// The last statement of a block whose value is the result, when it has none.
    pub(super) fn check_last_statement(&mut self, tail: Tail, last: &Stmt) {
        match last {
            Stmt::If(flow, at) if flow.branch.statements().is_empty() => {
                self.report_missing_result(tail, *at)
            }
            Stmt::If(flow, at) if flow.body.statements().is_empty() => {
                self.report_missing_result(tail, *at)
            }
            Stmt::Noop(at) | Stmt::For(_, at) | Stmt::TryCatch(_, at) => {
                self.report_missing_result(tail, *at)
            }
            Stmt::Var(x, ..) => self.report_missing_result(tail, x.0.pos),
            Stmt::Assignment(x) => self.report_missing_result(tail, expression_start(&x.1.lhs)),
            Stmt::While(flow, at) | Stmt::Do(flow, _, at) => {
                // An endless loop returns no value, except by its `break`.
                let breaks = is_endless(last) || matches!(flow.expr, Expr::Unit(_));
                if !breaks {
                    self.report_missing_result(tail, *at);
                }
            }
            _ => (),
        }
    }

    /// Where a function's name stands.
    pub(super) fn function_name_position(&self, function: &ScriptFuncDef) -> Position {
        let place = entry::place_in_text(&self.program.source, function);
        let line = u16::try_from(place.line).unwrap_or(u16::MAX);
        Position::new(line.max(1), u16::try_from(place.column).unwrap_or(u16::MAX))
    }

    /// Something that must be true or false.
    pub(super) fn visit_condition(&mut self, sign: &str, expr: &Expr) {
        let kind = self.visit_expression(expr);
        self.require_bool(sign, kind, expression_start(expr));
    }

    /// The same, of a known kind.
    pub(super) fn require_bool(&mut self, sign: &str, kind: ValueKind, at: Position) {
        if matches!(kind.when_there(), ValueKind::Any | ValueKind::Bool) {
            return;
        }
        let message = format!("`{sign}` needs true or false, this is {}", kind.word());
        let help = match kind {
            ValueKind::Text => "ask `x.is_empty()`, or compare it",
            ValueKind::Number | ValueKind::Date => {
                "compare it, or ask `tx.has(\"…\")` whether it is there"
            }
            _ => "compare it with something",
        };
        self.report_with_help(Code::CR004, at, message, Some(help.to_owned()));
    }

    /// `x + y` and its like: the kind of the result.
    pub(super) fn visit_arithmetic(
        &mut self,
        sign: &str,
        (x, kind_x): (&Expr, ValueKind),
        (y, kind_y): (&Expr, ValueKind),
    ) -> ValueKind {
        match (sign, kind_x.when_there(), kind_y.when_there()) {
            ("+", ValueKind::Array, _) => return ValueKind::Array,
            // An array, perhaps.
            ("+", ValueKind::Any, ValueKind::Text) => return ValueKind::Any,
            ("+" | "-", ValueKind::Date, ValueKind::Number) => return ValueKind::Date,
            ("+" | "-", ValueKind::Date, ValueKind::Any) => return ValueKind::Any,
            ("-", ValueKind::Date, ValueKind::Date) => return ValueKind::Number,
            _ => (),
        }

        let text =
            sign == "+" && [kind_x, kind_y].iter().any(|kind| kind.when_there() == ValueKind::Text);
        let fits = if text {
            kind_x.may_join_text() && kind_y.may_join_text()
        } else {
            kind_x.may_be_number() && kind_y.may_be_number()
        };

        if !fits {
            let verb = match sign {
                "+" if text => "join",
                "+" => "add",
                "-" => "subtract",
                "*" => "multiply",
                _ => "divide",
            };
            let message = format!("cannot {verb} {} and {}", kind_x.word(), kind_y.word());
            let help = match (kind_x, kind_y) {
                (ValueKind::Date, _) | (_, ValueKind::Date) => {
                    "write add_days(date, n) or days_between(from, to)"
                }
                (ValueKind::Text, _) | (_, ValueKind::Text) => {
                    "write number(text), or declare the column as number in [columns]"
                }
                _ => "both sides must be numbers",
            };

            let wrong = if kind_x.may_be_number() { y } else { x };
            self.report_with_help(
                Code::CR004,
                expression_start(wrong),
                message,
                Some(help.to_owned()),
            );
        }

        let zero = literal_number(y).is_some_and(|divisor| divisor.is_zero());
        if zero && matches!(sign, "/" | "%") {
            let help = Some("ask whether it is 0 before".to_owned());
            self.report_with_help(
                Code::CR004,
                expression_start(y),
                "division by zero".to_owned(),
                help,
            );
        }

        match (text, kind_x, kind_y) {
            (true, ..) => ValueKind::Text,
            (_, ValueKind::Number, ValueKind::Number) => ValueKind::Number,
            _ if sign == "+" => ValueKind::Any,
            _ => ValueKind::Number,
        }
    }

    /// The map of a rollup policy, where it is written out.
    pub(super) fn check_rollup_map(&mut self, tail: Tail, expr: &Expr) {
        let Expr::Map(entries, at) = expr else { return };
        let rolls = self.program.form.return_type() == ReturnType::Rolled;
        if !rolls || !self.is_result || !matches!(tail, Tail::Result) {
            return;
        }

        for (key, given) in &entries.0 {
            let known = ROLLED.iter().find(|(name, ..)| *name == key.name.as_str());
            let Some((_, wanted, words)) = known else {
                let message = format!("a rollup policy cannot return a key `{}`", key.name);
                let names = ROLLED.map(|(name, ..)| name);
                let help = did_you_mean(&key.name, names)
                    .unwrap_or_else(|| format!("known: {}", names.join(", ")));
                self.report_with_help(Code::CR011, key.pos, message, Some(help));
                continue;
            };

            // Findings of the value are noted where it is visited: here only its kind is asked for.
            let mute = self.findings.len();
            let kind = self.visit_expression(given);
            self.findings.truncate(mute);

            let date = *wanted == ValueKind::Hold && kind == ValueKind::Date;
            if !matches!(kind, ValueKind::Any | ValueKind::Unit)
                && kind.when_there() != *wanted
                && !date
            {
                let message = format!("`{}` must be {words}, this is {}", key.name, kind.word());
                self.report_error(Code::CR011, expression_start(given), message);
            }

            self.check_credit_type(key.name.as_str(), given);
        }

        if !entries.0.iter().any(|(key, _)| key.name == "amount") {
            let help = Some("write `#{ amount: … }`, or () for no credit".to_owned());
            self.report_with_help(Code::CR011, *at, "the map has no `amount`".to_owned(), help);
        }
    }

    fn check_credit_type(&mut self, key: &str, given: &Expr) {
        let known = &self.known.credit_types;
        if let (Expr::StringConstant(name, at), "credit_type", false) =
            (given, key, known.is_empty())
            && !known.contains(name.as_str())
        {
            let help = did_you_mean(name, known.iter().map(String::as_str));
            let message = format!("there is no credit type `{name}`");
            self.report_with_help(Code::CR025, *at, message, help);
        }
    }

    /// A call whose arguments are all written out is made here and now.
    pub(super) fn check_constant_call(&mut self, call: &FnCallExpr, at: Position) {
        // A finding at the same place has said what is wrong with the call.
        // What is read on a date cannot be tried without one.
        let dated = DATED_FUNCTIONS.contains(&call.name.as_str());
        let written = !dated && !call.args.is_empty() && call.args.iter().all(Expr::is_constant);
        if !written || self.findings.iter().any(|found| found.place == self.place_of(at)) {
            return;
        }

        if api::find_function(&call.name).is_some()
            && self.own_arities(&call.name).is_empty()
            && let Err(message) = trace::try_call(call, at)
        {
            let help =
                Some("this call fails whenever it is reached: write other values".to_owned());
            self.report_with_help(Code::CR004, at, message, help);
        }
    }
}
