//! Words that authors bring along from other languages and from spreadsheets, with what to write
//! instead.
//!
//! Not near misses of known names, which `did_you_mean` finds. Called by the judges of the walk and
//! by `syntax`.
//!
//! **Architecture invariant:** every entry is a hint beside a finding; none is a finding itself.

/// Functions and properties of elsewhere.
const FUNCTIONS: &[(&[&str], &str)] = &[
    (&["length", "size", "count", "strlen"], "write `.len()`"),
    (&["lower", "lowercase", "tolower", "tolowercase", "make_lower"], "write `to_lower(text)`"),
    (&["upper", "uppercase", "toupper", "touppercase", "make_upper"], "write `to_upper(text)`"),
    (
        &["substr", "substring", "slice", "left", "right", "mid"],
        "write `sub_string(text, start, length)`, counted from 0",
    ),
    (&["includes", "index_of", "indexof", "find_text", "has_key"], "write `contains(x, item)`"),
    (&["startswith", "begins_with"], "write `starts_with(text, beginning)`"),
    (&["endswith"], "write `ends_with(text, end)`"),
    (
        &[
            "to_int",
            "to_float",
            "to_decimal",
            "parse_int",
            "parse_float",
            "parse_decimal",
            "parse_number",
            "to_number",
            "int",
            "float",
            "decimal",
            "value_of",
        ],
        "write `number(text)`, or declare the column as number in [columns]",
    ),
    (&["str", "to_str", "tostring", "string", "text"], "write `to_text(x)`"),
    (&["parse_date", "to_date", "datevalue"], "write `date(\"2026-01-31\")`"),
    (&["ceil", "round_up", "roundup"], "write `ceiling(x)`"),
    (&["round_down", "rounddown", "trunc", "truncate"], "write `floor(x)`"),
    (
        &["isempty", "is_blank", "isblank", "is_null", "isnull", "is_none"],
        "write `is_empty(text)`, or `tx.has(\"column\")` for a number or a date",
    ),
    (&["append", "add", "push_back"], "write `array.push(item)`"),
    (&["total", "sumif"], "write `sum(array)`"),
    (&["concat", "concatenate", "join"], "join texts with `+`, or write `${x}` in backticks"),
    (&["datediff", "days", "diff_days"], "write `days_between(from, to)`"),
    (
        &["today", "now", "current_date", "getdate"],
        "policies see no clock: use tx.date, and hold credits until a day",
    ),
    (
        &[
            "filter", "map", "find", "any", "some", "all", "every", "reduce", "for_each",
            "foreach", "sort",
        ],
        "write a loop: `for x in list { … }`",
    ),
    (&["if", "iif", "choose", "ifs"], "write `if a { b } else { c }`"),
    (
        &["vlookup", "hlookup", "xlookup", "lookup", "match_table"],
        "declare a table and write `lookup(\"TABLE\", key)`; `const RATES = #{ \"A\": 0.1 };` is a short one",
    ),
    (&["and", "or", "not"], "write `&&`, `||`, `!`"),
];

/// Words for values of elsewhere.
const VARIABLES: &[(&[&str], &str)] = &[
    (&["True", "TRUE"], "write `true`"),
    (&["False", "FALSE"], "write `false`"),
    (&["None", "NULL", "Null", "nil", "undefined", "Nothing"], "write `()` for nothing"),
    (&["self"], "the values that a policy sees are its parameters"),
    (&["transaction", "deal", "order", "row"], "the transaction is `tx`"),
];

/// Words that Rhai keeps for itself.
const RESERVED: &[(&[&str], &str)] = &[
    (&["null", "nil", "void"], "write `()` for nothing"),
    (&["var", "auto"], "write `let` for a variable, `const` for a fixed value"),
    (
        &["match", "case", "default"],
        "write `switch x { \"A\" => 1, _ => 0 }`, or `if` and `else if`",
    ),
    (
        &["goto", "async", "await", "yield", "spawn", "thread", "go", "sync"],
        "write it step by step",
    ),
];

/// Signs and words that cause syntax errors. Each is found at the place of the error or before it.
pub(super) const SYNTAX: &[(&[&str], &str)] = &[
    (&["and"], "write `&&` for and"),
    (&["or"], "write `||` for or"),
    (&["not"], "write `!` for not"),
    (&["elif", "elseif", "elsif", "elsIf"], "write `else if`"),
    (&["then"], "write `if condition { … } else { … }`"),
    (&["function", "def", "func", "sub"], "a function begins with `fn`: `fn name(tx) { … }`"),
    (&["end", "endif", "begin"], "blocks stand in braces: `{ … }`"),
    (&["="], "write `==` to compare; columns cannot be changed"),
    (&["=>", "=<"], "write `>=` or `<=`"),
    (&["<>", "!=="], "write `!=`"),
    (&["==="], "write `==`"),
    (&["?"], "write `if … { … } else { … }` for `? :`"),
    (&["++", "--"], "write `x += 1` or `x -= 1`; a remark begins with `//`"),
    (&["**", "^"], "write the multiplication out"),
    (&["$"], "numbers have no currency sign"),
    (&["%"], "`%` is the rest of a division: write 0.6 for 60 percent"),
    (&["#"], "a remark begins with `//`; a column with a space or a sign is tx[\"Rep #1\"]"),
    (&["@"], "texts stand in double quotes: \"ann@acme.com\""),
    (&["“", "”", "„", "‘", "’", "«", "»"], "write straight quotes: \""),
    (&["–", "—", "−"], "write the minus sign of the keyboard: -"),
    (&["×"], "write `*` to multiply"),
    (&["≥", "≤", "≠"], "write `>=`, `<=` or `!=`"),
    (&["."], "a number has a digit before its point: 0.5"),
];

fn find_help(words: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    words.iter().find(|(known, _)| known.contains(&word)).map(|(_, help)| *help)
}

/// What to write instead of a function or property of elsewhere.
pub(super) fn help_for_function(name: &str) -> Option<&'static str> {
    find_help(FUNCTIONS, &name.to_lowercase())
}

/// What to write instead of a variable of elsewhere.
pub(super) fn help_for_variable(name: &str) -> Option<&'static str> {
    find_help(VARIABLES, name)
}

/// What to write instead of a reserved word.
pub(super) fn help_for_reserved_word(word: &str) -> Option<&'static str> {
    find_help(RESERVED, word)
}

/// What to write instead of a sign or word that no script has.
pub(super) fn help_for_sign(word: &str) -> Option<&'static str> {
    find_help(SYNTAX, word)
}
