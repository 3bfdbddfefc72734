//! Every table of `accredit.toml` and of a plan, key by key.
//!
//! Not their meaning, which the readers know. Called by `schema`. Source: FORMAT sections 2 and 3.
//!
//! **Architecture invariant:** a key is here if and only if a reader uses it; a test reads a
//! directory and compares.

use super::{SchemaKey, SchemaKind, SchemaSection};

const fn optional_key(name: &'static str, kind: SchemaKind, about: &'static str) -> SchemaKey {
    SchemaKey { name, needed: false, kind, about }
}

const fn required_key(name: &'static str, kind: SchemaKind, about: &'static str) -> SchemaKey {
    SchemaKey { name, needed: true, kind, about }
}

const fn closed_section(name: &'static str, keys: &'static [SchemaKey]) -> SchemaSection {
    SchemaSection { name, keys, others: None }
}

const TEXTS: SchemaKind = SchemaKind::List(&SchemaKind::Text);
/// One column, or several.
const COLUMNS: SchemaKind = SchemaKind::Any(&[SchemaKind::Text, TEXTS]);
const DUPLICATES: SchemaKind = SchemaKind::Any(&[SchemaKind::Flag, SchemaKind::Text]);
const CONDITION: SchemaKind =
    SchemaKind::Any(&[SchemaKind::Expression, SchemaKind::List(&SchemaKind::Table("row"))]);

/// Every table, those of plans after those of `accredit.toml`.
pub const SECTIONS: &[SchemaSection] = &[
    closed_section("settings", SETTINGS),
    closed_section("unit", UNIT),
    closed_section("workspace", WORKSPACE),
    closed_section("fields", FIELDS),
    closed_section("key", KEY),
    closed_section("dated", DATED),
    closed_section("transactions", TRANSACTIONS),
    closed_section("column", COLUMN_TABLE),
    closed_section("calendar", CALENDAR),
    closed_section("table", TABLE),
    SchemaSection { name: "source", keys: SOURCE, others: Some(CONNECTOR_SETTING) },
    closed_section("destination", DESTINATION),
    closed_section("plan", PLAN),
    closed_section("policies", POLICIES),
    closed_section("direct", DIRECT),
    closed_section("row", ROW),
    closed_section("direct result", DIRECT_RESULT),
    closed_section("indirect", INDIRECT),
    closed_section("indirect result", INDIRECT_RESULT),
    closed_section("reward", REWARD),
    closed_section("draw", DRAW),
    closed_section("tier", TIER),
];

const SETTINGS: &[SchemaKey] = &[
    optional_key(
        "unit_types",
        SchemaKind::List(&SchemaKind::Any(&[SchemaKind::Text, SchemaKind::Table("unit")])),
        "unit types",
    ),
    optional_key("credit_types", TEXTS, "credit types"),
    optional_key("reason_codes", TEXTS, "reason codes"),
    optional_key("relationship_types", TEXTS, "relationship types beside the built-in ones"),
    required_key("workspace", SchemaKind::Table("workspace"), "the workspace"),
    required_key("fields", SchemaKind::Table("fields"), "what the columns of a transaction mean"),
    optional_key(
        "columns",
        SchemaKind::Named(&COLUMN),
        "types of the other columns; text by default",
    ),
    optional_key("transactions", SchemaKind::Table("transactions"), "how rows are read"),
    optional_key("calendar", SchemaKind::Table("calendar"), "periods"),
    optional_key(
        "tables",
        SchemaKind::Named(&SchemaKind::Table("table")),
        "tables/NAME.csv, for lookup, find and tiers",
    ),
    optional_key(
        "attributes",
        SchemaKind::Named(&DECLARED),
        "kinds of the attributes in organization/attributes.csv; text by default",
    ),
    optional_key(
        "queries",
        SchemaKind::Named(&SchemaKind::Expression),
        "saved queries, used as query:NAME",
    ),
    optional_key("sources", SchemaKind::Named(&SchemaKind::Table("source")), "webhook sources"),
    optional_key(
        "destinations",
        SchemaKind::Named(&SchemaKind::Table("destination")),
        "systems that are told of events",
    ),
];

