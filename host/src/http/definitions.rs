//! Routes for policies, plans and other definitions.

pub(crate) mod aliases;
pub(crate) mod changes;
pub(crate) mod conditions;
pub(crate) mod files;
pub(crate) mod lineage;
pub(crate) mod organization;
pub(crate) mod policies;
pub(crate) mod rules;
pub(crate) mod shadow;
