//! Who is named: the texts that a rule takes its recipients from, before anybody asks who that is.
//!
//! Not the grammar of such a text (`stage::names`), and not territories, which name nobody. Called
//! by `crediting`. Source: FORMAT section 3 (`assign`), seeds 001 and 004.

use super::STAGE;
use crate::plan::{Assign, DirectRule};
use crate::script::{Answer, Share};
use crate::stage::{Case, Park, Says, Seen, names};
use crate::transaction::{Field, Names, Value};

/// Who is named by one word of `assign`; none when nobody is, which is said.
///
/// # Errors
/// [`Park`] when the text or the policy's answer cannot be understood.
pub(super) fn named(
    case: &mut Case<'_>,
    rule: &DirectRule,
    assign: &Assign,
) -> Result<Option<Vec<Share>>, Park> {
    let name = rule.rule.name.clone();
    let transaction = &case.tx.transaction;
    let (text, from) = match assign {
        Assign::Owner => (transaction.names(Names::Owner), "the owner".to_owned()),
        Assign::Team | Assign::Territory(_) => {
            (transaction.names(Names::Team), "the team".to_owned())
        }
        Assign::Column(column) => (text_of(transaction.get(column)), format!("`{column}`")),
        Assign::Preassigned => {
            let value = transaction.field(Field::Preassigned);
            (value.map(text_of).unwrap_or_default(), "the preassigned text".to_owned())
        }
        Assign::Policy(program) => {
            let answer = case.run(*program, Seen::default());
            match answer.map_err(|fault| Park::fault(STAGE, fault))? {
                Answer::Text(text) => (text, "the policy's text".to_owned()),
                Answer::Shares(shares) if !shares.is_empty() => {
                    let text =
                        || -> Vec<&str> { shares.iter().map(|it| it.who.as_str()).collect() };
                    case.tell(STAGE, || {
                        let message =
                            format!("rule `{name}`: the policy names `{}`", text().join(";"));
                        (Says::Names, message)
                    });
                    return valid(shares).map(Some);
                }
                _ => {
                    let message = format!("rule `{name}`: the policy credits nobody");
                    case.reason(STAGE, "nobody", message);
                    return Ok(None);
                }
            }
        }
    };
    let shares = names::parse(&text).map_err(|message| {
        let policy = matches!(assign, Assign::Policy(_));
        Park::new(STAGE, if policy { "policy_error" } else { "bad_value" }, message)
    })?;
    case.tell(STAGE, || (Says::Names, format!("rule `{name}`: {from} is `{text}`")));
    if shares.is_empty() {
        let message = format!("rule `{name}`: {from} is blank");
        case.reason(STAGE, "unmatched", message.clone());
        case.warn(STAGE, "unmatched", message);
        return Ok(None);
    }
    Ok(Some(shares))
}

fn valid(shares: Vec<Share>) -> Result<Vec<Share>, Park> {
    let negative = |share: &&Share| share.weight.is_some_and(|w| !names::valid_weight(&w));
    match shares.iter().find(negative) {
        Some(share) => {
            let message = format!("the weight of `{}` is below 0", share.who);
            Err(Park::new(STAGE, "policy_error", message))
        }
        None => Ok(shares),
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::Text(text) | Value::Bad(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Blank => String::new(),
    }
}
