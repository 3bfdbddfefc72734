//! Names of people, positions and teams as the files of the organisation have them.
//!
//! Not whom a name means on a day (`domain::organization`): a file with errors has names as well. Called by
//! completions.

use std::collections::BTreeSet;

use crate::EditorWorkspace;
use crate::table_rows::rows_of;

/// Whom a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameBearer {
    Person,
    Position,
    Team,
}

/// A name by which a person, a position or a team is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BearerName {
    /// The name, id or alias.
    pub(crate) name: String,
    /// What it is, in a few words: `person Ann Lee`, `alias of ann`.
    pub(crate) about: String,
}

const PARTICIPANTS: &str = "organization/participants.csv";
const POSITIONS: &str = "organization/positions.csv";
const TEAMS: &str = "organization/teams.csv";
const ALIASES: &str = "organization/aliases.csv";

impl NameBearer {
    /// The file of them, the column that says more of one, and what one is called.
    fn source(self, workspace: &EditorWorkspace) -> (&'static str, &'static str, &'static str) {
        match self {
            NameBearer::Person => (PARTICIPANTS, "name", "person"),
            // Without a file of positions every person has one, with the person's id.
            NameBearer::Position if workspace.files.contains_key(POSITIONS) => {
                (POSITIONS, "title", "position")
            }
            NameBearer::Position => (PARTICIPANTS, "title", "position"),
            NameBearer::Team => (TEAMS, "name", "team"),
        }
    }
}

/// Two columns of a file, row by row; blank where there is no such column or cell.
fn cells_of(workspace: &EditorWorkspace, path: &str, columns: [&str; 2]) -> Vec<[String; 2]> {
    let mut rows = rows_of(workspace, path).into_iter();
    let header = rows.next().unwrap_or_default();
    let places = columns.map(|column| header.iter().position(|name| name == column));

    let cell = |row: &[String], place: Option<usize>| {
        place.and_then(|place| row.get(place)).cloned().unwrap_or_default()
    };
    rows.map(|row| places.map(|place| cell(&row, place))).collect()
}

/// Whether a name can be written in quotes as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['"', '\\', '`'])
}

/// The ids of people, positions or teams, each once, in order.
pub(crate) fn ids_of(workspace: &EditorWorkspace, bearer: NameBearer) -> Vec<BearerName> {
    let (path, more, called) = bearer.source(workspace);
    let ids = cells_of(workspace, path, ["id", more]).into_iter().map(|[name, more]| {
        let about = format!("{called} {more}").trim_end().to_owned();
        BearerName { name, about }
    });
    listed_once(ids)
}

/// The titles of positions, each once, in order.
pub(crate) fn titles_of(workspace: &EditorWorkspace) -> Vec<BearerName> {
    let (path, column, _) = NameBearer::Position.source(workspace);
    let titles = cells_of(workspace, path, [column, ""]).into_iter();
    listed_once(titles.map(|[name, _]| BearerName { name, about: "title".to_owned() }))
}

/// Every name by which a recipient is found: ids, then names and aliases.
pub(crate) fn recipient_names(workspace: &EditorWorkspace) -> Vec<BearerName> {
    let bearers = [NameBearer::Position, NameBearer::Person, NameBearer::Team];
    let ids = bearers.into_iter().flat_map(|bearer| ids_of(workspace, bearer));

    let named = [PARTICIPANTS, TEAMS].into_iter().flat_map(|path| {
        let cells = cells_of(workspace, path, ["name", "id"]).into_iter();
        cells.map(|[name, id]| BearerName { name, about: format!("name of {id}") })
    });
    let aliases = cells_of(workspace, ALIASES, ["alias", "id"]).into_iter();
    let aliases = aliases.map(|[name, id]| BearerName { name, about: format!("alias of {id}") });

    let mut found: Vec<BearerName> = ids.collect();
    found.extend(listed_once(named.chain(aliases)));
    let mut known = BTreeSet::new();
    found.retain(|one| known.insert(one.name.clone()));
    found
}

/// The names that can be written, each once and in order: a row of a later day has the same name.
fn listed_once(names: impl Iterator<Item = BearerName>) -> Vec<BearerName> {
    let mut found: Vec<BearerName> = names.filter(|one| is_plain(&one.name)).collect();
    found.sort();
    found.dedup_by(|other, one| other.name == one.name);
    found
}
