//! A customer: everything that a directory describes, understood, as one immutable [`Ruleset`].
//!
//! Built from files in memory ([`Files`]); reading a disk or a database is the caller's. Reading is
//! total: it returns what it could build and every diagnostic. Called by the command line, by hot
//! reload and by case files. Source: FORMAT sections 1 to 3.
//!
//! **Architecture invariant:** a ruleset exists only when nothing in it is an error, and its hash
//! names its content: two rulesets of equal hash decide alike.

mod appearance;
mod assign;
mod calendar;
mod conditions;
mod csv;
pub mod destinations;
mod doubts;
mod exchange;
mod fields;
mod hash;
mod layout;
mod limits;
mod organization;
mod plan;
mod policies;
mod quotas;
mod report;
mod result;
mod reward;
mod rule;
pub mod schema;
mod selector;
mod setting;
mod settings;
mod shared;
mod sources;
mod tables;
#[cfg(test)]
mod tests;
mod toml;
mod unrecognized_files;
mod unused;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use self::policies::Policies;
use self::report::Findings;
use accredit_domain::calendar::Calendar;
use accredit_domain::declared::DeclaredKind;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::exchange::{ExchangeRates, ExchangeSettings};
use accredit_domain::keys::{DefinedName, PlanKey, RulesetHash};
use accredit_domain::money::{Unit, Units};
use accredit_domain::organization::Organization;
use accredit_domain::plan::quota::Quotas;
use accredit_domain::plan::{Measure, Plan, Relationship};
use accredit_domain::policy::{PolicyKind, ProgramId, Programs};
use accredit_domain::rate_limit::RateLimit;
use accredit_domain::tables::Tables;
use accredit_domain::transaction::Fields;
use accredit_domain::transaction::read::FileLayout;
use accredit_domain::work;
use accredit_script::pool::MachinePool;
use accredit_script::{CheckContext, Machine, ReferenceData};
use accredit_seams::connector::SourceSettings;

pub use self::destinations::EventDestination;
pub use self::hash::POLICY_LANGUAGE;
pub use self::tables::DeclaredTable;
pub use self::unrecognized_files::unrecognized_files;
pub use accredit_domain::files::Files;

/// Everything that decides, of one moment, immutable.
#[derive(Debug)]
pub struct Ruleset {
    /// Hash of the content, `rs_` and 32 hexadecimal digits.
    pub hash: RulesetHash,
    /// The settings in `accredit.toml`.
    pub settings: Settings,
    /// People, positions, teams and how they belong together.
    pub organization: Arc<Organization>,
    /// Exchange rates between currencies.
    pub rates: ExchangeRates,
    /// The plans by id.
    pub plans: BTreeMap<PlanKey, Plan>,
    /// The ids of plans in the order in which they are decided: what a plan takes credits from
    /// comes before it, else by id.
    pub order: Vec<PlanKey>,
    /// The quotas of all plans.
    pub quotas: Quotas,
    /// Rates and other values that programs look up, and tiers of rewards.
    pub tables: Arc<Tables>,
    /// The same with the organisation, the calendar and the rates, as programs read them.
    pub reference: Arc<ReferenceData>,
    /// Every policy and expression of the above.
    pub programs: Programs,
    /// Policies of the directory by kind and name, used by a plan or not.
    pub policies: BTreeMap<(PolicyKind, String), ProgramId>,
    /// What it was built from.
    pub files: Files,
    /// Machines that have compiled its programs.
    pub machines: MachinePool,
}

/// What `accredit.toml` says, every word understood.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the workspace.
    pub name: String,
    /// Time zone, an IANA name.
    pub time_zone: String,
    /// The workspace's currency, of amounts that name none.
    pub currency: Unit,
    /// The units that amounts may have.
    pub units: Units,
    /// Credit types in declared order.
    pub credit_types: Vec<DefinedName>,
    /// The reason codes that credits may have.
    pub reason_codes: Vec<DefinedName>,
    /// User-defined relationship types in declared order.
    pub relationship_types: Vec<DefinedName>,
    /// What the columns of a transaction mean.
    pub fields: Arc<Fields>,
    /// How the rows of transactions lie in their files.
    pub layout: FileLayout,
    /// The periods of the workspace.
    pub calendar: Calendar,
    /// The columns of tables, by the name of the table.
    pub tables: BTreeMap<Arc<str>, DeclaredTable>,
    /// The kinds of attributes that are declared; the others are text.
    pub attributes: BTreeMap<Arc<str>, DeclaredKind>,
    /// Saved queries, by name.
    pub queries: BTreeMap<String, ProgramId>,
    /// Webhook sources, by name.
    pub sources: BTreeMap<String, WebhookSource>,
    /// Systems that are told of events, by name.
    pub destinations: BTreeMap<String, EventDestination>,
}

