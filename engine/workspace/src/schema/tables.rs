//! Every table of `accredit.toml` and of a plan, key by key.
//!
//! Not their meaning, which the readers know. Called by `schema`. Source: FORMAT sections 2 and 3.
//!
//! **Architecture invariant:** a key stands here if and only if a reader asks for it; a test reads a
//! directory and compares.

use super::{Key, Kind, Section};

const fn may(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, needed: false, kind, about }
}

const fn must(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, needed: true, kind, about }
}

const TEXTS: Kind = Kind::List(&Kind::Text);
/// One column, or several.
const COLUMNS: Kind = Kind::Any(&[Kind::Text, TEXTS]);
const DUPLICATES: Kind = Kind::Any(&[Kind::Flag, Kind::Text]);
const CONDITION: Kind = Kind::Any(&[Kind::Expression, Kind::List(&Kind::Table("row"))]);

/// Every table, those of plans after those of `accredit.toml`.
pub const SECTIONS: &[Section] = &[
    Section { name: "settings", keys: SETTINGS },
    Section { name: "unit", keys: UNIT },
    Section { name: "workspace", keys: WORKSPACE },
    Section { name: "fields", keys: FIELDS },
    Section { name: "key", keys: KEY },
    Section { name: "dated", keys: DATED },
    Section { name: "transactions", keys: TRANSACTIONS },
    Section { name: "column", keys: COLUMN_TABLE },
    Section { name: "calendar", keys: CALENDAR },
    Section { name: "source", keys: SOURCE },
    Section { name: "plan", keys: PLAN },
    Section { name: "policies", keys: POLICIES },
    Section { name: "direct", keys: DIRECT },
    Section { name: "row", keys: ROW },
    Section { name: "direct result", keys: DIRECT_RESULT },
    Section { name: "indirect", keys: INDIRECT },
    Section { name: "indirect result", keys: INDIRECT_RESULT },
    Section { name: "reward", keys: REWARD },
    Section { name: "tier", keys: TIER },
];

const SETTINGS: &[Key] = &[
    may("unit_types", Kind::List(&Kind::Any(&[Kind::Text, Kind::Table("unit")])), "unit types"),
    may("credit_types", TEXTS, "credit types"),
    may("reason_codes", TEXTS, "reason codes"),
    may("relationship_types", TEXTS, "relationship types beside the built-in ones"),
    must("workspace", Kind::Table("workspace"), "the workspace"),
    must("fields", Kind::Table("fields"), "what the columns of a transaction mean"),
    may("columns", Kind::Named(&COLUMN), "types of the other columns; text unless said"),
    may("transactions", Kind::Table("transactions"), "how rows are read"),
    may("calendar", Kind::Table("calendar"), "periods"),
    may("queries", Kind::Named(&Kind::Expression), "saved queries, used as query:NAME"),
    may("sources", Kind::Named(&Kind::Table("source")), "webhook sources"),
];

const COLUMN: Kind =
    Kind::Any(&[Kind::Words(&["number", "text", "bool", "date"]), Kind::Table("column")]);

const COLUMN_TABLE: &[Key] = &[
    may("date", COLUMNS, "the format of a date column, \"%m/%d/%Y\", or several"),
    may("number", Kind::Text, "how numbers are written, by an example: \"1.234,56\""),
    may("text", Kind::Words(&["exact"]), "exact: text keeps the spaces at its ends"),
];

const UNIT: &[Key] = &[
    must("name", Kind::Text, "the unit's name"),
    may("scale", Kind::Whole(0, 18), "decimals of its amounts"),
];

const WORKSPACE: &[Key] = &[
    must("name", Kind::Text, "name of the workspace"),
    may("time_zone", Kind::Text, "IANA name of the time zone; UTC"),
    may("currency", Kind::Text, "a unit type; USD"),
    may("scale", Kind::Whole(0, 18), "decimals of unit types that state none; 2"),
];

