//! Amounts that are rounded to whole units before accredit rounds them.
//!
//! Not rounding inside a computation, such as whole boxes of twelve. Called by the walk.
//!
//! **Architecture invariant:** only the amount that leaves the program is judged.

use rhai::{Expr, Position};

use super::expressions::start;
use super::walk::{Tail, Walk};
use crate::fault;
use accredit_domain::diagnostic::Code;
use accredit_domain::policy::Returns;

/// Functions that take the decimals away.
const WHOLE: [&str; 3] = ["round", "floor", "ceiling"];

impl Walk<'_> {
    /// Warns when the result is `round(…)` without digits.
    pub(super) fn rounded(&mut self, tail: Tail, expr: &Expr) {
        let amount = matches!(self.program.form.returns(), Returns::Number | Returns::Rolled);
        if amount && self.is_result && matches!(tail, Tail::Result) && !self.known.whole_units {
            match expr {
                Expr::Map(entries, _) => {
                    let amounts = entries.0.iter().filter(|(key, _)| key.name == "amount");
                    amounts.for_each(|(_, value)| self.whole(value, start(value)));
                }
                expr => self.whole(expr, start(expr)),
            }
        }
    }

    fn whole(&mut self, expr: &Expr, at: Position) {
        let whole = match expr {
            Expr::FnCall(call, _) => WHOLE.contains(&&*call.name) && call.args.len() == 1,
            Expr::Dot(..) => {
                let (_, links) = fault::chain(expr);
                let last = links.last().map(|link| link.expr);
                matches!(last, Some(Expr::MethodCall(call, _))
                    if WHOLE.contains(&&*call.name) && call.args.is_empty())
            }
            _ => false,
        };

        if whole {
            let message = "the amount is rounded to whole units".to_owned();
            let help = "leave rounding to accredit, which knows the unit's decimals, or write \
                        `round(x, 2)`; `round(x, 0)` says that whole units are meant";
            self.warning(Code::CR015, at, message, Some(help.to_owned()));
        }
    }
}
