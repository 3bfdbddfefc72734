//! Whether the connectors that a workspace names exist.
//!
//! The engine knows no connector; the host hands in the names of its own. Called by `check` and by
//! activations.

use accredit_domain::diagnostic::{Code, Diagnostic, did_you_mean};
use accredit_workspace::Ruleset;

/// A finding for each source whose connector is not one of `connectors`.
pub fn unknown_connectors(ruleset: &Ruleset, connectors: &[&str]) -> Vec<Diagnostic> {
    let sources = ruleset.settings.sources.values();
    let unknown = sources.filter(|source| !connectors.contains(&source.connector.as_str()));

    let finding = |source: &accredit_workspace::WebhookSource| {
        let name = source.connector.as_str();
        let help = did_you_mean(name, connectors.iter().copied());
        let help = help.unwrap_or_else(|| format!("write one of: {}", connectors.join(", ")));

        let message = format!("there is no connector `{name}`");
        Diagnostic::error(Code::CR025, source.place.clone(), message).with_help(help)
    };
    unknown.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use accredit_workspace::Files;

    use super::*;

    #[test]
    fn a_connector_must_exist() {
        let check = |connector: &str| -> Vec<(u32, u32, Option<String>)> {
            let text = format!(
                "[workspace]\nname = \"A\"\n[fields]\nid = \"i\"\ndate = \"d\"\n\
                 [sources.crm]\nconnector = \"{connector}\"\n"
            );
            let files = Files::from([("accredit.toml".to_owned(), Arc::from(text))]);
            let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
            assert_eq!(findings, []);

            let found = unknown_connectors(&ruleset.unwrap(), &["standard-webhooks"]);
            found.iter().map(|one| (one.place.line, one.place.column, one.help.clone())).collect()
        };

        assert_eq!(check("standard-webhooks"), []);

        let found = check("standard-webhook");
        let [(7, 13, Some(help))] = found.as_slice() else { panic!("{found:?}") };
        assert!(help.contains("standard-webhooks"), "{help}");
    }
}