const FIELDS: &[Key] = &[
    must("id", ID, "the natural key: a column or several"),
    must("date", MAYBE_DATED, "the incentive date"),
    may("amount", Kind::Text, "the deal's amount"),
    may("quantity", Kind::Text, "number of units"),
    may("product", Kind::Text, "product"),
    may("customer", Kind::Text, "customer"),
    may("geography", Kind::Text, "geography"),
    may("postal_code", Kind::Text, "postal code, as text"),
    may("currency", Kind::Text, "currency of the amount"),
    may("preassigned", Kind::Text, "positions named on the transaction, with weights"),
    may("updated", MAYBE_DATED, "the source's clock: orders versions of one transaction"),
    may("received", MAYBE_DATED, "the day the row arrived"),
    may("owner", COLUMNS, "whoever sold it"),
    may("team", COLUMNS, "team or territory"),
    may("related_person", COLUMNS, "Related Order (Person)"),
    may("related_position", COLUMNS, "Related Order (Position)"),
];

const ID: Kind = Kind::Any(&[Kind::Text, TEXTS, Kind::Table("key")]);

const MAYBE_DATED: Kind = Kind::Any(&[Kind::Text, Kind::Table("dated")]);

const KEY: &[Key] = &[
    may("field", COLUMNS, "the column"),
    may("fields", TEXTS, "several columns"),
    may("as", Kind::Words(&["salesforce"]), "the form of the ids"),
];

const DATED: &[Key] = &[
    may("field", Kind::Text, "the column"),
    may("fields", TEXTS, "columns of the date: the first that is not blank counts"),
    may("format", COLUMNS, "its format, \"%m/%d/%Y\"; ISO unless said"),
    may("formats", TEXTS, "several formats"),
];

const TRANSACTIONS: &[Key] = &[
    may("blanks", TEXTS, "texts that mean a blank cell"),
    may("delimiter", Kind::Text, "what separates the cells of CSV; found out unless said"),
    may("skip_rows", Kind::Whole(0, 1000), "lines above the header; 0"),
    may("stop_at_blank", Kind::Flag, "whether the first blank row ends a file; false"),
];

const CALENDAR: &[Key] = &[
    may("kind", Kind::Words(&["monthly", "4-4-5", "4-5-4", "5-4-4", "periods"]), "monthly"),
    may("year_starts", Kind::Whole(1, 12), "month in which the fiscal year starts; 1"),
    may("years", Kind::Named(&Kind::Day), "first days of years, for calendars of weeks"),
    may("finalized", Kind::Named(&Kind::Day), "the day a period was finalized"),
];

const SOURCE: &[Key] = &[
    must(
        "connector",
        Kind::Text,
        "the connector that verifies and decodes deliveries, such as standard-webhooks",
    ),
    may("intake", Kind::Text, "policy:NAME, which maps the body"),
    may("merge", Kind::Flag, "whether a delivery brings only what changed; false"),
];

const PLAN: &[Key] = &[
    must("name", Kind::Text, "the plan's name"),
    may("from", Kind::Day, "first incentive date"),
    may("to", Kind::Day, "last incentive date"),
    may("period", Kind::Words(&["month", "quarter", "year"]), "month"),
    may("measure", Kind::Words(&["individual", "team"]), "individual"),
    may("targets", TEXTS, "whom the plan credits: title: position: participant: team: or *"),
    may("filter", Kind::Expression, "which transactions belong to the plan"),
    may("split", Kind::Words(&["refuse", "equal", "full", "first"]), "several recipients; refuse"),
    may("require_total_one", Kind::Flag, "whether weights must sum to 1"),
    may("hold_across_years", Kind::Flag, "whether a hold may end in another fiscal year"),
    may("alerts", Kind::List(&Kind::Words(&accredit_domain::plan::ALERTS)), "which alerts; all"),
    may("policies", Kind::Table("policies"), "policies by kind, for rules that say nothing"),
    may("direct", Kind::List(&Kind::Table("direct")), "direct rules"),
    may("indirect", Kind::List(&Kind::Table("indirect")), "indirect rules"),
    may("reward", Kind::List(&Kind::Table("reward")), "rewards"),
];

const POLICIES: &[Key] = &[
    may("filter", Kind::Text, "a filter policy"),
    may("crediting", Kind::Text, "a crediting policy"),
    may("value", Kind::Text, "a value policy"),
    may("hold", Kind::Text, "a hold policy"),
    may("duplication", Kind::Text, "a duplication policy"),
    may("rollup", Kind::Text, "a rollup policy"),
    may("reward", Kind::Text, "a reward policy"),
];