/// A source of webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSource {
    /// The connector that verifies and decodes.
    pub connector: String,
    /// Where the connector is named.
    pub place: Place,
    /// The intake policy that maps the body; absent, the body is one transaction or an array.
    pub intake: Option<ProgramId>,
    /// Whether a delivery brings only what changed, and is laid over the deal's last version.
    pub merge: bool,
    /// What is put in front of the natural key of each of its deals, so that a number of two CRMs is two
    /// deals.
    pub key_prefix: Option<String>,
    /// How often it may send; none where it is not said.
    pub rate_limit: Option<RateLimit>,
    /// What its connector is told.
    pub settings: SourceSettings,
    /// Where each setting stands: `url`, and the connector's own, whose names only it knows.
    pub setting_places: BTreeMap<String, SettingPlace>,
}

/// Where a setting of a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingPlace {
    /// Its key.
    pub key: Place,
    /// Its value.
    pub value: Place,
}

/// The credit type of a workspace that declares none.
const CREDIT_TYPE_DEFAULT: &str = "credit";

/// The names of the relationships that every workspace has.
struct BuiltInNames {
    reporting: DefinedName,
    related_person: DefinedName,
    related_position: DefinedName,
    team: DefinedName,
    parent_team: DefinedName,
}

static BUILT_IN: LazyLock<BuiltInNames> = LazyLock::new(|| BuiltInNames {
    reporting: "Reporting".into(),
    related_person: "Related Order (Person)".into(),
    related_position: "Related Order (Position)".into(),
    team: "Team".into(),
    parent_team: "Parent Team".into(),
});

impl Settings {
    /// The name of a relationship, as rules write it.
    pub fn relationship_name(&self, relationship: Relationship) -> DefinedName {
        match relationship {
            Relationship::Reporting => BUILT_IN.reporting,
            Relationship::RelatedPerson => BUILT_IN.related_person,
            Relationship::RelatedPosition => BUILT_IN.related_position,
            Relationship::Team => BUILT_IN.team,
            Relationship::ParentTeam => BUILT_IN.parent_team,
            Relationship::Named(id) => {
                let name = self.relationship_types.get(usize::from(id.0));
                name.copied().unwrap_or_default()
            }
        }
    }

    /// The credit type called so.
    pub fn find_credit_type(&self, name: &str) -> Option<DefinedName> {
        // A workspace that declares no types has this one.
        if self.credit_types.is_empty() && name == CREDIT_TYPE_DEFAULT {
            return Some(DefinedName::from(CREDIT_TYPE_DEFAULT));
        }
        self.credit_types.iter().find(|known| **known == *name).copied()
    }

    /// The only credit type that there is; none where there are several.
    pub fn only_credit_type(&self) -> Option<DefinedName> {
        match self.credit_types.as_slice() {
            [] => Some(DefinedName::from(CREDIT_TYPE_DEFAULT)),
            [only] => Some(*only),
            _ => None,
        }
    }
}

