//! The token of the API and the secrets of sources: from the environment, or made at first start.
//!
//! Not verification of deliveries (a connector's). A token is kept as a hash alone; secrets that
//! were made here are kept in the data file, because a signature cannot be checked with a hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_engine::ledger::Ledger;
use accredit_engine::workspace::Ruleset;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use crate::config::{Config, secret_variable};
use crate::plugins;

const TOKEN_KEY: &str = "token";
const SECRET_KEY: &str = "secret/";
const TOKEN_BYTES: usize = 32;
const SECRET_BYTES: usize = 32;

/// What a token is compared with.
#[derive(Clone, Copy)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(token: &str) -> Self {
        TokenHash(*blake3::hash(token.as_bytes()).as_bytes())
    }

    /// Whether `token` is the one, in constant time.
    pub(crate) fn matches(&self, token: &str) -> bool {
        self.0.ct_eq(&TokenHash::of(token).0).into()
    }
}

/// The token's hash, and the token itself where it was made just now or given.
pub(crate) fn token(
    ledger: &Ledger,
    config: &Config,
) -> Result<(TokenHash, Option<String>), String> {
    if let Some(token) = &config.token {
        return Ok((TokenHash::of(token), Some(token.clone())));
    }
    let failed = |error| format!("the token cannot be kept: {error}");
    if let Some(hash) = ledger.meta(TOKEN_KEY).map_err(failed)? {
        let hash: [u8; 32] = hash.as_slice().try_into().map_err(|_| "the token is unreadable")?;
        return Ok((TokenHash(hash), None));
    }
    let token = new_token()?;
    let hash = TokenHash::of(&token);
    ledger.set_meta(TOKEN_KEY, &hash.0).map_err(failed)?;
    eprintln!("ACCREDIT_TOKEN={token}");
    Ok((hash, Some(token)))
}

/// A token that nobody can guess.
pub(crate) fn new_token() -> Result<String, String> {
    Ok(format!("act_{}", URL_SAFE_NO_PAD.encode(random::<TOKEN_BYTES>()?)))
}

/// The active secrets of each source.
pub(crate) type Secrets = BTreeMap<String, Vec<String>>;

/// The secrets of every source of `ruleset`; made, kept and printed once where there are none.
pub(crate) fn secrets(
    ledger: &Ledger,
    given: &BTreeMap<String, Vec<String>>,
    ruleset: &Arc<Ruleset>,
) -> Result<Secrets, String> {
    let mut secrets = Secrets::new();
    for (name, source) in &ruleset.settings.sources {
        let variable = secret_variable(name);
        let active = match given.get(&variable) {
            Some(given) => given.clone(),
            None => vec![kept_secret(ledger, name, &variable)?],
        };
        if let Some(connector) = plugins::connector(&source.connector) {
            for secret in &active {
                let refused =
                    |why| format!("`{variable}` holds a secret that is not usable: {why}");
                connector.accepts(secret).map_err(refused)?;
            }
        }
        secrets.insert(name.clone(), active);
    }
    Ok(secrets)
}

fn kept_secret(ledger: &Ledger, source: &str, variable: &str) -> Result<String, String> {
    let failed = |error| format!("the secret of `{source}` cannot be kept: {error}");
    let key = format!("{SECRET_KEY}{source}");
    if let Some(kept) = ledger.meta(&key).map_err(failed)? {
        return String::from_utf8(kept)
            .map_err(|_| format!("the secret of `{source}` is unreadable"));
    }
    let secret = format!("whsec_{}", STANDARD.encode(random::<SECRET_BYTES>()?));
    ledger.set_meta(&key, secret.as_bytes()).map_err(failed)?;
    eprintln!("{variable}={secret}");
    Ok(secret)
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes)
}