const NAME: Key = must("name", Kind::Short(64), "the rule's name, unique in the plan");
const DESCRIPTION: Key = may("description", Kind::Text, "for people");
const TAGS: Key = may("tags", TEXTS, "at most 50");
const FROM: Key = may("from", Kind::Day, "first incentive date");
const TO: Key = may("to", Kind::Day, "last incentive date");
const WHEN: Key = may("condition", CONDITION, "an expression or rows");

const DIRECT: &[Key] = &[
    NAME,
    DESCRIPTION,
    TAGS,
    FROM,
    TO,
    WHEN,
    may(
        "assign",
        COLUMNS,
        "who is credited: owner, team, field:COLUMN, preassigned, policy:NAME …",
    ),
    may("members", Kind::Words(&["equal", "weight", "full", "manager"]), "what a team becomes"),
    may("required", Kind::Flag, "whether a deal that names nobody raises an alert"),
    must("results", Kind::List(&Kind::Table("direct result")), "at least one"),
];

const ROW: &[Key] = &[
    may("if", Kind::Text, "the column of the first row"),
    may("and", Kind::Text, "the column of a further row"),
    may("or", Kind::Text, "the column of a further row"),
    must("is", Kind::Words(&["=", "!=", "<", "<=", ">", ">=", "contains"]), "the comparison"),
    must("value", Kind::Any(&[Kind::Text, Kind::Flag, Kind::Day, Kind::Expression]), "with what"),
];

const RESULT: Key =
    must("name", Kind::Text, "the result's name, unique in the rule; never renamed");
const HOLD: Key = may("hold", Kind::Text, "none, indefinite, days:30, next:quarter … or Rhai");
const REASON: Key = may("reason_code", Kind::Text, "a declared reason code");
const UNIT_TYPE: Key = may("unit_type", Kind::Text, "a unit type");
const CREDIT_TYPE: Key = may("credit_type", Kind::Text, "a declared credit type");

const DIRECT_RESULT: &[Key] = &[
    RESULT,
    may("value", Kind::Expression, "the value of the whole deal; tx.amount"),
    UNIT_TYPE,
    CREDIT_TYPE,
    may("maximum", Kind::Expression, "caps each recipient's credit"),
    HOLD,
    may("rollable", Kind::Flag, "whether the credit rolls"),
    may("rollable_on_reporting", Kind::Flag, "whether it enters named types from managers"),
    may("duplicates", DUPLICATES, "whether duplicates are kept"),
    REASON,
];

const INDIRECT: &[Key] = &[
    NAME,
    DESCRIPTION,
    TAGS,
    FROM,
    TO,
    WHEN,
    must("relationship", Kind::Text, "Reporting, another built-in one, or a declared type"),
    may("receivers", TEXTS, "which positions hold this rule; [\"*\"]"),
    may("sources", TEXTS, "the plans whose direct credits it sees; this one"),
    must("results", Kind::List(&Kind::Table("indirect result")), "at least one"),
];

const INDIRECT_RESULT: &[Key] = &[
    RESULT,
    may("value", Kind::Expression, "the amount; credit.amount"),
    UNIT_TYPE,
    CREDIT_TYPE,
    may("maximum", Kind::Expression, "across this rule's credits of one transaction"),
    may("maximum_scope", Kind::Words(&["receiver", "item"]), "receiver"),
    HOLD,
    may("duplicates", DUPLICATES, "whether duplicates are kept"),
    REASON,
];

const REWARD: &[Key] = &[
    must("name", Kind::Text, "the reward's name, unique in the plan"),
    DESCRIPTION,
    may("credit_type", COLUMNS, "a declared credit type, or a list: whose credits count"),
    may(
        "to",
        Kind::Words(&["credited", "members", "user-managers", "team-managers"]),
        "who gets it",
    ),
    may("tiers", Kind::List(&Kind::Table("tier")), "rates by how much was credited"),
    may("retroactive", Kind::Flag, "whether the rate that is reached holds for the whole"),
    may("value", Kind::Expression, "instead of tiers: sees payee, totals and quota"),
    may("maximum", Kind::Expression, "caps the reward"),
];

const TIER: &[Key] = &[
    may("up_to", Kind::Text, "where it ends: an amount, or \"100%\" of the quota"),
    must("rate", Kind::Text, "\"0.10\" or \"10%\""),
];
