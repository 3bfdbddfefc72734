//! A simple expression as a phrase of English: `tx.amount > 100` is "the amount is more than 100".
//!
//! Not a translation of policies: what is not simple has no phrase, and its text is shown instead.
//! Called by the pages that describe a plan to its payees.
//!
//! **Architecture invariant:** a phrase is made from the syntax tree and means what the expression
//! means; anything that is not known here gives no phrase at all.

use rhai::{Expr, FnCallExpr, Stmt};

use super::parse_program;
use crate::fault;
use crate::machine::adapter::literal_number;
use accredit_domain::policy::{Program, ProgramForm};

/// What an expression says, in words with columns in backticks; none for policies and for
/// expressions that are not simple.
pub fn program_in_words(program: &Program) -> Option<String> {
    if !matches!(program.form, ProgramForm::Expression(_)) {
        return None;
    }
    let ast = parse_program(program).ok()?;
    let [statement] = ast.statements() else { return None };
    match statement {
        Stmt::Expr(expr) => whole_phrase(expr),
        Stmt::FnCall(call, _) => call_phrase(call),
        _ => None,
    }
}

/// How loosely the parts of a phrase hold together: a looser part inside a tighter one is in
/// brackets.
fn is_joined(expr: &Expr) -> bool {
    matches!(expr, Expr::And(..) | Expr::Or(..))
        || matches!(expr, Expr::FnCall(call, _) if arithmetic_sign(&call.name).is_some())
}

fn whole_phrase(expr: &Expr) -> Option<String> {
    match expr {
        Expr::And(items, _) => joined_phrases(items, " and "),
        Expr::Or(items, _) => joined_phrases(items, " or "),
        // A column alone is a condition by itself.
        Expr::Dot(..) | Expr::Index(..) => subject_phrase(expr),
        Expr::Coalesce(items, _) => coalesced_phrase(items),
        Expr::FnCall(call, _) => call_phrase(call),
        Expr::StringConstant(text, _) => Some(format!("\"{text}\"")),
        Expr::BoolConstant(true, _) => Some("always".to_owned()),
        Expr::BoolConstant(false, _) => Some("never".to_owned()),
        Expr::Variable(name, ..) => variable_phrase(&name.1),
        _ => literal_number(expr).map(|number| number.normalize().to_string()),
    }
}

/// A part of another phrase.
fn part_phrase(expr: &Expr) -> Option<String> {
    let phrase = whole_phrase(expr)?;
    Some(if is_joined(expr) { format!("({phrase})") } else { phrase })
}

fn joined_phrases(items: &[Expr], word: &str) -> Option<String> {
    let parts: Option<Vec<String>> = items.iter().map(part_phrase).collect();
    Some(parts?.join(word))
}

/// A value with what counts where it is missing.
fn coalesced_phrase(items: &[Expr]) -> Option<String> {
    let [value, other] = items else { return None };
    Some(format!("{} ({} where it is missing)", part_phrase(value)?, part_phrase(other)?))
}

fn variable_phrase(name: &str) -> Option<String> {
    match name {
        "quota" => Some("the quota".to_owned()),
        _ => None,
    }
}

fn arithmetic_sign(name: &str) -> Option<&'static str> {
    match name {
        "*" => Some(" × "),
        "+" => Some(" + "),
        "-" => Some(" − "),
        "/" => Some(" ÷ "),
        _ => None,
    }
}

/// Whether an expression is certainly a day.
fn is_day(expr: &Expr) -> bool {
    matches!(expr, Expr::FnCall(call, _) if call.name == "date")
}

fn comparison_words(sign: &str, of_days: bool) -> Option<&'static str> {
    match (sign, of_days) {
        ("==", _) => Some("is"),
        ("!=", _) => Some("is not"),
        (">", false) => Some("is more than"),
        (">=", false) => Some("is at least"),
        ("<", false) => Some("is less than"),
        ("<=", false) => Some("is at most"),
        (">", true) => Some("is after"),
        (">=", true) => Some("is on or after"),
        ("<", true) => Some("is before"),
        ("<=", true) => Some("is on or before"),
        _ => None,
    }
}

