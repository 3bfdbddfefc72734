//! Calls and operators: that the function exists, takes so many arguments, and that what is
//! compared can be.
//!
//! Not kinds of arguments, which the run checks. Called by the walk.
//!
//! **Architecture invariant:** a function is known here if and only if it is in the table of `api`
//! or in the script.

use rhai::{Expr, FnCallExpr, Position};

use super::expressions::expression_start;
use super::walk::ProgramWalk;
use super::{arguments, forbidden_word, foreign_syntax};
use crate::api;
use crate::api::callbacks::CALLBACK_FUNCTIONS;
use crate::api::lookups::TABLE_FUNCTIONS;
use crate::kind::ValueKind;
use crate::machine::adapter::function_name;
use crate::sandbox::FORBIDDEN_FUNCTIONS;
use accredit_domain::diagnostic::{Code, did_you_mean};
use accredit_domain::policy::ProgramForm;

impl ProgramWalk<'_> {
    /// A call `name(…)`, or an operator.
    pub(super) fn visit_call(&mut self, call: &FnCallExpr, at: Position) -> ValueKind {
        let name = call.name.as_str();
        let joins = usize::from(name == "+");
        self.joined += joins;
        // Parts of a text that is put together say nothing alone: weights are judged in the whole.
        let kinds: Vec<ValueKind> =
            call.args.iter().map(|given| self.visit_argument(name, given, &call.args)).collect();
        self.joined -= joins;

        match (name, call.args.as_slice(), kinds.as_slice()) {
            ("==" | "!=" | "<" | "<=" | ">" | ">=", [x, y], [kind_x, kind_y]) => {
                self.check_comparison((x, *kind_x), (y, *kind_y), !matches!(name, "==" | "!="));
                self.note_comparison(x, y);
                ValueKind::Bool
            }

            ("contains", [Expr::Array(items, _), item], [_, kind]) => {
                for other in items.iter() {
                    let other_kind = self.visit_expression(other);
                    self.check_comparison((item, *kind), (other, other_kind), false);
                    self.note_comparison(item, other);
                }
                ValueKind::Bool
            }

            ("!", [x], [kind]) => {
                self.require_bool("!", *kind, expression_start(x));
                ValueKind::Bool
            }

            ("+" | "-" | "*" | "/" | "%", [x, y], [kind_x, kind_y]) => {
                let kind = self.visit_arithmetic(name, (x, *kind_x), (y, *kind_y));
                if kind == ValueKind::Text && self.joined == 0 {
                    self.check_recipient_weights(&Expr::FnCall(Box::new(call.clone()), at));
                }
                kind
            }

            ("-", _, [kind]) => *kind,
            ("|", ..) => {
                let place = self.place_of(at);
                self.findings.push(forbidden_word(place, "|"));
                ValueKind::Any
            }
            _ if call.is_operator_call() => ValueKind::Any,
            _ => {
                if let ("push", [array, ..]) = (name, call.args.as_slice()) {
                    self.check_constant_changed(array);
                }
                if let ("share", [who, ..]) = (name, call.args.as_slice()) {
                    self.check_recipient_text(who);
                }
                if let Some(kind) = self.visit_table_call(call, &kinds, at) {
                    return kind;
                }
                let kind = self.visit_named_call(name, &kinds, at, CallStyle::Plain);

                // What a function makes of the items is not known without the script.
                if !CALLBACK_FUNCTIONS.contains(&name) {
                    self.check_constant_call(call, at);
                }
                kind
            }
        }
    }

    /// An argument of `name(…)`, which is called with `all`.
    fn visit_argument(&mut self, name: &str, given: &Expr, all: &[Expr]) -> ValueKind {
        let Some(function) = callback_name(given) else { return self.visit_expression(given) };

        let is_existing = all.first().is_some_and(|first| self.is_credits(first));
        let items = if is_existing { ValueKind::Credits } else { ValueKind::Any };
        self.visit_callback((name, all.len()), given, &function, items)
    }

    fn is_credits(&self, expr: &Expr) -> bool {
        let Expr::Variable(x, ..) = expr else { return false };
        let named = self.scope.iter().rev().find(|variable| variable.name == x.1.as_str());
        named.is_some_and(|variable| variable.kind == ValueKind::Credits)
    }

    /// A function that is written as one of `count` arguments of `name`, for items of `items`.
    fn visit_callback(
        &mut self,
        (name, count): (&str, usize),
        given: &Expr,
        function: &str,
        items: ValueKind,
    ) -> ValueKind {
        if !CALLBACK_FUNCTIONS.contains(&name) {
            return self.visit_expression(given);
        }
        if self.own_arities(name).contains(&count) {
            self.refuse_own_callback(name, given.start_position());
            return ValueKind::Any;
        }

        if !self.own_arities(function).contains(&1) {
            let message = format!("the function of `{name}` must take 1 argument");
            let help = format!("write it like `{name}(items, |item| …)`");
            self.report_with_help(Code::CR004, given.start_position(), message, Some(help));
        }

        let item = match items {
            ValueKind::Credits => ValueKind::Credit,
            _ => ValueKind::Any,
        };
        self.parameters.note_call(function, &[item]);

        ValueKind::Function
    }

    /// A function given to a function of the script, which is called in place of the language's: in
    /// an intake policy `rows.map(…)` is the entry point.
    fn refuse_own_callback(&mut self, name: &str, at: Position) {
        let is_entry = match self.program.form {
            ProgramForm::Policy(kind) => kind.entry_point() == name,
            ProgramForm::Expression(_) => false,
        };
        let message = format!("`{name}` is a function of this policy here, and takes no function");
        let help = match is_entry {
            true => format!("write `{name}(items, |item| …)`, with the items in the brackets"),
            false => "give the policy's function another name".to_owned(),
        };
        self.report_with_help(Code::CR004, at, message, Some(help));
    }

    /// A method `base.name(…)`.
    pub(super) fn visit_method(
        &mut self,
        base: ValueKind,
        call: &FnCallExpr,
        at: Position,
    ) -> ValueKind {
        let mut kinds = vec![base];
        // The name that `has` asks for may be no column at all, which is what is asked.
        let asks = (base, call.name.as_str()) == (ValueKind::Transaction, "has");
        if !asks || !matches!(call.args.as_slice(), [Expr::StringConstant(..)]) {
            let name = call.name.as_str();
            for given in call.args.iter() {
                let kind = match callback_name(given) {
                    Some(function) => {
                        self.visit_callback((name, call.args.len()), given, &function, base)
                    }
                    None => self.visit_expression(given),
                };
                kinds.push(kind);
            }
        }

        if let (ValueKind::Transaction, "has", [Expr::StringConstant(name, at)]) =
            (base, call.name.as_str(), call.args.as_slice())
        {
            self.reads.names.insert(name.to_string());
            self.reads.of_deals.insert(name.to_string());
            self.check_asked_field(name, *at);
            kinds.push(ValueKind::Text);
        }

        self.visit_named_call(call.name.as_str(), &kinds, at, CallStyle::Method)
    }

    fn visit_named_call(
        &mut self,
        name: &str,
        kinds: &[ValueKind],
        at: Position,
        style: CallStyle,
    ) -> ValueKind {
        if FORBIDDEN_FUNCTIONS.contains(&name) {
            let place = self.place_of(at);
            self.findings.push(forbidden_word(place, name));
            return ValueKind::Any;
        }
        // A function of the script gets the value before the dot as `this`.
        let own = match style {
            CallStyle::Plain => kinds,
            CallStyle::Method => kinds.get(1..).unwrap_or_default(),
        };

        let arities: Vec<usize> = self.own_arities(name);
        if !arities.is_empty() {
            self.used.functions.insert(name.to_owned());
        }

        if arities.contains(&own.len()) {
            // What its calls give decides the kinds of its parameters.
            self.parameters.note_call(name, own);
            return ValueKind::Any;
        }

        if let (CallStyle::Method, true) = (style, TABLE_FUNCTIONS.contains(&name)) {
            return self.refuse_table_method(name, at);
        }
        self.check_dated_call(name, at);

        match (api::find_function(name), arities.is_empty()) {
            (Some(function), _) if function.arities.contains(&kinds.len()) => {
                if !arguments::fits_signature(function, kinds) {
                    let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
                    let message = format!("`{name}` cannot be used with {}", words.join(", "));
                    let help = format!("write {}", function.forms().join(" or "));
                    self.report_with_help(Code::CR004, at, message, Some(help));
                }
                return function.returns();
            }

            (Some(function), true) => {
                let message = format!("`{name}` does not take {}", arguments_in_words(kinds.len()));
                let help = format!("write {}", function.forms().join(" or "));
                self.report_with_help(Code::CR004, at, message, Some(help));
            }

            (_, false) => {
                let taken = arities.first().copied().unwrap_or_default();
                let given = own.len();
                let message = format!("`{name}` takes {}, not {given}", arguments_in_words(taken));
                self.report_error(Code::CR004, at, message);
            }

            (None, true) if self.known.shared.contains(name) => {
                let message = format!("`{name}` is shared by policies, and cannot be called here");
                let help = "write a policy that calls it, and name that: `policy:NAME`";
                self.report_with_help(Code::CR003, at, message, Some(help.to_owned()));
            }

            (None, true) => {
                let names = api::all_functions().map(|function| function.name);
                let own = self.function_names();
                // A function of another language says more about the author's mistake than one
                // spelt alike.
                let near = did_you_mean(name, names.chain(own.iter().map(String::as_str)));
                let help = foreign_syntax::help_for_function(name).map(str::to_owned).or(near);
                self.report_with_help(Code::CR003, at, format!("unknown function `{name}`"), help);
            }
        }

        ValueKind::Any
    }

    /// Two values that are compared, each with its kind; whether by order. What may be nothing
    /// (a field of a credit) can be equal to `()`, a column never is.
    fn check_comparison(
        &mut self,
        (x, kind_x): (&Expr, ValueKind),
        (y, kind_y): (&Expr, ValueKind),
        order: bool,
    ) {
        let one = kind_x == ValueKind::Unit || kind_y == ValueKind::Unit;
        let unit = one && (order || kind_x.is_plain() || kind_y.is_plain());
        let unlike = kind_x.is_unlike(kind_y);
        if !unit && !unlike {
            return;
        }
        // The literal is what the author will change; of two, the right one.
        let literal = |expr: &Expr| expr.is_constant() || matches!(expr, Expr::Unit(_));
        let word = if literal(y) || !literal(x) { y } else { x };
        let at = expression_start(word);

        if unit {
            let help = "ask tx.has(\"…\") for a column, credit.has(\"…\") for a field; \
                        `x ?? 0` is x, or 0 where x is ()";
            let message = "this cannot be compared with ()".to_owned();
            self.report_with_help(Code::CR010, at, message, Some(help.to_owned()));
        } else {
            let (x, y) = (kind_x.word(), kind_y.word());
            self.report_error(Code::CR010, at, format!("cannot compare {x} with {y}"));
        }
    }
}

/// The name of the function that is written here: `|x| …`.
fn callback_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::DynamicConstant(value, _) => function_name(value),
        _ => None,
    }
}

/// How a function is called.
#[derive(Clone, Copy)]
enum CallStyle {
    /// Written as `name(x)`.
    Plain,
    /// Written as `x.name()`.
    Method,
}

pub(super) fn arguments_in_words(count: usize) -> String {
    if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
}
