//! Weights that are written out and do not sum to one.
//!
//! Not weights that are computed, which only a run knows. Called by the walk for programs that
//! answer with recipients. Source: FORMAT section 1 (the grammar of recipients), DOMAIN 2.8.
//!
//! **Architecture invariant:** one recipient may get the whole deal and others a part on top of it,
//! unless a plan requires a total of one.

use rhai::{Expr, Position};
use rust_decimal::Decimal;

use super::expressions::expression_start;
use super::walk::ProgramWalk;
use crate::machine::adapter::literal_number;
use accredit_domain::diagnostic::Code;
use accredit_domain::policy::ReturnType;
use accredit_domain::transaction::parse_number;

impl ProgramWalk<'_> {
    /// A list of shares: `[share(a, 0.4), share(b, 0.6)]`.
    pub(super) fn check_share_weights(&mut self, items: &[Expr], at: Position) {
        let weights: Option<Vec<Decimal>> =
            items.iter().map(|item| self.share_weight(item)).collect();
        self.check_weight_total(weights.unwrap_or_default(), at);
    }

    /// A text of recipients, `"Ann[0.4];Bob[0.6]"`, written out or joined.
    pub(super) fn check_recipient_weights(&mut self, expr: &Expr) {
        if self.joined == 0 {
            self.check_text_weights(&joined_text(expr), expression_start(expr));
        }
    }

    fn check_text_weights(&mut self, text: &str, at: Position) {
        let parts = text.split(';').flat_map(|part| part.split("||")).map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        let weights: Option<Vec<Decimal>> = parts
            .map(|part| parse_number(part.strip_suffix(']')?.rsplit_once('[')?.1.trim()))
            .collect();
        self.check_weight_total(weights.unwrap_or_default(), at);
    }

    /// The weight of a share, where it is written out or a constant of the script.
    fn share_weight(&self, item: &Expr) -> Option<Decimal> {
        let Expr::FnCall(call, _) = item else { return None };
        match call.args.as_slice() {
            [_, weight] if call.name == "share" => {
                literal_number(self.constant_value(weight).unwrap_or(weight))
            }
            _ => None,
        }
    }

    fn check_weight_total(&mut self, weights: Vec<Decimal>, at: Position) {
        let mut sum = Some(Decimal::ZERO);
        for weight in &weights {
            sum = sum.and_then(|sum| sum.checked_add(*weight));
        }

        let Some(sum) = sum.filter(|sum| *sum != Decimal::ONE) else { return };

        // Overlays are paid this way: one recipient gets the whole deal, and others a part on top.
        let on_top = sum > Decimal::ONE && weights.contains(&Decimal::ONE);
        let asked = self.program.form.return_type() == ReturnType::Recipients;
        if !asked || weights.is_empty() || (on_top && !self.known.total_one) {
            return;
        }

        let message = format!("the weights sum to {}, not to 1", sum.normalize());
        let help = if sum == Decimal::ONE_HUNDRED {
            "a weight is a part of the deal: write 0.6 for 60 percent"
        } else if self.known.total_one {
            "a plan that uses this policy has `require_total_one`, and would park every deal"
        } else {
            "write weights that sum to 1, or give one of them the whole deal and the rest on top"
        };

        self.report_warning(Code::CR014, at, message, Some(help.to_owned()));
    }
}

/// A joined text with a sign for each part that only a run knows.
fn joined_text(expr: &Expr) -> String {
    match expr {
        Expr::StringConstant(text, _) => text.to_string(),
        Expr::InterpolatedString(parts, _) => parts.iter().map(joined_text).collect(),
        Expr::FnCall(call, _) if call.name == "+" => call.args.iter().map(joined_text).collect(),
        _ => "?".to_owned(),
    }
}