fn call_phrase(call: &FnCallExpr) -> Option<String> {
    let name = call.name.as_str();
    match (name, call.args.as_slice()) {
        ("!", [Expr::FnCall(inner, _)]) => test_phrase(inner, None, true),
        ("!", [chain @ (Expr::Dot(..) | Expr::Index(..))]) => negated_chain(chain),
        ("-", [number]) => Some(format!("−{}", part_phrase(number)?)),
        ("date", [Expr::StringConstant(day, _)]) => Some(day.to_string()),
        ("number", [value]) => part_phrase(value),
        ("min", [a, b]) => {
            Some(format!("the smaller of {} and {}", part_phrase(a)?, part_phrase(b)?))
        }
        ("max", [a, b]) => {
            Some(format!("the larger of {} and {}", part_phrase(a)?, part_phrase(b)?))
        }
        ("lookup" | "find", [Expr::StringConstant(table, _), keys @ ..]) => {
            lookup_phrase(table, keys)
        }

        (_, [a, b]) if arithmetic_sign(name).is_some() => {
            let sign = arithmetic_sign(name)?;
            Some(format!("{}{sign}{}", part_phrase(a)?, part_phrase(b)?))
        }

        (_, [a, b]) if comparison_words(name, false).is_some() => {
            if let (Expr::Unit(_), Some(words)) = (b, unit_words(name)) {
                return Some(format!("{} {words}", part_phrase(a)?));
            }
            let words = comparison_words(name, is_day(a) || is_day(b))?;
            Some(format!("{} {words} {}", part_phrase(a)?, part_phrase(b)?))
        }

        _ => test_phrase(call, None, false),
    }
}

fn unit_words(sign: &str) -> Option<&'static str> {
    match sign {
        "==" => Some("is missing"),
        "!=" => Some("is there"),
        _ => None,
    }
}

fn lookup_phrase(table: &str, keys: &[Expr]) -> Option<String> {
    let keys: Option<Vec<String>> = keys.iter().map(part_phrase).collect();
    let keys = keys?;
    Some(match keys.is_empty() {
        true => format!("the value of the table `{table}`"),
        false => format!("the value of the table `{table}` for {}", keys.join(", ")),
    })
}

/// A function that asks something about a value: of its first argument, or of the value before
/// the dot.
fn test_phrase(call: &FnCallExpr, before: Option<&str>, negated: bool) -> Option<String> {
    let not = if negated { " not" } else { "" };
    let mut given = call.args.iter();
    // `x in [a, b]` is the call `contains([a, b], x)`.
    if let ("contains", None, [Expr::Array(items, _), value]) =
        (call.name.as_str(), before, call.args.as_slice())
    {
        let items: Option<Vec<String>> = items.iter().map(part_phrase).collect();
        return Some(format!("{} is{not} one of {}", part_phrase(value)?, items?.join(", ")));
    }

    let subject = match before {
        Some(subject) => subject.to_owned(),
        None => part_phrase(given.next()?)?,
    };

    let rest: Vec<&Expr> = given.collect();
    let verb = |word: &str| if negated { format!("does not {word}") } else { format!("{word}s") };
    match (call.name.as_str(), rest.as_slice()) {
        ("is_empty", []) => Some(format!("{subject} is{not} blank")),
        ("contains", [part]) => {
            Some(format!("{subject} {} {}", verb("contain"), part_phrase(part)?))
        }
        ("starts_with", [part]) => {
            Some(format!("{subject} {} with {}", verb("start"), part_phrase(part)?))
        }
        ("ends_with", [part]) => {
            Some(format!("{subject} {} with {}", verb("end"), part_phrase(part)?))
        }
        _ => None,
    }
}

/// A chain behind `!`: a test that is not passed, or a flag that is not set.
fn negated_chain(chain: &Expr) -> Option<String> {
    chain_phrase(chain, true).or_else(|| Some(format!("not {}", subject_phrase(chain)?)))
}

fn subject_phrase(chain: &Expr) -> Option<String> {
    chain_phrase(chain, false)
}

