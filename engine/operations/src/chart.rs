//! The organisation on a day, as a whole: positions with their holders and quotas, people without a
//! position, teams, relationships.
//!
//! Not whom a name means (`domain::organization`). Called by `http::definitions::organization`. Source:
//! FORMAT section 1, DOMAIN 2.2, 2.3.
//!
//! **Architecture invariant:** what is listed holds on the day; dates are those of its row in the files.

use accredit_domain::calendar::Validity;
use accredit_domain::keys::{
    DefinedName, ParticipantKey, PeriodKey, PlanKey, PositionKey, RecipientKey, TeamKey,
};
use accredit_domain::organization::{Organization, ParticipantId, PositionId, Recipient};
use accredit_domain::plan::Selector;
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// An organisation on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrganizationChart {
    /// The day.
    pub on: Date,
    /// The days on which anything of the organisation changes, in order.
    pub changes: Vec<Date>,
    /// The positions, in the order of the files.
    pub positions: Vec<ChartPosition>,
    /// People who hold no position.
    pub without_position: Vec<ChartPerson>,
    /// The teams.
    pub teams: Vec<ChartTeam>,
    /// Relationships of declared types.
    pub relationships: Vec<ChartRelationship>,
}

/// A position on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChartPosition {
    /// Its id.
    pub position: PositionKey,
    /// Its title.
    pub title: DefinedName,
    /// The position that it reports to.
    pub manager: Option<PositionKey>,
    /// The first day of this version; null for one without a beginning.
    pub from: Option<Date>,
    /// Its last day; null for one without an end.
    pub to: Option<Date>,
    /// Who holds it; nobody where it is vacant.
    pub holders: Vec<ChartPerson>,
    /// Quotas of periods that contain the day, for the position itself or for who holds it.
    pub quotas: Vec<ChartQuota>,
}

/// A person on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChartPerson {
    /// The id.
    pub payee: ParticipantKey,
    /// The name for people.
    pub name: String,
    /// The first day in the position, or as a person; null for one without a beginning.
    pub from: Option<Date>,
    /// The last day; null for one without an end.
    pub to: Option<Date>,
}

/// A row of the quotas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChartQuota {
    /// The plan.
    pub plan: PlanKey,
    /// The period.
    pub period: PeriodKey,
    /// The credit type; null for each that has no row of its own.
    pub credit_type: Option<DefinedName>,
    /// What is expected.
    pub quota: Decimal,
    /// The person for whom it is; null for the position.
    pub payee: Option<ParticipantKey>,
}

/// A team on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChartTeam {
    /// Its id.
    pub team: TeamKey,
    /// Its name for people.
    pub name: String,
    /// The team that it belongs to.
    pub parent: Option<TeamKey>,
    /// The position that manages it.
    pub manager: Option<PositionKey>,
    /// The first day of this version; null for one without a beginning.
    pub from: Option<Date>,
    /// Its last day; null for one without an end.
    pub to: Option<Date>,
    /// Its members.
    pub members: Vec<ChartMember>,
}

/// A member of a team on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChartMember {
    #[serde(flatten)]
    person: ChartPerson,
    /// The part of a team's credit, in proportion to the others'.
    weight: Decimal,
}

/// Where credit flows from a position or a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChartRelationship {
    /// The declared type.
    #[serde(rename = "type")]
    pub kind: DefinedName,
    /// `position` or `team`.
    pub between: &'static str,
    /// Where credit comes from.
    pub source: RecipientKey,
    /// Where it flows to.
    pub target: RecipientKey,
    /// The first day; null for one without a beginning.
    pub from: Option<Date>,
    /// The last day; null for one without an end.
    pub to: Option<Date>,
}

/// The organisation of a ruleset on a day.
pub fn organization_chart(ruleset: &Ruleset, on: Date) -> OrganizationChart {
    let organization = &*ruleset.organization;
    let quotas = quotas_on(ruleset, on);
    let positions = organization.positions().filter_map(|(id, _)| {
        let version = organization.version_on(id, on)?;
        let (from, to) = inclusive_days(version.validity);
        let assigned = organization.assignments_of(id);
        let held = assigned.filter(|(person, validity)| {
            validity.contains(on) && organization.exists_on(*person, on)
        });
        let held: Vec<(ParticipantId, Validity)> = held.collect();
        let holders = held.iter().map(|(person, days)| person_row(organization, *person, *days));
        Some(ChartPosition {
            position: organization.position_id(id),
            title: version.title,
            manager: version.manager.map(|manager| organization.position_id(manager)),
            from,
            to,
            holders: holders.collect(),
            quotas: quotas_of(organization, &quotas, (id, &held)),
        })
    });

    OrganizationChart {
        on,
        changes: organization.all_change_days().into_iter().collect(),
        positions: positions.collect(),
        without_position: people_without_position(organization, on),
        teams: teams_on(organization, on),
        relationships: relationships_on(ruleset, on),
    }
}