const COLUMN: SchemaKind = SchemaKind::Any(&[
    SchemaKind::Words(&["number", "text", "bool", "date"]),
    SchemaKind::Table("column"),
]);

const COLUMN_TABLE: &[SchemaKey] = &[
    optional_key("date", COLUMNS, "the format of a date column, \"%m/%d/%Y\", or several"),
    optional_key(
        "number",
        SchemaKind::Text,
        "how numbers are written, by an example: \"1.234,56\"",
    ),
    optional_key("text", SchemaKind::Words(&["exact"]), "exact: text keeps the spaces at its ends"),
];

const UNIT: &[SchemaKey] = &[
    required_key("name", SchemaKind::Text, "the unit's name"),
    optional_key("scale", SchemaKind::Whole(0, 18), "decimals of its amounts"),
];

const WORKSPACE: &[SchemaKey] = &[
    required_key("name", SchemaKind::Text, "name of the workspace"),
    optional_key("time_zone", SchemaKind::Text, "IANA name of the time zone; UTC"),
    optional_key("currency", SchemaKind::Text, "a unit type; USD"),
    optional_key("scale", SchemaKind::Whole(0, 18), "decimals of unit types that state none; 2"),
];

const FIELDS: &[SchemaKey] = &[
    required_key("id", ID, "the natural key: a column or several"),
    required_key("date", MAYBE_DATED, "the incentive date"),
    optional_key("amount", SchemaKind::Text, "the deal's amount"),
    optional_key("quantity", SchemaKind::Text, "number of units"),
    optional_key("product", SchemaKind::Text, "product"),
    optional_key("customer", SchemaKind::Text, "customer"),
    optional_key("geography", SchemaKind::Text, "geography"),
    optional_key("postal_code", SchemaKind::Text, "postal code, as text"),
    optional_key("currency", SchemaKind::Text, "currency of the amount"),
    optional_key(
        "preassigned",
        SchemaKind::Text,
        "positions named on the transaction, with weights",
    ),
    optional_key("updated", MAYBE_DATED, "the source's clock: orders versions of one transaction"),
    optional_key("received", MAYBE_DATED, "the day the row arrived"),
    optional_key("owner", COLUMNS, "the seller"),
    optional_key("team", COLUMNS, "team or territory"),
    optional_key("related_person", COLUMNS, "Related Order (Person)"),
    optional_key("related_position", COLUMNS, "Related Order (Position)"),
];

const ID: SchemaKind = SchemaKind::Any(&[SchemaKind::Text, TEXTS, SchemaKind::Table("key")]);

const MAYBE_DATED: SchemaKind = SchemaKind::Any(&[SchemaKind::Text, SchemaKind::Table("dated")]);

const KEY: &[SchemaKey] = &[
    optional_key("field", COLUMNS, "the column"),
    optional_key("fields", TEXTS, "several columns"),
    optional_key("as", SchemaKind::Words(&["salesforce"]), "the form of the ids"),
];

const DATED: &[SchemaKey] = &[
    optional_key("field", SchemaKind::Text, "the column"),
    optional_key("fields", TEXTS, "columns of the date: the first that is not blank counts"),
    optional_key("format", COLUMNS, "its format, \"%m/%d/%Y\"; ISO by default"),
    optional_key("formats", TEXTS, "several formats"),
];

const TRANSACTIONS: &[SchemaKey] = &[
    optional_key("blanks", TEXTS, "texts that mean a blank cell"),
    optional_key(
        "delimiter",
        SchemaKind::Text,
        "the separator of cells in CSV; detected by default",
    ),
    optional_key("skip_rows", SchemaKind::Whole(0, 1000), "lines above the header; 0"),
    optional_key(
        "stop_at_blank",
        SchemaKind::Flag,
        "whether the first blank row ends a file; false",
    ),
];

