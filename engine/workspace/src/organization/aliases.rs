//! `aliases.csv`: other names of participants, positions and teams.
//!
//! Not the names that exist without it: ids, names and e-mails. Called by `organization` for each
//! row. Source: FORMAT section 1.
//!
//! **Architecture invariant:** an alias stands for an entity that exists. Aliases that stand for
//! several are reported by `consistency`, not here.

use super::{ALIASES, OrganizationReader, teams};
use crate::csv::DefinitionRow;
use crate::report::suggest_names;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::Entity;

/// Reads one row of `aliases.csv`.
pub(super) fn read(reading: &mut OrganizationReader<'_>, row: DefinitionRow<'_, '_>) {
    let kind = row.need_cell("kind");
    let id = row.need_cell("id");
    let alias = row.need_cell("alias");
    let validity = row.read_validity().unwrap_or_default();

    let (Some(kind), Some(id)) = (kind, id) else { return };

    let entity = match kind.text.as_str() {
        "participant" => reading.find_participant(row, id).map(Entity::Participant),
        "position" => reading.find_position(row, id).map(Entity::Position),
        "team" => {
            if let (Some(team), Some(alias)) = (reading.find_team(row, id), alias) {
                reading.organization.teams.add_former_id(&alias.text, team);
                teams::add_team_alias(reading, alias, team, validity, ALIASES);
            }
            None
        }
        _ => {
            let message = format!("`{}` is not a kind of alias", kind.text);
            let help = suggest_names(&kind.text, "kind", &["participant", "position", "team"]);
            row.report_error(Code::CR032, kind.offset, message, &help);
            None
        }
    };

    if let (Some(entity), Some(alias)) = (entity, alias) {
        reading.organization.add_former_id(&alias.text, entity);
        reading.add_name(alias, entity, validity, ALIASES);
    }
}
