//! A customer: everything that a directory describes, understood, as one immutable [`Ruleset`].
//!
//! Built from files in memory ([`Files`]); reading a disk or a database is the caller's. Reading is
//! total: it returns what it could build and every diagnostic. Called by the command line, by hot
//! reload and by case files. Source: FORMAT sections 1 to 3.
//!
//! **Architecture invariant:** a ruleset exists only when nothing in it is an error, and its hash
//! names its content: two rulesets of equal hash decide alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::money::{Unit, Units};
use crate::organization::Organization;
use crate::plan::{Plan, Relationship};
use crate::policy::{Kind, ProgramId, Programs};
use crate::transaction::Fields;

/// The files of a customer's directory, by path with `/` between folders; without `transactions/`.
pub type Files = BTreeMap<String, Arc<str>>;

/// Everything that decides, of one moment, immutable.
#[derive(Debug)]
pub struct Ruleset {
    /// Hash of the content, `rs_` and 32 hexadecimal digits.
    pub hash: Arc<str>,
    /// `accredit.toml`.
    pub settings: Settings,
    /// The organisation.
    pub organization: Organization,
    /// Plans by id.
    pub plans: BTreeMap<Arc<str>, Plan>,
    /// Every policy and expression of the above.
    pub programs: Programs,
    /// Policies of the directory by kind and name, used by a plan or not.
    pub policies: BTreeMap<(Kind, String), ProgramId>,
    /// What it was built from.
    pub files: Files,
}

/// `accredit.toml`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the workspace.
    pub name: String,
    /// Time zone, an IANA name.
    pub time_zone: String,
    /// The workspace's currency.
    pub currency: Unit,
    /// Unit types.
    pub units: Units,
    /// Credit types in declared order.
    pub credit_types: Vec<Arc<str>>,
    /// Reason codes.
    pub reason_codes: Vec<Arc<str>>,
    /// User-defined relationship types in declared order.
    pub relationship_types: Vec<Arc<str>>,
    /// What columns mean.
    pub fields: Arc<Fields>,
    /// Periods.
    pub calendar: Calendar,
    /// Saved queries, by name.
    pub queries: BTreeMap<String, ProgramId>,
    /// Webhook sources, by name.
    pub sources: BTreeMap<String, Source>,
}

/// A webhook source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The connector that verifies and decodes.
    pub connector: String,
    /// The intake policy that maps the body; absent, the body is one transaction or an array.
    pub intake: Option<ProgramId>,
}

impl Settings {
    /// The name of a relationship, as rules write it.
    pub fn relationship_name(&self, relationship: Relationship) -> Arc<str> {
        match relationship {
            Relationship::Reporting => Arc::from("Reporting"),
            Relationship::RelatedPerson => Arc::from("Related Order (Person)"),
            Relationship::RelatedPosition => Arc::from("Related Order (Position)"),
            Relationship::Named(id) => {
                let name = self.relationship_types.get(usize::from(id.0));
                name.cloned().unwrap_or_else(|| Arc::from(""))
            }
        }
    }
}

impl Ruleset {
    pub fn read(
        _: &Files,
        _: &std::collections::BTreeSet<String>,
    ) -> (Option<Ruleset>, Vec<crate::diagnostic::Diagnostic>) {
        (None, Vec::new())
    }
}
