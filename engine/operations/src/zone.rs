//! Whether the workspace's time zone exists.
//!
//! The engine reads moments in UTC where it does not exist, so that the host can name those that do.
//! Called by `check` and by the door.

use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use accredit_workspace::Ruleset;
use jiff::tz;

const SETTINGS: &str = "accredit.toml";

/// The finding, when the zone does not exist.
pub fn unknown_zone(ruleset: &Ruleset) -> Option<Diagnostic> {
    let zone = ruleset.settings.time_zone.as_str();
    if tz::TimeZone::get(zone).is_ok() {
        return None;
    }

    let text = ruleset.files.get(SETTINGS).map_or("", AsRef::as_ref);
    let lines = (1..).zip(text.lines());

    let mut place = lines.filter(|(_, line)| line.trim_start().starts_with("time_zone"));
    let place = place.next().map_or_else(
        || Place::whole_file(SETTINGS),
        |(line, text)| {
            let quote = text.chars().position(|c| c == '"' || c == '\'').unwrap_or(0);
            Place::new(SETTINGS, line, u32::try_from(quote + 1).unwrap_or(1))
        },
    );

    let found = Diagnostic::error(Code::CR024, place, format!("there is no time zone `{zone}`"));
    let names: Vec<String> = tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let help = did_you_mean(zone, names.iter().map(String::as_str));
    Some(
        found.with_help(
            help.unwrap_or_else(|| "write an IANA name such as Europe/Berlin".to_owned()),
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use accredit_workspace::Files;

    use super::*;

    #[test]
    fn a_zone_must_exist() {
        let check = |zone: &str| {
            let text = format!(
                "[workspace]\nname = \"A\"\ntime_zone = \"{zone}\"\n[fields]\nid = \"i\"\ndate = \"d\"\n"
            );
            let files: Files = [(SETTINGS.to_owned(), Arc::from(text))].into_iter().collect();
            let (ruleset, _) = Ruleset::read(&files, &BTreeSet::new());
            unknown_zone(&ruleset.unwrap()).map(|d| (d.place.line, d.place.column, d.help.unwrap()))
        };
        assert_eq!(check("Europe/Berlin"), None);
        assert_eq!(check("UTC"), None);
        let help = "did you mean `Europe/Berlin`?".to_owned();
        assert_eq!(check("Europe/Berln"), Some((3, 13, help)));
    }
}
