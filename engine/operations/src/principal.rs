//! Who asks, and whose data that person may read.
//!
//! Not tokens, keys and sessions, by which the host finds out who asks, and not which route takes which
//! role (the host's table). Called by every operation that reads what belongs to a payee. Source: DOMAIN
//! 2.18, RELIABILITY section 5.
//!
//! **Architecture invariant:** the data of one payee is read through a [`PayeeScope`], which only
//! [`Principal::scope_of`] makes: no read of a payee's data is possible without the question whose it is.

use std::collections::{BTreeMap, BTreeSet};

use accredit_domain::organization::{Organization, ParticipantId};
use accredit_ledger::releases::Statement;
use accredit_ledger::scope::ReadScope;
use jiff::civil::Date;

use crate::context::Context;
use crate::error::OperationError;

/// What a caller may do, from seeing own pay to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read what concerns one participant, and ask about it.
    Payee,
    /// Send deals of one source, and read nothing.
    Source,
    /// Read everything, and preview; change nothing.
    Auditor,
    /// Also ask for payees.
    Reader,
    /// Also make changes of definitions.
    Author,
    /// Also approve changes of others.
    Approver,
    /// All rights.
    Admin,
}

impl Role {
    /// Every role, from the least to the highest.
    pub const ALL: [Role; 7] = [
        Role::Payee,
        Role::Source,
        Role::Auditor,
        Role::Reader,
        Role::Author,
        Role::Approver,
        Role::Admin,
    ];

    /// The role with this name.
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Payee => "payee",
            Role::Source => "source",
            Role::Auditor => "auditor",
            Role::Reader => "reader",
            Role::Author => "author",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }

    /// Whether it is a role of the staff, which is bound to no participant and to no source.
    pub fn is_staff(self) -> bool {
        self >= Role::Auditor
    }
}

/// What a caller is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Binding {
    /// To nothing.
    Staff(Role),
    /// To the participant with this id.
    Payee(String),
    /// To the deals whose natural keys begin so.
    Source(String),
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// As in the audit trail.
    pub name: String,
    binding: Binding,
}

impl Principal {
    /// A caller with a role of the staff; none for a role that is bound to something.
    pub fn of_staff(name: impl Into<String>, role: Role) -> Option<Principal> {
        role.is_staff().then(|| Principal { name: name.into(), binding: Binding::Staff(role) })
    }

    /// The caller who may do everything.
    pub fn admin(name: impl Into<String>) -> Principal {
        Principal { name: name.into(), binding: Binding::Staff(Role::Admin) }
    }

    /// A payee: the participant with this id.
    pub fn of_payee(name: impl Into<String>, participant: impl Into<String>) -> Principal {
        Principal { name: name.into(), binding: Binding::Payee(participant.into()) }
    }

    /// A source of deals, for those whose natural keys begin with `scope`.
    pub fn of_source(name: impl Into<String>, scope: impl Into<String>) -> Principal {
        Principal { name: name.into(), binding: Binding::Source(scope.into()) }
    }

    /// What the caller may do.
    pub fn role(&self) -> Role {
        match &self.binding {
            Binding::Staff(role) => *role,
            Binding::Payee(_) => Role::Payee,
            Binding::Source(_) => Role::Source,
        }
    }

    /// The id of the participant whom the caller is; none for other roles.
    pub fn participant(&self) -> Option<&str> {
        match &self.binding {
            Binding::Payee(participant) => Some(participant),
            Binding::Staff(_) | Binding::Source(_) => None,
        }
    }

    /// What the natural keys of the caller's deals begin with; none for other roles.
    pub fn deal_scope(&self) -> Option<&str> {
        match &self.binding {
            Binding::Source(scope) => Some(scope),
            Binding::Staff(_) | Binding::Payee(_) => None,
        }
    }

    /// Whose rows lists of everybody may have for this caller.
    pub fn read_scope(&self, context: &Context) -> ReadScope {
        match &self.binding {
            Binding::Staff(_) => ReadScope::All,
            Binding::Payee(participant) => payee_scope(context, participant, None).read_scope(),
            Binding::Source(_) => ReadScope::Participants(BTreeSet::new()),
        }
    }

    /// The scope of the payee whom the caller is.
    ///
    /// # Errors
    /// [`OperationError::NotFound`] for a caller who is no payee.
    pub fn own_scope(
        &self,
        context: &Context,
        on: Option<Date>,
    ) -> Result<PayeeScope, OperationError> {
        let own = self.participant().ok_or_else(unknown_payee)?;
        Ok(payee_scope(context, own, on))
    }