impl Ruleset {
    /// Runs `work` with a machine that has compiled this ruleset's programs.
    pub fn with_machine<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        self.machines.with_machine(&self.programs, work)
    }

    /// Understands a customer's directory; a ruleset only when no finding is an error.
    ///
    /// `observed` are the columns known from headers under `transactions/` or from rows received
    /// before; while there are none, a column may have any name. Findings come by file, line and
    /// column.
    pub fn read(files: &Files, observed: &BTreeSet<String>) -> (Option<Ruleset>, Vec<Diagnostic>) {
        let report = Findings::default();
        work::begin_check();
        let ruleset = if limits::fits_limits(files, &report) {
            read_ruleset(files, observed, &report)
        } else {
            None
        };
        let findings = report.into_sorted();
        let usable = !findings.iter().any(Diagnostic::is_error);
        (ruleset.filter(|_| usable), findings)
    }

    /// The plans that must be decided before `plan`: its sources and theirs, in order.
    pub fn plans_before(&self, plan: &Plan) -> Vec<PlanKey> {
        let mut wanted = plan.source_plans();
        for id in self.order.iter().rev() {
            if wanted.contains(id)
                && let Some(source) = self.plans.get(id)
            {
                wanted.extend(source.source_plans());
            }
        }
        self.order.iter().copied().filter(|id| wanted.contains(id)).collect()
    }

    /// A hash for each plan, by its id: where two rulesets have the same one, the plan decides
    /// alike in both, and nothing of it has to be decided again.
    pub fn plan_hashes(&self) -> BTreeMap<String, String> {
        hash::plan_hashes(&self.files, &self.programs)
    }

    /// A hash for each plan, by its id: where two rulesets have the same one, the same credits are
    /// worth the same in both.
    pub fn reward_hashes(&self) -> BTreeMap<String, String> {
        hash::reward_hashes(&self.files, &self.programs)
    }

    /// The text of the settings and, of each of `plans`, what its file says about credits. Programs,
    /// the organisation, tables and rates are not in it.
    pub fn crediting_texts(&self, plans: &[&str]) -> Vec<String> {
        let general = [SETTINGS, calendar::PERIODS].into_iter().map(|path| self.text_of(path));
        let plans = plans.iter().map(|id| hash::without_pay(&self.plan_text(id)));
        general.chain(plans).collect()
    }

    /// Whether the other one is built from the same files, but for plans and policies: people, positions and
    /// teams are alike then.
    pub fn has_organization_of(&self, other: &Ruleset) -> bool {
        let rules = ["plans/", "policies/"];
        let is_other = |path: &str| !rules.iter().any(|folder| path.starts_with(folder));
        let one = self.files.iter().filter(|(path, _)| is_other(path));
        one.eq(other.files.iter().filter(|(path, _)| is_other(path)))
    }

    /// The same for one plan, and what its file says about direct credits.
    pub fn direct_texts(&self, plan: &str) -> Vec<String> {
        let general = [SETTINGS, calendar::PERIODS].into_iter().map(|path| self.text_of(path));
        general.chain([hash::without_rollup(&self.plan_text(plan))]).collect()
    }

    fn plan_text(&self, plan: &str) -> String {
        self.text_of(&format!("plans/{plan}.toml"))
    }

    /// The text of a file with the line ends of one system; blank without the file.
    fn text_of(&self, path: &str) -> String {
        self.files.get(path).map(|text| text.replace("\r\n", "\n")).unwrap_or_default()
    }

    /// What could be left out of a directory that is otherwise fine: declared columns that nothing
    /// reads.
    pub fn unused_declarations(&self) -> Vec<Diagnostic> {
        unused::unused_declarations(self)
    }
}

/// The plans that can be read, by id.
fn read_plans(
    files: &Files,
    scope: plan::PlanScope<'_>,
    report: &Findings,
) -> BTreeMap<PlanKey, Plan> {
    let mut plans = BTreeMap::new();
    for (path, id, text) in plan_files(files) {
        let source = toml::DefinitionText::new(path, text, report);
        if let Some(plan) = plan::read(source, id, scope) {
            plans.insert(plan.id, plan);
        }
    }
    plans
}

fn read_ruleset(files: &Files, observed: &BTreeSet<String>, report: &Findings) -> Option<Ruleset> {
    unrecognized_files::warn_unrecognized(files, report);
    unrecognized_files::warn_orphan_cases(files, report);

    let policies = Policies::read(files, report);

    let Some(settings) = read_settings(files, observed, &policies, report) else {
        // Every reference into accredit.toml would be reported as broken, so only syntax is.
        plan_files(files).for_each(|(path, _, text)| {
            toml::DefinitionText::new(path, text, report).parse();
        });
        return None;
    };

    let columns = KnownColumns::new(&settings.fields, observed);
    let (organization, whole) = organization::read(files, &settings, &columns, report);
    let tables = tables::read(files, &settings.tables, report);
    let mut rates = exchange::read(files, &settings, report);
    // What people are paid in is a currency, whether a rate names it or not.
    organization.all_currencies().for_each(|unit| rates.add_currency(unit));

    let names = setting::NamedPrograms { policies: &policies, queries: &settings.queries };
    let references = sources::PlanReferences::default();
    let doubts = doubts::DeferredWarnings::default();

    let scope = plan::PlanScope {
        settings: &settings,
        organization: &organization,
        tables: &tables,
        measure: Measure::Individual,
        whole,
        columns: &columns,
        names,
        plan: "",
        references: &references,
        doubts: &doubts,
    };

    let plans = read_plans(files, scope, report);
    let ids: Vec<&str> = plan_files(files).map(|(_, id, _)| id).collect();
    let order = references.decision_order(&plans, &ids, report);
    appearance::check_plan_names(&plans, report);
    let quotas = quotas::read(files, &plans, &ids, scope, report);

    // An organisation with rows left out is not empty because of what it seems to lack.
    if whole {
        doubts::warn_unstaffed_organization(&organization, &plans, report);
    }
    doubts.report_confirmed(&plans, &quotas, report);

    let shared = policies.shared_functions();
    let (programs, policies) = policies.finish();

    let mut known = check_context(&settings, &columns, (&organization, whole));
    known.shared = shared;

    policies::check_programs(&programs, &plans, known, report);

    let hash = hash::ruleset_hash(files, &programs);
    let files = files.clone();
    let reference = Arc::new(reference_data(&settings, &rates, organization, tables));

    Some(Ruleset {
        hash,
        settings,
        organization: Arc::clone(&reference.organization),
        rates,
        plans,
        order,
        quotas,
        tables: Arc::clone(&reference.tables),
        reference,
        programs,
        policies,
        files,
        machines: MachinePool::default(),
    })
}