/// The first and the last day; none where there is none.
fn inclusive_days(validity: Validity) -> (Option<Date>, Option<Date>) {
    (validity.from, validity.until.and_then(|until| until.yesterday().ok()))
}

fn person_row(organization: &Organization, person: ParticipantId, days: Validity) -> ChartPerson {
    let (from, to) = inclusive_days(days);
    ChartPerson {
        payee: organization.participant_id(person),
        name: organization.participant_name(person).to_string(),
        from,
        to,
    }
}

fn people_without_position(organization: &Organization, on: Date) -> Vec<ChartPerson> {
    let homeless = organization.participants().filter_map(|(id, known)| {
        let days = known.validity.iter().find(|validity| validity.contains(on))?;
        let held = organization.positions_held_by(id, on);
        held.is_empty().then(|| person_row(organization, id, *days))
    });
    homeless.collect()
}

/// Rows of quotas with their plans, of periods that contain a day, in the order of plans and periods.
fn quotas_on(ruleset: &Ruleset, on: Date) -> Vec<(Selector, ChartQuota)> {
    let calendar = &ruleset.settings.calendar;
    let rows = ruleset.plans.keys().flat_map(|plan| {
        let rows = ruleset.quotas.rows_of(plan).into_iter();
        rows.filter_map(move |(period, quota)| {
            let period = calendar.find(period).filter(|period| period.contains(on))?;
            let row = ChartQuota {
                plan: *plan,
                period: period.id,
                credit_type: quota.credit_type,
                quota: quota.amount,
                payee: None,
            };
            Some((quota.target.clone(), row))
        })
    });
    rows.collect()
}

/// The quotas of a position and of those who hold it.
fn quotas_of(
    organization: &Organization,
    quotas: &[(Selector, ChartQuota)],
    (position, held): (PositionId, &[(ParticipantId, Validity)]),
) -> Vec<ChartQuota> {
    let fitting = quotas.iter().filter_map(|(target, row)| match target {
        Selector::Position(wanted) if *wanted == position => Some(row.clone()),
        Selector::Participant(wanted) if held.iter().any(|(person, _)| person == wanted) => {
            let payee = Some(organization.participant_id(*wanted));
            Some(ChartQuota { payee, ..row.clone() })
        }
        _ => None,
    });
    fitting.collect()
}

fn teams_on(organization: &Organization, on: Date) -> Vec<ChartTeam> {
    let teams = organization.teams.iter().filter_map(|(id, known)| {
        let version = organization.teams.version_on(id, on)?;
        let (from, to) = inclusive_days(version.validity);
        let members = organization.existing_members(id, on).map(|member| ChartMember {
            person: person_row(organization, member.participant, member.validity),
            weight: member.weight,
        });
        Some(ChartTeam {
            team: known.id,
            name: version.name.to_string(),
            parent: version.parent.map(|parent| organization.team_id(parent)),
            manager: version.manager.map(|manager| organization.position_id(manager)),
            from,
            to,
            members: members.collect(),
        })
    });
    teams.collect()
}

fn relationships_on(ruleset: &Ruleset, on: Date) -> Vec<ChartRelationship> {
    let organization = &ruleset.organization;
    let types = &ruleset.settings.relationship_types;
    let rows = organization.relationship_rows().into_iter();
    let rows = rows.filter(|row| row.validity.contains(on)).map(|row| {
        let (from, to) = inclusive_days(row.validity);
        let between = match row.source {
            Recipient::Position(_) => "position",
            Recipient::Team(_) => "team",
        };
        ChartRelationship {
            kind: types.get(usize::from(row.kind.0)).copied().unwrap_or_default(),
            between,
            source: organization.recipient_id(row.source),
            target: organization.recipient_id(row.target),
            from,
            to,
        }
    });
    rows.collect()
}
