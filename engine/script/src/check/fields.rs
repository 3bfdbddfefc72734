//! Names after a dot or in brackets: columns and mapped fields of `tx`, fields of `credit` and
//! `to`.
//!
//! Not keys of maps, which only a run knows. Called by the walk.
//!
//! **Architecture invariant:** what is a field here is one at run time: both read the lists of
//! `api`.

use rhai::Position;

use super::habits;
use super::walk::Walk;
use crate::api::{CREDIT_FIELDS, CREDITED, PAYEE_FIELDS, RECEIVER_FIELDS, TRANSACTION_FIELDS};
use crate::kind::Kind;
use accredit_domain::diagnostic::{Code, did_you_mean, is_slip};
use accredit_domain::transaction::Field;

impl Walk<'_> {
    /// A field `base.name`.
    pub(super) fn property(&mut self, base: Kind, name: &str, at: Position) -> Kind {
        match base {
            Kind::Transaction => self.transaction_field(name, at),
            Kind::Credit => self.listed("credit", CREDIT_FIELDS, name, at),
            Kind::Receiver => self.listed("to", RECEIVER_FIELDS, name, at),
            Kind::Candidate => match (self.listed("to", RECEIVER_FIELDS, name, at), name) {
                (_, "level") => Kind::Number,
                (_, "relationship" | "via") => Kind::Text,
                (kind, _) => kind,
            },
            Kind::Payee => self.listed("payee", PAYEE_FIELDS, name, at),
            Kind::Totals => self.credited(name, at),
            Kind::Date if matches!(name, "year" | "month" | "day") => Kind::Number,
            Kind::Text | Kind::Number | Kind::Bool | Kind::Date => {
                let general =
                    "fields stand behind `tx`, `credit` and `to`; a function has brackets";
                let help = Some(habits::function(name).unwrap_or(general).to_owned());
                let message = format!("{} has no field `{name}`", base.word());
                self.error_with_help(Code::CR002, at, message, help);
                Kind::Any
            }
            _ => Kind::Any,
        }
    }

    /// What was credited of one type: `totals.booking` or `totals["booking"]`.
    fn credited(&mut self, name: &str, at: Position) -> Kind {
        let known = &self.known.credit_types;
        if name != CREDITED && !known.is_empty() && !known.contains(name) {
            let names = known.iter().map(String::as_str).chain([CREDITED]);
            let help = did_you_mean(name, names);
            self.error_with_help(
                Code::CR002,
                at,
                format!("there is no credit type `{name}`"),
                help,
            );
        }
        Kind::Number
    }

    fn transaction_field(&mut self, name: &str, at: Position) -> Kind {
        match TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name) {
            Some((_, None)) => Kind::Text,
            Some((_, Some(field))) => self.mapped(*field, name, at),
            None => self.column(name, at),
        }
    }

    fn mapped(&mut self, field: Field, name: &str, at: Position) -> Kind {
        if let Some(column) = self.known.fields.mapped.get(&field) {
            return Kind::of_column(self.known.fields.column_type(column));
        }
        let message = format!("`tx.{name}` is not mapped in [fields]");
        let help = match self.is_column(name) {
            true => format!("write tx[\"{name}\"] for the column"),
            false => format!("add `{name} = \"COLUMN\"` to [fields] in accredit.toml"),
        };
        self.error_with_help(Code::CR002, at, message, Some(help));
        Kind::Any
    }

    /// `tx["name"]`, and `tx.name` that is no mapped field.
    pub(super) fn column(&mut self, name: &str, at: Position) -> Kind {
        if self.is_column(name) {
            return Kind::of_column(self.known.fields.column_type(name));
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
            did_you_mean(name, self.columns().chain(fields))
        };

        self.error_with_help(Code::CR002, at, format!("unknown field `{name}`"), help);
        Kind::Any
    }

    /// `tx.has("name")`: asking for what can never be is only suspicious.
    pub(super) fn asked(&mut self, name: &str, at: Position) {
        let is_field = TRANSACTION_FIELDS.iter().any(|(known, _)| *known == name);
        if !is_field && !self.is_column(name) {
            let help = did_you_mean(name, self.columns());
            self.warning(Code::CR002, at, format!("unknown field `{name}`"), help);
        }
    }

    fn is_column(&self, name: &str) -> bool {
        let fields = TRANSACTION_FIELDS.iter().map(|(known, _)| *known);
        self.columns().any(|column| column == name)
            || (self.known.open && !self.columns().chain(fields).any(|known| is_slip(name, known)))
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.known.fields.columns().chain(self.known.columns.iter().map(String::as_str))
    }

    fn listed(&mut self, owner: &str, names: &[&str], name: &str, at: Position) -> Kind {
        if !names.contains(&name) {
            let help = did_you_mean(name, names.iter().copied());
            self.error_with_help(Code::CR002, at, format!("{owner} has no field `{name}`"), help);
            return Kind::Any;
        }

        match name {
            "amount" => Kind::Number,
            "unit_type" | "credit_type" | "kind" | "rule" | "result" | "period" | "id" | "name" => {
                Kind::Text
            }
            "level" | "weight" => Kind::MaybeNumber,
            "position" | "title" | "payee" | "team" | "relationship" | "via" => Kind::MaybeText,
            _ => Kind::Any,
        }
    }
}
