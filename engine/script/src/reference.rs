//! The reference of the policy language, for people and for editors, written from the table of
//! functions and the lists of fields.
//!
//! Not a second description: nothing is said here that the tables do not say, but for the kinds of
//! policies, which `policy` names. Called by `accredit api`; a test keeps `scripts/api.md` and
//! `scripts/api.d.rhai` equal to it.
//!
//! **Architecture invariant:** a function that scripts can call stands in the reference, since both
//! come from `api`.

use std::fmt::Write;

use super::api::{
    CREDIT_FIELDS, CREDITED, Function, PAYEE_FIELDS, RECEIVER_FIELDS, TOPICS, TRANSACTION_FIELDS,
};
use accredit_domain::policy::{Kind, Returns};

/// The reference as Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "# What policies see and call\n\nWritten by `accredit api --format md`; a test keeps it \
         true. How policies are written is in [README.md](README.md).\n\n## Kinds of policies\n\n\
         | kind | function | answers |\n| --- | --- | --- |\n",
    );

    for kind in Kind::ALL {
        let form = format!("{}({})", kind.entry(), kind.parameters().join(", "));
        line(&mut text, &format!("| {} | `{form}` | {} |", kind.name(), answers(kind.returns())));
    }

    line(&mut text, "\n## Fields\n\n| what | has |\n| --- | --- |");

    for (owner, names) in fields() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        line(&mut text, &format!("| `{owner}` | {} |", names.join(" ")));
    }
    line(&mut text, "\nEvery column of a transaction is a field as well: `tx[\"Rep #1\"]`.");

    for (topic, functions) in TOPICS {
        let (first, rest) = topic.split_at_checked(1).unwrap_or((topic, ""));
        line(&mut text, &format!("\n## {}{rest}\n", first.to_uppercase()));
        line(&mut text, "| form | what it does |\n| --- | --- |");
        for function in *functions {
            let forms: Vec<String> =
                function.forms().iter().map(|form| format!("`{form}`")).collect();
            line(&mut text, &format!("| {} | {} |", forms.join("<br>"), function.page));
        }
    }

    text
}

/// The reference as a Rhai definition file, which editors read.
pub fn definitions() -> String {
    let mut text = String::from(
        "//! What policies may call. Written by `accredit api --format rhai`; a test keeps it \
         true.\n\nmodule static;\n",
    );

    for (owner, names) in fields() {
        line(&mut text, &format!("\n/// {owner}: {}", names.join(", ")));
        line(&mut text, &format!("let {owner};"));
    }

    for (topic, functions) in TOPICS {
        line(&mut text, &format!("\n// {topic}"));
        for function in *functions {
            definition(&mut text, function);
        }
    }

    text
}

fn definition(text: &mut String, function: &Function) {
    let is_name = function.name.starts_with(|letter: char| letter.is_ascii_lowercase());
    let count = function.arities.iter().max().copied().unwrap_or_default();

    // An operator has one form in a definition file, whatever it can join.
    if !is_name {
        line(text, &format!("\n/// {}", function.page));
        line(text, &format!("/// `{}`", function.forms().join("`, `")));
        let operands = ["x", "y"].get(..count).unwrap_or_default().join(", ");
        line(text, &format!("op {}({operands});", function.name));
        return;
    }

    for signature in function.signatures {
        line(text, &format!("\n/// {}", function.page));
        line(text, &format!("/// `{}`", signature.text(function.name)));
        let parameters = signature.unique_parameters().join(", ");
        line(text, &format!("fn {}({parameters});", function.name));
    }
}

/// `tx`, `credit`, `to`, `existing`, `payee` and `totals`, with what they have.
fn fields() -> [(&'static str, Vec<&'static str>); 6] {
    let transaction = TRANSACTION_FIELDS.iter().map(|(name, _)| *name).collect();
    let (credit, receiver) = (CREDIT_FIELDS.to_vec(), RECEIVER_FIELDS.to_vec());
    let existing = vec!["len", "is_empty"];
    [
        ("tx", transaction),
        ("credit", credit),
        ("to", receiver),
        ("existing", existing),
        ("payee", PAYEE_FIELDS.to_vec()),
        ("totals", vec![CREDITED]),
    ]
}

fn answers(returns: Returns) -> &'static str {
    match returns {
        Returns::Bool => "true or false",
        Returns::Number => "a number",
        Returns::Recipients => "text that names recipients, an array of shares, or `()`",
        Returns::Hold => "a hold, or a date to hold until",
        Returns::Rolled => "a number, `()`, or a map: `amount`, `credit_type`, `hold`, `maximum`",
        Returns::Rows => "one transaction or an array of them",
    }
}

fn line(text: &mut String, line: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{line}");
}
