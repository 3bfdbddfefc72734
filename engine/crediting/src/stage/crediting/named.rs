//! Who is named: the texts from which a rule takes its recipients, before the names are resolved.
//!
//! Not the grammar of such a text (`stage::names`), and not territories, which contain no names.
//! Called by `crediting`. Source: FORMAT section 3 (`assign`), seeds 001 and 004.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::STAGE;
use crate::stage::{DealCase, ParkReason, ScriptContext, StepEffect, names};
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::plan::{Assign, DirectRule};
use accredit_domain::policy::ProgramId;
use accredit_domain::transaction::{Field, NameColumns, Transaction, Value};
use accredit_script::{ScriptAnswer, Share};

/// Who is named by one word of `assign`; none if there is no name, which is recorded.
///
/// # Errors
/// [`ParkReason`] when the text or the policy's answer cannot be understood.
pub(super) fn named_shares(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
    assign: &Assign,
) -> Result<Option<Vec<Share>>, ParkReason> {
    let name = rule.rule.name;
    let transaction = &case.tx;

    let (text, from): (Arc<str>, String) = match assign {
        Assign::Owner => {
            (transaction.joined_names(NameColumns::Owner).into(), "the owner".to_owned())
        }

        Assign::Team | Assign::Territory(_) => {
            (transaction.joined_names(NameColumns::Team).into(), "the team".to_owned())
        }

        Assign::Columns(columns) => {
            (joined_texts(transaction, columns)?.into(), format!("`{}`", columns.join("`, `")))
        }

        Assign::Preassigned => {
            let value = transaction.field_value(Field::Preassigned);
            (value.map(text_of).unwrap_or_default().into(), "the preassigned text".to_owned())
        }

        Assign::Policy(program) => {
            let answer = case.run_program(*program, ScriptContext::default());
            match answer.map_err(|fault| ParkReason::from_fault(STAGE, fault))? {
                ScriptAnswer::Text(text) => (text, "the policy's text".to_owned()),
                ScriptAnswer::Shares(shares) if !shares.is_empty() => {
                    let text = || -> Vec<&str> { shares.iter().map(|it| &*it.who).collect() };
                    case.trace_effect(STAGE, || {
                        let message =
                            format!("rule `{name}`: the policy names `{}`", text().join(";"));
                        (StepEffect::NameSource, message)
                    });
                    // Validated after the trace, so that an explanation shows what the policy said.
                    let shares = check_weights(case, *program, shares)?;
                    return split_names(case, *program, shares).map(Some);
                }
                _ => {
                    reason_nobody_named(case, &name, *program);
                    return Ok(None);
                }
            }
        }
    };

    let shares = names::parse_shares(&text).map_err(|message| {
        // A text that a policy gave is the policy's mistake, and names its line.
        if let Assign::Policy(program) = assign {
            return ParkReason::from_fault(STAGE, case.fault_of(*program, message));
        }
        ParkReason::new(STAGE, NoteCode::BadValue, message)
    })?;

    case.trace_effect(STAGE, || {
        (StepEffect::NameSource, format!("rule `{name}`: {from} is `{text}`"))
    });

    if shares.is_empty() {
        // A blank cell has no name, which is an error only if the rule requires one.
        let message = format!("rule `{name}`: {from} is blank");
        if rule.required {
            case.add_reason(STAGE, NoteCode::Unmatched, message.clone());
            case.warn(STAGE, NoteCode::Unmatched, message);
        } else {
            case.add_reason(STAGE, NoteCode::Nobody, message);
        }
        return Ok(None);
    }

    Ok(Some(shares))
}

/// The texts of several columns, joined in order, as several owner columns are (FORMAT section 1).
fn joined_texts(transaction: &Transaction, columns: &[String]) -> Result<String, ParkReason> {
    let mut texts = Vec::with_capacity(columns.len());
    for column in columns {
        match transaction.get(column) {
            Value::Bad(cell) => {
                let message = format!("`{column}` holds `{cell}`, which is not a text");
                return Err(ParkReason::new(STAGE, NoteCode::BadValue, message));
            }
            value => texts.push(text_of(value)),
        }
    }
    Ok(texts.join(";"))
}

