//! The standard library of policies, which a plan names as `standard/NAME`.
//!
//! Not code: the sources in `scripts/`, compiled in, the same text that a customer may copy and
//! change. Called by `workspace`, which makes programs of those that are used.
//!
//! **Architecture invariant:** a standard policy is an ordinary policy: nothing here can do what a
//! customer's own file cannot.

use accredit_domain::policy::PolicyKind;

macro_rules! library {
    ($($kind:ident $folder:literal $name:literal,)*) => {
        &[$((
            PolicyKind::$kind,
            $name,
            include_str!(concat!("../../../scripts/", $folder, "/", $name, ".rhai")),
        ),)*]
    };
}

/// Every standard policy: kind, name, source.
pub const LIBRARY: &[(PolicyKind, &str, &str)] = library! {
    Crediting "crediting" "owner",
    Crediting "crediting" "owner-and-overlay",
    Crediting "crediting" "rep-by-quantity",
    Crediting "crediting" "team-by-city",
    Crediting "crediting" "both-reps",
    Crediting "crediting" "weighted-split",
    Crediting "crediting" "percent-split",
    Crediting "crediting" "holdover",
    Crediting "crediting" "named-accounts",
    Filter "filter" "clawback",
    Value "value" "chargeback-pro-rata",
    Value "value" "advance",
    Hold "hold" "hold-large-deals",
    Hold "hold" "hold-until-next-quarter",
    Hold "hold" "hold-until-paid",
    Duplication "duplication" "no-duplicates",
    Duplication "duplication" "allow-on-rolldown",
    Rollup "rollup" "full-rollup",
    Rollup "rollup" "share-rollup",
    Rollup "rollup" "compressed-override",
    Rollup "rollup" "differential-override",
    Intake "intake" "dynamics-opportunities",
    Intake "intake" "generic-deals",
    Intake "intake" "hubspot-deals",
    Intake "intake" "hubspot-events",
    Intake "intake" "pipedrive-deals",
    Intake "intake" "salesforce-opportunities",
    Intake "intake" "salesforce-outbound",
    Intake "intake" "stripe-invoices",
    Intake "intake" "zoho-deals",
};

/// The source of the standard policy `name` of `kind`.
pub fn find_standard_source(kind: PolicyKind, name: &str) -> Option<&'static str> {
    let found = LIBRARY.iter().find(|(known, called, _)| *known == kind && *called == name);
    found.map(|(_, _, source)| *source)
}
