//! Bodies of deliveries as cases bring them, `json hooks/crm`: the source's intake policy makes rows
//! of them, as a server does.
//!
//! Not signatures or receipts (the host's). Called by `run`.
//!
//! **Architecture invariant:** without an intake policy a body is one transaction or an array.

use super::document::CaseBlock;
use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use accredit_domain::transaction::{Record, read};
use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// The rows of a body.
pub(super) fn records_of_body(
    path: &str,
    body: &CaseBlock,
    ruleset: &Ruleset,
    machine: &mut Machine,
) -> Result<Vec<Record>, Vec<Diagnostic>> {
    let wrong = |line: u32, message: String, help: Option<String>| {
        let error = Diagnostic::error(Code::CR041, Place::new(path, line, 1), message);
        vec![Diagnostic { help, ..error }]
    };

    let name = body.delivery_source().unwrap_or_default();
    let Some(source) = ruleset.settings.sources.get(name) else {
        let known = ruleset.settings.sources.keys().map(String::as_str);
        let help = did_you_mean(name, known)
            .unwrap_or_else(|| format!("write [sources.{name}] in accredit.toml"));
        return Err(wrong(body.line, format!("there is no source `{name}`"), Some(help)));
    };

    let Some(intake) = source.intake else {
        return read::read_json(body.text.as_bytes()).map_err(|error| {
            // Lines of the body begin below the fence that opens the block.
            let line = body.line + u32::try_from(error.line).unwrap_or(0);
            wrong(line, error.message, None)
        });
    };

    let payload = serde_json::from_str(&body.text).map_err(|error| {
        let line = body.line + u32::try_from(error.line()).unwrap_or(0);
        wrong(line, format!("the body is not JSON: {error}"), None)
    })?;

    machine.run_intake(intake, &payload).map_err(|fault| {
        let at = format!("{}:{}:{}", fault.place.file, fault.place.line, fault.place.column);
        let message = format!("the intake policy cannot read this body: {}", fault.message);
        wrong(body.line, message, Some(format!("the policy stopped at {at}")))
    })
}