const CALENDAR: &[SchemaKey] = &[
    optional_key(
        "kind",
        SchemaKind::Words(&["monthly", "4-4-5", "4-5-4", "5-4-4", "periods"]),
        "monthly",
    ),
    optional_key(
        "year_starts",
        SchemaKind::Whole(1, 12),
        "month in which the fiscal year starts; 1",
    ),
    optional_key(
        "years",
        SchemaKind::Named(&SchemaKind::Day),
        "first days of years, for calendars of weeks",
    ),
    optional_key("closed", SchemaKind::Named(&SchemaKind::Day), "the day a period was closed"),
    optional_key(
        "finalized",
        SchemaKind::Named(&SchemaKind::Day),
        "the day a period was finalized",
    ),
];

const DECLARED: SchemaKind = SchemaKind::Words(&["number", "text", "bool", "date"]);

const TABLE: &[SchemaKey] = &[
    optional_key("keys", COLUMNS, "columns that a row matches by; * or blank matches anything"),
    optional_key(
        "ranges",
        COLUMNS,
        "columns of lower bounds: the largest that is not above counts",
    ),
    required_key(
        "values",
        SchemaKind::Named(&DECLARED),
        "columns of values with their kinds; up_to and rate make tiers",
    ),
];

const SOURCE: &[SchemaKey] = &[
    required_key(
        "connector",
        SchemaKind::Text,
        "the connector that verifies and decodes deliveries, such as standard-webhooks",
    ),
    optional_key("intake", SchemaKind::Text, "policy:NAME, which maps the body"),
    optional_key("key_prefix", SchemaKind::Text, "what the natural keys of its deals begin with"),
    optional_key("merge", SchemaKind::Flag, "whether a delivery brings only what changed; false"),
    optional_key(
        "rate_limit",
        SchemaKind::Text,
        "requests in a window, such as \"600/minute\"; \"1000000/minute\"",
    ),
    optional_key(
        "url",
        SchemaKind::Text,
        "the URL that the sender calls, which it may have signed",
    ),
];

const DESTINATION: &[SchemaKey] = &[
    required_key("url", SchemaKind::Text, "where events are sent, https://"),
    optional_key("events", TEXTS, "kinds of events, such as credit.held or credit.*; all"),
];

/// A setting of a source that only its connector knows.
const CONNECTOR_SETTING: SchemaKind = SchemaKind::Any(&[SchemaKind::Text, SchemaKind::Flag, TEXTS]);

const PLAN: &[SchemaKey] = &[
    required_key("name", SchemaKind::Text, "the plan's name"),
    optional_key("from", SchemaKind::Day, "first incentive date"),
    optional_key("to", SchemaKind::Day, "last incentive date"),
    optional_key("period", SchemaKind::Words(&["month", "quarter", "year"]), "month"),
    optional_key("measure", SchemaKind::Words(&["individual", "team"]), "individual"),
    optional_key(
        "targets",
        TEXTS,
        "who the plan credits: title: position: participant: team: or *",
    ),
    optional_key("filter", SchemaKind::Expression, "which transactions belong to the plan"),
    optional_key(
        "split",
        SchemaKind::Words(&["refuse", "equal", "full", "first"]),
        "several recipients; refuse",
    ),
    optional_key("require_total_one", SchemaKind::Flag, "whether weights must sum to 1"),
    optional_key(
        "hold_across_years",
        SchemaKind::Flag,
        "whether a hold may end in another fiscal year",
    ),
    optional_key(
        "alerts",
        SchemaKind::List(&SchemaKind::Words(&accredit_domain::plan::ALERTS)),
        "which alerts; all",
    ),
    optional_key(
        "policies",
        SchemaKind::Table("policies"),
        "policies by kind, for rules without their own",
    ),
    optional_key("direct", SchemaKind::List(&SchemaKind::Table("direct")), "direct rules"),
    optional_key("indirect", SchemaKind::List(&SchemaKind::Table("indirect")), "indirect rules"),
    optional_key("reward", SchemaKind::List(&SchemaKind::Table("reward")), "rewards"),
    optional_key("draw", SchemaKind::List(&SchemaKind::Table("draw")), "draws and guarantees"),
    optional_key(
        "late",
        SchemaKind::Words(&["own", "posted"]),
        "the period in which late credits are rewarded; own",
    ),
    optional_key(
        "quota",
        SchemaKind::Expression,
        "the quota where no row of quotas.csv fits: sees payee and period",
    ),
    optional_key(
        "prorate",
        SchemaKind::Flag,
        "whether quotas are reduced to the days in a target position",
    ),
    optional_key(
        "carry_negative",
        SchemaKind::Flag,
        "whether an amount below zero is carried to later periods",
    ),
];

