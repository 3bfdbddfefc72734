//! Templates: whole customers that `accredit new DIR --template NAME` begins with.
//!
//! Not code: the folders of `scripts/templates/`, compiled in. A template is a folder there and an
//! entry below; a test compares the two. Called by `new`.

/// A customer's directory to begin with.
#[derive(Debug)]
pub(super) struct Template {
    /// The folder in `scripts/templates/`.
    pub(super) name: &'static str,
    /// Paths in the directory, and texts.
    pub(super) files: &'static [(&'static str, &'static str)],
}

macro_rules! templates {
    ($($name:literal: $($path:literal)*;)*) => {
        &[$(Template {
            name: $name,
            files: &[$((
                $path,
                include_str!(concat!("../../../../../scripts/templates/", $name, "/", $path)),
            ),)*],
        },)*]
    };
}

/// Every template.
const TEMPLATES: &[Template] = templates! {
    "saas":
        "PLAN.md"
        "accredit.toml"
        "organization/assignments.csv"
        "organization/attributes.csv"
        "organization/participants.csv"
        "organization/positions.csv"
        "organization/quotas.csv"
        "plans/ae.cases.md"
        "plans/ae.toml"
        "plans/managers.cases.md"
        "plans/managers.toml"
        "plans/sdr.cases.md"
        "plans/sdr.toml"
        "plans/se.cases.md"
        "plans/se.toml"
        "policies/crediting/seat-and-split.cases.md"
        "policies/crediting/seat-and-split.rhai"
        "transactions/crm.csv";
    "manufacturer":
        "PLAN.md"
        "accredit.toml"
        "organization/assignments.csv"
        "organization/exchange_rates.csv"
        "organization/members.csv"
        "organization/participants.csv"
        "organization/positions.csv"
        "organization/teams.csv"
        "organization/territories.csv"
        "plans/field.cases.md"
        "plans/field.toml"
        "plans/house.cases.md"
        "plans/house.toml"
        "policies/crediting/house.cases.md"
        "policies/crediting/house.rhai"
        "policies/value/outside.cases.md"
        "policies/value/outside.rhai"
        "tables/channels.csv"
        "tables/commission.csv"
        "tables/house_accounts.csv"
        "transactions/invoices.csv";
    "insurance":
        "PLAN.md"
        "accredit.toml"
        "organization/assignments.csv"
        "organization/attributes.csv"
        "organization/participants.csv"
        "organization/positions.csv"
        "plans/agents.cases.md"
        "plans/agents.toml"
        "policies/rollup/contract-difference.cases.md"
        "policies/rollup/contract-difference.rhai"
        "policies/value/first-year.cases.md"
        "policies/value/first-year.rhai"
        "tables/commission.csv"
        "transactions/premiums.csv";
};

/// The names of all templates.
pub(super) fn names() -> Vec<&'static str> {
    TEMPLATES.iter().map(|template| template.name).collect()
}

/// The template of this name.
pub(super) fn find_template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}
