//! People written into a program by name: the program is wrong as soon as one of them leaves.
//!
//! Not names of columns, which happen to be texts as well. Called by the walk.
//!
//! **Architecture invariant:** a text is a person only when it is a name, an id or an alias
//! of one, or names one in the grammar of recipients; nothing is guessed.

use rhai::Position;

use super::walk::ProgramWalk;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::fold_name;

impl ProgramWalk<'_> {
    /// A text that stands in the program as a value.
    pub(super) fn check_text_literal(&mut self, text: &str, at: Position) {
        self.reads.names.insert(text.to_owned());
        let names = text.split(';').flat_map(|part| part.split("||"));
        let names = names.map(|part| part.split_once('[').map_or(part, |(name, _)| name).trim());
        let people: Vec<&str> =
            names.filter(|name| self.known.people.contains(&fold_name(name))).collect();
        for person in people {
            let message = format!("`{person}` is a person of the organisation");
            let help = "name a position, a title or a column; people come and go";
            self.report_warning(Code::CR013, at, message, Some(help.to_owned()));
        }
    }
}
