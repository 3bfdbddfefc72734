//! Names after a dot or in brackets: columns and mapped fields of `tx`, fields of `credit` and
//! `to`.
//!
//! Not keys of maps, which only a run knows. Called by the walk.
//!
//! **Architecture invariant:** what is a field here is one at run time: both read the lists of
//! `api`.

use rhai::Position;

use super::foreign_syntax;
use super::walk::ProgramWalk;
use crate::api::lookups::PERSON_FIELDS;
use crate::api::{
    COUNT, CREDIT_FIELDS, CREDITED, PAYEE_FIELDS, RECEIVER_FIELDS, STANDING_FIELDS,
    TRANSACTION_FIELDS,
};
use crate::kind::ValueKind;
use accredit_domain::diagnostic::{Code, did_you_mean, is_typo};
use accredit_domain::transaction::Field;

impl ProgramWalk<'_> {
    /// A field `base.name`.
    pub(super) fn visit_property(
        &mut self,
        base: ValueKind,
        name: &str,
        at: Position,
    ) -> ValueKind {
        match base {
            ValueKind::Transaction => self.visit_transaction_field(name, at),
            ValueKind::Credit => self.visit_listed_field("credit", CREDIT_FIELDS, name, at),
            ValueKind::Receiver => self.visit_listed_field("to", RECEIVER_FIELDS, name, at),
            ValueKind::Candidate => {
                match (self.visit_listed_field("to", RECEIVER_FIELDS, name, at), name) {
                    (_, "level") => ValueKind::Number,
                    (_, "relationship" | "via") => ValueKind::Text,
                    (kind, _) => kind,
                }
            }
            ValueKind::Payee => self.visit_listed_field("payee", PAYEE_FIELDS, name, at),
            ValueKind::MaybePerson => self.visit_listed_field("who", PERSON_FIELDS, name, at),
            ValueKind::Totals => self.visit_credit_total(name, at),
            // Which rewards come before is known to the plan alone.
            ValueKind::Earned => ValueKind::Number,
            ValueKind::Standing => {
                self.visit_listed_field("standing", STANDING_FIELDS, name, at);
                ValueKind::Number
            }
            ValueKind::Date if matches!(name, "year" | "month" | "day") => ValueKind::Number,
            ValueKind::Text | ValueKind::Number | ValueKind::Bool | ValueKind::Date => {
                let general = "fields follow `tx`, `credit` or `to`; a function call has brackets";
                let help =
                    Some(foreign_syntax::help_for_function(name).unwrap_or(general).to_owned());
                let message = format!("{} has no field `{name}`", base.word());
                self.report_with_help(Code::CR002, at, message, help);
                ValueKind::Any
            }
            _ => ValueKind::Any,
        }
    }

    /// What was credited of one type: `totals.booking` or `totals["booking"]`.
    fn visit_credit_total(&mut self, name: &str, at: Position) -> ValueKind {
        let known = &self.known.credit_types;
        if ![CREDITED, COUNT].contains(&name) && !known.is_empty() && !known.contains(name) {
            let names = known.iter().map(String::as_str).chain([CREDITED, COUNT]);
            let help = did_you_mean(name, names);
            self.report_with_help(
                Code::CR002,
                at,
                format!("there is no credit type `{name}`"),
                help,
            );
        }
        ValueKind::Number
    }

    fn visit_transaction_field(&mut self, name: &str, at: Position) -> ValueKind {
        match TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name) {
            Some((_, None)) => ValueKind::Text,
            Some((_, Some(field))) => self.visit_mapped_field(*field, name, at),
            None => self.visit_column(name, at),
        }
    }

    fn visit_mapped_field(&mut self, field: Field, name: &str, at: Position) -> ValueKind {
        if let Some(column) = self.known.fields.mapped.get(&field) {
            return ValueKind::of_column(self.known.fields.column_type(column));
        }
        let message = format!("`tx.{name}` is not mapped in [fields]");
        let help = match self.is_column(name) {
            true => format!("write tx[\"{name}\"] for the column"),
            false => format!("add `{name} = \"COLUMN\"` to [fields] in accredit.toml"),
        };
        self.report_with_help(Code::CR002, at, message, Some(help));
        ValueKind::Any
    }

    /// `tx["name"]`, and `tx.name` that is no mapped field.
    pub(super) fn visit_column(&mut self, name: &str, at: Position) -> ValueKind {
        if self.is_column(name) {
            return ValueKind::of_column(self.known.fields.column_type(name));
        }

        let field = TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name);
        let mapped = |field: &Field| self.known.fields.mapped.contains_key(field);

        // A field without a column is not unknown: it waits for its line in [fields].
        let help = if let Some((_, Some(field))) = field
            && !mapped(field)
        {
            Some(format!(
                "map `{name}` first: `{name} = \"COLUMN\"` in [fields]; then write tx.{name}"
            ))
        } else if field.is_some() {
            Some(format!("write tx.{name} for the mapped field"))
        } else {
            let fields = TRANSACTION_FIELDS.iter().map(|(known, _)| *known);
            did_you_mean(name, self.column_names().chain(fields))
        };

        self.report_with_help(Code::CR002, at, format!("unknown field `{name}`"), help);
        ValueKind::Any
    }

    /// `tx.has("name")`: asking for what can never be is only suspicious.
    pub(super) fn check_asked_field(&mut self, name: &str, at: Position) {
        let is_field = TRANSACTION_FIELDS.iter().any(|(known, _)| *known == name);
        if !is_field && !self.is_column(name) {
            let help = did_you_mean(name, self.column_names());
            self.report_warning(Code::CR002, at, format!("unknown field `{name}`"), help);
        }
    }

    fn is_column(&self, name: &str) -> bool {
        let fields = TRANSACTION_FIELDS.iter().map(|(known, _)| *known);
        self.column_names().any(|column| column == name)
            || (self.known.open
                && !self.column_names().chain(fields).any(|known| is_typo(name, known)))
    }

    fn column_names(&self) -> impl Iterator<Item = &str> {
        self.known.fields.named_columns().chain(self.known.columns.iter().map(String::as_str))
    }

    fn visit_listed_field(
        &mut self,
        owner: &str,
        names: &[&str],
        name: &str,
        at: Position,
    ) -> ValueKind {
        if !names.contains(&name) {
            let attribute = self.known.attributes.contains_key(name);
            let help = match attribute {
                true => Some(format!("write [\"{name}\"] for the attribute")),
                false => did_you_mean(name, names.iter().copied()),
            };
            self.report_with_help(Code::CR002, at, format!("{owner} has no field `{name}`"), help);
            return ValueKind::Any;
        }

        match name {
            "amount" => ValueKind::Number,
            "unit_type" | "credit_type" | "kind" | "rule" | "result" | "period" | "id" | "name" => {
                ValueKind::Text
            }
            "level" | "weight" => ValueKind::MaybeNumber,
            "teams" => ValueKind::Array,
            "position" | "title" | "payee" | "manager" | "team" | "relationship" | "via" => {
                ValueKind::MaybeText
            }
            _ => ValueKind::Any,
        }
    }
}
