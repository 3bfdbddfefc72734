//! The reference of the policy language, for people and for editors, written from the table of
//! functions and the lists of fields.
//!
//! Not a second description: everything here comes from the tables, except the kinds of policies,
//! which `policy` names. Called by `accredit api` and by editors; a test keeps `scripts/api.md` and
//! `scripts/api.d.rhai` equal to it.
//!
//! **Architecture invariant:** a function that scripts can call stands in the reference, since both
//! come from `api`.

use std::fmt::Write;

use super::api::{
    COUNT, CREDIT_FIELDS, CREDITED, EARNED_TOTAL, PAYEE_FIELDS, RECEIVER_FIELDS, STANDING_FIELDS,
    ScriptFunction, TOPICS, TRANSACTION_FIELDS,
};
use accredit_domain::policy::{PolicyKind, ReturnType};

/// What stands of `switch` in the reference: it is no function, and not quite that of Rhai.
const SWITCH_PAGE: &str = "
## Choices

`switch` takes the first arm that fits, and gives its value. Without `_` it gives `()` where no arm fits.

```rhai
switch tx.product {
    \"Robots\" | \"Drones\" => 0.1,
    \"Parts\" if tx.amount > 500 => 0.05,
    _ => { throw \"no rate\"; }
}
```

| label | fits |
| --- | --- |
| `\"Robots\"` | the same text; case counts |
| `1` `-0.5` | the same number: 1, 1.0 and 1.00 |
| `0..1000` `0..=1000` | numbers from 0 to less than 1000; to 1000 itself. The ends are whole numbers |
| `true` `false` | the flag |
| `()` | nothing |
| `_` | everything, as the last arm |

Labels are written out, and all of the kind of the value. The value is computed once. Dates have no labels.";

/// The reference as Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "# What policies see and call\n\nWritten by `accredit api --format md`; a test keeps it \
         true. How policies are written is in [README.md](README.md).\n\n## Kinds of policies\n\n\
         | kind | function | answers |\n| --- | --- | --- |\n",
    );

    for kind in PolicyKind::ALL {
        let form = format!("{}({})", kind.entry_point(), kind.parameters().join(", "));
        write_line(
            &mut text,
            &format!("| {} | `{form}` | {} |", kind.as_str(), answer_in_words(kind.return_type())),
        );
    }

    write_line(&mut text, "\n## Fields\n\n| what | has |\n| --- | --- |");

    for (owner, names) in view_fields() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        write_line(&mut text, &format!("| `{owner}` | {} |", names.join(" ")));
    }
    write_line(
        &mut text,
        "\nEvery column of a transaction is a field as well: `tx[\"Rep #1\"]`. Attributes of people, \
         positions and teams stand in brackets: `to[\"level\"]`, `credit[\"level\"]`, \
         `payee[\"hire_date\"]`, `who(name)[\"level\"]`.",
    );

    write_line(&mut text, SWITCH_PAGE);
    for (topic, functions) in TOPICS {
        let (first, rest) = topic.split_at_checked(1).unwrap_or((topic, ""));
        write_line(&mut text, &format!("\n## {}{rest}\n", first.to_uppercase()));
        write_line(&mut text, "| form | what it does |\n| --- | --- |");
        for function in *functions {
            let forms: Vec<String> =
                function.forms().iter().map(|form| format!("`{form}`")).collect();
            write_line(&mut text, &format!("| {} | {} |", forms.join("<br>"), function.page));
        }
    }

    text
}

/// The reference as a Rhai definition file, which editors read.
pub fn rhai_definitions() -> String {
    let mut text = String::from(
        "//! What policies may call. Written by `accredit api --format rhai`; a test keeps it \
         true.\n\nmodule static;\n",
    );

    for (owner, names) in view_fields() {
        write_line(&mut text, &format!("\n/// {owner}: {}", names.join(", ")));
        write_line(&mut text, &format!("let {owner};"));
    }

    for (topic, functions) in TOPICS {
        write_line(&mut text, &format!("\n// {topic}"));
        for function in *functions {
            write_definition(&mut text, function);
        }
    }

    text
}

fn write_definition(text: &mut String, function: &ScriptFunction) {
    let is_name = function.name.starts_with(|letter: char| letter.is_ascii_lowercase());
    let count = function.arities.iter().max().copied().unwrap_or_default();

    // An operator has one form in a definition file, for all its operands.
    if !is_name {
        write_line(text, &format!("\n/// {}", function.page));
        write_line(text, &format!("/// `{}`", function.forms().join("`, `")));
        let operands = ["x", "y"].get(..count).unwrap_or_default().join(", ");
        write_line(text, &format!("op {}({operands});", function.name));
        return;
    }

    for signature in function.signatures {
        write_line(text, &format!("\n/// {}", function.page));
        write_line(text, &format!("/// `{}`", signature.text(function.name)));
        let parameters = signature.unique_parameters().join(", ");
        write_line(text, &format!("fn {}({parameters});", function.name));
    }
}

/// The values that the host supplies, with what they have.
pub fn view_fields() -> [(&'static str, Vec<&'static str>); 9] {
    let transaction = TRANSACTION_FIELDS.iter().map(|(name, _)| *name).collect();
    let (credit, receiver) = (CREDIT_FIELDS.to_vec(), RECEIVER_FIELDS.to_vec());
    let existing = vec!["len", "is_empty"];
    [
        ("tx", transaction),
        ("credit", credit),
        ("to", receiver),
        ("existing", existing),
        ("payee", PAYEE_FIELDS.to_vec()),
        ("totals", vec![CREDITED, COUNT]),
        ("earned", vec![EARNED_TOTAL]),
        ("paid", vec![EARNED_TOTAL]),
        ("standing", STANDING_FIELDS.to_vec()),
    ]
}

fn answer_in_words(returns: ReturnType) -> &'static str {
    match returns {
        ReturnType::Bool => "true or false",
        ReturnType::Number => "a number",
        ReturnType::Recipients => "text that names recipients, an array of shares, or `()`",
        ReturnType::Hold => "a hold, or a date to hold until",
        ReturnType::Rolled => {
            "a number, `()`, or a map: `amount`, `credit_type`, `hold`, `maximum`"
        }
        ReturnType::Rows => "one transaction or an array of them",
    }
}

fn write_line(text: &mut String, line: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{line}");
}