const POLICIES: &[SchemaKey] = &[
    optional_key("filter", SchemaKind::Text, "a filter policy"),
    optional_key("crediting", SchemaKind::Text, "a crediting policy"),
    optional_key("value", SchemaKind::Text, "a value policy"),
    optional_key("hold", SchemaKind::Text, "a hold policy"),
    optional_key("duplication", SchemaKind::Text, "a duplication policy"),
    optional_key("rollup", SchemaKind::Text, "a rollup policy"),
    optional_key("reward", SchemaKind::Text, "a reward policy"),
    optional_key("quota", SchemaKind::Text, "a quota policy"),
];

const NAME: SchemaKey =
    required_key("name", SchemaKind::Short(64), "the rule's name, unique in the plan");
const DESCRIPTION: SchemaKey = optional_key("description", SchemaKind::Text, "for people");
const TAGS: SchemaKey = optional_key("tags", TEXTS, "at most 50");
const FROM: SchemaKey = optional_key("from", SchemaKind::Day, "first incentive date");
const TO: SchemaKey = optional_key("to", SchemaKind::Day, "last incentive date");
const WHEN: SchemaKey = optional_key("condition", CONDITION, "an expression or rows");

const DIRECT: &[SchemaKey] = &[
    NAME,
    DESCRIPTION,
    TAGS,
    FROM,
    TO,
    WHEN,
    optional_key(
        "assign",
        COLUMNS,
        "who is credited: owner, team, field:COLUMN, preassigned, policy:NAME …",
    ),
    optional_key(
        "members",
        SchemaKind::Words(&["equal", "weight", "full", "manager"]),
        "what a team becomes",
    ),
    optional_key(
        "required",
        SchemaKind::Flag,
        "whether a deal without a recipient raises an alert",
    ),
    required_key("results", SchemaKind::List(&SchemaKind::Table("direct result")), "at least one"),
];

const ROW: &[SchemaKey] = &[
    optional_key("if", SchemaKind::Text, "the column of the first row"),
    optional_key("and", SchemaKind::Text, "the column of a further row"),
    optional_key("or", SchemaKind::Text, "the column of a further row"),
    required_key(
        "is",
        SchemaKind::Words(&["=", "!=", "<", "<=", ">", ">=", "contains"]),
        "the comparison",
    ),
    required_key(
        "value",
        SchemaKind::Any(&[
            SchemaKind::Text,
            SchemaKind::Flag,
            SchemaKind::Day,
            SchemaKind::Expression,
        ]),
        "with what",
    ),
];

const RESULT: SchemaKey =
    required_key("name", SchemaKind::Text, "the result's name, unique in the rule; never renamed");
const HOLD: SchemaKey =
    optional_key("hold", SchemaKind::Text, "none, indefinite, days:30, next:quarter … or Rhai");
const REASON: SchemaKey = optional_key("reason_code", SchemaKind::Text, "a declared reason code");
const UNIT_TYPE: SchemaKey = optional_key("unit_type", SchemaKind::Text, "a unit type");
const CREDIT_TYPE: SchemaKey =
    optional_key("credit_type", SchemaKind::Text, "a declared credit type");

const DIRECT_RESULT: &[SchemaKey] = &[
    RESULT,
    optional_key("value", SchemaKind::Expression, "the value of the whole deal; tx.amount"),
    UNIT_TYPE,
    CREDIT_TYPE,
    optional_key("maximum", SchemaKind::Expression, "caps each recipient's credit"),
    HOLD,
    optional_key("rollable", SchemaKind::Flag, "whether the credit rolls"),
    optional_key(
        "rollable_on_reporting",
        SchemaKind::Flag,
        "whether it enters named types from managers",
    ),
    optional_key("duplicates", DUPLICATES, "whether duplicates are kept"),
    REASON,
];