/// Records that a crediting policy returned no recipient; with its line where a person asked why.
fn reason_nobody_named(case: &mut DealCase<'_>, rule: &str, program: ProgramId) {
    let message = format!("rule `{rule}`: the policy credits nobody");
    case.trace_refusal(STAGE, (program, ScriptContext::default()), |refusal| {
        (StepEffect::Rejected("nobody".to_owned()), format!("{message}: {}", refusal.site_text()))
    });

    let refusal = case.trace.as_ref().and_then(|steps| steps.last()?.refusal.as_ref());
    let line = refusal.and_then(|refusal| refusal.line);
    let note = case.build_note(STAGE, NoteCode::Nobody, message);

    let program = case.ruleset.programs.get(program);
    let note = match program {
        Some(program) => Note {
            policy: Some(program.name.to_string()),
            file: Some(program.origin.place.file.clone()),
            line,
            ..note
        },
        None => note,
    };

    case.reasons.push(note);
}

fn check_weights(
    case: &DealCase<'_>,
    program: ProgramId,
    shares: Vec<Share>,
) -> Result<Vec<Share>, ParkReason> {
    let negative = |share: &&Share| share.weight.is_some_and(|w| !names::valid_weight(&w));
    match shares.iter().find(negative) {
        Some(share) => {
            let message = format!("the weight of `{}` is below 0", share.who);
            Err(ParkReason::from_fault(STAGE, case.fault_of(program, message)))
        }
        None => Ok(shares),
    }
}

/// The same shares, one a name: a text that names several has one grammar wherever it stands, and
/// `share(tx.default_credit, 1)` meets deals with two owners. Names without weights have equal
/// parts of the share's weight, the first one with what division leaves; weights of names are parts
/// of it.
fn split_names(
    case: &DealCase<'_>,
    program: ProgramId,
    shares: Vec<Share>,
) -> Result<Vec<Share>, ParkReason> {
    let mut all = Vec::with_capacity(shares.len());
    for share in shares {
        // Most shares name one recipient, who has all of it.
        if names::is_one_name(&share.who) {
            all.push(share);
            continue;
        }

        let failed = |message| ParkReason::from_fault(STAGE, case.fault_of(program, message));
        let mut named = names::parse_shares(&share.who).map_err(failed)?;

        let weighted = named.iter().filter(|name| name.weight.is_some()).count();
        let count = Decimal::from(named.len());
        let part = share.weight.and_then(|weight| weight.checked_div(count));
        // The first name takes what is left, so that the parts sum to the weight exactly.
        let others = part.and_then(|part| part.checked_mul(count.saturating_sub(Decimal::ONE)));
        let first = share.weight.zip(others).and_then(|(weight, rest)| weight.checked_sub(rest));

        match (named.len(), share.weight) {
            // A blank name has no recipient, which is recorded where names are resolved.
            (0, _) => all.push(share),

            (_, Some(weight)) if weighted == named.len() => {
                for name in &mut named {
                    let own = name.weight.unwrap_or_default().checked_mul(weight);
                    name.weight = Some(own.ok_or_else(|| failed(TOO_LARGE.to_owned()))?);
                }
                all.extend(named);
            }

            (_, Some(_)) if weighted == 0 => {
                let parts = std::iter::once(first).chain(std::iter::repeat(part));
                all.extend(
                    named.into_iter().zip(parts).map(|(name, weight)| Share { weight, ..name }),
                );
            }

            (_, Some(_)) => {
                let message =
                    format!("some names of `{}` have a weight and some have none", share.who);
                return Err(ParkReason::new(STAGE, NoteCode::MixedWeights, message));
            }
            (_, None) => all.extend(named),
        }
    }

    Ok(all)
}

/// A weight of a weight that no decimal holds.
const TOO_LARGE: &str = "a weight is too large";

fn text_of(value: Value) -> String {
    match value {
        Value::Text(text) | Value::Bad(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Blank => String::new(),
    }
}
