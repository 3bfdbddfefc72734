//! Amounts that are rounded to whole units before accredit rounds them.
//!
//! Not rounding inside a computation, such as whole boxes of twelve. Called by the walk.
//!
//! **Architecture invariant:** only the amount that leaves the program is judged.

use rhai::{Expr, Position};

use super::expressions::expression_start;
use super::walk::{ProgramWalk, Tail};
use crate::fault;
use accredit_domain::diagnostic::Code;
use accredit_domain::policy::ReturnType;

/// Functions that take the decimals away.
const WHOLE_ROUNDING_FUNCTIONS: [&str; 3] = ["round", "floor", "ceiling"];

impl ProgramWalk<'_> {
    /// Warns when the result is `round(…)` without digits.
    pub(super) fn check_rounded_result(&mut self, tail: Tail, expr: &Expr) {
        let amount =
            matches!(self.program.form.return_type(), ReturnType::Number | ReturnType::Rolled);
        if amount && self.is_result && matches!(tail, Tail::Result) && !self.known.whole_units {
            match expr {
                Expr::Map(entries, _) => {
                    let amounts = entries.0.iter().filter(|(key, _)| key.name == "amount");
                    amounts.for_each(|(_, value)| {
                        self.check_whole_rounding(value, expression_start(value))
                    });
                }
                expr => self.check_whole_rounding(expr, expression_start(expr)),
            }
        }
    }

    fn check_whole_rounding(&mut self, expr: &Expr, at: Position) {
        let whole = match expr {
            Expr::FnCall(call, _) => {
                WHOLE_ROUNDING_FUNCTIONS.contains(&&*call.name) && call.args.len() == 1
            }
            Expr::Dot(..) => {
                let (_, links) = fault::chain_links(expr);
                let last = links.last().map(|link| link.expr);
                matches!(last, Some(Expr::MethodCall(call, _))
                    if WHOLE_ROUNDING_FUNCTIONS.contains(&&*call.name) && call.args.is_empty())
            }
            _ => false,
        };

        if whole {
            let message = "the amount is rounded to whole units".to_owned();
            let help = "leave rounding to accredit, which knows the unit's decimals, or write \
                        `round(x, 2)`; `round(x, 0)` says that whole units are meant";
            self.report_warning(Code::CR015, at, message, Some(help.to_owned()));
        }
    }
}
