//! `aliases.csv`: other names of participants, positions and teams.
//!
//! Not the names that everybody has without it: ids, names and e-mails. Called by `organization`
//! for each row. Source: FORMAT section 1.
//!
//! **Architecture invariant:** an alias means somebody who exists; that it may mean several is
//! judged by `consistency`, not here.

use super::{ALIASES, Reading, teams};
use crate::csv::Row;
use crate::report::hint;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::Entity;

/// Reads one row of `aliases.csv`.
pub(super) fn read(reading: &mut Reading<'_>, row: Row<'_, '_>) {
    let kind = row.need("kind");
    let id = row.need("id");
    let alias = row.need("alias");
    let validity = row.validity().unwrap_or_default();

    let (Some(kind), Some(id)) = (kind, id) else { return };

    let entity = match kind.text.as_str() {
        "participant" => reading.find_participant(row, id).map(Entity::Participant),
        "position" => reading.find_position(row, id).map(Entity::Position),
        "team" => {
            if let (Some(team), Some(alias)) = (reading.find_team(row, id), alias) {
                reading.organization.teams.rename(&alias.text, team);
                teams::alias(reading, alias, team, validity, ALIASES);
            }
            None
        }
        _ => {
            let message = format!("`{}` is not a kind of alias", kind.text);
            let help = hint(&kind.text, "kind", &["participant", "position", "team"]);
            row.error(Code::CR032, kind.offset, message, &help);
            None
        }
    };

    if let (Some(entity), Some(alias)) = (entity, alias) {
        reading.organization.rename(&alias.text, entity);
        reading.name(alias, entity, validity, ALIASES);
    }
}
