//! What the server is told: command line and environment, read once.
//!
//! Not defaults of the domain (those are in the workspace). Called by `cli::serve` and `demo`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;

use crate::server::secrets::{self, Named};

/// Everything that a server is started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// The data file.
    pub(crate) data: PathBuf,
    /// Whether the data file is made when there is none.
    pub(crate) create: bool,
    /// The customer's directory.
    pub(crate) workspace: Option<PathBuf>,
    /// Address and port.
    pub(crate) listen: String,
    /// Whether changed files of the directory are brought in.
    pub(crate) watch: bool,
    /// The business date, if it is not today.
    pub(crate) business_date: Option<Date>,
    /// Whether a change needs a second person's approval.
    pub(crate) four_eyes: bool,
    /// The token of the API, if it is not the one made at first start.
    pub(crate) token: Option<String>,
    /// Tokens with names and roles.
    pub(crate) tokens: Vec<Named>,
    /// Secrets by the name of their variable, `ACCREDIT_SECRET_CRM`.
    pub(crate) secrets: BTreeMap<String, Vec<String>>,
}

const SECRET_PREFIX: &str = "ACCREDIT_SECRET_";

impl Config {
    /// A configuration with what the environment says.
    ///
    /// # Errors
    /// When a variable is not understood.
    pub(crate) fn from_environment(
        data: PathBuf,
        workspace: Option<PathBuf>,
    ) -> Result<Config, String> {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        let business_date = match text("ACCREDIT_BUSINESS_DATE") {
            None => None,
            Some(date) => Some(date.trim().parse().map_err(|_| {
                format!("`ACCREDIT_BUSINESS_DATE` is `{date}`; expected a date such as 2026-01-31")
            })?),
        };
        // Names that are not text are nobody's settings; `vars` would panic at them.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let secrets = variables.filter(|(name, _)| name.starts_with(SECRET_PREFIX));
        let secrets = secrets.map(|(name, value)| {
            (name, value.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        });
        let secrets = secrets.filter(|(_, values)| !values.is_empty()).collect();
        let token = text("ACCREDIT_TOKEN").map(|token| token.trim().to_owned());
        let listen = "127.0.0.1:8080".to_owned();
        let tokens = secrets::named(&text("ACCREDIT_TOKENS").unwrap_or_default());
        let tokens = tokens.map_err(|error| format!("`ACCREDIT_TOKENS`: {error}"))?;
        if let Some(one) = tokens.iter().find(|one| token.as_ref() == Some(&one.token)) {
            let name = &one.name;
            return Err(format!("`ACCREDIT_TOKENS`: `{name}` has the token of `ACCREDIT_TOKEN`"));
        }
        Ok(Config {
            data,
            workspace,
            listen,
            business_date,
            token,
            tokens,
            secrets,
            ..Config::default()
        })
    }
}

/// The variable that holds the secrets of `source`.
pub(crate) fn secret_variable(source: &str) -> String {
    format!("{SECRET_PREFIX}{}", source.to_uppercase().replace('-', "_"))
}