/// What a chain such as `tx["Rep #1"]`, `credit.amount` or `tx.has("X")` means.
fn chain_phrase(chain: &Expr, negated: bool) -> Option<String> {
    let (root, links) = fault::chain_links(chain);
    let Expr::Variable(root, ..) = root else { return None };
    let root = root.1.as_str();

    let (first, rest) = links.split_first()?;
    if let Expr::MethodCall(call, _) = first.expr
        && let ("has", [Expr::StringConstant(name, _)], []) =
            (call.name.as_str(), call.args.as_slice(), rest)
    {
        let is = if negated { "is not given" } else { "is given" };
        return Some(format!("{} {is}", field_phrase(root, name, true)?));
    }

    let subject = match first.expr {
        Expr::Property(name, _) => field_phrase(root, &name.2, first.indexed)?,
        Expr::StringConstant(name, _) => field_phrase(root, name, true)?,
        _ => return None,
    };

    match rest {
        [] if !negated => Some(subject),
        [last] => match last.expr {
            Expr::MethodCall(call, _) => test_phrase(call, Some(&subject), negated),
            Expr::Property(part, _) if !negated && matches!(&*part.2, "year" | "month" | "day") => {
                Some(format!("the {} of {subject}", part.2))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A field of a deal, a credit, a receiver, a payee or of totals.
fn field_phrase(root: &str, name: &str, indexed: bool) -> Option<String> {
    let plain = name.replace('_', " ");
    Some(match (root, name, indexed) {
        ("tx", _, true) => format!("`{name}`"),
        ("tx", "default_credit", _) => "the owner of the deal".to_owned(),
        ("tx", "id" | "date" | "period" | "amount" | "quantity" | "product" | "customer", _) => {
            format!("the deal's {plain}")
        }
        ("tx", "geography" | "postal_code" | "currency", _) => format!("the deal's {plain}"),
        ("tx", ..) => format!("`{name}`"),
        ("credit", ..) => format!("the credit's {plain}"),
        ("to", ..) => format!("the receiver's {plain}"),
        ("payee", ..) => format!("the payee's {plain}"),
        ("totals", "credited", _) => "the sum of the credits".to_owned(),
        ("totals", "count", _) => "the number of deals".to_owned(),
        ("totals", ..) => format!("the sum of the {name} credits"),
        ("earned", "total", false) => "what earlier rewards of the period came to".to_owned(),
        ("earned", ..) => format!("what \"{name}\" came to in the period"),
        ("paid", "total", false) => "what earlier periods of the year paid".to_owned(),
        ("paid", ..) => format!("what \"{name}\" paid in earlier periods of the year"),
        ("standing", "rank", _) => "the payee's rank".to_owned(),
        ("standing", "of", _) => "the number of people who are ranked".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use accredit_domain::diagnostic::{Place, TextOrigin};
    use accredit_domain::policy::ExpressionUse;

    fn phrase(text: &str) -> Option<String> {
        program_in_words(&Program {
            form: ProgramForm::Expression(ExpressionUse::Condition),
            source: Arc::from(text),
            name: Arc::from(""),
            origin: TextOrigin::from(Place::whole_file("plans/p.toml")),
            constants: Vec::new(),
        })
    }

    #[test]
    fn simple_expressions_are_phrases_and_others_are_none() {
        let check = |text: &str, expected: &str| {
            assert_eq!(phrase(text).as_deref(), Some(expected), "{text}");
        };
        check(r#"tx.product == "Pumps""#, r#"the deal's product is "Pumps""#);
        check(
            r#"tx["Seats"] >= 5 && !tx["Rep #1"].is_empty()"#,
            "`Seats` is at least 5 and `Rep #1` is not blank",
        );
        check(
            r#"(tx.amount > 1 || tx.amount < -1) && tx.has("A")"#,
            "(the deal's amount is more than 1 or the deal's amount is less than -1) and `A` is given",
        );
        check(r#"tx["S"] in ["Won", "Kept"]"#, r#"`S` is one of "Won", "Kept""#);
        check(r#"tx.date >= date("2026-02-01")"#, "the deal's date is on or after 2026-02-01");
        check("tx.amount * 0.2", "the deal's amount × 0.2");
        check("(tx.amount - 5) * 2", "(the deal's amount − 5) × 2");
        check(
            r#"totals.credited * lookup("rates", payee["level"])"#,
            "the sum of the credits × the value of the table `rates` for the payee's level",
        );
        check(r#"payee["draw"] ?? 0"#, "the payee's draw (0 where it is missing)");
        check("credit.level == 1", "the credit's level is 1");
        check("1000", "1000");

        for text in
            ["if tx.amount > 1 { true } else { false }", "let x = 1; x > 0", "round(tx.amount) > 1"]
        {
            assert_eq!(phrase(text), None, "{text}");
        }
    }
}