    /// The scope of one payee: of any for the staff, of those who report to the caller on the date for
    /// a payee. With a date, of the periods that contain it alone.
    ///
    /// # Errors
    /// [`OperationError::NotFound`] for every other payee, known or not.
    pub fn scope_of(
        &self,
        context: &Context,
        payee: &str,
        on: Option<Date>,
    ) -> Result<PayeeScope, OperationError> {
        let may_read = match &self.binding {
            Binding::Staff(_) => true,
            Binding::Payee(own) => {
                let date = on.unwrap_or_else(|| context.business_date());
                reports_of(context, own, date).iter().any(|report| report.participant == payee)
            }
            Binding::Source(_) => false,
        };
        if may_read { Ok(payee_scope(context, payee, on)) } else { Err(unknown_payee()) }
    }
}

/// The one answer about a payee whom the caller may not read, or who does not exist.
fn unknown_payee() -> OperationError {
    OperationError::not_found("payee")
}

/// One payee, with the ids and the periods that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayeeScope {
    payee: String,
    /// The id of now, and those that the payee was renamed from.
    ids: BTreeSet<String>,
    /// The day that periods have to contain, if the question names one.
    on: Option<Date>,
}

impl PayeeScope {
    /// The id of the payee.
    pub fn payee(&self) -> &str {
        &self.payee
    }

    /// The ids of the payee: that of now first, then those that it was renamed from.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let former = self.ids.iter().filter(|id| **id != self.payee);
        std::iter::once(&self.payee).chain(former).map(String::as_str)
    }

    /// Whether an id is one of the payee's.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether the periods are those that contain one day.
    pub(crate) fn covers(&self, context: &Context, statement: &Statement) -> bool {
        let Some(day) = self.on else { return true };
        let calendar = &context.ruleset.load().settings.calendar;
        calendar.find(&statement.period).is_some_and(|period| period.contains(day))
    }

    /// The rows that belong to the payee.
    pub fn read_scope(&self) -> ReadScope {
        ReadScope::Participants(self.ids.clone())
    }
}

/// The scope of a payee, with the ids that it was renamed from.
fn payee_scope(context: &Context, payee: &str, on: Option<Date>) -> PayeeScope {
    let ruleset = context.ruleset.load();
    let organization = &ruleset.organization;
    let known = organization.find_participant(payee);
    // Only the id of now shows what was published under the former ones.
    let known = known.filter(|known| *organization.participant_id(*known) == *payee);
    let former = known.into_iter().flat_map(|known| organization.former_ids(known));
    let ids = std::iter::once(payee).chain(former).map(str::to_owned).collect();
    PayeeScope { payee: payee.to_owned(), ids, on }
}

/// A person who reports to another, directly or through others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The id of the person.
    pub participant: String,
    /// The name of the person.
    pub name: String,
    /// The position by which the person reports.
    pub position: String,
    /// How far below the manager the position is, from 1.
    pub level: u32,
}

/// Those who report to a participant on a date, nearest first; each person once.
pub fn reports_of(context: &Context, participant: &str, date: Date) -> Vec<Report> {
    let ruleset = context.ruleset.load();
    let organization = &ruleset.organization;
    let known = organization.find_participant(participant);
    let known = known.filter(|known| *organization.participant_id(*known) == *participant);
    let Some(manager) = known.filter(|known| organization.exists_on(*known, date)) else {
        return Vec::new();
    };

    let mut nearest: BTreeMap<ParticipantId, Report> = BTreeMap::new();
    for (holder, report) in reports_by_position(organization, manager, date) {
        let known = nearest.entry(holder).or_insert_with(|| report.clone());
        if report.level < known.level {
            *known = report;
        }
    }

    let mut reports: Vec<Report> = nearest.into_values().collect();
    reports.sort_by(|a, b| (a.level, &a.participant).cmp(&(b.level, &b.participant)));
    reports
}

/// Every position below those of a manager, with the person who holds it.
fn reports_by_position(
    organization: &Organization,
    manager: ParticipantId,
    date: Date,
) -> impl Iterator<Item = (ParticipantId, Report)> {
    let own = organization.positions_held_by(manager, date);
    organization.positions().filter_map(move |(position, known)| {
        let epoch = organization.position_on(position, date).filter(|epoch| epoch.exists)?;
        let holder = epoch.holder.filter(|holder| *holder != manager)?;
        let above = epoch.ancestors.iter().filter(|(above, _)| own.contains(above));
        let level = above.map(|(_, level)| *level).min()?;
        let report = Report {
            participant: organization.participant_id(holder).to_string(),
            name: organization.participant_name(holder).to_string(),
            position: known.id.to_string(),
            level,
        };
        Some((holder, report))
    })
}
