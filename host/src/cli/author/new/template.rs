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
        "organization/participants.csv"
        "organization/positions.csv"
        "organization/assignments.csv"
        "organization/attributes.csv"
        "organization/quotas.csv"
        "plans/ae.toml"
        "plans/ae.cases.md"
        "plans/managers.toml"
        "plans/managers.cases.md"
        "plans/sdr.toml"
        "plans/sdr.cases.md"
        "plans/se.toml"
        "plans/se.cases.md"
        "policies/crediting/seat-and-split.rhai"
        "policies/crediting/seat-and-split.cases.md"
        "transactions/crm.csv";
};

/// The names of all templates.
pub(super) fn names() -> Vec<&'static str> {
    TEMPLATES.iter().map(|template| template.name).collect()
}

/// The template of this name.
pub(super) fn find_template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}