/// What programs read of the rules.
fn reference_data(
    settings: &Settings,
    rates: &ExchangeRates,
    organization: Organization,
    tables: Tables,
) -> ReferenceData {
    let exchange = ExchangeSettings {
        units: settings.units.clone(),
        rates: rates.clone(),
        home: settings.currency,
    };

    ReferenceData {
        organization: Arc::new(organization),
        tables: Arc::new(tables),
        calendar: settings.calendar.clone(),
        exchange,
    }
}

/// `[transactions]` of a directory, even if other files have errors: rows are read before the rest
/// is understood, since their columns are a part of it.
pub fn transaction_layout(files: &Files) -> FileLayout {
    let report = Findings::default();
    let text = files.get(SETTINGS).map(AsRef::as_ref).unwrap_or_default();
    let source = toml::DefinitionText::new(SETTINGS, text, &report);
    let Some(document) = source.parse() else { return FileLayout::default() };
    let (_, layout) = layout::read(&mut toml::TomlTable::root(source, &document));
    layout
}

/// What programs are checked against; names of recipients only where the organisation is `whole`.
fn check_context(
    settings: &Settings,
    columns: &KnownColumns,
    (organization, whole): (&Organization, bool),
) -> CheckContext {
    CheckContext {
        fields: Arc::clone(&settings.fields),
        columns: columns.known.clone(),
        open: columns.open,
        people: organization.names_of_people().map(str::to_owned).collect(),
        // Where people were left out of the reading, names that are not known may be theirs.
        recipients: if whole {
            organization.all_names().map(str::to_owned).collect()
        } else {
            BTreeSet::new()
        },
        credit_types: settings.credit_types.iter().map(ToString::to_string).collect(),
        whole_units: settings.units.all_whole(),
        total_one: false,
        shared: BTreeSet::new(),
        tables: settings
            .tables
            .iter()
            .filter_map(|(name, table)| Some((name.to_string(), table.shape.clone()?)))
            .collect(),
        attributes: organization
            .attributes
            .kinds()
            .map(|(name, kind)| (name.to_string(), kind))
            .collect(),
    }
}

fn read_settings(
    files: &Files,
    observed: &BTreeSet<String>,
    policies: &Policies,
    report: &Findings,
) -> Option<Settings> {
    let Some(text) = files.get(SETTINGS) else {
        let message = format!("`{SETTINGS}` is missing");
        let help = "it says what the columns of a transaction mean; begin with [workspace]";
        report.error(Code::CR023, Place::whole_file(SETTINGS), message, help);
        return None;
    };
    settings::read(toml::DefinitionText::new(SETTINGS, text, report), files, observed, policies)
}

const SETTINGS: &str = "accredit.toml";

/// Path, id and text of every plan.
fn plan_files(files: &Files) -> impl Iterator<Item = (&str, &str, &str)> {
    files.iter().filter_map(|(path, text)| Some((path.as_str(), plan_id(path)?, text.as_ref())))
}

fn plan_id(path: &str) -> Option<&str> {
    let stem = path.strip_prefix("plans/")?.strip_suffix(".toml")?;
    (!stem.is_empty() && !stem.contains('/')).then_some(stem)
}

fn policy_path(path: &str) -> Option<(&str, &str)> {
    let (folder, file) = path.strip_prefix("policies/")?.split_once('/')?;
    let stem = file.strip_suffix(".rhai")?;
    (!stem.is_empty() && !stem.contains('/')).then_some((folder, stem))
}

/// Whether the file at `path` defines something: what the hash covers, and hot reload watches.
pub fn is_definition(path: &str) -> bool {
    path == SETTINGS
        || plan_id(path).is_some()
        || policy_path(path).is_some()
        || tables::table_name(path).is_some()
        || organization::ORGANIZATION_FILES.contains(&path)
}

/// The columns of transactions that expressions may read.
#[derive(Debug, Clone)]
struct KnownColumns {
    known: BTreeSet<String>,
    /// Whether there may be others, as no transaction was seen yet.
    open: bool,
}

impl KnownColumns {
    fn new(fields: &Fields, observed: &BTreeSet<String>) -> Self {
        KnownColumns { known: known_columns(fields, observed), open: observed.is_empty() }
    }
}

/// The columns that the workspace names and those that were observed.
pub fn known_columns(fields: &Fields, observed: &BTreeSet<String>) -> BTreeSet<String> {
    fields.named_columns().map(str::to_owned).chain(observed.iter().cloned()).collect()
}