const INDIRECT: &[SchemaKey] = &[
    NAME,
    DESCRIPTION,
    TAGS,
    FROM,
    TO,
    WHEN,
    required_key(
        "relationship",
        SchemaKind::Text,
        "Reporting, another built-in one, or a declared type",
    ),
    optional_key("receivers", TEXTS, "which positions hold this rule; [\"*\"]"),
    optional_key("sources", TEXTS, "the plans whose direct credits it sees; this one"),
    required_key(
        "results",
        SchemaKind::List(&SchemaKind::Table("indirect result")),
        "at least one",
    ),
];

const INDIRECT_RESULT: &[SchemaKey] = &[
    RESULT,
    optional_key("value", SchemaKind::Expression, "the amount; credit.amount"),
    UNIT_TYPE,
    CREDIT_TYPE,
    optional_key(
        "maximum",
        SchemaKind::Expression,
        "across this rule's credits of one transaction",
    ),
    optional_key("maximum_scope", SchemaKind::Words(&["receiver", "item"]), "receiver"),
    HOLD,
    optional_key("duplicates", DUPLICATES, "whether duplicates are kept"),
    REASON,
];

const TIERS: SchemaKind =
    SchemaKind::Any(&[SchemaKind::List(&SchemaKind::Table("tier")), SchemaKind::Text]);

const REWARD_TO: SchemaKind = SchemaKind::Any(&[
    SchemaKind::Words(&["credited", "members", "user-managers", "team-managers"]),
    SchemaKind::Day,
]);

const REWARD: &[SchemaKey] = &[
    required_key("name", SchemaKind::Text, "the reward's name, unique in the plan"),
    DESCRIPTION,
    optional_key("credit_type", COLUMNS, "a declared credit type, or a list: whose credits count"),
    optional_key("to", REWARD_TO, "who gets it; or the last day on which it is in force"),
    optional_key("from", SchemaKind::Day, "first day: the last day of a period counts"),
    optional_key("until", SchemaKind::Day, "last day, where `to` names who gets it"),
    optional_key("targets", TEXTS, "who may get it: title: position: participant: team: or *"),
    optional_key("everyone", SchemaKind::Flag, "whether every target of the plan has a row"),
    optional_key(
        "to_date",
        SchemaKind::Words(&["quarter", "year"]),
        "sums credits and quota from the first day of that span",
    ),
    optional_key(
        "quota",
        SchemaKind::Words(&["to_date", "span"]),
        "which quota a reward to date has: so far, or of the whole span",
    ),
    optional_key("tiers", TIERS, "rates by how much was credited, or table:NAME"),
    optional_key(
        "retroactive",
        SchemaKind::Flag,
        "whether the rate that is reached applies to the whole amount",
    ),
    optional_key(
        "value",
        SchemaKind::Expression,
        "instead of tiers: sees payee, totals, quota, earned, paid and standing",
    ),
    optional_key("maximum", SchemaKind::Expression, "caps the reward"),
];

const DRAW: &[SchemaKey] = &[
    required_key("name", SchemaKind::Text, "the draw's name, unique among rewards and draws"),
    DESCRIPTION,
    required_key(
        "amount",
        SchemaKind::Expression,
        "the amount of a period: a number, or Rhai that sees payee and period",
    ),
    optional_key("recoverable", SchemaKind::Flag, "whether it is owed; false: a guarantee"),
    optional_key("covers", TEXTS, "the rewards that it covers; all"),
    optional_key("recover_at_most", SchemaKind::Text, "the most that is recovered in a period"),
    optional_key("from", SchemaKind::Day, "first day: the last day of a period counts"),
    optional_key("to", SchemaKind::Day, "last day"),
    optional_key("targets", TEXTS, "who has it; the plan's targets"),
];

const TIER: &[SchemaKey] = &[
    optional_key("up_to", SchemaKind::Text, "where it ends: an amount, or \"100%\" of the quota"),
    required_key("rate", SchemaKind::Text, "\"0.10\" or \"10%\""),
];
